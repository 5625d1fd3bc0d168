"""Columns and editions as a whole, and patterns that are worth a look."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from planting import changed, clean_extract, problem, put, rules, serious

from culture_metrics import catalogue, validate
from culture_metrics.extracts.extract import Extract


@pytest.fixture(scope="module")
def clean() -> Extract:
    return clean_extract()


@pytest.fixture(scope="module")
def large() -> Extract:
    return clean_extract(rows=2000)


def as_edition(extract: Extract, year: int) -> Extract:
    """Label an extract with another year, as far as its columns exist there."""
    known = catalogue().edition(year).columns
    columns = [c for c in extract.frame.columns if c in known or c not in extract.edition.columns]
    return replace(extract, period=str(year), frame=extract.frame.select(columns))


@pytest.mark.parametrize(
    ("true", "label"), [(2022, 2024), (2022, 2023), (2021, 2022), (2021, 2024), (2024, 2022)]
)
def test_answers_of_another_edition_are_told_from_the_data(true, label):
    report = validate(as_edition(clean_extract(true, rows=1000), label))
    found = problem(report, "answers of another edition")
    assert found["severity"] == "error"
    assert str(true) in found["found"]
    assert str(true) in found["done"]
    assert not report.ok


@pytest.mark.parametrize(("true", "label"), [(2023, 2024), (2024, 2023)])
def test_editions_that_differ_by_a_question_only_are_not_taken_for_each_other(true, label):
    assert "answers of another edition" not in rules(
        validate(as_edition(clean_extract(true, rows=1000), label))
    )


def test_one_renamed_pair_of_columns_is_no_other_edition(large):
    swapped = large.frame.rename({"q3a": "q23a", "q23a": "q3a"})
    assert "answers of another edition" not in rules(validate(changed(large, swapped)))


def test_the_occupation_list_of_2022_in_a_file_of_2024_is_told(large):
    old = clean_extract(2022, rows=2000).frame["q33"].alias("q35")
    found = problem(
        validate(changed(large, large.frame.with_columns(old))), "codes of another edition's list"
    )
    assert (found["column"], found["severity"]) == ("q35", "warning")
    assert "no code 41, 42" in found["found"]
    assert "list of 2022 (40 codes)" in found["found"]
    assert "codes from 8 on" in found["done"]


def test_the_occupation_list_of_2024_in_a_file_of_2022_is_told(large):
    older = clean_extract(2022, rows=2000)
    planted = older.frame.with_columns(large.frame["q35"].alias("q33"))
    found = problem(validate(changed(older, planted)), "codes of another edition's list")
    assert (found["column"], found["severity"]) == ("q33", "error")
    assert found["rows"] == 0  # how many are in which occupation is for the results to say
    assert large.frame["q35"].is_in([41, 42]).sum() >= 11
    assert found["found"].endswith("in 11 rows or more")
    assert "code 41, 42, which only the list of 2023 has" in found["found"]
    assert "spread as on that list" in found["found"]


def test_an_unusual_trust_is_no_shifted_list(large):
    """An ambulance trust: none of the codes 41 and 42, nearly all in ambulance occupations."""
    row = pl.int_range(pl.len())
    ambulance = pl.when(row % 3 == 0).then(19).when(row % 3 == 1).then(22).otherwise(38).cast(pl.Int8)
    report = validate(changed(large, large.frame.with_columns(q35=ambulance)))
    assert "codes of another edition's list" not in rules(report)


def test_the_ethnicity_list_of_2025_in_a_file_of_2024_is_told(large):
    newer = clean_extract(2025, rows=2000).frame["q28"]
    found = problem(
        validate(changed(large, large.frame.with_columns(newer))), "codes of another edition's list"
    )
    assert (found["column"], found["rows"]) == ("q28", 0)
    assert "code 19, which only the list of 2025 has (19 codes)" in found["found"]
    assert "codes from 13 on" in found["done"]


def test_the_ethnicity_list_of_2024_in_a_file_of_2025_is_told(large):
    newer = clean_extract(2025, rows=2000)
    report = validate(changed(newer, newer.frame.with_columns(large.frame["q28"])))
    assert problem(report, "codes of another edition's list")["column"] == "q28"


def test_swapped_gender_codes_are_told(large):
    swapped = large.frame.with_columns(pl.col("q27a").replace({1: 2, 2: 1}))
    found = problem(validate(changed(large, swapped)), "gender codes may be swapped")
    women, men = (swapped["q27a"] == 1).sum(), (swapped["q27a"] == 2).sum()
    assert found["severity"] == "warning"
    assert found["found"] == f"{women / (women + men):.0%} have code 1 (Female)"
    few = changed(large, swapped.head(60))
    assert "gender codes may be swapped" not in rules(validate(few))


def test_scales_turned_round_are_told(large):
    turned = ("q3b", "q9a", "q25a")
    frame = large.frame.with_columns((6 - pl.col(c)).alias(c) for c in turned)
    found = problem(validate(changed(large, frame)), "scales that may run the other way")
    assert found["found"].endswith("q3b, q9a, q25a")


def test_empty_constant_and_far_emptier_columns_are_told(large):
    row = pl.int_range(pl.len())
    frame = large.frame.with_columns(
        q3a=pl.lit(None, pl.Int8),
        q3b=pl.lit(4, pl.Int8),
        q9c=pl.when(row % 2 == 0).then("q9c"),
        q16c_3=pl.lit(0, pl.Int8),
    )
    report = validate(changed(large, frame))
    assert "q3a" in problem(report, "columns without answers")["found"]
    constant = problem(report, "one answer throughout")
    assert (constant["column"], constant["severity"]) == ("q3b", "warning")
    assert constant["found"] == "all answers are the same"
    blanks = problem(report, "far more blanks than elsewhere")
    assert "q9c" in blanks["found"]
    assert "," not in blanks["found"]


def test_a_rare_event_that_nobody_saw_is_no_constant_column(clean):
    report = validate(changed(clean, clean.frame.head(60).with_columns(q13b=pl.lit(1, pl.Int8), q13d=None)))
    assert "one answer throughout" not in rules(report)


def test_a_known_fault_of_the_edition_is_told():
    found = problem(validate(clean_extract(2023)), "known fault of this edition")
    assert "q13a" in found["found"]
    assert "known fault of this edition" not in rules(validate(clean_extract(2024)))


def test_the_same_answer_throughout_is_counted_and_kept(clean):
    frame = clean.frame
    for grid in ("q3", "q7", "q9", "q12"):
        for column in (c for c in frame.columns if c.startswith(grid) and c[len(grid) :].isalpha()):
            frame = put(changed(clean, frame), column, 3, range(25)).frame
    report = validate(changed(clean, frame))
    for grid, items in (("q3", 9), ("q7", 9), ("q9", 9), ("q12", 7)):
        found = problem(report, "the same answer throughout a grid", f"{grid}a")
        columns = [c for c in frame.columns if c.startswith(grid) and c[len(grid) :].isalpha()]
        assert len(columns) == items
        alike = frame.filter(pl.all_horizontal(pl.col(c) == pl.col(columns[0]) for c in columns))
        full = frame.drop_nulls(columns)
        assert (found["rows"], found["severity"]) == (alike.height, "note")
        assert f"{alike.height / full.height:.1%} of the {full.height:,} who" in found["found"]
    assert report.extract.frame.drop("row").equals(frame)


def test_the_same_code_in_the_whole_form_is_counted(clean):
    frame = clean.frame
    for column, question in clean.edition.columns.items():
        if column in frame.columns and question.kind == "single" and len(question.scale.options) >= 5:
            frame = put(changed(clean, frame), column, 3, (7, 8)).frame
    found = problem(validate(changed(clean, frame)), "the same answer throughout the form")
    assert (found["rows"], found["examples"], found["severity"]) == (2, "8, 9", "note")


def test_answers_about_the_person_only_are_counted(clean):
    background = {c for q in clean.edition.questions.values() if q.section == "background" for c in q.columns}
    others = [c for c in clean.frame.columns if c in clean.edition.columns and c not in background]
    here = pl.int_range(pl.len()).is_in([1, 2, 30])
    frame = clean.frame.with_columns(
        *(pl.when(~here).then(c).alias(c) for c in others),
        q27c=pl.when(here).then(3).otherwise("q27c").cast(pl.Int8),
    )
    report = validate(changed(clean, frame))
    found = problem(report, "only the questions about the person answered")
    assert (found["rows"], found["examples"], found["severity"]) == (3, "2, 3, 31", "note")
    assert report.rows_used == 400


def test_service_longer_than_the_age_allows_is_counted(clean):
    frame = clean.frame.with_columns(q27c=pl.lit(5, pl.Int8))
    planted = put(put(changed(clean, frame), "q27c", 1, (1, 2)), "q34a", 5, (1, 2))
    planted = put(put(planted, "q27c", 2, (3, 4)), "q34a", 6, (3,))
    planted = put(planted, "q34a", 5, (4,))
    found = problem(validate(planted), "age and length of service do not go together")
    # People of some ages with some lengths of service: cells of two breakdowns.
    assert (found["rows"], found["examples"]) == (0, "")
    assert found["found"].endswith("in fewer than 11 rows")


def test_weights_that_cannot_be_used_are_told(clean):
    weights = pl.Series("occupation_weight", [1.0] * 395 + [0.0, -2.0, None, None, float("nan")])
    report = validate(changed(clean, clean.frame.with_columns(weights)))
    assert problem(report, "weights of zero or less")["rows"] == 2
    assert problem(report, "missing weights")["rows"] == 3
    assert "weights of zero or less" not in serious(
        validate(changed(clean, clean.frame.with_columns(weight=1.0)))
    )
