"""Attack a release: equation by equation by hand, and all together by linear programming."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, linprog, milp
from scipy.sparse import csr_array

from culture_metrics.indicators.disclosure.puzzle import SAME, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from culture_metrics.indicators.disclosure.puzzle import Flags, Floats, Numbers, Puzzle
    from culture_metrics.indicators.disclosure.rule import Rule

#: After so many nodes whole-number programming gives way to the bounds of linear programming.
NODES = 2_000
#: So many coefficients are given to one programme.
BATCH = 40_000
#: So many pairs of random programmes before each cell of a large table gets its own.
TURNS = 4
ONE = np.ones((1, 1))


def attack(
    puzzle: Puzzle, rule: Rule, *, deep: bool = True, everything: bool = False
) -> list[Finding]:
    """Return what follows about hidden cells and breaks the rule, or everything that follows.

    Unless it is to be `deep`, equations are only put together when none of them alone gives anything away.

    A total can be larger than its parts, when the group of some respondents is not known. Nobody outside
    knows of how many: the attacker takes it that there are none, and gives that up only for equations where
    it cannot be. Where no bases fit at all nothing adds up, and nothing follows.
    """
    if not deep and (plain := [f for f in _by_hand(puzzle) if f.breaks(rule)]):
        return plain
    alone, together = puzzle.parts()
    found = _by_hand(alone)
    for part in together:
        if everything or part.small.any() or part.pooled.any():
            found += _Programmes(part, rule).findings(everything=everything)
    return found if everything else [f for f in found if f.breaks(rule)]


def _by_hand(puzzle: Puzzle) -> list[Finding]:
    """Attack each equation alone: what its other cells can hold bounds each of its cells."""
    entries = puzzle.matrix.tocoo()
    row, cell, sign = entries.row, entries.col, entries.data
    equations = len(puzzle.rows)

    def summed(values: Floats) -> Floats:
        return np.bincount(row, values, equations)

    # With signs: rhs <= sum of terms, and the same where everybody's group is known.
    lower, upper = puzzle.lower[cell], puzzle.upper[cell]
    least, most = np.where(sign > 0, lower, -upper), np.where(sign > 0, upper, -lower)
    sum_least, others_least = _sums(least, row, equations)
    sum_most, others_most = _sums(most, row, equations)
    possible, loose = puzzle.rhs <= sum_most + SAME, puzzle.rhs < sum_least - SAME
    low = np.maximum(least, puzzle.rhs[row] - others_most)
    high = np.where(loose[row], most, np.minimum(most, puzzle.rhs[row] - others_least))
    low, high = np.where(sign > 0, low, -high), np.where(sign > 0, high, -low)
    pool = ~loose & (summed(~puzzle.pooled[cell]) == 0) & (np.abs(summed(sign)) == summed(np.ones(len(row))))
    turn = np.sign(summed(sign))
    size = np.where(pool, turn * puzzle.rhs, np.nan)[row]
    counted = np.full(len(row), np.nan)
    if puzzle.counted is not None:
        counted = np.where(pool, turn * puzzle.counted, np.nan)[row]
    small, cells, rows = puzzle.small[cell], puzzle.cells[cell], puzzle.rows[row]
    return [
        Finding(int(cells[i]), low[i], high[i], size[i], counted[i], bool(small[i]), rows[i : i + 1], ONE)
        for i in np.flatnonzero(possible[row])
    ]


def _sums(terms: Floats, row: Numbers, equations: int) -> tuple[Floats, Floats]:
    """Sum terms by equation, and for each term the others of its equation; terms may be infinite."""
    endless = np.isinf(terms)
    without = np.where(endless, 0.0, terms)
    times = np.bincount(row, endless, equations)
    finite = np.bincount(row, without, equations)
    infinity = -np.inf if (terms == -np.inf).any() else np.inf
    whole = np.where(times > 0, infinity, finite)
    return whole, np.where(times[row] - endless > 0, infinity, finite[row] - without)


class _Programmes:
    """Linear programmes over one puzzle whose cells hang together."""

    def __init__(self, puzzle: Puzzle, rule: Rule) -> None:
        # No bound that follows is anywhere near so large.
        self.endless = float(10 * (np.abs(puzzle.rhs).sum() + puzzle.lower.sum() + 1))
        self.puzzle, self.rule = puzzle, rule
        self.matrix = puzzle.matrix.toarray()
        self.upper = np.minimum(puzzle.upper, self.endless)
        self.equations, self.cells = puzzle.matrix.shape
        self.loose = np.zeros(self.equations, bool)
        # Bases seen to be possible, and whole: each programme solved may spare others.
        self.seen_low, self.seen_high = np.full(self.cells, np.inf), np.full(self.cells, -np.inf)

    def findings(self, *, everything: bool) -> list[Finding]:
        """Find the smallest pool around every cell that is in one, and bound every small cell."""
        ranges = self._ranges(everything=everything)
        if ranges is None:
            self._let_go()
            ranges = self._ranges(everything=everything)
        if ranges is None:
            return []
        pools = self._pools()
        open_wide: tuple[float, float, Floats | None] = (-np.inf, np.inf, None)
        in_no_pool: tuple[float, float, Floats | None] = (np.nan, np.nan, None)
        wanted = range(self.cells) if everything else {*ranges, *pools}
        found = []
        for i in sorted(wanted):
            low, high, bounding = ranges.get(i, open_wide)
            size, counted, pooling = pools.get(i, in_no_pool)
            cell, small = int(self.puzzle.cells[i]), bool(self.puzzle.small[i])
            finding = Finding(cell, low, high, size, counted, small, self.puzzle.rows, pooling)
            why = finding.breaks(self.rule)
            if why == "base":
                finding = replace(finding, weights=bounding)
            if everything or why:
                found.append(finding)
        return found

    def _let_go(self) -> None:
        """Give up, for as few respondents as possible, that every respondent's group is known."""
        self.loose = np.ones(self.equations, bool)
        found = self._solve([np.append(np.zeros(self.cells), np.ones(self.equations))])
        if found is not None:
            self.loose = found[0][0, self.cells :] > SAME

    def _ranges(self, *, everything: bool) -> dict[int, tuple[float, float, Floats | None]] | None:
        """Bound the bases of small cells that are not open far enough, or of all cells.

        Nothing at all when no bases fit.
        """
        enough = self.rule.protection - SAME
        targets = np.flatnonzero(self.puzzle.small | everything)
        if not everything:
            draw = np.random.default_rng(0)
            for turn in range(TURNS if len(targets) * np.count_nonzero(self.matrix) > BATCH else 0):
                targets = targets[self.seen_high[targets] - self.seen_low[targets] < enough]
                cost = np.zeros(self.cells)
                cost[targets] = 1.0 if turn == 0 else draw.choice([-1.0, 1.0], len(targets))
                self._look([cost, -cost])
            targets = targets[self.seen_high[targets] - self.seen_low[targets] < enough]
        units = np.zeros((max(1, 2 * len(targets)), self.cells))
        units[np.arange(len(targets)), targets] = 1.0
        units[len(targets) + np.arange(len(targets)), targets] = -1.0
        answer = self._look(units)
        if answer is None:
            return None
        found: dict[int, tuple[float, float, Floats | None]] = {}
        for number, i in enumerate(targets):
            least, most = number, len(targets) + number
            low, high = float(answer[0][least, i]), float(answer[0][most, i])
            proof: Floats | None = answer[1][[least, most]]
            if high - low >= enough and not (self.seen_low[i] <= low + SAME and self.seen_high[i] >= high - SAME):
                # Fractions were found: whole numbers may be bound more tightly, by any of the equations.
                low, high, proof = self._whole(units[least], i, low), self._whole(units[most], i, high), None
            if everything or high - low < enough:
                found[int(i)] = (low, high if high < self.endless / 2 else np.inf, proof)
        return found

    def _whole(self, cost: Floats, i: int, otherwise: float) -> float:
        matrix, low, high = self._constraints()
        found = milp(
            np.append(cost, np.zeros(len(low) - self.cells)),
            constraints=LinearConstraint(matrix, self.puzzle.rhs, self.puzzle.rhs),
            bounds=Bounds(low, high),
            integrality=np.ones(len(low)),
            options={"node_limit": NODES},
        )
        return float(np.round(found.x[i])) if found.status == 0 else otherwise

    def _look(self, costs: Iterable[Floats]) -> tuple[Floats, Floats] | None:
        """Find the bases of least cost, for each of several costs, and what each equation adds to it."""
        rests = np.zeros(int(self.loose.sum()))
        found = self._solve([np.append(cost, rests) for cost in costs])
        if found is None:
            return None
        bases = found[0][:, : self.cells]
        whole = bases[(np.abs(bases - np.round(bases)) < SAME).all(axis=1)]
        if len(whole):
            self.seen_low = np.minimum(self.seen_low, whole.min(axis=0))
            self.seen_high = np.maximum(self.seen_high, whole.max(axis=0))
        return bases, found[1]

    def _constraints(self) -> tuple[Floats, Floats, Floats]:
        rests = np.flatnonzero(self.loose)
        matrix = np.hstack([self.matrix, -np.eye(self.equations)[:, rests]])
        low = np.append(self.puzzle.lower, np.zeros(len(rests)))
        return matrix, low, np.append(self.upper, np.full(len(rests), self.endless))

    def _solve(self, costs: list[Floats]) -> tuple[Floats, Floats] | None:
        """Solve programmes that differ in cost only, many in one."""
        matrix, low, high = self._constraints()
        bases, proofs = [], []
        for first, copies in _batches(matrix, len(costs)):
            found = linprog(
                np.concatenate(costs[first : first + copies]),
                A_eq=_repeat(matrix, copies),
                b_eq=np.tile(self.puzzle.rhs, copies),
                bounds=np.tile(np.column_stack([low, high]), (copies, 1)),
                method="highs",
            )
            if found.status != 0:
                return None
            bases.append(found.x.reshape(copies, -1))
            proofs.append(found.eqlin.marginals.reshape(copies, -1))
        return np.concatenate(bases), np.concatenate(proofs)

    def _pools(self) -> dict[int, tuple[float, float, Floats | None]]:
        """Find the smallest pool around each hidden cell that is in one: its size, number counted and proof.

        A pool is a sum of equations that leaves only cells that may be small, none of them subtracted.
        """
        puzzle, tight = self.puzzle, np.flatnonzero(~self.loose)
        columns = np.flatnonzero(puzzle.pooled)
        if not len(columns) or not len(tight):
            return {}
        inside, outside = self.matrix[tight][:, columns].T, self.matrix[tight][:, ~puzzle.pooled].T
        if len(outside) and np.linalg.matrix_rank(outside) == np.linalg.matrix_rank(self.matrix[tight]):
            return {}  # no sum of equations is free of the other cells
        sizes = puzzle.rhs[tight]
        counted = np.full(len(tight), np.nan) if puzzle.counted is None else puzzle.counted[tight]
        costs = [sizes] if puzzle.counted is None else [sizes, counted, sizes - counted]
        found: dict[int, tuple[float, float, Floats | None]] = {}
        members = self._in_a_pool(inside, outside)
        for cost in costs:
            for j, weights in zip(members, self._smallest(cost, inside, outside, members), strict=True):
                # The largest share that anybody has in the pool counts as one.
                weights = weights / max((inside @ weights).max(), 1.0)
                pool = (float(sizes @ weights), float(counted @ weights))
                i = int(columns[j])
                if i not in found or (self._too_few(*pool) and not self._too_few(*found[i][:2])):
                    proof = np.zeros((1, self.equations))
                    proof[0, tight] = weights
                    found[i] = (*pool, proof)
        return found

    def _too_few(self, size: float, counted: float) -> bool:
        finding = Finding(0, 0.0, np.inf, size, counted, False, np.zeros(0, np.int64), None)
        return bool(finding.breaks(self.rule))

    @staticmethod
    def _in_a_pool(inside: Floats, outside: Floats) -> Numbers:
        """Find the cells that are in any pool: one programme that makes as many as it can of them positive."""
        cells, equations = inside.shape
        others = len(outside)
        best = milp(
            np.append(np.zeros(equations), -np.ones(cells)),
            constraints=LinearConstraint(
                csr_array(np.block([[inside, -np.eye(cells)], [outside, np.zeros((others, cells))]])),
                0,
                np.append(np.full(cells, np.inf), np.zeros(others)),
            ),
            bounds=Bounds(
                np.append(np.full(equations, -np.inf), np.zeros(cells)),
                np.append(np.full(equations, np.inf), np.ones(cells)),
            ),
        )
        return np.flatnonzero(best.x[equations:] > SAME) if best.status == 0 else np.zeros(0, np.int64)

    @staticmethod
    def _smallest(cost: Floats, inside: Floats, outside: Floats, members: Numbers) -> Iterator[Floats]:
        """Find for each member of a pool the pool of least cost with it."""
        both = np.vstack([inside, outside])
        for first, copies in _batches(both, len(members)):
            some = members[first : first + copies], np.arange(copies)
            low, high = np.zeros((copies, len(both))), np.zeros((copies, len(both)))
            high[:, : len(inside)] = np.inf
            low[some[::-1]] = high[some[::-1]] = 1.0
            best = milp(
                np.tile(cost, copies),
                constraints=LinearConstraint(_repeat(both, copies), low.ravel(), high.ravel()),
                bounds=Bounds(-np.inf, np.inf),
            )
            yield from best.x.reshape(copies, -1)


def _batches(matrix: Floats, copies: int) -> Iterator[tuple[int, int]]:
    """Say which copies of a matrix go into one programme: the first, and how many."""
    at_once = max(1, BATCH // max(np.count_nonzero(matrix), 1))
    for first in range(0, copies, at_once):
        yield first, min(at_once, copies - first)


def _repeat(matrix: Floats, copies: int) -> csr_array:
    """Set copies of a matrix along the diagonal of a larger one."""
    row, column = np.nonzero(matrix)
    height, width = matrix.shape
    step = np.arange(copies)[:, None]
    rows, columns = (step * height + row).ravel(), (step * width + column).ravel()
    values = np.tile(matrix[row, column], copies)
    return csr_array((values, (rows, columns)), shape=(copies * height, copies * width))
