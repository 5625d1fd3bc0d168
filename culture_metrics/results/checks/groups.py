"""The table as a whole: periods missing in a run, benchmark groups of few organisations."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import known_surveys
from culture_metrics.contract import ALL
from culture_metrics.problems import Problem, counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: Benchmark groups with fewer organisations give an average of few.
FEW_ORGANISATIONS = 5


def missing_periods(figures: pl.DataFrame) -> Iterator[Problem]:
    """Report periods missing in a run, for all or for some organisations."""
    for name in figures["survey"].unique().sort():
        table = figures.filter(pl.col("survey") == name)
        periods = table["period"].unique().sort().to_list()
        known = known_surveys([name])
        gaps = run_gaps(periods, known[name].quarters if known else ("Q1", "Q2", "Q3", "Q4"))
        if gaps:
            yield Problem(
                "warning",
                "a missing period",
                f"nothing for {listed(gaps)}",
                f"every period from {periods[0]} to {periods[-1]}",
                "Read the file of the missing period, or do not draw a line across it.",
                column="period",
            )
        own = (
            table.filter(pl.col("organisation") != ALL)
            .group_by("organisation")
            .agg(pl.col("period").unique())
        )
        broken = [
            code
            for code, seen in own.sort("organisation").iter_rows()
            if any(min(seen) < p < max(seen) and p not in seen for p in periods)
        ]
        if broken:
            yield Problem(
                "note",
                "organisations with a gap",
                f"{counted(len(broken), 'organisation')} with a period missing in between: {listed(broken)}",
                "every period from an organisation's first to its last",
                "Do not draw a line across the gap.",
                column="period",
            )


def run_gaps(periods: Sequence[str], quarters: Sequence[str]) -> list[str]:
    """Return the periods missing between the first and the last, of the quarters that the survey has.

    Examples
    --------
    >>> pulse = ["Q1", "Q2", "Q4"]
    >>> run_gaps(["2021", "2022", "2024"], pulse), run_gaps(["2022-Q2", "2022-Q4", "2023-Q2"], pulse)
    (['2023'], ['2023-Q1'])
    """
    if len(periods) < 2 or not all(re.fullmatch(r"20\d\d(-Q\d)?", p) for p in periods):
        return []
    endings = [f"-{quarter}" for quarter in quarters] if any("-Q" in p for p in periods) else [""]
    years = range(int(periods[0][:4]), int(periods[-1][:4]) + 1)
    run = [f"{year}{ending}" for year in years for ending in endings]
    return [p for p in run if periods[0] < p < periods[-1] and p not in periods]


def small_groups(organisations: pl.DataFrame) -> Iterator[Problem]:
    """Report benchmark groups of few organisations."""
    groups = (
        organisations.drop_nulls("benchmark_group")
        .group_by("period", "benchmark_group")
        .agg(pl.col("organisation").n_unique().alias("n"))
        .filter(pl.col("n") < FEW_ORGANISATIONS)
        .sort("period", "n", "benchmark_group")
    )
    if groups.height:
        rows = groups.select("period", "benchmark_group", "n").iter_rows()
        names = listed(f"{name} ({n}, {period})" for period, name, n in rows)
        yield Problem(
            "note",
            "small benchmark groups",
            f"{counted(groups.height, 'benchmark group')} with fewer than {FEW_ORGANISATIONS} organisations: "
            f"{names}",
            f"at least {FEW_ORGANISATIONS} organisations",
            "Read their best, median and worst with care: each organisation counts for much.",
            column="benchmark_group",
            rows=int(groups["n"].sum()),
        )
