"""Scores of an extract beside those published."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safe, safely, width
from culture_metrics.views.numbers import listed
from culture_metrics.wording.numbers import base_range, fixed, held_back, sentences, several

COLUMNS = ["measure", "label", "estimate", "published", "expected_error", "base", "verdict"]
NUMBERS = ["estimate", "published", "expected_error", "base"]
ROW, COLUMN = 26, 84
#: Verdict on what is farther apart than is expected.
DIFFERS = "differs"


def beside_published(table: pl.DataFrame, *, title: str, subtitle: str = "", source: str = "") -> go.Figure:
    """Draw the scores of an extract as dots and the published ones as diamonds, a row for each score.

    Whiskers on the dots reach as far as the difference may be. What differs by more stands out.

    Parameters
    ----------
    table : polars.DataFrame
        One row per score, as `mirror` gives it: `measure, label, unit, estimate, published, expected_error,
        base, verdict`; `published` may be null.
    title, subtitle, source : str
        What is seen, its year and organisation, and where the numbers come from.

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
    >>> row = {"measure": "morale", "label": "Morale", "unit": "score", "estimate": 5.36, "published": 5.96,
    ...     "expected_error": 0.01, "base": 812, "verdict": "differs"}
    >>> beside_published(pl.DataFrame([row]), title="RXX").layout.meta["alt"]
    'RXX. Dot plot of 1 score. 1 of 1 published differs by more than is expected: Morale, 5.36 and 5.96.'
    """
    rows = tidy(
        table.filter(pl.col("unit").cast(pl.String) == "score"),
        COLUMNS,
        key=["measure"],
        numbers=NUMBERS,
        where="views.beside_published",
    ).with_columns(y=ROW * (pl.int_range(pl.len()) + 0.5))
    total = ROW * rows.height
    left = 2 * style.EDGE + max(width(label) for label in rows["label"])
    fig = style.figure()
    style.pixel_rows(fig, total)
    fig.update_xaxes(showgrid=True, gridcolor=style.GRID, nticks=7, title_text="Score, higher is better")
    own = rows.drop_nulls("estimate")
    fig.add_scatter(
        x=own["estimate"].to_list(),
        y=own["y"].to_list(),
        name="From the extract",
        mode="markers",
        marker={
            "size": 10,
            "color": [style.ORANGE if verdict == DIFFERS else style.FOCUS for verdict in own["verdict"]],
        },
        error_x={"array": own["expected_error"].fill_null(0).to_list(), "color": style.MARK, "width": 4},
        hovertext=own.select(_hover()).to_series().to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
    )
    out = rows.drop_nulls("published")
    fig.add_scatter(
        x=out["published"].to_list(),
        y=out["y"].to_list(),
        name="Published",
        mode="markers",
        marker={"symbol": "diamond-open", "size": 12, "color": style.TEXT},
        hovertext=out.select(_hover()).to_series().to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
        cliponaxis=False,
    )
    style.column(fig, map(safe, rows["label"]), rows["y"], x=0, xanchor="left", xshift=style.EDGE - left)
    for place, (name, head) in enumerate((("estimate", "● Extract"), ("published", "◇ Published")), 1):
        at = {"x": 1, "xanchor": "right", "xshift": place * COLUMN}
        style.column(fig, rows.select(fixed(name, "score")).to_series(), rows["y"], **at)
        style.note(fig, head, y=1, yanchor="bottom", yshift=-4, font=style.QUIET, **at)
    return style.finish(
        fig,
        style.Room(height=total, left=left, right=2 * COLUMN + style.EDGE, head=24, foot=52),
        title=title,
        subtitle=sentences([subtitle, base_range(rows["base"])]),
        notes="Whiskers: how far the two may be apart. Orange: farther apart than that.",
        alt=_alt(rows.filter(verdict=DIFFERS), out.height, rows.height),
        source=source,
        numbers=listed(
            rows,
            {
                "Score": "label",
                "From the extract": "estimate",
                "Published": "published",
                "Base": "base",
                "Verdict": "verdict",
            },
        ),
        suppressed=int(rows.select(held_back().sum()).item()),
    )


def _hover() -> pl.Expr:
    return pl.format(
        "<b>{}</b><br>From the extract {}<br>Published {}",
        safely("label"),
        fixed("estimate", "score").fill_null("not shown"),
        fixed("published", "score").fill_null("not out"),
    )


def _alt(off: pl.DataFrame, published: int, scores: int) -> str:
    first = f"Dot plot of {several(scores, 'score')}."
    if not published:
        return f"{first} None is published."
    if off.is_empty():
        return f"{first} None of {published} published differs by more than is expected."
    each = off.select(
        pl.format("{}, {} and {}", "label", fixed("estimate", "score"), fixed("published", "score"))
    )
    verb = "differs" if off.height == 1 else "differ"
    return (
        f"{first} {off.height} of {published} published {verb} by more than is expected: "
        f"{'; '.join(each.to_series())}."
    )
