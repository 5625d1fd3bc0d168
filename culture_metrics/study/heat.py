"""What changed in the groups of a heat map."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.results.heat_table import HeatTable
from culture_metrics.wording.columns import signed
from culture_metrics.wording.numbers import together
from culture_metrics.wording.several import Figures
from culture_metrics.wording.verdicts import CLEAR

if TYPE_CHECKING:
    from culture_metrics.study.study import Study


def with_changes(study: Study, maps: Figures) -> Figures:
    """Return the maps; tables among them say what changed beyond chance in each group."""
    if study.why_no_change or not any(isinstance(one, HeatTable) for one in maps):
        return maps
    change = study.compare_years()
    leading = change.table.filter(pl.col("measure").is_in([*study.edition.leading]))
    rows = (
        leading.filter(pl.col("verdict").cast(pl.String).is_in(CLEAR))
        .sort(pl.col("standardised_difference").abs(), descending=True)
        .group_by("breakdown", "group", maintain_order=True)
        .agg(pl.format("{} {}", "label", signed("difference")))
    )
    said = {
        (breakdown, group): f"Since {change.from_period}, beyond chance: {together(moved)}"
        for breakdown, group, moved in rows.iter_rows()
    }
    return replace(
        maps,
        figures=tuple(
            replace(one, moved=said) if isinstance(one, HeatTable) else one for one in maps.figures
        ),
    )
