"""One measure of an organisation over the years, inside the range of its group."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import one_of, tidy
from culture_metrics.views.labels import reading
from culture_metrics.views.numbers import interval, listed
from culture_metrics.wording.columns import year
from culture_metrics.wording.numbers import DECIMALS, SIGN, base_range, fixed, sentences, several, shown

COLUMNS = [
    "period", "estimate", "conf_low", "conf_high", "base", "best", "median", "worst", "organisations", "rank",
]  # fmt: skip
NUMBERS = ["estimate", "conf_low", "conf_high", "base"]
WHERE = "views.standing_over_time"
HEIGHT = 340


def standing_over_time(
    table: pl.DataFrame,
    *,
    name: str,
    title: str,
    unit: str = "score",
    subtitle: str = "",
    source: str = "",
    notes: str = "",
) -> go.Figure:
    """Draw a measure over the years: the organisation, and best, median and worst of its group.

    Parameters
    ----------
    table : polars.DataFrame
        One row per period: `period, estimate, conf_low, conf_high, base, best, median, worst, organisations,
        rank`; what is not known is null.
    name : str
        What the organisation is called.
    title, subtitle, source, notes : str
        What is seen, its group, where the numbers come from, and what to mind.
    unit : {"score", "percent"}
        Unit of the measure.

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
    >>> table = pl.DataFrame({"period": ["2023", "2024"], "estimate": [6.9, 7.0], "conf_low": [6.8, 6.9],
    ...     "conf_high": [7.0, 7.1], "base": [900, 800], "best": [7.4, 7.5], "median": [6.8, 6.9],
    ...     "worst": [6.2, 6.2], "organisations": [122, 122], "rank": [50, 44]})
    >>> standing_over_time(table, name="Ash", title="Morale").layout.meta["alt"]
    'Morale. 2 periods. 2023: Ash 6.90, median 6.80, rank 50 of 122; 2024: Ash 7.00, \
median 6.90, rank 44 of 122.'
    """
    one_of("unit", unit, DECIMALS, WHERE)
    rows = tidy(table, COLUMNS, key=["period"], numbers=NUMBERS, where=WHERE).drop_nulls("estimate")
    place = pl.format("rank {} of {}", pl.col("rank").cast(pl.Int64), pl.col("organisations").cast(pl.Int64))
    rows = rows.sort("period").with_columns(
        year().alias("x"),
        place.alias("place"),
        pl.concat_str(
            pl.format("<b>{}</b><br>", "period"),
            reading(unit),
            pl.format("<br>Median {}", fixed("median", unit)).fill_null(""),
            pl.format("<br>{}", place).fill_null(""),
        ).alias("hover"),
    )
    years = rows["x"].to_list()
    fig = style.figure()
    _group(fig, rows)
    fig.add_scatter(
        x=years,
        y=rows["estimate"].to_list(),
        mode="lines+markers",
        line={"color": style.FOCUS, "width": 3},
        marker={"size": 11, "color": style.FOCUS},
        error_y=style.interval(rows, style.FOCUS, 2),
        hovertext=rows["hover"].to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
    )
    marks = rows.select(*NUMBERS[:3], "best", "median", "worst").unpivot()["value"].drop_nulls()
    low, high = float(marks.min()), float(marks.max())  # type: ignore[arg-type]
    edge = 0.08 * max(high - low, 0.1)
    fig.update_yaxes(range=[low - edge, high + edge], showgrid=True, gridcolor=style.GRID, nticks=6)
    fig.update_yaxes(ticksuffix=SIGN[unit], ticklabelstandoff=6)
    fig.update_xaxes(
        range=[years[0] - 0.3, years[-1] + 0.3], tickvals=years, ticktext=rows["period"].to_list()
    )
    _words(fig, rows, unit)
    return style.finish(
        fig,
        style.Room(height=HEIGHT, left=style.EDGE + 44, right=style.EDGE + 64, head=8, foot=32),
        title=title,
        subtitle=sentences([subtitle, base_range(rows["base"])]),
        notes=sentences(["Whiskers: 95% interval. Grey: from the worst to the best of the group", notes]),
        alt=_alt(rows, name, unit),
        source=source,
        numbers=listed(
            rows,
            {
                "Year": "period",
                "Value": "estimate",
                "95% interval": interval(unit=unit),
                "Base": "base",
                "Best of the group": "best",
                "Median": "median",
                "Worst": "worst",
                "Rank": "place",
            },
            unit,
        ),
    )


def _group(fig: go.Figure, rows: pl.DataFrame) -> None:
    """Draw the range of the group as a band, and its median as a line."""
    ends = rows.drop_nulls(["best", "worst"])
    x = ends["x"].to_list()
    fig.add_scatter(
        x=[*x, *reversed(x)],
        y=[*ends["best"].to_list(), *ends["worst"].reverse().to_list()],
        fill="toself",
        fillcolor=style.GRID,
        mode="lines",
        line={"width": 0},
        hoverinfo="skip",
    )
    fig.add_scatter(
        x=rows["x"].to_list(),
        y=rows["median"].to_list(),
        mode="lines",
        line={"color": style.TEXT, "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )


def _words(fig: go.Figure, rows: pl.DataFrame, unit: str) -> None:
    """Write the values above their dots, and what the grey is at its right end."""
    for x, y, value in rows.select("x", pl.coalesce("conf_high", "estimate"), "estimate").iter_rows():
        font = {**style.STRONG, "color": style.FOCUS}
        place = {"xref": "x", "x": x, "yanchor": "bottom", "yshift": 4, "font": font}
        style.column(fig, [shown(value, unit)], [y], **place)
    last = rows.row(-1, named=True)
    for name in ("best", "median", "worst"):
        if last[name] is not None:
            place = {"xref": "x", "x": last["x"], "xanchor": "left", "xshift": 12, "font": style.QUIET}
            style.column(fig, [f"{name} {shown(last[name], unit)}"], [last[name]], **place)


def _alt(rows: pl.DataFrame, name: str, unit: str) -> str:
    each = []
    for row in rows.iter_rows(named=True):
        median = "" if row["median"] is None else f", median {shown(row['median'], unit)}"
        place = "" if row["place"] is None else f", {row['place']}"
        each.append(f"{row['period']}: {name} {shown(row['estimate'], unit)}{median}{place}")
    return f"{several(rows.height, 'period')}. {'; '.join(each)}."
