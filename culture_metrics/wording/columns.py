"""Columns of numbers in words, where each row says its unit: decimals, signs and points."""

from __future__ import annotations

import polars as pl

from culture_metrics.wording.numbers import MINUS


def figure(column: str) -> pl.Expr:
    """Expression: a figure with the decimals of its unit and its sign."""
    value = pl.col(column)
    return pl.when(_percent()).then(pl.format("{}%", _fixed(value, 1))).otherwise(_fixed(value, 2))


def signed(column: str | pl.Expr) -> pl.Expr:
    """Expression: a difference with its sign; what rounds to nought has none."""
    return _signed(pl.col(column) if isinstance(column, str) else column)


def _signed(value: pl.Expr) -> pl.Expr:
    text = pl.when(_percent()).then(_fixed(value.abs(), 1)).otherwise(_fixed(value.abs(), 2))
    nought = text.str.strip_chars("0.") == ""
    sign = pl.when(nought).then(pl.lit("")).when(value > 0).then(pl.lit("+")).otherwise(pl.lit(MINUS))
    return pl.concat_str(sign, text)


def year() -> pl.Expr:
    """Expression: where a period stands in time, in years; quarters are a quarter of one apart.

    Examples
    --------
    >>> pl.DataFrame({"period": ["2024", "2024-Q3"]}).select(year()).to_series().to_list()
    [2024.0, 2024.5]
    """
    quarter = pl.col("period").str.extract(r"-Q([1-4])$").cast(pl.Float64)
    return pl.col("period").str.slice(0, 4).cast(pl.Float64) + (quarter.fill_null(1.0) - 1) / 4


def change() -> pl.Expr:
    """Expression: the change between the figures as they are printed, so that a reader can subtract them.

    Examples
    --------
    >>> pl.DataFrame({"estimate_from": [61.24], "estimate_to": [61.36], "unit": ["percent"]}).select(
    ...     change()
    ... ).item()
    '+0.2'
    """
    return _signed(printed_change())


def printed_change() -> pl.Expr:
    """Expression: the difference of `estimate_to` and `estimate_from`, both rounded as they are printed."""
    first, second = (
        pl.when(_percent()).then(pl.col(c).round(1)).otherwise(pl.col(c).round(2))
        for c in ("estimate_from", "estimate_to")
    )
    return second - first


def span() -> pl.Expr:
    """Expression: between which ends of its interval a change lies, with their unit."""
    points = pl.when(_percent()).then(pl.lit(" points")).otherwise(pl.lit(""))
    return pl.format("between {} and {}{}", signed("conf_low"), signed("conf_high"), points)


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


def natural(column: str) -> pl.Expr:
    """Expression: what names are sorted by as people count: Ward 2 before Ward 10.

    Examples
    --------
    >>> pl.DataFrame({"x": ["Ward 10", "ward 2", "Bank"]}).sort(natural("x"))["x"].to_list()
    ['Bank', 'ward 2', 'Ward 10']
    """
    padded = pl.col(column).str.to_lowercase().str.replace_all(r"(\d+)", "00000000$1")
    return padded.str.replace_all(r"0+(\d{9})", "$1")
