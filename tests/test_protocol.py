"""Every verb on every object that it is made for, and the one protocol of what it returns."""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from functools import cache, partial

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import culture_metrics as cm
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import CultureMetricsError, ReportError, ResultsError, UnknownNameError
from culture_metrics.extracts.dates import ResponseDates
from culture_metrics.output import Output

pytestmark = pytest.mark.filterwarnings("ignore::culture_metrics.errors.CultureMetricsWarning")

#: The rooms of the package that hold verbs; `synthetic` makes respondents, `views` figures.
ROOMS = ["compare", "disclosure", "links", "measurement", "published", "results"]
#: What is public beside verbs that return results, and what it is instead.
NO_RESULT = {
    "Assumptions": "choice", "Design": "choice", "Outcome": "choice", "Weights": "choice",
    "catalogue": "look-up", "survey": "look-up", "outcome": "look-up", "outcomes": "look-up",
    "is_published": "look-up", "read_extract": "respondents", "score": "respondents",
    "DisclosureAudit": "result", "Distributions": "result", "Published": "result", "Results": "result",
    "report": "writes", "save_mapping": "writes", "save_results": "writes", "write_published": "writes",
}  # fmt: skip
#: A picture of these would say no more than their list of problems, or of columns.
NO_PICTURE = {
    "audit_disclosure",
    "framework",
    "frameworks",
    "check_pair",
    "early_and_late",
    "inspect_file",
    "official_mix",
    "tie_out",
    "validate",
    "validate_results",
}
RAKED = {"gender": {"Female": 70, "Male": 30}}
HIDDEN = "Hidden Ward"


@cache
def extract(year: int = 2024):
    """Six people of 600 are in a ward of their own, hidden in every table."""
    made = cm.synthetic.respondents(year, respondents_per_organisation=600, seed=3)
    ward = pl.when(pl.int_range(pl.len()) < 6).then(pl.lit(HIDDEN)).otherwise("locality_1")
    frame = made.frame.with_columns(
        ward.alias("locality_1"), pl.concat_str(pl.lit("SECRET-"), "respondent").alias("respondent")
    )
    return type(made)(made.survey, made.period, frame)


@cache
def dated():
    """The same people, who answered one after the other, ten a day."""
    made = extract()
    frame = made.frame.with_row_index("row")
    days = frame.select("row", date=date(2024, 10, 1) + pl.duration(days=pl.col("row") // 10))
    return replace(made, frame=frame, dates=ResponseDates(days, "Submitted"))


@cache
def report():
    return cm.validate(extract())


@cache
def results(year: int = 2024):
    return cm.estimate(extract(year), by=["locality_1"])


@cache
def crossed():
    return cm.estimate(extract(), by=[("gender", "locality_1")])


@cache
def answers():
    return cm.distributions(extract())


@cache
def published():
    return cm.study([]).published[0]


@cache
def quarters():
    names = [f"{year}-Q{q}" for year in (2022, 2023) for q in (1, 2, 4)]
    return [
        cm.estimate(cm.synthetic.respondents(q, 1, 200, survey="national_quarterly_pulse")) for q in names
    ]


@cache
def outcome():
    return cm.read_outcome(pl.DataFrame({"code": ["SYN01"], "year": ["2024/25"], "shmi": [0.9]}), "shmi")


@cache
def frame_of_years():
    return cm.synthetic.outcome_panel(organisations=60)


@cache
def panel():
    return cm.read_panel(frame_of_years(), cm.outcome("shmi"))


@cache
def change():
    return cm.decompose_change(extract(2023), extract(), "morale", by=["gender"])


@cache
def parts():
    return cm.compare.change_contributions(extract(2023), extract(), "morale")


def all_years(make):
    """Results of several years as objects, and as one frame."""
    return {
        "list of Results": lambda: make([results(2023), results()]),
        "frame": lambda: make(pl.concat([results(2023).table, results().table])),
    }


def of_panel(make):
    return {"Panel": lambda: make(panel()), "frame": lambda: make(frame_of_years())}


def file_of(make, table, name):
    def call(folder):
        table().write_csv(folder / name)
        return make(folder / name)

    return call


#: Verb -> what it is given -> the call. Objects and frames of one row have the same figures in them.
CALLS = {
    "agreement": {
        "Extract": lambda: cm.agreement(extract(), ["morale"], "gender"),
        "frame": lambda: cm.agreement(frame_of_years(), ["morale"], "organisation"),
    },
    "agreement_of_percentages": {
        "Published": lambda: cm.measurement.agreement_of_percentages(
            published(), published().organisations["benchmark_group"][0], ["burnt_out"]
        )
    },
    "audit_disclosure": {
        **all_years(cm.disclosure.audit_disclosure),
        "Results": lambda: cm.disclosure.audit_disclosure(results()),
        "Distributions": lambda: cm.disclosure.audit_disclosure(answers()),
        "both": lambda: cm.disclosure.audit_disclosure(results(), distributions=answers()),
    },
    "before_after": {
        "list of Published": lambda: cm.before_after(
            [_before(), published()], "SYN01", baseline=2023, follow_up=2024, release=2024
        )
    },
    "benchmark": {
        "Published": lambda: cm.benchmark(published(), "SYN01"),
        "list of Published": lambda: cm.benchmark([_before(), published()], "SYN01"),
    },
    "bright_spots": {"Published": lambda: cm.compare.bright_spots(_many(), "morale")},
    "calibrate": {"Extract": lambda: cm.calibrate(extract(), draws=40)},
    "change_contributions": {"Extract": parts},
    "check_pair": {
        "Extract": lambda: cm.check_pair(extract(2023), extract()),
        "ValidationReport": lambda: cm.check_pair(extract(2023), report()),
    },
    "compare_years": {
        **all_years(lambda given: cm.compare_years(given, 2023, 2024)),
        "Published": lambda: cm.compare_years([results(2023), _now()], 2023, 2024),
    },
    "decompose_change": {
        "Extract": change,
        "frame": lambda: cm.decompose_change(
            results(2023).table, results().table, "morale", by=["locality_1"]
        ),
        "Results": lambda: cm.decompose_change(results(2023), results(), "morale", by=["locality_1"]),
    },
    "detectable_link": {"numbers": lambda: cm.links.detectable_link(100, 4)},
    "distributions": {"Extract": answers},
    "early_and_late": {"Extract": lambda: cm.compare.early_and_late(dated())},
    "equality_gaps": {
        "Extract": lambda: cm.equality_gaps(extract(), ["gender", "locality_1"]),
        "list of Results": lambda: cm.equality_gaps([results(2023), results()], ["locality_1"]),
        "frame": lambda: cm.equality_gaps(results().table, ["locality_1"]),
    },
    "estimate": {"Extract": results, "pieces": lambda: cm.estimate([extract()])},
    "estimate_values": {
        "frame": lambda: cm.estimate_values(cm.score(extract()), ["morale"], ["locality_1"])
    },
    "false_alarms": {"numbers": lambda: cm.links.false_alarms(60, 4, draws=100)},
    "framework": {"numbers": lambda: cm.framework("people_promise")},
    "frameworks": {"numbers": cm.frameworks},
    "find_peers": {"Published": lambda: cm.find_peers(published(), "SYN01")},
    "inspect_file": {"file": file_of(cm.inspect_file, lambda: extract().frame, "RXX_2024.csv")},
    "intersections": {
        "Extract": lambda: cm.compare.intersections(extract(), "morale", ["gender", "locality_1"]),
        "Results": lambda: cm.compare.intersections(crossed(), "morale", ["gender", "locality_1"]),
        "frame": lambda: cm.compare.intersections(crossed().table, "morale", ["gender", "locality_1"]),
    },
    "lavaan_model": of_panel(lambda given: cm.links.lavaan_model(given, "morale", "shmi")),
    "link_outcomes": of_panel(lambda given: cm.link_outcomes(given, "morale", "shmi")),
    "mediate": of_panel(lambda given: cm.links.mediate(given, "staff_engagement", "morale", "shmi", draws=200)),
    "mirror": {
        "Published": lambda: cm.mirror(extract(), published()),
        "list of Published": lambda: cm.mirror(extract(), [published()]),
    },
    "official_mix": {
        "Published": lambda: cm.official_mix(published()),
        "list of Published": lambda: cm.official_mix([published()]),
    },
    "moderate": of_panel(lambda given: cm.links.moderate(given, "morale", "beds", "shmi")),
    "nonresponse_sensitivity": {
        "ChangeDecomposition": lambda: cm.compare.nonresponse_sensitivity(change(), 4000, 4000),
        "ChangeContributions": lambda: cm.compare.nonresponse_sensitivity(parts(), 4000, 4000),
    },
    "oversight": {
        "Published": lambda: cm.oversight(published(), "SYN01"),
        "list of Published": lambda: cm.oversight([_before(), published()], "SYN01"),
    },
    "panel": {
        "Results": lambda: cm.panel(results(), outcome(), measures=["morale"]),
        "Published": lambda: cm.panel(published(), outcome(), measures=["morale"]),
        "list of Results": lambda: cm.panel([results(2023), results()], outcome(), measures=["morale"]),
        "frame": lambda: cm.panel(results().table, outcome(), measures=["morale"]),
    },
    "rake": {"Extract": lambda: cm.rake(extract(), RAKED)},
    "read_outcome": {"frame": outcome},
    "read_panel": {"frame": panel},
    "read_published": {
        "file": lambda folder: (
            cm.published.write_published(folder / "book.xlsx", published()),
            cm.read_published(folder / "book.xlsx"),
        )[1]
    },
    "rebuild_scores": {
        "Distributions": lambda: cm.published.rebuild_scores(answers()),
        "frame": lambda: cm.published.rebuild_scores(answers().table),
    },
    "recovery": {
        "Published": lambda: cm.compare.recovery([_before(), published()], 2023, 2024, "staff_engagement"),
    },
    "relative_weights": of_panel(
        lambda given: cm.links.relative_weights(given, ["staff_engagement", "morale"], "shmi", draws=50)
    ),
    "replicate": {
        "Extract": lambda: cm.replicate(extract(), ["locality_1"], measures=["morale"], draws=20)
    },
    "run_chart": {
        "list of Results": lambda: cm.compare.run_chart(quarters(), organisation="SYN01"),
        "frame": lambda: cm.compare.run_chart(pl.concat(q.table for q in quarters()), organisation="SYN01"),
    },
    "shrink": {
        "Results": lambda: cm.shrink(results()),
        "frame": lambda: cm.shrink(results().table),
    },
    "specification_curve": of_panel(
        lambda given: cm.specification_curve(given, "morale", "shmi", designs="pooled")
    ),
    "study": {"nothing": lambda: cm.study([])},
    "suppress": {
        **all_years(lambda given: cm.suppress(given, 30)),
        "Results": lambda: cm.suppress(results(), 30),
        "Distributions": lambda: cm.suppress(answers(), 30),
    },
    "tie_out": {"Published": lambda: cm.published.tie_out(published(), published())},
    "trend": all_years(lambda given: cm.trend([*given, results(2022)] if isinstance(given, list) else pl.concat([given, results(2022).table]), ["morale"])),
    "validate": {"Extract": report},
    "validate_results": {
        "Results": lambda: cm.results.validate_results(results(), answers()),
        "Published": lambda: cm.results.validate_results(published(), published().distributions),
        "frame": lambda: cm.results.validate_results(results().table, answers().table),
    },
}  # fmt: skip
EVERY = [(verb, given) for verb, calls in CALLS.items() for given in calls]


def _now():
    """The published results of one organisation, as if read from a workbook of 2024."""
    return type(published())(
        "nss_england",
        "2024",
        results(),
        answers(),
        published().organisations.filter(organisation="SYN01"),
        provenance={"release": "2024"},
    )


@cache
def _many():
    """The organisations of the example, four times: as many as a profile needs to predict from."""
    more = [pl.col("organisation") + pl.lit(end) for end in ("", "A", "B", "C")]
    tables = (published().table, published().distributions.table, published().organisations)
    return replace(
        published(),
        **dict(
            zip(
                ("results", "distributions", "organisations"),
                (pl.concat([table.with_columns(e) for e in more]).sort("organisation") for table in tables),
                strict=True,
            )
        ),
    )


def _before():
    """The published results of the year before: those of 2024, somewhat apart."""
    table = published().table.with_columns(
        period=pl.lit("2023"), estimate=(pl.col("estimate") - 0.2 + 0.4 * (pl.int_range(pl.len()) % 7 / 7))
    )
    return type(published())(
        "nss_england",
        "2023",
        table.filter(pl.col("unit") == "score"),
        published().distributions.table.clear(),
        published().organisations.with_columns(period=pl.lit("2023")),
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What a verb returns of what it is given: made once."""

    @cache
    def make(verb, given):
        call = CALLS[verb][given]
        takes = call.__code__.co_varnames[: call.__code__.co_argcount] if hasattr(call, "__code__") else ()
        return call(tmp_path_factory.mktemp(verb)) if takes == ("folder",) else call()

    return make


def test_every_public_name_is_looked_at():
    top = set(cm.__all__) - {*ROOMS, "synthetic", "views"}
    assert set(CALLS) | set(NO_RESULT) == top.union(*(getattr(cm, room).__all__ for room in ROOMS))
    assert not set(CALLS) & set(NO_RESULT)


@pytest.mark.parametrize(("verb", "given"), EVERY)
def test_every_verb_takes_every_object_and_keeps_the_protocol(verb, given, made):
    found = made(verb, given)
    assert isinstance(found, Output)
    assert isinstance(found.table, pl.DataFrame)
    assert not [c for c, dtype in found.table.schema.items() if dtype.is_nested() or dtype == pl.Object]
    assert len(found.summary()) > 15
    assert "<" in found._repr_html_()
    told = found.provenance
    assert told["verb"] == verb
    assert set(told) >= {"arguments", "inputs", "versions", "rules"}
    assert set(told["versions"]) >= {"python", "culture-metrics", "polars"}
    assert {**json.loads(json.dumps(told)), **told} == told
    assert bool(told["inputs"]) == (given != "numbers")
    with pytest.raises(TypeError):
        told["verb"] = "another"
    if verb in NO_PICTURE:
        with pytest.raises(ReportError, match="no picture"):
            found.figure()
        return
    fig = found.figure()
    meta, numbers = fig.layout.meta, fig.numbers
    title = meta["words"]["title"]
    assert len(title) > 10
    # The alt text opens with the finding, which is the title, and goes on with the numbers.
    assert meta["alt"].casefold().startswith(title[:40].casefold())
    assert len(meta["alt"]) > len(title) + 20
    assert re.search(r"\d", meta["alt"])
    assert numbers.frame.height > 0
    assert numbers.frame.width > 1
    assert all(dtype == pl.String for dtype in numbers.frame.dtypes)
    assert re.search(r"\d", " ".join(map(str, numbers.frame.rows())))
    saved = fig.bundle()
    assert saved.keys() == {"application/vnd.plotly.v1+json", "text/html", "text/plain"}
    assert {"<table>", "<details"} <= {tag for tag in ("<table>", "<details") if tag in saved["text/html"]}
    assert html.escape(meta["alt"]) in saved["text/html"]
    shown = set(re.findall(r"<th scope='row'[^>]*>(.*?)</th>", saved["text/html"]))
    assert shown == {html.escape(name) for name in numbers.frame.to_series().head(300)}
    if found.table.is_empty() or HIDDEN not in str(found.table.rows()):
        return
    # What may not be told of a hidden ward is not in its row.
    own = numbers.frame.filter(pl.any_horizontal(pl.all() == HIDDEN))
    assert not re.search(r"\d", " ".join(map(str, own.select(pl.all().exclude("Year", "Quarter")).rows())))


@pytest.mark.parametrize("verb", CALLS)
def test_what_is_saved_is_what_the_table_says(verb, made, tmp_path):
    found = made(verb, next(iter(CALLS[verb])))
    read = {
        ".csv": pl.read_csv,
        ".parquet": pl.read_parquet,
        ".xlsx": partial(pl.read_excel, table_name="Figures"),
    }
    saved = {ending: read[ending](found.save(tmp_path / f"x{ending}")) for ending in read}
    numbers = [c for c, dtype in found.table.schema.items() if dtype.is_float()]
    assert {ending: table.columns for ending, table in saved.items()} == dict.fromkeys(
        read, found.table.columns
    )
    if found.table.is_empty():  # a table of Excel has a row: its cells say that there is nothing
        assert {*saved[".xlsx"].row(0)} == {"[x]"}
        saved[".xlsx"] = saved[".xlsx"].clear()
    assert len({table.height for table in saved.values()}) == 1
    # Rows of hidden groups are folded.
    reported = (pl.col("status") == "reported") if "status" in found.table.columns else pl.lit(value=True)
    shown = [t.filter(reported).select(pl.col(numbers).sum()) for t in (found.table, saved[".parquet"])]
    assert_frame_equal(*shown, rel_tol=1e-12)
    plain = saved[".csv"].select(pl.col(numbers).cast(pl.Float64))
    assert_frame_equal(plain, saved[".parquet"].select(numbers), rel_tol=1e-12)
    page = found.save(tmp_path / "x.html").read_text(encoding="utf-8")
    assert ("plotly" in page.lower()) == (verb not in NO_PICTURE)
    with pytest.raises(UnknownNameError, match="ending"):
        found.save(tmp_path / "x.doc")


@pytest.mark.parametrize(("verb", "given"), EVERY)
def test_nothing_of_a_person_and_no_hidden_group_is_told(verb, given, made, tmp_path):
    """By its text, its form in a notebook, its provenance and what it saves; the table keeps the names."""
    found = made(verb, given)
    told = [repr(found), found.summary(), found._repr_html_(), json.dumps(found.provenance)]
    if verb not in ("validate", "check_pair", "audit_disclosure"):
        told.append(found.save(tmp_path / "x.csv").read_text(encoding="utf-8-sig"))
    assert [text for text in told if re.search(f"SECRET-|{HIDDEN}", text)] == []


@pytest.mark.parametrize(
    "verb",
    [
        cm.compare_years,
        cm.trend,
        cm.shrink,
        cm.suppress,
        cm.disclosure.audit_disclosure,
        cm.panel,
        cm.save_results,
    ],
)
@pytest.mark.parametrize("given", ["results.csv", 7, None, []])
def test_what_is_neither_is_refused_in_words(verb, given):
    more = {cm.compare_years: (2023, 2024), cm.panel: (outcome(),), cm.save_results: ("x.csv",)}.get(verb, ())
    with pytest.raises(CultureMetricsError) as error:
        verb(given, *more)
    assert error.value.expected or error.value.hint or "no results" in str(error.value)


def test_a_result_is_told_what_it_was_made_from():
    """The provenance goes back through every verb to what was read."""
    change = cm.compare_years([results(2023), results()], 2023, 2024, adjust="holm").provenance
    assert (change["arguments"]["adjust"], change["arguments"]["from_period"]) == ("holm", 2023)
    first, second = change["inputs"]
    assert (first["verb"], first["arguments"]["by"]) == ("estimate", ["locality_1"])
    assert [one["inputs"][0]["period"] for one in (first, second)] == ["2023", "2024"]
    of_frame = cm.shrink(results().table).provenance["inputs"]
    assert re.fullmatch("[0-9a-f]{64}", of_frame[0]["sha256"])


def test_how_breakdowns_nest_is_kept_and_told():
    """Wards stand in sites, and `suppress` knows it of Results: of a frame it must be told."""
    made = cm.synthetic.respondents(2024, respondents_per_organisation=120, seed=5)
    row = pl.int_range(pl.len())
    site = pl.when(row < 60).then(pl.lit("A")).otherwise(pl.lit("B"))
    ward = pl.concat_str(site, pl.when(row % 60 < 25).then(pl.lit("1")).otherwise(pl.lit("2")))
    frame = made.frame.with_columns(locality_1=site, locality_2=ward)
    found = cm.estimate(type(made)(made.survey, made.period, frame), by=["locality_1", "locality_2"])
    assert found.provenance["breakdowns"] == {"locality_2": ["locality_1"]}
    assert found.parents.select("group", "parent_group").rows() == [
        ("A1", "A"), ("A2", "A"), ("B1", "B"), ("B2", "B"),
    ]  # fmt: skip
    # By 30, A1 is hidden with its 25: A less A2 would give it away, so that A2 is hidden too.
    morale = cm.suppress(found, 30).table.filter(measure="morale", breakdown="locality_2")
    assert set(morale["status"].cast(pl.String).str.slice(0, 10)) == {"suppressed"}
    parents = cm.suppress(found.table, 30, parents=found.parents).table
    assert_frame_equal(cm.suppress(found, 30).table, parents)


def test_how_much_is_held_back_is_counted_by_its_rule():
    told = results().provenance["disclosure"]
    hidden = results().table.filter(pl.col("status").cast(pl.String).str.starts_with("suppressed")).height
    assert hidden > 0
    assert told == {"minimum_base": 11, "rows": results().table.height, "held_back": hidden}


def test_what_is_small_is_not_saved(tmp_path):
    open_ = cm.estimate(replace(extract(), decision=Decision()), by=["locality_1"], minimum_base=2)
    for ending in (".csv", ".xlsx", ".parquet", ".html"):
        with pytest.raises(ResultsError, match="fewer than 10"):
            open_.save(tmp_path / f"x{ending}")
    assert HIDDEN not in open_._repr_html_() + repr(open_)
    values = cm.estimate_values(cm.score(extract()), ["morale"], ["locality_1"], minimum_base=2)
    with pytest.raises(ResultsError, match="fewer than 10"):
        values.save(tmp_path / "x.csv")


@pytest.mark.parametrize("ending", [".csv", ".parquet", ".xlsx", ".html"])
def test_what_cannot_be_written_says_why(tmp_path, ending):
    found = results()
    with pytest.raises(ReportError, match="could not be written") as error:
        found.save(tmp_path / "nowhere" / f"x{ending}")
    assert error.value.got == "No such file or directory"
    for no_name, said in ((None, "None"), (f"a\0{ending}", "a name with a null character")):
        for saved in (found, found.figure()):
            with pytest.raises(ReportError, match="no file to go to") as error:
                saved.save(no_name)
            assert error.value.got == said


def test_a_picture_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "kaleido", None)
    for ending in (".png", ".svg"):
        with pytest.raises(ReportError, match="not installed") as error:
            results().save(tmp_path / f"x{ending}")
        assert "culture-metrics[pictures]" in error.value.hint


def test_objects_load_no_plotly_before_a_figure_is_asked_for():
    code = (
        "import sys, culture_metrics as cm\n"
        "found = cm.estimate(cm.synthetic.respondents(2024, respondents_per_organisation=60))\n"
        "found.provenance, repr(found), cm.suppress(found)\n"
        "print('plotly' in sys.modules)"
    )
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], check=False, capture_output=True, text=True
    )
    assert ran.stdout.strip() == "False", ran.stderr
