"""The picture of one measure by group: the whole, then every group that is shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import unknown
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    import plotly.graph_objects as go


def groups_figure(
    table: pl.DataFrame,
    measure: str | None,
    organisation: str | None,
    *,
    among: str,
    words: Callable[[str, str], tuple[str, str]],
) -> go.Figure:
    """Draw one measure of one organisation with its intervals; how many groups are held back is said.

    Parameters
    ----------
    table : polars.DataFrame
        `organisation, breakdown, group, measure, estimate, conf_low, conf_high, base, status`.
    measure, organisation : str or None
        The first where none is named.
    among : str
        What an error calls the table.
    words : callable
        From the measure and the organisation, the words of the axis and the title.
    """
    from culture_metrics import views

    rows = table
    for column, wanted in (("measure", measure), ("organisation", organisation)):
        if wanted is not None and wanted not in rows[column]:
            raise unknown(f"{column} in these {among}", wanted, rows[column].unique().sort())
        rows = rows.filter(pl.col(column) == (rows[column][0] if wanted is None else wanted))
    drawn = rows.filter(status="reported").sort(
        pl.col("breakdown") != ALL, "breakdown", "group", maintain_order=True
    )
    label = pl.when(pl.col("group") == ALL).then(pl.lit("All")).otherwise("group").alias("label")
    hidden = rows.height - drawn.height
    axis, title = words(str(rows["measure"][0]), str(rows["organisation"][0]))
    return views.estimates(
        drawn.select(label, "estimate", "conf_low", "conf_high", detail=pl.format("base {}", "base")),
        axis=axis,
        title=title,
        subtitle=f"{counted(hidden, 'group')} held back" if hidden else "",
    )
