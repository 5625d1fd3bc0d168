"""Designs that look within organisations, alone or beside the differences between them."""

from __future__ import annotations

from culture_metrics.models.designs.design import NUMBERS, UNORDERED, Design, Estimator, Transform
from culture_metrics.models.designs.independent_figures import changes, deviations, intercepts

REFERENCE = "tests/reference/link_covariances.csv"
INSTEAD = "pooled or lagged; for a binary outcome within_between shows both slopes"

FIXED_EFFECTS = Design(
    name="fixed_effects",
    label="Within organisations (fixed effects)",
    transform=Transform.DEVIATIONS,
    beyond_linear=Transform.SPLIT,
    estimator=Estimator.ROWS,
    kinds=NUMBERS,
    independent=deviations,
    reference=REFERENCE,
    sentence="In years when an organisation's {indicator} was {step} above its own average, "
    "its {outcome}{later} was",
    instead=INSTEAD,
    compares=True,
    placebo=True,
    planning="within organisations over the years",
)
WITHIN_BETWEEN = Design(
    name="within_between",
    label="Within and between",
    transform=Transform.SPLIT,
    beyond_linear=Transform.SPLIT,
    estimator=Estimator.INTERCEPTS,
    kinds=UNORDERED,
    independent=intercepts,
    reference=REFERENCE,
    compares=True,
)
FIRST_DIFFERENCE = Design(
    name="first_difference",
    label="Changes from year to year",
    transform=Transform.CHANGES,
    beyond_linear=Transform.SPLIT,
    estimator=Estimator.ROWS,
    kinds=NUMBERS,
    independent=changes(1),
    reference=REFERENCE,
    sentence="Where {indicator} rose by {step} from one year to the next, the change in {outcome}{later} was",
    instead=INSTEAD,
    gap=1,
    planning="changes from year to year",
)
