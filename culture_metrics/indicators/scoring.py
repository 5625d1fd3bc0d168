"""Scores of respondents, 0 to 10, from their answers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from math import lcm
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import ExtractError
from culture_metrics.threads import blocks, in_threads

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.catalogue import Edition, Measure, Question
    from culture_metrics.extracts.extract import Extract

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

#: Stands for no answer.
NO_ANSWER = -1
#: Respondents that are scored at a time, so that they stay in the fast memory.
SLICE = 8192
#: Item scores are fractions with no larger denominator (10/3).
DENOMINATOR = 1_000


def score(extract: Extract) -> pl.DataFrame:
    """Score every respondent: sub-scores, People Promise elements and themes.

    Parameters
    ----------
    extract : Extract
        A clean extract (`validate(...).extract`).

    Returns
    -------
    polars.DataFrame
        One row per respondent, in the order of the extract: the columns that are no questions (`respondent`,
        `organisation`, `locality_1` …) and one Float64 column per score id, 0 to 10, higher is better; null
        where too few questions were answered or the questions are not in the extract.

    Raises
    ------
    ExtractError
        When question columns are not whole numbers yet.

    Notes
    -----
    A sub-score is the mean of its scored answers if enough of them are there; an element or theme is the mean
    of its sub-scores if enough of them exist (not the mean of all questions). "Don't know" scores 5 in fair
    career progression; the appraisal score is 0 without an appraisal and missing where a person cannot
    remember. Rules and their evidence stand in the catalogue; they rebuild the official 2024 results of
    organisations published unweighted.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> score(synthetic.respondents(2024, respondents_per_organisation=50))["staff_engagement"].max() <= 10
    True
    """
    others = [c for c in extract.frame.columns if c not in extract.edition.columns]
    names, values = score_values(extract)
    scores = [pl.Series(m, values[:, j], nan_to_null=True) for j, m in enumerate(names)]
    frame = extract.frame.select(others).with_columns(scores)
    absent = [pl.lit(None, pl.Float64).alias(m) for m in extract.edition.scores if m not in names]
    return frame.with_columns(absent).select(*others, *extract.edition.scores)


def score_values(extract: Extract) -> tuple[list[str], Numbers]:
    """Score every respondent: the scores that the columns allow; respondents by scores, NaN for none."""
    check_answers(extract)
    edition, frame = extract.edition, extract.frame
    sub_scores = {
        m: _SubScore.of(measure, edition, {*frame.columns}) for m, measure in edition.scores.items()
    }
    here = {m for m, sub_score in sub_scores.items() if sub_score}
    here |= {
        m for m, measure in edition.scores.items() if len(here & {*measure.parts}) >= max(measure.minimum, 1)
    }
    place = {m: j for j, m in enumerate(m for m in edition.scores if m in here)}
    columns = list(dict.fromkeys(c for s in sub_scores.values() if s for c in s.columns))
    answers = frame.select(pl.col(columns).cast(pl.Int8, strict=False).fill_null(NO_ANSWER))
    codes = {c.name: c.to_numpy().view(np.uint8) for c in answers}
    values = np.empty((frame.height, len(place)), order="F")
    scores = edition.scores

    def fill(part: slice) -> None:
        for low in range(part.start, part.stop, SLICE):
            rows = slice(low, min(low + SLICE, part.stop))
            for m, j in place.items():
                sub_score = sub_scores[m]
                if sub_score is not None:
                    values[rows, j] = sub_score.values([codes[c][rows] for c in sub_score.columns])
            for m, j in place.items():
                if sub_scores[m] is None:
                    parts = [values[rows, place[p]] for p in scores[m].parts if p in here]
                    there = [np.isfinite(part) for part in parts]
                    known = [np.where(t, part, 0.0) for t, part in zip(there, parts, strict=True)]
                    values[rows, j] = _mean(np.sum(known, axis=0), np.sum(there, axis=0), scores[m])

    in_threads([partial(fill, part) for part in blocks(frame.height)])
    return [*place], values


@dataclass(frozen=True)
class _SubScore:
    """How to score the codes of some columns.

    `table` has a whole number for every code as an unsigned byte: the item score in parts, and on top a fixed
    number where the answer is scored, so that a sum says both the total and how many were answered. `scores`
    has the score of every such sum. The last column is the question that the sub-score hangs on, if any.
    """

    measure: Measure
    columns: tuple[str, ...]
    table: NDArray[np.int64]
    scores: Numbers

    @staticmethod
    def of(measure: Measure, edition: Edition, columns: set[str]) -> _SubScore | None:
        items = [q for q in (edition.questions[i] for i in measure.items) if q.code in columns]
        gate = edition.questions[measure.filter].code if measure.filter else None
        if not items or len(items) < measure.minimum or (gate and gate not in columns):
            return None
        exact = [_fractions(question) for question in items]
        parts = lcm(*(value.denominator for values in exact for value in values.values()))
        answered = 1 + sum(int(max(values.values(), default=0) * parts) for values in exact)
        table = np.zeros((len(items), 256), np.int64)
        for row, values in zip(table, exact, strict=True):
            for code, value in values.items():
                row[code] = answered + int(value * parts)
        number, total = np.divmod(np.arange((len(items) + 1) * answered), answered)
        gates = (gate,) if gate else ()
        return _SubScore(
            measure, (*(q.code for q in items), *gates), table, _mean(total / parts, number, measure)
        )

    def values(self, codes: list[NDArray[np.uint8]]) -> Numbers:
        # All codes are in the tables: "clip" only spares a check.
        scored = np.take(self.table[0], codes[0], mode="clip")
        for item, table in zip(codes[1:], self.table[1:], strict=False):
            scored += np.take(table, item, mode="clip")
        score = np.take(self.scores, scored, mode="clip")
        if self.measure.filter is None:
            return score
        gate = codes[-1]
        # Without an appraisal the score is 0; who cannot remember has none.
        return np.asarray(np.where(gate == 2, 0.0, np.where(gate == 1, score, np.nan)))


def _fractions(question: Question) -> dict[int, Fraction]:
    """Return the score of each code, exactly: 10/3 is no number of a computer."""
    return {
        code: Fraction(value).limit_denominator(DENOMINATOR)
        for code, value in (question.score_map or {}).items()
    }


def _mean(total: Numbers | Whole, answered: Numbers | Whole, measure: Measure) -> Numbers:
    """Return the mean where enough was answered."""
    enough = answered >= measure.minimum
    mean = np.full(len(total), np.nan)
    np.divide(total, answered, out=mean, where=enough & (answered > 0))
    return mean


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
