"""Relative weights: how much of what indicators explain together falls to each of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.links.output import link_verb
from culture_metrics.links.pooled_data import CAVEAT, pooled_data, sampled
from culture_metrics.links.titles import parted, title_of
from culture_metrics.models.cluster_bootstrap import drawn_products
from culture_metrics.models.plan import FEWEST_IN_LEVEL
from culture_metrics.output import Output
from culture_metrics.problems import counted
from culture_metrics.wording.numbers import together

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from culture_metrics.models.solution import Array
    from culture_metrics.outcomes.outcome import Outcome
    from culture_metrics.outcomes.panel import Panel

#: All subsets of more indicators than this take too long, and nobody reads them.
MOST = 12


@dataclass(frozen=True)
class RelativeWeights(Output):
    """How the explained variance of an outcome falls to indicators that overlap.

    Attributes
    ----------
    table : polars.DataFrame
        One row per indicator, the largest weight first; see `relative_weights`.
    r2 : float
        What the weights add up to: R², or with controls or years the partial R² in residual space.
    partial : bool
        Whether it is the latter.
    outcome : Outcome
    """

    table: pl.DataFrame
    r2: float
    partial: bool
    outcome: Outcome
    sample: str
    level: float

    @property
    def total(self) -> str:
        """What the weights add up to, in words."""
        return "partial R², years and controls held equal" if self.partial else "R²"

    def figure(self) -> go.Figure:
        """Draw the weights in per cent of the variance of the outcome, with their bootstrap intervals."""
        from culture_metrics import views

        drawn = self.table.select("label", *(pl.col(c) * 100 for c in ("estimate", "conf_low", "conf_high")))
        return views.estimates(
            drawn,
            axis=f"Share of the variance of {self.outcome.title} (%)",
            decimals=1,
            title=parted(self.table.to_dicts(), self.r2, self.outcome.title),
            subtitle=f"Relative weights; together {100 * self.r2:.1f}% ({self.total}); {self.sample}",
            notes=f"Weights have no sign and name no reason. {CAVEAT}",
            level=self.level,
        )

    def summary(self) -> str:
        """Say in plain sentences what the indicators explain and how it is parted."""
        top = f"{self.table['percent'][0]:.0f}"
        level = [row["label"] for row in self.table.to_dicts() if f"{row['percent']:.0f}" == top]
        largest = "weight is that" if len(level) == 1 else "weights are those"
        parts = ", ".join(f"{r['label']} {r['percent']:.0f}%" for r in self.table.to_dicts())
        return (
            f"Together {self.table.height} indicators explain {100 * self.r2:.1f}% of the variance of "
            f"{self.outcome.title} ({self.total}). The largest {largest} of {together(level)}. Parted "
            f"among them: {parts}. Weights have no sign and name no reason. {self.sample}. {CAVEAT}"
        )

    def __repr__(self) -> str:
        said = parted(self.table.to_dicts(), self.r2, self.outcome.title)
        indicators = counted(self.table.height, "indicator")
        return f"RelativeWeights({said}; {indicators}; {self.sample}. See .table and .summary())"


@link_verb
def relative_weights(  # noqa: PLR0913
    data: Panel | pl.DataFrame | pl.LazyFrame,
    indicators: Sequence[str],
    outcome: Outcome | str,
    *,
    controls: str | Sequence[str] = (),
    organisation: str = "organisation",
    year: str = "year",
    year_effects: bool = True,
    min_level_orgs: int = FEWEST_IN_LEVEL,
    draws: int = 1000,
    conf_level: float = 0.95,
    seed: int = 0,
) -> RelativeWeights:
    """Part the explained variance of an outcome among indicators that overlap.

    Parameters
    ----------
    data : Panel, polars.DataFrame or polars.LazyFrame
        What `panel` or `read_panel` returned, or a table of one row per organisation and year.
    indicators : sequence of str
        Two to twelve number columns.
    outcome : Outcome or str
        Of kind continuous, ratio or money.
    controls : str or sequence of str
        Taken out of the outcome and of every indicator first, as are the years with `year_effects`.
    organisation, year : str
        Key columns.
    year_effects : bool
        Whether every year has its own level.
    min_level_orgs : int
        Organisations that a level of a categorical control needs; rows of levels with fewer are left out, and
        the result counts them. 1 keeps all.
    draws, seed : int
        Bootstrap samples of organisations for the intervals.
    conf_level : float
        Level of the intervals.

    Returns
    -------
    RelativeWeights
        `.table`: `indicator, label, estimate` (weight; they add up to `.r2`), `conf_low, conf_high, percent`
        (of what is explained), `general_dominance` (the mean gain in R² over all orders of entry), `beta`
        (standardised slope), `vif, base, organisations`. Weights are never negative, so an interval does not
        reach 0 and tests nothing.

    Raises
    ------
    LinkError
        With fewer than two or more than twelve indicators, or data that cannot carry the model.

    Notes
    -----
    Johnson (2000): with R = QΔQ' the correlations of the indicators, Λ = QΔ^½Q' and β* = Λ⁻¹r, the weights
    are Σ λ²β*². `general_dominance` (Lindeman, Merenda and Gold 1980) is given to set beside them.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> panel = cm.synthetic.outcome_panel(organisations=60)
    >>> indicators = ["staff_engagement", "morale"]
    >>> found = cm.links.relative_weights(panel, indicators, "inpatient_survey", draws=200)
    >>> bool(abs(found.table["estimate"].sum() - found.r2) < 1e-12)
    True
    """
    names = list(indicators)
    if not 2 <= len(names) <= MOST:
        raise LinkError(
            f"Relative weights part what 2 to {MOST} indicators explain",
            got=f"{len(names)} indicators",
            hint="Take the elements and themes first, or one theme's sub-scores.",
        )
    matrix, plan = pooled_data(
        data, outcome, names, controls=controls,
        year_effects=year_effects, min_level_orgs=min_level_orgs, what="Relative weights",
    )  # fmt: skip
    ours = [matrix.terms[name, "overall"] for name in names]
    rest = [i for i in range(matrix.x.shape[1]) if i not in ours]
    # Centred, so that cross products keep their digits; the constant takes out what a sample's means leave.
    centred = np.column_stack(
        [matrix.x[:, ours] - matrix.x[:, ours].mean(axis=0), matrix.y - matrix.y.mean()]
    )
    z = np.column_stack([centred, matrix.x[:, rest]])
    within, against = _correlations((z.T @ z)[None], len(names))
    drawn = [_weights(*_correlations(p, len(names))) for p in drawn_products(z, matrix.groups, draws, seed)]
    low, high = np.quantile(np.concatenate(drawn), [(1 - conf_level) / 2, (1 + conf_level) / 2], axis=0)
    weights = _weights(within, against)[0]
    inverse = np.linalg.inv(within[0])
    r2 = float(weights.sum())
    table = pl.DataFrame(
        {
            "indicator": names,
            "label": [title_of(name) for name in names],
            "estimate": weights,
            "conf_low": low,
            "conf_high": high,
            "percent": 100 * weights / r2,
            "general_dominance": _general_dominance(within[0], against[0]),
            "beta": inverse @ against[0],
            "vif": np.diag(inverse),
        }
    ).with_columns(base=pl.lit(matrix.y.size, pl.UInt32), organisations=pl.lit(matrix.clusters, pl.UInt32))
    return RelativeWeights(
        table.sort("estimate", descending=True),
        r2,
        len(rest) > 1,
        plan.values.outcome,
        sampled(matrix),
        conf_level,
    )


def _correlations(products: Array, indicators: int) -> tuple[Array, Array]:
    """Return correlations among indicators and with the outcome, the columns after it taken out."""
    kept = indicators + 1
    across = products[:, :kept, kept:]
    inverse = np.linalg.pinv(products[:, kept:, kept:], hermitian=True)
    left = products[:, :kept, :kept] - across @ inverse @ np.swapaxes(across, 1, 2)
    spread = np.sqrt(np.diagonal(left, axis1=1, axis2=2))
    correlation = left / (spread[:, :, None] * spread[:, None, :])
    return correlation[:, :indicators, :indicators], correlation[:, :indicators, indicators]


def _weights(within: Array, against: Array) -> Array:
    """Return Johnson's weights, one row for each set of correlations."""
    values, vectors = np.linalg.eigh(within)
    root = (vectors * np.sqrt(np.maximum(values, 0))[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    slopes = np.linalg.solve(root, against[..., None])[..., 0]
    return np.asarray((root**2 @ (slopes**2)[..., None])[..., 0])


def _general_dominance(within: Array, against: Array) -> Array:
    """Return each indicator's gain in R² averaged over the sizes of the sets it joins."""
    many = len(against)
    explained: dict[tuple[int, ...], float] = {(): 0.0}
    for size in range(1, many + 1):
        for chosen in combinations(range(many), size):
            at = list(chosen)
            explained[chosen] = float(against[at] @ np.linalg.solve(within[np.ix_(at, at)], against[at]))
    gains = np.zeros(many)
    for chosen, r2 in explained.items():
        for j in chosen:
            rest = tuple(i for i in chosen if i != j)
            gains[j] += (r2 - explained[rest]) / comb(many - 1, len(rest))
    return gains / many
