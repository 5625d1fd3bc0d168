"""How exactly a group's difference from the whole organisation is known: they share people and clusters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.indicators.design import fraction
from culture_metrics.indicators.tally import Moments
from culture_metrics.threads import slices

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.indicators.cells import Cells
    from culture_metrics.indicators.design import Design, Estimates
    from culture_metrics.indicators.tally import Tally

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.integer[Any]]


def apart(tally: Tally, cells: Cells, design: Design, found: Estimates) -> Numbers:
    """Return the standard error of each cell less its whole organisation; not a number without a whole.

    Notes
    -----
    With the deviations z of a cell (0 outside of it) and of the whole, both over their weight, the variance
    of the difference is that of z less z by Taylor linearisation (`Design`): the two variances less twice the
    covariance, which is the sum over what was sampled of the products. Where nothing but the group tells
    people apart it comes to the variance of the whole plus (1 - 2f) times that of the group, f being the
    share of its weight. With strata and clusters the group is a domain here, whatever its own error takes it
    for, where that is the larger of the two.
    """
    whole = whole_of(cells)
    if (whole < 0).all():
        return np.full_like(found.mean, np.nan)
    if cells.parts.same and cells.pieces.same:
        return errors(found.std_error, _alone(tally, cells, design, whole), whole)
    covariance, as_domain = _in_parts(tally, cells, design, whole)
    return errors(np.fmax(found.std_error, as_domain), covariance, whole)


def errors(error: Numbers, covariance: Numbers, whole: Whole) -> Numbers:
    """Return standard errors of differences from those of cells and their covariances with the whole."""
    of_whole = error[whole]
    variance = error**2 + of_whole**2 - 2 * covariance
    # A cell that is the whole does not differ from it; what is left is rounding.
    there = (whole >= 0)[:, None] & (variance > 1e-9 * of_whole**2)
    return np.sqrt(np.where(there, variance, np.nan))


def whole_of(cells: Cells) -> Whole:
    """Return the cell of the whole organisation of each cell; -1 of a whole, and where there is none."""
    numbered = cells.keys.with_row_index("whole")
    every = numbered.filter(pl.col("breakdown") == ALL).select("organisation", "whole")
    found = numbered.select("organisation", "breakdown").join(
        every, on="organisation", how="left", maintain_order="left"
    )
    own = pl.when(pl.col("breakdown") == ALL).then(-1).otherwise(pl.col("whole").cast(pl.Int64))
    return found.select(own.fill_null(-1)).to_series().to_numpy()


def _alone(tally: Tally, cells: Cells, design: Design, whole: Whole) -> Numbers:
    """Return covariances with the whole where each cell is one sample of people."""
    rows = np.unique(whole[whole >= 0]).tolist()
    of_whole = Moments.under([tally[slice(row, row + 1)] for row in rows])
    place = np.minimum(np.searchsorted(rows, whole), len(rows) - 1)
    left = (1 - fraction(cells, design))[cells.stratum][:, None]
    out = np.empty((len(whole), of_whole.mean.shape[1]))
    for some in slices(*out.shape):
        own, beside = tally[some], of_whole[place[some]]
        many = beside.count
        product = own.spread + (own.mean - beside.mean) * own.cross
        with np.errstate(invalid="ignore", divide="ignore"):
            out[some] = left[some] * many / (many - 1) * product / (own.weight * beside.weight)
    return out


def _in_parts(tally: Tally, cells: Cells, design: Design, whole: Whole) -> tuple[Numbers, Numbers]:
    """Return covariances with the whole, and errors as domains, where cells have strata or clusters."""
    moments = tally[slice(None)]
    merged = moments.merge(cells.parts).merge(cells.pieces)
    piece, cell = cells.parts.of, cells.pieces.of
    beside = np.where(whole >= 0, whole, np.arange(len(whole)))
    gap = moments.gap(merged.mean[cell[piece]])
    own = moments.weight * gap
    if design.cluster is None or cells.clusters is None:
        units = moments.count
        from_whole = moments.mean - merged.mean[beside[cell[piece]]]
        square = moments.spread + gap * (2 * moments.cross + gap * moments.weight2)
        product = moments.spread + (gap + from_whole) * moments.cross + gap * from_whole * moments.weight2
    else:
        units = (moments.count > 0).astype(np.float64)
        square, product = own**2, own * own[_same(cell[piece], beside, cells.clusters)]
    total = cells.parts.sum(own)
    in_whole = _same(cell, beside, cells.stratum)
    n = cells.parts.sum(units)[in_whole]
    left = (1 - fraction(cells, design))[cells.stratum][:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(n > 1, left * n / (n - 1), 0.0)
        shared = cells.pieces.sum(factor * (cells.parts.sum(product) - total * total[in_whole] / n))
        variance = cells.pieces.sum(factor * np.maximum(cells.parts.sum(square) - total**2 / n, 0.0))
        return shared / (merged.weight * merged.weight[beside]), np.sqrt(variance) / merged.weight


def _same(cell: Whole, beside: Whole, code: Whole) -> Whole:
    """Return, for rows of cells with codes, the row of the whole with the same code."""
    width = int(code.max()) + 1
    mine, its = cell * width + code, beside[cell] * width + code
    order = np.argsort(mine)
    return order[np.searchsorted(mine[order], its)]
