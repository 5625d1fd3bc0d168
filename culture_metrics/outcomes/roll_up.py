"""Roll outcomes up from the periods they are published for to the years of the survey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.outcomes.kinds import RollUp
from culture_metrics.outcomes.outcome import declared
from culture_metrics.outcomes.periods import APRIL, months, survey_year
from culture_metrics.problems import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culture_metrics.outcomes.outcome import Outcome

UNIT = ["outcome", "organisation", "group"]
YEAR = 12
COLUMNS = {
    "outcome": pl.String(),
    "organisation": pl.String(),
    "group": pl.String(),
    "year": pl.Int32(),
    "value": pl.Float64(),
    "level": pl.String(),
    "numerator": pl.Float64(),
    "denominator": pl.Float64(),
    "start": pl.Date(),
    "end": pl.Date(),
    "months": pl.Int32(),
    "partial": pl.Boolean(),
}


def by_year(table: pl.DataFrame, outcomes: Iterable[Outcome]) -> pl.DataFrame:
    """Roll outcomes up to survey years: the financial year that holds the fieldwork of October and November.

    Counts and money are added over the periods that end in the year; proportions and rates are added up in
    numerator and denominator and divided once (the denominator of leavers is averaged over the months); of
    scores and ratios the last figure of the year counts; a rating stands until the next one. Nothing is
    scaled up to a year: `months` says how many months of the year are covered; it is null for a rating, and
    for a score or ratio of a single month or day.

    Parameters
    ----------
    table : polars.DataFrame
        Outcomes, as `OutcomeData.table`.
    outcomes : iterable of Outcome
        What the outcomes of the table are.

    Returns
    -------
    polars.DataFrame
        Columns `outcome, organisation, group, year, value, level, numerator, denominator, start, end, months,
        partial`, one row per outcome, organisation, group and year with a reported figure.

    Raises
    ------
    LinkError
        When periods to be added overlap, or there is no denominator to add.
    """
    parts = [
        _rolled(
            table.filter((pl.col("outcome") == outcome.column) & (pl.col("status") == "reported")), outcome
        )
        for outcome in outcomes
    ]
    return pl.concat([pl.DataFrame(schema=COLUMNS), *parts]).sort(*UNIT, "year")


def _rolled(table: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    first = pl.date(survey_year(pl.col("end")), APRIL, 1)
    dated = table.with_columns(
        survey_year(pl.col("end")).alias("year"),
        months(pl.max_horizontal("start", first), pl.col("end")).cast(pl.Int32).alias("months"),
    )
    if outcome.rules.roll_up is RollUp.STANDING:
        rolled = _standing(dated)
    elif outcome.rules.roll_up is RollUp.ADDED:
        rolled = _added(dated, outcome)
    else:
        rolled = _last(dated)
    return rolled.with_columns((pl.col("months") < YEAR).fill_null(value=False).alias("partial")).select(
        pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()
    )


def _added(table: pl.DataFrame, outcome: Outcome) -> pl.DataFrame:
    _check_overlap(table, outcome)
    share = outcome.rules.fraction
    parts = ["numerator", "denominator"] if share else ["numerator"]
    several = pl.len().over(*UNIT, "year") > 1
    bare = table.filter(several & pl.any_horizontal(pl.col(parts).is_null()))
    if bare.height:
        raise LinkError(
            f"{outcome.title}: figures of several periods cannot be put together without their counts",
            where=f"organisations {listed(bare['organisation'].unique().sort(), 5)}",
            expected="the numerator and the denominator of every period",
            hint="Name their columns with columns={'numerator': ..., 'denominator': ...}; a mean of rates "
            "would give a small month the weight of a large one.",
        )
    averaged = declared().get(outcome.column, {}).get("denominator") == "average"
    below = pl.col("denominator")
    weighted = (below * pl.col("months")).sum() / pl.col("months").sum() if averaged else below.sum()
    alone = pl.len() == 1
    added = table.group_by(*UNIT, "year").agg(
        pl.when(alone).then(pl.col("value").first()).alias("single"),
        pl.when(pl.col("numerator").is_not_null().all()).then(pl.col("numerator").sum()),
        pl.when(below.is_not_null().all()).then(weighted).alias("denominator"),
        pl.col("start").min(),
        pl.col("end").max(),
        pl.col("months").sum(),
        pl.lit(None, pl.String).alias("level"),
    )
    whole = pl.col("numerator") / pl.col("denominator") if share else pl.col("numerator")
    return added.with_columns(pl.coalesce("single", whole).alias("value"))


def _last(table: pl.DataFrame) -> pl.DataFrame:
    """Return the last figure of each year; of two that end together the one of the longer period."""
    last = table.sort("end", "start", descending=[False, True]).group_by(*UNIT, "year").last()
    # A figure of one month or day, such as a score of patients of November, is not a part of a year.
    point = months(pl.col("start"), pl.col("end")) <= 1
    return last.with_columns(pl.when(~point).then("months").alias("months"))


def _standing(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rating that stood at the end of each year, from the first year of the file to its last."""
    last = table["year"].max()
    if last is None:
        return table
    units = table.group_by(UNIT).agg(pl.col("year").min().alias("from"))
    years = units.with_columns(pl.int_ranges(pl.col("from"), pl.lit(last) + 1).alias("year")).explode("year")
    ends = years.select(
        *UNIT, pl.col("year").cast(pl.Int32), pl.date(pl.col("year") + 1, APRIL - 1, 31).alias("at")
    )
    found = ends.sort("at").join_asof(
        table.drop("year").sort("end"), left_on="at", right_on="end", by=UNIT, coalesce=False
    )
    return found.with_columns(pl.lit(None, pl.Int32).alias("months"))


def _check_overlap(table: pl.DataFrame, outcome: Outcome) -> None:
    before = pl.col("end").shift().over(*UNIT, order_by="start")
    twice = table.filter(pl.col("start") <= before)
    if twice.height:
        row = twice.row(0, named=True)
        raise LinkError(
            f"{outcome.title}: periods overlap, and adding them up would count the same months twice",
            where=f"organisation {row['organisation']}, the period from {row['start']}",
            hint="Rolling figures of 12 months: keep one a year, the one that ends in March.",
        )
