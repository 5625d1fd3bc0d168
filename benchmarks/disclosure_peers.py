"""Peers of disclosure control, written on their own: random releases, brute force, textbook methods."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl

from culture_metrics.contract import as_results

ALL = "all"
#: A hidden number is taken to be at most so many times the largest that is shown.
TIMES = 3


def random_counts(draw: np.random.Generator, shape: tuple[int, ...], largest: int = 14) -> np.ndarray:
    """Draw a table of counts, many of them small."""
    counts = draw.integers(0, largest, shape)
    return np.where(draw.random(shape) < 0.3, draw.integers(0, 4, shape), counts)


def every_cell(shape: tuple[int, int, int], pooled: bool = True) -> dict[tuple[int, int, int], np.ndarray]:
    """Name every published cell of years × first breakdown × second; -1 sums over one. Value: its leaves."""
    years, first, second = shape
    cells = {}
    for y, a, b in product(range(-1 if pooled else 0, years), range(-1, first), range(-1, second)):
        leaves = np.zeros(shape, bool)
        leaves[slice(None) if y < 0 else y, slice(None) if a < 0 else a, slice(None) if b < 0 else b] = True
        cells[y, a, b] = leaves.ravel()
    return cells


def release_of(counts: np.ndarray, pooled: bool = True, measure: str = "morale") -> pl.DataFrame:
    """Publish every cell of a table of counts as Results."""
    rows = []
    for (y, a, b), leaves in every_cell(counts.shape, pooled).items():
        breakdown = {
            (False, False): "ward × grade",
            (False, True): "ward",
            (True, False): "grade",
            (True, True): ALL,
        }
        group = " × ".join([f"w{a}"] * (a >= 0) + [f"g{b}"] * (b >= 0)) or ALL
        rows.append(
            (
                ALL if y < 0 else str(2023 + y),
                breakdown[a < 0, b < 0],
                group,
                int(counts.ravel()[leaves].sum()),
            )
        )
    table = pl.DataFrame(rows, schema=["period", "breakdown", "group", "base"], orient="row")
    return as_results(
        table.with_columns(
            survey=pl.lit("local"), organisation=pl.lit("RXX"), measure=pl.lit(measure), unit=pl.lit("score"),
            estimate=pl.lit(5.0), weighting=pl.lit("none"), status=pl.lit("reported"),
            source=pl.lit("respondents"),
        )
    )  # fmt: skip


def key_of(period: str, breakdown: str, group: str) -> tuple[int, int, int]:
    """Read the name of a cell back."""
    a = b = -1
    for part in group.split(" × "):
        a = int(part[1:]) if part.startswith("w") else a
        b = int(part[1:]) if part.startswith("g") else b
    return (-1 if period == ALL else int(period) - 2023), a, b


def statuses(results: pl.DataFrame) -> dict[tuple[int, int, int], tuple[str, int | None]]:
    """Read what a release says of each cell: status and base."""
    rows = results.select("period", "breakdown", "group", "status", "base").rows()
    return {key_of(p, br, g): (s, n) for p, br, g, s, n in rows}


def hide(results: pl.DataFrame, keys: set[tuple[int, int, int]], minimum: int) -> pl.DataFrame:
    """Hide cells by hand: with the status that they deserve."""
    names = results.select("period", "breakdown", "group").rows()
    gone = pl.Series([key_of(*n) in keys for n in names])
    small = (
        pl.when(pl.col("base") < minimum)
        .then(pl.lit("suppressed_small_base"))
        .otherwise(pl.lit("suppressed_secondary"))
    )
    return as_results(
        results.with_columns(
            pl.when(gone).then(small).otherwise(pl.col("status").cast(pl.String)).alias("status"),
            *(pl.when(~gone).then(pl.col(c)).alias(c) for c in ("base", "estimate")),
        )
    )


def ranges(
    known: dict[tuple[int, int, int], tuple[str, int | None]],
    shape: tuple[int, int, int],
    minimum: int,
    *,
    by_status: bool = True,
    pooled: bool = True,
    limit: int = 150_000,
) -> dict[tuple[int, int, int], tuple[int, int]]:
    """Enumerate all tables of whole numbers that are consistent with a release; range of each hidden cell.

    Leaf after leaf, every partial table that can still become consistent is kept; above `limit` of them it
    gives up (OverflowError).
    """
    cells = every_cell(shape, pooled)
    most = max(n for _, n in known.values() if n is not None)
    low, high = [], []
    for key in cells:
        status, n = known[key]
        if n is not None:
            low.append(n), high.append(n)
        elif not by_status or status == "suppressed":
            low.append(0), high.append(TIMES * most)
        elif status == "suppressed_small_base":
            low.append(0), high.append(minimum - 1)
        else:
            low.append(minimum), high.append(TIMES * most)
    low, high, member = np.array(low), np.array(high), np.array(list(cells.values()))
    # What is shown of a leaf is fixed; another holds no more than is left in any cell it is part of.
    fixed = (member.sum(axis=1) == 1) & (low == high)
    values = (low[fixed, None] * member[fixed]).sum(axis=0)
    free = ~member[fixed].any(axis=0)
    sums = (member @ values)[None].astype(np.int32)
    cap = np.where(member, (high - sums[0])[:, None], 10**6).min(axis=0)
    leaves = np.flatnonzero(free)
    for place, leaf in enumerate(leaves):
        later = leaves[place + 1 :]
        rest = (member[:, later] * cap[later]).sum(axis=1)
        grown = []
        for value in range(max(cap[leaf], 0) + 1):
            now = sums + value * member[:, leaf].astype(np.int32)
            grown.append(now[((now <= high) & (now + rest >= low)).all(axis=1)])
            if sum(map(len, grown)) > limit:
                raise OverflowError
        sums = np.concatenate(grown)
        if len(later):
            sums = np.unique(sums, axis=0)
    return {
        key: (int(sums[:, i].min()), int(sums[:, i].max()))
        for i, key in enumerate(cells)
        if known[key][1] is None
    }


def sums_of(shape: tuple[int, int, int], pooled: bool = True) -> list[tuple[tuple, list[tuple]]]:
    """List what adds up: a total and its parts."""
    cells = every_cell(shape, pooled)
    found = []
    for key in cells:
        for axis in range(3):
            if key[axis] < 0 and (axis > 0 or pooled):
                parts = [(*key[:axis], i, *key[axis + 1 :]) for i in range(shape[axis])]
                found.append((key, parts))
    return found


def open_cells(known: dict, shape: tuple[int, int, int], minimum: int, pooled: bool) -> tuple[set, set, set]:
    """Find by brute force the small cells that are open: exactly, too tightly, in a sum of too few."""
    small = {k for k, (status, _) in known.items() if status in ("suppressed_small_base", "suppressed")}
    enough = min(3, max(1, (minimum - 1) // 2))
    by_status = ranges(known, shape, minimum, pooled=pooled)
    alone = ranges(known, shape, minimum, by_status=False, pooled=pooled)
    exact = {k for k in small if by_status[k][1] > 0 and by_status[k][0] == by_status[k][1]}
    tight = {k for k in small if by_status[k][1] > 0 and by_status[k][1] - by_status[k][0] < enough}
    few = {k for k in small if 0 < alone[k][1] < minimum}
    return exact, tight, few


def textbook(counts: np.ndarray, minimum: int, pooled: bool = True, *, safe: bool = True) -> set:
    """Hide cells as textbooks do: the smallest one more in a sum with one hidden cell, or too few in them.

    That leaves cells open where sums are put together; with `safe`, more are hidden, again the smallest of
    their sums, until brute force finds nothing.
    """
    shape = counts.shape
    size = {key: int(counts.ravel()[leaves].sum()) for key, leaves in every_cell(shape, pooled).items()}
    release = release_of(counts, pooled)
    hidden = {key for key, n in size.items() if n < minimum}
    whole = [k for k in size if k[1:] == (-1, -1)]

    def more(total: tuple, parts: list[tuple]) -> bool:
        shown = [k for k in parts if k not in hidden] or [k for k in (total,) if k not in hidden]
        hidden.update(sorted(shown, key=lambda k: (k in whole, size[k], k))[:1])
        return bool(shown)

    while True:
        changed = True
        while changed:
            changed = False
            for total, parts in sums_of(shape, pooled):
                gone = [k for k in (total, *parts) if k in hidden]
                held = sum(size[k] for k in parts if k in hidden)
                if gone and (len(gone) == 1 or (total not in hidden and 0 < held < minimum)):
                    if len(gone) == 1 and size[gone[0]] == 0:
                        continue
                    changed |= more(total, parts)
        if not safe:
            return hidden
        left = set.union(*open_cells(statuses(hide(release, hidden, minimum)), shape, minimum, pooled))
        if not left:
            return hidden
        cell = min(left)
        if not any(more(t, p) for t, p in sums_of(shape, pooled) if cell in p) and not any(
            more(t, p) for t, p in sums_of(shape, pooled) if cell == t
        ):
            return hidden
