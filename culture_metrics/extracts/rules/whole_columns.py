"""Columns as a whole: without answers, with one answer only, with far more blanks than the others."""

from __future__ import annotations

from math import log
from statistics import median
from typing import TYPE_CHECKING

from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.extracts.rules.told import cost
from culture_metrics.extracts.unanswered import unanswered
from culture_metrics.problems import Problem, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.rules.found import Cells
    from culture_metrics.extracts.tally import Tally

#: Chance below which it is no accident that all gave the same answer.
NO_ACCIDENT = log(1e-6)
#: A share without answer that is high, and by how much it must exceed that of the neighbours.
MANY_BLANK, MORE_BLANK = 0.3, 0.2
#: Usual share of the commonest answer where it is not known.
COMMONEST = 0.95


def column_problems(extract: Extract, tally: Tally, given: Mapping[str, int]) -> Iterator[Problem]:
    """Report columns that are empty, constant or blank far more often than the others.

    `given` is the number of answers in each column, whether or not they can be used.
    """
    if not tally.rows:
        return
    empty = [c for c, n in tally.answered.items() if not n]
    if empty:
        yield Problem(
            "warning",
            "columns without answers",
            f"{counted(len(empty), 'column')}: {listed(empty, 12)}",
            "answers in every column",
            cost(extract, unanswered(extract)),
        )
    yield from _constant(tally)
    yield from _blank(tally, given)


def _constant(tally: Tally) -> Iterator[Problem]:
    for column, counts in tally.listed.items():
        question = tally.edition.columns[column]
        given = [k for k, n in counts.items() if n]
        if question.kind == "multi" or len(given) != 1 or tally.unlisted[column]:
            continue
        usual = question.usual.get(given[0], COMMONEST)
        if tally.answered[column] * log(min(max(usual, 1e-9), COMMONEST)) < NO_ACCIDENT:
            yield Problem(
                "warning",
                "one answer throughout",
                "all answers are the same",
                "answers that differ",
                "Kept; check that the column holds this question's answers.",
                column=column,
            )


def _blank(tally: Tally, given: Mapping[str, int]) -> Iterator[Problem]:
    """Compare with the other questions of the section: later sections lose those who break off."""
    sections: dict[str, dict[str, float]] = {}
    for column, answered in tally.answered.items():
        question = tally.edition.columns[column]
        if question.kind != "multi" and not question.asked_if and answered:
            sections.setdefault(question.section, {})[column] = 1 - given[column] / tally.rows
    odd = {
        column: (share, middle)
        for shares in sections.values()
        for middle in [median(shares.values())]
        for column, share in shares.items()
        if share > MANY_BLANK and share > middle + MORE_BLANK
    }
    if odd:
        # The share of people in no group is a number of people.
        people = of_groups(tally.edition)
        said = (
            c if c in people else f"{c} {share:.0%} (its section {middle:.0%})"
            for c, (share, middle) in odd.items()
        )
        yield Problem(
            "warning",
            "far more blanks than elsewhere",
            f"no answer: {listed(said, 6)}",
            "about as many blanks as in the other questions of the section",
            "Kept; check whether a part of the file lacks these columns.",
        )


def known_faults(extract: Extract) -> Iterator[Problem]:
    """Report faults of the edition that are known and touch columns of the file."""
    here = set(extract.frame.columns)
    for fault in extract.edition.survey.breaks:
        if fault.only != extract.period:
            continue
        questions = extract.edition.questions
        codes = [questions[m].code for m in fault.measures if m in questions and questions[m].code in here]
        if codes:
            yield Problem(
                "note",
                "known fault of this edition",
                f"answers to {listed(codes)}",
                "answers from the corrected release",
                f"Kept. {fault.reason}",
            )


def count_given(tally: Tally, words: Iterable[Cells]) -> dict[str, int]:
    """Return the number of answers in each column, whatever their codes, with those that are no number."""
    missing = tally.edition.survey.missing_codes
    given = {
        column: answered + sum(n for k, n in tally.unlisted[column].items() if k not in missing)
        for column, answered in tally.answered.items()
    }
    for kind in words:
        given[kind.column] += kind.rows
    return given
