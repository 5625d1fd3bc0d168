"""What adds up: which groups of a release are the sum of which others."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import CROSS, catalogue, surveys
from culture_metrics.contract import ALL
from culture_metrics.errors import CultureMetricsError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from numpy.typing import NDArray
    from scipy.sparse import csr_array

#: Before a question: the measure whose base is all who answered it.
ANSWERS_TO = "answers to "
#: What stands between such a name and the number of one of its response options.
OF_OPTION = ": option "
CELL = ["survey", "period", "organisation", "breakdown", "group"]
PARENTS = ["breakdown", "group", "parent_breakdown", "parent_group"]

Factors = tuple[str, ...]


@dataclass(frozen=True)
class Structure:
    """The sums within a release: each equation says that one cell is the sum of others.

    `total` is the cell that is the sum; `equation` and `part` are parallel and list the parts of each. `top`
    marks the cells of whole organisations.
    """

    total: NDArray[np.int64]
    equation: NDArray[np.int64]
    part: NDArray[np.int64]
    top: NDArray[np.bool_]

    @cached_property
    def matrix(self) -> csr_array:
        """Equations by cells: 1 for the parts, -1 for the total."""
        from scipy.sparse import coo_array, csr_array

        sums, cells = len(self.total), len(self.top)
        rows, columns = np.append(self.equation, np.arange(sums)), np.append(self.part, self.total)
        values = np.append(np.ones(len(self.part)), -np.ones(sums))
        return csr_array(coo_array((values, (rows, columns)), shape=(sums, cells)))

    @cached_property
    def depth(self) -> NDArray[np.int64]:
        """Over how many levels of other cells each cell is the sum."""
        depth, before = np.zeros(len(self.top), np.int64), None
        while before is None or (depth != before).any():
            before = depth.copy()
            np.maximum.at(depth, self.total[self.equation], depth[self.part] + 1)
        return depth

    @cached_property
    def flat(self) -> NDArray[np.bool_]:
        """Equations that are alone: their parts are in no other, and their total is a whole organisation."""
        alone = (np.bincount(self.part, minlength=len(self.top)) == 1) & (self.depth == 0)
        several = np.bincount(self.equation, ~alone[self.part], minlength=len(self.total)) > 0
        return self.top[self.total] & ~several

    def with_parts(self, equations: NDArray[np.int64]) -> Structure:
        """Give each of these equations one more part: a cell of its own, numbered after all others."""
        equation = np.append(self.equation, equations)
        part = np.append(self.part, len(self.top) + np.arange(len(equations)))
        order = np.argsort(equation, kind="stable")
        return Structure(
            total=self.total,
            equation=equation[order],
            part=part[order],
            top=np.append(self.top, np.zeros(len(equations), bool)),
        )

    def islands(self, linking: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Give one number to all equations that hang together; only `linking` cells tie them."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        entries = self.matrix.tocoo()
        kept = linking[entries.col]
        size = len(self.top) + len(self.total)
        graph = coo_array(
            (np.ones(kept.sum()), (entries.col[kept], entries.row[kept] + len(self.top))), shape=(size, size)
        )
        label = connected_components(graph, directed=False)[1]
        return np.asarray(label[len(self.top) :], np.int64)

    def trees(self, islands: NDArray[np.int64], linking: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Say of each equation whether those on its island form no ring."""
        entries = self.matrix.tocoo()
        kept = linking[entries.col]
        island, cell = islands[entries.row[kept]], entries.col[kept]
        size = islands.max(initial=-1) + 1
        each = np.unique(cell, return_index=True)[1]
        links, ends = np.bincount(island, minlength=size), np.bincount(island[each], minlength=size)
        return np.asarray((links == ends + np.bincount(islands, minlength=size) - 1)[islands])


def find_structure(
    cells: pl.DataFrame, parents: pl.DataFrame | None = None, national: Collection[str] | None = None
) -> Structure:
    """Find all sums among cells, which are numbered as they stand.

    Parameters
    ----------
    cells : polars.DataFrame
        `survey, period, organisation, breakdown, group`, each once.
    parents : polars.DataFrame, optional
        Groups that lie in a group of another breakdown, beyond what the catalogue knows: `breakdown, group,
        parent_breakdown, parent_group`, and `organisation` where that differs between organisations.
    national : collection of str, optional
        Organisations that `all` holds; all that are listed, when left out.

    Notes
    -----
    A table is a breakdown or a cross of several. Its cells add up to those of every published table that has
    some of its breakdowns, or coarser ones in their place; sums that follow from two others are left out.
    `all` is the sum over the groups, organisations or periods, wherever it stands.
    """
    numbered = cells.with_row_index("_cell").with_columns(pl.col("_cell").cast(pl.Int64))
    sums = [*_sums_over(numbered, national)]
    for block in numbered.partition_by("survey", "period", maintain_order=True):
        sums += _sums_of_groups(block, _nesting(block, parents))
    every = pl.concat(sums).with_columns(
        pl.struct("_table", "survey", "period", "_organisation", "_breakdown", "_image")
        .rank("dense")
        .cast(pl.Int64)
        .sub(1)
        .alias("_equation")
    )
    every = every.sort("_equation", "_cell")
    heads = every.unique("_equation", keep="first", maintain_order=True)
    return Structure(
        total=heads["_total"].to_numpy(),
        equation=every["_equation"].to_numpy(),
        part=every["_cell"].to_numpy(),
        top=(cells["breakdown"] == ALL).to_numpy(),
    )


def _sums_over(cells: pl.DataFrame, national: Collection[str] | None) -> Iterable[pl.DataFrame]:
    """Find the cells that are the sum of the same group over organisations, and over periods."""
    for name in ("organisation", "period"):
        key = [c for c in CELL if c != name]
        whole = cells.filter(pl.col(name) == ALL).select(*key, _total="_cell")
        inside = pl.col(name).is_in([*national]) if national is not None and name == "organisation" else True
        yield _tidy(
            cells.filter(pl.col(name) != ALL, inside).join(whole, on=key),
            f"over {name}",
            organisation=pl.lit("") if name == "organisation" else pl.col("organisation"),
            image=pl.col("group"),
            period=pl.lit("") if name == "period" else pl.col("period"),
        )


def _sums_of_groups(
    cells: pl.DataFrame, nesting: Mapping[tuple[str, str], pl.DataFrame]
) -> list[pl.DataFrame]:
    """Find the sums within one survey and period: tables that add up to coarser tables."""
    published = cells.group_by("organisation").agg(pl.col("breakdown").unique().sort().alias("_tables"))
    found = []
    for (tables,), block in cells.join(published, on="organisation").group_by("_tables", maintain_order=True):
        factors = {t: () if t == ALL else tuple(t.split(CROSS)) for t in tables}
        rolled = {
            (fine, coarse): _roll_up(block, fine, coarse, places, nesting)
            for fine, coarse in permutations(factors, 2)
            if (places := _places(factors[fine], factors[coarse], nesting)) is not None
        }
        whole = {pair for pair, (_, complete) in rolled.items() if complete}
        found += [
            frame
            for (fine, coarse), (frame, _) in rolled.items()
            if not any((fine, t) in whole and (t, coarse) in rolled for t in factors)
        ]
    return found


def _places(
    fine: Factors, coarse: Factors, nesting: Mapping[tuple[str, str], pl.DataFrame]
) -> list[tuple[int, str]] | None:
    """Say for each breakdown of a coarse table where its group is read from in the fine one."""
    if len(coarse) > len(fine):
        return None
    places = []
    for name in coarse:
        here = [i for i, other in enumerate(fine) if other == name] or [
            i for i, other in enumerate(fine) if (other, name) in nesting
        ]
        if not here:
            return None
        places.append((here[0], name))
    return places if len({i for i, _ in places}) == len(places) else None


def _roll_up(
    cells: pl.DataFrame,
    fine: str,
    coarse: str,
    places: list[tuple[int, str]],
    nesting: Mapping[tuple[str, str], pl.DataFrame],
) -> tuple[pl.DataFrame, bool]:
    """Name the coarse group of every fine cell, and say whether every fine cell has one in the release."""
    factors = fine.split(CROSS)
    frame = cells.filter(pl.col("breakdown") == fine)
    size = frame.height
    pieces = pl.col("group").str.split(CROSS) if len(factors) > 1 else pl.concat_list("group")
    for i, name in places:
        frame = frame.with_columns(pieces.list.get(i, null_on_oob=True).alias(f"_{name}"))
        if factors[i] != name:
            image = nesting[factors[i], name].rename({"group": f"_{name}", "image": "_to"})
            on = [c for c in ("organisation", f"_{name}") if c in image.columns]
            frame = (
                frame.join(image, on=on, how="left").with_columns(pl.col("_to").alias(f"_{name}")).drop("_to")
            )
    coarser = pl.concat_str([f"_{name}" for _, name in places], separator=CROSS) if places else pl.lit(ALL)
    heads = cells.filter(pl.col("breakdown") == coarse).select("organisation", _image="group", _total="_cell")
    frame = frame.with_columns(coarser.alias("_image")).join(heads, on=["organisation", "_image"])
    tidy = _tidy(frame, f"{fine} > {coarse}", organisation=pl.col("organisation"), image=pl.col("_image"))
    return tidy, tidy.height == size


def _tidy(
    frame: pl.DataFrame,
    table: str,
    organisation: pl.Expr,
    image: pl.Expr,
    period: pl.Expr | None = None,
) -> pl.DataFrame:
    return frame.select(
        pl.lit(table).alias("_table"),
        "survey",
        pl.col("period") if period is None else period.alias("period"),
        organisation.alias("_organisation"),
        (pl.col("breakdown") if table.startswith("over ") else pl.lit("")).alias("_breakdown"),
        image.alias("_image"),
        "_total",
        "_cell",
    )


def _nesting(cells: pl.DataFrame, parents: pl.DataFrame | None) -> dict[tuple[str, str], pl.DataFrame]:
    """Find which breakdowns lie within coarser ones: from the catalogue, and as given."""
    survey, period = cells.select("survey", "period").row(0)
    names = sorted({f for t in cells["breakdown"].unique() if t != ALL for f in t.split(CROSS)})
    found = _nesting_in_catalogue(survey, period, names)
    if parents is not None:
        if missing := [c for c in PARENTS if c not in parents.columns]:
            raise CultureMetricsError(
                f"parents lacks the column {' and '.join(missing)}",
                expected=", ".join(PARENTS),
                hint="One row per group that lies within a group of another breakdown.",
            )
        columns = [c for c in ("organisation", "group") if c in parents.columns]
        for (fine, coarse), rows in parents.group_by("breakdown", "parent_breakdown", maintain_order=True):
            found[fine, coarse] = rows.select(*columns, image="parent_group").unique(maintain_order=True)
    return found


def _nesting_in_catalogue(survey: str, period: str, names: list[str]) -> dict[tuple[str, str], pl.DataFrame]:
    try:
        known = catalogue(survey).edition(period).breakdowns if survey in surveys() else {}
    except UnknownNameError:
        known = {}
    asked = {n: known[n] for n in names if n in known and known[n].question}
    found = {}
    for fine, coarse in permutations(asked, 2):
        inner, outer = asked[fine], asked[coarse]
        finer = (len(inner.groups), fine) > (len(outer.groups), coarse)
        if inner.question != outer.question or not finer:
            continue
        images = {
            group: [name for name, codes in outer.groups.items() if set(own) & set(codes)]
            for group, own in inner.groups.items()
        }
        within = all(
            len(to) <= 1 and (not to or set(inner.groups[group]) <= set(outer.groups[to[0]]))
            for group, to in images.items()
        )
        if within:
            pairs = [(group, to[0]) for group, to in images.items() if to]
            found[fine, coarse] = pl.DataFrame(pairs, schema=["group", "image"], orient="row")
    return found
