"""All scores of one organisation, each with its interval and its place in the benchmark group."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import reading, safe, safely, width
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import (
    at_the_end,
    base_range,
    fixed,
    held_back,
    reach,
    reasons,
    sentences,
    several,
)

COLUMNS = [
    "measure",
    "label",
    "level",
    "estimate",
    "conf_low",
    "conf_high",
    "base",
    "best",
    "median",
    "worst",
    "organisations",
]
NUMBERS = ["estimate", "conf_low", "conf_high", "base"]
PARENT, CHILD, GAP, INDENT = 30, 26, 12, 16
VALUE_COLUMN, INTERVAL_COLUMN = 62, 112
PEERS = "Median of the peers named"


def scores(
    table: pl.DataFrame,
    *,
    title: str,
    subtitle: str = "",
    source: str = "",
    scale: tuple[float, float] | None = None,
    parts: Collection[str] = (),
) -> go.Figure:
    """Draw the scores of one organisation as dots, those that others are built of beneath them.

    A thin grey line runs from the worst to the best organisation of the benchmark group, with a mark at the
    median; whiskers are 95% intervals.

    Parameters
    ----------
    table : polars.DataFrame
        One row per score, in the order to draw them: `measure`, `label`, `level`, `estimate`,
        `conf_low`, `conf_high`, `base`, `best`, `median`, `worst`,
        `organisations` (how many are compared). Benchmark columns and intervals may be null. A null estimate,
        or a `status` other than reported, is drawn as "not shown". With `peers_median` and
        `peers_organisations` the median of peers that were named stands beside that of the group.
    title, subtitle, source : str
        What is seen, its year and population, and where the numbers come from.
    scale : (float, float), optional
        Where scores lie, from the lowest to the highest: the axis says it and does not reach beyond.
    parts : collection of str
        Levels that stand indented beneath the score before them.

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
    >>> table = pl.DataFrame({"measure": ["morale", "stressors"], "label": ["Morale", "Stressors"],
    ...     "level": ["theme", "sub_score"], "estimate": [5.9, 6.4], "conf_low": [5.8, 6.3],
    ...     "conf_high": [6.0, 6.5], "base": [812, 809], "best": [6.6, 7.0], "median": [6.0, 6.3],
    ...     "worst": [5.3, 5.9], "organisations": [122, 122]})
    >>> scores(table, title="Scores of RXX").layout.meta["alt"]
    'Scores of RXX. Dot plot of 2 scores. Highest: Stressors, 6.40; lowest: Morale, 5.90. Compared with the \
median of 122 organisations, 1 is above and 1 below.'
    """
    rows = _rows(tidy(table, COLUMNS, key=["measure"], numbers=NUMBERS, where="views.scores"), parts)
    named = rows["peers_median"].is_not_null().any()
    total = rows["bottom"].item(-1)
    compared = rows["median"].is_not_null().any()
    has_intervals = rows["interval"].is_not_null().any()
    left = 2 * style.EDGE + max(map(_label_width, rows["label"], rows["parent"]))
    right = style.EDGE + VALUE_COLUMN + (INTERVAL_COLUMN if has_intervals else 0)

    fig = style.figure()
    style.pixel_rows(fig, total)
    low, high = _limits(rows, scale)
    fig.update_xaxes(range=[low, high], showgrid=True, gridcolor=style.GRID, gridwidth=1, nticks=7)
    fig.update_xaxes(title_text=f"Score{reach(scale)}, higher is better")
    _rules(fig, rows, left, right)
    if compared:
        _benchmark(fig, rows)
    if named:
        _peers(fig, rows)
    _dots(fig, rows)
    _words(fig, rows, left, has_intervals)
    return style.finish(
        fig,
        style.Room(height=total, left=left, right=right, head=24, foot=52),
        title=title,
        subtitle=sentences([subtitle, base_range(rows["base"])]),
        notes=_notes(rows, compared, has_intervals),
        alt=_alt(rows, compared),
        source=source,
        numbers=listed(
            rows,
            {
                "Score": "label",
                "Value": "estimate",
                "95% interval": "interval",
                "Base": "base",
                "Worst of the group": "worst",
                "Median": "median",
                "Best": "best",
                **({PEERS: "peers_median"} if named else {}),
            },
        ),
        suppressed=rows.select(held_back().sum()).item(),
    )


def _rows(table: pl.DataFrame, parts: Collection[str]) -> pl.DataFrame:
    """Put every row at its height on the page, and its numbers into words."""
    for name in ("peers_median", "peers_organisations"):
        if name not in table.columns:
            table = table.with_columns(pl.lit(None, pl.Float64).alias(name))
    parent, first = ~pl.col("level").is_in([*parts]), pl.int_range(pl.len()) == 0
    return (
        table.with_columns(
            parent.alias("parent"),
            pl.when(parent).then(PARENT).otherwise(CHILD).alias("height"),
            pl.when(parent & ~first & ~parent.all()).then(GAP).otherwise(0).alias("gap"),
            pl.col("conf_low", "conf_high", "best", "median", "worst", "peers_median").cast(pl.Float64),
        )
        .with_columns((pl.col("height") + pl.col("gap")).cum_sum().alias("bottom"))
        .with_columns(
            (pl.col("bottom") - pl.col("height") / 2).alias("y"),
            fixed("estimate", "score").alias("value"),
            pl.format("{} to {}", fixed("conf_low", "score"), fixed("conf_high", "score")).alias("interval"),
            pl.concat_str(
                pl.format("<b>{}</b><br>", safely("label")),
                reading("score"),
                pl.format(
                    "<br>{} organisations: worst {}, median {}, best {}",
                    pl.col("organisations").cast(pl.Int64),
                    *(fixed(name, "score") for name in ("worst", "median", "best")),
                ).fill_null(""),
                pl.format(
                    "<br>{} peers named: median {}",
                    pl.col("peers_organisations").cast(pl.Int64),
                    fixed("peers_median", "score"),
                ).fill_null(""),
            ).alias("hover"),
        )
    )


def _label_width(label: str, parent: bool) -> float:
    return width(label, bold=parent) + (0 if parent else INDENT)


def _limits(rows: pl.DataFrame, scale: tuple[float, float] | None) -> tuple[float, float]:
    """Return the ends of the score axis: all marks, and room for the words beside the first line."""
    ends = ("conf_low", "conf_high", "best", "median", "worst", "peers_median")
    marks = rows.select("estimate", *ends).unpivot()["value"]
    if marks.drop_nulls().is_empty():
        return scale or (0.0, 1.0)
    low, high = float(marks.min()), float(marks.max())  # type: ignore[arg-type]
    span = max(high - low, 0.5)
    worst, best = rows["worst"].item(0), rows["best"].item(0)
    low, high = low - 0.05 * span, high + 0.05 * span
    if worst is not None and best is not None:
        low, high = min(low, worst - 0.22 * span), max(high, best + 0.2 * span)
    return (low, high) if scale is None else (max(low, scale[0]), min(high, scale[1]))


def _rules(fig: go.Figure, rows: pl.DataFrame, left: float, right: float) -> None:
    """Rule a line above every score that has others beneath it, from edge to edge."""
    line = {"type": "line", "xref": "paper", "layer": "below", "line": {"color": style.GRID, "width": 1}}
    spans: list[dict[str, Any]] = [
        {"x0": 0, "x1": 1},
        {"xsizemode": "pixel", "xanchor": 0, "x0": style.EDGE - left, "x1": 0},
        {"xsizemode": "pixel", "xanchor": 1, "x0": 0, "x1": right - style.EDGE},
    ]
    tops = rows.filter(pl.col("gap") > 0).select(pl.col("bottom") - pl.col("height") - GAP / 2).to_series()
    fig.layout.shapes = [{**line, **span, "y0": y, "y1": y} for y in tops for span in spans]


def _benchmark(fig: go.Figure, rows: pl.DataFrame) -> None:
    """Draw the line from worst to best, and the mark of the median."""
    ends = rows.drop_nulls(["worst", "best"])
    between = ends.select(pl.concat_list("worst", "best", pl.lit(None, pl.Float64)).alias("x"), "y")
    fig.add_scatter(
        x=between["x"].explode().to_list(),
        y=between.select(pl.col("y").repeat_by(3)).explode("y")["y"].to_list(),
        name="Worst to best",
        mode="lines",
        line={"color": style.MARK, "width": 1.5},
        hoverinfo="skip",
    )
    middle = rows.drop_nulls("median")
    fig.add_scatter(
        x=middle["median"].to_list(),
        y=middle["y"].to_list(),
        name="Median",
        mode="markers",
        marker={"symbol": "line-ns", "size": 18, "line": {"color": style.TEXT, "width": 2}},
        hovertext=middle["hover"].to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
    )
    first = rows.row(0, named=True)
    place = {"xref": "x", "yref": "y", "y": first["y"], "font": style.QUIET, "bgcolor": style.PAPER}
    if first["worst"] is not None and first["best"] is not None:
        known = [x for x in (first["estimate"], first["conf_low"], first["conf_high"]) if x is not None]
        style.note(fig, "worst", **place, x=min(first["worst"], *known), xanchor="right", xshift=-6)
        style.note(fig, "best", **place, x=max(first["best"], *known), xanchor="left", xshift=6)
    if first["median"] is not None:
        above = {**place, "y": 1, "yref": "paper", "yanchor": "bottom", "yshift": -4}
        style.note(fig, "median", **above, x=first["median"])


def _peers(fig: go.Figure, rows: pl.DataFrame) -> None:
    """Draw the median of the peers that were named."""
    known = rows.drop_nulls("peers_median")
    fig.add_scatter(
        x=known["peers_median"].to_list(),
        y=known["y"].to_list(),
        name=PEERS,
        mode="markers",
        marker={
            "symbol": "diamond-open",
            "size": 11,
            "color": style.DARK_PINK,
            "line": {"width": 2, "color": style.DARK_PINK},
        },
        hovertext=known["hover"].to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _dots(fig: go.Figure, rows: pl.DataFrame) -> None:
    drawn = rows.drop_nulls("estimate")
    fig.add_scatter(
        x=drawn["estimate"].to_list(),
        y=drawn["y"].to_list(),
        name="This organisation",
        mode="markers",
        marker={
            "size": drawn.select(pl.when("parent").then(12).otherwise(8)).to_series().to_list(),
            "color": style.FOCUS,
            "opacity": 1,
            "line": {"width": 0},
        },
        error_x=style.interval(drawn, style.FOCUS, 2, width=4),
        hovertext=drawn["hover"].to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
    )


def _words(fig: go.Figure, rows: pl.DataFrame, left: float, has_intervals: bool) -> None:
    """Write the labels at the left and the numbers at the right, each in its column."""
    at_right = {"x": 1, "xanchor": "right"}
    value_end, interval_end = VALUE_COLUMN - 8, VALUE_COLUMN + INTERVAL_COLUMN
    for some, font, indent in (
        (rows.filter("parent"), style.STRONG, 0),
        (rows.filter(~pl.col("parent")), style.PLAIN, INDENT),
    ):
        start = {"x": 0, "xanchor": "left", "xshift": style.EDGE - left + indent, "font": font}
        style.column(fig, map(safe, some["label"]), some["y"], **start)
        style.column(fig, some["value"], some["y"], **at_right, xshift=value_end, font=font)
    style.column(fig, rows["interval"], rows["y"], **at_right, xshift=interval_end, font=style.QUIET)
    hidden = rows.filter(pl.col("value").is_null())["y"]
    style.column(fig, ["not shown"] * len(hidden), hidden, x=1, xanchor="left", xshift=8, font=style.QUIET)
    head = {"y": 1, "yanchor": "bottom", "yshift": -4, **at_right}
    style.note(fig, "● Score", **head, xshift=value_end, font={**style.STRONG, "color": style.FOCUS})
    if has_intervals:
        style.note(fig, "95% interval", **head, xshift=interval_end, font=style.QUIET)


def _notes(rows: pl.DataFrame, compared: bool, has_intervals: bool) -> str:
    said = []
    if compared:
        number = rows["organisations"].drop_nulls()
        group = several(int(number.max()), "organisation") if len(number) else "organisations"  # type: ignore[arg-type]
        said.append(f"Grey line: from the worst to the best of {group} in the benchmark group.")
    peers = rows["peers_organisations"].drop_nulls()
    if len(peers):
        named = several(int(peers.max()), "organisation")  # type: ignore[arg-type]
        said.append(f"Diamond: median of {named} named as peers.")
    if has_intervals:
        said.append("Whiskers: 95% interval.")
    said.append(reasons(rows, "estimate"))
    return " ".join(said).strip()


def _alt(rows: pl.DataFrame, compared: bool) -> str:
    drawn = rows.drop_nulls("estimate")
    said = [f"Dot plot of {several(rows.height, 'score')}."]
    if drawn.height:
        (high, top), (low, bottom) = (
            at_the_end(drawn, "label", "estimate", "score", highest=end) for end in (True, False)
        )
        level = drawn.height > 1 and top == bottom
        said.append(f"All are {top}." if level else f"Highest: {high}, {top}; lowest: {low}, {bottom}.")
    both = drawn.drop_nulls("median")
    if compared and both.height:
        above = both.filter(pl.col("estimate") > pl.col("median")).height
        below = both.filter(pl.col("estimate") < pl.col("median")).height
        number = both["organisations"].drop_nulls()
        group = f" of {several(int(number.max()), 'organisation')}" if len(number) else ""  # type: ignore[arg-type]
        verb = "is" if above == 1 else "are"
        said.append(f"Compared with the median{group}, {above} {verb} above and {below} below.")
    beside = drawn.drop_nulls("peers_median")
    if beside.height:
        above = beside.filter(pl.col("estimate") > pl.col("peers_median")).height
        said.append(f"Of {several(beside.height, 'score')}, {above} above the median of the peers named.")
    if drawn.height < rows.height:
        said.append(f"{rows.height - drawn.height} not shown.")
    return " ".join(said)
