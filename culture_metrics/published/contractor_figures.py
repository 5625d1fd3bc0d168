"""From rows of a contractor's export to Results and Distributions that may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import ALL, as_distributions, as_results
from culture_metrics.disclosure.suppression import suppress
from culture_metrics.published.match import normalise
from culture_metrics.published.official import groups_of, layout, printed_breakdown
from culture_metrics.published.sheets import HIDDEN, NUMBER, listed_rows
from culture_metrics.published.usual import much_nearer, small_scores, usual_percentages
from data_schemas.columns import DISTRIBUTIONS, RESULTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition

SURVEY = "nss_england"
MISSING = 99
#: How far the options of a question may be from 100 % together, and how many percentages prove fractions.
_TOLERANCE, _SEVERAL = 1.0, 5
UNKNOWN = "no question or score of its year"
NO_HEADLINE = "questions without a headline percentage"
TURNED = "the favourable answer is counted where the headline is the unfavourable one"


def _named(rows: pl.DataFrame, editions: Mapping[str, Edition]) -> pl.DataFrame:
    """Add the breakdown that the catalogue knows under the name of the file, else that name itself."""
    names = []
    everyone = layout("contractor").whole
    groups = rows.group_by("year", "dimension", maintain_order=True).agg(
        pl.col("group").drop_nulls().unique()
    )
    for year, dimension, there in groups.rows():
        ours = (
            ALL if dimension.strip().casefold() in everyone else _breakdown(editions[year], dimension, there)
        )
        names.append((year, dimension, ours))
    schema = dict.fromkeys(["year", "dimension", "breakdown"], pl.String)
    found = rows.join(pl.DataFrame(names, schema=schema, orient="row"), on=["year", "dimension"])
    whole = pl.col("breakdown") == ALL
    return found.with_columns(
        group=pl.when(whole).then(pl.lit(ALL)).otherwise(pl.col("group").fill_null("(blank)"))
    )


def _breakdown(edition: Edition, dimension: str, groups: Sequence[str]) -> str:
    """Return the breakdown of the catalogue that has this name; of several the one that has all the groups.

    'Occupation group' is the label of one breakdown and the official name of another: the groups decide.
    """
    folded, printed = normalise(dimension), printed_breakdown(edition, dimension)
    named = {
        b.id: b
        for b in edition.breakdowns.values()
        if folded in map(normalise, (b.id, b.label, *b.names)) or (printed and printed.id == b.id)
    }
    if len(named) > 1:
        there = set(map(normalise, groups))
        known = {name: groups_of(b, edition, printed.groups if printed else {}) for name, b in named.items()}
        named = {name: b for name, b in named.items() if there <= set(known[name])}
    return next(iter(named)) if len(named) == 1 else dimension


def in_percent(
    tables: Sequence[pl.DataFrame], editions: Mapping[str, Edition], told: list[str]
) -> list[pl.DataFrame]:
    """Turn fractions into percentages where every percentage of the export is at most 1, and say so."""
    if not tables:
        return []
    rows = pl.concat(tables)
    scores = {code for edition in editions.values() for code in edition.codes if _is_score(edition, code)}
    percent = ~pl.col("code").is_in(sorted(scores))
    shares = rows.filter(percent, pl.col("value") > 0)
    top = shares["value"].max()
    if shares["code"].n_unique() < _SEVERAL or not isinstance(top, float) or top > 1:
        return [*tables]
    told.append(f"{shares.height:,} fractions, none above 1, were taken as percentages divided by 100.")
    return [
        t.with_columns(value=pl.when(percent).then(pl.col("value") * 100).otherwise("value")) for t in tables
    ]


def _is_score(edition: Edition, code: str) -> bool:
    return edition.codes[code] in edition.scores


def _about(rows: pl.DataFrame, who: str, measure: str) -> pl.DataFrame:
    """Add what all rows have in common, and the status of the cell they are part of.

    A cell is a group's figure, or the percentages of all options of a question: what is hidden in it by the
    file, or too small, or would give another away, hides all of it.
    """
    minimum = catalogue(SURVEY).minimum_base
    marked = (pl.col("value_state") == HIDDEN) | (pl.col("base_state") == HIDDEN)
    reported = (pl.col("value_state") == NUMBER) & pl.col("base").is_not_null()
    rows = rows.with_columns(
        survey=pl.lit(SURVEY),
        period=pl.col("year"),
        organisation=pl.lit(who),
        weighting=pl.lit("none"),
        source=pl.lit("published"),
    )
    key = ["survey", "period", "organisation", "breakdown", "group", measure, "unit", "weighting", "source"]
    cells = rows.group_by(key, maintain_order=True).agg(
        # A hidden group has at least one respondent, whether or not the file says how many.
        base=pl.max_horizontal(pl.col("base").max(), marked.any().cast(pl.Float64)),
        estimate=pl.col("value").first() if measure == "measure" else pl.lit(None, pl.Float64),
        status=pl.when(marked.any())
        .then(pl.lit("suppressed_small_base"))
        .when((reported | (pl.col("base") < minimum)).any())
        .then(pl.lit("reported"))
        .otherwise(pl.lit("not_asked")),
    )
    told = suppress(cells.rename({measure: "measure"}), minimum).rename({"measure": measure})
    rows = rows.join(told.select(*key, "status"), on=key, maintain_order="left")
    shown = (pl.col("status") == "reported") & reported
    return rows.with_columns(
        value=pl.when(shown).then("value"),
        base=pl.when(shown).then("base"),
        status=pl.when((pl.col("status") != "reported") | shown)
        .then("status")
        .otherwise(pl.lit("not_asked")),
    )


def _twice(rows: pl.DataFrame, what: Sequence[str], problems: list[str]) -> None:
    twice = rows.filter(pl.struct("year", "breakdown", "group", *what).is_duplicated())
    for at, found in twice.group_by("at", maintain_order=True).agg(pl.col("row")).rows():
        problems.append(f"{at}: the same figure more than once: {listed_rows(found)}")


def contractor_results(
    tables: Sequence[pl.DataFrame],
    editions: Mapping[str, Edition],
    who: str,
    left_out: dict[str, list[str]],
    problems: list[str],
) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Return Results, and the measures of which less is better."""
    if not tables:
        return as_results(pl.DataFrame(schema=RESULTS)), ()
    rows = _named(pl.concat(tables), editions)
    measures = []
    for year, code in rows.select("year", "code").unique().rows():
        edition = editions[year]
        found = edition.measures.get(edition.codes.get(code, ""))
        if found is None:
            left_out.setdefault(NO_HEADLINE if code in edition.codes else UNKNOWN, []).append(code)
        else:
            measures.append((year, code, found.id, found.unit, found.direction))
    schema = dict.fromkeys(["year", "code", "measure", "unit", "direction"], pl.String)
    rows = rows.join(pl.DataFrame(measures, schema=schema, orient="row"), on=["year", "code"])
    _twice(rows, ["measure"], problems)
    high = rows.filter((pl.col("unit") == "score") & (pl.col("value") > 10))["row"]
    if high.len():
        problems.append(
            f"scores above 10 where elements, themes and sub-scores go from 0 to 10: {listed_rows(high)}"
        )
    for code, mean in small_scores(
        rows.filter(pl.col("unit") == "score").select("value", column="code")
    ).rows():
        problems.append(f"scores with a mean of {mean:.2g} where they go from 0 to 10: {code}")
    percent = rows.filter(pl.col("unit") == "percent")
    means = _means(percent, editions).filter(pl.col("mean") <= 1)
    small = means.filter(much_nearer(100 * pl.col("mean"), pl.col("mean")))["code"].unique().sort()
    problems += [f"fractions where this layout has 0 to 100: {', '.join(small)}"] if small.len() else []
    if problems:
        return as_results(pl.DataFrame(schema=RESULTS)), ()
    turned = _turned(rows, editions)
    if turned.height:
        left_out[TURNED] = turned["code"].to_list()
        rows = rows.join(turned, on=["year", "code"], how="anti")
    lower = tuple(rows.filter(pl.col("direction") == "lower")["measure"].unique().sort())
    rows = _about(rows, who, "measure").rename({"value": "estimate"})
    return as_results(rows.select([c for c in RESULTS if c in rows.columns])), lower


def _turned(rows: pl.DataFrame, editions: Mapping[str, Edition]) -> pl.DataFrame:
    """Return year and code of questions whose Score plainly counts the answers that the headline does not.

    The percentage of all groups together is compared with the rounded national share of the headline and with
    the rest of it; about half proves nothing.
    """
    found = _means(rows.filter(pl.col("direction") == "lower"), editions)
    read = pl.col("mean")
    return found.filter(much_nearer(100 - read, read)).select("year", "code").sort("year", "code")


def _means(rows: pl.DataFrame, editions: Mapping[str, Edition]) -> pl.DataFrame:
    """Return the percentage of all groups together beside the usual one, by year and code."""
    usual = [usual_percentages(edition).with_columns(year=pl.lit(year)) for year, edition in editions.items()]
    return (
        rows.drop_nulls(["value", "base"])
        .join(pl.concat(usual), on=["year", "measure"])
        .group_by("year", "code", "usual")
        .agg(mean=(pl.col("value") * pl.col("base")).sum() / pl.col("base").sum())
    )


def contractor_distributions(
    tables: Sequence[pl.DataFrame],
    editions: Mapping[str, Edition],
    who: str,
    left_out: dict[str, list[str]],
    problems: list[str],
) -> tuple[pl.DataFrame, int]:
    """Return Distributions of those who answered, and from how many bases missing answers were taken."""
    empty = as_distributions(pl.DataFrame(schema=DISTRIBUTIONS))
    if not tables:
        return empty, 0
    rows = _named(pl.concat(tables), editions)
    known = []
    for year, code in rows.select("year", "code").unique().rows():
        question = editions[year].columns.get(code)
        if question is None or question.kind == "multi":
            left_out.setdefault(UNKNOWN, []).append(code)
        else:
            known += [
                (year, code, question.id, float(option)) for option in (*question.scale.labels, MISSING)
            ]
    schema = {"year": pl.String, "code": pl.String, "question": pl.String, "option": pl.Float64}
    options = pl.DataFrame(known, schema=schema, orient="row")
    rows = rows.join(options.select("year", "code").unique(), on=["year", "code"], how="semi")
    rows = rows.join(options, on=["year", "code", "option"], how="left")
    strange = rows.filter(pl.col("question").is_null())
    for code, found in strange.group_by("code", maintain_order=True).agg(pl.col("row")).rows():
        problems.append(f"an OptionCode that {code} does not have: {listed_rows(found)}")
    rows = rows.filter(pl.col("question").is_not_null())
    _twice(rows, ["question", "option"], problems)
    cell = ["year", "breakdown", "group", "question"]
    missing = pl.col("option") == MISSING
    whole = pl.col("value").sum().over(cell)
    complete = (pl.col("value_state") == NUMBER).all().over(cell)
    answered = pl.col("value").filter(~missing).sum().over(cell)
    rows = rows.with_columns(
        # Missing answers are part of the 100 % in some exports; where they are not, nothing is to be done.
        share=pl.when((whole - 100).abs() <= _TOLERANCE).then(answered / 100).otherwise(1.0),
        sums=pl.when((whole - 100).abs() <= _TOLERANCE).then(100.0).otherwise(answered),
        complete=complete,
    )
    off = rows.filter("complete", (pl.col("sums") - 100).abs() > _TOLERANCE)
    for at, found in off.group_by("at", maintain_order=True).agg(pl.col("row")).rows():
        problems.append(f"{at}: options of a question that do not add up to 100 %: {listed_rows(found)}")
    if problems:
        return empty, 0
    has_missing = (pl.col("value").filter(missing).sum().over(cell) > 0) & ((whole - 100).abs() <= _TOLERANCE)
    rows = rows.with_columns(rescaled=has_missing).with_columns(
        value=pl.when("rescaled").then(pl.col("value") / pl.col("share")).otherwise("value"),
        base=pl.when("rescaled").then((pl.col("base") * pl.col("share")).round()).otherwise("base"),
    )
    count = rows.filter("rescaled").select(cell).n_unique()
    rows = rows.filter(~missing).with_columns(unit=pl.lit("percent"))
    rows = _about(rows, who, "question").rename({"value": "percent"})
    return as_distributions(rows.select([c for c in DISTRIBUTIONS if c in rows.columns])), count
