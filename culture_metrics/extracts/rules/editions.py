"""Answers coded as in another edition: questions that moved, lists that shifted, gender codes swapped."""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from culture_metrics.extracts.schema import allowed_codes
from culture_metrics.problems import Problem, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culture_metrics.catalogue import Edition, Question
    from culture_metrics.extracts.tally import Tally

#: Fewer answers than this say nothing about a column as a whole.
ENOUGH = 30
#: A column does not fit when this share of its answers is not on the list.
MISFIT, FIT = 0.05, 0.005
#: A gain in likelihood (logs for each answer) that no unusual organisation reaches over several questions.
CLEAR_GAIN = 0.2
#: Answers expected under codes that only this edition has, none of which is there.
EXPECTED_ABSENT = 10
#: Gain in likelihood by turning a scale round that no unusual organisation reaches.
TURNED = 0.5
FEWEST_WOMEN = 0.4
#: Share given to a code that no one chose: unusual, not impossible.
RARE = 0.0005
#: Fewer answers than this say nothing about the direction of one scale or about gender.
MANY = 100
#: So many columns say it together, when each has answers of so many people.
SEVERAL, FEW_PEOPLE = 3, 20


@dataclass(frozen=True)
class _Fit:
    """How the columns fit another edition: those that only it explains, and those only this one explains."""

    period: str
    columns: tuple[str, ...]
    against: int


def edition_problems(tally: Tally) -> Iterator[Problem]:
    """Report signs that the answers are coded as in another edition."""
    other = other_edition(tally)
    if other:
        yield other
    else:
        yield from turned_round(tally)
    yield from shifted_lists(tally)
    yield from swapped_gender(tally)


def other_edition(tally: Tally) -> Problem | None:
    """Report that the answers fit the questions of another edition better."""
    edition = tally.edition
    found = [
        fit
        for other in edition.survey
        if other is not edition and not other.provisional and other.questions != edition.questions
        if (fit := _fit(tally, other)).columns
    ]
    best = max(found, key=lambda fit: (len(fit.columns) - fit.against, fit.period), default=None)
    if best is None or len(best.columns) < 2 or best.against > len(best.columns) / 4:
        return None
    fitting = [fit.period for fit in found if (fit.columns, fit.against) == (best.columns, best.against)]
    return Problem(
        "error",
        "answers of another edition",
        f"{counted(len(best.columns), 'column')} with answers to the questions of {' or '.join(fitting)}: "
        f"{listed(best.columns)}",
        f"answers to the questions that {edition.period} has under these codes",
        f"Codes outside the lists of {edition.period} were made missing, but the answers left belong to "
        f"other questions. Read the file as {' or '.join(fitting)} (year=), or rename the columns.",
    )


def _fit(tally: Tally, other: Edition) -> _Fit:
    for_it, against = [], 0
    for column, answered in tally.answered.items():
        own, theirs = tally.edition.columns[column], other.columns.get(column)
        if answered + sum(tally.unlisted[column].values()) < ENOUGH or theirs is None or own.id == theirs.id:
            continue
        sign = _sign(tally, column, theirs, other)
        if sign > 0:
            for_it.append(column)
        against += sign < 0
    return _Fit(other.period, tuple(for_it), against)


def likelihood_gain(counts: Mapping[int, int], own: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Return by how much better `other` shares explain the answers than `own`, in logs for each answer.

    Examples
    --------
    >>> likelihood_gain({1: 90, 2: 10}, {1: 0.1, 2: 0.9}, {1: 0.9, 2: 0.1}) > 1
    True
    """
    total = sum(counts.values())
    gain = sum(
        n * (log(max(other.get(k, 0.0), RARE)) - log(max(own.get(k, 0.0), RARE))) for k, n in counts.items()
    )
    return gain / total if total else 0.0


def _sign(tally: Tally, column: str, theirs: Question, other: Edition) -> int:
    """Say which of two questions the answers belong to: 1 the other edition's, -1 this one's, 0 unclear."""
    counts = tally.counts(column)
    total = sum(counts.values())
    own = tally.edition.columns[column]
    out = sum(tally.unlisted[column].values()) / total
    out_there = sum(n for k, n in counts.items() if k not in allowed_codes(theirs)) / total
    if out >= MISFIT and out_there <= FIT:
        return 1
    if out_there >= MISFIT and out <= FIT:
        return -1
    gain = likelihood_gain(counts, own.usual, theirs.usual) if own.usual and theirs.usual else 0.0
    return (gain > CLEAR_GAIN) - (gain < -CLEAR_GAIN)


def shifted_lists(tally: Tally) -> Iterator[Problem]:
    """Report lists (occupation, ethnic group) that another edition has in another order."""
    edition = tally.edition
    for question in edition.questions.values():
        column = next((c for c in (question.code, *question.alternatives) if c in tally.listed), None)
        if column is None or question.kind == "multi" or tally.answered[column] < ENOUGH:
            continue
        for other, period in _other_lists(edition, question):
            own_only = set(question.scale.options) - set(other.scale.options)
            other_only = set(other.scale.options) - set(question.scale.options)
            gain = _gain(tally, column, question, other)
            if other_only and any(tally.unlisted[column].get(k) for k in other_only):
                yield _longer(tally, column, question, other, sorted(other_only), period, gain)
                break
            if own_only and gain > 0 and _absent(tally, column, question, own_only):
                yield _shorter(column, question, other, sorted(own_only), period, tally)
                break


def _other_lists(edition: Edition, question: Question) -> Iterator[tuple[Question, str]]:
    """Yield the question of other editions where its list has another length, the nearest first."""
    seen = {len(question.scale.options)}
    for other in sorted(edition.survey, key=lambda e: abs(int(e.period[:4]) - int(edition.period[:4]))):
        theirs = other.questions.get(question.id)
        if theirs and len(theirs.scale.options) not in seen:
            seen.add(len(theirs.scale.options))
            yield theirs, other.period


def _gain(tally: Tally, column: str, question: Question, other: Question) -> float:
    known = question.usual and other.usual
    return likelihood_gain(tally.counts(column), question.usual, other.usual) if known else 0.0


def _absent(tally: Tally, column: str, question: Question, codes: set[int]) -> bool:
    """Whether none of the codes is there although several answers were to be expected."""
    if not question.usual or any(tally.listed[column][k] for k in codes):
        return False
    return tally.answered[column] * sum(question.usual[k] for k in codes) >= EXPECTED_ABSENT


def _moved(question: Question, other: Question) -> int:
    """First code that means something else on the other list."""
    both = zip(question.scale.options.items(), other.scale.options.items(), strict=False)
    return next((mine[0] for mine, theirs in both if mine != theirs), max(question.scale.options))


def _longer(
    tally: Tally, column: str, question: Question, other: Question, codes: list[int], period: str, gain: float
) -> Problem:
    counts = {k: n for k, n in tally.unlisted[column].items() if k in codes}
    also = ", and the other codes are spread as on that list" if gain > 0.05 else ""
    return Problem(
        "error",
        "codes of another edition's list",
        f"code {listed(sorted(counts))}, which only the list of {period} has "
        f"({len(other.scale.options)} codes){also}",
        f"the {len(question.scale.options)} codes of {tally.edition.period}",
        f"These codes were made missing. If the whole column follows the list of {period}, codes from "
        f"{_moved(question, other)} on mean something else: ask the contractor, and recode.",
        column=column,
        rows=sum(counts.values()),
    )


def _shorter(
    column: str, question: Question, other: Question, codes: list[int], period: str, tally: Tally
) -> Problem:
    return Problem(
        "warning",
        "codes of another edition's list",
        f"no code {listed(codes)} among the answers, and codes spread as on the list of "
        f"{period} ({len(other.scale.options)} codes)",
        f"the {len(question.scale.options)} codes of {tally.edition.period}",
        f"Kept. If the column follows the list of {period}, codes from {_moved(question, other)} on mean "
        f"something else and groups by {question.label.lower()} are wrong: ask the contractor, and recode.",
        column=column,
    )


def swapped_gender(tally: Tally) -> Iterator[Problem]:
    """Report a share of women so low that the codes of gender may be swapped."""
    question = tally.edition.questions.get("gender")
    if question is None or question.code not in tally.listed or not question.usual:
        return
    by_label = {label: code for code, label in question.scale.options.items()}
    counts = tally.listed[question.code]
    women, men = counts[by_label["Female"]], counts[by_label["Male"]]
    both = women + men
    least = tally.edition.survey.minimum_base
    if both >= MANY and women < FEWEST_WOMEN * both:
        share = f"{women / both:.0%}" if women >= least else f"fewer than {least} people"
        yield Problem(
            "warning",
            "gender codes may be swapped",
            f"{share} have code {by_label['Female']} (Female)",
            "more women than men, as in nearly every organisation of this survey",
            "Kept. Up to 2020 code 1 was Male and 2 Female: if the file still has it so, swap them.",
            column=question.code,
        )


def turned_round(tally: Tally) -> Iterator[Problem]:
    """Report questions whose answers are spread as if the scale ran the other way, or yes were no."""
    turned = turned_columns(tally)
    if turned:
        yield Problem(
            "warning",
            "scales that may run the other way",
            f"{counted(len(turned), 'column')} with answers spread as if turned round: {listed(turned)}",
            "1 for the first answer of the form (never, strongly disagree) and 5 for the last",
            "Kept. If the codes run the other way, scores are wrong: ask the contractor, and recode them.",
        )
    two = turning_gains(tally, ["Yes", "No"])
    clear = {c: tally.answered[c] for c, (_, gain) in two.items() if gain > TURNED}
    # One column of enough people says it, or several of fewer.
    together = sum(n >= FEW_PEOPLE for n in clear.values()) >= SEVERAL
    swapped = [c for c, n in clear.items() if n >= (FEW_PEOPLE if together else ENOUGH)]
    if swapped:
        codes = {label: code for code, label in two[swapped[0]][0].scale.options.items()}
        yield Problem(
            "warning",
            "yes and no that may be swapped",
            f"{counted(len(swapped), 'column')} with far more of one answer than organisations have, as if "
            f"yes and no were swapped: {listed(swapped)}",
            f"{codes['Yes']} for yes and {codes['No']} for no, as on the form",
            "Kept. Ask the contractor which code is yes: if they are swapped, percentages and scores of "
            "these questions are wrong, and the codes must be changed in the file.",
        )


def turned_columns(tally: Tally) -> list[str]:
    """Return the columns whose answers are spread as if their scale ran the other way.

    With many answers a column speaks for itself. With few the evidence is pooled: over all columns of a
    scale, or over several columns each of which is clear. Of the 263 organisations of 2024 none comes near:
    to turn all agreement scales round loses 0.56 logs an answer or more, any other pool gains 0.06 at most.
    """
    gains = turning_gains(tally)
    clear = [c for c, (_, gain) in gains.items() if tally.answered[c] >= ENOUGH and gain > TURNED]
    turned = {c for c in clear if len(clear) >= SEVERAL or tally.answered[c] >= MANY}
    scales: dict[str, list[str]] = {}
    for column, (question, _) in gains.items():
        if tally.answered[column]:
            scales.setdefault(question.scale.id, []).append(column)
    for columns in scales.values():
        answers = sum(tally.answered[c] for c in columns)
        enough = answers >= MANY and max(tally.answered[c] for c in columns) >= FEW_PEOPLE
        pooled = sum(gains[c][1] * tally.answered[c] for c in columns) / answers
        if enough and len(columns) >= SEVERAL and pooled > TURNED:
            turned |= {c for c in columns if gains[c][1] >= 0}
    return [c for c in gains if c in turned]


def turning_gains(tally: Tally, labels: Sequence[str] = ()) -> dict[str, tuple[Question, float]]:
    """Return by how much turning its scale round explains the answers of a column better, by column.

    Scored scales of three answers or more; or those of just the answers that `labels` names.
    """
    found = {}
    for column, counts in tally.listed.items():
        question = tally.edition.columns[column]
        usual, options = question.usual, question.scale.options
        scale = [k for k in options if k not in question.scale.beside]
        fits = (
            [options[k] for k in scale] == [*labels]
            if labels
            else question.score_map is not None and len(scale) > 2
        )
        if usual and fits and question.kind != "multi":
            other = {**usual, **{k: usual[j] for k, j in zip(scale, reversed(scale), strict=True)}}
            found[column] = question, likelihood_gain(counts, usual, other)
    return found
