"""A sentence for each finding, as a board paper can carry it."""

from __future__ import annotations

import polars as pl

from culture_metrics.compare.difference import ALPHA
from culture_metrics.compare.verdict import BARRED, DECLINED, IMPROVED, SAME, UNCLEAR
from culture_metrics.compare.words import figure, limit, signed
from culture_metrics.contract import ALL


def sentence() -> pl.Expr:
    """Expression: one finding of a comparison in a sentence.

    It takes the columns of a table of `compare_years`: what is measured, both figures, the difference with
    its 95 % interval, and what may be said about it.
    """
    who = pl.when(pl.col("group") != ALL).then(pl.format("{}, {}", "label", "group")).otherwise("label")
    first, second = figure("estimate_from"), figure("estimate_to")
    change = pl.format(
        "({}{}, 95% interval {} to {})",
        signed("difference"),
        pl.when(pl.col("unit").cast(pl.String) == "percent").then(pl.lit(" points")).otherwise(pl.lit("")),
        signed("conf_low"),
        signed("conf_high"),
    )
    up = pl.when(pl.col("difference") > 0)
    moved = pl.format("{} {} from {} to {} {}.", who, up.then(pl.lit("rose")).otherwise(pl.lit("fell")), first, second, change)  # fmt: skip  # noqa: E501
    within = pl.format("within {} either way", limit("material"))
    same = pl.format("{} did not change materially: {} and {} {}, {}.", who, first, second, change, within)
    many = pl.format(
        "{}: {} and {} {}. Among so many comparisons this could be chance.", who, first, second, change
    )
    least = pl.format(
        " With {} and {} answers a change of less than {} would often be missed.",
        "base_from",
        "base_to",
        limit("detectable_change"),
    ).fill_null("")
    unclear = pl.format("{}: {} and {} {}, too little to say whether it changed.", who, first, second, change)
    barred = pl.format("{}: {} and {} may not be compared. {}", who, "period_from", "period_to", "reason")
    return (
        pl.when(pl.col("verdict").is_in([IMPROVED, DECLINED]))
        .then(moved)
        .when(pl.col("verdict") == SAME)
        .then(same)
        .when((pl.col("verdict") == UNCLEAR) & (pl.col("p_value") < ALPHA))
        .then(many)
        .when(pl.col("verdict") == UNCLEAR)
        .then(pl.concat_str(unclear, least))
        .when(pl.col("verdict") == BARRED)
        .then(barred)
    )
