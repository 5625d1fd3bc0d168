"""95 % intervals: Wilson or logit for percentages, t for scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import unknown
from culture_metrics.results.precision import HALF_TRUST, LEVEL, t_quantile
from data_schemas.columns import INTERVALS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.indicators.design import Estimates

    Numbers = NDArray[np.float64]

#: Kinds to choose from: Wilson's for percentages and t for scores, or t on the logit scale for both.
CHOICES = ("wilson", "logit")


def check_interval(name: str) -> None:
    """See to it that there is such a kind of interval."""
    if name not in CHOICES:
        raise unknown("kind of interval", name, CHOICES)


def interval_name(interval: str, value: pl.Expr, is_percent: pl.Expr | None = None) -> pl.Expr:
    """Expression: which interval a row has, where it has one; without `is_percent` all are percentages."""
    is_percent = pl.lit(value=True) if is_percent is None else is_percent
    t, wilson, logit = (pl.lit(name, pl.Enum(INTERVALS)) for name in INTERVALS)
    if interval == "wilson":
        name = pl.when(is_percent).then(wilson).otherwise(t)
    else:
        edge = is_percent & ~value.is_between(0, 100, closed="none")
        name = pl.when(edge).then(wilson).otherwise(logit)
    return pl.when(pl.col("conf_low").is_not_null()).then(name).alias("interval")


def percent_intervals(found: Estimates, interval: str = "wilson") -> tuple[Numbers, Numbers]:
    """Return the lower and upper ends for percentages.

    Notes
    -----
    Wilson's interval holds near 0 and 100 % and for small bases. Its base is the effective one (Korn &
    Graubard 1998): the number of simple random answers that would have the same standard error, lessened
    for few degrees of freedom. In a small group that number is chance itself; where it is larger than Kish's,
    which only knows the weights, it is therefore believed in the proportion n / (n + 20). Unweighted, both
    are the base, and the interval is the plain one. A finite population correction enlarges the base.

    The logit interval is that of `svyciprop(method = "xlogit")` in R, unweighted and with clusters. With
    weights and no clusters it has fewer degrees of freedom and is a little wider: the effective base less the
    strata, where that is less than the base less the strata (see `Design`).

    References
    ----------
    Wilson (1927), JASA 22, 209-212; Korn & Graubard (1998), Survey Methodology 24, 193-201; Brown, Cai &
    DasGupta (2001), Statistical Science 16, 101-133.
    """
    share, error = found.mean / 100, found.std_error / 100
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        low, high = wilson(share, _interval_base(found) / found.shrink)
        if interval == "logit":
            there = (share > 0) & (share < 1)
            logit_low, logit_high = _logit(share, error, found.df)
            low, high = np.where(there, logit_low, low), np.where(there, logit_high, high)
    return 100 * low, 100 * high


def _interval_base(found: Estimates) -> Numbers:
    """Return the base of Wilson's interval, before any finite population correction."""
    share, variance, n = found.mean / 100, (found.std_error / 100) ** 2 / found.shrink, found.base
    kish = found.effective_base
    implied = np.where(variance > 0, share * (1 - share) / variance * n / (n - 1), kish)
    trust = kish / (kish + HALF_TRUST)
    base = 1 / (trust / implied + (1 - trust) / np.fmin(implied, kish))
    fewer = found.df < n - 1
    base[fewer] *= (t_quantile(n[fewer] - 1) / t_quantile(found.df[fewer])) ** 2
    return np.asarray(base)


def score_intervals(
    found: Estimates, limits: tuple[float, float], interval: str = "wilson"
) -> tuple[Numbers, Numbers]:
    """Return the lower and upper ends for scores between `limits`."""
    bottom, top = limits
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if interval == "logit":
            span = top - bottom
            low, high = _logit((found.mean - bottom) / span, found.std_error / span, found.df)
            inside = (found.mean > bottom) & (found.mean < top)
            low, high = bottom + span * low, bottom + span * high
            return np.where(inside, low, found.mean), np.where(inside, high, found.mean)
        half = t_quantile(found.df) * found.std_error
        half = np.where(found.std_error == 0, 0.0, half)
    return np.clip(found.mean - half, bottom, top), np.clip(found.mean + half, bottom, top)


def wilson(share: Numbers, n: Numbers) -> tuple[Numbers, Numbers]:
    """Return Wilson's interval of shares (0 to 1) with bases `n`.

    Examples
    --------
    >>> low, high = wilson(np.array([0.0, 0.5]), np.array([10.0, 10.0]))
    >>> high.round(4).tolist()
    [0.2775, 0.7634]
    """
    from scipy.special import ndtri

    z = float(ndtri(1 - (1 - LEVEL) / 2))
    centre = share + z**2 / (2 * n)
    half = z * np.sqrt(np.maximum(share * (1 - share) / n + z**2 / (4 * n**2), 0.0))
    low, high = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return np.where(share <= 0, 0.0, low), np.where(share >= 1, 1.0, high)


def _logit(share: Numbers, error: Numbers, df: Numbers) -> tuple[Numbers, Numbers]:
    middle = np.log(share / (1 - share))
    half = t_quantile(df) * error / (share * (1 - share))
    return 1 / (1 + np.exp(half - middle)), 1 / (1 + np.exp(-half - middle))
