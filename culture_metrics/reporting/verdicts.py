"""The chapter for analysts: how often verdicts are wrong in an organisation like this, and right."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from culture_metrics.reporting.page import Section

if TYPE_CHECKING:
    from culture_metrics.compare.calibration import Calibration

ID, TITLE = "what-verdicts-are-worth", "What the verdicts are worth here"
HOW_TO_READ = (
    "A family is all that is compared of one breakdown in one pair of years; likely or more counts each "
    "comparison by itself. A planted change is of the size that is printed as found in 4 of 5 cases. From "
    "and to are what the number of pairs leaves open (95%); kept says whether they reach into where the "
    "share should be."
)


def verdicts(found: Calibration) -> Section:
    """Lay out a calibration as a part of the page: what came of it, its table, how the years were made."""
    said = "".join(f"<p>{html.escape(text)}</p>" for text in (found.summary(), *found.notes, HOW_TO_READ))
    table = found.shares()
    region = f'<div class="table" role="region" aria-label="{html.escape(table.caption)}" tabindex="0">'
    return Section(
        id=ID,
        title=TITLE,
        html=f'<div class="words"><h2 id="{ID}-title">{TITLE}</h2>{said}</div>'
        f"{region}{table._repr_html_()}</div>",
        headings=(),
    )
