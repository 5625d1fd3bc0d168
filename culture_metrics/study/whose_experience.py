"""Whose experience differs: the gaps beyond chance, widest beside those of the benchmark group first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.gaps import foremost
from culture_metrics.errors import ResultsError, UnknownNameError
from culture_metrics.study.equality import REFUSED
from culture_metrics.wording.numbers import in_sentence, several, signed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from culture_metrics.compare.gaps import EqualityGaps
    from culture_metrics.study.study import Study

#: Pairs of groups, and gaps that moved over the years, that are told.
PAIRS, MOVED = 3, 2
NOT_KNOWN = (
    "Not known from these files: they have no results by group of staff. A respondent file or a benchmark "
    "workbook, with its columns of the equality standards, has them."
)


def whose_experience(study: Study) -> Iterator[str]:
    """Say of which groups experience is worse beyond chance, and what became of the gaps."""
    try:
        gaps = study.equality_gaps()
    except (ResultsError, UnknownNameError) as error:
        yield f"{REFUSED}." if error.what == REFUSED else NOT_KNOWN
        return
    known = gaps.table.filter(pl.col("period") <= study.year)["period"]
    # Of the year of the study, or the last one before it that has groups; else of what there is.
    last = known.max() if known.len() else gaps.table["period"].min()
    rows = gaps.table.filter(period=last).drop_nulls("gap")
    worse = rows.filter(verdict="worse")
    if rows.is_empty():
        older = gaps.table.filter(pl.col("period") < last).drop_nulls("gap")["period"].to_list()
        if not older:
            yield "No gap between two groups of staff may be shown."
        else:
            yield (
                f"Of {last!s} no gap between two groups of staff may be shown; those of "
                f"{max(older)} are in the chapter on equality."
            )
        return
    if worse.is_empty():
        yield f"Of {several(rows.height, 'gap')} between groups of staff none is worse beyond chance."
    yield from _pairs(rows)
    if last == gaps.table["period"].max():
        yield from _moved(gaps)


def _pairs(rows: pl.DataFrame) -> Iterator[str]:
    """Tell each pair of groups once, with the gap that goes furthest beyond that of the benchmark group."""
    first = foremost(rows)
    for row in first.head(PAIRS).iter_rows(named=True):
        shown = rows.filter(breakdown=row["breakdown"], group=row["group"]).height
        yield (
            f"{row['group']}, against {row['reference']}: worse beyond chance in {row['many']} of "
            f"{several(shown, 'comparison')}, furthest in {_gap(row)}."
        )
    if (more := first.height - PAIRS) > 0:
        yield f"{several(more, 'more group')}: worse beyond chance in one comparison or more."


def _gap(row: Mapping[str, Any]) -> str:
    unit = str(row["unit"])
    points = " points" if unit == "percent" else ""
    known = "" if row["indicator"] is None else f" ({row['indicator']})"
    ends = [row["conf_low"], row["conf_high"]]
    reach = "" if None in ends else f", 95% interval {' to '.join(signed(end, unit) for end in ends)}"
    said = f"{in_sentence(row['label'])}{known}: {signed(row['gap'], unit)}{points}{reach}"
    if row["benchmark_gap"] is None:
        return said
    return f"{said}; in {row['benchmark']} {signed(row['benchmark_gap'], unit)}"


def _moved(gaps: EqualityGaps) -> Iterator[str]:
    """Say which gaps widened or narrowed over the years beyond chance."""
    if gaps.table["period"].n_unique() < 2:
        return
    found = gaps.over_years().filter(pl.col("verdict").is_in(["widened", "narrowed"]))
    told = found.sort(pl.col("indicator").is_null(), "p_value").head(MOVED)
    for row in told.iter_rows(named=True):
        unit = str(row["unit"])
        points = " points" if unit == "percent" else ""
        yield (
            f"Since {row['period_from']} the gap of {row['group']} in {in_sentence(row['label'])} "
            f"{row['verdict']} beyond chance, from {signed(row['gap_from'], unit)} to "
            f"{signed(row['gap_to'], unit)}{points}."
        )
