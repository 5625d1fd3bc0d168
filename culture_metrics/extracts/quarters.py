"""Quarters of a financial year as files write them: `Q1 2024/25`, `2024-Q1`, `2024-07`, `July 2024`."""

from __future__ import annotations

import calendar
import re

_Q = r"(?<![a-z])(?:q|qtr|quarter)\s*([1-4])(?!\d)"
_YEARS = r"(?:fy\s*)?(?<!\d)(20\d\d|\d\d(?=\s*[-/]))\s*[-/\u2013_ ]?\s*(?:20)?(\d\d)(?!\d)"
#: The year first: with that in which it ends, or as the catalogue writes it (2024-Q1).
_BEFORE = re.compile(rf"{_YEARS}[\s,_-]*{_Q}|(?<!\d)(20\d\d)[\s_-]*{_Q}", re.I)
#: The quarter first: only with both years, since Q1 2024 may be January to March.
_AFTER = re.compile(rf"{_Q}[\s,_-]*(?:of\s+)?{_YEARS}", re.I)
_MONTHS = {name.casefold(): n for n, name in enumerate(calendar.month_name) if name} | {
    name.casefold(): n for n, name in enumerate(calendar.month_abbr) if name
}
_WORD = "|".join(sorted(_MONTHS, key=len, reverse=True))
_NAMED = re.compile(rf"(?<![a-z])({_WORD}|sept)\.?[\s,_-]*(20\d\d|\d\d)(?!\d)", re.I)
_MONTH = re.compile(
    r"(?<!\d)(20\d\d)[-_/.](0?[1-9]|1[0-2])(?!\d)|(?<![\d/.-])(0?[1-9]|1[0-2])[/.](20\d\d)(?!\d)"
)
#: A day: only what it says of the month counts. In names of files it is when they were made.
_DAY = re.compile(
    r"(?<!\d)(?:(?P<y>20\d\d)[-/.](?P<m>\d\d?)[-/.]\d\d?|\d\d?[-/.](?P<m2>\d\d?)[-/.](?P<y2>20\d\d))(?!\d)"
)
APRIL = 4
#: How it is said that a file's quarter is told by the month in its name.
BY_MONTH = "in which the month of its name lies."


def said_quarter(text: str) -> str | None:
    """Return the quarter that a text names as one, as the catalogue writes it; None where it names none.

    Examples
    --------
    >>> [said_quarter(t) for t in ("Q1 2024/25", "2024-Q1", "202425Q1", "Quarter 1 24-25", "Q1 2024")]
    ['2024-Q1', '2024-Q1', '2024-Q1', '2024-Q1', None]
    """
    for found in _BEFORE.finditer(text):
        first, last, quarter, alone, of_alone = found.groups()
        if alone:
            return f"{alone}-Q{of_alone}"
        if _follow(first, last):
            return f"20{first[-2:]}-Q{quarter}"
    for found in _AFTER.finditer(text):
        quarter, first, last = found.groups()
        if _follow(first, last):
            return f"20{first[-2:]}-Q{quarter}"
    return None


def month_quarter(text: str, *, days: bool = True) -> str | None:
    """Return the quarter of a financial year in which a month, or a day, lies; None where there is none.

    Examples
    --------
    >>> [month_quarter(t) for t in ("2024-07", "July 2024", "Jan-25", "15/04/2024", "2024")]
    ['2024-Q2', '2024-Q2', '2024-Q4', '2024-Q1', None]
    """
    if (found := _DAY.search(text)) is not None:
        year, month = found["y"] or found["y2"], found["m"] or found["m2"]
        return _of(int(year), int(month)) if days else None
    if (found := _NAMED.search(text)) is not None:
        word = found[1].casefold()
        return _of(2000 + int(found[2][-2:]), _MONTHS.get(word) or 9)
    if (found := _MONTH.search(text)) is not None:
        return _of(int(found[1] or found[4]), int(found[2] or found[3]))
    return None


def _follow(first: str, last: str) -> bool:
    return (int(first[-2:]) + 1 - int(last)) % 100 == 0


def _of(year: int, month: int) -> str | None:
    if not 1 <= month <= 12:
        return None
    start = year - (month < APRIL)
    return f"{start}-Q{(month - APRIL) % 12 // 3 + 1}"
