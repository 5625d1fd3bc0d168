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

from benchmarks.disclosure_peers import open_cells, statuses, textbook
from benchmarks.disclosure_tables import MINIMUM, audited, draw_release
from culture_metrics import suppress
from culture_metrics.disclosure import audit_disclosure

TABLES = int(os.environ.get("TABLES", "12"))


@pytest.fixture(scope="module")
def drawn():
    draw = np.random.default_rng(2024)
    tables = {}
    while len(tables) < TABLES:
        name = f"R{len(tables):03}"
        new = draw_release(draw, name)
        try:
            brute = open_cells(statuses(new.by_hand), new.counts.shape, MINIMUM, new.pooled)
        except OverflowError:
            continue
        tables[name] = (*new, brute)
    return tables


@pytest.fixture(scope="module")
def done(drawn):
    return suppress(pl.concat([release for _, _, release, _, _ in drawn.values()]), MINIMUM).table


def test_the_auditor_finds_what_brute_force_finds_and_nothing_else(drawn):
    found = audited(pl.concat([by_hand for _, _, _, by_hand, _ in drawn.values()]))
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
