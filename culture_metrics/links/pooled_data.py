"""What relative weights, mediation and moderation share: a pooled model's data, and words beneath it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.errors import LinkError
from culture_metrics.links.arrays import panel_arrays
from culture_metrics.links.design_matrix import design_matrix
from culture_metrics.links.outcome import Outcome, declared
from culture_metrics.links.outcome_values import outcome_values
from culture_metrics.links.plan import LINEAR_KINDS, Plan

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from culture_metrics.links.design_matrix import DesignMatrix

#: Stands beneath every such result.
CAVEAT = (
    "Association only, between organisations and over years together: it says nothing about single people or "
    "teams, and the direction may run the other way."
)


def as_outcome(outcome: Outcome | str) -> Outcome:
    """Return an outcome; a column's name stands for a continuous one, named as in the catalogue."""
    if not isinstance(outcome, str):
        return outcome
    return Outcome(outcome, "continuous", label=declared().get(outcome, {}).get("label"))


def pooled_data(  # noqa: PLR0913
    data: pl.DataFrame | pl.LazyFrame,
    outcome: Outcome,
    predictors: Sequence[str],
    *,
    controls: Sequence[str],
    organisation: str,
    year: str,
    year_effects: bool,
    what: str,
    kinds: Sequence[str] = LINEAR_KINDS,
) -> tuple[DesignMatrix, Plan]:
    """Return the design matrix of a pooled model on the rows that have everything it uses, and its plan.

    Raises
    ------
    LinkError
        When the outcome is of another kind, a predictor is named twice, or the data cannot carry the model.
    """
    if outcome.kind not in kinds:
        raise LinkError(
            f"{what} does not take an outcome of this kind",
            where=f"outcome '{outcome.column}'",
            expected=", ".join(kinds),
            got=outcome.kind,
            hint="Use link_outcomes for this outcome; a rate far from 0 and 1 may be taken as continuous.",
        )
    named = [outcome.column, *predictors]
    if len(set(named)) < len(named):
        raise LinkError(
            f"{what} needs different columns", where=", ".join(named), hint="Name each column once."
        )
    arrays = panel_arrays(
        data, [*named, *outcome.columns[1:], *controls], organisation=organisation, year=year
    )
    plan = Plan(
        values=outcome_values(arrays, outcome),
        indicators=tuple(predictors),
        controls=tuple(controls),
        year_effects=year_effects,
    )
    return design_matrix(arrays, plan), plan


def sampled(matrix: DesignMatrix) -> str:
    """Say how many rows and organisations a model rests on."""
    return f"{matrix.y.size:,} organisation-years, {matrix.clusters:,} organisations"
