"""Two files side by side."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from planting import changed, clean_extract, problem, rules

from culture_metrics import synthetic, validate
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.cross_file import check_pair
from culture_metrics.extracts.extract import Extract


@pytest.fixture(scope="module")
def before() -> Extract:
    return clean_extract(2023, rows=500, organisations=2)


@pytest.fixture(scope="module")
def after() -> Extract:
    """The year after, with ids of its own."""
    extract = clean_extract(2024, rows=500, organisations=2)
    return changed(extract, extract.frame.with_columns(pl.format("24-{}", "respondent").alias("respondent")))


def test_two_clean_years_go_together(before, after):
    report = check_pair(before, after)
    assert report.ok
    assert rules(report) == {"questions asked in one year only"}
    assert problem(report, "questions asked in one year only")["found"].startswith("q24f")
    assert report.respondents == (1000, 1000)
    assert repr(report).startswith("PairReport(NHS Staff Survey, England: 2023 beside 2024)")


def test_reports_of_validation_are_taken_as_well(before, after):
    assert check_pair(validate(before), validate(after)).problems.equals(check_pair(before, after).problems)


def test_the_same_respondents_in_both_years_are_counted(before, after):
    ids = before.frame["respondent"].head(120).append(after.frame["respondent"].tail(880))
    found = problem(
        check_pair(before, changed(after, after.frame.with_columns(ids))), "respondents in both files"
    )
    assert (found["rows"], found["severity"]) == (120, "warning")


def test_the_same_rows_in_both_years_are_an_error(after):
    last = replace(after, period="2025")
    columns = [c for c in after.frame.columns if c in last.edition.columns or not c.startswith("q")]
    both = replace(last, frame=after.frame.select(columns).head(150))
    found = problem(check_pair(after, both), "the same rows in both files")
    assert (found["rows"], found["severity"], found["examples"]) == (150, "error", "1, 2, 3, 4, 5 …")


def test_the_same_file_or_period_twice_is_told(after):
    hashed = replace(after, provenance={"sha256": "ab"})
    assert problem(check_pair(hashed, hashed), "the same file twice")["severity"] == "error"
    assert problem(check_pair(after, after), "the same period twice")["severity"] == "warning"


def test_the_order_of_the_years_is_told(before, after):
    assert "the later period first" in rules(check_pair(after, before))


def test_different_surveys_are_refused(after):
    pulse = synthetic.respondents(
        "2024-Q1", respondents_per_organisation=50, survey="national_quarterly_pulse"
    )
    with pytest.raises(ExtractError, match="different surveys"):
        check_pair(pulse, after)


def test_files_of_very_different_size_are_told(before, after):
    small = changed(after, after.frame.head(600))
    assert "far more respondents in one file" in rules(check_pair(before, small))


def test_organisations_that_came_and_went_are_named_with_successors(before, after):
    renamed = changed(after, after.frame.with_columns(pl.col("organisation").replace({"SYN02": "SYN07"})))
    listed = pl.DataFrame(
        {"ods_code": ["SYN07"], "predecessor_codes": ["SYN02"], "merger_date": ["2024-04-01"]}
    )
    report = check_pair(before, renamed, organisations=listed)
    gone, new = (problem(report, f"organisations that {w}") for w in ("vanished", "are new"))
    assert (gone["rows"], "SYN02 (now SYN07)" in gone["found"]) == (0, True)
    assert (new["rows"], "SYN07" in new["found"]) == (0, True)


def test_groups_that_were_renamed_vanished_or_are_new_are_told(before, after):
    names = {
        "Planned Care": "Care, Planned",
        "Urgent Care": "Emergency Medicine",
        "Corporate Services": "CORPORATE services",
    }
    report = check_pair(before, changed(after, after.frame.with_columns(pl.col("locality_1").replace(names))))
    renamed = problem(report, "groups that may be renamed", "locality_1")
    assert "'Planned Care' may now be 'Care, Planned'" in renamed["found"]
    assert "'Urgent Care'" in problem(report, "groups that vanished", "locality_1")["found"]
    assert not [n for n in before.frame["locality_1"].value_counts()["count"] if str(n) in renamed["found"]]
    assert "Emergency Medicine" in problem(report, "groups that are new", "locality_1")["found"]


def test_how_small_a_group_is_that_vanished_is_not_said(before, after):
    few = pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("Chaplaincy")).otherwise("locality_2")
    report = check_pair(changed(before, before.frame.with_columns(locality_2=few)), after)
    found = problem(report, "groups that vanished", "locality_2")
    assert found["found"] == "1 group vanished in 2024: 1 group in fewer than 11 rows"
    assert found["rows"] == 0


def test_breakdowns_and_questions_in_one_file_only_are_told(before, after):
    report = check_pair(before, changed(after, after.frame.drop("locality_2", "q3a", "q25c")))
    assert "locality_2" in problem(report, "breakdowns in one file only")["found"]
    assert problem(report, "questions that one file lacks")["found"].startswith("q3a, q25c of 2023")


def test_a_swap_of_gender_codes_in_one_year_is_told(before, after):
    swapped = changed(after, after.frame.with_columns(pl.col("q27a").replace({1: 2, 2: 1})))
    found = problem(check_pair(before, swapped), "answers that moved implausibly far")
    assert found["column"] == "q27a"
    assert "codes 1 and 2 may be swapped" in found["found"]


def test_a_shifted_occupation_list_is_told(before):
    older = clean_extract(2022, rows=500, organisations=2)
    assert "answers that moved implausibly far" not in rules(check_pair(older, before))
    shifted = changed(before, before.frame.with_columns(older.frame["q33"].alias("q35")))
    found = problem(check_pair(older, shifted), "answers that moved implausibly far")
    assert found["column"] == "q35"
    assert "the other year's list of codes" in found["found"]


def test_a_scale_turned_round_in_one_year_is_told(before, after):
    turned = changed(after, after.frame.with_columns(q3a=6 - pl.col("q3a")))
    found = problem(check_pair(before, turned), "answers that moved implausibly far")
    assert found["column"] == "q3a"
    assert "run the other way" in found["found"]
