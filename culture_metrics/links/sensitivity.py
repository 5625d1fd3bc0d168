"""The models of one pair: the main one, and those that must stand beside it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from culture_metrics.errors import LinkError
from culture_metrics.models.design_matrix import design_matrix
from culture_metrics.models.designs.registry import as_design
from culture_metrics.models.fit import OVERDISPERSED, Variant, fit, fit_matrix, refuse
from culture_metrics.models.fitted import Fitted
from culture_metrics.models.outcome_values import OutcomeValues
from culture_metrics.outcomes.outcome import Outcome

if TYPE_CHECKING:
    from culture_metrics.models.designs.design import Design
    from culture_metrics.models.panel_arrays import PanelArrays
    from culture_metrics.models.plan import Plan

MAIN, SENSITIVITY = "main", "sensitivity"
#: From this many years and organisations on a pooled slope is not shown alone.
YEARS_FOR_MORE, ORGANISATIONS_FOR_MORE = 3, 40
#: Models that stand beside the main one, in words.
WORDS = {
    "poisson": "Poisson pseudo-likelihood",
    "negative_binomial": "negative binomial",
    "logit": "logit of the better levels",
}
FORWARD, REVERSE = "indicator_to_outcome", "outcome_to_indicator"


class Model(NamedTuple):
    """A fitted model with its name and role, and what its rows call their term when it is not the usual."""

    name: str
    role: str
    fitted: Fitted
    term: str | None = None


def models_of(
    arrays: PanelArrays, plan: Plan, cov: str, asked: tuple[Design, ...]
) -> tuple[list[Model], list[str]]:
    """Fit a planned model and those that stand beside it.

    Parameters
    ----------
    arrays : PanelArrays
    plan : Plan
    cov : str
    asked : tuple of Design
        Designs that the call asks for by name, which need not come again as sensitivity.

    Returns
    -------
    models : list of Model
        The main model first.
    missing : list of str
        Why a model that should stand beside it does not.

    Raises
    ------
    LinkError
        When the data cannot carry the main model.
    """
    name = name_of(plan)
    if plan.design.both_ways:
        return _cross_lagged(arrays, plan, cov, name), []
    main = fit(arrays, plan, cov)
    models, missing = [Model(name, MAIN, main)], []
    for label, other, variant in _beside(main, asked):
        try:
            fitted = fit(
                arrays, other, cov if other.design == plan.design and variant == "main" else "auto", variant
            )
        except LinkError as error:
            missing.append(f"{label}: {error.what}")
        else:
            models.append(Model(f"{name}; {label}", SENSITIVITY, fitted))
    return models, missing


def name_of(plan: Plan) -> str:
    """Return the name of a planned model: outcome, indicators, design and lag."""
    name = f"{plan.values.outcome.column} ~ {' + '.join(plan.indicators)}, {plan.design.name}"
    return f"{name}, lag {plan.lag}" if plan.lag and not plan.design.lag else name


def terms_of(plan: Plan) -> tuple[str, ...]:
    """Return the terms of each indicator in a planned model."""
    if plan.design.both_ways:
        return (FORWARD,)
    return ("within", "between") if plan.split else ("overall",)


def _beside(main: Fitted, asked: tuple[Design, ...]) -> list[tuple[str, Plan, Variant]]:
    plan, matrix, rules = main.plan, main.matrix, main.plan.values.outcome.rules
    found: list[tuple[str, Plan, Variant]] = []
    if plan.weights:
        found.append(("unweighted", replace(plan, weights=None), "main"))
    if (
        plan.linear
        and np.unique(matrix.years).size >= YEARS_FOR_MORE
        and matrix.clusters >= ORGANISATIONS_FOR_MORE
    ):
        others = (as_design(name) for name in plan.design.beside)
        found += [
            (one.name, replace(plan, design=one, weights=plan.weights if one.takes_weights else None), "main")
            for one in others
            if one not in asked
        ]
    if rules.beside and plan.design.levels and (rules.beside != "negative_binomial" or _varies_more(main)):
        found.append((WORDS[rules.beside], plan, rules.beside))
    if plan.design.intercepts and plan.linear and not plan.split and matrix.repeated:
        found.append(("estimating equations", plan, "gee"))
    return found


def _varies_more(main: Fitted) -> bool:
    """Whether counts vary more than a Poisson model says."""
    return main.solution.dispersion > OVERDISPERSED


def _cross_lagged(arrays: PanelArrays, plan: Plan, cov: str, name: str) -> list[Model]:
    """Fit both lagged equations on the same rows, everything in SDs."""
    refuse(plan, cov)
    (indicator,) = plan.indicators
    outcome = plan.values.outcome.column
    there = replace(plan, standardise="sd", also_known=(indicator,))
    back = replace(
        there,
        values=OutcomeValues(Outcome(indicator, "continuous"), arrays.column(indicator)),
        indicators=(outcome,),
        also_known=(outcome,),
    )
    models = []
    for label, this, role, term in (
        ("", there, MAIN, FORWARD),
        ("; reverse path", back, SENSITIVITY, REVERSE),
    ):
        matrix = design_matrix(arrays, this)
        matrix = replace(matrix, y=matrix.y / matrix.y.std(ddof=1))
        models.append(Model(name + label, role, fit_matrix(matrix, this, cov), term))
    return models
