"""Read the id columns of the sheets: whom each row is about and how it is weighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import UnknownNameError
from culture_metrics.published.layout import ID_COLUMNS
from culture_metrics.published.match import match_options, normalise
from data_schemas.columns import WEIGHTINGS as WEIGHTING_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.catalogue import Breakdown, Edition
    from culture_metrics.published.bodies import Body
    from culture_metrics.published.layout import Table

#: What the Weighting column says -> weighting.
WEIGHTINGS = {
    "unweighted": "none",
    "occupation group": "occupation_group",
    "organisation size": "size",
    "organisation size and occupation group": "occupation_group_and_size",
    "occupation group and organisation size": "occupation_group_and_size",
}
#: What the breakdown cell may say in the row of all staff.
ALL_STAFF = ["all", "all staff", "overall", "total"]
DASHES = ["-", "–", "—"]  # noqa: RUF001
WHO = ["organisation", "breakdown", "group"]
ATTRIBUTES = ["name", "benchmark_group", "region", "ics"]


def read_rows(
    tables: Sequence[Table], bodies: Sequence[Body], edition: Edition, problems: list[str]
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return one row per row of figures, sorted by whom it is about, and notes for the provenance.

    Columns: `at` (number of the row over all sheets), `who` (number of organisation, breakdown and group),
    `sheet`, `index` (number in the body), `row` (as Excel counts), `organisation`, `breakdown`, `group`,
    `weighting`, `name`, `benchmark_group`, `region`, `ics` and `own` (the question that the breakdown is made
    from).
    """
    rows = _ids(tables, bodies, problems)
    notes: dict[str, Any] = {}
    if tables[0].layout == "national":
        rows, notes = _national(rows, edition)
    else:
        rows = rows.with_columns(breakdown=pl.lit(ALL), group=pl.lit(ALL), own=pl.lit(None, pl.String))
        total = rows["organisation"].n_unique()
        counts = rows.group_by("sheet", maintain_order=True).agg(pl.col("organisation").n_unique())
        problems += [
            f"sheet '{tables[sheet].sheet}' has {count} of the {total} organisations of the workbook"
            for sheet, count in counts.rows()
            if count != total
        ]
    twice = rows.filter(pl.struct("sheet", *WHO).is_duplicated()).group_by("sheet", maintain_order=True)
    for sheet, numbers in twice.agg(pl.col("row").head(6)).rows():
        listed = ", ".join(map(str, numbers))
        problems.append(f"sheet '{tables[sheet].sheet}' has results of the same name twice: rows {listed}")
    said = {text: WEIGHTINGS.get(normalise(text), "as_published") for text in rows["weighting"].unique()}
    unknown = tuple(sorted(text for text, weighting in said.items() if weighting == "as_published"))
    rows = rows.with_columns(
        pl.col("weighting").replace_strict(said, return_dtype=pl.Enum(WEIGHTING_NAMES)),
        (pl.struct(WHO).rank("dense") - 1).cast(pl.UInt32).alias("who"),
    )
    return rows.sort("who", "sheet").with_row_index("at"), {"unknown_weightings": unknown, **notes}


def _ids(tables: Sequence[Table], bodies: Sequence[Body], problems: list[str]) -> pl.DataFrame:
    """Take the rows that say whom they are about; blank cells and dashes become null."""
    layout = tables[0].layout
    required = [name for name in ("organisation", "weighting") if name in ID_COLUMNS[layout].values()]
    cell = pl.col(pl.String).str.strip_chars()
    figures = [pl.Series("figures", ~np.isnan(b.numbers).all(axis=1), dtype=pl.Boolean) for b in bodies]
    empty = pl.DataFrame(schema=dict.fromkeys(ID_COLUMNS[layout].values(), pl.String))
    raw = [
        body.ids.with_columns(figures[i], sheet=pl.lit(i, pl.Int32)).with_row_index("index")
        for i, body in enumerate(bodies)
    ]
    ids = pl.concat([*raw, empty], how="diagonal").with_columns(
        pl.when((cell != "") & ~cell.is_in(DASHES)).then(cell)
    )
    whole = pl.all_horizontal(pl.col(required).is_not_null())
    nameless = ids.filter(~whole & pl.col("figures")).group_by("sheet", maintain_order=True)
    problems += [
        f"sheet '{tables[sheet].sheet}', row {row}: figures without {' or '.join(required)} ({count} rows)"
        for sheet, row, count in nameless.agg(pl.col("row").first(), pl.len()).rows()
    ]
    ids = ids.filter(whole).drop("figures")
    problems += [
        f"sheet '{tables[i].sheet}' has a header but no rows of results"
        for i in sorted(set(range(len(tables))) - set(ids["sheet"].unique()))
    ]
    return ids


def _national(rows: pl.DataFrame, edition: Edition) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Turn the names of breakdowns and groups into those of the catalogue, where it knows them."""
    breakdown, group = pl.col("breakdown"), pl.col("group")
    whole = (breakdown.is_null() & group.is_null()) | breakdown.str.to_lowercase().is_in(ALL_STAFF)
    rows = rows.with_columns(
        breakdown=pl.when(whole).then(pl.lit(ALL)).otherwise(breakdown.forward_fill().over("sheet")),
        group=pl.when(whole).then(pl.lit(ALL)).otherwise(group.fill_null(ALL)),
        organisation=pl.lit(ALL),
        **dict.fromkeys(ATTRIBUTES, pl.lit(None, pl.String)),
    )
    known: dict[str, Breakdown | None] = {}
    names = []
    for text, groups in (
        rows.group_by("breakdown", maintain_order=True).agg(group.unique(maintain_order=True)).rows()
    ):
        known[text] = found = _breakdown(edition, text)
        ours, own = (found.id, found.question) if found else (text, None)
        named = zip(groups, _groups(found, edition, groups), strict=True)
        names += [(text, theirs, ours, our_group, own) for theirs, our_group in named]
    schema = dict.fromkeys(["breakdown", "group", "_breakdown", "_group", "own"], pl.String)
    rows = (
        rows.join(pl.DataFrame(names, schema=schema, orient="row"), on=["breakdown", "group"])
        .drop("breakdown", "group")
        .rename({"_breakdown": "breakdown", "_group": "group"})
    )
    covered = rows.drop_nulls("coverage").group_by("breakdown").agg(pl.col("coverage").unique().sort())
    return rows.drop("coverage"), {
        "coverage": {name: tuple(texts) for name, texts in covered.sort("breakdown").rows()},
        "unknown_breakdowns": tuple(t for t, found in known.items() if found is None and t != ALL),
    }


def _breakdown(edition: Edition, name: str) -> Breakdown | None:
    try:
        return edition.breakdown(name)
    except UnknownNameError:
        return None


def _groups(breakdown: Breakdown | None, edition: Edition, groups: Sequence[str]) -> list[str]:
    """Name groups as the catalogue does, by their own label or by that of the one answer they stand for."""
    if breakdown is None or not breakdown.groups or breakdown.question is None:
        return list(groups)
    labels = edition.questions[breakdown.question].scale.labels
    answers = {name: labels[codes[0]] for name, codes in breakdown.groups.items() if len(codes) == 1}
    by_name = match_options(groups, {name: name for name in breakdown.groups})
    by_answer = match_options(groups, answers)
    return [a or b or text for a, b, text in zip(by_name, by_answer, groups, strict=True)]
