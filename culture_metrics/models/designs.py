"""The designs, and one model to fit: which outcome, indicators, controls and design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from culture_metrics.errors import LinkError

if TYPE_CHECKING:
    from culture_metrics.models.outcome_values import OutcomeValues

Design = Literal[
    "cross_section", "pooled", "lagged", "fixed_effects", "within_between", "mixed", "first_difference",
    "cross_lagged",
]  # fmt: skip
DESIGNS: tuple[Design, ...] = get_args(Design)
LINEAR_KINDS = ("continuous", "ratio", "money")
#: Organisations that a level of a categorical control needs, where nothing else is said.
FEWEST_IN_LEVEL = 3
#: Designs that look within organisations only.
WITHIN = ("fixed_effects", "first_difference")


@dataclass(frozen=True)
class Plan:
    """One model to fit.

    Attributes
    ----------
    values : OutcomeValues
    indicators, controls : tuple of str
    design : str
        One of `DESIGNS`.
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
    design: str = "pooled"
    lag: int = 0
    year_effects: bool = True
    standardise: str | dict[str, float] | None = "sd"
    weights: str | None = None
    lead: int = 0
    prior_outcome: bool = False
    min_level_orgs: int = FEWEST_IN_LEVEL
    also_known: tuple[str, ...] = ()

    @property
    def linear(self) -> bool:
        """Whether the outcome's kind has a linear model."""
        return self.values.outcome.kind in LINEAR_KINDS

    @property
    def split(self) -> bool:
        """Whether indicators enter as organisation mean and deviation from it.

        Organisation dummies are biased outside linear models (incidental parameters), so the fixed-effects
        designs take mean and deviation there.
        """
        return self.design == "within_between" or (self.design in WITHIN and not self.linear)

    @property
    def demeaned(self) -> bool:
        """Whether everything is taken as deviation from the organisation's mean."""
        return self.design == "fixed_effects" and self.linear

    @property
    def differenced(self) -> bool:
        """Whether everything is taken as change since the year before."""
        return self.design == "first_difference" and self.linear


def check_design(design: str) -> None:
    """Refuse a design that does not exist."""
    if design not in DESIGNS:
        raise LinkError(f"There is no design '{design}'", expected=", ".join(DESIGNS))
