"""Synthetic staff-survey extracts with a known truth."""

from culture_metrics.synthetic.expectation import planted, truth
from culture_metrics.synthetic.organisation import CHANGED, CHANGED_BY, CHANGED_FROM, CHANGED_TO, UNCHANGED
from culture_metrics.synthetic.outcomes import outcome_panel, outcome_slopes
from culture_metrics.synthetic.sample import respondents

__all__ = [
    "CHANGED",
    "CHANGED_BY",
    "CHANGED_FROM",
    "CHANGED_TO",
    "UNCHANGED",
    "outcome_panel",
    "outcome_slopes",
    "planted",
    "respondents",
    "truth",
]
