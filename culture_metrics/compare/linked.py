"""People who answered in both years: how far their answers move together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.extract import Extract, not_read
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.percentages import headline_shares
from culture_metrics.indicators.scoring import score

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from culture_metrics.indicators.percentages import Share

PERSON = ["organisation", "respondent"]
CELL = ["organisation", "breakdown", "group", "measure"]
#: Correlations of groups are told in so many steps.
STEPS = 10


def of_both_years(given: Sequence[Extract], survey: str, periods: tuple[str, str]) -> list[Extract]:
    """Return the extracts of the two periods in order.

    Raises
    ------
    ExtractError
        When they are no extracts, or not one of each period.
    """
    if wrong := [one for one in given if not isinstance(one, Extract)]:
        raise not_read(wrong[0], "linked=")
    found = sorted(given, key=lambda extract: extract.period)
    if [(one.survey, one.period) for one in found] != [(survey, period) for period in periods]:
        raise ExtractError(
            "Linked years are the two that are compared",
            where="linked=",
            expected=f"an extract of {periods[0]} and one of {periods[1]}",
            got=", ".join(one.period for one in given),
        )
    return found


def covariances(extracts: Sequence[Extract], by: Iterable[str], minimum: int) -> pl.DataFrame:
    """Return the covariance of the two years' unweighted estimates, for each group and measure.

    Parameters
    ----------
    extracts : two Extracts
        Of the two periods. The same `respondent` in the same organisation must be the same person.
    by : iterable of str
        Breakdowns; each year's group is that of the year, and only people who stayed in it count.
    minimum : int
        Fewest people in both years for which a covariance is given: fewer are taken as nobody. Where a few
        have an answer in one of the years only, none is given either: beside both years' figures it would
        tell what these answered.

    Returns
    -------
    polars.DataFrame
        `organisation, breakdown, group, measure, covariance` (in squared points or score units).

    Raises
    ------
    ExtractError
        When there are not two extracts of one survey, or nobody stands in both.

    Notes
    -----
    With n and m answers, of which those of the same people deviate by d and e from the mean of their year,
    the covariance of the two means is the sum of d times e over n times m: the variance of the difference
    falls by twice that (Kish 1965, section 12.4). In groups the correlation is rounded towards none, to a
    tenth.
    """
    first, second = extracts
    if first.survey != second.survey:
        raise ExtractError("The linked extracts belong to different surveys")
    if first.frame.join(second.frame, on=PERSON, how="semi").is_empty():
        raise ExtractError(
            "No respondent stands in both extracts",
            where=f"{first.period} and {second.period}",
            expected="the same id for the same person in both years",
            hint="Leave linked= out: the years are then taken as different people.",
        )
    tables = []
    for breakdown in (None, *by):
        years = [_shares(e, breakdown) for e in (first, second)]
        both = years[0].join(years[1], on=[*PERSON, "group"], suffix=" later")
        names = [c for c in years[0].columns if f"{c} later" in both.columns and c not in PERSON]
        own = ["organisation", "group"]
        each = [
            year.group_by(own).agg(
                pl.col(names).count().name.suffix(f" {end}"),
                pl.col(names).pow(2).sum().name.suffix(f"² {end}"),
            )
            for year, end in zip(years, ("first", "last"), strict=True)
        ]
        product = {n: pl.col(n) * pl.col(f"{n} later") for n in names}
        products = both.group_by(own).agg(
            *(p.sum().alias(n) for n, p in product.items()),
            *(p.count().alias(f"{n} both") for n, p in product.items()),
        )
        for year in each:
            products = products.join(year, on=own, how="left")
        products = products.select(*own, *(_told(n, minimum, whole=breakdown is None) for n in names))
        tables.append(
            products.unpivot(
                index=["organisation", "group"], variable_name="measure", value_name="covariance"
            ).with_columns(breakdown=pl.lit(breakdown or ALL))
        )
    return pl.concat(tables).select(*CELL, pl.col("covariance").fill_null(0.0))


def _told(name: str, minimum: int, *, whole: bool) -> pl.Expr:
    """Return a covariance of two years, where it says nothing of the few who answered in one of them only."""
    both = pl.col(f"{name} both")
    alone = [pl.col(f"{name} {end}") - both for end in ("first", "last")]
    told = (both >= minimum) & pl.all_horizontal((n == 0) | (n >= minimum) for n in alone)
    if whole:
        return pl.when(told).then(name).alias(name)
    # Exact ones of several groups would tell what few said who left a group, or changed it.
    spread = (pl.col(f"{name}² first") * pl.col(f"{name}² last")).sqrt()
    near = (pl.col(name) / spread * STEPS).fill_nan(0.0)
    return pl.when(told).then(near.sign() * near.abs().floor() / STEPS * spread).alias(name)


def _value(share: Share) -> pl.Expr:
    counted = pl.when(share.answer.is_in(share.counted)).then(100.0).otherwise(0.0)
    return pl.when(share.answer.is_in(share.base)).then(counted)


def _group(extract: Extract, breakdown: str) -> pl.Expr:
    """Expression: each person's group by name, of crossed breakdowns as their results name it."""
    names = breakdown.split(CROSS)
    columns = group_columns(extract, names)
    return pl.concat_str(*(columns[name].cast(pl.String) for name in names), separator=CROSS)


def _shares(extract: Extract, breakdown: str | None) -> pl.DataFrame:
    """Return each person's deviation from the mean of organisation and group, over the number of answers."""
    edition = extract.edition
    percentages = {s.name: _value(s) for s in headline_shares(edition, extract.frame.columns)}
    group = pl.lit(ALL) if breakdown is None else _group(extract, breakdown)
    values = extract.frame.select(
        *PERSON, group.alias("group"), *(e.alias(n) for n, e in percentages.items())
    ).hstack(score(extract).select(*edition.scores))
    own = ["organisation", "group"]
    measures = [n for n in edition.measures if n in values.columns]
    return (
        values.drop_nulls("group")
        .with_columns(
            ((pl.col(n) - pl.col(n).mean().over(own)) / pl.col(n).count().over(own).cast(pl.Float64)).alias(n)
            for n in measures
        )
        .select(*PERSON, "group", *measures)
    )
