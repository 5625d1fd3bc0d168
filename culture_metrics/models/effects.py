"""What a slope means in the outcome's own units, with its interval by the delta method."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, ndtr, ndtri, stdtr, stdtrit

from culture_metrics.outcomes.kinds import ORDINAL

if TYPE_CHECKING:
    from culture_metrics.models.fitted import Fitted
    from culture_metrics.models.solution import Array


class Effect(NamedTuple):
    """A figure with its interval, and what it is counted in."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    scale: str | None = None

    def times(self, factor: float, scale: str) -> Effect:
        """Return the effect in another unit."""
        if self.value is None or self.low is None or self.high is None:
            return Effect()
        return Effect(self.value * factor, self.low * factor, self.high * factor, scale)


def quantile(df: float, conf_level: float) -> float:
    """Return the half-width of an interval in standard errors."""
    share = 0.5 + conf_level / 2
    return float(ndtri(share) if np.isinf(df) else stdtrit(df, share))


def p_of(statistic: float, df: float) -> float:
    """Return the two-sided p-value of a t statistic, or of a z where df is infinite."""
    return float(2 * (ndtr(-abs(statistic)) if np.isinf(df) else stdtr(df, -abs(statistic))))


def t_statistics(estimate: Array, std_error: Array, df: float, level: float) -> dict[str, Array]:
    """Return a table's statistics by the names of their columns: t, or normal where df is infinite."""
    from scipy import stats

    estimate, std_error = np.asarray(estimate, float), np.asarray(std_error, float)
    spread = stats.norm() if np.isinf(df) else stats.t(df)
    half = spread.ppf(1 - (1 - level) / 2) * std_error
    statistic = estimate / std_error
    return {
        "estimate": estimate,
        "std_error": std_error,
        "statistic": statistic,
        "df": np.full(estimate.shape, df),
        "p_value": 2 * spread.sf(np.abs(statistic)),
        "conf_low": estimate - half,
        "conf_high": estimate + half,
    }


def effect(fitted: Fitted, column: int, conf_level: float) -> Effect:
    """Return a slope's effect in the original units, per step of the indicator.

    Identity link: the slope. Logit of a fraction: the average marginal effect in percentage points, with the
    delta method on the whole covariance. Log link: the ratio of means. Ordered logit: the odds ratio.
    """
    b = float(fitted.solution.params[column])
    reach = quantile(fitted.degrees(column), conf_level) * fitted.std_error(column)
    if fitted.link == "identity":
        unit = fitted.plan.values.outcome.unit or "outcome units"
        return Effect(b, b - reach, b + reach, "SD" if fitted.plan.design.both_ways else unit)
    if fitted.link == "log":
        return Effect(*_exp(b, reach), fitted.plan.values.outcome.rules.ratio)
    if fitted.family == ORDINAL:
        return Effect(*_exp(b, reach), "odds ratio")
    return _marginal(fitted, column, conf_level)


def effect_absolute(fitted: Fitted, column: int, conf_level: float, found: Effect) -> Effect:
    """Return a slope's effect in whole units at the median organisation: days, cases, pounds, people.

    Fractions: the average marginal effect times the median base. Counts: the change at the median exposure
    and the overall rate. Money: pounds at the median. Ordered logit: the average marginal effect on the
    probability of the reference level or better, in percentage points. Null where there is no such unit.
    """
    outcome, matrix = fitted.plan.values.outcome, fitted.matrix
    rules = outcome.rules
    if fitted.family == ORDINAL:
        return _above(fitted, column, conf_level)
    if rules.fraction and matrix.base is not None and outcome.base:
        middle = float(np.median(matrix.base))
        counted = outcome.unit if outcome.unit and outcome.unit.startswith("share of ") else ""
        whole = counted.removeprefix("share of ") or f"({_words(outcome.base)})"
        return found.times(middle / 100, f"of {middle:,.0f} {whole} at the median organisation")
    if rules.counted and matrix.base is not None and outcome.exposure:
        middle = float(np.median(matrix.base))
        expected = middle * float(matrix.y.sum() / matrix.base.sum())
        label = f"cases at the median {_words(outcome.exposure)} ({middle:,.4g})"
        return _change(found, expected, label)
    if rules.amount and not fitted.plan.design.both_ways:
        counted = "cases" if rules.counted else outcome.unit or rules.name
        unit = f"{counted} at the median organisation"
        return (
            _change(found, float(np.median(matrix.y)), unit)
            if fitted.link == "log"
            else found.times(1.0, unit)
        )
    return Effect()


def _exp(b: float, reach: float) -> tuple[float, float, float]:
    with np.errstate(over="ignore"):  # of a step far beyond the data
        return float(np.exp(b)), float(np.exp(b - reach)), float(np.exp(b + reach))


def _change(found: Effect, level: float, unit: str) -> Effect:
    """Turn a ratio into a change from `level`."""
    if found.value is None or found.low is None or found.high is None:
        return Effect()
    value, low, high = (level * (ratio - 1) for ratio in (found.value, found.low, found.high))
    return Effect(value, low, high, unit)


def _marginal(fitted: Fitted, column: int, conf_level: float) -> Effect:
    mu, x = fitted.solution.fitted, fitted.matrix.x
    return _delta(fitted, column, conf_level, mu, x, None, "percentage points")


def _above(fitted: Fitted, column: int, conf_level: float) -> Effect:
    columns, level = fitted.matrix.x.shape[1], fitted.reference
    threshold = columns + level - 1
    above = expit(fitted.solution.linear - fitted.solution.params[threshold])
    words = f"percentage points, probability of {fitted.levels[level]}"
    if level < len(fitted.levels) - 1:
        words += " or better"
    return _delta(fitted, column, conf_level, above, fitted.matrix.x, threshold, words)


def _delta(
    fitted: Fitted, column: int, conf_level: float, chance: Array, x: Array, threshold: int | None, scale: str
) -> Effect:
    """Average marginal effect of a logit with its interval, in percentage points."""
    b = float(fitted.solution.params[column])
    spread = chance * (1 - chance)
    bend = spread * (1 - 2 * chance)
    gradient = np.zeros(fitted.solution.params.size)
    gradient[: x.shape[1]] = b * (x.T @ bend) / chance.size
    gradient[column] += spread.mean()
    if threshold is not None:
        gradient[threshold] = -b * bend.mean()
    value = b * float(spread.mean())
    # With more parameters than organisations a clustered covariance has directions without variance.
    variance = max(0.0, float(gradient @ fitted.covariance @ gradient))
    reach = quantile(fitted.degrees(column), conf_level) * float(np.sqrt(variance))
    return Effect(100 * value, 100 * (value - reach), 100 * (value + reach), scale)


def _words(column: str) -> str:
    return column.replace("_", " ").replace(".", " ")
