"""What agreement needs of an extract: scores, the answers behind them on one scale, and groups shown."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.indicators.breakdowns import breakdown_id, group_columns
from culture_metrics.indicators.scoring import score
from culture_metrics.indicators.shown import shown_cells

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract


class Scored(NamedTuple):
    """Scores and answers of respondents; a measure whose answers share no scale has no items.

    `left_out` counts, by measure, the groups that are nowhere shown.
    """

    frame: pl.DataFrame
    measures: list[str]
    items: dict[str, list[str]]
    scale: dict[str, tuple[float, float, int]]
    left_out: dict[str, int]


def scored(extract: Extract, measures: Sequence[str], group: str, minimum_base: int | None) -> Scored:
    """Return scores by measure id, the answers of sub-scores as they are scored (0 to 10), and the group.

    Only of those whose group `estimate` shows for the measure: all others have no value, so that nothing is
    worked out from them. Answers to a question are there where its percentage is shown as well.

    Raises
    ------
    UnknownNameError
        When the edition has no such measure, or the extract no such breakdown.
    """
    edition, here = extract.edition, set(extract.frame.columns)
    names = [edition.measure(name).id for name in measures]
    whole = group == "organisation"
    breakdown = ALL if whole else breakdown_id(extract, group)
    cells = shown_cells(extract, [] if whole else [breakdown], minimum_base=minimum_base)
    cells = cells.filter(breakdown=breakdown).with_columns(
        pl.col("status") == "reported", group=pl.col("organisation" if whole else "group").cast(pl.String)
    )
    own = pl.col("organisation") if whole else group_columns(extract, [breakdown])[breakdown].cast(pl.String)
    place = extract.frame.select("organisation", own.alias("group"))
    frame = score(extract).select(names).with_columns(place["group"].alias(group))
    frame = frame.with_columns(
        pl.when(_shown(place, cells, [name])).then(pl.col(name)).alias(name) for name in names
    )
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
            for q in asked:
                answers = extract.frame[q.code].replace_strict(
                    {k: float(v) for k, v in (q.score_map or {}).items()},
                    default=None,
                    return_dtype=pl.Float64,
                )
                told = [name, *(m.id for m in edition.percentages.values() if m.question == q.id)]
                shown = pl.when(_shown(place, cells, told)).then(answers)
                frame = frame.with_columns(shown.alias(f"{name}: {q.code}"))
    left_out = cells.group_by("measure", "group").agg(pl.col("status").any())
    none = dict(left_out.group_by("measure").agg((~pl.col("status")).sum()).iter_rows())
    return Scored(frame, names, items, scale, {name: none.get(name, 0) for name in names})


def _shown(place: pl.DataFrame, cells: pl.DataFrame, measures: Sequence[str]) -> pl.Series:
    """Say of each respondent whether all of the measures are shown of their group."""
    own = cells.filter(pl.col("measure").is_in(measures)).group_by("organisation", "group")
    shown = own.agg(pl.col("status").all())
    return place.join(shown, on=["organisation", "group"], how="left", maintain_order="left")[
        "status"
    ].fill_null(value=False)
