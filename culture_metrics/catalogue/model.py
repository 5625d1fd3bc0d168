"""What a catalogue holds: surveys, editions, questions, scales, measures and breakdowns."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from culture_metrics.catalogue.describe import Definition, define
from culture_metrics.errors import unknown
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from culture_metrics.catalogue.weighting import Weighting

#: Level of the headline percentages; the levels of scores are the survey's own.
QUESTION = "question"
#: Between the parts of a cross: breakdown "occupation_group × locality_1", group "Nurses × Ward A".
CROSS = " × "


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
    which must hold: (question id, codes). `usual` are rounded national shares of the codes, to tell a wrong
    list from an odd organisation; empty where they are not known or all that apply may be ticked.
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
    usual: Mapping[int, float] = field(default_factory=dict, repr=False)

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
    `minimum` how many of them must be there. `scale` is where its figures lie. For a percentage `question`
    names the question and `option` the ticked option, if any. `unconfirmed` says in plain words what was not
    read in the official guide.
    """

    id: str
    code: str
    label: str
    level: str
    unit: str
    direction: str
    scale: tuple[float, float]
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
class Fault:
    """A block of an official release that is known to be wrong as published.

    `release` and `layouts` say in which files, `measures` (or questions) what of them; `found` what is wrong
    and `remedy` what to take instead. `shows`: the one figure that the block holds throughout. Where a file
    shows others it was put right.
    """

    release: str
    layouts: tuple[str, ...]
    measures: tuple[str, ...]
    found: str
    remedy: str
    shows: float | None = None


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
    #: Why what is said of the edition is not known yet; empty where it is.
    provisional: str = ""

    @property
    def named(self) -> str:
        """The period, with a remark where the edition is provisional.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue().edition(2024).named
        '2024'
        """
        return f"{self.period} (provisional: {self.provisional})" if self.provisional else self.period

    @property
    def scores(self) -> dict[str, Measure]:
        """The sub-scores, elements and themes, in the official order."""
        return {k: m for k, m in self.measures.items() if m.level != QUESTION}

    @property
    def leading(self) -> dict[str, Measure]:
        """The scores that stand first: those of the survey's leading levels."""
        return {k: m for k, m in self.scores.items() if m.level in self.survey.leading}

    @property
    def percentages(self) -> dict[str, Measure]:
        """The headline percentages of the questions, in the order of the form."""
        return {k: m for k, m in self.measures.items() if m.level == QUESTION}

    @property
    def never_weighted(self) -> tuple[str, ...]:
        """Codes of the questions that official results do not weight, in the order of the form."""
        return tuple(q.code for q in self.questions.values() if not q.weighted)

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
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue().edition(2024).id("PP4"), catalogue().edition(2024).id("Safe and healthy")
        ('safe_and_healthy', 'safe_and_healthy')
        """
        folded = str(name).strip().casefold()
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

    @property
    def default_score(self) -> str:
        """The score whose answers are shown where none is asked for: the survey's choice, or its first."""
        return self.survey.defaults.score or next(iter(self.leading or self.scores))

    @property
    def default_question(self) -> str:
        """The percentage that is shown where none is asked for: the survey's choice, or its first."""
        return self.survey.defaults.question or next(iter(self.percentages))

    @property
    def headline(self) -> str:
        """The score that sums the survey up: the survey's choice, or its first leading one."""
        return self.survey.defaults.headline or next(iter(self.leading or self.scores))

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
        >>> from culture_metrics.catalogue import catalogue
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
        >>> from culture_metrics.catalogue import catalogue
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
        folded = str(name).strip().casefold()
        for breakdown in self.breakdowns.values():
            if folded in {n.casefold() for n in (breakdown.id, breakdown.label, *breakdown.names)}:
                return breakdown
        raise unknown("breakdown", name, self.breakdowns, where=f"{self.survey.label}, {self.period}")

    def breakdown_label(self, name: str, words: Mapping[str, str] | None = None) -> str:
        """Return how a breakdown of results is called; of one that is crossed, its parts.

        `words` are what a file calls its breakdowns, by id: they win over the catalogue's.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue().edition(2024).breakdown_label("occupation_group × age")
        'Occupation group × age'
        """
        own = words or {}
        labels = [
            own.get(n) or (self.breakdowns[n].label if n in self.breakdowns else n) for n in name.split(CROSS)
        ]
        return CROSS.join([labels[0], *(label[:1].lower() + label[1:] for label in labels[1:])])

    def __repr__(self) -> str:
        return (
            f"Edition({self.survey.label}, {self.period}: {len(self.questions)} questions, "
            f"{len(self.scores)} scores, {len(self.percentages)} percentages, {len(self.breakdowns)} "
            "breakdowns. See .measures, .questions, .breakdowns and .describe(name))"
        )

    def describe(self, name: str) -> Definition:
        """Say in plain words what a measure or question is in this edition.

        Of a score it names the questions or parts it is the mean of, and how many of them a person needs; how
        the answers to a question become points stands under that question (`describe("q9f")`).

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> print(catalogue().edition(2024).describe("E_3"))  # doctest: +ELLIPSIS
        Advocacy, NHS Staff Survey, England, 2024
          official code  E_3
        ...
        """
        return define(self, self.id(name))


@dataclass(frozen=True)
class Level:
    """A level of scores: what one and several are called, and whether they lead (stand first, are mapped)."""

    id: str
    label: str
    plural: str
    leading: bool


@dataclass(frozen=True)
class Defaults:
    """What is shown of a survey where nothing is asked for.

    `breakdowns` are those of a report, as far as an extract has them; `staff_mix` the one that a change is
    split by. `headline` is the score that sums the survey up, `score` the one whose answers are looked at,
    `question` the percentage; `programme` are the measures on which a programme is followed before and after.
    """

    breakdowns: tuple[str, ...] = ()
    staff_mix: str | None = None
    headline: str | None = None
    score: str | None = None
    question: str | None = None
    programme: tuple[str, ...] = ()


@dataclass(frozen=True)
class Impossible:
    """Answers that do not go together: the rule, what is found and what was expected, in words.

    `answers` has one mapping (question id -> codes) for each set of answers that nobody can have together.
    """

    rule: str
    found: str
    expected: str
    answers: tuple[Mapping[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Survey:
    """A survey and its editions.

    `cycle` says what its periods are (`year`, `quarter`), `score_range` where scores lie, `levels` which
    levels of scores it has. `minimum_base` is the smallest base that is shown unless a larger one is asked
    for, `written_minimum` the smallest that its published files show: nothing is written below it. `about`
    says in a sentence or two what the survey is. `quarters` are those that have an edition of a quarterly
    survey, `flagged` the levels of which its official reports flag a change. `short_names` are what names of
    files call it before two digits of a year (`NSS24`). `folder` is where a survey outside the package was
    read from. `faults` are blocks of official releases that are known to be wrong. `weighting` says how
    official results are weighted, where they are.
    """

    id: str
    label: str
    about: str
    cycle: str
    score_range: tuple[float, float]
    levels: Mapping[str, Level]
    defaults: Defaults
    minimum_base: int
    written_minimum: int
    missing_codes: tuple[int, ...]
    unweighted_groups: tuple[str, ...]
    open_ended: bool
    breaks: tuple[Break, ...]
    faults: tuple[Fault, ...]
    flagged: tuple[str, ...]
    quarters: tuple[str, ...]
    impossible: tuple[Impossible, ...]
    short_names: tuple[str, ...]
    aliases: Mapping[str, str] = field(repr=False)
    folder: Path | None = None
    weighting: Weighting | None = field(default=None, repr=False)
    _editions: dict[str, Edition] = field(default_factory=dict, repr=False, compare=False)

    @property
    def periods(self) -> tuple[str, ...]:
        """Periods that have an edition of their own."""
        return tuple(self._editions)

    @property
    def range_words(self) -> str:
        """Where scores lie, in words.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue().range_words
        '0 to 10'
        """
        return "{:g} to {:g}".format(*self.score_range)

    @property
    def leading(self) -> tuple[str, ...]:
        """Ids of the levels whose scores stand first: those that say so, or all."""
        return tuple(k for k, level in self.levels.items() if level.leading) or tuple(self.levels)

    @property
    def part_levels(self) -> tuple[str, ...]:
        """Ids of the other levels: their scores are parts of those that stand first."""
        return tuple(name for name in self.levels if name not in self.leading)

    @property
    def material(self) -> dict[str, float]:
        """Smallest change of interest by unit: a hundredth of the scale.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue().material
        {'percent': 1.0, 'score': 0.1}
        """
        return {"percent": 1.0, "score": (self.score_range[1] - self.score_range[0]) / 100}

    @property
    def leading_words(self) -> str:
        """What the scores that stand first are called.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue().leading_words
        'elements and themes'
        """
        *some, last = (self.levels[name].plural for name in self.leading)
        return " and ".join(filter(None, (", ".join(some), last)))

    def named(self, *periods: str) -> str:
        """Say periods as people read them: with a remark where the edition is provisional.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue("national_quarterly_pulse").named("2024-Q1")
        'Q1 2024/25'
        """
        known = self._editions
        said = (
            f" (provisional: {known[p].provisional})" if p in known and known[p].provisional else ""
            for p in periods
        )
        return " to ".join(f"{period_words(p)}{remark}" for p, remark in zip(periods, said, strict=True))

    def remarks(self, *periods: str) -> list[str]:
        """Say in sentences which periods are of a provisional edition.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue().remarks("2025", "2026")
        ['2026 is provisional: as 2025, not confirmed.']
        """
        early = (self._editions[p] for p in periods if p in self.periods)
        return [f"{e.period} is provisional: {e.provisional}." for e in early if e.provisional]

    @property
    def newest(self) -> Edition:
        """The edition of the last period."""
        return self._editions[self.periods[-1]]

    @property
    def example(self) -> dict[str, str]:
        """A column under a name of its own, and the code it stands for.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> catalogue().example
        {'Would recommend as a place to work': 'q25c'}
        """
        asked = self.newest.measure(self.newest.default_question).question
        question = self.newest.questions[str(asked)]
        return {question.label: question.code}

    @property
    def some_codes(self) -> tuple[str, ...]:
        """A few codes of questions of the newest edition, as examples.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
        >>> len(catalogue().some_codes)
        3
        """
        codes = [q.code for q in self.newest.questions.values()]
        return tuple(dict.fromkeys((codes[0], codes[len(codes) // 2], codes[-1])))

    @cached_property
    def codes(self) -> frozenset[str]:
        """Every code that a column of a respondent file may have in any edition, as the catalogue has it."""
        questions = [q for edition in self for q in edition.questions.values()]
        return frozenset(c for q in questions for c in (q.code, *q.columns, *q.alternatives))

    def edition(self, period: str | int) -> Edition:
        """Return the edition of a period.

        Raises
        ------
        UnknownNameError
            When the survey has no edition for that period.

        Examples
        --------
        >>> from culture_metrics.catalogue import catalogue
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
