"""What single organisations do to a slope: exact for least squares, one Newton step elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from culture_metrics.models.solution import starts_of

if TYPE_CHECKING:
    from culture_metrics.models.fitted import Fitted
    from culture_metrics.models.solution import Array

#: Columns of `LinkResult.influence`.
INFLUENCE: dict[str, pl.DataType | type[pl.DataType]] = {
    "model_id": pl.String, "indicator": pl.String, "term": pl.String, "organisation": pl.String,
    "estimate": pl.Float64, "statistic": pl.Float64, "cooks_distance": pl.Float64,
}  # fmt: skip


class Without(NamedTuple):
    """Slope and t statistic without each organisation."""

    estimate: Array
    statistic: Array


def leave_one_out(fitted: Fitted, column: int) -> Without:
    """Return a slope and its t statistic without each organisation in turn.

    Notes
    -----
    Taking out organisation g solves the equations with its information A_g and score s_g subtracted:
    b - (A - A_g)^-1 s_g. For least squares that is exact, and so is the clustered t statistic, whose scores
    move by A_h times the change in b; elsewhere it is one Newton step (Pregibon 1981) from the full solution.
    Fixed effects are exact too: an organisation's mean takes no part in the others. With a random intercept
    the variances stay as they are. Where the covariance is not clustered, the statistic keeps the standard
    error of the full model.
    """
    solution, groups = fitted.solution, fitted.matrix.groups
    starts = starts_of(groups)
    parts = solution.information(starts)
    scores = np.add.reduceat(solution.scores, starts, axis=0)
    left = parts.sum(axis=0) - parts
    inverse = np.linalg.inv(left)
    change = -np.einsum("gij,gj->gi", inverse, scores)
    estimate = solution.params[column] + change[:, column]
    if fitted.cov not in ("cluster", "wild"):
        return Without(estimate, estimate / fitted.std_error(column))
    count, k = scores.shape
    row = inverse[:, column, :]
    # The score of organisation h without g, seen along the row of the inverse that gives this slope.
    moved = (row[:, :, None] * change[:, None, :]).reshape(count, k * k)
    seen = row @ scores.T - moved @ parts.reshape(count, k * k).T
    np.fill_diagonal(seen, 0.0)
    rows = groups.size - np.bincount(groups)
    factor = (count - 1) / max(count - 2, 1) * (rows - 1) / (rows - k)
    return Without(estimate, estimate / np.sqrt((seen**2).sum(axis=1) * factor))


def cooks_distance(fitted: Fitted) -> Array | None:
    """Return Cook's distance of each row, or none where the model has no leverage."""
    solution = fitted.solution
    rest = solution.free
    if rest is None or solution.leverage is None or solution.residuals is None:
        return None
    p = solution.estimated
    return np.asarray(solution.residuals**2 * solution.leverage / (p * solution.dispersion * rest**2))


def studentised(fitted: Fitted) -> Array | None:
    """Return externally studentised residuals of a least-squares model."""
    solution = fitted.solution
    rest = solution.free
    if rest is None or solution.residuals is None or fitted.link != "identity":
        return None
    squares = solution.dispersion * solution.df
    without = (squares - solution.residuals**2 / rest) / (solution.df - 1)
    return np.asarray(solution.residuals / np.sqrt(without * rest))


def dfbetas(fitted: Fitted, column: int, external: Array) -> Array:
    """Return what each row moves a slope of a least-squares model, in its standard errors."""
    solution = fitted.solution
    assert solution.free is not None
    weights = 1.0 if fitted.matrix.weights is None else np.sqrt(fitted.matrix.weights)
    pull = fitted.matrix.x @ solution.bread[:, column] * weights
    return np.asarray(pull * external / np.sqrt(solution.bread[column, column] * solution.free))


def influence_frame(fitted: Fitted, model_id: str, without: dict[tuple[str, str], Without]) -> pl.DataFrame:
    """Return the table of single organisations of a model."""
    cooks = cooks_distance(fitted)
    largest = None if cooks is None else np.maximum.reduceat(cooks, starts_of(fitted.matrix.groups))
    frames = [
        pl.DataFrame(
            {
                "organisation": fitted.matrix.organisations,
                "estimate": found.estimate,
                "statistic": found.statistic,
                "cooks_distance": largest,
            }
        ).select(
            pl.lit(model_id).alias("model_id"),
            pl.lit(indicator).alias("indicator"),
            pl.lit(term).alias("term"),
            "organisation",
            "estimate",
            "statistic",
            pl.col("cooks_distance").cast(pl.Float64),
        )
        for (indicator, term), found in without.items()
    ]
    return pl.concat(frames)
