"""How exact published figures are by sampling alone: from the base and an assumed spread of answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.indicators.intervals import wilson
from culture_metrics.results.precision import NORMAL

if TYPE_CHECKING:
    from culture_metrics.catalogue import Survey
    from culture_metrics.compare.assumptions import Assumptions

#: 97.5 % point of the normal distribution.
#: What stands in the provenance of whatever rests on it.
ASSUMED = (
    "Published files give no standard errors: intervals rest on the bases and on an assumed spread of "
    "answers (that of synthetic respondents where none was given)"
)


def with_sampling_error(rows: pl.DataFrame, survey: Survey, assumptions: Assumptions) -> pl.DataFrame:
    """Add `worth`, the base after weighting, and fill `std_error, conf_low, conf_high` where they are null.

    Parameters
    ----------
    rows : polars.DataFrame
        Results. Figures that have a standard error keep it.
    survey : Survey
        Where scores lie.
    assumptions : Assumptions
        Standard deviation of scores among respondents, and how much weighting widens the variance.

    Notes
    -----
    A score of n respondents has the standard error sd / √(n / design effect). A percentage p has
    √(p(1 - p) / n) with two answers added on each side, so that 0 and 100 % have one too, and Wilson's
    interval. Nothing is taken off for the part of the staff that answered.
    """
    spread = {m: assumptions.sd(m) for m in rows["measure"].unique()}
    score = pl.col("unit").cast(pl.String) == "score"
    weighted = (pl.col("weighting").cast(pl.String) != "none").fill_null(value=False)
    answers = pl.col("base") / pl.when(weighted).then(assumptions.design_effect).otherwise(1.0)
    share = (pl.col("worth") * pl.col("estimate") / 100 + 2) / (pl.col("worth") + 4)
    sd = pl.col("measure").replace_strict(spread, return_dtype=pl.Float64)
    ready = rows.with_columns(worth=pl.coalesce("effective_base", answers)).with_columns(
        assumed=pl.when(score)
        .then(sd / pl.col("worth").sqrt())
        .otherwise(100 * (share * (1 - share) / pl.col("worth")).sqrt())
    )
    low, high = wilson(ready["estimate"].to_numpy() / 100, ready["worth"].to_numpy())
    bottom, top = survey.score_range
    half = NORMAL * pl.col("assumed")
    here = pl.col("estimate").is_not_null() & pl.col("worth").is_not_null()
    value = pl.col("estimate")
    return ready.with_columns(
        std_error=pl.when(here).then(pl.coalesce("std_error", "assumed")),
        conf_low=pl.when(here).then(
            pl.coalesce(
                "conf_low",
                pl.when(score).then((value - half).clip(bottom, top)).otherwise(pl.Series(100 * low)),
            )
        ),
        conf_high=pl.when(here).then(
            pl.coalesce(
                "conf_high",
                pl.when(score).then((value + half).clip(bottom, top)).otherwise(pl.Series(100 * high)),
            )
        ),
    ).drop("assumed")
