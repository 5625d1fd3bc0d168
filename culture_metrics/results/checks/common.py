"""What the checks of figures share."""

from __future__ import annotations

import polars as pl

from culture_metrics.problems import Problem, listed

#: What says whose figure it is.
KEY = ["survey", "period", "organisation", "breakdown", "group"]
#: Figures are doubles: this much is no difference.
EXACT = 1e-6


#: Figures with more decimals are taken for exact.
MOST_DECIMALS = 4


def decimal_unit(column: str) -> pl.Expr:
    """Return the unit of the last decimal of each figure, 0 where it has more than four."""
    value = pl.col(column)
    return pl.coalesce(
        *(
            pl.when((value - value.round(d)).abs() < EXACT / 10).then(pl.lit(10.0**-d))
            for d in range(MOST_DECIMALS + 1)
        ),
        pl.lit(0.0),
    )


def full_key(table: pl.DataFrame, *own: str) -> list[str]:
    """Return the columns that identify a figure, as far as the table has them."""
    return [*KEY, *own, *(c for c in ("weighting", "source") if c in table.columns)]


def problem(
    rows: pl.DataFrame, severity: str, rule: str, column: str, words: tuple[str, str, str]
) -> Problem:
    """Count rows and name a few by organisation and period, which are no respondents.

    `words` are what was found, what was expected and what to do.
    """
    names = rows.select(pl.format("{} {}", "organisation", "period")).to_series().unique(maintain_order=True)
    return Problem(severity, rule, *words, column=column, rows=rows.height, examples=listed(names, 3))
