"""People left over who all answered alike, told from the numbers of groups alone.

Where respondents are too many to be looked at one by one, what a whole leaves over beside the groups of it
that are shown is still known: of a percentage, how many it counts there and how many it does not. If either
is nobody, what each of those left over answered is known, however many they are.
"""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.decision import Table
from culture_metrics.disclosure.people import STUCK
from culture_metrics.errors import CultureMetricsWarning, warn
from culture_metrics.indicators.layers import rows_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.layers import Layer

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Numbers = NDArray[np.int64]


def lies_in(inner: Numbers, outer: Numbers, groups: int) -> Numbers:
    """Say for each group of a breakdown in which group of another all its people are; -1 where in none.

    `inner` and `outer` are the groups of each respondent, -1 for none.

    Examples
    --------
    >>> lies_in(np.array([0, 0, 1, 1, -1]), np.array([2, 2, 2, 3, 3]), 2).tolist()
    [2, -1]
    """
    there = inner >= 0
    least, most = np.full(groups, np.iinfo(np.int64).max), np.full(groups, -1)
    np.minimum.at(least, inner[there], outer[there])
    np.maximum.at(most, inner[there], outer[there])
    return np.where(least == most, most, -1)


class Plain(NamedTuple):
    """A breakdown with everyone counted once, or the whole.

    Attributes
    ----------
    table : Table
        Its groups, and who is in which.
    fixed, hidden : array of bool
        Groups × families: what may no more be hidden, and what is hidden.
    looked : array of bool
        By group: whether it may no more be said why it is hidden.
    """

    table: Table
    fixed: Flags
    hidden: Flags
    looked: Flags


def plain_of(
    tables: Sequence[Table], layers: Sequence[Layer], hidden: Sequence[Flags], looked: Sequence[Flags]
) -> list[Plain]:
    """Return the tables of a call that are shown with everyone counted once, and what is hidden of them."""
    return [
        Plain(tables[layer.table], layer.fixed, gone, seen)
        for layer, gone, seen in zip(layers, hidden, looked, strict=True)
        if layer.mine and layer.weight is None
    ]


def sides_of(parts: Sequence[tuple[Floats, Floats]], percent: Numbers) -> Floats:
    """Return whom percentages count, and whom not, from bases and means: cells × percentages × 2.

    Weighted percentages do not say how many they count: their bases are given as 0.
    """
    base, mean = (np.vstack(some)[:, percent] for some in zip(*parts, strict=True))
    counted = np.round(base * np.nan_to_num(mean) / 100)
    return np.stack([counted, base - counted], axis=2)


def hide_by_name(groups: pl.DataFrame, sides: Floats, hidden: Flags, looked: Flags, family: Numbers) -> None:
    """Do as `hide_alike` where only names of groups are known: each lies in the whole of its organisation."""
    number = groups.with_row_index("_row")
    whole = number.filter(breakdown=ALL).select("organisation", _whole=pl.int_range(pl.len(), dtype=pl.Int64))
    of_whole = groups.join(whole, on="organisation", how="left", maintain_order="left")["_whole"].fill_null(
        -1
    )
    made = []
    for (name,), rows in number.group_by("breakdown", maintain_order=True):
        row = rows["_row"].to_numpy()
        of = np.full(groups.height, -1)
        of[row] = np.arange(len(row))
        table = Table(together=False, groups=groups[row], of=of_whole.to_numpy() if name == ALL else of)
        made.append((row, Plain(table, np.zeros_like(hidden[row]), hidden[row], looked[row])))
    hide_alike([plain for _, plain in made], lambda some: sides[rows_in(groups, some)], family)
    for row, plain in made:
        hidden[row], looked[row] = plain.hidden, plain.looked


def hide_alike(own: Sequence[Plain], sides: Callable[[pl.DataFrame], Floats], family: Numbers) -> None:
    """Hide groups beside which a whole leaves over people who are all on one side of a percentage.

    Changes what is `hidden` and `looked`. `sides` says of groups × percentages × 2 whom a percentage counts,
    and whom not; `family` is by percentage.

    Warns
    -----
    CultureMetricsWarning
        When such people are left over beside what may no more be hidden.
    """
    stuck = False
    both = [(one, sides(one.table.groups)) for one in own]
    for (outer, wholes), (inner, parts) in permutations(both, 2):
        inside = lies_in(inner.table.of, outer.table.of, inner.table.groups.height)
        told = ~outer.hidden[:, family]
        gone, left = mixed(inside, parts, wholes, inner.hidden, inner.fixed, family, told)
        inner.looked[:] |= (gone != inner.hidden).any()
        inner.hidden[:] = gone
        stuck |= left
    if stuck:
        warn(STUCK, CultureMetricsWarning)


def hide_beside_few(own: Sequence[Plain], answered: Callable[[pl.DataFrame], Floats], minimum: int) -> None:
    """Hide a group more where few of the people left over answered what nearly all people do.

    How many they are, and how many skipped that measure around them, would tell how many answered it. Changes
    what is `hidden` and `looked`.

    Parameters
    ----------
    own : sequence of Plain
        What is shown.
    answered : callable
        Says of groups how many people are in them, then how many of these answered each such measure.
    minimum : int
        Smallest number of people that may be left over.
    """
    both = [(one, answered(one.table.groups)) for one in own]
    for (outer, wholes), (inner, parts) in permutations(both, 2):
        inside = lies_in(inner.table.of, outer.table.of, inner.table.groups.height)
        for whole in np.flatnonzero(~outer.hidden[:, 0]):
            lies = inside == whole
            while True:
                shown = lies & ~inner.hidden[:, 0]
                left = wholes[whole] - parts[shown].sum(axis=0)
                few = ((left[1:] > 0) & (left[1:] < minimum)).any()
                may = shown & ~inner.fixed[:, 0] & (parts[:, 0] > 0)
                # What leaves fewer people over is hidden as such.
                if left[0] < minimum or not few or not may.any():
                    break
                inner.hidden[np.where(may, parts[:, 0], np.inf).argmin()] = True
                inner.looked[lies] = True


def mixed(
    inside: Numbers, parts: Floats, wholes: Floats, hidden: Flags, fixed: Flags, family: Numbers, told: Flags
) -> tuple[Flags, bool]:
    """Hide groups until no whole leaves people over who are all on one side of a percentage.

    Parameters
    ----------
    inside : array
        By group: the whole that it lies in; -1 for none.
    parts, wholes : array
        Groups × percentages × 2: respondents whom it counts, and whom it does not.
    hidden, fixed : array of bool
        Groups × families: what is hidden so far, and what may no more be.
    family : array
        By percentage.
    told : array of bool
        Wholes × percentages: whether the whole is shown.

    Returns
    -------
    array of bool, bool
        What is hidden then; whether anything follows all the same.

    Examples
    --------
    Of the hidden ten nobody is counted; with the smaller of the others hidden as well, 8 of 25 are.

    >>> parts = np.array([[[0, 10]], [[8, 7]], [[9, 21]]])
    >>> found, stuck = mixed(
    ...     np.zeros(3, int), parts, parts.sum(axis=0, keepdims=True), np.array([[True], [False], [False]]),
    ...     np.zeros((3, 1), bool), np.array([0]), np.array([[True]]),
    ... )
    >>> found.ravel().tolist(), stuck
    ([True, True, False], False)
    """
    gone, lies = hidden.copy(), inside >= 0
    # Of a whole that is all on one side nothing more follows.
    told = told & (wholes > 0.5).all(axis=2)
    while True:
        left = wholes.astype(float)
        shown = lies[:, None] & ~gone[:, family]
        np.subtract.at(left, inside[lies], np.where(shown[..., None], parts, 0.0)[lies])
        alike = told & (left > 0.5).any(axis=2) & (left < 0.5).any(axis=2)
        more = np.zeros_like(gone)
        for whole, place in np.argwhere(alike):
            missing = parts[:, place, int(left[whole, place].argmin())]
            may = shown[:, place] & (inside == whole) & (missing > 0.5) & ~fixed[:, family[place]]
            if may.any():
                size = np.where(may, parts[:, place].sum(axis=1), np.inf)
                more[size.argmin(), family[place]] = True
        if not more.any():
            return gone, bool(alike.any())
        gone |= more
