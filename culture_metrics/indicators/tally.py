"""One pass over the answers: counts and sums of weights per cell, from which every estimate follows."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.cells import Cells, Layer
    from culture_metrics.indicators.percentages import Marked

    Numbers = NDArray[np.float64]

#: Numbers of one batch of respondents that are held at a time, and that are looked up at a time.
BATCH, SLICE = 2**18, 2**14
#: Up to so many respondents to a profile are counted in small whole numbers, twice as fast.
FEW = 2**16 - 1
#: Two numbers side by side, as one: what counts, and what is in the base.
PAIR = {np.uint16: np.uint32, np.float32: np.complex64, np.float64: np.complex128}


class Tally(Protocol):
    """What the answers of parts add up to: `tally[rows]` are the moments of some parts."""

    def __getitem__(self, rows: slice) -> Moments: ...


@dataclass(frozen=True)
class Moments:
    """Sufficient statistics, part × measure, over the respondents in the base.

    `count` n, `weight` Σw, `weight2` Σw², `mean` the weighted mean m (0 where nobody is), `cross` Σw²(y - m)
    and `spread` Σw²(y - m)².
    """

    count: Numbers
    weight: Numbers
    weight2: Numbers
    mean: Numbers
    cross: Numbers
    spread: Numbers

    def merge(self, layer: Layer) -> Moments:
        """Put parts together (Chan, Golub & LeVeque 1983): exact, and as steady as two passes."""
        if layer.same:
            return self
        weight = layer.sum(self.weight)
        mean = _share(layer.sum(self.weight * self.mean), weight)
        gap = self.gap(mean[layer.of])
        cross = self.cross + gap * self.weight2
        spread = self.spread + gap * (self.cross + cross)
        return Moments(
            layer.sum(self.count), weight, layer.sum(self.weight2), mean, layer.sum(cross), layer.sum(spread)
        )

    def gap(self, centre: Numbers) -> Numbers:
        """Return mean - centre; 0 where nothing but rounding parts them."""
        gap = self.mean - centre
        return np.where((self.count == 0) | (np.abs(gap) <= 1e-13 * np.abs(centre)), 0.0, gap)

    def __getitem__(self, rows: NDArray[np.int64] | slice) -> Moments:
        return Moments(*(getattr(self, f.name)[rows] for f in fields(self)))

    def plus(self, other: Moments) -> Moments:
        """Fill the parts where nobody is with those of another tally."""
        return Moments(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def measures(self, which: NDArray[np.int64] | slice) -> Moments:
        """Return some of the measures."""
        return Moments(*(getattr(self, f.name)[:, which] for f in fields(self)))

    @staticmethod
    def beside(parts: Sequence[Moments]) -> Moments:
        """Put measures side by side."""
        return Moments(*(np.hstack([getattr(p, f.name) for p in parts]) for f in fields(Moments)))

    @staticmethod
    def under(parts: Sequence[Moments]) -> Moments:
        """Put cells under each other."""
        return Moments(*(np.vstack([getattr(p, f.name) for p in parts]) for f in fields(Moments)))


@dataclass(frozen=True)
class _Shares:
    """Sums behind percentages: those in the base, and those that count, also of weights and their squares."""

    count: Numbers
    weight: Numbers
    counted: Numbers
    weight2: Numbers
    counted2: Numbers

    def __getitem__(self, rows: slice) -> Moments:
        weight, counted, weight2, counted2 = (
            sums[rows] for sums in (self.weight, self.counted, self.weight2, self.counted2)
        )
        other, other2 = weight - counted, weight2 - counted2
        share, rest = _share(counted, weight), _share(other, weight)
        cross = counted2 * rest - other2 * share
        spread = counted2 * rest**2 + other2 * share**2
        return Moments(self.count[rows], weight, weight2, 100 * share, 100 * cross, 1e4 * spread)


@dataclass(frozen=True)
class _Values:
    """Sums behind means, of numbers less a middle value and of their squares, and of weights."""

    middle: Numbers
    count: Numbers
    weight: Numbers
    first: Numbers
    weight2: Numbers
    first2: Numbers
    second: Numbers

    def __getitem__(self, rows: slice) -> Moments:
        count, weight, first, weight2, first2, second = (
            sums[rows]
            for sums in (self.count, self.weight, self.first, self.weight2, self.first2, self.second)
        )
        gap = _share(first, weight)
        cross = first2 - gap * weight2
        spread = second - 2 * gap * first2 + gap**2 * weight2
        # What is left of equal values is rounding.
        spread = np.where(spread <= 1e-13 * second, 0.0, spread)
        mean = np.where(count > 0, gap + self.middle, 0.0)
        return Moments(count, weight, weight2, mean, np.where(spread > 0, cross, 0.0), spread)


def share_tally(answers: Marked, cells: Cells, weight: Numbers | None) -> Tally:
    """Tally percentages: 100 for an answer that counts, 0 for another in the base."""
    n_shares = len(answers.column)
    kind = np.float64 if weight is not None else np.uint16 if cells.largest <= FEW else np.float32
    pairs = np.stack([answers.marks.real, answers.marks.imag], axis=-1).astype(kind)
    table: NDArray[Any] = pairs.view(PAIR[kind]).ravel()
    first = 256 * np.arange(n_shares, dtype=np.int32)
    side_by_side = (np.diff(answers.column) == 1).all()
    own = slice(answers.column[0], answers.column[-1] + 1) if side_by_side and n_shares else answers.column

    def columns(rows: slice, out: NDArray[Any]) -> None:
        codes = answers.codes[rows].view(np.uint8)
        wanted: NDArray[Any] = out.view(PAIR[kind])
        step = max(1, SLICE // max(n_shares, 1))
        for low in range(0, len(codes), step):
            place = codes[low : low + step, own] + first
            np.take(table, place, out=wanted[low : low + step], mode="clip")

    sums = [(s[:, ::2], s[:, 1::2]) for s in _sums(cells, columns, 2 * n_shares, kind, weight)]
    (_, count), (counted, weight1), (counted2, weight2) = sums if weight is not None else 3 * sums
    return _Shares(count, weight1, counted, weight2, counted2)


def value_tally(values: Numbers | pl.DataFrame, cells: Cells, weight: Numbers | None) -> Tally:
    """Tally numbers (respondents × measures, NaN or null for none): squares are around a middle value."""
    n_values = values.shape[1]
    each = values.iter_columns() if isinstance(values, pl.DataFrame) else values.T
    middle = np.array([_middle(column) for column in each])

    def columns(rows: slice, out: NDArray[Any]) -> None:
        # A frame is turned into numbers piece by piece, to keep its memory the only one.
        some = values[rows].to_numpy() if isinstance(values, pl.DataFrame) else values[rows]
        step = max(1, SLICE // max(n_values, 1))
        for low in range(0, len(some), step):
            own = slice(low, low + step)
            there = np.isfinite(some[own])
            out[own, :n_values] = there
            out[own, n_values : 2 * n_values] = off = np.where(there, some[own] - middle, 0.0)
            out[own, 2 * n_values :] = off**2

    sums = [np.hsplit(s, 3) for s in _sums(cells, columns, 3 * n_values, np.float64, weight)]
    (count, *_), (weight1, first, _), (weight2, first2, second) = sums if weight is not None else 3 * sums
    return _Values(middle, count, weight1, first, weight2, first2, second)


def _sums(
    cells: Cells,
    columns: Callable[[slice, NDArray[Any]], None],
    width: int,
    dtype: type[np.generic],
    weight: Numbers | None,
) -> list[Numbers]:
    """Add up columns over the respondents of each part: as they are, times the weight, times its square."""
    from scipy.sparse import csc_array

    n, bunches = cells.of.shape
    n_profiles = int(cells.profiles[-1])
    whole = dtype if np.issubdtype(dtype, np.integer) else np.float64
    totals = [np.zeros((n_profiles, width), whole) for _ in range(1 if weight is None else 3)]
    step = max(BATCH // max(width, 1), 4 * n_profiles)
    for low in range(0, n, step):
        rows = slice(low, low + step)
        of = cells.rows[rows]
        ends = np.arange(0, of.size + 1, bunches, dtype=np.int32)
        out = np.empty((len(of), width), dtype)
        columns(rows, out)
        for power in range(len(totals)):
            factor = np.ones(of.size, dtype)
            if weight is not None and power:
                factor = np.repeat(weight[rows] ** power, bunches)
            matrix = csc_array((factor, of.ravel(), ends), shape=(n_profiles, len(of)))
            totals[power] += matrix @ out
    return [cells.sum_profiles(total) for total in totals]


def _middle(values: Numbers | pl.Series) -> float:
    """Return a value in the midst of the others: the mean of the first slice that has any; 0 without any."""
    for low in range(0, len(values), SLICE):
        some = np.asarray(values[low : low + SLICE])
        some = some[np.isfinite(some)]
        if len(some):
            return float(some.mean())
    return 0.0


def _share(part: Numbers, whole: Numbers) -> Numbers:
    """Return a part of the whole; 0 where there is neither."""
    return np.asarray(part / np.where(whole == 0, 1.0, whole))
