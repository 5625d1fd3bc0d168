"""Least squares."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.models.products import along, cross
from culture_metrics.models.solution import Solution, weighted_information

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array, Integers


def solve_linear(
    y: Array,
    x: Array,
    weights: Array | None = None,
    *,
    constant: bool = True,
    absorbed: Integers | None = None,
) -> Solution:
    """Solve (weighted) least squares.

    Parameters
    ----------
    y, x : numpy.ndarray
        Outcome, and design matrix with its constant.
    weights : numpy.ndarray, optional
        Weights of the rows, as in a model with variance proportional to their inverse.
    constant : bool
        Whether `x` holds a constant, so that R squared is taken around the mean.
    absorbed : numpy.ndarray, optional
        Group of each row, from 0, where `y` and `x` are deviations from the groups' (weighted) means.

    Returns
    -------
    Solution
        `dispersion` is the residual variance.

    Notes
    -----
    With absorbed groups slopes, degrees of freedom and leverages are those of the regression with a dummy
    for each group (Frisch, Waugh and Lovell): a row's leverage is its share of its group's weight plus that
    in the deviations.
    """
    w = np.ones_like(y) if weights is None else weights
    heavy = x * w[:, None]
    products = cross(heavy, x)
    length = np.sqrt(np.diag(products))
    inverse = np.linalg.inv(products / np.outer(length, length)) / np.outer(length, length)
    params = inverse @ cross(heavy, y)
    # One step of refinement: as exact as an orthogonal decomposition for columns that are not aliased.
    params = params + inverse @ cross(heavy, y - along(x, params))
    fitted = along(x, params)
    residuals = (y - fitted) * np.sqrt(w)
    effects = 0 if absorbed is None else int(absorbed.max()) + 1
    df = float(y.size - x.shape[1] - effects)
    squares = float(residuals @ residuals)
    variance = squares / df if df > 0 else float("nan")
    centre = np.average(y, weights=w) if constant else 0.0
    total = float(w @ (y - centre) ** 2)
    leverage = (along(heavy, inverse) * x).sum(axis=1)
    if absorbed is not None:
        leverage = leverage + w / np.bincount(absorbed, weights=w)[absorbed]
    return Solution(
        params=params,
        bread=inverse,
        scores=heavy * (y - fitted)[:, None],
        information=weighted_information(x, w),
        fitted=fitted,
        linear=fitted,
        dispersion=variance,
        scale=variance,
        df=df,
        absorbed=effects,
        leverage=leverage,
        residuals=residuals,
        explained=1 - squares / total if total > 0 else float("nan"),
    )
