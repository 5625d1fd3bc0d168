"""Random intercepts for organisations: REML by a search over one ratio, then least squares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq

from culture_metrics.links.linear import solve_linear
from culture_metrics.links.products import along, cross
from culture_metrics.links.solution import starts_of

if TYPE_CHECKING:
    from culture_metrics.links.solution import Array, Integers, Solution

#: Search range of log(variance between / variance within); below it the variance between is on its boundary.
LOWEST, HIGHEST = -14.0, 14.0


@dataclass(frozen=True)
class RandomIntercept:
    """Solution of a random-intercept model, with its variances."""

    solution: Solution
    between: float
    within: float

    @property
    def icc(self) -> float:
        """Share of the variance that lies between organisations."""
        return self.between / (self.between + self.within)

    @property
    def boundary(self) -> bool:
        """Whether no variance between organisations was found."""
        return self.between <= 0


def solve_random_intercept(y: Array, x: Array, groups: Integers) -> RandomIntercept:
    """Fit a linear model with a random intercept for each group by restricted maximum likelihood.

    Parameters
    ----------
    y, x : numpy.ndarray
        Outcome, and design matrix with its constant.
    groups : numpy.ndarray
        Group of each row, rows sorted by it.

    Returns
    -------
    RandomIntercept
        Its solution's own covariance is that of generalised least squares at the variances found, as lme4
        reports it.

    Notes
    -----
    With one variance ratio the restricted likelihood has one free parameter, found where its derivative is
    zero: given the ratio, subtracting a
    share of each group's mean turns generalised into ordinary least squares (Fuller and Battese 1973).
    """
    starts = starts_of(groups)
    sizes = np.diff(np.r_[starts, y.size]).astype(float)
    both = np.column_stack([x, y])
    whole = cross(both, both)
    sums = np.add.reduceat(both, starts, axis=0)
    n, k = x.shape

    def slope(log_ratio: float) -> float:
        """Return the derivative of the restricted log-likelihood by the log of the ratio."""
        ratio = np.exp(log_ratio)
        spread = 1 + sizes * ratio
        products = whole - cross(sums * (ratio / spread)[:, None], sums)
        inverse = np.linalg.inv(products[:k, :k])
        params = inverse @ products[:k, k]
        squares = products[k, k] - params @ products[:k, k]
        shrunk = sums / spread[:, None]
        gain = (n - k) * ((shrunk[:, k] - along(shrunk[:, :k], params)) ** 2).sum() / squares
        cost = (sizes / spread).sum() - np.einsum("gi,ij,gj->", shrunk[:, :k], inverse, shrunk[:, :k])
        return float(0.5 * ratio * (gain - cost))

    boundary = slope(LOWEST) <= 0
    if boundary:
        ratio = 0.0
    elif slope(HIGHEST) >= 0:
        ratio = float(np.exp(HIGHEST))
    else:
        ratio = float(np.exp(brentq(slope, LOWEST, HIGHEST, xtol=1e-12)))
    share = (1 - 1 / np.sqrt(1 + sizes * ratio))[groups]
    means = (sums / sizes[:, None])[groups]
    moved = both - share[:, None] * means
    solution = solve_linear(moved[:, -1], moved[:, :-1])
    return RandomIntercept(solution, ratio * solution.dispersion, solution.dispersion)
