"""A release as arrays: a row per group, a column per measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.disclosure.structure import ANSWERS_TO, OF_OPTION, Structure, find_structure
from culture_metrics.errors import UnknownNameError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.disclosure.rule import Rule

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

#: Name of the people that a total counts and none of its groups.
NOT_LISTED = "(in no group)"
#: States of a cell: not in the release; shown; hidden as too small, for another, or without saying which;
#: never said (`between`).
ABSENT, SHOWN, SMALL, SECONDARY, UNTOLD, OPEN = range(6)


@dataclass(frozen=True)
class Release:
    """A part of a release that has nothing to do with the rest: cells (groups) by measures.

    However weighted and from whatever source, a measure is one column: it rests on the same people. `state`
    says of each cell whether it is absent, shown, hidden as too small, for another's sake, or untold why.
    `base` is 0 where it is absent and NaN where it was hidden before; `counted` is the number counted in a
    percentage, NaN in scores. `too_small` marks what was shown on too few. `family` numbers measures that are
    hidden together. `size` of a cell is the largest base of the group, in whatever measure and period. Last
    come cells that nobody lists: the few people that a total counts and none of its groups. `between` is the
    first cell between two releases, see `releases_of_two`.
    """

    cells: pl.DataFrame
    measures: pl.Series
    structure: Structure
    base: Floats
    counted: Floats | None
    state: NDArray[np.int8]
    too_small: Flags
    family: Numbers
    between: int | None = None

    @cached_property
    def size(self) -> Floats:
        """Largest base of each group."""
        return self.cells["size"].to_numpy()

    @cached_property
    def order(self) -> Numbers:
        """Rank of each cell: by size, and after all others those that are sums of others."""
        rank = np.empty(len(self.size), np.int64)
        rank[np.lexsort((np.arange(len(rank)), self.size, self.structure.depth))] = np.arange(len(rank))
        return rank

    @cached_property
    def listed(self) -> Flags:
        """Cells that are groups that the table lists."""
        return (self.cells["group"] != NOT_LISTED).to_numpy()

    @property
    def families(self) -> int:
        """How many sets of measures are hidden together."""
        return int(self.family.max(initial=-1)) + 1

    @cached_property
    def hidden(self) -> Flags:
        """What is hidden, by cell and family, for the sake of people (a measure without any can be alone)."""
        return in_families((self.state >= SMALL) & (self.base != 0), self.family)

    @cached_property
    def by_count(self) -> Flags:
        """Measures that count respondents: percentages."""
        if self.counted is None:
            return np.zeros(len(self.measures), bool)
        return np.asarray(~np.isnan(self.counted).all(axis=0))

    @property
    def to_protect(self) -> Flags:
        """Hidden as too small, or without saying why, by cell and measure."""
        return np.asarray((self.state == SMALL) | (self.state == UNTOLD))

    @cached_property
    def sensitive(self) -> Flags:
        """Cells to protect, by cell and family: some measure of the family rests on too few, or may do so."""
        return in_families(self.to_protect & (self.base != 0), self.family)

    @cached_property
    def matter(self) -> Flags:
        """Measures with something to protect."""
        sensitive = self.sensitive[:, self.family] | self.to_protect
        return np.asarray((sensitive & (self.state != ABSENT)).any(axis=0))


def release_of(
    cells: pl.DataFrame,
    measures: pl.Series,
    base: Floats,
    state: NDArray[np.int8],
    rule: Rule,
    *,
    structure: Structure | None = None,
    counts: tuple[Floats, Floats] | None = None,
    mark: bool = False,
) -> Release:
    """Make a release of its cells and their `size`; `mark` hides what the rule finds too small.

    `structure` is what adds up beyond what the catalogue knows. `counts` are by cell and measure the number
    counted in a percentage, and the least that it, or that of the others, can be: NaN in scores.
    """
    small = (state == SHOWN) & (base < rule.minimum_base)
    counted, fewest = counts or (None, None)
    if fewest is not None and rule.minimum_count:
        small |= (state == SHOWN) & (fewest < rule.minimum_count - 1e-6)
    if mark:
        state = np.where(small, np.int8(SMALL), state)
    structure, family = structure or find_structure(cells), _families(cells, measures)
    of, rest = _rests(structure, base, in_families(state >= SMALL, family)[:, family], state != ABSENT, rule)
    if len(of):
        people = pl.Series(rest.max(axis=1))
        nobody_lists = _rest_names(cells, structure, of).with_columns(people.alias("size"))
        structure, cells = structure.with_parts(of), pl.concat([cells, nobody_lists])
        base = np.vstack([base, rest])
        state = np.vstack([state, np.where(rest > 0, SMALL, ABSENT).astype(np.int8)])
        small = np.vstack([small, np.zeros(rest.shape, bool)])
        counted = counted if counted is None else np.vstack([counted, np.full(rest.shape, np.nan)])
    return Release(
        cells=cells,
        measures=measures,
        structure=structure,
        base=base,
        counted=counted,
        state=state,
        too_small=small,
        family=family,
    )


def in_families(flags: Flags, family: Numbers) -> Flags:
    """Turn flags by measure into flags by family: set where that of any of its measures is."""
    order = np.argsort(family, kind="stable")
    size = np.bincount(family)
    first = np.cumsum(size) - size
    found = flags[:, order[first]]
    for place in range(1, int(size.max(initial=0))):
        several = np.flatnonzero(size > place)
        found[:, several] |= flags[:, order[first[several] + place]]
    return found


def _rests(
    structure: Structure, base: Floats, hidden: Flags, there: Flags, rule: Rule
) -> tuple[Numbers, Floats]:
    """Find the sums whose total holds a few more people than its parts: nobody lists them, anybody can tell.

    Returns those sums, and by sum and measure how many people; 0 where there are none, or enough of them, or
    where something is hidden in the sum, so that nobody can tell.
    """
    rest = -np.asarray(structure.matrix @ np.nan_to_num(base))
    told = there[structure.total] & (np.asarray(abs(structure.matrix) @ hidden.astype(float)) == 0)
    rest = np.where(told & (rest > 0.5) & (rest < rule.minimum_base), np.round(rest), 0.0)
    of = np.flatnonzero(rest.any(axis=1))
    return of, rest[of]


def _rest_names(cells: pl.DataFrame, structure: Structure, of: Numbers) -> pl.DataFrame:
    """Name the people that no part of a sum lists: as a group, beside the parts that are there."""
    first = np.unique(structure.equation, return_index=True)[1][of]
    return cells[structure.part[first]].with_columns(pl.lit(NOT_LISTED).alias("group"))


def _families(cells: pl.DataFrame, measures: pl.Series) -> Numbers:
    """Give one number to measures hidden together."""
    return (family_names(cells, measures).rank("dense").cast(pl.Int64) - 1).to_numpy()


def family_names(cells: pl.DataFrame, measures: pl.Series) -> pl.Series:
    """Name what measures are hidden together with: an element and its sub-scores, headline and answers."""
    head: dict[str, str] = {}
    for survey, period in cells.select("survey", "period").unique(maintain_order=True).rows():
        try:
            known = catalogue(survey).edition(period).measures if survey in surveys() else {}
        except UnknownNameError:
            continue
        head |= {part: name for name, measure in known.items() for part in measure.parts}
        head |= {name: f"{ANSWERS_TO}{m.question}" for name, m in known.items() if m.question}
    names = measures.replace(head) if head else measures
    return names.str.replace(f"^({ANSWERS_TO}.*){OF_OPTION}.*$", "$1")
