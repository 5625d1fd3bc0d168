"""The survey's side of a panel: whole organisations, one row a year, a column per measure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

import polars as pl

from culture_metrics.contract import ALL, check_results
from culture_metrics.errors import LinkError
from culture_metrics.outcomes.mergers import ATTRIBUTES, follow
from culture_metrics.outcomes.steps import KEY, Step, step
from culture_metrics.output import Output, table_of
from culture_metrics.problems import Problem, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

SUPPRESSED = "suppressed"


@runtime_checkable
class Workbook(Protocol):
    """What a panel asks of a published workbook beside its Results: who its organisations are."""

    @property
    def organisations(self) -> pl.DataFrame:
        """Organisations: code, period, name, benchmark group and region."""


class SurveySide(NamedTuple):
    """Indicators by organisation and year, and what became of every row of the results."""

    table: pl.DataFrame
    measures: tuple[str, ...]
    places: pl.DataFrame
    flow: list[Step]
    problems: list[Problem]


def survey_side(
    results: Output | pl.DataFrame | Sequence[Output | pl.DataFrame],
    measures: Iterable[str] | None,
    mergers: pl.DataFrame,
) -> SurveySide:
    """Spread Results to one row per organisation and year.

    Raises
    ------
    LinkError
        When the results are of several surveys, of quarters, weighted in two ways, or lack a measure.
    """
    given = list(results) if isinstance(results, Sequence) and not isinstance(results, str) else [results]
    if not given:
        raise LinkError(
            "There are no results to make a panel of", expected="one table or workbook, or several"
        )
    frames = [check_results(table_of(one, "panel")) for one in given]
    every = pl.concat(frames)
    together = pl.col("organisation") == ALL
    of_all = (pl.col("breakdown") == ALL) & (pl.col("group") == ALL)
    whole = every.filter(of_all & ~together)
    unwanted = whole.clear()
    if measures is not None:
        wanted = list(dict.fromkeys(measures))
        if absent := sorted(set(wanted) - set(whole["measure"])):
            raise LinkError(
                f"The results hold no measure '{absent[0]}'",
                got=listed(sorted(set(whole["measure"]))),
                hint="Name measures by their ids, as the column measure has them.",
            )
        asked = pl.col("measure").is_in(wanted)
        whole, unwanted = whole.filter(asked), whole.filter(~asked)
    _check(whole)
    year = pl.col("period").cast(pl.Int32, strict=False).alias("year")
    flow = [
        step("read", every.with_columns(year), "figures of the results"),
        step("left out", every.filter(together).with_columns(year), "all organisations together"),
        step(
            "left out",
            every.filter(~of_all & ~together).with_columns(year),
            "groups of a breakdown: a panel is of whole organisations",
        ),
        step("left out", unwanted.with_columns(year), "measures not asked for"),
    ]
    dated = whole.with_columns(year)
    # Those on the payroll on 1 September are surveyed.
    dated, problems = follow(
        dated, mergers, pl.date(pl.col("year"), 9, 1), [*KEY, "measure"], "results of the survey"
    )
    twice = dated.filter(pl.struct(*KEY, "measure").is_duplicated())
    if twice.height:
        raise LinkError(
            "A measure stands twice for the same organisation and year",
            where=f"measures {listed(twice['measure'].unique().sort(), 3)}",
            got=f"weighting {listed(twice['weighting'].unique().sort())}; "
            f"source {listed(twice['source'].unique().sort())}",
            hint="Filter the results to one weighting and source before making the panel.",
        )
    order = tuple(dated["measure"].unique(maintain_order=True)) if measures is None else tuple(wanted)
    table = dated.select(KEY).unique().sort(KEY)
    for column, suffix in (("estimate", ""), ("base", "_base")):
        wide = dated.pivot("measure", index=KEY, values=column, aggregate_function=None)
        table = table.join(
            wide.select(*KEY, *(pl.col(name).alias(f"{name}{suffix}") for name in order)), on=KEY, how="left"
        )
    lost = dated.filter(pl.col("status") != "reported").sort("measure", "status")
    for (measure, status), rows in lost.group_by("measure", "status", maintain_order=True):
        why = SUPPRESSED if str(status).startswith(SUPPRESSED) else "not reported"
        flow.append(step(why, rows, f"{measure}: {str(status).replace('_', ' ')}"))
    flow.append(step("kept", dated.filter(status="reported"), "figures of organisations as a whole"))
    return SurveySide(table, order, _places(given), flow, problems)


def _check(whole: pl.DataFrame) -> None:
    if whole.is_empty():
        raise LinkError(
            "The results hold no organisation as a whole",
            expected=f"rows with breakdown '{ALL}' and group '{ALL}'",
            hint="Estimate with by=(), or read the workbook of organisation results.",
        )
    if whole["survey"].n_unique() > 1:
        raise LinkError(
            "The results are of several surveys",
            got=listed(whole["survey"].unique().sort()),
            hint="Make a panel of each survey.",
        )
    if not whole["period"].str.contains(r"^\d{4}$").all():
        raise LinkError(
            "A panel has one survey a year, and these periods are no years",
            got=listed(whole["period"].unique().sort(), 4),
            hint="Keep one quarter a year and name it by its year.",
        )


def _places(given: Sequence[Output | pl.DataFrame]) -> pl.DataFrame:
    """Return name, benchmark group and region by organisation and year, as the workbooks say them."""
    frames = [one.organisations for one in given if isinstance(one, Workbook)]
    schema = {"organisation": pl.String, "year": pl.Int32, **dict.fromkeys(ATTRIBUTES, pl.String)}
    if not frames:
        return pl.DataFrame(schema=schema)
    return (
        pl.concat(frames)
        .with_columns(pl.col("period").cast(pl.Int32, strict=False).alias("year"))
        .select(list(schema))
        .unique(KEY, keep="first")
    )
