"""One figure of each organisation against another, with fitted lines."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safely
from culture_metrics.views.lines import band_and_line, both_ends, by_line, frame, names
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import sentences, several

WHERE = "views.scatter"
NUMBERS = ["estimate", "conf_low", "conf_high"]


def scatter(
    points: pl.DataFrame,
    lines: pl.DataFrame,
    *,
    x_title: str,
    y_title: str,
    title: str,
    subtitle: str = "",
    source: str = "",
    notes: str = "",
) -> go.Figure:
    """Draw a dot for each organisation and fitted lines with their intervals over them.

    Parameters
    ----------
    points : polars.DataFrame
        `organisation`, `x`, `y`; optional `name`, and `years` (how many stand behind the dot).
    lines : polars.DataFrame
        `line` (name), `x`, `estimate`, `conf_low`, `conf_high`; at most four lines.
    x_title, y_title : str
        What the axes show, with units.
    title, subtitle, source, notes : str
        What is seen, of whom, and where the numbers come from.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says how many dots there are and where the lines begin and end.

    Raises
    ------
    ResultsError
        When a table lacks a column or has no rows.

    Examples
    --------
    >>> points = pl.DataFrame({"organisation": ["RAA", "RBB"], "x": [6.8, 7.1], "y": [1.02, 0.98]})
    >>> lines = pl.DataFrame({"line": ["all", "all"], "x": [6.8, 7.1], "estimate": [1.02, 0.98],
    ...     "conf_low": [1.0, 0.96], "conf_high": [1.04, 1.0]})
    >>> scatter(points, lines, x_title="Engagement", y_title="SHMI", title="Two").layout.meta["alt"]
    'Two. Scatter of 2 organisations. All: from 1.02 to 0.98.'
    """
    points = tidy(points, ["organisation", "x", "y"], key=["organisation"], numbers=["x", "y"], where=WHERE)
    points = points.drop_nulls(["x", "y"])
    lines = tidy(lines, ["line", "x", *NUMBERS], key=["line", "x"], numbers=NUMBERS, where=WHERE)
    parts = by_line(lines)
    fig = style.figure()
    name = safely("name") if "name" in points.columns else safely("organisation")
    years = pl.format("<br>{} years", "years") if "years" in points.columns else pl.lit("")
    fig.add_scatter(
        x=points["x"].to_list(), y=points["y"].to_list(), mode="markers", name="organisations",
        marker={"size": 7, "color": style.MARK, "opacity": 0.75},
        hovertext=points.select(pl.format("<b>{}</b>{}", name, years)).to_series().to_list(),
        hovertemplate="%{hovertext}<br>%{x:.4g}, %{y:.4g}<extra></extra>",
    )  # fmt: skip
    for place, (line, rows) in enumerate(parts):
        band_and_line(fig, line, rows, place)
    low, high = _ends([*points["y"], *lines["estimate"], *lines["conf_low"], *lines["conf_high"]])
    left, right = _ends([*points["x"], *lines["x"]])
    names(fig, parts, low, high, right)
    return style.finish(
        fig,
        frame(fig, parts, (left, right), (low, high), x_title, y_title),
        title=title,
        subtitle=subtitle,
        source=source,
        notes=sentences(["Dots: organisations. Bands: 95% interval of the line", notes]),
        alt=f"Scatter of {several(points.height, 'organisation')}. {both_ends(parts)}",
        numbers=listed(
            points,
            {
                "Organisation": "name" if "name" in points.columns else "organisation",
                x_title: "x",
                y_title: "y",
            },
            None,
        ),
    )


def _ends(values: list[float | None]) -> tuple[float, float]:
    known = [v for v in values if v is not None]
    air = 0.04 * (max(known) - min(known))
    return min(known) - air, max(known) + air
