"""Groups by measures, each cell coloured by its difference from the whole organisation."""

from __future__ import annotations

from math import ceil, log10

import plotly.graph_objects as go
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError
from culture_metrics.views import maps, style
from culture_metrics.views.inputs import one_of, tidy
from culture_metrics.views.labels import reading, safely
from culture_metrics.wording.grey import seen_apart
from culture_metrics.wording.numbers import (
    DECIMALS,
    MINUS,
    WHY_NOT,
    fixed,
    held_back,
    level_rows,
    reach,
    sentences,
    several,
    shown,
    together,
)

COLUMNS = ["group", "group_base", "measure", "label", "estimate", "base", "status", "reference"]
NUMBERS = ["estimate", "shrunken", "conf_low", "conf_high", "base"]
KEY_HEIGHT, KEY_WIDTH = 96, 200
#: From so many measures on, labels take one line, scores one decimal, and the map has a width of its own.
MANY, CELL_WIDTH, WIDTH = 14, 30, 1100
NOT_SHOWN = "\N{EN DASH}"


def heat_map(
    table: pl.DataFrame,
    *,
    title: str,
    unit: str = "score",
    subtitle: str = "",
    source: str = "",
    limit: float | None = None,
    scale: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw groups as rows and measures as columns, coloured by the difference from the whole organisation.

    The number in a cell is the group's own value. The first row is the whole organisation. Cells that may not
    be shown are hatched; cells without a value (no answers, not in the table) are empty. Maps of 14 measures
    and more do not shrink below a width at which they can be read.

    Parameters
    ----------
    table : polars.DataFrame
        One row per group and measure, in the order to draw them: `group`, `group_base` (may be null),
        `measure`, `label`, `estimate`, `base`, `status`, `reference` (the whole organisation's value of the
        measure). `conf_low` and `conf_high`, if there, are said on hover. `shrunken`, if there, is what is
        drawn instead of a group's own value, which is said on hover. Only cells with `clear` are coloured;
        without that column those whose interval leaves out the whole organisation's value. Rows of
        the group "all" only give the whole organisation's base.
    unit : {"score", "percent"}
        Unit of every measure.
    title, subtitle, source : str
        What is seen, its year and population, and where the numbers come from.
    limit : float, optional
        Difference at which the colours end, so that several maps can share it (`colour_limit`).
    scale : (float, float), optional
        Where scores lie, from the lowest to the highest.

    Returns
    -------
    plotly.graph_objects.Figure
        `layout.meta["alt"]` says it in words; `layout.meta["suppressed"]` counts the hatched cells.

    Raises
    ------
    ResultsError
        When the table lacks a column or has no rows.

    Examples
    --------
    >>> table = pl.DataFrame({"group": ["Medical", "Estates"], "group_base": [310, 7],
    ...     "measure": ["morale"] * 2, "label": ["Morale"] * 2, "estimate": [6.4, None],
    ...     "base": [305, None], "reference": [5.9, 5.9],
    ...     "status": ["reported", "suppressed_small_base"]})
    >>> heat_map(table, title="Morale by group").layout.meta["alt"]
    'Morale by group. Heat map of 1 measure in 2 groups. Furthest above the whole organisation: Morale in \
Medical, 6.40 against 5.90. No cell is below the whole organisation. 1 cell is not shown: too few \
answers, or withheld so that a small group cannot be worked out.'
    """
    one_of("unit", unit, DECIMALS, "views.heat_map")
    table = _checked(table)
    measures = table.group_by("measure", maintain_order=True).agg(
        pl.col("label").first().cast(pl.String), pl.col("reference").drop_nulls().first().cast(pl.Float64)
    )
    rows = _rows(table)
    cells = _cells(table, rows, measures, unit)

    fig = style.figure()
    total = rows["bottom"].item(-1)
    style.pixel_rows(fig, total)
    room = 1e9 if measures.height >= MANY else maps.COLUMN_WIDTH
    head = max(KEY_HEIGHT, maps.columns(fig, measures["label"], room))
    _whole(fig, rows, measures, unit)
    _groups(fig, rows, cells)
    _hatch(fig, cells)
    left = maps.left(rows, bold=False)
    maps.labels(fig, rows, left)
    limit = colour_limit(table) if limit is None else limit
    _key_words(fig, cells, unit, (style.EDGE - left, head), limit)
    style.finish(
        fig,
        style.Room(height=total, left=left, head=head, foot=10),
        title=title,
        subtitle=sentences([subtitle]),
        notes=_notes(cells, unit, scale),
        alt=_alt(cells, rows, measures, unit),
        source=source,
        numbers=_numbers(cells, rows, measures, unit),
        suppressed=int(cells["held_back"].sum()),
    )
    _key(fig, head, limit)
    if measures.height >= MANY:
        fig.update_layout(width=max(WIDTH, left + CELL_WIDTH * measures.height + style.EDGE))
    return fig


def _checked(table: pl.DataFrame) -> pl.DataFrame:
    """Check the table; groups of which nothing is shown lose their base as well."""
    if isinstance(table, pl.DataFrame):
        numbers = dict.fromkeys(["conf_low", "conf_high", "shrunken"], pl.Float64)
        kinds: dict[str, type[pl.DataType]] = {**numbers, "clear": pl.Boolean}
        table = table.with_columns(
            pl.lit(None, kind).alias(c) for c, kind in kinds.items() if c not in table.columns
        )
    table = tidy(table, COLUMNS, key=["group", "measure"], numbers=NUMBERS, where="views.heat_map")
    groups = table.filter(pl.col("group") != ALL)
    if groups.is_empty():
        raise ResultsError(
            "The table has no groups beside the whole organisation",
            where="views.heat_map",
            hint="Estimate with `by=` and keep the groups of one breakdown.",
        )
    if (groups["estimate"].is_not_null() & groups["reference"].is_null()).any():
        raise ResultsError(
            "A group has a value of a measure for which the whole organisation has none",
            where="views.heat_map",
            expected="`reference` wherever `estimate` is reported",
        )
    seen = pl.col("estimate").is_not_null().any().over("group")
    return table.with_columns(pl.when(seen).then("group_base").alias("group_base"))


def _rows(table: pl.DataFrame) -> pl.DataFrame:
    """Place the whole organisation and its groups on the page, each as high as its label needs."""
    bases = table.group_by("group", maintain_order=True).agg(pl.col("group_base").max())
    groups = bases.filter(pl.col("group") != ALL)
    whole = pl.DataFrame({"group": [ALL]}).join(bases, on="group", how="left")
    return maps.rows(pl.concat([whole, groups]).rename({"group_base": "base"}))


def _cells(table: pl.DataFrame, rows: pl.DataFrame, measures: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Return one row for every group and measure, in the order of the page, whether it has a value or not."""
    values = table.select("group", "measure", "status", "clear", *NUMBERS)
    return (
        rows.slice(1)
        .select("row", "group", "y", "height")
        .join(measures.with_row_index("column"), how="cross")
        .join(values, on=["group", "measure"], how="left", maintain_order="left")
        .with_columns(drawn=pl.coalesce("shrunken", "estimate"))
        .with_columns(
            (pl.col("drawn") - pl.col("reference")).alias("difference"),
            held_back().alias("held_back"),
        )
        .with_columns(
            coloured(pl.col("difference")).alias("shade"),
            _printed("drawn", unit, measures.height).alias("text"),
            pl.concat_str(
                pl.format("<b>{}</b><br>{}<br>", safely("group"), safely("label")),
                reading(unit),
                pl.format("<br>Shrunken {}", fixed("shrunken", unit)).fill_null(""),
                pl.format(
                    "<br>{} {} the whole organisation",
                    fixed(pl.col("difference").abs(), unit),
                    pl.when(pl.col("difference") < 0).then(pl.lit("below")).otherwise(pl.lit("above")),
                ).fill_null(""),
            ).alias("hover"),
        )
    )


def coloured(difference: pl.Expr) -> pl.Expr:
    """Expression: the difference where a cell is coloured, else 0.

    Where it is `clear`; where that is not known, where the interval leaves out the whole's value.
    """
    inside = (pl.col("conf_low") <= pl.col("reference")) & (pl.col("conf_high") >= pl.col("reference"))
    return pl.when(pl.coalesce(~pl.col("clear"), inside)).then(difference * 0).otherwise(difference)


def _numbers(cells: pl.DataFrame, rows: pl.DataFrame, measures: pl.DataFrame, unit: str) -> pl.DataFrame:
    """Return the map as a table, the whole organisation first."""
    whole = measures.with_row_index("column").select(
        pl.lit(rows["row"][0], rows.schema["row"]).alias("row"),
        "column",
        "label",
        pl.col("reference").alias("drawn"),
        held_back=False,
    )
    own = cells.select("row", "column", "label", "drawn", "held_back")
    return maps.table(pl.concat([whole, own], how="vertical_relaxed"), fixed("drawn", unit), rows)


def _printed(column: str, unit: str, measures: int) -> pl.Expr:
    """Expression: the number in a cell, without its sign, and shorter where there are many."""
    return fixed(column, "percent" if measures >= MANY else unit).str.strip_suffix("%").fill_null("")


def colour_limit(table: pl.DataFrame) -> float:
    """Return the end of the colour scale: the 95th percentile of the differences, rounded up.

    Parameters
    ----------
    table : polars.DataFrame
        As `heat_map` takes it, or several under each other.

    Examples
    --------
    >>> colour_limit(pl.DataFrame({"group": ["Medical"], "estimate": [6.37], "reference": [6.0]}))
    0.4
    """
    groups = table.filter(pl.col("group") != ALL)
    size = float((groups["estimate"] - groups["reference"]).abs().quantile(0.95, "higher") or 0.0)
    if size <= 0:
        return 1.0
    step = 10.0 ** (ceil(log10(size)) - 1)
    return next(step * n for n in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * n >= size - 1e-12)


def _whole(fig: go.Figure, rows: pl.DataFrame, measures: pl.DataFrame, unit: str) -> None:
    said = measures.select(
        _printed("reference", unit, measures.height).alias("text"),
        pl.format(
            "<b>{}</b><br>{}<br>Value {}", pl.lit(maps.WHOLE), safely("label"), fixed("reference", unit)
        )
        .fill_null("Not available")
        .alias("hover"),
    )
    fig.add_heatmap(
        name=maps.WHOLE,
        x=list(range(measures.height)),
        y=[0, rows["height"].item(0)],
        z=[[0.0] * measures.height],
        text=[said["text"].to_list()],
        hovertext=[said["hover"].to_list()],
        textfont=style.STRONG,
        **_CELL,
    )


_CELL = {
    "coloraxis": "coloraxis",
    "texttemplate": "%{text}",
    "hovertemplate": "%{hovertext}<extra></extra>",
    "xgap": 2,
    "ygap": 2,
    "hoverongaps": False,
}


def _groups(fig: go.Figure, rows: pl.DataFrame, cells: pl.DataFrame) -> None:
    shape = (rows.height - 1, -1)
    top = rows["bottom"].item(0) + maps.GAP
    fig.add_heatmap(
        name="Groups",
        x=list(range(cells["column"].n_unique())),
        y=[top, *rows["bottom"].slice(1)],
        z=cells["shade"].reshape(shape).to_list(),
        text=_grid(cells["text"], rows.height - 1),
        hovertext=_grid(cells["hover"], rows.height - 1),
        textfont=style.PLAIN,
        **_CELL,
    )


def _grid(values: pl.Series, rows: int) -> list[list[str]]:
    flat, across = values.to_list(), len(values) // rows
    return [flat[i : i + across] for i in range(0, len(flat), across)]


def _hatch(fig: go.Figure, cells: pl.DataFrame) -> None:
    """Hatch the cells that may not be shown."""
    hidden = cells.filter("held_back")
    if hidden.is_empty():
        return
    maps.cover(fig, hidden, "Not shown", maps.HATCH)
    fig.add_scatter(
        name="Not shown",
        x=hidden["column"].to_list(),
        y=hidden["y"].to_list(),
        mode="text",
        text=[NOT_SHOWN] * hidden.height,
        textfont={"size": 16, "color": style.TEXT, "weight": 600},
        hoverinfo="skip",
    )


def _key_words(fig: go.Figure, cells: pl.DataFrame, unit: str, at: tuple[float, float], limit: float) -> None:
    """Write what the colours mean into the empty corner above the groups."""
    beyond = (cells["difference"].abs() > limit + 1e-12).any()
    start, head = at
    corner = {"y": 1, "yanchor": "top", "x": 0, "font": style.QUIET}
    style.note(fig, "Difference from the whole", **corner, xanchor="left", xshift=start, yshift=head)
    least, most = ("≥ ", "≤ ") if beyond else ("", "")
    points = " points" if unit == "percent" else ""
    ends = [
        ("left", 0, f"{most}{MINUS}{limit:g}"),
        ("center", 0.5, "0"),
        ("right", 1, f"{least}+{limit:g}{points}"),
    ]
    for anchor, share, text in ends:
        place = {"xanchor": anchor, "xshift": start + share * KEY_WIDTH, "yshift": head - 38}
        style.note(fig, text, **corner, **place)


def _key(fig: go.Figure, head: float, limit: float) -> None:
    """Put the bar of the colours between these words, on a finished figure."""
    fig.update_layout(
        coloraxis={
            "cmin": -limit,
            "cmax": limit,
            "colorscale": style.DIVERGING,
            "colorbar": {
                "orientation": "h",
                "xref": "container",
                "x": 0,
                "xanchor": "left",
                "xpad": style.EDGE,
                "yref": "container",
                "y": 1 - (fig.layout.margin.t - head + 22) / fig.layout.height,
                "yanchor": "top",
                "ypad": 0,
                "lenmode": "pixels",
                "len": KEY_WIDTH + 2 * style.EDGE,
                "thickness": 12,
                "outlinewidth": 0,
                "showticklabels": False,
                "ticks": "",
            },
        }
    )


def _notes(cells: pl.DataFrame, unit: str, scale: tuple[float, float] | None) -> str:
    said = ["Numbers are " + ("percentages." if unit == "percent" else f"scores{reach(scale)}.")]
    if cells["shrunken"].is_not_null().any():
        said.append(
            "Those of groups are shrunken: drawn towards the mean of the groups as far as they are "
            "uncertain; their own are said on hover."
        )
    if cells["clear"].is_not_null().any():
        said.append(
            "Coloured where the difference from the whole organisation, of which the group is a part, is "
            "beyond chance also among all cells of the map."
        )
    elif cells["conf_low"].is_not_null().any():
        said.append(
            "Coloured where the 95% interval leaves out the whole organisation's value: each cell by itself, "
            "so some are by chance alone."
        )
    if cells["shade"].is_not_null().any() and not (cells["shade"] != 0).any():
        said.append(seen_apart(cells, unit))
    if cells["held_back"].any():
        said.append(f"Hatched, {NOT_SHOWN}: {WHY_NOT['suppressed']}.")
    if (cells["estimate"].is_null() & ~cells["held_back"]).any():
        said.append("Empty: no answers in this file.")
    return " ".join(said)


def _alt(cells: pl.DataFrame, rows: pl.DataFrame, measures: pl.DataFrame, unit: str) -> str:
    measured, grouped = several(measures.height, "measure"), several(rows.height - 1, "group")
    said = [f"Heat map of {measured} in {grouped}."]
    known = cells.drop_nulls("difference")
    for side in ("above", "below") if known.height else ():
        level = level_rows(known, "difference", unit, highest=side == "above")
        far = level["difference"][0]
        if (far > 0) if side == "above" else (far < 0):
            each = (
                f"{row['label']} in {row['group']}, {shown(row['drawn'], unit)} against "
                f"{shown(row['reference'], unit)}"
                for row in level.iter_rows(named=True)
            )
            said.append(f"Furthest {side} the whole organisation: {together(each)}.")
        else:
            said.append(f"No cell is {side} the whole organisation.")
    hidden = int(cells["held_back"].sum())
    empty = cells["estimate"].null_count() - hidden
    if hidden:
        said.append(f"{hidden} cell{'s are' if hidden > 1 else ' is'} not shown: {WHY_NOT['suppressed']}.")
    if empty:
        said.append(f"{empty} cell{'s have' if empty > 1 else ' has'} no value.")
    return " ".join(said)
