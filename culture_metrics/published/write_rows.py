"""Lay out the rows of a results workbook: whom each is about, in the words of official files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError
from culture_metrics.published.official import layout as official_layout
from culture_metrics.published.rows import ATTRIBUTES, WHO

if TYPE_CHECKING:
    from culture_metrics.catalogue import Edition
    from culture_metrics.published.published import Published


def lay_out_rows(cells: pl.DataFrame, published: Published, layout: str) -> pl.DataFrame:
    """Return one row per organisation, or per breakdown and group, with the text of every id column.

    Columns: `organisation`, `breakdown`, `group` as in the results, and one column per id header of the
    layout (`ODS code` …).

    Raises
    ------
    ResultsError
        When results do not fit the layout.
    """
    edition = published.edition
    rows = _organisations(cells, published) if layout == "organisation" else _breakdowns(cells, edition)
    weightings = _weightings(cells, edition)
    return rows.join(weightings, on=WHO, how="left", maintain_order="left").with_columns(
        pl.col("Weighting").fill_null("Unweighted")
    )


def _organisations(cells: pl.DataFrame, published: Published) -> pl.DataFrame:
    """Return a row per organisation, in the order of their codes, with what stands in the id columns."""
    extra = cells.filter((pl.col("breakdown") != ALL) | (pl.col("organisation") == ALL))
    if extra.height:
        raise ResultsError(
            "The organisation layout has no room for breakdowns or for all organisations together",
            got=", ".join(extra["breakdown"].unique().sort().head(5)),
            hint='Filter with breakdown="all", or write with layout="national".',
        )
    known = published.organisations
    nameless = cells.join(known, on="organisation", how="anti")["organisation"].unique().sort()
    if len(nameless):
        raise ResultsError(
            "Some organisations of the results are not in the table of organisations",
            got=", ".join(nameless.head(8)),
            hint="Add them to `organisations`: code, name, benchmark group, region and ICS.",
        )
    dashed = known.join(cells, on="organisation", how="semi").with_columns(pl.col(ATTRIBUTES).fill_null("-"))
    return dashed.sort("organisation").select(
        "organisation",
        pl.lit(ALL).alias("breakdown"),
        pl.lit(ALL).alias("group"),
        pl.col("organisation").alias("ODS code"),
        pl.col("name").alias("Organisation name"),
        pl.col("benchmark_group").alias("Benchmarking group"),
        pl.col("region").alias("Region"),
        pl.col("ics").alias("ICS"),
    )


def _breakdowns(cells: pl.DataFrame, edition: Edition) -> pl.DataFrame:
    """Return a row for all staff, then one for each group of each breakdown."""
    if cells.filter(pl.col("organisation") != ALL).height:
        raise ResultsError(
            "The national layout holds results of all organisations together",
            expected=f"the organisation '{ALL}'",
            hint='Filter with organisation="all", or write with layout="organisation".',
        )
    labels = {name: breakdown.label for name, breakdown in edition.breakdowns.items()}
    labels |= {p.id: p.text for p in reversed([*official_layout("national").breakdowns.values()])}
    whole = pl.col("breakdown") == ALL
    return (
        cells.select(WHO)
        .unique()
        .sort(~whole, "breakdown", "group")
        .with_columns(
            pl.lit("All organisations").alias("Base"),
            pl.when(~whole).then(pl.col("breakdown").replace(labels)).alias("Breakdown"),
            pl.when(~whole).then("group").alias("Breakdown subgroup"),
        )
    )


def _weightings(cells: pl.DataFrame, edition: Edition) -> pl.DataFrame:
    """Say how each row is weighted, in the words of official files."""
    known = official_layout("organisation").weightings
    words = {name: text.title().replace(" And ", " and ") for text, name in reversed([*known.items()])}
    unweighted = [q.id for q in edition.questions.values() if not q.weighted]
    weighted = cells.filter(~pl.col("name").is_in(unweighted))
    found = weighted.group_by(WHO).agg(pl.col("weighting").cast(pl.String).unique())
    one, name = pl.col("weighting").list.len() == 1, pl.col("weighting").list.first()
    odd = found.filter(~(one & name.is_in(list(words))))
    if odd.height:
        raise ResultsError(
            "Official files have one weighting for all results in a row",
            expected=f"one of {', '.join(words)}",
            got=", ".join(odd["weighting"].explode().unique().sort()),
            hint="Filter the results by weighting before writing them.",
        )
    return found.select(*WHO, name.replace_strict(words, return_dtype=pl.String).alias("Weighting"))
