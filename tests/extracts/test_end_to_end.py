"""From file to Results: what keeps the meaning of an extract keeps its Results; what changes it is reported.

A code of the list in place of another code of the list cannot be told from an answer: what is reported are
changes that leave a trace in codes, names, rows or in how answers are spread.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mangling import EDITION, WRITERS, answers, tables
from planting import rules
from polars.testing import assert_frame_equal

from culture_metrics import estimate, read_extract, synthetic, validate
from culture_metrics.errors import CultureMetricsError

BY = ["occupation_group", "locality_1"]
PEOPLE = synthetic.respondents(2024, respondents_per_organisation=240, seed=11).frame.drop(
    "benchmark_group", "region", "ics", "locality_2", strict=False
)
SORTED = ["organisation", "breakdown", "group", "measure", "weighting"]
#: The same examples in every run: each reads, checks and estimates a whole extract.
FEW = settings(
    max_examples=6, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)  # fmt: skip


def results(extract):
    report = validate(extract)
    return estimate(report.extract, by=BY).table.sort(SORTED), report


@pytest.fixture(scope="module")
def wanted():
    extract = read_extract(PEOPLE, year=2024)
    found, report = results(extract)
    assert report.ok
    assert found.filter(status="reported").height > 300
    return found, rules(report)


@FEW
@given(
    data=st.data(),
    table=tables(PEOPLE),
    write=st.sampled_from(WRITERS),
    seed=st.integers(0, 99),
    form=st.sampled_from([str.lower, str.upper, lambda code: f" {code} "]),
    stacked=st.booleans(),
)
def test_whatever_keeps_the_meaning_gives_the_same_results(data, table, write, seed, form, stacked, wanted):
    """Order of columns and rows, names, labels or codes, encoding, format, sheet, another year's rows."""
    order = Random(seed).sample(range(table.height), table.height)
    (organisation,) = set(PEOPLE["organisation"])
    table = table[order].with_columns(pl.col("organisation").replace(organisation, form(organisation)))
    if stacked:
        now = table.with_columns(Year=pl.lit("2024"))
        table = pl.concat([now, now.head(50).with_columns(Year=pl.lit("2023"))])
    with tempfile.TemporaryDirectory() as folder:
        extract = read_extract(write(data.draw, table, Path(folder)), year=2024)
    found, report = results(extract)
    assert report.ok
    assert_frame_equal(found, wanted[0], abs_tol=1e-9)


def swap(column: str, codes: dict[int, int]):
    new = {str(a): str(b) for a, b in codes.items()}
    return lambda t: t.with_columns(pl.col(column).replace(new))


def shift(column: str, step: int):
    return swap(column, {code: code + step for code in EDITION.columns[column].scale.options})


def turned(t: pl.DataFrame) -> pl.DataFrame:
    """Turn every five-point scale round."""
    five = {str(k): str(6 - k) for k in range(1, 6)}
    scales = [c for c in answers(t) if len(EDITION.columns[c].scale.options) == 5]
    return t.with_columns(pl.col(scales).replace(five))


def first(column: str, value: str | None, rows: int = 5):
    at = pl.int_range(pl.len()) < rows
    return lambda t: t.with_columns(pl.when(at).then(pl.lit(value)).otherwise(column).alias(column))


def shut_filter(t: pl.DataFrame) -> pl.DataFrame:
    """Answers about pressure to come to work from people who did not come to work unwell."""
    return first("q11d", "2")(first("q11e", "1")(t))


def other_answers(t: pl.DataFrame) -> pl.DataFrame:
    """Five people stand twice, the second time with another answer."""
    again = t.head(5).with_columns(pl.col("q4c").replace({"1": "2", "2": "3", "3": "4", "4": "5", "5": "1"}))
    return pl.concat([t, again.with_columns(pl.col("q4c").fill_null("3"))])


GENDER = EDITION.question("gender").code
#: What is done to the table, and words that one of the problems or the error must have.
CHANGES = {
    "codes one too high": (shift("q25c", 1), "codes outside the list"),
    "codes from 0": (shift("q25c", -1), "codes that start at 0"),
    "scales turned round": (turned, "scales that may run the other way"),
    "codes of gender swapped": (swap(GENDER, {1: 2, 2: 1}), "gender codes may be swapped"),
    "words that are no answer": (first("q25c", "rather"), "text where a code belongs"),
    "decimals": (first("q25c", "3.5"), "decimals where codes belong"),
    "fractions": (first("q25c", "0.5"), "fractions where codes belong"),
    "two answers in a cell": (first("q25c", "1;2"), "several answers in one cell"),
    "9 where the list has none": (first("q6b", "9"), "code 9 where the list has none"),
    "negative codes": (first("q9a", "-3"), "negative codes"),
    "answers under a shut filter": (shut_filter, "answers that the filter rules out"),
    "a column gone": (lambda t: t.drop("q25c"), "missing questions"),
    "a column emptied": (first("q25c", None, 1000), "columns without answers"),
    "half a column gone": (first("q25c", None, 130), "far more blanks than elsewhere"),
    "one answer throughout": (first("q25c", "3", 1000), "one answer throughout"),
    "rows that stand twice": (lambda t: pl.concat([t, t.head(7)]), "rows that stand twice"),
    "people with two sets of answers": (other_answers, "respondents with several different rows"),
    "no organisation": (first("organisation", None), "no organisation"),
    "another name for a group": (first("locality_1", "planned CARE "), "labels"),
    "codes of another year": (lambda t: t.rename({"q24f": "q99a"}).drop("q26d"), "unknown columns"),
    "another year in the file": (lambda t: t.with_columns(Year=pl.lit("2023")), "The file holds 2023, not 2024"),
    "a column twice": (lambda t: t.with_columns(pl.col("q25c").alias("Q25_C")), "several columns for one question"),
}  # fmt: skip


def reported(source, words, known):
    try:
        report = validate(read_extract(source, year=2024))
    except CultureMetricsError as error:
        assert words in str(error)
    else:
        new = rules(report) - known
        assert any(words in rule for rule in new), new


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_the_meaning_is_reported(change, wanted, tmp_path):
    """And nothing of it is said of the file as it was."""
    mangle, words = CHANGES[change]
    path = tmp_path / "x.parquet"
    mangle(PEOPLE.cast(pl.String)).write_parquet(path)
    reported(path, words, wanted[1])


@FEW
@given(
    data=st.data(),
    change=st.sampled_from(sorted({*CHANGES} - {"a column twice"})),
    write=st.sampled_from(WRITERS),
)
def test_it_is_reported_in_whatever_spelling_and_format(data, change, write, wanted):
    mangle, words = CHANGES[change]
    table = data.draw(tables(mangle(PEOPLE.cast(pl.String))))
    with tempfile.TemporaryDirectory() as folder:
        reported(write(data.draw, table, Path(folder)), words, wanted[1])
