"""Figures one by one: out of range, fractions, there twice, unknown, the same everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue, known_surveys, surveys
from culture_metrics.contract import ALL
from culture_metrics.problems import Problem, counted, listed
from culture_metrics.results.checks.common import EXACT, decimal_unit, full_key, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

RESPONSE_RATE, FRACTIONS = "response_rate", "fractions taken for percentages"
#: Fewer organisations than this may well have the same figure.
SEVERAL = 5
LOOK_UP = "Look them up in the source."
#: Above this a figure usually is no fraction; this share of them makes a table of fractions.
USUAL = {"percent": 20.0, "score": 3.0}
MOST = 0.5


def ranges(figures: pl.DataFrame) -> Iterator[Problem]:
    """Report figures that no percentage, rate or score can have, and fractions."""
    percent = figures.filter(pl.col("unit") == "percent")
    fractions = _fractions(percent)
    if fractions:
        yield problem(
            percent.filter(pl.col("measure").is_in(fractions)),
            "error",
            FRACTIONS,
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


def possible(figures: pl.DataFrame) -> pl.DataFrame:
    """Return the figures that can be: what the others contradict as well is no news."""
    ends = {s.id: s.score_range for s in known_surveys(figures["survey"].unique()).values()}
    bounds = pl.DataFrame(
        [(name, "score", *ends[name]) for name in ends] + [(name, "percent", 0.0, 100.0) for name in ends],
        schema={"survey": pl.String, "unit": pl.String, "_low": pl.Float64, "_high": pl.Float64},
        orient="row",
    )
    within = pl.col("estimate").is_between(pl.col("_low") - EXACT, pl.col("_high") + EXACT)
    found = figures.join(bounds, on=["survey", "unit"], how="left", maintain_order="left")
    return found.filter(within.fill_null(value=True)).drop("_low", "_high")


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


def intervals(table: pl.DataFrame, figure: str) -> Iterator[Problem]:
    """Report intervals whose ends are reversed or that leave out their own figure."""
    if not {"conf_low", "conf_high"} <= set(table.columns):
        return
    low, high, value = pl.col("conf_low"), pl.col("conf_high"), pl.col(figure)
    turned = table.filter(low > high + EXACT)
    if turned.height:
        words = ("intervals whose lower end is above the upper", "a lower and an upper end", LOOK_UP)
        yield problem(turned, "error", "intervals with their ends reversed", "conf_low", words)
    # A figure may be printed with fewer decimals than its ends.
    near = decimal_unit(figure) / 2 + EXACT
    out = table.filter(low <= high + EXACT, (value < low - near) | (value > high + near))
    if out.height:
        words = ("intervals that do not hold their own figure", "ends on both sides of the figure", LOOK_UP)
        yield problem(out, "error", "intervals beside their figure", "conf_low", words)


def units(figures: pl.DataFrame) -> Iterator[Problem]:
    """Report measures in another unit than the catalogue has them in."""
    known = pl.DataFrame(
        [
            (name, edition.period, measure.id, measure.unit)
            for name in figures["survey"].unique().sort()
            if name in surveys()
            for edition in catalogue(name)
            for measure in edition.measures.values()
        ],
        schema=dict.fromkeys(["survey", "period", "measure", "known"], pl.String),
        orient="row",
    )
    rows = figures.join(known, on=["survey", "period", "measure"]).filter(pl.col("unit") != pl.col("known"))
    if rows.height:
        words = (
            f"percentages said to be scores, or scores said to be percentages: "
            f"{listed(rows['measure'].unique().sort())}",
            "the units of the catalogue",
            LOOK_UP,
        )
        yield problem(rows, "error", "units that do not fit", "unit", words)


def other_scales(figures: pl.DataFrame) -> Iterator[Problem]:
    """Report organisations and breakdowns most of whose figures are a hundredth, or a tenth, of all others.

    Only measures count that are usually well above such figures.
    """
    key = ["survey", "period", "organisation", "breakdown"]
    usual = pl.col("estimate").median().over("survey", "measure", "unit")
    told = figures.filter(pl.col("unit").is_in(list(USUAL))).with_columns(usual=usual)
    told = told.filter(pl.col("usual") > pl.col("unit").replace_strict(USUAL, return_dtype=pl.Float64))
    low = pl.col("estimate").is_between(0, 1, closed="right")
    rows = told.filter((low.mean().over(*key, "unit") > MOST) & low)
    if rows.height:
        words = (
            "figures from 0 to 1 where others have percentages, or scores, well above",
            "one scale for all organisations",
            "Multiply by 100 (percentages), or by the top of the scale; look what the file says of them.",
        )
        yield problem(rows, "error", "figures on another scale", "estimate", words)
