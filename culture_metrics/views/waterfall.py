"""From one level to another in steps, each where the one before it ended."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import one_of, tidy
from culture_metrics.views.labels import safely, wrap
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import DECIMALS, MINUS, SIGN, count, sentences, several, shown

COLUMNS = ["section", "label", "estimate", "conf_low", "conf_high", "base_from", "base_to"]
NUMBERS = ["estimate", "conf_low", "conf_high", "base_from", "base_to"]
WHERE = "views.waterfall"
LABEL_WIDTH, READING_WIDTH, LINE, BAR, HEAD = 210, 158, 18, 16, 26
RISE, FALL = style.SEQUENTIAL[1], style.ORANGE
#: A level: what it is called, its value, its base.
Level = tuple[str, float, int]


def waterfall(
    table: pl.DataFrame,
    *,
    start: Level,
    end: Level,
    title: str,
    unit: str = "score",
    subtitle: str = "",
    source: str = "",
    notes: str = "",
) -> go.Figure:
    """Draw the steps that lead from one level to another, with intervals.

    Each bar begins where the one above it ended; the first at `start`, the last ends at `end`. The axis shows
    the range that the steps need and does not begin at 0.

    Parameters
    ----------
    table : polars.DataFrame
        One row per step, in order: `section` (rows of one section stand together under it), `label`,
        `estimate, conf_low, conf_high` (of the step; intervals may be null), `base_from, base_to`.
    start, end : tuple
        Name, value and base of the two levels. The steps sum to their difference.
    unit : {"score", "percent"}
        Unit of the levels; steps of a percentage are points.
    title, subtitle, source, notes : str
        What is seen, of whom, where the numbers come from, and what else has to be known.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words.

    Raises
    ------
    ResultsError
        When the table lacks a column, has no rows, or a step twice.

    Examples
    --------
    >>> table = pl.DataFrame({"section": ["Mix", "Within"], "label": ["Occupation", "Nurses"],
    ...     "estimate": [0.9, 2.8], "conf_low": [0.2, 1.0], "conf_high": [1.6, 4.6],
    ...     "base_from": [900, 400], "base_to": [950, 410]})
    >>> ends = {"start": ("2023", 61.2, 900), "end": ("2024", 64.9, 950)}
    >>> fig = waterfall(table, **ends, unit="percent", title="Change")
    >>> fig.layout.meta["alt"]
    'Change. Waterfall of 2 steps from 61.2% (2023) to 64.9% (2024). Mix, Occupation: +0.9 (+0.2 to +1.6). \
Within, Nurses: +2.8 (+1.0 to +4.6).'
    """
    one_of("unit", unit, DECIMALS, WHERE)
    table = tidy(table, COLUMNS, key=["section", "label"], numbers=NUMBERS, where=WHERE).drop_nulls(
        "estimate"
    )
    places = _places(table, unit)
    rows = _placed(table, start[1], unit, places)
    bottom = rows["bottom"].item(-1) if rows.height else LINE
    ends = [(LINE / 2 + 6, start), (bottom + LINE / 2 + 12, end)]
    total = ends[1][0] + LINE / 2 + 6

    fig = style.figure()
    style.pixel_rows(fig, total)
    fig.update_xaxes(
        range=_limits(rows, start[1], end[1]),
        nticks=6,
        ticksuffix=SIGN[unit],
        showgrid=True,
        gridcolor=style.GRID,
    )
    if unit == "score":
        fig.update_xaxes(tickformat=".2f")
    _connect(fig, rows, ends)
    _bars(fig, rows)
    _levels(fig, ends, unit)
    _labels(fig, rows, ends, unit)
    said = [
        "Bars: change, each from where the one above ended; they add up before rounding. The axis does not "
        "begin at 0."
    ]
    if rows["conf_low"].is_not_null().any():
        said.append("Lines: 95% interval of the step.")
    return style.finish(
        fig,
        style.Room(
            height=total,
            left=style.EDGE + LABEL_WIDTH + 12,
            right=READING_WIDTH + 24 * (places - DECIMALS[unit]) + style.EDGE,
            head=HEAD,
            foot=30,
        ),
        title=title,
        subtitle=sentences([subtitle, f"base {start[2]:,} in {start[0]}, {end[2]:,} in {end[0]}"]),
        notes=sentences([" ".join(said), notes]),
        alt=_alt(rows, start, end, unit),
        source=source,
        numbers=listed(
            rows,
            {
                "Step": "label",
                "Part": "section",
                "Change": "size",
                "95% interval": pl.col("interval").str.strip_chars(" ()").replace("", None),
                "Base before": "base_from",
                "Base after": "base_to",
            },
            unit,
        ),
    )


def _places(table: pl.DataFrame, unit: str) -> int:
    """Return the decimals of the steps: one more than their unit has where all would round away."""
    largest = table.select(pl.col("estimate").abs().max()).item() or 0.0
    return DECIMALS[unit] + (largest < 10.0 ** (1 - DECIMALS[unit]))


def _signed(column: str, places: int) -> pl.Expr:
    """Expression: a step with its sign and without its unit."""
    size = pl.col(column).abs().round(places).cast(pl.Decimal(12, places)).cast(pl.String)
    nought = size.cast(pl.Float64) == 0
    sign = (
        pl.when(nought).then(pl.lit("")).when(pl.col(column) > 0).then(pl.lit("+")).otherwise(pl.lit(MINUS))
    )
    return pl.concat_str(sign, size)


def _placed(table: pl.DataFrame, start: float, unit: str, places: int) -> pl.DataFrame:
    """Place the steps on the page and on the axis, each as high as its label needs."""
    lines = [wrap(label, LABEL_WIDTH) for label in table["label"]]
    fresh = pl.col("section") != pl.col("section").shift().fill_null("")
    after = start + pl.col("estimate").cum_sum()
    interval = pl.format(" ({} to {})", _signed("conf_low", places), _signed("conf_high", places)).fill_null(
        ""
    )
    bases = pl.format("<br>Base {} and {}", count("base_from"), count("base_to")).fill_null("")
    points = " points" if unit == "percent" else ""
    return (
        table.with_columns(
            pl.Series("lines", ["<br>".join(text) for text in lines], pl.String),
            pl.Series("height", [LINE * len(text) + 10 for text in lines]),
            fresh.alias("fresh"),
            after.alias("after"),
            (after - pl.col("estimate")).alias("before"),
            _signed("estimate", places).alias("size"),
            interval.alias("interval"),
        )
        .with_columns((pl.col("height") + pl.col("fresh") * (LINE + 12)).cum_sum().alias("bottom"))
        .with_columns(
            (pl.col("bottom") + LINE + 12).alias("bottom"),
            pl.concat_str("size", "interval").alias("reading"),
            pl.format(
                "<b>{}</b><br>{}: {}" + points + "{}{}",
                safely("label"),
                safely("section"),
                "size",
                interval.str.replace(" (", "<br>95% interval ", literal=True).str.strip_suffix(")"),
                bases,
            ).alias("hover"),
        )
        .with_columns((pl.col("bottom") - pl.col("height") / 2).alias("y"))
    )


def _limits(rows: pl.DataFrame, start: float, end: float) -> list[float]:
    """Return the ends of the axis: every bar, line and level, with a little room."""
    shift = pl.col("before")
    marks = rows.select(
        pl.col("before"), pl.col("after"), low=shift + pl.col("conf_low"), high=shift + pl.col("conf_high")
    )
    known = [v for v in [start, end, *marks.unpivot()["value"]] if v is not None]
    edge = 0.05 * max(max(known) - min(known), 0.02)
    return [min(known) - edge, max(known) + edge]


def _connect(fig: go.Figure, rows: pl.DataFrame, ends: list[tuple[float, Level]]) -> None:
    """Rule a thin line from where a step ends to where the next begins."""
    ys = [ends[0][0], *rows["y"], ends[1][0]]
    xs = [ends[0][1][1], *rows["after"]]
    line = {"color": style.MARK, "width": 1}
    fig.layout.shapes = [
        {"type": "line", "x0": x, "x1": x, "y0": top, "y1": bottom, "line": line, "layer": "below"}
        for x, top, bottom in zip(xs, ys[:-1], ys[1:], strict=True)
    ]


def _bars(fig: go.Figure, rows: pl.DataFrame) -> None:
    colours = rows.select(
        pl.when(pl.col("size").str.strip_chars("0.") == "")
        .then(pl.lit(style.MARK))
        .when(pl.col("estimate") < 0)
        .then(pl.lit(FALL))
        .otherwise(pl.lit(RISE))
    ).to_series()
    fig.add_bar(
        name="Steps",
        orientation="h",
        y=rows["y"].to_list(),
        base=rows["before"].to_list(),
        x=rows["estimate"].to_list(),
        width=BAR,
        marker={"color": colours.to_list(), "line": {"width": 0}},
        error_x=style.interval(rows, style.TEXT, 1.5),
        hovertext=rows["hover"].to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
        textposition="none",
    )


def _levels(fig: go.Figure, ends: list[tuple[float, Level]], unit: str) -> None:
    fig.add_scatter(
        name="Levels",
        x=[level[1] for _, level in ends],
        y=[y for y, _ in ends],
        mode="markers",
        marker={"size": 12, "color": style.FOCUS},
        hovertext=[
            f"<b>{name}</b><br>Value {shown(value, unit)}<br>Base {base:,}" for _, (name, value, base) in ends
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _labels(fig: go.Figure, rows: pl.DataFrame, ends: list[tuple[float, Level]], unit: str) -> None:
    """Write names at the left and numbers at the right."""
    edge = -LABEL_WIDTH - 12
    left = {"x": 0, "xanchor": "left", "align": "left", "xshift": edge}
    right = {"x": 1, "xanchor": "left", "align": "left", "xshift": 12}
    heads = rows.filter("fresh")
    style.column(
        fig, heads["section"], heads["y"] - heads["height"] / 2 - LINE / 2, **left, font=style.STRONG
    )
    style.column(fig, rows["lines"], rows["y"], **{**left, "xshift": edge + 12})
    style.column(fig, rows["reading"], rows["y"], **right)
    ys = [y for y, _ in ends]
    style.column(fig, [level[0] for _, level in ends], ys, **left, font=style.STRONG)
    style.column(fig, [shown(level[1], unit) for _, level in ends], ys, **right, font=style.STRONG)
    unit_name = "Points" if unit == "percent" else "Change"
    known = " (95% interval)" if rows["conf_low"].is_not_null().any() else ""
    style.note(fig, f"{unit_name}{known}", y=1, yanchor="bottom", yshift=4, **right, font=style.QUIET)


def _alt(rows: pl.DataFrame, start: Level, end: Level, unit: str) -> str:
    said = [
        f"Waterfall of {several(rows.height, 'step')} from {shown(start[1], unit)} ({start[0]}) to "
        f"{shown(end[1], unit)} ({end[0]})."
    ]
    said += [f"{a}, {b}: {c}." for a, b, c in rows.select("section", "label", "reading").iter_rows()]
    return " ".join(said)
