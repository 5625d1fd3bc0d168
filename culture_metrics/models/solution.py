"""What every estimator returns: the solution of its estimating equations, in one shape."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Integers = NDArray[np.int64]

#: A row whose leverage is nearer to 1 than this is fitted exactly.
FITTED_EXACTLY = 1e-9
#: A column with less of its length to itself counts as aliased; below the second share it is looked at again.
ALIASED, DOUBTFUL = 1e-7, 1e-5


@dataclass(frozen=True)
class Solution:
    """Solution of estimating equations, of whatever family, before any choice of covariance.

    Attributes
    ----------
    params : numpy.ndarray
        Estimates on the link scale.
    bread : numpy.ndarray
        Inverse of the information, without dispersion.
    scores : numpy.ndarray
        Contribution of each row to the estimating equations (rows by parameters); they sum to zero.
    information : callable
        Information of each group of rows, given where each group starts (groups by parameters squared).
    fitted, linear : numpy.ndarray
        Mean on the scale of the outcome, and linear predictor.
    dispersion : float
        Residual variance, or Pearson chi-squared over its degrees of freedom.
    scale : float
        Dispersion that the model itself assumes: the residual variance of least squares, 1 of a binomial.
    df : float
        Residual degrees of freedom: rows less everything that was estimated, absorbed effects included.
    absorbed : int
        Effects of groups that were taken out of outcome and columns before: estimated, but not in `params`.
    exact_scale : bool
        The scale is known, not estimated, so the model's own errors are normal rather than t.
    converged : bool
        Whether the equations were solved.
    leverage : numpy.ndarray or None
        Diagonal of the hat matrix, where there is one; with absorbed effects that of all dummies.
    residuals : numpy.ndarray or None
        Pearson residuals (for a linear model the residuals times the root of the weights).
    log_likelihood : float
        Log-likelihood, or NaN.
    explained : float
        R squared of a linear model, share of the deviance explained of another, or NaN.
    """

    params: Array
    bread: Array
    scores: Array
    information: Callable[[Integers], Array]
    fitted: Array
    linear: Array
    dispersion: float
    scale: float
    df: float
    absorbed: int = 0
    exact_scale: bool = False
    converged: bool = True
    leverage: Array | None = None
    residuals: Array | None = None
    log_likelihood: float = float("nan")
    explained: float = float("nan")

    @property
    def estimated(self) -> int:
        """Number of figures that the rows have been spent on."""
        return self.params.size + self.absorbed

    @property
    def free(self) -> Array | None:
        """One less each row's leverage; infinite where a row has a column to itself, as a year's only row.

        Such a row is fitted exactly: what is divided by infinity carries nothing.
        """
        if self.leverage is None:
            return None
        free = 1 - self.leverage
        return np.where(free < FITTED_EXACTLY, np.inf, free)


@contextmanager
def quietly() -> Iterator[None]:
    """Let statsmodels work on one thread, without its warnings: what they warn of is looked at afterwards."""
    with one_blas_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def unit_columns(x: Array) -> tuple[Array, Array]:
    """Return columns with a root mean square of 1, and what they were divided by.

    statsmodels tells rank and convergence by the largest column: pounds beside shares would look aliased.
    """
    length = np.sqrt((x**2).mean(axis=0))
    length = np.where(length > 0, length, 1.0)
    return x / length, length


def own_share(x: Array) -> Array:
    """Return the share of each column's length that the columns before it do not hold."""
    unit = unit_columns(x)[0] / np.sqrt(x.shape[0])
    try:
        own = np.diag(np.linalg.cholesky(unit.T @ unit))
    except np.linalg.LinAlgError:
        own = np.zeros(x.shape[1])
    # Products lose half of the figures: what looks aliased is looked at again without them.
    return own if own.min() > DOUBTFUL else np.abs(np.diag(np.linalg.qr(unit, mode="r")))


def unsolved(rows: int, columns: int) -> Solution:
    """Return a solution without figures, for equations that have none."""
    empty = np.full((columns, columns), np.nan)
    return Solution(
        params=empty[0],
        bread=empty,
        scores=np.full((rows, columns), np.nan),
        information=lambda starts: np.full((starts.size, columns, columns), np.nan),
        fitted=np.full(rows, np.nan),
        linear=np.full(rows, np.nan),
        dispersion=np.nan,
        scale=np.nan,
        df=float(rows - columns),
        converged=False,
    )


def weighted_information(x: Array, weights: Array) -> Callable[[Integers], Array]:
    """Return the information of groups of rows for a model whose rows contribute w x x'."""

    def information(starts: Integers) -> Array:
        products = (x * weights[:, None])[:, :, None] * x[:, None, :]
        return np.asarray(np.add.reduceat(products, starts, axis=0))

    return information


def group_means(values: Array, groups: Integers, weights: Array | None = None) -> Array:
    """Return the (weighted) mean of each group, groups numbered from 0."""
    if weights is None:
        return np.asarray(np.bincount(groups, weights=values) / np.bincount(groups))
    return np.asarray(np.bincount(groups, weights=weights * values) / np.bincount(groups, weights=weights))


def starts_of(groups: Integers) -> Integers:
    """Return where each group starts in rows that are sorted by group."""
    return np.flatnonzero(np.r_[True, groups[1:] != groups[:-1]])
