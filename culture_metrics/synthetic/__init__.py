"""Synthetic staff-survey extracts with a known truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.lazy_names import lazy_names

if TYPE_CHECKING:
    from culture_metrics.synthetic.expectation import planted as planted
    from culture_metrics.synthetic.expectation import truth as truth
    from culture_metrics.synthetic.organisation import CHANGED as CHANGED
    from culture_metrics.synthetic.organisation import CHANGED_BY as CHANGED_BY
    from culture_metrics.synthetic.organisation import CHANGED_FROM as CHANGED_FROM
    from culture_metrics.synthetic.organisation import CHANGED_TO as CHANGED_TO
    from culture_metrics.synthetic.organisation import UNCHANGED as UNCHANGED
    from culture_metrics.synthetic.outcomes import outcome_panel as outcome_panel
    from culture_metrics.synthetic.outcomes import outcome_slopes as outcome_slopes
    from culture_metrics.synthetic.sample import respondents as respondents
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "CHANGED": "organisation",
            "CHANGED_BY": "organisation",
            "CHANGED_FROM": "organisation",
            "CHANGED_TO": "organisation",
            "UNCHANGED": "organisation",
            "outcome_panel": "outcomes",
            "outcome_slopes": "outcomes",
            "planted": "expectation",
            "respondents": "sample",
            "truth": "expectation",
        },
    )
