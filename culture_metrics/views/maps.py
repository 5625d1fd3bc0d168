"""What maps of groups by measures share: their rows, their columns, their patterns and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.views import style
from culture_metrics.views.labels import width, wrap
from culture_metrics.wording.numbers import count
from culture_metrics.wording.table import HELD, NOT_AVAILABLE

if TYPE_CHECKING:
    import plotly.graph_objects as go

GROUP_WIDTH, COLUMN_WIDTH, BASE_WIDTH, LINE, GAP = 210, 98, 62, 18, 10
WHOLE = "Whole organisation"
#: Covers what may not be shown.
HATCH = {"shape": "/", "fgcolor": "#CFCFCF", "bgcolor": style.PAPER, "size": 6, "solidity": 0.2}


def rows(bases: pl.DataFrame) -> pl.DataFrame:
    """Place groups on the page, each as high as its label needs; a gap follows the whole organisation.

    Parameters
    ----------
    bases : polars.DataFrame
        `group` and `base` (may be null), in the order to draw them, the whole organisation first if it is
        there.

    Returns
    -------
    polars.DataFrame
        With `row`, `lines` (the label), `base_text`, and in pixels from the top `height`, `bottom` and `y`
        (the middle).
    """
    lines = [wrap(WHOLE if name == ALL else name, GROUP_WIDTH) for name in bases["group"]]
    gap = pl.when((pl.col("row") == 1) & (pl.col("group").first() == ALL)).then(GAP).otherwise(0)
    return (
        bases.with_columns(
            pl.Series("lines", ["<br>".join(text) for text in lines], pl.String),
            pl.Series("height", [LINE * len(text) + 14 for text in lines]),
            count("base").alias("base_text"),
        )
        .with_row_index("row")
        .with_columns((pl.col("height") + gap).cum_sum().alias("bottom"))
        .with_columns((pl.col("bottom") - pl.col("height") / 2).alias("y"))
    )


def left(placed: pl.DataFrame, *, bold: bool) -> float:
    """Return the room that labels and bases take at the left; `bold` leaves some for bold groups."""
    lines = [line for text in placed["lines"] for line in text.split("<br>")]
    return style.EDGE + max(width(line, bold=bold or line == WHOLE) for line in lines) + 12 + BASE_WIDTH


def labels(fig: go.Figure, placed: pl.DataFrame, room: float) -> None:
    """Write the groups and their bases into the room at the left, the whole organisation in bold."""
    start = {"x": 0, "xanchor": "left", "align": "left", "xshift": style.EDGE - room}
    whole = placed["group"] == ALL
    style.column(fig, placed.filter(whole)["lines"], placed.filter(whole)["y"], **start, font=style.STRONG)
    style.column(fig, placed.filter(~whole)["lines"], placed.filter(~whole)["y"], **start)
    bases = {"x": 0, "xanchor": "right", "xshift": -8, "font": style.QUIET}
    style.column(fig, placed["base_text"], placed["y"], **bases)
    if placed["base_text"].is_not_null().any():
        style.note(fig, "Base", y=1, yanchor="bottom", yshift=4, **bases)


def columns(fig: go.Figure, names: pl.Series, room: float = COLUMN_WIDTH) -> float:
    """Write the measures above their columns, turned where they do not fit, and return their height."""
    wrapped = [wrap(name, room) for name in names]
    fig.update_xaxes(
        range=[-0.5, len(names) - 0.5],
        side="top",
        tickvals=list(range(len(names))),
        ticktext=["<br>".join(lines) for lines in wrapped],
        tickfont=style.PLAIN,
        autotickangles=[0, -90],
        ticklabelstandoff=4,
    )
    return max(width(line) for lines in wrapped for line in lines) + 8


def cover(fig: go.Figure, cells: pl.DataFrame, name: str, pattern: dict[str, Any]) -> None:
    """Cover cells without a number by a pattern that says why."""
    if cells.is_empty():
        return
    fig.add_bar(
        name=name,
        x=cells["column"].to_list(),
        base=(cells["y"] - cells["height"] / 2 + 1).to_list(),
        y=(cells["height"] - 2).to_list(),
        width=0.97,
        marker={"color": style.PAPER, "line": {"width": 0}, "pattern": pattern},
        hovertext=cells["hover"].to_list(),
        hovertemplate="%{hovertext}<extra></extra>",
    )


def table(cells: pl.DataFrame, said: pl.Expr, placed: pl.DataFrame) -> pl.DataFrame:
    """Return a map as a table: a row for each group, a column for each measure.

    Parameters
    ----------
    cells : polars.DataFrame
        `row`, `group`, `column`, `label`, `held_back`.
    said : polars.Expr
        What a cell says; null where nothing may be or can be said.
    placed : polars.DataFrame
        The rows, as `rows` places them.
    """
    why = (
        pl.when(pl.col("held_back").fill_null(value=False))
        .then(pl.lit(HELD))
        .otherwise(pl.lit(NOT_AVAILABLE))
    )
    each = cells.select(
        "row", "column", pl.when("held_back").then(None).otherwise(said).fill_null(why).alias("said")
    )
    wide = each.pivot("column", index="row", values="said")
    names: dict[str, str] = {}
    for column, label in (
        cells.select(pl.col("column").cast(pl.String), "label").unique(maintain_order=True).rows()
    ):
        taken = {"Group", "Base", *names.values()}
        names[column] = label if label not in taken else f"{label} ({column})"
    group = pl.when(pl.col("group") == ALL).then(pl.lit(WHOLE)).otherwise("group").alias("Group")
    base = pl.col("base_text").fill_null(NOT_AVAILABLE).alias("Base")
    found = placed.select("row", group, base).join(wide, on="row", maintain_order="left")
    return found.drop("row").rename(names)
