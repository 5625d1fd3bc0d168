"""95 % intervals: t for scores, Wilson for percentages."""

from __future__ import annotations

import numpy as np
import polars as pl

LEVEL = 0.95


def add_intervals(frame: pl.DataFrame) -> pl.DataFrame:
    """Add `conf_low` and `conf_high` to rows with `unit, estimate, std_error, effective_base`.

    Scores get estimate ± t · std_error with effective base - 1 degrees of freedom, cut at 0 and 10.
    Percentages get the Wilson (1927) score interval on the effective base, which holds near 0 and 100 % and
    for small bases.

    Examples
    --------
    >>> row = {"unit": "percent", "estimate": 0.0, "std_error": 0.0, "effective_base": 10.0}
    >>> add_intervals(pl.DataFrame([row]))["conf_high"].round(4).item()
    27.7533
    """
    from scipy.special import ndtri, stdtrit

    tail = 1 - (1 - LEVEL) / 2
    n = frame["effective_base"].to_numpy().astype(float)
    estimate = frame["estimate"].to_numpy().astype(float)
    error = frame["std_error"].to_numpy().astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        half = stdtrit(np.maximum(n - 1, 1e-9), tail) * error
        low, high = np.clip(estimate - half, 0, 10), np.clip(estimate + half, 0, 10)
        p, z = estimate / 100, float(ndtri(tail))
        centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        spread = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        wilson_low = np.where(p == 0, 0.0, centre - spread) * 100
        wilson_high = np.where(p == 1, 1.0, centre + spread) * 100
    percent = frame["unit"].cast(pl.String).to_numpy() == "percent"
    return frame.with_columns(
        pl.Series("conf_low", np.where(percent, wilson_low, low)).fill_nan(None),
        pl.Series("conf_high", np.where(percent, wilson_high, high)).fill_nan(None),
    )
