"""Which rows of a comparison may not be compared, why, and what may be instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ComparabilityError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culture_metrics.catalogue import Break, Survey

#: Why a figure of one year is not there, in words.
WHY_NOT = {
    "suppressed_small_base": "too few answers to show",
    "suppressed_secondary": "withheld so that a small group cannot be worked out",
    "not_asked": "not asked",
    "not_scored": "no score",
}
UNKNOWN_RELEASE = "It is not known whether both years come from one release."


def mark_breaks(pairs: pl.DataFrame, survey: Survey, from_period: str, to_period: str) -> pl.DataFrame:
    """Add `refused` (why a row may not be compared, or null), `instead`, and `allowance`.

    Rows that two releases keep apart are told by `releases_apart`; `allowance` is how far that alone can move
    the figure, and 0 elsewhere.
    """
    apart = _releases_apart()
    between = next((b for b in survey.breaks if b.releases), None)
    marks = [(_touches(b, survey), b) for b in survey.breaks if b.between(from_period, to_period)]
    bound = dict(between.allowance) if between else {}
    allowance = pl.col("unit").cast(pl.String).replace_strict(bound, default=0.0, return_dtype=pl.Float64)
    return pairs.with_columns(
        pl.coalesce(
            *(pl.when(touched).then(pl.lit(f"{b.reason}{_doubt(b)}")) for touched, b in marks),
            pl.lit(None, pl.String),
        ).alias("refused"),
        pl.coalesce(
            *(pl.when(touched).then(pl.lit(b.instead)) for touched, b in marks),
            pl.when(apart).then(pl.lit(between.instead if between else None)),
        ).alias("instead"),
        (apart & pl.lit(value=between is not None)).alias("releases_apart"),
        pl.when(apart).then(allowance).otherwise(0.0).alias("allowance"),
    )


def release_reason(survey: Survey) -> str:
    """Say why figures of two releases are kept apart."""
    return next((b.reason for b in survey.breaks if b.releases), "")


def unpaired() -> pl.Expr:
    """Expression: why a row has no two figures to compare, or null."""
    said = []
    for end in ("from", "to"):
        status = pl.col(f"status_{end}").cast(pl.String)
        why = status.replace_strict(WHY_NOT, default=None, return_dtype=pl.String)
        said.append(pl.format("{}: {}.", f"period_{end}", why))
    return pl.coalesce(pl.col("missing"), *said)


def refuse(table: pl.DataFrame, named: Iterable[str], survey: Survey, periods: tuple[str, str]) -> None:
    """Refuse a comparison of which nothing, or nothing of a measure asked for by name, may be compared.

    Raises
    ------
    ComparabilityError
        With the reason and what would be comparable instead.
    """
    barred = pl.col("refused").is_not_null() | pl.col("releases_apart")
    whole = table.select(barred.all()).item()
    by_measure = table.group_by("measure", maintain_order=True).agg(
        barred.all().alias("all"), pl.col("missing").is_not_null().all().alias("none")
    )
    wholly = by_measure.filter(pl.col("all"))["measure"].to_list()
    asked = [m for m in wholly if m in set(named)]
    if not (whole or asked):
        return
    rows = table if whole else table.filter(pl.col("measure").is_in(asked))
    first = rows.row(0, named=True)
    if first["refused"]:
        what, expected = first["refused"], None
    else:
        known = first["release_from"] is not None and first["release_to"] is not None
        got = f" ({first['release_from']} and {first['release_to']})" if known else ""
        what = f"{'The years come from two releases' + got + '.' if known else UNKNOWN_RELEASE} "
        what += release_reason(survey)
        expected = "results of one release; release= says which, where the files do not"
    subject = first["label"] if not whole or rows["measure"].n_unique() == 1 else "These results"
    raise ComparabilityError(
        f"{subject}: {periods[0]} and {periods[1]} may not be compared. {what}",
        where=survey.label,
        expected=expected,
        hint=f"Comparable instead: {first['instead']} allow_breaks=True compares anyway and marks it.",
    )


def _releases_apart() -> pl.Expr:
    """Expression: whether two weighted published figures come from two releases, or nobody knows."""
    weighted = (pl.col("source").cast(pl.String) == "published") & (
        pl.col("weighting").cast(pl.String) != "none"
    )
    return weighted & ~pl.col("release_from").eq(pl.col("release_to")).fill_null(value=False)


def _touches(item: Break, survey: Survey) -> pl.Expr:
    measures = {
        name
        for edition in survey
        for name, measure in edition.measures.items()
        if {name, measure.question} & set(item.measures)
    }
    touched = (
        pl.col("measure").is_in(sorted(measures | set(item.measures)))
        | pl.col("breakdown").is_in(item.breakdowns)
        | pl.col("organisation").is_in(item.organisations)
        | pl.col("benchmark_group").is_in(item.benchmark_groups).fill_null(value=False)
    )
    if item.restated_in is None:
        return touched
    restated = (pl.col("release_from") == pl.col("release_to")) & (
        pl.col("release_from") >= pl.lit(item.restated_in)
    )
    return touched & ~restated.fill_null(value=False)


def _doubt(item: Break) -> str:
    return "" if item.confirmed else " (Not confirmed by an official guide.)"
