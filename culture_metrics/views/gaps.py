"""Two groups as dumbbells, year under year, with the gap between them and its interval beside."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safe, safely, width
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import fixed, in_sentence, sentences, several, shown, signed

COLUMNS = [
    "period", "group", "reference", "measure", "label", "estimate_group", "estimate_reference", "base_group",
    "base_reference", "gap", "conf_low", "conf_high", "verdict", "benchmark_gap",
]  # fmt: skip
NUMBERS = ["gap", "estimate_group", "estimate_reference", "base_group", "base_reference"]
ROW, HEAD, KEY, AXIS = 26, 34, 30, 58
#: Shares of the width: dumbbells, gaps.
LEFT, RIGHT = (0.0, 0.52), (0.6, 1.0)


def gaps(
    table: pl.DataFrame,
    *,
    title: str,
    unit: str = "percent",
    subtitle: str = "",
    source: str = "",
    hidden: int = 0,
) -> go.Figure:
    """Draw two groups as dumbbells under the name of each measure, a row a year, and the gap with interval.

    Parameters
    ----------
    table : polars.DataFrame
        One row per measure and period, as `equality_gaps` gives it for one organisation and two groups.
    title, subtitle, source : str
        What is seen, of whom, and where the numbers come from.
    unit : {"percent", "score"}
        Which the measures are.
    hidden : int
        How many gaps are not shown.

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
    >>> row = {"period": "2024", "group": "Women", "reference": "Men", "measure": "x", "label": "X",
    ...     "estimate_group": 30.0, "estimate_reference": 20.0, "base_group": 90, "base_reference": 300,
    ...     "gap": 10.0, "conf_low": 0.2, "conf_high": 20.9, "verdict": "worse", "benchmark_gap": None}
    >>> gaps(pl.DataFrame([row]), title="Two").layout.meta["alt"][:62]
    'Two. Dumbbell plot of 1 gap between women and men. X, 2024: 30'
    """
    rows = tidy(table, COLUMNS, key=["measure", "period"], numbers=NUMBERS, where="views.gaps")
    rows = rows.drop_nulls("gap").with_row_index("place")
    rows = rows.with_columns(first=pl.col("place").min().over("measure")).sort("first", "period")
    # Each measure takes a line for its name, then a row a period.
    rank = rows["first"].rank("dense").to_list()
    ys = [i * ROW + int(n) * HEAD + ROW / 2 for i, n in enumerate(rank)]
    rows = rows.with_columns(pl.Series("y", ys, dtype=pl.Float64), said=_said(unit), hover=_hover(unit))
    height = ys[-1] + ROW / 2 + 4
    fig = style.figure()
    style.pixel_rows(fig, height)
    ends = "estimate_group", "estimate_reference"
    fig.update_layout(
        xaxis={
            "domain": LEFT, "title": {"text": "Percent" if unit == "percent" else "Score"},
            **_axis(rows, ends),
        },
        xaxis2={
            "domain": RIGHT, "anchor": "y",
            "title": {"text": "Gap in points" if unit == "percent" else "Gap"},
            **_axis(rows, ("gap", "conf_low", "conf_high", "benchmark_gap"), nought=True),
        },
    )  # fmt: skip
    fig.add_shape(
        type="line", x0=0, x1=0, y0=0, y1=height, xref="x2", yref="y", layer="below",
        line={"color": style.TEXT, "width": 1.5, "dash": "dash"},
    )  # fmt: skip
    _dumbbells(fig, rows)
    _gaps(fig, rows)
    said = rows["said"]
    beside = max(width(t) for t in said) + style.EDGE
    heads = rows.unique("measure", keep="first", maintain_order=True)
    left = max(width(p) for p in rows["period"]) + 2 * style.EDGE
    style.column(fig, rows["period"], ys, x=0, xanchor="right", xshift=-10, yanchor="middle")
    style.column(fig, said, ys, x=1, xanchor="left", xshift=8, yanchor="middle")
    names = heads.select(_headed(heads)).to_series()
    above = [y - ROW / 2 - 14 for y in heads["y"]]
    style.column(
        fig, names, above, x=0, xanchor="left", xshift=style.EDGE - left, yanchor="middle", font=style.STRONG
    )
    first = rows.row(0, named=True)
    key = (
        f"<span style='color:{style.DARK_BLUE}'>●</span> {safe(first['group'])}   "
        f"<span style='color:{style.MARK}'>◆</span> {safe(first['reference'])}"
    )
    style.note(fig, key, x=0, y=1, xanchor="left", xshift=style.EDGE - left, yanchor="bottom", yshift=8)
    marked = rows["benchmark_gap"].is_not_null().any()
    notes = "A gap is the first group less the second, with its 95% interval."
    if marked:
        notes += " The upright line is the gap of the benchmark group."
    return style.finish(
        fig,
        style.Room(height=height, left=left, right=beside, head=KEY, foot=AXIS),
        title=title,
        subtitle=sentences([subtitle, *([f"{several(hidden, 'gap')} not shown"] if hidden else [])]),
        source=source,
        notes=notes,
        alt=_alt(rows, unit),
        numbers=listed(
            rows,
            {
                "Measure": "label",
                "Year": "period",
                str(first["group"]): "estimate_group",
                str(first["reference"]): "estimate_reference",
                "Gap (95% interval)": "said",
                "Verdict": "verdict",
            },
            unit,
        ),
        suppressed=hidden,
    )


def _headed(table: pl.DataFrame) -> pl.Expr:
    """Expression: the name of a measure, with that of the indicator it is, if any."""
    if "indicator" not in table.columns:
        return safely("label")
    both = pl.format("{} ({})", safely("label"), "indicator")
    return pl.when(pl.col("indicator").is_not_null()).then(both).otherwise(safely("label"))


def _axis(rows: pl.DataFrame, names: tuple[str, ...], *, nought: bool = False) -> dict[str, Any]:
    marks = rows.select(pl.col(names).cast(pl.Float64)).unpivot()["value"].drop_nulls().to_list()
    low, high = min(marks), max(marks)
    if nought:
        low, high = min(low, 0.0), max(high, 0.0)
    edge = 0.06 * (high - low or 1.0)
    return {
        "range": [low - edge, high + edge], "showgrid": True, "gridcolor": style.GRID, "nticks": 5,
        "tickangle": 0,
    }  # fmt: skip


def _dumbbells(fig: go.Figure, rows: pl.DataFrame) -> None:
    """Draw a line between the groups, and each group on its end."""
    xs, ys = [], []
    for a, b, y in rows.select("estimate_reference", "estimate_group", "y").iter_rows():
        xs += [a, b, None]
        ys += [y, y, None]
    fig.add_scatter(
        x=xs, y=ys, mode="lines", line={"color": style.AROUND, "width": 4}, hoverinfo="skip", name="gap"
    )
    for end, colour, symbol in (
        ("reference", style.MARK, "diamond"),
        ("group", style.DARK_BLUE, "circle"),
    ):
        fig.add_scatter(
            name=str(rows[end][0]),
            x=rows[f"estimate_{end}"].to_list(),
            y=rows["y"].to_list(),
            mode="markers",
            marker={"size": 11, "color": colour, "symbol": symbol},
            hovertext=rows["hover"].to_list(),
            hovertemplate="%{hovertext}<extra></extra>",
        )


def _gaps(fig: go.Figure, rows: pl.DataFrame) -> None:
    """Draw each gap with its interval, clear ones dark, and the benchmark group's as an upright line."""
    clear = rows["verdict"].is_in(["worse", "better", "differs"])
    for some, colour in ((rows.filter(clear), style.FOCUS), (rows.filter(~clear), style.MARK)):
        fig.add_scatter(
            name="gap",
            x=some["gap"].to_list(),
            y=some["y"].to_list(),
            xaxis="x2",
            mode="markers",
            marker={"size": 9, "color": colour},
            error_x=style.interval(some, colour, 2.5, of="gap"),
            hovertext=some["hover"].to_list(),
            hovertemplate="%{hovertext}<extra></extra>",
        )
    there = rows.drop_nulls("benchmark_gap")
    fig.add_scatter(
        name="benchmark group",
        x=there["benchmark_gap"].to_list(),
        y=there["y"].to_list(),
        xaxis="x2",
        mode="markers",
        marker={"size": 14, "symbol": "line-ns", "line": {"width": 3, "color": style.ORANGE}},
        hovertext=[f"Gap of the benchmark group: {value:.1f}" for value in there["benchmark_gap"]],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _said(unit: str) -> pl.Expr:
    def one(row: dict[str, Any]) -> str:
        ends = [row["conf_low"], row["conf_high"]]
        known = "" if None in ends else f" ({' to '.join(signed(e, unit) for e in ends)})"
        return f"{signed(row['gap'], unit)}{known}"

    return pl.struct("gap", "conf_low", "conf_high").map_elements(one, return_dtype=pl.String)


def _hover(unit: str) -> pl.Expr:
    ends = [
        pl.format(
            "{} {}, base {}", safely(end), fixed(f"estimate_{end}", unit),
            pl.col(f"base_{end}").cast(pl.String).fill_null("not known"),
        )
        for end in ("group", "reference")
    ]  # fmt: skip
    return pl.format("<b>{}</b>, {}<br>{}<br>{}<br>{}", safely("label"), "period", *ends, "verdict")


def _alt(rows: pl.DataFrame, unit: str) -> str:
    first = rows.row(0, named=True)
    said = [
        f"{row['label']}, {row['period']}: {shown(row['estimate_group'], unit)} and "
        f"{shown(row['estimate_reference'], unit)}, gap {row['said']}, {row['verdict']}"
        for row in rows.iter_rows(named=True)
    ]
    groups = f"{in_sentence(first['group'])} and {in_sentence(first['reference'])}"
    return f"Dumbbell plot of {several(rows.height, 'gap')} between {groups}. {sentences(said)}"
