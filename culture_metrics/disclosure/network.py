"""Ranges of hidden cells by moving people along rings of cells, where sums form a network: no programme."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from culture_metrics.disclosure.release import Flags, Floats, Numbers
    from culture_metrics.disclosure.terms import Terms

#: Numbers nearer than this to a whole one are that.
WHOLE = 1e-6
#: So many people are moved at once at most.
MOST = 1e9


def network(terms: Terms, rhs: Floats, low: Floats, high: Floats) -> Network | None:
    """Return what adds up to `rhs`, within `low` and `high`, as a network, if it is one, of whole numbers.

    It is where every cell is in one sum or in two, and each sum can be given a sign such that no cell is in
    two of the same sign: crosses of two breakdowns, and breakdowns within others.
    """
    numbers = np.concatenate([rhs, low, high[np.isfinite(high)]])
    if (np.abs(numbers - np.round(numbers)) > WHOLE).any() or (np.abs(terms.sign) != 1).any():
        return None
    sums, cells = terms.shape
    times = np.bincount(terms.cell, minlength=cells)
    if times.max(initial=0) > 2 or times.min(initial=1) < 1:
        return None
    order = np.argsort(terms.cell, kind="stable")
    first = np.cumsum(times) - times
    rows, signs = terms.row[order], terms.sign[order].astype(np.int64)
    # A cell in one sum only leads outside, the node after the last.
    one, other = rows[first], np.where(times > 1, rows[first + times - 1], sums)
    alike = np.where(times > 1, signs[first] == signs[first + times - 1], False)
    turn = _signs(sums, one, other, alike)
    if turn is None:
        return None
    plus = signs[first] * turn[one] > 0
    to, away = np.where(plus, one, other), np.where(plus, other, one)
    return Network(to, away, np.append(turn * rhs, 0.0), low, high)


def _signs(sums: int, one: Numbers, other: Numbers, alike: Flags) -> Numbers | None:
    """Give signs to sums so that each cell of two has opposite ones; None where that cannot be."""
    beside: list[list[tuple[int, bool]]] = [[] for _ in range(sums + 1)]
    for a, b, same in zip(one.tolist(), other.tolist(), alike.tolist(), strict=True):
        if b < sums:
            beside[a].append((b, same))
            beside[b].append((a, same))
    turn = [0] * sums
    for start in range(sums):
        if turn[start]:
            continue
        turn[start] = 1
        todo = [start]
        while todo:
            node = todo.pop()
            for far, same in beside[node]:
                wanted = -turn[node] if same else turn[node]
                if not turn[far]:
                    turn[far] = wanted
                    todo.append(far)
                elif turn[far] != wanted:
                    return None
    return np.array(turn, np.int64)


class Network:
    """People in cells: one more in a cell is one more in the sum `to` and one fewer in the sum `away`."""

    def __init__(self, to: Numbers, away: Numbers, wanted: Floats, low: Floats, high: Floats) -> None:
        self.to, self.away = to.tolist(), away.tolist()
        self.wanted = wanted
        self.low, self.high = np.round(low).tolist(), np.round(high).tolist()
        self.x: list[float] = []
        # By sum: the cells by which one person too many can go on, whether they grow, and where to.
        self.ways: list[list[tuple[int, bool, int]]] = [[] for _ in wanted]
        for cell, (a, b) in enumerate(zip(self.to, self.away, strict=True)):
            self.ways[a].append((cell, False, b))
            self.ways[b].append((cell, True, a))
        self.seen_low: list[float] = []
        self.seen_high: list[float] = []

    def begin(self, guess: Floats) -> bool:
        """Find whole numbers that fit, beginning with a guess; say whether there are any."""
        start = np.clip(np.round(guess), self.low, self.high)
        self.x = start.tolist()
        size = len(self.wanted)
        net = np.bincount(self.to, start, size) - np.bincount(self.away, start, size) - np.round(self.wanted)
        net[-1] -= net.sum()
        extra = net.tolist()
        for node in np.flatnonzero(net > 0).tolist():
            while extra[node] > 0:
                way = self._way(node, {i for i, n in enumerate(extra) if n < 0}, -1)
                if way is None:
                    return False
                end, steps = way
                amount = min(extra[node], -extra[end])
                moved = self._push(steps, amount)
                extra[node] -= moved
                extra[end] += moved
        self.seen_low, self.seen_high = self.x.copy(), self.x.copy()
        return True

    def widen(self, cell: int, need: float, *, upward: bool) -> bool:
        """Move people until a cell was seen to reach `need` (or over such a range); say whether it was."""
        low, high = self.seen_low, self.seen_high
        for grow in (True,) if upward else (True, False):
            start, end = (self.to[cell], self.away[cell]) if grow else (self.away[cell], self.to[cell])
            while high[cell] - (0 if upward else low[cell]) < need:
                room = self.high[cell] - self.x[cell] if grow else self.x[cell] - self.low[cell]
                way = self._way(start, {end}, cell) if room > 0 else None
                if way is None:
                    break
                ring = [*way[1], (cell, grow)]
                self._push(ring, MOST)
                for i, _ in ring:
                    low[i], high[i] = min(low[i], self.x[i]), max(high[i], self.x[i])
        return high[cell] - (0 if upward else low[cell]) >= need

    def _way(self, start: int, goals: set[int], without: int) -> tuple[int, list[tuple[int, bool]]] | None:
        """Find the fewest cells that take one person too many in a sum to another."""
        x, low, high, ways = self.x, self.low, self.high, self.ways
        came: dict[int, tuple[int, int, bool]] = {start: (-1, -1, False)}
        todo = deque([start])
        while todo:
            node = todo.popleft()
            for cell, grow, far in ways[node]:
                if far in came or cell == without:
                    continue
                if (x[cell] < high[cell]) if grow else (x[cell] > low[cell]):
                    came[far] = (node, cell, grow)
                    if far in goals:
                        return far, self._steps(came, far)
                    todo.append(far)
        return None

    def _steps(self, came: dict[int, tuple[int, int, bool]], node: int) -> list[tuple[int, bool]]:
        steps = []
        before, cell, grow = came[node]
        while cell >= 0:
            steps.append((cell, grow))
            before, cell, grow = came[before]
        return steps

    def _push(self, steps: list[tuple[int, bool]], amount: float) -> float:
        """Move as many people as there is room for, up to an amount."""
        x, low, high = self.x, self.low, self.high
        for cell, grow in steps:
            amount = min(amount, high[cell] - x[cell] if grow else x[cell] - low[cell])
        for cell, grow in steps:
            x[cell] += amount if grow else -amount
        return amount
