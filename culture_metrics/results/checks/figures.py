"""Figures one by one: out of range, fractions, there twice, unknown, the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue, known_surveys, surveys
from culture_metrics.contract import ALL
from culture_metrics.problems import Problem, counted, listed
from culture_metrics.results.checks.common import EXACT, full_key, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

RESPONSE_RATE = "response_rate"
#: Fewer organisations than this may well have the same figure.
SEVERAL = 5
LOOK_UP = "Look them up in the source."


def ranges(figures: pl.DataFrame) -> Iterator[Problem]:
    """Report figures that no percentage, rate or score can have, and fractions."""
    percent = figures.filter(pl.col("unit") == "percent")
    fractions = _fractions(percent)
    if fractions:
        yield problem(
            percent.filter(pl.col("measure").is_in(fractions)),
            "error",
            "fractions taken for percentages",
            "estimate",
            (
                f"{counted(len(fractions), 'measure')} with no figure above 1: {listed(fractions)}",
                "percentages from 0 to 100",
                "Multiply by 100; benchmark workbooks hold fractions.",
            ),
        )
    rate, score = pl.col("measure") == RESPONSE_RATE, pl.col("unit") == "score"
    kinds = (
        (~score & ~rate, (0, 100), "percentages outside 0 to 100", "percentages from 0 to 100"),
        (
            ~score & rate,
            (0, 100),
            "response rates outside 0 to 100%",
            "at most as many respondents as eligible staff",
        ),
        *(
            (score & (pl.col("survey") == s.id), s.score_range, f"scores outside {s.range_words}",
             f"scores from {s.range_words}")
            for s in known_surveys(figures["survey"].unique().sort()).values()
        ),
    )  # fmt: skip
    for where, (low, top), rule, expected in kinds:
        rows = figures.filter(where & ~pl.col("estimate").is_between(low - EXACT, top + EXACT))
        if rows.height:
            words = ("figures that cannot be", expected, LOOK_UP)
            yield problem(rows, "error", rule, "estimate", words)


def _fractions(percent: pl.DataFrame) -> list[str]:
    """Measures that are fractions: most of the table lies between 0 and 1, or one of them goes up to 1.

    A rare answer can be below 1% everywhere, so a small figure alone proves nothing.
    """
    each = percent.group_by("measure").agg(
        pl.col("estimate").max().alias("top"), pl.col("estimate").n_unique().alias("different")
    )
    low = each.filter(pl.col("top").is_between(0, 1, closed="right"))
    if low.height * 2 > each.height:
        return low["measure"].sort().to_list()
    return low.filter(pl.col("top") > 0.3, pl.col("different") >= 3)["measure"].sort().to_list()


def twice(table: pl.DataFrame, *own: str) -> Iterator[Problem]:
    """Report figures that stand twice."""
    again = table.filter(~pl.struct(full_key(table, *own)).is_first_distinct())
    if again.height:
        words = ("further rows for the same figure", "each figure once", "Find out which one counts.")
        yield problem(again, "error", "figures that stand twice", own[0], words)


def unknown_measures(figures: pl.DataFrame) -> Iterator[Problem]:
    """Report measures that no edition of the survey has."""
    for name in figures["survey"].unique().sort():
        if name not in surveys():
            continue
        known = {measure for edition in catalogue(name) for measure in edition.measures} | {RESPONSE_RATE}
        rows = figures.filter(pl.col("survey") == name, ~pl.col("measure").is_in(known))
        if rows.height:
            measures = listed(rows["measure"].unique().sort())
            words = (measures, "measures of the catalogue", "Give them the ids of the catalogue.")
            yield problem(rows, "warning", "unknown measures", "measure", words)


def constant(figures: pl.DataFrame) -> Iterator[Problem]:
    """Report measures that have one and the same figure in all organisations."""
    whole = figures.filter(pl.col("organisation") != ALL, pl.col("breakdown") == ALL, pl.col("estimate") != 0)
    each = whole.group_by("period", "measure").agg(
        pl.col("organisation").n_unique().alias("n"), pl.col("estimate").n_unique().alias("different")
    )
    same = each.filter(pl.col("n") >= SEVERAL, pl.col("different") == 1)
    if same.height:
        yield Problem(
            "warning",
            "one figure for all organisations",
            f"{counted(same.height, 'measure')}: {listed(same['measure'].unique().sort())}",
            "figures that differ",
            "Look whether a national figure stands in the rows of the organisations.",
            column="estimate",
            rows=int(same["n"].sum()),
        )
