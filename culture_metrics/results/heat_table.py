"""The heat map that reads: groups, within what they lie in, by scores, with numbers and colours."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.names import is_pooled, pooled
from culture_metrics.errors import unknown
from culture_metrics.files.place import to_write
from culture_metrics.output import ENDINGS, Output
from culture_metrics.results.beside import with_apart
from culture_metrics.results.tables import heat_map_table
from culture_metrics.wording.columns import natural
from culture_metrics.wording.heat import levels
from culture_metrics.wording.numbers import at_the_end, held_back, in_sentence, several

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.catalogue import Edition
    from culture_metrics.results.results import Results
    from culture_metrics.wording.heat import Reading

#: Orders of rows that are no measure.
LIKENESS, NAME = "likeness", "name"
#: A map of more groups than this is a table: it scrolls, sorts and goes on over several sheets of paper.
MANY_GROUPS = 25


@dataclass(frozen=True, repr=False, eq=False)
class HeatTable(Output):
    """Groups by scores, each cell with its number, coloured where it is clearly apart from the whole.

    Attributes
    ----------
    table : polars.DataFrame
        A row for each cell, in the order of the page: `breakdown, group, within` (the group of `around` that
        it lies in, null where none is shown), `group_base, measure, label, leading, estimate, conf_low,
        conf_high, base, status, reference` (the whole organisation's), `clear` (whether beyond chance, all
        cells of the map allowed for).
    breakdown : str
        Its id.
    name, around : str
        What the breakdown is called, and what the one around it; empty where there is none.
    title, subtitle, source : str
        As beneath and above the figure.
    unit : str
        Of every cell.
    limit : float
        Difference at which the colours end.
    order : str
        What rows are sorted by: the label of a measure, "likeness" or "name".
    scale : tuple of float
        Where scores lie.
    moved : mapping
        (breakdown, group) -> a sentence on what changed in it.
    minimum_base : int
        Smallest base that is shown.
    """

    table: pl.DataFrame
    breakdown: str
    name: str
    around: str
    title: str
    subtitle: str
    source: str
    unit: str
    limit: float
    order: str
    scale: tuple[float, float]
    minimum_base: int
    moved: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def figure(self) -> go.Figure:
        """Draw the map of these groups; what they lie in stands beside."""
        from culture_metrics import views

        return views.heat_map(
            self.table.filter("leading", pl.col("breakdown").is_in([ALL, self.breakdown])),
            unit=self.unit,
            title=self.title,
            source=self.source,
            limit=self.limit,
            scale=self.scale,
            subtitle=self.subtitle,
        )

    @property
    def long(self) -> bool:
        """Whether a figure would not do: groups lie within others, or are many."""
        return bool(self.around) or self.table["group"].n_unique() > MANY_GROUPS

    @property
    def reading(self) -> Reading:
        """What its numbers and colours say."""
        return levels(self.unit, self.scale)

    def cells(self) -> pl.DataFrame:
        """Return the table with what is drawn of each cell."""
        from culture_metrics.views.heat_table import with_cells

        return with_cells(self.table, self.unit)

    def summary(self) -> str:
        """Say which groups stand furthest from the whole, each by its figure."""
        shown = self.table.filter(
            "leading", pl.col("breakdown") == self.breakdown, pl.col("estimate").is_not_null()
        )
        groups = shown["group"].n_unique()
        said = [f"{self.title}."]
        apart = shown.filter(pl.col("clear").fill_null(value=False)).with_columns(
            apart=pl.col("estimate") - pl.col("reference"),
            said=pl.format("{} in {}", "label", "group"),
        )
        for side, highest in (("above", True), ("below", False)):
            rows = apart.filter((pl.col("apart") > 0) == highest)
            if rows.height:
                whom, _ = at_the_end(rows, "said", "apart", self.unit, highest=highest)
                said.append(f"Furthest {side} the whole organisation: {whom}.")
        if not apart.height:
            said.append(f"In none of {several(groups, 'group')} is a figure clearly apart from the whole.")
        return " ".join(said)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.summary()} See .table, .save('heat.xlsx'))"

    def _repr_html_(self) -> str:
        from culture_metrics.views.heat_table import heat_table

        folded, names = self.folded()
        key = ["breakdown", "group"]
        shown = self.cells().filter("leading").join(folded, on=key, how="anti", maintain_order="left")
        return heat_table(
            shown,
            breakdown=self.breakdown,
            name=self.name,
            around=self.around,
            title=self.title,
            subtitle=self.subtitle,
            source=self.source,
            unit=self.unit,
            limit=self.limit,
            order=self.ordered,
            reading=self.reading,
            moved=self.moved,
            folded=names,
            alike={one: place for place, one in enumerate(_alike(shown).select(key).iter_rows())},
        )

    @property
    def ordered(self) -> str:
        """What the rows are sorted by, in words."""
        said = {LIKENESS: "like groups side by side", NAME: "sorted by name"}
        return said.get(self.order, f"sorted by {self.order}, lowest first")

    def folded(self) -> tuple[pl.DataFrame, list[tuple[str, list[str]]]]:
        """Return the groups of which nothing is shown, and for each breakdown what is said of them.

        A group that has its name in the release already, from another year or measure, may be named.
        """
        hidden = (
            self.table.filter(pl.col("group") != ALL)
            .group_by("breakdown", "group", maintain_order=True)
            .agg(pl.col("estimate").is_null().all().alias("gone"), held_back().any().alias("held"))
            .filter("gone", "held")
        )
        many = pl.when(is_pooled()).then(pl.col("group").str.extract(r"^(\d+) ").cast(pl.Int64)).otherwise(1)
        said = []
        for (breakdown,), part in hidden.with_columns(many=many).group_by("breakdown", maintain_order=True):
            label = self.name if breakdown == self.breakdown else self.around
            text = f"{pooled(int(part['many'].sum()), self.minimum_base)}{self.reading.held}"
            said.append((f"{label}: {text}", part.filter(~is_pooled())["group"].to_list()))
        return hidden.select("breakdown", "group"), said

    def _workbook(self, table: pl.DataFrame) -> bytes:
        from culture_metrics.results.heat_sheet import heat_workbook

        return heat_workbook(self)

    def save(self, path: str | Path) -> Path:
        """Write the map, as `Output.save`; `.xlsx` has the colours, `.html` is a page with the table."""
        place, ending = to_write(path, ENDINGS, "result")
        if ending == ".html":
            from culture_metrics.views import save as write

            return write.page(self._repr_html_(), place, title=self.title)
        return super().save(path)

    def _leaving(self) -> pl.DataFrame:
        return self.table  # of results that pool names already


def heat_table(  # noqa: PLR0913
    results: Results,
    rows: pl.DataFrame,
    breakdown: str,
    edition: Edition,
    *,
    unit: str,
    measures: Sequence[str],
    more: Sequence[str],
    order: str,
    title: str,
    subtitle: str,
    source: str,
    limit: float | None,
) -> HeatTable:
    """Lay the groups of a breakdown out; arguments as `Results.heat_table` works them out.

    `rows` are the results of one organisation in one period; `measures` stand first, `more` (on workbooks
    only) after them. Colours are decided for each of the two as for a map of its own.
    """
    exact = with_apart(rows, results.beside)
    lies = lies_in(results.parents, rows, breakdown)
    outer = str(lies["parent_breakdown"][0]) if lies.height else ""
    parts = []
    for names, leading in ((measures, True), (more, False)):
        for one in filter(None, (outer, breakdown)) if names else ():
            cells = heat_map_table(exact, edition, one, names)
            keep = pl.lit(value=True) if one == (outer or breakdown) else pl.col("group") != ALL
            named = pl.when(pl.col("group") == ALL).then(pl.lit(ALL)).otherwise(pl.lit(one))
            parts.append(cells.filter(keep).with_columns(named.alias("breakdown"), leading=pl.lit(leading)))
    table = pl.concat(parts).join(
        lies.select("group", pl.col("parent_group").alias("within"), pl.lit(breakdown).alias("breakdown")),
        on=["breakdown", "group"], how="left", maintain_order="left",
    )  # fmt: skip
    places = placed(table, order, outer)
    columns = [
        "breakdown", "group", "within", "group_base", "measure", "label", "leading", "estimate", "conf_low",
        "conf_high", "base", "status", "reference", "clear",
    ]  # fmt: skip
    table = (
        table.with_row_index("listed")
        .join(places, on=["breakdown", "group"], how="left", maintain_order="left")
        .sort("place", "listed")
        .select(columns)
    )
    from culture_metrics.views import colour_limit

    label = edition.breakdown_label(breakdown, results.names)
    labels = {m: edition.measure(m).label for m in measures}
    return HeatTable(
        table=table,
        breakdown=breakdown,
        name=label,
        around=edition.breakdown_label(outer, results.names) if outer else "",
        title=title.format(by=in_sentence(label)),
        subtitle=subtitle,
        source=source,
        unit=unit,
        limit=limit or colour_limit(table.filter("leading", pl.col("breakdown") != outer)),
        order=labels.get(order, order),
        scale=edition.survey.score_range,
        minimum_base=results.minimum_base,
        provenance=results.provenance,
    )


def lies_in(parents: pl.DataFrame | None, rows: pl.DataFrame, breakdown: str) -> pl.DataFrame:
    """Return for groups of a breakdown the one group, among those shown, that they lie in.

    Of several breakdowns around it the finest. A group whose own name or whose surrounding's is not shown has
    none, nor one that lay in several over the years.
    """
    empty = pl.DataFrame(schema=dict.fromkeys(["group", "parent_breakdown", "parent_group"], pl.String))
    if parents is None:
        return empty
    named = rows.filter(~is_pooled()).select("breakdown", "group").unique()
    pairs = (
        parents.filter(breakdown=breakdown, organisation=str(rows["organisation"][0]))
        .select("breakdown", "group", "parent_breakdown", "parent_group")
        .unique()
        .join(named, on=["breakdown", "group"], how="semi")
        .join(
            named,
            left_on=["parent_breakdown", "parent_group"], right_on=["breakdown", "group"], how="semi",
        )
        .filter(pl.len().over("group", "parent_breakdown") == 1)
    )  # fmt: skip
    if pairs.is_empty():
        return empty
    finest = (
        pairs.group_by("parent_breakdown")
        .agg(pl.len(), pl.col("parent_group").n_unique().alias("many"))
        .sort("len", "many", "parent_breakdown", descending=[True, True, False])
    )
    return pairs.filter(parent_breakdown=finest["parent_breakdown"][0]).select(empty.columns)


def placed(table: pl.DataFrame, order: str, outer: str) -> pl.DataFrame:
    """Return the place of each group on the page: the whole, then each outer group before its own.

    What is held back has no part in the order: such groups stand last, by name.
    """
    groups = table.select("breakdown", "group", "within").unique(maintain_order=True)
    ranks = _ranks(table, groups, order)
    ranked = groups.join(ranks, on=["breakdown", "group"], how="left")
    whole = pl.col("group") == ALL
    own = ranked.with_columns(top=pl.when(pl.col("breakdown") == outer).then("group").otherwise("within"))
    first = own.filter(pl.col("breakdown") == outer).select(top="group", first="rank")
    own = own.join(first, on="top", how="left")
    return (
        own.sort(
            ~whole, is_pooled(), pl.col("first").is_null(), "first", natural("top"),
            pl.col("breakdown") != outer, pl.col("rank").is_null(), "rank", natural("group"),
        )
        .with_row_index("place")
        .select("breakdown", "group", "place")
    )  # fmt: skip


def _ranks(table: pl.DataFrame, groups: pl.DataFrame, order: str) -> pl.DataFrame:
    """Return what rows are sorted by, null for rows that have no such figure."""
    shown = table.filter("leading", pl.col("group") != ALL).drop_nulls("estimate")
    if order == NAME:
        return groups.select("breakdown", "group", pl.lit(0.0).alias("rank"))
    if order == LIKENESS:
        return _alike(shown)
    return shown.filter(measure=order).select("breakdown", "group", pl.col("estimate").round(2).alias("rank"))


def _alike(cells: pl.DataFrame) -> pl.DataFrame:
    """Rank the groups of each surrounding by likeness."""
    shown = cells.filter("leading", pl.col("group") != ALL).drop_nulls("estimate")
    parts = [likeness(part) for part in shown.partition_by("breakdown", "within", maintain_order=True)]
    empty = pl.DataFrame(schema={"breakdown": pl.String, "group": pl.String, "rank": pl.Float64})
    return pl.concat([empty, *parts])


def likeness(cells: pl.DataFrame) -> pl.DataFrame:
    """Rank groups so that those with a like profile of differences from the whole stand side by side.

    Average linkage on Euclidean distances, leaves ordered optimally (Bar-Joseph et al. 2001). A cell that is
    not shown counts as the whole organisation's. The end with the lower figures comes first.

    Parameters
    ----------
    cells : polars.DataFrame
        `breakdown, group, measure, estimate, reference`, of one breakdown, without nulls.
    """
    wide = cells.with_columns(apart=pl.col("estimate") - pl.col("reference")).pivot(
        on="measure", index=["breakdown", "group"], values="apart", maintain_order=True
    )
    profile = wide.drop("breakdown", "group").fill_null(0.0).to_numpy()
    found = list(range(wide.height))
    if wide.height > 2:
        from scipy.cluster.hierarchy import leaves_list, linkage

        found = leaves_list(linkage(profile, "average", optimal_ordering=True)).tolist()
    if profile[found[0]].mean() > profile[found[-1]].mean():
        found.reverse()
    return wide.select("breakdown", "group")[found].with_columns(
        pl.int_range(pl.len()).cast(pl.Float64).alias("rank")
    )


def check_order(order: str | None, edition: Edition, measures: Sequence[str]) -> str:
    """Return what rows are sorted by: a measure by any of its names, "likeness" or "name"."""
    if order is None:
        return edition.headline if edition.headline in measures else measures[0]
    if order in (LIKENESS, NAME):
        return order
    found = edition.measure(order).id
    if found not in measures:
        raise unknown("measure of this map", order, [*measures, LIKENESS, NAME])
    return found
