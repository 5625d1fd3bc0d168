"""The years of a trend: which compare with the last one, each against the first, and the rank by year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.comparable import why_not
from culture_metrics.compare.difference import EXACT, add_differences
from culture_metrics.compare.pairs import CELL
from culture_metrics.compare.prepare import paired, prepare
from culture_metrics.compare.same_questions import absent_in
from culture_metrics.contract import ALL
from culture_metrics.results.precision import NORMAL, wilson_percent
from culture_metrics.wording.columns import year

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.compare.assumptions import Assumptions
    from culture_metrics.compare.pairs import Material

#: What is tested of a figure, and what is told of it.
TESTED = ["estimate", "n", "sd", "se", "df"]
FIGURE = [*TESTED, "base", "conf_low", "conf_high"]
POINT = [
    "organisation", "breakdown", "group", "measure", "label", "unit", "direction", "order", "source",
    "period", "year", "estimate", "variance", "df", "conf_low", "conf_high", "base", "comparable", "reason",
    "difference", "difference_low", "difference_high", "p_value",
]  # fmt: skip


def comparable_points(
    stuff: Material, measures: Sequence[str] | None, organisation: str | None, assumptions: Assumptions
) -> pl.DataFrame:
    """Return one row per series and period with `POINT`; `comparable` says that it compares with the last."""
    periods = stuff.frame["period"].unique().sort().to_list()
    last = periods[-1]
    absent = absent_in(stuff.frame)
    said = [*CELL, "label", "unit", "direction", "order", "span"]
    earlier, latest = [], []
    for period in periods[:-1]:
        step = _against(stuff, period, last, measures, organisation, assumptions, absent)
        earlier.append(step.select(*said, period=pl.lit(period), **_figure("from"), reason="why_not"))
        free = pl.lit(None, pl.String)
        latest.append(step.select(*said, period=pl.lit(last), **_figure("to"), reason=free))
    # A year in between may lack the figure: the last year is taken from any comparison that has its spread.
    own = pl.concat(latest).sort("n", nulls_last=True, maintain_order=True)
    own = own.unique(CELL, keep="first", maintain_order=True)
    rows = pl.concat([*earlier, own]).filter(pl.col("estimate").is_not_null())
    rows = rows.sort("order", "period", maintain_order=True)
    share = pl.col("estimate") / 100
    # The variance of a share is taken a little away from 0 and 1, or a full house would weigh without end.
    nudged = (share * pl.col("n") + 1) / (pl.col("n") + 2)
    percent = pl.col("unit").cast(pl.String) == "percent"
    variance = (
        pl.when(percent)
        .then(1e4 * nudged * (1 - nudged) / (pl.col("n") + 2))
        # Exact where everybody answered.
        .otherwise(pl.max_horizontal(pl.col("se") ** 2, pl.when(pl.col("df").is_infinite()).then(EXACT**2)))
    )
    rows = rows.with_columns(
        year=year(), variance=variance,
        comparable=pl.col("reason").is_null() & ((variance > 0) & (pl.col("df") > 0)).fill_null(value=False),
    )  # fmt: skip
    return _against_first(rows).with_columns(_ends(catalogue(stuff.survey).score_range)).select(POINT)


def _figure(end: str) -> dict[str, str]:
    """Return the columns of one end of a comparison by the names of a figure."""
    return {name: f"{name}_{end}" for name in FIGURE}


def _ends(score_range: tuple[float, float]) -> list[pl.Expr]:
    """Expressions: the interval of a figure as its results have it; of published ones Wilson's, or t."""
    wilson = wilson_percent(pl.col("estimate"), pl.col("n"))
    percent = pl.col("unit").cast(pl.String) == "percent"
    reach = NORMAL * pl.col("se")
    ends = []
    for name, sign, share in zip(("conf_low", "conf_high"), (-1, 1), wilson, strict=True):
        score = (pl.col("estimate") + sign * reach).clip(*score_range)
        ends.append(pl.coalesce(name, pl.when(percent).then(share).otherwise(score)).alias(name))
    return ends


def _against(
    stuff: Material,
    period: str,
    last: str,
    measures: Sequence[str] | None,
    organisation: str | None,
    assumptions: Assumptions,
    absent: pl.DataFrame,
) -> pl.DataFrame:
    """Set a period beside the last one: what is comparable, and with which spread."""
    survey = catalogue(stuff.survey)
    marked = paired(stuff, survey, (period, last), organisation, measures, absent)
    # Spread is known wherever there is a figure; whether it compares is another question.
    known = prepare(marked, survey, assumptions, survey.material, given=survey.material, allow_breaks=True)
    return known.with_columns(why_not(survey, insisted=False).alias("why_not"))


def _against_first(rows: pl.DataFrame) -> pl.DataFrame:
    """Test every comparable year against the first of its series; rows are in order of period."""
    numbered = rows.with_row_index("row")
    # By the number of the row: four columns of text are slow to look up.
    own = pl.col("row").first().over(CELL).alias("first")
    later = numbered.filter("comparable").with_columns(own).filter(pl.col("row") != pl.col("first"))
    first = rows.select(pl.col(TESTED).gather(later["first"]).name.suffix("_from"))
    tests = add_differences(
        later.select("row", "unit", "span", pl.col(TESTED).name.suffix("_to"))
        .hstack(first)
        .with_columns(covariance=pl.lit(0.0), allowance=pl.lit(0.0), material=pl.lit(1.0))
    )
    found = tests.select(
        "row", "difference", "p_value", difference_low="conf_low", difference_high="conf_high"
    )
    return numbered.join(found, on="row", how="left", maintain_order="left").drop("row")


def standing_by_year(stuff: Material) -> pl.DataFrame | None:
    """Return rank and percentile in the benchmark group for every organisation and year, if groups are known.

    The group is that of the newest workbook, whatever year. Rank 1 is best, ties share the better rank; the
    percentile is the share of the others that do worse.
    """
    if stuff.organisations.is_empty():
        return None
    edition = catalogue(stuff.survey).edition(str(stuff.frame["period"].max()))
    sides = {k: m.direction for k, m in edition.measures.items() if m.direction != "neutral"}
    whole = (
        (pl.col("breakdown") == ALL) & pl.col("estimate").is_not_null() & pl.col("measure").is_in(list(sides))
    )
    side = pl.col("measure").replace_strict(sides, default="higher")
    good = pl.when(side == "lower").then(-pl.col("estimate")).otherwise("estimate")
    group = ["period", "measure", "benchmark_group"]
    n = pl.len().over(group)
    ranked = (
        stuff.frame.filter(whole)
        .join(stuff.organisations, on="organisation")
        .with_columns(good.alias("good"))
        .with_columns(
            n.cast(pl.UInt32).alias("organisations"),
            pl.col("good").rank("min", descending=True).over(group).cast(pl.UInt32).alias("rank"),
            pl.when(n > 1)
            .then(100 * (pl.col("good").rank("average").over(group) - 1) / (n - 1))
            .alias("percentile"),
        )
    )
    return ranked.select(
        "period", "organisation", "breakdown", "group", "measure", "organisations", "rank", "percentile"
    )
