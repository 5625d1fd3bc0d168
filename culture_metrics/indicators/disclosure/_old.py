"""Disclosure control: no result below the minimum base, nor one that follows from the others."""

from __future__ import annotations

import polars as pl

TABLE = ["survey", "period", "organisation", "breakdown", "measure", "weighting"]
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base"]


def suppress(results: pl.DataFrame, minimum_base: int = 11) -> pl.DataFrame:
    """Hide small cells, and as many others as it takes that no hidden one follows from the total.

    Parameters
    ----------
    results : polars.DataFrame
        With the columns of Results; `base` is the number of respondents behind a row.
    minimum_base : int
        Smallest base that may be shown: 11 by default, 10 in official files.

    Returns
    -------
    polars.DataFrame
        The same rows; hidden ones have no numbers and say why in `status`: `suppressed_small_base`, or
        `suppressed_secondary` when the row would give another one away.

    Notes
    -----
    Within one measure and breakdown the total is shown, so one hidden group could be worked out by
    subtraction. Groups are therefore hidden, the smallest first, until at least two are hidden and together
    they hold at least `minimum_base` respondents.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> results = estimate(synthetic.respondents(2024, seed=2), by=["locality_1"])
    >>> results.filter(pl.col("base") < 11).height
    0
    """
    base = pl.col("base").fill_null(0)
    small = pl.col("status").eq("reported") & (base < minimum_base)
    hidden = small | pl.col("status").is_in(["suppressed_small_base", "suppressed_secondary"])
    inner = pl.col("group") != "all"
    somebody = inner & (base > 0)
    ranked = results.with_row_index("_row").with_columns(hidden.alias("_hidden"), small.alias("_small"))
    ranked = ranked.sort(~pl.col("_hidden"), base, "group").with_columns(
        (somebody.cum_sum() - somebody).over(TABLE).alias("_before"),
        ((base * inner).cum_sum() - base * inner).over(TABLE).alias("_held"),
        (pl.col("_hidden") & somebody).any().over(TABLE).alias("_any"),
    )
    # Hidden groups come first, then the others from the smallest: hide on while too little is hidden.
    short = (pl.col("_before") < 2) | (pl.col("_held") < minimum_base)
    secondary = pl.col("_any") & inner & ~pl.col("_hidden") & short & pl.col("status").eq("reported")
    status = (
        pl.when("_small")
        .then(pl.lit("suppressed_small_base"))
        .when(secondary)
        .then(pl.lit("suppressed_secondary"))
        .otherwise(pl.col("status").cast(pl.String))
    )
    shown = status == "reported"
    numbers = [c for c in [*NUMBERS, "percent"] if c in results.columns]
    return (
        ranked.with_columns(
            status.cast(results.schema["status"]).alias("status"),
            *(pl.when(shown).then(pl.col(c)).alias(c) for c in numbers),
        )
        .sort("_row")
        .drop("_row", "_hidden", "_small", "_before", "_held", "_any")
    )
