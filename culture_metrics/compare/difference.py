"""The difference of two figures with its uncertainty: t for scores, the score test for percentages."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.score_test import Shares, detectable, far_tail, interval, statistic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Two-sided level of every test and interval; power at which a change counts as detectable.
ALPHA, POWER = 0.05, 0.80
#: What exact scores are taken to err by, so that a test of them is certain.
EXACT = 1e-9
#: Correlation of the errors of two percentages that is believed at most.
ALIKE = 0.99
COLUMNS = [
    "difference", "std_error", "df", "statistic", "conf_low", "conf_high", "p_value", "p_equivalence",
    "standardised_difference",
]  # fmt: skip
ENDS = [f"{name}_{end}" for name in ("estimate", "se", "df", "n", "sd") for end in ("from", "to")]
_NEEDED = [*ENDS, "covariance", "allowance", "material"]


def add_differences(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add the difference of both figures and all that tests it.

    Parameters
    ----------
    pairs : polars.DataFrame
        `unit`, and of both ends `estimate`, `se` (standard error), `df` (its degrees of freedom), `n` (of
        percentages: how many simple random answers they are worth), `sd` (standard deviation of respondents,
        of scores) with `_from` and `_to`; `covariance` (of the two estimates, 0 for different people),
        `allowance` (a shift that has nothing to do with staff), `material` (smallest change of interest),
        `span` (how far apart two figures can lie). Rows with a null in any of them get nulls.

    Returns
    -------
    polars.DataFrame
        With `difference, std_error, df, statistic, conf_low, conf_high, p_value, p_equivalence,
        standardised_difference`, in points or on the scale of the score.

    Notes
    -----
    Standard errors are those of the figures, with whatever design they carry; degrees of freedom are combined
    by Satterthwaite (1946; Welch 1947). Scores: t. Percentages: the pooled score test on what the answers are
    worth, and the interval that is this test turned round (Mee 1984), so that they never disagree and the
    interval stays on the scale (far out in the tail, of small and unequal samples, `far_tail`);
    `std_error` is that of the difference and not the one under the hypothesis, which `statistic` rests
    on. An allowance widens the interval and is taken from the difference before it is tested.
    `p_equivalence` is the larger of two one-sided tests that the change lies within the smallest change
    of interest (Schuirmann 1987).
    """
    columns = _columns(pairs)
    percent = (pairs["unit"].cast(pl.String) == "percent").to_numpy()
    out = {name: np.full(pairs.height, np.nan) for name in COLUMNS}
    for rows, method in ((percent, _percentages), (~percent, _scores)):
        if rows.any():
            for name, values in method({c: v[rows] for c, v in columns.items()}).items():
                out[name][rows] = values
    told = [pl.Series(name, values).fill_nan(None) for name, values in out.items()]
    return pairs.with_columns(*told).with_columns(pl.when(pl.col("df").is_finite()).then("df").alias("df"))


def add_detectable(tested: pl.DataFrame) -> pl.DataFrame:
    """Add `detectable_change`: the smallest true change that is called in 80 % of cases.

    Parameters
    ----------
    tested : polars.DataFrame
        As `add_differences` returns it, with `critical`: the p-value below which a change is called.
    """
    c = _columns(tested)
    percent = (tested["unit"].cast(pl.String) == "percent").to_numpy()
    critical = tested["critical"].cast(pl.Float64).to_numpy()
    df = _df(c, percent)
    with np.errstate(invalid="ignore", divide="ignore"):
        reach, power = quantile(df, critical / 2), quantile(df, np.full_like(critical, 1 - POWER))
        error = np.sqrt(c["se_from"] ** 2 + c["se_to"] ** 2 - 2 * c["covariance"])
        found = (reach + power) * np.where(error > 0, error, np.nan)
        if percent.any():
            shares = Shares(*(x[percent] for x in _shares(c)))
            found[percent] = 100 * detectable(shares, reach[percent], power[percent])
        found = found + c["allowance"]
        found = np.where(found <= c["span"], found, np.nan)
    known = pl.col("p_value").is_not_null()
    return tested.with_columns(
        pl.when(known).then(pl.Series("d", found).fill_nan(None)).alias("detectable_change")
    )


def _columns(pairs: pl.DataFrame) -> dict[str, Floats]:
    columns = {c: pairs[c].cast(pl.Float64).to_numpy().copy() for c in _NEEDED}
    known = "span" in pairs.columns
    return columns | {"span": pairs["span"].to_numpy() if known else np.full(pairs.height, np.inf)}


def _scores(c: dict[str, Floats]) -> dict[str, Floats]:
    with np.errstate(invalid="ignore", divide="ignore"):
        error = np.sqrt(c["se_from"] ** 2 + c["se_to"] ** 2 - 2 * c["covariance"])
        df = _df(c, np.zeros(len(error), dtype=bool))
        # Everybody answered in both years: the difference is exact.
        exact = (error == 0) & np.isinf(c["df_from"]) & np.isinf(c["df_to"])
        told, error = error, np.where(error > 0, error, np.where(exact, EXACT, np.nan))
        df = np.where(exact, np.inf, df)
        centre = c["estimate_to"] - c["estimate_from"]
        beyond = np.sign(centre) * np.maximum(np.abs(centre) - c["allowance"], 0) / error
        half = quantile(df, np.full_like(df, ALPHA / 2)) * error + c["allowance"]
        inside = (c["material"] - c["allowance"] - np.abs(centre)) / error
        return {
            "difference": centre + 0 * (c["n_from"] + c["n_to"]),
            "std_error": np.where(exact, told, error),
            "df": np.where(np.isnan(error), np.nan, df),
            "statistic": beyond,
            "conf_low": np.maximum(centre - half, -c["span"]),
            "conf_high": np.minimum(centre + half, c["span"]),
            "p_value": 2 * tail(np.abs(beyond), df),
            "p_equivalence": tail(inside, df),
            "standardised_difference": centre / np.sqrt((c["sd_from"] ** 2 + c["sd_to"] ** 2) / 2),
        }


def _shares(c: dict[str, Floats]) -> Shares:
    """Return two percentages as shares with what they are worth."""
    p, q = c["estimate_from"] / 100, c["estimate_to"] / 100
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = c["covariance"] / (c["se_from"] * c["se_to"])
    rho = np.where(np.isnan(rho) | (c["covariance"] == 0), 0.0, rho)
    return Shares(p, q, c["n_from"], c["n_to"], np.clip(rho, -ALIKE, ALIKE))


def _percentages(c: dict[str, Floats]) -> dict[str, Floats]:
    shares, allowance = _shares(c), c["allowance"] / 100
    p, q, n, m, rho = shares
    df = _df(c, np.ones(len(p), dtype=bool))
    centre = q - p
    with np.errstate(invalid="ignore", divide="ignore"):
        beyond = np.sign(centre) * np.maximum(np.abs(centre) - allowance, 0)
        value = np.where(beyond == 0, 0.0, statistic(shares, centre - beyond)) + 0 * (n + m)
        reach = np.where(np.isnan(value), np.nan, quantile(df, np.full_like(df, ALPHA / 2)))
        low, high = interval(shares, reach)
        within = np.clip(c["material"] / 100 - allowance, -1, 1)
        sides = [sign * statistic(shares, -sign * within) for sign in (1.0, -1.0)]
        spread = np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
        p_value = 2 * tail(np.abs(value), df)
        # Of people drawn one by one, and of no difference: an allowance is another hypothesis.
        p_value = np.where(np.isinf(df) & (allowance == 0), far_tail(p_value, shares), p_value)
        error = np.sqrt(c["se_from"] ** 2 + c["se_to"] ** 2 - 2 * rho * c["se_from"] * c["se_to"])
        return {
            "difference": 100 * (centre + 0 * n + 0 * m),
            "std_error": np.where(np.isnan(value), np.nan, error),
            "df": np.where(np.isnan(value), np.nan, df),
            "statistic": value,
            "conf_low": 100 * np.maximum(low - allowance, -1),
            "conf_high": 100 * np.minimum(high + allowance, 1),
            "p_value": p_value,
            "p_equivalence": tail(np.fmin(*sides), df) + 0 * value,
            "standardised_difference": np.where(spread > 0, centre / spread, np.nan) + 0 * value,
        }


def _df(c: dict[str, Floats], percent: NDArray[np.bool_]) -> Floats:
    """Combine degrees of freedom by Satterthwaite; of percentages the pooled share falls out of it."""
    with np.errstate(invalid="ignore", divide="ignore"):
        ends = [np.where(percent, 1 / c[f"n_{e}"], c[f"se_{e}"] ** 2) for e in ("from", "to")]
        parts = [v**2 / c[f"df_{e}"] for v, e in zip(ends, ("from", "to"), strict=True)]
        return np.asarray((ends[0] + ends[1]) ** 2 / (parts[0] + parts[1]))


def quantile(df: Floats, upper: Floats) -> Floats:
    """Return the value that Student's t passes with probability `upper`."""
    from scipy.special import ndtri, stdtrit

    return np.asarray(np.where(np.isinf(df), -ndtri(upper), -stdtrit(df, upper)))


def tail(value: Floats, df: Floats) -> Floats:
    """Return the probability that Student's t passes `value`; of the normal where df is infinite."""
    from scipy.special import ndtr, stdtr

    return np.asarray(np.where(np.isinf(df), ndtr(-value), stdtr(df, -value)))
