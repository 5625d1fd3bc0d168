"""Ranges by moving people along rings of cells, beside linear programming."""

from __future__ import annotations

import numpy as np
import pytest

from culture_metrics.disclosure import attack as module
from culture_metrics.disclosure.attack import System, attack
from culture_metrics.disclosure.network import network
from culture_metrics.disclosure.terms import Terms


def cross_of(draw: np.random.Generator, *, upward: bool) -> System:
    """A cross of two breakdowns, some cells hidden; now and then more people in a sum than in its groups."""
    height, width = draw.integers(2, 6, 2)
    counts = draw.integers(0, 25, (height, width))
    hidden = (counts < 11) | (draw.random(counts.shape) < 0.3)
    row, column = np.nonzero(hidden)
    cells = np.arange(len(row))
    terms = Terms(
        np.append(row, height + column),
        np.append(cells, cells),
        np.ones(2 * len(cells)),
        (int(height + width), len(cells)),
    )
    base = counts[hidden].astype(float)
    rhs = terms.times(base) + (draw.random(height + width) < 0.1) * 12
    small = base < 11
    lower = np.where(small | upward, 0.0, 11.0)
    upper = np.where(small & (not upward), 10.0, np.inf)
    return System(terms, rhs, lower, upper, small, 11 if upward else 3, upward, guess=base)


@pytest.mark.parametrize("upward", [False, True])
def test_moving_people_finds_what_linear_programming_finds(monkeypatch, upward):
    draw = np.random.default_rng(5)
    systems = [cross_of(draw, upward=upward) for _ in range(60)]
    moved = [{(f.cell, round(f.low, 3), round(f.high, 3)) for f in attack(s)} for s in systems]
    monkeypatch.setattr(module, "network", lambda *_: None)
    solved = [{(f.cell, round(f.low, 3), round(f.high, 3)) for f in attack(s)} for s in systems]
    assert moved == solved
    assert 5 < sum(map(bool, solved)) < len(solved)


def test_ring_of_sums_that_is_no_network_is_left_to_linear_programming():
    three = Terms(np.array([0, 0, 1, 1, 2, 2]), np.array([0, 1, 1, 2, 2, 0]), np.ones(6), (3, 3))
    assert network(three, np.full(3, 4.0), np.zeros(3), np.full(3, 10.0)) is None
    cut = Terms(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]), np.ones(4), (2, 3))
    assert network(cut, np.full(2, 4.0), np.zeros(3), np.full(3, 10.0)) is not None
    assert network(cut, np.full(2, 4.5), np.zeros(3), np.full(3, 10.0)) is None
