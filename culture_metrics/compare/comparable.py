"""Which rows of a comparison may not be compared, why, and what may be instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.same_questions import mark_different_questions
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError, ComparabilityWarning, warn
from data_schemas.columns import FAULTY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culture_metrics.catalogue import Break, Fault, Measure, Survey

#: Why a figure of one year is not there, in words.
WHY_NOT = {
    "suppressed_small_base": "too few answers to show",
    "suppressed_secondary": "withheld so that a small group cannot be worked out",
    "suppressed": "too few answers, or withheld so that a small group cannot be worked out",
    "not_asked": "no answers in the file",
    "not_scored": "no score",
    FAULTY: "known to be wrong in the official release",
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
    mixed = pl.col("weighting_from").ne(pl.col("weighting_to")).fill_null(value=False)
    two_ways = pl.format(
        "The figure of {} is weighted ({}), that of {} otherwise ({}).",
        "period_from", "weighting_from", "period_to", "weighting_to",
    )  # fmt: skip
    bound = dict(between.allowance) if between else {}
    allowance = pl.col("unit").cast(pl.String).replace_strict(bound, default=0.0, return_dtype=pl.Float64)
    return pairs.with_columns(
        pl.coalesce(
            *(pl.when(touched).then(pl.lit(f"{b.reason}{_doubt(b)}")) for touched, b in marks),
            pl.when(mixed).then(two_ways),
        ).alias("refused"),
        pl.coalesce(
            *(pl.when(_faulty(fault)).then(pl.lit(fault.remedy)) for fault in survey.faults),
            *(pl.when(touched).then(pl.lit(b.instead)) for touched, b in marks),
            pl.when(mixed).then(pl.lit("Both years with one weighting, for example unweighted.")),
            pl.when(apart).then(pl.lit(between.instead if between else None)),
        ).alias("instead"),
        (apart & pl.lit(value=between is not None)).alias("releases_apart"),
        pl.when(apart).then(allowance).otherwise(0.0).alias("allowance"),
    )


def _faulty(fault: Fault) -> pl.Expr:
    """Expression: whether a figure of a row is one that a release is known to have wrong."""
    named = pl.any_horizontal(
        (pl.col(f"status_{end}").cast(pl.String) == FAULTY) & (pl.col(f"period_{end}") == fault.release)
        for end in ("from", "to")
    )
    return named & pl.any_horizontal(pl.col("measure").str.starts_with(name) for name in fault.measures)


def unpaired() -> pl.Expr:
    """Expression: why a row has no two figures to compare, or null."""
    said = []
    for end in ("from", "to"):
        status = pl.col(f"status_{end}").cast(pl.String)
        why = status.replace_strict(WHY_NOT, default=None, return_dtype=pl.String)
        said.append(pl.format("{}: {}.", f"period_{end}", why))
    return pl.coalesce(pl.col("missing"), *said)


def why_not(survey: Survey, *, insisted: bool) -> pl.Expr:
    """Expression: why a row is not comparable, or null.

    When the caller insists, two releases are no reason any more: what they can move is allowed for.
    """
    known = pl.col("release_from").is_not_null() & pl.col("release_to").is_not_null()
    both = pl.format("The years come from two releases ({} and {}).", "release_from", "release_to")
    reason = next((b.reason for b in survey.breaks if b.releases), "")
    apart = pl.format("{} {}", pl.when(known).then(both).otherwise(pl.lit(UNKNOWN_RELEASE)), pl.lit(reason))
    barred = pl.coalesce("refused", pl.when(pl.col("releases_apart") & pl.lit(not insisted)).then(apart))
    alone = unpaired()
    return (
        pl.when(alone.is_not_null() & pl.col("refused").is_not_null())
        .then(pl.concat_str(alone, "refused", separator=" "))
        .otherwise(pl.coalesce(alone, barred))
    )


def refuse(table: pl.DataFrame, named: Iterable[str], survey: Survey, periods: tuple[str, str]) -> None:
    """Refuse a comparison of which nothing, or nothing of a measure asked for by name, may be compared.

    Raises
    ------
    ComparabilityError
        With the reason and what would be comparable instead.
    """
    told = table.with_columns(why_not(survey, insisted=False).alias("why"))
    by_measure = told.group_by("measure", maintain_order=True).agg(pl.col("why").is_not_null().all())
    wholly = by_measure.filter("why")["measure"].to_list()
    nothing = len(wholly) == by_measure.height
    asked = [m for m in wholly if nothing or m in set(named)]
    if not asked:
        return
    # A break says more than a figure that is missing, and the most frequent one the most.
    often = pl.len().over("why")
    rows = told.filter(pl.col("measure").is_in(asked))
    order = [unpaired().is_not_null(), -often.cast(pl.Int64)]
    first = rows.sort(order, maintain_order=True).row(0, named=True)
    subject = first["label"] if len(asked) == 1 else f"{first['label']} and {len(asked) - 1} more"
    hint = f"Comparable instead: {first['instead']} " if first["instead"] else ""
    raise ComparabilityError(
        f"{subject}: {periods[0]} and {periods[1]} may not be compared. {first['why']}",
        where=survey.label,
        expected="release=, if one release holds both years" if first["releases_apart"] else None,
        hint=f"{hint}allow_breaks=True compares anyway and marks it.",
    )


def warn_of_breaks(marked: pl.DataFrame, periods: tuple[str, str]) -> None:
    """Warn that figures are compared which may not be, as the caller wished."""
    rows = marked.filter(pl.col("refused").is_not_null() | pl.col("releases_apart"))
    if rows.height:
        named = rows["label"].unique(maintain_order=True).to_list()
        shown = ", ".join(named[:4]) + (f" and {len(named) - 4} more" if len(named) > 4 else "")
        warn(
            f"{periods[0]} and {periods[1]} are compared across a break, as asked: {shown}. "
            "The column `reason` says what the break is.",
            ComparabilityWarning,
        )


def see_breaks(
    survey: Survey,
    periods: tuple[str, str],
    measure: Measure,
    breakdowns: Sequence[str],
    organisation: str,
    absent: pl.DataFrame,
    *,
    allow: bool,
) -> tuple[str, ...]:
    """Return why two periods of one organisation do not compare in a measure and its breakdowns.

    `absent` has the questions without answers, as `absent_of` and `absent_in` return them. Unlike `refuse`,
    this takes a break of any of them for one of all: they are put into one sum.

    Raises
    ------
    ComparabilityError
        When there is a break and it is not allowed; a ComparabilityWarning when it is.
    """
    nothing = pl.lit(None, pl.String)
    plain = pl.DataFrame({"breakdown": [ALL, *breakdowns]}).with_columns(
        organisation=pl.lit(organisation), measure=pl.lit(measure.id), label=pl.lit(measure.label),
        unit=pl.lit(measure.unit), benchmark_group=nothing, pooled_from=pl.lit(value=False), missing=nothing,
        source=pl.lit("respondents"),
    )  # fmt: skip
    marked = mark_breaks(
        plain.with_columns(
            expr.alias(f"{name}_{end}")
            for end, period in zip(("from", "to"), periods, strict=True)
            for name, expr in {
                "period": pl.lit(period), "weighting": pl.lit("none"), "status": pl.lit("reported"),
                "release": nothing,
            }.items()
        ),
        survey,
        *periods,
    )  # fmt: skip
    marked = mark_different_questions(marked, absent, survey, periods)
    broken = marked.filter(pl.col("refused").is_not_null())
    if not allow:
        refuse(broken, [measure.id], survey, periods)
    warn_of_breaks(broken, periods)
    told = pl.format("{} Instead: {}", "refused", "instead")
    return tuple(broken.select(told).to_series().unique(maintain_order=True))


def _releases_apart() -> pl.Expr:
    """Expression: whether two weighted published figures come from two releases, or nobody knows."""
    weighted = (
        (pl.col("source").cast(pl.String) == "published")
        & (pl.col("weighting_from").cast(pl.String) != "none").fill_null(value=False)
        & (pl.col("weighting_to").cast(pl.String) != "none").fill_null(value=False)
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
        | (pl.col("organisation").is_in(item.organisations) & ~pl.col("pooled_from").fill_null(value=False))
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
