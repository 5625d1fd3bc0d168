"""Generalised linear models, by statsmodels: binomial, Poisson, Gamma, negative binomial."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from culture_metrics.models.solution import Solution, quietly, unit_columns, unsolved, weighted_information

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array

#: Share of its standard error by which one more round may still move an estimate.
TOLERANCE = 1e-6
#: A linear predictor beyond this is a fitted probability of 0 or 1.
SATURATED = 15.0


@dataclass(frozen=True)
class Family:
    """A family with its link.

    `scale_known` says whether the dispersion is 1 by definition; `alpha` is the overdispersion of a negative
    binomial.
    """

    name: str
    link: str
    scale_known: bool
    alpha: float | None = None

    @cached_property
    def model(self) -> Any:
        """The family of statsmodels: means, variances, deviances."""
        from statsmodels.genmod import families

        match self.name:
            case "binomial":
                return families.Binomial()
            case "Poisson":
                return families.Poisson()
            case "Gamma":
                return families.Gamma(families.links.Log())
        return families.NegativeBinomial(alpha=self.alpha)


BINOMIAL = Family("binomial", "logit", True)
POISSON = Family("Poisson", "log", True)
GAMMA = Family("Gamma", "log", False)


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

    Notes
    -----
    statsmodels' `GLM` by iteratively reweighted least squares, settled by the estimates: its default, by the
    deviance, leaves standard errors 4e-8 off. The bread is that of the expected information, as in R; where
    the link is not canonical (Gamma) Newton's method would leave the observed one, whose standard errors
    differ by 1 %. Complete separation does not raise in statsmodels; it shows in `converged`.
    """
    from statsmodels.genmod.generalized_linear_model import GLM

    unit, length = unit_columns(x)
    with quietly():
        model = GLM(y, unit, family.model, offset=offset, var_weights=weights, hasconst=True)
        try:
            found = model.fit(tol_criterion="params", atol=1e-10, rtol=1e-8)
            explained = float(1 - found.deviance / null_deviance(y, family, weights, offset, found))
        except ValueError:  # a mean that ran off, or a matrix without a decomposition
            return unsolved(*x.shape)
        linear = model.predict(found.params, which="linear")
        pull = model.score_factor(found.params, scale=1.0)
        work = model.hessian_factor(found.params, scale=1.0, observed=False)
        dispersion = float(found.pearson_chi2 / found.df_resid)
    bread = found.normalized_cov_params
    rest = np.abs(bread @ (unit.T @ pull)) / np.sqrt(np.diag(bread) * dispersion)
    saturated = family.link == "logit" and bool((np.abs(linear) > SATURATED).any())
    return Solution(
        params=found.params / length,
        bread=bread / np.outer(length, length),
        scores=x * pull[:, None],
        information=weighted_information(x, work),
        fitted=found.fittedvalues,
        linear=linear,
        dispersion=dispersion,
        scale=1.0 if family.scale_known else dispersion,
        df=float(found.df_resid),
        exact_scale=family.scale_known,
        converged=bool((rest < TOLERANCE).all()) and not saturated,
        leverage=work * (unit @ bread * unit).sum(axis=1),
        residuals=found.resid_pearson,
        explained=explained,
    )


def null_deviance(y: Array, family: Family, weights: Array | None, offset: Array | None, found: Any) -> float:
    """Return the deviance of the model with a constant only.

    Its mean has a closed form, save beside an offset that of a logit or a negative binomial. statsmodels fits
    it anew each time: a third of the time of the model itself. The score of the constant is 0 where
    the weighted sum of `y - mu` is, and with Gamma's log link that of `y / mu - 1`.
    """
    rates = np.ones_like(y) if offset is None else np.exp(offset)
    if offset is not None and family not in (POISSON, GAMMA):
        return float(found.null_deviance)
    if family is GAMMA:
        mean = rates * np.average(y / rates, weights=weights)
    else:
        each = np.ones_like(y) if weights is None else weights
        mean = rates * (each * y).sum() / (each * rates).sum()
    return float(family.model.deviance(y, mean, var_weights=1.0 if weights is None else weights))
