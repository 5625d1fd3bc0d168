"""What relative weights, mediation and moderation share: a pooled model's data, and words beneath it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.errors import LinkError
from culture_metrics.links.arguments import check_minimum
from culture_metrics.links.given import names_of, outcome_of
from culture_metrics.models.design_matrix import design_matrix
from culture_metrics.models.designs.design import LINEAR
from culture_metrics.models.outcome_values import outcome_values
from culture_metrics.models.panel_arrays import panel_arrays
from culture_metrics.models.plan import Plan
from culture_metrics.models.sample import rare_levels
from culture_metrics.outcomes.panel import Panel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from culture_metrics.models.design_matrix import DesignMatrix
    from culture_metrics.outcomes.kinds import Kind
    from culture_metrics.outcomes.outcome import Outcome

#: Stands beneath every such result.
CAVEAT = (
    "Association only, between organisations and over years together: it says nothing about single people or "
    "teams, and the direction may run the other way."
)


def pooled_data(
    data: Panel | pl.DataFrame | pl.LazyFrame,
    outcome: Outcome | str,
    predictors: Sequence[str],
    *,
    controls: str | Sequence[str],
    year_effects: bool,
    min_level_orgs: int,
    what: str,
    kinds: Sequence[Kind] = LINEAR,
) -> tuple[DesignMatrix, Plan]:
    """Return the design matrix of a pooled model on the rows that have everything it uses, and its plan.

    Raises
    ------
    LinkError
        When there is no panel, the outcome is of another kind, a column is named twice, or the data cannot
        carry the model.
    """
    check_minimum("min_level_orgs", min_level_orgs)
    assert isinstance(data, Panel)  # by link_verb
    outcome, controls = outcome_of(data, outcome), names_of(controls)
    if outcome.rules not in kinds:
        raise LinkError(
            f"{what} does not take an outcome of this kind",
            where=f"outcome '{outcome.column}'",
            expected=", ".join(kind.name for kind in kinds),
            got=outcome.kind,
            hint="Use link_outcomes for this outcome; a rate far from 0 and 1 may be taken as continuous.",
        )
    named = [outcome.column, *predictors, *controls]
    if len(set(named)) < len(named):
        raise LinkError(
            f"{what} needs different columns", where=", ".join(named), hint="Name each column once."
        )
    arrays = panel_arrays(data.table, [*named, *outcome.columns[1:]])
    plan = Plan(
        values=outcome_values(arrays, outcome),
        indicators=tuple(predictors),
        controls=tuple(controls),
        year_effects=year_effects,
        min_level_orgs=min_level_orgs,
    )
    return design_matrix(arrays, plan), plan


def sampled(matrix: DesignMatrix) -> str:
    """Say how many rows and organisations a model rests on, and which levels were left out."""
    left_out = rare_levels(matrix.losses)
    return f"{matrix.y.size:,} organisation-years, {matrix.clusters:,} organisations" + (
        f" (left out: {left_out})" if left_out else ""
    )
