"""What a design declares: how it takes the figures, what it takes, how its results are said and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from culture_metrics.errors import LinkError
from culture_metrics.models.covariance import COVARIANCES
from culture_metrics.models.designs.independent_figures import Sizes
from culture_metrics.outcomes.kinds import KINDS, ORDINAL, Kind

#: Kinds of outcome that designs take: all, those with numbers, all but ratings, those with a linear model.
ALL = tuple(KINDS.values())
NUMBERS = tuple(kind for kind in ALL if not kind.graded)
UNORDERED = tuple(kind for kind in ALL if not kind.ordered)
LINEAR = tuple(kind for kind in ALL if kind.linear)


class Transform(Enum):
    """What becomes of outcome, indicators and controls before the model is fitted."""

    LEVELS = ""
    DEVIATIONS = "within organisations"
    SPLIT = "within and between organisations"
    CHANGES = "on changes"


class Estimator(Enum):
    """What fits the model."""

    ROWS = "least squares, or the generalised linear model of the kind"
    INTERCEPTS = "a random intercept for each organisation, or estimating equations"


@dataclass(frozen=True, kw_only=True)
class Design:
    """A design of a study of links.

    Nothing that decides a figure has a default: a design that does not say how it takes the figures cannot be
    made, and so is never fitted as another one.

    Attributes
    ----------
    name, label : str
        As `link_outcomes` takes it, and in words.
    transform : Transform
        For kinds of outcome with a linear model.
    beyond_linear : Transform or None
        For the others; none where the design takes linear kinds only. Organisation dummies are biased outside
        linear models (incidental parameters), so designs within organisations take mean and deviation there.
    estimator : Estimator
    kinds : tuple of Kind
        Kinds of outcome that it takes.
    independent : callable
        How many independent figures it makes of its rows, for the power of its test.
    reference : str
        The record, made with other software, that its results are checked against.
    sentence : str, optional
        What its slope is of, with {indicator}, {step}, {outcome} and {later}; that of the kind when left out.
    instead : str
        What to take for an outcome of another kind.
    gap : int
        Years over which changes are taken.
    lag : int
        Years from indicator to outcome, at least.
    given_outcome : bool
        Whether the outcome in the indicator's year is held equal.
    years : bool
        Whether years can be held equal; otherwise it is a design of one year.
    both_ways : bool
        Whether it is two equations, also from outcome to indicator, with everything in SDs.
    beside : tuple of str
        Designs that must stand beside it where the panel carries them: one slope is never shown alone.
    compares : bool
        Whether its slope is a mixture of those within and between organisations, or one of them, so that the
        two are tested against each other.
    placebo : bool
        Whether next year's indicator is tried in place of the indicator.
    planning : str
        Its name in a table of what can be found before there are data; it is left out there without one.
    """

    name: str
    label: str
    transform: Transform
    beyond_linear: Transform | None
    estimator: Estimator
    kinds: tuple[Kind, ...]
    independent: Callable[[Sizes], float]
    reference: str
    sentence: str | None = None
    instead: str = "pooled or lagged"
    gap: int = 0
    lag: int = 0
    given_outcome: bool = False
    years: bool = True
    both_ways: bool = False
    beside: tuple[str, ...] = ()
    compares: bool = False
    placebo: bool = False
    planning: str = ""

    def __post_init__(self) -> None:
        if (self.gap > 0) != (self.transform is Transform.CHANGES):
            raise LinkError("Changes are taken over a number of years", where=f"design {self.name}, gap=")
        if self.beyond_linear is None and any(not kind.linear for kind in self.kinds):
            raise LinkError("A design says how it takes the kinds it names", where=f"design {self.name}")

    @property
    def within_only(self) -> bool:
        """Whether it looks at organisations' own course only, and not at differences between them."""
        return self.transform in (Transform.DEVIATIONS, Transform.CHANGES)

    @property
    def levels(self) -> bool:
        """Whether it is a model of the figures as they are, row by row."""
        return self.transform is Transform.LEVELS and self.estimator is Estimator.ROWS and not self.both_ways

    @property
    def intercepts(self) -> bool:
        """Whether every organisation has a random intercept."""
        return self.estimator is Estimator.INTERCEPTS

    @property
    def takes_weights(self) -> bool:
        """Whether its rows can be weighted."""
        return not self.intercepts

    def covariances(self, kind: Kind) -> tuple[str, ...]:
        """Return the covariances that it has for a kind of outcome."""
        without = set() if self.estimator is Estimator.ROWS and kind.linear else {"wild"}
        if self.intercepts and not kind.linear:
            without |= {"HC1", "HC3"}
        if kind.family == ORDINAL:
            without |= {"HC3"}
        return tuple(one for one in COVARIANCES if one not in without)

    def _why_not(self, cov: str) -> str:
        if cov == "wild":
            return "The wild bootstrap is one of least squares."
        if self.intercepts:
            return "The rows of an organisation go together in estimating equations."
        return "HC3 needs leverages, which an ordered logit has none of."

    def named(self, text: str) -> Design | None:
        """Return the design of this family that a text names."""
        return self if text == self.name else None

    def check(self, kind: Kind, cov: str, weighted: bool, column: str) -> None:
        """Refuse a kind of outcome, a covariance or weights that the design does not have.

        Raises
        ------
        LinkError
            Naming those there are.
        """
        where = f"outcome {column} ({kind.name}), design {self.name}"
        if kind not in self.kinds:
            raise LinkError(
                f"An outcome of kind {kind.name} has no {self.name} model",
                where=where,
                expected=f"a kind out of {', '.join(one.name for one in self.kinds)}",
                hint=f"Use {self.instead}.",
            )
        if cov not in (known := self.covariances(kind)):
            raise LinkError(
                f"The design {self.name} takes no cov='{cov}' with this kind of outcome",
                where=where,
                expected=", ".join(known),
                hint=f"{self._why_not(cov)} Leave out cov=, or take cov='cluster'.",
            )
        if weighted and not self.takes_weights:
            raise LinkError(
                f"The design {self.name} takes no weights",
                where=where,
                hint="Leave out weights=, or use pooled.",
            )
