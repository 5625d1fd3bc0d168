"""From tests to a verdict: improved, declined, no material change, unclear or not comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.difference import ALPHA
from culture_metrics.errors import unknown
from culture_metrics.multiplicity import adjust as adjusted_for_number
from culture_metrics.wording.columns import limit
from culture_metrics.wording.numbers import p_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IMPROVED, DECLINED, SAME = "improved", "declined", "no material change"
UNCLEAR, BARRED = "unclear", "not comparable"
VERDICTS = [IMPROVED, DECLINED, SAME, UNCLEAR, BARRED]
#: How p-values are adjusted, in words.
ADJUSTMENTS: Mapping[str, str] = {"bh": "Benjamini-Hochberg", "holm": "Holm"}


def adjust_p(table: pl.DataFrame, adjust: str) -> pl.DataFrame:
    """Add `p_adjusted`: over a family, which is all comparable rows of one breakdown.

    Raises
    ------
    UnknownNameError
        When the adjustment is not known.
    """
    if adjust not in ADJUSTMENTS:
        raise unknown("adjustment", adjust, ADJUSTMENTS)
    tested = pl.col("why_not").is_null() & pl.col("p_value").is_not_null()
    adjusted = np.full(table.height, np.nan)
    families = table.with_row_index("row").filter(tested).group_by("breakdown").agg("row", "p_value")
    for _, rows, p in families.iter_rows():
        adjusted[rows] = adjusted_for_number(p, adjust)
    return table.with_columns(pl.Series("p_adjusted", adjusted).fill_nan(None))


def judge(table: pl.DataFrame) -> pl.DataFrame:
    """Add `verdict` and `reason` to rows with tests, `why_not` (null where comparable) and `direction`.

    A change within the smallest change of interest is no material change even where it is beyond chance. Each
    one-sided test is at 2.5 %, so that the verdict is given exactly where the 95 % interval lies within.
    """
    better = (pl.col("difference") > 0) == (pl.col("direction") == "higher")
    beyond, within = pl.col("p_adjusted") < ALPHA, pl.col("p_equivalence") < ALPHA / 2
    verdict = (
        pl.when(pl.col("why_not").is_not_null())
        .then(pl.lit(BARRED))
        .when(pl.col("p_adjusted").is_null())
        .then(pl.lit(UNCLEAR))
        .when(within)
        .then(pl.lit(SAME))
        .when(~beyond)
        .then(pl.lit(UNCLEAR))
        .when(better)
        .then(pl.lit(IMPROVED))
        .otherwise(pl.lit(DECLINED))
    )
    return table.with_columns(verdict.cast(pl.Enum(VERDICTS)).alias("verdict")).with_columns(
        _reason(beyond, within).alias("reason")
    )


def _reason(beyond: pl.Expr, within: pl.Expr) -> pl.Expr:
    size = limit("material")
    shift = (
        pl.when(pl.col("allowance") > 0)
        .then(pl.format(" Two releases: {} either way is put down to their weighting.", limit("allowance")))
        .otherwise(pl.lit(""))
    )
    least = pl.format(
        "Could be chance. With these bases only a true change of {} or more is found in 4 of 5 cases.",
        limit("detectable_change"),
    ).fill_null("Could be chance, and no change would be found reliably with these bases.")
    said = (
        pl.when(pl.col("p_adjusted").is_null())
        .then(pl.lit("Nothing to test: all answers are alike in both years, or the spread is not known."))
        .when(within & beyond)
        .then(pl.format("Beyond chance, but smaller than {}.", size))
        .when(within)
        .then(pl.format("Smaller than {} either way, whatever chance did.", size))
        .when(beyond)
        .then(pl.format("Beyond chance (adjusted {}).", p_values("p_adjusted")))
        .when(pl.col("p_value") < ALPHA)
        .then(
            pl.format(
                "Alone beyond chance ({}), but not among so many comparisons (adjusted {}).",
                p_values("p_value"),
                p_values("p_adjusted"),
            )
        )
        .otherwise(least)
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
