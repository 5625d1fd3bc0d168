"""Typed, cached view of the catalogues in `data_schemas`: surveys, editions, questions, scales, measures."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

from culture_metrics.definitions import Definition, define
from culture_metrics.errors import CultureMetricsError, UnknownNameError, unknown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

LEVELS = ("element", "theme", "sub_score", "question")


@dataclass(frozen=True)
class Scale:
    """A response scale: codes and their labels.

    `beside` are answers that are no point of the scale ("don't know"); `groups` are named sets of codes
    that serve as breakdowns; `ids` name the options of a tick-all-that-apply question.
    """

    id: str
    options: Mapping[int, str]
    extra: Mapping[int, str]
    beside: tuple[int, ...]
    groups: Mapping[str, Mapping[str, tuple[int, ...]]]
    ids: Mapping[int, str]

    @property
    def labels(self) -> dict[int, str]:
        """Labels of every code that may stand in a file, in the order of the form."""
        return {**self.options, **self.extra}


@dataclass(frozen=True)
class Question:
    """One question in one edition.

    `code` is its code in this edition and `columns` the columns it fills in a respondent file (several when
    all that apply may be ticked). The headline percentage is the share of `positive` codes among all answers
    but `out_of_base`; a question without positive codes has no headline. `asked_if` lists conditions, one of
    which must hold: (question id, codes).
    """

    id: str
    code: str
    label: str
    section: str
    kind: str
    scale: Scale
    positive: tuple[int, ...]
    out_of_base: tuple[int, ...]
    percent_meaning: str
    direction: str
    score_map: Mapping[int, float] | None
    asked_if: tuple[tuple[str, tuple[int, ...]], ...]
    weighted: bool
    alternatives: tuple[str, ...]
    unconfirmed: str
    note: str

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Columns of a respondent file, in the order of the options."""
        if self.kind == "multi":
            return tuple(f"{self.code}_{option}" for option in self.scale.options)
        return (self.code,)


@dataclass(frozen=True)
class Measure:
    """A score (sub-score, element, theme) or a question's headline percentage in one edition.

    `items` are the question ids a score is built from, `parts` the sub-scores of an element or theme,
    `minimum` how many of them must be there. For a percentage `question` names the question and `option`
    the ticked option, if any. `unconfirmed` says in plain words what was not read in the official guide.
    """

    id: str
    code: str
    label: str
    level: str
    unit: str
    direction: str
    items: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    minimum: int = 1
    rule: str | None = None
    filter: str | None = None
    question: str | None = None
    option: int | None = None
    meaning: str = ""
    evidence: str = ""
    unconfirmed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Breakdown:
    """A way of splitting respondents into groups: from a question's codes or from a text column."""

    id: str
    label: str
    question: str | None = None
    groups: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    column: str | None = None
    names: tuple[str, ...] = ()
    unconfirmed: str = ""


@dataclass(frozen=True)
class Break:
    """Something that may not be compared across editions, why, and what may be instead.

    It stands between `from_period` and `to_period`, or touches the one period `only`. `measures` (or
    questions), `breakdowns`, `organisations` and `benchmark_groups` say what it touches; `releases` that it
    lies between any two official releases. `restated_in`: in this release and later ones there is no break.
    `allowance`: how far the break alone can move a figure, by unit, where that is known.
    """

    kind: str
    reason: str
    instead: str
    measures: tuple[str, ...]
    breakdowns: tuple[str, ...]
    organisations: tuple[str, ...]
    benchmark_groups: tuple[str, ...]
    releases: bool
    from_period: str | None
    to_period: str | None
    only: str | None
    restated_in: str | None
    allowance: Mapping[str, float]
    confirmed: bool

    def between(self, first: str, second: str) -> bool:
        """Say whether the break touches a comparison of two periods, whatever is compared."""
        if self.only is not None:
            return self.only in (first, second)
        if self.from_period is None or self.to_period is None:
            return False
        early, late = sorted((first, second))
        return early <= self.from_period and late >= self.to_period


@dataclass(frozen=True)
class Edition:
    """A survey in one period: its questions, measures and breakdowns, each by its stable id."""

    survey: Survey
    period: str
    questions: Mapping[str, Question]
    measures: Mapping[str, Measure]
    breakdowns: Mapping[str, Breakdown]
    notes: tuple[str, ...]
    scoring_confirmed: bool
    scoring_note: str

    @property
    def scores(self) -> dict[str, Measure]:
        """The sub-scores, elements and themes, in the official order."""
        return {k: m for k, m in self.measures.items() if m.level != "question"}

    @property
    def percentages(self) -> dict[str, Measure]:
        """The headline percentages of the questions, in the order of the form."""
        return {k: m for k, m in self.measures.items() if m.level == "question"}

    @cached_property
    def columns(self) -> Mapping[str, Question]:
        """Question of each column a respondent file may have, the other codes of an edition included."""
        columns = {c: q for q in self.questions.values() for c in q.columns}
        for q in self.questions.values():
            for code in q.alternatives:
                columns.setdefault(code, q)
        return MappingProxyType(columns)

    @cached_property
    def codes(self) -> Mapping[str, str]:
        """Measure id of each official code (`PP1_2`, `q25c`), in lower case."""
        codes = {m.code.casefold(): k for k, m in self.measures.items()}
        codes |= {q.code.casefold(): k for k, q in self.questions.items()}
        for alias, name in self.survey.aliases.items():
            codes.setdefault(alias, name)
        return MappingProxyType(codes)

    def id(self, name: str) -> str:
        """Return the stable id of a measure or question named by id, official code, alias or printed name.

        Raises
        ------
        UnknownNameError
            When this edition has no such measure or question.

        Examples
        --------
        >>> catalogue().edition(2024).id("PP4"), catalogue().edition(2024).id("Safe and healthy")
        ('safe_and_healthy', 'safe_and_healthy')
        """
        folded = name.strip().casefold()
        if folded in self.measures or folded in self.questions:
            return folded
        if folded in self.codes:
            return self.codes[folded]
        printed = {m.label.casefold(): k for k, m in self.measures.items()}
        if folded in printed:
            return printed[folded]
        raise unknown(
            "measure",
            name,
            [*self.measures, *(m.code for m in self.measures.values())],
            where=f"{self.survey.label}, {self.period}",
        )

    def question(self, name: str) -> Question:
        """Return a question by id or code."""
        try:
            return self.questions[self.id(name)]
        except KeyError:
            raise unknown("question", name, self.questions) from None

    def measure(self, name: str) -> Measure:
        """Return a measure by id, official code, alias or printed name."""
        try:
            return self.measures[self.id(name)]
        except KeyError:
            raise unknown("measure", name, self.measures) from None

    def questions_of(self, name: str) -> tuple[str, ...]:
        """Return the ids of the questions that a measure is built of, those of its parts included.

        Examples
        --------
        >>> catalogue().edition(2024).questions_of("advocacy")
        ('care_is_top_priority', 'recommend_place_to_work', 'recommend_for_treatment')
        """
        measure = self.measure(name)
        own = [q for q in (*measure.items, measure.filter, measure.question) if q is not None]
        return (*own, *(q for part in measure.parts for q in self.questions_of(part)))

    def breakdowns_in(self, columns: Collection[str]) -> list[str]:
        """Return the ids of the breakdowns that a file with these columns has.

        Examples
        --------
        >>> catalogue().edition(2024).breakdowns_in(["q25c", "locality_1"])
        ['locality_1']
        """
        return [
            name
            for name, b in self.breakdowns.items()
            if (self.questions[b.question].code if b.question else b.column) in columns
        ]

    def breakdown(self, name: str) -> Breakdown:
        """Return a breakdown by id or by the name that official files use."""
        if name in self.breakdowns:
            return self.breakdowns[name]
        folded = name.strip().casefold()
        for breakdown in self.breakdowns.values():
            if folded in {n.casefold() for n in (breakdown.id, breakdown.label, *breakdown.names)}:
                return breakdown
        raise unknown("breakdown", name, self.breakdowns, where=f"{self.survey.label}, {self.period}")

    def __repr__(self) -> str:
        return (
            f"Edition({self.survey.label}, {self.period}: {len(self.questions)} questions, "
            f"{len(self.scores)} scores, {len(self.percentages)} percentages, {len(self.breakdowns)} "
            "breakdowns. See .measures, .questions, .breakdowns and .describe(name))"
        )

    def describe(self, name: str) -> Definition:
        """Say in plain words what a measure or question is in this edition.

        Of a score it names the questions or parts it is the mean of, and how many of them a person needs; how
        the answers to a question become points from 0 to 10 stands under that question (`describe("q9f")`).

        Examples
        --------
        >>> print(catalogue().edition(2024).describe("E_3"))  # doctest: +ELLIPSIS
        Advocacy, NHS Staff Survey, England, 2024
          official code  E_3
        ...
        """
        return define(self, self.id(name))


@dataclass(frozen=True)
class Survey:
    """A survey and its editions; `cycle` says what its periods are (`year`, `quarter`)."""

    id: str
    label: str
    cycle: str
    minimum_base: int
    missing_codes: tuple[int, ...]
    unweighted_groups: tuple[str, ...]
    open_ended: bool
    breaks: tuple[Break, ...]
    aliases: Mapping[str, str] = field(repr=False)
    _editions: dict[str, Edition] = field(default_factory=dict, repr=False, compare=False)

    @property
    def periods(self) -> tuple[str, ...]:
        """Periods that have an edition of their own."""
        return tuple(self._editions)

    def edition(self, period: str | int) -> Edition:
        """Return the edition of a period.

        Raises
        ------
        UnknownNameError
            When the survey has no edition for that period.

        Examples
        --------
        >>> catalogue().edition(2024).question("q25c").id
        'recommend_place_to_work'
        """
        period = str(period)
        if period in self._editions:
            return self._editions[period]
        if self.open_ended:
            earlier = [p for p in self._editions if p <= period]
            if earlier:
                return self._editions[max(earlier)]
        raise unknown("edition", period, self.periods, where=self.label)

    def __repr__(self) -> str:
        periods = ", ".join(self.periods)
        return f"Survey({self.label}: {periods}; minimum base {self.minimum_base}. See .edition(period))"

    def __iter__(self) -> Iterator[Edition]:
        return iter(self._editions.values())

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><th scope='row'>{e.period}</th><td>{len(e.questions)}</td><td>{len(e.scores)}</td>"
            f"<td style='text-align:left'>{html.escape(' '.join(e.notes))}</td></tr>"
            for e in self
        )
        return (
            f"<table><caption>{html.escape(self.label)}</caption><tr><th scope='col'>Edition</th>"
            "<th scope='col'>Questions</th><th scope='col'>Scores</th><th scope='col'>Notes</th></tr>"
            f"{rows}</table>"
        )


def surveys() -> tuple[str, ...]:
    """Return the ids of the surveys that have a catalogue.

    Examples
    --------
    >>> surveys()
    ('national_quarterly_pulse', 'nss_england')
    """
    return tuple(
        sorted(p.name for p in files("data_schemas").iterdir() if p.joinpath("questions.csv").is_file())
    )


@cache
def catalogue(survey: str = "nss_england") -> Survey:
    """Return the catalogue of a survey: every question, scale, measure and breakdown of every edition.

    Parameters
    ----------
    survey : str
        `nss_england` (the NHS Staff Survey) or `national_quarterly_pulse`.

    Returns
    -------
    Survey
        `.edition(2024)` gives the questions and measures of a year, `.describe(name)` of an edition says
        what one of them is.

    Raises
    ------
    UnknownNameError
        When there is no such survey.

    Notes
    -----
    Built from the data files in `data_schemas`. What has not been read in an official guide is marked there
    and shown by `describe`.

    Examples
    --------
    >>> len(catalogue().edition(2024).questions), len(catalogue().edition(2024).scores)
    (118, 30)
    """
    if survey not in surveys():
        raise unknown("survey", survey, surveys())
    from culture_metrics.catalogue_files import read_survey

    try:
        return read_survey(survey, files("data_schemas").joinpath(survey))
    except (KeyError, ValueError, TypeError) as error:
        raise CultureMetricsError(
            f"The catalogue of {survey} does not hold together ({type(error).__name__}: {error})",
            where=f"data_schemas/{survey}",
            hint="Check questions.csv, scales.yaml, measures.yaml and editions.yaml against each other.",
        ) from error


__all__ = [
    "Break",
    "Breakdown",
    "Edition",
    "Measure",
    "Question",
    "Scale",
    "Survey",
    "UnknownNameError",
    "catalogue",
    "surveys",
]
