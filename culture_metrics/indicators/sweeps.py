"""Sweeps over margins: iterative proportional fitting, trimming, and when to stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.margins import Margin

    Numbers = NDArray[np.float64]

#: How often weights are trimmed and raked again at most.
ROUNDS = 50


def sweep(weights: Numbers, margins: Sequence[Margin]) -> Numbers:
    """Bring weights (respondents, or respondents × replicates) to each margin in turn."""
    for margin in margins:
        sums = _category_sums(weights, margin)
        wanted = margin.target.reshape(-1, *[1] * (weights.ndim - 1)) * weights.sum(axis=0)
        ratio = np.divide(wanted, sums, out=np.ones_like(sums), where=sums > 0)
        weights = weights * ratio[margin.codes]
    return weights


def trim_weights(weights: Numbers, top: float) -> Numbers:
    """Cut weights at `top` and spread what is cut off evenly over the others, until none is above.

    The sum stays; `top` must be above the mean. This is `trimWeights(strict = TRUE)` of R's survey package,
    whose rounds come to it in the end: those below the top get the same amount each.

    Examples
    --------
    >>> trim_weights(np.array([1.0, 1.0, 4.0]), 3.0).tolist()
    [1.5, 1.5, 3.0]
    """
    if not weights.max() > top:
        return weights
    order = np.sort(weights)[::-1]
    largest = np.arange(len(order))
    # What each other one gets when so many of the largest are cut: the fewest that leave none above the top.
    more = (np.append(0.0, np.cumsum(order)[:-1]) - largest * top) / (len(order) - largest)
    return np.asarray(np.minimum(weights + more[np.argmax(order + more <= top * (1 + 1e-12))], top))


def fit(
    margins: Sequence[Margin], n: int, trim: float | None, tolerance: float, iterations: int
) -> tuple[Numbers, int, bool, float]:
    """Sweep `n` equal weights, trim them and sweep again, until all holds or no more can be done.

    Returns
    -------
    weights, sweeps, met, gap
        Weights with a mean of 1, how many sweeps it took, whether the margins are met within the trim, and
        how far the share of a category is off at most.
    """
    weights, swept = np.ones(n), 0
    for _ in range(ROUNDS):
        while swept < iterations and _gap(weights, margins) > tolerance:
            weights, swept = sweep(weights, margins), swept + 1
        if trim is None or weights.max() <= trim * weights.mean() * (1 + 1e-12):
            break
        weights = trim_weights(weights, trim * weights.mean())
    weights = weights / weights.mean()
    within = trim is None or weights.max() <= trim * (1 + 1e-9)
    gap = _gap(weights, margins)
    return weights, swept, bool(gap <= tolerance and within), gap


def _gap(weights: Numbers, margins: Sequence[Margin]) -> float:
    total = weights.sum()
    return max(float(np.abs(_category_sums(weights, m) / total - m.target).max()) for m in margins)


def _category_sums(weights: Numbers, margin: Margin) -> Numbers:
    if weights.ndim == 1:
        return np.asarray(np.bincount(margin.codes, weights, len(margin.target)), np.float64)
    order = np.argsort(margin.codes, kind="stable")
    starts = np.searchsorted(margin.codes[order], np.arange(len(margin.target)))
    sums = np.add.reduceat(weights[order], np.minimum(starts, len(order) - 1), axis=0)
    sums[np.diff(np.append(starts, len(order))) == 0] = 0.0
    return np.asarray(sums)
