"""Periods are read as people write them, or refused."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from culture_metrics.errors import LinkError
from culture_metrics.outcomes.periods import months, period_table, read_period, survey_year


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("April 2021", (2021, 4, 1), (2021, 4, 30)),
        ("Apr-21", (2021, 4, 1), (2021, 4, 30)),
        ("Sept 2021", (2021, 9, 1), (2021, 9, 30)),
        ("MSitAE-FEBRUARY-2024", (2024, 2, 1), (2024, 2, 29)),
        ("202402", (2024, 2, 1), (2024, 2, 29)),
        ("2024-02", (2024, 2, 1), (2024, 2, 29)),
        ("2024-02-01", (2024, 2, 1), (2024, 2, 29)),
        ("2024-02-01 00:00:00", (2024, 2, 1), (2024, 2, 29)),
        ("01/02/2024", (2024, 2, 1), (2024, 2, 29)),
        ("17/02/2024", (2024, 2, 17), (2024, 2, 17)),
        ("2021/22", (2021, 4, 1), (2022, 3, 31)),
        ("FY 2021/22", (2021, 4, 1), (2022, 3, 31)),
        ("2021-22", (2021, 4, 1), (2022, 3, 31)),
        ("1999/2000", (1999, 4, 1), (2000, 3, 31)),
        ("2021 to 2022", (2021, 4, 1), (2022, 3, 31)),
        ("2021", (2021, 4, 1), (2022, 3, 31)),
        ("Oct 2020 to Sep 2021", (2020, 10, 1), (2021, 9, 30)),
        ("October 2020 - September 2021", (2020, 10, 1), (2021, 9, 30)),
        ("Oct20-Sep21", (2020, 10, 1), (2021, 9, 30)),
        ("202509 to 202510", (2025, 10, 1), (2025, 10, 31)),
        ("202412 to 202512", (2025, 1, 1), (2025, 12, 31)),
    ],
)
def test_periods_as_files_write_them(text, start, end):
    assert read_period(text) == (date(*start), date(*end))


@pytest.mark.parametrize(
    "text",
    ["", "soon", "Quarter 1", "2021-Q1", "2021/24", "Aprill 2021", "32/01/2021", "202113", "2021-13-01"],
)
def test_what_cannot_be_told_is_not_guessed(text):
    assert read_period(text) is None


def test_a_plain_year_is_what_the_caller_says():
    assert read_period("2021", "calendar") == (date(2021, 1, 1), date(2021, 12, 31))
    with pytest.raises(LinkError, match="years="):
        period_table(["2021"], "fiscal", "f.csv", "year")


def test_the_column_decides_whether_2011_12_is_a_month():
    days = period_table(["2011-11", "2011-12", "2012-01"], "financial", "f.csv", "month")
    assert days["start"].to_list() == [date(2011, 11, 1), date(2011, 12, 1), date(2012, 1, 1)]
    years = period_table(["2011-12", "2012-13"], "financial", "f.csv", "year")
    assert years["start"].to_list() == [date(2011, 4, 1), date(2012, 4, 1)]
    with pytest.raises(LinkError, match="month or a financial year") as caught:
        period_table(["2010-11", "2011-12"], "financial", "f.csv", "year")
    assert "f.csv, column year" in str(caught.value) and "2011/12" in str(caught.value)


def test_the_survey_year_is_the_financial_year_a_period_ends_in():
    ends = [date(2024, 3, 31), date(2024, 4, 30), date(2024, 11, 30), date(2025, 3, 31)]
    frame = pl.DataFrame({"end": ends, "start": [date(2024, 1, 1)] * 4})
    assert frame.select(survey_year(pl.col("end")))["end"].to_list() == [2023, 2024, 2024, 2024]
    assert frame.select(months(pl.col("start"), pl.col("end")))["end"].to_list() == [3, 4, 11, 15]
