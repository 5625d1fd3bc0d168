"""Distributions: percentages in range that sum to 100 as far as rounding lets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.results.checks.common import EXACT, KEY, decimal_unit, full_key, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.problems import Problem

PERCENT = pl.col("percent")


def sums(answers: pl.DataFrame) -> Iterator[Problem]:
    """Report percentages out of range, fractions, and distributions that do not sum to 100."""
    outside = answers.filter(~PERCENT.is_between(-EXACT, 100 + EXACT))
    if outside.height:
        words = ("figures that cannot be", "percentages from 0 to 100", "Look them up in the source.")
        yield problem(outside, "error", "percentages outside 0 to 100", "percent", words)
    each = _sums(answers)
    fraction = (pl.col("sum") - 1).abs() <= 0.02
    fractions = each.filter(fraction)
    if fractions.height:
        words = ("distributions that sum to 1", "percentages that sum to 100", "Multiply by 100.")
        yield problem(fractions, "error", "fractions taken for percentages", "percent", words)
    missed = (pl.col("sum") - 100).abs()
    off = each.filter(~fraction & (missed > pl.col("slack")))
    if off.height:
        words = (
            f"sums that miss 100 by up to {off.select(missed.max()).item():.2g}, more than rounding explains",
            "the percentages of all answers to a question sum to 100",
            "Look for an option that is missing, suppressed or there twice.",
        )
        yield problem(off, "warning", "distributions that do not sum to 100", "percent", words)


def _sums(answers: pl.DataFrame) -> pl.DataFrame:
    """Sum each distribution, with the slack that rounding to its last decimal gives.

    Questions where all that apply may be ticked are left out: they sum to anything.
    """
    multi = [
        (name, q.id)
        for name in surveys()
        for edition in catalogue(name)
        for q in edition.questions.values()
        if q.kind == "multi"
    ]
    ticked = pl.DataFrame(multi, schema=["survey", "question"], orient="row").unique()
    return (
        answers.join(ticked, on=["survey", "question"], how="anti")
        .with_columns(unit=decimal_unit("percent"))
        .group_by(full_key(answers, "question"), maintain_order=True)
        .agg(
            PERCENT.sum().alias("sum"),
            (pl.col("unit").min() / 2 * pl.len() + EXACT).alias("slack"),
            pl.len().alias("options"),
        )
        .filter(pl.col("options") > 1)
        .sort(KEY)
    )
