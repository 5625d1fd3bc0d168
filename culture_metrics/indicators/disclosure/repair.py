"""Look at every sum of a release alone, for all measures at once, and hide one more cell where it takes that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.indicators.disclosure.attack import SAME, bounds_alone
from culture_metrics.indicators.disclosure.release import ABSENT, SMALL

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from culture_metrics.indicators.disclosure.release import Flags, Floats, Numbers, Release
    from culture_metrics.indicators.disclosure.rule import Rule


def repair(release: Release, rule: Rule, equations: Numbers, hidden: Flags, may: Flags) -> tuple[Flags, Flags]:
    """Hide cells until no hidden one follows from a single sum.

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
    In a sum whose total is shown, say the hidden groups hold N respondents together, k of them are small (each
    0 to b - 1, for the minimum base b) and m are not (each at least b). What follows is a range for each:
    `bounds_alone`. With another group of n hidden, that range of a small one is at least n - b + N - m b wide;
    so one group with n >= b + enough - (N - m b) is always enough, and the smallest such one is taken: where
    sums have no cell in common no choice hides fewer. All measures take cells in the same order, so that they
    hide the same ones as far as that goes.
    """
    order = release.order
    hidden, stuck = hidden.copy(), np.zeros_like(hidden)
    matrix = release.structure.matrix[equations]
    sensitive = release.in_families(release.state == SMALL)
    asked = abs(matrix) @ (sensitive & hidden).astype(float) > 0
    known = release.state[release.structure.total[equations]] != ABSENT
    pairs = np.nonzero(asked[:, release.family] & known)
    while len(pairs[0]):
        terms = _Terms(release, rule, matrix, pairs, hidden, sensitive)
        bad = terms.betray()
        pairs = pairs[0][bad], pairs[1][bad]
        if not len(pairs[0]):
            break
        chosen = terms.next_cells(bad, may, order)
        none = chosen < 0
        for pair in np.flatnonzero(none):
            stuck[matrix[[pairs[0][pair]]].indices, release.family[pairs[1][pair]]] = True
        pairs, chosen = (pairs[0][~none], pairs[1][~none]), chosen[~none]
        hidden[chosen, release.family[pairs[1]]] = True
        # Every measure of a family in which something was hidden, and every sum that the cell is in.
        touched = np.zeros_like(hidden)
        touched[chosen, release.family[pairs[1]]] = True
        again = (abs(matrix) @ touched.astype(float) > 0) & (
            abs(matrix) @ (sensitive & hidden & ~stuck).astype(float) > 0
        )
        pairs = np.nonzero(again[:, release.family] & known)
    return hidden, stuck


class _Terms:
    """The terms of some sums, each for one measure, in one long list: sum after sum."""

    def __init__(
        self,
        release: Release,
        rule: Rule,
        matrix: csr_array,
        pairs: tuple[Numbers, Numbers],
        hidden: Flags,
        sensitive: Flags,
    ) -> None:
        equation, measure = pairs
        self.rule, self.pairs = rule, len(equation)
        sizes = np.diff(matrix.indptr)[equation]
        self.pair = np.repeat(np.arange(self.pairs), sizes)
        first = np.cumsum(sizes) - sizes
        place = np.arange(sizes.sum()) + np.repeat(matrix.indptr[equation] - first, sizes)
        self.cell, self.sign, self.first = matrix.indices[place], matrix.data[place], first
        self.measure, self.family = measure[self.pair], release.family[measure][self.pair]
        state = release.state[self.cell, self.measure]
        self.there, self.small = state != ABSENT, state == SMALL
        self.hidden = hidden[self.cell, self.family] & self.there
        self.sensitive = sensitive[self.cell, self.family] & self.hidden
        self.base = np.nan_to_num(release.base[self.cell, self.measure])
        self.counted = None
        if release.counted is not None:
            self.counted = release.counted[self.cell, self.measure]
            self.by_count = ~np.isnan(release.counted).all(axis=0)[self.measure]

    def sums(self, values: Floats) -> Floats:
        """Add up the terms of each sum."""
        return np.bincount(self.pair, values, self.pairs)

    def betray(self) -> Flags:
        """Say in which sums a hidden cell follows that should not, and keep how much they lack."""
        rule, gone = self.rule, self.hidden
        row, sign, small = self.pair[gone], self.sign[gone], self.small[gone]
        rhs = -self.sums(np.where(gone, 0.0, self.sign * self.base))
        nothing, endless = np.zeros(len(row)), np.full(len(row), np.inf)
        by_count = small & (self.by_count[gone] if self.counted is not None else False)
        lower = np.where(small, 0.0, rule.minimum_base)
        upper = np.where(small & ~by_count, rule.minimum_base - 1.0, np.inf)
        low, high, _, odd = bounds_alone(row, sign, lower, upper, rhs)
        _, most, _, odd_too = bounds_alone(row, sign, nothing, endless, rhs)
        tight = self.sensitive[gone] & (high - low < rule.enough - SAME) & (high > SAME)
        tight &= ~odd[row]
        pool = small & (most < rule.minimum_base - SAME) & (most > SAME) & ~odd_too[row]
        bad = (self.sums_of(gone, tight) > 0) | (self.sums_of(gone, pool) > 0)
        width = np.where(tight, high - low, np.inf)
        self.lack = np.zeros(self.pairs)
        np.maximum.at(self.lack, row, np.where(tight, rule.enough - width, 0.0))
        if self.counted is not None and rule.minimum_count:
            counted = -self.sums(np.where(gone, 0.0, self.sign * np.nan_to_num(self.counted)))
            for total in (counted, rhs - counted):
                _, reach, *_ = bounds_alone(row, sign, nothing, endless, total)
                few = by_count & (reach < rule.minimum_count - SAME) & (most > SAME)
                bad |= self.sums_of(gone, few) > 0
        return np.asarray(bad)

    def sums_of(self, gone: Flags, flags: Flags) -> Floats:
        """Count flags of hidden terms by sum."""
        return np.bincount(self.pair[gone], flags, self.pairs)

    def next_cells(self, bad: Flags, may: Flags, order: Numbers) -> Numbers:
        """Choose for each bad sum the next cell to hide; -1 where none is left."""
        free = bad[self.pair] & self.there & ~self.hidden & may[self.cell]
        fits = self.base >= self.rule.minimum_base + self.lack[self.pair]
        rank = order[self.cell].astype(float)
        # The smallest that is enough; where none is, the largest.
        last = float(len(order))
        wish = np.where(free, np.where(fits, rank, 2 * last - rank), np.inf)
        least = np.minimum.reduceat(wish, self.first)
        taken = np.flatnonzero((wish == least[self.pair]) & np.isfinite(wish))
        chosen = np.full(self.pairs, -1)
        chosen[self.pair[taken]] = self.cell[taken]
        return chosen[bad]
