"""A straight line through a few years of known uncertainty, and whether it has a kink."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ALPHA = 0.05
#: Fewest years that can show a turning point: a kink takes three numbers.
FEWEST = 4


def fit_line(
    years: Sequence[float], values: Sequence[float], variances: Sequence[float], names: Sequence[str]
) -> dict[str, float | str | None]:
    """Fit a line by weighted least squares with known variances.

    Parameters
    ----------
    years, values, variances : sequence of float
        Years as they are spaced, figures, and their sampling variances.
    names : sequence of str
        The periods, to name a turning point by.

    Returns
    -------
    dict
        `slope, std_error, statistic, conf_low, conf_high, p_value, p_not_straight, turning_point`.

    Examples
    --------
    >>> line = fit_line([2021, 2022, 2024], [6.0, 6.1, 6.3], [0.0004] * 3, ["2021", "2022", "2024"])
    >>> round(line["slope"], 6), line["turning_point"]
    (0.1, None)
    """
    from scipy.stats import chi2, norm

    x, y, weight = (np.asarray(v, dtype=float) for v in (years, values, 1 / np.asarray(variances)))
    estimates, covariance, left = _least_squares(_design(x), y, weight)
    slope, error = float(estimates[1]), float(np.sqrt(covariance[1, 1]))
    half = float(norm.isf(ALPHA / 2)) * error
    return {
        "slope": slope,
        "std_error": error,
        "statistic": slope / error,
        "conf_low": slope - half,
        "conf_high": slope + half,
        "p_value": float(2 * norm.sf(abs(slope / error))),
        "p_not_straight": float(chi2.sf(left, len(x) - 2)),
        "turning_point": _turning_point(x, y, weight, left, names),
    }


def _design(x: Floats, kink: float | None = None) -> Floats:
    columns = [np.ones_like(x), x - x.mean()]
    if kink is not None:
        columns.append(np.maximum(x - kink, 0))
    return np.column_stack(columns)


def _least_squares(design: Floats, y: Floats, weight: Floats) -> tuple[Floats, Floats, float]:
    """Coefficients, their covariance, and the weighted sum of squares left over."""
    covariance: Floats = np.asarray(np.linalg.inv(design.T @ (design * weight[:, None])), dtype=np.float64)
    estimates = covariance @ (design.T @ (weight * y))
    left = float((weight * (y - design @ estimates) ** 2).sum())
    return estimates, covariance, left


def _turning_point(x: Floats, y: Floats, weight: Floats, straight: float, names: Sequence[str]) -> str | None:
    """Name the inner year where the line turns, if the data support it."""
    from scipy.stats import chi2, norm

    inner = range(1, len(x) - 1)
    if len(x) < FEWEST:
        return None
    fits = [_least_squares(_design(x, x[i]), y, weight) for i in inner]
    best = min(range(len(fits)), key=lambda k: fits[k][2])
    estimates, covariance, left = fits[best]
    if chi2.sf(straight - left, 1) * len(fits) >= ALPHA:
        return None
    before = np.array([0.0, 1.0, 0.0])
    after = np.array([0.0, 1.0, 1.0])
    slopes = [float(c @ estimates) for c in (before, after)]
    errors = [float(np.sqrt(c @ covariance @ c)) for c in (before, after)]
    clear = all(2 * norm.sf(abs(s / e)) < ALPHA for s, e in zip(slopes, errors, strict=True))
    return names[inner[best]] if clear and slopes[0] * slopes[1] < 0 else None
