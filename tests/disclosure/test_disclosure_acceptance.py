"""The auditor against brute force, and suppression against the textbook, on random small releases.

Two crossed breakdowns, their totals and two years, in half of the releases with the years together. Every
release is an organisation of its own, so that all are attacked at once. The study of 500 releases is
benchmarks/disclosure_tables.py; TABLES=500 runs it here.
"""

from __future__ import annotations

import os

import numpy as np
import polars as pl
import pytest

from benchmarks.disclosure_peers import (
    hide,
    key_of,
    open_cells,
    random_counts,
    release_of,
    statuses,
    textbook,
)
from culture_metrics import audit_disclosure, suppress

TABLES = int(os.environ.get("TABLES", "12"))
MINIMUM = 3
SHAPES = [(2, 2, 2), (2, 2, 3), (2, 3, 2)]


def found_in(results: pl.DataFrame) -> dict[str, tuple[set, set, set]]:
    """Cells that the auditor finds, by organisation: exactly, too tightly (or exactly), in too small a sum."""
    table = audit_disclosure(results, minimum_base=MINIMUM).table
    found = {
        name: {"exact": set(), "tight": set(), "few": set()} for name in results["organisation"].unique()
    }
    for name, *cell, finding in table.select(
        "organisation", "period", "breakdown", "group", "finding"
    ).rows():
        found[name][finding].add(key_of(*cell))
    return {name: (f["exact"], f["exact"] | f["tight"], f["few"]) for name, f in found.items()}


@pytest.fixture(scope="module")
def drawn():
    draw = np.random.default_rng(2024)
    tables = {}
    while len(tables) < TABLES:
        pooled, shape = bool(draw.integers(2)), SHAPES[draw.integers(3)]
        counts = random_counts(draw, shape, 8)
        release = release_of(counts, pooled).with_columns(organisation=pl.lit(f"R{len(tables):03}"))
        shown = statuses(release)
        gone = {k for k, (_, n) in shown.items() if n < MINIMUM}
        gone |= {k for k in shown if min(k[1:]) >= 0 and draw.random() < 0.25}
        by_hand = hide(release, gone, MINIMUM)
        try:
            brute = open_cells(statuses(by_hand), shape, MINIMUM, pooled)
        except OverflowError:
            continue
        tables[f"R{len(tables):03}"] = (counts, pooled, release, by_hand, brute)
    return tables


@pytest.fixture(scope="module")
def done(drawn):
    return suppress(pl.concat([release for _, _, release, _, _ in drawn.values()]), MINIMUM)


def test_the_auditor_finds_what_brute_force_finds_and_nothing_else(drawn):
    found = found_in(pl.concat([by_hand for _, _, _, by_hand, _ in drawn.values()]))
    assert {name: brute for name, (*_, brute) in drawn.items()} == found
    assert sum(len(brute[0]) for *_, brute in drawn.values()) > TABLES


def test_after_suppression_the_auditor_finds_nothing(done):
    assert audit_disclosure(done, minimum_base=MINIMUM).ok


def test_after_suppression_brute_force_finds_nothing(drawn, done):
    checked = 0
    for name, (counts, pooled, *_) in drawn.items():
        known = statuses(done.filter(organisation=name))
        try:
            assert open_cells(known, counts.shape, MINIMUM, pooled) == (set(), set(), set())
        except OverflowError:
            continue
        checked += 1
    print(f"{checked} of {len(drawn)} could be enumerated")
    assert checked > 0.9 * len(drawn)


def test_it_hides_no_more_than_the_textbook_method(drawn, done):
    ours = theirs = 0
    for name, (counts, pooled, release, _, _) in drawn.items():
        small = {k for k, (_, n) in statuses(release).items() if n < MINIMUM}
        known = statuses(done.filter(organisation=name))
        mine = {k for k, (status, _) in known.items() if status != "reported"}
        try:
            greedy = textbook(counts, MINIMUM, pooled)
        except OverflowError:
            continue
        if any(k[1:] == (-1, -1) for k in greedy - mine):
            continue  # the textbook hides all staff of a year, which costs us more than any number of groups
        assert len(mine) <= len(greedy)
        ours, theirs = ours + len(mine - small), theirs + len(greedy - small)
    print(f"hidden beside the small ones: {ours}, by the textbook {theirs}")
    assert ours < theirs
