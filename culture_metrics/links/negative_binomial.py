"""Negative binomial counts (NB2), by statsmodels."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from scipy.special import digamma

from culture_metrics.links.glm import POISSON, solve_glm
from culture_metrics.links.solution import Solution

if TYPE_CHECKING:
    from culture_metrics.links.solution import Array, Integers


def solve_negative_binomial(y: Array, x: Array, offset: Array | None = None) -> Solution:
    """Solve a negative binomial model with variance mu + alpha mu^2 by maximum likelihood.

    Returns
    -------
    Solution
        The last of `params` is alpha.
    """
    from statsmodels.discrete.discrete_model import NegativeBinomial

    start = solve_glm(y, x, POISSON, None, offset)
    excess = float((((y - start.fitted) ** 2 - start.fitted) / start.fitted**2).mean())
    model = NegativeBinomial(y, x, loglike_method="nb2", offset=offset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = model.fit(np.r_[start.params, max(excess, 0.01)], method="newton", maxiter=100, disp=0)
    params = np.asarray(found.params)
    hessian = model.hessian(params)
    try:
        bread = np.linalg.inv(-hessian)
    except np.linalg.LinAlgError:
        bread = np.full_like(hessian, np.nan)

    def information(starts: Integers) -> Array:
        raise NotImplementedError

    linear = x @ params[:-1] + (0.0 if offset is None else offset)
    return Solution(
        params=params,
        bread=bread,
        scores=_scores(y, x, np.exp(linear), float(params[-1])),
        information=information,
        fitted=np.exp(linear),
        linear=linear,
        dispersion=1.0,
        scale=1.0,
        df=float(y.size - params.size),
        exact_scale=True,
        converged=bool(found.mle_retvals["converged"]) and bool((np.diag(bread) > 0).all()),
        log_likelihood=float(found.llf),
    )


def _scores(y: Array, x: Array, mu: Array, alpha: float) -> Array:
    """Return each row's derivative of the log-likelihood by the slopes and by alpha."""
    size = 1 / alpha
    by_size = digamma(y + size) - digamma(size) + np.log(size / (size + mu)) + 1 - (size + y) / (size + mu)
    return np.column_stack([x * ((y - mu) / (1 + alpha * mu))[:, None], -(size**2) * by_size])
