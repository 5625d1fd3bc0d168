"""Atoms: respondents alike in all breakdowns at hand, and how many of them answered each question."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.answers import Answers
    from culture_metrics.indicators.cells import Cells

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Table:
    """A breakdown, of each organisation or of all `together`: its cells, and the cell of each respondent.

    `groups` has `organisation, breakdown, group`, a row per cell; `of` is -1 for who is in none.
    """

    together: bool
    groups: pl.DataFrame
    of: Numbers

    @property
    def name(self) -> str:
        """The breakdown."""
        return str(self.groups["breakdown"][0])


def tables_of(cells: Cells, *, together: bool) -> list[Table]:
    """Return the tables that cells belong to; those without a group are left out."""
    of_part = np.append(cells.pieces.of[cells.parts.of], -1)
    found = []
    for block in cells.blocks:
        of = of_part[cells.part_of(block)]
        here, number = np.unique(of, return_inverse=True)
        nobody = int(here[0] < 0)
        if len(here) > nobody:
            found.append(Table(together, cells.keys[here[nobody:]], number.reshape(-1) - nobody))
    return found


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
        return holds.astype(float) if weight is None else holds * self.weight[:, weight]

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


def atoms_of(tables: Sequence[Table], weights: Sequence[Floats]) -> Iterator[Atoms]:
    """Find the atoms of each organisation; of all as one where a table has them together."""
    member = np.stack([table.of for table in tables], axis=1)
    weight = np.stack([np.ones(len(member)), *weights], axis=1)[:, 1:]
    codes = [np.unique(column, return_inverse=True)[1].reshape(-1) for column in weight.T]
    every = np.column_stack([member, *codes])
    whole = tables[0]
    organisation = np.zeros(len(member), np.int64)
    if not any(table.together for table in tables):
        organisation = whole.groups["organisation"].rank("dense").to_numpy().astype(np.int64)[whole.of]
    order = np.argsort(organisation, kind="stable")
    for who in np.split(order, np.flatnonzero(np.diff(organisation[order])) + 1):
        _, first, of = np.unique(every[who], axis=0, return_index=True, return_inverse=True)
        yield Atoms(member[who[first]], weight[who[first]], who, of.reshape(-1))


def answered(answers: Answers, places: Sequence[int], counted: Sequence[int]) -> Flags:
    """Say who counts in what, respondents × measures: everyone first, then the bases of measures.

    Last come, two by two, those that a percentage of `counted` counts, and those that it does not.
    """
    marked, n = answers.marked, answers.n_scores

    def marks(place: int) -> NDArray[np.complex64]:
        share = place - n
        return marked.marks[share][marked.codes[:, marked.column[share]].view(np.uint8)]

    columns = [np.ones(len(marked.codes), bool)]
    columns += [np.isfinite(answers.values[:, j]) if j < n else marks(j).imag > 0 for j in places]
    for own in map(marks, counted):
        columns += [own.real > 0, (own.imag > 0) & (own.real == 0)]
    return np.stack(columns, axis=1)
