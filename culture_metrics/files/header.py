"""Find the row that names the columns, by what the caller looks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Row = Sequence[str | None]

#: How many rows are looked at to find the header.
HEAD_ROWS = 60


def _nothing_below(rows: Sequence[Row], header: int) -> int:
    return 0


def _any_table(rows: Sequence[Row], header: int | None, where: str) -> None:
    pass


@dataclass(frozen=True)
class Look:
    """What a reader looks for in the first rows of a table.

    Attributes
    ----------
    score : callable
        How surely a row names the columns; 0 where it does not.
    below : callable
        How many rows right under the header hold no data, from the rows and the position of the header.
    check : callable
        Stops at a table that the reader has no use for, from the rows, the position of the header (None where
        no row names the columns) and the place.
    header : int, optional
        Position of the header where the caller names it.
    """

    score: Callable[[Row], int]
    below: Callable[[Sequence[Row], int], int] = _nothing_below
    check: Callable[[Sequence[Row], int | None, str], None] = _any_table
    header: int | None = None

    def find(self, rows: Sequence[Row]) -> int | None:
        """Return the position of the header: the one named by the caller, or the row with the best score."""
        if self.header is None:
            return find_header(rows, self.score)
        return self.header if self.header < len(rows) else None


def find_header(rows: Sequence[Row], score: Callable[[Row], int]) -> int | None:
    """Return the position of the row with the highest score, of equals the first; None when all are 0.

    Examples
    --------
    >>> find_header([["Results"], ["code", "year"], ["RXX", "2024"]], lambda row: int("code" in row))
    1
    """
    scores = [score(row) for row in rows]
    best = max(scores, default=0)
    return scores.index(best) if best > 0 else None


def widest_row(rows: Sequence[Row]) -> int:
    """Return the position of the first of the rows with most filled cells: the header, if there is one."""
    filled = [sum(bool(cell and cell.strip()) for cell in row) for row in rows]
    return filled.index(max(filled)) if filled else 0
