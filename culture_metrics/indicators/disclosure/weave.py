"""Crosses and whatever else adds up in two ways: which further groups to hide, by search."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.indicators.disclosure.block import SECONDARY, SHOWN
from culture_metrics.indicators.disclosure.choose import OPTIMAL_UP_TO, choose
from culture_metrics.indicators.disclosure.knowledge import Place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culture_metrics.indicators.disclosure.block import Block
    from culture_metrics.indicators.disclosure.knowledge import States
    from culture_metrics.indicators.disclosure.puzzle import Flags, Numbers
    from culture_metrics.indicators.disclosure.rule import Rule

#: So many patterns of hidden cells are kept to be tried on the next measure.
TRIED = 4


def hide_by_search(start: Block, done: Block, stuck: Flags, rule: Rule, layers: Flags) -> Block:
    """Hide what it takes where cells are part of two sums, and where the closed form found no way.

    Parameters
    ----------
    start : Block
        With the small cells hidden.
    done : Block
        What the closed form made of it.
    stuck : array of bool
        Where it found no way, by cell and measure.
    rule : Rule
        The rule.
    layers : array of bool
        The measures to look at.
    """
    within, structure = start.structure.within, start.structure
    state = done.state.copy()
    every = np.flatnonzero(layers)
    unsafe = np.zeros(state.shape, bool)
    # Where organisations or periods add up, all is searched at once if that is not too much.
    joint = structure.across.any() & (np.bincount(structure.islands)[structure.islands] <= OPTIMAL_UP_TO)
    for cells in _sets(within.islands):
        if joint[cells].all():
            state[cells] = start.state[cells]
            continue
        some = every if within.woven[cells[0]] else np.flatnonzero(stuck[cells].any(axis=0) & layers)
        if len(some):
            state[np.ix_(cells, some)] = start.state[np.ix_(cells, some)]
            _search(Place(start, cells, across=False), some, state, rule, unsafe, totals_too=False)
    if unsafe.any():
        keys = start.cells.select("survey", "period", "organisation").hash_rows()
        for cells in _sets(np.unique(keys.to_numpy(), return_inverse=True)[1]):
            some = np.flatnonzero(unsafe[cells].any(axis=0))
            if len(some):
                _search(Place(start, cells, across=False), some, state, rule, unsafe, totals_too=True)
    if structure.across.any():
        for cells in _sets(structure.islands):
            _search(Place(start, cells, across=True), every, state, rule, unsafe, totals_too=True)
    return done.with_state(state)


def _sets(label: Numbers) -> Iterable[Numbers]:
    order = np.argsort(label, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []


def _search(
    place: Place, layers: Numbers, state: States, rule: Rule, unsafe: Flags, *, totals_too: bool
) -> None:
    """Hide what it takes, measure by measure; a pattern that did for one is tried on the next."""
    tried: list[Flags] = []
    size = np.nan_to_num(place.block.base[place.cells]).sum(axis=0)
    for layer in sorted(layers, key=lambda number: (-size[number], number)):
        tables = place.tables(layer, state, rule, totals_too=totals_too, inside=True)
        if not tables.small.any():
            continue
        cells = len(place.cells)
        patterns = [np.append(p, np.zeros(len(tables.base) - cells, bool)) for p in tried]
        hidden, safe = choose(tables, rule, patterns)
        pattern = (hidden & tables.open)[:cells]
        if pattern.any() and not any((pattern == p).all() for p in tried):
            tried = [pattern, *tried][:TRIED]
        column = state[place.cells, layer]
        column[(column == SHOWN) & hidden[:cells]] = SECONDARY
        state[place.cells, layer] = column
        if not safe:
            unsafe[place.cells, layer] = True
