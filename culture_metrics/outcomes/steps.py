"""Steps of rows on their way into a panel, counted: in rows, organisation-years and organisations."""

from __future__ import annotations

from typing import NamedTuple

import polars as pl

KEY = ["organisation", "year"]


class Step(NamedTuple):
    """What became of some rows, and why."""

    step: str
    rows: int
    organisation_years: int | None
    organisations: int | None
    reason: str


def step(name: str, rows: pl.DataFrame, reason: str) -> Step:
    """Count `rows` (`organisation`, `year`; `rows`, of the file, when one stands for several)."""
    of_file = int(rows["rows"].sum()) if "rows" in rows.columns else rows.height
    return Step(name, of_file, rows.select(KEY).n_unique(), rows["organisation"].n_unique(), reason)
