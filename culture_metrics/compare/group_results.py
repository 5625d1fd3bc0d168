"""Shares and means of groups from results alone, where there are no respondents to look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.cells import OTHER
from culture_metrics.compare.comparable import see_breaks
from culture_metrics.compare.group_means import GroupMeans, alone, chosen
from culture_metrics.compare.pairs import check_order
from culture_metrics.compare.pieces import DRAWS, NO_PAIRS
from culture_metrics.compare.same_questions import absent_in
from culture_metrics.contract import ALL, check_results
from culture_metrics.errors import ComparabilityError, ResultsError, unknown
from culture_metrics.results.spelling import breakdown_among, with_ids

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.compare.group_means import Drawn

FROM, TO = "_from", "_to"
ASSUMED = (
    "From results, not respondents: shares are shares of the bases, and intervals take groups as simple "
    "random samples, each by its standard error."
)


def means_of_results(
    from_results: pl.DataFrame,
    to_results: pl.DataFrame,
    measure: str | None,
    by: Sequence[str] | None,
    organisation: str | None,
    minimum_base: int | None,
    allow_breaks: bool,
    words: Mapping[str, str],
) -> GroupMeans:
    """Work out the means of groups from the Results of two years; `words` are the files' own of breakdowns.

    Raises
    ------
    UnknownNameError, ComparabilityError
        As `decompose_change` says.
    ResultsError
        When a table holds several surveys, periods or organisations, several breakdowns are asked for, or
        fewer than two groups are reported in both years.
    """
    tables = [with_ids(check_results(t), words) for t in (from_results, to_results)]
    (survey, *periods), code = _one_of_each(tables), _organisation(tables, organisation)
    editions = [catalogue(survey).edition(p) for p in periods]
    measure, by = chosen(editions[1], measure, by)
    found = editions[1].measure(measure)
    if len(by) != 1:
        raise ResultsError(
            "Results are not crossed, so the mix of one breakdown is seen at a time",
            got=f"{len(by)} breakdowns",
            hint="Give one, or two extracts.",
        )
    known = tables[1]["breakdown"].unique().to_list()
    name = breakdown_among(known, by[0], editions[1], words)
    name = name if name in known else editions[1].breakdown(name).id
    label = editions[1].breakdown_label(name, words)
    years = (periods[0], periods[1])
    absent = absent_in(pl.concat(tables))
    broken = see_breaks(catalogue(survey), years, found, [name], code, absent, allow=allow_breaks)
    least = minimum_base or catalogue(survey).minimum_base
    rows = [_rows(t, found.id, name, code) for t in tables]
    groups, rest = _both(rows[0], rows[1], least)
    followed = groups.filter(pl.min_horizontal(f"base{FROM}", f"base{TO}") > 0)
    if groups.height < 2 or followed.is_empty():
        raise ResultsError(
            f"Fewer than two groups of {name} are reported in both years",
            where=f"{code}, {found.id}",
            hint="Choose a coarser breakdown.",
        )
    levels = [_level(groups, end) for end in (FROM, TO)]
    before, after = (_drawn(groups, end, year, sum(levels) / 2) for year, end in enumerate((FROM, TO)))
    notes = [f"The years may not compare: {reason}" for reason in broken]
    notes += catalogue(survey).remarks(*periods)
    shown = groups.select(
        pl.lit(name).alias("breakdown"), "group", base_from=f"base{FROM}", base_to=f"base{TO}"
    )
    return GroupMeans(
        measure=found,
        organisation=code,
        periods=years,
        groups=shown,
        blocks=(slice(0, groups.height),),
        pairs=NO_PAIRS,
        before=before,
        after=after,
        levels=(levels[0], levels[1]),
        bases=(int(groups[f"base{FROM}"].sum()), int(groups[f"base{TO}"].sum())),
        labels={name: label},
        notes=(*notes, ASSUMED, *rest, *alone(shown, label.lower(), years)),
    )


def _one_of_each(tables: list[pl.DataFrame]) -> tuple[str, str, str]:
    found = [t.select("survey", "period").unique().rows() for t in tables]
    if any(len(f) != 1 for f in found):
        raise ResultsError(
            "Each table holds one survey and period",
            got=f"{len(found[0])} and {len(found[1])}",
            hint="Filter it: results.filter(period='2024').",
        )
    (old,), (new,) = found
    if old[0] != new[0] or old[1] == new[1]:
        raise ComparabilityError(
            "A change is between two periods of one survey", got=f"{' '.join(old)}, {' '.join(new)}"
        )
    check_order(old[1], new[1])
    return new[0], old[1], new[1]


def _organisation(tables: list[pl.DataFrame], organisation: str | None) -> str:
    known = sorted(set(tables[0]["organisation"]) & set(tables[1]["organisation"]))
    if organisation is None:
        if len(known) == 1:
            return str(known[0])
        raise ResultsError(
            "It takes one organisation, the same in both years",
            got=f"{len(known)} in both",
            hint="Name one: organisation='RXX'.",
        )
    if organisation not in known:
        raise unknown("organisation", organisation, known)
    return organisation


def _rows(table: pl.DataFrame, measure: str, breakdown: str, organisation: str) -> pl.DataFrame:
    """Return the whole and the groups of one breakdown, unweighted where there are both.

    A group with a row that is not reported keeps it, without numbers: it was there.
    """
    rows = table.filter(
        pl.col("breakdown").is_in([breakdown, ALL]), measure=measure, organisation=organisation
    )
    plain = pl.col("weighting").cast(pl.String) == "none"
    rows = rows.filter(plain | ~plain.any().over("group"))
    spread = 100 * (pl.col("estimate") / 100 * (1 - pl.col("estimate") / 100) / pl.col("base")).sqrt()
    binomial = pl.when(pl.col("unit").cast(pl.String) == "percent").then(spread)
    reported = pl.col("status").cast(pl.String) == "reported"
    return rows.select(
        "group",
        pl.when(reported).then("estimate").alias("estimate"),
        pl.when(reported).then(pl.col("base").cast(pl.Int64)).alias("base"),
        pl.when(reported).then(pl.coalesce("std_error", binomial)).alias("std_error"),
        plain.alias("plain"),
    )


def _both(old: pl.DataFrame, new: pl.DataFrame, minimum_base: int) -> tuple[pl.DataFrame, list[str]]:
    """Return the groups that can be followed, and the rest as one more, where it can be known and shown.

    Followed are groups reported in both years, and those reported in one that have no row in the other: they
    left or came.
    """
    numbers = ["estimate", "base", "std_error", "plain"]
    ends = [
        rows.rename({c: f"{c}{end}" for c in numbers}).with_columns(pl.lit(value=True).alias(f"there{end}"))
        for rows, end in ((old, FROM), (new, TO))
    ]
    absent = [pl.col(f"there{end}").is_null() for end in (FROM, TO)]
    zeros = [
        pl.when(gone).then(0).otherwise(f"{name}{end}").alias(f"{name}{end}")
        for end, gone in zip((FROM, TO), absent, strict=True)
        for name in ("estimate", "base", "std_error")
    ]
    enough = [
        gone | (pl.col(f"base{end}").is_not_null() & (pl.col(f"base{end}") >= minimum_base))
        for end, gone in zip((FROM, TO), absent, strict=True)
    ]
    groups = (
        ends[0]
        .join(ends[1], on="group", how="full", coalesce=True)
        .filter(*enough)
        .with_columns(*zeros)
        .select("group", *(f"{name}{end}" for end in (FROM, TO) for name in numbers))
        .sort("group")
    )
    whole, groups = groups.filter(group=ALL), groups.filter(pl.col("group") != ALL)
    if groups.is_empty():
        return groups, []
    if whole.is_empty() or not whole.select(pl.all_horizontal("^plain.*$")).item():
        return groups, ["The change is that of the groups that are reported, taken together by their bases."]
    total = whole.row(0, named=True)
    left = [_left(total, groups, end) for end in (FROM, TO)]
    if all(row[f"base{end}"] == 0 for row, end in zip(left, (FROM, TO), strict=True)):
        return groups, []
    followed = groups.filter(pl.min_horizontal(f"base{FROM}", f"base{TO}") > 0)
    smallest = followed.sort(pl.min_horizontal(f"base{FROM}", f"base{TO}"))["group"].to_list()
    # As much goes to the rest, the smallest first, as it takes to show it.
    pooled: list[str] = []
    while (
        min(row[f"base{end}"] for row, end in zip(left, (FROM, TO), strict=True)) < minimum_base and smallest
    ):
        pooled.append(smallest.pop(0))
        groups = groups.filter(~pl.col("group").is_in(pooled))
        left = [_left(total, groups, end) for end in (FROM, TO)]
    rest = pl.DataFrame([{"group": OTHER, **left[0], **left[1]}], schema=groups.schema)
    said = "Groups not reported in both years and answers without a group"
    also = f", with {', '.join(pooled)}," if pooled else ""
    return pl.concat([groups, rest]), [f"{said}{also} are one: {OTHER.lower()}, the whole less the others."]


def _left(whole: dict[str, Any], groups: pl.DataFrame, end: str) -> dict[str, Any]:
    """Return what is left of the whole when the groups are taken off; its spread is that of the whole."""
    base, estimate = pl.col(f"base{end}"), pl.col(f"estimate{end}")
    taken, held = groups.select(base.sum().alias("n"), (base * estimate).sum().alias("sum")).row(0)
    n = whole[f"base{end}"] - taken
    # Of nobody it is nought, as of a group that is not there in a year.
    mean = (whole[f"base{end}"] * whole[f"estimate{end}"] - held) / n if n > 0 else 0.0
    sd = None if whole[f"std_error{end}"] is None else whole[f"std_error{end}"] * whole[f"base{end}"] ** 0.5
    return {
        f"base{end}": n,
        f"estimate{end}": mean,
        f"std_error{end}": 0.0 if n <= 0 else sd / n**0.5 if sd is not None else None,
        f"plain{end}": True,
    }


def _level(groups: pl.DataFrame, end: str) -> float:
    """Return the mean of all groups together, by their bases."""
    base, estimate = groups[f"base{end}"].to_numpy(), groups[f"estimate{end}"].to_numpy()
    return float(base @ estimate / base.sum())


def _drawn(groups: pl.DataFrame, end: str, year: int, middle: float) -> Drawn:
    """Return the means as `moment_rows` has them, and draws: shares by chance, levels normal."""
    counts = groups[f"base{end}"].to_numpy()
    levels = groups[f"estimate{end}"].to_numpy() - middle
    errors = groups[f"std_error{end}"].cast(pl.Float64).to_numpy()
    rng = np.random.default_rng([year, DRAWS])
    shares = rng.multinomial(counts.sum(), counts / counts.sum(), DRAWS) / counts.sum()
    drawn = levels + errors * rng.standard_normal((DRAWS, len(counts)))
    share = counts / counts.sum()
    return np.concatenate([share * levels, share]), [np.hstack([shares * drawn, shares])]
