"""Lines through years whose errors are known: slopes, how straight they are, and where they turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.difference import ALPHA, quantile, tail

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

#: Fewest years that can show a turning point: a kink takes three numbers.
FEWEST = 4
LINE = {
    **dict.fromkeys(
        ["slope", "std_error", "df", "statistic", "conf_low", "conf_high", "p_value", "p_not_straight"],
        pl.Float64,
    ),
    "p_turned": pl.Float64, "turning_point": pl.String,
}  # fmt: skip


def fit_lines(
    years: Sequence[float],
    values: ArrayLike,
    variances: ArrayLike,
    names: Sequence[str],
    df: ArrayLike = np.inf,
) -> pl.DataFrame:
    """Fit a line to each of many series of the same years by weighted least squares with known variances.

    Parameters
    ----------
    years : sequence of float
        The years as they are spaced.
    values, variances, df : array
        One row per series, one column per year: figures, their sampling variances, and the degrees of freedom
        of these.
    names : sequence of str
        The periods, to name a turning point by.

    Returns
    -------
    polars.DataFrame
        One row per series: `slope, std_error, df, statistic, conf_low, conf_high, p_value, p_not_straight,
        p_turned` (that it turned, at any inner year) and `turning_point` (where it would have; null where it
        turned nowhere).

    Notes
    -----
    A weighted sum of the years has degrees of freedom by Satterthwaite. Cochran's Q about the line, over its
    own, is F, as is what a kink takes off it. A line turns where its slopes before and after a kink differ in
    sign: `p_turned` is the largest of the p-values of the kink (times the number of inner years) and of both
    slopes (an intersection-union test), at the year that fits best.

    Examples
    --------
    >>> line = fit_lines([2021, 2022, 2024], [[6.0, 6.1, 6.3]], [[0.0004] * 3], ["2021", "2022", "2024"])
    >>> line["slope"].round(6).item(), line["turning_point"].item()
    (0.1, None)
    """
    from scipy.special import fdtrc

    x, y, v = (np.asarray(given, dtype=np.float64) for given in (years, values, variances))
    freedom = np.broadcast_to(np.asarray(df, dtype=np.float64), y.shape)
    estimates, weights, left = _least_squares(_design(x), y, v)
    slope, error, own = _sum_of_years(weights[:, 1], estimates[:, 1], v, freedom)
    half = quantile(own, np.full_like(own, ALPHA / 2)) * error
    many = np.where(np.isinf(own), 1e12, own)
    p_turned, place = _turned(x, y, v, freedom, left)
    found = {
        "slope": slope,
        "std_error": error,
        "df": np.where(np.isinf(own), np.nan, own),
        "statistic": slope / error,
        "conf_low": slope - half,
        "conf_high": slope + half,
        "p_value": 2 * tail(np.abs(slope / error), own),
        "p_not_straight": fdtrc(len(x) - 2, many, left / (len(x) - 2)),
        "p_turned": p_turned,
    }
    turning = [names[at] if p < 1 else None for at, p in zip(place, p_turned, strict=True)]
    frame = pl.DataFrame(found | {"turning_point": turning}, schema=LINE)
    return frame.with_columns(pl.col("df", "p_turned").fill_nan(None))


def _design(x: Floats, kink: float | None = None) -> Floats:
    columns = [np.ones_like(x), x - x.mean()]
    if kink is not None:
        columns.append(np.maximum(x - kink, 0))
    return np.column_stack(columns)


def _least_squares(design: Floats, y: Floats, v: Floats) -> tuple[Floats, Floats, Floats]:
    """Return coefficients, what each year weighs in them, and the weighted sum of squares left over."""
    weighted = design.T[None] / v[:, None, :]
    weights = np.linalg.inv(weighted @ design) @ weighted
    estimates = np.einsum("skt,st->sk", weights, y)
    left = ((y - estimates @ design.T) ** 2 / v).sum(axis=1)
    return estimates, weights, left


def _sum_of_years(weights: Floats, estimate: Floats, v: Floats, df: Floats) -> tuple[Floats, Floats, Floats]:
    """Return a weighted sum of years, its standard error and its degrees of freedom."""
    parts = weights**2 * v
    variance = parts.sum(axis=1)
    with np.errstate(divide="ignore"):
        return estimate, np.sqrt(variance), variance**2 / (parts**2 / df).sum(axis=1)


def _turned(
    x: Floats, y: Floats, v: Floats, df: Floats, straight: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """Return the p-value that each series turned (null with too few years), and the year that fits best."""
    series, inner = np.arange(len(y)), range(1, len(x) - 1)
    if len(x) < FEWEST:
        return np.full(len(y), np.nan), np.zeros(len(y), dtype=np.int64)
    fits = [_least_squares(_design(x, x[i]), y, v) for i in inner]
    best = np.argmin([left for *_, left in fits], axis=0)
    estimates, weights = (np.array([fit[k] for fit in fits])[best, series] for k in (0, 1))
    both = [_sum_of_years(w, e, v, df) for w, e in (
        (weights[:, 2], estimates[:, 2]),
        (weights[:, 1], estimates[:, 1]),
        (weights[:, 1] + weights[:, 2], estimates[:, 1] + estimates[:, 2]),
    )]  # fmt: skip
    kink, before, after = (2 * tail(np.abs(value / error), own) for value, error, own in both)
    p = np.maximum.reduce([np.minimum(kink * len(fits), 1), before, after])
    return np.where(both[1][0] * both[2][0] < 0, p, 1.0), best + 1
