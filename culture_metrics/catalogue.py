"""Typed, cached view of the catalogues in `data_schemas`: surveys, editions, questions, scales, measures."""

from __future__ import annotations

import csv
import html
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from culture_metrics.definitions import Definition, define
from culture_metrics.errors import CultureMetricsError, UnknownNameError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from importlib.resources.abc import Traversable

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
        """Return the stable id of a measure or question named by its id, official code or alias.

        Raises
        ------
        UnknownNameError
            When this edition has no such measure or question.
        """
        folded = name.strip().casefold()
        if folded in self.measures or folded in self.questions:
            return folded
        if folded in self.codes:
            return self.codes[folded]
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
        """Return a measure by id, official code or alias."""
        try:
            return self.measures[self.id(name)]
        except KeyError:
            raise unknown("measure", name, self.measures) from None

    def breakdown(self, name: str) -> Breakdown:
        """Return a breakdown by id or by the name that official files use."""
        if name in self.breakdowns:
            return self.breakdowns[name]
        folded = name.strip().casefold()
        for breakdown in self.breakdowns.values():
            if folded in {n.casefold() for n in (breakdown.id, breakdown.label, *breakdown.names)}:
                return breakdown
        raise unknown("breakdown", name, self.breakdowns, where=f"{self.survey.label}, {self.period}")

    def describe(self, name: str) -> Definition:
        """Say in plain words what a measure or question is in this edition.

        Examples
        --------
        >>> print(catalogue().edition(2024).describe("E_3"))  # doctest: +ELLIPSIS
        Advocacy (advocacy), NHS Staff Survey, England, 2024
          official code  E_3
        ...
        """
        return define(self, self.id(name))


@dataclass(frozen=True)
class Survey:
    """A survey and its editions."""

    id: str
    label: str
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
    folder = files("data_schemas").joinpath(survey)
    try:
        return _read_survey(survey, folder)
    except (KeyError, ValueError, TypeError) as error:
        raise CultureMetricsError(
            f"The catalogue of {survey} does not hold together ({type(error).__name__}: {error})",
            where=f"data_schemas/{survey}",
            hint="Check questions.csv, scales.yaml, measures.yaml and editions.yaml against each other.",
        ) from error


def _yaml(folder: Traversable, name: str) -> Any:
    text = folder.joinpath(name).read_text(encoding="utf-8")
    # The compiled loader is seven times as fast; not every build of PyYAML has it.
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def _read_survey(survey: str, folder: Traversable) -> Survey:
    rows = list(csv.DictReader(folder.joinpath("questions.csv").read_text(encoding="utf-8").splitlines()))
    editions, measures = _yaml(folder, "editions.yaml"), _yaml(folder, "measures.yaml")
    scales = {name: _scale(name, spec) for name, spec in _yaml(folder, "scales.yaml").items()}
    head = editions["survey"]
    view = Survey(
        id=survey,
        label=head["label"],
        minimum_base=head["minimum_base"],
        missing_codes=tuple(head["missing_codes"]),
        unweighted_groups=tuple(head["unweighted_groups"]),
        open_ended=head.get("open_ended", False),
        breaks=tuple(map(_break, editions["breaks"])),
        aliases=MappingProxyType(
            {
                alias.casefold(): name
                for name, spec in measures["measures"].items()
                for alias in spec.get("aliases", ())
            }
        ),
    )
    breakdowns = _yaml(folder, "breakdowns.yaml")
    for period, spec in editions["editions"].items():
        questions = {
            row["measure"]: _question(row, period, scales, spec["scales"], measures["score_maps"])
            for row in rows
            if row[f"code_{period}"]
        }
        if len(questions) != spec["items"]:
            raise ValueError(f"{period} has {len(questions)} questions, not {spec['items']}")
        view._editions[period] = Edition(
            survey=view,
            period=period,
            questions=MappingProxyType(questions),
            measures=MappingProxyType(
                {
                    **{k: _score(k, m, period, questions) for k, m in measures["measures"].items()},
                    **{m.id: m for q in questions.values() for m in _percentages(q)},
                }
            ),
            breakdowns=MappingProxyType(
                {k: b for k, s in breakdowns.items() if (b := _breakdown(k, s, questions))}
            ),
            notes=tuple(spec["notes"]),
            scoring_confirmed=spec["scoring_confirmed"],
            scoring_note=spec.get("scoring_note", ""),
        )
    return view


def _scale(name: str, spec: Mapping[str, Any]) -> Scale:
    return Scale(
        id=name,
        options=MappingProxyType(spec["options"]),
        extra=MappingProxyType(spec.get("extra", {})),
        beside=tuple(spec.get("beside_scale", ())),
        groups=MappingProxyType(
            {
                grouping: {group: tuple(codes) for group, codes in groups.items()}
                for grouping, groups in spec.get("groups", {}).items()
            }
        ),
        ids=MappingProxyType(spec.get("ids", {})),
    )


def _numbers(text: str, separator: str | None = None) -> tuple[int, ...]:
    return tuple(int(n) for n in text.split(separator) if n)


def _question(
    row: Mapping[str, str],
    period: str,
    scales: Mapping[str, Scale],
    own_scales: Mapping[str, str],
    score_maps: Mapping[str, Mapping[int, float]],
) -> Question:
    conditions = (c.split("=") for c in row["asked_if"].split("|") if c)
    alternatives = (a.split(":") for a in row["alternative_codes"].split())
    return Question(
        id=row["measure"],
        code=row[f"code_{period}"],
        label=row["label"],
        section=row["section"],
        kind=row["kind"],
        scale=scales[own_scales.get(row["measure"], row["scale"])],
        positive=_numbers(row["positive"]),
        out_of_base=_numbers(row["out_of_base"]),
        percent_meaning=row["percent_meaning"],
        direction=row["direction"],
        score_map=MappingProxyType(score_maps[row["score_map"]]) if row["score_map"] else None,
        asked_if=tuple((name, _numbers(codes, ",")) for name, codes in conditions),
        weighted=row["weighted"] == "yes",
        alternatives=tuple(code for year, code in alternatives if year == period),
        unconfirmed=row["unconfirmed"],
        note=row["note"],
    )


def _score(name: str, spec: Mapping[str, Any], period: str, questions: Mapping[str, Question]) -> Measure:
    spec = {**spec, **spec.get("editions", {}).get(period, {})}
    items = tuple(spec.get("items", ()))
    for item in items:
        if item not in questions or questions[item].score_map is None:
            raise ValueError(f"{name} needs a score map for {item} in {period}")
    unconfirmed = []
    if not spec.get("minimum_confirmed", True):
        unconfirmed.append(f"That {spec['minimum']} are needed. {spec['evidence']}")
    if not spec.get("items_confirmed", True):
        unconfirmed.append(f"Which questions it is built from. {spec['evidence']}")
    return Measure(
        id=name,
        code=spec["code"],
        label=spec["label"],
        level=spec["level"],
        unit="score",
        direction="higher",
        items=items,
        parts=tuple(spec.get("parts", ())),
        minimum=spec["minimum"],
        rule=spec.get("rule"),
        filter=spec.get("filter"),
        meaning="0 to 10, higher is better",
        evidence=spec["evidence"],
        unconfirmed=tuple(unconfirmed),
    )


def _percentages(question: Question) -> Iterator[Measure]:
    """Headline percentages of a question: one, none, or one per option to tick."""
    options: list[tuple[str, str, str, int | None]] = []
    if question.kind == "multi":
        options = [
            (f"{question.id}_{question.scale.ids[code]}", f"{question.code}_{code}", label, code)
            for code, label in question.scale.options.items()
        ]
    elif question.positive:
        options = [(question.id, question.code, "", None)]
    for name, code, option_label, option in options:
        yield Measure(
            id=name,
            code=code,
            label=f"{question.label}: {option_label.lower()}" if option_label else question.label,
            level="question",
            unit="percent",
            direction=question.direction,
            question=question.id,
            option=option,
            meaning=f"% {question.percent_meaning}",
            unconfirmed=(question.unconfirmed,) if question.unconfirmed else (),
        )


def _breakdown(name: str, spec: Mapping[str, Any], questions: Mapping[str, Question]) -> Breakdown | None:
    question = questions.get(spec.get("question", ""))
    if "question" in spec and question is None:
        return None
    groups: Mapping[str, tuple[int, ...]] = {}
    if question and "grouping" in spec:
        groups = question.scale.groups[spec["grouping"]]
    elif question and "codes" in spec:
        groups = {group: tuple(codes) for group, codes in spec["codes"].items()}
    elif question:
        groups = {label: (code,) for code, label in question.scale.options.items()}
    return Breakdown(
        id=name,
        label=spec["label"],
        question=question.id if question else None,
        groups=MappingProxyType(dict(groups)),
        column=spec.get("column"),
        names=tuple(spec.get("names", ())),
        unconfirmed=spec.get("unconfirmed", ""),
    )


def _break(spec: Mapping[str, Any]) -> Break:
    return Break(
        kind=spec["kind"],
        reason=spec["reason"].strip(),
        instead=spec["instead"],
        measures=tuple(spec.get("measures", ())),
        breakdowns=tuple(spec.get("breakdowns", ())),
        organisations=tuple(spec.get("organisations", ())),
        benchmark_groups=tuple(spec.get("benchmark_groups", ())),
        releases=spec.get("releases", False),
        from_period=spec.get("from"),
        to_period=spec.get("to"),
        only=spec.get("only"),
        restated_in=spec.get("restated_in"),
        allowance=MappingProxyType(spec.get("allowance", {})),
        confirmed=spec["confirmed"],
    )


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
