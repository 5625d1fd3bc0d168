"""Pandera schemas of the fixed-shape tables.

Validate on a DataFrame: on a LazyFrame Pandera would skip the checks of the data. That no row stands twice,
and that scores lie in the range of their survey, is checked in culture_metrics.contract.
"""

from __future__ import annotations

import pandera.polars as pa
import polars as pl

from data_schemas.columns import OUTCOMES, OUTCOMES_KEY, Columns
from data_schemas.contracts import CONTRACTS


def _rule(name: str, expression: pl.Expr) -> pa.Check:
    """Make a data-level rule: every row must satisfy `expression` (null counts as satisfied)."""
    return pa.Check(
        lambda data: data.lazyframe.select(expression.fill_null(value=True)), name=name, error=name
    )


def _columns(columns: Columns, required: list[str]) -> dict[str, pa.Column]:
    return {name: pa.Column(dtype, nullable=name not in required) for name, dtype in columns.items()}


def _schema(name: str) -> pa.DataFrameSchema:
    contract = CONTRACTS[name]
    return pa.DataFrameSchema(
        _columns(contract.columns, contract.required),
        checks=[_rule(*rule) for rule in contract.rules.items()],
        strict=True,
        ordered=True,
    )


Results, Distributions, Organisations = map(_schema, ("Results", "Distributions", "Organisations"))

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
