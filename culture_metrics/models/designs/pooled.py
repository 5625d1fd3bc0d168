"""Designs on levels in the same year: one year, all years together, and with a random intercept."""

from __future__ import annotations

from culture_metrics.models.designs.design import ALL, UNORDERED, Design, Estimator, Transform
from culture_metrics.models.designs.independent_figures import intercepts, levels

REFERENCE = "tests/reference/link_covariances.csv"

CROSS_SECTION = Design(
    name="cross_section",
    label="One year",
    transform=Transform.LEVELS,
    beyond_linear=Transform.LEVELS,
    estimator=Estimator.ROWS,
    kinds=ALL,
    independent=levels,
    reference=REFERENCE,
    years=False,
    planning="one year",
)
POOLED = Design(
    name="pooled",
    label="All years together",
    transform=Transform.LEVELS,
    beyond_linear=Transform.LEVELS,
    estimator=Estimator.ROWS,
    kinds=ALL,
    independent=levels,
    reference=REFERENCE,
    beside=("within_between", "lagged"),
    compares=True,
    placebo=True,
    planning="all years together, standard errors clustered",
)
MIXED = Design(
    name="mixed",
    label="Random intercepts",
    transform=Transform.LEVELS,
    beyond_linear=Transform.LEVELS,
    estimator=Estimator.INTERCEPTS,
    kinds=UNORDERED,
    independent=intercepts,
    reference=REFERENCE,
    compares=True,
    planning="all years together, random intercepts",
)
