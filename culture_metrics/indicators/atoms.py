"""Atoms: respondents alike in all breakdowns at hand, and how many of them answered each question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.contract import ALL
from culture_metrics.disclosure.decision import Table
from culture_metrics.disclosure.people import WHOLE, People

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.answers import Answers
    from culture_metrics.indicators.cells import Cells

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]


def tables_of(cells: Cells, *, together: bool) -> list[Table]:
    """Return the tables that cells belong to, the whole first; those without a group are left out."""
    of_part = np.append(cells.pieces.of[cells.parts.of], -1)
    found = []
    for block in cells.blocks:
        of = of_part[cells.part_of(block)]
        here = np.flatnonzero(np.bincount(of + 1)[1:])
        number = np.full(cells.keys.height + 1, -1)
        number[here] = np.arange(len(here))
        if len(here):
            found.append(Table(together, cells.keys[here], number[of]))
    return sorted(found, key=lambda table: table.name != ALL)


@dataclass(frozen=True)
class Atoms:
    """Respondents of one organisation, or of all, by what they are alike in.

    Attributes
    ----------
    member : array
        Atoms × tables: the cell, -1 for none.
    weight : array
        Atoms × weights.
    respondents, of : array
        Who they are, and the atom of each.
    """

    member: Numbers
    weight: Floats
    respondents: Numbers
    of: Numbers

    def cells(self, table: int) -> Numbers:
        """Return the cells of a table that somebody is in."""
        found = np.unique(self.member[:, table])
        return found[found >= 0]

    def groups(self, table: int, weight: int | None = None) -> Floats:
        """Cells × atoms: 1 where the cell holds the atom, or its weight."""
        holds = self.member[:, table] == self.cells(table)[:, None]
        return np.asarray(holds * (1.0 if weight is None else self.weight[:, weight]), np.float64)

    @cached_property
    def nested(self) -> bool:
        """Whether a table of several groups lies within another: each of its groups in one group of that."""
        for fine, coarse in permutations(range(self.member.shape[1]), 2):
            pairs = np.unique(self.member[:, [fine, coarse]][self.member[:, fine] >= 0], axis=0)
            groups = len(np.unique(pairs[:, 0]))
            if groups > 1 and len(np.unique(pairs[:, 1])) > 1 and len(pairs) == groups:
                return True
        return False

    def counts(self, there: Flags) -> Floats:
        """Count respondents by atom and measure; `there` says who answered, respondents × measures."""
        order = np.argsort(self.of, kind="stable")
        first = np.searchsorted(self.of[order], np.arange(len(self.member)))
        return np.add.reduceat(there[self.respondents[order]].astype(np.int32), first).astype(float)

    def people(
        self,
        layers: Sequence[tuple[int, int | None]],
        bases: tuple[Flags, Numbers],
        sides: tuple[Flags, Numbers] | None = None,
    ) -> People:
        """Set tables, shown with everyone counted once or with a weight, beside who answered, and how.

        Parameters
        ----------
        layers : sequence of (int, int or None)
            Table, and weight; none where everyone counts once.
        bases : (array of bool, array)
            Respondents × measures: who answered, everyone first; and the family of each measure.
        sides : (array of bool, array), optional
            As in `answered`, and the family of each.
        """
        if sides is None:
            sides = np.empty((len(bases[0]), 0), bool), np.empty(0, np.int64)
        counts, family = self.counts(bases[0]), bases[1]
        plain = [self.groups(table) for table, _ in layers]
        groups = [
            holds if weight is None else self.groups(table, weight)
            for holds, (table, weight) in zip(plain, layers, strict=True)
        ]
        # Weighted figures are hidden first, whole organisations last.
        cost = np.concatenate(
            [
                holds @ counts[:, 0] * (1.0 if weight is None else 0.5)
                for holds, (_, weight) in zip(plain, layers, strict=True)
            ]
        )
        cost = np.where(cost < counts[:, 0].sum() / 2, cost, cost + WHOLE)
        of = [table if weight is None else -1 - i for i, (table, weight) in enumerate(layers)]
        tables = np.repeat(of, [len(part) for part in groups])
        return People(np.vstack(groups), counts, family, self.counts(sides[0]), sides[1], cost, tables)


def atoms_of(tables: Sequence[Table], weights: Sequence[Floats], organisation: Numbers) -> Iterator[Atoms]:
    """Find the atoms of each organisation; of all as one where a table has them together."""
    if any(table.together for table in tables):
        organisation = np.zeros_like(organisation)
    order = np.argsort(organisation, kind="stable")
    for who in np.split(order, np.flatnonzero(np.diff(organisation[order])) + 1):
        yield atoms_among(who, tables, weights)


def atoms_among(who: Numbers, tables: Sequence[Table], weights: Sequence[Floats]) -> Atoms:
    """Find the atoms of some respondents."""
    member = np.stack([table.of[who] for table in tables], axis=1)
    weight = np.stack([np.ones(len(who)), *(each[who] for each in weights)], axis=1)[:, 1:]
    codes = [np.unique(column, return_inverse=True)[1].reshape(-1) for column in weight.T]
    _, first, of = np.unique(
        np.column_stack([member, *codes]), axis=0, return_index=True, return_inverse=True
    )
    return Atoms(member[first], weight[first], who, of.reshape(-1))


def answered(answers: Answers, places: Sequence[int], percent: Sequence[int]) -> tuple[Flags, Flags]:
    """Say who counts in what.

    Returns
    -------
    there : array of bool
        Respondents × measures: everyone first, then the bases of measures.
    sides : array of bool
        Respondents × sides of percentages, two by two: those that it counts, and those that it does not.
    """
    n = answers.n_scores
    columns = [np.ones(len(answers.values), bool)]
    columns += [np.isfinite(answers.values[:, j]) if j < n else answers.marks(j).imag > 0 for j in places]
    sides = [np.empty((len(answers.values), 0), bool)]
    for own in map(answers.marks, percent):
        sides += [(own.real > 0)[:, None], ((own.imag > 0) & (own.real == 0))[:, None]]
    return np.stack(columns, axis=1), np.hstack(sides)
