"""Check tables of figures against themselves, each other and the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from culture_metrics.errors import ResultsError
from culture_metrics.output import Output, table_of, verb
from culture_metrics.problems import Problem, counted, listed, problem_table
from culture_metrics.results.checks.bases import group_bases, headline_bases, nothing, one_base
from culture_metrics.results.checks.common import KEY
from culture_metrics.results.checks.figures import (
    FRACTIONS,
    constant,
    intervals,
    other_scales,
    possible,
    ranges,
    twice,
    units,
    unknown_measures,
)
from culture_metrics.results.checks.groups import missing_periods, small_groups
from culture_metrics.results.checks.relations import headlines, parts
from culture_metrics.results.checks.sums import sums

NEEDED = {
    "results": [*KEY, "measure", "unit", "estimate", "base"],
    "distributions": [*KEY, "question", "option", "percent", "base"],
    "organisations": ["period", "organisation", "benchmark_group"],
}


@dataclass(frozen=True, repr=False, eq=False)
class ResultsChecked(Output):
    """What cannot be right in tables of figures.

    Attributes
    ----------
    table : polars.DataFrame
        One row per problem; see `validate_results`.
    """

    table: pl.DataFrame

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong: warnings and notes may stand."""
        return not (self.table["severity"] == "error").any()

    def summary(self) -> str:
        """Say in plain sentences how many problems there are, and the first of them."""
        if self.table.is_empty():
            return "Nothing was found that cannot be right."
        first = listed(self.table["rule"], 3)
        return f"{counted(self.table.height, 'kind')} of problem: {first}."

    def __repr__(self) -> str:
        return f"ResultsChecked({self.summary()} See .table)"

    def _repr_html_(self) -> str:
        from culture_metrics.wording.table import Table

        return Table.of(self.table, self.summary())._repr_html_()


@verb
def validate_results(
    results: Output | pl.DataFrame | None = None,
    distributions: Output | pl.DataFrame | None = None,
    organisations: pl.DataFrame | None = None,
) -> ResultsChecked:
    """Check tables of figures for what cannot be right, whether or not they keep the contract of Results.

    Parameters
    ----------
    results, distributions, organisations : Results, Distributions or polars.DataFrame, optional
        Tables with the columns of Results, Distributions and Organisations, as far as they are needed. Rows
        without a figure (suppressed, not asked) are left aside. A measure named `response_rate` is the
        percentage of eligible staff who responded.

    Returns
    -------
    ResultsChecked
        `.ok`, and `.table` with one row per problem: `severity`, `rule`, `column`, `rows`, `examples`
        (organisation and period),
        `found`, `expected`, `done` (what to do). Nothing is changed in the tables.

    Raises
    ------
    ResultsError
        When a table lacks a column.

    Notes
    -----
    Besides ranges, units and figures that stand twice: a headline and its base follow from the distribution
    of its question; an element or theme is the mean of its parts, but for people who lack one; groups are
    parts of the whole; an interval holds its figure; one organisation has no other scale than the rest. What
    rounding explains, by the decimals of the figures, is no fault.

    Examples
    --------
    >>> figures = {"survey": "nss_england", "period": "2024", "organisation": "RXX", "breakdown": "all",
    ...            "group": "all", "measure": "recommend_place_to_work", "unit": "percent",
    ...            "estimate": 161.0, "base": 300}
    >>> validate_results(pl.DataFrame([figures])).table["rule"].to_list()
    ['percentages outside 0 to 100']
    """
    problems: list[Problem] = []
    if results is not None:
        figures = _table(results, "results").filter(pl.col("estimate").is_not_null())
        problems += [*ranges(figures), *twice(figures, "measure"), *group_bases(figures, "measure")]
        problems += [*nothing(figures), *unknown_measures(figures), *constant(figures)]
        sound = possible(figures)
        problems += [*units(figures), *intervals(sound, "estimate"), *parts(sound)]
        if not any(p.rule == FRACTIONS for p in problems):
            problems += other_scales(figures)
        problems += missing_periods(figures)
    if distributions is not None:
        answers = _table(distributions, "distributions").filter(pl.col("percent").is_not_null())
        problems += [*sums(answers), *twice(answers, "question", "option"), *one_base(answers)]
        problems += [*group_bases(answers, "question"), *nothing(answers), *intervals(answers, "percent")]
    if results is not None and distributions is not None:
        problems += [*headline_bases(figures, answers), *headlines(sound, answers)]
    if organisations is not None:
        problems += small_groups(_table(organisations, "organisations"))
    return ResultsChecked(problem_table(problems))


def _table(given: Output | pl.DataFrame, name: str) -> pl.DataFrame:
    frame = table_of(given, "validate_results", name)
    missing = [c for c in NEEDED[name] if c not in frame.columns]
    if missing:
        raise ResultsError(
            f"The table of {name} lacks columns",
            expected=listed(NEEDED[name], 12),
            got=f"no {listed(missing)}",
            hint="Give the table as the library returned it.",
        )
    texts = [c for c in (*KEY, "measure", "unit", "question", "benchmark_group") if c in frame.columns]
    numbers = [c for c in ("estimate", "percent", "base") if c in frame.columns]
    return frame.with_columns(pl.col(texts).cast(pl.String), pl.col(numbers).cast(pl.Float64).fill_nan(None))


__all__ = ["validate_results"]
