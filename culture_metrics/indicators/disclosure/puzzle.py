"""What somebody who reckons knows of hidden cells, and what follows about one of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.indicators.disclosure.rule import Rule

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

#: Two numbers of people nearer than this are the same.
SAME = 1e-6


@dataclass(frozen=True)
class Puzzle:
    """What is known of hidden cells: `matrix @ bases == rhs` and `lower <= bases <= upper`.

    `small` marks the cells to protect, `pooled` those that can make up a pool of too few respondents (one that
    is known to hold enough cannot). `counted` is the right side for the numbers counted in a percentage.
    `cells` and `rows` number the columns and rows in the whole release.
    """

    matrix: csr_array
    rhs: Floats
    lower: Floats
    upper: Floats
    small: Flags
    pooled: Flags
    cells: Numbers
    rows: Numbers
    counted: Floats | None = None

    def take(self, rows: Numbers, columns: Numbers) -> Puzzle:
        """Return the puzzle of some equations and cells."""
        return Puzzle(
            self.matrix[rows[:, None], columns],
            self.rhs[rows],
            self.lower[columns],
            self.upper[columns],
            self.small[columns],
            self.pooled[columns],
            self.cells[columns],
            self.rows[rows],
            None if self.counted is None else self.counted[rows],
        )

    def parts(self) -> tuple[Puzzle, list[Puzzle]]:
        """Part the equations that share no hidden cell with another from sets of cells that hang together."""
        equations, cells = self.matrix.shape
        entries = self.matrix.tocoo()
        graph = coo_array(
            (np.ones(entries.nnz), (entries.row, entries.col + equations)), shape=(equations + cells,) * 2
        )
        label = connected_components(graph, directed=False)[1]
        of_row, of_cell = label[:equations], label[equations:]
        rows_in = np.bincount(of_row, minlength=len(label))
        lone = self.take(np.flatnonzero(rows_in[of_row] == 1), np.flatnonzero(rows_in[of_cell] == 1))
        several = np.flatnonzero((rows_in > 1) & (np.bincount(of_cell, minlength=len(label)) > 0))
        rows, columns = (np.argsort(of, kind="stable") for of in (of_row, of_cell))
        ends = [
            np.searchsorted(of[order], several, side)
            for of, order in ((of_row, rows), (of_cell, columns))
            for side in ("left", "right")
        ]
        return lone, [self.take(rows[i:j], columns[k:m]) for i, j, k, m in zip(*ends, strict=True)]


@dataclass(frozen=True)
class Finding:
    """What follows about one hidden cell (numbered as in the release).

    Its base lies between `low` and `high`. In the smallest pool of hidden cells with it whose sum follows are
    `size` people, `counted` of them counted (NaN: it is in none). `rows` are the equations by which one finds
    out, `weights` the sums of them that do it (one a line), or None where it takes a search over all.
    """

    cell: int
    low: float
    high: float
    size: float
    counted: float
    small: bool
    rows: Numbers
    weights: Floats | None

    def breaks(self, rule: Rule) -> str:
        """Say why that is too much: `pool`, `base` or `count`; nothing where it is not."""
        if self.high <= SAME:
            return ""  # nobody is there
        if SAME < self.size < rule.minimum_base - SAME:
            return "pool"
        if self.small and self.high - self.low < rule.protection - SAME:
            return "base"
        if rule.minimum_count and self.size > SAME:
            least = min(self.counted, self.size - self.counted)
            return "count" if least < rule.minimum_count - SAME else ""
        return ""
