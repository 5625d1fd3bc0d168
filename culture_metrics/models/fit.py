"""Fit one planned model: the family by the kind of outcome, the covariance by the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NoReturn

import numpy as np

from culture_metrics.errors import LinkError
from culture_metrics.models.covariance import covariance
from culture_metrics.models.design_matrix import DesignMatrix, design_matrix
from culture_metrics.models.designs.design import Transform
from culture_metrics.models.designs.pooled import POOLED
from culture_metrics.models.fitted import Fitted
from culture_metrics.models.gee import robust, solve_gee
from culture_metrics.models.glm import BINOMIAL, GAMMA, POISSON, Family, solve_glm
from culture_metrics.models.levels import merge_levels
from culture_metrics.models.linear import solve_linear
from culture_metrics.models.mixed import RandomIntercept, satterthwaite, solve_random_intercept
from culture_metrics.models.negative_binomial import solve_negative_binomial
from culture_metrics.models.ordinal import solve_ordinal
from culture_metrics.models.solution import Solution, unsolved
from culture_metrics.outcomes import kinds

if TYPE_CHECKING:
    from culture_metrics.models.panel_arrays import Array, PanelArrays
    from culture_metrics.models.plan import Plan

#: Which model: that of the outcome's kind, or one that stands beside it.
Variant = Literal["main", "gee", "negative_binomial", "poisson", "logit"]
FAMILIES: dict[str, Family] = {kinds.BINOMIAL: BINOMIAL, kinds.POISSON: POISSON}
#: Money this skewed takes a Gamma model.
SKEWED = 2.0
OVERDISPERSED = 1.5
#: Covariances that take the rows of one organisation as independent.
INDEPENDENT = ("classical", "scaled", "HC1", "HC3")
#: A slope beyond this per SD on a logit or log scale is separation, not a finding.
SEPARATED = 10.0
#: The model of fractions without trials.
FRACTIONAL = kinds.KINDS["rate"].model


def fit(arrays: PanelArrays, plan: Plan, cov: str = "auto", variant: Variant = "main") -> Fitted:
    """Build and fit a planned model.

    Parameters
    ----------
    arrays : PanelArrays
    plan : Plan
    cov : str
        `auto`, or a kind of `covariance`.
    variant : str
        `main` is the model of the outcome's kind; the others stand beside it for comparison.

    Returns
    -------
    Fitted
        One that failed to converge or separated has the flag `not_converged` or `separation`.

    Raises
    ------
    LinkError
        When the data cannot carry the model, or the design does not suit the outcome's kind.
    """
    refuse(plan, cov)
    return fit_matrix(design_matrix(arrays, plan), plan, cov, variant)


def fit_matrix(matrix: DesignMatrix, plan: Plan, cov: str = "auto", variant: Variant = "main") -> Fitted:
    """Fit a planned model to a design matrix that is there already."""
    try:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            return _with_errors(_judge(_choose(matrix, plan, cov, variant)))
    except np.linalg.LinAlgError:
        return _nothing(matrix, plan)


def _with_errors(fitted: Fitted) -> Fitted:
    """Refuse slopes without a standard error: of rows or organisations that decide a column alone."""
    for (indicator, _), column in {} if fitted.failed else fitted.matrix.terms.items():
        if not 0 < fitted.covariance[column, column] < np.inf:
            raise LinkError(
                f"The slope of '{indicator}' has no standard error ({fitted.cov})",
                where=f"outcome {fitted.plan.values.outcome.column}, design {fitted.plan.design.name}",
                hint="Use fewer controls, a higher min_level_orgs=, or another cov=.",
            )
    return fitted


def _choose(matrix: DesignMatrix, plan: Plan, cov: str, variant: Variant) -> Fitted:
    if plan.values.outcome.rules.ordered:
        return _ordinal(matrix, plan, cov, variant)
    if variant == "negative_binomial":
        solution, alpha = solve_negative_binomial(matrix.y, matrix.x, _offset(matrix, plan))
        words = ("negative binomial (NB2)", "negative binomial", "log")
        return _finish(matrix, plan, solution, cov, words, alpha=alpha)
    if plan.linear and variant == "main":
        return _linear(matrix, plan, cov)
    if variant == "gee" or (plan.design.intercepts and not plan.linear):
        return _gee(matrix, plan, cov)
    return _glm(matrix, plan, cov, variant)


def _nothing(matrix: DesignMatrix, plan: Plan) -> Fitted:
    """Return a model without figures, for equations that have no solution."""
    solution = unsolved(*matrix.x.shape)
    words = ("not fitted", "none", "none")
    return Fitted(plan, matrix, solution, "none", solution.bread, np.nan, *words, flags=("not_converged",))


def refuse(plan: Plan, cov: str = "auto") -> None:
    """Refuse a kind of outcome, a covariance or weights that the design does not have."""
    outcome = plan.values.outcome
    plan.design.check(outcome.rules, cov, plan.weights is not None, outcome.column)


def _auto(matrix: DesignMatrix, cov: str, alone: str) -> str:
    return cov if cov != "auto" else "cluster" if matrix.repeated else alone


def _finish(
    matrix: DesignMatrix, plan: Plan, solution: Solution, cov: str, words: tuple[str, str, str], **more: Any
) -> Fitted:
    kind = _auto(matrix, cov, "HC1")
    if kind == "wild" and words[1] != "normal":
        _refuse_wild(plan)
    found, df = covariance(solution, kind, matrix.groups)
    raised = {
        "not_clustered": kind in INDEPENDENT and matrix.repeated,
        "cautious_hc3": kind == "HC3" and matrix.absorbed,
    }
    flags = (*more.pop("flags", ()), *(flag for flag, up in raised.items() if up))
    return Fitted(plan, matrix, solution, kind, found, df, *words, flags=flags, **more)


def _refuse_wild(plan: Plan) -> NoReturn:
    raise LinkError(
        "The wild bootstrap is one of least squares",
        where=f"outcome {plan.values.outcome.column} ({plan.values.outcome.kind}), design {plan.design.name}",
        hint="Take design 'pooled' or 'fixed_effects' with a linear outcome, or leave out cov='wild'.",
    )


def _linear(matrix: DesignMatrix, plan: Plan, cov: str) -> Fitted:
    words = ("least squares", "normal", "identity")
    if plan.design.intercepts:
        if not matrix.repeated:
            raise LinkError(
                f"The design {plan.design.name} needs organisations with more than one row",
                where=f"outcome {plan.values.outcome.column}",
                hint="Use cross_section.",
            )
        found = solve_random_intercept(matrix.y, matrix.x, matrix.groups)
        if not found.boundary:
            return _intercept(matrix, plan, found, cov)
        pooled = _linear(matrix, replace(plan, design=POOLED), cov)
        return replace(pooled, plan=plan, flags=("boundary", *pooled.flags))
    if plan.design.transform is not Transform.LEVELS:
        words = (f"{words[0]} {plan.design.transform.value}", *words[1:])
    if _takes_gamma(matrix, plan):
        return _finish(
            matrix, plan, solve_glm(matrix.y, matrix.x, GAMMA, matrix.weights), cov, ("GLM", "Gamma", "log")
        )
    solution = solve_linear(
        matrix.y, matrix.x, matrix.weights, constant=matrix.constant, absorbed=matrix.absorbed_groups
    )
    if matrix.weights is not None:
        words = (f"weighted {words[0]}", *words[1:])
    if (
        solution.dispersion <= 1e-20 * max(float(np.abs(matrix.y).max()), 1e-300) ** 2
        or solution.explained > 1 - 1e-12
    ):
        raise LinkError(
            f"Outcome '{plan.values.outcome.column}' can be worked out from the columns of the model",
            where=", ".join(plan.indicators),
            hint="An outcome must not be part of an indicator or a control, nor the other way round.",
        )
    return _finish(matrix, plan, solution, _auto(matrix, cov, "HC3"), words)


def _takes_gamma(matrix: DesignMatrix, plan: Plan) -> bool:
    if not (plan.values.outcome.rules.skewed and plan.design.levels):
        return False
    y = matrix.y
    spread = y.std()
    return bool((y > 0).all() and spread > 0 and ((y - y.mean()) ** 3).mean() / spread**3 > SKEWED)


def _intercept(matrix: DesignMatrix, plan: Plan, found: RandomIntercept, cov: str) -> Fitted:
    kind = "classical" if cov == "auto" else cov
    values, df = covariance(found.solution, kind, matrix.groups)
    return Fitted(
        plan, matrix, found.solution, "GLS" if kind == "classical" else kind, values, df,
        "random intercept (REML)", "normal", "identity", between=found.between, within=found.within,
        satterthwaite=None if kind == "cluster" else satterthwaite(matrix.y, matrix.x, matrix.groups, found),
    )  # fmt: skip


def _gee(matrix: DesignMatrix, plan: Plan, cov: str) -> Fitted:
    if not matrix.repeated:
        raise LinkError(
            f"The design {plan.design.name} needs organisations with more than one row",
            where=f"outcome {plan.values.outcome.column}",
            hint="Use cross_section.",
        )
    family = FAMILIES.get(plan.values.outcome.rules.family)
    solution, correlation = solve_gee(
        matrix.y, matrix.x, matrix.groups, family, _trials(matrix, plan), _offset(matrix, plan)
    )
    if _without_trials(matrix, plan):
        solution = _quasi(solution)
    if cov in ("auto", "robust"):
        kind, values = "robust", robust(solution, matrix.groups)
    else:
        kind, values = cov, covariance(solution, cov, matrix.groups)[0]
    return Fitted(
        plan, matrix, solution, kind, values, float(matrix.clusters - 1), "GEE, exchangeable",
        "normal" if family is None else family.name, "identity" if family is None else family.link,
        correlation=correlation,
    )  # fmt: skip


def _glm(matrix: DesignMatrix, plan: Plan, cov: str, variant: Variant) -> Fitted:
    rules = plan.values.outcome.rules
    family = POISSON if variant == "poisson" else FAMILIES[rules.family]
    solution = solve_glm(matrix.y, matrix.x, family, _trials(matrix, plan), _offset(matrix, plan))
    model = "Poisson pseudo-likelihood" if variant == "poisson" else rules.model
    own_variance = rules.own_variance and variant == "main"
    if _without_trials(matrix, plan):
        solution, model, own_variance = _quasi(solution), FRACTIONAL, False
    over = own_variance and solution.dispersion > OVERDISPERSED
    if over and rules.counted:
        model = f"quasi-{model}"
    alone = "scaled" if over or (own_variance and rules.trials) else "HC1"
    words = (model, family.name, family.link)
    flags = ("overdispersed",) if over else ()
    return _finish(matrix, plan, solution, _auto(matrix, cov, alone), words, flags=flags)


def _without_trials(matrix: DesignMatrix, plan: Plan) -> bool:
    """Whether fractions have no variance of their own: shares of person-time, and those without trials."""
    rules = plan.values.outcome.rules
    return rules.fraction and (matrix.base is None or not rules.trials)


def _quasi(solution: Solution) -> Solution:
    """Take the variance of a fraction without trials, which has none of its own, from its residuals."""
    return replace(solution, scale=solution.dispersion, exact_scale=False)


def _ordinal(matrix: DesignMatrix, plan: Plan, cov: str, variant: Variant) -> Fitted:
    y, levels, reference, merged = merge_levels(matrix.y, plan.values.levels, plan.values.outcome.column)
    flags = ("merged_levels",) if merged else ()
    if variant == "logit":
        above = (y >= reference).astype(float)
        solution = solve_glm(above, matrix.x, BINOMIAL, matrix.weights)
        words = (f"logit of {levels[reference]} or better", "binomial", "logit")
        return _finish(
            replace(matrix, y=above), plan, solution, cov, words,
            flags=flags, levels=levels, reference=reference,
        )  # fmt: skip
    # The thresholds stand in for the constant.
    inner = replace(
        matrix, y=y, x=matrix.x[:, 1:], names=matrix.names[1:], constant=False,
        terms={key: column - 1 for key, column in matrix.terms.items()},
    )  # fmt: skip
    solution = solve_ordinal(y, inner.x, matrix.weights)
    return _finish(
        inner, plan, solution, _auto(matrix, cov, "classical"), ("ordered logit", "ordinal", "logit"),
        flags=flags, levels=levels, reference=reference,
    )  # fmt: skip


def _trials(matrix: DesignMatrix, plan: Plan) -> Array | None:
    """Return variance weights: the trials of a proportion, times weights that were asked for."""
    if plan.values.outcome.rules.trials and matrix.base is not None:
        return matrix.base if matrix.weights is None else matrix.base * matrix.weights
    return matrix.weights


def _offset(matrix: DesignMatrix, plan: Plan) -> Array | None:
    if plan.values.outcome.rules.counted and matrix.base is not None:
        return np.asarray(np.log(matrix.base))
    return None


def _judge(fitted: Fitted) -> Fitted:
    """Flag what did not converge and what separated: such a model has no figures to report."""
    if fitted.link == "identity":
        return fitted
    matrix, flags = fitted.matrix, list(fitted.flags)
    slopes = [
        fitted.solution.params[column] * matrix.sd[indicator] / matrix.steps[indicator]
        for (indicator, _), column in matrix.terms.items()
    ]
    if not np.isfinite(slopes).all() or np.abs(slopes).max() > SEPARATED:
        flags.append("separation")
    elif not fitted.solution.converged or not np.isfinite(fitted.covariance).all():
        flags.append("separation" if fitted.link == "logit" else "not_converged")
    return replace(fitted, flags=tuple(flags))
