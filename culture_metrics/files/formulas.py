"""Names that a spreadsheet would take for formulas: made plain where they come in, so every exit is safe.

A group called `=HYPERLINK(...)` runs when a CSV file or workbook with it is opened. Names are made plain at
the door, in files and in tables that were joined on, because results are polars frames: whoever has one
writes it with `write_csv` or `write_excel`, where nothing of this library stands between.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

#: A spreadsheet takes text that starts with one of these for a formula; of the wide and small forms of East
#: Asian keyboards some do.
START = r"^\s*[=+\-@\t\r\n|%＝＋－＠｜％﹦﹢﹣﹫﹪]"  # noqa: RUF001
FORMULA = re.compile(START)


def neutral(text: str) -> str:
    """Return text that no spreadsheet takes for a formula, also after it was saved as CSV.

    Examples
    --------
    >>> neutral("=1+1"), neutral("Nursing")
    ("'=1+1", 'Nursing')
    """
    return f"'{text}" if FORMULA.match(text) else text


def plain(column: pl.Expr) -> pl.Expr:
    """Expression: the names in a text column, none of which a spreadsheet takes for a formula.

    Two names stay two: an apostrophe is put before, nothing is taken away.
    """
    return pl.when(column.str.contains(START)).then(pl.format("'{}", column)).otherwise(column)


def plain_names(frame: pl.DataFrame, columns: Iterable[str]) -> tuple[pl.DataFrame, list[str]]:
    """Make the names in text columns plain; return the table and the columns in which there was one.

    Examples
    --------
    >>> plain_names(pl.DataFrame({"ward": ["=1+1", "A"]}), ["ward"])[0]["ward"].to_list()
    ["'=1+1", 'A']
    """
    schema = frame.schema
    texts = [c for c in columns if schema[c] == pl.String]
    found = frame.select(pl.col(c).str.contains(START).any() for c in texts)
    odd = [c for c in texts if found[c].item()]
    return frame.with_columns(plain(pl.col(c)).alias(c) for c in odd), odd
