"""Standard errors of raked estimates: what the margins explain is no longer left to chance."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.errors import ExtractError
from culture_metrics.indicators.apart import errors, whole_of
from culture_metrics.indicators.cells import cross_parts
from culture_metrics.indicators.codes import Codes
from culture_metrics.indicators.design import Design, Estimates, estimates, fraction

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from culture_metrics.indicators.cells import Cells
    from culture_metrics.indicators.margins import Margin
    from culture_metrics.indicators.raking import Raking
    from culture_metrics.indicators.tally import Moments

    Numbers = NDArray[np.float64]
    Tally = Callable[[Cells, Numbers | None], Moments]


def calibrated_estimates(
    tally: Tally, cells: Cells, organisation: Codes, raking: Raking, design: Design
) -> Estimates:
    """Estimate with raked weights.

    Parameters
    ----------
    tally : callable
        From cells and weights to moments.
    cells : Cells
        Of the default design: organisations are the strata.
    organisation : Codes
        Of the respondents.
    raking : Raking
        Weights and margins.
    design : Design
        For the finite population correction.

    Notes
    -----
    The deviations of a cell, zero outside of it, are regressed on the categories of the margins over the
    whole organisation; the residuals times the weights give the variance (Deville & Särndal 1992, JASA 87,
    376-382). This is what `calibrate(calfun = "raking")` of R's survey package does; `rake` there comes to it
    when respondents start from equal weights. Everything is worked out from tallies of cells by categories.
    """
    if design.strata != "organisation" or design.cluster is not None:
        raise ExtractError(
            "Raked weights go with respondents sampled within organisations",
            expected="Design() with no other strata or clusters",
            hint="cm.replicate works out standard errors of raked weights for other designs.",
        )
    weights = raking.weights.to_numpy()
    moments = tally(cells, weights)
    plain = estimates([moments], cells, replace(design, domains="full"))
    finer = [_by_category(tally, cells, organisation, raking, j, weights) for j in range(_most(raking))]
    left = 1 - fraction(cells, design)
    whole = whole_of(cells)
    variance, shared = np.full_like(plain.mean, np.nan), np.full_like(plain.mean, np.nan)
    of_organisation = cells.stratum
    for number, name in enumerate(organisation.names):
        rows = np.flatnonzero(organisation.codes == number)
        here = np.flatnonzero(of_organisation == number)
        found = _variance(
            moments[here], here, raking.margins[name], weights[rows], [f[number] for f in finer], whole[here]
        )
        variance[here], shared[here] = (left[number] * values for values in found)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(plain.df > 0, np.sqrt(variance) / moments.weight, np.nan)
        covariance = shared / (moments.weight * moments.weight[whole])
    return replace(plain, std_error=error, apart=errors(error, covariance, whole))


def _most(raking: Raking) -> int:
    return max(len(margins) for margins in raking.margins.values())


Finer = tuple["Moments", "Moments", "NDArray[np.integer[Any]]", "NDArray[np.integer[Any]]"]


def _by_category(
    tally: Tally, cells: Cells, organisation: Codes, raking: Raking, number: int, weights: Numbers
) -> list[Finer]:
    """Tally every cell by the categories of the margin with this number of each organisation."""
    category = np.zeros(len(weights), np.int64)
    most = 1
    for o, name in enumerate(organisation.names):
        if number < len(raking.margins[name]):
            margin = raking.margins[name][number]
            category[organisation.codes == o] = margin.codes
            most = max(most, len(margin.target))
    finer, code = cross_parts(cells, Codes(category, pl.int_range(most, eager=True)))
    equal, raked = tally(finer, None), tally(finer, weights)
    own = cells.stratum[finer.parts.of]
    found = []
    for o in range(len(organisation.names)):
        here = np.flatnonzero(own == o)
        found.append((equal[here], raked[here], finer.parts.of[here], code[here]))
    return found


def _variance(
    moments: Moments,
    here: NDArray[np.integer[Any]],
    margins: tuple[Margin, ...],
    w: Numbers,
    finer: list[Finer],
    whole: NDArray[np.integer[Any]],
) -> tuple[Numbers, Numbers]:
    """Return the variance of the totals of deviations of the cells of one organisation.

    And the covariance of each with that of the `whole`, where there is one.
    """
    ends = np.cumsum([0, *(len(m.target) for m in margins)])
    shape = (ends[-1], *moments.mean.shape)
    unweighted, squared = np.zeros(shape), np.zeros(shape)
    for first, (equal, raked, cell, code) in zip(ends, finer[: len(margins)], strict=False):
        place = np.searchsorted(here, cell)
        centre = moments.mean[place]
        unweighted[first + code, place] = equal.count * (equal.mean - centre)
        squared[first + code, place] = raked.cross + raked.weight2 * (raked.mean - centre)
    x = np.zeros((len(w), ends[-1]))
    for first, margin in zip(ends, margins, strict=False):
        x[np.arange(len(w)), first + margin.codes] = 1.0
    slope = np.tensordot(np.linalg.pinv(x.T @ x), unweighted, axes=1)
    spread = np.tensordot((x * (w**2)[:, None]).T @ x, slope, axes=1)
    square = moments.spread - 2 * (slope * squared).sum(axis=0) + (slope * spread).sum(axis=0)
    total = np.tensordot(w @ x, slope, axes=1)
    n = len(w)
    variance = np.maximum(square - total**2 / n, 0.0) * n / (n - 1)
    at = np.searchsorted(here, np.maximum(whole, here[0]))
    gap = moments.mean - moments.mean[at]
    product = moments.spread + gap * moments.cross
    product = product - (slope[:, at] * squared).sum(axis=0) - (slope * squared[:, at]).sum(axis=0)
    product = product + (slope * spread[:, at]).sum(axis=0)
    return np.asarray(variance), np.asarray((product - total * total[at] / n) * n / (n - 1))
