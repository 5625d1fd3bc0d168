"""Pandera schemas of the fixed-shape tables.

Validate on a DataFrame: on a LazyFrame Pandera would skip the checks of the data. That no row stands twice,
and that scores lie in the range of their survey, is checked in culture_metrics.results.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from data_schemas.columns import (
    DISTRIBUTIONS,
    DISTRIBUTIONS_KEY,
    ORGANISATIONS,
    ORGANISATIONS_KEY,
    OUTCOMES,
    OUTCOMES_KEY,
    RESULTS,
    RESULTS_KEY,
    Columns,
)

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base"]
TOLERANCE = 1e-9


def _rule(name: str, expression: pl.Expr) -> pa.Check:
    """Make a data-level rule: every row must satisfy `expression` (null counts as satisfied)."""
    return pa.Check(
        lambda data: data.lazyframe.select(expression.fill_null(value=True)), name=name, error=name
    )


def _columns(columns: Columns, required: list[str]) -> dict[str, pa.Column]:
    return {name: pa.Column(dtype, nullable=name not in required) for name, dtype in columns.items()}


Results = pa.DataFrameSchema(
    _columns(RESULTS, [*RESULTS_KEY, "unit", "status"]),
    checks=[
        _rule(
            "a percentage lies in 0-100",
            (pl.col("unit") != "percent") | pl.col("estimate").is_between(-TOLERANCE, 100 + TOLERANCE),
        ),
        _rule(
            "the interval holds the estimate",
            pl.col("estimate").is_between(pl.col("conf_low") - TOLERANCE, pl.col("conf_high") + TOLERANCE),
        ),
        _rule("no number is NaN", ~pl.any_horizontal(pl.col(pl.Float64).is_nan())),
        _rule("a standard error is not negative", pl.col("std_error") >= 0),
        _rule(
            "a reported row has an estimate and a base",
            (pl.col("status") != "reported")
            | (pl.col("estimate").is_not_null() & pl.col("base").is_not_null()),
        ),
        _rule(
            "a row that is not reported has no numbers",
            (pl.col("status") == "reported") | pl.all_horizontal(pl.col(*NUMBERS, "interval").is_null()),
        ),
    ],
    strict=True,
    ordered=True,
)

Distributions = pa.DataFrameSchema(
    _columns(DISTRIBUTIONS, [*DISTRIBUTIONS_KEY, "status"]),
    checks=[
        _rule(
            "a percentage lies in 0-100",
            pl.col("percent").is_between(-TOLERANCE, 100 + 1e-6),
        ),
        _rule(
            "the interval holds the percentage",
            pl.col("percent").is_between(pl.col("conf_low") - TOLERANCE, pl.col("conf_high") + TOLERANCE),
        ),
        _rule("no number is NaN", ~pl.any_horizontal(pl.col(pl.Float64).is_nan())),
        _rule("a standard error is not negative", pl.col("std_error") >= 0),
    ],
    strict=True,
    ordered=True,
)

Organisations = pa.DataFrameSchema(
    _columns(ORGANISATIONS, ORGANISATIONS_KEY),
    strict=True,
    ordered=True,
)

Outcomes = pa.DataFrameSchema(
    _columns(OUTCOMES, [*OUTCOMES_KEY, "status", "rows"]),
    checks=[
        _rule("no number is NaN or infinite", pl.all_horizontal(pl.col(pl.Float64).is_finite())),
        _rule("a period does not end before it starts", pl.col("start") <= pl.col("end")),
        _rule("a denominator is above zero", pl.col("denominator") > 0),
        _rule(
            "a reported row has a value or a level",
            (pl.col("status") != "reported") | pl.any_horizontal(pl.col("value", "level").is_not_null()),
        ),
        _rule(
            "a row that is not reported has no numbers",
            (pl.col("status") == "reported")
            | pl.all_horizontal(pl.col("value", "level", "numerator").is_null()),
        ),
    ],
    unique=OUTCOMES_KEY,
    strict=True,
    ordered=True,
)
