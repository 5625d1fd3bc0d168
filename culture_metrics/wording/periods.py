"""Periods of a survey as people say them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

_QUARTER = re.compile(r"(20\d\d)-Q([1-4])")


def period_words(period: str) -> str:
    """Say a quarter of a financial year as reports do; a year stays as it is.

    Examples
    --------
    >>> period_words("2024-Q1"), period_words("2024")
    ('Q1 2024/25', '2024')
    """
    found = _QUARTER.fullmatch(period)
    return f"Q{found[2]} {found[1]}/{(int(found[1]) + 1) % 100:02d}" if found else period


def said_period() -> pl.Expr:
    """Expression: the column `period` as `period_words` says it."""
    period = pl.col("period")
    after = ((period.str.slice(2, 2).cast(pl.Int32, strict=False) + 1) % 100).cast(pl.String).str.zfill(2)
    quarter = pl.format("{} {}/{}", period.str.slice(5, 2), period.str.slice(0, 4), after)
    return pl.when(period.str.contains("^20..-Q[1-4]$")).then(quarter).otherwise(period)


def quarter_begins() -> pl.Expr:
    """Expression: the first day of the quarter in `period`; null for a year.

    Examples
    --------
    >>> periods = pl.DataFrame({"period": ["2024-Q1", "2024-Q4", "2024"]})
    >>> [str(day) for day in periods.select(quarter_begins()).to_series()]
    ['2024-04-01', '2025-01-01', 'None']
    """
    year, number = (
        pl.col("period").str.extract(_QUARTER.pattern, part).cast(pl.Int32, strict=False) for part in (1, 2)
    )
    month = 3 * number + 1  # of the financial year, which begins in April
    return pl.date(year + month // 13, (month - 1) % 12 + 1, 1)


def period_kind(periods: Iterable[str]) -> str:
    """Say what a column of periods holds.

    Examples
    --------
    >>> period_kind(["2024"]), period_kind(["2024-Q1"]), period_kind(["2024", "2024-Q1"])
    ('Year', 'Quarter', 'Year or quarter')
    """
    kinds = {bool(_QUARTER.fullmatch(period)) for period in periods}
    return "Year or quarter" if len(kinds) > 1 else "Quarter" if True in kinds else "Year"
