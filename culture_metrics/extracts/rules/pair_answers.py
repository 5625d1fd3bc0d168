"""Two files side by side: questions in one only, answers that moved implausibly far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.extracts.rules.found import answer_columns
from culture_metrics.extracts.tally import tally
from culture_metrics.problems import Problem, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culture_metrics.catalogue import Question
    from culture_metrics.extracts.rules.pair import Pair

#: Difference between two distributions (half the sum of differences of shares) that is no ordinary change.
IMPLAUSIBLE = 0.2
#: Fewer answers than this in a year say nothing about a shift.
ENOUGH = 100


def questions(pair: Pair) -> Iterator[Problem]:
    """Questions that one file lacks although its edition has them, and those that only one edition has."""
    extracts = (pair.first, pair.second)
    ids = [{e.edition.columns[c].id for c in answer_columns(e.frame, e.edition)} for e in extracts]
    for here, other in ((0, 1), (1, 0)):
        only = [q for q in extracts[here].edition.questions.values() if q.id in ids[here] - ids[other]]
        lacking = [q.code for q in only if q.id in extracts[other].edition.questions]
        asked = [q.code for q in only if q.id not in extracts[other].edition.questions]
        if lacking:
            yield Problem(
                "warning",
                "questions that one file lacks",
                f"{listed(lacking)} of {pair.periods[here]} have no column in {pair.periods[other]}",
                "a column for every question that both years asked",
                "Nothing; they cannot be compared.",
            )
        if asked:
            yield Problem(
                "note",
                "questions asked in one year only",
                f"{listed(asked)}, asked in {pair.periods[here]} and not in {pair.periods[other]}",
                "questions asked in both years",
                "Nothing; they cannot be compared.",
            )


def shifts(pair: Pair) -> Iterator[Problem]:
    """Questions whose answers moved further than answers do from one year to the next."""
    columns = [found for found in pair.questions if found[0].kind != "multi"]
    before = tally(pair.first.frame.select(a for _, a, _, _ in columns), pair.first.edition)
    after = tally(pair.second.frame.select(b for _, _, _, b in columns), pair.second.edition)
    for question, a, later, b in columns:
        if min(before.answered[a], after.answered[b]) < ENOUGH:
            continue
        old, new = _named(before.counts(a), question), _named(after.counts(b), later)
        gap = _gap(old, new)
        if gap <= IMPLAUSIBLE:
            continue
        why = _explanation(before.counts(a), after.counts(b), question, later, gap)
        yield Problem(
            "warning",
            "answers that moved implausibly far",
            f"{gap:.0%} of the answers would have to change from {pair.periods[0]} ({a}) to "
            f"{pair.periods[1]} ({b})" + (f"; {why}" if why else ""),
            f"a change of at most {IMPLAUSIBLE:.0%}",
            "Nothing; ask the contractor about the coding before you compare the years.",
            column=b,
        )


def _explanation(
    before: Mapping[int, int], after: Mapping[int, int], question: Question, later: Question, gap: float
) -> str:
    """Say which other reading of the codes brings the years together, if one does."""
    scale = [k for k in later.scale.options if k not in later.scale.beside]
    turned = dict(zip(scale, reversed(scale), strict=True))
    swapped = {scale[0]: scale[1], scale[1]: scale[0]}
    old, new = _named(before, question), _named(after, later)
    gaps = {
        "the codes of one year may run the other way": _gap(old, _named(_recoded(after, turned), later)),
        f"codes {scale[0]} and {scale[1]} may be swapped in one year": _gap(
            old, _named(_recoded(after, swapped), later)
        ),
        "one file may use the other year's list of codes": min(
            _gap(old, _named(after, question)), _gap(_named(before, later), new)
        ),
    }
    best = min(gaps, key=lambda why: gaps[why])
    return best if gaps[best] < gap / 2 else ""


def _recoded(counts: Mapping[int, int], codes: Mapping[int, int]) -> dict[int, int]:
    return {codes.get(k, k): n for k, n in counts.items()}


def _named(counts: Mapping[int, int], question: Question) -> dict[str, float]:
    """Shares by label, so that lists in another order compare; groups of occupation where there are any."""
    labels = dict(question.scale.labels)
    groups = next(iter(question.scale.groups.values()), {})
    labels |= {code: name for name, codes in groups.items() for code in codes}
    total = sum(counts.values())
    shares: dict[str, float] = {}
    for code, n in counts.items():
        label = labels.get(code, "not on the list")
        shares[label] = shares.get(label, 0.0) + n / total
    return shares


def _gap(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    return sum(abs(one.get(k, 0.0) - other.get(k, 0.0)) for k in {*one, *other}) / 2
