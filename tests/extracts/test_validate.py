"""Validation: every problem counted, named and mended, and nothing lost."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics import estimate, read_extract, synthetic, validate
from culture_metrics.extracts.extract import Extract

SECRET = "SYN01-secret"


@pytest.fixture(scope="module")
def clean() -> Extract:
    return synthetic.respondents(2024, respondents_per_organisation=300, seed=5)


def changed(extract: Extract, frame: pl.DataFrame) -> Extract:
    return Extract(extract.survey, extract.period, frame, extract.provenance)


def put(extract: Extract, column: str, value, rows=(3, 4, 10), dtype=None) -> Extract:
    frame = extract.frame.cast({column: dtype}) if dtype else extract.frame
    here = pl.int_range(pl.len()).is_in(rows)
    return changed(
        extract,
        frame.with_columns(
            pl.when(here).then(pl.lit(value, frame.schema[column])).otherwise(column).alias(column)
        ),
    )


def problem(report, rule: str) -> dict:
    return report.problems.row(by_predicate=pl.col("rule") == rule, named=True)


def test_a_clean_extract_has_no_problems(clean):
    report = validate(clean)
    assert report.ok
    assert report.problems.filter(pl.col("severity") != "note").height == 0
    assert (report.rows_read, report.rows_used, report.rows_set_aside, report.cells_set_aside) == (
        300,
        300,
        0,
        0,
    )


def test_codes_outside_the_list_are_set_aside_and_counted(clean):
    report = validate(put(clean, "q25c", 7))
    found = problem(report, "codes outside the list")
    assert not report.ok
    assert (found["column"], found["rows"], found["examples"]) == ("q25c", 3, "4, 5, 11")
    assert "1, 2, 3, 4, 5" in found["expected"]
    assert report.extract.frame["q25c"].null_count() >= 3
    assert report.quarantine.filter(column="q25c")["row"].to_list() == [4, 5, 11]
    assert report.rows_used == 300


def test_text_where_a_code_belongs_is_set_aside_and_the_rest_is_read(clean):
    report = validate(put(clean, "q25c", "Agree", dtype=pl.String))
    assert problem(report, "answers that are no code")["rows"] == 3
    assert report.extract.frame["q25c"].dtype == pl.Int8
    before, after = clean.frame["q25c"], report.extract.frame["q25c"]
    assert after.null_count() - before.null_count() <= 3
    assert report.cells_set_aside == 3


def test_fractions_are_no_codes(clean):
    report = validate(put(clean, "q25c", 3.5, dtype=pl.Float64))
    assert problem(report, "answers that are no code")["rows"] == 3


def test_nan_is_no_answer_not_an_error(clean):
    assert validate(put(clean, "q25c", float("nan"), dtype=pl.Float64)).ok


def test_99_is_read_as_missing(clean):
    report = validate(put(clean, "q25c", 99))
    assert report.ok
    assert problem(report, "missing codes")["rows"] == 3


def test_nine_is_an_answer_where_the_question_has_it_and_an_error_where_not(clean):
    assert validate(put(clean, "q6a", 9)).ok
    assert problem(validate(put(clean, "q6b", 9)), "codes outside the list")["column"] == "q6b"


def test_answers_the_filter_rules_out_are_set_aside(clean):
    report = validate(put(put(clean, "q11d", 2), "q11e", 1))
    found = problem(report, "answers that the filter rules out")
    assert (found["column"], found["rows"], found["severity"]) == ("q11e", 3, "warning")
    assert "q11d is 1" in found["expected"]
    assert validate(put(put(clean, "q11d", None), "q11e", 1)).ok


def test_duplicate_respondents_keep_their_first_row(clean):
    twice = changed(clean, pl.concat([clean.frame, clean.frame.head(2)]))
    report = validate(twice)
    found = problem(report, "duplicate respondents")
    assert (found["rows"], found["examples"]) == (2, "301, 302")
    assert (report.rows_read, report.rows_used, report.rows_set_aside) == (302, 300, 2)
    assert report.quarantine.filter(pl.col("column").is_null()).height == 2


def test_empty_rows_and_rows_without_organisation_are_set_aside(clean):
    answers = [c for c in clean.frame.columns if c in clean.edition.columns]
    empty = (
        clean.frame.head(1)
        .with_columns(pl.lit(None).cast(pl.Int8).alias(c) for c in answers)
        .with_columns(respondent=pl.lit("empty"))
    )
    nowhere = clean.frame.head(1).with_columns(
        respondent=pl.lit("nowhere"), organisation=pl.lit(None, pl.String)
    )
    report = validate(changed(clean, pl.concat([clean.frame, empty, nowhere])))
    assert problem(report, "empty rows")["rows"] == problem(report, "no organisation")["rows"] == 1
    assert report.rows_read == report.rows_used + report.rows_set_aside == 302


def test_missing_questions_are_named_with_the_scores_they_cost(clean):
    report = validate(changed(clean, clean.frame.drop("q2a", "q2b", "q24f")))
    found = problem(report, "missing questions")
    assert "q2a, q2b, q24f" in found["found"]
    assert found["done"] == "Not scored: Motivation."
    results = estimate(report.extract)
    assert results.filter(measure="motivation")["status"].item() == "not_asked"
    assert results.filter(measure="look_forward_to_work")["status"].item() == "not_asked"


def test_one_bad_column_does_not_hide_another(clean):
    report = validate(put(put(clean, "q25c", 7), "q2a", "often", dtype=pl.String))
    assert set(report.problems.filter(severity="error")["column"]) == {"q25c", "q2a"}


def test_the_report_does_not_grow_with_the_number_of_bad_cells(clean):
    few = validate(put(clean, "q25c", 7, rows=range(3)))
    many = validate(put(clean, "q25c", 7, rows=range(250)))
    assert few.problems.height == many.problems.height
    assert len(many._repr_html_()) - len(few._repr_html_()) < 40


def test_nothing_of_a_respondent_is_shown(clean, tmp_path):
    marked = clean.frame.with_columns(
        respondent=pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(SECRET)).otherwise("respondent")
    )
    report = validate(put(put(changed(clean, marked), "q25c", 77), "q2a", "very private", dtype=pl.String))
    shown = repr(report) + report._repr_html_() + repr(report.extract) + str(report.problems.rows())
    for private in (SECRET, "77", "very private"):
        assert private not in shown


def test_renamed_and_unused_columns_are_told(tmp_path):
    path = tmp_path / "RXX_2024.csv"
    path.write_text("id,org code,Q25C,q2a,Q24f,Shoe size\n1,RXX,4,3,9,44\n2,RXX,5,4,3,39\n")
    report = validate(read_extract(path, year=2024))
    assert "'Q25C' read as q25c" in problem(report, "column names")["found"]
    assert "Shoe size" in problem(report, "unknown columns")["found"]
    assert report.summary().startswith("2 rows read, 2 used, 0 set aside.")
