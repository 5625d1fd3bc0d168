"""Choose which further cells to hide: the fewest that leave nothing to be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.disclosure.attack import SAME, attack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.disclosure.release import Flags, Floats
    from culture_metrics.disclosure.tables import Tables

#: Above so many cells that may be hidden the choice is greedy. Crosses of 20 × 20 to 40 × 40 groups took less
#: than a second either way, and a third to a half fewer cells: benchmarks/disclosure.py.
OPTIMAL_UP_TO = 1_500
#: After so many rounds, and within a round so many nodes, the best found is taken. (Not seconds: two runs
#: agree.)
ROUNDS, NODES = 100, 20_000
#: Costs that differ by less are of equally many cells: sizes only decide between those.
TIES = 0.4
#: Rounds of the greedy choice.
GREEDY_ROUNDS = 2


def choose(
    tables: Tables, hidden: Flags, may: Flags, cost: Floats, tried: Sequence[Flags] = ()
) -> tuple[Flags, bool]:
    """Hide as few cells more as it takes that no hidden one follows.

    Parameters
    ----------
    tables : Tables
        Equations and cells.
    hidden, may : array of bool
        By cell: what is hidden, and what may be hidden beside it.
    cost : array
        Of hiding a cell.
    tried : sequence of array
        Patterns that did for other measures: one that will do here is taken as it is.

    Returns
    -------
    (array of bool, bool)
        The hidden cells, and whether nothing follows any more: where totals must stand, there can be no way.

    Notes
    -----
    Whatever follows, follows from equations between shown cells, so one of those must go (a cut). Cells that
    meet the cuts are hidden one after the other until nothing follows. Then the cells of least cost that meet
    all cuts are chosen by integer programming and attacked; what follows then gives more cuts, and so on
    until they will do: that is the optimum (the method of Fischetti and Salazar, Management Science 47,
    2001). Above `OPTIMAL_UP_TO` cells, or `ROUNDS`, the choice is greedy.
    """
    may, price = may & ~hidden, np.where(may & ~hidden, cost, 0.0)
    if not _cuts(tables, hidden, may):
        return hidden, True
    for pattern in tried:
        if not _cuts(tables, hidden | (pattern & may), may):
            return hidden | (pattern & may), True
    cuts: list[Flags] = []
    best, safe = _hide_until_safe(tables, hidden, may, cost, cuts)
    optimal = int(may.sum()) <= OPTIMAL_UP_TO
    for _ in range(ROUNDS if optimal else GREEDY_ROUNDS):
        if not cuts:
            break
        least = hidden | (_fewest(cuts, cost) if optimal else _greedy(cuts, cost))
        if price[least].sum() >= price[best].sum() - TIES:
            break
        enough, nothing_follows = _hide_until_safe(tables, least, may, cost, cuts)
        if price[enough].sum() < price[best].sum() and nothing_follows >= safe:
            best, safe = enough, nothing_follows
    return best, safe


def _hide_until_safe(
    tables: Tables, hidden: Flags, may: Flags, cost: Floats, cuts: list[Flags]
) -> tuple[Flags, bool]:
    """Hide cells that meet what cuts an attack finds, until it finds none; add these to `cuts`."""
    while True:
        found = _cuts(tables, hidden, may)
        new = [cut for cut in found if cut.any()]
        if not new:
            return hidden, not found
        cuts += new
        hidden = hidden | _greedy(new, cost)


def _cuts(tables: Tables, hidden: Flags, may: Flags) -> list[Flags]:
    """Attack; return for each thing that follows the shown cells of which one must go."""
    cuts: dict[bytes, Flags] = {}
    systems, free = list(tables.systems(hidden)), may & ~hidden
    for deep in (False, True):
        for _, system, rows, _ in systems:
            found = attack(system, deep=deep)
            if not found:
                continue
            proofs = np.zeros((tables.sums.terms.shape[0], sum(len(f.proof) for f in found)))
            proofs[rows] = np.concatenate([f.proof for f in found]).T
            reach = np.abs(tables.sums.across @ proofs).T > SAME
            first = np.cumsum([0, *(len(f.proof) for f in found[:-1])])
            for cut in np.logical_or.reduceat(reach, first, axis=0) & free:
                cuts[cut.tobytes()] = cut
        if any(cut.any() for cut in cuts.values()):
            break
    return list(cuts.values())


def _fewest(cuts: Sequence[Flags], cost: Floats) -> Flags:
    """Choose the cells of least cost that meet every cut."""
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    table = np.unique(np.array(cuts), axis=0).astype(float)
    shared = table @ table.T
    # A cut that holds all of another is met with it.
    larger = ((shared == shared.diagonal()) & ~np.eye(len(table), dtype=bool)).any(axis=1)
    table = table[~larger]
    used = np.flatnonzero(table.any(axis=0))
    best = milp(
        cost[used],
        constraints=LinearConstraint(csr_array(table[:, used]), 1, np.inf),
        bounds=Bounds(0, 1),
        integrality=np.ones(len(used)),
        options={"mip_rel_gap": 0, "node_limit": NODES},
    )
    if best.x is None:
        return _greedy(cuts, cost)
    chosen = np.zeros(len(cost), bool)
    chosen[used[best.x > 0.5]] = True
    return chosen


def _greedy(cuts: Sequence[Flags], cost: Floats) -> Flags:
    """Choose cells one by one, each time the one that meets most cuts for its cost; drop needless ones."""
    table, chosen = np.array(cuts), np.zeros(len(cost), bool)
    left = table
    while len(left):
        meets = left.sum(axis=0)
        best = int(np.argmax(np.where(meets > 0, meets / cost, -1.0)))
        chosen[best] = True
        left = left[~left[:, best]]
    for cell in sorted(np.flatnonzero(chosen), key=lambda i: (-cost[i], i)):
        without = chosen.copy()
        without[cell] = False
        if (table & without).any(axis=1).all():
            chosen = without
    return chosen
