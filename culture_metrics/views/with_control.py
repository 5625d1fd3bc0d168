"""A programme before and after: every measure over the years, with its control line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safe
from culture_metrics.views.numbers import listed
from culture_metrics.wording.columns import year
from culture_metrics.wording.numbers import SIGN, sentences, several, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = ["measure", "label", "unit", "period", "own", "control", "error", "reach"]
NUMBERS = ["own", "control", "error", "reach"]
PANEL, HEAD, AXIS = 170, 34, 30


def with_control(
    table: pl.DataFrame,
    *,
    order: Sequence[str],
    start: str,
    own: str,
    control: str,
    title: str,
    subtitle: str = "",
    source: str = "",
) -> go.Figure:
    """Draw every measure over the years in a panel of its own, with the control and the start.

    Parameters
    ----------
    table : polars.DataFrame
        One row per measure and period: `measure, label, unit, period, own, control`, `error` (half of the
        own interval) and `reach` (half of the span in which changes of 95 of 100 organisations of the control
        lie); null where not known.
    order : sequence of str
        Labels in the order of the panels.
    start : str
        First period in which the programme ran.
    own, control : str
        What the two lines are called.
    title, subtitle, source : str
        What is seen, the survey, and where the numbers come from.

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
    >>> table = pl.DataFrame({"measure": "morale", "label": "Morale", "unit": "score",
    ...     "period": ["2022", "2023"], "own": [6.0, 6.2], "control": [6.1, 6.1], "error": [None, 0.1],
    ...     "reach": [None, 0.2]})
    >>> with_control(table, order=["Morale"], start="2023", own="RXX", control="Acute",
    ...     title="Programme").layout.meta["alt"]
    'Programme. Line chart of 1 measure, the programme ran from 2023 on. Morale: RXX from 6.00 to 6.20, \
Acute from 6.10 to 6.10.'
    """
    rows = tidy(table, COLUMNS, key=["measure", "period"], numbers=NUMBERS, where="views.with_control")
    rows = rows.with_columns(year().alias("x")).sort("x")
    years = rows.select("x", "period").unique().sort("x")
    total = len(order) * (HEAD + PANEL + AXIS)
    fig = style.figure()
    fig.update_xaxes(range=[years["x"][0] - 0.3, years["x"][-1] + 0.3], visible=False)
    began = years.filter(period=start)["x"].to_list() or [float(start[:4])]
    said = []
    for place, label in enumerate(order):
        some = rows.filter(label=label)
        _panel(fig, some, place, total, years, began[0])
        unit = str(some["unit"][0])
        ends = [
            f"{name} from {shown(v[0], unit)} to {shown(v[-1], unit)}"
            for name, v in ((own, some["own"]), (control, some["control"].drop_nulls()))
            if len(v)
        ]
        said.append(f"{label}: {', '.join(ends)}")
    key = (
        f"<b><span style='color:{style.FOCUS}'>━ {safe(own)}</span></b>   "
        f"<span style='color:{style.QUIET_TEXT}'>┅ {safe(control)}</span>"
    )
    style.note(fig, key, x=0, y=1, xanchor="left", yanchor="bottom", yshift=6)
    return style.finish(
        fig,
        style.Room(height=total, left=style.EDGE + 56, right=style.EDGE, head=30),
        title=title,
        subtitle=subtitle,
        notes=f"Upright line: the programme ran from {start} on. Lines on dots: how far chance "
        "alone may have moved the change from the baseline. Band: where 95 of 100 organisations of the "
        "control would lie by the spread of their changes.",
        alt=sentences(
            [f"Line chart of {several(len(order), 'measure')}, the programme ran from {start} on", *said]
        ),
        source=source,
        numbers=pl.concat(
            listed(
                part,
                {"Measure": "label", "Year": "period", safe(own): "own", safe(control): "control"},
                str(part["unit"][0]),
            )
            for part in rows.partition_by("label", maintain_order=True)
        ),
    )


def _panel(
    fig: go.Figure, some: pl.DataFrame, place: int, total: float, years: pl.DataFrame, began: float
) -> None:
    """Draw the panel of one measure."""
    suffix = str(place + 1) if place else ""
    top = place * (HEAD + PANEL + AXIS) + HEAD
    domain = [max(0.0, 1 - (top + PANEL) / total), 1 - top / total]
    both = pl.concat(
        [some.select(pl.col("own") + sign * pl.col("error").fill_null(0)).to_series() for sign in (-1, 1)]
        + [
            some.select(pl.col("control") + sign * pl.col("reach").fill_null(0)).to_series().rename("own")
            for sign in (-1, 1)
        ]
    ).drop_nulls()
    low, high = float(both.min()), float(both.max())  # type: ignore[arg-type]
    air = 0.12 * ((high - low) or 1.0)
    unit = str(some["unit"][0])
    fig.update_layout(
        {
            f"yaxis{suffix}": {
                "domain": domain, "range": [low - air, high + air], "showgrid": True, "gridcolor": style.GRID,
                "nticks": 5, "ticksuffix": SIGN[unit], "fixedrange": True, "anchor": "x",
                "ticklabelstandoff": 4,
            }
        }
    )  # fmt: skip
    axes = {"xaxis": "x", "yaxis": f"y{suffix}"}
    beside = some.drop_nulls("control")
    x = beside["x"].to_list()
    reach = beside["reach"].fill_null(0)
    fig.add_scatter(
        x=[*x, *reversed(x)],
        y=[*(beside["control"] + reach), *(beside["control"] - reach).reverse()],
        mode="lines", fill="toself", line={"width": 0}, fillcolor="rgba(148,148,148,0.18)", hoverinfo="skip",
        **axes,
    )  # fmt: skip
    dashed = {"color": style.MARK, "width": 2, "dash": "dash"}
    fig.add_scatter(x=x, y=beside["control"].to_list(), mode="lines", line=dashed, **axes)
    ends = some.select(
        estimate="own", conf_low=pl.col("own") - pl.col("error"), conf_high=pl.col("own") + pl.col("error")
    )
    fig.add_scatter(
        x=some["x"].to_list(), y=some["own"].to_list(), mode="lines+markers",
        line={"color": style.FOCUS, "width": 2.5}, marker={"size": 9},
        error_y=style.interval(ends, style.FOCUS, 2),
        hovertext=[f"{p}: {shown(v, unit)}" for p, v in some.select("period", "own").iter_rows()],
        hovertemplate="%{hovertext}<extra></extra>", **axes,
    )  # fmt: skip
    # It began between two surveys: before the one that is named.
    earlier = years.filter(pl.col("x") < began)["x"].to_list()
    at = began - (began - earlier[-1]) / 2 if earlier else began
    rule = {"color": style.TEXT, "width": 1.5, "dash": "dot"}
    fig.add_shape(
        type="line", x0=at, x1=at, y0=low - air, y1=high + air, line=rule, xref="x", yref=f"y{suffix}"
    )
    where = {"yref": f"y{suffix}", "font": style.STRONG}
    style.note(
        fig,
        safe(str(some["label"][0])),
        x=0,
        y=high + air,
        xanchor="left",
        yanchor="bottom",
        yshift=5,
        **where,
    )
    for text, tick in years.select("period", "x").iter_rows():
        style.note(
            fig, text, xref="x", x=tick, yref=f"y{suffix}", y=low - air, yanchor="top", yshift=-4,
            font=style.QUIET,
        )  # fmt: skip
