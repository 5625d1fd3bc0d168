"""The difference of two shares: the pooled score test, and the interval that is this test turned round."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Steps to an end at most (halvings are exact to 3e-8 after as many), and how near to it is near enough.
STEPS, NEAR = 26, 1e-9


#: Where the tail of the score statistic is not that of the normal: below so small a p-value, with one sample
#: more than so many times the other and so few answers of the rarer kind expected in the smaller one.
FAR, UNEQUAL, FEW = 1e-3, 2.0, 50.0


class Shares(NamedTuple):
    """Two shares `p` and `q` (0 to 1) worth `n` and `m` answers, whose errors correlate by `rho`."""

    p: Floats
    q: Floats
    n: Floats
    m: Floats
    rho: Floats


def statistic(shares: Shares, delta: Floats) -> Floats:
    """Return the score statistic of the hypothesis that `q` is `delta` above `p`.

    Notes
    -----
    The difference less `delta`, over its standard error at the shares that are likeliest under the hypothesis
    (Mee 1984; in closed form by Farrington and Manning 1990). At 0 both are the pooled share. The statistic
    falls as `delta` rises, so test and interval are one.

    Examples
    --------
    >>> one = [np.array([v]) for v in (0.5, 0.7, 100.0, 100.0, 0.0)]
    >>> statistic(Shares(*one), np.array([0.0])).round(4).tolist()
    [2.8868]
    """
    p, q, n, m, rho = shares
    first = _likeliest(shares, delta)
    second = first + delta
    with np.errstate(invalid="ignore", divide="ignore"):
        one, other = (np.clip(s * (1 - s), 0, None) / k for s, k in ((first, n), (second, m)))
        error = np.sqrt(np.clip(one + other - 2 * rho * np.sqrt(one * other), 0, None))
        return np.asarray((q - p - delta) / error)


def _likeliest(shares: Shares, delta: Floats) -> Floats:
    """Return the likeliest first share where the second one is `delta` above it."""
    p, q, n, m, _ = shares
    theta = n / m
    a = 1 + theta
    b = -(1 + theta + q + theta * p + delta * (theta + 2))
    c = delta**2 + delta * (2 * q + theta + 1) + q + theta * p
    d = -q * delta * (1 + delta)
    with np.errstate(invalid="ignore", divide="ignore"):
        v = (b / (3 * a)) ** 3 - b * c / (6 * a**2) + d / (2 * a)
        u = np.where(v < 0, -1.0, 1.0) * np.sqrt(np.clip((b / (3 * a)) ** 2 - c / (3 * a), 0, None))
        angle = np.arccos(np.clip(np.where(u == 0, 1.0, v / u**3), -1, 1))
        second = 2 * u * np.cos((np.pi + angle) / 3) - b / (3 * a)
    pooled = (n * p + m * q) / (n + m)
    first = np.where(delta == 0, pooled, second - delta)
    return np.asarray(np.clip(first, np.maximum(0.0, -delta), np.minimum(1.0, 1 - delta)))


def interval(shares: Shares, reach: Floats) -> tuple[Floats, Floats]:
    """Return the differences that the test does not reject: those whose statistic is within `reach`.

    Notes
    -----
    The ends are sought by false position (the Illinois rule), from where a plain interval would end: a third
    of the steps that halving takes, for the same digits.
    """
    low, high = (_end(shares, reach, edge, sign) for edge, sign in ((-1.0, 1.0), (1.0, -1.0)))
    return low, high


def _end(shares: Shares, reach: Floats, edge: float, sign: float) -> Floats:
    """Return where between the difference and `edge` the statistic passes `reach`."""
    difference = shares.q - shares.p
    found = np.where(np.isnan(reach), np.nan, difference)
    rows = np.flatnonzero(~np.isnan(difference + shares.n + shares.m + reach))
    own, wanted = _some(shares, rows), reach[rows]
    inside, outside = difference[rows], np.full(len(rows), edge)
    left, over = -wanted, np.full(len(rows), np.inf)
    pooled = (own.n * own.p + own.m * own.q + 2) / (own.n + own.m + 4)
    error = np.sqrt(pooled * (1 - pooled) * (1 / own.n + 1 / own.m))
    x = np.clip(inside - sign * wanted * error, -1, 1)
    side = np.zeros(len(rows), dtype=np.int8)
    for _ in range(STEPS):
        value = sign * statistic(own, x) - wanted
        rejected = value > 0
        now = np.where(rejected, 1, -1).astype(np.int8)
        # An end that stays twice counts for half, or it would hold the other one back.
        kept = np.where(side == now, 0.5, 1.0)
        left, over = np.where(rejected, kept * left, value), np.where(rejected, value, kept * over)
        inside, outside = np.where(rejected, inside, x), np.where(rejected, x, outside)
        with np.errstate(invalid="ignore", divide="ignore"):
            new = outside - over * (outside - inside) / (over - left)
        new = np.where(np.isfinite(new), new, (inside + outside) / 2)
        found[rows] = new
        going = (np.abs(new - x) > NEAR) & (np.abs(outside - inside) > NEAR)
        if not going.any():
            break
        own, side = _some(own, going), now[going]
        rows = rows[going]
        wanted, x, inside, outside, left, over = (
            v[going] for v in (wanted, new, inside, outside, left, over)
        )
    return found


def _some(shares: Shares, which: NDArray[np.bool_] | NDArray[np.int64]) -> Shares:
    return Shares(*(values[which] for values in shares))


def far_tail(p_value: Floats, shares: Shares) -> Floats:
    """Return p-values of a score test of no difference, held in the far tail of small and unequal samples.

    Notes
    -----
    With 11 answers beside 400 and a share of 2 % the test rejects 74 times too often at one in 10,000. There
    the p-value is no smaller than Fisher's with half of what was seen (mid-p; Lancaster 1961), whose level
    holds; it never rises above 0.001, so that test and 95 % interval do not part.
    """
    p, q, n, m, rho = shares
    held = p_value.copy()
    with np.errstate(invalid="ignore", divide="ignore"):
        pooled = (n * p + m * q) / (n + m)
        few = np.minimum(n, m) * np.minimum(pooled, 1 - pooled) < FEW
        unequal = np.maximum(n, m) > UNEQUAL * np.minimum(n, m)
        rows = np.flatnonzero((p_value < FAR) & few & unequal & (rho == 0))
    for row in rows:
        sizes = (round(float(k)) for k in (n[row], m[row], n[row] * p[row], m[row] * q[row]))
        held[row] = max(held[row], min(_mid_p(*sizes), FAR))
    return held


def _mid_p(n: int, m: int, first: int, second: int) -> float:
    """Return Fisher's two-sided p-value of two counts, what was seen counting for half.

    Examples
    --------
    >>> round(_mid_p(10, 12, 1, 9), 4)
    0.0036
    """
    from scipy.special import gammaln

    total = first + second
    k = np.arange(max(0, total - m), min(n, total) + 1.0)
    logs = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    logs = logs + gammaln(m + 1) - gammaln(total - k + 1) - gammaln(m - total + k + 1)
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    seen = chance[k == first].sum() / 2
    return float(2 * min(chance[k < first].sum() + seen, chance[k > first].sum() + seen))


def detectable(shares: Shares, reach: Floats, power: Floats) -> Floats:
    """Return the smallest change of the first share, towards one half, that the test finds.

    Parameters
    ----------
    shares : Shares
        The second share is not looked at.
    reach, power : array
        The statistic beyond which a change is called, and the quantile of the power wanted.

    Returns
    -------
    array
        Null (NaN) where no change within 0 and 1 is found as often.
    """
    p, _, n, m, rho = shares
    towards = np.where(p < 0.5, 1.0, -1.0)
    furthest = np.where(p < 0.5, 1 - p, p)
    low, high = np.zeros_like(p), furthest.copy()
    for _ in range(STEPS):
        middle = (low + high) / 2
        q = p + towards * middle
        pooled = (n * p + m * q) / (n + m)
        with np.errstate(invalid="ignore", divide="ignore"):
            null, own = (
                np.sqrt(np.clip(one + other - 2 * rho * np.sqrt(one * other), 0, None))
                for one, other in (
                    (pooled * (1 - pooled) / n, pooled * (1 - pooled) / m),
                    (p * (1 - p) / n, q * (1 - q) / m),
                )
            )
            enough = middle >= reach * null + power * own
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    # Never enough on the way: the upper end is where it began.
    return np.where(np.isnan(reach) | np.isnan(p) | (high == furthest), np.nan, high)
