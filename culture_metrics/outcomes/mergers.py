"""Organisations of a panel: what they are, and rows of a merged one under its successor."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.files.organisations import open_list, read_organisations, successors
from culture_metrics.problems import Problem, counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MERGERS = {
    "organisation": pl.String(),
    "successor": pl.String(),
    "merged": pl.Date(),
}
#: Names under which a list of organisations may hold an attribute.
ATTRIBUTES = {"name": ("name",), "benchmark_group": ("benchmark_group", "type"), "region": ("region",)}


def read_list(source: pl.DataFrame | str | Path | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read a list of organisations.

    Returns
    -------
    tuple of polars.DataFrame
        Attributes (`organisation, name, benchmark_group, region`), and mergers (`organisation, successor,
        merged`: the day, null when the list does not say it).

    Raises
    ------
    LinkError
        When a day of a merger is no date.
    """
    empty = pl.DataFrame(schema=dict.fromkeys(("organisation", *ATTRIBUTES), pl.String))
    if source is None:
        return empty, pl.DataFrame(schema=MERGERS)
    frame = open_list(source)
    checked = read_organisations(frame)
    columns = [
        (pl.col(here[0]) if (here := [n for n in names if n in frame.columns]) else pl.lit(None))
        .cast(pl.String)
        .alias(attribute)
        for attribute, names in ATTRIBUTES.items()
    ]
    attributes = frame.select(pl.col("ods_code").str.strip_chars().str.to_uppercase(), *columns).rename(
        {"ods_code": "organisation"}
    )
    merged = [(old, new.upper(), day) for old, (new, day) in successors(checked).items()]
    try:
        rows = [(old, new, date.fromisoformat(day) if day else None) for old, new, day in merged]
    except ValueError as error:
        raise LinkError(
            "A day of a merger in the list of organisations is no date",
            where="column merger_date",
            expected="2024-11-01",
            hint="Write days as year-month-day.",
        ) from error
    return attributes.unique("organisation", keep="first"), pl.DataFrame(rows, schema=MERGERS, orient="row")


def follow(
    frame: pl.DataFrame, mergers: pl.DataFrame, day: pl.Expr, key: Sequence[str], what: str
) -> tuple[pl.DataFrame, list[Problem]]:
    """Put rows dated after a merger under the successor's code; what cannot be put there stays.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows with `organisation`.
    mergers : polars.DataFrame
        As `read_list` returns it.
    day : polars.Expr
        The day of a row.
    key : sequence of str
        What identifies a row. A row whose successor has one of its own with the same key stays as it is.
    what : str
        What the rows are, for the report.
    """
    if mergers.is_empty() or frame.is_empty():
        return frame, []
    joined = frame.join(mergers, on="organisation", how="left", maintain_order="left").with_row_index(
        "__at__"
    )
    late = joined.filter((day >= pl.col("merged")).fill_null(value=False))
    moved = late.with_columns(pl.col("successor").alias("organisation"))
    beside = moved.join(frame.select(key), on=key, how="semi", nulls_equal=True)
    # Two predecessors of one successor in the same period: neither is moved.
    twins = moved.filter(pl.struct(key).is_duplicated())
    moved = moved.filter(~pl.col("__at__").is_in(pl.concat([beside, twins])["__at__"].implode()))
    stay = joined.filter(~pl.col("__at__").is_in(moved["__at__"].implode()))
    problems = []
    if moved.height:
        codes = joined.filter(pl.col("__at__").is_in(moved["__at__"].implode()))
        pairs = codes.select("organisation", "successor").unique().sort("organisation")
        said = ", ".join(f"{old} under {new}" for old, new in pairs.rows())
        problems.append(
            Problem(
                "note",
                "rows under the code of a merged organisation",
                f"{what}: {said}",
                "the successor's code from the day of the merger",
                "Put under the successor.",
                column="organisation",
                rows=moved.height,
            )
        )
    kept = late.height - moved.height
    if kept:
        problems.append(
            Problem(
                "warning",
                "rows of a merged organisation beside its successor's",
                f"{what}: {counted(kept, 'row')} after the merger, where the successor has its own",
                "one row under the successor's code",
                "Kept under the old code: they cannot be put together without counts.",
                column="organisation",
                rows=kept,
            )
        )
    return pl.concat([stay, moved]).sort("__at__").select(frame.columns), problems


def crossings(years: pl.DataFrame, mergers: pl.DataFrame) -> list[Problem]:
    """Report successors whose years in the panel lie on both sides of their merger.

    `years` has `organisation` and `year`.
    """
    dated = mergers.drop_nulls("merged").with_columns(
        (pl.col("merged").dt.year() - (pl.col("merged").dt.month() < 4).cast(pl.Int32)).alias("at")
    )
    spans = years.group_by("organisation").agg(
        pl.col("year").min().alias("first"), pl.col("year").max().alias("last")
    )
    found = dated.join(spans, left_on="successor", right_on="organisation").filter(
        (pl.col("first") < pl.col("at")) & (pl.col("last") >= pl.col("at"))
    )
    return [
        Problem(
            "warning",
            "an organisation before and after a merger",
            f"{new} took over {old} on {day}",
            "the same organisation in every year",
            f"Kept: {new} is larger from then on. Leave it out of analyses within organisations.",
            column="organisation",
            rows=1,
        )
        for old, new, day in found.select("organisation", "successor", "merged").sort("organisation").rows()
    ]
