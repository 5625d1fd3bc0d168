"""Cells: every organisation as a whole, and every organisation by every group of each breakdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.results import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract

#: Between the names of crossed breakdowns, and between the names of their groups.
CROSS = " × "


@dataclass(frozen=True)
class Block:
    """One breakdown: the cell of each respondent (0 to `size` - 1, or `size` for none)."""

    of: NDArray[np.int64]
    size: int
    start: int


@dataclass(frozen=True)
class Cells:
    """The cells of an extract: `keys` names them (`organisation, breakdown, group`), blocks fill them."""

    keys: pl.DataFrame
    blocks: tuple[Block, ...]

    def __iter__(self) -> Iterator[Block]:
        return iter(self.blocks)


def make_cells(extract: Extract, by: Sequence[str | Sequence[str]]) -> Cells:
    """Put every respondent into the cell of their organisation and of each of its groups.

    A breakdown given as several names is crossed: its groups are joined by " × ". A respondent whose group is
    not known is in no cell of that breakdown.
    """
    crossed = {CROSS.join(b): list(b) for b in ([b] if isinstance(b, str) else b for b in by)}
    single = group_columns(extract, list(dict.fromkeys(n for names in crossed.values() for n in names)))
    frame = extract.frame.select("organisation", *(e.alias(f"by {n}") for n, e in single.items()))
    keys: list[pl.DataFrame] = []
    blocks: list[Block] = []
    start = 0
    for name, parts in {ALL: [], **crossed}.items():
        columns = [f"by {p}" for p in parts]
        group = pl.concat_str(columns, separator=CROSS) if columns else pl.lit(ALL)
        labelled = frame.select("organisation", group.alias("group"))
        named = labelled.drop_nulls().unique().sort("organisation", "group").with_row_index("cell")
        size = named.height
        cell = labelled.join(named, on=["organisation", "group"], how="left", maintain_order="left")["cell"]
        blocks.append(Block(cell.fill_null(size).cast(pl.Int64).to_numpy(), size, start))
        keys.append(named.select("organisation", pl.lit(name).alias("breakdown"), "group"))
        start += size
    return Cells(pl.concat(keys), tuple(blocks))
