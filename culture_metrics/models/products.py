"""Products of tall matrices in blocks of rows that stay on one thread.

The matrices here are tall and narrow. On them a threaded BLAS gains nothing, and where the processor is
shared it waits for its other threads: a run then takes many times as long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array

#: Sizes under which OpenBLAS takes one thread: of a matrix times a vector, and of a product of matrices.
VECTOR, MATRIX = 9_000, 250_000


def cross(x: Array, y: Array) -> Array:
    """Return x' y, summed over rows; y may be a vector.

    Examples
    --------
    >>> cross(np.ones((3, 1)), np.arange(3.0))
    array([3.])
    """
    other = y[:, None] if y.ndim == 1 else y
    rows = _rows(x.shape[1], other.shape[1])
    if x.shape[0] <= rows:
        return np.asarray(x.T @ y)
    whole = x.shape[0] // rows * rows
    left = x[:whole].reshape(-1, rows, x.shape[1]).transpose(0, 2, 1)
    found = (left @ other[:whole].reshape(-1, rows, other.shape[1])).sum(axis=0)
    found = found + x[whole:].T @ other[whole:]
    return np.asarray(found[:, 0] if y.ndim == 1 else found)


def along(x: Array, b: Array) -> Array:
    """Return x b for a tall x; b may be a vector.

    Examples
    --------
    >>> along(np.ones((3, 2)), np.array([1.0, 2.0]))
    array([3., 3., 3.])
    """
    rows = _rows(x.shape[1], 1 if b.ndim == 1 else b.shape[1])
    if x.shape[0] <= rows:
        return np.asarray(x @ b)
    whole = x.shape[0] // rows * rows
    first = (x[:whole].reshape(-1, rows, x.shape[1]) @ b).reshape(whole, *b.shape[1:])
    return np.concatenate([first, x[whole:] @ b])


def _rows(columns: int, others: int) -> int:
    """Return how many rows a block may have."""
    return max(1, VECTOR // columns if others == 1 else MATRIX // (columns * others))
