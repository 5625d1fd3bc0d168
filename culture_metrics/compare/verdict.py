"""From tests to a verdict and its reason; the official flag beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.difference import ALPHA
from culture_metrics.wording.columns import limit, span
from culture_metrics.wording.numbers import p_values
from culture_metrics.wording.verdicts import (
    BARRED,
    DECLINED,
    IMPROVED,
    LIKELY_DECLINED,
    LIKELY_IMPROVED,
    SAME,
    UNCLEAR,
    VERDICTS,
)

if TYPE_CHECKING:
    from collections.abc import Sequence


def judge(table: pl.DataFrame) -> pl.DataFrame:
    """Add `verdict` (as `with_verdict`) and `reason` to rows with tests."""
    tested, edge = pl.col("p_value").is_not_null(), _edge(table)
    beyond, alone = pl.col("p_adjusted") < ALPHA, pl.col("p_value") < ALPHA
    small, within = tested & _within(edge), tested & _within("material")
    return with_verdict(table).with_columns(
        _reason(tested, beyond, alone, small, within, edge).alias("reason")
    )


def with_verdict(table: pl.DataFrame) -> pl.DataFrame:
    """Add `verdict` to rows with tests, `why_not` (null where comparable) and `direction`.

    Notes
    -----
    In this order: *not comparable*; *no material change* where the 95 % interval lies within the smallest
    change of interest (`edge`), whatever chance did; *improved* or *declined* where the adjusted p-value is
    below 5 %; *likely improved* or *likely declined* where its own is; *no material change* where the 95 %
    interval lies within the margin that an organisation of this size can resolve (`material`); else *no clear
    change*.
    """
    better = (pl.col("difference") > 0) == (pl.col("direction") == "higher")
    tested = pl.col("p_value").is_not_null()
    sides = [
        pl.when(better).then(pl.lit(up)).otherwise(pl.lit(down))
        for up, down in ((IMPROVED, DECLINED), (LIKELY_IMPROVED, LIKELY_DECLINED))
    ]
    verdict = (
        pl.when(pl.col("why_not").is_not_null()).then(pl.lit(BARRED))
        .when(tested & _within(_edge(table))).then(pl.lit(SAME))
        .when(pl.col("p_adjusted") < ALPHA).then(sides[0])
        .when(pl.col("p_value") < ALPHA).then(sides[1])
        .when(tested & _within("material")).then(pl.lit(SAME))
        .otherwise(pl.lit(UNCLEAR))
    )  # fmt: skip
    return table.with_columns(verdict.cast(pl.Enum(list(VERDICTS))).alias("verdict"))


def _edge(table: pl.DataFrame) -> str:
    return "edge" if "edge" in table.columns else "material"


def _within(size: str) -> pl.Expr:
    return (pl.col("conf_low") > -pl.col(size)) & (pl.col("conf_high") < pl.col(size))


def _reason(
    tested: pl.Expr, beyond: pl.Expr, alone: pl.Expr, small: pl.Expr, within: pl.Expr, edge: str
) -> pl.Expr:
    shift = (
        pl.when(pl.col("allowance") > 0)
        .then(pl.format(" Two releases: {} either way is put down to their weighting.", limit("allowance")))
        .otherwise(pl.lit(""))
    )
    least = pl.format(
        " A true change of {} or more is called in 4 of 5 cases.", limit("detectable_change")
    ).fill_null("")
    said = (
        pl.when(~tested & pl.col("df_from").is_not_null() & (pl.min_horizontal("df_from", "df_to") < 1))
        .then(pl.lit("Too little to compare: by their weights the answers count for fewer than two."))
        .when(~tested)
        .then(pl.lit("Nothing to test: all answers are alike in both years, or the spread is not known."))
        .when(small & beyond)
        .then(pl.format("Beyond chance, but smaller than {}.", limit(edge)))
        .when(small)
        .then(pl.format("Smaller than {} either way, whatever chance did.", limit(edge)))
        .when(beyond)
        .then(pl.format("Beyond chance (adjusted {}).", p_values("p_adjusted")))
        .when(alone)
        .then(
            pl.format(
                "By itself beyond chance ({}), not with all that was compared (adjusted {}).",
                p_values("p_value"),
                p_values("p_adjusted"),
            )
        )
        .when(within)
        .then(pl.format("Within {} either way, whatever chance did.", limit("material")))
        .otherwise(pl.concat_str(pl.format("The data allow a change {}.", span()), least))
    )
    return pl.coalesce("why_not", pl.concat_str(said, shift))


def official_flag(table: pl.DataFrame, levels: Sequence[str]) -> pl.DataFrame:
    """Add `official_flag`: 1, 0 or -1 for scores of these levels, as the official reports print it.

    Two-sample t-test with pooled variance on unweighted bases, two-tailed, 5 %, unadjusted.
    """
    from scipy.special import stdtr

    mean, sd, base = (
        [table[f"{name}_{end}"].cast(pl.Float64).to_numpy() for end in ("from", "to")]
        for name in ("estimate", "sd", "base")
    )
    df = base[0] + base[1] - 2
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = ((base[0] - 1) * sd[0] ** 2 + (base[1] - 1) * sd[1] ** 2) / df
        statistic = (mean[1] - mean[0]) / np.sqrt(pooled * (1 / base[0] + 1 / base[1]))
        p = 2 * stdtr(df, -np.abs(statistic))
    sign = pl.col("difference").sign().cast(pl.Int8)
    flagged = pl.when(pl.Series("p", p) < ALPHA).then(sign).otherwise(pl.lit(0, pl.Int8))
    known = pl.Series("known", ~np.isnan(p)) & pl.col("level").is_in(levels) & pl.col("why_not").is_null()
    return table.with_columns(pl.when(known).then(flagged).alias("official_flag"))
