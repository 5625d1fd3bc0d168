"""Every result on links: a flat table, a figure, a summary, where it came from, files; every verb, every input."""

from __future__ import annotations

import json
from functools import partial

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError, LinkError, ReportError, UnknownNameError
from culture_metrics.links.output import Several
from culture_metrics.models.designs.long_difference import long_difference
from culture_metrics.output import Output

FRAME = cm.synthetic.outcome_panel(organisations=70, years=range(2018, 2023))
SHMI, INPATIENTS = (cm.Outcome(name, "continuous") for name in ("shmi", "inpatient_survey"))
#: What a panel may be given as. Other names of its key are said with organisation= and year=.
INPUTS = {
    "Panel": (cm.read_panel(FRAME, [SHMI, INPATIENTS]), {}),
    "frame": (FRAME, {}),
    "lazy frame": (FRAME.lazy(), {}),
    "frame with other names": (
        FRAME.rename({"organisation": "Code", "year": "Year"}),
        {"organisation": "Code", "year": "Year"},
    ),
}
OUTCOMES = {"id": "shmi", "object": SHMI, "list": ["shmi"], "list of objects": [SHMI, INPATIENTS]}
CONTROLS = {"text": "region", "list": ["region"]}
VERBS = {
    "link_outcomes": lambda data, outcome, **more: cm.link_outcomes(
        data, "staff_engagement", outcome, **more
    ),
    "specification_curve": lambda data, outcome, **more: cm.specification_curve(
        data, "staff_engagement", outcome, designs="pooled", **more
    ),
    "relative_weights": lambda data, outcome, **more: cm.links.relative_weights(
        data, ["staff_engagement", "morale"], outcome, draws=50, **more
    ),
    "mediate": lambda data, outcome, **more: cm.links.mediate(
        data, "staff_engagement", "morale", outcome, draws=200, **more
    ),
    "moderate": lambda data, outcome, **more: cm.links.moderate(
        data, "staff_engagement", "beds", outcome, **more
    ),
    "lavaan_model": lambda data, outcome, **more: cm.links.lavaan_model(
        data, "staff_engagement", outcome, **more
    ),
}


def first(result):
    """Return the table of the first outcome."""
    if isinstance(result, Several):
        return result[next(iter(result))].table
    table = result.table
    return table.filter(outcome="shmi") if "outcome" in table.columns else table


@pytest.fixture(scope="module")
def plain():
    """What each verb makes of a panel, one outcome by its id, and a list of one control."""
    data = INPUTS["Panel"][0]
    return {
        name: first(verb(data, "shmi", **({} if name == "lavaan_model" else {"controls": ["region"]})))
        for name, verb in VERBS.items()
    }


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("given", INPUTS)
@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("controls", CONTROLS)
def test_every_verb_takes_every_input(verb, given, outcome, controls, plain):
    """And makes the same figures of it."""
    data, keys = INPUTS[given]
    more = {} if verb == "lavaan_model" else {"controls": CONTROLS[controls]}
    found = VERBS[verb](data, OUTCOMES[outcome], **more, **keys)
    asked = ["shmi", "inpatient_survey"] if outcome == "list of objects" else ["shmi"]
    if isinstance(found, Several):
        assert list(found) == asked
    elif "outcome" in found.table.columns:
        assert found.table["outcome"].unique(maintain_order=True).to_list() == asked
    table, wanted = first(found), plain[verb]
    numbers = [name for name, dtype in wanted.schema.items() if dtype.is_float() and name != "p_adjusted"]
    assert_frame_equal(table.select(numbers), wanted.select(numbers), rel_tol=1e-12)


@pytest.fixture(scope="module")
def results():
    data, outcomes = INPUTS["Panel"][0], ["shmi", "inpatient_survey"]
    made = {name: verb(data, "shmi") for name, verb in VERBS.items()}
    made |= {f"{name}, several": verb(data, outcomes) for name, verb in VERBS.items()}
    return made | {
        "false_alarms": cm.links.false_alarms(60, 4, draws=100),
        "detectable_link": cm.links.detectable_link(80, 4),
    }


NAMES = (*VERBS, *(f"{name}, several" for name in VERBS), "false_alarms", "detectable_link")


@pytest.mark.parametrize("name", NAMES)
def test_every_result_keeps_the_protocol(name, results, tmp_path):
    result = results[name]
    assert isinstance(result, Output)
    assert not [column for column, dtype in result.table.schema.items() if dtype.is_nested()]
    assert result.figure().layout.meta["alt"]
    assert len(result.summary()) > 40
    assert "<" in result._repr_html_()
    told = result.provenance
    assert told["verb"] == name.split(",")[0]
    assert set(told["versions"]) >= {"culture-metrics", "polars", "statsmodels"}
    assert json.loads(json.dumps(told)) == told
    if name in ("false_alarms", "detectable_link"):
        assert told["inputs"] == []
    else:
        (source,) = told["inputs"]
        assert (source["rows"], source["organisations"], source["years"]) == (350, 70, [2018, 2022])
    figures = partial(pl.read_excel, table_name="Figures")
    for ending, read in ((".csv", pl.read_csv), (".parquet", pl.read_parquet), (".xlsx", figures)):
        path = result.save(tmp_path / f"result{ending}")
        assert read(path).shape == result.table.shape
    assert "plotly" in result.save(tmp_path / "result.html").read_text(encoding="utf-8").lower()


def test_what_was_asked_is_told(results):
    data = INPUTS["Panel"][0]
    found = cm.link_outcomes(data, "morale", SHMI, design=[long_difference(2), "pooled"], controls="region")
    arguments = found.provenance["arguments"]
    assert arguments["design"] == ["long_difference_2", "pooled"]
    assert arguments["outcomes"]["column"] == "shmi"
    assert (arguments["controls"], arguments["conf_level"]) == ("region", 0.95)
    several = results["mediate, several"].provenance
    assert several["arguments"]["outcome"] == ["shmi", "inpatient_survey"]


def test_the_hash_is_of_the_figures():
    """Other order of rows and columns: the same panel. One other figure: another."""

    def hashed(frame):
        return cm.link_outcomes(frame, "morale", SHMI).provenance["inputs"][0]["sha256"]

    same = FRAME.sample(fraction=1.0, shuffle=True, seed=1).select(sorted(FRAME.columns))
    other = FRAME.with_columns(
        pl.when(pl.int_range(pl.len()) == 9).then(7.0).otherwise("morale").alias("morale")
    )
    assert hashed(FRAME) == hashed(same) != hashed(other)


def test_text_that_a_spreadsheet_runs_is_made_plain(tmp_path):
    label = "=HYPERLINK(1)"
    found = cm.link_outcomes(FRAME, "morale", cm.Outcome("shmi", "continuous", label=label))
    table = pl.read_csv(found.save(tmp_path / "links.csv"))
    assert table["outcome_label"].unique().to_list() == [f"'{label}"]
    assert pl.read_parquet(found.save(tmp_path / "links.parquet"))["outcome_label"][0] == f"'{label}"


def test_files_that_cannot_be_written(tmp_path):
    found = cm.links.detectable_link(80)
    with pytest.raises(UnknownNameError, match="ending"):
        found.save(tmp_path / "links.docx")
    with pytest.raises(ReportError, match="could not be written"):
        found.save(tmp_path / "nowhere" / "links.csv")


def test_several_are_named(results):
    several = results["moderate, several"]
    assert len(several) == 2
    assert several["inpatient_survey"].outcome.column == "inpatient_survey"
    assert several.table["outcome"].unique(maintain_order=True).to_list() == ["shmi", "inpatient_survey"]
    assert several.figure("inpatient_survey").layout.meta["alt"] != several.figure().layout.meta["alt"]
    with pytest.raises(UnknownNameError, match="no outcome 'cqc'"):
        several.figure("cqc")


@pytest.mark.parametrize(
    ("verb", "argument"),
    [(cm.link_outcomes, "outcomes"), (cm.link_outcomes, "indicators"), (cm.link_outcomes, "design"),
     (cm.links.mediate, "outcome"), (cm.specification_curve, "designs"),
     (cm.links.relative_weights, "indicators")],
)  # fmt: skip
def test_nothing_named_is_refused(verb, argument):
    given = {"indicators": ["morale", "beds"], "indicator": "morale", "mediator": "beds", "outcome": "shmi"}
    given["outcomes"] = "shmi"
    takes = {
        "link_outcomes": ("indicators", "outcomes"),
        "mediate": ("indicator", "mediator", "outcome"),
        "specification_curve": ("indicator", "outcome"),
        "relative_weights": ("indicators", "outcome"),
    }[verb.__name__]
    arguments = {name: given[name] for name in takes} | {argument: []}
    with pytest.raises(CultureMetricsError, match=f"{argument}= names nothing") as caught:
        verb(FRAME, **arguments)
    assert isinstance(caught.value, LinkError)
