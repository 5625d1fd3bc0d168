"""Levels of groups in several breakdowns against the pseudo-inverse of their normal equations, in full."""

from __future__ import annotations

import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from culture_metrics.compare.levels import shortest, untold
from culture_metrics.compare.pieces import bootstrap, moment_rows, moments, pairs_of, pieces, resample, spread


def drawn(codes, sizes, draws=12, seed=3):
    """Return draws of people in these groups: some groups stand empty in some, some fall into pieces."""
    rng = np.random.default_rng(seed)
    ends = np.cumsum([0, *sizes])
    blocks = [slice(a, b) for a, b in pairwise(ends)]
    rows = moment_rows(codes + ends[:-1], rng.normal(size=len(codes)), blocks)
    counts = np.ones(len(codes), np.int64)
    (means,) = resample(rows, counts, draws, rng)
    return moments(means, blocks, pairs_of(codes + ends[:-1])), blocks


def by_pseudo_inverse(year, blocks):
    found = []
    for shares, beside, value in zip(year.shares, year.beside, year.value, strict=True):
        full = np.diag(shares)
        full[year.pairs[:, 0], year.pairs[:, 1]] = full[year.pairs[:, 1], year.pairs[:, 0]] = beside
        found.append(np.linalg.pinv(full, rcond=1e-9, hermitian=True) @ value)
    return np.array(found)


def across(n, sizes, rng):
    return np.column_stack([rng.integers(0, k, n) for k in sizes])


def hanging_together_by_few(n, rng):
    """Teams that lie in directorates but for some people: many draws fall into pieces."""
    team = rng.integers(0, 40, n)
    return np.column_stack([np.where(rng.random(n) < 0.01, rng.integers(0, 8, n), team // 5), team])


@pytest.mark.parametrize("kind", ["few", "many", "larger first", "empty", "pieces", "three"])
def test_they_are_those_of_the_pseudo_inverse(kind):
    rng = np.random.default_rng(7)
    codes, sizes = {
        "few": lambda: (across(400, (3, 4), rng), (3, 4)),
        "many": lambda: (across(3000, (40, 60), rng), (40, 60)),
        "larger first": lambda: (across(900, (30, 5), rng), (30, 5)),
        "empty": lambda: (across(90, (20, 30), rng), (20, 30)),
        "pieces": lambda: (hanging_together_by_few(600, rng), (8, 40)),
        "three": lambda: (across(150, (4, 25, 5), rng), (4, 25, 5)),
    }[kind]()
    year, blocks = drawn(codes, sizes)
    got = shortest(year.shares, year.beside, year.pairs, year.value, blocks)
    np.testing.assert_allclose(got, by_pseudo_inverse(year, blocks), rtol=0, atol=1e-9)
    # How many combinations are undetermined, beside those of groups with nobody.
    for shares, beside in zip(year.shares, year.beside, strict=True):
        full = np.diag(shares)
        full[year.pairs[:, 0], year.pairs[:, 1]] = full[year.pairs[:, 1], year.pairs[:, 0]] = beside
        missing = len(shares) - np.linalg.matrix_rank(full, tol=1e-9, hermitian=True)
        assert untold(shares, beside, year.pairs, blocks) == missing - (shares == 0).sum()


def test_they_are_also_where_people_outside_tie_some_groups_down():
    """Groups of one year only: some of their people are in groups that are not looked at."""
    rng = np.random.default_rng(11)
    year, _ = drawn(across(400, (6, 9), rng), (6, 9))
    some = np.isin(np.arange(15), [0, 1, 4, 7, 8, 9, 13])
    keep = some[year.pairs].all(axis=1)
    part = (np.cumsum(some) - 1)[year.pairs[keep]]
    right = rng.normal(size=(12, 7))
    got = shortest(year.shares[:, some], year.beside[:, keep], part, right, [slice(0, 3), slice(3, 7)])
    for shares, beside, one, level in zip(
        year.shares[:, some], year.beside[:, keep], right, got, strict=True
    ):
        full = np.diag(shares)
        full[part[:, 0], part[:, 1]] = full[part[:, 1], part[:, 0]] = beside
        np.testing.assert_allclose(level, np.linalg.solve(full, one), rtol=0, atol=1e-9)


def test_two_breakdowns_take_no_memory_of_the_square_of_their_groups(monkeypatch):
    """The 100 draws took 41 MB a year as draws × groups × groups; two of 160 groups took 2.1 GB in all."""
    monkeypatch.setattr("culture_metrics.compare.pieces.DRAWS", 100)
    rng, blocks = np.random.default_rng(4), [slice(0, 160), slice(160, 320)]
    codes = across(2000, (160, 160), rng) + np.array([0, 160])
    rows, pairs = moment_rows(codes, rng.normal(size=2000), blocks), pairs_of(codes)
    years = [bootstrap(rows, np.ones(2000, np.int64), [year]) for year in (0, 1)]

    def within(*means):
        return pieces(*(moments(m, blocks, pairs) for m in means), blocks).within

    tracemalloc.start()
    found = spread(within, *years)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found["std_error"].shape == (320,)
    assert peak < 30e6
