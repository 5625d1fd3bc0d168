"""Check tables of published figures: percentages, distributions, bases, response rates, missing years."""

from __future__ import annotations

import polars as pl

from culture_metrics.errors import ResultsError
from culture_metrics.problems import Problem, listed, problem_table
from culture_metrics.results_checks.bases import group_bases, headline_bases, nothing, one_base
from culture_metrics.results_checks.common import KEY
from culture_metrics.results_checks.figures import constant, ranges, twice, unknown_measures
from culture_metrics.results_checks.groups import missing_periods, small_groups
from culture_metrics.results_checks.sums import sums

NEEDED = {
    "results": [*KEY, "measure", "unit", "estimate", "base"],
    "distributions": [*KEY, "question", "option", "percent", "base"],
    "organisations": ["period", "organisation", "benchmark_group"],
}


def validate_results(
    results: pl.DataFrame | None = None,
    distributions: pl.DataFrame | None = None,
    organisations: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Check tables of figures for what cannot be right, whether or not they keep the contract of Results.

    Parameters
    ----------
    results, distributions, organisations : polars.DataFrame, optional
        Tables with the columns of Results, Distributions and Organisations, as far as they are needed. Rows
        without a figure (suppressed, not asked) are left aside. A measure named `response_rate` is the
        percentage of eligible staff who responded.

    Returns
    -------
    polars.DataFrame
        One row per problem: `severity`, `rule`, `column`, `rows`, `examples` (organisation and period),
        `found`, `expected`, `done` (what to do). Nothing is changed in the tables.

    Raises
    ------
    ResultsError
        When a table lacks a column.

    Examples
    --------
    >>> figures = {"survey": "nss_england", "period": "2024", "organisation": "RXX", "breakdown": "all",
    ...            "group": "all", "measure": "recommend_place_to_work", "unit": "percent",
    ...            "estimate": 161.0, "base": 300}
    >>> validate_results(pl.DataFrame([figures]))["rule"].to_list()
    ['percentages outside 0 to 100']
    """
    problems: list[Problem] = []
    if results is not None:
        figures = _table(results, "results").filter(pl.col("estimate").is_not_null())
        problems += [*ranges(figures), *twice(figures, "measure"), *group_bases(figures, "measure")]
        problems += [*nothing(figures), *unknown_measures(figures), *constant(figures)]
        problems += missing_periods(figures)
    if distributions is not None:
        answers = _table(distributions, "distributions").filter(pl.col("percent").is_not_null())
        problems += [*sums(answers), *twice(answers, "question", "option"), *one_base(answers)]
        problems += [*group_bases(answers, "question"), *nothing(answers)]
    if results is not None and distributions is not None:
        problems += headline_bases(figures, answers)
    if organisations is not None:
        problems += small_groups(_table(organisations, "organisations"))
    return problem_table(problems)


def _table(frame: pl.DataFrame, name: str) -> pl.DataFrame:
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
