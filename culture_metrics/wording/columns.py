"""Columns of numbers in words, where each row says its unit: decimals, signs and points."""

from __future__ import annotations

import polars as pl

from culture_metrics.wording.numbers import MINUS

#: How figures are weighted, as the source of a figure says it.
WEIGHTED = {
    "none": "every respondent counted once",
    "occupation_group": "weighted to the occupation mix of the benchmark group",
    "occupation_group_and_size": "weighted by occupation group and size of organisations",
    "size": "weighted by size of organisations",
    "raked": "weighted to staff in post",
    "supplied": "weighted by weights of one's own",
    "as_published": "weighted as published",
}


def weighed(source: str, weighting: pl.Series) -> str:
    """Say where figures come from and how they are weighted, as far as they agree in it.

    Examples
    --------
    >>> weighed("Published results", pl.Series(["occupation_group", "none", None]))
    'Published results, weighted to the occupation mix of the benchmark group; questions never weighted as they are'
    >>> weighed("Respondent files", pl.Series(["none"]))
    'Respondent files, every respondent counted once'
    """  # noqa: E501
    kinds = weighting.cast(pl.String).drop_nulls().unique().sort().to_list()
    some = [kind for kind in kinds if kind != "none"] or kinds
    if len(some) != 1:
        return source
    plain = "; questions never weighted as they are" if len(kinds) > 1 else ""
    return f"{source}, {WEIGHTED[some[0]]}{plain}"


def figure(column: str) -> pl.Expr:
    """Expression: a figure with the decimals of its unit and its sign."""
    value = pl.col(column)
    return pl.when(_percent()).then(pl.format("{}%", _fixed(value, 1))).otherwise(_fixed(value, 2))


def signed(column: str) -> pl.Expr:
    """Expression: a difference with its sign; what rounds to nought has none."""
    value = pl.col(column)
    text = pl.when(_percent()).then(_fixed(value.abs(), 1)).otherwise(_fixed(value.abs(), 2))
    nought = text.str.strip_chars("0.") == ""
    sign = pl.when(nought).then(pl.lit("")).when(value > 0).then(pl.lit("+")).otherwise(pl.lit(MINUS))
    return pl.concat_str(sign, text)


def limit(column: str) -> pl.Expr:
    """Expression: a size without sign, with its unit."""
    value = pl.col(column)
    text = _fixed(value, 1)
    word = pl.when(text == "1.0").then(pl.lit(" point")).otherwise(pl.lit(" points"))
    return (
        pl.when(_percent()).then(pl.concat_str(text.str.strip_suffix(".0"), word)).otherwise(_fixed(value, 2))
    )


def _percent() -> pl.Expr:
    return pl.col("unit").cast(pl.String) == "percent"


def _fixed(value: pl.Expr, places: int) -> pl.Expr:
    return value.round(places).cast(pl.Decimal(12, places)).cast(pl.String)
