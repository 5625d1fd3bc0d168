"""Checks of one fitted model: its sample, its columns, its shape, the variance it assumes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc, fdtrc

from culture_metrics.links.checks import Check, raised
from culture_metrics.models.covariance import covariance
from culture_metrics.models.fit import OVERDISPERSED
from culture_metrics.models.fitted import Fitted
from culture_metrics.models.glm import BINOMIAL, solve_glm
from culture_metrics.models.linear import solve_linear
from culture_metrics.models.solution import group_means, own_share, starts_of
from culture_metrics.outcomes.kinds import ORDINAL

if TYPE_CHECKING:
    from culture_metrics.models.panel_arrays import PanelArrays
    from culture_metrics.models.solution import Array

#: Share of a spline's column that must be its own.
OWN_SHARE = 3e-5
EVENTS, VIF_NOTE, VIF_FLAG, CURVED, ROWS_FOR_CURVE = 10.0, 5.0, 10.0, 0.01, 60
LEAST_SQUARES = ("least squares", "least squares within organisations")


def sample_checks(fitted: Fitted, min_orgs: int) -> list[Check]:
    """Check how many organisations, rows and events carry the model."""
    matrix = fitted.matrix
    rows = np.bincount(matrix.groups)
    found = [
        Check(
            "n_orgs",
            value=matrix.clusters,
            threshold=min_orgs,
            raises=raised("few_orgs", matrix.clusters < min_orgs),
        ),
        Check("min_rows_per_org", value=float(rows.min())),
        Check("max_rows_per_org", value=float(rows.max())),
        Check("singletons", value=float((rows == 1).sum())),
        Check("converged", value=float(fitted.solution.converged), note=", ".join(fitted.flags)),
    ]
    events = _events(fitted)
    if events is not None:
        each = events / fitted.solution.params.size
        found.append(
            Check(
                "events_per_parameter",
                value=each,
                threshold=EVENTS,
                raises=raised("sparse_events", each < EVENTS),
            )
        )
    return found


def _events(fitted: Fitted) -> float | None:
    rules, y = fitted.plan.values.outcome.rules, fitted.matrix.y
    if rules.graded:
        # Of levels, the rows outside the most frequent one.
        return float(y.size - np.bincount(y.astype(int)).max())
    return float(y.sum()) if rules.counted else None


def column_checks(fitted: Fitted) -> list[Check]:
    """Check how far the columns of the model can be told apart."""
    matrix = fitted.matrix
    shift = int(fitted.family == ORDINAL)
    x = np.c_[np.ones(matrix.y.size), matrix.x] if shift else matrix.x
    length = np.sqrt((x**2).sum(axis=0))
    products = (x / length).T @ (x / length)
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(products), 0.0))
    centred = x - x.mean(axis=0) if matrix.constant or shift else x
    inflation = np.diag(np.linalg.inv(products)) * (centred**2).sum(axis=0) / length**2
    found = [
        Check("rank", value=float(x.shape[1]), note="full: no column can be worked out from the others"),
        Check(
            "condition_number",
            value=float(values[-1] / values[0]) if values[0] > 0 else None,
            note="of columns of length 1",
        ),
    ]
    for (indicator, term), column in matrix.terms.items():
        vif = float(inflation[column + shift])
        note = "shares much with the other columns" if vif > VIF_NOTE else ""
        found.append(
            Check(
                "vif",
                _subject(indicator, term),
                value=vif,
                threshold=VIF_FLAG,
                raises=raised("collinear", vif > VIF_FLAG),
                note=note,
                of=(indicator, term),
            )
        )
    return found


def shape_checks(fitted: Fitted, arrays: PanelArrays) -> list[Check]:
    """Check equal variances (for information), straightness, and how strong a confounder would have to be."""
    if fitted.model.removeprefix("weighted ") not in LEAST_SQUARES:
        return []
    matrix, solution = fitted.matrix, fitted.solution
    found = []
    if matrix.constant and matrix.weights is None and solution.residuals is not None:
        squares = solve_linear(solution.residuals**2, matrix.x)
        score, count = matrix.y.size * squares.explained, matrix.x.shape[1] - 1
        p = float(chdtrc(count, score))
        found.append(
            Check("breusch_pagan", statistic=score, p_value=p, note="for information: errors are robust")
        )
    for (indicator, term), column in matrix.terms.items():
        subject = _subject(indicator, term)
        classical = float(solution.params[column]) / float(
            np.sqrt(solution.bread[column, column] * solution.dispersion)
        )
        strength = abs(classical) / np.sqrt(solution.df)
        needed = 0.5 * (np.sqrt(strength**4 + 4 * strength**2) - strength**2)
        found.append(
            Check("robustness_value", subject, statistic=classical, value=float(needed),
                  note="partial R squared that a confounder needs with both sides to bring the slope to 0")
        )  # fmt: skip
        if matrix.y.size >= ROWS_FOR_CURVE and not fitted.plan.design.both_ways:
            found += _straight(fitted, arrays, indicator, subject)
    return found


def _straight(fitted: Fitted, arrays: PanelArrays, indicator: str, subject: str) -> list[Check]:
    """Test a natural spline with three degrees of freedom against the straight line."""
    matrix = fitted.matrix
    extra = natural_spline(arrays.column(indicator)[matrix.rows])
    if extra is None:
        return []
    if matrix.absorbed:
        means = [group_means(column, matrix.groups, matrix.weights) for column in extra.T]
        extra = extra - np.column_stack(means)[matrix.groups]
    x = np.column_stack([matrix.x, extra])
    if own_share(x)[-2:].min() < OWN_SHARE:
        return []
    curved = solve_linear(
        matrix.y, x, matrix.weights, constant=matrix.constant, absorbed=matrix.absorbed_groups
    )
    cov, df = covariance(curved, fitted.cov, matrix.groups)
    b, v = curved.params[-2:], cov[-2:, -2:]
    statistic = float(b @ np.linalg.solve(v, b)) / 2
    p = float(fdtrc(2, df, statistic))
    return [
        Check(
            "nonlinearity",
            subject,
            statistic,
            p,
            threshold=CURVED,
            raises=raised("nonlinear", p < CURVED),
            of=(indicator,),
        )
    ]


def natural_spline(values: Array) -> Array | None:
    """Return the two columns that a natural cubic spline with three degrees of freedom adds to a line.

    Knots stand at the ends and at the thirds; nothing is returned where these coincide.
    """
    knots = np.quantile(values, [0, 1 / 3, 2 / 3, 1])
    if np.unique(knots).size < 4:
        return None
    scaled = (values - knots[0]) / (knots[3] - knots[0])
    at = (knots - knots[0]) / (knots[3] - knots[0])

    def cubic(knot: float) -> Array:
        return np.asarray(
            (np.maximum(scaled - knot, 0) ** 3 - np.maximum(scaled - at[3], 0) ** 3) / (at[3] - knot)
        )

    return np.column_stack([cubic(at[0]) - cubic(at[2]), cubic(at[1]) - cubic(at[2])])


def variance_checks(fitted: Fitted) -> list[Check]:
    """Check dispersion and zeros of counts and fractions, and the variances of a random intercept."""
    rules, solution = fitted.plan.values.outcome.rules, fitted.solution
    found = []
    if rules.own_variance:
        over = solution.dispersion > OVERDISPERSED
        found.append(
            Check(
                "dispersion",
                value=solution.dispersion,
                threshold=OVERDISPERSED,
                raises=raised("overdispersed", over),
            )
        )
    if rules.counted:
        found.append(
            Check(
                "zero_share",
                value=float((fitted.matrix.y == 0).mean()),
                threshold=float(np.exp(-solution.fitted).mean()),
                note="threshold: the share that a Poisson model expects",
            )
        )
    if "boundary" in fitted.flags:
        found.append(Check("variance_between", value=0.0, raises="boundary"))
    elif not np.isnan(fitted.between):
        share = fitted.between / (fitted.between + fitted.within)
        found += [
            Check("variance_between", value=fitted.between),
            Check("icc_outcome", value=share),
        ]
    if not np.isnan(fitted.correlation):
        found.append(Check("working_correlation", value=fitted.correlation))
    return found


def proportional_odds(fitted: Fitted) -> list[Check]:
    """Test whether an ordered logit's slope is the same at every threshold.

    The Wald test of Brant (1990) on the slopes of the separate logits, with their joint covariance taken from
    the scores, clustered where organisations have more than one row.
    """
    if fitted.family != ORDINAL:
        return []
    matrix = fitted.matrix
    x = np.c_[np.ones(matrix.y.size), matrix.x]
    parts = [
        solve_glm((matrix.y >= level).astype(float), x, BINOMIAL, matrix.weights)
        for level in range(1, len(fitted.levels))
    ]
    found = []
    for (indicator, term), column in matrix.terms.items():
        subject = _subject(indicator, term)
        if not all(part.converged for part in parts):
            found.append(Check("proportional_odds", subject, note="a separate logit did not converge"))
            continue
        slopes = np.array([part.params[column + 1] for part in parts])
        seen = np.column_stack([part.scores @ part.bread[:, column + 1] for part in parts])
        if matrix.repeated:
            seen = np.add.reduceat(seen, starts_of(matrix.groups), axis=0)
        contrast = np.eye(slopes.size)[1:] - np.eye(slopes.size)[:1]
        apart = contrast @ slopes
        statistic = float(apart @ np.linalg.solve(contrast @ (seen.T @ seen) @ contrast.T, apart))
        p = float(chdtrc(slopes.size - 1, statistic))
        found.append(
            Check(
                "proportional_odds",
                subject,
                statistic,
                p,
                threshold=CURVED,
                raises=raised("prop_odds", p < CURVED),
                of=(indicator,),
            )
        )
    return found


def _subject(indicator: str, term: str) -> str:
    return indicator if term == "overall" else f"{indicator} ({term})"
