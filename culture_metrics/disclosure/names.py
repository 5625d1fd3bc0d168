"""Names of hidden groups: pooled in what leaves, since a name alone says that a few people are there."""

from __future__ import annotations

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.problems import counted
from data_schemas.columns import DISTRIBUTIONS_KEY, RESULTS_KEY

#: A group in another table of the same release is the same group, whatever the year.
GROUP = ["survey", "organisation", "breakdown", "group"]
WITHOUT = ["estimate", "percent", "std_error", "conf_low", "conf_high", "interval", "base", "effective_base"]
ENDING = " people, or that would give those away"


def is_pooled(group: str = "group") -> pl.Expr:
    """Expression: whether a group stands for several hidden ones."""
    return pl.col(group).str.ends_with(ENDING)


def pooled(groups: int, minimum_base: int) -> str:
    """Return what several hidden groups are called together.

    Examples
    --------
    >>> pooled(2, 11)
    '2 groups with fewer than 11 people, or that would give those away'
    """
    return f"{counted(groups, 'group')} with fewer than {minimum_base}{ENDING}"


def minimum_of(group: str = "group") -> pl.Expr:
    """Expression: the smallest base that is shown, as `pooled` says it.

    Examples
    --------
    >>> pl.DataFrame({"group": [pooled(2, 11)]}).select(minimum_of()).item()
    11
    """
    return pl.col(group).str.extract(rf"fewer than (\d+){ENDING}$").cast(pl.Int64)


def pool_names(table: pl.DataFrame, minimum_base: int) -> pl.DataFrame:
    """Fold the rows of groups of which nothing is shown into one row per breakdown and measure.

    Parameters
    ----------
    table : polars.DataFrame
        Results or Distributions, suppressed: everything that leaves together, all years in one table. A group
        that is shown somewhere, for one measure in one year, has its name in the release already and keeps
        its rows.
    minimum_base : int
        Smallest base that is shown.

    Returns
    -------
    polars.DataFrame
        The rows of the other groups and of the whole as they were. Folded rows have no numbers and the status
        `suppressed`, so that they do not tell which kind of suppression it was.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> results = estimate(synthetic.respondents(2024, seed=2), by=["locality_1"])
    >>> pool_names(results.table, 11).filter(is_pooled())["status"].unique().to_list()
    ['suppressed']
    """
    status = pl.col("status").cast(pl.String)
    hidden = status.str.starts_with("suppressed")
    seen = table.group_by(GROUP).agg(shown=(status == "reported").any(), hidden=hidden.any())
    gone = seen.filter(pl.col("hidden"), ~pl.col("shown"), (pl.col("group") != ALL) & ~is_pooled()).select(
        GROUP
    )
    if gone.is_empty():
        return table
    several = pl.when(pl.len() == 1).then(pl.lit("")).otherwise(pl.lit("s"))
    name = pl.format("{} group{} with fewer than {}{}", pl.len(), several, minimum_base, pl.lit(ENDING))
    named = gone.group_by(GROUP[:-1]).agg(together=name)
    rows = table.join(gone, on=GROUP, how="semi").join(named, on=GROUP[:-1])
    key = DISTRIBUTIONS_KEY if "option" in table.columns else RESULTS_KEY
    folded = (
        rows.with_columns(
            pl.col("together").alias("group"),
            pl.when(hidden)
            .then(pl.lit("suppressed"))
            .otherwise(status)
            .cast(table.schema["status"])
            .alias("status"),
            *(pl.lit(None, table.schema[c]).alias(c) for c in WITHOUT if c in table.columns),
        )
        # Hidden for one of them is hidden: that nobody in another was asked is not told.
        .sort(pl.col("status") != "suppressed", maintain_order=True)
        .unique(key, keep="first", maintain_order=True)
        .select(table.columns)
    )
    kept = table.join(gone, on=GROUP, how="anti", maintain_order="left")
    return pl.concat([kept, folded]).sort(key)
