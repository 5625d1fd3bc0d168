"""Scores of respondents from their answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm, prod
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.errors import ExtractError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culture_metrics.catalogue import Edition, Measure, Question
    from culture_metrics.extracts.extract import Extract

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

#: Stands for no answer.
NO_ANSWER = -1
#: Respondents that are scored at a time, so that they stay in the fast memory.
SLICE = 2**15
#: Item scores are fractions with no larger denominator (10/3).
DENOMINATOR = 1_000
#: Items are looked up together while they have so many combinations of answers at most.
AT_ONCE = 2**13


def score(extract: Extract) -> pl.DataFrame:
    """Score every respondent: sub-scores, and the elements and themes they are parts of.

    Parameters
    ----------
    extract : Extract
        A clean extract (`validate(...).extract`).

    Returns
    -------
    polars.DataFrame
        One row per respondent, in the order of the extract: the columns that are no questions (`respondent`,
        `organisation`, `locality_1` …) and one Float64 column per score id, higher is better; null
        where too few questions were answered or the questions are not in the extract.

    Raises
    ------
    ExtractError
        When question columns are not whole numbers yet.

    Notes
    -----
    Each answer gives points, as `extract.edition.describe("q9f")` lists them. A sub-score is the mean
    of the points of its questions if enough of them are answered; an element or theme is the mean
    of its sub-scores if enough of them exist (not the mean of all questions). "Don't know" scores 5 in fair
    career progression; the appraisal score is 0 without an appraisal and missing where a person cannot
    remember. Rules and their evidence stand in the catalogue; they rebuild the official 2024 results of
    organisations published unweighted.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> score(synthetic.respondents(2024, respondents_per_organisation=50))["staff_engagement"].max() <= 10
    True

    Compassionate leadership by hand, from four questions of which three must be answered:

    >>> import polars as pl
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=50)
    >>> points = extract.frame.select((pl.col("q9f", "q9g", "q9h", "q9i") - 1) * 2.5)
    >>> enough = points.select(pl.sum_horizontal(pl.all().is_not_null()) >= 3).to_series()
    >>> by_hand = points.filter(enough).select(pl.mean_horizontal(pl.all())).to_series().mean()
    >>> abs(by_hand - score(extract)["compassionate_leadership"].mean()) < 1e-12
    True
    """
    others = [c for c in extract.frame.columns if c not in extract.edition.columns]
    check_answers(extract)
    names, values = score_values(extract)
    scores = [pl.Series(m, values[:, j], nan_to_null=True) for j, m in enumerate(names)]
    frame = extract.frame.select(others).with_columns(scores)
    absent = [pl.lit(None, pl.Float64).alias(m) for m in extract.edition.scores if m not in names]
    return frame.with_columns(absent).select(*others, *extract.edition.scores)


def score_values(extract: Extract) -> tuple[list[str], Numbers]:
    """Score every respondent: the scores that the columns allow; respondents by scores, NaN for none."""
    edition, frame = extract.edition, extract.frame
    held = {*frame.columns}
    sub_scores = {m: _SubScore.of(measure, edition, held) for m, measure in edition.scores.items()}
    here = {m for m, sub_score in sub_scores.items() if sub_score}
    here |= {
        m for m, measure in edition.scores.items() if len(here & {*measure.parts}) >= max(measure.minimum, 1)
    }
    place = {m: j for j, m in enumerate(m for m in edition.scores if m in here)}
    columns = list(dict.fromkeys(c for s in sub_scores.values() if s for c in s.columns))
    answers = frame.select(answer_codes(columns))
    codes = {c.name: c.to_numpy().view(np.uint8) for c in answers}
    values = np.empty((frame.height, len(place)), order="F")
    for low in range(0, frame.height, SLICE):
        rows = slice(low, low + SLICE)
        for m, j in place.items():
            sub_score = sub_scores[m]
            if sub_score is not None:
                values[rows, j] = sub_score.values(codes, rows)
        for m, j in place.items():
            if sub_scores[m] is None:
                parts = [values[rows, place[p]] for p in edition.scores[m].parts if p in here]
                values[rows, j] = _mean_of(parts, edition.scores[m])
    return [*place], values


@dataclass(frozen=True)
class _Items:
    """Items that are looked up together: their answers are the digits of a place in `table`.

    The digit of an answer is its distance from the lowest scored code, `first`; the last digit of the `size`
    there are stands for all that has no score.
    """

    columns: tuple[str, ...]
    first: tuple[int, ...]
    size: tuple[int, ...]
    table: NDArray[Any]

    @staticmethod
    def of(items: Mapping[str, Mapping[int, int]]) -> _Items:
        table, first, size = np.zeros(1, np.int64), [], []
        for scores in items.values():
            first.append(min(scores))
            own = np.zeros(max(scores) - first[-1] + 2, np.int64)
            own[np.array([*scores]) - first[-1]] = [*scores.values()]
            size.append(len(own))
            table = np.add.outer(table, own).ravel()
        return _Items((*items,), (*first,), (*size,), table)

    def look_up(self, codes: Mapping[str, NDArray[np.uint8]], rows: slice) -> NDArray[Any]:
        place: NDArray[np.uint16] = np.zeros(1, np.uint16)
        for column, first, size in zip(self.columns, self.first, self.size, strict=True):
            code = codes[column][rows] - np.uint8(first)
            # Ten times as quick as the minimum of an array and a number.
            digit = np.minimum(code, np.full_like(code, size - 1))
            place = place * np.uint16(size) + digit
        # All places are in the table: "clip" only spares a check.
        return np.take(self.table, place, mode="clip")


@dataclass(frozen=True)
class _SubScore:
    """How to score the codes of some columns.

    The tables of `items` have a whole number for every answer: the item score in parts, and on top a fixed
    number where the answer is scored, so that a sum says both the total and how many were answered. `scores`
    has the score of every such sum; it is None where one table has them already. `gate` is the question that
    the sub-score hangs on, if any.
    """

    items: tuple[_Items, ...]
    scores: Numbers | None
    gate: str | None

    @staticmethod
    def of(measure: Measure, edition: Edition, columns: set[str]) -> _SubScore | None:
        items = [q for q in (edition.questions[i] for i in measure.items) if q.code in columns]
        gate = edition.questions[measure.filter].code if measure.filter else None
        if not items or len(items) < measure.minimum or (gate and gate not in columns):
            return None
        exact = {question.code: _fractions(question) for question in items}
        parts = lcm(*(value.denominator for values in exact.values() for value in values.values()))
        whole = {c: {code: int(v * parts) for code, v in values.items()} for c, values in exact.items()}
        answered = 1 + sum(max(values.values(), default=0) for values in whole.values())
        tables: list[_Items] = []
        some: dict[str, dict[int, int]] = {}
        for column, values in whole.items():
            together = some | {column: {code: answered + value for code, value in values.items()}}
            if some and prod(max(v) - min(v) + 2 for v in together.values()) > AT_ONCE:
                tables.append(_Items.of(some))
                together = {column: together[column]}
            some = together
        tables.append(_Items.of(some))
        number, total = np.divmod(np.arange((len(items) + 1) * answered), answered)
        scores = _mean(total / parts, number, measure)
        if len(tables) > 1:
            return _SubScore((*tables,), scores, gate)
        return _SubScore((replace(tables[0], table=scores[tables[0].table]),), None, gate)

    @property
    def columns(self) -> list[str]:
        """The columns that it needs."""
        return [c for items in self.items for c in items.columns] + ([self.gate] if self.gate else [])

    def values(self, codes: Mapping[str, NDArray[np.uint8]], rows: slice) -> Numbers:
        score = self.items[0].look_up(codes, rows)
        for items in self.items[1:]:
            score += items.look_up(codes, rows)
        if self.scores is not None:
            score = np.take(self.scores, score, mode="clip")
        if self.gate is None:
            return score
        # Without an appraisal the score is 0; who cannot remember has none.
        gate = codes[self.gate][rows]
        return np.asarray(np.where(gate == 2, 0.0, np.where(gate == 1, score, np.nan)))


def _fractions(question: Question) -> dict[int, Fraction]:
    """Return the score of each code, exactly: 10/3 is no number of a computer."""
    return {
        code: Fraction(value).limit_denominator(DENOMINATOR)
        for code, value in (question.score_map or {}).items()
    }


def _mean_of(parts: list[Numbers], measure: Measure) -> Numbers:
    """Return the mean of those parts that are there."""
    total, answered = np.zeros_like(parts[0]), np.zeros(len(parts[0]), np.int64)
    for part in parts:
        there = np.isfinite(part)
        total += np.where(there, part, 0.0)
        answered += there
    return _mean(total, answered, measure)


def _mean(total: Numbers | Whole, answered: Numbers | Whole, measure: Measure) -> Numbers:
    """Return the mean where enough was answered."""
    enough = answered >= max(measure.minimum, 1)
    return np.where(enough, total / np.maximum(answered, 1), np.nan)


def answer_codes(columns: str | list[str]) -> pl.Expr:
    """Expression: answers as one byte each; a code that does not fit is no answer to any question."""
    return pl.col(columns).cast(pl.Int8, strict=False).fill_null(NO_ANSWER)


def check_answers(extract: Extract) -> None:
    """See to it that answers are whole numbers, as `validate` leaves them."""
    odd = [
        c
        for c, dtype in extract.frame.schema.items()
        if c in extract.edition.columns and not dtype.is_integer()
    ]
    if odd:
        raise ExtractError(
            "The answers are not whole numbers yet",
            where=f"column{'s' if len(odd) > 1 else ''} {', '.join(odd[:8])}",
            expected="the codes of the questionnaire",
            hint="Use the extract that validate(extract).extract gives.",
        )
