"""Plain tables on sheets, one header row and rows of cells: find them, load them, say what the cells are."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.files.workbooks import FIGURES, TEXT
from culture_metrics.published.layout import letter
from culture_metrics.published.official import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from culture_metrics.files.header import Row
    from culture_metrics.files.workbooks import Workbook

    #: Columns of one sheet, two by two.
    Pairs = tuple[tuple[int, int], ...]

#: What a cell is. A hidden one says that its figure is not shown.
NUMBER, HIDDEN, BLANK, OTHER = "number", "hidden", "blank", "other"
_SAYS_HIDDEN = r"(?i)^<\s*\d+$|suppressed|too few"
#: Whole numbers with marks between thousands; with dots they may be decimals as well.
_THOUSANDS, _DOTTED = r"^\d{1,3}(,\d{3})+$", r"^\d{1,3}(\.\d{3})+$"
_NUMBER = re.compile(r"-?\d+([.,]\d+)*%?")
#: So many numbers side by side are no date or page number, and why their sheet is left out.
FIGURES_IN_ROW = 2
UNREAD = "sheets whose columns are no results that are read"
REPEATED = "rows or columns that stand twice with the same figures"
_NOT_KEY = re.compile(r"[^a-z0-9%]")


@lru_cache(1 << 12)  # the first rows of a file are looked at for one header after another
def key(header: str | None) -> str:
    """Return a header without case, spaces and punctuation.

    Examples
    --------
    >>> key("Question Number"), key("DimName")
    ('questionnumber', 'dimname')
    """
    return _NOT_KEY.sub("", (header or "").casefold())


def find_header(rows: Sequence[Row], wanted: Collection[str]) -> int | None:
    """Return the first row that has all the wanted headers."""
    return next((i for i, row in enumerate(rows) if set(wanted) <= {key(cell) for cell in row}), None)


def columns_of(header: Row, named: Callable[[str | None], str] = key) -> tuple[dict[str, int], Pairs]:
    """Return the first column under each header, and pairs of columns under one.

    Examples
    --------
    >>> columns_of(("Org Code", None, "Score", "SCORE"))
    ({'orgcode': 0, 'score': 2}, ((2, 3),))
    """
    columns: dict[str, int] = {}
    again = []
    for i, cell in enumerate(header):
        if text := named(cell):
            if text in columns:
                again.append((columns[text], i))
            columns.setdefault(text, i)
    return columns, tuple(again)


def told_twice(
    cells: pl.DataFrame,
    header: Row,
    again: Iterable[tuple[int, int]],
    at: str,
    left_out: dict[str, list[str]],
    problems: list[str],
) -> None:
    """Set columns aside that stand twice with the same cells; with different ones they are a problem."""
    for first, second in again:
        place = f"{at}, columns {letter(first)} and {letter(second)}: '{header[second]}'"
        if cells[str(first)].equals(cells[str(second)]):
            left_out.setdefault(REPEATED, []).append(place)
        else:
            problems.append(f"{place} stands twice, with different figures")


def lacking(rows: Sequence[Row], wanted: Collection[str]) -> set[str]:
    """Return which of the wanted headers the row lacks that has most of them.

    Examples
    --------
    >>> lacking([("Notes", None), ("Year", "Base Size")], ["year", "basesize", "score"])
    {'score'}
    """
    there = [{key(cell) for cell in row} for row in rows]
    return min((set(wanted) - row for row in there), key=len, default=set(wanted))


def unread_sheets(heads: Mapping[str, Sequence[Row]], read: Collection[str]) -> list[str]:
    """Name the sheets that are not read though figures stand in their first rows."""
    return [f"'{name}'" for name, rows in heads.items() if name not in read and any(map(_figures, rows))]


def _figures(row: Row) -> bool:
    return sum(_NUMBER.fullmatch(cell or "") is not None for cell in row) >= FIGURES_IN_ROW


def load_cells(book: Workbook, sheet: str, header_row: int) -> pl.DataFrame:
    """Return the rows under a header; `row` is the row as Excel counts.

    Column 3 is there as text ("3") and as numbers with full precision ("3#"). Numbers that stand in the file
    as text are numbers too.
    """
    start = header_row + 1
    text, numbers = (book.load(sheet, types, start) for types in (TEXT, FIGURES))
    text.columns = [str(i) for i in range(text.width)]
    numbers.columns = [f"{i}#" for i in range(numbers.width)]
    return with_numbers(text.hstack(numbers)).with_columns(
        row=pl.int_range(start + 1, start + 1 + text.height, eager=True)
    )


def with_numbers(text: pl.DataFrame) -> pl.DataFrame:
    """Add to columns of text ("3") the numbers in them ("3#"), where these are not there yet."""
    names = [name for name in text.columns if not name.endswith("#")]
    text = text.with_columns(pl.col(names).str.strip_chars().replace("", None))
    there = {n: pl.col(f"{n}#") if f"{n}#" in text.columns else pl.lit(None, pl.Float64) for n in names}
    return text.with_columns(there[n].fill_null(as_number(pl.col(n))).alias(f"{n}#") for n in names)


def as_number(text: pl.Expr) -> pl.Expr:
    """Return the number that stands as text, commas between thousands or not; null where there is none.

    A decimal comma before three digits makes a figure a thousand times as large: out of every scale.
    """
    plain = text.str.strip_chars()
    plain = pl.when(plain.str.contains(_THOUSANDS)).then(plain.str.replace_all(",", "")).otherwise(plain)
    found = plain.cast(pl.Float64, strict=False)
    return pl.when(found.is_finite()).then(found)


def is_hidden(text: pl.Expr) -> pl.Expr:
    """Whether a cell says that its figure is not shown."""
    return text.is_in(layout("organisation").suppressed) | text.str.contains(_SAYS_HIDDEN)


def number(column: int | str) -> pl.Expr:
    """Return the numbers of a column."""
    return pl.col(f"{column}#")


def count(column: int | str) -> pl.Expr:
    """Return the numbers of responses in a column: of a text such as 2.000 nobody knows whether it is 2."""
    return pl.when(~pl.col(str(column)).str.contains(_DOTTED).fill_null(value=False)).then(number(column))


def state(column: int | str, read: Callable[[int | str], pl.Expr] = number) -> pl.Expr:
    """Say what each cell of a column is: a number, hidden, blank or something else."""
    text = pl.col(str(column))
    return (
        pl.when(read(column).is_not_null())
        .then(pl.lit(NUMBER))
        .when(text.is_null())
        .then(pl.lit(BLANK))
        .when(is_hidden(text))
        .then(pl.lit(HIDDEN))
        .otherwise(pl.lit(OTHER))
    )


def listed_rows(rows: Iterable[int], shown: int = 6) -> str:
    """List the first rows and say how many more there are."""
    found = list(rows)
    more = f" and {len(found) - shown} more" if len(found) > shown else ""
    return f"row{'s' if len(found) != 1 else ''} {', '.join(map(str, found[:shown]))}{more}"
