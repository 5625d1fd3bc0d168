"""The house style of every figure: palette, one Plotly template, and the finishing touches.

Colours are the Government Analysis Function's accessible palette. The template is given to each figure and
never becomes Plotly's default, so that importing this package changes nobody else's charts.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import plotly.graph_objects as go

from culture_metrics.views.labels import sentences, wrap

DARK_BLUE, TURQUOISE, DARK_PINK, ORANGE = "#12436D", "#28A197", "#801650", "#F46A25"
#: For categories, in this order: neighbours keep a contrast of 3 to 1. No figure uses more than four.
CATEGORIES = (DARK_BLUE, TURQUOISE, DARK_PINK, ORANGE)
#: Sequential, from much to little.
SEQUENTIAL = (DARK_BLUE, "#2073BC", "#6BACE6")
#: What the eye should find, and what stands around it.
FOCUS, AROUND = DARK_BLUE, "#BFBFBF"
#: A grey that keeps 3 to 1 against both white and dark blue, for marks that carry meaning.
MARK = "#949494"
TEXT, QUIET_TEXT, GRID, PAPER = "#2B2B2B", "#595959", "#E6E6E6", "#FFFFFF"
#: Diverging, below to above: orange and blue are told apart in every kind of colour blindness.
DIVERGING = ((0.0, ORANGE), (0.5, "#FAFAFA"), (1.0, "#2073BC"))

FONT = '"Segoe UI", -apple-system, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'
LABEL, SUBTITLE, TITLE = 14, 15, 20
#: Figures are laid out to read well from this width upwards, in pixels.
NARROWEST = 700
EDGE = 16


@cache
def template() -> go.layout.Template:
    """Return the house template. Give it to a figure as `template=`; it is registered nowhere.

    Examples
    --------
    >>> template().layout.font.size
    14
    """
    axis = {
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "ticks": "",
        "tickfont": {"size": LABEL, "color": QUIET_TEXT},
        "title": {"font": {"size": LABEL, "color": QUIET_TEXT}, "standoff": 8},
    }
    title = {
        "x": 0,
        "xref": "container",
        "xanchor": "left",
        "y": 1,
        "yref": "container",
        "yanchor": "top",
        "pad": {"l": EDGE, "t": EDGE},
        "font": {"size": TITLE, "color": TEXT, "weight": 600},
        "subtitle": {"font": {"size": SUBTITLE, "color": QUIET_TEXT, "weight": 400}},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": LABEL, "color": TEXT},
            "title": title,
            "paper_bgcolor": PAPER,
            "plot_bgcolor": PAPER,
            "colorway": CATEGORIES,
            "showlegend": False,
            "dragmode": False,
            "hovermode": "closest",
            "hoverlabel": {
                "bgcolor": PAPER,
                "bordercolor": MARK,
                "align": "left",
                "font": {"family": FONT, "size": LABEL, "color": TEXT},
            },
            "modebar": {"remove": ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"]},
            "xaxis": axis,
            "yaxis": axis,
            "annotationdefaults": {"showarrow": False, "font": {"size": LABEL, "color": TEXT}},
        }
    )


def figure() -> go.Figure:
    """Return an empty figure in the house style."""
    return go.Figure(layout={"template": template()})


def pixel_rows(fig: go.Figure, total: float) -> None:
    """Let the y axis count pixels from the top, so that rows keep their height whatever they hold."""
    fig.update_yaxes(range=[total, 0], visible=False)


def note(fig: go.Figure, text: str, **place: Any) -> None:
    """Write text on a figure; `x` and `y` are shares of the plot unless `xref` or `yref` say otherwise."""
    fig.add_annotation(text=text, **{"xref": "paper", "yref": "paper", **place})


def finish(
    fig: go.Figure,
    *,
    title: str,
    subtitle: str,
    alt: str,
    base: str = "",
    source: str = "",
    notes: str = "",
    suppressed: int = 0,
    height: float,
    left: float = EDGE,
    right: float = EDGE,
    head: float = 0,
    foot: float = 0,
) -> go.Figure:
    """Give a figure its title, subtitle, notes, source, margins and alt text.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        Changed in place and returned.
    title, subtitle : str
        What is seen, as a sentence; and its unit and year. Both wrap to the narrowest width.
    alt : str
        The figure in plain sentences; the title is put before it.
    base : str
        Follows the subtitle: "base 812 to 1,204".
    source, notes : str
        Stand beneath the figure.
    suppressed : int
        How many numbers are held back.
    height, left, right, head, foot : float
        Pixels: of the plot, of the labels beside it, of what stands between subtitle and plot, of the axis.

    Returns
    -------
    plotly.graph_objects.Figure
        With `layout.meta` holding `alt`, `source` and `suppressed`.

    Examples
    --------
    >>> fig = finish(figure(), title="Morale", subtitle="score", alt="A dot.", base="base 812", height=100)
    >>> fig.layout.meta["alt"], fig.layout.title.subtitle.text
    ('Morale. A dot.', 'Score. Base 812.')
    """
    room = NARROWEST - 2 * EDGE
    title_lines = wrap(title, room, TITLE, bold=True)
    subtitle_lines = wrap(sentences([subtitle, base]), room, SUBTITLE)
    below = [line for text in (notes, f"Source: {source}" if source else "") for line in wrap(text, room)]
    top = EDGE + 26 * len(title_lines) + 20 * len(subtitle_lines) + 14 + head
    bottom = foot + (22 * len(below) + 6 if below else 0) + EDGE
    if below:
        place = {"x": 0, "y": 0, "xanchor": "left", "yanchor": "top", "align": "left"}
        grey = {"size": LABEL, "color": QUIET_TEXT}
        note(fig, "<br>".join(below), **place, xshift=EDGE - left, yshift=-foot - 4, font=grey)
    return fig.update_layout(
        title={"text": "<br>".join(title_lines), "subtitle": {"text": "<br>".join(subtitle_lines)}},
        meta={"alt": sentences([title]) + " " + alt, "source": source, "suppressed": suppressed},
        margin={"l": left, "r": right, "t": top, "b": bottom, "pad": 0, "autoexpand": False},
        height=round(top + height + bottom),
    )
