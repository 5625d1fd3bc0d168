"""One pass over the answers: counts and sums of weights per cell, from which every estimate follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from culture_metrics.indicators.cells import Cells

    Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Per cell, over the respondents in the base: n, Σw, Σw², the weighted mean, and Σw²(y - mean)²."""

    count: Numbers
    weight: Numbers
    weight2: Numbers
    mean: Numbers
    spread: Numbers


def value_moments(values: pl.Series, cells: Cells, weight: Numbers | None) -> Moments:
    """Tally a score: the mean first, then the squares around it, which keeps their digits."""
    there = values.is_not_null().to_numpy()
    y = values.fill_null(0.0).to_numpy()
    w = there.astype(np.float64) if weight is None else np.where(there, weight, 0.0)
    total, sums = _sum(cells, w), _sum(cells, w * y)
    with np.errstate(invalid="ignore"):
        mean = sums / total
    if weight is None:
        count = weight2 = total
    else:
        count, weight2 = _sum(cells, there.astype(np.float64)), _sum(cells, w * w)
    spread = np.concatenate(
        [
            _bins(block.of, block.size, (w * (y - _own(mean, block.start, block.size, block.of))) ** 2)
            for block in cells
        ]
    )
    return Moments(count, total, weight2, mean, spread)


def code_sums(answers: pl.Series, cells: Cells, top: int, weight: Numbers | None) -> NDArray[np.float64]:
    """Tally the answers 0 to `top` of a question: an array [n, Σw, Σw²] × cell × code."""
    width = top + 2  # the last column takes those who gave no answer
    codes = answers.fill_null(top + 1).to_numpy()

    def fill(w: Numbers | None) -> Numbers:
        parts = (_bins(b.of * width + codes, b.size * width, w).reshape(-1, width) for b in cells)
        return np.concatenate([*parts])[:, : top + 1].astype(np.float64)

    count = fill(None)
    if weight is None:
        return np.broadcast_to(count, (3, *count.shape))
    return np.stack([count, fill(weight), fill(weight * weight)])


def share_moments(sums: NDArray[np.float64], positive: Sequence[int], base: Sequence[int]) -> Moments:
    """Turn the sums of codes into those of a percentage: 100 for `positive` codes, 0 for the rest of `base`."""
    count, weight, weight2 = sums[:, :, list(base)].sum(axis=2)
    _, counted, counted2 = sums[:, :, list(positive)].sum(axis=2)
    with np.errstate(invalid="ignore"):
        share = counted / weight
    spread = counted2 * (1 - share) ** 2 + (weight2 - counted2) * share**2
    return Moments(count, weight, weight2, 100 * share, 1e4 * spread)


def _sum(cells: Cells, weight: Numbers) -> Numbers:
    return np.concatenate([_bins(b.of, b.size, weight) for b in cells])


def _bins(of: NDArray[np.int64], size: int, weight: Numbers | None) -> Numbers:
    return np.bincount(of, weights=weight, minlength=size)[:size]


def _own(mean: Numbers, start: int, size: int, of: NDArray[np.int64]) -> Numbers:
    """Return the mean of each respondent's own cell."""
    return np.append(np.nan_to_num(mean[start : start + size]), 0.0)[of]
