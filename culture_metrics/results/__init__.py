"""Results and Distributions: the tables that everything makes and everything reads, as objects.

Beside `suppress` and `save_results`, which are at the top: `validate_results` checks figures that others
worked out for what cannot be right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.lazy_names import lazy_names

if TYPE_CHECKING:
    from culture_metrics.results.checks import validate_results as validate_results
    from culture_metrics.results.distributions import Distributions as Distributions
    from culture_metrics.results.results import Results as Results
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "Distributions": "distributions",
            "Results": "results",
            "validate_results": "checks",
        },
    )
