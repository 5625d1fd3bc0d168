"""Cells of outcome files: numbers as people write them, and marks that stand for no number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.code_fit import fit_known
from culture_metrics.errors import LinkError
from culture_metrics.outcomes.tabular import ROW
from culture_metrics.problems import examples

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


#: No cell of more letters is repeated.
LONGEST = 12


def wrong_rows(sheet: Sheet, column: str, wrong: pl.Expr, expected: str, hint: str | None = None) -> None:
    """Stop when rows break a rule, naming file, sheet, column and rows.

    Raises
    ------
    LinkError
        With the first few values, where they can be figures of organisations.
    """
    rows = sheet.frame.filter(wrong)
    if rows.height:
        raise LinkError(
            f"{rows.height:,} of {sheet.frame.height:,} cells cannot be used",
            where=f"{sheet.where}, column {column}, rows {examples(rows[ROW])}",
            expected=expected,
            got=quoted(sheet, rows[column]),
            hint=hint or "Correct the cells, or leave them blank if the figure is not known.",
        )


def quoted(sheet: Sheet, values: pl.Series) -> str | None:
    """Quote a few cells of a table of organisations; none where it can be a file of respondents.

    A file with questions of a survey in it may be one, given to the wrong reader, and a long text may be what
    somebody wrote: neither is repeated.
    """
    known = any(fit.codes for fit in fit_known(name.casefold() for name in sheet.frame.columns).values())
    texts = values.cast(pl.String).unique(maintain_order=True).head(3).to_list()
    if known or any(text is not None and len(text) > LONGEST for text in texts):
        return None
    return ", ".join(f"'{text}'" for text in texts)
