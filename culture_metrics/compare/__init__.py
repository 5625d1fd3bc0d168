"""Compare organisations, years and groups: everything here reads Results only.

Beside `benchmark`, `oversight`, `find_peers`, `equality_gaps`, `compare_years`, `trend` and
`decompose_change`, which are at the top:

- `bright_spots`: organisations, regions and systems that are better than their profile predicts.
- `recovery`: what the lowest organisations recovered beyond regression to the mean.
- `run_chart`: the quarterly pulse over time.
- `intersections`: several breakdowns together, by a multilevel model of strata (MAIHDA).
- `change_contributions`: the questions that make the change of a score.
- `nonresponse_sensitivity`: how different those who did not answer would have to be.
- `early_and_late`: those who answered late beside those who answered early, as a rough look at the same.
- `Assumptions`: what a comparison assumes of published figures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.lazy_names import lazy_names

if TYPE_CHECKING:
    from culture_metrics.compare.assumptions import Assumptions as Assumptions
    from culture_metrics.compare.beyond_profile import bright_spots as bright_spots
    from culture_metrics.compare.contributions import change_contributions as change_contributions
    from culture_metrics.compare.early_late import early_and_late as early_and_late
    from culture_metrics.compare.maihda import intersections as intersections
    from culture_metrics.compare.nonresponse import nonresponse_sensitivity as nonresponse_sensitivity
    from culture_metrics.compare.pulse import run_chart as run_chart
    from culture_metrics.compare.regression_to_mean import recovery as recovery
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "Assumptions": "assumptions",
            "bright_spots": "beyond_profile",
            "change_contributions": "contributions",
            "early_and_late": "early_late",
            "intersections": "maihda",
            "nonresponse_sensitivity": "nonresponse",
            "recovery": "regression_to_mean",
            "run_chart": "pulse",
        },
    )
