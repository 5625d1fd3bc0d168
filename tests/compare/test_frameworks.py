"""Frameworks: their files, what of them each edition measures, and what is said of the rest."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.catalogue import catalogue, known
from culture_metrics.catalogue.frameworks import define_framework, packaged
from culture_metrics.contract import as_organisations, as_results
from culture_metrics.errors import CatalogueError, ComparabilityError, ResultsError, UnknownNameError
from culture_metrics.published import Published
from data_schemas.columns import DISTRIBUTIONS

ROOT = Path(__file__).resolve().parents[2]
PULSE = ROOT / "tests" / "surveys" / "culture_pulse"
YEARS = ("2021", "2022", "2023", "2024", "2025")
GROUPS = {"ethnicity_summary": ["White", "All other"], "occupation_group": ["Nurses"], "gender": ["Female"],
          "long_term_condition": ["With", "Without"]}  # fmt: skip


@pytest.fixture(autouse=True)
def _forget():
    yield
    known._OWN.clear()


def rows(
    period,
    organisation="RXX",
    breakdown="all",
    group="all",
    *,
    weighting="none",
    source="respondents",
    shift=0.0,
):
    """Figures of everything that an edition asks."""
    edition = catalogue().edition(period)
    made = [
        {
            "measure": name, "unit": m.unit, "std_error": 0.06 if m.unit == "score" else 1.2,
            "estimate": (6.0 if m.unit == "score" else 60.0) + shift,
        }
        for name, m in edition.measures.items()
    ]  # fmt: skip
    reach = 1.96 * pl.col("std_error")
    return pl.DataFrame(made).with_columns(
        survey=pl.lit("nss_england"), period=pl.lit(period), organisation=pl.lit(organisation),
        breakdown=pl.lit(breakdown), group=pl.lit(group), base=pl.lit(900), effective_base=pl.lit(900.0),
        weighting=pl.lit(weighting), status=pl.lit("reported"), source=pl.lit(source),
        conf_low=pl.col("estimate") - reach, conf_high=pl.col("estimate") + reach, interval=pl.lit("t"),
    )  # fmt: skip


def results(years=YEARS):
    parts = [rows(year) for year in years]
    parts += [rows(y, breakdown=b, group=g) for y in years for b, groups in GROUPS.items() for g in groups]
    return as_results(pl.concat(parts))


@pytest.fixture(scope="module")
def five_years():
    return results()


# Files.


def test_the_frameworks_are_all_there():
    table = cm.frameworks().table
    assert table["framework"].to_list() == [
        "compassionate_leadership", "freedom_to_speak_up", "hsc_collective_leadership", "morale",
        "nhs_leadership_compact", "nhs_people_plan", "people_promise", "staff_engagement",
        "wales_compassionate_leadership",
    ]  # fmt: skip
    assert table.select(
        (pl.col("full") + pl.col("part") + pl.col("none") == pl.col("dimensions")).all()
    ).item()


def test_the_people_promise_has_every_element_and_sub_score_of_the_survey():
    edition = catalogue().edition(2024)
    wanted = {e for e, m in edition.measures.items() if m.level == "element"}
    wanted |= {part for e in wanted for part in edition.measures[e].parts}
    found = {one.measure for d in define_framework("people_promise").dimensions for one in d.indicators}
    assert found == wanted and len(found) == 22


def test_the_four_behaviours_are_the_four_questions():
    """Attending q9g, understanding q9f, empathising q9h, helping q9i."""
    edition = catalogue().edition(2024)
    behaviours = {
        d.label: edition.measures[d.indicators[0].measure].code
        for d in define_framework("compassionate_leadership").dimensions[1:]
    }
    assert behaviours == {"Attending": "q9g", "Understanding": "q9f", "Empathising": "q9h", "Helping": "q9i"}


def test_northern_ireland_has_two_families_and_a_run_of_years():
    found = define_framework("hsc_collective_leadership")
    families = [d.family for d in found.dimensions]
    assert (families.count("Four components"), families.count("Six cultural characteristics")) == (4, 6)
    assert found.years == (2018, 2026)


FILE = (PULSE / "frameworks" / "how_we_work.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("measure: candour", "measure: candor", r"line 15 .*no edition has the measure candor. Did you mean candour"),
        ("coverage: none", "coverage: part", "that does not fit its indicators"),
        ("coverage: none", "coverage: some", "some is no coverage. Write full, part or none"),
        ("    not_measured: [Trying things out.]\n", "", "and not what is missing"),
        ("by: team", "by: taem", "no edition has the breakdown taem. Did you mean team"),
        ("survey: culture_pulse", "survey: culture_plus", "is not known. Did you mean culture_pulse"),
        ("label: We learn", "lable: We learn", "the key lable is not known. Did you mean label"),
        ("label: We learn", "label: We belong", "We belong stands twice"),
        ("measure: no_blame", "measure: learns_from_errors", "learns_from_errors stands twice"),
        ("title: How", "title: [How", "it is not YAML"),
        ("year: '2023'", "year: 2023", "it is not a text. Put it in quotation marks"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_line_and_remedy(tmp_path, old, new, said):
    cm.survey(PULSE)
    assert old in FILE
    path = tmp_path / "ours.yaml"
    path.write_text(FILE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(CatalogueError, match=said):
        cm.framework(path)


def test_a_folder_may_stand_for_its_one_file_and_for_all(tmp_path):
    cm.survey(PULSE)
    assert cm.framework(PULSE / "frameworks").id == "how_we_work"
    assert cm.frameworks(PULSE / "frameworks").table["full"].to_list() == [1]
    with pytest.raises(CatalogueError, match="0 framework files"):
        cm.framework(tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean people_promise"):
        cm.framework("people_promises")


# Reading.


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("name", packaged())
def test_each_indicator_computes_on_each_edition_or_says_why_not(name, year, five_years):
    found = cm.framework(name).read(five_years.filter(period=year)).table
    definition = define_framework(name)
    assert found["dimension"].unique(maintain_order=True).to_list() == [
        d.label for d in definition.dimensions
    ]
    asked = set(catalogue().edition(year).measures)
    for row in found.iter_rows(named=True):
        if row["measure"] is None:
            assert row["coverage"] == "none" and row["estimate"] is None
        elif row["measure"] in asked:
            assert row["estimate"] is not None and row["conf_low"] < row["estimate"] < row["conf_high"]
            assert row["reason"] is None and row["base"] == 900 and row["why"]
        else:
            assert (row["estimate"], row["reason"], row["status"]) == (
                None,
                f"Not asked in {year}.",
                "not_asked",
            )
    lacking = [d for d in definition.dimensions if d.coverage != "full"]
    assert all(d.not_measured for d in lacking)


def test_breaks_between_years_hold_here_too(five_years):
    """Diversity and equality lost a question in 2025: its earlier years do not compare, raising concerns' do."""
    found = cm.framework("nhs_leadership_compact").read(five_years)
    early = found.table.filter(period="2024", breakdown="all").unique("measure")
    told = dict(early.select("measure", "comparable").iter_rows())
    assert told["diversity_and_equality"] is False and told["raising_concerns"] is True
    assert early.filter(measure="diversity_and_equality")["why_not_comparable"].item()
    assert "diversity and equality" in found.summary()
    assert (
        found.table.filter(period="2021", measure="errors_get_feedback")["reason"].item()
        == "Not asked in 2021."
    )
    drawn = found.figure()
    assert "Open ones do not compare" in drawn.layout.annotations[-1].text


def test_beside_the_benchmark_average_where_the_weighting_is_the_same(five_years):
    """Median by hand: 6.0, 6.1 and 6.4 of the own, and two others."""
    shifts = {"RXX": 0.0, "RYY": 0.1, "RZZ": 0.4}
    table = as_results(
        pl.concat(
            rows("2024", code, weighting="occupation_group", source="published", shift=by).with_columns(
                pl.lit(None, pl.Float64).alias(c) for c in ("std_error", "conf_low", "conf_high", "effective_base")
            ).with_columns(interval=pl.lit(None, pl.String))
            for code, by in shifts.items()
        )
    )  # fmt: skip
    listed = pl.DataFrame(
        {"organisation": list(shifts)}, schema={"organisation": pl.String}
    ).with_columns(
        survey=pl.lit("nss_england"), period=pl.lit("2024"), name=pl.col("organisation"),
        benchmark_group=pl.lit("Acute"),
    )  # fmt: skip
    nothing = cm.results.Distributions.of(pl.DataFrame(schema=DISTRIBUTIONS))
    book = Published("nss_england", "2024", cm.results.Results.of(table), nothing, as_organisations(listed))
    found = cm.framework("staff_engagement").read(book, "RXX")
    row = found.table.filter(measure="motivation").row(0, named=True)
    assert (row["estimate"], row["median"], row["organisations"]) == (6.0, pytest.approx(6.1), 3)
    # sd of motivation assumed 2.0, design effect 1.1: 1.96 x 2.0 x sqrt(1.1 / 900).
    assert row["conf_high"] - 6.0 == pytest.approx(1.96 * 2.0 * np.sqrt(1.1 / 900), abs=1e-4)
    assert row["interval"] == "assumed"
    assert any("no standard errors" in rule for rule in found.provenance["rules"])
    assert "median of Acute" in found.summary()
    # The own respondents, counted once, have no average beside them, and that is said.
    own = cm.framework("staff_engagement").read([five_years.filter(period="2024"), book], "RXX")
    assert own.table["median"].null_count() == own.table.height
    assert any("weighted otherwise" in rule for rule in own.provenance["rules"])


def test_what_is_not_there_is_said(five_years):
    plan = cm.framework("nhs_people_plan")
    found = plan.read(five_years.filter(pl.col("breakdown") == "all", pl.col("period") == "2024"))
    gone = found.table.filter(pl.col("breakdown") == "ethnicity_summary")
    assert set(gone["reason"]) == {"The results have no groups by Ethnic background (two groups)."}
    assert set(gone["status"]) == {"not_in_results"}
    assert "not shown" in " ".join(a.text for a in found.figure().layout.annotations)
    assert any("WRES 1 to 4 and 9" in rule for rule in found.provenance["rules"])


def test_hidden_groups_keep_their_names_to_themselves(five_years, tmp_path):
    numbers = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base", "interval"]
    small = (pl.col("breakdown") == "ethnicity_summary") & (pl.col("group") == "All other")
    hidden = five_years.filter(period="2024").with_columns(
        *(pl.when(~small).then(pl.col(name)).alias(name) for name in numbers),
        status=pl.when(small).then(pl.lit("suppressed")).otherwise(pl.col("status").cast(pl.String)).cast(five_years.schema["status"]),
    )  # fmt: skip
    found = cm.framework("nhs_people_plan").read(hidden)
    assert "All other" not in found.save(tmp_path / "x.csv").read_text(encoding="utf-8")
    assert "All other" not in found.figure().to_json() + found._repr_html_()


def test_results_of_whom_and_of_what_are_asked_for(five_years):
    two = pl.concat([five_years, rows("2024", "RYY").select(five_years.columns).cast(five_years.schema)])
    with pytest.raises(ResultsError, match="2 organisations"):
        cm.framework("morale").read(two)
    assert cm.framework("morale").read(two, "RYY").organisation == "RYY"
    with pytest.raises(UnknownNameError, match="no organisation"):
        cm.framework("morale").read(two, "RQQ")
    cm.survey(PULSE)
    with pytest.raises(ComparabilityError, match="read with Culture Pulse"):
        cm.framework(PULSE / "frameworks").read(five_years)


def test_the_page_on_ones_own_survey_and_framework_runs(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "own-survey-and-framework.md").read_text(encoding="utf-8")
    rng = np.random.default_rng(4)
    for year, scored in ((2024, 12), (2025, 13)):
        people = {"Org code": ["RXX"] * 90, "Ward or team": ["Ash", "Beech", "Cedar"] * 30}
        people |= {f"CL{i}": rng.integers(1, 6, 90) for i in range(1, scored + 1)}
        people |= {f"CL{scored + 1}": rng.choice([1, 2, 3], 90)}
        pl.DataFrame(people).write_csv(tmp_path / f"pulse_{year}.csv")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"^```python\n(.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    assert len(blocks) == 3
    for block in blocks:
        exec(block, names)
    found = names["reading"]
    table = found.table
    assert table.filter(measure="would_stay", period="2024")["reason"].item() == "Not asked in 2024."
    assert table.filter(measure="belonging", period="2024", breakdown="all")["comparable"].item() is False
    assert table.filter(breakdown="team", period="2025")["group"].to_list() == ["Ash", "Beech", "Cedar"]
    assert table.filter(coverage="none")["measure"].to_list() == [None, None]
    assert (tmp_path / "how_we_work.csv").is_file()
    # Candour by hand: the mean of both questions of everyone.
    last = pl.read_csv(tmp_path / "pulse_2025.csv")
    mean = last.select((pl.col("CL1") + pl.col("CL2")).mean() / 2).item()
    assert table.filter(measure="candour", period="2025")["estimate"].item() == pytest.approx(mean)
    assert "NHS" not in found.summary() + str(found.figure().layout.meta["alt"])
    # The YAML that the page shows is part of the file that it shows it of.
    shown = re.search(r"^```yaml\n.*?(  - label: We learn.*?)^```", page, flags=re.DOTALL | re.MULTILINE)
    assert shown and shown.group(1) in FILE
