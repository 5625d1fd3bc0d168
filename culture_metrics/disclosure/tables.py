"""Tables that hang together, and what somebody outside can write down about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.disclosure.attack import SAME, System, bounds_alone
from culture_metrics.disclosure.release import ABSENT, OPEN, SMALL, UNTOLD
from culture_metrics.disclosure.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scipy.sparse import csr_array

    from culture_metrics.disclosure.release import Flags, Numbers, Release
    from culture_metrics.disclosure.rule import Rule
    from culture_metrics.disclosure.structure import Structure


@dataclass(frozen=True)
class Sums:
    """Some equations of a release: the `cells` they are about, their `terms`, and the place of each total."""

    cells: Numbers
    terms: Terms
    totals: Numbers

    @classmethod
    def of(cls, structure: Structure, equations: Numbers) -> Sums:
        """Take equations out of a structure."""
        matrix = structure.matrix[equations]
        cells = np.unique(matrix.indices)
        return cls(cells, Terms.of(matrix[:, cells]), np.searchsorted(cells, structure.total[equations]))

    @cached_property
    def across(self) -> csr_array:
        """Cells by equations: 1 for the parts, -1 for the total."""
        return self.terms.matrix.T.tocsr()

    @cached_property
    def ones(self) -> csr_array:
        """Equations by cells: 1 for whatever is in the equation."""
        return abs(self.terms.matrix).tocsr()


class Tables:
    """Some sums of a release for one family of measures, hidden in the same cells.

    Attributes are by cell, and by measure of the family. Unless it is `told` why cells are hidden, nobody
    knows which are the small ones.
    """

    def __init__(
        self,
        release: Release,
        sums: Sums,
        family: int,
        rule: Rule,
        *,
        half: float = 0.0,
        told: bool = True,
    ) -> None:
        self.sums, self.rule, self.half, self.told = sums, rule, half, told
        self.listed = sums.cells < release.listed
        self.measures = np.flatnonzero(release.family == family)
        place = np.ix_(sums.cells, self.measures)
        state = release.state[place]
        self.there, self.small, self.open = state != ABSENT, state == SMALL, state == OPEN
        self.gone, self.untold = state >= SMALL, state == UNTOLD
        self.sensitive = release.sensitive[sums.cells, family][:, None] | self.small | self.open | self.untold
        self.base = np.nan_to_num(release.base[place])
        self.counted = None if release.counted is None else release.counted[place]
        self.usable = (sums.ones @ self.there.astype(float) > 1) & self.there[sums.totals]

    def systems(self, hidden: Flags) -> Iterator[tuple[int, System, Numbers, Numbers]]:
        """Write down what is known when these cells are hidden: by measure, with the equations and cells."""
        rule, terms = self.rule, self.sums.terms
        for measure, there in self._views():
            rows = np.flatnonzero(self.usable[:, measure])
            gone = (hidden | self.gone[:, measure]) & there
            if not (self.sensitive[:, measure] & gone).any():
                continue
            # Rounded figures are unknown too, within narrow bounds.
            unknown = gone | (there & (self.half > 0))
            columns, shown = np.flatnonzero(unknown), np.flatnonzero(there & ~unknown)
            gone, base = gone[columns], self.base[columns, measure]
            untold = gone & (self.untold[columns, measure] | (not self.told))
            small, opened = self.small[columns, measure] & ~untold, self.open[columns, measure]
            known = terms.take(rows, shown)
            system = System(
                terms=terms.take(rows, columns),
                rhs=-known.times(self.base[shown, measure]),
                lower=np.where(gone, 0.0, base - self.half),
                upper=np.where(gone, np.inf, base + self.half),
                targets=small | opened | untold,
                need=rule.minimum_base,
                upward=True,
                guess=base,
            )
            yield measure, system, rows, columns
            counts = None if self.counted is None else self.counted[:, measure]
            by_count = counts is not None and not np.isnan(counts).all()
            by_status = replace(
                system,
                lower=np.where(gone & ~small & ~opened & ~untold, rule.minimum_base, system.lower),
                upper=np.where(small & (not by_count), rule.minimum_base - 1.0, system.upper),
                targets=(self.sensitive[columns, measure] | untold) & gone,
                need=rule.enough,
                upward=False,
            )
            yield measure, by_status, rows, columns
            if counts is None or not by_count or not rule.minimum_count or self.half:
                continue
            somebody = (small | untold) & ~_empty(system)
            counted = -known.times(np.nan_to_num(counts[shown]))
            for rhs in (counted, system.rhs - counted):
                short = replace(system, rhs=rhs, targets=somebody, need=rule.minimum_count, nobody=False)
                yield measure, short, rows, columns

    def _views(self) -> Iterator[tuple[int, Flags]]:
        """List the measures with the cells that are there: as it is, and as it looks with nobody unlisted."""
        for measure in range(len(self.measures)):
            there = self.there[:, measure]
            yield measure, there
            if there[~self.listed].any():
                yield measure, there & self.listed


def _empty(system: System) -> Flags:
    """Say which cells nobody can be in, as one equation shows."""
    cell = system.terms.cell
    _, high, *_ = bounds_alone(
        system.terms.row, system.terms.sign, system.lower[cell], system.upper[cell], system.rhs
    )
    empty = np.zeros(len(system.lower), bool)
    empty[cell[high <= SAME]] = True
    return empty
