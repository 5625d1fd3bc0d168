"""One model to fit: which outcome, indicators, controls and design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_metrics.models.designs.design import Transform
from culture_metrics.models.designs.pooled import POOLED

if TYPE_CHECKING:
    from culture_metrics.models.designs.design import Design
    from culture_metrics.models.outcome_values import OutcomeValues

#: Organisations that a level of a categorical control needs, where nothing else is said.
FEWEST_IN_LEVEL = 3


@dataclass(frozen=True)
class Plan:
    """One model to fit, kept to what its design asks for: its lag, the outcome before, no years of one.

    Attributes
    ----------
    values : OutcomeValues
    indicators, controls : tuple of str
    design : Design
    lag : int
        Year of the outcome less the year of the indicators.
    year_effects : bool
    standardise : str, None or dict
        Step of an indicator: "sd", "sd_within_year", "iqr", None (1 unit) or steps by indicator.
    weights : str or None
        Column of weights.
    lead : int
        Years by which the indicators are taken too late on purpose, for a placebo.
    prior_outcome : bool
        Whether the outcome in the indicators' year is a control.
    min_level_orgs : int
        Organisations that a level of a categorical control needs to stay, with its rows.
    also_known : tuple of str
        Columns that must be known in the outcome's year although the model does not use them there.
    """

    values: OutcomeValues
    indicators: tuple[str, ...]
    controls: tuple[str, ...] = ()
    design: Design = POOLED
    lag: int = 0
    year_effects: bool = True
    standardise: str | dict[str, float] | None = "sd"
    weights: str | None = None
    lead: int = 0
    prior_outcome: bool = False
    min_level_orgs: int = FEWEST_IN_LEVEL
    also_known: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "lag", max(self.lag, self.design.lag))
        object.__setattr__(self, "year_effects", self.year_effects and self.design.years)
        object.__setattr__(self, "prior_outcome", self.prior_outcome or self.design.given_outcome)

    @property
    def linear(self) -> bool:
        """Whether the outcome's kind has a linear model."""
        return self.values.outcome.rules.linear

    @property
    def transform(self) -> Transform | None:
        """What becomes of the figures before the model is fitted."""
        return self.design.transform if self.linear else self.design.beyond_linear

    @property
    def split(self) -> bool:
        """Whether indicators enter as organisation mean and deviation from it."""
        return self.transform is Transform.SPLIT

    @property
    def demeaned(self) -> bool:
        """Whether everything is taken as deviation from the organisation's mean."""
        return self.transform is Transform.DEVIATIONS

    @property
    def gap(self) -> int:
        """Years over which everything is taken as a change; 0 where it is not."""
        return self.design.gap if self.transform is Transform.CHANGES else 0
