"""A release as arrays: a row per group, a column per measure; and back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.errors import UnknownNameError
from culture_metrics.indicators.disclosure.structure import CELL, Structure, find_structure
from culture_metrics.results import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from culture_metrics.indicators.disclosure.puzzle import Flags, Floats, Numbers
    from culture_metrics.indicators.disclosure.rule import Rule

#: States of a cell.
ABSENT, SHOWN, SMALL, SECONDARY = range(4)
HIDDEN = {"suppressed_small_base": SMALL, "suppressed_secondary": SECONDARY}
LAYER = ["measure", "weighting", "source"]


@dataclass(frozen=True)
class Block:
    """A part of a release that has nothing to do with the rest: cells (groups) by layers (measures).

    `state` says of each whether it is absent, shown, hidden as too small or hidden for another's sake. `base`
    is 0 where it is absent and NaN where it was hidden before; `counted` the number counted in a percentage,
    NaN for scores. `kin` numbers layers that are hidden together: an element and its sub-scores, a question's
    percentages and its distribution, the same measure however weighted.
    """

    cells: pl.DataFrame
    structure: Structure
    base: Floats
    counted: Floats | None
    state: NDArray[np.int8]
    kin: Numbers
    row: Numbers
    row_cell: Numbers
    row_layer: Numbers

    def with_state(self, state: NDArray[np.int8]) -> Block:
        """Return the block with other cells hidden."""
        return replace(self, state=state)

    @property
    def hidden(self) -> Flags:
        """Cells that are hidden."""
        return self.state >= SMALL

    @property
    def mute(self) -> Flags:
        """Cells that were hidden before, so that their base is not known here."""
        return np.isnan(self.base)


def blocks(
    results: pl.DataFrame, rule: Rule, parents: pl.DataFrame | None, *, mark: bool = True
) -> Iterator[Block]:
    """Split a release into parts that do not add up with each other, as arrays, small cells marked."""
    frame = results.with_row_index("_row")
    pooled = frame.filter(pl.col("period") == ALL)["survey"].unique()
    apart = pl.when(pl.col("survey").is_in(pooled.implode())).then(pl.lit(ALL)).otherwise(pl.col("period"))
    for part in frame.with_columns(apart.alias("_apart")).partition_by("survey", "_apart", maintain_order=True):
        yield _block(part, rule, parents, mark=mark)


def _block(part: pl.DataFrame, rule: Rule, parents: pl.DataFrame | None, *, mark: bool) -> Block:
    layer = [c for c in LAYER if c in part.columns]
    cells = part.select(CELL).unique().sort(CELL)
    layers = part.select(*layer, *(["unit"] if "unit" in part.columns else [])).unique(layer).sort(layer)
    row_cell = _number(part, cells, CELL)
    row_layer = _number(part, layers, layer)
    shape = cells.height, layers.height
    status = part["status"].cast(pl.String)
    given = status.replace_strict({**HIDDEN, "reported": SHOWN}, default=ABSENT, return_dtype=pl.Int8).to_numpy()
    own = part["base"].cast(pl.Float64).fill_null(0.0).to_numpy()
    state, base = np.zeros(shape, np.int8), np.zeros(shape)
    state[row_cell, row_layer] = given
    base[row_cell, row_layer] = np.where(given >= SMALL, np.nan, np.where(given == SHOWN, own, 0.0))
    counted = None
    percent = (layers["unit"].cast(pl.String) == "percent").to_numpy() if "unit" in layers.columns else None
    if rule.minimum_count and percent is not None and percent.any():
        counted = np.full(shape, np.nan)
        share = part["estimate"].fill_null(0.0).to_numpy() / 100
        counted[row_cell, row_layer] = np.where(given >= SMALL, np.nan, np.round(own * share, 6))
        counted[state == ABSENT] = 0.0
        counted[:, ~percent] = np.nan
    small = (state == SHOWN) & (base < rule.minimum_base)
    if counted is not None and rule.minimum_count:
        least = np.fmin(counted, base - counted)
        small |= (state == SHOWN) & (least < rule.minimum_count - 1e-6)
    if mark:
        state[small] = SMALL
    return Block(
        cells=cells,
        structure=find_structure(cells, parents),
        base=base,
        counted=counted,
        state=state,
        kin=_kin(cells, layers),
        row=part["_row"].to_numpy(),
        row_cell=row_cell,
        row_layer=row_layer,
    )


def _number(part: pl.DataFrame, of: pl.DataFrame, key: list[str]) -> Numbers:
    numbered = of.select(key).with_row_index("_number")
    return part.select(key).join(numbered, on=key, how="left", maintain_order="left")["_number"].to_numpy().astype(np.int64)


def _kin(cells: pl.DataFrame, layers: pl.DataFrame) -> Numbers:
    """Number measures that are hidden together."""
    head: dict[str, str] = {}
    for survey, period in cells.select("survey", "period").unique(maintain_order=True).rows():
        try:
            measures = catalogue(survey).edition(period).measures if survey in surveys() else {}
        except UnknownNameError:
            continue
        for name, measure in measures.items():
            head |= {part: name for part in measure.parts}
            if measure.question:
                head[name] = f"{measure.question}?"
    names = layers["measure"].replace(head) if head else layers["measure"]
    return names.rank("dense").cast(pl.Int64).to_numpy() - 1
