"""A release as arrays: a row per group, a column per measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.disclosure.structure import CELL, Structure, find_structure
from culture_metrics.errors import UnknownNameError
from culture_metrics.results import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from culture_metrics.disclosure.rule import Rule

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

#: Name of the people that a total counts and none of its groups.
NOT_LISTED = "(in no group)"
#: States of a cell: not in the release; shown; hidden as too small, or for another; never said (`between`).
ABSENT, SHOWN, SMALL, SECONDARY, OPEN = range(5)
HIDDEN = {"suppressed_small_base": SMALL, "suppressed_secondary": SECONDARY}
GROUP = ["survey", "organisation", "breakdown", "group"]
NEEDED = [*CELL, "measure", "base", "status"]


@dataclass(frozen=True)
class Release:
    """A part of a release that has nothing to do with the rest: cells (groups) by measures.

    However weighted and from whatever source, a measure is one column: it rests on the same people. `state`
    says of each cell whether it is absent, shown, hidden as too small or hidden for another's sake. `base` is
    0 where it is absent and NaN where it was hidden before; `counted` is the number counted in a percentage,
    NaN in scores. `too_small` marks what was shown on too few. `family` numbers measures that are hidden
    together. `size` is the largest base of a group, in whatever measure and period. `row` numbers the rows of
    the table that the release was made of, `row_cell` and `row_measure` say where each belongs. Last come
    cells without rows: the few people that a total counts and none of its groups. `tied`: two releases, see
    `releases_of_two`.
    """

    cells: pl.DataFrame
    measures: pl.Series
    structure: Structure
    base: Floats
    counted: Floats | None
    state: NDArray[np.int8]
    too_small: Flags
    family: Numbers
    size: Floats
    row: Numbers
    row_cell: Numbers
    row_measure: Numbers
    tied: bool = False

    @cached_property
    def order(self) -> Numbers:
        """Rank of each cell: by size, and after all others those that are sums of others."""
        rank = np.empty(len(self.size), np.int64)
        rank[np.lexsort((np.arange(len(rank)), self.size, self.structure.depth))] = np.arange(len(rank))
        return rank

    @cached_property
    def listed(self) -> int:
        """How many cells are groups that the table lists."""
        return int((self.cells["group"] != NOT_LISTED).sum())

    @property
    def families(self) -> int:
        """How many sets of measures are hidden together."""
        return int(self.family.max(initial=-1)) + 1

    @cached_property
    def hidden(self) -> Flags:
        """What is hidden, by cell and family, for the sake of people (a measure without any can be alone)."""
        return self._in_families((self.state >= SMALL) & (self.base != 0))

    @cached_property
    def sensitive(self) -> Flags:
        """Cells to protect, by cell and family: some measure of the family rests on too few."""
        return self._in_families((self.state == SMALL) & (self.base != 0))

    def _in_families(self, flags: Flags) -> Flags:
        found = np.zeros((len(flags), self.families), bool)
        for measure, family in enumerate(self.family):
            found[:, family] |= flags[:, measure]
        return found


def releases(
    results: pl.DataFrame, rule: Rule, parents: pl.DataFrame | None = None, *, mark: bool = False
) -> Iterator[Release]:
    """Split a table into parts that do not add up with each other, as arrays.

    `mark` hides what the rule finds too small.
    """
    percent = [c for c in ("unit", "estimate") if rule.minimum_count]
    frame = results.select(*NEEDED, *percent).with_row_index("_row")
    heads, run = _runs(frame, CELL)
    # The same groups are hidden in every period, as far as that goes.
    largest = pl.DataFrame({"_run": run, "_size": frame["base"]}).group_by("_run").agg(pl.col("_size").max())
    heads = heads.with_columns(largest.sort("_run")["_size"].cast(pl.Float64).fill_null(0.0))
    sizes = heads.group_by(GROUP).agg(pl.col("_size").max())
    pooled = heads.filter(pl.col("period") == ALL)["survey"].unique()
    apart = pl.when(pl.col("survey").is_in(pooled.implode())).then(pl.lit(ALL)).otherwise(pl.col("period"))
    if heads.select("survey", apart).n_unique() == 1:
        yield _release(frame, (heads, run), sizes, rule, parents, mark=mark)
        return
    for part in frame.with_columns(_apart=apart).partition_by("survey", "_apart", maintain_order=True):
        yield _release(part, _runs(part, CELL), sizes, rule, parents, mark=mark)


def _release(
    part: pl.DataFrame,
    runs: tuple[pl.DataFrame, Numbers],
    sizes: pl.DataFrame,
    rule: Rule,
    parents: pl.DataFrame | None,
    *,
    mark: bool,
) -> Release:
    cells, row_cell = _numbered(*runs)
    measures = part["measure"].unique().sort()
    row_measure = part["measure"].cast(pl.Enum(measures)).to_physical().to_numpy().astype(np.int64)
    shape = cells.height, len(measures)
    status = part["status"].cast(pl.String)
    given = status.replace_strict(
        {**HIDDEN, "reported": SHOWN}, default=ABSENT, return_dtype=pl.Int8
    ).to_numpy()
    own = part["base"].cast(pl.Float64).fill_null(0.0).to_numpy()
    state, base = np.zeros(shape, np.int8), np.full(shape, np.inf)
    place = row_cell * shape[1] + row_measure
    # A measure that stands in several rows (weighted and not) is hidden in all of them or in none.
    np.maximum.at(state.ravel(), place, given)
    np.minimum.at(base.ravel(), place, np.where(given == SHOWN, own, np.inf))
    base[state == ABSENT] = 0.0
    base[state >= SMALL] = np.nan
    counted = _counted(part, place, base) if rule.minimum_count else None
    small = (state == SHOWN) & (base < rule.minimum_base)
    if counted is not None and rule.minimum_count:
        small |= (state == SHOWN) & (np.fmin(counted, base - counted) < rule.minimum_count - 1e-6)
    if mark:
        state[small] = SMALL
    structure = find_structure(cells, parents)
    size = cells.join(sizes, on=GROUP, how="left", maintain_order="left")["_size"].to_numpy()
    of, rest = _rests(structure, base, state, rule)
    if len(of):
        structure, cells = structure.with_parts(of), pl.concat([cells, _rest_names(cells, structure, of)])
        base, size = np.vstack([base, rest]), np.append(size, rest.max(axis=1))
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
        family=_families(cells, measures),
        size=size,
        row=part["_row"].to_numpy().astype(np.int64),
        row_cell=row_cell,
        row_measure=row_measure,
    )


def _rests(structure: Structure, base: Floats, state: NDArray[np.int8], rule: Rule) -> tuple[Numbers, Floats]:
    """Find the sums whose total holds a few more people than its parts: nobody lists them, anybody can tell.

    Returns those sums, and by sum and measure how many people; 0 where there are none, or enough of them, or
    where something is hidden in the sum, so that nobody can tell.
    """
    known, there = np.nan_to_num(base), (state != ABSENT)[structure.total]
    rest = -np.asarray(structure.matrix @ known)
    told = there & (np.asarray(abs(structure.matrix) @ (state >= SMALL).astype(float)) == 0)
    rest = np.where(told & (rest > 0.5) & (rest < rule.minimum_base), np.round(rest), 0.0)
    of = np.flatnonzero(rest.any(axis=1))
    return of, rest[of]


def _rest_names(cells: pl.DataFrame, structure: Structure, of: Numbers) -> pl.DataFrame:
    """Name the people that no part of a sum lists: as a group, beside the parts that are there."""
    first = np.unique(structure.equation, return_index=True)[1][of]
    return cells[structure.part[first]].with_columns(pl.lit(NOT_LISTED).alias("group"))


def _numbered(heads: pl.DataFrame, run: Numbers) -> tuple[pl.DataFrame, Numbers]:
    """List the distinct cells in their order, and number those of each row."""
    distinct = heads.select(CELL).unique().sort(CELL)
    numbered = distinct.with_row_index("_number")
    found = heads.join(numbered, on=CELL, how="left", maintain_order="left")["_number"]
    return distinct, found.to_numpy().astype(np.int64)[run]


def _runs(part: pl.DataFrame, key: list[str]) -> tuple[pl.DataFrame, Numbers]:
    """List the keys where they change from one row to the next, and say of each row which is its own."""
    changes = pl.any_horizontal(pl.col(c).ne_missing(pl.col(c).shift()) for c in key)
    first = part.select(changes | (pl.int_range(pl.len()) == 0)).to_series()
    return part.select(key).filter(first), np.cumsum(first.to_numpy()) - 1


def _counted(part: pl.DataFrame, place: Numbers, base: Floats) -> Floats:
    """Work out how many respondents a percentage counts."""
    counted = np.full(base.size, np.nan)
    percent = (part["unit"].cast(pl.String) == "percent").fill_null(value=False).to_numpy()
    share = part["estimate"].fill_null(0.0).to_numpy() / 100
    counted[place[percent]] = np.round(base.ravel()[place[percent]] * share[percent], 6)
    measures = np.zeros(base.shape[1], bool)
    measures[place[percent] % base.shape[1]] = True
    return np.where((base == 0) & measures, 0.0, counted.reshape(base.shape))


def _families(cells: pl.DataFrame, measures: pl.Series) -> Numbers:
    """Give one number to measures hidden together: an element and its sub-scores, headline and answers."""
    head: dict[str, str] = {}
    for survey, period in cells.select("survey", "period").unique(maintain_order=True).rows():
        try:
            known = catalogue(survey).edition(period).measures if survey in surveys() else {}
        except UnknownNameError:
            continue
        head |= {part: name for name, measure in known.items() for part in measure.parts}
        head |= {name: f"answers to {m.question}" for name, m in known.items() if m.question}
    names = measures.replace(head) if head else measures
    return (names.rank("dense").cast(pl.Int64) - 1).to_numpy()
