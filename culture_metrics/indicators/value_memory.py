"""What calls about one table of respondents have shown, so that a later call opens none of it."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.contract import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    Flags = NDArray[np.bool_]

#: So many tables are remembered in a process, the latest.
MOST = 64
ID = "respondent"
KEY = ["organisation", "breakdown", "group", "measure"]


class Shown(NamedTuple):
    """One breakdown that a call showed: the labels it is made of, by respondent, and the rows shown."""

    labels: pl.DataFrame
    rows: pl.DataFrame


_KEPT: OrderedDict[tuple[int, int], list[Shown]] = OrderedDict()


class Memory:
    """What was shown of a table so far, beside what is asked of it now.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per respondent. They are told by a column `respondent`, in any order; without it, or where it
        says somebody twice, by the measures of all in their order.
    measures : sequence of str
        Number columns asked for.
    asked : mapping
        Breakdown -> the columns it crosses.

    Attributes
    ----------
    breakdowns : mapping
        Breakdowns of earlier calls that are not asked for again, under names of their own.
    labels : polars.DataFrame
        The table with the columns that these are made of.
    """

    def __init__(
        self, frame: pl.DataFrame, measures: Sequence[str], asked: Mapping[str, Sequence[str]]
    ) -> None:
        by_id = ID in frame.columns and frame[ID].is_unique().all()
        self._ids = frame.select(pl.col(ID) if by_id else pl.int_range(pl.len(), dtype=pl.Int64).alias(ID))
        told = self._ids if by_id else self._ids.hstack(frame.select(measures))
        key = frame.height, int(told.hash_rows().sum() or 0)
        self._kept = _KEPT.setdefault(key, [])
        _KEPT.move_to_end(key)
        if len(_KEPT) > MOST:
            _KEPT.popitem(last=False)
        self._asked = {ALL: self._ids.select([])} | {name: frame.select(own) for name, own in asked.items()}
        self.labels = frame
        self.breakdowns: dict[str, tuple[str, ...]] = {}
        #: Of each breakdown shown before, what it is called now.
        self._now: list[str] = []
        for number, shown in enumerate(self._kept):
            labels = self._ids.join(shown.labels, on=ID, how="left", maintain_order="left").drop(ID)
            again = next((name for name, own in self._asked.items() if labels.equals(own)), None)
            self._now.append(again or f"call {number}")
            if again is None:
                names = tuple(f"{column} of call {number}" for column in labels.columns)
                self.labels = self.labels.hstack(labels.rename(dict(zip(labels.columns, names, strict=True))))
                self.breakdowns[f"call {number}"] = names

    def shown(self, table: pl.DataFrame) -> tuple[Flags, Flags]:
        """Say which rows of a table earlier calls showed, and which are of them and were not shown."""
        rows = [
            shown.rows.with_columns(breakdown=pl.lit(name))
            for shown, name in zip(self._kept, self._now, strict=True)
        ]
        known = pl.concat([table.clear().select(KEY), *rows]).unique().with_columns(known=pl.lit(value=True))
        there = table.select(KEY).join(known, on=KEY, how="left", maintain_order="left")["known"]
        fixed = there.fill_null(value=False).to_numpy()
        return fixed, ~fixed & table["breakdown"].is_in([*self.breakdowns]).to_numpy()

    def keep(self, table: pl.DataFrame) -> pl.DataFrame:
        """Keep in mind what a table shows of what was asked for, and return that part of it."""
        mine = table.filter(~pl.col("breakdown").is_in([*self.breakdowns]))
        rows = mine.filter(status="reported").select(KEY)
        before = list(zip(self._kept, self._now, strict=True))
        self._kept[:] = [shown for shown, now in before if now in self.breakdowns]
        for name, labels in self._asked.items():
            again = [shown.rows for shown, now in before if now == name]
            here = pl.concat([rows.filter(breakdown=name), *again]).unique(KEY)
            self._kept.append(Shown(self._ids.hstack(labels), here))
        return mine
