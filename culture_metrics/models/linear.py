"""Least squares, by statsmodels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.errors import LinkError
from culture_metrics.models.solution import Solution, quietly, unit_columns, weighted_information

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

    Raises
    ------
    LinkError
        When columns can be worked out from the others: statsmodels would return the smallest solution and
        only warn.

    Notes
    -----
    statsmodels' `WLS`. It cannot absorb groups: with absorbed groups slopes, degrees of freedom and leverages
    are made those of the regression with a dummy for each group (Frisch, Waugh and Lovell). A row's leverage
    is its share of its group's weight plus that in the deviations. Left alone, `WLS` on the deviations gives
    the same slopes and errors too small by the root of (N - K) / (N - K - groups), 30 % with two years.
    """
    from statsmodels.regression.linear_model import WLS

    w = np.ones_like(y) if weights is None else weights
    effects = 0 if absorbed is None else int(absorbed.max()) + 1
    unit, length = unit_columns(x)
    model = WLS(y, unit, w, hasconst=constant)
    model.df_resid = float(y.size - x.shape[1] - effects)
    with quietly():
        found = model.fit()
    if model.rank < x.shape[1]:
        raise LinkError("Columns of a model can be worked out from the others", hint="Leave out controls.")
    leverage = (model.wexog * model.pinv_wexog.T).sum(axis=1)
    if absorbed is not None:
        leverage = leverage + w / np.bincount(absorbed, weights=w)[absorbed]
    variance = float(found.scale) if model.df_resid > 0 else float("nan")
    return Solution(
        params=found.params / length,
        bread=found.normalized_cov_params / np.outer(length, length),
        scores=x * (w * found.resid)[:, None],
        information=weighted_information(x, w),
        fitted=found.fittedvalues,
        linear=found.fittedvalues,
        dispersion=variance,
        scale=variance,
        df=model.df_resid,
        absorbed=effects,
        leverage=leverage,
        residuals=found.wresid,
        explained=float(found.rsquared) if y.any() else float("nan"),
    )
