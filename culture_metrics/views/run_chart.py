"""A run chart: points over time with mean and limits."""

from __future__ import annotations

from math import isnan

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import one_of, tidy
from culture_metrics.views.labels import safely
from culture_metrics.views.numbers import interval, listed
from culture_metrics.wording.numbers import DECIMALS, base_range, count, fixed, sentences, several, shown
from culture_metrics.wording.periods import period_words, said_period

COLUMNS = ["period", "estimate", "base", "mean", "limit_low", "limit_high", "special_cause", "point"]
WHERE = "views.run_chart"
#: Kind of point -> colour and symbol.
POINTS = {
    "common cause": (style.MARK, "circle"),
    "improvement": (style.DARK_BLUE, "circle"),
    "concern": (style.ORANGE, "diamond"),
    "special cause": (style.DARK_BLUE, "square"),
}
#: Quarters take two lines beneath the axis.
HEIGHT, FOOT, STRIP = 340, 48, 44


def run_chart(
    table: pl.DataFrame,
    *,
    title: str,
    annual: pl.DataFrame | None = None,
    unit: str = "score",
    subtitle: str = "",
    source: str = "",
    provisional: bool = False,
) -> go.Figure:
    """Draw quarters in a row with their mean and limits; a missing quarter is a gap.

    Years of the annual survey are marked by dotted lines and said beneath, away from the axis of the pulse.

    Parameters
    ----------
    table : polars.DataFrame
        One row per quarter, as `run_chart(...).table` has them.
    title, subtitle, source : str
        What is seen, its periods, and where the numbers come from.
    annual : polars.DataFrame, optional
        `period` (year), `estimate`, `base` of the annual survey.
    unit : {"score", "percent"}
        Unit of the measure.
    provisional : bool
        Say that the limits rest on few quarters.

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
    >>> table = pl.DataFrame({"period": ["2022-Q1", "2022-Q2", "2022-Q4"], "base": [900, None, 950],
    ...     "estimate": [6.5, None, 6.7], "mean": [6.6] * 3, "limit_low": [6.3] * 3,
    ...     "limit_high": [6.9] * 3, "special_cause": [None] * 3,
    ...     "point": ["common cause", None, "common cause"]})
    >>> run_chart(table, title="Engagement").layout.meta["alt"]
    'Engagement. Run chart of 3 quarters, Q1 2022/23 to Q4 2022/23. Mean 6.60, limits 6.30 to 6.90. No \
special cause. Missing: Q2 2022/23.'
    """
    one_of("unit", unit, DECIMALS, WHERE)
    rows = tidy(table, COLUMNS, key=["period"], numbers=["estimate", "base"], where=WHERE).with_row_index("x")
    years = pl.DataFrame(schema={"period": pl.String}) if annual is None else annual
    fig = style.figure()
    low, high = _range(rows)
    edge = 0.6
    fig.update_yaxes(range=[low, high], showgrid=True, gridcolor=style.GRID, nticks=6, ticklabelstandoff=6)
    step = max(1, -(-rows.height // 9))
    ticks = rows.filter(pl.col("x") % step == 0)
    fig.update_xaxes(range=[-edge, rows.height - 1 + edge], tickvals=ticks["x"].to_list())
    fig.update_xaxes(ticktext=[_tick(p) for p in ticks["period"]])
    _lines(fig, rows, unit)
    _points(fig, rows, unit)
    marked = _annual(fig, rows, years, unit)
    hidden = int(rows["status"].fill_null("").str.starts_with("suppressed").sum())
    words = [
        "Dashed: limits, within which chance alone moves the quarters." if _known(rows) else "",
        "Blue: improvement, orange: concern beyond chance."
        if rows["point"].is_in(["improvement", "concern"]).any()
        else "",
        "Squares: beyond chance, where neither side is the better one."
        if (rows["point"] == "special cause").any()
        else "",
        ""
        if not rows["estimate"].has_nulls()
        else "A gap: no results."
        if not hidden
        else "A gap: no results, or held back because few answered.",
        "The limits rest on few quarters and are provisional." if provisional and _known(rows) else "",
        "" if _known(rows) else "No limits: no quarters that follow each other differ.",
        "Dotted: the annual survey, another survey; its level is not compared." if marked else "",
    ]
    return style.finish(
        fig,
        style.Room(height=HEIGHT, left=style.EDGE + 44, right=110, head=10, foot=FOOT + STRIP * marked),
        title=title,
        subtitle=sentences([subtitle, base_range(rows["base"])]),
        notes=" ".join(w for w in words if w),
        alt=_alt(rows, unit),
        source=source,
        numbers=listed(
            rows,
            {
                "Quarter": said_period(),
                "Value": "estimate",
                "Base": "base",
                "Mean": "mean",
                "Limits": interval("limit_low", "limit_high", unit),
                "Special cause": pl.col("special_cause").fill_null("none"),
            },
            unit,
        ),
        suppressed=hidden,
    )


def _tick(period: str) -> str:
    """Write a quarter as narrow as it goes: over its year."""
    return period_words(period).replace(" 20", "<br>20")


def _known(rows: pl.DataFrame) -> bool:
    return rows["limit_low"][0] is not None and rows["limit_low"].is_not_nan().all()


def _range(rows: pl.DataFrame) -> tuple[float, float]:
    ends = rows.select("estimate", "limit_low", "limit_high").unpivot()["value"].fill_nan(None).drop_nulls()
    low, high = float(ends.min()), float(ends.max())  # type: ignore[arg-type]
    edge = 0.08 * max(high - low, 0.1)
    return low - edge, high + edge


def _lines(fig: go.Figure, rows: pl.DataFrame, unit: str) -> None:
    """Rule the mean and the limits, and name them at the right."""
    named = {
        "mean": ("solid", "mean"),
        "limit_high": ("dash", "upper limit"),
        "limit_low": ("dash", "lower limit"),
    }
    for column, (dash, name) in named.items():
        value = rows[column][0]
        if value is None or isnan(value):
            continue
        line = {"color": style.QUIET_TEXT, "width": 1.5, "dash": dash}
        fig.add_shape(type="line", xref="paper", x0=0, x1=1, y0=value, y1=value, line=line, layer="below")
        place = {"x": 1, "xanchor": "left", "xshift": 8, "yref": "y", "y": value, "align": "left"}
        style.note(fig, f"{name}<br>{shown(value, unit)}", **place, font=style.QUIET)


def _points(fig: go.Figure, rows: pl.DataFrame, unit: str) -> None:
    told = rows.with_columns(
        pl.concat_str(
            pl.format(
                "<b>{}</b><br>{} (base {})", said_period(), fixed("estimate", unit), count("base")
            ).fill_null(pl.format("<b>{}</b><br>{}", said_period(), fixed("estimate", unit))),
            pl.format("<br>{}", safely("special_cause")).fill_null(""),
        ).alias("hover")
    )
    # A null breaks the line: a missing quarter stays missing.
    fig.add_scatter(
        x=rows["x"].to_list(),
        y=rows["estimate"].to_list(),
        mode="lines",
        line={"color": style.MARK, "width": 2},
        connectgaps=False,
        hoverinfo="skip",
    )
    for kind, (colour, symbol) in POINTS.items():
        own = told.filter((pl.col("point") == kind) & pl.col("estimate").is_not_null())
        fig.add_scatter(
            name=kind,
            x=own["x"].to_list(),
            y=own["estimate"].to_list(),
            mode="markers",
            marker={"size": 11, "color": colour, "symbol": symbol},
            hovertext=own["hover"].to_list(),
            hovertemplate="%{hovertext}<extra></extra>",
        )


def _annual(fig: go.Figure, rows: pl.DataFrame, annual: pl.DataFrame, unit: str) -> bool:
    """Mark the years of the annual survey between the second and the fourth quarter."""
    places = rows.select("x", year=pl.col("period").str.slice(0, 4), quarter=pl.col("period").str.slice(5))
    before = places.filter(pl.col("quarter") == "Q2").select("year", x=pl.col("x") + 0.5)
    found = annual.join(before, left_on="period", right_on="year") if annual.height else annual
    for row in found.iter_rows(named=True):
        line = {"color": style.MARK, "width": 1.5, "dash": "dot"}
        fig.add_shape(
            type="line", yref="paper", x0=row["x"], x1=row["x"], y0=0, y1=1, line=line, layer="below"
        )
        text = f"annual {row['period']}"
        if row["estimate"] is not None:
            text += f"<br>{shown(row['estimate'], unit)}"
        place = {"xref": "x", "x": row["x"], "y": 0, "yanchor": "top", "yshift": 4 - FOOT}
        style.note(fig, text, **place, font=style.QUIET)
    return bool(found.height)


def _alt(rows: pl.DataFrame, unit: str) -> str:
    first = rows.row(0, named=True)
    said = [
        f"Run chart of {several(rows.height, 'quarter')}, {period_words(first['period'])} to "
        f"{period_words(rows['period'][-1])}."
    ]
    if _known(rows):
        low, high = shown(first["limit_low"], unit), shown(first["limit_high"], unit)
        said.append(f"Mean {shown(first['mean'], unit)}, limits {low} to {high}.")
    seen = rows.filter(pl.col("special_cause").is_not_null())
    said += [f"{period_words(p)}: {c}." for p, c in seen.select("period", "special_cause").iter_rows()] or [
        "No special cause."
    ]
    missing = rows.filter(pl.col("estimate").is_null())["period"].to_list()
    if missing:
        said.append(f"Missing: {', '.join(map(period_words, missing))}.")
    return " ".join(said)
