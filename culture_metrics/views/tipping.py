"""A change among all staff, by how much those without an answer differ from those with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import one_of
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import DECIMALS, sentences, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

HEIGHT = 300
BAND = "rgba(18, 67, 109, 0.15)"


def tipping(
    change: Mapping[str, float],
    *,
    absent: float,
    limits: tuple[float, float],
    title: str,
    unit: str = "score",
    subtitle: str = "",
    source: str = "",
) -> go.Figure:
    """Draw a change as a line over the difference of staff without an answer, with the point that undoes it.

    Parameters
    ----------
    change : mapping
        `estimate, conf_low, conf_high` of the change among those who answered.
    absent : float
        Share of the later year's staff without an answer.
    limits : tuple of float
        Smallest and largest difference that the scale allows.
    unit : {"score", "percent"}
        Unit of the measure; differences and change of a percentage are points.
    title, subtitle, source : str
        What is seen, of whom, and where the numbers come from.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words.

    Examples
    --------
    >>> change = {"estimate": 4.0, "conf_low": 1.0, "conf_high": 7.0}
    >>> fig = tipping(change, absent=0.4, limits=(-50, 50), unit="percent", title="Change")
    >>> fig.layout.meta["alt"]
    'Change. Line of the change among all staff. +4.0 points if those without an answer are like the others; \
none if they stand 10.0 points lower.'
    """
    one_of("unit", unit, DECIMALS, "views.tipping")
    tip = -change["estimate"] / absent if absent else None
    reach = 1.6 * max(abs(tip or 0), abs(limits[1] - limits[0]) / 40)
    ends = [max(limits[0], -reach), min(limits[1], reach)]
    points = " points" if unit == "percent" else ""

    fig = style.figure()
    band = [change["conf_low"] + absent * x for x in ends] + [
        change["conf_high"] + absent * x for x in ends[::-1]
    ]
    fig.add_scatter(
        name="95% interval",
        x=ends + ends[::-1],
        y=band,
        fill="toself",
        fillcolor=BAND,
        mode="none",
        hoverinfo="skip",
    )
    steps = [ends[0] + (ends[1] - ends[0]) * i / 40 for i in range(41)]
    values = [change["estimate"] + absent * x for x in steps]
    fig.add_scatter(
        name="Change among all staff",
        x=steps,
        y=values,
        mode="lines",
        line={"color": style.FOCUS, "width": 3},
        hovertext=[
            f"Difference {signed(x, unit)}{points}<br>Change {signed(y, unit)}{points}"
            for x, y in zip(steps, values, strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )
    fig.add_hline(y=0, line={"color": style.TEXT, "width": 1.5, "dash": "dash"})
    _mark(fig, 0.0, change["estimate"], f"as surveyed {signed(change['estimate'], unit)}{points}", "left")
    inside = tip is not None and ends[0] <= tip <= ends[1]
    if tip is not None and inside:
        _mark(fig, tip, 0.0, f"no change at {signed(tip, unit)}{points}", "left")
    suffix = " (points)" if points else ""
    fig.update_xaxes(
        range=ends, title_text=f"Staff without an answer differ from those with one by{suffix}", nticks=8
    )
    fig.update_yaxes(showgrid=True, gridcolor=style.GRID, nticks=6, ticklabelstandoff=6)
    fig.update_yaxes(title_text=f"Change among all staff{suffix}")
    said = [f"{signed(change['estimate'], unit)}{points} if those without an answer are like the others"]
    if tip is None:
        said.append("everybody answered.")
    elif inside:
        said.append(
            f"none if they stand {abs(tip):.{DECIMALS[unit]}f}{points} {'lower' if tip < 0 else 'higher'}."
        )
    else:
        said.append("no difference within the scale makes it none.")
    return style.finish(
        fig,
        style.Room(height=HEIGHT, left=style.EDGE + 60, right=style.EDGE, head=8, foot=56),
        title=title,
        subtitle=sentences([subtitle]),
        notes="Band: 95% interval of the change. Those of the earlier year are taken to be alike.",
        alt=f"Line of the change among all staff. {'; '.join(said)}",
        source=source,
        numbers=listed(
            pl.DataFrame({"x": steps[::5], "y": values[::5]}),
            {"Difference of those without an answer": "x", "Change among all staff": "y"},
            unit,
        ),
    )


def _mark(fig: go.Figure, x: float, y: float, text: str, side: str) -> None:
    """Put a dot with its words below the line, where nothing else stands."""
    fig.add_scatter(
        name=text, x=[x], y=[y], mode="markers", marker={"size": 12, "color": style.FOCUS}, hoverinfo="skip"
    )
    place = {"xref": "x", "yref": "y", "xanchor": side, "yanchor": "top", "xshift": 10, "yshift": -6}
    style.note(fig, text, x=x, y=y, **place, font={**style.STRONG, "color": style.FOCUS})
