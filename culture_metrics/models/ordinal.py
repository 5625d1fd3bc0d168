"""Ordered logit: cumulative logits with one common slope for each column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from culture_metrics.models.solution import Solution

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array, Integers

ROUNDS, TOLERANCE = 60, 1e-11


def solve_ordinal(y: Array, x: Array, weights: Array | None = None) -> Solution:
    """Solve an ordered logit by Newton's method with the observed information.

    Parameters
    ----------
    y : numpy.ndarray
        Positions of the levels, 0 to k-1, every one of them present.
    x : numpy.ndarray
        Design matrix without a constant.
    weights : numpy.ndarray, optional
        Weights of the rows.

    Returns
    -------
    Solution
        `params` holds the slopes, then the k-1 thresholds, with P(y <= j) = expit(threshold_j - x slopes).
        `fitted` is the probability of the level observed, `linear` is x slopes.

    Notes
    -----
    McCullagh (1980). The log-likelihood is concave in slopes and thresholds, so Newton's method with halved
    steps finds its maximum or runs off when the levels are separated.

    statsmodels' `OrderedModel` is not used because it takes no weights and gives up short of the maximum. On
    the reference panel (R's `ordinal::clm`; a test) its slope is 7e-4 off with the default stopping rule and
    its standard errors, from numerical derivatives, 6e-7 at best; here both agree within 1e-11. On 1,760 rows
    it takes 0.6 s (BFGS) to 15 s (Newton), against 7 ms.
    """
    levels = y.astype(int)
    k = int(levels.max()) + 1
    columns = x.shape[1]
    w = np.ones(y.size) if weights is None else weights
    share = np.cumsum(np.bincount(levels, weights=w, minlength=k))[:-1] / w.sum()
    params = np.r_[np.zeros(columns), np.log(share / (1 - share))]
    value, settled = _log_likelihood(params, levels, x, w), False
    for _ in range(ROUNDS):
        scores, rows = _derivatives(params, levels, x, w)
        information = _information(*rows)
        pull = scores.sum(axis=0)
        try:
            step = np.linalg.solve(information, pull)
        except np.linalg.LinAlgError:
            break
        gain = float(pull @ step)
        if not np.isfinite(gain):
            break
        length, new = 1.0, -np.inf
        while length > 1e-4:
            new = _log_likelihood(params + length * step, levels, x, w)
            if new >= value - 1e-9 * abs(value):
                break
            length /= 2
        params, value = params + length * step, new
        if gain < TOLERANCE:
            settled = True
            break
    scores, (edges, curve) = _derivatives(params, levels, x, w)
    information = _information(edges, curve)
    try:
        bread = np.asarray(np.linalg.inv(information), dtype=float)
    except np.linalg.LinAlgError:
        bread, settled = np.full_like(information, np.nan), False

    def by_group(starts: Integers) -> Array:
        products = edges.transpose(0, 2, 1) @ (curve @ edges)
        return np.asarray(np.add.reduceat(products, starts, axis=0))

    alone = float(np.bincount(levels, weights=w) @ np.log(np.diff(np.r_[0.0, share, 1.0])))
    upper, lower = _edges(params, levels, x)
    return Solution(
        params=params,
        bread=bread,
        scores=scores,
        information=by_group,
        fitted=expit(upper) - expit(lower),
        linear=x @ params[:columns],
        dispersion=1.0,
        scale=1.0,
        df=float(y.size - params.size),
        exact_scale=True,
        converged=settled and bool((np.diag(bread) > 0).all()),
        log_likelihood=value,
        explained=1 - value / alone if alone else float("nan"),
    )


def probability_above(solution: Solution, columns: int, level: int, linear: Array) -> Array:
    """Return the probability of `level` (a position) or better, given x slopes."""
    return np.asarray(expit(linear - solution.params[columns + level - 1]))


def _edges(params: Array, levels: Integers, x: Array) -> tuple[Array, Array]:
    """Return the linear predictors at the upper and lower edge of each row's level."""
    columns = x.shape[1]
    thresholds = np.r_[-np.inf, params[columns:], np.inf]
    linear = x @ params[:columns]
    return thresholds[levels + 1] - linear, thresholds[levels] - linear


def _log_likelihood(params: Array, levels: Integers, x: Array, w: Array) -> float:
    upper, lower = _edges(params, levels, x)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(w @ np.log(expit(upper) - expit(lower)))
    return value if np.isfinite(value) else -np.inf


def _information(edges: Array, curve: Array) -> Array:
    """Sum E' C E over rows."""
    width = edges.shape[2]
    return np.asarray(edges.reshape(-1, width).T @ (curve @ edges).reshape(-1, width))


def _derivatives(params: Array, levels: Integers, x: Array, w: Array) -> tuple[Array, tuple[Array, Array]]:
    """Return scores, and the observed information as edges' E x E' with a 2 x 2 curve for each row."""
    columns, k = x.shape[1], params.size - x.shape[1] + 1
    upper, lower = _edges(params, levels, x)
    high, low = expit(upper), expit(lower)
    density_high, density_low = high * (1 - high), low * (1 - low)
    mass = np.maximum(high - low, 1e-300)
    edges = np.zeros((levels.size, 2, params.size))
    edges[:, 0, :columns] = edges[:, 1, :columns] = -x
    row = np.arange(levels.size)
    top, bottom = levels < k - 1, levels > 0
    edges[row[top], 0, columns + levels[top]] = 1
    edges[row[bottom], 1, columns + levels[bottom] - 1] = 1
    slope = np.stack([density_high, -density_low], axis=1) / mass[:, None]
    scores = np.einsum("ia,iaj->ij", slope * w[:, None], edges)
    curve = slope[:, :, None] * slope[:, None, :]
    curve[:, 0, 0] -= density_high * (1 - 2 * high) / mass
    curve[:, 1, 1] += density_low * (1 - 2 * low) / mass
    return scores, (edges, curve * w[:, None, None])
