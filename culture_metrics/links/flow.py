"""What became of every row on its way into the panel, and which organisations stand on one side only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.links.survey_side import KEY, SurveySide

if TYPE_CHECKING:
    from culture_metrics.links.outcome_side import OutcomeSide

LOSSES = {
    "source": pl.String(),
    "step": pl.String(),
    "rows": pl.UInt32(),
    "organisations": pl.UInt32(),
    "reason": pl.String(),
}
UNMATCHED = {
    "outcome": pl.String(),
    "side": pl.String(),
    "organisation": pl.String(),
    "name": pl.String(),
    "first_year": pl.Int32(),
    "last_year": pl.Int32(),
    "known": pl.String(),
}
SURVEY, PANEL, SUPPRESSED = "survey", "panel", "suppressed"


def losses(
    table: pl.DataFrame, survey: SurveySide, sides: list[OutcomeSide], surveyed: pl.DataFrame
) -> pl.DataFrame:
    """List every step from the rows of the files to those of the panel."""
    steps = [(SURVEY, "read", survey.table, "organisations as a whole")]
    for side in sides:
        name = side.outcome.column
        steps += [(name, *step) for step in side.flow]
        stranger = side.table.join(surveyed, on="organisation", how="anti")
        mine = side.table.join(surveyed, on="organisation", how="semi")
        steps += [
            (name, "left out", stranger, "organisation never in the survey"),
            (name, "kept", mine.join(survey.table, on=KEY, how="semi"), "beside a survey of the same year"),
            (name, "kept", mine.join(survey.table, on=KEY, how="anti"), "no survey in the same year"),
        ]
    columns = [side.outcome.column for side in sides]
    bare = survey.table.join(
        table.filter(pl.any_horizontal(pl.col(columns).is_not_null())), on=KEY, how="anti"
    )
    steps += [
        (PANEL, "rows", table, "survey, outcome or both"),
        (PANEL, "rows", bare, "survey without any outcome"),
    ]
    flow = pl.DataFrame(
        [
            (source, step, rows.height, rows["organisation"].n_unique(), reason)
            for source, step, rows, reason in steps
        ],
        schema=LOSSES,
        orient="row",
    ).filter((pl.col("rows") > 0) | (pl.col("step") != "left out"))
    suppressed = survey.lost.select(
        pl.lit(SURVEY).alias("source"),
        pl.when(pl.col("status").cast(pl.String).str.starts_with(SUPPRESSED))
        .then(pl.lit(SUPPRESSED))
        .otherwise(pl.lit("not reported"))
        .alias("step"),
        pl.col("rows").cast(pl.UInt32),
        pl.col("organisations").cast(pl.UInt32),
        pl.format("{}: {}", "measure", pl.col("status").cast(pl.String).str.replace_all("_", " ")).alias(
            "reason"
        ),
    )
    return pl.concat([flow.head(1), suppressed, flow.slice(1)])


def unmatched(
    table: pl.DataFrame,
    survey: SurveySide,
    sides: list[OutcomeSide],
    attributes: pl.DataFrame,
    mergers: pl.DataFrame,
) -> pl.DataFrame:
    """List organisations that stand on one side only, in any year."""
    names = pl.concat(
        [table.select("organisation", "name").drop_nulls(), attributes.select("organisation", "name")]
    ).unique("organisation", keep="first", maintain_order=True)
    parts = [pl.DataFrame(schema=UNMATCHED).drop("name", "known")]
    for side in sides:
        read = side.flow[0][1]
        pairs = (("survey only", survey.table, read), ("outcome only", read, survey.table))
        parts += [
            own.join(other, on="organisation", how="anti")
            .group_by("organisation")
            .agg(pl.col("year").min().alias("first_year"), pl.col("year").max().alias("last_year"))
            .select(
                pl.lit(side.outcome.column).alias("outcome"),
                pl.lit(name).alias("side"),
                "organisation",
                "first_year",
                "last_year",
            )
            for name, own, other in pairs
        ]
    day = pl.when(pl.col("merged").is_null()).then(pl.lit("")).otherwise(pl.format(" on {}", "merged"))
    gone = mergers.select("organisation", pl.format("became part of {}{}", "successor", day).alias("known"))
    heirs = mergers.select(
        pl.col("successor").alias("organisation"),
        pl.format("took over {}{}", "organisation", day).alias("known"),
    )
    listed = attributes.select("organisation", pl.lit("on the list of organisations").alias("known"))
    known = pl.concat([gone, heirs, listed]).unique("organisation", keep="first", maintain_order=True)
    absent = pl.lit("not on the list of organisations" if attributes.height else None, pl.String)
    return (
        pl.concat(parts)
        .join(names, on="organisation", how="left")
        .join(known, on="organisation", how="left")
        .with_columns(pl.coalesce("known", absent).alias("known"))
        .select(list(UNMATCHED))
        .sort("outcome", "side", "organisation", descending=[False, True, False])
    )
