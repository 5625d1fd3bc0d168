"""What became of every row on its way into the panel, and which organisations stand on one side only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.outcomes.steps import KEY, Step, step

if TYPE_CHECKING:
    from culture_metrics.outcomes.outcome_side import OutcomeSide
    from culture_metrics.outcomes.survey_side import SurveySide

LOSSES = {
    "source": pl.String(),
    "step": pl.String(),
    "rows": pl.UInt32(),
    "organisation_years": pl.UInt32(),
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
SURVEY, PANEL = "survey", "panel"
BESIDE, ALONE = "beside a survey of the same year", "no survey in the same year"
STRANGER = "organisation never in the survey"


def losses(
    table: pl.DataFrame, survey: SurveySide, sides: list[OutcomeSide], surveyed: pl.DataFrame
) -> pl.DataFrame:
    """List every step from the rows of the files to those of the panel."""
    steps = [(SURVEY, *one) for one in survey.flow]
    for side in sides:
        steps += [(side.outcome.column, *one) for one in _of_outcome(side, survey, surveyed)]
    columns = [side.outcome.column for side in sides]
    bare = survey.table.join(
        table.filter(pl.any_horizontal(pl.col(columns).is_not_null())), on=KEY, how="anti"
    )
    steps += [
        (PANEL, *step("rows", table, "survey, outcome or both")),
        (PANEL, *step("rows", bare, "survey without any outcome")),
    ]
    flow = pl.DataFrame(steps, schema=LOSSES, orient="row")
    return flow.filter((pl.col("rows") > 0) | (pl.col("step") != "left out"))


def _of_outcome(side: OutcomeSide, survey: SurveySide, surveyed: pl.DataFrame) -> list[Step]:
    """List what becomes of an outcome's rows; one that serves several years counts where it serves best."""
    there = [survey.table.select(*KEY, pl.lit(BESIDE).alias("beside")), surveyed.with_columns(known=True)]
    served = side.served.join(there[0], on=KEY, how="left").join(there[1], on="organisation", how="left")
    fate = pl.coalesce("reason", "beside", pl.when("known").then(pl.lit(ALONE)).otherwise(pl.lit(STRANGER)))
    short = served["reason"].drop_nulls().unique().to_list()
    order = [BESIDE, ALONE, STRANGER, *short]
    fated = served.with_columns(fate.cast(pl.Enum(order)).alias("fate"))
    first = pl.col("fate").to_physical() == pl.col("fate").to_physical().min().over("row")
    counted_once = fated.with_columns(
        pl.when(first & pl.struct("row", "fate").is_first_distinct()).then("rows").otherwise(0).alias("rows")
    )
    ends = [
        step("left out" if reason in (STRANGER, *short) else "kept", counted_once.filter(fate=reason), reason)
        for reason in order
    ]
    organisations = side.read["organisation"].n_unique()
    read = Step("read", side.of_file, side.read.height, organisations, "rows of the file")
    return [read, *side.set_aside, *sorted(ends, key=lambda one: one.step == "kept")]


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
        pairs = (("survey only", survey.table, side.read), ("outcome only", side.read, survey.table))
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
