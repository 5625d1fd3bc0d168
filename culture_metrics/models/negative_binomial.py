"""Negative binomial counts (NB2), by statsmodels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.models.glm import POISSON, Family, solve_glm
from culture_metrics.models.solution import quietly

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array, Solution


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
    with quietly():
        model = NegativeBinomial(y, x, loglike_method="nb2", offset=offset)
        found = model.fit(np.r_[start.params, max(excess, 0.01)], method="newton", maxiter=100, disp=0)
    alpha = float(np.asarray(found.params)[-1])
    if not (found.mle_retvals["converged"] and np.isfinite(alpha) and alpha > 0):
        return replace(start, converged=False), float("nan")
    return solve_glm(y, x, Family("negative binomial", "log", True, alpha), None, offset), alpha
