"""Hide small cells of a release, and as many others as it takes that none of them can be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.indicators.disclosure.block import SECONDARY, SHOWN, SMALL, blocks
from culture_metrics.indicators.disclosure.rule import Rule
from culture_metrics.indicators.disclosure.trees import hide_in_trees, hide_kin
from culture_metrics.indicators.disclosure.weave import hide_by_search

if TYPE_CHECKING:
    from culture_metrics.indicators.disclosure.block import Block

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base", "percent"]


def suppress(
    results: pl.DataFrame,
    minimum_base: int = 11,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """x"""
    rule = Rule(minimum_base, minimum_count)
    status = results["status"].cast(pl.String).to_numpy().copy()
    for block in blocks(results, rule, parents):
        done = _hide(block, rule)
        state = done.state[block.row_cell, block.row_layer]
        status[block.row[state == SMALL]] = "suppressed_small_base"
        status[block.row[state == SECONDARY]] = "suppressed_secondary"
    shown = pl.Series(status).eq("reported")
    numbers = [c for c in NUMBERS if c in results.columns]
    return results.with_columns(
        pl.Series("status", status, pl.String).cast(results.schema["status"]),
        *(pl.when(shown).then(pl.col(c)).alias(c) for c in numbers),
    )


def _hide(block: Block, rule: Rule) -> Block:
    layers = np.ones(block.state.shape[1], bool)
    while layers.any():
        start = hide_kin(block)
        done, stuck = hide_in_trees(start, rule)
        found = hide_by_search(start, done, stuck, rule, layers)
        found.state[:, ~layers] = block.state[:, ~layers]
        # Hidden with its kin, a cell can stand where nothing was hidden: look again.
        block = hide_kin(found)
        layers = (block.state != found.state).any(axis=0)
    return block
