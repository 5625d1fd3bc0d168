"""All checks of a main model and of what stands beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.links.checks import Check, Flag, raised
from culture_metrics.links.comparisons import (
    placebo,
    reliability,
    way_back,
    weights_beside_none,
    within_and_between,
)
from culture_metrics.links.model_checks import (
    column_checks,
    proportional_odds,
    sample_checks,
    shape_checks,
    variance_checks,
)  # fmt: skip
from culture_metrics.models.effects import p_of
from culture_metrics.models.influence import (
    Without,
    cooks_distance,
    dfbetas,
    influence_frame,
    leave_one_out,
    studentised,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.links.sensitivity import Model
    from culture_metrics.models.fitted import Fitted
    from culture_metrics.models.panel_arrays import PanelArrays
    from culture_metrics.models.solution import Array

#: Organisations named as the most influential.
NAMED = 5
#: Beyond this many organisations single ones cannot matter much.
MANY_ORGANISATIONS = 400
CHANGE, ALPHA = 0.25, 0.05


def diagnose(
    arrays: PanelArrays, models: Sequence[Model], missing: Sequence[str], cov: str, min_orgs: int
) -> tuple[list[dict[str, Any]], list[pl.DataFrame], list[Flag]]:
    """Check a main model.

    Returns
    -------
    rows : list of dict
        Rows of the diagnostics.
    influence : list of polars.DataFrame
        What single organisations do to it.
    flags : list of Flag
        Flags that the checks raise.
    """
    main = models[0]
    fitted = main.fitted
    found = sample_checks(fitted, min_orgs) + column_checks(fitted)
    found += [Check("sensitivity_missing", note=why) for why in missing]
    frames: list[pl.DataFrame] = []
    if not fitted.failed:
        found += shape_checks(fitted, arrays) + variance_checks(fitted) + proportional_odds(fitted)
        found += within_and_between(arrays, models) + placebo(arrays, fitted, cov)
        found += way_back(models) + weights_beside_none(models) + reliability(arrays, fitted)
        found += row_checks(fitted)
        if fitted.matrix.clusters <= MANY_ORGANISATIONS:
            try:
                without = {key: leave_one_out(fitted, column) for key, column in fitted.matrix.terms.items()}
            except np.linalg.LinAlgError:
                found.append(Check("leave_one_out", note="the model needs every organisation: not done"))
            else:
                found += organisation_checks(fitted, without)
                frames.append(influence_frame(fitted, main.name, without))
    for model in models[1:]:
        if not np.isnan(model.fitted.alpha):
            found.append(Check("negative_binomial_alpha", value=model.fitted.alpha))
    flags = [Flag(check.raises, check.of) for check in found if check.raises]
    return [check.row(main.name) for check in found], frames, flags


def row_checks(fitted: Fitted) -> list[Check]:
    """Name the rows that pull most: Cook's distance, leverage, studentised residuals, DFBETAS."""
    cooks, leverage = cooks_distance(fitted), fitted.solution.leverage
    if cooks is None or leverage is None or fitted.plan.design.intercepts:
        return []
    n, p = cooks.size, fitted.solution.estimated
    found = _largest(fitted, "cooks_distance", cooks, 4 / n) + _largest(
        fitted, "leverage", leverage, 2 * p / n, 1
    )
    found.append(Check("cooks_distance_above", value=float((cooks > 4 / n).sum())))
    found.append(Check("leverage_above", value=float((leverage > 2 * p / n).sum())))
    external = studentised(fitted)
    if external is not None:
        found += _largest(fitted, "studentised_residual", external, 3.0, 1)
        for column in fitted.matrix.terms.values():
            found += _largest(fitted, "dfbetas", dfbetas(fitted, column, external), 2 / float(np.sqrt(n)), 1)
    return found


def _largest(fitted: Fitted, test: str, values: Array, threshold: float, count: int = NAMED) -> list[Check]:
    """Name the rows with the largest absolute values, each organisation once."""
    matrix, found, seen = fitted.matrix, [], set()
    for row in np.argsort(-np.abs(values)):
        name = matrix.organisations[matrix.groups[row]]
        if name not in seen:
            seen.add(name)
            found.append(
                Check(
                    test,
                    name,
                    value=float(values[row]),
                    threshold=threshold,
                    note=f"year {matrix.years[row]}",
                )
            )
        if len(found) == count:
            break
    return found


def organisation_checks(fitted: Fitted, without: dict[tuple[str, str], Without]) -> list[Check]:
    """Tell how far a slope moves when one organisation is left out."""
    found = []
    how = "exact" if fitted.link == "identity" else "one Newton step from the full model"
    if fitted.link == "identity" and "least squares" not in fitted.model:
        how = "with the variances of the full model"
    for (indicator, term), (estimate, statistic) in without.items():
        column = fitted.matrix.terms[indicator, term]
        full = float(fitted.solution.params[column])
        df = fitted.degrees(column)
        p = p_of(full / fitted.std_error(column), df)
        low, high = int(estimate.argmin()), int(estimate.argmax())
        strongest = np.array([np.abs(statistic).max(), np.abs(statistic).min()])
        crosses = any((p_of(float(t), df) < ALPHA) != (p < ALPHA) for t in strongest)
        moved = max(abs(float(estimate[low]) - full), abs(float(estimate[high]) - full)) > CHANGE * abs(full)
        turned = float(estimate[low]) < 0 < float(estimate[high])
        found_so = {"sign changes": turned, "p crosses 0.05": crosses, "more than 25% change": moved}
        why = [said for said, so in found_so.items() if so]
        # A slope that is not told from 0 may change its sign or size without any result being another.
        hangs = crosses or (p < ALPHA and (turned or moved))
        subject = indicator if term == "overall" else f"{indicator} ({term})"
        for end, row in (("lowest", low), ("highest", high)):
            found.append(
                Check(f"leave_one_out_{end}", fitted.matrix.organisations[row], float(statistic[row]),
                      p_of(float(statistic[row]), df), float(estimate[row]), full,
                      raised("influential", hangs), f"{subject}; {', '.join([how, *why])}",
                      (indicator, term))
            )  # fmt: skip
    return found
