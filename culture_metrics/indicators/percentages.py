"""Headline percentages as values of respondents: 100 counted, 0 not counted, null out of the base."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from culture_metrics.catalogue import Edition, Measure


def percentage_values(edition: Edition, columns: set[str]) -> dict[str, pl.Expr]:
    """Return, for each headline percentage that the columns allow, a respondent's value.

    The mean of the values over a group is the percentage; null is out of the base (no answer, or an answer
    that the headline leaves out). Where all that apply may be ticked the base is
    everyone who ticked something.
    """
    return {
        name: _value(measure, edition, columns)
        for name, measure in edition.percentages.items()
        if columns.intersection(edition.questions[measure.question or ""].columns)
    }


def _value(measure: Measure, edition: Edition, columns: set[str]) -> pl.Expr:
    question = edition.questions[measure.question or ""]
    if measure.option is not None:
        ticks = [pl.col(c) == 1 for c in question.columns if c in columns]
        column = f"{question.code}_{measure.option}"
        if column not in columns:
            return pl.lit(None, pl.Float64)
        ticked = pl.when(pl.col(column) == 1).then(100.0).otherwise(0.0)
        return pl.when(pl.any_horizontal(ticks)).then(ticked)
    answer = pl.col(question.code)
    counted = pl.when(answer.is_in(question.positive)).then(100.0).otherwise(0.0)
    return pl.when(answer.is_not_null() & ~answer.is_in(question.out_of_base)).then(counted)
