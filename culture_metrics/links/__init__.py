"""Links between staff experience and outcomes.

Beside `link_outcomes` and `specification_curve`, which are at the top:

- `mediate`, `moderate`: through which other indicator, and for whom, an indicator goes with an outcome.
- `relative_weights`: what each of several indicators adds.
- `lavaan_model`: a random-intercept cross-lagged panel model for R.
- `detectable_link`, `false_alarms`: how small a link a panel could find, and how often one that is not there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.lazy_names import lazy_names

if TYPE_CHECKING:
    from culture_metrics.links.lavaan import lavaan_model as lavaan_model
    from culture_metrics.links.mediation import mediate as mediate
    from culture_metrics.links.moderation import moderate as moderate
    from culture_metrics.links.power import detectable_link as detectable_link
    from culture_metrics.links.relative_importance import relative_weights as relative_weights
    from culture_metrics.links.type_i_error import false_alarms as false_alarms
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "detectable_link": "power",
            "false_alarms": "type_i_error",
            "lavaan_model": "lavaan",
            "mediate": "mediation",
            "moderate": "moderation",
            "relative_weights": "relative_importance",
        },
    )
