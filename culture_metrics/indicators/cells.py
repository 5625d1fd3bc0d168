"""Cells: which respondents count in which row of the results, and what was sampled inside a row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError
from culture_metrics.indicators.codes import Codes, sampled_column, sampling_units, split

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.design import Design

    Whole = NDArray[np.integer[Any]]
    Numbers = NDArray[np.float64]

#: Respondents there should be to a profile, so that adding up profiles pays.
PER_PROFILE = 24
#: Columns of a profile beside its groups.
FIRST, STRATA, CLUSTERS = "\0first", "\0strata", "\0clusters"


@dataclass(frozen=True)
class Layer:
    """How parts make up wholes: `of` is the whole of each part. As many of both: they are the same."""

    of: Whole
    size: int

    @property
    def same(self) -> bool:
        """Whether each part is a whole."""
        return len(self.of) == self.size

    def sum(self, parts: Numbers) -> Numbers:
        """Add up the rows of `parts` that belong to one whole."""
        if self.same:
            return parts
        from scipy.sparse import csr_array

        each = np.arange(len(self.of))
        matrix = csr_array((np.ones(len(each)), (self.of, each)), shape=(self.size, len(each)))
        return np.asarray(matrix @ parts)


@dataclass(frozen=True)
class Block:
    """One breakdown: `part` says which part the respondents of each profile count in, -1 none."""

    bunch: int
    part: Whole


@dataclass(frozen=True)
class Cells:
    """The cells of an extract, each made of pieces (its strata), each made of parts (its clusters).

    Respondents alike in several breakdowns are added up once for all of them: they share a profile.

    Attributes
    ----------
    keys : polars.DataFrame
        One row per cell: `organisation, breakdown, group`.
    of : numpy.ndarray
        Respondents by bunches of breakdowns: the profile of a respondent.
    blocks : tuple of Block
        The breakdowns.
    parts, pieces : Layer
        From parts to pieces and from pieces to cells.
    stratum : numpy.ndarray
        Stratum of each piece.
    sampled : numpy.ndarray
        Respondents (clusters, where there are any) of each stratum, in or out of a cell.
    strata : polars.Series
        Names of the strata.
    clusters : numpy.ndarray, optional
        Cluster of each part.
    """

    keys: pl.DataFrame
    of: NDArray[np.int32]
    blocks: tuple[Block, ...]
    parts: Layer
    pieces: Layer
    stratum: Whole
    sampled: Whole
    strata: pl.Series
    clusters: Whole | None = None

    @cached_property
    def profiles(self) -> Whole:
        """Where the profiles of each bunch start, and where the last ends."""
        heights = {block.bunch: len(block.part) for block in self.blocks}
        return np.cumsum([0, *(heights[i] for i in range(len(heights)))])

    @cached_property
    def rows(self) -> NDArray[np.int32]:
        """Respondents by bunches: the row of each profile, bunch under bunch."""
        return self.of + self.profiles[:-1].astype(np.int32)

    def sum_profiles(self, sums: Numbers) -> Numbers:
        """Add up the rows of profiles, bunch under bunch, to rows of parts."""
        from scipy.sparse import csr_array

        first = self.profiles
        part = np.concatenate([block.part for block in self.blocks])
        profile = np.concatenate([np.arange(first[b.bunch], first[b.bunch + 1]) for b in self.blocks])
        there = part >= 0
        shape = (len(self.parts.of), first[-1])
        kind = np.uint32 if np.issubdtype(sums.dtype, np.integer) else np.float64
        matrix = csr_array((np.ones(there.sum(), kind), (part[there], profile[there])), shape=shape)
        return np.asarray(matrix @ sums, np.float64)

    @cached_property
    def people_of_profiles(self) -> Whole:
        """How many respondents have each profile."""
        heights = np.diff(self.profiles)
        return np.concatenate([np.bincount(self.of[:, i], minlength=h) for i, h in enumerate(heights)])

    @property
    def largest(self) -> int:
        """How many respondents have the profile that most have."""
        return int(self.people_of_profiles.max(initial=0))

    def people(self) -> Numbers:
        """Return how many respondents are in each cell, whatever they answered."""
        parts = self.sum_profiles(self.people_of_profiles[:, None].astype(np.float64))
        return self.pieces.sum(self.parts.sum(parts))[:, 0]

    def part_of(self, block: Block) -> Whole:
        """Return the part that each respondent counts in, -1 for none."""
        return block.part[self.of[:, block.bunch]]

    def some(self, which: slice) -> Cells:
        """Keep some cells, of which each is a part of its own."""
        stratum = self.stratum[which]
        each = Layer(np.arange(len(stratum)), len(stratum))
        return replace(self, keys=self.keys[which], parts=each, pieces=each, stratum=stratum)

    def only(self, block: Block) -> Cells:
        """Keep one breakdown, and the numbers of its parts."""
        return replace(self, of=self.of[:, [block.bunch]], blocks=(Block(0, block.part),))


def make_cells(
    frame: pl.DataFrame,
    by: Mapping[str, Sequence[str]],
    groups: Mapping[str, Codes],
    design: Design,
    *,
    together: bool = False,
) -> Cells:
    """Put every respondent into the cell of their organisation and of each of its groups.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per respondent, with `organisation` and the columns of the design.
    by : mapping
        Breakdown -> the names it crosses; none for the whole. A respondent whose group is not known is in no
        cell of that breakdown.
    groups : mapping
        Name -> the group of each respondent.
    design : Design
        Strata and clusters.
    together : bool
        All organisations as one, called `all`.

    Raises
    ------
    ExtractError
        When there is nobody, or a cross cannot be told apart again.
    """
    if frame.is_empty():
        raise ExtractError("There are no respondents to estimate from", got="a table without rows")
    for names in by.values():
        _check_crossed(names, groups)
    units = sampling_units(frame, design)
    wanted = None if together else "organisation"
    first = units.strata if wanted == design.strata else sampled_column(frame, wanted)
    # What was sampled is part of every profile, where the cells do not say it already.
    sampling = {STRATA: units.strata}
    if units.clusters is not None:
        sampling[CLUSTERS] = units.clusters
    bunches = _bunch(by, {n: len(c.names) + 1 for n, c in groups.items()}, frame.height // len(first.names))
    keys, of, blocks, parts, pieces, stratum = [], [], [], _Growing(), _Growing(), []
    clusters: list[Whole] = []
    for number, (breakdowns, names) in enumerate(bunches):
        profiles = _profiles(first, {**{n: groups[n] for n in names}, **sampling})
        of.append(profiles.of)
        for breakdown in breakdowns:
            cell, labels = profiles.codes[FIRST], pl.DataFrame({"organisation": first.names})
            for i, name in enumerate(by[breakdown]):
                cell, above, own = split(cell, labels.height, profiles.codes[name], groups[name].names)
                labels = labels[above].with_columns(groups[name].names[own].alias(f"group {i}"))
            group = (
                pl.concat_str(pl.exclude("organisation"), separator=CROSS) if by[breakdown] else pl.lit(ALL)
            )
            keys.append(
                labels.select("organisation", pl.lit(breakdown).alias("breakdown"), group.alias("group"))
            )
            piece, above, own = split(cell, labels.height, profiles.codes[STRATA], units.strata.names)
            stratum.append(own)
            part: Whole = piece
            over: Whole = np.arange(len(above))
            if units.clusters is not None:
                part, over, own = split(piece, len(above), profiles.codes[CLUSTERS], units.clusters.names)
                clusters.append(own)
            blocks.append(Block(number, np.where(part < 0, -1, part + parts.height)))
            pieces.add(above, labels.height)
            parts.add(over, len(above))
    return Cells(
        pl.concat(keys),
        np.stack([o.astype(np.int32) for o in of], axis=1),
        tuple(blocks),
        parts.layer(),
        pieces.layer(),
        np.concatenate(stratum),
        np.bincount(units.stratum, minlength=len(units.strata.names)),
        units.strata.names,
        np.concatenate(clusters) if clusters else None,
    )


def _check_crossed(names: Sequence[str], codes: Mapping[str, Codes]) -> None:
    """See to it that the groups of a cross can be told apart again."""
    for name in names if len(names) > 1 else ():
        if codes[name].names.cast(pl.String).str.contains(CROSS, literal=True).any():
            raise ExtractError(
                "Groups with this sign in their name cannot be crossed",
                where=f"breakdown {name}",
                got=repr(CROSS),
                hint="Rename these groups in the extract.",
            )


@dataclass(frozen=True)
class _Profiles:
    """Profile of each respondent, and the codes of each profile by the name of the column."""

    of: Whole
    codes: dict[str, Whole]


def _profiles(first: Codes, columns: Mapping[str, Codes]) -> _Profiles:
    """Give numbers to the combinations of codes there are; not known is a code of its own."""
    of, size = first.codes, len(first.names)
    codes: dict[str, Whole] = {FIRST: np.arange(size)}
    rest = [(name, column) for name, column in columns.items() if column.codes is not first.codes]
    while rest:
        # Columns are split by together, as long as all their combinations can be counted.
        some: list[tuple[str, int]] = []
        joint, width = np.zeros(len(of), np.int32), 1
        while rest and (not some or size * width * (len(rest[0][1].names) + 1) <= 4 * len(of)):
            name, column = rest.pop(0)
            unknown = len(column.names)
            joint = joint * (unknown + 1) + np.where(column.codes < 0, unknown, column.codes)
            some, width = [*some, (name, unknown)], width * (unknown + 1)
        of, above, own = split(of, size, joint, range(width))
        codes, size = {n: c[above] for n, c in codes.items()}, len(above)
        for name, unknown in reversed(some):
            own, code = np.divmod(own, unknown + 1)
            codes[name] = np.where(code == unknown, -1, code)
    same = {name: codes[FIRST] for name, column in columns.items() if column.codes is first.codes}
    return _Profiles(of, codes | same)


def _bunch(
    by: Mapping[str, Sequence[str]], widths: Mapping[str, int], respondents: int
) -> list[tuple[list[str], list[str]]]:
    """Put breakdowns together as long as there are many respondents to a profile: (breakdowns, names)."""
    bunches: list[tuple[list[str], list[str]]] = []
    sizes = {breakdown: prod(widths[n] for n in names) for breakdown, names in by.items()}
    for breakdown in sorted(by, key=lambda b: -sizes[b]):
        for breakdowns, names in bunches:
            together = list(dict.fromkeys([*names, *by[breakdown]]))
            if prod(widths[n] for n in together) * PER_PROFILE <= respondents or together == names:
                breakdowns.append(breakdown)
                names[:] = together
                break
        else:
            bunches.append(([breakdown], list(dict.fromkeys(by[breakdown]))))
    return bunches


class _Growing:
    """The layers of several breakdowns, one under the other."""

    def __init__(self) -> None:
        self.of: list[Whole] = []
        self.height = self.size = 0

    def add(self, of: Whole, size: int) -> None:
        self.of.append(of + self.size)
        self.height, self.size = self.height + len(of), self.size + size

    def layer(self) -> Layer:
        return Layer(np.concatenate(self.of), self.size)


def cross_parts(cells: Cells, codes: Codes) -> tuple[Cells, Whole]:
    """Split every part by a column; returns the cells with finer parts and the code of each of those."""
    of, blocks, growing, found = [], [], _Growing(), []
    for number, block in enumerate(cells.blocks):
        finer, above, code = split(cells.part_of(block), len(cells.parts.of), codes.codes, codes.names)
        # One more profile for those who count nowhere.
        of.append(np.where(finer < 0, len(above), finer))
        blocks.append(Block(number, np.append(np.arange(len(above)) + growing.height, -1)))
        growing.add(above, 0)
        found.append(code)
    layer = Layer(growing.layer().of, len(cells.parts.of))
    profiles = np.stack(of, axis=1).astype(np.int32)
    finer_cells = replace(cells, of=profiles, blocks=tuple(blocks), parts=layer, clusters=None)
    return finer_cells, np.concatenate(found)
