"""How often designs find a link that is not there: a simulation to read beside every pooled slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.links.arguments import check_study, check_whole, check_within
from culture_metrics.links.output import link_verb
from culture_metrics.links.power import ICC, ICC_INDICATOR, LEVEL, ORGANISATIONS, YEARS
from culture_metrics.models.designs.within import FIXED_EFFECTS
from culture_metrics.output import Output

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.models.solution import Array

#: Panels made at once.
BATCH = 250


class Way(NamedTuple):
    """A way to look at a panel: its words, and whether it demeans within organisations and clusters."""

    label: str
    within: bool
    clustered: bool


WAYS = {
    "classical": Way("All years together, years taken as independent", within=False, clustered=False),
    "clustered": Way("All years together, clustered by organisation", within=False, clustered=True),
    FIXED_EFFECTS.name: Way(f"{FIXED_EFFECTS.label}, clustered", within=True, clustered=True),
}


@dataclass(frozen=True)
class FalseAlarms(Output):
    """How often a link within organisations is found although there is none.

    Attributes
    ----------
    table : polars.DataFrame
        One row per design; see `false_alarms`.
    organisations, years, draws : int
    correlation, level : float
    """

    table: pl.DataFrame
    organisations: int
    years: int
    draws: int
    correlation: float
    level: float

    def figure(self) -> go.Figure:
        """Draw the share of false alarms of each design with its simulation interval."""
        from culture_metrics import views

        return views.estimates(
            self.table.select("label", "estimate", "conf_low", "conf_high"),
            axis="Panels in which a link is found (%)",
            decimals=1,
            reference=100 * self.level,
            title=self._headline(),
            subtitle=(
                f"Levels of organisations go together by {self.correlation:g}; {self.organisations} "
                f"organisations, {self.years} years, {self.draws:,} simulated panels"
            ),
            notes=f"Dashed line: {100 * self.level:g}%, what a sound test would give.",
        )

    def summary(self) -> str:
        """Say in plain sentences how often each design is misled."""
        rows = "; ".join(f"{r['label'].lower()}: {r['estimate']:.0f}%" for r in self.table.to_dicts())
        return (
            f"In {self.draws:,} made-up panels ({self.organisations} organisations, {self.years} years) a "
            "change of the indicator never goes with a change of the outcome, and the lasting levels of the "
            f"two correlate {self.correlation:g}. A test at {100 * self.level:g}% found a link in: {rows}."
        )

    def _headline(self) -> str:
        share = dict(self.table.select("design", "estimate").iter_rows())
        return (
            f"Where no change goes with a change, {share['classical']:.1f}% of panels show a link if years "
            f"are taken as independent, {share['clustered']:.1f}% with clustering, "
            f"{share[FIXED_EFFECTS.name]:.1f}% within organisations"
        )

    def __repr__(self) -> str:
        return f"FalseAlarms({self._headline()}. See .table and .summary())"


@link_verb
def false_alarms(
    n_organisations: int = ORGANISATIONS,
    years: int = YEARS,
    icc: float = ICC,
    *,
    icc_indicator: float = ICC_INDICATOR,
    correlation: float = 0.0,
    level: float = LEVEL,
    draws: int = 1000,
    seed: int = 0,
) -> FalseAlarms:
    """Count in simulated panels how often a link is found that does not exist within organisations.

    Parameters
    ----------
    n_organisations, years : int
        Size of each panel.
    icc, icc_indicator : float
        Share of the variance of outcome and indicator that lies between organisations.
    correlation : float
        Of the two lasting levels. Where it is not 0 something that differs between organisations (region,
        patients, type) goes with both; clustering allows for repeated years, not for that.
    level : float
        Level of the two-sided test.
    draws, seed : int
        Number of panels; the same seed gives the same panels.

    Returns
    -------
    FalseAlarms
        `.table`: `design` (`classical`, `clustered`, `fixed_effects`), `label, estimate` (% of panels in
        which the slope is significant), `conf_low, conf_high` (Wilson interval of the simulation).

    Raises
    ------
    LinkError
        When a number lies outside its range.

    Examples
    --------
    >>> found = false_alarms(60, 4, correlation=0.5, draws=200).table
    >>> bool(found["estimate"][1] > found["estimate"][2])
    True
    """
    check_study(n_organisations, years, icc, icc_indicator, level, fewest=2)
    check_within("correlation", correlation, -1, 1, "-1 to 1", low_too=True, high_too=True)
    check_whole("draws", draws, 100)
    rng = np.random.default_rng(seed)
    hits = np.zeros(len(WAYS))
    for first in range(0, draws, BATCH):
        shape = (min(BATCH, draws - first), n_organisations, years)
        lasting_x = rng.normal(size=(*shape[:2], 1))
        own = rng.normal(size=(*shape[:2], 1))
        lasting_y = correlation * lasting_x + np.sqrt(1 - correlation**2) * own
        x = np.sqrt(icc_indicator) * lasting_x + np.sqrt(1 - icc_indicator) * rng.normal(size=shape)
        y = np.sqrt(icc) * lasting_y + np.sqrt(1 - icc) * rng.normal(size=shape)
        hits += _significant(x, y, level)
    share = hits / draws
    low, high = _wilson(share, draws)
    table = pl.DataFrame(
        {
            "design": list(WAYS),
            "label": [way.label for way in WAYS.values()],
            "estimate": 100 * share,
            "conf_low": 100 * low,
            "conf_high": 100 * high,
        }
    )
    return FalseAlarms(table, n_organisations, years, draws, correlation, level)


def _significant(x: Array, y: Array, level: float) -> Array:
    """Count the panels (draws, organisations, years) in which each design's slope is significant."""
    from scipy.special import stdtr

    many, years = x.shape[1:]
    counts = []
    for way in WAYS.values():
        centre = (2,) if way.within else (1, 2)
        dx, dy = (v - v.mean(axis=centre, keepdims=True) for v in (x, y))
        spread = (dx**2).sum((1, 2))
        slope = (dx * dy).sum((1, 2)) / spread
        residuals = dy - slope[:, None, None] * dx
        if not way.clustered:
            df = many * years - 2
            error = np.sqrt((residuals**2).sum((1, 2)) / df / spread)
        else:
            df, rows = many - 1, many * years
            factor = many / (many - 1) * (rows - 1) / (rows - (1 if way.within else 2))
            error = np.sqrt(((dx * residuals).sum(2) ** 2).sum(1) * factor) / spread
        counts.append(float((2 * stdtr(df, -np.abs(slope / error)) < level).sum()))
    return np.array(counts)


def _wilson(share: Array, draws: int) -> tuple[Array, Array]:
    z = 1.959964
    centre = (share + z**2 / (2 * draws)) / (1 + z**2 / draws)
    half = z / (1 + z**2 / draws) * np.sqrt(share * (1 - share) / draws + z**2 / (4 * draws**2))
    return centre - half, centre + half
