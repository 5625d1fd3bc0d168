"""Published scores beside those rebuilt from the published answers, to see whether they add up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.published.rebuild import rebuild_scores
from culture_metrics.results.tables import catalogued
from culture_metrics.wording.table import Table

if TYPE_CHECKING:
    from culture_metrics.published.published import Published


def rebuilt_table(published: Published, organisation: str) -> Table:
    """Set the published scores beside the rebuilt ones, and say how far they lie apart over everyone."""
    whole = (pl.col("breakdown") == ALL) & (pl.col("unit") == "score")
    made = rebuild_scores(published.distributions).table.filter(whole)
    both = published.results.table.filter(whole & pl.col("estimate").is_not_null()).join(
        made.select("organisation", "period", "measure", again="estimate").drop_nulls(),
        on=["organisation", "period", "measure"],
    )
    own = both.filter(organisation=organisation).select("measure", mine="estimate", again="again")
    gap = (pl.col("estimate") - pl.col("again")).abs()
    frame = (
        both.group_by("measure")
        .agg(pl.len().alias("organisations"), gap.median().alias("typical"), gap.max().alias("largest"))
        .join(own, on="measure", how="left")
        .join(catalogued(published.edition), on="measure")
        .sort("order")
        .select(
            pl.col("label").alias("Score"),
            _decimals("mine").alias("Published"),
            _decimals("again").alias("Rebuilt"),
            pl.format("{}", "organisations").alias("Organisations"),
            _decimals("typical").alias("Median difference"),
            _decimals("largest").alias("Largest difference"),
        )
    )
    return Table(
        frame,
        f"Published and rebuilt scores, {published.period}",
        numbers=tuple(frame.columns[1:]),
        strong=frozenset(m.label for m in published.edition.leading.values()),
    )


def _decimals(column: str) -> pl.Expr:
    return pl.col(column).round(4).cast(pl.Decimal(8, 4)).cast(pl.String)
