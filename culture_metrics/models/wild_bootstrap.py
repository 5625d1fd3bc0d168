"""The wild cluster bootstrap: p-values and intervals that hold with few organisations."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Literal

import numpy as np

from culture_metrics.errors import LinkError, unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from culture_metrics.models.solution import Array, Integers

WEIGHTS = ("auto", "rademacher", "webb")
#: Below this many clusters there are too few different sign vectors, and six-point weights are used.
FEW = 12
#: How often the bracket of an interval is widened, and how often it is halved then.
WIDER, HALVED = 30, 40


@dataclass(frozen=True)
class WildBootstrap:
    """Result of a wild cluster bootstrap of one coefficient.

    Attributes
    ----------
    estimate, std_error, statistic : float
        Least-squares slope, its clustered standard error (CR1) and their ratio after the null value.
    p_value : float
    conf_low, conf_high : float
        From the bootstrap; the interval holds the null values that are not rejected.
    clusters, draws : int
        How many; with few clusters every sign vector is taken once.
    weights : str
        `rademacher` or `webb`.
    enumerated : bool
        Whether every sign vector was taken, so that nothing is left to chance.
    """

    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    clusters: int
    draws: int
    weights: str
    enumerated: bool


def wild_cluster_bootstrap(  # noqa: PLR0913
    x: ArrayLike,
    y: ArrayLike,
    clusters: ArrayLike,
    column: int,
    *,
    null: float = 0.0,
    draws: int = 9999,
    weights: Literal["auto", "rademacher", "webb"] = "auto",
    conf_level: float | None = 0.95,
    seed: int = 0,
) -> WildBootstrap:
    """Test one slope of a least-squares model where clusters are few.

    Parameters
    ----------
    x : array-like
        Design matrix with its constant (rows, columns). For weighted least squares multiply `x` and `y` by
        the roots of the weights first.
    y : array-like
        Outcome.
    clusters : array-like
        Cluster of each row, such as the organisation.
    column : int
        Column of `x` whose slope is tested.
    null : float
        Slope under the null hypothesis, which is imposed on the bootstrap samples.
    draws : int
        Bootstrap samples; where there are no more sign vectors than that, each is taken once.
    weights : {"auto", "rademacher", "webb"}
        Signs, or Webb's six points; `auto` takes the latter below twelve clusters.
    conf_level : float or None
        Level of the interval; without one (its ends are NaN) the test takes a fraction of the time.
    seed : int
        The same seed gives the same result.

    Returns
    -------
    WildBootstrap
        `p_value` is two-sided: the share of samples whose statistic is at least as far from 0.

    Raises
    ------
    LinkError
        With fewer than five clusters, or an `x` whose columns can be worked out from each other.
    UnknownNameError
        When there are no such weights.

    Notes
    -----
    WCR-t of Cameron, Gelbach and Miller (2008) with null-imposed residuals and CR1 statistics; six-point
    weights of Webb (2014). The interval inverts the test. With a handful of clusters, or few that carry the
    indicator, this too can reject too rarely or too often: read it beside the number of clusters. statsmodels
    has no wild bootstrap.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> group = np.repeat(np.arange(10), 20)
    >>> x = np.column_stack([np.ones(200), rng.normal(size=10)[group]])
    >>> y = rng.normal(size=10)[group] + rng.normal(size=200)
    >>> 0 < wild_cluster_bootstrap(x, y, group, 1, draws=999).p_value <= 1
    True
    """
    if weights not in WEIGHTS:
        raise unknown("set of weights", weights, WEIGHTS)
    _, cluster = np.unique(np.asarray(clusters), return_inverse=True)
    test = _Test(np.asarray(x, float), np.asarray(y, float), cluster, column)
    kind = weights if weights != "auto" else "webb" if test.clusters < FEW else "rademacher"
    signs, enumerated = _multipliers(test.clusters, draws, kind, seed)
    ends = [
        float("nan") if conf_level is None else _end(test, signs, side, 1 - conf_level) for side in (-1, 1)
    ]
    return WildBootstrap(
        test.estimate, test.std_error, (test.estimate - null) / test.std_error, test.p_value(null, signs),
        ends[0], ends[1], test.clusters, len(signs), kind, enumerated,
    )  # fmt: skip


class _Test:
    """The t-test of one slope, reduced to sums over clusters so that no sample is ever laid out."""

    def __init__(self, x: Array, y: Array, cluster: Integers, column: int) -> None:
        n, k = x.shape
        self.clusters = int(cluster.max()) + 1
        if self.clusters < 5:
            raise LinkError(
                f"A wild bootstrap cannot rest on {self.clusters} clusters",
                expected="at least 5",
                hint="Compare organisations in words; there are too few for a test.",
            )
        if np.linalg.matrix_rank(x) < k:
            raise LinkError("Columns of x can be worked out from the others", hint="Leave these columns out.")
        order = np.argsort(cluster, kind="stable")
        x, y = x[order], y[order]
        starts = np.flatnonzero(np.r_[True, np.diff(np.asarray(cluster)[order]) > 0])
        bread = np.linalg.inv(x.T @ x)
        lead = x @ bread[column]
        self.factor = self.clusters / (self.clusters - 1) * (n - 1) / (n - k)
        # What a cluster's residuals lose when the slopes move, seen from the tested slope.
        crossed = np.add.reduceat(lead[:, None] * x, starts, axis=0)
        params = bread @ (x.T @ y)
        self.estimate = float(params[column])
        own = np.add.reduceat(lead * (y - x @ params), starts)
        self.std_error = float(np.sqrt(self.factor * own @ own))
        rest = np.delete(x, column, axis=1)
        tested = x[:, column]
        inside = np.linalg.inv(rest.T @ rest)
        left = [v - rest @ (inside @ (rest.T @ v)) for v in (y, tested)]
        # Residuals under a null value b are left[0] - b left[1]; so are the clusters' scores.
        scores = [np.add.reduceat(v[:, None] * x, starts, axis=0) for v in left]
        self.along = [s @ bread[column] for s in scores]
        self.across = [crossed @ bread @ s.T for s in scores]

    def p_value(self, null: float, signs: Array) -> float:
        """Return the share of samples whose statistic is at least as far from 0 as the one found."""
        along = self.along[0] - null * self.along[1]
        across = self.across[0] - null * self.across[1]
        scores = signs * along - signs @ across.T
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.abs(signs @ along) / np.sqrt(self.factor * (scores**2).sum(axis=1))
        statistic = abs(self.estimate - null) / self.std_error
        # The sample that repeats the data must count although it is rounded.
        return float((np.nan_to_num(found) >= statistic * (1 - 1e-10)).mean())


def _multipliers(clusters: int, draws: int, kind: str, seed: int) -> tuple[Array, bool]:
    """Return a row of multipliers for each sample, and whether these are all there are."""
    if kind == "rademacher" and 2**clusters <= draws:
        return np.array(list(product((-1.0, 1.0), repeat=clusters))), True
    rng = np.random.default_rng(seed)
    halves = np.sqrt([0.5, 1.0, 1.5])
    points = np.array([-1.0, 1.0]) if kind == "rademacher" else np.r_[-halves, halves]
    return rng.choice(points, size=(draws, clusters)), False


def _end(test: _Test, signs: Array, side: int, level: float) -> float:
    """Return where the p-value falls below the level on one side; infinite where it never does."""
    inside, step = test.estimate, 2 * test.std_error
    for _ in range(WIDER):
        outside = inside + side * step
        if test.p_value(outside, signs) < level:
            break
        inside, step = outside, 2 * step
    else:
        return side * float("inf")
    for _ in range(HALVED):
        middle = (inside + outside) / 2
        inside, outside = (inside, middle) if test.p_value(middle, signs) < level else (middle, outside)
        if abs(outside - inside) < 1e-6 * test.std_error:
            break
    return float((inside + outside) / 2)
