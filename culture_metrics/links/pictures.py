"""What the figures of links need beyond the table: each organisation's figures, and lines through them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.models.covariance import FEWEST_CLUSTERS, covariance
from culture_metrics.models.design_matrix import design_matrix
from culture_metrics.models.designs.pooled import POOLED
from culture_metrics.models.effects import t_statistics
from culture_metrics.models.linear import solve_linear
from culture_metrics.models.outcome_values import SMALL_BASE, OutcomeValues

if TYPE_CHECKING:
    from culture_metrics.models.design_matrix import DesignMatrix
    from culture_metrics.models.panel_arrays import Array, Integers, PanelArrays
    from culture_metrics.models.plan import Plan

POINTS = 41
BETWEEN, WITHIN = "between organisations", "within organisations"


@dataclass(frozen=True)
class Source:
    """The panel of a call, and the plan of each main model by its name."""

    arrays: PanelArrays = field(repr=False)
    plans: dict[str, Plan] = field(repr=False)


def points_and_lines(source: Source, model_id: str, indicator: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return each organisation's mean indicator and outcome, years and controls taken out, and lines.

    Parameters
    ----------
    source : Source
    model_id : str
        A main model.
    indicator : str

    Returns
    -------
    points : polars.DataFrame
        `organisation, x, y, years`, in the units of the columns (fractions in per cent, counts per
        exposure, levels from 1, yes or no in per cent), without years that rest on a small base.
    lines : polars.DataFrame
        `line, x, estimate, conf_low, conf_high`: between organisations and, where enough of them have several
        years, within them.
    """
    plan = source.plans[model_id]
    level = replace(
        plan, values=_numbers(plan.values), indicators=(indicator,), design=POOLED, prior_outcome=False,
        standardise=None,
    )  # fmt: skip
    matrix = _without_small(design_matrix(source.arrays, level), source.arrays, plan, indicator)
    x, y = (
        _adjusted(matrix, indicator, v)
        for v in (matrix.x[:, matrix.terms[indicator, "overall"]], _shown(matrix, plan))
    )
    groups = matrix.groups
    sizes = np.bincount(groups)
    mean_x, mean_y = np.bincount(groups, x) / sizes, np.bincount(groups, y) / sizes
    points = pl.DataFrame(
        {"organisation": list(matrix.organisations), "x": mean_x, "y": mean_y, "years": sizes}
    )
    lines = [_line(BETWEEN, mean_x, mean_y, np.arange(mean_x.size), x.mean(), y.mean())]
    if (sizes > 1).sum() >= FEWEST_CLUSTERS:
        several = sizes[groups] > 1
        dx, dy = (x - mean_x[groups])[several], (y - mean_y[groups])[several]
        lines.append(_line(WITHIN, dx, dy, groups[several], x.mean(), y.mean()))
    return points, pl.concat(lines)


def _numbers(values: OutcomeValues) -> OutcomeValues:
    """Return values that can be drawn: of levels their places from 1, of yes or no 0 and 100."""
    rules = values.outcome.rules
    if not rules.graded:
        return values
    return OutcomeValues(values.outcome.as_number(), values.y + 1 if rules.ordered else 100 * values.y)


def _without_small(matrix: DesignMatrix, arrays: PanelArrays, plan: Plan, indicator: str) -> DesignMatrix:
    """Leave out years in which few people stand behind the outcome's share or the indicator."""
    small = np.zeros(matrix.y.size, dtype=bool)
    if plan.values.outcome.rules.trials and matrix.base is not None:
        small |= matrix.base < SMALL_BASE
    respondents = arrays.numbers.get(f"{indicator}_base")
    if respondents is not None:
        small |= respondents[matrix.rows] < SMALL_BASE
    return matrix.keep(np.flatnonzero(~small)) if small.any() else matrix


def _shown(matrix: DesignMatrix, plan: Plan) -> Array:
    rules = plan.values.outcome.rules
    if rules.fraction:
        return 100 * matrix.y
    return matrix.y / matrix.base if rules.counted and matrix.base is not None else matrix.y


def _adjusted(matrix: DesignMatrix, indicator: str, values: Array) -> Array:
    """Take controls and years out of a column and put its mean back."""
    rest = np.delete(matrix.x, matrix.terms[indicator, "overall"], axis=1)
    return np.asarray(values - rest @ np.linalg.lstsq(rest, values, rcond=None)[0] + values.mean())


def _line(name: str, x: Array, y: Array, groups: Integers, at_x: float, at_y: float) -> pl.DataFrame:
    """Fit a line and return it over the middle of its own x, drawn through the mean of all."""
    centred = x - x.mean()
    solution = solve_linear(y, np.column_stack([np.ones_like(x), centred]))
    v, df = covariance(solution, "HC3" if groups.size == np.unique(groups).size else "cluster", groups)
    low, high = np.quantile(centred, [0.02, 0.98])
    reach = np.linspace(low, high, POINTS)
    found = t_statistics(reach * solution.params[1], np.abs(reach) * np.sqrt(v[1, 1]), df, 0.95)
    drawn = {c: found[c] + at_y for c in ("estimate", "conf_low", "conf_high")}
    return pl.DataFrame({"line": [name] * POINTS, "x": reach + at_x, **drawn})
