"""Scores of respondents, 0 to 10, from their answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError

if TYPE_CHECKING:
    from culture_metrics.catalogue import Edition, Measure, Question
    from culture_metrics.extracts.extract import Extract


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
    check_answers(extract)
    others = [c for c in extract.frame.columns if c not in extract.edition.columns]
    edition, here = extract.edition, set(extract.frame.columns)
    sub_scores = {k: sub_score(m, edition, here) for k, m in edition.scores.items() if m.items}
    parts = {k: _mean_of_parts(m) for k, m in edition.scores.items() if m.parts}
    return (
        extract.frame.lazy()
        .select(*others, *(e.alias(k) for k, e in sub_scores.items()))
        .with_columns(e.alias(k) for k, e in parts.items())
        .select(*others, *edition.scores)
        .collect()
    )


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


def item_score(question: Question) -> pl.Expr:
    """Return the score of one answer, 0 to 10; null where the answer is not scored."""
    mapped = dict(question.score_map or {})
    answer = pl.col(question.code)
    (low, at_low), *_, (high, at_high) = sorted(mapped.items())
    step = (at_high - at_low) / (high - low)
    on_a_line = all(value == at_low + step * (code - low) for code, value in mapped.items())
    if on_a_line and len(mapped) == high - low + 1:
        return pl.when(answer.is_between(low, high)).then((answer - low) * step + at_low)
    return answer.replace_strict(mapped, default=None, return_dtype=pl.Float64)


def sub_score(measure: Measure, edition: Edition, columns: set[str]) -> pl.Expr:
    """Return a respondent's sub-score: the mean of the scored answers if `minimum` of them are there."""
    questions = [edition.questions[i] for i in measure.items]
    items = [item_score(q) for q in questions if q.code in columns]
    gate = edition.questions[measure.filter].code if measure.filter else None
    if len(items) < measure.minimum or (gate and gate not in columns):
        return pl.lit(None, pl.Float64)
    answered = pl.sum_horizontal(item.is_not_null() for item in items)
    mean = pl.when(answered >= measure.minimum).then(pl.mean_horizontal(items))
    if gate is None:
        return mean
    return pl.when(pl.col(gate) == 2).then(0.0).when(pl.col(gate) == 1).then(mean)


def _mean_of_parts(measure: Measure) -> pl.Expr:
    parts = [pl.col(p) for p in measure.parts]
    there = pl.sum_horizontal(p.is_not_null() for p in parts)
    return pl.when(there >= measure.minimum).then(pl.mean_horizontal(parts))
