"""Groups by measures, each cell the change between two periods."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.views import maps, style
from culture_metrics.views.changes import before_and_after, plus_printed
from culture_metrics.views.inputs import one_of, tidy
from culture_metrics.views.labels import safely
from culture_metrics.wording.grey import seen_change
from culture_metrics.wording.numbers import DECIMALS, WHY_NOT, held_back, reach, sentences, several
from culture_metrics.wording.table import BREAK
from culture_metrics.wording.verdicts import BARRED, CLEAR, KNOWN, LIKELY, SAME

COLUMNS = [
    "group", "measure", "label", "unit", "estimate_from", "estimate_to", "base_from", "base_to",
    "period_from", "period_to", "difference", "verdict", "reason", "status",
]  # fmt: skip
NUMBERS = ["difference", "estimate_from", "estimate_to", "base_from", "base_to"]
CROSS = {"shape": "x", "fgcolor": "#CFCFCF", "bgcolor": style.PAPER, "size": 8, "solidity": 0.2}
#: Shade of a cell by verdict: where on the diverging scale it stands. Only what is clear is coloured.
SHADES = {v.name: float(v.side * v.clear) for v in KNOWN if v.name != BARRED}


def change_map(
    table: pl.DataFrame,
    *,
    title: str,
    unit: str = "score",
    subtitle: str = "",
    source: str = "",
    scale: tuple[float, float] | None = None,
) -> go.Figure:
    """Draw groups as rows and measures as columns, each cell the change and its verdict.

    Blue cells improved, orange ones declined, also after all cells are allowed for; a bold number without
    colour did not change materially; an italic one is likely to have changed by itself alone; a plain one
    shows no clear change. Suppressed cells are hatched, cells that may not be compared are crossed.

    Parameters
    ----------
    table : polars.DataFrame
        One row per group and measure, as `compare_years` gives it for one organisation and breakdown, with
        the rows of the whole organisation (group "all").
    title, subtitle, source : str
        What is seen, its periods, and where the numbers come from.
    unit : {"score", "percent"}
        Unit of every measure.
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
    >>> row = {"group": "all", "measure": "morale", "label": "Morale", "unit": "score",
    ...     "estimate_from": 5.9, "estimate_to": 6.2, "base_from": 800, "base_to": 812, "period_from": "2023",
    ...     "period_to": "2024", "difference": 0.3, "verdict": "improved", "reason": "", "status": "reported"}
    >>> change_map(pl.DataFrame([row]), title="Change").layout.meta["alt"]
    'Change. Heat map of the change of 1 measure in 0 groups, 2023 to 2024. Improved: Morale, whole \
organisation (+0.30).'
    """
    one_of("unit", unit, DECIMALS, "views.change_map")
    table = tidy(table, COLUMNS, key=["group", "measure"], numbers=NUMBERS, where="views.change_map")
    table = table.with_columns(pl.col("verdict").cast(pl.String))
    measures = table.group_by("measure", maintain_order=True).agg(pl.col("label").first())
    rows = _rows(table)
    cells = _cells(table, rows, measures, unit)

    fig = style.figure()
    total = float(rows["bottom"].item(-1))
    style.pixel_rows(fig, total)
    head = maps.columns(fig, measures["label"])
    _shade(fig, rows, cells)
    hidden, barred = cells.filter("hidden"), cells.filter("barred")
    maps.cover(fig, hidden, "Not shown", maps.HATCH)
    maps.cover(fig, barred, "Not comparable", CROSS)
    fig.update_layout(barmode="overlay")
    left = maps.left(rows, bold=True)
    maps.labels(fig, rows, left)
    style.finish(
        fig,
        style.Room(height=total, left=left, head=head, foot=10),
        title=title,
        subtitle=sentences([subtitle]),
        notes=sentences([_notes(cells, unit, scale), _seen(table, unit)]),
        alt=_alt(cells, rows, measures, unit),
        source=source,
        numbers=maps.table(
            cells.with_columns(held_back=pl.col("hidden")),
            pl.when(pl.col("barred")).then(pl.lit(BREAK)).otherwise(pl.format("{}, {}", "number", "verdict")),
            rows,
        ),
        suppressed=hidden.height,
    )
    return fig


def _rows(table: pl.DataFrame) -> pl.DataFrame:
    """Place the groups on the page, the whole organisation first where there is one."""
    bases = table.group_by("group", maintain_order=True).agg(pl.col("base_to").max().alias("base"))
    return maps.rows(pl.concat([bases.filter(pl.col("group") == ALL), bases.filter(pl.col("group") != ALL)]))


def _cells(table: pl.DataFrame, rows: pl.DataFrame, measures: pl.DataFrame, unit: str) -> pl.DataFrame:
    values = table.select(
        "group", "measure", "unit", "status", "verdict", "reason", "period_from", "period_to", *NUMBERS
    )
    whole = pl.when(pl.col("group") == ALL).then(pl.lit(maps.WHOLE)).otherwise("group")
    said = pl.format("{}, {}<br>", before_and_after(unit), "verdict").fill_null("")
    return (
        rows.select("row", "group", "y", "height")
        .join(measures.with_row_index("column"), how="cross")
        .join(values, on=["group", "measure"], how="left", maintain_order="left")
        .with_columns(held_back().alias("hidden"), name=whole)
        .with_columns(
            ((pl.col("verdict").fill_null(BARRED) == BARRED) & ~pl.col("hidden")).alias("barred"),
            pl.col("verdict").replace_strict(SHADES, default=None, return_dtype=pl.Float64).alias("shade"),
            plus_printed(unit).alias("number"),
        )
        .with_columns(
            pl.when(pl.col("barred") | pl.col("hidden"))
            .then(pl.lit(""))
            .when(pl.col("verdict").is_in([*CLEAR, SAME]))
            .then(pl.format("<b>{}</b>", "number"))
            .when(pl.col("verdict").is_in(LIKELY))
            .then(pl.format("<i>{}</i>", "number"))
            .otherwise("number")
            .alias("text"),
            pl.concat_str(
                pl.format("<b>{}</b><br>{}<br>", safely("name"), safely("label")),
                said,
                safely("reason").fill_null("Not in the table."),
            ).alias("hover"),
        )
    )


def _shade(fig: go.Figure, rows: pl.DataFrame, cells: pl.DataFrame) -> None:
    """Colour the cells: a band of rows for each group, so that gaps stay gaps."""
    for number, bottom, height in rows.select("row", "bottom", "height").iter_rows():
        own = cells.filter(pl.col("row") == number)
        fig.add_heatmap(
            x=own["column"].to_list(),
            y=[bottom - height, bottom],
            z=[own["shade"].to_list()],
            zmin=-1,
            zmax=1,
            colorscale=[list(stop) for stop in style.DIVERGING],
            showscale=False,
            text=[own["text"].to_list()],
            texttemplate="%{text}",
            textfont=style.PLAIN,
            hovertext=[own["hover"].to_list()],
            hovertemplate="%{hovertext}<extra></extra>",
            xgap=2,
            ygap=2,
            hoverongaps=False,
        )


def _notes(cells: pl.DataFrame, unit: str, scale: tuple[float, float] | None) -> str:
    points = "in percentage points" if unit == "percent" else f"in score{reach(scale, ' ({})')}"
    said = [
        f"Numbers: change {points}. Blue improved, orange declined, bold grey no material change; others no "
        "clear change, italic where the cell by itself would be beyond chance. Base: the later year."
    ]
    if cells["hidden"].any():
        said.append(f"Hatched: {WHY_NOT['suppressed']}.")
    if cells["barred"].any():
        said.append("Crossed: not comparable.")
    return " ".join(said)


def _seen(table: pl.DataFrame, unit: str) -> str:
    """Say what could have been seen where no group is coloured."""
    groups = table.filter(pl.col("group") != ALL)
    return "" if groups["verdict"].is_in(CLEAR).any() else seen_change(groups, unit)


def _alt(cells: pl.DataFrame, rows: pl.DataFrame, measures: pl.DataFrame, unit: str) -> str:
    groups = int((rows["group"] != ALL).sum())
    ends = cells.drop_nulls("period_from").row(0, named=True)
    said = [
        f"Heat map of the change of {several(measures.height, 'measure')} in {several(groups, 'group')}, "
        f"{ends['period_from']} to {ends['period_to']}."
    ]
    where = pl.when(pl.col("group") == ALL).then(pl.lit(maps.WHOLE.lower())).otherwise("group")
    for verdict in CLEAR:
        found = cells.filter(pl.col("verdict") == verdict).select(
            pl.format("{}, {} ({})", "label", where, plus_printed(unit))
        )
        if found.height:
            said.append(f"{verdict.capitalize()}: {'; '.join(found.to_series().head(8))}.")
    for column, word in (("hidden", f"not shown: {WHY_NOT['suppressed']}"), ("barred", "not comparable")):
        n = int(cells[column].sum())
        if n:
            said.append(f"{n} cell{'s are' if n > 1 else ' is'} {word}.")
    return " ".join(said)
