"""What agreement needs of an extract: scores, the answers behind them on one scale, and groups."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.scoring import score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract


class Scored(NamedTuple):
    """Scores and answers of respondents; a measure whose answers share no scale has no items."""

    frame: pl.DataFrame
    measures: list[str]
    items: dict[str, list[str]]
    scale: dict[str, tuple[float, float, int]]


def scored(extract: Extract, measures: Sequence[str], group: str) -> Scored:
    """Return scores by measure id, the answers of sub-scores as they are scored (0 to 10), and the group.

    Raises
    ------
    UnknownNameError
        When the edition has no such measure, or the extract no such breakdown.
    """
    edition, here = extract.edition, set(extract.frame.columns)
    names = [edition.measure(name).id for name in measures]
    grouping = pl.col("organisation") if group == "organisation" else group_columns(extract, [group])[group]
    frame = score(extract).select(names).with_columns(extract.frame.select(grouping.alias(group)))
    items: dict[str, list[str]] = {}
    scale: dict[str, tuple[float, float, int]] = {}
    for name in names:
        measure = edition.scores.get(name)
        asked = [edition.questions[i] for i in measure.items] if measure and not measure.filter else []
        levels = {tuple(sorted(set((q.score_map or {}).values()))) for q in asked}
        # Only answers on one scale with equal steps can be set against chance.
        if len(levels) != 1 or not all(q.code in here for q in asked):
            continue
        values = next(iter(levels))
        steps = {round(b - a, 9) for a, b in pairwise(values)}
        if len(steps) == 1:
            items[name] = [f"{name}: {q.code}" for q in asked]
            scale[name] = (float(values[0]), float(values[-1]), len(values))
            frame = frame.with_columns(
                extract.frame.select(
                    pl.col(q.code)
                    .replace_strict(
                        {k: float(v) for k, v in (q.score_map or {}).items()},
                        default=None,
                        return_dtype=pl.Float64,
                    )
                    .alias(f"{name}: {q.code}")
                    for q in asked
                )
            )
    return Scored(frame, names, items, scale)
