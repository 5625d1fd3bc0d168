"""Negative binomial counts (NB2): the overdispersion by statsmodels, the rest as for any GLM."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import xlogy

from culture_metrics.models.glm import POISSON, Family, solve_glm

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array, Solution


def negative_binomial(alpha: float) -> Family:
    """Return the family with variance mu + alpha mu^2 and log link."""

    def variance(mu: Array) -> Array:
        return np.asarray(mu + alpha * mu**2)

    def deviance(y: Array, mu: Array) -> Array:
        size = 1 / alpha
        return np.asarray(2 * (xlogy(y, y) - xlogy(y, mu) - (y + size) * np.log((y + size) / (mu + size))))

    return Family("negative binomial", "log", np.exp, _itself, variance, deviance, True)


def solve_negative_binomial(y: Array, x: Array, offset: Array | None = None) -> tuple[Solution, float]:
    """Solve a negative binomial model by maximum likelihood.

    Returns
    -------
    solution : Solution
        Slopes with the covariance given alpha, as `MASS::glm.nb` reports it: alpha and the slopes are
        orthogonal.
    alpha : float
        Variance is mu + alpha mu^2.
    """
    from statsmodels.discrete.discrete_model import NegativeBinomial

    start = solve_glm(y, x, POISSON, None, offset)
    excess = float((((y - start.fitted) ** 2 - start.fitted) / start.fitted**2).mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = NegativeBinomial(y, x, loglike_method="nb2", offset=offset)
        found = model.fit(np.r_[start.params, max(excess, 0.01)], method="newton", maxiter=100, disp=0)
    alpha = float(np.asarray(found.params)[-1])
    if not (found.mle_retvals["converged"] and np.isfinite(alpha) and alpha > 0):
        return replace(start, converged=False), float("nan")
    return solve_glm(y, x, negative_binomial(alpha), None, offset), alpha


def _itself(mu: Array) -> Array:
    return mu
