"""Tables that hang together, and what somebody outside can write down about them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.indicators.disclosure.attack import SAME, System, bounds_alone
from culture_metrics.indicators.disclosure.release import ABSENT, SMALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scipy.sparse import csr_array

    from culture_metrics.indicators.disclosure.release import Flags, Numbers, Release
    from culture_metrics.indicators.disclosure.rule import Rule


class Tables:
    """Some equations of a release for one family of measures, hidden in the same cells.

    `cells` are those that the equations are about. Other attributes are by cell, and by measure of the
    family.
    """

    def __init__(self, release: Release, equations: Numbers, family: int, rule: Rule) -> None:
        matrix = release.structure.matrix[equations]
        self.cells = np.unique(matrix.indices)
        self.matrix: csr_array = matrix[:, self.cells]
        totals = np.searchsorted(self.cells, release.structure.total[equations])
        self.rule, self.measures = rule, np.flatnonzero(release.family == family)
        place = np.ix_(self.cells, self.measures)
        state = release.state[place]
        self.there, self.small, self.gone = state != ABSENT, state == SMALL, state >= SMALL
        self.sensitive = release.sensitive[self.cells, family][:, None] | self.small
        self.base = np.nan_to_num(release.base[place])
        self.counted = None if release.counted is None else release.counted[place]
        self.usable = self.there[totals]

    def systems(self, hidden: Flags) -> Iterator[tuple[int, System, Numbers, Numbers]]:
        """Write down what is known when these cells are hidden: by measure, with the equations and cells."""
        rule = self.rule
        for measure in range(len(self.measures)):
            rows = np.flatnonzero(self.usable[:, measure])
            gone = (hidden | self.gone[:, measure]) & self.there[:, measure]
            columns, small = np.flatnonzero(gone), self.small[gone, measure]
            if not self.sensitive[gone, measure].any():
                continue
            matrix, shown = self.matrix[rows], np.flatnonzero(~gone)
            unknown, known = matrix[:, columns], matrix[:, shown]
            nothing, endless = np.zeros(len(columns)), np.full(len(columns), np.inf)
            system = System(
                matrix=unknown,
                rhs=-(known @ self.base[shown, measure]),
                lower=nothing,
                upper=endless,
                targets=small,
                need=rule.minimum_base,
                upward=True,
            )
            yield measure, system, rows, columns
            counts = None if self.counted is None else self.counted[:, measure]
            by_count = counts is not None and not np.isnan(counts).all()
            yield (
                measure,
                replace(
                    system,
                    lower=np.where(small, 0.0, rule.minimum_base),
                    upper=np.where(small & (not by_count), rule.minimum_base - 1.0, np.inf),
                    targets=self.sensitive[gone, measure],
                    need=rule.enough,
                    upward=False,
                ),
                rows,
                columns,
            )
            if counts is None or not by_count or not rule.minimum_count:
                continue
            somebody = small & ~_empty(system)
            counted = -(known @ np.nan_to_num(counts[shown]))
            for rhs in (counted, system.rhs - counted):
                yield (
                    measure,
                    replace(system, rhs=rhs, targets=somebody, need=rule.minimum_count, nobody=False),
                    rows,
                    columns,
                )


def _empty(system: System) -> Flags:
    """Say which cells nobody can be in, as one equation shows."""
    entries = system.matrix.tocoo()
    cell = entries.col
    _, high, *_ = bounds_alone(entries.row, entries.data, system.lower[cell], system.upper[cell], system.rhs)
    empty = np.zeros(len(system.lower), bool)
    empty[cell[high <= SAME]] = True
    return empty
