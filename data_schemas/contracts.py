"""What every row of Results, Distributions and Organisations keeps: its columns, and rules by name.

Plain polars: a table that keeps its contract is known by one look. Where one does not, Pandera says what is
wrong (data_schemas.tables has the schemas); to load it takes longer than to look at millions of rows. That no
row stands twice, and that scores lie in the range of their survey, is checked in culture_metrics.contract.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from data_schemas.columns import (
    DISTRIBUTIONS,
    DISTRIBUTIONS_KEY,
    ORGANISATIONS,
    ORGANISATIONS_KEY,
    RESULTS,
    RESULTS_KEY,
    Columns,
)

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base"]
TOLERANCE = 1e-9


@dataclass(frozen=True)
class Contract:
    """Columns in their order, those never null, and what holds of every row (null counts as kept)."""

    columns: Columns
    required: list[str]
    rules: dict[str, pl.Expr]

    def kept(self, frame: pl.DataFrame) -> bool:
        """Whether a table has these columns and no others, and every row keeps to the rules."""
        if frame.schema != pl.Schema(self.columns):
            return False
        full = all(not frame[name].null_count() for name in self.required)
        rules = [(~rule).any().alias(name) for name, rule in self.rules.items()]
        return full and not (rules and any(frame.select(rules).row(0)))


CONTRACTS = {
    "Results": Contract(
        RESULTS,
        [*RESULTS_KEY, "unit", "status"],
        {
            "a percentage lies in 0-100": (pl.col("unit") != "percent")
            | pl.col("estimate").is_between(-TOLERANCE, 100 + TOLERANCE),
            "the interval holds the estimate": pl.col("estimate").is_between(
                pl.col("conf_low") - TOLERANCE, pl.col("conf_high") + TOLERANCE
            ),
            "no number is NaN": ~pl.any_horizontal(pl.col(pl.Float64).is_nan()),
            "a standard error is not negative": pl.col("std_error") >= 0,
            "a reported row has an estimate and a base": (pl.col("status") != "reported")
            | (pl.col("estimate").is_not_null() & pl.col("base").is_not_null()),
            "a row that is not reported has no numbers": (pl.col("status") == "reported")
            | pl.all_horizontal(pl.col(*NUMBERS, "interval").is_null()),
        },
    ),
    "Distributions": Contract(
        DISTRIBUTIONS,
        [*DISTRIBUTIONS_KEY, "status"],
        {
            "a percentage lies in 0-100": pl.col("percent").is_between(-TOLERANCE, 100 + 1e-6),
            "the interval holds the percentage": pl.col("percent").is_between(
                pl.col("conf_low") - TOLERANCE, pl.col("conf_high") + TOLERANCE
            ),
            "no number is NaN": ~pl.any_horizontal(pl.col(pl.Float64).is_nan()),
            "a standard error is not negative": pl.col("std_error") >= 0,
        },
    ),
    "Organisations": Contract(ORGANISATIONS, ORGANISATIONS_KEY, {}),
}
