"""Read the id columns of the sheets: whom each row is about and how it is weighted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.published.match import normalise
from culture_metrics.published.official import (
    Printed,
    groups_of,
    is_code,
    layout,
    printed_breakdown,
)
from data_schemas.columns import WEIGHTINGS as WEIGHTING_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.catalogue import Edition
    from culture_metrics.published.bodies import Body
    from culture_metrics.published.layout import Table

DASHES = ["-", "–", "—"]  # noqa: RUF001
WHO = ["organisation", "breakdown", "group"]
ATTRIBUTES = ["name", "benchmark_group", "region", "ics"]


#: Why a row is left out.
NO_ORGANISATION = "rows that are no organisation (a total, an average, a comparator, or no ODS code)"
NO_GROUP = "rows that are no group (a total or an average)"
REPEATED = "rows that stand twice with the same figures"


def read_rows(
    tables: Sequence[Table],
    bodies: Sequence[Body],
    edition: Edition,
    left_out: dict[str, list[str]],
    problems: list[str],
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return one row per row of figures, sorted by whom it is about, and notes for the provenance.

    Columns: `at` (number of the row over all sheets), `who` (number of organisation, breakdown and group),
    `sheet`, `index` (number in the body), `row` (as Excel counts), `organisation`, `breakdown`, `group`,
    `weighting`, `name`, `benchmark_group`, `region`, `ics` and `own` (the question that the breakdown is made
    from). Rows that are no organisation, and exact repeats, go to `left_out`.
    """
    rows = _ids(tables, bodies, left_out, problems)
    notes: dict[str, Any] = {"layout": tables[0].layout}
    if tables[0].layout == "national":
        rows, notes = _national(rows, edition, tables, left_out, problems)
    else:
        rows, notes["quirks"] = _unswapped(rows, edition)
        rows = rows.with_columns(breakdown=pl.lit(ALL), group=pl.lit(ALL), own=pl.lit(None, pl.String))
        total = rows["organisation"].n_unique()
        counts = rows.group_by("sheet", maintain_order=True).agg(pl.col("organisation").n_unique())
        problems += [
            f"sheet '{tables[sheet].sheet}' has {count} of the {total} organisations of the workbook"
            for sheet, count in counts.rows()
            if count != total
        ]
    rows = _once(rows, tables, bodies, left_out, problems)
    known = layout("organisation").weightings
    said = {text: known.get(normalise(text), "as_published") for text in rows["weighting"].unique()}
    unknown = tuple(sorted(text for text, weighting in said.items() if weighting == "as_published"))
    rows = rows.with_columns(
        pl.col("weighting").replace_strict(said, return_dtype=pl.Enum(WEIGHTING_NAMES)),
        (pl.struct(WHO).rank("dense") - 1).cast(pl.UInt32).alias("who"),
    )
    return rows.sort("who", "sheet").with_row_index("at"), {"unknown_weightings": unknown, **notes}


def _ids(
    tables: Sequence[Table],
    bodies: Sequence[Body],
    left_out: dict[str, list[str]],
    problems: list[str],
) -> pl.DataFrame:
    """Take the rows that say whom they are about; blank cells and dashes become null."""
    known = layout(tables[0].layout)
    required = [name for name in ("organisation", "weighting") if name in known.columns]
    cell = pl.col(pl.String).str.strip_chars()
    figures = [pl.Series("figures", ~np.isnan(b.numbers).all(axis=1), dtype=pl.Boolean) for b in bodies]
    empty = pl.DataFrame(schema=dict.fromkeys(known.columns, pl.String))
    raw = [
        body.ids.with_columns(figures[i], sheet=pl.lit(i, pl.Int32)).with_row_index("index")
        for i, body in enumerate(bodies)
    ]
    ids = pl.concat([*raw, empty], how="diagonal").with_columns(
        pl.when((cell != "") & ~cell.is_in(DASHES)).then(cell)
    )
    if "organisation" in known.columns:
        ids = _organisations(ids, tables, left_out)
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


def _organisations(
    ids: pl.DataFrame, tables: Sequence[Table], left_out: dict[str, list[str]]
) -> pl.DataFrame:
    """Leave out the rows whose code is none, or that are named a total or an average."""
    code, name = pl.col("organisation"), pl.col("name")
    aside = layout("organisation")
    nameless = code.is_null() & pl.col("figures")
    odd = ~is_code(code) | aside.is_aside(code) | (code.is_not_null() & aside.is_aside(name))
    odd = odd.fill_null(value=False) | (nameless & (aside.is_aside(name) | aside.is_like_aside(name)))
    odd = odd.fill_null(value=False)
    _tell(ids.filter(odd).with_columns(text=pl.coalesce(code, name)), tables, left_out, NO_ORGANISATION)
    return ids.filter(~odd)


def _tell(rows: pl.DataFrame, tables: Sequence[Table], left_out: dict[str, list[str]], why: str) -> None:
    """Name the rows that are left out, by their `text`."""
    for text, sheets, places in rows.group_by("text", maintain_order=True).agg("sheet", "row").rows():
        place = f"sheet '{tables[sheets[0]].sheet}', row {places[0]}"
        more = f" and {len(places) - 1} more rows" if len(places) > 1 else ""
        left_out.setdefault(why, []).append(f"'{text}' ({place}{more})")


def _unswapped(rows: pl.DataFrame, edition: Edition) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Put Region and ICS under their own names where a workbook has them the other way round."""
    known = layout("organisation")
    regions = {
        name: rows[name].str.to_lowercase().is_in(sorted(known.regions)).any() for name in ("region", "ics")
    }
    by_year = edition.period in known.quirks["swapped"]
    if regions["region"] or not (regions["ics"] or by_year):
        return rows, ()
    swapped = rows.with_columns(region=pl.col("ics"), ics=pl.col("region"))
    return swapped, ("Region and ICS stand under each other's headers and were put right.",)


def _once(
    rows: pl.DataFrame,
    tables: Sequence[Table],
    bodies: Sequence[Body],
    left_out: dict[str, list[str]],
    problems: list[str],
) -> pl.DataFrame:
    """Count an exact repeat of a row once; a row that stands again with other figures is a problem."""
    twice = rows.filter(pl.struct("sheet", *WHO).is_duplicated())
    if twice.is_empty():
        return rows
    drop: list[tuple[int, int]] = []
    for sheet, *who, indices, numbers in (
        twice.group_by("sheet", *WHO, maintain_order=True).agg("index", "row").rows()
    ):
        named = " ".join(text for text in dict.fromkeys(who) if text and text != ALL)
        at = f"sheet '{tables[sheet].sheet}', rows {', '.join(map(str, numbers))}: '{named}'"
        if all(_same(bodies[sheet], indices[0], other) for other in indices[1:]):
            left_out.setdefault(REPEATED, []).append(at)
            drop += [(sheet, index) for index in indices[1:]]
        else:
            problems.append(f"{at} stands more than once, with different figures")
    gone = pl.DataFrame(drop, schema={"sheet": pl.Int32, "index": pl.UInt32}, orient="row")
    return rows.join(gone, on=["sheet", "index"], how="anti", maintain_order="left")


def _same(body: Body, first: int, other: int) -> bool:
    """Whether two rows of a sheet hold the same, in figures and marks."""
    texts = body.ids.drop("row").hstack(body.text)
    return np.array_equal(body.numbers[first], body.numbers[other], equal_nan=True) and texts.row(
        first
    ) == texts.row(other)


def _national(
    rows: pl.DataFrame,
    edition: Edition,
    tables: Sequence[Table],
    left_out: dict[str, list[str]],
    problems: list[str],
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Turn the names of breakdowns and groups into those of the catalogue, where it knows them.

    In the workbook of organisation types the type stands in the organisation's place. A breakdown may be
    named in its first row only.
    """
    types = _types(rows)
    breakdown, group, coverage = pl.col("breakdown"), pl.col("group"), pl.col("coverage")
    all_staff = sorted(layout("national").all_staff)
    in_all = (cell.str.to_lowercase().is_in(all_staff).fill_null(value=False) for cell in (breakdown, group))
    above = breakdown.forward_fill().over("sheet")
    whole, whole_group = in_all
    whole |= breakdown.is_null() & (group.is_null() | (above.is_null() & whole_group))
    rows = rows.with_columns(whole=whole, above=above)
    aside = (layout("national").is_aside(cell).fill_null(value=False) for cell in (breakdown, group))
    total = ~pl.col("whole") & pl.any_horizontal(aside)
    _tell(rows.filter(total).with_columns(text=pl.coalesce(group, breakdown)), tables, left_out, NO_GROUP)
    rows = rows.filter(~total)
    untold = pl.col("above").is_null() & ~pl.col("whole")
    lacking = {"Breakdown": untold, **({"Base": coverage.is_null()} if types else {})}
    problems += [
        f"sheet '{tables[sheet].sheet}', row {row}: figures without a '{header}' ({count} rows)"
        for header, test in lacking.items()
        for sheet, row, count in (
            rows.filter(test)
            .group_by("sheet", maintain_order=True)
            .agg(pl.col("row").first(), pl.len())
            .rows()
        )
    ]
    whole = pl.col("whole")
    rows = rows.with_columns(
        breakdown=pl.when(whole).then(pl.lit(ALL)).otherwise(pl.col("above").fill_null("")),
        group=pl.when(whole).then(pl.lit(ALL)).otherwise(group.fill_null(ALL)),
        organisation=coverage.replace(types).fill_null("") if types else pl.lit(ALL),
        name=coverage if types else pl.lit(None, pl.String),
        benchmark_group=coverage if types else pl.lit(None, pl.String),
        region=pl.lit(None, pl.String),
        ics=pl.lit(None, pl.String),
    ).drop("whole", "above")
    known: dict[str, Printed | None] = {}
    names = []
    for text, groups in (
        rows.group_by("breakdown", maintain_order=True).agg(group.unique(maintain_order=True)).rows()
    ):
        known[text] = found = None if text == ALL else printed_breakdown(edition, text)
        ours = edition.breakdowns[found.id] if found else None
        named = groups_of(ours, edition, found.groups) if ours and found else {}
        names += [
            (
                text,
                theirs,
                ours.id if ours else text,
                named.get(normalise(theirs), theirs),
                ours and ours.question,
            )
            for theirs in groups
        ]
    schema = dict.fromkeys(["breakdown", "group", "_breakdown", "_group", "own"], pl.String)
    rows = (
        rows.join(pl.DataFrame(names, schema=schema, orient="row"), on=["breakdown", "group"])
        .drop("breakdown", "group")
        .rename({"_breakdown": "breakdown", "_group": "group"})
    )
    covered = rows.drop_nulls("coverage").group_by("breakdown").agg(coverage.unique().sort())
    return rows.drop("coverage"), {
        "layout": "organisation_type" if types else "national",
        "coverage": {name: tuple(texts) for name, texts in covered.sort("breakdown").rows()},
        "unknown_breakdowns": tuple(t for t, found in known.items() if found is None and t != ALL),
    }


def _types(rows: pl.DataFrame) -> dict[str, str]:
    """Return the id of every organisation type in the column Base; none in a national workbook.

    A type that the layout does not name keeps its printed name as its id.
    """
    said = rows["coverage"].drop_nulls().unique(maintain_order=True).to_list()
    known = layout("organisation_type")
    if not set(said) & set(known.benchmark_groups):
        return {}
    return {
        text: ALL if text.casefold() in known.all_organisations else known.benchmark_groups.get(text, text)
        for text in said
    }
