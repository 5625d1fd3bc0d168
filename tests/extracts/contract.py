"""The contract of a clean extract in plain polars: what Pandera checks, in a tenth of the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.schema import allowed_codes

if TYPE_CHECKING:
    from culture_metrics.catalogue import Edition


def keeps_contract(frame: pl.DataFrame, edition: Edition) -> bool:
    """Say whether a table keeps `extract_schema`."""
    answers = {c: allowed_codes(edition.columns[c]) for c in frame.columns if c in edition.columns}
    ids = frame.select("respondent", "organisation")
    if {*ids.dtypes} != {pl.String} or any(frame[c].dtype != pl.Int8 for c in answers):
        return False
    if ids.null_count().row(0) != (0, 0) or ids["respondent"].is_duplicated().any():
        return False
    good = (pl.col(c).is_null() | pl.col(c).is_in(codes) for c, codes in answers.items())
    return frame.select(pl.all_horizontal(pl.lit(value=True), *good).all()).item()
