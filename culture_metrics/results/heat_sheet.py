"""A heat map as a sheet of a workbook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.files.accessible import Look, Sheet, workbook
from culture_metrics.files.formulas import neutral
from culture_metrics.wording.table import BREAK, HELD, NOT_AVAILABLE, SHORTHAND

if TYPE_CHECKING:
    from culture_metrics.results.heat_table import HeatTable

WHOLE, ALL_OF_IT, NOWHERE = "Whole organisation", "All", "In none that is shown"
BASE = "Base (people)"
EXPLAINED = {
    "Heat maps": "A cell with the word above or below is clearly above or below the whole organisation: "
    "beyond chance, with all cells of one map allowed for (Benjamini-Hochberg, 5%), the leading scores by "
    "themselves and the others by themselves. It is blue above and orange below, darker the greater the "
    "difference. "
    "The word is part of how the number is shown: every cell with a figure holds a number.",
    "Order of rows": "Rows are sorted as their sheet says; neighbours may differ by chance alone. Groups "
    "that lie in another stand beneath it. Groups of which nothing is shown stand last, together.",
}


CHANGES = (
    "A cell holds the change between the two years. One with the word improved or declined changed beyond "
    "chance, after all that was compared is allowed for; it is blue or orange. The word is part of how the "
    "number is shown: every cell with a figure holds a number. Base is that of the later year."
)


def heat_sheet(heat: HeatTable) -> Sheet:
    """Return a heat map as a sheet: groups by scores, the leading ones first, with numbers and colours."""
    from culture_metrics.views.heat_table import shade

    folded, said = heat.folded()
    key = ["breakdown", "group"]
    cells = heat.cells().join(folded, on=key, how="anti", maintain_order="left")
    groups = cells.select(*key, "within", "group_base").unique(key, keep="first", maintain_order=True)
    last = pl.DataFrame({"said": [text for text, _ in said]}, schema={"said": pl.String})
    frame = pl.concat([_names(heat, groups), _named(heat, last["said"])])
    rest = [None] * last.height
    frame = frame.with_columns(pl.Series(BASE, [*groups["group_base"], *rest], pl.Int64))
    unit = "%" if heat.unit == "percent" else "{:g} to {:g}".format(*heat.scale)
    reading = heat.reading
    change = ", change" if reading.signed else ""
    looks: dict[str, list[Look | None]] = {}
    marks: dict[str, list[str]] = {BASE: [NOT_AVAILABLE] * groups.height + [HELD] * last.height}
    for (label,), part in cells.group_by("label", maintain_order=True):
        column = f"{label}{change} ({unit})"
        own = groups.select(key).join(part, on=key, how="left", maintain_order="left")
        frame = frame.with_columns(pl.Series(column, [*own["estimate"], *rest], pl.Float64))
        marks[column] = [*own["mark"].fill_null(NOT_AVAILABLE), *([HELD] * last.height)]
        looks[column] = [
            Look(reading.form(heat.unit))
            if apart is None
            else Look(reading.form(heat.unit, apart), shade(apart, heat.limit))
            for apart in own["apart"]
        ] + rest
    inner = (groups["breakdown"] == heat.breakdown) & groups["within"].is_not_null()
    return Sheet(
        f"{reading.sheet} {heat.name}",
        heat.title,
        frame,
        {BASE: "#,##0"},
        about=[f"{heat.subtitle}. Rows {heat.ordered}. The sheet Notes explains the words and marks."],
        looks=looks,
        marks=marks,
        levels=inner.cast(pl.Int8).to_list(),
        names=2 if heat.around else 1,
    )


def _names(heat: HeatTable, groups: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that name the rows."""
    if not heat.around:
        return groups.select(pl.col("group").replace({ALL: WHOLE}).alias(heat.name))
    own, whole = pl.col("breakdown") == heat.breakdown, pl.col("group") == ALL
    return groups.select(
        pl.when(whole)
        .then(pl.lit(WHOLE))
        .when(own)
        .then(pl.col("within").fill_null(NOWHERE))
        .otherwise("group")
        .alias(heat.around),
        pl.when(own).then("group").otherwise(pl.lit(ALL_OF_IT)).alias(heat.name),
    )


def _named(heat: HeatTable, said: pl.Series) -> pl.DataFrame:
    """Return the same columns for groups of which nothing is shown."""
    if not heat.around:
        return pl.DataFrame({heat.name: said})
    text = pl.col("said")
    of_own = text.str.starts_with(f"{heat.name}: ")
    return pl.DataFrame({"said": said}).select(
        pl.when(of_own).then(pl.lit(NOWHERE)).otherwise("said").alias(heat.around),
        pl.when(of_own).then("said").otherwise(pl.lit(ALL_OF_IT)).alias(heat.name),
    )


def heat_workbook(heat: HeatTable) -> bytes:
    """Return a workbook with one heat map."""
    known = (HELD, NOT_AVAILABLE, *([BREAK] if heat.reading.signed else ()))
    marks = {mark: SHORTHAND[mark] for mark in known}
    explained = EXPLAINED | ({"Heat maps": CHANGES} if heat.reading.signed else {})
    rules = {f"Rule {n}": said for n, said in enumerate(heat.provenance.get("rules", ()), 1)}
    cover = [heat.summary(), f"Source: {heat.source}.", "Made with culture-metrics."]
    return workbook(neutral(heat.title), cover, explained | marks | rules, [heat_sheet(heat)])
