"""Breakdowns that nearly coincide: who is in a group of one can be told from the group of the other."""

from __future__ import annotations

from contextlib import suppress
from itertools import combinations
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError
from culture_metrics.indicators.breakdowns import available_breakdowns, group_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culture_metrics.extracts.extract import Extract

#: From this share of errors on that knowing one group spares in guessing the other, both ways.
NEARLY = 0.6


def nearly_same(extracts: Iterable[Extract], names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the pairs of breakdowns that nearly coincide in some year (Goodman and Kruskal's lambda).

    Each hides the groups of the other: who is in one and not in the other are few. Of a department and its
    directorate only one can be told from the other, and they are none.
    """
    found = []
    for extract in extracts:
        columns = _columns(extract, names)
        groups = extract.frame.select(column.cast(pl.String).alias(n) for n, column in columns.items())
        found += [
            (one, other)
            for one, other in combinations(columns, 2)
            if min(_spared(groups, one, other), _spared(groups, other, one)) >= NEARLY
        ]
    return list(dict.fromkeys(found))


def _columns(extract: Extract, names: Sequence[str]) -> dict[str, pl.Expr]:
    """Return the breakdowns that the extract has; a column of free text is none."""
    found: dict[str, pl.Expr] = {}
    for name in names:
        if name in available_breakdowns(extract):
            with suppress(ExtractError):
                found |= group_columns(extract, [name])
    return found


def _spared(groups: pl.DataFrame, known: str, guessed: str) -> float:
    """Return lambda: the share of wrong guesses at one group that knowing the other one spares."""
    pairs = groups.drop_nulls([known, guessed]).group_by(known, guessed).len()
    if pairs.is_empty():
        return 0.0
    everyone = int(pairs["len"].sum())
    most = int(pairs.group_by(guessed).agg(pl.col("len").sum())["len"].max())  # type: ignore[arg-type]
    right = int(pairs.group_by(known).agg(pl.col("len").max())["len"].sum())
    return (right - most) / (everyone - most) if everyone > most else 0.0
