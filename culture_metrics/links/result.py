"""The result of linking indicators to outcomes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    pass

#: Columns of `LinkResult.table`.
TABLE = {
    "model_id": pl.String, "outcome": pl.String, "outcome_label": pl.String, "kind": pl.String,
    "unit": pl.String, "better": pl.String, "period": pl.String, "indicator": pl.String, "term": pl.String,
    "indicator_sd": pl.Float64, "indicator_sd_within": pl.Float64, "step": pl.Float64,
    "step_label": pl.String, "design": pl.String, "lag": pl.Int64, "model": pl.String, "family": pl.String,
    "link": pl.String, "cov": pl.String, "role": pl.String, "estimate": pl.Float64, "std_error": pl.Float64,
    "df": pl.Float64, "statistic": pl.Float64, "p_value": pl.Float64, "p_adjusted": pl.Float64,
    "conf_low": pl.Float64, "conf_high": pl.Float64, "effect": pl.Float64, "effect_low": pl.Float64,
    "effect_high": pl.Float64, "effect_scale": pl.String, "effect_abs": pl.Float64,
    "effect_abs_low": pl.Float64, "effect_abs_high": pl.Float64, "effect_abs_unit": pl.String,
    "effect_std": pl.Float64, "partial_r": pl.Float64, "r2": pl.Float64, "pseudo_r2": pl.Float64,
    "delta_r2": pl.Float64, "base": pl.UInt32, "n_orgs": pl.UInt32, "n_years": pl.UInt32,
    "years": pl.String, "n_dropped": pl.UInt32, "direction": pl.String, "detectable_r": pl.Float64,
    "flags": pl.List(pl.String),
}  # fmt: skip


@dataclass(frozen=True)
class LinkResult:
    """Links between indicators and outcomes.

    Attributes
    ----------
    table : polars.DataFrame
        One row per model and term, columns `TABLE`.
    """

    table: pl.DataFrame
    diagnostics: pl.DataFrame = field(repr=False)
    sample: pl.DataFrame = field(repr=False)
    influence: pl.DataFrame = field(repr=False)
    statements: tuple[str, ...] = field(repr=False)
    warnings: tuple[str, ...] = field(repr=False)
