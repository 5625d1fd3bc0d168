"""The map of changes that reads: groups, within what they lie in, by scores, each cell the change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import ALL
from culture_metrics.disclosure.names import minimum_of
from culture_metrics.results.heat_table import HeatTable, lies_in, placed
from culture_metrics.wording.heat import changes
from culture_metrics.wording.numbers import held_back
from culture_metrics.wording.table import BREAK, HELD
from culture_metrics.wording.verdicts import BARRED, CLEAR, VERDICTS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.compare.comparison import YearComparison
    from culture_metrics.wording.heat import Reading

COLUMNS = [
    "breakdown", "group", "within", "group_base", "measure", "label", "leading", "estimate", "conf_low",
    "conf_high", "base", "status", "reference", "clear", "verdict", "reason", "unit", "estimate_from",
    "estimate_to", "base_from", "base_to", "period_from", "period_to", "difference",
]  # fmt: skip


@dataclass(frozen=True, repr=False, eq=False)
class ChangeTable(HeatTable):
    """Groups by scores, each cell its change between two periods, coloured where it is beyond chance.

    As `HeatTable`, with these differences.

    Attributes
    ----------
    table : polars.DataFrame
        `estimate`, `conf_low`, `conf_high`: the change and its interval; `base`, `group_base`: of the later
        period; `reference`: 0; `clear`: whether improved or declined; and of `YearComparison.table`
        `verdict, reason, unit, estimate_from, estimate_to, base_from, base_to, period_from, period_to,
        difference`.
    limit : float
        1: a colour says which way, not how far.
    """

    @property
    def reading(self) -> Reading:
        """What its numbers and colours say."""
        ends = self.table.drop_nulls("period_from").row(0, named=True)
        return changes(self.unit, self.scale, f"{ends['period_from']} to {ends['period_to']}")

    def cells(self) -> pl.DataFrame:
        """Return the table with what is drawn of each cell."""
        from culture_metrics.views.changes import plus_printed

        sides = {name: float(verdict.side) for name, verdict in VERDICTS.items() if name in CLEAR}
        return self.table.with_columns(
            apart=pl.col("verdict").replace_strict(sides, default=None, return_dtype=pl.Float64),
            difference=pl.when(pl.col("group") != ALL).then("estimate"),
            text=plus_printed(self.unit),
            mark=pl.when(held_back()).then(pl.lit(HELD)).otherwise(pl.lit(BREAK)),
        )

    def figure(self) -> go.Figure:
        """Draw the map of these groups; what they lie in stands beside."""
        from culture_metrics import views

        return views.change_map(
            self.table.filter(pl.col("breakdown").is_in([ALL, self.breakdown])),
            unit=self.unit,
            title=self.title,
            subtitle=self.subtitle,
            source=self.source,
            scale=self.scale,
        )

    def summary(self) -> str:
        """Say how many changes there are; the title has it."""
        return f"{self.title}."


def change_table(
    change: YearComparison, rows: pl.DataFrame, breakdown: str, words: dict[str, str], *, unit: str
) -> ChangeTable:
    """Lay the changes of the groups of a breakdown out, within the groups that they lie in.

    Parameters
    ----------
    change : YearComparison
        What they are of.
    rows : polars.DataFrame
        Of its table those of one organisation and unit, with the whole organisation's.
    breakdown : str
        Which groups.
    words : dict
        `title`, `subtitle` and `source`.
    unit : {"score", "percent"}
        Of every row.
    """
    edition = catalogue(change.survey).edition(change.to_period)
    lies = lies_in(change.parents, rows, breakdown)
    outer = str(lies["parent_breakdown"][0]) if lies.height else ""
    known = pl.col("difference").is_not_null() & (pl.col("verdict") != BARRED) & ~held_back()
    table = (
        rows.filter(pl.col("breakdown").is_in([ALL, breakdown, outer]))
        .with_columns(pl.col("verdict").cast(pl.String).fill_null(BARRED))
        .with_columns(
            estimate=pl.when(known).then("difference"),
            base=pl.col("base_to"),
            group_base=pl.col("base_to").max().over("breakdown", "group"),
            leading=pl.lit(value=True),
            reference=pl.lit(0.0),
            clear=pl.col("verdict").is_in(CLEAR),
        )
        .join(
            lies.select(
                "group", pl.col("parent_group").alias("within"), pl.lit(breakdown).alias("breakdown")
            ),
            on=["breakdown", "group"], how="left", maintain_order="left",
        )
        .with_row_index("listed")
    )  # fmt: skip
    # By the survey's headline where its years compare, else by the first score whose do.
    shown = table.filter(pl.col("breakdown") == breakdown).drop_nulls("estimate")["measure"]
    order = edition.headline if (shown == edition.headline).any() else next(iter(shown), "name")
    pooled = rows.select(minimum_of()).to_series().drop_nulls()
    least = next(iter(pooled), catalogue(change.survey).minimum_base)
    return ChangeTable(
        table=table.join(
            placed(table, order, outer), on=["breakdown", "group"], how="left", maintain_order="left"
        )
        .sort("place", "listed")
        .select(COLUMNS),
        breakdown=breakdown,
        name=edition.breakdown_label(breakdown, change.names),
        around=edition.breakdown_label(outer, change.names) if outer else "",
        unit=unit,
        limit=1.0,
        order=edition.measure(order).label if order != "name" else order,
        scale=catalogue(change.survey).score_range,
        minimum_base=least,
        provenance=change.provenance,
        title=words["title"],
        subtitle=words["subtitle"],
        source=words["source"],
    )
