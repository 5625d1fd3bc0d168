"""What all others predict of each observation, for figures on a bounded scale: a logit fitted without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Steps of Newton's method, the change that ends them, and how far from the middle a logit goes.
STEPS, SMALL, FAR = 50, 1e-9, 15.0
#: A profile that nobody else shares predicts nothing: such leverage leaves no residual.
ALONE = 0.99


class LeftOut(NamedTuple):
    """What all others predict, by observation, on the logit scale.

    `good` marks those that others can predict; the rest has one row for each of them. `logit` is what is
    predicted, `error` its standard error, `scale` the dispersion of the others, `lever` how far an
    observation lies from them, over its own weight.
    """

    good: NDArray[np.bool_]
    logit: Floats
    error: Floats
    scale: Floats
    lever: Floats


def expit(logit: Floats) -> Floats:
    """Return the share of a logit."""
    return 1 / (1 + np.exp(-logit))


def leave_one_out(share: Floats, basis: Floats) -> LeftOut:
    """Predict each share from all others by a fractional logit (Papke and Wooldridge 1996).

    Parameters
    ----------
    share : array of float
        From 0 to 1, both included.
    basis : array of float
        One row per observation, columns that do not follow from each other.

    Returns
    -------
    LeftOut
        Of each observation what the quasi-binomial fit without it says: the same as R's glm of the others.
    """
    n, k = basis.shape
    whole = _fit(share, basis, basis.T @ np.log((share + 0.5 / n) / (1 - share + 0.5 / n)))
    weight = _weight(basis @ whole)
    root = np.sqrt(weight)[:, None] * basis
    leverage = (np.linalg.qr(root)[0] ** 2).sum(axis=1)
    good = leverage < ALONE
    rows = []
    for i in np.flatnonzero(good):
        others = np.arange(n) != i
        x, y = basis[others], share[others]
        beta = _fit(y, x, whole)
        mean, w = expit(x @ beta), _weight(x @ beta)
        scale = float(((y - mean) ** 2 / w).sum() / (n - 1 - k))
        spread = float(basis[i] @ np.linalg.solve((x.T * w) @ x, basis[i]))
        own = float(basis[i] @ beta)
        rows.append((own, np.sqrt(scale * spread), scale, spread * float(_weight(np.array([own]))[0])))
    logit, error, scale_, lever = np.array(rows).reshape(-1, 4).T
    return LeftOut(good, np.clip(logit, -FAR, FAR), error, scale_, lever)


def _weight(logit: Floats) -> Floats:
    mean = expit(np.clip(logit, -FAR, FAR))
    weight: Floats = mean * (1 - mean)
    return weight


def _fit(share: Floats, x: Floats, start: Floats) -> Floats:
    """Fit the coefficients by Newton's method from a start that is near."""
    beta = start
    for _ in range(STEPS):
        eta = x @ beta
        w = _weight(eta)
        step = np.linalg.solve((x.T * w) @ x, x.T @ (share - expit(np.clip(eta, -FAR, FAR))))
        beta = beta + step
        if np.abs(x @ step).max() < SMALL:
            break
    return beta
