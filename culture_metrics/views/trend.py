"""One measure over the years: points with intervals, and the line through those that compare."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import reading, safely
from culture_metrics.views.numbers import interval, listed
from culture_metrics.wording.columns import year
from culture_metrics.wording.numbers import SIGN, base_range, sentences, several, shown

POINTS = ["period", "unit", "estimate", "conf_low", "conf_high", "base", "comparable", "reason"]
NUMBERS = ["estimate", "conf_low", "conf_high", "base"]
HEIGHT = 320


def trend(
    points: pl.DataFrame, line: pl.DataFrame, *, title: str, subtitle: str = "", source: str = ""
) -> go.Figure:
    """Draw the years of one measure as they are spaced, and the line through those that compare.

    Parameters
    ----------
    points : polars.DataFrame
        One row per year, as `trend(...).points` has them.
    line : polars.DataFrame
        The row of the same series of `trend(...).table`: `slope`, `turning_point`.
    title, subtitle, source : str
        What is seen, the survey, and where the numbers come from.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words.

    Raises
    ------
    ResultsError
        When a table lacks a column or has no rows.

    Examples
    --------
    >>> points = pl.DataFrame({"period": ["2021", "2022", "2024"], "unit": ["score"] * 3,
    ...     "estimate": [6.0, 6.1, 6.3], "conf_low": [5.9, 6.0, 6.2], "conf_high": [6.1, 6.2, 6.4],
    ...     "base": [900, 950, 940], "comparable": [True] * 3, "reason": [None] * 3})
    >>> line = pl.DataFrame({"slope": [0.1], "turning_point": [None]})
    >>> trend(points, line, title="Morale").layout.meta["alt"]
    'Morale. 3 years. 2021: 6.00; 2022: 6.10; 2024: 6.30. Slope 0.10 a year.'
    """
    rows = tidy(points, POINTS, key=["period"], numbers=NUMBERS, where="views.trend").sort("period")
    tidy(line, ["slope", "turning_point"], key=["slope"], numbers=["slope"], where="views.trend")
    unit = str(rows["unit"][0])
    rows = rows.drop_nulls("estimate").with_columns(
        year().alias("x"),
        pl.concat_str(
            pl.format("<b>{}</b><br>", "period"),
            reading(unit),
            pl.format("<br>{}", safely("reason")).fill_null(""),
        ).alias("hover"),
    )
    good = rows.filter("comparable")
    fig = style.figure()
    low, high = _range(rows)
    fig.update_yaxes(range=[low, high], showgrid=True, gridcolor=style.GRID, nticks=6, ticksuffix=SIGN[unit])
    fig.update_yaxes(ticklabelstandoff=6)
    years = rows["x"].to_list()
    fig.update_xaxes(
        range=[years[0] - 0.4, years[-1] + 0.4], tickvals=years, ticktext=rows["period"].to_list()
    )
    _through(fig, good, line.row(0, named=True))
    for own, colour, symbol in (
        (good, style.FOCUS, "circle"),
        (rows.filter(~pl.col("comparable")), style.MARK, "circle-open"),
    ):
        fig.add_scatter(
            x=own["x"].to_list(),
            y=own["estimate"].to_list(),
            mode="markers",
            marker={"size": 11, "color": colour, "symbol": symbol, "line": {"width": 2, "color": colour}},
            error_y=style.interval(own, colour, 2),
            hovertext=own["hover"].to_list(),
            hovertemplate="%{hovertext}<extra></extra>",
        )
    said = [shown(v, unit) for v in rows["estimate"]]
    for x, y, text in zip(years, rows["conf_high"], said, strict=True):
        style.column(fig, [text], [y], xref="x", x=x, yanchor="bottom", yshift=4)
    apart = rows.height - good.height
    notes = ["Lines: 95% interval of each year."]
    if apart:
        notes.append("Open dots do not compare with the last year and are not part of the line.")
    return style.finish(
        fig,
        style.Room(height=HEIGHT, left=style.EDGE + 50, head=10, foot=32),
        title=title,
        subtitle=sentences([subtitle, base_range(rows["base"])]),
        notes=" ".join(notes),
        alt=_alt(rows, line.row(0, named=True), apart, unit),
        source=source,
        numbers=listed(
            rows,
            {
                "Year": "period",
                "Value": "estimate",
                "95% interval": interval(unit=unit),
                "Base": "base",
                "Compares with the last year": pl.when("comparable")
                .then(pl.lit("yes"))
                .otherwise(pl.lit("no")),
            },
            unit,
        ),
    )


def _range(rows: pl.DataFrame) -> tuple[float, float]:
    low, high = float(rows["conf_low"].min()), float(rows["conf_high"].max())  # type: ignore[arg-type]
    edge = 0.15 * max(high - low, 0.1)
    return low - edge, high + edge


def _through(fig: go.Figure, good: pl.DataFrame, line: dict[str, float | str | None]) -> None:
    """Rule the line; where the measure turned, join the years instead."""
    if line["turning_point"] is not None:
        x, y = good["x"].to_list(), good["estimate"].to_list()
    else:
        weight = (good["conf_high"] - good["conf_low"]).pow(-2)
        total = float(weight.sum())
        middle = float((weight * good["x"]).sum()) / total
        level = float((weight * good["estimate"]).sum()) / total
        x = [float(good["x"][0]), float(good["x"][-1])]
        y = [level + float(line["slope"] or 0) * (at - middle) for at in x]
    fig.add_scatter(
        x=x, y=y, mode="lines", line={"color": style.FOCUS, "width": 1.5, "dash": "dot"}, hoverinfo="skip"
    )


def _alt(rows: pl.DataFrame, line: dict[str, float | str | None], apart: int, unit: str) -> str:
    values = (f"{p}: {shown(v, unit)}" for p, v in rows.select("period", "estimate").iter_rows())
    said = [f"{several(rows.height, 'year')}. {'; '.join(values)}."]
    if line["turning_point"] is not None:
        said.append(f"It turned in {line['turning_point']}.")
    else:
        said.append(f"Slope {shown(float(line['slope'] or 0), unit)} a year.")
    if apart:
        said.append(f"{several(apart, 'year')} {'does' if apart == 1 else 'do'} not compare with the last.")
    return " ".join(said)
