"""Single answers: what is no code, no code of the list, or ruled out by a filter."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from planting import assert_adds_up, changed, clean_extract, problem, put, rules, serious

from culture_metrics import validate
from culture_metrics.extracts.extract import Extract


@pytest.fixture(scope="module")
def clean() -> Extract:
    return clean_extract()


def test_codes_outside_the_list_are_set_aside_and_counted(clean):
    report = validate(put(clean, "q25c", 7))
    found = problem(report, "codes outside the list")
    assert not report.ok
    assert (found["column"], found["rows"], found["examples"]) == ("q25c", 3, "4, 5, 11")
    assert "1, 2, 3, 4, 5" in found["expected"]
    here = pl.int_range(pl.len()).is_in([3, 4, 10])
    expected = clean.frame.with_columns(pl.when(~here).then("q25c").alias("q25c"))
    assert report.extract.frame.drop("row").equals(expected)
    assert report.quarantine.filter(column="q25c")["row"].to_list() == [4, 5, 11]
    assert report.rows_used == 400
    assert_adds_up(report)


def test_99_is_read_as_missing(clean):
    report = validate(put(put(clean, "q25c", 99), "q4c", 99, (1,)))
    assert report.ok
    assert problem(report, "missing codes")["rows"] == 4
    assert "2 columns" in problem(report, "missing codes")["found"]
    assert report.cells_set_aside == 0
    assert_adds_up(report)


def test_nine_is_an_answer_where_the_question_has_it_and_an_error_where_not(clean):
    assert validate(put(clean, "q6a", 9)).ok
    found = problem(validate(put(clean, "q6b", 9)), "code 9 where the list has none")
    assert (found["column"], found["rows"]) == ("q6b", 3)
    assert "'Not applicable to me' in q6a, q24f" in found["done"]
    assert "'Not considering leaving' in q26d" in found["done"]


def test_six_is_an_answer_in_the_reporting_questions(clean):
    extract = put(put(clean, "q13a", 3), "q13d", 6)
    assert validate(extract).cells_set_aside == 0


def test_likely_missing_codes_are_named_with_the_remedy(clean):
    planted = {
        -1: "q2a",
        -9: "q2b",
        -99: "q2c",
        88: "q3a",
        97: "q3b",
        98: "q3c",
        998: "q3d",
        999: "q3e",
        9999: "q3f",
    }
    extract = clean
    for code, column in planted.items():
        extract = put(extract, column, code, dtype=pl.Int16)
    report = validate(extract)
    assert report.ok
    for code, column in planted.items():
        found = problem(report, "likely missing codes", column)
        assert (found["severity"], found["rows"]) == ("warning", 3)
        assert f"code {code}," in found["found"]
        assert "blank cells" in found["done"]


def test_other_negative_codes_are_an_error(clean):
    found = problem(validate(put(clean, "q25c", -3)), "negative codes")
    assert (found["severity"], found["rows"]) == ("error", 3)


def test_kinds_of_bad_codes_in_one_column_are_told_apart(clean):
    mixed = clean
    for row, code in enumerate([7, 7, 9, 98, -9, -3, 99, 0, 12345]):
        mixed = put(mixed, "q25c", code, (row,), dtype=pl.Int32)
    report = validate(mixed)
    counts = report.problems.filter(severity="error", column="q25c").select("rule", "rows").rows()
    assert dict(counts) == {
        "codes outside the list": 4,  # 7 twice, a stray 0, a number far off
        "code 9 where the list has none": 1,
        "negative codes": 1,
    }
    assert report.problems.filter(rule="likely missing codes")["rows"].sum() == 2
    assert report.cells_set_aside == 8
    assert_adds_up(report)


def test_whole_numbers_of_any_width_are_read(clean):
    answers = [c for c in clean.frame.columns if c in clean.edition.columns]
    widths = [pl.Int8, pl.UInt8, pl.Int16, pl.UInt32, pl.Int64, pl.UInt64]
    types = {c: widths[n % len(widths)] for n, c in enumerate(answers)}
    wide = changed(clean, clean.frame.cast(types))
    report = validate(wide)
    assert serious(report) == set()
    assert report.extract.frame.drop("row").equals(clean.frame)
    bad = wide
    for column in ("q2a", "q2b", "q2c", "q3a", "q3b", "q3c"):
        bad = put(bad, column, 8)
    assert validate(bad).problems.filter(rule="codes outside the list")["rows"].to_list() == [3] * 6


def test_a_column_that_counts_from_0_is_told_from_stray_zeros(clean):
    report = validate(changed(clean, clean.frame.with_columns(pl.col("q3a", "q11b") - 1)))
    zeros = clean.frame["q3a"].eq(1).sum(), clean.frame["q11b"].eq(1).sum()
    scale = problem(report, "codes that start at 0", "q3a")
    assert (scale["rows"], "add 1" in scale["done"]) == (zeros[0], True)
    yes_no = problem(report, "codes that start at 0", "q11b")
    assert (yes_no["rows"], "0 stands for No" in yes_no["done"]) == (zeros[1], True)
    assert problem(validate(put(clean, "q3a", 0)), "codes outside the list")["rows"] == 3


def test_ticks_in_another_coding_are_told(clean):
    two = problem(validate(put(clean, "q16c_1", 2)), "ticks in another coding")
    assert (two["rows"], two["column"]) == (3, "q16c_1")
    assert problem(validate(put(clean, "q16c_5", 5)), "ticks in another coding")["rows"] == 3
    assert problem(validate(put(clean, "q16c_5", 4)), "codes outside the list")["rows"] == 3


def test_true_and_false_are_read_as_yes_and_no(clean):
    frame = clean.frame.with_columns(
        q11b=pl.col("q11b") == 1, q16c_1=pl.col("q16c_1") == 1, q3a=pl.col("q3a") > 3
    )
    report = validate(changed(clean, frame))
    assert "2 columns" in problem(report, "true and false")["found"]
    out = report.extract.frame
    assert out["q11b"].equals(clean.frame["q11b"])
    assert out["q16c_1"].equals(clean.frame["q16c_1"])
    answered = clean.frame["q3a"].count()
    assert problem(report, "text where a code belongs", "q3a")["rows"] == answered


TEXT = {
    "Agree": "text where a code belongs",
    "five": "text where a code belongs",
    "2;3": "several answers in one cell",
    "2,3": "several answers in one cell",
    "1 & 4": "several answers in one cell",
    "1/2": "several answers in one cell",
    "02-Jan": "dates where codes belong",
    "Jan-24": "dates where codes belong",
    "2024-02-01 00:00:00": "dates where codes belong",
    "1/2/2024": "dates where codes belong",
    "#REF!": "error values of Excel",
    "#DIV/0!": "error values of Excel",
    "3.5": "decimals where codes belong",
    "12.25": "decimals where codes belong",
    "0.45": "fractions where codes belong",
    "45%": "fractions where codes belong",
    "45.1 %": "fractions where codes belong",
}


NUMBERS = ["4", " 4", "04", "4.0", "4,0", "4.000000000"]
BLANKS = ["", " ", "-", ".", "NA", "n/a", "NULL", "None", "nan", "#N/A"]
AGREEMENT = [
    f"q{n}{letter}"
    for n, letters in ((3, "abcdefghi"), (7, "abcdefghi"), (9, "abcdefghi"))
    for letter in letters
]
#: Column of each text: every one stands in a column of its own.
COLUMN = dict(zip([*TEXT, *BLANKS], AGREEMENT, strict=True))


@pytest.fixture(scope="module")
def texts(clean):
    """An extract with every kind of text in it, checked."""
    extract = clean
    for text, column in COLUMN.items():
        extract = put(extract, column, text, dtype=pl.String)
    for text, column in zip(NUMBERS, ("q25a", "q25b", "q25c", "q25d", "q25e", "q25f"), strict=True):
        extract = put(extract, column, text, dtype=pl.String)
    return validate(extract)


@pytest.mark.parametrize(("text", "rule"), TEXT.items(), ids=TEXT)
def test_text_is_told_apart(texts, text, rule):
    found = problem(texts, rule, COLUMN[text])
    assert (found["severity"], found["rows"], found["examples"]) == ("error", 3, "4, 5, 11")


def test_the_rest_of_a_column_with_text_is_read(clean, texts):
    here = pl.int_range(pl.len()).is_in([3, 4, 10])
    gone = [pl.when(~here).then(c).alias(c) for c in COLUMN.values()]
    four = [
        pl.when(here).then(4).otherwise(c).cast(pl.Int8).alias(c)
        for c in clean.frame.columns
        if c[:3] == "q25"
    ]
    assert texts.extract.frame.drop("row").equals(clean.frame.with_columns(*gone, *four))
    assert texts.cells_set_aside == 3 * len(TEXT)
    assert_adds_up(texts)


def test_numbers_stored_as_text_are_read(texts):
    found = problem(texts, "numbers stored as text")
    assert found["severity"] == "note"
    assert f"{len(NUMBERS) + len(BLANKS)} columns" in found["found"]


def test_words_for_no_answer_are_read_as_none(texts):
    assert problem(texts, "words for no answer")["rows"] == 3 * len(BLANKS)
    assert not set(texts.quarantine["column"]) & {COLUMN[text] for text in BLANKS}


def test_not_applicable_is_an_answer_where_the_question_can_be_not_applicable(clean):
    report = validate(put(clean, "q6a", "N/A", dtype=pl.String))
    assert serious(report) == set()
    more = (report.extract.frame["q6a"] == 9).sum() - (clean.frame["q6a"] == 9).sum()
    assert 0 < more <= 3


def test_decimals_and_fractions_in_number_columns_are_told(clean):
    mixed = put(put(clean, "q25c", 3.5, dtype=pl.Float64), "q25c", 0.61, (20, 21))
    report = validate(mixed)
    assert problem(report, "decimals where codes belong")["rows"] == 3
    assert problem(report, "fractions where codes belong")["rows"] == 2
    assert_adds_up(report)


def test_whole_floats_and_nan_are_no_fault(clean):
    report = validate(put(clean, "q25c", float("nan"), dtype=pl.Float64))
    assert serious(report) == set()
    assert_adds_up(report)
    infinite = validate(put(clean, "q25c", float("inf"), dtype=pl.Float64))
    assert problem(infinite, "decimals where codes belong")["rows"] == 3


def test_columns_of_dates_and_of_lists_are_told(clean):
    frame = clean.frame.with_columns(
        q10b=pl.lit(dt.date(2024, 2, 1)), q25c=pl.concat_list("q25c"), q9a=pl.lit(None)
    )
    report = validate(changed(clean, frame))
    assert problem(report, "dates where codes belong", "q10b")["rows"] == 400
    assert problem(report, "text where a code belongs", "q25c")["rows"] == 400
    assert "q9a" in problem(report, "columns without answers")["found"]


def test_categories_are_read_like_text(clean):
    report = validate(
        changed(clean, clean.frame.with_columns(pl.col("q3a").cast(pl.String).cast(pl.Categorical)))
    )
    assert report.extract.frame["q3a"].equals(clean.frame["q3a"])


FILTERS = {
    "q11e": ({"q11d": 2}, 1),
    "q13d": ({"q13a": 1, "q13b": 1, "q13c": 1}, 1),
    "q14d": ({"q14a": 1, "q14b": 1, "q14c": 1}, 3),
    "q16c_2": ({"q16a": 2, "q16b": 2}, 1),
    "q23b": ({"q23a": 2}, 1),
    "q23d": ({"q23a": 3}, 3),
    "q31b": ({"q31a": 2}, 1),
}


def test_answers_the_filter_rules_out_are_set_aside(clean):
    extract = clean
    for place, (column, (gates, answer)) in enumerate(FILTERS.items()):
        rows = range(10 * place, 10 * place + 4)
        closed = {clean.edition.columns[gate].id for gate in gates}
        for name in clean.frame.columns:
            question = clean.edition.columns.get(name)
            if question and closed & {gate for gate, _ in question.asked_if}:
                extract = put(extract, name, None, rows)
        for gate, code in gates.items():
            extract = put(extract, gate, code, rows)
        extract = put(extract, column, answer, rows)
    report = validate(extract)
    found = report.problems.filter(rule="answers that the filter rules out")
    assert dict(found.select("column", "rows").rows()) == dict.fromkeys(FILTERS, 4)
    assert set(found["severity"]) == {"warning"}
    for place, (column, (gates, _)) in enumerate(FILTERS.items()):
        assert all(f"{gate} is" in problem(report, found["rule"][0], column)["expected"] for gate in gates)
        assert report.quarantine.filter(column=column)["row"].to_list() == list(
            range(10 * place + 1, 10 * place + 5)
        )
    assert report.ok
    assert_adds_up(report)


def test_an_unanswered_or_unusable_filter_rules_nothing_out(clean):
    for code in (None, 99, 7):
        report = validate(put(put(clean, "q11d", code), "q11e", 1))
        assert "answers that the filter rules out" not in rules(report)
        assert report.extract.frame["q11e"].gather([3, 4, 10]).to_list() == [1, 1, 1]


def test_one_open_filter_of_several_is_enough(clean):
    extract = put(put(put(put(clean, "q13a", 1), "q13b", 1), "q13c", 2), "q13d", 1)
    assert validate(extract).cells_set_aside == 0


def test_not_applicable_under_a_closed_filter_is_no_fault(clean):
    extract = put(put(put(put(clean, "q13a", 1), "q13b", 1), "q13c", 1), "q13d", 9)
    report = validate(extract)
    found = problem(report, "not applicable under the filter")
    assert (found["severity"], found["rows"]) == ("note", 3)
    assert serious(report) == set()
    assert report.extract.frame["q13d"].gather([3, 4, 10]).null_count() == 3
    assert_adds_up(report)


def test_an_empty_box_under_a_closed_filter_is_no_answer(clean):
    extract = put(put(put(clean, "q16a", 2), "q16b", 2), "q16c_1", 0)
    assert "answers that the filter rules out" not in {
        r for r, c in validate(extract).problems.select("rule", "column").rows() if c == "q16c_1"
    }
