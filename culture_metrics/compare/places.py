"""Where inside an organisation a change sits: groups that moved apart from the rest of it beyond chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.difference import ALPHA
from culture_metrics.contract import ALL
from culture_metrics.multiplicity import adjust
from culture_metrics.results.between import behind
from culture_metrics.results.precision import LEVEL
from culture_metrics.results.shrink import FEWEST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.compare.comparison import YearComparison

PLACE = ["breakdown", "group", "measure"]
FAMILY = ["breakdown", "measure"]


def places(change: YearComparison, measures: Sequence[str]) -> pl.DataFrame:
    """Return the groups whose change is another than that of the rest, and beyond chance itself.

    Parameters
    ----------
    change : YearComparison
        Of one organisation.
    measures : sequence of str
        Ids of the measures that are looked at.

    Returns
    -------
    polars.DataFrame
        Rows of the comparison, the furthest first, with `shrunken` (the change of the group drawn to that of
        all groups as far as it is uncertain; null between fewer than three groups) and `under` (the group of
        another breakdown, as "breakdown: group", whose groups it moved apart from; null where from the rest
        of the organisation).

    Notes
    -----
    A group is set against all others of its breakdown that are shown, weighted by their bases. All groups and
    measures of a breakdown are one family (Benjamini-Hochberg), which has its part of 5 %: where nothing
    changed, or everybody alike, some group is named in 5 of 100 stories at most. Groups within a group that
    is named are looked at once more, against the others in it.
    """
    rows = change.table.filter(
        pl.col("breakdown") != ALL, pl.col("measure").is_in(list(measures)), pl.col("p_value").is_not_null(),
        pl.col("std_error") > 0,
    )  # fmt: skip
    if rows.is_empty():
        return rows.with_columns(shrunken=pl.lit(None, pl.Float64), under=pl.lit(None, pl.String))
    level = ALPHA / rows["breakdown"].n_unique()
    found = _apart(rows.with_columns(under=pl.lit(None, pl.String)), FAMILY, level)
    inside = _inside(change, rows, found)
    if inside is not None:
        seen = _apart(inside, [*FAMILY, "under"], level, "under")
        found = pl.concat([found, seen.join(found, on=PLACE, how="anti")])
    drawn = _shrunken(rows.join(found, on=FAMILY, how="semi"))
    joined = found.join(drawn, on=PLACE, how="left")
    return joined.sort(pl.col("statistic").abs(), descending=True, maintain_order=True)


def within(change: YearComparison) -> pl.DataFrame:
    """Return which group each group lies in: `breakdown, group, under`, the narrowest that is there."""
    if change.parents is None:
        names = ["breakdown", "group", "parent_breakdown", "under"]
        return pl.DataFrame(schema=dict.fromkeys(names, pl.String))
    here = change.table["breakdown"].unique().to_list()
    organisation = change.table["organisation"][0]
    nested = change.parents.filter(
        pl.col("breakdown").is_in(here), pl.col("parent_breakdown").is_in(here), organisation=organisation
    )
    many = nested.group_by("parent_breakdown").agg(pl.col("parent_group").n_unique().alias("many"))
    named = nested.join(many, on="parent_breakdown").sort("many", descending=True)
    return named.unique(["breakdown", "group"], keep="first", maintain_order=True).select(
        "breakdown",
        "group",
        "parent_breakdown",
        under=pl.format("{}: {}", "parent_breakdown", "parent_group"),
    )


def _shrunken(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each change drawn to the mean of its family as far as it is uncertain."""
    if rows.is_empty():
        return rows.select(*PLACE, shrunken=pl.lit(None, pl.Float64))
    numbered = rows.with_columns(family=pl.struct(FAMILY).rank("dense").cast(pl.Int64) - 1)
    family = numbered["family"].to_numpy()
    value = behind(
        numbered["difference"].to_numpy(), numbered["std_error"].to_numpy() ** 2, family, LEVEL
    ).value
    many = np.bincount(family)[family] >= FEWEST
    return rows.select(*PLACE, shrunken=pl.Series(np.where(many, value, np.nan)).fill_nan(None))


def _inside(change: YearComparison, rows: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame | None:
    """Return the rows of groups that lie in a group that was found, of the measures it moved in."""
    lies = within(change).select("breakdown", "group", "under")
    outer = found.select("measure", under=pl.format("{}: {}", "breakdown", "group"))
    inside = rows.join(lies, on=["breakdown", "group"]).join(outer, on=["measure", "under"], how="semi")
    return inside.select(*rows.columns, "under") if inside.height else None


def _apart(rows: pl.DataFrame, among: list[str], level: float, family: str = "breakdown") -> pl.DataFrame:
    """Keep the rows whose change is beyond chance, and apart from that of the others among them."""
    from scipy.special import stdtr

    weight = (pl.col("base_from") + pl.col("base_to")).cast(pl.Float64)
    # Of percentages the error under the hypothesis of no change: their own is too small at the ends.
    pooled = (pl.col("difference") / pl.col("statistic")).abs()
    error = pl.max_horizontal("std_error", pl.when(pooled.is_finite()).then(pooled))
    rest = (weight.sum().over(among) - weight).alias("rest")
    others = ((weight * pl.col("difference")).sum().over(among) - weight * pl.col("difference")) / rest
    noise = ((weight * error) ** 2).sum().over(among) - (weight * error) ** 2
    away = (pl.col("difference") - others) / (error**2 + noise / rest**2).sqrt()
    set_out = rows.with_columns(rest, away=away).filter(pl.col("rest") > 0)
    df = set_out["df"].fill_null(np.inf).to_numpy()
    p = 2 * stdtr(np.minimum(df, 1e9), -set_out["away"].abs().to_numpy())
    tested = set_out.with_columns(p=pl.Series(p, dtype=pl.Float64)).drop_nulls("away")
    parts = [
        part.with_columns(
            apart=pl.Series(adjust(part["p"].to_numpy()), dtype=pl.Float64),
            moved=pl.Series(adjust(part["p_value"].to_numpy()), dtype=pl.Float64),
        )
        for part in tested.partition_by(family, maintain_order=True)
    ]
    both = pl.concat(parts) if parts else tested.with_columns(apart=pl.lit(1.0), moved=pl.lit(1.0))
    same_way = pl.col("difference").sign() == pl.col("away").sign()
    # The rest holds what moved: who stood still beside it did not move the other way.
    return both.filter(pl.col("apart") < level, pl.col("moved") < ALPHA, same_way).select(rows.columns)
