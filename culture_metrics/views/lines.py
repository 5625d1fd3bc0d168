"""Fitted lines with their intervals, named at their ends."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safe, width, wrap
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import sentences, several

WHERE = "views.lines"
NUMBERS = ["estimate", "conf_low", "conf_high"]
HEIGHT, NAME_WIDTH, LINE, LEADER = 380, 190, 18, 22
DASHES = ("solid", "dash", "dot", "dashdot")


def lines(  # noqa: PLR0913
    table: pl.DataFrame,
    *,
    x_title: str,
    y_title: str,
    title: str,
    subtitle: str = "",
    source: str = "",
    notes: str = "",
    level: float = 0.95,
    bands: str | None = None,
    from_zero: bool = False,
) -> go.Figure:
    """Draw fitted lines with their intervals, each named at its right end.

    Parameters
    ----------
    table : polars.DataFrame
        `line` (name), `x`, `estimate`, `conf_low`, `conf_high`; at most four lines.
    x_title, y_title : str
        What the axes show, with units.
    title, subtitle, source, notes : str
        What is seen, of whom, and where the numbers come from.
    level : float
        Level of the intervals.
    bands : str, optional
        What the bands are, where they are no intervals.
    from_zero : bool
        Whether both axes begin at 0, as shares of a whole over time do.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says the ends of every line.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.

    Examples
    --------
    >>> table = pl.DataFrame({"line": ["low", "low", "high", "high"], "x": [-1.0, 1, -1, 1],
    ...     "estimate": [1.02, 1.00, 1.03, 0.97], "conf_low": [1.0, 0.98, 1.01, 0.95],
    ...     "conf_high": [1.04, 1.02, 1.05, 0.99]})
    >>> lines(table, x_title="Engagement", y_title="SHMI", title="Slopes").layout.meta["alt"]
    'Slopes. Line chart of 2 fitted lines. Low: from 1.02 to 1. High: from 1.03 to 0.97.'
    """
    table = tidy(table, ["line", "x", *NUMBERS], key=["line", "x"], numbers=NUMBERS, where=WHERE)
    parts = by_line(table)
    fig = style.figure()
    for place, (name, rows) in enumerate(parts):
        band_and_line(fig, name, rows, place, level)
    marks = table.select(NUMBERS).unpivot()["value"].drop_nulls().to_numpy()
    # Level lines have no height of their own.
    air = 0.05 * ((marks.max() - marks.min()) or abs(marks.max()) or 1.0)
    low, high = float(marks.min() - air), float(marks.max() + air)
    low = 0.0 if from_zero else low
    names(fig, parts, low, high)
    reach = table.select(pl.col("x").min(), high=pl.col("x").max()).row(0)
    if reach[0] == reach[1]:
        reach = (reach[0] - 0.5, reach[1] + 0.5)
    reach = (0.0, reach[1]) if from_zero else reach
    banded = table["conf_low"].is_not_null().any()
    if bands is None:
        bands = f"Bands: {100 * level:g}% interval." if banded else ""
    return style.finish(
        fig,
        frame(fig, parts, (float(reach[0]), float(reach[1])), (low, high), x_title, y_title),
        title=title,
        subtitle=subtitle,
        source=source,
        notes=" ".join(filter(None, (bands, notes))),
        alt=f"Line chart of {several(len(parts), 'fitted line')}. {both_ends(parts)}",
        numbers=of_lines(table, x_title, y_title),
    )


def of_lines(table: pl.DataFrame, x_title: str, y_title: str) -> pl.DataFrame:
    """Return the points of fitted lines as the table of their figure."""
    columns = {
        "Line": "line",
        x_title: "x",
        y_title: "estimate",
        "Lower end": "conf_low",
        "Upper end": "conf_high",
    }
    return listed(table, columns, None)


def by_line(table: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    """Part a table into its lines, each with its name."""
    return [(str(name), rows.sort("x")) for (name,), rows in table.group_by("line", maintain_order=True)]


def both_ends(parts: list[tuple[str, pl.DataFrame]]) -> str:
    """Say where every line begins and ends."""
    return sentences(f"{n}: from {r['estimate'][0]:.4g} to {r['estimate'][-1]:.4g}" for n, r in parts)


def frame(
    fig: go.Figure,
    parts: list[tuple[str, pl.DataFrame]],
    across: tuple[float, float],
    up: tuple[float, float],
    x_title: str,
    y_title: str,
) -> style.Room:
    """Set the axes of a figure of lines and return the room it takes."""
    fig.update_yaxes(range=list(up), showgrid=True, gridcolor=style.GRID, nticks=7, title_text=safe(y_title))
    fig.update_xaxes(range=list(across), title_text=safe(x_title), nticks=9)
    longest = max(width(line) for name, _ in parts for line in wrap(name, NAME_WIDTH))
    right = style.EDGE + min(NAME_WIDTH, longest) + LEADER
    return style.Room(height=HEIGHT, left=style.EDGE + 70, right=right, head=8, foot=56)


def band_and_line(fig: go.Figure, name: str, rows: pl.DataFrame, place: int, level: float = 0.95) -> None:
    """Draw a line over its band."""
    colour = _colour(place)
    x = rows["x"].to_list()
    band = [*rows["conf_high"], *rows["conf_low"].reverse()]
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    fig.add_scatter(
        x=[*x, *reversed(x)], y=band, mode="lines", fill="toself", line={"width": 0},
        fillcolor=f"rgba({red},{green},{blue},0.12)", hoverinfo="skip", name=f"{name}: interval",
    )  # fmt: skip
    fig.add_scatter(
        x=x, y=rows["estimate"].to_list(), mode="lines" if rows.height > 1 else "markers", name=name,
        line={"color": colour, "width": 2.5, "dash": DASHES[place % len(DASHES)]},
        customdata=rows.select("conf_low", "conf_high").to_numpy(),
        hovertemplate=f"<b>{safe(name)}</b><br>%{{y:.4g}} ({100 * level:g}% interval "
        "%{customdata[0]:.4g} to %{customdata[1]:.4g})<extra></extra>",
    )  # fmt: skip


def names(
    fig: go.Figure,
    parts: list[tuple[str, pl.DataFrame]],
    low: float,
    high: float,
    right: float | None = None,
) -> None:
    """Write each line's name beside its right end (or at `right`), moved down where two would touch."""
    tail = {"ax": LEADER} if right is None else {"ax": right, "axref": "x"}
    ends = [(high - float(rows["estimate"][-1])) / (high - low) * HEIGHT for _, rows in parts]
    free = 0.0
    for i in sorted(range(len(parts)), key=lambda i: ends[i]):
        name, rows = parts[i]
        words = wrap(name, NAME_WIDTH)
        half = len(words) * LINE / 2
        middle = max(ends[i], free + half)
        free = middle + half + 4
        end = {"xref": "x", "yref": "y", "x": rows["x"][-1], "y": rows["estimate"][-1]}
        leader = {
            "showarrow": True,
            "arrowhead": 0,
            "arrowwidth": 0.75,
            "arrowcolor": style.MARK,
            "standoff": 8,
        }
        style.note(
            fig, "<br>".join(words), **end, **leader, **tail, ay=middle - ends[i], xanchor="left",
            align="left", yanchor="middle",
        )  # fmt: skip


def _colour(place: int) -> str:
    return style.CATEGORIES[place % len(style.CATEGORIES)]
