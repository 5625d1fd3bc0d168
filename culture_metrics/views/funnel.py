"""A funnel plot: every organisation by its base, inside limits that widen as bases shrink."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import one_of, tidy
from culture_metrics.views.labels import safely, wrap
from culture_metrics.views.numbers import interval, listed
from culture_metrics.wording.numbers import (
    DECIMALS,
    SIGN,
    base_range,
    count,
    fixed,
    sentences,
    several,
    shown,
)

COLUMNS = ["organisation", "name", "estimate", "base", "low_95", "high_95", "low_998", "high_998", "place"]
LIMITS = ["base", "target", "low_95", "high_95", "low_998", "high_998"]
NUMBERS = ["estimate", "base"]
WHERE = "views.funnel"
HEIGHT, NAME_HEIGHT, NAME_WIDTH = 400, 44, 420
#: So many organisations beyond the outer limits are named at each side.
NAMED = 4
#: Where an organisation lies, in words.
PLACES = {
    "above": "above the outer limit",
    "below": "below the outer limit",
    "above_95": "between the limits, above",
    "below_95": "between the limits, below",
    "inside": "inside the limits",
}


def funnel(
    table: pl.DataFrame,
    curve: pl.DataFrame,
    *,
    highlight: str,
    title: str,
    unit: str = "score",
    subtitle: str = "",
    source: str = "",
    notes: str = "",
) -> go.Figure:
    """Draw one measure of every organisation against its base, between funnel limits.

    Parameters
    ----------
    table : polars.DataFrame
        One row per organisation: `organisation` (code), `name`, `estimate`, `base`, its limits `low_95,
        high_95, low_998, high_998` and `place` (`above`, `below`, `above_95`, `below_95`, `inside`).
    curve : polars.DataFrame
        The limits to draw: `base` in order, the four limits, and the `target` that they lie round.
    highlight : str
        Code of the organisation to pick out; it may be missing from the table.
    title, subtitle, source, notes : str
        What is seen, its year and group, where the numbers come from, and how the limits were made.
    unit : {"score", "percent"}
        Unit of the measure.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words.

    Raises
    ------
    ResultsError
        When a table lacks a column or has no rows.

    Examples
    --------
    >>> table = pl.DataFrame({"organisation": ["RAA", "RBB"], "name": ["Ash", "Birch"],
    ...     "estimate": [6.9, 7.9], "base": [900, 300], "low_95": [6.8, 6.7], "high_95": [7.2, 7.3],
    ...     "low_998": [6.7, 6.6], "high_998": [7.3, 7.4], "place": ["inside", "above"]})
    >>> curve = table.with_columns(target=7.0)
    >>> funnel(table, curve, highlight="RAA", title="Morale").layout.meta["alt"]
    'Morale. Funnel plot of 2 organisations round 7.00. Ash: 6.90, base 900, inside the limits. Above the \
outer limit: Birch. Below it: none.'
    """
    one_of("unit", unit, DECIMALS, WHERE)
    rows = tidy(table, COLUMNS, key=["organisation"], numbers=NUMBERS, where=WHERE).drop_nulls("estimate")
    curve = tidy(curve, LIMITS, key=["base"], numbers=["base"], where=WHERE).sort("base")
    target = float(curve["target"][0])
    own = rows.filter(organisation=highlight)
    others = rows.filter(pl.col("organisation") != highlight)
    fig = style.figure()
    upwards = own.is_empty() or own["estimate"].item() >= target
    low, high = _limits(rows, curve, upwards)
    fig.update_yaxes(range=[low, high], showgrid=True, gridcolor=style.GRID, nticks=7, ticksuffix=SIGN[unit])
    fig.update_yaxes(ticklabelstandoff=6, tickformat=".2f" if high - low < 1 else "")
    left, right = float(curve["base"][0]), float(curve["base"][-1])
    room = 0.04 * (right - left) or 1.0
    fig.update_xaxes(range=[max(0.0, left - room), right + 2.2 * room], tickformat=",", nticks=8)
    fig.update_xaxes(title_text="Base: people who answered")
    _curves(fig, curve, target, unit)
    _dots(fig, others, style.MARK, 7, unit)
    _dots(fig, own, style.FOCUS, 14, unit)
    for place in ("above", "below"):
        _codes(fig, others.filter(place=place), place)
    _name(fig, own, (high if upwards else low, upwards), right, unit)
    return style.finish(
        fig,
        style.Room(height=HEIGHT, left=style.EDGE + 44, right=style.EDGE + 44, head=8, foot=56),
        title=title,
        subtitle=sentences([subtitle, base_range(rows["base"])]),
        notes=notes,
        alt=_alt(rows, own, target, unit),
        source=source,
        numbers=listed(
            rows.sort("estimate", descending=True),
            {
                "Organisation": "name",
                "Code": "organisation",
                "Value": "estimate",
                "Base": "base",
                "95% limits": interval("low_95", "high_95", unit),
                "99.8% limits": interval("low_998", "high_998", unit),
                "Where it lies": pl.col("place").replace_strict(PLACES, default=None, return_dtype=pl.String),
            },
            unit,
        ),
        suppressed=table.height - rows.height,
    )


def _limits(rows: pl.DataFrame, curve: pl.DataFrame, upwards: bool) -> tuple[float, float]:
    """Return the ends of the value axis: all dots and limits, and beyond them room for the name."""
    marks = [*rows["estimate"], *curve["low_998"], *curve["high_998"]]
    low, high = min(marks), max(marks)
    edge = 0.06 * max(high - low, 0.1)
    name = NAME_HEIGHT / HEIGHT * (high - low + 2 * edge)
    return (low - edge, high + edge + name) if upwards else (low - edge - name, high + edge)


def _curves(fig: go.Figure, curve: pl.DataFrame, target: float, unit: str) -> None:
    """Draw the limits and the target, each with its name at the right end."""
    last = curve.row(-1, named=True)
    for limit, dash in (("998", "solid"), ("95", "dot")):
        for side in ("low", "high"):
            name = f"{side}_{limit}"
            fig.add_scatter(
                x=curve["base"].to_list(),
                y=curve[name].to_list(),
                mode="lines",
                line={"color": style.QUIET_TEXT, "width": 1.5, "dash": dash},
                hoverinfo="skip",
            )
    at_end = {"xref": "paper", "x": 1, "xanchor": "left", "xshift": 2, "font": style.QUIET, "yref": "y"}
    style.note(fig, "99.8%", **at_end, y=last["high_998"], yanchor="bottom")
    style.note(fig, "95%", **at_end, y=last["high_95"], yanchor="top", yshift=4)
    style.note(fig, shown(target, unit), **at_end, y=target)
    line = {"color": style.TEXT, "width": 1.5}
    fig.add_shape(type="line", xref="paper", x0=0, x1=1, y0=target, y1=target, line=line, layer="below")


def _dots(fig: go.Figure, rows: pl.DataFrame, colour: str, size: int, unit: str) -> None:
    place = pl.col("place").replace_strict(PLACES, default="", return_dtype=pl.String)
    hover = pl.format(
        "<b>{}</b> ({})<br>Value {}<br>Base {}<br>95% limits {} to {}<br>{}",
        safely("name"), safely("organisation"), fixed("estimate", unit), count("base"), fixed("low_95", unit),
        fixed("high_95", unit), place,
    )  # fmt: skip
    fig.add_scatter(
        x=rows["base"].to_list(),
        y=rows["estimate"].to_list(),
        mode="markers",
        marker={"size": size, "color": colour, "line": {"width": 0}},
        hovertext=rows.select(hover).to_series().to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
    )


def _codes(fig: go.Figure, rows: pl.DataFrame, place: str) -> None:
    """Write the codes of the organisations furthest beyond an outer limit beside their dots."""
    rows = rows.sort("estimate", descending=place == "above").head(NAMED)
    for code, x, y in rows.select("organisation", "base", "estimate").iter_rows():
        style.column(fig, [code], [y], xref="x", x=x, xanchor="left", xshift=6, font=style.QUIET)


def _name(fig: go.Figure, own: pl.DataFrame, ends: tuple[float, bool], right: float, unit: str) -> None:
    """Write name, value and base of the organisation beyond the limits, with a line to its dot."""
    if own.is_empty():
        return
    row, (at, upwards) = own.row(0, named=True), ends
    side = "left" if row["base"] < right / 2 else "right"
    text = "<br>".join(wrap(row["name"], NAME_WIDTH, bold=True))
    style.note(
        fig,
        f"{text}<br>{shown(row['estimate'], unit)}, base {row['base']:,}",
        xref="x",
        yref="y",
        x=row["base"],
        y=at,
        xanchor=side,
        align=side,
        xshift=4 if side == "left" else -4,
        yanchor="top" if upwards else "bottom",
        font={**style.STRONG, "color": style.FOCUS},
    )
    line = {"color": style.FOCUS, "width": 1.5}
    fig.add_shape(type="line", x0=row["base"], x1=row["base"], y0=row["estimate"], y1=at, line=line)


def _alt(rows: pl.DataFrame, own: pl.DataFrame, target: float, unit: str) -> str:
    said = [f"Funnel plot of {several(rows.height, 'organisation')} round {shown(target, unit)}."]
    if own.height:
        row = own.row(0, named=True)
        said.append(
            f"{row['name']}: {shown(row['estimate'], unit)}, base {row['base']:,}, {PLACES[row['place']]}."
        )
    for place, words in (("above", "Above the outer limit"), ("below", "Below it")):
        names = rows.filter(place=place)["name"].to_list()
        more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
        said.append(f"{words}: {', '.join(names[:NAMED]) or 'none'}{more}.")
    return " ".join(said)
