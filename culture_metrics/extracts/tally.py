"""How often each code stands in each column: one pass over the table that most rules live on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.schema import allowed_codes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.catalogue import Edition


FAR = 10_000


@dataclass(frozen=True)
class Tally:
    """Numbers of answers by column and code: `listed` on the question's list, `unlisted` not."""

    edition: Edition
    rows: int
    listed: Mapping[str, Mapping[int, int]]
    unlisted: Mapping[str, Mapping[int, int]]

    @cached_property
    def answered(self) -> dict[str, int]:
        """Number of answers in each column whose code is on the list."""
        return {column: sum(counts.values()) for column, counts in self.listed.items()}

    def counts(self, column: str) -> dict[int, int]:
        """Return the number of answers by code, codes that do not occur left out."""
        return {k: n for k, n in [*self.listed[column].items(), *self.unlisted[column].items()] if n}


def tally(frame: pl.DataFrame, edition: Edition) -> Tally:
    """Count the codes in every column of answers.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns of answers hold whole numbers of any width.
    edition : Edition
        Whose questions the columns are named by.

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> counted = tally(pl.DataFrame({"q11b": [1, 2, 2, 7, None]}), catalogue().edition(2024))
    >>> counted.listed["q11b"], counted.unlisted["q11b"]
    ({1: 1, 2: 2}, {7: 1})
    """
    columns = {c: allowed_codes(edition.columns[c]) for c in frame.columns if c in edition.columns}
    keys = [(column, code) for column, codes in columns.items() for code in codes]
    sums = frame.select((pl.col(c) == k).sum().alias(f"{c}={k}") for c, k in keys)
    counts: dict[str, dict[int, int]] = {column: {} for column in columns}
    for (column, code), n in zip(keys, sums.row(0) if keys else (), strict=True):
        counts[column][code] = n
    others = {c: frame.height - frame[c].null_count() - sum(counts[c].values()) > 0 for c in columns}
    strange = [c for c, some in others.items() if some]
    # Numbers far off (an id in the wrong column) are counted together, so that the tally stays small.
    rare = frame.select(
        pl.col(c)
        .filter(~pl.col(c).is_in(columns[c]))
        .cast(pl.Int64)
        .clip(-FAR, FAR)
        .value_counts(sort=True)
        .implode()
        for c in strange
    )
    unlisted: dict[str, dict[int, int]] = {column: {} for column in columns}
    for column in strange:
        unlisted[column] = {row[column]: row["count"] for row in rare[column][0]}
    return Tally(edition, frame.height, counts, unlisted)
