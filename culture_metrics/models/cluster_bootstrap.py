"""The bootstrap of organisations: whole organisations are drawn again, with all their years."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.models.solution import starts_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.models.solution import Array, Integers

#: Draws worked on at a time, to bound the memory.
BATCH = 500


def drawn_products(z: Array, groups: Integers, draws: int, seed: int) -> Iterator[Array]:
    """Yield the cross products z'z of bootstrap samples of organisations, in batches.

    Everything that least squares on such a sample gives follows from its cross products, so no sample is
    ever laid out. A batch has the shape (draws, columns, columns).

    Parameters
    ----------
    z : numpy.ndarray
        Columns of the model, the outcome among them; rows sorted by organisation.
    groups : numpy.ndarray
        Organisation of each row.
    draws, seed : int
        How many samples; the same seed gives the same samples.
    """
    starts = starts_of(groups)
    own = np.add.reduceat(z[:, :, None] * z[:, None, :], starts, axis=0)
    many, columns = own.shape[0], own.shape[1]
    rng = np.random.default_rng(seed)
    for first in range(0, draws, BATCH):
        size = min(BATCH, draws - first)
        counts = rng.multinomial(many, np.full(many, 1 / many), size=size).astype(float)
        yield (counts @ own.reshape(many, -1)).reshape(size, columns, columns)


def solved(products: Array, y: int, x: list[int]) -> Array:
    """Return the least-squares slopes of column `y` on columns `x`, one row for each set of cross products.

    A sample in which the columns are aliased (a region that was not drawn) gets the smallest solution.
    """
    inside = products[:, x][:, :, x]
    return np.asarray((np.linalg.pinv(inside, hermitian=True) @ products[:, x, y][..., None])[..., 0])
