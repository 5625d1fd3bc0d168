"""Hide in closed form, for all measures at once: single breakdowns, and breakdowns within others."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.disclosure.attack import SAME, bounds_alone
from culture_metrics.disclosure.release import ABSENT, SMALL, UNTOLD
from culture_metrics.threads import in_threads

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from culture_metrics.disclosure.release import Flags, Floats, Numbers, Release
    from culture_metrics.disclosure.rule import Rule

#: So many cells × measures are looked at together.
AT_ONCE = 1_000_000
#: Bounds are passed on so often from sum to sum; breakdowns within others need one turn a level, up and down.
TURNS = 4

Pairs = tuple["Numbers", ...]


def repair(
    release: Release, rule: Rule, equations: Numbers, hidden: Flags, may: Flags
) -> tuple[Flags, Flags]:
    """Hide one more cell in every sum that gives a hidden one away, until none does.

    Parameters
    ----------
    release : Release
        With its small cells marked.
    rule : Rule
        The rule.
    equations : array
        The sums to look at.
    hidden : array of bool
        What is hidden, by cell and family.
    may : array of bool
        Cells that may be hidden.

    Returns
    -------
    hidden, stuck : array of bool
        What is hidden then; the cells and families for which no cell was left to hide.

    Notes
    -----
    In a sum whose total is shown, say the hidden groups hold N respondents together, k of them are small
    (each 0 to b - 1, for the minimum base b) and m are not (each at least b). What follows is a range for
    each: `bounds_alone`. With another group of n hidden, that range of a small one is at least n - b + N - m
    b wide; so one group with n >= b + enough - (N - m b) is always enough, and the smallest such one is
    taken: where sums have no cell in common no choice hides fewer. All measures take cells in the same order,
    so that they hide the same ones as far as that goes.

    Where a hidden total is a sum itself, it is seen to that it does not follow from its parts, and bounds are
    passed on from sum to sum. That is all that follows unless sums form a ring, as in crosses of breakdowns.
    """
    hidden, stuck = hidden.copy(), np.zeros_like(hidden)
    matrix = release.structure.matrix[equations]
    cells = np.unique(matrix.indices)
    matrix, totals = matrix[:, cells], np.searchsorted(cells, release.structure.total[equations])
    step = max(1, AT_ONCE * release.families // max(len(cells) * release.base.shape[1], 1))

    def work(families: Numbers) -> None:
        some = np.ix_(cells, families)
        part = _Repair(release, rule, (matrix, totals, cells), families, hidden[some])
        part.run(may[cells])
        hidden[some], stuck[some] = part.hidden, part.stuck

    every = np.arange(release.families)
    in_threads([partial(work, every[first : first + step]) for first in range(0, len(every), step)])
    return hidden, stuck


class _Repair:
    """Some sums and some families of measures: changes `hidden` and `stuck`."""

    def __init__(
        self,
        release: Release,
        rule: Rule,
        sums: tuple[csr_array, Numbers, Numbers],
        families: Numbers,
        hidden: Flags,
    ) -> None:
        self.matrix, self.totals, cells = sums
        self.rule, self.hidden, self.stuck = rule, hidden, np.zeros_like(hidden)
        self.order = np.argsort(np.argsort(release.order[cells]))
        self.ones, self.parts = abs(self.matrix), self.matrix.maximum(0)
        measures = np.flatnonzero((release.family >= families[0]) & (release.family <= families[-1]))
        self.family = release.family[measures] - families[0]
        place = np.ix_(cells, measures)
        state = release.state[place]
        self.there, self.small, self.untold = state != ABSENT, state == SMALL, state == UNTOLD
        several = self.ones @ self.there.astype(float) > 1
        self.known = several & self.there[self.totals]
        self.sensitive = release.sensitive[np.ix_(cells, families)][:, self.family] | self.small | self.untold
        self.matter = release.matter[measures]
        self.base = np.nan_to_num(release.base[place])
        self.counted: Floats | None = None
        self.by_count: Flags = np.zeros(len(measures), bool)
        if release.counted is not None and rule.minimum_count:
            self.by_count = release.by_count[measures]
            self.counted = release.counted[place] if self.by_count.any() else None
        # What is known of every base: by what it is and its status, and by what it is alone.
        self.gone = (hidden[:, self.family] | (state >= SMALL)) & self.there
        self.lower, self.upper = self.base.copy(), self.base.copy()
        self.least, self.most = self.base.copy(), self.base.copy()
        self._open(self.gone)
        # Cells that pass bounds on.
        self.links = np.asarray(self.ones.sum(axis=0)) > 1

    def _open(self, cells: Flags) -> None:
        place = np.flatnonzero(cells)
        small, untold = self.small.ravel()[place], self.untold.ravel()[place]
        few = small & ~self.by_count[place % cells.shape[1]]
        self.lower.ravel()[place] = np.where(small | untold, 0.0, self.rule.minimum_base)
        self.upper.ravel()[place] = np.where(few, self.rule.minimum_base - 1.0, np.inf)
        self.least.ravel()[place], self.most.ravel()[place] = 0.0, np.inf

    def run(self, may: Flags) -> None:
        """Hide until nothing follows."""
        touched = self.gone
        while True:
            terms = _Terms(self, np.nonzero(self._with(touched) & ~self._clearly_safe()))
            bad = terms.alone()
            if not bad.any():
                # Nothing follows from one sum alone: look at those that share a hidden cell together.
                terms = _Terms(self, np.nonzero(self._with(self.gone & self.links[:, None])))
                bad = terms.together()
            if not bad.any():
                break
            cell, measure = terms.next_cells(bad, may)
            self.hidden[cell, self.family[measure]] = True
            touched = self.hidden[:, self.family] & self.there & ~self.gone
            self.gone |= touched
            self._open(touched)
            if not len(cell):
                touched = self.gone

    def _with(self, flags: Flags) -> Flags:
        """Say which sums, by measure, have such a cell, where the measure has anything to protect."""
        return np.asarray((self.ones @ (flags & self.matter).astype(float) > 0) & self.known)

    def _clearly_safe(self) -> Flags:
        """Say of which sums, by measure, nothing follows, from counts of their hidden groups alone.

        Not of all: the rest is looked at term by term.
        """
        least, enough = self.rule.minimum_base, self.rule.enough
        people = -(self.matrix @ np.where(self.gone, 0.0, self.base))
        targets = self.parts @ (self.gone & self.sensitive).astype(float)
        small = self.parts @ (self.gone & self.small).astype(float)
        large = self.parts @ self.gone.astype(float) - small
        alone = np.where(large > 0, 0.0, np.maximum(0.0, people - (small - 1) * (least - 1)))
        of_small = np.minimum(least - 1.0, people - large * least) - alone
        rest = np.where(large > 1, least, np.maximum(least, people - small * (least - 1)))
        of_large = people - (large - 1) * least - rest
        wide = ((small == 0) | (of_small >= enough)) & ((large == 0) | (of_large >= enough))
        fits = (people >= max(least, 1)) & ((large > 0) | (people <= small * (least - 1)))
        safe = (targets == 0) | (wide & fits)
        told = ~self.untold.any(axis=0)
        return np.asarray(safe & ~self.gone[self.totals] & told & ~self.by_count)


class _Terms:
    """The terms of some sums, each for one measure, in one long list: sum after sum."""

    def __init__(self, of: _Repair, pairs: Pairs) -> None:
        self.of, self.pairs = of, pairs
        equation, measure = pairs
        sizes = np.diff(of.matrix.indptr)[equation]
        self.row = np.repeat(np.arange(len(equation)), sizes)
        self.first = np.cumsum(sizes) - sizes
        place = np.arange(sizes.sum()) + np.repeat(of.matrix.indptr[equation] - self.first, sizes)
        self.cell, self.sign, self.measure = (
            of.matrix.indices[place],
            of.matrix.data[place],
            measure[self.row],
        )
        # Place in the arrays by cell and measure.
        self.at = self.cell * len(of.family) + self.measure
        self.nought = np.zeros(len(equation))
        family = of.family[self.measure]
        self.gone = of.gone.ravel()[self.at]
        self.free = ~of.stuck[self.cell, family]
        self.target = of.sensitive.ravel()[self.at] & self.gone & self.free
        self.small = of.small.ravel()[self.at] & self.target
        self.lack = np.zeros(len(equation))

    def alone(self) -> Flags:
        """Say in which sums a hidden cell follows that should not."""
        of, rule = self.of, self.of.rule
        low, high, _, odd = self._bounds(of.lower.ravel(), of.upper.ravel())
        most, odd_too = self._most()
        total = (self.sign < 0) & self.gone & self.free
        tight = (self.target | total) & (high - low < rule.enough - SAME) & (high > SAME) & ~odd[self.row]
        few = self.small & (most < rule.minimum_base - SAME) & (most > SAME) & ~odd_too[self.row]
        bad = self._any(tight | few)
        np.maximum.at(self.lack, self.row, np.where(tight, rule.enough - np.maximum(high - low, 0), 0.0))
        if of.counted is not None:
            bad |= self._any(self._uncounted(of.counted, most))
        return bad

    def _uncounted(self, counted: Floats, most: Floats) -> Flags:
        """Say of which small cells it follows that too few are counted, or left uncounted."""
        of, found = self.of, np.zeros(len(self.row), bool)
        own = np.flatnonzero(of.by_count[self.measure])
        row, sign, gone, at = self.row[own], self.sign[own], self.gone[own], self.at[own]
        count = np.where(gone, 0.0, np.nan_to_num(counted.ravel()[at]))
        for known in (count, np.where(gone, 0.0, of.base.ravel()[at]) - count):
            _, reach, *_ = bounds_alone(row, sign, known, np.where(gone, np.inf, known), self.nought)
            short = self.small[own] & (reach < (of.rule.minimum_count or 0) - SAME) & (most[own] > SAME)
            found[own] |= short
        return found

    def _most(self) -> tuple[Floats, Flags]:
        """Bound each term as if nothing were known of the hidden ones; say which sums do not add up."""
        size = len(self.nought)
        people = -np.bincount(
            self.row, np.where(self.gone, 0.0, self.sign * self.of.base.ravel()[self.at]), size
        )
        whole = np.bincount(self.row, self.gone & (self.sign < 0), size) > 0
        parts = np.bincount(self.row, self.gone & (self.sign > 0), size) > 0
        of_parts, of_whole = np.where(whole, np.inf, people), np.where(parts, np.inf, -people)
        return np.where(self.sign > 0, of_parts[self.row], of_whole[self.row]), ~whole & (people < -SAME)

    def together(self) -> Flags:
        """Say in which sums a part follows, from all of them together, that should not."""
        of, rule = self.of, self.of.rule
        wide, far = (
            self._pass_on(of.lower.ravel(), of.upper.ravel()),
            self._pass_on(of.least.ravel(), of.most.ravel()),
        )
        width = wide[1] - wide[0]
        tight = self.target & (width < rule.enough - SAME) & (width > -SAME) & (wide[1] > SAME)
        few = self.small & (far[1] < rule.minimum_base - SAME) & (far[1] > SAME) & (far[1] > far[0] - SAME)
        np.maximum.at(self.lack, self.row, np.where(tight, rule.enough - width, 0.0))
        return self._any((tight | few) & (self.sign > 0))

    def _pass_on(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Bound each term by all sums together; `low` and `high` are lent and given back as they were."""
        lent = low[self.at], high[self.at]
        for _ in range(TURNS):
            least, most, *_ = self._bounds(low, high)
            before = low[self.at], high[self.at]
            np.maximum.at(low, self.at, least)
            np.minimum.at(high, self.at, most)
            if (before[0] == low[self.at]).all() and (before[1] == high[self.at]).all():
                break
        found = low[self.at], high[self.at]
        low[self.at], high[self.at] = lent
        return found

    def _bounds(self, low: Floats, high: Floats) -> tuple[Floats, Floats, Flags, Flags]:
        return bounds_alone(self.row, self.sign, low[self.at], high[self.at], self.nought)

    def _any(self, flags: Flags) -> Flags:
        return np.bincount(self.row, flags, len(self.nought)) > 0

    def next_cells(self, bad: Flags, may: Flags) -> Pairs:
        """Choose for each bad sum the next cell to hide.

        That is the smallest part that is enough, and where none is, the largest; then the total. Sums that
        have none left are stuck.
        """
        of = self.of
        free = bad[self.row] & of.there.ravel()[self.at] & ~self.gone & may[self.cell]
        fits = of.base.ravel()[self.at] >= of.rule.minimum_base + self.lack[self.row]
        rank, last = of.order[self.cell].astype(float), float(len(of.order))
        wish = np.where(self.sign < 0, 3 * last, np.where(fits, rank, 2 * last - rank))
        wish = np.where(free, wish, np.inf)
        least = np.minimum.reduceat(wish, self.first)
        taken = np.flatnonzero((wish == least[self.row]) & free)
        left = (bad & ~np.isfinite(least))[self.row]
        of.stuck[self.cell[left], of.family[self.measure[left]]] = True
        return self.cell[taken], self.measure[taken]
