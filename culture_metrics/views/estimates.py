"""Estimates with their intervals on a common axis, one row each, in panels where the axes differ."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safe, safely, width, wrap
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import number, places, sentences, several

WHERE = "views.estimates"
NUMBERS = ["estimate", "conf_low", "conf_high"]
ROW, LINE, HEAD, AXIS = 38, 19, 34, 58
LABEL_WIDTH = 230


@dataclass(frozen=True)
class _Panel:
    """One axis with its rows; `top` in pixels from the top of the plot, `reach` the ends of all marks.

    Panels of one axis text share their reach, so that they can be compared. `row` is the height of a row.
    """

    rows: pl.DataFrame
    heading: str
    axis: str
    ratio: bool
    top: float
    reach: tuple[float, float]
    row: int


def estimates(  # noqa: PLR0913
    table: pl.DataFrame,
    *,
    axis: str,
    title: str,
    subtitle: str = "",
    source: str = "",
    notes: str = "",
    decimals: int | None = None,
    ratio: bool = False,
    reference: float | None = None,
    span: tuple[float, float] | None = None,
    level: float = 0.95,
) -> go.Figure:
    """Draw estimates and their intervals, one row each, with the numbers beside them.

    Parameters
    ----------
    table : polars.DataFrame
        `label`, `estimate`, `conf_low`, `conf_high` (may be null). Optional: `panel` (rows with equal text
        share an axis and stand under it), `axis` (text of the panel's axis), `ratio` (whether it is
        one of ratios), `strong` (which rows to pick out; all when absent), `detail` (words for hovering, the
        base for example). Rows keep their order.
    axis : str
        What the axis shows, with its unit, where the table does not say.
    title, subtitle, source, notes : str
        What is seen, of whom, and where the numbers come from.
    decimals : int, optional
        Decimals of the numbers written beside the rows; left out, what the intervals of a panel are worth.
    ratio : bool
        Whether the numbers are ratios: the axis is then logarithmic and 1 means no difference.
    reference : float, optional
        Where to rule the line of no difference: 0, or 1 for ratios, when left out.
    span : (float, float), optional
        Ends that the axis reaches at least.
    level : float
        Level of the intervals.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says every row in words.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.

    Examples
    --------
    >>> table = pl.DataFrame({"label": ["Pooled", "Within"], "estimate": [-0.021, -0.001],
    ...     "conf_low": [-0.033, -0.009], "conf_high": [-0.009, 0.007]})
    >>> estimates(table, axis="Difference in SHMI", title="One link").layout.meta["alt"]
    'One link. Dot and interval plot of 2 estimates. Pooled: \N{MINUS SIGN}0.021 (95% interval \
\N{MINUS SIGN}0.033 to \N{MINUS SIGN}0.009). Within: \N{MINUS SIGN}0.0010 (95% interval \
\N{MINUS SIGN}0.0090 to 0.0070).'
    """
    key = ["panel", "label"] if "panel" in getattr(table, "columns", ()) else ["label"]
    table = tidy(table, ["label", *NUMBERS], key=key, numbers=NUMBERS, where=WHERE)
    whole = {"panel": pl.lit(""), "axis": pl.lit(axis), "ratio": pl.lit(ratio)}
    whole |= {"strong": pl.lit(True), "detail": pl.lit("")}
    table = table.with_columns(e.alias(n) for n, e in whole.items() if n not in table.columns)
    lines = max(len(wrap(label, LABEL_WIDTH)) for label in table["label"])
    panels = _panels(table, decimals, max(ROW, LINE * lines), span)
    table = pl.concat([panel.rows for panel in panels])
    left = max(60.0, *(min(LABEL_WIDTH, width(t)) for t in table["label"])) + 2 * style.EDGE
    ends = table["conf_low"].is_not_null().any()
    values = f"Estimate ({100 * level:g}% interval)" if ends else axis.partition(":")[0]
    beside = max(width(t) for t in [*table["said"], values]) + 10
    right = style.EDGE + beside
    height = panels[-1].top + panels[-1].rows.height * panels[-1].row
    fig = style.figure()
    for place, panel in enumerate(panels):
        _draw(fig, panel, place, height, reference)
        _write(fig, panel, place)
    style.note(fig, values, x=1, y=1, xanchor="left", xshift=10, yanchor="bottom", yshift=4, font=style.QUIET)
    return style.finish(
        fig,
        style.Room(height=height, left=left, right=right, head=HEAD, foot=AXIS),
        title=title,
        subtitle=subtitle,
        source=source,
        notes=notes,
        numbers=listed(
            table,
            {
                "Estimate": "label",
                "Of": pl.col("panel").replace("", None),
                f"Value ({100 * level:g}% interval)": "said",
                "Counted in": "axis",
            },
            None,
        ),
        alt=f"Dot and interval plot of {several(table.height, 'estimate')}. {_alt(table, level)}",
    )


def _said(rows: pl.DataFrame, decimals: int | None) -> list[str]:
    """Return estimate and interval of each row as text."""
    said = []
    for value, low, high in rows.select(NUMBERS).iter_rows():
        digits = places(low, high) if decimals is None else decimals
        ends = "" if None in (low, high) else f" ({number(low, digits)} to {number(high, digits)})"
        said.append("not estimated" if value is None else f"{number(value, digits)}{ends}")
    return said


def _panels(
    table: pl.DataFrame, decimals: int | None, row: int, span: tuple[float, float] | None
) -> list[_Panel]:
    """Part the rows into panels and say where each begins, in pixels from the top of the plot."""
    panels, top = [], 0.0
    for group in table.partition_by("panel", maintain_order=True):
        first = group.row(0, named=True)
        said = _said(group, decimals)
        rows = group.with_columns(pl.Series("said", said))
        top += HEAD if first["panel"] else 0
        reach = _reach(table.filter(pl.col("axis") == first["axis"]), first["ratio"], span)
        panels.append(_Panel(rows, first["panel"], first["axis"], first["ratio"], top, reach, row))
        top += rows.height * row + AXIS
    return panels


def _reach(rows: pl.DataFrame, ratio: bool, span: tuple[float, float] | None) -> tuple[float, float]:
    marks = rows.select(NUMBERS).unpivot()["value"].cast(pl.Float64).drop_nulls().to_list()
    marks += span or ()
    marks = marks or [1.0 if ratio else 0.0]
    return min(marks), max(marks)


def _draw(fig: go.Figure, panel: _Panel, place: int, height: float, reference: float | None) -> None:
    """Draw one panel: its axes, the line of no difference, dots and intervals."""
    n, suffix = panel.rows.height, str(place + 1) if place else ""
    low, high = 1 - (panel.top + n * panel.row) / height, 1 - panel.top / height
    fig.update_layout(
        {
            f"yaxis{suffix}": {
                "domain": [max(low, 0), min(high, 1)], "range": [n - 0.5, -0.5], "visible": False,
                "fixedrange": True, "anchor": f"x{suffix}",
            },
            f"xaxis{suffix}": {
                "title": {"text": safe(panel.axis)}, "anchor": f"y{suffix}", "showgrid": True,
                "gridcolor": style.GRID, "nticks": 6, "tickangle": 0, **_range(panel, reference),
            },
        }
    )  # fmt: skip
    rule = {"color": style.TEXT, "width": 1.5, "dash": "dash"}
    none = (1.0 if panel.ratio else 0.0) if reference is None else reference
    fig.add_shape(
        type="line", x0=none, x1=none, y0=-0.5, y1=n - 0.5, line=rule, layer="below",
        xref=f"x{suffix}", yref=f"y{suffix}",
    )  # fmt: skip
    rows = panel.rows.with_row_index("y").drop_nulls("estimate")
    for strong, colour in ((False, style.MARK), (True, style.FOCUS)):
        some = rows.filter(strong=strong)
        fig.add_scatter(
            name="picked out" if strong else "others",
            x=some["estimate"].to_list(),
            y=some["y"].to_list(),
            xaxis=f"x{suffix}",
            yaxis=f"y{suffix}",
            mode="markers",
            marker={"size": 10, "color": colour, "symbol": "circle" if strong else "diamond"},
            error_x=style.interval(some, colour, 2.5),
            hovertext=some.select(
                pl.format("<b>{}</b><br>{}<br>{}", safely("label"), "said", safely("detail"))
            ).to_series().to_list(),
            hovertemplate="%{hovertext}<extra></extra>",
        )  # fmt: skip


def _range(panel: _Panel, reference: float | None) -> dict[str, Any]:
    """Return type and range of the axis: every mark and the line of no difference, with some air."""
    none = (1.0 if panel.ratio else 0.0) if reference is None else reference
    low, high = min(none, panel.reach[0]), max(none, panel.reach[1])
    if panel.ratio:
        low, high = math.log10(max(low, 1e-6)), math.log10(high)
    edge = 0.05 * (high - low or 1.0)
    return {"type": "log" if panel.ratio else "linear", "range": [low - edge, high + edge]}


def _write(fig: go.Figure, panel: _Panel, place: int) -> None:
    """Write labels at the left, numbers at the right, and the panel's heading."""
    where = {"yref": f"y{place + 1 if place else ''}", "yanchor": "middle"}
    ys = list(range(panel.rows.height))
    labels = ["<br>".join(wrap(text, LABEL_WIDTH)) for text in panel.rows["label"]]
    style.column(fig, labels, ys, x=0, xanchor="right", align="right", xshift=-12, **where)
    style.column(fig, panel.rows["said"], ys, x=1, xanchor="left", xshift=10, **where)
    if panel.heading:
        fixed = {"x": 0, "xanchor": "left", "yref": where["yref"], "yanchor": "bottom", "yshift": 6}
        style.note(fig, safe(panel.heading), y=-0.5, font=style.STRONG, **fixed)


def _alt(table: pl.DataFrame, level: float) -> str:
    said = pl.col("said").str.replace(r" \((.*)\)", f" ({100 * level:g}% interval $1)")
    lead = pl.when(pl.col("panel") != "").then(pl.format("{}, ", "panel")).otherwise(pl.lit(""))
    return sentences(table.select(pl.format("{}{}: {}", lead, "label", said)).to_series())
