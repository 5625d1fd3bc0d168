"""Strata as a multilevel model: restricted maximum likelihood from bases, means and the variance within."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

#: Nodes of the spread between strata, and how far below the peak of the log likelihood counts for nothing.
NODES, NEGLIGIBLE = 160, 15.0
LEVEL = 0.95


@dataclass(frozen=True)
class Strata:
    """People in strata y = x'b + u + e, u ~ N(0, between), e ~ N(0, within).

    Attributes
    ----------
    within, between : float
        Variances.
    share, share_low, share_high : float
        Share of variance between strata (variance partition coefficient) with its 95 % interval.
    fixed, value, error : array
        By stratum: x'b, x'b + u, and the standard error of the latter.
    beyond, beyond_error : array
        u and its standard error.
    kept : array
        How much of the distance from x'b is kept.
    df : float
        Degrees of freedom of the variance within.
    """

    within: float
    between: float
    share: float
    share_low: float
    share_high: float
    fixed: Numbers
    value: Numbers
    error: Numbers
    beyond: Numbers
    beyond_error: Numbers
    kept: Numbers
    df: float


def fit_strata(mean: Numbers, base: Numbers, squares: float, design: Numbers) -> Strata:
    """Fit the model by restricted maximum likelihood.

    Parameters
    ----------
    mean, base : array
        Of each stratum.
    squares : float
        Sum of squares within strata.
    design : array
        Strata × columns, of full rank, with fewer columns than strata.

    Notes
    -----
    With people alike within strata but for chance, bases, means and the sum of squares within say all that
    the data say. Estimates are those of lme4 (REML). Errors also count that the spread between strata is
    estimated: they are averaged over it, by the restricted likelihood with a flat prior on its standard
    deviation (Gelman 2006), so that a spread estimated as 0 does not make them vanish; they are never taken
    for more than the error of the stratum's own mean.

    Examples
    --------
    >>> found = fit_strata(np.array([1.0, 3.0, 5.0]), np.array([9.0, 9.0, 9.0]), 216.0, np.ones((3, 1)))
    >>> round(found.within, 6), round(found.between, 6)
    (9.0, 3.0)
    """
    from scipy.optimize import minimize_scalar

    model = _Model(mean, base, squares, design)
    # Spread over within, as standard deviations: s = scale u / (1 - u).
    scale = np.sqrt(1 / np.mean(base)) + np.std(mean) / np.sqrt(squares / (base.sum() - len(base)))
    u = (np.arange(NODES) + 0.5) / NODES
    s = scale * u / (1 - u)
    density = -0.5 * model.deviance(s**2)
    best = int(density.argmax())
    ends = s[max(best - 1, 0)] if best else 0.0, s[min(best + 1, NODES - 1)]
    found = minimize_scalar(
        lambda x: float(model.deviance(np.array([x**2]))[0]),
        bounds=ends,
        method="bounded",
        options={"xatol": 1e-10},
    )
    ratio = float(found.x) ** 2
    if model.deviance(np.array([0.0]))[0] <= found.fun + 1e-9:
        ratio = 0.0
    one = model.at(np.array([ratio]))
    within = float(one.within[0])
    # Density of s on even steps of u.
    p = (
        np.exp(np.where(density > density.max() - NEGLIGIBLE, density - density.max(), -np.inf))
        / (1 - u) ** 2
    )
    p /= p.sum()
    every = model.at(s**2)
    value, beyond = one.value[:, 0], one.beyond[:, 0]
    errors = [
        np.sqrt(((spread**2 + (centre - point[:, None]) ** 2) * p).sum(axis=1))
        for centre, spread, point in (
            (every.value, every.error, value),
            (every.beyond, every.beyond_error, beyond),
        )
    ]
    shares = s**2 / (1 + s**2)
    low, high = np.interp([(1 - LEVEL) / 2, (1 + LEVEL) / 2], np.cumsum(p) - p / 2, shares)
    return Strata(
        within=within,
        between=ratio * within,
        share=ratio / (1 + ratio),
        share_low=float(low),
        share_high=float(high),
        fixed=one.fixed[:, 0],
        value=value,
        error=np.minimum(errors[0], np.sqrt(within / base)),
        beyond=beyond,
        beyond_error=errors[1],
        kept=ratio / (ratio + 1 / base),
        df=float(base.sum() - len(base)),
    )


@dataclass(frozen=True)
class _At:
    """The model at given ratios of variances: strata × ratios."""

    within: Numbers
    fixed: Numbers
    value: Numbers
    error: Numbers
    beyond: Numbers
    beyond_error: Numbers


class _Model:
    def __init__(self, mean: Numbers, base: Numbers, squares: float, design: Numbers) -> None:
        self.mean, self.base, self.squares, self.design = mean, base, squares, design
        self.df = base.sum() - design.shape[1]

    def _solve(self, ratio: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers]:
        """Return weights, X'WX, fitted values and the variance within, at each ratio."""
        weight = 1 / (ratio[None, :] + 1 / self.base[:, None])
        cross = np.einsum("jp,jr,jq->rpq", self.design, weight, self.design)
        right = np.einsum("jp,jr,j->rp", self.design, weight, self.mean)
        fixed = self.design @ np.linalg.solve(cross, right[..., None])[..., 0].T
        rest = self.mean[:, None] - fixed
        return weight, cross, fixed, (self.squares + (weight * rest**2).sum(axis=0)) / self.df

    def deviance(self, ratio: Numbers) -> Numbers:
        """Return minus twice the restricted log likelihood at each ratio, up to a constant."""
        _, cross, _, within = self._solve(ratio)
        spread = np.log1p(ratio[None, :] * self.base[:, None]).sum(axis=0)
        return np.asarray(self.df * np.log(within) + spread + np.linalg.slogdet(cross)[1])

    def at(self, ratio: Numbers) -> _At:
        _, cross, fixed, within = self._solve(ratio)
        kept = ratio[None, :] / (ratio[None, :] + 1 / self.base[:, None])
        of_fixed = np.einsum("jp,rpq,jq->jr", self.design, np.linalg.inv(cross), self.design)
        beyond = kept * (self.mean[:, None] - fixed)
        error = kept / self.base[:, None] + (1 - kept) ** 2 * of_fixed
        own = ratio[None, :] * (1 - kept) + kept**2 * of_fixed
        return _At(within, fixed, fixed + beyond, np.sqrt(within * error), beyond, np.sqrt(within * own))
