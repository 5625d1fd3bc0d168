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

Pairs = tuple["Numbers", "Numbers"]


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
    """Some sums and some families of measures: changes `hidden` and `stuck`.

    By sum and measure it keeps how many people the hidden groups hold together (`people`), and how many of
    the hidden parts are to be protected (`targets`), are small or `large`.
    """

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
        measures = np.flatnonzero((release.family >= families[0]) & (release.family <= families[-1]))
        self.family = release.family[measures] - families[0]
        place = np.ix_(cells, measures)
        state = release.state[place]
        self.there, self.small, self.untold = state != ABSENT, state == SMALL, state == UNTOLD
        ones = abs(self.matrix)
        self.known = (ones @ self.there.astype(float) > 1) & self.there[self.totals]
        self.known &= release.matter[measures]
        self.sensitive = release.sensitive[np.ix_(cells, families)][:, self.family] | self.small | self.untold
        self.base = np.nan_to_num(release.base[place])
        self.counted: Floats | None = None
        self.by_count: Flags = np.zeros(len(measures), bool)
        if release.counted is not None and rule.minimum_count:
            self.by_count = release.by_count[measures]
            self.counted = release.counted[place] if self.by_count.any() else None
        # Of these measures, counts of hidden groups alone do not say that nothing follows.
        self.unclear = self.untold.any(axis=0) | self.by_count
        self.gone = (hidden[:, self.family] | (state >= SMALL)) & self.there
        parts = self.matrix.maximum(0)
        self.people = -np.asarray(self.matrix @ np.where(self.gone, 0.0, self.base))
        self.targets = parts @ (self.gone & self.sensitive).astype(float)
        self.few = parts @ (self.gone & self.small).astype(float)
        self.large = parts @ self.gone.astype(float) - self.few
        # Cells that pass bounds on.
        self.links = np.flatnonzero(np.asarray(ones.sum(axis=0)) > 1)
        self.linked = ones[:, self.links]
        self.across = self.matrix.tocsc()

    def run(self, may: Flags) -> None:
        """Hide until nothing follows."""
        pairs = self._every()
        while True:
            safe = self._clearly_safe(pairs)
            terms = _Terms(self, (pairs[0][~safe], pairs[1][~safe]))
            bad = terms.alone()
            if not bad.any():
                # Nothing follows from one sum alone: look at those that share a hidden cell together.
                shared = self.linked @ self.gone[self.links].astype(float)
                equation, measure = np.nonzero((shared > 0) & self.known)
                terms = _Terms(self, (equation, measure))
                bad = terms.together()
            if not bad.any():
                break
            cell, measure = terms.next_cells(bad, may)
            pairs = self._hide(cell, measure) if len(cell) else self._every()

    def _every(self) -> Pairs:
        """List the sums, by measure, in which anything is hidden."""
        equation, measure = np.nonzero(
            (self.few + self.large + self.gone[self.totals].astype(float) > 0) & self.known
        )
        return equation, measure

    def _hide(self, cell: Numbers, measure: Numbers) -> Pairs:
        """Hide cells in all measures of a family, and list the sums that they are in."""
        self.hidden[cell, self.family[measure]] = True
        rows = np.unique(cell)
        new = self.hidden[np.ix_(rows, self.family)] & self.there[rows] & ~self.gone[rows]
        row, measure = np.nonzero(new)
        cell = rows[row]
        self.gone[cell, measure] = True
        sizes = np.diff(self.across.indptr)[cell]
        place = _places(self.across.indptr[cell], sizes)
        cell, measure = np.repeat(cell, sizes), np.repeat(measure, sizes)
        equation, sign = self.across.indices[place], self.across.data[place]
        pair, at, part = (equation, measure), (cell, measure), sign > 0
        np.add.at(self.people, pair, sign * self.base[at])
        np.add.at(self.targets, pair, part & self.sensitive[at])
        np.add.at(self.few, pair, part & self.small[at])
        np.add.at(self.large, pair, part & ~self.small[at])
        width = len(self.family)
        equation, measure = np.divmod(np.unique(equation.astype(np.int64) * width + measure), width)
        known = self.known[equation, measure]
        return equation[known], measure[known]

    def _clearly_safe(self, pairs: Pairs) -> Flags:
        """Say of which sums nothing follows, from counts of their hidden groups alone.

        Not of all: the rest is looked at term by term.
        """
        least, enough = self.rule.minimum_base, self.rule.enough
        people, small, large = self.people[pairs], self.few[pairs], self.large[pairs]
        alone = np.where(large > 0, 0.0, np.maximum(0.0, people - (small - 1) * (least - 1)))
        of_small = np.minimum(least - 1.0, people - large * least) - alone
        rest = np.where(large > 1, least, np.maximum(least, people - small * (least - 1)))
        of_large = people - (large - 1) * least - rest
        wide = ((small == 0) | (of_small >= enough)) & ((large == 0) | (of_large >= enough))
        fits = (people >= max(least, 1)) & ((large > 0) | (people <= small * (least - 1)))
        safe = (self.targets[pairs] == 0) | (wide & fits)
        whole = self.gone[self.totals[pairs[0]], pairs[1]]
        return np.asarray(safe & ~whole & ~self.unclear[pairs[1]])


class _Terms:
    """The terms of some sums, each for one measure, in one long list: sum after sum.

    What is shown has a number; what follows of the hidden ones is worked out in `_Unknown`.
    """

    def __init__(self, of: _Repair, pairs: Pairs) -> None:
        self.of = of
        equation, measure = pairs
        sizes = np.diff(of.matrix.indptr)[equation]
        self.row = np.repeat(np.arange(len(equation)), sizes)
        place = _places(of.matrix.indptr[equation], sizes)
        self.cell, self.sign = of.matrix.indices[place], of.matrix.data[place]
        self.measure = measure[self.row]
        # Place in the arrays by cell and measure.
        self.at = self.cell * len(of.family) + self.measure
        self.gone = of.gone.ravel()[self.at]
        self.lack = np.zeros(len(equation))
        self.unknown = _Unknown(self, of.people[pairs])

    def alone(self) -> Flags:
        """Say in which sums a hidden cell follows that should not."""
        own, rule = self.unknown, self.of.rule
        low, high, _, odd = bounds_alone(own.row, own.sign, own.lower, own.upper, own.people)
        most, odd_too = own.most()
        total = (own.sign < 0) & own.free
        tight = (own.target | total) & (high - low < rule.enough - SAME) & (high > SAME) & ~odd[own.row]
        few = own.small & (most < rule.minimum_base - SAME) & (most > SAME) & ~odd_too[own.row]
        np.maximum.at(self.lack, own.row, np.where(tight, rule.enough - np.maximum(high - low, 0), 0.0))
        if self.of.counted is not None:
            few |= self._uncounted(self.of.counted, most)
        return own.any(tight | few)

    def _uncounted(self, counted: Floats, most: Floats) -> Flags:
        """Say of which small cells it follows that too few are counted, or left uncounted."""
        of, own = self.of, self.unknown
        shown = np.flatnonzero(of.by_count[self.measure] & ~self.gone)
        count = np.nan_to_num(counted.ravel()[self.at[shown]])
        mine = np.flatnonzero(of.by_count[own.measure])
        found, nought = np.zeros(len(own.row), bool), np.zeros(len(mine))
        for known in (count, of.base.ravel()[self.at[shown]] - count):
            rhs = np.zeros(len(own.people))
            rhs -= np.bincount(self.row[shown], self.sign[shown] * known, len(rhs))
            _, reach, *_ = bounds_alone(own.row[mine], own.sign[mine], nought, nought + np.inf, rhs)
            found[mine] |= own.small[mine] & (reach < (of.rule.minimum_count or 0) - SAME)
        return found & (most > SAME)

    def together(self) -> Flags:
        """Say in which sums a part follows, from all of them together, that should not."""
        own, rule = self.unknown, self.of.rule
        nought = np.zeros(len(own.row))
        low, high = own.pass_on(own.lower, own.upper)
        least, most = own.pass_on(nought, nought + np.inf)
        width = high - low
        tight = own.target & (width < rule.enough - SAME) & (width > -SAME) & (high > SAME)
        few = own.small & (most < rule.minimum_base - SAME) & (most > SAME) & (most > least - SAME)
        np.maximum.at(self.lack, own.row, np.where(tight, rule.enough - width, 0.0))
        return own.any((tight | few) & (own.sign > 0))

    def next_cells(self, bad: Flags, may: Flags) -> Pairs:
        """Choose for each bad sum the next cell to hide.

        That is the smallest part that is enough, and where none is, the largest; then the total. Sums that
        have none left are stuck.
        """
        of = self.of
        free = np.flatnonzero(bad[self.row] & ~self.gone & may[self.cell])
        free = free[of.there.ravel()[self.at[free]]]
        row, cell, last = self.row[free], self.cell[free], float(len(of.order))
        fits = of.base.ravel()[self.at[free]] >= of.rule.minimum_base + self.lack[row]
        rank = of.order[cell].astype(float)
        wish = np.where(self.sign[free] < 0, 3 * last, np.where(fits, rank, 2 * last - rank))
        least = np.full(len(bad), np.inf)
        if len(free):
            first = np.flatnonzero(np.diff(row, prepend=-1))
            least[row[first]] = np.minimum.reduceat(wish, first)
        left = (bad & ~np.isfinite(least))[self.row]
        of.stuck[self.cell[left], of.family[self.measure[left]]] = True
        taken = wish == least[row]
        return cell[taken], self.measure[free[taken]]


class _Unknown:
    """The hidden terms of some sums: `people` is what they hold together, by sum.

    `lower` and `upper` are what the status says of each.
    """

    def __init__(self, terms: _Terms, people: Floats) -> None:
        of, own, self.people = terms.of, np.flatnonzero(terms.gone), people
        self.row, self.sign, self.at = terms.row[own], terms.sign[own], terms.at[own]
        self.measure = terms.measure[own]
        self.free = ~of.stuck[terms.cell[own], of.family[self.measure]]
        small, untold = of.small.ravel()[self.at], of.untold.ravel()[self.at]
        self.target = of.sensitive.ravel()[self.at] & self.free
        self.small = small & self.target
        self.lower = np.where(small | untold, 0.0, of.rule.minimum_base)
        self.upper = np.where(small & ~of.by_count[self.measure], of.rule.minimum_base - 1.0, np.inf)

    def most(self) -> tuple[Floats, Flags]:
        """Bound each term as if nothing were known of any; say which sums do not add up."""
        people, size = self.people, len(self.people)
        whole = np.bincount(self.row, self.sign < 0, size) > 0
        parts = np.bincount(self.row, self.sign > 0, size) > 0
        of_parts, of_whole = np.where(whole, np.inf, people), np.where(parts, np.inf, -people)
        return np.where(self.sign > 0, of_parts[self.row], of_whole[self.row]), ~whole & (people < -SAME)

    def pass_on(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """Bound each term by all sums together."""
        _, first, cell = np.unique(self.at, return_index=True, return_inverse=True)
        low, high = low[first], high[first]
        for _ in range(TURNS):
            least, most, *_ = bounds_alone(self.row, self.sign, low[cell], high[cell], self.people)
            before = low.copy(), high.copy()
            np.maximum.at(low, cell, least)
            np.minimum.at(high, cell, most)
            if (before[0] == low).all() and (before[1] == high).all():
                break
        return low[cell], high[cell]

    def any(self, flags: Flags) -> Flags:
        """Say which sums have such a term."""
        return np.bincount(self.row, flags, len(self.people)) > 0


def _places(first: Numbers, sizes: Numbers) -> Numbers:
    """List the places of runs that begin at `first`, one run after the other."""
    starts = np.cumsum(sizes) - sizes
    return np.asarray(np.arange(sizes.sum()) + np.repeat(first - starts, sizes))
