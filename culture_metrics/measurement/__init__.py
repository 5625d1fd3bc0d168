"""What a measure is worth: how far people of one group agree, and how reliably groups are told apart.

Beside `agreement`, which is at the top: `agreement_of_percentages` works it out from published percentages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.lazy_names import lazy_names

if TYPE_CHECKING:
    from culture_metrics.measurement.percentages import agreement_of_percentages as agreement_of_percentages
else:
    __getattr__, __dir__, __all__ = lazy_names(
        __name__,
        {
            "agreement_of_percentages": "percentages",
        },
    )
