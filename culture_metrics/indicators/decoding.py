"""Decoding: a weighted figure is one number that tells several, where few people have a weight of their own.

The sum of weighted answers is made of whole numbers of people, or of points, one for each weight. Of a ward
of twelve nurses, twelve others and one doctor, with weights that are known, the weighted score has one
solution: it tells what the doctor answered. How much a figure tells is counted in bits. Where it has few
decimals, and there are many ways to fill the other weights, it has many solutions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.contract import ALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culture_metrics.disclosure.decision import Table

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]

#: Bits that a figure tells: as it is worked out, and with as many decimals as are printed (`DECIMALS`).
FULL, ROUNDED = 44.0, 10.0
#: Bits that the standard error of a rounded figure tells besides; in full it is one more equation.
ERROR = 3.0
#: So many more bits must be open than are told.
MARGIN = 3.0
#: Decimals of figures that would tell too much with more: of percentages; of scores and standard errors.
DECIMALS = (1, 2)
#: Steps between the least and the most that one respondent can count for: in a percentage; in a score.
STEPS = (1, 4)
#: Up to so many different weights in an organisation are weights of groups (departments, say): outsiders can
#: work them out.
FEW = 200


class Told(NamedTuple):
    """What may not be shown, and what may be shown with few decimals only: cells × measures."""

    hidden: Flags
    rounded: Flags


@dataclass(frozen=True)
class Ways:
    """How many people carry each weight, and how many ways there are for what they answered.

    Attributes
    ----------
    counts : array
        Sets of people × weights × measures: respondents.
    percent : array of bool
        By measure: whether it is a percentage.
    minimum : int
        Smallest number of people about whom something may be told.
    """

    counts: Floats
    percent: Flags
    minimum: int

    @cached_property
    def few(self) -> Flags:
        """Whether few of a set share a weight that the others do not have: sets × measures."""
        there = self.counts > 0
        return np.asarray((there & (self.counts < self.minimum)).any(axis=1) & (there.sum(axis=1) > 1))

    @cached_property
    def bits(self) -> Floats:
        """How much is open about the others, for one who knows the unweighted figure: sets × measures."""
        ways = np.log2(1 + self.counts * np.where(self.percent, *STEPS))
        small = np.where(self.counts < self.minimum, ways, 0.0).max(axis=1)
        return np.asarray(ways.sum(axis=1) - ways.max(axis=1) - small)

    def told_by(self, bits: float | Floats) -> Flags:
        """Whether figures that tell so many bits say what few of a set answered."""
        return np.asarray(self.few & (self.bits < bits + MARGIN))


def decode(
    tables: Sequence[Table],
    weights: Sequence[Sequence[Floats]],
    there: Flags,
    hidden: Sequence[Flags],
    percent: Flags,
    minimum: int,
) -> list[Told]:
    """Say what of weighted tables would tell what few people answered.

    Parameters
    ----------
    tables : sequence of Table
        What is shown weighted: the whole of organisations, and breakdowns.
    weights : sequence of sequence of array
        By table: the weights of respondents with which it is shown, now and before.
    there : array of bool
        Respondents × measures: who answered.
    hidden : sequence of array of bool
        By table, groups × measures: what is hidden anyway.
    percent, minimum
        As in `Ways`.

    Notes
    -----
    A group that is hidden is what the whole leaves over when the groups shown are taken off, as exactly as
    its size against the whole allows. Where that tells of few people, the smallest groups are hidden too.
    """
    whole = {table.together: table for table in tables if table.name == ALL}
    found: list[Told] = []
    kept: dict[bool, Flags] = {}
    for table, used, gone in zip(tables, weights, hidden, strict=True):
        own = Ways(count_weights(table, used, there), percent, minimum)
        times = len(used)
        told = Told(own.told_by((ROUNDED + ERROR) * times), own.told_by(2 * FULL * times))
        if table.name != ALL and table.together in whole:
            everyone = whole[table.together]
            number = everyone.groups.select("organisation").with_row_index("_row")
            of = table.groups.join(number, on="organisation", how="left", maintain_order="left")["_row"]
            all_ = Ways(count_weights(everyone, used, there), percent, minimum)
            told, rounded = _beside(
                own, all_, of.to_numpy().astype(np.int64), gone | told.hidden, times, told
            )
            kept[table.together] = kept.get(table.together, np.zeros_like(rounded)) | rounded
        found.append(told)
    return [
        told._replace(rounded=told.rounded | kept[table.together])
        if table.name == ALL and table.together in kept
        else told
        for table, told in zip(tables, found, strict=True)
    ]


def _beside(
    own: Ways, whole: Ways, organisation: Numbers, gone: Flags, times: int, told: Told
) -> tuple[Told, Flags]:
    """Look at what the whole of each organisation leaves over; also says for which it must be rounded."""
    size, all_of = own.counts.sum(axis=1), np.maximum(whole.counts.sum(axis=1), 1)
    shown = ~whole.told_by((ROUNDED + ERROR) * times)
    hidden = gone.copy()
    while True:
        rest = whole.counts.copy()
        np.subtract.at(rest, organisation, own.counts * ~hidden[:, None])
        left = replace(whole, counts=rest)
        # It has no standard error, and is told the less exactly the smaller it is.
        bits = ROUNDED + np.log2(np.maximum(rest.sum(axis=1), 1) / all_of)
        open_ = left.told_by(np.maximum(bits * times, -MARGIN)) & shown
        more = _smallest(np.where(hidden | (size == 0), np.inf, size), organisation, open_)
        if not more.any():
            break
        hidden |= more
    rounded = left.told_by(FULL * times)
    return Told(told.hidden | (hidden & ~gone), told.rounded | rounded[organisation]), rounded


def count_weights(table: Table, weights: Sequence[Floats], there: Flags) -> Floats:
    """Count who is there: cells × weights (each different one, or combination) × measures."""
    of, cells = table.of[: len(there)], table.groups.height
    codes = [np.unique(weight, return_inverse=True)[1].reshape(-1) for weight in weights]
    code = np.unique(np.column_stack(codes), axis=0, return_inverse=True)[1].reshape(-1)
    kinds = int(code.max(initial=0)) + 1
    inside = np.flatnonzero(of >= 0)
    key = of[inside] * kinds + code[inside]
    order = np.argsort(key, kind="stable")
    found = np.zeros((cells * kinds, there.shape[1]))
    if len(order):
        keys, first = np.unique(key[order], return_index=True)
        found[keys] = np.add.reduceat(there[inside[order]].astype(np.int32), first)
    return found.reshape(cells, kinds, -1)


def _smallest(size: Floats, organisation: Numbers, where: Flags) -> Flags:
    """Choose the smallest group of each organisation, by measure, where one is wanted and there is one."""
    least = np.full(where.shape, np.inf)
    np.minimum.at(least, organisation, size)
    found = (size == least[organisation]) & np.isfinite(size) & where[organisation]
    return np.asarray(found)


def told_outside(organisation: pl.Series, weight: Floats) -> bool:
    """Whether outsiders can know weights of some organisation: not those that hardly two people share."""
    each = pl.DataFrame({"organisation": organisation, "weight": weight}).group_by("organisation")
    own = each.agg(pl.col("weight").n_unique(), people=pl.len())
    known = (pl.col("weight") <= FEW) & (pl.col("weight") * 2 <= pl.col("people"))
    return not own.filter(known).is_empty()
