"""How question codes fit the editions of a survey, and which survey they are most likely of."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from culture_metrics.catalogue import catalogue, surveys

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from culture_metrics.catalogue import Edition, Question, Survey

#: With no more questions missing or strange than this, a file is of an edition all the same.
FEW = 8


@dataclass(frozen=True)
class Fit:
    """How question codes fit the editions of a survey.

    `strangers` are the codes each edition does not have, `missing` the codes of its questions that are not
    there, `fitting` the editions without strangers, `whole` those of them with nothing missing. A provisional
    edition is like the one before: nothing is told to be of it where that one fits as well.
    """

    codes: frozenset[str]
    strangers: Mapping[str, frozenset[str]]
    missing: Mapping[str, tuple[str, ...]]
    provisional: frozenset[str] = frozenset()

    @property
    def fitting(self) -> tuple[str, ...]:
        """The editions that have all of the codes."""
        found = tuple(p for p, odd in self.strangers.items() if not odd) if self.codes else ()
        return tuple(p for p in found if p not in self.provisional) or found

    def fits(self, period: str) -> bool:
        """Whether an edition has all of the codes, provisional or not."""
        return bool(self.codes) and not self.strangers.get(period, self.codes)

    @property
    def whole(self) -> tuple[str, ...]:
        """The editions of which every question is there, and nothing else."""
        return tuple(p for p in self.fitting if not self.missing[p])

    @property
    def most(self) -> tuple[str, ...]:
        """The editions of which most questions are there, and nothing else."""
        return tuple(p for p in self.fitting if len(self.codes) > len(self.missing[p]))

    @property
    def is_survey(self) -> bool:
        """True when at least half of the codes are those of some edition."""
        return bool(self.codes) and min(map(len, self.strangers.values())) <= len(self.codes) / 2

    @property
    def nearest(self) -> str | None:
        """The edition that the codes are those of but for a few, if no other is as near."""
        known = [p for p in self.missing if p not in self.provisional] or [*self.missing]
        away = {p: len(self.missing[p]) + len(self.strangers[p]) for p in known}
        first, *others = sorted(away, key=lambda period: away[period])
        near = away[first] <= FEW and all(away[p] > away[first] for p in others)
        return first if near else None


def fit_codes(codes: Iterable[str], survey: Survey) -> Fit:
    """Compare question codes with every edition of a survey."""
    asked, known = frozenset(codes), _known(survey)
    return Fit(
        asked,
        MappingProxyType({period: asked - here for period, here in known.items()}),
        MappingProxyType({e.period: _missing(asked, e) for e in survey}),
        frozenset(e.period for e in survey if e.provisional),
    )


def fit_known(codes: Iterable[str]) -> dict[str, Fit]:
    """Compare those of the codes that are questions of some survey with every survey."""
    questions = {code for name in surveys() for here in _known(catalogue(name)).values() for code in here}
    asked = questions.intersection(codes)
    return {name: fit_codes(asked, catalogue(name)) for name in surveys()}


def _known(survey: Survey) -> dict[str, set[str]]:
    return {e.period: {*e.columns, *multi_questions(e)} for e in survey}


def _missing(codes: frozenset[str], edition: Edition) -> tuple[str, ...]:
    """Return the codes of the questions that have no column, under their own or their online code."""
    return tuple(
        question.code
        for question in edition.questions.values()
        if not (codes & {question.code, *question.alternatives} or codes >= set(question.columns))
    )


def likeliest(fits: Mapping[str, Fit]) -> str:
    """Return the survey of most of the codes; of equals the one most of whose questions are there."""

    def likeness(name: str) -> tuple[float, bool, bool]:
        fit = fits[name]
        strangers = min(map(len, fit.strangers.values()), default=0)
        share = 1 - strangers / len(fit.codes) if fit.codes else 0.0
        return share, bool(fit.most), catalogue(name).cycle == "year"

    return max(fits, key=likeness)


def multi_questions(edition: Edition) -> dict[str, Question]:
    """Return the tick-all-that-apply questions by code."""
    return {q.code: q for q in edition.questions.values() if q.kind == "multi"}
