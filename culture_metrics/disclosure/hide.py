"""Choose what to hide: small cells, and as many others as it takes that none of them follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.disclosure.choose import OPTIMAL_UP_TO, TIES, choose
from culture_metrics.disclosure.release import SECONDARY, SHOWN, SMALL, UNTOLD
from culture_metrics.disclosure.repair import repair
from culture_metrics.disclosure.tables import Sums, Tables
from culture_metrics.errors import CultureMetricsWarning, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from culture_metrics.disclosure.release import Flags, Numbers, Release
    from culture_metrics.disclosure.rule import Rule

#: Hiding a total costs as much as hiding so many of the cells it is the sum of.
TOTAL = 10.0
#: Above so many cells × families of measures, all that adds up in two ways is solved sum by sum.
CELLS = 50_000


def hide(release: Release, rule: Rule) -> NDArray[np.int8]:
    """Say what is hidden and why, by cell and measure: `SHOWN`, `SMALL`, `SECONDARY`, `UNTOLD`."""
    found = _Hiding(release, rule)
    if len(release.structure.total) and (release.state >= SMALL).any():
        found.run()
    # A measure can stand in several rows: what is hidden in one is hidden in all.
    gone = found.hidden[:, release.family] | (release.state >= SMALL)
    why = np.where(gone, np.int8(SECONDARY), np.int8(SHOWN))
    why[release.state == SMALL] = SMALL
    why[gone & found.untold[:, release.family]] = UNTOLD
    return why


class _Hiding:
    """What is hidden so far, by cell and family.

    `stuck` marks where something follows all the same; `untold` where nobody may learn which cells are small.
    """

    def __init__(self, release: Release, rule: Rule) -> None:
        self.release, self.structure, self.rule = release, release.structure, rule
        self.hidden = release.hidden.copy()
        self.stuck, self.untold = np.zeros_like(self.hidden), np.zeros_like(self.hidden)
        self.every = np.arange(len(self.structure.total))
        self.anything = np.ones(len(self.hidden), bool)

    def run(self) -> None:
        """Hide what it takes; whole organisations only where nothing else helps."""
        structure, every, inner = self.structure, self.every, ~self.structure.top
        self._repair(every[structure.flat], inner)
        # Whole organisations first: with one of them hidden, all its breakdowns hang together.
        of_tops = structure.top[structure.part[np.searchsorted(structure.equation, every)]]
        for equations in _islands(structure.islands(structure.top), of_tops):
            self._search(equations[of_tops[equations]], structure.top)
        loose = structure.top & self.hidden.any(axis=1)
        label = structure.islands(inner | loose)
        wanted = np.isin(label, label[~of_tops & (~structure.flat | loose[structure.total])])
        tree = structure.trees(label, inner | loose)
        self._repair(every[wanted & tree], inner)
        wanted &= ~tree
        islands = list(_islands(label, wanted))
        size = sum(len(np.unique(structure.matrix[equations].indices)) for equations in islands)
        if size * self.release.families > CELLS:
            self._hide_sum_by_sum()
            return
        for equations in islands:
            self._search(equations, inner)
        if self.stuck.any():
            self._hide_more()

    def _hide_more(self) -> None:
        """Begin again where something follows all the same: whole organisations may go, then the reasons."""
        label = self.structure.islands(self.anything)
        trees = self.structure.trees(label, self.anything)
        begun = [equations for equations, _ in self._begin_again(label, trees)]
        if begun:
            self._repair(np.concatenate(begun), self.anything)
        for equations, families in self._begin_again(label):
            self._search(equations, self.anything, families)
        for equations, families in self._begin_again(label):
            self._search(equations, self.anything, families, told=False)
        if self.stuck.any():
            warn(
                "Some small groups follow from what must stay, whatever is hidden: "
                "cm.disclosure.audit_disclosure names them. Leave out a breakdown or a cross.",
                CultureMetricsWarning,
            )

    def _begin_again(self, label: Numbers, where: Flags | None = None) -> Iterator[tuple[Numbers, Numbers]]:
        """Take back what was hidden in stuck families; list their equations, island by island, and them."""
        stuck = np.asarray(abs(self.structure.matrix) @ self.stuck.any(axis=1).astype(float)) > 0
        for equations in _islands(label, stuck if where is None else stuck & where):
            cells = np.unique(self.structure.matrix[equations].indices)
            families = np.flatnonzero(self.stuck[cells].any(axis=0))
            place = np.ix_(cells, families)
            self.hidden[place], self.stuck[place] = self.release.hidden[place], False
            yield equations, families

    def _repair(self, equations: Numbers, may: Flags) -> None:
        self.hidden, stuck = repair(self.release, self.rule, equations, self.hidden, may)
        self.stuck |= stuck

    def _hide_sum_by_sum(self) -> None:
        """Hide what it takes that nothing follows from any sum; rings of sums are not searched."""
        self.stuck[:] = False
        self._repair(self.every, ~self.structure.top)
        if self.stuck.any():
            self._repair(self.every, self.anything)
        warn(
            "This release is too large to search all that adds up in two ways: nothing follows from any of "
            "its sums; whether anything follows from several put together is for "
            "cm.disclosure.audit_disclosure to say.",
            CultureMetricsWarning,
        )

    def _search(
        self, equations: Numbers, may: Flags, families: Numbers | None = None, *, told: bool = True
    ) -> None:
        """Hide what it takes in equations that hang together, family by family.

        The pattern of the release's first family is tried on the others, so that they hide the same cells as
        far as that goes. What is hidden in a family depends on nothing else that is published.
        """
        release, sums = self.release, Sums.of(self.structure, equations)
        cells = sums.cells
        if families is None:
            families = np.unique(release.family[release.to_protect[cells].any(axis=0)])
        if may[cells].sum() > OPTIMAL_UP_TO:
            self.hidden, _ = repair(release, self.rule, equations, self.hidden, may)
        size = release.size[cells]
        cost = TOTAL ** np.minimum(self.structure.depth[cells], 3) + TIES * size / max(size.sum(), 1.0)
        tried: list[Flags] = []
        for family in families:
            tables = Tables(release, sums, int(family), self.rule, told=told)
            before = self.hidden[cells, family]
            after, safe = choose(tables, before, may[cells] & tables.there.any(axis=1), cost, tried)
            added = after & ~before
            if family == 0 and added.any():
                tried = [added]
            self.hidden[cells, family] = after
            self.stuck[cells, family] |= not safe
            self.untold[cells, family] |= not told


def _islands(label: Numbers, wanted: Flags) -> Iterable[Numbers]:
    """Split equations by the island they are on; only islands with a wanted equation."""
    inside = np.flatnonzero(np.isin(label, label[wanted]))
    order = inside[np.argsort(label[inside], kind="stable")]
    return np.split(order, np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []
