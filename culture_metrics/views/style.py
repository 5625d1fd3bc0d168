"""The house style of every figure: palette, one Plotly template, and the finishing touches.

Colours are the Government Analysis Function's accessible palette. The template is given to each figure and
never becomes Plotly's default, so that importing this package changes nobody else's charts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from culture_metrics.views.house import HouseFigure
from culture_metrics.views.labels import spread
from culture_metrics.wording.numbers import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import polars as pl

DARK_BLUE, TURQUOISE, DARK_PINK, ORANGE = "#12436D", "#28A197", "#801650", "#F46A25"
#: For categories, in this order: neighbours keep a contrast of 3 to 1. No figure uses more than four.
CATEGORIES = (DARK_BLUE, TURQUOISE, DARK_PINK, ORANGE)
#: Sequential, from much to little.
SEQUENTIAL = (DARK_BLUE, "#2073BC", "#6BACE6")
#: What the eye should find, and what stands around it.
FOCUS, AROUND = DARK_BLUE, "#BFBFBF"
#: A grey that keeps 3 to 1 against both white and dark blue, for marks that carry meaning.
MARK = "#949494"
TEXT, QUIET_TEXT, GRID, PAPER = "#222222", "#595959", "#E6E6E6", "#FFFFFF"
#: Diverging, below to above: orange and blue are told apart in every kind of colour blindness, and the
#: colour of text keeps 4.5 to 1 on every shade.
DIVERGING = ((0.0, ORANGE), (0.5, "#F5F5F5"), (1.0, SEQUENTIAL[2]))

#: Contrast of text with its ground.
READABLE = 4.5

FONT = '"Segoe UI", -apple-system, "Helvetica Neue", Arial, "Liberation Sans", sans-serif'
LABEL, SUBTITLE, TITLE = 14, 15, 20
#: Height of a line of title or subtitle, and of a line beneath the figure, in pixels.
HEADING_LINE, FOOT_LINE = 26, 19
#: Figures are laid out to read well from this width upwards, in pixels.
NARROWEST = 700
EDGE = 16
#: Buttons that notebooks would show and nobody needs: what stays saves a picture.
MODE_BAR = ["zoom", "pan", "select", "lasso", "zoomIn", "zoomOut", "autoScale", "resetScale"]
#: This one would send the figure to a server: nothing leaves the computer.
SENDS = "sendChartToCloud"
#: Fonts of the words on a figure.
PLAIN = {"size": LABEL, "color": TEXT}
STRONG = {"size": LABEL, "color": TEXT, "weight": 600}
QUIET = {"size": LABEL, "color": QUIET_TEXT}


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
            "modebar": {"remove": [*MODE_BAR, SENDS]},
            "xaxis": axis,
            "yaxis": axis,
            "annotationdefaults": {"showarrow": False, "borderpad": 0, "borderwidth": 0, "font": PLAIN},
        }
    )


def figure() -> go.Figure:
    """Return an empty figure in the house style."""
    fig = HouseFigure(layout={"template": template()})
    # Given to Plotly by `finish`, all at once: it checks all texts anew at each one added.
    fig._texts = []
    return fig


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours (`#RRGGBB`) as WCAG 2.2 defines it.

    Examples
    --------
    >>> round(contrast("#000000", "#FFFFFF"))
    21
    """
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def text_on(colour: str) -> str:
    """Return the colour of text that keeps 4.5 to 1 on a ground: white, the house's own, or black.

    Examples
    --------
    >>> text_on(DARK_BLUE), text_on(ORANGE)
    ('#FFFFFF', '#222222')
    """
    return next(text for text in (PAPER, TEXT, "#000000") if contrast(text, colour) >= READABLE)


def between(one: str, other: str, share: float) -> str:
    """Return the colour that lies that share of the way from one to another.

    Examples
    --------
    >>> between("#000000", "#FF8000", 0.5)
    '#804000'
    """
    ends = ([int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (one, other))
    return "#" + "".join(f"{round(a + share * (b - a)):02X}" for a, b in zip(*ends, strict=True))


def pixel_rows(fig: go.Figure, total: float) -> None:
    """Let the y axis count pixels from the top, so that rows keep their height whatever they hold."""
    fig.update_yaxes(range=[total, 0], visible=False)


def column(fig: go.Figure, texts: Iterable[str | None], ys: Iterable[float], **place: Any) -> None:
    """Write texts under each other at heights of the y axis; null texts are left out.

    `x` is a share of the plot unless `xref` says otherwise. They are seen once the figure is finished.
    """
    place = {"xref": "paper", "yref": "y", **place}
    fig._texts += [
        {**place, "text": text, "y": y} for text, y in zip(texts, ys, strict=True) if text is not None
    ]


def interval(
    rows: pl.DataFrame, color: str, thickness: float, of: str = "estimate", width: int = 0
) -> dict[str, Any]:
    """Return the error bars from `conf_low` to `conf_high` around a column."""
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["conf_high"] - rows[of]).to_list(),
        "arrayminus": (rows[of] - rows["conf_low"]).to_list(),
        "color": color,
        "thickness": thickness,
        "width": width,
    }


def note(fig: go.Figure, text: str, **place: Any) -> None:
    """Write one text; `x` and `y` are shares of the plot unless `xref` or `yref` say otherwise."""
    column(fig, [text], [place.pop("y")], **{"yref": "paper", **place})


@dataclass(frozen=True)
class Room:
    """The room a figure takes, in pixels.

    `height` is the plot's, `left` and `right` the labels' beside it, `head` stands between subtitle and plot,
    `foot` is the axis beneath.
    """

    height: float
    left: float = EDGE
    right: float = EDGE
    head: float = 0
    foot: float = 0


def finish(  # noqa: PLR0913
    fig: go.Figure,
    room: Room,
    *,
    title: str,
    subtitle: str,
    alt: str,
    source: str = "",
    notes: str = "",
    suppressed: int = 0,
    numbers: pl.DataFrame | None = None,
) -> go.Figure:
    """Give a figure its texts, title, subtitle, notes, source, margins, alt text and table.

    Parameters
    ----------
    fig : plotly.graph_objects.Figure
        Changed in place and returned.
    room : Room
        Sizes, in pixels.
    title, subtitle : str
        What is seen, as a sentence; and its unit, year and base. Both wrap to the narrowest width.
    alt : str
        The figure in plain sentences; the title is put before it.
    source, notes : str
        Stand beneath the figure.
    suppressed : int
        How many numbers are held back.
    numbers : polars.DataFrame, optional
        What the figure shows as text cells, as `listed` makes them of the very rows that are drawn.

    Returns
    -------
    plotly.graph_objects.Figure
        With `layout.meta` holding `alt`, `source`, `suppressed`, and in `words` the plain texts of which
        title and notes are made, so that they can be broken anew where the figure has another width.

    Examples
    --------
    >>> fig = finish(figure(), Room(height=100), title="Morale", subtitle="Base 812.", alt="A dot.")
    >>> fig.layout.meta["alt"]
    'Morale. A dot.'
    """
    said = heading(title, subtitle, NARROWEST)
    words = [notes, f"Source: {source}" if source else ""]
    below = [line for text in words for line in spread(text, NARROWEST - 2 * EDGE)]
    top = EDGE + HEADING_LINE * len(said) + 6 + room.head
    bottom = room.foot + (FOOT_LINE * len(below) + 8 if below else 0) + EDGE
    if below:
        place = {"x": 0, "y": 0, "xanchor": "left", "yanchor": "top", "align": "left", "font": QUIET}
        note(fig, "<br>".join(below), **place, xshift=EDGE - room.left, yshift=-room.foot - 4)
    fig.layout.annotations = fig._texts
    if isinstance(fig, HouseFigure):
        fig._numbers = numbers
    return fig.update_layout(
        title={"text": "<br>".join(said), "pad": {"l": EDGE, "t": hang(said)}},
        meta={
            "alt": f"{sentences([title])} {alt}".strip(),
            "source": source,
            "suppressed": suppressed,
            "words": {"title": title, "subtitle": subtitle, "below": [w for w in words if w]},
        },
        margin={"l": room.left, "r": room.right, "t": top, "b": bottom, "pad": 0, "autoexpand": False},
        height=round(top + room.height + bottom),
    )


def heading(title: str, subtitle: str, width: float) -> list[str]:
    """Return the lines of title and subtitle in a figure of that width."""
    grey = f"<span style='font-size:{SUBTITLE}px;color:{QUIET_TEXT};font-weight:400'>"
    across = width - 2 * EDGE
    small = [f"{grey}{line}</span>" for line in spread(subtitle, across, SUBTITLE)]
    return spread(title, across, TITLE, bold=True) + small


def hang(lines: Sequence[str]) -> int:
    """Return how far a heading hangs: Plotly hangs one line from its top, several from the first baseline."""
    return EDGE if len(lines) == 1 else EDGE + 14
