"""The indicators of a framework, under its dimensions: dots with intervals, and what is not measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import reading, safe, safely, width, wrap
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import base_range, fixed, held_back, sentences, several

if TYPE_CHECKING:
    import plotly.graph_objects as go

COLUMNS = [
    "family", "dimension", "coverage", "label", "unit", "period", "estimate", "conf_low", "conf_high",
    "base", "median", "organisations", "comparable",
]  # fmt: skip
KEY = ["family", "dimension", "label"]
NUMBERS = ["estimate", "conf_low", "conf_high", "base"]
LINE, AIR, FAMILY, DIMENSION, GAP = 19, 8, 34, 28, 10
LABEL_WIDTH, VALUE_COLUMN, INTERVAL_COLUMN, MEDIAN_COLUMN = 220, 58, 108, 60
#: How a heading says what of a dimension is measured.
COVERED = {"full": "measured", "part": "measured in part", "none": "not measured by this survey"}


def indicators(
    table: pl.DataFrame,
    *,
    title: str,
    subtitle: str = "",
    source: str = "",
    notes: str = "",
    scale: tuple[float, float] = (0.0, 10.0),
) -> go.Figure:
    """Draw the indicators of a framework as dots with intervals, dimension by dimension.

    Scores and percentages share an axis by their place on their own scale; the numbers stand beside them.

    Parameters
    ----------
    table : polars.DataFrame
        In the order to draw them, one row for each period of an indicator (the last period is the one drawn
        in colour): `family` (heading above several dimensions, or ""), `dimension`, `coverage` (full, part,
        none), `label` (null where the dimension has no indicator), `unit`, `period`, `estimate`,
        `conf_low`, `conf_high`, `base`, `median` and `organisations` of a benchmark group (may be null),
        `comparable` (whether an earlier period compares with the last). A null estimate, or a `status` other
        than reported, is drawn as "not shown".
    title, subtitle, source, notes : str
        What is seen, of whom, and where the numbers come from.
    scale : (float, float)
        Where scores lie.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.

    Examples
    --------
    >>> table = pl.DataFrame({"family": "", "dimension": ["Voice", "Boards"], "coverage": ["full", "none"],
    ...     "label": ["Raising concerns", None], "unit": ["score", None], "period": "2024",
    ...     "estimate": [6.4, None], "conf_low": [6.3, None], "conf_high": [6.5, None], "base": [800, None],
    ...     "median": [6.5, None], "organisations": [24, None], "comparable": [True, None]})
    >>> indicators(table, title="Speaking up").layout.meta["alt"]
    'Speaking up. Dot plot of 1 indicator in 2 dimensions; 1 dimension is not measured. Voice: Raising \
concerns 6.40.'
    """
    tidied = tidy(table, COLUMNS, key=[*KEY, "period"], numbers=NUMBERS, where="views.indicators")
    rows = _placed(tidied, scale)
    last = rows.filter(pl.col("period") == pl.col("period").max())
    marks = last.filter(pl.col("label").is_not_null())
    earlier = rows.filter(pl.col("period") < pl.col("period").max()).drop_nulls("x")
    heads = _headings(last)
    compared = marks["median_x"].is_not_null().any()
    total = last["bottom"].max()
    left = LABEL_WIDTH + 2 * style.EDGE
    right = style.EDGE + VALUE_COLUMN + INTERVAL_COLUMN + (MEDIAN_COLUMN if compared else 0)
    fig = style.figure()
    style.pixel_rows(fig, float(total))  # type: ignore[arg-type]
    _axis(fig, rows, scale)
    _rules(fig, heads, left, right)
    _dots(fig, marks, earlier)
    _words(fig, marks, left, compared=compared)
    _heads(fig, heads, left)
    said = ["Lines: 95% interval." if marks["conf_low"].is_not_null().any() else ""]
    if compared:
        said.append(
            f"Upright marks: median of {several(_most(marks), 'organisation')} of the benchmark group."
        )
    if earlier.height:
        said.append(f"Small dots: earlier years from {earlier['period'].sort()[0]} on.")
        if not earlier["comparable"].fill_null(value=True).all():
            said.append("Open ones do not compare with the last year.")
    said.append("Lines of one dimension are not added up, and dimensions are not independent.")
    return style.finish(
        fig,
        style.Room(height=float(total), left=left, right=right, head=24, foot=56),  # type: ignore[arg-type]
        title=title,
        subtitle=sentences([subtitle, base_range(marks["base"])]),
        notes=" ".join(filter(None, [*said, notes])),
        alt=_alt(last, marks),
        source=source,
        numbers=listed(
            marks,
            {
                "Indicator": "label",
                "Dimension": "dimension",
                "Value": "value",
                "95% interval": "interval",
                "Base": "base",
                "Median of the benchmark group": "middle",
            },
        ),
        suppressed=marks.select(held_back().sum()).item(),
    )


def _most(marks: pl.DataFrame) -> int:
    return int(marks["organisations"].fill_null(0).max())  # type: ignore[arg-type]


def _placed(table: pl.DataFrame, scale: tuple[float, float]) -> pl.DataFrame:
    """Give every indicator its height on the page, and every number its place on the common axis."""
    last = table.filter(pl.col("period") == pl.col("period").max())
    order = last.select(KEY).unique(maintain_order=True).with_columns(
        pl.col("label").map_elements(lambda text: len(wrap(text, LABEL_WIDTH)), return_dtype=pl.Int64)
        .fill_null(0).alias("lines"),
    )  # fmt: skip
    same = (pl.col("family") == pl.col("family").shift()).fill_null(value=False)
    first = ~(same & (pl.col("dimension") == pl.col("dimension").shift()).fill_null(value=False))
    order = order.with_columns(
        opens=first, opens_family=first & ~same & (pl.col("family") != "")
    ).with_columns(
        height=pl.when(pl.col("lines") > 0).then(pl.col("lines") * LINE + AIR).otherwise(0),
        above=pl.when("opens").then(DIMENSION + GAP).otherwise(0)
        + pl.when("opens_family").then(FAMILY).otherwise(0),
    )
    order = order.with_columns(bottom=(pl.col("height") + pl.col("above")).cum_sum()).with_columns(
        y=pl.col("bottom") - pl.col("height") / 2, top=pl.col("bottom") - pl.col("height")
    )
    low, high = scale
    score = pl.col("unit") == "score"
    share = {
        name: pl.when(score).then(100 * (pl.col(of) - low) / (high - low)).otherwise(pl.col(of))
        for name, of in {
            "x": "estimate", "low_x": "conf_low", "high_x": "conf_high", "median_x": "median"
        }.items()
    }  # fmt: skip
    return (
        table.with_columns(pl.col("unit").cast(pl.String))
        .join(order, on=KEY, how="inner", maintain_order="left", nulls_equal=True)
        .with_columns(**share)
        .with_columns(
            value=_by_unit(fixed("estimate", "score"), fixed("estimate", "percent")),
            interval=_by_unit(
                *(
                    pl.format("{} to {}", fixed("conf_low", unit), fixed("conf_high", unit))
                    for unit in ("score", "percent")
                )
            ),
            middle=_by_unit(fixed("median", "score"), fixed("median", "percent")),
            hover=pl.concat_str(
                pl.format("<b>{}</b><br>{}<br>", safely("label"), "period"),
                _by_unit(reading("score"), reading("percent")),
            ),
        )
    )


def _by_unit(score: pl.Expr, percent: pl.Expr) -> pl.Expr:
    return pl.when(pl.col("unit") == "score").then(score).otherwise(percent)


def _headings(last: pl.DataFrame) -> pl.DataFrame:
    """Return one row per dimension: where its heading stands and what it says of coverage."""
    return last.filter("opens").with_columns(covered=pl.col("coverage").replace_strict(COVERED))


def _axis(fig: go.Figure, rows: pl.DataFrame, scale: tuple[float, float]) -> None:
    marks = rows.select("x", "low_x", "high_x", "median_x").unpivot()["value"].drop_nulls()
    low, high = (0.0, 100.0) if marks.is_empty() else (float(marks.min()), float(marks.max()))  # type: ignore[arg-type]
    low, high = max(0.0, low - 4), min(100.0, high + 4)
    step = 10 if high - low <= 60 else 20
    ticks = [tick for tick in range(0, 101, step) if low <= tick <= high]
    span = scale[1] - scale[0]
    fig.update_xaxes(
        range=[low, high], showgrid=True, gridcolor=style.GRID, tickvals=ticks,
        ticktext=[f"{scale[0] + tick * span / 100:g} | {tick}%" for tick in ticks],
        title_text="Score ({:g} to {:g}) | per cent".format(*scale),
    )  # fmt: skip


def _rules(fig: go.Figure, heads: pl.DataFrame, left: float, right: float) -> None:
    """Rule a line above every dimension, from edge to edge."""
    line = {"type": "line", "xref": "paper", "layer": "below", "line": {"color": style.GRID, "width": 1}}
    spans = (
        {"x0": 0, "x1": 1},
        {"xsizemode": "pixel", "xanchor": 0, "x0": style.EDGE - left, "x1": 0},
        {"xsizemode": "pixel", "xanchor": 1, "x0": 0, "x1": right - style.EDGE},
    )
    tops = (heads["top"] - DIMENSION).to_list()
    fig.layout.shapes = [{**line, **span, "y0": y, "y1": y} for y in tops for span in spans]


def _dots(fig: go.Figure, marks: pl.DataFrame, earlier: pl.DataFrame) -> None:
    hover = {"hovertemplate": "%{hovertext}<extra></extra>", "mode": "markers"}
    middle = marks.drop_nulls("median_x")
    fig.add_scatter(
        x=middle["median_x"].to_list(), y=middle["y"].to_list(), name="Median of the benchmark group",
        marker={"symbol": "line-ns", "size": 16, "line": {"color": style.TEXT, "width": 2}},
        hovertext=middle["hover"].to_list(), **hover,
    )  # fmt: skip
    good = pl.col("comparable").fill_null(value=True)
    for rows, symbol in ((earlier.filter(good), "circle"), (earlier.filter(~good), "circle-open")):
        fig.add_scatter(
            x=rows["x"].to_list(), y=rows["y"].to_list(), name="Earlier years",
            marker={"symbol": symbol, "size": 6, "color": style.MARK}, hovertext=rows["hover"].to_list(),
            **hover,
        )  # fmt: skip
    drawn = marks.drop_nulls("x")
    ends = drawn.select(estimate="x", conf_low="low_x", conf_high="high_x")
    fig.add_scatter(
        x=drawn["x"].to_list(), y=drawn["y"].to_list(), name="This organisation", cliponaxis=False,
        marker={"size": 10, "color": style.FOCUS, "opacity": 1},
        error_x=style.interval(ends, style.FOCUS, 2, width=4), hovertext=drawn["hover"].to_list(), **hover,
    )  # fmt: skip


def _words(fig: go.Figure, marks: pl.DataFrame, left: float, *, compared: bool) -> None:
    labels = ["<br>".join(wrap(text, LABEL_WIDTH)) for text in marks["label"]]
    start = {"x": 0, "xanchor": "left", "align": "left", "xshift": style.EDGE - left + 12}
    style.column(fig, labels, marks["y"], **start)
    at_right = {"x": 1, "xanchor": "right"}
    value_end, interval_end = VALUE_COLUMN - 4, VALUE_COLUMN + INTERVAL_COLUMN
    style.column(fig, marks["value"], marks["y"], **at_right, xshift=value_end)
    style.column(fig, marks["interval"], marks["y"], **at_right, xshift=interval_end, font=style.QUIET)
    hidden = marks.filter(pl.col("value").is_null())["y"]
    style.column(fig, ["not shown"] * len(hidden), hidden, x=1, xanchor="left", xshift=8, font=style.QUIET)
    head = {"y": 1, "yanchor": "bottom", "yshift": -4, **at_right}
    style.note(fig, "● Value", **head, xshift=value_end, font={**style.STRONG, "color": style.FOCUS})
    if marks["interval"].is_not_null().any():
        style.note(fig, "95% interval", **head, xshift=interval_end, font=style.QUIET)
    if compared:
        end = interval_end + MEDIAN_COLUMN
        style.column(fig, marks["middle"], marks["y"], **at_right, xshift=end, font=style.QUIET)
        style.note(fig, "| Median", **head, xshift=end, font=style.QUIET)


def _heads(fig: go.Figure, heads: pl.DataFrame, left: float) -> None:
    """Write the headings: the dimension in bold, what of it is measured in grey after it."""
    start = {"x": 0, "xanchor": "left", "xshift": style.EDGE - left, "bgcolor": style.PAPER}
    middle = heads["top"] - DIMENSION / 2
    style.column(fig, map(safe, heads["dimension"]), middle, **start, font=style.STRONG)
    for text, covered, y in zip(heads["dimension"], heads["covered"], middle, strict=True):
        after = {**start, "xshift": style.EDGE - left + width(text, bold=True) + 10}
        style.column(fig, [covered], [y], **after, font=style.QUIET)
    family = heads.filter("opens_family")
    big = {"size": style.SUBTITLE, "color": style.FOCUS, "weight": 600}
    style.column(fig, map(safe, family["family"]), family["top"] - DIMENSION - FAMILY / 2, **start, font=big)


def _alt(last: pl.DataFrame, marks: pl.DataFrame) -> str:
    dimensions = last.select("family", "dimension", "coverage").unique(maintain_order=True)
    bare = dimensions.filter(coverage="none").height
    lacking = f"; {several(bare, 'dimension')} {'is' if bare == 1 else 'are'} not measured" if bare else ""
    many, of = several(marks.height, "indicator"), several(dimensions.height, "dimension")
    said = [f"Dot plot of {many} in {of}{lacking}"]
    each = marks.drop_nulls("x").group_by("family", "dimension", maintain_order=True).agg(
        pl.format("{} {}", "label", "value").str.join(", ").alias("values")
    )  # fmt: skip
    said += each.select(pl.format("{}: {}", "dimension", "values")).to_series().to_list()
    if marks["x"].null_count():
        said.append(f"{marks['x'].null_count()} not shown")
    return sentences(said)
