"""Levels of an ordinal outcome: those with few rows join a neighbour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.errors import LinkError

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array

#: Rows that a level needs to stand alone.
FEWEST_IN_LEVEL = 10


def merge_levels(y: Array, levels: tuple[str, ...], column: str) -> tuple[Array, tuple[str, ...], int, bool]:
    """Merge levels with fewer than ten rows with the neighbour nearer to the middle.

    Parameters
    ----------
    y : numpy.ndarray
        Positions in `levels`.
    levels : tuple of str
        All levels, worst first.
    column : str
        The outcome's column, for the error.

    Returns
    -------
    y : numpy.ndarray
        Positions in the levels that are left.
    levels : tuple of str
    reference : int
        Position of the level that starts the better half of the declared levels.
    merged : bool

    Raises
    ------
    LinkError
        When fewer than three levels are left.

    Examples
    --------
    >>> y = np.repeat([0.0, 1.0, 2.0, 3.0], [3, 20, 20, 20])
    >>> merge_levels(y, ("inadequate", "requires improvement", "good", "outstanding"), "rating")[1:3]
    (('inadequate or requires improvement', 'good', 'outstanding'), 1)
    """
    counts = np.bincount(y.astype(int), minlength=len(levels))
    used = [level for level in range(len(levels)) if counts[level]]
    groups = [[level] for level in used]
    sizes = [int(counts[level]) for level in used]
    merged = False
    while len(groups) > 1 and min(sizes) < FEWEST_IN_LEVEL:
        small = int(np.argmin(sizes))
        other = small + 1 if small < len(groups) / 2 and small + 1 < len(groups) else small - 1
        low, high = sorted((small, other))
        groups[low : high + 1] = [groups[low] + groups[high]]
        sizes[low : high + 1] = [sizes[low] + sizes[high]]
        merged = True
    if len(groups) < 3:
        raise LinkError(
            f"Outcome '{column}' has fewer than three levels with {FEWEST_IN_LEVEL} rows or more",
            where=f"column {column}",
            expected="at least three levels in use",
            hint="Recode it to 0 and 1 and use kind='binary'.",
        )
    position = np.zeros(len(levels), dtype=int)
    for i, group in enumerate(groups):
        position[group] = i
    wanted = len(levels) // 2
    reference = next((i for i, group in enumerate(groups) if max(group) >= wanted), len(groups) - 1)
    names = tuple(" or ".join(levels[level] for level in group) for group in groups)
    return position[y.astype(int)].astype(float), names, max(reference, 1), merged
