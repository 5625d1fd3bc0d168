"""A sentence for each finding, as a board paper can carry it."""

from __future__ import annotations

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.wording.columns import change, figure, limit, printed_change, signed, span
from culture_metrics.wording.numbers import count
from culture_metrics.wording.verdicts import BARRED, CLEAR, LIKELY, SAME


def sentence() -> pl.Expr:
    """Expression: one finding of a comparison in a sentence.

    It takes the columns of a table of `compare_years`: what is measured, both years and their figures, the
    difference with its 95 % interval, and what may be said about it.
    """
    who = pl.when(pl.col("group") != ALL).then(pl.format("{}, {}", "label", "group")).otherwise("label")
    first = pl.format("{} in {}", figure("estimate_from"), "period_from")
    second = pl.format("{} in {}", figure("estimate_to"), "period_to")
    points = (
        pl.when(pl.col("unit").cast(pl.String) == "percent").then(pl.lit(" points")).otherwise(pl.lit(""))
    )
    size = pl.concat_str(change(), points)
    # The change is that of the figures as printed: of exact ones it may lie beside the interval by a digit.
    ends = (pl.min_horizontal("conf_low", printed_change()), pl.max_horizontal("conf_high", printed_change()))
    with_ends = pl.format("({}, 95% interval {} to {})", size, *(signed(end) for end in ends))
    rose = pl.when(pl.col("difference") > 0).then(pl.lit("rose")).otherwise(pl.lit("fell"))
    moved = pl.format("{} {} from {} to {} {}", who, rose, first, second, with_ends)
    likely = pl.format(
        "{}: {}, by itself beyond chance, not with all that was compared.",
        moved,
        pl.col("verdict").cast(pl.String),
    )
    within = pl.format("within {} either way", limit("material"))
    same = pl.format("{} did not change materially: {}, {} {}, {}.", who, first, second, with_ends, within)
    least = pl.format(
        " With {} and {} answers a true change of {} or more is called in 4 of 5 cases.",
        count("base_from"),
        count("base_to"),
        limit("detectable_change"),
    ).fill_null("")
    open_ = pl.format("{}: {}, {} ({}); the data allow a change {}.", who, first, second, size, span())
    untested = pl.format("{}: {}, {}. {}", who, first, second, "reason")
    barred = pl.format("{}: {} and {} may not be compared. {}", who, "period_from", "period_to", "reason")
    return (
        pl.when(pl.col("verdict") == BARRED)
        .then(barred)
        .when(pl.col("p_value").is_null())
        .then(untested)
        .when(pl.col("verdict").is_in(CLEAR))
        .then(pl.concat_str(moved, pl.lit(".")))
        .when(pl.col("verdict").is_in(LIKELY))
        .then(likely)
        .when(pl.col("verdict") == SAME)
        .then(same)
        .otherwise(pl.concat_str(open_, least))
    )
