"""Whole numbers: what one weighted percentage tells of people who share a weight with few, or with nobody.

Known are the weights, how many of each weight answered, what is printed, and the unweighted percentage where it
is shown. All ways in which so many people of each weight can be counted are gone through: where those that fit
agree on few people, that is what these answered.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from tests.redteam import linear
from tests.redteam.attacker import SHOWN, Found
from tests.redteam.people import People

#: More ways than this are not gone through.
WAYS = 3_000_000
#: Decimals that a number may have been rounded to.
DECIMALS = (0, 1, 2, 3)


def off(number: float) -> float:
    """By how much a printed number may be off."""
    for places in DECIMALS:
        if abs(number - round(number, places)) < 1e-9:
            return 0.5 * 10.0**-places + 1e-9
    return 1e-9


def counted(sizes: np.ndarray) -> np.ndarray:
    """All ways to count some of so many people of each weight, a row each."""
    grids = np.meshgrid(*[np.arange(n + 1, dtype=np.int32) for n in sizes], indexing="ij")
    return np.stack([grid.ravel() for grid in grids], axis=1)


def agreed(sizes: np.ndarray, weight: np.ndarray, percent: float, plain: float | None) -> np.ndarray | None:
    """How many of each weight are counted, NaN where more than one number fits; None where it is too much."""
    if np.prod(sizes + 1.0) > WAYS:
        return None
    ways = counted(sizes)
    fits = np.abs(ways @ weight / (sizes @ weight) * 100 - percent) <= off(percent)
    if plain is not None:
        fits &= ways.sum(axis=1) == round(plain)
    ways = ways[fits]
    same = (ways == ways[:1]).all(axis=0) if len(ways) else np.zeros(len(sizes), bool)
    return np.where(same, ways[0] if len(ways) else np.nan, np.nan)


def whole_number_attack(table: pl.DataFrame, people: People, weight: np.ndarray, rng, *, cells: int = 12):
    """Attack weighted percentages cell by cell, and what the whole leaves over of a breakdown."""
    keys = ["breakdown", "group", "measure"]
    shown = table.filter(
        pl.col("status") == SHOWN, pl.col("unit") == "percent", pl.col("measure").is_in(list(people.values))
    )
    plain = {
        tuple(r[:3]): r[3] * r[4] / 100
        for r in shown.filter(pl.col("weighting") == "none").select(*keys, "estimate", "base").iter_rows()
    }
    heavy = shown.filter(pl.col("weighting") != "none")
    found: list[Found] = []
    if heavy.is_empty():
        return found
    for row in heavy.sample(min(cells, heavy.height), seed=int(rng.integers(2**31))).iter_rows(named=True):
        inside = people.vector(row["breakdown"], row["group"])
        found += _attack(people, inside, weight, row, plain.get(tuple(row[k] for k in keys)))
    found += _left_over(heavy, people, weight, plain)
    return found


def _attack(people: People, inside: np.ndarray, weight: np.ndarray, row: dict, plain: float | None):
    size = people.sizes[row["measure"]]
    classes = np.unique(np.round(weight[inside & (size > 0)], 10))
    each = [inside & np.isclose(weight, c) & (size > 0) for c in classes]
    sizes = np.array([size[v].sum() for v in each]).astype(int)
    if len(classes) < 2 or not ((sizes > 0) & (sizes <= linear.MOST)).any():
        return
    told = agreed(sizes, classes, row["estimate"], plain)
    for v, n, number in zip(each, sizes, told if told is not None else (), strict=told is not None):
        # What does not fit the truth was read wrongly, and is no find.
        if 1 <= n <= linear.MOST and abs(number - people.sums[row["measure"]][v].sum()) < 1e-6:
            atoms = frozenset(np.flatnonzero(v).tolist())
            yield Found("whole numbers", row["measure"], atoms, int(n), float(number))


def _left_over(heavy: pl.DataFrame, people: People, weight: np.ndarray, plain: dict):
    """Take the groups that are shown off the whole: the rest is a figure like any other, but less exact."""
    for (breakdown, measure), rows in heavy.group_by("breakdown", "measure"):
        whole = heavy.filter(pl.col("breakdown") == "all", pl.col("measure") == measure)
        if breakdown == "all" or whole.height != 1:
            continue
        size = people.sizes[str(measure)]
        everyone = people.vector("all", "all")
        vectors = [people.vector(str(breakdown), g) for g in rows["group"]]
        rest = everyone & ~np.any(vectors, axis=0)
        heavy_people = weight * size
        row = whole.row(0, named=True)
        total = row["estimate"] * heavy_people[everyone].sum()
        unsure = off(row["estimate"]) * heavy_people[everyone].sum()
        for v, e in zip(vectors, rows["estimate"], strict=True):
            total -= e * heavy_people[v].sum()
            unsure += off(e) * heavy_people[v].sum()
        classes = np.unique(np.round(weight[rest & (size > 0)], 10))
        each = [rest & np.isclose(weight, c) & (size > 0) for c in classes]
        sizes = np.array([size[v].sum() for v in each]).astype(int)
        if len(classes) < 2 or np.prod(sizes + 1.0) > WAYS:
            continue
        ways = counted(sizes)
        ways = ways[np.abs(ways @ classes * 100 - total) <= unsure + 1e-6]
        for place, (v, n) in enumerate(zip(each, sizes, strict=True)):
            if 1 <= n <= linear.MOST and len(ways) and (ways[:, place] == ways[0, place]).all():
                atoms = frozenset(np.flatnonzero(v).tolist())
                yield Found("whole numbers left over", str(measure), atoms, int(n), float(ways[0, place]))
