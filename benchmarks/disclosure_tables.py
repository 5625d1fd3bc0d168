"""Random small releases: auditor and brute force, suppression and the textbook method. Prints counts.

Run from the root of the repository: python -m benchmarks.disclosure_tables 500.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import NamedTuple

import numpy as np
import polars as pl

from benchmarks.disclosure_peers import (
    hide,
    key_of,
    open_cells,
    random_counts,
    release_of,
    statuses,
    textbook,
)
from culture_metrics import suppress
from culture_metrics.disclosure import audit_disclosure

MINIMUM = 3
SHAPES = [(2, 2, 2), (2, 2, 3), (2, 3, 2)]


class Drawn(NamedTuple):
    """Random counts, whether years are published together, all of it as Results, and some of it hidden."""

    counts: np.ndarray
    pooled: bool
    release: pl.DataFrame
    by_hand: pl.DataFrame


def draw_release(draw: np.random.Generator, organisation: str = "RXX") -> Drawn:
    """Draw a small release; hidden by hand is what is below the minimum, and a quarter of the leaves."""
    pooled, shape = bool(draw.integers(2)), SHAPES[draw.integers(3)]
    counts = random_counts(draw, shape, 8)
    release = release_of(counts, pooled).with_columns(organisation=pl.lit(organisation))
    shown = statuses(release)
    gone = {k for k, (_, n) in shown.items() if n < MINIMUM}
    gone |= {k for k in shown if min(k[1:]) >= 0 and draw.random() < 0.25}
    return Drawn(counts, pooled, release, hide(release, gone, MINIMUM))


def audited(results: pl.DataFrame) -> dict[str, tuple[set, set, set]]:
    """Cells that the auditor finds, by organisation: exactly, at least too tightly, in too small a sum."""
    table = audit_disclosure(results, minimum_base=MINIMUM).table
    found = {
        name: {"exact": set(), "tight": set(), "few": set()} for name in results["organisation"].unique()
    }
    columns = ["organisation", "period", "breakdown", "group", "finding"]
    for name, *cell, finding in table.select(columns).rows():
        found[name][finding].add(key_of(*cell))
    return {name: (f["exact"], f["exact"] | f["tight"], f["few"]) for name, f in found.items()}


def main(tables: int, seed: int = 1) -> None:
    draw, count = np.random.default_rng(seed), Counter()
    for number in range(1, tables + 1):
        if number % 50 == 0:
            show(count)
        counts, pooled, release, by_hand = draw_release(draw)
        shown, shape = statuses(release), counts.shape
        try:
            brute = open_cells(statuses(by_hand), shape, MINIMUM, pooled)
            count["compared"] += 1
        except OverflowError:
            count["too many tables to enumerate"] += 1
            continue
        found = audited(by_hand)["RXX"]
        for name, ours, theirs in zip(("exact", "tight", "few"), found, brute, strict=True):
            count[f"{name}: brute force"] += len(theirs)
            count[f"{name}: missed"] += len(theirs - ours)
            count[f"{name}: found only by the auditor"] += len(ours - theirs)
        start = time.process_time()
        done = suppress(release, MINIMUM).table
        count["suppress, ms of CPU"] += int(1000 * (time.process_time() - start))
        count["auditor after suppress"] += not audit_disclosure(done, minimum_base=MINIMUM).ok
        known = statuses(done)
        try:
            count["brute force after suppress"] += bool(set.union(*open_cells(known, shape, MINIMUM, pooled)))
            greedy = textbook(counts, MINIMUM, pooled)
            plain = textbook(counts, MINIMUM, pooled, safe=False)
            left = open_cells(statuses(hide(release, plain, MINIMUM)), shape, MINIMUM, pooled)
            greedy_left = open_cells(statuses(hide(release, greedy, MINIMUM)), shape, MINIMUM, pooled)
        except OverflowError:
            count["too many tables to enumerate, after"] += 1
            continue
        small = {k for k, (_, n) in shown.items() if n < MINIMUM}
        mine = {k for k, (status, _) in known.items() if status != "reported"} - small
        count["hidden beside the small ones: suppress"] += len(mine)
        count["hidden beside the small ones: textbook, until safe"] += len(greedy - small)
        count["hidden beside the small ones: textbook, as it is"] += len(plain - small)
        count["textbook as it is leaves a cell open"] += bool(set.union(*left))
        count["textbook until safe leaves a cell open"] += bool(set.union(*greedy_left))
        count["suppress hides more than textbook until safe"] += len(mine) > len(greedy - small)
    show(count)


def show(count: Counter) -> None:
    """Print what was counted so far."""
    print(*(f"{number:8}  {name}" for name, number in count.items()), "", sep="\n", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), *map(int, sys.argv[2:]))
