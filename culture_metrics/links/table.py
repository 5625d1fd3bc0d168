"""Rows of the table of links: figures of a fitted model, one row per indicator and term."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.links.checks import MEANINGS
from culture_metrics.links.power import detectable_r
from culture_metrics.links.sensitivity import MAIN, name_of, terms_of
from culture_metrics.models.effects import Effect, effect, effect_absolute, p_of, quantile
from culture_metrics.models.fitted import FAILURES
from culture_metrics.models.wild_bootstrap import wild_cluster_bootstrap

if TYPE_CHECKING:
    from culture_metrics.errors import LinkError
    from culture_metrics.models.fitted import Fitted
    from culture_metrics.models.plan import Plan

#: Columns of `LinkResult.table`.
TABLE: dict[str, pl.DataType | type[pl.DataType]] = {
    "model_id": pl.String, "outcome": pl.String, "outcome_label": pl.String, "kind": pl.String,
    "unit": pl.String, "better": pl.String, "period": pl.String, "indicator": pl.String, "term": pl.String,
    "indicator_sd": pl.Float64, "indicator_sd_within": pl.Float64, "step": pl.Float64,
    "step_label": pl.String, "design": pl.String, "design_label": pl.String, "lag": pl.Int64,
    "model": pl.String, "family": pl.String, "link": pl.String, "cov": pl.String, "role": pl.String,
    "estimate": pl.Float64, "std_error": pl.Float64,
    "df": pl.Float64, "statistic": pl.Float64, "p_value": pl.Float64, "p_adjusted": pl.Float64,
    "conf_low": pl.Float64, "conf_high": pl.Float64, "effect": pl.Float64, "effect_low": pl.Float64,
    "effect_high": pl.Float64, "effect_scale": pl.String, "effect_abs": pl.Float64,
    "effect_abs_low": pl.Float64, "effect_abs_high": pl.Float64, "effect_abs_unit": pl.String,
    "effect_std": pl.Float64, "partial_r": pl.Float64, "r2": pl.Float64, "pseudo_r2": pl.Float64,
    "delta_r2": pl.Float64, "base": pl.UInt32, "n_orgs": pl.UInt32, "n_years": pl.UInt32,
    "years": pl.String, "n_dropped": pl.UInt32, "direction": pl.String, "detectable_r": pl.Float64,
    "flags": pl.String, "status": pl.String, "reason": pl.String,
}  # fmt: skip
#: Statuses of a row: it has figures, its model failed on its data, it has no model.
REPORTED, FAILED, NOT_FITTED = "reported", "failed", "not_fitted"


def model_rows(fitted: Fitted, model_id: str, role: str, conf_level: float) -> list[dict[str, Any]]:
    """Return one row of the table for each indicator and term of a model.

    A model that failed has a row with its sample and flags, and null for every figure.
    """
    plan, matrix = fitted.plan, fitted.matrix
    present = np.unique(matrix.years)
    shared = _planned(plan, model_id) | {
        "model": fitted.model,
        "family": fitted.family,
        "link": fitted.link,
        "cov": fitted.cov,
        "role": role,
        "base": matrix.y.size,
        "n_orgs": matrix.clusters,
        "n_years": present.size,
        "years": str(present[0]) if present.size == 1 else f"{present[0]} to {present[-1]}",
        "n_dropped": matrix.losses[0].rows_left - matrix.y.size,
        "flags": list(fitted.flags),
        "status": FAILED if fitted.failed else REPORTED,
        "reason": _why(fitted) if fitted.failed else None,
    }
    return [
        shared
        | {
            "indicator": indicator,
            "term": term,
            "indicator_sd": matrix.sd[indicator],
            "indicator_sd_within": matrix.sd_within[indicator],
            "step": matrix.steps[indicator],
            "step_label": step_label(plan.standardise, matrix.steps[indicator]),
        }
        | ({} if fitted.failed else _figures(fitted, term, column, conf_level))
        for (indicator, term), column in matrix.terms.items()
    ]


def unfitted_rows(plan: Plan, error: LinkError) -> list[dict[str, Any]]:
    """Return the rows of a planned model that could not be fitted, with the reason and no figures."""
    reason = ". ".join(text.rstrip(".") for text in (error.what, error.hint) if text)
    shared = _planned(plan, name_of(plan)) | {
        "role": MAIN,
        "flags": [NOT_FITTED],
        "status": NOT_FITTED,
        "reason": f"{reason}.",
    }
    return [
        shared | {"indicator": indicator, "term": term}
        for indicator in plan.indicators
        for term in terms_of(plan)
    ]


def _planned(plan: Plan, model_id: str) -> dict[str, Any]:
    outcome = plan.values.outcome
    return {
        "model_id": model_id,
        "outcome": outcome.column,
        "outcome_label": outcome.title,
        "kind": outcome.kind,
        "unit": outcome.unit,
        "better": outcome.better,
        "period": outcome.period,
        "design": plan.design.name,
        "design_label": plan.design.label,
        "lag": plan.lag,
    }


def _why(fitted: Fitted) -> str:
    return "; ".join(MEANINGS[flag] for flag in fitted.flags if flag in FAILURES)


def step_label(standardise: str | dict[str, float] | None, step: float) -> str:
    """Say what contrast a slope is for.

    Examples
    --------
    >>> step_label("sd", 0.0850407)
    '+1 SD (0.085)'
    >>> step_label(None, 1.0)
    '+1'
    """
    match standardise:
        case "sd":
            return f"+1 SD ({step:.2g})"
        case "sd_within_year":
            return f"+1 SD within years ({step:.2g})"
        case "iqr":
            return f"+1 interquartile range ({step:.2g})"
    return f"+{step:g}"


def _figures(fitted: Fitted, term: str, column: int, conf_level: float) -> dict[str, Any]:
    outcome, solution = fitted.plan.values.outcome, fitted.solution
    b, se = float(solution.params[column]), fitted.std_error(column)
    df = fitted.degrees(column)
    reach = quantile(df, conf_level) * se
    p, low, high = p_of(b / se, df), b - reach, b + reach
    found = effect(fitted, column, conf_level)
    if fitted.cov == "wild":
        p, low, high = _wild(fitted, column, conf_level)
        found = Effect(found.value, low, high, found.scale)
    absolute = effect_absolute(fitted, column, conf_level, found)
    figures: dict[str, Any] = {
        "estimate": b,
        "std_error": se,
        "df": None if np.isinf(df) else df,
        "statistic": b / se,
        "p_value": p,
        "conf_low": low,
        "conf_high": high,
        "direction": direction(low, high, outcome.better),
        "detectable_r": detectable_r(fitted, term, column),
    }
    figures |= _named("effect", found, "scale") | _named("effect_abs", absolute, "unit")
    explained = None if np.isnan(solution.explained) else solution.explained
    if fitted.link != "identity":
        return figures | {"pseudo_r2": explained}
    spread = float(fitted.matrix.y.std(ddof=1))
    figures["effect_std"] = b / spread if spread > 0 else None
    if not np.isnan(fitted.between) or fitted.model.startswith("GEE"):
        return figures
    classical = b / float(np.sqrt(solution.bread[column, column] * solution.dispersion))
    return figures | {
        "r2": explained,
        "partial_r": classical / float(np.sqrt(classical**2 + solution.df)),
        "delta_r2": (1 - solution.explained) * classical**2 / solution.df,
    }


def _wild(fitted: Fitted, column: int, conf_level: float) -> tuple[float, float, float]:
    """Return p-value and interval of a least-squares slope by the wild bootstrap of organisations."""
    matrix = fitted.matrix
    root = np.ones_like(matrix.y) if matrix.weights is None else np.sqrt(matrix.weights)
    found = wild_cluster_bootstrap(
        matrix.x * root[:, None], matrix.y * root, matrix.groups, column, conf_level=conf_level
    )
    return found.p_value, found.conf_low, found.conf_high


def _named(name: str, found: Effect, last: str) -> dict[str, Any]:
    return {
        name: found.value,
        f"{name}_low": found.low,
        f"{name}_high": found.high,
        f"{name}_{last}": found.scale,
    }


def direction(low: float, high: float, better: str | None) -> str | None:
    """Say in words which way a link points, given its interval on the link scale and the better side.

    Examples
    --------
    >>> direction(-0.03, -0.01, "low"), direction(-0.03, 0.01, "low"), direction(0.01, 0.03, None)
    ('favourable', 'null-straddling', None)
    """
    if better is None:
        return None
    if low <= 0 <= high:
        return "null-straddling"
    return "favourable" if (low > 0) == (better == "high") else "unfavourable"
