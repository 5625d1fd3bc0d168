"""Least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.links.solution import Solution, weighted_information

if TYPE_CHECKING:
    from culture_metrics.links.solution import Array


def solve_linear(y: Array, x: Array, weights: Array | None = None, *, constant: bool = True) -> Solution:
    """Solve (weighted) least squares by QR.

    Parameters
    ----------
    y, x : numpy.ndarray
        Outcome, and design matrix with its constant.
    weights : numpy.ndarray, optional
        Weights of the rows, as in a model with variance proportional to their inverse.
    constant : bool
        Whether `x` holds a constant, so that R squared is taken around the mean.

    Returns
    -------
    Solution
        `dispersion` is the residual variance.
    """
    w = np.ones_like(y) if weights is None else weights
    root = np.sqrt(w)
    q, r = np.linalg.qr(x * root[:, None])
    inverse = np.linalg.inv(r)
    params = inverse @ (q.T @ (y * root))
    fitted = x @ params
    residuals = (y - fitted) * root
    df = float(y.size - x.shape[1])
    squares = float(residuals @ residuals)
    variance = squares / df if df > 0 else float("nan")
    centre = np.average(y, weights=w) if constant else 0.0
    total = float(w @ (y - centre) ** 2)
    return Solution(
        params=params,
        bread=inverse @ inverse.T,
        scores=x * (residuals * root)[:, None],
        information=weighted_information(x, w),
        fitted=fitted,
        linear=fitted,
        dispersion=variance,
        scale=variance,
        df=df,
        leverage=(q**2).sum(axis=1),
        residuals=residuals,
        explained=1 - squares / total if total > 0 else float("nan"),
    )
