"""Attack hidden cells: equation by equation in closed form, and all together by linear programming."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.disclosure.network import network
from culture_metrics.disclosure.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scipy.sparse import coo_array

    from culture_metrics.disclosure.network import Network
    from culture_metrics.disclosure.release import Flags, Floats, Numbers

#: Two numbers of people nearer than this are the same.
SAME = 1e-6
#: After so many nodes whole-number programming gives way to the bounds of linear programming.
NODES = 2_000
#: So many coefficients are given to one programme.
BATCH = 40_000
#: So many pairs of programmes for all cells at once, before each cell that is left gets its own; only one
#: pair where those have no more coefficients than this.
TURNS, FEW = 4, 1_000


@dataclass(frozen=True)
class System:
    """What is known of hidden cells: `terms` that add up to `rhs`, and `lower <= x <= upper`.

    A whole can be larger than its parts, when the group of some respondents is not known. Nobody outside
    knows of how many: the attacker takes it that there are none, and gives that up only for equations where
    it cannot be. `targets` are the cells to protect: their range must reach `need` (if `upward`), or be
    `need` wide. Where that is a number of respondents, it may also be nought: `nobody` needs no protection.
    Numbers that fit are looked for near a `guess`.
    """

    terms: Terms
    rhs: Floats
    lower: Floats
    upper: Floats
    targets: Flags
    need: float
    upward: bool = False
    nobody: bool = True
    guess: Floats | None = None

    def wide(self, low: Floats, high: Floats) -> Flags:
        """Say whether such ranges are wide enough."""
        return np.asarray((high if self.upward else high - low) >= self.need - SAME)

    def holds(self, low: Floats, high: Floats) -> Flags:
        """Say whether such ranges protect, where they are all that is possible."""
        return self.wide(low, high) | (self.nobody & (high <= SAME))

    def take(self, rows: Numbers, cells: Numbers) -> System:
        """Return the system of some equations and cells."""
        return replace(
            self,
            terms=self.terms.take(rows, cells),
            rhs=self.rhs[rows],
            lower=self.lower[cells],
            upper=self.upper[cells],
            targets=self.targets[cells],
            guess=None if self.guess is None else self.guess[cells],
        )


@dataclass(frozen=True)
class Finding:
    """A hidden cell that is not protected: its range, and a line for each sum of equations that shows it."""

    cell: int
    low: float
    high: float
    proof: Floats


def attack(system: System, *, deep: bool = True, odd: bool = False) -> list[Finding]:
    """Return the hidden cells that are not protected.

    Unless it is to be `deep`, each equation is looked at alone. Where no numbers at all fit equations that
    hang together, their targets are returned if what is `odd` is wanted, with `low` above `high`.
    """
    if not deep:
        return _alone(system)
    terms = system.terms
    equations, cells = terms.shape
    times = np.bincount(terms.cell, minlength=cells)
    if times.max(initial=0) <= 1:
        each = np.arange(equations), np.flatnonzero(times)
        return [_as_in(f, each, equations) for f in _alone(system.take(*each))]

    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array(
        (np.ones(len(terms.row)), (terms.row, terms.cell + equations)), shape=(equations + cells,) * 2
    )
    label = connected_components(graph, directed=False)[1]
    of_row, of_cell = label[:equations], label[equations:]
    rows_in = np.bincount(of_row, minlength=len(label))
    lone = np.flatnonzero(rows_in[of_row] == 1), np.flatnonzero(rows_in[of_cell] == 1)
    found = [_as_in(f, lone, equations) for f in _alone(system.take(*lone))]
    for number in np.unique(of_cell[system.targets & (rows_in[of_cell] > 1)]):
        inside = np.flatnonzero(of_row == number), np.flatnonzero(of_cell == number)
        found += [_as_in(f, inside, equations) for f in _Programmes(system.take(*inside)).findings(odd=odd)]
    return found


def _as_in(finding: Finding, part: tuple[Numbers, Numbers], equations: int) -> Finding:
    proof = np.zeros((len(finding.proof), equations))
    proof[:, part[0]] = finding.proof
    return replace(finding, cell=int(part[1][finding.cell]), proof=proof)


def bounds_alone(
    row: Numbers, sign: Floats, lower: Floats, upper: Floats, rhs: Floats
) -> tuple[Floats, Floats, Flags, Flags]:
    """Bound each term of equations by what the others of its own equation can hold.

    Parameters
    ----------
    row, sign, lower, upper : array
        By term: its equation, its sign, and what is known of it.
    rhs : array
        By equation: the signed sum of its terms.

    Returns
    -------
    low, high : array
        By term.
    loose, odd : array of bool
        By equation: the whole must be larger than its parts; it is smaller than they can be.
    """
    # With signs: the terms add up to rhs, or to no more than rhs where somebody is in no group.
    least, most = np.where(sign > 0, lower, -upper), np.where(sign > 0, upper, -lower)
    sum_least, others_least = _sums(least, row, len(rhs))
    sum_most, others_most = _sums(most, row, len(rhs))
    loose, odd = rhs > sum_most + SAME, rhs < sum_least - SAME
    low = np.where(loose[row], least, np.maximum(least, rhs[row] - others_most))
    high = np.minimum(most, rhs[row] - others_least)
    return np.where(sign > 0, low, -high), np.where(sign > 0, high, -low), loose, odd


def _sums(terms: Floats, row: Numbers, equations: int) -> tuple[Floats, Floats]:
    """Sum terms by equation, and for each term the others of its equation; terms may be infinite."""
    endless = np.isinf(terms)
    infinity = terms[endless][0] if endless.any() else 0.0
    without = np.where(endless, 0.0, terms)
    times, finite = np.bincount(row, endless, equations), np.bincount(row, without, equations)
    whole = np.where(times > 0, infinity, finite)
    return whole, np.where(times[row] - endless > 0, infinity, finite[row] - without)


def _alone(system: System) -> list[Finding]:
    row, cell = system.terms.row, system.terms.cell
    low, high, _, odd = bounds_alone(
        row, system.terms.sign, system.lower[cell], system.upper[cell], system.rhs
    )
    bad = np.flatnonzero(system.targets[cell] & ~odd[row] & ~system.holds(low, high))
    found = []
    for i in bad:
        proof = np.zeros((1, len(system.rhs)))
        proof[0, row[i]] = 1.0
        found.append(Finding(int(cell[i]), low[i], high[i], proof))
    return found


class _Programmes:
    """Linear programmes over equations that hang together."""

    def __init__(self, system: System) -> None:
        terms = system.terms
        *_, loose, odd = bounds_alone(
            terms.row, terms.sign, system.lower[terms.cell], system.upper[terms.cell], system.rhs
        )
        rows = np.flatnonzero(~odd)
        self.rows, self.equations = rows, len(odd)
        self.system = system.take(rows, np.arange(len(system.lower))) if odd.any() else system
        # In the place of no upper limit; no true bound that follows is anywhere near so large.
        self.endless = float(10 * (np.abs(system.rhs).sum() + system.lower.sum() + system.need + 1))
        self.cells = len(system.lower)
        self._let(loose[rows])

    def findings(self, *, odd: bool) -> list[Finding]:
        """Return the cells that are not protected, with a proof of each; all targets where it is `odd`."""
        found = self._findings()
        if found is None:
            self._let(np.ones(len(self.rows), bool))
            found = self._findings()
        if found is None and odd:
            nothing = np.zeros((1, self.equations))
            targets = np.flatnonzero(self.system.targets).tolist()
            return [Finding(i, np.inf, -np.inf, nothing) for i in targets]
        return found or []

    def _findings(self) -> list[Finding] | None:
        """Bound the targets; nothing at all when no numbers fit."""
        targets = np.flatnonzero(self.system.targets)
        # Whole numbers seen to be possible: each programme solved may spare others.
        seen = np.full(self.cells, np.inf), np.full(self.cells, -np.inf)
        ways = network(self.terms, self.system.rhs, self.low, self.high)
        if ways is not None:
            left = self._moved(ways, targets, seen)
            if left is None or not len(left):
                return None if left is None else []
            targets = left
        draw = np.random.default_rng(0)
        # What people cannot be moved to does follow: there is nothing more to spare.
        for turn in range(TURNS if ways is None else 0):
            if turn and len(targets) * len(self.system.terms.row) < FEW:
                break
            cost = np.zeros(self.cells)
            cost[targets] = 1.0 if turn == 0 else draw.choice([-1.0, 1.0], len(targets))
            answer = self._solve(np.array([cost, -cost]), seen)
            if answer is None:
                return None
            targets = targets[~self.system.wide(seen[0][targets], seen[1][targets])]
            if not len(targets):
                return []
        units = np.zeros((2 * len(targets), self.cells))
        units[np.arange(len(targets)), targets] = 1.0
        units[len(targets) + np.arange(len(targets)), targets] = -1.0
        answer = self._solve(units, seen)
        if answer is None:
            return None
        numbers, proofs = answer
        # Weighted percentages do not count whole numbers: none fit.
        fractions = bool((np.abs(self.system.rhs - np.round(self.system.rhs)) > SAME).any())
        found = []
        for place, i in enumerate(targets):
            low, high = numbers[place, i], numbers[len(targets) + place, i]
            proof = proofs[[place, len(targets) + place]]
            if self.system.holds(low, high):
                if self.system.wide(seen[0][i], seen[1][i]) or high <= SAME or fractions:
                    continue
                # Fractions were found: whole numbers may be bound more tightly, by any of the equations.
                low, high = self._whole(units[place], int(i), low), self._whole(-units[place], int(i), high)
                proof = np.eye(len(self.rows))
            if not self.system.holds(low, high):
                every = np.zeros((len(proof), self.equations))
                every[:, self.rows] = proof
                found.append(Finding(int(i), float(low), float(high), every))
        return found

    def _moved(self, ways: Network, targets: Numbers, seen: tuple[Floats, Floats]) -> Numbers | None:
        """Spare the targets whose range is seen to be wide as people move; None when no numbers fit."""
        system = self.system
        guess = np.zeros(len(self.low))
        guess[: self.cells] = 0.0 if system.guess is None else system.guess
        if not ways.begin(guess):
            return None
        left = [i for i in targets.tolist() if not ways.widen(i, system.need, upward=system.upward)]
        seen[0][:], seen[1][:] = ways.seen_low[: self.cells], ways.seen_high[: self.cells]
        return np.array(left, np.int64)

    def _let(self, loose: Flags) -> None:
        """Set up the programme: in `loose` equations somebody may be in no group."""
        rests = np.flatnonzero(loose)
        terms = self.system.terms
        self.terms = Terms(
            np.append(terms.row, rests),
            np.append(terms.cell, self.cells + np.arange(len(rests))),
            np.append(terms.sign, np.ones(len(rests))),
            (len(self.rows), self.cells + len(rests)),
        )
        self.low = np.append(self.system.lower, np.zeros(len(rests)))
        self.high = np.append(np.minimum(self.system.upper, self.endless), np.full(len(rests), self.endless))

    def _solve(self, costs: Floats, seen: tuple[Floats, Floats]) -> tuple[Floats, Floats] | None:
        """Find the numbers of least cost, for each of several costs, and what each equation adds to it."""
        from scipy.optimize import linprog

        costs = np.hstack([costs, np.zeros((len(costs), len(self.low) - self.cells))])
        bounds = np.column_stack([self.low, self.high])
        numbers, proofs = [], []
        for some in _batches(len(self.terms.row), len(costs)):
            copies = len(costs[some])
            found = linprog(
                costs[some].ravel(),
                A_eq=_repeat(self.terms, copies),
                b_eq=np.tile(self.system.rhs, copies),
                bounds=np.tile(bounds, (copies, 1)),
                method="highs",
            )
            if found.status != 0:
                return None
            numbers.append(found.x.reshape(copies, -1)[:, : self.cells])
            proofs.append(found.eqlin.marginals.reshape(copies, -1))
        every = np.concatenate(numbers)
        whole = every[(np.abs(every - np.round(every)) < SAME).all(axis=1)]
        if len(whole):
            np.minimum(seen[0], whole.min(axis=0), out=seen[0])
            np.maximum(seen[1], whole.max(axis=0), out=seen[1])
        return every, np.concatenate(proofs)

    def _whole(self, cost: Floats, i: int, otherwise: float) -> float:
        from scipy.optimize import Bounds, LinearConstraint, milp

        found = milp(
            np.append(cost, np.zeros(len(self.low) - self.cells)),
            constraints=LinearConstraint(self.terms.matrix, self.system.rhs, self.system.rhs),
            bounds=Bounds(self.low, self.high),
            integrality=np.ones(len(self.low)),
            options={"node_limit": NODES},
        )
        return float(np.round(found.x[i])) if found.status == 0 else otherwise


def _batches(coefficients: int, copies: int) -> Iterator[slice]:
    """Say which copies of a programme are solved as one."""
    at_once = max(1, BATCH // max(coefficients, 1))
    return (slice(first, first + at_once) for first in range(0, copies, at_once))


def _repeat(terms: Terms, copies: int) -> coo_array:
    """Set copies of a matrix along the diagonal of a larger one."""
    from scipy.sparse import coo_array

    height, width = terms.shape
    step = np.arange(copies)[:, None]
    rows, columns = (step * height + terms.row).ravel(), (step * width + terms.cell).ravel()
    return coo_array((np.tile(terms.sign, copies), (rows, columns)), shape=(copies * height, copies * width))
