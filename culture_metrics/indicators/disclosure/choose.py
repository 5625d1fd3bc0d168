"""Choose which further cells to hide: the fewest that leave nothing to be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from culture_metrics.indicators.disclosure.attack import attack
from culture_metrics.indicators.disclosure.puzzle import SAME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.indicators.disclosure.knowledge import Tables
    from culture_metrics.indicators.disclosure.puzzle import Flags, Floats
    from culture_metrics.indicators.disclosure.rule import Rule

#: Above so many cells that may be hidden the choice is greedy: see benchmarks/disclosure.py.
OPTIMAL_UP_TO = 600
#: After so many rounds, and within a round so many nodes, the best found is taken. (Not seconds: two runs agree.)
ROUNDS, NODES = 100, 20_000
#: Rounds of the greedy choice.
GREEDY_ROUNDS = 2


def choose(tables: Tables, rule: Rule, tried: Sequence[Flags] = ()) -> tuple[Flags, bool]:
    """Hide as few cells more as it takes that nothing that breaks the rule follows.

    Returns the hidden cells, and whether nothing follows any more: a release from before, or totals that must
    stand, can leave no way. A pattern in `tried` that will do is taken as it is.

    Notes
    -----
    Whatever follows, follows from equations between shown cells, so one of those must go (a cut). Hiding more
    never makes anything follow that did not. Cells that meet the cuts are hidden one after the other until
    nothing follows. Then the fewest that meet all cuts are chosen by integer programming and attacked; what
    follows then gives more cuts, and so on until the fewest will do: that is the optimum (the method of
    Fischetti and Salazar, Management Science 47, 2001). Above `OPTIMAL_UP_TO` cells, or `ROUNDS`, the choice
    is greedy.
    """
    start, price = tables.hidden, tables.cost * tables.open
    cuts: list[Flags] = []
    if tried and not _cuts(tables, start, rule):
        return start, True
    for pattern in tried:
        if not _cuts(tables, start | (pattern & tables.open), rule):
            return start | (pattern & tables.open), True
    best, safe = _hide_until_safe(tables, start, rule, cuts)
    optimal = int(tables.open.sum()) <= OPTIMAL_UP_TO
    for _ in range(ROUNDS if optimal else GREEDY_ROUNDS):
        if not cuts:
            break
        least = start | (_fewest(cuts, tables.cost) if optimal else _greedy(cuts, tables.cost))
        if price[least].sum() >= price[best].sum() - SAME:
            break
        hidden, nothing_follows = _hide_until_safe(tables, least, rule, cuts)
        if price[hidden].sum() < price[best].sum():
            best, safe = hidden, nothing_follows
    return best, safe


def _hide_until_safe(tables: Tables, hidden: Flags, rule: Rule, cuts: list[Flags]) -> tuple[Flags, bool]:
    """Hide cells that meet what cuts an attack finds, until it finds none; add these to `cuts`."""
    while True:
        found = _cuts(tables, hidden, rule)
        new = [cut for cut in found if cut.any()]
        if not new:
            return hidden, not found
        cuts += new
        hidden = hidden | _greedy(new, tables.cost)


def _cuts(tables: Tables, hidden: Flags, rule: Rule) -> list[Flags]:
    """Attack; return for each thing that follows the shown cells of which one must go."""
    for deep in (False, True):
        cuts: dict[bytes, Flags] = {}
        for view in tables.views:
            for finding in attack(tables.puzzle(hidden, view), rule, deep=deep):
                rows = tables.matrix[finding.rows]
                reach = abs(rows).sum(axis=0)
                if finding.weights is not None:
                    reach = np.abs(finding.weights @ rows).sum(axis=0)
                cut = (reach > SAME) & tables.open & ~hidden
                cuts[cut.tobytes()] = cut
        if not cuts or any(cut.any() for cut in cuts.values()):
            break
    return list(cuts.values())


def _fewest(cuts: Sequence[Flags], cost: Floats) -> Flags:
    """Choose the cells of least cost that meet every cut."""
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
    """Choose cells one by one, each time the one that meets most cuts for its cost; drop what is not needed."""
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
