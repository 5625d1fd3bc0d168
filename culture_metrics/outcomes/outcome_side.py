"""The outcomes' side of a panel: each outcome by organisation and survey year, and what was left out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.outcomes.kinds import RollUp
from culture_metrics.outcomes.mergers import follow
from culture_metrics.outcomes.periods import survey_year
from culture_metrics.outcomes.roll_up import YEAR, by_year
from culture_metrics.outcomes.steps import KEY, Step, step
from culture_metrics.problems import Problem, counted
from data_schemas.columns import OUTCOMES_KEY

if TYPE_CHECKING:
    from culture_metrics.outcomes.outcome import Outcome
    from culture_metrics.outcomes.outcome_data import OutcomeData


class OutcomeSide(NamedTuple):
    """One outcome by organisation and year under the panel's column names, and the flow of its rows.

    `of_file` counts the rows of the file, `read` has its organisation-years, `set_aside` the steps of rows
    that give the panel no figure, and `served` the other rows: `row, rows, organisation, year` (a rating
    serves several) and `reason` (for a year that is left out).
    """

    outcome: Outcome
    table: pl.DataFrame
    of_file: int
    read: pl.DataFrame
    set_aside: list[Step]
    served: pl.DataFrame
    problems: list[Problem]


def outcome_side(
    data: OutcomeData, outcome: Outcome, mergers: pl.DataFrame, minimum_months: int
) -> OutcomeSide:
    """Roll one outcome up to survey years, under the panel's column names."""
    rules = outcome.rules
    every = data.table.filter(outcome=outcome.column).with_columns(survey_year(pl.col("end")).alias("year"))
    groups = every.filter(pl.col("group") != ALL)
    rows, problems = _merge(every.filter(group=ALL).drop("year"), outcome, mergers)
    if in_groups := int(groups["rows"].sum()):
        problems.append(
            Problem(
                "note",
                "rows of groups of staff",
                f"{outcome.title}: {counted(in_groups, 'row')} of "
                f"{counted(groups['group'].n_unique(), 'group')}",
                "rows of whole organisations",
                "Left out: a panel is of whole organisations.",
                column=outcome.column,
                rows=in_groups,
            )
        )
    # A rating stands on in years without a new one: there is no month to miss.
    yearly = by_year(rows, [outcome])
    rows = rows.with_columns(survey_year(pl.col("end")).alias("year")).with_row_index("row")
    read = pl.concat([rows.select(KEY), yearly.select(KEY)]).unique()
    short = yearly.filter((pl.col("months") < minimum_months).fill_null(value=False))
    kept = yearly.join(short, on=KEY, how="anti")
    points = kept["months"].null_count() if rules.roll_up is RollUp.LAST else 0
    if points:
        problems.append(
            Problem(
                "note",
                "a month or a day stands for the year",
                f"{outcome.title}: {counted(points, 'figure')} of a single month or day",
                "figures of the whole year",
                "Kept: the last one of the year. Figures that build up over the year would be partial.",
                column=outcome.column,
                rows=points,
            )
        )
    there = rows.filter(status="reported")
    # Parts of a year are all used; of figures and ratings the one that the year was given is.
    on = KEY if rules.roll_up is RollUp.ADDED else ["organisation", "start", "end"]
    partial = pl.lit(f"fewer than {minimum_months} months of the year: a part is no year")
    left = short.select(*KEY, partial.alias("reason"))
    given = yearly.select(*dict.fromkeys([*KEY, *on])).join(left, on=KEY, how="left")
    one_row = there.select("row", "rows", *on)
    set_aside = [
        *(
            Step("left out", aside["rows"], None, aside["organisations"], aside["reason"])
            for aside in data.set_aside.filter(outcome=outcome.column).iter_rows(named=True)
        ),
        step("left out", groups, "groups of staff: a panel is of whole organisations"),
        step("left out", rows.filter(status="suppressed"), "suppressed in the file"),
        step("left out", rows.filter(status="not_reported"), "not reported, or nothing to count"),
        step("left out", there.join(given, on=on, how="anti"), "a later figure of the same year stands"),
    ]
    name = outcome.column
    value = pl.col("level").cast(pl.Enum(outcome.levels)) if outcome.levels else pl.col("value")
    if rules.counted:
        value = pl.col("numerator").round().cast(pl.Int64)
    below = rules.below.part if rules.below else None
    has_below = below is not None and kept["denominator"].null_count() < kept.height
    columns = [value.alias(name)]
    below_name = f"{name}_{below}" if has_below else None
    if below_name:
        columns.append(pl.col("denominator").alias(below_name))
    if kept["partial"].any():
        columns.append(pl.col("months").alias(f"{name}_months"))
    adapted = replace(
        outcome,
        percent=False,
        base=below_name if below == "base" else None,
        exposure=below_name if below == "exposure" else None,
        period=_period(outcome, kept, minimum_months),
    )
    return OutcomeSide(
        outcome=adapted,
        table=kept.select(*KEY, *columns),
        of_file=data.provenance["rows"],
        read=read,
        set_aside=set_aside,
        served=one_row.join(given, on=on),
        problems=problems,
    )


def _merge(rows: pl.DataFrame, outcome: Outcome, mergers: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem]]:
    """Put figures after a merger under the successor; counts are added to the successor's own."""
    if outcome.rules.roll_up is not RollUp.ADDED:
        return follow(rows, mergers, pl.col("start"), OUTCOMES_KEY, outcome.title)
    numbered = rows.with_row_index("__row__")
    moved, problems = follow(numbered, mergers, pl.col("start"), ["__row__", "organisation"], outcome.title)
    share = outcome.rules.fraction
    parts = ["numerator", "denominator"] if share else ["numerator"]
    several = pl.len() > 1
    there = (pl.col("status") == "reported").all() & pl.all_horizontal(pl.col(parts).is_not_null().all())
    whole = pl.col("numerator").sum() / (pl.col("denominator").sum() if share else 1)
    merged = moved.group_by(OUTCOMES_KEY, maintain_order=True).agg(
        pl.when(several).then(pl.when(there).then(whole)).otherwise(pl.col("value").first()).alias("value"),
        pl.col("level").first(),
        *(
            pl.when(pl.col(part).is_not_null().all()).then(pl.col(part).sum()).alias(part)
            for part in ("numerator", "denominator")
        ),
        pl.col("rows").sum(),
        pl.when(~several | there)
        .then(pl.col("status").first())
        .otherwise(pl.lit("not_reported", dtype=rows.schema["status"]))
        .alias("status"),
    )
    return merged.select(rows.columns), problems


def _period(outcome: Outcome, kept: pl.DataFrame, minimum_months: int) -> str:
    """Say what the outcome's year is."""
    said = outcome.period or "the financial year of the fieldwork"
    if kept.is_empty():
        return said
    part = f", at least {minimum_months} of its months" if minimum_months < YEAR else ""
    covered = kept.select(pl.format("{} to {}", pl.col("start").min(), pl.col("end").max())).item()
    return f"{said}{part}; {covered}"
