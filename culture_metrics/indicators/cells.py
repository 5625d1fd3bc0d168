"""Cells: which respondents count in which row of the results, and what was sampled inside a row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import ExtractError, unknown
from culture_metrics.results import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.design import Design

    Whole = NDArray[np.int64]
    Numbers = NDArray[np.float64]

#: Between the names of crossed breakdowns, and between the names of their groups.
CROSS = " × "


@dataclass(frozen=True)
class Codes:
    """A text column as whole numbers: 0, 1, … in the order of `names`, -1 where it is null."""

    codes: Whole
    names: pl.Series


@dataclass(frozen=True)
class Layer:
    """How parts make up wholes: `of` is the whole of each part. As many parts as wholes: they are the same."""

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
class Cells:
    """The cells of an extract, each made of pieces (its strata), each made of parts (its clusters).

    Attributes
    ----------
    keys : polars.DataFrame
        One row per cell: `organisation, breakdown, group`.
    of : numpy.ndarray
        Respondents × breakdowns: the part that a respondent counts in, `len(parts.of)` for none.
    parts, pieces : Layer
        From parts to pieces and from pieces to cells.
    stratum : numpy.ndarray
        Stratum of each piece.
    sampled : numpy.ndarray
        Respondents (clusters, where there are any) of each stratum, in or out of a cell.
    strata : polars.Series
        Names of the strata.
    """

    keys: pl.DataFrame
    of: NDArray[np.int32]
    parts: Layer
    pieces: Layer
    stratum: Whole
    sampled: Whole
    strata: pl.Series


def codes_of(values: pl.Series) -> Codes:
    """Number the values of a text column in their order."""
    if isinstance(values.dtype, pl.Enum):
        here = values.dtype.categories
        order = here.arg_sort().to_numpy()
        rank = np.append(np.argsort(order), -1)
        physical = values.to_physical().cast(pl.Int64).fill_null(len(here)).to_numpy()
        return Codes(rank[physical], here[order])
    text = values.cast(pl.String)
    names = text.drop_nulls().unique().sort()
    return Codes(text.cast(pl.Enum(names)).to_physical().cast(pl.Int64).fill_null(-1).to_numpy(), names)


@dataclass(frozen=True)
class Units:
    """What was sampled: the unit of each respondent (a cluster, or themselves) and the stratum of each unit."""

    of: Whole
    stratum: Whole
    strata: Codes
    clusters: Codes | None


def sampling_units(frame: pl.DataFrame, design: Design) -> Units:
    """Find the sampled units of a frame."""
    strata = _sampling(frame, design.strata)
    if design.cluster is None:
        return Units(np.arange(frame.height), strata.codes, strata, None)
    # Clusters are told apart within strata.
    of, stratum, _ = _split(strata.codes, len(strata.names), _sampling(frame, design.cluster))
    return Units(of, stratum, strata, Codes(of, pl.int_range(len(stratum), eager=True)))


def crossed(by: Sequence[str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Name breakdowns and say what they are made of: several names in a sequence are crossed."""
    lists = ((b,) if isinstance(b, str) else tuple(b) for b in by)
    return {CROSS.join(names): names for names in lists}


def make_cells(
    frame: pl.DataFrame,
    by: Mapping[str, Sequence[str]],
    groups: Mapping[str, pl.Expr],
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
        Name -> the expression of a respondent's group.
    design : Design
        Strata and clusters.
    together : bool
        All organisations as one, called `all`.
    """
    codes = {
        name: codes_of(frame.select(groups[name].alias("group")).to_series())
        for name in dict.fromkeys(n for names in by.values() for n in names)
    }
    units = sampling_units(frame, design)
    first = _sampling(frame, None if together else "organisation")
    keys, of, parts, pieces, stratum = [], [], _Growing(), _Growing(), []
    for breakdown, names in by.items():
        cell, labels = first.codes, pl.DataFrame({"organisation": first.names})
        for i, name in enumerate(names):
            cell, above, own = _split(cell, labels.height, codes[name])
            labels = labels[above].with_columns(codes[name].names[own].alias(f"group {i}"))
        group = pl.concat_str(pl.exclude("organisation"), separator=CROSS) if names else pl.lit(ALL)
        keys.append(labels.select("organisation", pl.lit(breakdown).alias("breakdown"), group.alias("group")))
        piece, above, own = _split(cell, labels.height, units.strata)
        stratum.append(own)
        part, over = piece, np.arange(len(above))
        if units.clusters is not None:
            part, over, _ = _split(piece, len(above), units.clusters)
        of.append(np.where(part < 0, -1, part + parts.height))
        pieces.add(above, labels.height)
        parts.add(over, len(above))
    together_of = np.stack(of, axis=1)
    together_of[together_of < 0] = parts.height
    return Cells(
        pl.concat(keys),
        together_of.astype(np.int32),
        parts.layer(),
        pieces.layer(),
        np.concatenate(stratum),
        np.bincount(units.stratum, minlength=len(units.strata.names)),
        units.strata.names,
    )


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


def _sampling(frame: pl.DataFrame, column: str | None) -> Codes:
    """Number a column that every respondent must have; without a column all are one."""
    if column is None:
        return Codes(np.zeros(frame.height, np.int64), pl.Series([ALL]))
    if column not in frame.columns:
        raise unknown("column in this extract", column, frame.columns)
    codes = codes_of(frame[column])
    empty = int((codes.codes < 0).sum())
    if empty:
        raise ExtractError(
            "A column of the sampling design has gaps",
            where=f"column {column}",
            got=f"{empty:,} respondents without a value",
            expected="a value for every respondent",
        )
    return codes


def _split(ids: Whole, size: int, codes: Codes) -> tuple[Whole, Whole, Whole]:
    """Split each of `size` sets by a column: new ids in order, the old id and the code of each new one."""
    width = len(codes.names)
    flat = np.where((ids < 0) | (codes.codes < 0), -1, ids * width + codes.codes)
    if size * width <= 4 * len(flat) + 1000:
        there = np.bincount(flat + 1, minlength=size * width + 1)[1:] > 0
        found, number = np.flatnonzero(there), np.append(np.cumsum(there) - 1, -1)
        return number[flat], found // width, found % width
    found, number = np.unique(flat, return_inverse=True)
    none = int(found[0] == -1) if len(found) else 0
    return number.reshape(-1) - none, found[none:] // width, found[none:] % width


def cross_parts(cells: Cells, codes: Codes) -> tuple[Cells, Whole]:
    """Split every part by a column; returns the cells with finer parts and the code of each of those."""
    n_parts = len(cells.parts.of)
    of, growing, found = [], _Growing(), []
    for column in cells.of.T:
        ids = np.where(column == n_parts, -1, column.astype(np.int64))
        finer, above, code = _split(ids, n_parts, codes)
        of.append(np.where(finer < 0, -1, finer + growing.height))
        growing.add(above, 0)
        found.append(code)
    together = np.stack(of, axis=1)
    together[together < 0] = growing.height
    layer = Layer(growing.layer().of, n_parts)
    return replace(cells, of=together.astype(np.int32), parts=layer), np.concatenate(found)
