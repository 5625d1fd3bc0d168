"""The difference of two years with its uncertainty: Welch for scores, Agresti-Caffo for percentages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Two-sided level of every test and interval; power at which a change counts as detectable.
ALPHA, POWER = 0.05, 0.80
COLUMNS = [
    "difference", "std_error", "df", "statistic", "conf_low", "conf_high", "p_value", "p_equivalence",
    "standardised_difference", "detectable_change",
]  # fmt: skip


def add_differences(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add the difference of both years and all that tests it.

    Parameters
    ----------
    pairs : polars.DataFrame
        `unit`, `estimate_from`, `estimate_to`, `sd_from`, `sd_to` (standard deviation of respondents; of
        scores only), `n_from`, `n_to` (effective bases), `covariance` (of the two estimates, 0 for different
        people), `allowance` (a shift that has nothing to do with staff), `material` (smallest change of
        interest). Rows with a null in any of them get nulls.

    Returns
    -------
    polars.DataFrame
        With `difference, std_error, df, statistic, conf_low, conf_high, p_value, p_equivalence,
        standardised_difference, detectable_change`, in points or on the scale of the score.

    Notes
    -----
    Scores: Welch's t with Satterthwaite's degrees of freedom (Welch 1947). Percentages: Agresti and Caffo
    (2000), one success and one failure added to each year; test and interval rest on
    the same statistic, so they never disagree. Their interval is centred on the adjusted difference, a
    little nearer to nought than `difference`. An allowance widens the interval and is taken from the
    difference before it is tested. `p_equivalence` is the larger of two one-sided tests that the change lies
    within the smallest change of interest (Schuirmann 1987). `detectable_change` is the smallest true change
    that the test at 5 % finds in 80 % of cases.
    """
    columns = {c: pairs[c].cast(pl.Float64).to_numpy().copy() for c in _NEEDED}
    percent = (pairs["unit"].cast(pl.String) == "percent").to_numpy()
    out = {name: np.full(pairs.height, np.nan) for name in COLUMNS}
    for rows, method in ((percent, _percentages), (~percent, _scores)):
        own = {name: values[rows] for name, values in columns.items()}
        if rows.any():
            for name, values in _tested(own, *method(own)).items():
                out[name][rows] = values
    return pairs.with_columns(
        *(pl.Series(name, values).fill_nan(None) for name, values in out.items())
    ).with_columns(pl.when(pl.col("df").is_finite()).then("df").alias("df"))


_NEEDED = [
    "estimate_from", "estimate_to", "sd_from", "sd_to", "n_from", "n_to", "covariance", "allowance",
    "material",
]  # fmt: skip


def _scores(c: dict[str, Floats]) -> tuple[Floats, ...]:
    """Centre, standard error, degrees of freedom, standardised difference, detectable change."""
    with np.errstate(invalid="ignore", divide="ignore"):
        first, second = (c[f"sd_{end}"] ** 2 / c[f"n_{end}"] for end in ("from", "to"))
        error = np.sqrt(first + second - 2 * c["covariance"])
        df = (first + second) ** 2 / (first**2 / (c["n_from"] - 1) + second**2 / (c["n_to"] - 1))
        centre = c["estimate_to"] - c["estimate_from"]
        spread = np.sqrt((c["sd_from"] ** 2 + c["sd_to"] ** 2) / 2)
        reach = _quantile(df, ALPHA / 2) + _quantile(df, 1 - POWER)
        return centre, error, df, centre / spread, reach * error


def _percentages(c: dict[str, Floats]) -> tuple[Floats, ...]:
    """Return the same of percentages."""
    p, q = c["estimate_from"] / 100, c["estimate_to"] / 100
    centre, variance = _agresti_caffo(p, q, c["n_from"], c["n_to"])
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(variance - 2 * c["covariance"] / 1e4)
        spread = np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
        standardised = np.where(spread > 0, (q - p) / spread, np.nan)
    return 100 * centre, 100 * error, np.full_like(p, np.inf), standardised, 100 * _detectable(c, p)


def _agresti_caffo(p: Floats, q: Floats, n: Floats, m: Floats) -> tuple[Floats, Floats]:
    """Return the adjusted difference `q - p` of two shares, and its variance."""
    first, second = (p * n + 1) / (n + 2), (q * m + 1) / (m + 2)
    return second - first, second * (1 - second) / (m + 2) + first * (1 - first) / (n + 2)


def _detectable(c: dict[str, Floats], p: Floats) -> Floats:
    """Smallest change of a share, towards one half, that is found with the power wanted; by bisection."""
    wanted = float(_quantile(np.array(np.inf), ALPHA / 2) + _quantile(np.array(np.inf), 1 - POWER))
    towards = np.where(p < 0.5, 1.0, -1.0)
    low, high = np.zeros_like(p), np.where(p < 0.5, 1 - p, p)
    furthest = high.copy()
    for _ in range(40):
        middle = (low + high) / 2
        centre, variance = _agresti_caffo(p, p + towards * middle, c["n_from"], c["n_to"])
        with np.errstate(invalid="ignore", divide="ignore"):
            enough = np.abs(centre) / np.sqrt(variance - 2 * c["covariance"] / 1e4) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.where(np.isnan(p) | (furthest - low < 1e-9), np.nan, high)


def _tested(
    c: dict[str, Floats], centre: Floats, error: Floats, df: Floats, standardised: Floats, detectable: Floats
) -> dict[str, Floats]:
    allowance = c["allowance"]
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.where(error > 0, error, np.nan)
        beyond = np.sign(centre) * np.maximum(np.abs(centre) - allowance, 0)
        statistic = beyond / error
        half = _quantile(df, ALPHA / 2) * error + allowance
        inside = c["material"] - allowance - np.abs(centre)
        known = ~np.isnan(statistic)
        return {
            "difference": c["estimate_to"] - c["estimate_from"] + 0 * c["n_from"] + 0 * c["n_to"],
            "std_error": error,
            "df": np.where(known, df, np.nan),
            "statistic": statistic,
            "conf_low": centre - half,
            "conf_high": centre + half,
            "p_value": 2 * _tail(np.abs(statistic), df),
            "p_equivalence": _tail(inside / error, df),
            "standardised_difference": standardised,
            "detectable_change": np.where(known, detectable + allowance, np.nan),
        }


def _quantile(df: Floats, tail: float) -> Floats:
    """Return the value that Student's t passes with probability `tail`."""
    from scipy.special import ndtri, stdtrit

    return np.asarray(np.where(np.isinf(df), -ndtri(tail), -stdtrit(df, tail)))


def _tail(value: Floats, df: Floats) -> Floats:
    """Return the probability that Student's t passes `value`; of the normal where df is infinite."""
    from scipy.special import ndtr, stdtr

    return np.asarray(np.where(np.isinf(df), ndtr(-value), stdtr(df, -value)))
