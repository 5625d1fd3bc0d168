"""Where marks stand on the small charts of a page: one axis for all pages, so that they compare."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from culture_metrics.wording.numbers import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Size of a chart in its own units, and what stays free at both ends so that no mark is cut.
WIDTH, HEIGHT, EDGE = 190, 20, 8


@dataclass(frozen=True)
class Axis:
    """A scale from `low` to `high` across a chart."""

    low: float
    high: float

    def at(self, value: float | None) -> float | None:
        """Return where a value stands; none for none, the end for what lies beyond it."""
        if value is None:
            return None
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(EDGE + share * (WIDTH - 2 * EDGE), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Places of the lines of the grid, and their numbers: whole steps, or halves where few are."""
        step = 1.0 if self.high - self.low > 2.5 else 0.5
        values = np.arange(np.ceil(self.low / step), np.floor(self.high / step) + 1) * step
        return [(self.at(float(v)) or 0.0, f"{v:g}") for v in values]


def marks(row: Mapping[str, Any], axis: Axis, benchmark: float | None) -> dict[str, float | None]:
    """Return where the figures of one row stand."""
    places = {name: axis.at(row[name]) for name in ("estimate", "conf_low", "conf_high", "whole", "before")}
    return {**places, "benchmark": axis.at(benchmark)}


def spoken(row: Mapping[str, Any], benchmark: float | None, before: str | None) -> str:
    """Say one row as an alt text."""
    unit = row["unit"]
    said = [f"{row['label']}: {shown(row['estimate'], unit)}"]
    if row["conf_low"] is not None:
        said[0] += f", 95% interval {shown(row['conf_low'], unit)} to {shown(row['conf_high'], unit)}"
    beside = {"whole organisation": row["whole"], "benchmark group": benchmark, before: row["before"]}
    for name, value in beside.items():
        if value is not None and name:
            said.append(f"{name} {shown(value, unit)}")
    return "; ".join(said)
