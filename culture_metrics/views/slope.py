"""Two periods as two columns of points, joined by a line for each measure."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.changes import STYLES, plus_printed
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safely, width
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import base_range, fixed, held_back, sentences, several, shown
from culture_metrics.wording.verdicts import BARRED, CLEAR

COLUMNS = [
    "measure", "label", "unit", "estimate_from", "estimate_to", "base_from", "base_to", "period_from",
    "period_to", "difference", "verdict",
]  # fmt: skip
NUMBERS = ["estimate_to", "estimate_from", "difference", "base_from", "base_to"]
HEIGHT, LINE = 420, 20
#: So many that are not drawn are named, more are counted.
NAMED = 4


def slope(
    table: pl.DataFrame, *, title: str, unit: str = "score", subtitle: str = "", source: str = ""
) -> go.Figure:
    """Draw measures of one unit as lines from the earlier to the later period, labelled at both ends.

    Lines that changed beyond chance stand out. What may not be compared is not drawn but named beneath.

    Parameters
    ----------
    table : polars.DataFrame
        One row per measure, as `compare_years` gives it for one organisation and group.
    title, subtitle, source : str
        What is seen, its periods, and where the numbers come from.
    unit : {"score", "percent"}
        Which measures to draw.

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
    ...     "difference": 0.3, "verdict": "improved"}
    >>> slope(pl.DataFrame([row]), title="Two years").layout.meta["alt"]
    'Two years. Slope chart of 1 measure from 2023 to 2024. Morale: 5.90 to 6.20, improved.'
    """
    of_unit = table.filter(pl.col("unit").cast(pl.String) == unit)
    rows = tidy(of_unit, COLUMNS, key=["measure"], numbers=NUMBERS, where="views.slope").with_columns(
        pl.col("verdict").cast(pl.String)
    )
    first = rows.row(0, named=True)
    drawn = (
        rows.filter(pl.col("verdict") != BARRED)
        .drop_nulls(["estimate_from", "estimate_to"])
        .sort("estimate_to", descending=True)
    )
    height = max(HEIGHT, LINE * (drawn.height + 1))
    low, high = _limits(drawn, unit)

    fig = style.figure()
    fig.update_yaxes(range=[low, high], visible=False)
    fig.update_xaxes(
        range=[0, 1],
        side="top",
        tickvals=[0, 1],
        ticktext=[first["period_from"], first["period_to"]],
        tickfont=style.STRONG,
    )
    for x in (0, 1):
        fig.add_shape(
            type="line", x0=x, x1=x, y0=low, y1=high, line={"color": style.GRID, "width": 1.5}, layer="below"
        )
    for row in drawn.with_columns(_hover(unit)).iter_rows(named=True):
        _line(fig, row)
    names = drawn.select(pl.format("{}  {}", fixed("estimate_to", unit), safely("label"))).to_series()
    ends = drawn.select(fixed("estimate_from", unit)).to_series()
    scale = (high - low) / height
    fonts = [style.STRONG if _strength(v)[1] > 2 else style.QUIET for v in drawn["verdict"]]
    _labels(fig, 1, names, _apart(drawn["estimate_to"], LINE * scale), fonts)
    _labels(fig, 0, ends, _apart(drawn["estimate_from"], LINE * scale), fonts)
    right = max((width(n, bold=True) for n in names), default=0) + 3 * style.EDGE
    return style.finish(
        fig,
        style.Room(height=height, left=style.EDGE + 56, right=right, head=30),
        title=title,
        subtitle=sentences([subtitle, base_range(pl.concat([drawn["base_from"], drawn["base_to"]]))]),
        notes=_notes(rows, drawn),
        alt=_alt(rows, drawn, unit),
        source=source,
        numbers=listed(
            rows,
            {
                "Measure": "label",
                str(first["period_from"]): "estimate_from",
                str(first["period_to"]): "estimate_to",
                "Change": plus_printed(unit),
                "Verdict": "verdict",
            },
            unit,
        ),
        suppressed=int(rows.select(held_back().sum()).item()),
    )


def _limits(drawn: pl.DataFrame, unit: str) -> tuple[float, float]:
    ends = drawn.select("estimate_from", "estimate_to").unpivot()["value"]
    if ends.is_empty():
        return (0.0, 100.0) if unit == "percent" else (0.0, 1.0)
    low, high = float(ends.min()), float(ends.max())  # type: ignore[arg-type]
    edge = 0.06 * max(high - low, 0.1)
    return low - edge, high + edge


def _strength(verdict: str) -> tuple[str, float]:
    """Colour and width of a line: what changed stands out."""
    strong = verdict in CLEAR
    return (STYLES[verdict][0], 3.0) if strong else (style.MARK, 1.2)


def _line(fig: go.Figure, row: dict[str, object]) -> None:
    colour, thick = _strength(str(row["verdict"]))
    fig.add_scatter(
        name=str(row["label"]),
        x=[0, 1],
        y=[row["estimate_from"], row["estimate_to"]],
        mode="lines+markers",
        cliponaxis=False,
        line={"color": colour, "width": thick},
        marker={"size": 7, "color": colour},
        hovertext=[row["hover"]] * 2,
        hovertemplate="%{hovertext}<extra></extra>",
    )


def _hover(unit: str) -> pl.Expr:
    return pl.format(
        "<b>{}</b><br>{} to {}<br>Change {}, {}<br>Base {} and {}",
        safely("label"),
        fixed("estimate_from", unit),
        fixed("estimate_to", unit),
        plus_printed(unit).fill_null("not tested"),
        "verdict",
        "base_from",
        "base_to",
    ).alias("hover")


def _apart(values: pl.Series, gap: float) -> list[float]:
    """Heights of labels: as near to their values as keeps them a line apart."""
    order = values.arg_sort(descending=True).to_list()
    places = [float(values[i]) for i in order]
    for _ in range(60):
        for k in range(1, len(places)):
            short = gap - (places[k - 1] - places[k])
            if short > 0:
                places[k - 1] += short / 2
                places[k] -= short / 2
    return [place for _, place in sorted(zip(order, places, strict=True))]


def _labels(fig: go.Figure, x: int, texts: pl.Series, ys: list[float], fonts: list[dict[str, Any]]) -> None:
    side = {"xref": "x", "x": x, "xanchor": "left" if x else "right", "xshift": 12 if x else -12}
    for text, y, font in zip(texts, ys, fonts, strict=True):
        style.column(fig, [text], [y], **side, font=font)


def _notes(rows: pl.DataFrame, drawn: pl.DataFrame) -> str:
    said = ["Thick lines: changed beyond chance (blue improved, orange declined). Thin lines: may be chance."]
    left = rows.join(drawn, on="measure", how="anti")["label"]
    if len(left):
        named = "; ".join(left) if len(left) <= NAMED else several(len(left), "measure")
        said.append(f"Not drawn, without two figures that may be compared: {named}.")
    return " ".join(said)


def _alt(rows: pl.DataFrame, drawn: pl.DataFrame, unit: str) -> str:
    first = rows.row(0, named=True)
    said = [
        f"Slope chart of {several(drawn.height, 'measure')} from {first['period_from']} to "
        f"{first['period_to']}."
    ]
    said += [
        f"{r['label']}: {shown(r['estimate_from'], unit)} to {shown(r['estimate_to'], unit)}, {r['verdict']}."
        for r in drawn.iter_rows(named=True)
    ]
    return " ".join(said)
