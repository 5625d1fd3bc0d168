"""The change of every measure between two periods, sorted by size, with intervals and verdicts."""

from __future__ import annotations

from math import ceil, floor, log10

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safely, width, wrap
from culture_metrics.views.numbers import listed
from culture_metrics.wording.columns import printed_change
from culture_metrics.wording.numbers import MINUS, base_range, fixed, held_back, reach, sentences, several
from culture_metrics.wording.verdicts import (
    BARRED,
    CLEAR,
    DECLINED,
    IMPROVED,
    LIKELY,
    LIKELY_DECLINED,
    LIKELY_IMPROVED,
    SAME,
    UNCLEAR,
    VERDICTS,
    counted,
)

COLUMNS = [
    "measure", "label", "unit", "estimate_from", "estimate_to", "base_from", "base_to", "period_from",
    "period_to", "difference", "conf_low", "conf_high", "material", "verdict", "reason",
]  # fmt: skip
NUMBERS = [
    "difference", "conf_low", "conf_high", "estimate_from", "estimate_to", "base_from", "base_to", "material",
]  # fmt: skip
WHERE = "views.changes"
#: Verdict -> colour and symbol; those that the interval alone supports are hollow.
STYLES = {
    IMPROVED: (style.DARK_BLUE, "circle"),
    DECLINED: (style.ORANGE, "diamond"),
    LIKELY_IMPROVED: (style.DARK_BLUE, "circle-open"),
    LIKELY_DECLINED: (style.ORANGE, "diamond-open"),
    SAME: (style.MARK, "square"),
    UNCLEAR: (style.MARK, "circle-open"),
    BARRED: (style.MARK, "x-thin-open"),
}
LABEL_WIDTH, ROW, MOST, PANEL_GAP = 250, 24, 30, 34


def changes(
    table: pl.DataFrame,
    *,
    title: str,
    unit: str = "score",
    subtitle: str = "",
    source: str = "",
    scale: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw the change of every measure of one unit as dots with 95 % intervals, the largest rise first.

    The shaded band is the margin of no material change either way. What may not be compared stands beneath,
    without a dot. Of more than 30 measures those furthest from nought (in their own spread) are drawn.

    Parameters
    ----------
    table : polars.DataFrame
        One row per measure, as `compare_years` gives it for one organisation and group.
    title, subtitle, source : str
        What is seen, its periods, and where the numbers come from.
    unit : {"score", "percent"}
        Which measures to draw.
    scale : (float, float), optional
        Where scores lie, from the lowest to the highest.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows of the unit.

    Examples
    --------
    >>> row = {"measure": "morale", "label": "Morale", "unit": "score", "estimate_from": 5.9,
    ...     "estimate_to": 6.2, "base_from": 800, "base_to": 812, "period_from": "2023", "period_to": "2024",
    ...     "difference": 0.3, "conf_low": 0.1, "conf_high": 0.5, "material": 0.1, "verdict": "improved",
    ...     "reason": "Beyond chance (adjusted p 0.004)."}
    >>> changes(pl.DataFrame([row]), title="What changed").layout.meta["alt"]
    'What changed. Dot plot of the change of 1 measure, 2023 to 2024. 1 improved. Morale: +0.30, improved.'
    """
    of_unit = table.filter(pl.col("unit").cast(pl.String) == unit)
    of_unit = tidy(of_unit, COLUMNS, key=["measure"], numbers=NUMBERS, where=WHERE)
    rows, left_out = _rows(of_unit, unit)
    drawn = rows.drop_nulls("difference")

    fig = style.figure()
    total = float(rows["bottom"].item(-1))
    style.pixel_rows(fig, total)
    axis = "Change in percentage points" if unit == "percent" else f"Change in score{reach(scale, ' ({})')}"
    low, high = _limits(drawn)
    fig.update_xaxes(title_text=axis, showgrid=True, gridcolor=style.GRID, range=[low, high])
    fig.update_xaxes(zeroline=True, zerolinecolor=style.TEXT, zerolinewidth=1.5, **_ticks(low, high))
    _bands(fig, drawn)
    for verdict in STYLES:
        _dots(fig, drawn.filter(pl.col("verdict") == verdict), verdict)
    right = max(width(v) for v in VERDICTS) + 2 * style.EDGE
    left = style.EDGE + max(width(line) for text in rows["lines"] for line in text.split("<br>")) + 14
    place = {"x": 0, "xanchor": "left", "align": "left", "xshift": style.EDGE - left}
    style.column(fig, rows["lines"], rows["y"], **place)
    said = {"x": 1, "xanchor": "left", "xshift": 12}
    style.column(fig, rows["verdict"], rows["y"], **said, font=style.QUIET)
    hidden = table.select(held_back().sum()).item() if "status" in table.columns else 0
    return style.finish(
        fig,
        style.Room(height=total, left=left, right=right, head=8, foot=52),
        title=title,
        subtitle=sentences([subtitle, base_range(pl.concat([rows["base_from"], rows["base_to"]]))]),
        notes=_notes(rows, left_out, unit),
        alt=_alt(rows, unit),
        source=source,
        numbers=listed(
            rows,
            {
                "Measure": "label",
                str(rows["period_from"][0]): "estimate_from",
                str(rows["period_to"][0]): "estimate_to",
                "Change": plus_printed(unit),
                "95% interval": pl.format("{} to {}", plus("conf_low", unit), plus("conf_high", unit)),
                "Base before": "base_from",
                "Base after": "base_to",
                "Verdict": "verdict",
            },
            unit,
        ),
        suppressed=hidden,
    )


def _rows(table: pl.DataFrame, unit: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sort the measures and place them on the page; return those left out as well."""
    spread = (pl.col("conf_high") - pl.col("conf_low")).abs()
    ordered = table.with_columns(
        pl.col("verdict").cast(pl.String), far=(pl.col("difference").abs() / spread).fill_nan(None)
    ).sort(pl.col("difference").is_null(), pl.col("far"), descending=[False, True], nulls_last=True)
    kept = ordered.head(MOST).sort("difference", descending=True, nulls_last=True, maintain_order=True)
    lines = [wrap(label, LABEL_WIDTH) for label in kept["label"]]
    placed = (
        kept.with_columns(
            pl.Series("lines", ["<br>".join(text) for text in lines], pl.String),
            pl.Series("height", [ROW + 18 * (len(text) - 1) for text in lines]),
        )
        .with_columns(pl.col("height").cum_sum().alias("bottom"))
        .with_columns((pl.col("bottom") - pl.col("height") / 2).alias("y"))
        .with_columns(
            pl.format(
                "<b>{}</b><br>{}<br>95% interval {} to {}<br>{}",
                safely("label"),
                before_and_after(unit),
                plus("conf_low", unit),
                plus("conf_high", unit),
                safely("reason"),
            ).alias("hover")
        )
    )
    return placed, ordered.slice(MOST)


def before_and_after(unit: str) -> pl.Expr:
    """Expression: what hovering says of both periods, their bases and the change."""
    return pl.format(
        "{}: {} (base {})<br>{}: {} (base {})<br>Change {}",
        "period_from",
        fixed("estimate_from", unit),
        "base_from",
        "period_to",
        fixed("estimate_to", unit),
        "base_to",
        plus_printed(unit),
    )


def plus_printed(unit: str) -> pl.Expr:
    """Expression: the change between both figures as they are printed, with its sign."""
    return plus(printed_change(), unit)


def plus(column: str | pl.Expr, unit: str) -> pl.Expr:
    """Expression: a change as text, with its sign; nought has none."""
    value = pl.col(column) if isinstance(column, str) else column
    text = fixed(value.abs(), unit).str.strip_suffix("%")
    nought = text.str.strip_chars("0.") == ""
    sign = pl.when(value > 0).then(pl.lit("+")).otherwise(pl.lit(MINUS))
    return pl.when(nought).then(text).otherwise(pl.concat_str(sign, text))


def _limits(drawn: pl.DataFrame) -> tuple[float, float]:
    ends = drawn.select("difference", "conf_low", "conf_high", "material", least=-pl.col("material"))
    values = ends.unpivot()["value"].drop_nulls()
    low, high = (float(values.min()), float(values.max())) if len(values) else (-1.0, 1.0)  # type: ignore[arg-type]
    edge = 0.04 * (high - low)
    return low - edge, high + edge


def _ticks(low: float, high: float) -> dict[str, object]:
    """Round values to write beneath the dots, with their signs; nought has none."""
    power = 10.0 ** floor(log10((high - low) / 5))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= (high - low) / 8)
    values = [round(k * step, 6) for k in range(ceil(low / step), floor(high / step) + 1)]
    return {"tickvals": values, "ticktext": [f"{v:+g}".replace("-", MINUS) if v else "0" for v in values]}


def _bands(fig: go.Figure, drawn: pl.DataFrame) -> None:
    """Shade the margin of no material change of each measure."""
    box = {"type": "rect", "yref": "y", "layer": "below", "fillcolor": "#EFEFEF", "line": {"width": 0}}
    # Assigned, not added: Plotly checks all shapes anew at each one added.
    fig.layout.shapes = [
        {**box, "x0": -size, "x1": size, "y0": bottom - height, "y1": bottom}
        for size, bottom, height in drawn.select("material", "bottom", "height").iter_rows()
    ]


def _dots(fig: go.Figure, rows: pl.DataFrame, verdict: str) -> None:
    if rows.is_empty():
        return
    colour, symbol = STYLES[verdict]
    fig.add_scatter(
        name=verdict,
        x=rows["difference"].to_list(),
        y=rows["y"].to_list(),
        mode="markers",
        marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
        error_x=style.interval(rows, colour, 2, of="difference"),
        hovertext=rows["hover"].to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _notes(rows: pl.DataFrame, left_out: pl.DataFrame, unit: str) -> str:
    sizes = rows["material"].drop_nulls().unique().sort()
    size = f"{sizes[0]:g}" if len(sizes) == 1 else f"{sizes[0]:g} to {sizes[-1]:g}" if len(sizes) else ""
    points = "" if unit != "percent" else " point" if size == "1" else " points"
    said = [f"Lines: 95% interval of each change. Shaded: no material change, {size}{points} either way."]
    if rows["verdict"].is_in(LIKELY).any():
        said.append("Hollow: the interval is clear of 0, but not once all that was compared is allowed for.")
    if (rows["verdict"] == UNCLEAR).any():
        said.append("No clear change: the line says what the data allow.")
    barred = int((left_out["verdict"] == BARRED).sum())
    closer = left_out.height - barred
    gone = [f"{n:,} {why}" for n, why in ((closer, "closer to 0"), (barred, BARRED)) if n]
    if gone:
        said.append(f"Not drawn: {' and '.join(gone)}.")
    return " ".join(said)


def _alt(rows: pl.DataFrame, unit: str) -> str:
    counts = dict(rows["verdict"].value_counts().iter_rows())
    first = rows.row(0, named=True)
    said = [
        f"Dot plot of the change of {several(rows.height, 'measure')}, {first['period_from']} to "
        f"{first['period_to']}.",
        ", ".join(counted(counts)) + ".",
    ]
    told = rows.filter(pl.col("verdict").is_in(CLEAR)).select(
        pl.format("{}: {}, {}.", "label", plus_printed(unit), "verdict")
    )
    return " ".join([*said, *told.to_series().head(6)])
