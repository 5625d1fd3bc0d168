"""The kinds of outcome: each declares what its figures are, how they roll up and which model they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Literal

from culture_metrics.errors import LinkError, kind_of

#: Families of models, as the column `family` of a table of links names them.
NORMAL, BINOMIAL, POISSON, ORDINAL = "normal", "binomial", "poisson", "ordinal"


class Figures(Enum):
    """What the figures of an outcome are."""

    NUMBERS = "numbers"
    RATIOS = "numbers from 0"
    FRACTIONS = "fractions from 0 to 1"
    COUNTS = "whole numbers from 0"
    LEVELS = "levels in order"
    EITHER = "one of two"


class RollUp(Enum):
    """How figures of several periods become one of the year."""

    ADDED = "parts are added"
    LAST = "the last one of the year counts"
    STANDING = "it stands until the next"


class Below(Enum):
    """What a figure is divided by, which stands in a column of its own."""

    TRIALS = "trials"
    PERSON_TIME = "person-time"
    EXPOSURE = "exposure"

    @property
    def part(self) -> Literal["base", "exposure"]:
        """The field of an outcome that names the column."""
        return "exposure" if self is Below.EXPOSURE else "base"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """A kind of outcome.

    Attributes
    ----------
    name, label : str
        As `Outcome` takes it, and in words.
    figures : Figures
    roll_up : RollUp
    family : str
        Family of the model: normal (least squares), binomial, poisson (logit and log link) or ordinal.
    reference : str
        File and id of the record, made with other software, that its model is checked against.
    below : Below, optional
        What the figures are shares or counts of.
    divided : bool
        Whether a figure is a numerator over a denominator.
    skewed : bool
        Whether a Gamma model takes the place of least squares where the figures are very skewed.
    model : str
        The generalised linear model in words.
    beside : str
        The model that must stand beside the main one in designs on levels: `poisson`, `negative_binomial`
        (where the counts vary more than a Poisson model says) or `logit`.
    ratio : str
        What a ratio of two means is called.
    subject, sentence : str
        How sentences name what a slope is told for, with {outcome}, and say what it is of, with {indicator},
        {step} and {later} too.
    """

    name: str
    label: str
    figures: Figures
    roll_up: RollUp
    family: str
    reference: str
    below: Below | None = None
    divided: bool = False
    skewed: bool = False
    model: str = "least squares"
    beside: Literal["poisson", "negative_binomial", "logit"] | None = None
    ratio: str = "ratio"
    subject: str = "{outcome}"
    sentence: str = "Organisations with {indicator} {step} higher had {outcome}{later}"

    @property
    def linear(self) -> bool:
        """Whether the kind has a linear model."""
        return self.family == NORMAL

    @property
    def score(self) -> bool:
        """Whether the figures are plain numbers of which the last one of a year counts."""
        return self.figures is Figures.NUMBERS and self.roll_up is RollUp.LAST

    @property
    def fraction(self) -> bool:
        """Whether the figures are fractions of 1."""
        return self.figures is Figures.FRACTIONS

    @property
    def graded(self) -> bool:
        """Whether the figures are levels rather than numbers."""
        return self.figures in (Figures.LEVELS, Figures.EITHER)

    @property
    def ordered(self) -> bool:
        """Whether the levels are declared with the outcome, in order."""
        return self.figures is Figures.LEVELS

    @property
    def counted(self) -> bool:
        """Whether the figures are counts of cases."""
        return self.figures is Figures.COUNTS

    @property
    def trials(self) -> bool:
        """Whether the figures are events out of a number of trials."""
        return self.below is Below.TRIALS

    @property
    def amount(self) -> bool:
        """Whether figures of several periods are simply added: cases, pounds."""
        return self.roll_up is RollUp.ADDED and not self.fraction

    @property
    def own_variance(self) -> bool:
        """Whether the model says by itself how much counts or shares vary, which they may exceed."""
        return self.trials or self.counted

    @property
    def parts(self) -> tuple[str, ...]:
        """Fields of `Outcome` that belong to this kind and to not every one."""
        below = (self.below.part,) if self.below else ()
        # A score may be the place of a level among its levels.
        levels = ("levels",) if self.ordered or self.score else ()
        return (*below, *(("percent",) if self.fraction else ()), *levels)


_LINKS = "tests/reference/link_models.csv"
_KINDS = (
    Kind(
        name="continuous", label="a score", figures=Figures.NUMBERS, roll_up=RollUp.LAST, family=NORMAL,
        reference=f"{_LINKS}: ols_hc3",
    ),
    Kind(
        name="ratio", label="observed to expected", figures=Figures.RATIOS, roll_up=RollUp.LAST,
        family=NORMAL, divided=True, beside="poisson", reference=f"{_LINKS}: ols_cluster",
    ),
    Kind(
        name="proportion", label="events out of trials", figures=Figures.FRACTIONS, roll_up=RollUp.ADDED,
        family=BINOMIAL, below=Below.TRIALS, divided=True, model="quasi-binomial GLM",
        reference=f"{_LINKS}: quasibinomial_cluster",
    ),
    Kind(
        name="rate", label="a share of person-time", figures=Figures.FRACTIONS, roll_up=RollUp.ADDED,
        family=BINOMIAL, below=Below.PERSON_TIME, divided=True, model="fractional logit",
        reference=f"{_LINKS}: fractional_cluster",
    ),
    Kind(
        name="count", label="events over an exposure", figures=Figures.COUNTS, roll_up=RollUp.ADDED,
        family=POISSON, below=Below.EXPOSURE, model="Poisson GLM", beside="negative_binomial",
        ratio="rate ratio", reference=f"{_LINKS}: poisson_cluster",
    ),
    Kind(
        name="ordinal", label="a rating", figures=Figures.LEVELS, roll_up=RollUp.STANDING, family=ORDINAL,
        model="ordered logit", beside="logit", reference=f"{_LINKS}: clm_cluster",
    ),
    Kind(
        name="binary", label="yes or no", figures=Figures.EITHER, roll_up=RollUp.STANDING, family=BINOMIAL,
        model="logit", subject="a probability of {outcome}", reference=f"{_LINKS}: logit_cluster",
    ),
    Kind(
        name="money", label="an amount of money", figures=Figures.NUMBERS, roll_up=RollUp.ADDED,
        family=NORMAL, skewed=True, reference=f"{_LINKS}: gamma_cluster",
        sentence="{indicator} {step} higher was associated with {outcome}{later}",
    ),
)  # fmt: skip
#: The kinds of outcome by name.
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _KINDS})


def as_kind(name: object, where: str | None = None) -> Kind:
    """Return the kind of this name.

    Raises
    ------
    LinkError
        When there is none.

    Examples
    --------
    >>> as_kind("money").linear
    True
    """
    if isinstance(name, str) and name in KINDS:
        return KINDS[name]
    raise LinkError(
        f"There is no kind of outcome '{name}'" if isinstance(name, str) else "kind= is a kind's name",
        where=where,
        expected=", ".join(KINDS),
        got=None if isinstance(name, str) else kind_of(name),
    )
