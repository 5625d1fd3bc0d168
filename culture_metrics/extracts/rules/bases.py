"""Numbers of people: small organisations and groups, more respondents than staff, weights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError, UnknownNameError, unknown
from culture_metrics.extracts.read import ROW
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.problems import Problem, counted, examples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WEIGHT = re.compile(r"(^|_)(weight|wgt|wt)(_|$)", re.I)
#: Benchmark groups with fewer organisations give an average of few.
FEW_ORGANISATIONS = 5


def small_bases(
    organisations: Mapping[str, int], labels: Mapping[str, Mapping[str, int]], minimum: int
) -> Iterator[Problem]:
    """Report organisations and groups with fewer respondents than the minimum base.

    How many respondents they have is not said, nor how many groups they are: with one small group that would
    be its hidden base, and which of those hidden together are small is nobody's business.
    """
    small = [n for n in organisations.values() if n < minimum]
    if small:
        yield Problem(
            "note",
            "organisations below the minimum base",
            f"{len(small):,} of {counted(len(organisations), 'organisation')} with fewer than {minimum} "
            "respondents",
            f"at least {minimum}",
            "Kept; results for them are not shown.",
            column="organisation",
        )
    for column, groups in labels.items():
        few = [n for n in groups.values() if n < minimum]
        if few:
            yield Problem(
                "note",
                "groups below the minimum base",
                f"among {counted(len(groups), 'group')} some with fewer than {minimum} respondents",
                f"at least {minimum}",
                "Kept; results for them are not shown.",
                column=column,
            )


def small_benchmark_groups(frame: pl.DataFrame) -> Iterator[Problem]:
    """Report benchmark groups of few organisations, in files of several organisations."""
    if "benchmark_group" not in frame.columns:
        return
    groups = (
        frame.select("organisation", "benchmark_group")
        .unique()
        .drop_nulls()
        .group_by("benchmark_group")
        .len()
    )
    few = groups.filter(pl.col("len") < FEW_ORGANISATIONS)
    if groups["len"].sum() > FEW_ORGANISATIONS and few.height:
        yield Problem(
            "note",
            "small benchmark groups",
            f"{few.height} of {counted(groups.height, 'benchmark group')} with fewer than "
            f"{FEW_ORGANISATIONS} organisations",
            f"at least {FEW_ORGANISATIONS}",
            "Kept; the average of so few organisations depends on each of them.",
            column="benchmark_group",
        )


def above_eligible(
    organisations: Mapping[str, int], eligible: Mapping[str, int], minimum: int
) -> Iterator[Problem]:
    """Report organisations with more respondents than eligible staff."""
    above = {code: n for code, n in organisations.items() if code in eligible and n > eligible[code]}
    if above:
        yield Problem(
            "error",
            "more respondents than eligible staff",
            f"a response rate above 100% in {named(above, minimum, noun='organisation')}",
            "at most as many respondents as eligible staff",
            "Kept. Look for rows that stand twice, other years in the file, or a wrong number of staff.",
            column="organisation",
        )
    without = {code: n for code, n in organisations.items() if code not in eligible}
    if eligible and without:
        yield Problem(
            "note",
            "no number of eligible staff",
            f"none given for {named(without, minimum, noun='organisation')}",
            "eligible={'RXX': 4000} for every organisation",
            "No response rate could be checked for them.",
            column="organisation",
        )


def weights(frame: pl.DataFrame) -> Iterator[Problem]:
    """Report weights that are negative, zero or missing."""
    columns = [c for c in frame.columns if WEIGHT.search(c) and frame[c].dtype.is_numeric()]
    for column in columns:
        weight = pl.col(column).cast(pl.Float64).fill_nan(None)
        kinds = (
            ("error", "weights of zero or less", weight <= 0, "weights above 0"),
            ("warning", "missing weights", weight.is_null(), "a weight in every row"),
        )
        for severity, rule, where, expected in kinds:
            rows = frame.filter(where)[ROW]
            if rows.len():
                yield Problem(
                    severity,
                    rule,
                    "rows whose weight cannot be used",
                    expected,
                    "Kept; estimates do not use these weights. Ask the contractor what went wrong.",
                    column=column,
                    rows=rows.len(),
                    examples=examples(rows),
                )


def check_eligible(eligible: Mapping[str, int], organisations: Sequence[str]) -> None:
    """See to it that numbers of eligible staff are those of organisations in the extract.

    Raises
    ------
    UnknownNameError
        When an organisation is not in the extract: its number would check nothing.
    ExtractError
        When a number is none of people.
    """
    for code, staff in eligible.items():
        if code not in organisations:
            error = unknown("organisation", code, organisations, where="eligible=")
            raise UnknownNameError(
                f"The extract has no organisation '{code}'",
                where="eligible=",
                expected="organisation codes as in the extract: {'RXX': 4000}",
                hint=f"{error.hint} Numbers of groups (directorates) are not checked: leave them out.",
            )
        number = isinstance(staff, int | float) and not isinstance(staff, bool)
        if not number or not (staff > 0 and staff % 1 == 0):
            raise ExtractError(
                f"The number of eligible staff of {code} is no number of people",
                where="eligible=",
                expected="a whole number above 0",
                got=str(staff),
            )
