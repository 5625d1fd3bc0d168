"""Layouts of published outcome files that are told by their columns, and how each becomes outcomes.

A layout's `read` returns rows with `__row__, outcome, organisation, group, period, numerator, denominator,
status` and `rows` (how many of the file a row stands on), the problems it met, and what it set aside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import LinkError
from culture_metrics.outcomes.outcome_data import SET_ASIDE, set_aside
from culture_metrics.outcomes.tabular import ROW
from culture_metrics.outcomes.texts import number, plain, status, wrong_rows
from culture_metrics.problems import Problem, counted, examples

if TYPE_CHECKING:
    from collections.abc import Callable

    from culture_metrics.outcomes.tabular import Sheet

    Read = Callable[[Sheet], tuple[pl.DataFrame, list[Problem], pl.DataFrame]]

START, END = "Denominator at start of period", "Denominator at end of period"
FLOWS = {"Leavers": "leavers", "Joiners": "joiners"}
#: Published shares are rounded to two decimals.
ROUNDING = 0.005 + 1e-9


@dataclass(frozen=True)
class Layout:
    """A kind of file: its name, the columns (squeezed) it is told by, the outcomes in it, how it is read."""

    name: str
    needs: frozenset[str]
    outcomes: tuple[str, ...]
    read: Read


def _emergency(sheet: Sheet) -> tuple[pl.DataFrame, list[Problem], pl.DataFrame]:
    """Read A&E attendances by trust and month: those within four hours of all of them."""
    names = sheet.names
    total, over = names["totalattendances"], names["attendancesover4hours"]
    text = sheet.frame.select(
        ROW,
        pl.col(names["nhstrust22code"]).alias("organisation"),
        pl.col(names["date"]).alias("period"),
        number(total).alias("denominator"),
        number(over).alias("over"),
        number(names["pctattendanceover4hours"]).alias("share")
        if "pctattendanceover4hours" in names
        else pl.lit(None, pl.Float64).alias("share"),
        pl.when(number(total) > 0).then(status(over)).otherwise(pl.lit("not_reported")).alias("status"),
    )
    wrong_rows(sheet, total, pl.col(total).is_not_null() & number(total).is_null(), "a number")
    wrong_rows(sheet, over, number(over) > number(total), f"at most as many as in {total}")
    empty = pl.col("denominator") == 0
    problems = _gaps(
        text.filter(empty), total, "note", "months without attendances", "Left out: nothing to share."
    )
    problems += _gaps(
        text.filter(~empty & (pl.col("status") != "reported")),
        over,
        "warning",
        "months without a figure",
        "Left out, not taken for zero: the years they lie in are partial.",
    )
    ratio = pl.col("over") / pl.col("denominator")
    off = text.filter((ratio - pl.col("share")).abs() > ROUNDING)
    if off.height:
        problems.append(
            Problem(
                "warning",
                "published share differs from its counts",
                counted(off.height, "row"),
                "the share of the two counts, rounded",
                "The counts were taken; ask the publisher which is right.",
                column=names["pctattendanceover4hours"],
                rows=off.height,
                examples=examples(off[ROW]),
            )
        )
    rows = text.select(
        ROW,
        pl.lit("four_hour_wait").alias("outcome"),
        "organisation",
        pl.lit(ALL).alias("group"),
        "period",
        (pl.col("denominator") - pl.col("over")).alias("numerator"),
        "denominator",
        "status",
        pl.lit(1).alias("rows"),
    )
    return rows, problems, pl.DataFrame(schema=SET_ASIDE)


def _gaps(rows: pl.DataFrame, column: str, severity: str, rule: str, done: str) -> list[Problem]:
    if rows.is_empty():
        return []
    organisations = counted(rows["organisation"].n_unique(), "organisation")
    return [
        Problem(
            severity,
            rule,
            f"{counted(rows.height, 'month')} of {organisations}",
            "a number in every month",
            done,
            column=column,
            rows=rows.height,
            examples=examples(rows[ROW].sort()),
        )
    ]


def _turnover(sheet: Sheet) -> tuple[pl.DataFrame, list[Problem], pl.DataFrame]:
    """Read joiners and leavers over the average of the headcounts at both ends; an absent row is zero."""
    names = sheet.names
    wrong_rows(sheet, names["hc"], number(names["hc"]).is_null(), "a headcount")
    kinds = {START, END, *FLOWS}
    wrong_rows(
        sheet, names["type"], ~pl.col(names["type"]).is_in(kinds), "one of " + ", ".join(sorted(kinds))
    )
    unit = ["organisation", "group", "period"]
    long = sheet.frame.select(
        ROW,
        pl.col(names["reportingorgcode"]).alias("organisation"),
        plain(names["staffgroup1name"]).alias("group"),
        pl.col(names["period"]).alias("period"),
        pl.col(names["type"]).alias("type"),
        number(names["hc"]).alias("headcount"),
    )
    twice = long.filter(pl.struct(*unit, "type").is_duplicated())
    if twice.height:
        raise LinkError(
            "Rows stand twice for the same organisation, staff group and type",
            where=f"{sheet.where}, rows {examples(twice[ROW])}",
            hint="Ask for the file again, or take the repeated rows out.",
        )
    wide = long.pivot("type", index=unit, values="headcount", aggregate_function=None)
    of_other = {kind: pl.col("type").is_in([*FLOWS]) & (pl.col("type") != kind) for kind in FLOWS}
    stands_on = [(~of_other[kind]).sum().alias(f"rows of {kind}") for kind in FLOWS]
    wide = wide.join(long.group_by(unit).agg(pl.col(ROW).min(), *stands_on), on=unit, nulls_equal=True)
    absent = [pl.lit(None, pl.Float64).alias(name) for name in kinds if name not in wide.columns]
    wide = wide.with_columns(absent)
    homeless = wide.filter(pl.col(START).is_null() & pl.col(END).is_null())
    if homeless.height:
        raise LinkError(
            "Joiners or leavers stand without a headcount",
            where=f"{sheet.where}, rows {examples(homeless[ROW].sort())}",
            hint="Ask for the file with its denominators.",
        )
    # A group that is new or gone at one end of the period has nobody there.
    average = (pl.col(START).fill_null(0) + pl.col(END).fill_null(0)) / 2
    one_end = wide.filter(pl.col(START).is_null() | pl.col(END).is_null())
    problems = [
        Problem(
            "note",
            "absent rows are zero",
            f"{counted(wide[kind].null_count(), 'staff group')} without a row of {kind.lower()}",
            "a row where somebody joined or left",
            "Taken for zero, as the file means it.",
            column=names["type"],
            rows=wide[kind].null_count(),
        )
        for kind in FLOWS
        if wide[kind].null_count()
    ]
    if one_end.height:
        problems.append(
            Problem(
                "note",
                "headcount at one end of the period only",
                counted(one_end.height, "staff group"),
                "a headcount at the start and at the end",
                "The absent one was taken for zero: the group is new, or gone.",
                column=names["type"],
                rows=one_end.height,
                examples=examples(one_end[ROW].sort()),
            )
        )
    rows = [
        wide.select(
            ROW,
            pl.lit(outcome).alias("outcome"),
            *unit,
            pl.col(kind).fill_null(0).alias("numerator"),
            average.alias("denominator"),
            pl.when(average > 0).then(pl.lit("reported")).otherwise(pl.lit("not_reported")).alias("status"),
            pl.col(f"rows of {kind}").alias("rows"),
        )
        for kind, outcome in FLOWS.items()
    ]
    others = [
        set_aside(
            long.filter(of_other[kind]).with_columns(
                pl.lit(outcome).alias("outcome"), pl.lit(1).alias("rows")
            ),
            f"not of {kind.lower()}",
        )
        for kind, outcome in FLOWS.items()
    ]
    return pl.concat(rows), problems, pl.concat(others)


LAYOUTS = (
    Layout(
        "A&E attendances by trust and month",
        frozenset({"nhstrust22code", "totalattendances", "attendancesover4hours", "date"}),
        ("four_hour_wait",),
        _emergency,
    ),
    Layout(
        "joiners and leavers by organisation and staff group",
        frozenset({"period", "type", "reportingorgcode", "staffgroup1name", "hc"}),
        ("leavers", "joiners"),
        _turnover,
    ),
)
