"""Numbers of a comparison in words: with the decimals of their unit, signs and points."""

from __future__ import annotations

import polars as pl

from culture_metrics.views.labels import MINUS


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
