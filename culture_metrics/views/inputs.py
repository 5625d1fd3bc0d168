"""Tables as the views take them: the columns are there, and what may not be shown is gone."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ResultsError, unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def tidy(
    table: pl.DataFrame, columns: Sequence[str], *, key: Sequence[str], numbers: Sequence[str], where: str
) -> pl.DataFrame:
    """Check a table and empty every number of a row that is not reported.

    The first of `numbers` decides: where it is null, or where `status` says the row is not reported, all
    `numbers` of the row become null, so that nothing of them can reach a figure. A table without `status`
    gets one.

    Raises
    ------
    ResultsError
        When the table is no polars DataFrame, lacks a column, has no rows, or has two rows of one `key`.

    Examples
    --------
    >>> frame = pl.DataFrame({"measure": ["a", "b"], "estimate": [7.1, 6.9], "base": [80, 4],
    ...     "status": ["reported", "suppressed_small_base"]})
    >>> tidy(frame, ["measure"], key=["measure"], numbers=["estimate", "base"], where="")["base"].to_list()
    [80, None]
    """
    if not isinstance(table, pl.DataFrame):
        raise ResultsError(
            "A figure is drawn from a polars DataFrame",
            where=where,
            got=type(table).__name__,
            hint="Call .collect() on a LazyFrame.",
        )
    missing = [name for name in columns if name not in table.columns]
    if missing:
        near = [m for name in missing for m in get_close_matches(name, table.columns, n=1)]
        named = ", ".join(f"'{name}'" for name in missing)
        raise ResultsError(
            f"The table has no column {named}",
            where=where,
            expected=", ".join(columns),
            got=", ".join(table.columns),
            hint=f"Is it called {' or '.join(near)}? Rename it." if near else "Add it, null where unknown.",
        )
    if table.is_empty():
        raise ResultsError("The table has no rows, so there is nothing to draw", where=where)
    if table.select(pl.struct(key).is_duplicated().any()).item():
        raise ResultsError(
            "The table has more than one row for what a figure shows once",
            where=where,
            expected=f"one row for each {' and '.join(key)}",
            hint="Keep one survey, period, organisation and weighting.",
        )
    first = pl.col(numbers[0])
    status = pl.col("status").cast(pl.String) if "status" in table.columns else pl.lit(None, pl.String)
    reported = first.is_not_null() & (status.fill_null("reported") == "reported")
    return table.with_columns(
        pl.when(reported).then(pl.lit("reported")).otherwise(status).alias("status"),
        *(pl.when(reported).then(pl.col(name)).alias(name) for name in numbers),
    )


def one_of(kind: str, name: str, known: Collection[str], where: str) -> None:
    """Check an argument that takes one of a few words.

    Raises
    ------
    UnknownNameError
        When it is none of them.
    """
    if name not in known:
        raise unknown(kind, name, known, where=where)
