"""The terms of equations, one after the other: what a sparse matrix is, without its overhead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import coo_array, csr_array

    from culture_metrics.disclosure.release import Floats, Numbers


@dataclass(frozen=True)
class Terms:
    """By term: its equation, its cell and its sign; `shape` is how many equations and cells there are."""

    row: Numbers
    cell: Numbers
    sign: Floats
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix: csr_array) -> Terms:
        """List the terms of a matrix."""
        rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
        return cls(rows, matrix.indices.astype(np.int64), matrix.data, matrix.shape)

    def take(self, rows: Numbers, cells: Numbers) -> Terms:
        """Return the terms of some equations and cells, numbered anew."""
        row, cell = np.full(self.shape[0], -1), np.full(self.shape[1], -1)
        row[rows], cell[cells] = np.arange(len(rows)), np.arange(len(cells))
        row, cell = row[self.row], cell[self.cell]
        kept = (row >= 0) & (cell >= 0)
        return Terms(row[kept], cell[kept], self.sign[kept], (len(rows), len(cells)))

    def times(self, numbers: Floats) -> Floats:
        """Sum the terms of each equation."""
        return np.bincount(self.row, self.sign * numbers[self.cell], self.shape[0]).astype(float)

    @property
    def matrix(self) -> coo_array:
        """The same as a matrix."""
        from scipy.sparse import coo_array

        return coo_array((self.sign, (self.row, self.cell)), shape=self.shape)
