"""Synthetic staff-survey extracts with a known truth."""

from culture_metrics.synthetic.expectation import planted, truth
from culture_metrics.synthetic.organisation import CHANGED, CHANGED_BY, CHANGED_FROM, CHANGED_TO, UNCHANGED
from culture_metrics.synthetic.sample import respondents

__all__ = [
    "CHANGED",
    "CHANGED_BY",
    "CHANGED_FROM",
    "CHANGED_TO",
    "UNCHANGED",
    "planted",
    "respondents",
    "truth",
]
