"""The rows of figures of the detailed spreadsheets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl

from culture_metrics.files.workbooks import FIGURES, TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.files.workbooks import Workbook
    from culture_metrics.published.layout import Table

Grid = npt.NDArray[Any]


@dataclass(frozen=True)
class Body:
    """The rows under the header of one sheet.

    `ids` has the id columns as text and `row` as Excel counts; `numbers` every figure with full precision,
    NaN where a cell is no number, its columns counted from `first`; `gaps` are the columns with such cells,
    `text` is what stands in them.
    """

    ids: pl.DataFrame
    numbers: Grid
    first: int
    gaps: tuple[int, ...]
    text: pl.DataFrame


def load_bodies(book: Workbook, tables: Sequence[Table]) -> list[Body]:
    """Return the rows of figures of every table."""
    return book.in_threads(tables, _body)


def _body(book: Workbook, table: Table) -> Body:
    """Load numbers as numbers: loaded as text they would keep nine decimals only."""
    first, last, start = table.first, table.last, table.header_row + 1
    types = dict.fromkeys(range(first), TEXT) | dict.fromkeys(range(first, last + 1), FIGURES)
    frame = book.load(table.sheet, types, start, range(last + 1))
    rows = pl.int_range(start + 1, start + 1 + frame.height, eager=True)
    ids = frame.select(rows.alias("row"), *(pl.nth(i).alias(name) for name, i in table.ids.items()))
    numbers = frame[:, first:].to_numpy()
    there = ids.select(pl.any_horizontal(pl.exclude("row").is_not_null())).to_series().to_numpy()
    gaps = [first + int(i) for i in np.isnan(numbers[there]).any(axis=0).nonzero()[0]]
    text = book.load(table.sheet, TEXT, start, gaps) if gaps else pl.DataFrame()
    return Body(ids, numbers, first, tuple(gaps), text)
