"""Columns as whole numbers: groups, strata and clusters, and what was sampled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError, unknown

if TYPE_CHECKING:
    from collections.abc import Sized

    from numpy.typing import NDArray

    from culture_metrics.indicators.design import Design

    Whole = NDArray[np.integer[Any]]


@dataclass(frozen=True)
class Codes:
    """A text column as whole numbers: 0, 1, … in the order of `names`, -1 where it is null."""

    codes: Whole
    names: pl.Series


def codes_of(values: pl.Series) -> Codes:
    """Give numbers to the values of a text column in their order.

    Raises
    ------
    ExtractError
        When the column holds lists or other values that name nothing.
    """
    if values.dtype.is_nested() or values.dtype in (pl.Object, pl.Binary):
        raise ExtractError(
            "A column of groups must be text", where=f"column {values.name}", got=str(values.dtype)
        )
    if isinstance(values.dtype, pl.Enum):
        here = values.dtype.categories
        order = here.arg_sort().to_numpy()
        rank = np.append(np.argsort(order), -1).astype(np.int32)
        physical = values.to_physical().cast(pl.Int32).fill_null(len(here))
        return Codes(np.take(rank, physical.to_numpy(), mode="clip"), here[order])
    text = values.cast(pl.String)
    names = text.drop_nulls().unique().sort()
    return Codes(text.cast(pl.Enum(names)).to_physical().cast(pl.Int32).fill_null(-1).to_numpy(), names)


@dataclass(frozen=True)
class Units:
    """What was sampled: clusters, or else the respondents themselves, and the stratum of each."""

    stratum: Whole
    strata: Codes
    clusters: Codes | None

    @property
    def of(self) -> Whole:
        """The unit of each respondent."""
        return np.arange(len(self.stratum)) if self.clusters is None else self.clusters.codes


def sampling_units(frame: pl.DataFrame, design: Design) -> Units:
    """Find the sampled units of a frame."""
    strata = sampled_column(frame, design.strata)
    if design.cluster is None:
        return Units(strata.codes, strata, None)
    # Clusters are told apart within strata.
    cluster = sampled_column(frame, design.cluster)
    of, stratum, _ = split(strata.codes, len(strata.names), cluster.codes, cluster.names)
    clusters = Codes(of.astype(np.int32), pl.int_range(len(stratum), eager=True))
    return Units(stratum, strata, clusters)


def sampled_column(frame: pl.DataFrame, column: str | None) -> Codes:
    """Give numbers to a column that every respondent must have; without a column all are one."""
    if column is None:
        return Codes(np.zeros(frame.height, np.int32), pl.Series([ALL]))
    if column not in frame.columns:
        raise unknown("column in this extract", column, frame.columns)
    codes = codes_of(frame[column])
    empty = int((codes.codes < 0).sum())
    if empty:
        raise ExtractError(
            "A column of the sampling design has gaps",
            where=f"column {column}",
            got="rows without a value",
            expected="a value for every respondent",
        )
    return codes


def split(ids: Whole, size: int, codes: Whole, names: Sized) -> tuple[Whole, Whole, Whole]:
    """Split each of `size` sets by codes: new ids in order, the old id and the code of each new one."""
    width = len(names)
    flat = np.where((ids < 0) | (codes < 0), -1, ids.astype(np.int64) * width + codes)
    if size * width <= 4 * len(flat) + 1000:
        there = np.bincount(flat + 1, minlength=size * width + 1)[1:] > 0
        found, number = np.flatnonzero(there), np.append(np.cumsum(there) - 1, -1)
        return number[flat], found // width, found % width
    found, number = np.unique(flat, return_inverse=True)
    none = int(found[0] == -1) if len(found) else 0
    return number.reshape(-1) - none, found[none:] // width, found[none:] % width
