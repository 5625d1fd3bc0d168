"""What results know, beside their table, of how groups differ from their whole organisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

KEY = ["organisation", "breakdown", "group"]


@dataclass(frozen=True)
class Beside:
    """Standard errors of differences from the whole organisation, cells × measures, of one period.

    They count that a group is part of the whole, with its weights, its clusters and the margins it was raked
    to: the standard errors of both alone do not tell. `keys` names the cells; what is not shown has none.
    """

    survey: str
    period: str
    keys: pl.DataFrame
    measures: tuple[str, ...]
    errors: NDArray[np.float64]


def with_apart(rows: pl.DataFrame, kept: Iterable[Beside]) -> pl.DataFrame:
    """Add `apart` to results: the standard error of the difference from the whole, null where not known."""
    found = pl.Series("apart", np.full(rows.height, np.nan))
    for one in kept:
        numbered = one.keys.select(KEY).with_row_index("cell")
        names = pl.DataFrame({"measure": one.measures}).with_row_index("place")
        here = (pl.col("survey") == one.survey) & (pl.col("period") == one.period)
        at = (
            rows.select(*KEY, "measure", here=here)
            .join(numbered, on=KEY, how="left", maintain_order="left")
            .join(names, on="measure", how="left", maintain_order="left")
        )
        there = at.select(pl.col("here") & pl.col("cell").is_not_null() & pl.col("place").is_not_null())
        place = np.flatnonzero(there.to_series().to_numpy())
        own = at[place]
        values = found.to_numpy().copy()
        values[place] = one.errors[own["cell"].to_numpy(), own["place"].to_numpy()]
        found = pl.Series("apart", values)
    return rows.with_columns(found.fill_nan(None))
