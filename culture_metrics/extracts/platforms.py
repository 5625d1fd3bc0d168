"""Rows that survey platforms export beside those of respondents: previews, spam, what was not finished."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.labels import values
from culture_metrics.files.names import squeeze

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

Test = Callable[[pl.Expr], pl.Expr]

#: Counts in the provenance of rows that are no answers of respondents.
PREVIEWS, SPAM, NOT_FINISHED = "rows_of_previews", "rows_of_spam", "rows_not_finished"


def platform_tests(cells: pl.DataFrame, names: Iterable[str]) -> Iterator[tuple[str, str, Test]]:
    """Yield what to count rows as, the column that says so and the test of the rows that stay.

    Parameters
    ----------
    cells : polars.DataFrame
        The columns that say which rows count, as text.
    names : iterable of str
        Names of all columns of the file.
    """
    seen = {name: cells[name].str.to_lowercase().drop_nulls().unique() for name in cells.columns}
    numbers = values()["platform_status"]
    numbered = "response_status" in seen and _is_numbered(seen["response_status"], names)
    for kind, by_column in values()["platform_rows"].items():
        for column, said in by_column.items():
            if column not in seen or (column == "finished" and not _says_finished(seen[column])):
                continue
            codes = [str(code) for code in numbers.get(kind, ())] if numbered else []
            odd = {*said, *(codes if column == "response_status" else ())} & {*seen[column]}
            if odd:
                yield kind, column, _none_of(odd)
    if "finished" not in seen and "progress" in seen and _is_progress(seen["progress"]):
        yield NOT_FINISHED, "progress", _all_done


def _none_of(odd: Collection[str]) -> Test:
    return lambda column: ~column.str.to_lowercase().is_in([*odd]).fill_null(value=False)


def _all_done(column: pl.Expr) -> pl.Expr:
    return (_percent(column) >= 100).fill_null(value=True)


def _percent(column: pl.Expr) -> pl.Expr:
    return column.str.strip_chars_end("% ").cast(pl.Float64, strict=False)


def _is_numbered(texts: pl.Series, names: Iterable[str]) -> bool:
    """Tell whether a column `Status` holds the numbers of Qualtrics."""
    numbers = values()["platform_status"]
    codes = {str(code) for kind in (PREVIEWS, SPAM, "others") for code in numbers[kind]}
    beside = {squeeze(name) for name in numbers["beside"]}
    return {*texts} <= codes and beside <= {squeeze(name) for name in names}


def _says_finished(texts: pl.Series) -> bool:
    """Tell whether a column says of every row whether it was finished: others hold dates or answers."""
    known = values()
    return {*texts} <= {*known["finished"], *known["platform_rows"][NOT_FINISHED]["finished"]}


def _is_progress(texts: pl.Series) -> bool:
    """Tell whether a column holds per cent that were filled in, up to 100."""
    read = texts.to_frame("text").select(_percent(pl.col("text"))).to_series()
    return read.null_count() == 0 and read.max() == 100 and bool((read >= 0).all())
