"""Tables as one call and earlier ones show them, and where their cells stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.disclosure.decision import GROUP

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Layer:
    """A table as it is, or was, shown: with everyone counted once, or weighted.

    By cell and family: `small` must be hidden, `hidden` is what names say must be, `fixed` was shown before
    and stays, `gone` was hidden before. `mine` says whether it is of this call.
    """

    table: int
    weight: int | None
    small: Flags
    hidden: Flags
    fixed: Flags
    gone: Flags
    mine: bool


def stack(layers: Sequence[Layer], cells: Sequence[Numbers], what: str) -> Flags:
    """Set what layers say of their cells one below the other."""
    return np.vstack([getattr(layer, what)[own] for layer, own in zip(layers, cells, strict=True)])


def split(rows: NDArray[Any], cells: Sequence[Numbers]) -> list[NDArray[Any]]:
    """Give each layer the rows of its cells back."""
    return np.split(rows, np.cumsum([len(own) for own in cells])[:-1])


def rows_in(groups: pl.DataFrame, some: pl.DataFrame) -> NDArray[np.int64]:
    """Return in which rows of groups others stand."""
    number = groups.with_row_index("_row")
    found = some.join(number, on=GROUP, how="left", maintain_order="left")["_row"]
    return np.asarray(found.to_numpy().astype(np.int64))


def beside(groups: pl.DataFrame, hidden: Flags) -> Flags:
    """Say of cells × families whether another group of the breakdown is hidden as well."""
    rank = pl.struct("organisation", "breakdown").rank("dense").cast(pl.Int64) - 1
    table = groups.select(rank).to_series().to_numpy()
    order = np.argsort(table, kind="stable")
    first = np.searchsorted(table[order], np.arange(int(table.max(initial=-1)) + 1))
    number = np.add.reduceat(hidden[order], first, dtype=np.int64)
    return np.asarray(number[table] > hidden)
