"""A table's statistics from estimates and their standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from culture_metrics.models.solution import Array


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
