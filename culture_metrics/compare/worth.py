"""How many comparisons the measures of whole organisations are worth: they go together."""

from __future__ import annotations

from functools import lru_cache
from math import ceil
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.compare.difference import ALPHA, quantile, tail
from culture_metrics.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Families without a change that are drawn, and the seed of the draws: the same for everybody.
DRAWS, SEED = 8000, 20240
#: Degrees of freedom from which a standard error is taken as known.
MANY = 200


def worth(correlations: Sequence[Floats], weights: Floats, df: float, adjust: str) -> int:
    """Return how many comparisons a family is worth, where a single one of them stands out.

    Parameters
    ----------
    correlations : sequence of array
        Between the measures of each organisation, which are independent of each other's.
    weights : array
        Of each test, organisation after organisation: its share of the level (mean 1).
    df : float
        Degrees of freedom of the standard errors.
    adjust : {"bh", "holm"}
        How the family is adjusted otherwise.

    Returns
    -------
    int
        The number k, at most that of the tests, such that where nothing changed something is called in 5 %
        of families if a test is called where its p-value times k over its weight is below 5 %, or by the
        adjustment.

    Notes
    -----
    8,000 families of normal errors with these correlations are drawn. Where standard errors rest on few
    degrees of freedom they are drawn as well, and go together as the squares of correlations do, which is
    how the variances of one Wishart matrix go together (chi-squared by Wilson and Hilferty 1931).
    """
    told = tuple(own.astype(np.float32).tobytes() for own in correlations)
    return _worth(told, weights.tobytes(), float(round(df)) if df < MANY else np.inf, adjust)


@lru_cache(maxsize=64)
def _worth(correlations: tuple[bytes, ...], shares: bytes, df: float, adjust: str) -> int:
    weights = np.frombuffer(shares)
    size = len(weights)
    matrices = [np.frombuffer(own, np.float32) for own in correlations]
    square = [own.reshape(round(len(own) ** 0.5), -1).astype(np.float64) for own in matrices]
    with one_blas_thread():
        value = np.hstack([_drawn(number, own, df) for number, own in enumerate(square)])
    # Looked at are p-values that may be called, or are counted with those that are.
    wanted = np.minimum(ALPHA * np.maximum(weights, 1), 1.0)
    row, column = np.nonzero(value >= quantile(np.full(size, df), wanted / 2).astype(np.float32))
    own = value[row, column].astype(np.float64)
    p = 2 * tail(own, np.full(len(own), df))
    share = p / weights[column]
    first = np.full(DRAWS, np.inf)
    np.minimum.at(first, row[p <= ALPHA], share[p <= ALPHA])
    called = first <= (ALPHA / size if adjust == "holm" else _steps(row, share, size))
    limit = float(np.quantile(np.where(called, 0.0, first), ALPHA, method="lower"))
    # Where fewer than 5 % of families have any p-value below it, all of those may be called.
    limit = min(limit, float(first[np.isfinite(first)].max()))
    return size if limit <= ALPHA / size else ceil(ALPHA / limit)


def _drawn(number: int, own: Floats, df: float) -> NDArray[np.float32]:
    """Draw absolute statistics of one organisation, families × measures."""
    random = np.random.default_rng([SEED, number])
    value = np.abs(_normal(own, random))
    if df < MANY:
        step = 2 / (9 * df)
        error = np.float32(1 - step) + np.float32(step**0.5) * _normal(own**2, random)
        value /= np.maximum(error, np.float32(0.05)) ** np.float32(1.5)
    return value


def _normal(own: Floats, random: np.random.Generator) -> NDArray[np.float32]:
    """Draw normal values that go together like this."""
    # The symmetric root is the same on every machine: the signs of axes are not.
    level, axis = np.linalg.eigh(own)
    root = ((axis * np.sqrt(np.maximum(level, 0.0))) @ axis.T).astype(np.float32)
    # Levels below 0 are rounding: what they took from the variance.
    root /= np.sqrt((root**2).sum(axis=0))
    return np.asarray(random.standard_normal((DRAWS, len(root)), dtype=np.float32) @ root)


def _steps(row: NDArray[np.int64], share: Floats, size: int) -> Floats:
    """Return the weighted p-value up to which Benjamini and Hochberg call, of each family; below 0: none."""
    step = np.ceil(share * size / ALPHA).astype(np.int64)
    there = step <= size
    count = np.bincount(row[there] * size + np.maximum(step[there], 1) - 1, minlength=DRAWS * size)
    enough = count.reshape(DRAWS, size).cumsum(axis=1) >= np.arange(1, size + 1)
    last = size - np.argmax(enough[:, ::-1], axis=1)
    return np.where(enough.any(axis=1), last * ALPHA / size, -1.0)
