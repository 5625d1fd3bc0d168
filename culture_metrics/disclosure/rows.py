"""Tables of results as releases, and where each row of a table belongs in them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.disclosure.release import ABSENT, SECONDARY, SHOWN, SMALL, UNTOLD, Release, release_of
from culture_metrics.disclosure.structure import CELL
from culture_metrics.results import ALL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from culture_metrics.disclosure.rule import Rule

    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]

#: What a hidden cell is called in `status`.
HIDDEN = {"suppressed_small_base": SMALL, "suppressed_secondary": SECONDARY, "suppressed": UNTOLD}
GROUP = ["survey", "organisation", "breakdown", "group"]
NEEDED = [*CELL, "measure", "base", "status"]


@dataclass(frozen=True)
class Rows:
    """Where rows of a table belong: `row` numbers them, `cell` and `measure` are those of the release."""

    row: Numbers
    cell: Numbers
    measure: Numbers


def releases(
    results: pl.DataFrame, rule: Rule, parents: pl.DataFrame | None = None, *, mark: bool = False
) -> Iterator[tuple[Release, Rows]]:
    """Split a table into parts that do not add up with each other, as arrays.

    `mark` hides what the rule finds too small.
    """
    percent = [c for c in ("unit", "estimate") if rule.minimum_count]
    frame = results.select(*NEEDED, *percent).with_row_index("_row")
    heads, run = _runs(frame, CELL)
    # The same groups are hidden in every period, as far as that goes.
    largest = pl.DataFrame({"_run": run, "size": frame["base"]}).group_by("_run").agg(pl.col("size").max())
    heads = heads.with_columns(largest.sort("_run")["size"].cast(pl.Float64).fill_null(0.0))
    sizes = heads.group_by(GROUP).agg(pl.col("size").max())
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
) -> tuple[Release, Rows]:
    cells, cell = _numbered(*runs)
    measures = part["measure"].unique().sort()
    measure = part["measure"].cast(pl.Enum(measures)).to_physical().to_numpy().astype(np.int64)
    shape = cells.height, len(measures)
    status = part["status"].cast(pl.String)
    given = status.replace_strict(
        {**HIDDEN, "reported": SHOWN}, default=ABSENT, return_dtype=pl.Int8
    ).to_numpy()
    own = part["base"].cast(pl.Float64).fill_null(0.0).to_numpy()
    state, base = np.zeros(shape, np.int8), np.full(shape, np.inf)
    place = cell * shape[1] + measure
    # A measure that stands in several rows (weighted and not) is hidden in all of them or in none.
    np.maximum.at(state.ravel(), place, given)
    np.minimum.at(base.ravel(), place, np.where(given == SHOWN, own, np.inf))
    base[state == ABSENT] = 0.0
    base[state >= SMALL] = np.nan
    counted = _counted(part, place, base) if rule.minimum_count else None
    cells = cells.join(sizes, on=GROUP, how="left", maintain_order="left")
    release = release_of(cells, measures, base, state, rule, counted=counted, parents=parents, mark=mark)
    return release, Rows(part["_row"].to_numpy().astype(np.int64), cell, measure)


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
