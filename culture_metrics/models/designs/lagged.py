"""Designs whose outcome comes after the indicator, given the outcome in the indicator's year."""

from __future__ import annotations

from culture_metrics.models.designs.design import ALL, LINEAR, Design, Estimator, Transform
from culture_metrics.models.designs.independent_figures import levels

REFERENCE = "tests/reference/link_covariances.csv"

LAGGED = Design(
    name="lagged",
    label="Outcome a year later, given the outcome now",
    transform=Transform.LEVELS,
    beyond_linear=Transform.LEVELS,
    estimator=Estimator.ROWS,
    kinds=ALL,
    independent=levels,
    reference=REFERENCE,
    lag=1,
    given_outcome=True,
    placebo=True,
)
CROSS_LAGGED = Design(
    name="cross_lagged",
    label="Cross-lagged",
    transform=Transform.LEVELS,
    beyond_linear=None,  # an outcome of another kind cannot be standardised
    estimator=Estimator.ROWS,
    kinds=LINEAR,
    independent=levels,
    reference=REFERENCE,
    instead="lagged",
    lag=1,
    given_outcome=True,
    both_ways=True,
)
