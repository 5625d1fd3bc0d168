"""The figures that stand for a framework: every indicator of every year, or why there is none."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.comparable import WHY_NOT, why_not
from culture_metrics.compare.pairs import check_one_weighting
from culture_metrics.compare.prepare import paired
from culture_metrics.compare.same_questions import absent_in
from culture_metrics.compare.sampling import with_sampling_error
from culture_metrics.compare.standing import counted
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError
from data_schemas.columns import RESULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.catalogue import Edition, Survey
    from culture_metrics.catalogue.frameworks import Definition
    from culture_metrics.compare.assumptions import Assumptions
    from culture_metrics.compare.pairs import Material

CELL = ["period", "breakdown", "group", "measure"]
COLUMNS = [
    "survey", "organisation", "period", "family", "dimension", "coverage", "measure", "code", "label", "unit",
    "direction", "breakdown", "group", "estimate", "conf_low", "conf_high", "interval", "base", "median",
    "organisations", "weighting", "source", "status", "reason", "comparable", "why_not_comparable", "why",
]  # fmt: skip
#: Said in the column `interval` of one that rests on assumptions.
ASSUMED = "assumed"


def lines(
    definition: Definition, stuff: Material, organisation: str, assumptions: Assumptions
) -> pl.DataFrame:
    """Return one row for each indicator, group and period of a framework, with `COLUMNS`.

    A dimension without indicators has one row for each period, of which everything else is null.
    """
    survey = catalogue(stuff.survey)
    own = _own(stuff, organisation)
    periods = own["period"].unique().sort().to_list()
    exact = with_sampling_error(own.select(*RESULTS, "release"), survey, assumptions).with_columns(
        interval=pl.when(pl.col("interval").is_null() & pl.col("conf_low").is_not_null())
        .then(pl.lit(ASSUMED))
        .otherwise(pl.col("interval").cast(pl.String)),
        weighting=pl.col("weighting").cast(pl.String),
        status=pl.col("status").cast(pl.String),
        source=pl.col("source").cast(pl.String),
    )
    grid = (
        _wanted(definition)
        .join(pl.DataFrame({"period": periods}), how="cross", maintain_order="left_right")
        .join(
            _known(definition, survey, periods), on=["measure", "period"], how="left", maintain_order="left"
        )
        .join(
            exact.drop("survey", "organisation", "unit"),
            on=["period", "breakdown", "measure"],
            how="left",
            maintain_order="left",
        )
        .join(_apart(stuff, own, survey, periods), on=CELL, how="left", maintain_order="left")
        .join(_beside(stuff, own, survey), on=[*CELL, "weighting"], how="left", maintain_order="left")
    )
    both = pl.col("estimate").is_not_null() & (
        pl.col("estimate").filter(pl.col("period") == periods[-1]).is_not_null().any()
    ).over("place", "group")
    earlier = both & (pl.col("period") != periods[-1])
    return (
        grid.with_columns(
            survey=pl.lit(stuff.survey),
            organisation=pl.lit(organisation),
            reason=_reason(survey, stuff.words, periods[-1]),
            status=pl.coalesce(
                "status",
                pl.when(~pl.col("asked")).then(pl.lit("not_asked")),
                pl.when(pl.col("measure").is_not_null()).then(pl.lit("not_in_results")),
            ),
            comparable=pl.when(earlier).then(pl.col("apart").is_null()),
            why_not_comparable=pl.when(earlier).then("apart"),
        )
        .sort("place", "period", maintain_order=True)
        .select(COLUMNS)
    )


def _own(stuff: Material, organisation: str) -> pl.DataFrame:
    """Return the figures of one organisation: of respondents where there are both those and published ones.

    Raises
    ------
    ResultsError
        When a figure stands there in more than one weighting.
    """
    rows = stuff.frame.filter(organisation=organisation)
    check_one_weighting(rows, [*CELL, "source"], f"framework of {organisation}")
    first = pl.col("source").cast(pl.String) != "respondents"
    return rows.sort(first, maintain_order=True).unique(CELL, keep="first", maintain_order=True)


def _wanted(definition: Definition) -> pl.DataFrame:
    rows = [
        (d.family, d.label, d.coverage, one and one.measure, (one and one.by) or ALL, one and one.why)
        for d in definition.dimensions
        for one in d.indicators or (None,)
    ]
    schema = ["family", "dimension", "coverage", "measure", "breakdown", "why"]
    typed = dict.fromkeys(schema, pl.String)
    return pl.DataFrame(rows, schema=typed, orient="row").with_row_index("place")


def _known(definition: Definition, survey: Survey, periods: list[str]) -> pl.DataFrame:
    """Return code, label, unit and direction of every measure in every period, and whether it was asked.

    A measure that a period lacks is named as in the newest edition that has it; of periods without an
    edition nobody can say what was asked.
    """
    measures = {one.measure for d in definition.dimensions for one in d.indicators}
    newest = {name: m for edition in survey for name, m in edition.measures.items() if name in measures}
    rows = []
    for period in periods:
        edition = edition_of(survey, period)
        for name in sorted(measures):
            asked = edition is None or name in edition.measures
            m = edition.measures.get(name, newest[name]) if edition else newest[name]
            rows.append((name, period, m.code, m.label, m.unit, m.direction, asked))
    schema = ["measure", "period", "code", "label", "unit", "direction"]
    types = {**dict.fromkeys(schema, pl.String), "asked": pl.Boolean}
    return pl.DataFrame(rows, schema=types, orient="row")


def edition_of(survey: Survey, period: str) -> Edition | None:
    """Return the edition of a period, or None where the catalogue has none."""
    return survey.edition(period) if period in survey.periods or survey.open_ended else None


def _apart(stuff: Material, own: pl.DataFrame, survey: Survey, periods: list[str]) -> pl.DataFrame:
    """Say why a figure of an earlier period does not compare with the last one, where it does not."""
    mine, absent = replace(stuff, frame=own), absent_in(own)
    found = [pl.DataFrame(schema={**dict.fromkeys(CELL, pl.String), "apart": pl.String})]
    for period in periods[:-1]:
        try:
            pairs = paired(mine, survey, (period, periods[-1]), None, None, absent)
        except ComparabilityError:  # no measure stands in both
            continue
        told = pairs.select(
            pl.lit(period).alias("period"), *CELL[1:], why_not(survey, insisted=False).alias("apart")
        )
        # One row per cell: a cell in two sources has one for each.
        found.append(told.sort("apart", nulls_last=False).unique(CELL, keep="first"))
    return pl.concat(found)


def _beside(stuff: Material, own: pl.DataFrame, survey: Survey) -> pl.DataFrame:
    """Return median and number of organisations of the benchmark group, by cell and weighting."""
    listed = stuff.organisations
    group = listed.filter(organisation=str(own["organisation"][0]))["benchmark_group"]
    name = group.item() if len(group) else None
    peers = listed.filter(pl.col("benchmark_group") == pl.lit(name, pl.String)).select("organisation")
    rows = stuff.frame.filter(pl.col("source").cast(pl.String) == "published").join(
        peers, on="organisation", how="semi"
    )
    return (
        counted(rows, survey.written_minimum)
        .group_by(*CELL, pl.col("weighting").cast(pl.String))
        .agg(pl.col("estimate").median().alias("median"), pl.len().cast(pl.UInt32).alias("organisations"))
    )


def _reason(survey: Survey, words: Mapping[str, str], last: str) -> pl.Expr:
    """Expression: why a figure is not there, or null."""
    newest = edition_of(survey, last) or survey.newest
    called = {name: newest.breakdown_label(name, words) for name in newest.breakdowns}
    label = pl.col("breakdown").replace_strict(called, default=None, return_dtype=pl.String)
    why = pl.col("status").replace_strict(WHY_NOT, default=None, return_dtype=pl.String)
    return (
        pl.when(pl.col("estimate").is_not_null() | pl.col("measure").is_null())
        .then(None)
        .when(~pl.col("asked"))
        .then(pl.format("Not asked in {}.", "period"))
        .when(pl.col("status").is_not_null())
        .then(pl.format("Not shown: {}.", why.fill_null("no figure")))
        .when(pl.col("breakdown") != ALL)
        .then(pl.format("The results have no groups by {}.", label.fill_null(pl.col("breakdown"))))
        .otherwise(pl.format("Not in the results of {}.", "period"))
    )
