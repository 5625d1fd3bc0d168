"""The official 2024 workbook of organisations, against its own cells and against figures published elsewhere.

The workbook and the reference figures are not part of the project; without them these tests are skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastexcel
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from culture_metrics.catalogue import catalogue
from culture_metrics.published import is_published, read_published, rebuild_scores, write_published
from data_schemas.columns import FAULTY

if TYPE_CHECKING:
    from pathlib import Path

EDITION = catalogue().edition(2024)
#: Median absolute error over 263 organisations that non-response explains (reference/nss/scoring.yaml).
WIDER = {"PP1_1": 0.01, "PP1_3": 0.01, "PP4_3": 0.01, "PP5_2": 0.005}


@pytest.fixture(scope="module")
def raw(official_file: Path) -> dict[str, pl.DataFrame]:
    """Figures of the workbook by the code in the title: organisation, then one column per header."""
    book = fastexcel.read_excel(official_file)
    blocks = {}
    for name in book.sheet_names[1:]:
        head = book.load_sheet(name, header_row=None, n_rows=5, dtypes="string").to_polars()
        code = book.load_sheet(
            name, header_row=None, skip_rows=5, use_columns=[0], dtypes="string"
        ).to_polars()
        body = book.load_sheet(name, header_row=None, skip_rows=5, dtypes="float").to_polars()
        titles, headers = head.row(0), head.row(4)
        starts = [i for i, title in enumerate(titles) if title and i >= 6]
        for start, end in zip(starts, [*starts[1:], len(headers)], strict=True):
            columns = {headers[i]: body.to_series(i) for i in range(start, end)}
            blocks[titles[start].split(" - ")[0]] = pl.DataFrame(
                {"organisation": code.to_series(), **columns}
            )
    return blocks


def _reference(folder: Path, **where: str) -> pl.DataFrame:
    return pl.read_csv(folder / "nss" / "tieout.csv", infer_schema=False).filter(**where)


def _with_codes(results: pl.DataFrame) -> pl.DataFrame:
    codes = {name: measure.code for name, measure in EDITION.measures.items()}
    return results.with_columns(code=pl.col("measure").replace_strict(codes))


def test_counts(official):
    assert official.results.table["organisation"].n_unique() == 263
    scores = official.results.table.filter(unit="score")
    assert scores.height == 263 * 30
    assert set(scores["status"]) == {"reported"}
    assert official.provenance["suppressed_cells"] == 704
    assert official.provenance["layout"] == "organisation"
    assert official.provenance["missing"] == ()
    assert official.distributions.table["question"].n_unique() == 118
    groups = dict(official.organisations["benchmark_group"].value_counts().rows())
    assert (groups["Acute and Acute & Community Trusts"], groups["ICBs"], groups["Ambulance Trusts"]) == (
        122,
        41,
        11,
    )
    assert official.organisations["region"].null_count() == 53  # "-" in the file
    assert official.organisations["ics"].null_count() == 64


def test_only_three_questions_are_suppressed(official):
    hidden = official.distributions.table.filter(status="suppressed_small_base")
    counts = dict(hidden["question"].value_counts().rows())
    # 44 and 1 organisations with six options each; single grounds of discrimination in others
    assert counts == {"violence_reported": 264, "harassment_reported": 6, "discrimination_grounds": 375}
    # Those of the grounds that are shown are known to be wrong (test_faults).
    assert set(official.distributions.table["status"]) == {"reported", "suppressed_small_base", FAULTY}


def test_unweighted_organisations(official):
    morale = official.results.table.filter(measure="morale").join(official.organisations, on="organisation")
    unweighted = set(morale.filter(weighting="none")["benchmark_group"])
    assert unweighted == set(catalogue().unweighted_groups)
    assert set(morale["weighting"]) == {"none", "occupation_group"}


def test_scores_are_the_raw_cells(official, raw):
    scores = _with_codes(official.results.table.filter(unit="score"))
    names = {"E": "Staff Engagement", "M": "Morale"}
    for code in scores["code"].unique():
        title = names.get(code, code)
        cells = raw[title].rename({f"{title} - score": "estimate", "Base (number of responses)": "base"})
        found = scores.filter(code=code).select("organisation", "estimate", pl.col("base").cast(pl.Float64))
        assert_frame_equal(found, cells.sort("organisation"), check_exact=True)


def test_options_are_the_raw_cells(official, raw):
    checked = 0
    for question in EDITION.questions.values():
        if question.kind == "multi":
            continue
        cells = raw[question.code.capitalize()].sort("organisation")
        mine = official.distributions.table.filter(question=question.id).pivot(
            "option", index="organisation", values="percent"
        )
        options = (
            list(question.scale.labels)
            if mine.width == 1 + len(question.scale.labels)
            else list(question.scale.options)
        )
        if question.scale.extra:
            options = [1, 2, 3, 4, 6, 9]  # "both" stands before "not applicable" in the file
        assert mine.select("organisation", *map(str, options)).rows() == cells[:, :-1].rows()
        checked += len(options)
    assert checked == 597


@pytest.mark.parametrize("organisation", ["RY6", "0AR", "R1F1"])
def test_headline_percentages_by_hand(official, raw, organisation):
    def cell(title: str, *headers: str) -> float:
        row = raw[title].filter(organisation=organisation)
        return sum(row[header].item() for header in headers)

    agree = ("% Agree", "% Strongly agree")
    reported = (
        "% Yes, I reported it",
        "% Yes, a colleague reported it",
        "% Both a colleague and I reported it",
    )
    out = cell("Q14d", "% Don't know", "% Not applicable")
    by_hand = {
        "recommend_place_to_work": cell("Q25c", *agree),
        "thinks_about_leaving": cell("Q26a", *agree),
        "burnt_out": cell("Q12b", "% Often", "% Always"),
        "unrealistic_time_pressures": cell("Q5a", "% Never", "% Rarely"),
        "harassment_from_patients": 100 - cell("Q14a", "% Never"),
        "fair_career_progression": cell("Q15", "% Yes"),
        "had_appraisal": cell("Q23a", "% Yes"),
        "role_makes_difference": 100 * cell("Q6a", *agree) / (100 - cell("Q6a", "% Not applicable to me")),
        "errors_treated_fairly": 100 * cell("Q19a", *agree) / (100 - cell("Q19a", "% Don't know")),
        "can_access_clinical_supervision": 100
        * cell("Q24f", *agree)
        / (100 - cell("Q24f", "% Not applicable")),
        "harassment_reported": 100 * cell("Q14d", *reported) / (100 - out),
        "adjustments_made": 100 * cell("Q31b", "% Yes") / (100 - cell("Q31b", "% No adjustment required")),
    }
    assert cell("Q16c_2", "% Gender") == 100
    found = official.results.table.filter(organisation=organisation, unit="percent")
    estimates = dict(found.select("measure", "estimate").rows())
    assert estimates["discrimination_grounds_gender"] is None
    assert {name: estimates[name] for name in by_hand} == pytest.approx(by_hand, abs=1e-9)
    base = cell("Q14d", "Base (number of responses)")
    assert found.filter(measure="harassment_reported")["base"].item() == round(base * (1 - out / 100))


def test_headline_bases_of_unweighted_organisations_are_whole_numbers(official):
    # an unweighted share of a base is a count: before rounding it is whole
    out = official.distributions.table.filter(question="role_makes_difference", option=9, weighting="none")
    left = out["base"] * (1 - out["percent"] / 100)
    assert out.height == 46
    assert (left - left.round()).abs().max() < 1e-6


def test_round_trip(official, tmp_path):
    where = ["RY6", "0AR", "R1F1", "RTQ"]
    here = pl.col("organisation").is_in(where)
    part = type(official)(
        "nss_england",
        "2024",
        official.results.table.filter(here),
        official.distributions.table.filter(here),
        official.organisations.filter(here),
    )
    write_published(tmp_path / "a.xlsx", part)
    again = read_published(tmp_path / "a.xlsx")
    # What is known to be wrong is not written on: the cells are blank.
    blank = pl.col("status").replace(FAULTY, "not_asked")
    for table in ("results", "distributions"):
        written, read = (getattr(one, table).table for one in (part, again))
        assert (written["status"] == FAULTY).any()
        assert_frame_equal(read, written.with_columns(blank), abs_tol=1e-9, rel_tol=0)
    assert_frame_equal(again.organisations, part.organisations)


def test_it_is_recognised(official_file, shared_data):
    assert is_published(official_file)
    assert is_published(shared_data / "pulse" / "202223Q1.xlsm")


# Figures published elsewhere


def test_benchmark_report_of_leeds_community_2024(official, shared_reference):
    """26 scores at the two decimals printed, and their bases."""
    printed = _reference(shared_reference, year="2024", org_code="RY6", source="LCH24", level="org")
    mine = _with_codes(official.results.table.filter(organisation="RY6"))
    both = printed.join(mine, left_on="measure", right_on="code")
    assert both.height == 26
    assert both["estimate"].round(2).to_list() == both["value"].cast(pl.Float64).to_list()
    assert both["base"].cast(pl.String).to_list() == both["n"].to_list()


def test_best_median_and_worst_of_the_community_trusts(official, shared_reference):
    """78 figures of the same benchmark report."""
    printed = _reference(shared_reference, year="2024", source="LCH24", level="benchmark group")
    trusts = official.organisations.filter(benchmark_group="Community Trusts").select("organisation")
    figures = (
        _with_codes(official.results.table.filter(unit="score").join(trusts, on="organisation"))
        .group_by("code")
        .agg(
            best=pl.col("estimate").max(),
            average_median=pl.col("estimate").median(),
            worst=pl.col("estimate").min(),
        )
        .unpivot(index="code", value_name="mine")
        .with_columns(measure=pl.format("{}_{}", "code", "variable"))
    )
    both = printed.join(figures, on="measure")
    assert both.height == 78
    assert both["mine"].round(2).to_list() == both["value"].cast(pl.Float64).to_list()


def test_annual_report_of_leeds_and_york_2024(official, shared_reference):
    printed = _reference(shared_reference, year="2024", org_code="RGD", source="LYPFT")
    both = printed.join(
        _with_codes(official.results.table.filter(organisation="RGD")), left_on="measure", right_on="code"
    )
    assert both.height == 9
    assert both["estimate"].round(2).to_list() == both["value"].cast(pl.Float64).to_list()


def test_annual_report_of_leeds_teaching_hospitals_2024(official, shared_reference):
    """30 scores at one decimal; involvement, 6.847, was printed as 6.9 after rounding twice."""
    printed = _reference(shared_reference, year="2024", org_code="RR8", source="LTHT").with_columns(
        pl.col("measure").str.strip_suffix("_1dp")
    )
    both = printed.join(
        _with_codes(official.results.table.filter(organisation="RR8")), left_on="measure", right_on="code"
    )
    assert both.height == 30
    off = both.filter(pl.col("estimate").round(1) != pl.col("value").cast(pl.Float64))
    assert off.select("measure", pl.col("estimate").round(3)).rows() == [("E_2", 6.847)]


def test_official_percentages_of_gloucestershire_2024(official, shared_reference):
    """Stated beside the trust's press figures, which are the unweighted ones."""
    note = _reference(shared_reference, year="2024", org_code="RTQ", measure="q25c_pct_1dp")["note"].item()
    assert "81.25 / 71.64 / 76.14" in note
    mine = dict(
        _with_codes(official.results.table.filter(organisation="RTQ")).select("code", "estimate").rows()
    )
    assert [round(mine[code], 2) for code in ("q25a", "q25c", "q25d")] == [81.25, 71.64, 76.14]


def test_national_bases_are_the_sums_of_the_trusts(official):
    """Bases of the national results of 2024 (method notes): people whom routed questions were put to."""
    trusts = official.organisations.filter(pl.col("benchmark_group").str.contains("Trust"))
    assert trusts.height == 210
    bases = (
        official.distributions.table.join(trusts, on="organisation", how="semi")
        .unique(["organisation", "question"])
        .group_by("question")
        .agg(pl.col("base").sum())
    )
    found = dict(bases.rows())
    assert found["manager_pressure_to_work_unwell"] == 402_046
    assert found["appraisal_helped_improve"] == 625_787
    assert found["adjustments_made"] == 182_964
    assert found["violence_reported"] == 109_285


# Scores rebuilt from the options


def test_rebuilt_scores_are_near_the_official_ones(official):
    rebuilt = rebuild_scores(official.distributions.table).table
    both = _with_codes(official.results.table.filter(unit="score")).join(
        rebuilt, on=["organisation", "measure"], suffix="_rebuilt"
    )
    off = (pl.col("estimate") - pl.col("estimate_rebuilt")).abs()
    errors = {
        code: (median, count)
        for code, median, count in both.group_by("code").agg(off.median(), off.count().alias("count")).rows()
    }
    assert errors.pop("PP4") == errors.pop("PP4_1") == (None, 0)
    assert {count for _, count in errors.values()} == {263}
    parts = {code: error for code, (error, _) in errors.items() if "_" in code or code == "PP2"}
    assert len(parts) == 21
    assert {code: e for code, e in parts.items() if e > WIDER.get(code, 0.003)} == {}
    assert parts["PP6_2"] < 1e-12  # one question: nothing can differ
    # elements and themes: official means over people with enough sub-scores
    assert {code: e for code, (e, _) in errors.items() if code not in parts and e > 0.0065} == {}


def test_cases_that_must_reproduce_exactly(official, shared_reference):
    """156 sub-scores of unweighted organisations in which every question has the base of the score."""
    cases = pl.read_csv(shared_reference / "nss" / "tieout_exact_cases_2024.csv")
    cases = cases.group_by("org_code", "subscore").agg(pl.col("published_score").first())
    both = cases.join(
        _with_codes(rebuild_scores(official.distributions.table).table),
        left_on=["org_code", "subscore"],
        right_on=["organisation", "code"],
    )
    assert both.height == 156
    assert (both["estimate"] - both["published_score"]).abs().max() < 1e-9
