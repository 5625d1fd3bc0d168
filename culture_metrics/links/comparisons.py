"""Checks that set a model beside another: within and between, later years, the way back, other weights."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import chdtrc

from culture_metrics.errors import LinkError
from culture_metrics.links.checks import Check, raised
from culture_metrics.links.sensitivity import REVERSE, YEARS_FOR_MORE
from culture_metrics.models.designs.design import Transform
from culture_metrics.models.designs.within import WITHIN_BETWEEN
from culture_metrics.models.effects import p_of
from culture_metrics.models.fit import fit
from culture_metrics.models.fitted import Fitted
from culture_metrics.models.linear import solve_linear
from culture_metrics.models.mixed import solve_random_intercept
from culture_metrics.models.solution import ALIASED, own_share, starts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.links.sensitivity import Model
    from culture_metrics.models.panel_arrays import PanelArrays

ALPHA, APART, RELIABLE = 0.05, 0.25, 0.70
#: Highest value of a score: what stays under it is no percentage.
SCORE = 10


def within_and_between(arrays: PanelArrays, models: Sequence[Model]) -> list[Check]:
    """Test whether the links within and between organisations are one: Mundlak's Wald test and Hausman's."""
    main = models[0].fitted
    design, rules = main.plan.design, main.plan.values.outcome.rules
    if not design.compares or not main.matrix.repeated or rules not in WITHIN_BETWEEN.kinds:
        return []
    split = next((model.fitted for model in models if model.fitted.plan.split), None)
    try:
        split = split or fit(arrays, replace(main.plan, design=WITHIN_BETWEEN, weights=None))
    except LinkError:
        return []
    if split.failed:
        return []
    found = []
    for indicator in main.plan.indicators:
        within, between = (split.matrix.terms[indicator, term] for term in ("within", "between"))
        gap = float(split.solution.params[within] - split.solution.params[between])
        v = split.covariance
        statistic = gap / float(np.sqrt(v[within, within] + v[between, between] - 2 * v[within, between]))
        p = p_of(statistic, min(split.degrees(within), split.degrees(between)))
        found.append(
            Check(
                "mundlak",
                indicator,
                statistic,
                p,
                gap,
                ALPHA,
                raised("within_ne_between", p < ALPHA),
                of=(indicator,),
            )
        )
    if main.plan.linear and design.transform is Transform.LEVELS and len(main.plan.indicators) == 1:
        found += _hausman(main)
    return found


def _hausman(main: Fitted) -> list[Check]:
    """Set the slope with fixed effects beside that with a random intercept, both with classical errors."""
    (indicator,) = main.plan.indicators
    matrix = main.matrix
    at = matrix.terms[indicator, "overall"]
    means = np.add.reduceat(np.column_stack([matrix.x, matrix.y]), starts_of(matrix.groups), axis=0)
    inside = (
        np.column_stack([matrix.x, matrix.y]) - (means / np.bincount(matrix.groups)[:, None])[matrix.groups]
    )
    varies = np.ptp(inside[:, :-1], axis=0) > 1e-9 * np.abs(matrix.x).max(axis=0)
    # Within organisations a control may run with the years, such as a trust's age: it says nothing there.
    varies[varies] = own_share(inside[:, :-1][:, varies]) > ALIASED
    blend = solve_random_intercept(matrix.y, matrix.x, matrix.groups)
    spare = matrix.y.size - matrix.clusters - int(varies.sum())
    if blend.boundary or not varies[at] or spare < 1:
        return []
    fixed = solve_linear(inside[:, -1], inside[:, :-1][:, varies], constant=False, absorbed=matrix.groups)
    place = int(varies[:at].sum())
    spread = float(fixed.bread[place, place] * fixed.dispersion - blend.solution.bread[at, at] * blend.within)
    if spread <= 0:
        return [Check("hausman", indicator, note="the difference of the variances is not positive")]
    statistic = float(fixed.params[place] - blend.solution.params[at]) ** 2 / spread
    return [
        Check(
            "hausman",
            indicator,
            statistic,
            float(chdtrc(1, statistic)),
            note="fixed effects against random intercept (REML)",
        )
    ]


def placebo(arrays: PanelArrays, main: Fitted, cov: str) -> list[Check]:
    """Put the indicator of the year after the outcome in place of the indicator."""
    plan = main.plan
    if not plan.design.placebo or np.unique(main.matrix.years).size < YEARS_FOR_MORE:
        return []
    try:
        late = fit(arrays, replace(plan, lead=plan.lag + 1), cov)
    except LinkError:
        return []
    if late.failed:
        return []
    found = []
    for (indicator, term), column in late.matrix.terms.items():
        if term == "between":
            continue
        b = float(late.solution.params[column])
        statistic = b / late.std_error(column)
        p = p_of(statistic, late.degrees(column))
        found.append(
            Check("placebo", indicator, statistic, p, b, ALPHA, raised("placebo", p < ALPHA),
                  f"{late.matrix.y.size} rows; per step of {late.matrix.steps[indicator]:.3g}", (indicator,))
        )  # fmt: skip
    return found


def way_back(models: Sequence[Model]) -> list[Check]:
    """Set the path from outcome to indicator beside the path from indicator to outcome."""
    reverse = next((model.fitted for model in models if model.term == REVERSE), None)
    if reverse is None:
        return []
    main = models[0].fitted
    (indicator,) = main.plan.indicators
    forward_b, back_b = (
        float(fitted.solution.params[next(iter(fitted.matrix.terms.values()))]) for fitted in (main, reverse)
    )
    back_se = reverse.std_error(next(iter(reverse.matrix.terms.values())))
    statistic = back_b / back_se
    path = Check(
        "reverse_path",
        indicator,
        statistic,
        p_of(statistic, reverse.df),
        back_b,
        forward_b,
        raised("reverse", abs(back_b) >= abs(forward_b)),
        "threshold: the path from indicator to outcome",
    )
    return [path, *_lag_correlations(main, reverse)]


def _lag_correlations(main: Fitted, reverse: Fitted) -> list[Check]:
    """Correlations of two variables in two years: across, within each over time, and in the same year."""
    z, y_next = main.matrix.x[:, next(iter(main.matrix.terms.values()))], main.matrix.y
    y, z_next = reverse.matrix.x[:, next(iter(reverse.matrix.terms.values()))], reverse.matrix.y
    r = np.corrcoef(np.c_[z, y, z_next, y_next].T)
    pairs = {
        "indicator with the outcome after": (0, 3), "outcome with the indicator after": (1, 2),
        "indicator with itself after": (0, 2), "outcome with itself after": (1, 3),
        "indicator with outcome, first year": (0, 1), "indicator with outcome, second year": (2, 3),
    }  # fmt: skip
    return [Check("lag_correlation", name, value=float(r[pair])) for name, pair in pairs.items()]


def weights_beside_none(models: Sequence[Model]) -> list[Check]:
    """Set the weighted slope beside the unweighted one."""
    main = models[0].fitted
    other = next((model.fitted for model in models if model.name.endswith("; unweighted")), None)
    if other is None or main.failed or other.failed:
        return []
    found = []
    for (indicator, term), column in main.matrix.terms.items():
        place = other.matrix.terms[indicator, term]
        weighted = float(main.solution.params[column]) / main.matrix.steps[indicator]
        plain = float(other.solution.params[place]) / other.matrix.steps[indicator]
        apart = weighted * plain < 0 or abs(weighted - plain) > APART * abs(weighted)
        both = ((main, column), (other, place))
        tested = [float(one.solution.params[at]) / one.std_error(at) for one, at in both]
        p = [p_of(t, one.degrees(at)) for t, (one, at) in zip(tested, both, strict=True)]
        # Slopes that are both not told from 0 may differ without any result being another.
        found.append(
            Check("unweighted", indicator, tested[1], p[1], plain, weighted,
                  raised("weights_matter", apart and min(p) < ALPHA),
                  "per unit; threshold: the weighted slope", (indicator, term))
        )  # fmt: skip
    return found


def reliability(arrays: PanelArrays, main: Fitted) -> list[Check]:
    """Tell how reliably published percentages tell organisations apart, where their bases are known.

    Within each year: variance between organisations less the mean sampling variance p(1-p)/n, over itself
    plus that mean. Approximate, as occupation weighting makes the true sampling variance larger.
    """
    found = []
    for indicator in main.plan.indicators:
        base = arrays.numbers.get(f"{indicator}_base")
        if base is None:
            continue
        rows = main.matrix.rows
        p, n, years = arrays.column(indicator)[rows], base[rows], arrays.year[rows]
        if p.min() < 0 or 1 < p.max() <= SCORE or p.max() > 100:
            continue
        p = p / 100 if p.max() > 1 else p
        known = np.isfinite(n) & (n > 0)
        if not known.any():
            continue
        _, codes = np.unique(years[known], return_inverse=True)
        apart = p[known] - (np.bincount(codes, weights=p[known]) / np.bincount(codes))[codes]
        total = float(apart @ apart) / max(int(known.sum()) - int(codes.max()) - 1, 1)
        noise = float((p[known] * (1 - p[known]) / n[known]).mean())
        true = max(0.0, total - noise)
        icc2 = true / (true + noise) if true + noise > 0 else 0.0
        found.append(
            Check(
                "reliability_icc2",
                indicator,
                value=icc2,
                threshold=RELIABLE,
                raises=raised("unreliable", icc2 < RELIABLE),
                of=(indicator,),
                note="approximate, from published percentages and bases",
            )
        )
    return found
