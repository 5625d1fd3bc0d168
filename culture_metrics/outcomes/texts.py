"""Cells of outcome files: numbers as people write them, and marks that stand for no number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.outcomes.tabular import ROW
from culture_metrics.problems import counted, examples

if TYPE_CHECKING:
    from culture_metrics.outcomes.tabular import Sheet

#: Marks of official statistics, in small letters: suppressed, and not there.
SUPPRESSED = ("*", "c", "[c]", "**")
NOT_REPORTED = ("", "na", "n/a", "-", "..", ":", "z", "x", "[x]", "[z]", "null", "nan", "none", "#n/a")
#: Rows that sum up others.
TOTALS = ("ENGLAND", "TOTAL", "ALL", "ENG", "-", "NATIONAL")


def plain(column: str) -> pl.Expr:
    """Return a column's text without blanks at its ends."""
    return pl.col(column).str.strip_chars()


def number(column: str) -> pl.Expr:
    """Read numbers: thousands separators and a pound sign are let go; marks and anything else become null."""
    return plain(column).str.replace_all(r"[,£\s]", "").cast(pl.Float64, strict=False).fill_nan(None)


def status(column: str) -> pl.Expr:
    """Tell whether a cell is reported, suppressed or not reported, from its mark."""
    text = plain(column).str.to_lowercase()
    return (
        pl.when(text.is_in(SUPPRESSED))
        .then(pl.lit("suppressed"))
        .when(text.is_null() | text.is_in(NOT_REPORTED))
        .then(pl.lit("not_reported"))
        .otherwise(pl.lit("reported"))
    )


def wrong_rows(sheet: Sheet, column: str, wrong: pl.Expr, expected: str, hint: str | None = None) -> None:
    """Stop when rows break a rule, naming file, sheet, column and rows.

    Raises
    ------
    LinkError
        With what stands in the cells, never a cell itself: the file may be one of respondents.
    """
    rows = sheet.frame.filter(wrong)
    if rows.height:
        raise LinkError(
            f"{rows.height:,} of {sheet.frame.height:,} cells cannot be used",
            where=f"{sheet.where}, column {column}, rows {examples(rows[ROW])}",
            expected=expected,
            got=kinds_of_cells(rows, column),
            hint=hint or "Correct the cells, or leave them blank if the figure is not known.",
        )


def kinds_of_cells(rows: pl.DataFrame, column: str) -> str:
    """Count the blank cells, the numbers and the texts of a column, for an error that must not quote them.

    Examples
    --------
    >>> kinds_of_cells(pl.DataFrame({"figure": ["4", "about 12", None, "n. k."]}), "figure")
    '2 texts, 1 number, 1 blank cell'
    """
    blank = (plain(column).fill_null("") == "").sum()
    blanks, numbers = rows.select(blank.alias("blank"), number(column).count().alias("number")).row(0)
    kinds = (("text", rows.height - blanks - numbers), ("number", numbers), ("blank cell", blanks))
    return ", ".join(counted(many, kind) for kind, many in kinds if many)
