"""What a text means as an answer."""

from __future__ import annotations

import pytest

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.extracts.labels import answer_key, date_code, read_answer, read_ticks

WAYS = {
    "label": lambda code, label: label,
    "upper": lambda code, label: label.upper(),
    "lower, spaced": lambda code, label: f"\t{label.lower()} \xa0",
    "code after": lambda code, label: f"{label} ({code})",
    "code and dash": lambda code, label: f"{code} - {label}",
    "code and long dash": lambda code, label: f"{code} \u2013 {label}",
    "code and dot": lambda code, label: f"{code}. {label}",
    "code and colon": lambda code, label: f"{code}: {label}",
    "code and space": lambda code, label: f"{code} {label}",
    "code in brackets": lambda code, label: f"({code}) {label}",
    "long dashes": lambda code, label: label.replace("-", "\u2013"),
    "curly apostrophe": lambda code, label: label.replace("'", "\u2019"),
    "underscores": lambda code, label: label.replace(" ", "_"),
    "slashes": lambda code, label: label.replace(" / ", "/"),
    "explained": lambda code, label: f"{label} (please specify)",
}


@pytest.mark.parametrize("way", WAYS)
def test_every_label_of_every_edition_is_read_however_it_is_written(way):
    wrong = [
        (edition.period, question.id, code)
        for survey in surveys()
        for edition in catalogue(survey)
        for question in edition.questions.values()
        for code, label in question.scale.labels.items()
        if (told := read_answer(WAYS[way](code, label), question)) is None or told.code != code
    ]
    assert wrong == []


def test_no_two_labels_of_a_scale_are_written_alike():
    for survey in surveys():
        for edition in catalogue(survey):
            for question in edition.questions.values():
                keys = [answer_key(label) for label in question.scale.labels.values()]
                assert len(set(keys)) == len(keys), question.id


@pytest.mark.parametrize(
    ("code", "text", "told"),
    [
        ("q25c", "4", (4, "codes")),
        ("q25c", "0004", (4, "numbers_read")),
        ("q25c", "4.00", (4, "numbers_read")),
        ("q25c", "7", (7, "codes")),  # no such code: validation says so
        ("q25c", "-9", (-9, "codes")),
        ("q25c", "Agree strongly", (5, "labels_read")),
        ("q25c", "5 - Agree", (4, "codes_relabelled")),
        ("q25c", "4 - some words of the contractor", (4, "labels_read")),
        ("q25c", "7 - some words of the contractor", None),
        ("q25c", "4.5", None),
        ("q25c", "40000", None),
        ("q25c", "I agree with nobody", None),
        ("q25c", "2024-02-01", None),
        ("q25c", "NA", (None, "blanks_read")),
        ("q25c", "99 - Missing", (None, "blanks_read")),
        ("q25c", "   ", (None, "codes")),
        ("q6a", "n/a", (9, "labels_read")),
        ("q6a", "Not applicable", (9, "labels_read")),
        ("q13a", "1/2", (2, "dates_read")),
        ("q13a", "10+", (5, "labels_read")),
        ("q13a", "2-9", None),
        ("q27c", "66 or over", (6, "labels_read")),
        ("q27c", "21 to 30 years", (2, "labels_read")),
        ("q11b", "TRUE", (1, "labels_read")),
        ("q11b", "n", (2, "labels_read")),
        ("q26d", "To another job, but in this organisation", (1, "labels_read")),
        ("q26d", "To healthcare outside of the NHS", (3, "labels_read")),
        ("q26d", "Outside healthcare altogether", (4, "labels_read")),
        ("q26d", "Not considering leaving my job", (9, "labels_read")),
    ],
)
def test_texts(code, text, told):
    reading = read_answer(text, catalogue().edition(2024).question(code))
    assert (None if reading is None else (reading.code, reading.how)) == told


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2024-02-01", 2), ("2024-02-01 00:00:00", 2), ("2024-01-02", 2), ("01/02/2024", 2), ("1-Feb", 2),
        ("01-Feb-24", 2), ("Feb-01", 2), ("Feb 1, 2024", 2), ("1 February 2024", 2), ("45323", 2),
        ("2024-05-03", 3), ("45415", 3), ("6-Oct", 4), ("10-Jun", 4), ("24-Dec", None), ("2024-02-03", None),
    ],
)  # fmt: skip
def test_dates_that_were_ranges(text, code):
    assert date_code(text, catalogue().edition(2024).question("q13a").scale) == code


def test_a_month_and_a_year_that_were_a_range():
    scale = catalogue().edition(2024).question("q34a").scale
    assert [date_code(t, scale) for t in ("2015-11-01", "Nov-15", "15-Nov", "2015-11-02")] == [5, 5, 5, None]


def test_several_ticks_in_one_cell():
    question = catalogue().edition(2025).question("q16c")
    assert read_ticks("1;10", question) == (frozenset({1, 10}), "codes")
    assert read_ticks("Race / Sex", question) == (frozenset({6, 8}), "labels_read")
    assert read_ticks("Marriage and civil partnership", question) == (frozenset({4}), "labels_read")
    assert read_ticks("99", question, (99,)) == (frozenset(), "blanks_read")
    for text in ("11", "1;11", "1.3", "1;1;x"):
        assert read_ticks(text, question) is None
