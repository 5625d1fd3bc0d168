"""Generalised linear models by iteratively reweighted least squares: binomial, Poisson, Gamma."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg
from scipy.special import expit, xlogy

from culture_metrics.models.products import along, cross
from culture_metrics.models.solution import Solution, weighted_information

if TYPE_CHECKING:
    from collections.abc import Callable

    from culture_metrics.models.solution import Array

ROUNDS, TOLERANCE = 60, 1e-12
#: A linear predictor beyond this is a fitted probability of 0 or 1.
SATURATED = 30.0


@dataclass(frozen=True)
class Family:
    """A family with its link.

    `mean` turns the linear predictor into the mean, `slope` is its derivative given the mean, `variance` the
    variance function, `deviance` the deviance of each row before weights. `scale_known` says whether the
    dispersion is 1 by definition.
    """

    name: str
    link: str
    mean: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    variance: Callable[[Array], Array]
    deviance: Callable[[Array, Array], Array]
    scale_known: bool


def _logit_slope(mu: Array) -> Array:
    return mu * (1 - mu)


def _binomial_deviance(y: Array, mu: Array) -> Array:
    return np.asarray(2 * (xlogy(y, y) - xlogy(y, mu) + xlogy(1 - y, 1 - y) - xlogy(1 - y, 1 - mu)))


def _poisson_deviance(y: Array, mu: Array) -> Array:
    return np.asarray(2 * (xlogy(y, y) - xlogy(y, mu) - (y - mu)))


def _gamma_deviance(y: Array, mu: Array) -> Array:
    return 2 * ((y - mu) / mu - np.log(y / mu))


def _identity(mu: Array) -> Array:
    return mu


BINOMIAL = Family("binomial", "logit", expit, _logit_slope, _logit_slope, _binomial_deviance, True)
POISSON = Family("Poisson", "log", np.exp, _identity, _identity, _poisson_deviance, True)
GAMMA = Family("Gamma", "log", np.exp, _identity, np.square, _gamma_deviance, False)


def solve_glm(
    y: Array, x: Array, family: Family, weights: Array | None = None, offset: Array | None = None
) -> Solution:
    """Solve a generalised linear model.

    Parameters
    ----------
    y, x : numpy.ndarray
        Outcome (fractions for the binomial), and design matrix with its constant.
    family : Family
        `BINOMIAL`, `POISSON` or `GAMMA`.
    weights : numpy.ndarray, optional
        Variance weights: the trials of a proportion.
    offset : numpy.ndarray, optional
        Known part of the linear predictor, such as the log of an exposure.

    Returns
    -------
    Solution
        `dispersion` is Pearson's chi-squared over its degrees of freedom; `explained` the share of the
        deviance of the model with a constant only. `converged` is false when the algorithm did not settle or
        a fitted probability ran to 0 or 1.
    """
    w = np.ones_like(y) if weights is None else weights
    shift = np.zeros_like(y) if offset is None else offset
    params = _start(y, x, family, w, shift)
    deviance, settled = np.inf, False
    for _ in range(ROUNDS):
        linear = along(x, params) + shift
        if family is BINOMIAL:
            linear = np.clip(linear, -SATURATED, SATURATED)
        mu = family.mean(linear)
        slope = family.slope(mu)
        work = w * slope**2 / family.variance(mu)
        now = float(w @ family.deviance(y, mu))
        settled = abs(now - deviance) <= TOLERANCE * (abs(now) + 0.1)
        step = _step(x, work, w * (y - mu) * slope / family.variance(mu))
        if step is None or not np.isfinite(now):
            settled = False
            break
        params = params + step
        if settled:
            break
        deviance = now
    linear = along(x, params) + shift
    with np.errstate(over="ignore"):
        mu = family.mean(linear)
    slope, variance = family.slope(mu), family.variance(mu)
    with np.errstate(divide="ignore", invalid="ignore"):
        work = w * slope**2 / variance
        scores = x * (w * (y - mu) * slope / variance)[:, None]
        pearson = (y - mu) * np.sqrt(w / variance)
    saturated = family is BINOMIAL and bool((np.abs(linear) > SATURATED / 2).any())
    bread = _inverse(x, work)
    df = float(y.size - x.shape[1])
    dispersion = float(pearson @ pearson) / df if df > 0 else float("nan")
    return Solution(
        params=params,
        bread=bread,
        scores=scores,
        information=weighted_information(x, work),
        fitted=mu,
        linear=linear,
        dispersion=dispersion,
        scale=1.0 if family.scale_known else dispersion,
        df=df,
        exact_scale=family.scale_known,
        converged=settled and not saturated and bool(np.isfinite(bread).all()),
        leverage=work * (along(x, bread) * x).sum(axis=1),
        residuals=pearson,
        explained=_explained(y, mu, w, shift, family),
    )


def _start(y: Array, x: Array, family: Family, w: Array, shift: Array) -> Array:
    centre = float(np.average(y, weights=w))
    if family is BINOMIAL:
        mu = (w * y + 0.5) / (w + 1) if (w > 1).any() else (y + 0.5) / 2
        linear = np.log(mu / (1 - mu))
    else:
        linear = np.log(np.maximum((y + centre) / 2, 1e-8))
    mu = family.mean(linear)
    work = w * family.slope(mu) ** 2 / family.variance(mu)
    step = _step(x, work, work * (linear - shift))
    return np.zeros(x.shape[1]) if step is None else step


def _step(x: Array, work: Array, pull: Array) -> Array | None:
    try:
        factor = linalg.cho_factor(cross(x * work[:, None], x), check_finite=False)
    except linalg.LinAlgError:
        return None
    step = linalg.cho_solve(factor, cross(x, pull), check_finite=False)
    return step if np.isfinite(step).all() else None


def _inverse(x: Array, work: Array) -> Array:
    try:
        return np.asarray(np.linalg.inv(cross(x * work[:, None], x)))
    except np.linalg.LinAlgError:
        return np.full((x.shape[1], x.shape[1]), np.nan)


def _explained(y: Array, mu: Array, w: Array, shift: Array, family: Family) -> float:
    """Share of the deviance of the model with a constant only (and the offset)."""
    if family is BINOMIAL:
        alone = np.full_like(y, np.average(y, weights=w))
    else:
        alone = np.exp(shift) * float(w @ y) / float(w @ np.exp(shift))
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = float(w @ family.deviance(y, alone))
        return 1 - float(w @ family.deviance(y, mu)) / whole if whole > 0 else float("nan")
