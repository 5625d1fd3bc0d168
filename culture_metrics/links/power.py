"""Power before data: how strong a link must be to be found with so many organisations and years."""

from __future__ import annotations

from dataclasses import dataclass
from math import isinf, sqrt, tanh
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.special import ndtri, stdtrit

from culture_metrics.links.arguments import check_study, check_within
from culture_metrics.links.output import link_verb
from culture_metrics.models.designs.independent_figures import Sizes, deviations, means
from culture_metrics.models.designs.registry import DESIGNS, as_design
from culture_metrics.output import Output

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.models.fitted import Fitted
    from culture_metrics.models.solution import Array, Integers

#: What results are told for when nothing else is said.
POWER, LEVEL = 0.80, 0.05
#: The study that is planned when nothing else is said: acute trusts, with the shares of variance that lay
#: between them in 2012 to 2019, of SHMI and of engagement.
ORGANISATIONS, YEARS, ICC, ICC_INDICATOR = 120, 5, 0.75, 0.40


@dataclass(frozen=True)
class DetectableLink(Output):
    """The smallest correlation that a study of this size is likely to find.

    Attributes
    ----------
    table : polars.DataFrame
        One row per design; see `detectable_link`.
    power, level : float
        Chance of finding it, and level of the two-sided test.
    """

    table: pl.DataFrame
    power: float
    level: float

    def figure(self) -> go.Figure:
        """Draw the smallest correlation that each design is likely to find."""
        from culture_metrics import views

        size = self.table.row(0, named=True)
        nothing = pl.lit(None, pl.Float64)
        drawn = self.table.drop_nulls("detectable_r").select(
            label=pl.col("design").replace_strict({name: one.label for name, one in DESIGNS.items()}),
            estimate="detectable_r",
            conf_low=nothing,
            conf_high=nothing,
        )
        least = float(drawn["estimate"].to_numpy().min())
        return views.estimates(
            drawn,
            axis="Smallest correlation that is likely to be found",
            decimals=2,
            title=f"Links weaker than a correlation of {least:.2f} are likely to be missed",
            subtitle=f"{size['organisations']} organisations; found in {100 * self.power:.0f}% of studies, "
            f"two-sided test at {100 * self.level:g}%",
        )

    def summary(self) -> str:
        """Say in plain sentences what can be found and what a null result does not exclude."""
        said = [
            f"{as_design(row['design']).planning}: |r| of {row['detectable_r']:.2f} or more "
            f"(worth {row['effective_n']:.0f} independent figures)"
            for row in self.table.to_dicts()
        ]
        size = self.table.row(0, named=True)
        return (
            f"With {size['organisations']} organisations a link is found in {100 * self.power:.0f}% of "
            f"studies (two-sided test at {100 * self.level:g}%) from: {'; '.join(said)}. A result that is "
            "not significant does not exclude a link weaker than that."
        )

    def __repr__(self) -> str:
        return f"DetectableLink({self.summary()} See .table)"


@link_verb
def detectable_link(
    n_organisations: int = ORGANISATIONS,
    years: int = YEARS,
    icc: float = ICC,
    *,
    icc_indicator: float = ICC_INDICATOR,
    reliability: float = 1.0,
    power: float = POWER,
    level: float = LEVEL,
) -> DetectableLink:
    """Tell how strong a link must be to be found, before there are data.

    Parameters
    ----------
    n_organisations : int
        Organisations in the study, at least 10.
    years : int
        Years of each of them.
    icc : float
        Share of the outcome's variance over the years (strictly of what the indicator leaves of it) that lies
        between organisations, 0 to below 1. In acute trusts 2012 to 2019 it was 0.75 for SHMI and 0.40 for
        engagement.
    icc_indicator : float
        The same of the indicator.
    reliability : float
        Reliability of the organisations' indicator, ICC(2): what is found is weaker than the true link by its
        root.
    power, level : float
        Chance of finding the link, and level of the two-sided test.

    Returns
    -------
    DetectableLink
        `.table`: `design` (`cross_section`; with two years or more also `pooled`, `mixed`, `fixed_effects`
        and `first_difference`), `organisations, years, effective_n` (independent figures it is worth),
        `detectable_r` (correlation of the figures as measured; within organisations for `fixed_effects`, of
        the changes for `first_difference`), `detectable_true_r` (of an
        indicator without sampling error; null where above 1).

    Raises
    ------
    LinkError
        When a number lies outside its range.

    Notes
    -----
    r = tanh((t₁ + t₂) / √(n - 1)) with t at the level and the power on the degrees of freedom of the test, as
    Fisher's z has it for many. n is what a design is worth in independent figures once years are held equal
    (`models.designs.independent_figures`). Results of `link_outcomes` use the same functions for each design,
    with the ICCs of their own rows, years and controls taken out. It is an approximation for residuals that
    are otherwise independent from year to year; with autocorrelation fixed effects find less.

    Examples
    --------
    >>> detectable_link(120, years=1).table["detectable_r"].round(2).item()
    0.25
    """
    check_study(n_organisations, years, icc, icc_indicator, level)
    check_within("reliability", reliability, 0, 1, "above 0, to 1", high_too=True)
    check_within("power", power, level, 1, "above the level of the test, below 1")
    planned = [one for one in DESIGNS.values() if one.planning and (years > 1 or not one.years)]
    many = {one.name: years if one.years else 1 for one in planned}
    worth = {
        one.name: one.independent(Sizes(n_organisations * of, of, icc_indicator, icc, held=of - one.gap - 1))
        for one, of in zip(planned, many.values(), strict=True)
    }
    found = {
        design: smallest_r(n, n_organisations - (2 if many[design] == 1 else 1), power, level)
        for design, n in worth.items()
    }
    true = [r / sqrt(reliability) for r in found.values() if r is not None]
    table = pl.DataFrame(
        {
            "design": list(worth),
            "organisations": [n_organisations] * len(worth),
            "years": list(many.values()),
            "effective_n": list(worth.values()),
            "detectable_r": list(found.values()),
            "detectable_true_r": pl.Series([r if r <= 1 else None for r in true], dtype=pl.Float64),
        }
    )
    return DetectableLink(table, power, level)


def smallest_r(independent: float, df: float, power: float = POWER, level: float = LEVEL) -> float | None:
    """Return the smallest (partial) correlation that a two-sided test finds with this power.

    Parameters
    ----------
    independent : float
        Independent figures that the data are worth.
    df : float
        Degrees of freedom of the test, infinite for the normal distribution.

    Examples
    --------
    >>> [round(smallest_r(n, n - 2), 2) for n in (60, 120, 210)]
    [0.35, 0.25, 0.19]
    """
    if independent <= 1 or df < 1:
        return None
    share = 1 - level / 2
    reach = ndtri(share) + ndtri(power) if isinf(df) else stdtrit(df, share) + stdtrit(df, power)
    return tanh(float(reach) / sqrt(independent - 1))


def detectable_r(fitted: Fitted, term: str, column: int) -> float | None:
    """Return the smallest partial correlation that a fitted model was likely to find."""
    matrix, plan, solution = fitted.matrix, fitted.plan, fitted.solution
    sizes = np.bincount(matrix.groups)
    rows, years = float(matrix.y.size), float(sizes @ sizes / sizes.sum())
    columns = matrix.x.shape[1]
    bread, params = solution.bread, solution.params[:columns]
    if plan.design.intercepts and not plan.split:
        # As in every other design: not with the slopes of a random intercept, which are mostly those within.
        bread = np.asarray(np.linalg.inv(matrix.x.T @ matrix.x), dtype=float)
        params = bread @ (matrix.x.T @ matrix.y)
    # The indicator with the other columns taken out, but for its size.
    moves = matrix.x @ bread[:columns, column]
    residual = solution.residuals
    if residual is None or fitted.link == "identity":
        residual = matrix.y - matrix.x @ params
    if plan.gap:
        # A change stands for the years that it spans.
        rows, years = rows + plan.gap * matrix.clusters, years + plan.gap
    of_term = {"within": deviations, "between": means}.get(term, plan.design.independent)
    figures = of_term(
        Sizes(
            rows, years, _icc(moves, matrix.groups), _icc(residual, matrix.groups),
            held=columns - 1 - int(matrix.constant),
        )
    )  # fmt: skip
    return smallest_r(figures, fitted.degrees(column))


def _icc(values: Array, groups: Integers) -> float:
    """Return ICC(1) of a one-way analysis of variance, from 0 to just below 1."""
    sizes = np.bincount(groups)
    many, rows = sizes.size, values.size
    if rows == many:
        return 0.0
    mean = np.bincount(groups, weights=values) / sizes
    between = float(sizes @ (mean - values.mean()) ** 2) / (many - 1)
    within = float(((values - mean[groups]) ** 2).sum()) / (rows - many)
    size = (rows - float(sizes @ sizes) / rows) / (many - 1)
    whole = between + (size - 1) * within
    return min(max((between - within) / whole, 0.0), 1 - 1e-9) if whole > 0 else 0.0
