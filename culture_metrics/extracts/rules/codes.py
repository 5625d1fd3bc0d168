"""Codes that are not on a question's list, told apart by what they probably are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.extracts.rules.found import Cells, codes_of
from culture_metrics.extracts.schema import allowed_codes
from culture_metrics.problems import Problem, counted, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from culture_metrics.catalogue import Edition, Question
    from culture_metrics.extracts.tally import Tally

#: Codes that software and contractors use for "no answer", "refused", "skipped".
SENTINELS = (-999, -99, -98, -97, -9, -8, -7, -1, 88, 96, 97, 98, 99, 997, 998, 999, 9998, 9999)
#: From this share of zeros on, a column is taken to count from 0.
ZEROS = 0.01


def count_missing(tally: Tally, but: Collection[str] = ()) -> int:
    """Count the answers that hold a code agreed to stand for no answer, `but` in some columns."""
    codes = tally.edition.survey.missing_codes
    return sum(counts.get(k, 0) for c, counts in tally.unlisted.items() if c not in but for k in codes)


def missing_codes(tally: Tally) -> list[Problem]:
    """Report the codes that are agreed to stand for no answer (99)."""
    codes = tally.edition.survey.missing_codes
    found = {c: sum(counts.get(k, 0) for k in codes) for c, counts in tally.unlisted.items()}
    columns = [c for c, n in found.items() if n]
    if not columns:
        return []
    return [
        Problem(
            "note",
            "missing codes",
            f"code {listed(codes)} in {counted(len(columns), 'column')} (answers counted)",
            "blank where there is no answer",
            "Read as no answer.",
            rows=count_missing(tally, of_groups(tally.edition)),
        )
    ]


def unlisted_codes(tally: Tally) -> Iterator[Cells]:
    """Find answers whose code is not on the question's list."""
    for column, counts in tally.unlisted.items():
        left = {k: n for k, n in counts.items() if k not in tally.edition.survey.missing_codes}
        if left:
            yield from _kinds(tally, column, left)


def _kinds(tally: Tally, column: str, left: dict[int, int]) -> Iterator[Cells]:
    edition = tally.edition
    question = edition.columns[column]
    expected = codes_of(edition, column)
    told: list[int] = []
    for rule, severity, codes, found, done in _named(tally, column, question, left):
        told += codes
        rows = sum(left[k] for k in codes)
        yield Cells(severity, rule, column, pl.col(column).is_in(codes), rows, found, expected, done)
    others = {k: n for k, n in left.items() if k not in told}
    listed_codes = [*allowed_codes(question), *edition.survey.missing_codes, *told]
    other = pl.col(column).is_not_null() & ~_within(column, listed_codes, tally)
    below, above = (sum(n for k, n in others.items() if (k < 0) is side) for side in (True, False))
    if below:
        yield Cells(
            "error",
            "negative codes",
            column,
            other & (pl.col(column) < 0),
            below,
            "codes below 0",
            expected,
            "Made missing. Negative codes often stand for no answer: ask the contractor what they mean.",
        )
    if above:
        yield Cells(
            "error",
            "codes outside the list",
            column,
            other & (pl.col(column) >= 0),
            above,
            "codes that the question does not have",
            expected,
            "Made missing; check the coding with the contractor.",
        )


def _within(column: str, codes: list[int], tally: Tally) -> pl.Expr:
    """Whether an answer is one of the codes that occur: a code too large for the column cannot."""
    counts = tally.counts(column)
    return pl.col(column).is_in([k for k in codes if k in counts])


def _named(
    tally: Tally, column: str, question: Question, left: dict[int, int]
) -> Iterator[tuple[str, str, list[int], str, str]]:
    """Yield rule, severity, codes, what was found and done for codes that have a likely meaning."""
    if question.kind == "multi":
        yield from _ticks(column, left)
        left = {k: n for k, n in left.items() if k < 0 or k > 90}
    if 9 in left:
        yield (
            "code 9 where the list has none",
            "error",
            [9],
            "code 9, which this question does not have",
            f"Made missing. {_nine(tally.edition)} Ask the contractor what it stands for here.",
        )
    if left.get(0):
        yield from _zeros(tally, column, question, left[0])
    for code in SENTINELS:
        if code in left:
            yield (
                "likely missing codes",
                "warning",
                [code],
                f"code {code}, which often stands for no answer",
                f"Made missing. If {code} stands for no answer nothing is lost; ask for blank cells instead.",
            )


def _ticks(column: str, left: dict[int, int]) -> Iterator[tuple[str, str, list[int], str, str]]:
    option = int(column.rsplit("_", 1)[-1])
    codes = [k for k in left if k in (2, option)]
    if codes:
        yield (
            "ticks in another coding",
            "error",
            codes,
            f"code {' and '.join(map(str, codes))} in a box that is ticked (1) or not (0)",
            "Made missing. Recode: 2 is often an empty box, the option's own number a ticked one.",
        )


def _zeros(
    tally: Tally, column: str, question: Question, zeros: int
) -> Iterator[tuple[str, str, list[int], str, str]]:
    """Tell a column that counts from 0 from stray zeros, which are left to the rule of unlisted codes."""
    scale = [k for k in question.scale.options if k not in question.scale.beside]
    counts = tally.listed[column]
    from_zero = not counts[scale[-1]] and zeros >= ZEROS * (zeros + tally.answered[column])
    if not from_zero:
        return
    if len(scale) == 2:
        done = "Made missing. If 0 stands for No, recode it to 2 and read the file again."
    else:
        done = (
            "Made missing, and the answers left are one too low: add 1 to every code and read the file again."
        )
    yield (
        "codes that start at 0",
        "error",
        [0],
        f"0 but no {scale[-1]}: the column seems to count from 0",
        done,
    )


def _nine(edition: Edition) -> str:
    """Say what code 9 means in the questions that have it."""
    meanings: dict[str, list[str]] = {}
    for question in edition.questions.values():
        if 9 in question.scale.beside:
            meanings.setdefault(question.scale.labels[9], []).append(question.code)
    said = [f"'{label}' in {listed(codes, 2)}" for label, codes in meanings.items()]
    return f"Elsewhere 9 is {'; '.join(said)}." if said else ""
