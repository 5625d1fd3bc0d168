"""Usual headline percentages: to tell a figure in another form from that of an odd organisation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from culture_metrics.catalogue import Edition

#: So many scores from 0 to 10 have no mean below this: the lowest of an organisation in 2024 is 2.4.
SEVERAL, LOWEST_MEAN = 3, 1.0
#: How much nearer to the usual percentage another reading must be to prove that it is the right one.
NEARER = 20.0
SCHEMA = {"measure": pl.String, "usual": pl.Float64}


def usual_percentages(edition: Edition) -> pl.DataFrame:
    """Return the rounded national headline percentage of each question for which it is known.

    Returns
    -------
    polars.DataFrame
        Columns `measure`, `usual` (0 to 100).

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> usual = usual_percentages(catalogue().edition(2024))
    >>> usual.filter(measure="harassment_from_patients")["usual"].round().item()
    25.0
    """
    found = []
    for name in edition.percentages:
        question = edition.questions.get(name)
        if question and question.usual:
            asked = sum(share for code, share in question.usual.items() if code not in question.out_of_base)
            found.append((name, 100 * sum(question.usual.get(k, 0.0) for k in question.positive) / asked))
    return pl.DataFrame(found, schema=SCHEMA, orient="row")


def much_nearer(other: pl.Expr, read: pl.Expr) -> pl.Expr:
    """Whether another reading of a percentage is so much nearer to `usual` than the one taken."""
    usual = pl.col("usual")
    return (other - usual).abs() + NEARER < (read - usual).abs()


def small_scores(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the columns of scores that are in another scale than 0 to 10: `column`, `mean`."""
    means = cells.drop_nulls("value").group_by("column", maintain_order=True)
    found = means.agg(mean=pl.col("value").mean(), several=pl.len() >= SEVERAL)
    return found.filter("several", pl.col("mean") < LOWEST_MEAN).drop("several")
