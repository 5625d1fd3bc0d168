"""Estimates in order, and beneath each what it was made with."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safe, width
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import several

WHERE = "views.specifications"
NUMBERS = ["estimate", "conf_low", "conf_high"]
CURVE, GAP, ROW, GROUP = 250, 22, 22, 24


def specifications(
    table: pl.DataFrame,
    choices: pl.DataFrame,
    *,
    y_title: str,
    title: str,
    subtitle: str = "",
    source: str = "",
    notes: str = "",
    level: float = 0.95,
) -> go.Figure:
    """Draw estimates with their intervals from the smallest to the largest, over a grid of their choices.

    Parameters
    ----------
    table : polars.DataFrame
        `specification` (position from the left), `estimate`, `conf_low`, `conf_high`.
    choices : polars.DataFrame
        `specification, choice, option`: a row for everything a specification was made with.
    y_title : str
        What the estimates are, with their unit.
    title, subtitle, source, notes : str
        What is seen, of whom, and where the numbers come from.
    level : float
        Level of the intervals.

    Returns
    -------
    plotly.graph_objects.Figure
        Intervals that are clear of 0 stand out. `layout.meta["alt"]` says range and directions.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.

    Examples
    --------
    >>> table = pl.DataFrame({"specification": [1, 2], "estimate": [-0.02, 0.01],
    ...     "conf_low": [-0.03, -0.01], "conf_high": [-0.01, 0.03]})
    >>> choices = pl.DataFrame({"specification": [1, 2], "choice": ["design"] * 2, "option": ["a", "b"]})
    >>> specifications(table, choices, y_title="Slope", title="Two").layout.meta["alt"]
    'Two. 2 estimates from -0.02 to 0.01; 1 below 0 with an interval clear of it, 0 above. Choices: \
design (a, b).'
    """
    key = ["specification"]
    table = tidy(table, ["specification", *NUMBERS], key=key, numbers=NUMBERS, where=WHERE)
    table = table.drop_nulls("estimate").sort("specification")
    clear = (pl.col("conf_low") > 0) | (pl.col("conf_high") < 0)
    table = table.with_columns(_clear=clear.fill_null(False))
    options = choices.group_by("choice", maintain_order=True).agg(
        pl.col("option").unique(maintain_order=True)
    )
    groups = list(options.iter_rows())
    places, below = _places(groups)
    height = CURVE + below
    fig = style.figure()
    _curve(fig, table, (height - CURVE) / height, level)
    _grid(
        fig, choices.join(table.select("specification", "_clear"), on="specification"), places, below, height
    )
    labels = [option for _, found in groups for option in found] + [f"{choice}" for choice, _ in groups]
    left = style.EDGE + max(70, *(width(text) for text in labels)) + 14 if labels else style.EDGE + 84
    ends = [style.EDGE + 70, left]
    fig.update_xaxes(range=[0, max(table["specification"], default=0) + 1], visible=False)
    style.note(fig, safe(y_title), x=0, y=1, xanchor="left", yanchor="bottom", yshift=8, font=style.QUIET)
    return style.finish(
        fig,
        style.Room(height=height, left=max(ends), right=style.EDGE + 8, head=30, foot=8),
        title=title,
        subtitle=subtitle,
        source=source,
        notes=f"Dark: {100 * level:g}% interval clear of 0. {notes}".strip(),
        alt=_alt(table, groups),
        numbers=listed(
            table.join(_made_with(choices), on="specification", how="left", maintain_order="left"),
            {
                "Made with": "choices",
                "Estimate": "estimate",
                f"{100 * level:g}% interval, from": "conf_low",
                "to": "conf_high",
            },
            None,
        ),
    )


def _made_with(choices: pl.DataFrame) -> pl.DataFrame:
    """Return each specification's choices in words."""
    each = pl.format("{}: {}", "choice", "option").str.join("; ").alias("choices")
    return choices.group_by("specification", maintain_order=True).agg(each)


def _places(groups: list[tuple[str, list[str]]]) -> tuple[dict[tuple[str, str], float], float]:
    """Return the height of each option in pixels beneath the curve, and how deep they all reach."""
    places, depth = {}, float(GAP)
    for choice, options in groups:
        places[choice, ""] = depth
        depth += GROUP
        for option in options:
            places[choice, option] = depth
            depth += ROW
        depth += 8
    return places, depth


def _curve(fig: go.Figure, table: pl.DataFrame, bottom: float, level: float) -> None:
    for clear, colour in ((False, style.MARK), (True, style.FOCUS)):
        some = table.filter(_clear=clear)
        fig.add_scatter(
            name="interval clear of 0" if clear else "interval holds 0",
            x=some["specification"].to_list(), y=some["estimate"].to_list(), mode="markers",
            marker={"size": 6, "color": colour, "symbol": "circle" if clear else "diamond"},
            error_y=style.interval(some, colour, 1.2),
            customdata=some.select("conf_low", "conf_high").to_numpy(),
            hovertemplate=f"%{{y:.3g}} ({100 * level:g}% interval %{{customdata[0]:.3g}} to "
            "%{customdata[1]:.3g})<extra></extra>",
        )  # fmt: skip
    rule = {"color": style.TEXT, "width": 1.5, "dash": "dash"}
    fig.add_shape(type="line", xref="paper", x0=0, x1=1, y0=0, y1=0, line=rule, layer="below")
    fig.update_yaxes(domain=[bottom, 1], showgrid=True, gridcolor=style.GRID, nticks=6)


def _grid(
    fig: go.Figure, choices: pl.DataFrame, places: dict[tuple[str, str], float], below: float, height: float
) -> None:
    """Mark under each estimate what it was made with."""
    marks = choices.with_columns(
        _y=pl.struct("choice", "option").map_elements(
            lambda row: places[row["choice"], row["option"]], return_dtype=pl.Float64
        )
    )
    for clear, colour in ((False, style.MARK), (True, style.FOCUS)):
        some = marks.filter(_clear=clear)
        fig.add_scatter(
            name="choices", x=some["specification"].to_list(), y=some["_y"].to_list(), yaxis="y2",
            mode="markers", marker={"size": 5, "color": colour, "symbol": "square"}, hoverinfo="skip",
        )  # fmt: skip
    fig.update_layout(
        yaxis2={
            "domain": [0, below / height], "range": [below, 0], "visible": False, "anchor": "x",
            "fixedrange": True,
        }
    )  # fmt: skip
    for (choice, option), y in places.items():
        font = style.PLAIN if option else style.STRONG
        place = {"x": 0, "xanchor": "right", "xshift": -10, "yref": "y2", "y": y, "yanchor": "middle"}
        style.note(fig, safe(option or choice[:1].upper() + choice[1:]), font=font, **place)


def _alt(table: pl.DataFrame, groups: list[tuple[str, list[str]]]) -> str:
    below = table.filter(pl.col("conf_high") < 0).height
    above = table.filter(pl.col("conf_low") > 0).height
    made = "; ".join(f"{choice} ({', '.join(options)})" for choice, options in groups)
    ends = table.select(low=pl.col("estimate").min(), high=pl.col("estimate").max()).row(0)
    return (
        f"{several(table.height, 'estimate')} from {ends[0]:.3g} to {ends[1]:.3g}; {below} below 0 with an "
        f"interval clear of it, {above} above. Choices: {made}."
    )
