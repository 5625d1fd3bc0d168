"""Percentages: which answers count and which are in the base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.disclosure.structure import ANSWERS_TO
from culture_metrics.indicators.scoring import NO_ANSWER, answer_codes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from culture_metrics.catalogue import Edition, Question


@dataclass(frozen=True)
class Share:
    """A percentage: `name` of those whose `answer` is in `base` gave one that is in `counted`.

    `answer` is an expression of codes (Int8, -1 for no answer); `option` the response option it is about.
    """

    name: str
    question: Question
    answer: pl.Expr
    counted: tuple[int, ...]
    base: tuple[int, ...]
    option: int | None = None


@dataclass(frozen=True)
class Marked:
    """The answers of respondents, and which of them count for which share.

    `codes` is respondents × columns; `column` the column of each share; `marks` share × code as an unsigned
    byte: a complex number, real part 1 where the answer counts, imaginary part 1 where it is in the base.
    """

    codes: NDArray[np.int8]
    column: NDArray[np.int64]
    marks: NDArray[np.complex64]

    def __getitem__(self, shares: NDArray[np.int64]) -> Marked:
        return Marked(self.codes, self.column[shares], self.marks[shares])


def headline_shares(edition: Edition, columns: Sequence[str]) -> list[Share]:
    """Return the headline percentages that the columns of an extract allow."""
    found = []
    for name, measure in edition.percentages.items():
        question = edition.questions[measure.question or ""]
        if measure.option is not None:
            if f"{question.code}_{measure.option}" in columns:
                found.append(_ticked(name, question, columns, measure.option))
        elif question.code in columns:
            base = tuple(c for c in question.scale.labels if c not in question.out_of_base)
            found.append(Share(name, question, answer_codes(question.code), question.positive, base))
    return found


def answered_shares(edition: Edition, columns: Sequence[str]) -> list[Share]:
    """Return, for questions whose headline leaves answers out, a share whose base is all answers."""
    return [
        Share(answers_to(q.id), q, answer_codes(q.code), (), tuple(q.scale.labels))
        for q in edition.questions.values()
        if q.out_of_base and q.kind != "multi" and q.code in columns
    ]


def answers_to(question: str) -> str:
    """Name the measure whose base is all who answered a question."""
    return f"{ANSWERS_TO}{question}"


def option_shares(edition: Edition, columns: Sequence[str]) -> list[Share]:
    """Return the share of each answer to each question among all answers to it.

    With each question comes a share without an option, whose base is that of the headline. Questions about
    the respondents themselves are left out: how many of them are in which group is for breakdowns to say.
    """
    found = []
    about_people = {b.question for b in edition.breakdowns.values()}
    for question in edition.questions.values():
        if question.id in about_people:
            continue
        codes = tuple(question.scale.labels)
        if question.kind == "multi":
            here = [c for c in codes if f"{question.code}_{c}" in columns]
            found += [_ticked(question.id, question, columns, c) for c in here]
            found += [replace(found[-1], counted=(), option=None)] if here else []
        elif question.code in columns:
            answer = answer_codes(question.code)
            found += [Share(question.id, question, answer, (c,), codes, c) for c in codes]
            headline = tuple(c for c in codes if c not in question.out_of_base)
            found.append(Share(question.id, question, answer, (), headline))
    return found


def mark(frame: pl.DataFrame, shares: Iterable[Share]) -> Marked:
    """Read the answers that shares need out of the columns of an extract."""
    shares = list(shares)
    answers: dict[tuple[str, int | None], pl.Expr] = {}
    column = []
    for share in shares:
        key = (share.question.code, share.option if share.question.kind == "multi" else None)
        answers.setdefault(key, share.answer)
        column.append([*answers].index(key))
    codes = frame.select(answer.alias(f"{i}") for i, answer in enumerate(answers.values()))
    marks = np.zeros((len(shares), 256), np.complex64)
    for row, share in enumerate(shares):
        marks[row, list(share.base)] += 1j
        marks[row, list(share.counted)] += 1
    return Marked(codes.to_numpy(order="c"), np.array(column, np.int64), marks)


def _ticked(name: str, question: Question, columns: Sequence[str], option: int) -> Share:
    """Return the share that ticked an option: who ticked anything answered."""
    any_tick = pl.any_horizontal(pl.col(c) == 1 for c in question.columns if c in columns)
    own = (pl.col(f"{question.code}_{option}") == 1).fill_null(value=False)
    answer = pl.when(any_tick).then(own.cast(pl.Int8)).otherwise(pl.lit(NO_ANSWER, pl.Int8))
    return Share(name, question, answer, (1,), (0, 1), option)
