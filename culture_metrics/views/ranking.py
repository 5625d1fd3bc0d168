"""One measure across a benchmark group, with one organisation picked out."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import one_of, tidy
from culture_metrics.views.labels import reading, safely, wrap
from culture_metrics.views.numbers import interval, listed
from culture_metrics.wording.numbers import (
    DECIMALS,
    SIGN,
    at_the_end,
    base_range,
    held_back,
    sentences,
    several,
    shown,
    why_not,
)

COLUMNS = ["organisation", "name", "estimate", "conf_low", "conf_high", "base"]
NUMBERS = ["estimate", "conf_low", "conf_high", "base"]
WHERE = "views.ranking"
HEIGHT, NAME_WIDTH, NAME_HEIGHT, LEADER = 380, 280, 106, 42
#: Share of the plot's width that the code of an organisation takes.
CODE_SHARE = 0.07


def ranking(
    table: pl.DataFrame,
    *,
    highlight: str,
    beside: Collection[str] = (),
    title: str,
    unit: str = "score",
    direction: str = "higher",
    subtitle: str = "",
    source: str = "",
) -> go.Figure:
    """Draw one measure for every organisation of a group, sorted, with one organisation picked out.

    A dashed line marks the median of all organisations drawn, the one picked out among them.

    Parameters
    ----------
    table : polars.DataFrame
        One row per organisation: `organisation` (code), `name`, `estimate`, `conf_low`, `conf_high` (may be
        null), `base`. A null estimate, or a `status` other than reported, is left out and counted.
    highlight : str
        Code of the organisation to pick out.
    beside : collection of str
        Codes of other organisations to name.
    title, subtitle, source : str
        What is seen, its year and group, and where the numbers come from.
    unit : {"score", "percent"}
        Unit of the measure.
    direction : {"higher", "lower", "neutral"}
        Which end is better. The lowest value stands first where lower is better, else the highest.
        Organisations with equal values share a rank.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.
    UnknownNameError
        When the organisation to pick out is not in the table.

    Examples
    --------
    >>> table = pl.DataFrame({"organisation": ["RAA", "RBB", "RCC"], "name": ["Ash", "Birch", "Cedar"],
    ...     "estimate": [6.9, 7.2, 6.1], "conf_low": [6.8, 7.1, 6.0], "conf_high": [7.0, 7.3, 6.2],
    ...     "base": [900, 800, 700]})
    >>> ranking(table, highlight="RAA", title="Morale").layout.meta["alt"]
    'Morale. Dot plot of 3 organisations, highest first. Ash: 6.90 (95% interval 6.80 to 7.00), rank 2 of 3. \
Median 6.90; highest 7.20, Birch; lowest 6.10, Cedar.'
    """
    one_of("unit", unit, DECIMALS, WHERE)
    one_of("direction", direction, ("higher", "lower", "neutral"), WHERE)
    table = tidy(table, COLUMNS, key=["organisation"], numbers=NUMBERS, where=WHERE)
    one_of("organisation", highlight, table["organisation"].to_list(), WHERE)
    rows = _rows(table, unit, direction)
    chosen = table.filter(organisation=highlight).with_columns(why_not().alias("why")).row(0, named=True)
    own = rows.filter(organisation=highlight)
    drawn = several(rows.height, "organisation")
    end = "lowest" if direction == "lower" else "highest"
    corner = _corner(own, rows.height, direction)
    low, high = _limits(rows, own, corner, unit)

    fig = style.figure()
    edge = 0.5 + 0.02 * rows.height
    fig.update_xaxes(range=[1 - edge, rows.height + edge], tickvals=_ticks(rows.height))
    fig.update_xaxes(title_text=f"Rank among {drawn} (1 = {end})")
    fig.update_yaxes(range=[low, high], showgrid=True, gridcolor=style.GRID, nticks=7, ticklabelstandoff=6)
    fig.update_yaxes(ticksuffix=SIGN[unit], tickformat=".2f" if high - low < 1 else "")
    named = pl.col("organisation").is_in(list(beside)) & (pl.col("organisation") != highlight)
    others = rows.filter((pl.col("organisation") != highlight) & ~named)
    _dots(fig, others, "Others", style.MARK, min(10, max(4, 560 / max(rows.height, 1))), 1)
    _dots(fig, rows.filter(named), "Named", style.DARK_PINK, 10, 1.5)
    _codes(fig, rows.filter(named), direction, rows.height * CODE_SHARE)
    _dots(fig, own, chosen["name"], style.FOCUS, 14, 2.5)
    _median(fig, rows, unit, direction)
    _name(fig, own, chosen, corner, rows.height, unit)
    hidden = table.height - rows.height
    return style.finish(
        fig,
        style.Room(height=HEIGHT, left=style.EDGE + 44, head=8, foot=56),
        title=title,
        subtitle=sentences([subtitle, base_range(rows["base"])]),
        notes=_notes(rows, hidden),
        alt=f"Dot plot of {drawn}, {end} first. {_alt(rows, own, chosen, hidden, unit)}",
        source=source,
        numbers=listed(
            rows,
            {
                "Organisation": "name",
                "Code": "organisation",
                "Rank": "rank",
                "Value": "estimate",
                "95% interval": interval(unit=unit),
                "Base": "base",
            },
            unit,
        ),
        suppressed=table.select(held_back().sum()).item(),
    )


def _rows(table: pl.DataFrame, unit: str, direction: str) -> pl.DataFrame:
    """Sort and rank the organisations that have a value."""
    highest_first = direction != "lower"
    return (
        table.drop_nulls("estimate")
        .sort("estimate", "name", descending=[highest_first, False])
        .with_columns(
            pl.int_range(1, pl.len() + 1).alias("place"),
            pl.col("estimate").rank("min", descending=highest_first).cast(pl.Int64).alias("rank"),
            pl.len().over("estimate").alias("level"),
            pl.col("conf_low", "conf_high").cast(pl.Float64),
        )
        .with_columns(
            pl.format(
                "<b>{}</b><br>{}<br>Rank {} of {}",
                safely("name"),
                reading(unit),
                pl.col("rank"),
                pl.len(),
            ).alias("hover")
        )
    )


def _ticks(organisations: int) -> list[int]:
    """Return round ranks to write beneath the dots, the first and the last among them."""
    step = next(n for n in (1, 2, 5, 10, 20, 25, 50) if organisations / n <= 14 or n == 50)
    inner = [n for n in range(step, organisations, step) if n > 1 and organisations - n > step / 2]
    return [1, *inner, organisations]


def _corner(own: pl.DataFrame, organisations: int, direction: str) -> tuple[int, int]:
    """Say where around its dot the name has room: (1 right or -1 left, 1 above or -1 below)."""
    first_half = own.is_empty() or own["place"].item() <= (organisations + 1) / 2
    across = 1 if first_half else -1
    return across, -across if direction == "lower" else across


def _limits(rows: pl.DataFrame, own: pl.DataFrame, corner: tuple[int, int], unit: str) -> tuple[float, float]:
    """Return the ends of the value axis: all marks, and room for the name above or below its dot."""
    marks = rows.select("estimate", "conf_low", "conf_high").unpivot()["value"].drop_nulls()
    if marks.is_empty():
        return (0.0, 100.0) if unit == "percent" else (0.0, 1.0)
    low, high = float(marks.min()), float(marks.max())  # type: ignore[arg-type]
    edge = 0.06 * max(high - low, 0.1)
    low, high = low - edge, high + edge
    name = NAME_HEIGHT / HEIGHT
    value = float(own["estimate"].item()) if own.height else high
    if corner[1] > 0:
        return low, max(high, (value - name * low) / (1 - name))
    return min(low, (value - name * high) / (1 - name)), high


def _dots(fig: go.Figure, rows: pl.DataFrame, name: str, colour: str, size: float, line: float) -> None:
    fig.add_scatter(
        name=name,
        x=rows["place"].to_list(),
        y=rows["estimate"].to_list(),
        mode="markers",
        marker={"size": size, "color": colour, "line": {"width": 0}},
        error_y=style.interval(rows, colour, line),
        hovertext=rows["hover"].to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _codes(fig: go.Figure, named: pl.DataFrame, direction: str, near: float) -> None:
    """Write the codes of named organisations at the end of their intervals; of two neighbours at either."""
    ends = [("conf_high", "bottom", 3), ("conf_low", "top", -3)]
    first, second = ends if direction == "lower" else reversed(ends)
    before, other = -math.inf, False
    for row in named.sort("place").iter_rows(named=True):
        other, before = row["place"] - before < near and not other, row["place"]
        end, anchor, shift = second if other else first
        y = row["estimate"] if row[end] is None else row[end]
        font = {**style.STRONG, "color": style.DARK_PINK}
        place = {"xref": "x", "x": row["place"], "yanchor": anchor, "yshift": shift, "font": font}
        style.column(fig, [row["organisation"]], [y], **place)


def _median(fig: go.Figure, rows: pl.DataFrame, unit: str, direction: str) -> None:
    """Rule the median through the dots; its words stand at the right, on the side away from the dots."""
    median = rows["estimate"].median()
    if median is None:
        return
    line = {"color": style.TEXT, "width": 1.5, "dash": "dash"}
    fig.add_shape(type="line", xref="paper", x0=0, x1=1, y0=median, y1=median, line=line, layer="below")
    anchor, shift = ("top", -2) if direction == "lower" else ("bottom", 2)
    place = {"x": 1, "xanchor": "right", "yref": "y", "y": median, "yanchor": anchor, "yshift": shift}
    style.note(fig, f"median {shown(float(median), unit)}", **place)  # type: ignore[arg-type]


def _name(
    fig: go.Figure,
    own: pl.DataFrame,
    chosen: dict[str, Any],
    corner: tuple[int, int],
    organisations: int,
    unit: str,
) -> None:
    """Write name, value and rank beside the dot, where there are no others."""
    blue = {**style.STRONG, "color": style.FOCUS}
    name = "<br>".join(wrap(chosen["name"], NAME_WIDTH, bold=True))
    across, upwards = corner
    if own.is_empty():
        place = {"x": 1, "xanchor": "right", "align": "right", "font": blue}
        place |= {"y": 1, "yanchor": "top"} if upwards > 0 else {"y": 0, "yanchor": "bottom"}
        style.note(fig, f"{name}<br>not shown: {chosen['why']}", **place)
        return
    row = own.row(0, named=True)
    side = "left" if across > 0 else "right"
    dot = {"xref": "x", "yref": "y", "x": row["place"], "y": row["estimate"]}
    leader = {"showarrow": True, "arrowhead": 0, "arrowwidth": 1.5, "arrowcolor": style.FOCUS, "standoff": 8}
    style.note(fig, "", **dot, **leader, ax=across * LEADER, ay=-upwards * LEADER)
    style.note(
        fig,
        f"{name}<br>{shown(row['estimate'], unit)}, {_place(row, organisations)}",
        **dot,
        xanchor=side,
        align=side,
        xshift=across * (LEADER + 2),
        yanchor="bottom" if upwards > 0 else "top",
        yshift=upwards * LEADER,
        font=blue,
        bgcolor="rgba(255,255,255,0.85)",
    )


def _place(row: dict[str, Any], organisations: int) -> str:
    """Say a rank, and how many organisations share it."""
    shared = f", shared with {several(row['level'] - 1, 'other')}" if row["level"] > 1 else ""
    return f"rank {row['rank']} of {organisations}{shared}"


def _notes(rows: pl.DataFrame, hidden: int) -> str:
    said = []
    if rows["conf_low"].is_not_null().any():
        said.append("Lines: 95% interval.")
    if hidden:
        said.append(f"{hidden} organisation{'s have' if hidden > 1 else ' has'} no value to show.")
    return " ".join(said)


def _alt(rows: pl.DataFrame, own: pl.DataFrame, chosen: dict[str, Any], hidden: int, unit: str) -> str:
    said = []
    if own.is_empty():
        said.append(f"{chosen['name']}: not shown, {chosen['why']}.")
    else:
        row = own.row(0, named=True)
        interval = ""
        if row["conf_low"] is not None and row["conf_high"] is not None:
            interval = f" (95% interval {shown(row['conf_low'], unit)} to {shown(row['conf_high'], unit)})"
        said.append(f"{row['name']}: {shown(row['estimate'], unit)}{interval}, {_place(row, rows.height)}.")
    if rows.height:
        (high, top), (low, bottom) = (
            at_the_end(rows, "name", "estimate", unit, highest=end) for end in (True, False)
        )
        ends = "all are level" if top == bottom else f"highest {top}, {high}; lowest {bottom}, {low}"
        said.append(f"Median {shown(float(rows['estimate'].median()), unit)}; {ends}.")  # type: ignore[arg-type]
    if hidden:
        said.append(f"{hidden} not shown.")
    return " ".join(said)
