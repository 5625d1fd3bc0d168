"""Answers to questions that the filter before them rules out."""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.rules.found import Cells
from culture_metrics.extracts.schema import allowed_codes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.catalogue import Edition, Question
    from culture_metrics.extracts.tally import Tally


def ruled_out(frame: pl.DataFrame, tally: Tally) -> list[Cells]:
    """Find answers given although every filter question was answered and none opens the way.

    Answers that only say "not applicable" agree with the filter: they are told apart and are no fault.
    """
    candidates = [kind for q in tally.edition.questions.values() for kind in _kinds(frame, tally, q)]
    if not candidates:
        return []
    counts = frame.select(where.sum().alias(str(n)) for n, (_, _, where) in enumerate(candidates)).row(0)
    return [
        _cells(tally.edition, column, agrees=agrees, where=where, rows=rows)
        for (column, agrees, where), rows in zip(candidates, counts, strict=True)
        if rows
    ]


def closed(edition: Edition, question: Question) -> pl.Expr:
    """Whether every filter question before this one was answered and none opens the way."""
    gates = ((edition.questions[name], codes) for name, codes in question.asked_if)
    return reduce(and_, [pl.col(g.code).is_in([k for k in allowed_codes(g) if k not in c]) for g, c in gates])


def is_routed(edition: Edition, question: Question, columns: list[str]) -> bool:
    """Whether the question has a filter and all filter questions are among the columns."""
    return bool(question.asked_if) and all(
        edition.questions[name].code in columns for name, _ in question.asked_if
    )


def _kinds(frame: pl.DataFrame, tally: Tally, question: Question) -> Iterator[tuple[str, bool, pl.Expr]]:
    """Yield column, whether the answers agree with the filter, and where they stand."""
    if not is_routed(tally.edition, question, frame.columns):
        return
    shut = closed(tally.edition, question)
    beside = [k for k in question.out_of_base if k in question.scale.beside and _not_applicable(question, k)]
    for column in question.columns:
        if column not in frame.columns:
            continue
        given = [1] if question.kind == "multi" else [k for k in allowed_codes(question) if k not in beside]
        yield column, False, (pl.col(column).is_in(given) & shut).fill_null(value=False)
        if beside:
            yield column, True, (pl.col(column).is_in(beside) & shut).fill_null(value=False)


def _not_applicable(question: Question, code: int) -> bool:
    label = question.scale.labels[code].casefold()
    return "not applicable" in label or "required" in label


def _cells(edition: Edition, column: str, *, agrees: bool, where: pl.Expr, rows: int) -> Cells:
    gates = " or ".join(
        f"{edition.questions[name].code} is {'/'.join(map(str, codes))}"
        for name, codes in edition.columns[column].asked_if
    )
    if agrees:
        return Cells(
            "note",
            "not applicable under the filter",
            column,
            where,
            rows,
            "'not applicable' from people whom the filter leads past the question",
            f"no answer unless {gates}",
            "Made missing, so that the base holds only those who were asked. Nothing to mend.",
        )
    return Cells(
        "warning",
        "answers that the filter rules out",
        column,
        where,
        rows,
        "answers to a question that should have been skipped",
        f"no answer unless {gates}",
        "Made missing, as in the published percentages.",
    )
