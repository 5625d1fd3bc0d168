"""Adjust p-values for the number of tests of one family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from culture_metrics.errors import unknown

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

Correction = Literal["bh", "holm"]
CORRECTIONS: tuple[Correction, ...] = get_args(Correction)


def adjust(p: ArrayLike, correction: str = "bh", weights: ArrayLike | None = None) -> list[float]:
    """Adjust p-values by Benjamini and Hochberg (1995) or Holm (1979).

    Parameters
    ----------
    p : array
        The p-values of one family.
    correction : {"bh", "holm"}
        False-discovery rate, or the chance of any wrong call.
    weights : array, optional
        How much each test counts, with mean 1 (Genovese, Roeder and Wasserman 2006; Holm 1979); all alike
        when left out.

    Raises
    ------
    UnknownNameError
        When there is no such adjustment.

    Notes
    -----
    The same to the last bit as statsmodels' `multipletests`, which takes longer to load than a comparison of
    years takes to work out; a test holds them together.

    Examples
    --------
    >>> [round(value, 3) for value in adjust([0.01, 0.04, 0.03], "holm")]
    [0.03, 0.06, 0.06]
    >>> [round(value, 3) for value in adjust([0.01, 0.04, 0.03], "bh")]
    [0.03, 0.04, 0.04]
    """
    if correction not in CORRECTIONS:
        raise unknown("adjustment", correction, CORRECTIONS)
    each = np.ones(np.shape(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    given = np.asarray(p, dtype=np.float64) / each
    order = np.argsort(given)
    size = len(given)
    if correction == "holm":
        adjusted = np.maximum.accumulate(given[order] * np.cumsum(each[order][::-1])[::-1])
    else:
        shares = given[order] / (np.arange(1, size + 1) / size)
        adjusted = np.minimum.accumulate(shares[::-1])[::-1]
    found = np.empty(size)
    found[order] = np.minimum(adjusted, 1)
    return [float(value) for value in found]
