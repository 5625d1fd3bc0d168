"""The checks of links that raised a flag, for readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.wording.numbers import figures, p_values
from culture_metrics.wording.table import Table

if TYPE_CHECKING:
    from culture_metrics.links.result import LinkResult

#: What a raised check means, in words; others are shown by their name.
CHECKS = {
    "mundlak": "Slopes within and between organisations differ",
    "hausman": "Fixed effects and random intercepts differ",
    "placebo": "Next year's indicator goes with this year's outcome",
    "nonlinearity": "A straight line does not fit",
    "leave_one_out_lowest": "Slope without one organisation, the lowest",
    "leave_one_out_highest": "Slope without one organisation, the highest",
    "vif": "Goes together with other columns of the model",
    "boundary": "Organisations do not differ beyond their years",
    "dispersion": "Spread beyond that of the model",
}


def raised_checks(link: LinkResult) -> Table:
    """List the checks of all models that raised a flag."""
    named = link.table.select("model_id", "outcome_label", "design_label").unique("model_id")
    raised = link.diagnostics.filter(pl.col("flag")).join(named, on="model_id", maintain_order="left")
    frame = raised.select(
        pl.format("{}: {}", "outcome_label", "design_label").alias("Link"),
        pl.col("test").replace(CHECKS).str.replace_all("_", " ").alias("Check"),
        pl.col("subject").fill_null("").str.replace_all("_", " ").alias("Of"),
        figures("value").fill_null("").alias("Value"),
        p_values("p_value").str.strip_prefix("p ").fill_null("").alias("p"),
    )
    caption = f"{raised.height} of {link.diagnostics.height} checks raised a flag"
    return Table(frame, caption, numbers=("Value", "p"))
