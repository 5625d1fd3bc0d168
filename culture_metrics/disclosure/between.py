"""Two releases of which one is about some more respondents: what follows about those."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.disclosure.release import ABSENT, OPEN, SHOWN
from culture_metrics.disclosure.rows import releases
from culture_metrics.disclosure.structure import Structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.disclosure.release import Release
    from culture_metrics.disclosure.rows import releases
from culture_metrics.disclosure.rule import Rule

FIRST, SECOND = "first ", "second "


def releases_of_two(
    first: pl.DataFrame, second: pl.DataFrame, rule: Rule, parents: pl.DataFrame | None, *, rounded: bool
) -> Iterator[Release]:
    """Set two releases of the same groups side by side, with the respondents who are in only one of them.

    Every cell stands three times, one set after the other: in the larger release, in the smaller one and
    between them, where the first is the sum of the other two. Cells in which the "smaller" release is larger,
    and those in one release only, are not tied.
    """
    named = ((FIRST, first), (SECOND, second))
    both = pl.concat(
        [table.with_columns(pl.concat_str(pl.lit(n), "measure").alias("measure")) for n, table in named],
        how="diagonal_relaxed",
    )
    for release, _ in releases(both, rule, parents):
        yield _tied(release, rule, rounded=rounded)


def _tied(release: Release, rule: Rule, *, rounded: bool) -> Release:
    of = release.measures.str.strip_prefix(FIRST).str.strip_prefix(SECOND)
    names = of.unique().sort()
    column = {name: place for place, name in enumerate(release.measures)}
    cells = len(release.state)
    state = np.full((3 * cells, len(names)), ABSENT, np.int8)
    base, small = np.zeros(state.shape), np.zeros(state.shape, bool)
    for copy, prefix in enumerate((FIRST, SECOND)):
        rows = slice(copy * cells, (copy + 1) * cells)
        for place, name in enumerate(names):
            if (found := column.get(prefix + name)) is not None:
                state[rows, place] = release.state[:, found]
                base[rows, place] = release.base[:, found]
                small[rows, place] = release.too_small[:, found]
    states, bases = (np.split(a, 3) for a in (state, base))
    shown = (states[0] == SHOWN) & (states[1] == SHOWN)
    gap = np.where(shown, np.nan_to_num(bases[0]) - np.nan_to_num(bases[1]), 0.0)
    order = [0, 1]
    if gap.sum() < 0:
        gap, order = -gap, [1, 0]
    tied = (states[0] != ABSENT) & (states[1] != ABSENT) & (gap >= 0)
    between = np.where(tied, np.where(shown & (not rounded), SHOWN, OPEN), ABSENT).astype(np.int8)
    few = (between == SHOWN) & (gap > 0) & (gap < rule.minimum_base)
    structure = release.structure
    sums, every = len(structure.total), np.arange(cells)
    links = every[tied.any(axis=1)]
    total = [structure.total + k * cells for k in range(3)]
    equation = [structure.equation + k * sums for k in range(3)]
    part = [structure.part + k * cells for k in range(3)]
    return replace(
        release,
        cells=pl.concat([release.cells] * 3),
        measures=names,
        structure=Structure(
            total=np.concatenate([*total, links]),
            equation=np.concatenate([*equation, *[3 * sums + np.arange(len(links))] * 2]),
            part=np.concatenate([*part, links + cells, links + 2 * cells]),
            top=np.tile(structure.top, 3),
        ),
        base=np.concatenate([bases[order[0]], bases[order[1]], np.where(shown & tied, gap, 0.0)]),
        counted=None,
        state=np.concatenate([states[order[0]], states[order[1]], between]),
        too_small=np.concatenate([*(np.split(small, 3)[k] for k in order), few]),
        family=np.arange(len(names)),
        tied=True,
    )
