"""Verbs on links and agreement × everything public that a person may hand them: a result, or a clear error."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError, LinkError

FLAT = cm.synthetic.outcome_panel(organisations=70, years=range(2020, 2024))
SHMI = pl.DataFrame({"code": ["SYN01", "SYN02"], "year": ["2024/25"] * 2, "shmi": [0.9, 1.1]})


@pytest.fixture(scope="module")
def objects():
    extract = cm.synthetic.respondents(2024, organisations=2, respondents_per_organisation=60, seed=1)
    report, results = cm.validate(extract), cm.estimate(extract).table
    panel = cm.read_panel(FLAT, cm.outcome("shmi"))
    outcomes = cm.read_outcome(SHMI, "shmi")
    published = cm.study([]).published
    return {
        "panel": panel, "joined panel": cm.panel(results, outcomes), "table": FLAT, "lazy table": FLAT.lazy(),
        "extract": extract, "report of validate": report, "results": results, "lazy results": results.lazy(),
        "outcomes read": outcomes, "published": published, "links": cm.link_outcomes(panel, "morale", "shmi"),
        "outcome": cm.outcome("shmi"), "catalogue": cm.catalogue(), "path": "panel.csv", "nothing": None,
        "list": [1, 2], "mapping": {"a": [1]}, "array": np.ones(3), "series": FLAT["shmi"], "number": 3,
    }  # fmt: skip


NAMES = (
    "panel", "joined panel", "table", "lazy table", "extract", "report of validate", "results", "lazy results",
    "outcomes read", "published", "links", "outcome", "catalogue", "path", "nothing", "list", "mapping", "array",
    "series", "number",
)  # fmt: skip
WIDE = {"panel", "table", "lazy table"}
#: What each verb makes something of; of everything else it says what it needs.
VERBS = {
    "link_outcomes": (lambda d: cm.link_outcomes(d, "morale", "shmi"), WIDE),
    "specification_curve": (lambda d: cm.specification_curve(d, "morale", "shmi", designs=["pooled"]), WIDE),
    "relative_weights": (
        lambda d: cm.links.relative_weights(d, ["staff_engagement", "morale"], "shmi", draws=200), WIDE
    ),
    "mediate": (lambda d: cm.links.mediate(d, "staff_engagement", "morale", "shmi", draws=200), WIDE),
    "moderate": (lambda d: cm.links.moderate(d, "morale", "beds", "shmi"), WIDE),
    "lavaan_model": (lambda d: cm.links.lavaan_model(d, "morale", "shmi"), WIDE),
    "agreement": (lambda d: cm.agreement(d, "morale"), {"extract", "table", "lazy table"}),
    "agreement_of_percentages": (lambda d: cm.measurement.agreement_of_percentages(d, "Acute"), set()),
    "panel, results": (lambda d: cm.panel(d, cm.read_outcome(SHMI, "shmi")), {"results", "lazy results", "published"}),
    "panel, outcomes": (
        lambda d: cm.panel(cm.estimate(cm.synthetic.respondents(2024, respondents_per_organisation=40)).table, d),
        {"outcomes read"},
    ),
    "read_panel": (cm.read_panel, {"table", "lazy table"}),
    "read_outcome": (lambda d: cm.read_outcome(d, "shmi"), {"table", "lazy table"}),
    "detectable_link": (cm.links.detectable_link, set()),
    "false_alarms": (lambda d: cm.links.false_alarms(d, draws=100), set()),
}  # fmt: skip


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", NAMES)
def test_a_result_or_a_clear_error(verb, name, objects):
    assert tuple(objects) == NAMES
    call, takes = VERBS[verb]
    if name in takes:
        assert type(call(objects[name])).__module__.startswith("culture_metrics.")
        return
    with pytest.raises(CultureMetricsError) as caught:
        call(objects[name])
    error = caught.value
    assert error.what
    assert error.hint or error.expected


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        (cm.link_outcomes, (["morale"], "shmi")),
        (cm.specification_curve, ("morale", "shmi")),
        (cm.links.relative_weights, (["staff_engagement", "morale"], "inpatient_survey")),
        (cm.links.mediate, ("staff_engagement", "morale", "inpatient_survey")),
        (cm.links.moderate, ("morale", "beds", "inpatient_survey")),
    ],
)
def test_a_panel_its_table_and_a_lazy_frame_give_the_same_numbers(verb, arguments):
    """And a plain name is the outcome that the panel declares."""
    declared = [cm.Outcome("shmi", "continuous", label="SHMI"), cm.Outcome("inpatient_survey", "continuous")]
    panel = cm.read_panel(FLAT, declared)
    tables = [verb(data, *arguments).table for data in (panel, panel.table, FLAT.lazy())]
    for other in tables[1:]:
        assert other["estimate"].to_list() == pytest.approx(tables[0]["estimate"].to_list(), rel=1e-9)


def test_a_plain_name_is_the_outcome_of_the_panel():
    panel = cm.read_panel(FLAT, cm.outcome("sickness_absence"))
    assert cm.specification_curve(panel, "morale", "sickness_absence", designs=["pooled"]).link == "logit"
    assert cm.links.moderate(panel, "morale", "beds", "sickness_absence").link == "logit"
    with pytest.raises(CultureMetricsError, match="does not take an outcome of this kind"):
        cm.links.mediate(panel, "staff_engagement", "morale", "sickness_absence")
    with pytest.raises(CultureMetricsError, match="The panel has no outcome 'waits'"):
        cm.specification_curve(panel, "morale", "waits")
    with pytest.raises(CultureMetricsError, match="An outcome is a column's name"):
        cm.links.moderate(panel, "morale", "beds", None)


def test_what_agreement_needs_of_a_panel(objects):
    with pytest.raises(CultureMetricsError, match="scores of respondents") as caught:
        cm.agreement(objects["panel"], "morale")
    assert caught.value.got == "Panel"
    assert ".table" in caught.value.hint
    lazy, eager = (cm.agreement(data, "morale").table["icc1"].item() for data in (FLAT.lazy(), FLAT))
    assert lazy == eager


@pytest.mark.parametrize("verb", ["specification_curve", "links.mediate", "links.moderate"])
def test_a_list_where_one_column_is_meant_is_said(verb: str) -> None:
    panel = cm.synthetic.outcome_panel(organisations=60)
    room, _, name = verb.rpartition(".")
    call = getattr(getattr(cm, room) if room else cm, name)
    more = [] if name == "specification_curve" else ["morale"]
    with pytest.raises(LinkError, match="takes one column as indicator="):
        call(panel, ["staff_engagement", "morale"], *more, "shmi")
