"""Periods as files write them, and the year of the survey they belong to."""

from __future__ import annotations

import calendar
import re
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.errors import LinkError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Month in which the financial year starts. Fieldwork of the survey of year t (October, November) lies in
#: the financial year that starts in April of t.
APRIL = 4
_MONTHS = {name[:3].casefold(): number for number, name in enumerate(calendar.month_name) if name}
_WORD = r"(?:msitae-)?([a-z]{3,9})\.?[\s\-/,]*((?:19|20)?\d\d)"
_YEARS = re.compile(r"(?:fy\s*)?((?:19|20)\d\d)\s*(?:/|-|\u2013|to)\s*((?:19|20)?\d\d)", re.I)
_MONTH = rf"(?:{'|'.join(f'{name}|{name[:3]}' for name in calendar.month_name if name)})\.? (?:19|20)\d\d"
_FROM_TO = re.compile(rf"\b({_MONTH})\s*(?:to|-|until)\s*({_MONTH})\b", re.I)
_FINANCIAL = re.compile(r"(?<![\d/])((?:19|20)\d\d)\s*[/-]\s*((?:20)?\d\d)(?![\d/-])")
_RANGE = re.compile(r"\s+(?:to|-|\u2013)\s+|(?<=\d)\s*[-\u2013]\s*(?=[a-z])", re.I)


class Span(NamedTuple):
    """First and last day of a period."""

    start: date
    end: date


def month(year: int, number: int) -> Span:
    """Return the span of a month."""
    return Span(date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1]))


def financial_year(year: int) -> Span:
    """Return the financial year that starts in April of `year`: the one with the survey's fieldwork.

    Examples
    --------
    >>> print(*financial_year(2024))
    2024-04-01 2025-03-31
    """
    return Span(date(year, APRIL, 1), date(year + 1, APRIL - 1, 31))


def read_period(text: str, years: str = "financial") -> Span | None:
    """Read one period: a month, a range of months, a financial or plain year, a day, snapshots.

    `202509 to 202510` is the time between two month ends, October 2025. A plain year is the financial year
    that starts in it, unless `years` is "calendar". Days come first (01/04/2021). Returns None for what
    cannot be told.

    Examples
    --------
    >>> print(*read_period("April 2021"))
    2021-04-01 2021-04-30
    >>> print(*read_period("Oct 2020 to Sep 2021"))
    2020-10-01 2021-09-30
    >>> print(*read_period("2021/22"))
    2021-04-01 2022-03-31
    """
    said = text.strip().casefold()
    if snapshots := re.fullmatch(r"(\d{6})\s*to\s*(\d{6})", said):
        first, last = (_single(part) for part in snapshots.groups())
        return Span(_after(first.end), last.end) if first and last and first.end < last.end else None
    if re.fullmatch(r"(?:19|20)\d\d", said):
        year = int(said)
        return Span(date(year, 1, 1), date(year, 12, 31)) if years == "calendar" else financial_year(year)
    if found := _YEARS.fullmatch(said):
        first_year, second = int(found[1]), int(found[2])
        if (first_year + 1 - second) % 100 == 0:
            return financial_year(first_year)
    if single := _single(said):
        return single
    parts = _RANGE.split(said)
    if len(parts) == 2:
        start, end = _single(parts[0]), _single(parts[1])
        return Span(start.start, end.end) if start and end and start.start <= end.end else None
    return None


def period_in_titles(titles: Iterable[str]) -> str | None:
    """Return the one range of months or financial year that titles name; None where they name none or two.

    A single month or day may be that of a publication, so it says nothing.

    Examples
    --------
    >>> period_in_titles(["SHMI data at trust level, April 2023 - March 2024", "Published 14 November 2024"])
    'April 2023 to March 2024'
    """
    said = " | ".join(titles).replace("\u2013", "-")
    found = {f"{start} to {end}": None for start, end in _FROM_TO.findall(said)}
    if not found:
        found = {f"{first}/{last}": None for first, last in _FINANCIAL.findall(said)}
    spans = {span: text for text in found if (span := read_period(text))}
    return next(iter(spans.values())) if len(spans) == 1 else None


def period_table(texts: Iterable[str], years: str, where: str, column: str) -> pl.DataFrame:
    """Read the different texts of a column of periods.

    Returns
    -------
    polars.DataFrame
        `period` (as written), `start`, `end`; null dates for what cannot be told.

    Raises
    ------
    LinkError
        When `years` is unknown, or a text such as 2011-12 may be a month or a financial year.
    """
    if years not in ("financial", "calendar"):
        raise LinkError("years= says what a plain year is", expected="'financial' or 'calendar'", got=years)
    texts = list(dict.fromkeys(texts))
    # 2011-12 is December 2011 or the year 2011/12: the other periods of the column decide.
    paired = [found for text in texts if (found := re.fullmatch(r"\s*(20|19)(\d\d)-(\d\d)\s*", text))]
    followers = [int(found[3]) == (int(found[2]) + 1) % 100 for found in paired]
    if paired and all(followers) and all(1 <= int(found[3]) <= 12 for found in paired):
        raise LinkError(
            "A period such as 2011-12 may be a month or a financial year",
            where=f"{where}, column {column}",
            hint="Write years as 2011/12 and months as 2011-12-01.",
        )
    as_months = bool(paired) and not all(followers)
    read = [
        (_single(text.strip().casefold()) if as_months else None) or read_period(text, years)
        for text in texts
    ]
    return pl.DataFrame(
        {
            "period": texts,
            "start": [span and span.start for span in read],
            "end": [span and span.end for span in read],
        },
        schema={"period": pl.String, "start": pl.Date, "end": pl.Date},
    )


def survey_year(end: pl.Expr) -> pl.Expr:
    """Return the survey year a period belongs to: the financial year in which it ends.

    Examples
    --------
    >>> pl.select(survey_year(pl.lit(date(2025, 3, 31)))).item()
    2024
    """
    return (end.dt.year() - (end.dt.month() < APRIL).cast(pl.Int32)).cast(pl.Int32)


def months(start: pl.Expr, end: pl.Expr) -> pl.Expr:
    """Count the months a period touches."""
    return (end.dt.year() - start.dt.year()) * 12 + end.dt.month().cast(pl.Int32) - start.dt.month() + 1


def _single(said: str) -> Span | None:
    """Read a month or a day; said is in lower case."""
    try:
        if found := re.fullmatch(r"(\d{4})(\d\d)", said) or re.fullmatch(r"(\d{4})-(\d\d?)", said):
            return month(int(found[1]), int(found[2]))
        if found := re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)(?:[t ][\d:.]+)?", said):
            return _day(date(int(found[1]), int(found[2]), int(found[3])))
        if found := re.fullmatch(r"(\d\d?)[/.](\d\d?)[/.](\d{4})", said):
            return _day(date(int(found[3]), int(found[2]), int(found[1])))
    except (ValueError, calendar.IllegalMonthError):
        return None
    found = re.fullmatch(_WORD, said)
    number = _MONTHS.get(found[1][:3]) if found else None
    if not found or not number or not calendar.month_name[number].casefold().startswith(found[1]):
        return None
    year = int(found[2])
    return month(year if year > 99 else 2000 + year, number)


def _day(day: date) -> Span:
    """Return the month that a first day stands for, else the day itself."""
    return month(day.year, day.month) if day.day == 1 else Span(day, day)


def _after(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)
