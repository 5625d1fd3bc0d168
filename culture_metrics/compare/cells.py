"""Respondents of two years in groups that may be shown: the not given named, the small ones pooled."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.shown import shown_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culture_metrics.compare.pair import Pair
    from culture_metrics.compare.pieces import Floats

NOT_GIVEN, OTHER = "Not given", "Other groups (pooled)"
VALUE, YEAR, COUNT = "_value", "_year", "_count"


@dataclass(frozen=True)
class Cells:
    """Kinds of respondents: the same groups and the same value, counted in each year.

    Attributes
    ----------
    groups : polars.DataFrame
        One row per group that may be shown, in the order of the dummies: `breakdown, group, base_from,
        base_to`.
    pooled : mapping
        For each breakdown, the names of the groups pooled into "Other groups".
    blocks : tuple of slice
        Where the groups of each breakdown stand.
    codes, value, counts
        One row per kind: the groups it is in, one of each breakdown; its value, and how many of the earlier
        and of the later year it holds.
    """

    groups: pl.DataFrame
    pooled: dict[str, tuple[str, ...]]
    blocks: tuple[slice, ...]
    codes: NDArray[np.int64]
    value: Floats
    counts: tuple[NDArray[np.int64], NDArray[np.int64]]


def cells_of(pair: Pair, by: Sequence[str]) -> Cells:
    """Put the respondents with a value into the groups of each breakdown.

    Raises
    ------
    UnknownNameError
        When an extract has no such breakdown.
    ExtractError
        When a breakdown has fewer than two groups that may be shown.
    """
    people = pl.concat(
        extract.frame.select(
            pl.lit(year).alias(YEAR),
            values.alias(VALUE),
            *(
                e.cast(pl.String).fill_null(NOT_GIVEN).alias(name)
                for name, e in group_columns(extract, by).items()
            ),
        )
        for year, extract, values in zip((0, 1), (pair.before, pair.after), pair.values(), strict=True)
    )
    everybody, people = people, people.drop_nulls(VALUE)
    withheld = _withheld(pair, by)
    tables, pooled = [], {}
    for name in by:
        bases, least = _bases(people, name), pl.min_horizontal("base_from", "base_to")
        # Who is in one year only, whether they answered or not, left or came: no base is small for that.
        alone = pl.col("group").is_in(_bases(everybody, name).filter(least == 0)["group"].to_list())
        smallest = pl.when(alone).then(pl.max_horizontal("base_from", "base_to")).otherwise(least)
        hidden = set(withheld.filter(breakdown=name)["group"])
        hidden |= set(bases.filter(smallest < pair.minimum_base)["group"])
        pooled[name] = pool(bases, hidden, pair.minimum_base)
        people = people.with_columns(
            pl.when(pl.col(name).is_in(pooled[name])).then(pl.lit(OTHER)).otherwise(pl.col(name)).alias(name)
        )
        shown = _bases(people, name)
        if shown.height < 2:
            raise ExtractError(
                f"The breakdown {name} has fewer than two groups that may be shown",
                where=f"{pair.organisation}, {pair.before.period} and {pair.after.period}",
                expected=f"groups of at least {pair.minimum_base} respondents in both years",
                hint="Choose a coarser breakdown.",
            )
        last = pl.col("group").replace_strict({OTHER: 1, NOT_GIVEN: 2}, default=0)
        tables.append(shown.sort(last, "group").select(pl.lit(name).alias("breakdown"), pl.all()))
    return _collect(people, pl.concat(tables), pooled, by)


def _bases(people: pl.DataFrame, name: str) -> pl.DataFrame:
    return (
        people.group_by(pl.col(name).alias("group"))
        .agg(base_from=(pl.col(YEAR) == 0).sum(), base_to=(pl.col(YEAR) == 1).sum())
        .sort("group")
    )


def _withheld(pair: Pair, by: Sequence[str]) -> pl.DataFrame:
    """Return the groups that `estimate` hides in either year, small or so that no small one follows."""
    held = pl.concat(shown_cells(e, by, minimum_base=pair.minimum_base) for e in pair.asked).filter(
        pl.col("status") != "reported", measure=pair.measure.id, organisation=pair.organisation
    )
    if (held["breakdown"] == ALL).any():
        raise ExtractError(
            f"{pair.measure.label} of the whole organisation may not be shown", where=pair.organisation
        )
    return held.select("breakdown", "group")


def pool(bases: pl.DataFrame, hidden: set[str], minimum_base: int) -> tuple[str, ...]:
    """Return the groups to pool: the hidden ones, and the smallest others until the pool is enough.

    Whatever `estimate` does not show of a year is inside the pool, who gave no group as well: the pool less
    its groups that are shown is then the whole less all that are shown, and nothing new follows from setting
    both side by side. Were the not given apart, the hidden groups would be the rest of it.
    """
    if not hidden:
        return ()
    hidden = hidden | (set(bases["group"]) & {NOT_GIVEN})
    inside = pl.col("group").is_in(sorted(hidden))
    smallest = pl.min_horizontal("base_from", "base_to")
    # A group of one year only is large enough as it is, and all of its part is mix: it goes in last.
    ordered = bases.sort(~inside, smallest == 0, smallest, "group").with_columns(
        enough=pl.min_horizontal(pl.col("base_from", "base_to").cum_sum()) >= minimum_base
    )
    take = max(len(hidden), 2, int(ordered["enough"].not_().sum()) + 1)
    return tuple(sorted(ordered["group"].head(take)))


def _collect(
    people: pl.DataFrame, groups: pl.DataFrame, pooled: dict[str, tuple[str, ...]], by: Sequence[str]
) -> Cells:
    kinds = (
        people.group_by(*by, VALUE)
        .agg(before=(pl.col(YEAR) == 0).sum(), after=(pl.col(YEAR) == 1).sum())
        .sort(*by, VALUE)
    )
    numbered = groups.with_row_index("_number")
    codes = kinds.select(
        pl.col(name).replace_strict(own["group"], own["_number"].cast(pl.Int64), return_dtype=pl.Int64)
        for (name,), own in numbered.partition_by("breakdown", as_dict=True, maintain_order=True).items()
    )
    edges = np.cumsum([0, *(groups.filter(breakdown=name).height for name in by)])
    counts = kinds.select(pl.col("before", "after").cast(pl.Int64))
    return Cells(
        groups=groups,
        pooled={name: some for name, some in pooled.items() if some},
        blocks=tuple(slice(int(a), int(b)) for a, b in pairwise(edges)),
        codes=codes.to_numpy(),
        value=kinds[VALUE].to_numpy(),
        counts=(counts["before"].to_numpy(), counts["after"].to_numpy()),
    )
