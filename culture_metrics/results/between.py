"""True values of groups behind their estimates: the normal hierarchical model, integrated over its spread."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.polynomial import legendre
from scipy import sparse
from scipy.special import ndtr, ndtri, stdtrit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

#: Nodes of the spread: to find where its density lies, and to integrate over it (Gauss-Legendre).
SEARCH, NODES = 64, 40
#: What lies this far below the peak of a log density counts for nothing.
NEGLIGIBLE = 25.0
#: Where ends of intervals are sought, in standard deviations, and in how many steps at most.
REACH, ROUNDS = 12, 60


@dataclass(frozen=True)
class Behind:
    """What is known of the true values of groups, row by row.

    `centre` is the mean of the groups of a family, `spread` the standard deviation between their true values
    (a median, as it is skewed), `kept` how much of the distance from the centre is kept, `value`, `low` and
    `high` the true value of the group and the ends of its interval.
    """

    centre: Numbers
    spread: Numbers
    kept: Numbers
    value: Numbers
    low: Numbers
    high: Numbers


def behind(y: Numbers, variance: Numbers, family: Whole, level: float) -> Behind:
    """Integrate the normal hierarchical model of each family over its centre and its spread.

    Parameters
    ----------
    y, variance : array
        Estimates of groups and their error variances.
    family : array
        Numbers from 0: which groups belong together, each in at least three.
    level : float
        Of the intervals.

    Notes
    -----
    y ~ N(true value, variance), true value ~ N(centre, spread²), with flat priors on centre and spread: the
    centre is integrated out by hand, the spread by quadrature. The spread is never taken for 0, and the
    intervals count that both are estimated.
    """
    own = _Families(family)
    # A variance of 0 would weigh without end.
    usual = own.mean(variance)
    variance = np.maximum(variance, 1e-12 * np.maximum(usual[family], 1e-12))
    scatter = own.total((y - own.mean(y)[family]) ** 2) / np.maximum(own.size - 1, 1)
    scale = np.sqrt(1 / own.mean(1 / variance) + scatter)

    # spread = scale u / (1 - u); where in (0, 1) is the density?
    u = (np.arange(SEARCH) + 0.5) / SEARCH
    density = _log_density(y, variance, own, u[None, :] + np.zeros((len(own.size), 1)), scale)
    there = density > density.max(axis=1, keepdims=True) - NEGLIGIBLE
    first, last = there.argmax(axis=1), SEARCH - 1 - there[:, ::-1].argmax(axis=1)
    start, end = first / SEARCH - 0.5 / SEARCH, (last + 1.5) / SEARCH
    start, end = np.clip(start, 0, 1)[:, None], np.clip(end, 0, 1)[:, None]
    nodes, weights = legendre.leggauss(NODES)
    u = start + (end - start) * (nodes + 1) / 2
    density = _log_density(y, variance, own, u, scale)
    p = np.exp(density - density.max(axis=1, keepdims=True)) * weights
    p /= p.sum(axis=1, keepdims=True)
    tau = scale[:, None] * u / (1 - u)
    half = start[:, 0] + (end - start)[:, 0] * (_half(p, weights) + 1) / 2

    w, total, centre = _weights(y, variance, own, tau)
    kept = 1 - variance[:, None] * w
    mean = centre[family] + kept * (y[:, None] - centre[family])
    error = np.sqrt(variance[:, None] * kept + (1 - kept) ** 2 / total[family])
    chance = p[family]
    value = (chance * mean).sum(axis=1)
    deviation = np.sqrt((chance * (error**2 + (mean - value[:, None]) ** 2)).sum(axis=1))
    low, high = (
        _quantile(q, chance, mean, error, value, deviation) for q in ((1 - level) / 2, (1 + level) / 2)
    )
    return Behind(
        centre=(p * centre).sum(axis=1)[family],
        spread=(scale * half / (1 - half))[family],
        kept=(chance * kept).sum(axis=1),
        value=value,
        low=low,
        high=high,
    )


def widened(found: Behind, y: Numbers, df: Numbers, shared: Numbers, level: float) -> Behind:
    """Widen intervals for error variances that are estimated, and for an error that all groups share.

    Parameters
    ----------
    found : Behind
        From `y` and its error variances, without what is shared.
    y, df, shared : array
        Estimates, degrees of freedom of their error variances, and the variance of the shared error.
    level : float
        Of the intervals.

    Notes
    -----
    With `kept` b, the variance of a true value (b times the error variance) moves by b % with each % of that:
    it has df / b² degrees of freedom (Satterthwaite 1946). Its mean moves b (1 - b) of the distance
    from the centre, which adds the square of that times 2 / df (the term for estimated error variances of
    Rivest and Vandal 2003). A shared error moves all groups and their centre alike: no shrinking lessens it.
    """
    most = 1e12  # As good as infinite.
    df = np.where(df > 0, df, most)  # Nothing was estimated: all agree in every group.
    deviation = (found.high - found.low) / (2 * ndtri((1 + level) / 2))
    moved = ((y - found.centre) * found.kept * (1 - found.kept)) ** 2 * 2 / df
    with np.errstate(invalid="ignore", divide="ignore"):
        more = np.sqrt(1 + np.nan_to_num((moved + shared) / deviation**2))
        own = np.minimum(df / found.kept**2, most)
    factor = more * stdtrit(own, (1 + level) / 2) / ndtri((1 + level) / 2)
    return replace(
        found,
        low=found.value - factor * (found.value - found.low),
        high=found.value + factor * (found.high - found.value),
    )


class _Families:
    """Sums over families, of rows and of rows × nodes."""

    def __init__(self, family: Whole) -> None:
        self.family = family
        self.size = np.bincount(family).astype(float)
        rows = np.arange(len(family))
        self._sums = sparse.csr_array((np.ones(len(family)), (family, rows)))

    def total(self, values: Numbers) -> Numbers:
        return np.asarray(self._sums @ values)

    def mean(self, values: Numbers) -> Numbers:
        return np.asarray(self.total(values) / self.size)


def _weights(y: Numbers, variance: Numbers, own: _Families, tau: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Return the weight of each group at each spread, their totals, and the weighted mean."""
    w = 1 / (variance[:, None] + tau[own.family] ** 2)
    total = own.total(w)
    return w, total, own.total(w * y[:, None]) / total


def _log_density(y: Numbers, variance: Numbers, own: _Families, u: Numbers, scale: Numbers) -> Numbers:
    """Return the log density of u for a flat prior on the spread, up to a constant of the family."""
    w, total, centre = _weights(y, variance, own, scale[:, None] * u / (1 - u))
    residual = own.total(w * (y[:, None] - centre[own.family]) ** 2)
    likelihood = (own.total(np.log(w)) - np.log(total) - residual) / 2
    return np.asarray(likelihood - 2 * np.log1p(-u))


def _quantile(
    q: float, chance: Numbers, mean: Numbers, error: Numbers, value: Numbers, deviation: Numbers
) -> Numbers:
    """Return the quantile of a mixture of normals: Newton's steps, halved where they leave the bracket."""
    low, high = value - REACH * deviation, value + REACH * deviation
    found = value + ndtri(q) * deviation
    for _ in range(ROUNDS):
        z = (found[:, None] - mean) / error
        over = (chance * ndtr(z)).sum(axis=1) - q
        low, high = np.where(over < 0, found, low), np.where(over < 0, high, found)
        slope = (chance / error * np.exp(-(z**2) / 2)).sum(axis=1) / np.sqrt(2 * np.pi)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = found - over / slope
        if (np.abs(step - found) <= 1e-10 * deviation).all():
            break
        found = np.where((step >= low) & (step <= high), step, (low + high) / 2)
    return np.asarray(found)


def _half(chance: Numbers, weights: Numbers) -> Numbers:
    """Return where between the ends of the nodes (-1 to 1) half of the chance lies below."""
    fine, nodes = np.linspace(-1, 1, 2001), legendre.leggauss(NODES)[0]
    # The integral up to each point of the polynomial through the density at the nodes.
    shape = np.linalg.solve(legendre.legvander(nodes, NODES - 1), np.eye(NODES))
    below = (chance / weights) @ legendre.legval(fine, legendre.legint(shape, lbnd=-1))
    return np.array([np.interp(0.5, own, fine) for own in below])
