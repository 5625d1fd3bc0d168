"""What a comparison of published figures has to assume, because no file says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from culture_metrics.errors import CultureMetricsError, kind_of

#: Standard deviation of a score among the staff of one organisation: of synthetic respondents, who are shaped
#: on national percentages, to one decimal. No official file gives one.
SCORE_SD: Mapping[str, float] = MappingProxyType(
    {
        "compassionate_and_inclusive": 1.5,
        "compassionate_culture": 1.8,
        "compassionate_leadership": 2.3,
        "diversity_and_equality": 1.7,
        "inclusion": 2.0,
        "recognised_and_rewarded": 1.9,
        "voice_that_counts": 1.7,
        "autonomy_and_control": 1.9,
        "raising_concerns": 2.0,
        "safe_and_healthy": 1.6,
        "health_and_safety_climate": 2.1,
        "burnout": 2.1,
        "negative_experiences": 2.0,
        "always_learning": 2.2,
        "development": 2.0,
        "appraisals": 3.3,
        "work_flexibly": 2.3,
        "work_life_balance": 2.3,
        "flexible_working": 2.8,
        "team": 1.8,
        "team_working": 1.8,
        "line_management": 2.4,
        "staff_engagement": 1.6,
        "motivation": 2.0,
        "involvement": 2.1,
        "advocacy": 2.1,
        "morale": 1.8,
        "thinking_about_leaving": 2.6,
        "work_pressure": 2.4,
        "stressors": 1.7,
    }
)
#: For a score of which nothing is known.
OTHER_SD = 2.0


@dataclass(frozen=True)
class Assumptions:
    """What stands in for what published files do not say.

    Attributes
    ----------
    score_sd : mapping or float
        Standard deviation of each score among respondents, by measure id; one number serves all scores. A
        measure that is not in the mapping gets the library's own assumption.
    design_effect : float
        How much weighting by occupation group widens the variance of a published, weighted figure; 1 says not
        at all, as official flags take it.

    Examples
    --------
    >>> Assumptions(score_sd={"morale": 1.9}).sd("morale"), Assumptions().sd("burnout")
    (1.9, 2.1)
    """

    score_sd: Mapping[str, float] | float = field(default_factory=lambda: SCORE_SD)
    design_effect: float = 1.1

    def __post_init__(self) -> None:
        given = self.score_sd
        spreads = list(given.values()) if isinstance(given, Mapping) else [given]
        if not all(0 < s <= 5 for s in spreads):
            raise CultureMetricsError(
                "The standard deviation of a score from 0 to 10 lies above 0 and at most at 5",
                where="Assumptions(score_sd=)",
            )
        if not self.design_effect >= 1:
            raise CultureMetricsError(
                "A design effect is 1 or more",
                where="Assumptions(design_effect=)",
                got=f"{self.design_effect}",
            )

    def sd(self, measure: str) -> float:
        """Return the standard deviation taken for a score."""
        if isinstance(self.score_sd, Mapping):
            return float(self.score_sd.get(measure, SCORE_SD.get(measure, OTHER_SD)))
        return float(self.score_sd)


def assumed_of(given: object) -> Assumptions:
    """Return the assumptions that a verb was given, or the library's own where none were.

    Raises
    ------
    CultureMetricsError
        When something else was given.
    """
    if given is None:
        return Assumptions()
    if not isinstance(given, Assumptions):
        raise CultureMetricsError(
            "assumptions= takes cm.compare.Assumptions",
            got=kind_of(given),
            hint="cm.compare.Assumptions(score_sd=1.8), or with a mapping of measures to such numbers.",
        )
    return given
