"""Figures of groups to set beside each other: of respondents, of results, of benchmark workbooks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.equality_standards import equality_of
from culture_metrics.compare.pairs import as_read
from culture_metrics.contract import ALL, as_results
from culture_metrics.errors import ResultsError, kind_of
from culture_metrics.extracts.extract import Extract, of_each
from culture_metrics.indicators.breakdowns import available_breakdowns, breakdown_id, group_columns
from culture_metrics.indicators.estimate import estimate
from culture_metrics.indicators.percentages import headline_shares
from culture_metrics.indicators.values import estimate_values
from culture_metrics.output import Output, table_of
from culture_metrics.published import Published
from culture_metrics.results import Results
from culture_metrics.results.precision import wilson_percent
from culture_metrics.results.spelling import with_ids
from data_schemas.columns import RESULTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.compare.equality_standards import Equality, Indicator

#: What gaps are taken of.
Source = Extract | Results | Published | pl.DataFrame | pl.LazyFrame
_CELL = ["organisation", "breakdown", "group"]


def parts_of(given: Source | Iterable[Source]) -> list[Source]:
    """Return what was given, one by one.

    Raises
    ------
    ResultsError
        When it is nothing, or no extract, results or published results.
    """
    one = isinstance(given, Extract | Output | pl.DataFrame | pl.LazyFrame) or not isinstance(given, Iterable)
    parts: list[object] = [given] if one or isinstance(given, str) else [*given]  # type: ignore[misc]
    parts = [p.collect() if isinstance(p, pl.LazyFrame) else p for p in parts]
    wrong = [p for p in parts if not isinstance(p, Extract | Results | Published | pl.DataFrame)]
    if wrong or not parts:
        raise ResultsError(
            "Gaps are taken of extracts, results or published results",
            where="equality_gaps",
            got=kind_of(wrong[0]) if wrong else "nothing",
            expected="one of them, or a list",
            hint="Read a file first: cm.read_extract, cm.read_published; or give cm.estimate(…).",
        )
    return parts  # type: ignore[return-value]


def survey_of(part: Source, verb: str = "equality_gaps") -> str | None:
    """Return the survey that a part is of; None where it has no rows."""
    if isinstance(part, Extract | Published):
        return part.survey
    found = table_of(part, verb)
    return str(found["survey"][0]) if found.height and "survey" in found.columns else None


def figures_of(part: Source, by: Sequence[str] | None, minimum_base: int | None) -> pl.DataFrame:
    """Return the figures of whole organisations' groups as Results, measures made of others among them.

    `by` are the breakdowns wanted; those of the survey's equality file when left out.
    """
    if isinstance(part, Extract):
        return _with_made(part, by, _estimated(part, by, minimum_base), minimum_base)
    if isinstance(part, Published):
        table = part.results.table.filter(pl.col("breakdown") != ALL)
        return pl.concat([table, beside(part)])
    table = as_read(part, "equality_gaps")
    if isinstance(part, Results):
        table = with_ids(table, part.names)
    return table.filter(pl.col("breakdown") != ALL)


def figures_of_each(
    parts: Sequence[Source], by: Sequence[str] | None, minimum_base: int | None
) -> list[pl.DataFrame]:
    """Return the figures of several parts: extracts are estimated in threads, as each takes a decision.

    What is made of them is not: there is one memory for all tables of respondents, which may bear the same
    ids in two years.
    """
    extracts = [part for part in parts if isinstance(part, Extract)]
    found = iter(of_each(extracts, lambda extract: _estimated(extract, by, minimum_base)))
    return [
        _with_made(part, by, next(found), minimum_base)
        if isinstance(part, Extract)
        else figures_of(part, by, minimum_base)
        for part in parts
    ]


def _wanted(extract: Extract, by: Sequence[str] | None) -> list[str]:
    if by is not None:
        return [breakdown_id(extract, b) for b in by]
    here = available_breakdowns(extract)
    return [b for b in equality_of(extract.survey).breakdowns if b in here]


def _estimated(extract: Extract, by: Sequence[str] | None, minimum_base: int | None) -> pl.DataFrame:
    wanted = _wanted(extract, by)
    if not wanted:
        return pl.DataFrame(schema=RESULTS)
    return estimate(extract, by=wanted, minimum_base=minimum_base).table


def _with_made(
    extract: Extract, by: Sequence[str] | None, found: pl.DataFrame, minimum_base: int | None
) -> pl.DataFrame:
    """Return the figures of groups, measures made of others among them."""
    wanted, said = _wanted(extract, by), equality_of(extract.survey)
    made = [_made(extract, one, wanted, found, minimum_base) for one in said.made.values() if wanted]
    return pl.concat([found, *made]).filter(pl.col("breakdown") != ALL)


def _made(
    extract: Extract,
    indicator: Indicator,
    by: Sequence[str],
    found: pl.DataFrame,
    minimum_base: int | None,
) -> pl.DataFrame:
    """Estimate a measure that counts at least one of others; hidden wherever one of these is hidden."""
    shares = {s.name: s for s in headline_shares(extract.edition, extract.frame.columns)}
    parts = [shares[name] for name in indicator.any_of if name in shares]
    if len(parts) < len(indicator.any_of):
        return pl.DataFrame(schema=RESULTS)
    counted = pl.any_horizontal(s.answer.is_in(s.counted) for s in parts)
    answered = pl.any_horizontal(s.answer.is_in(s.base) for s in parts)
    frame = extract.frame.select(
        "organisation",
        *(c for c in ("respondent",) if c in extract.frame.columns),
        pl.when(answered).then(pl.when(counted).then(100.0).otherwise(0.0)).alias(indicator.measure),
        *(group.cast(pl.String).alias(name) for name, group in group_columns(extract, by).items()),
    )
    own = estimate_values(
        frame,
        [indicator.measure],
        by,
        minimum_base=minimum_base,
        survey=extract.survey,
        period=extract.period,
    ).table
    shown = (
        found.filter(pl.col("measure").is_in(indicator.any_of))
        .group_by(_CELL)
        .agg(parts=(pl.col("status").cast(pl.String) == "reported").all())
    )
    both = pl.col("parts").fill_null(value=False) & (pl.col("status").cast(pl.String) == "reported")
    low, high = wilson_percent(pl.col("estimate"), pl.col("base").cast(pl.Float64))
    return as_results(
        own.join(shown, on=_CELL, how="left")
        .with_columns(both=both, conf_low=low, conf_high=high)
        .with_columns(
            *(pl.when("both").then(pl.col(c)).alias(c) for c in _NUMBERS),
            status=pl.when("both").then(pl.lit("reported")).otherwise(pl.lit("suppressed")),
            survey=pl.lit(extract.survey),
            period=pl.lit(extract.period),
            unit=pl.lit("percent"),
            interval=pl.when("both").then(pl.lit("wilson")),
            weighting=pl.lit("none"),
            source=pl.lit("respondents"),
        )
    )


_NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base"]


def beside(published: Published) -> pl.DataFrame:
    """Return the columns of a benchmark workbook that are of two groups of a standard, as Results.

    They are unweighted, whatever the rest of the workbook is. A figure whose base is below what the survey's
    published files show is held back.
    """
    table = published.provenance.get("beside")
    if not isinstance(table, pl.DataFrame) or table.is_empty():
        return pl.DataFrame(schema=RESULTS)
    said, edition = equality_of(published.survey), published.edition
    named = [(c, *found) for c in table["column"].unique() if (found := _column(c, said, published))]
    columns = pl.DataFrame(
        named,
        schema={"column": pl.String, "measure": pl.String, "breakdown": pl.String, "group": pl.String},
        orient="row",
    )
    scores = pl.col("measure").is_in([*edition.scores])
    few = pl.col("base") < edition.survey.written_minimum
    shown = pl.when(~few.fill_null(value=False))
    low, high = wilson_percent(pl.col("estimate"), pl.col("base").cast(pl.Float64))
    error = 100 * (pl.col("estimate") / 100 * (1 - pl.col("estimate") / 100) / (pl.col("base") - 1)).sqrt()
    rows = (
        table.join(columns, on="column")
        .with_columns(
            unit=pl.when(scores).then(pl.lit("score")).otherwise(pl.lit("percent")),
            estimate=shown.then(pl.when(scores).then("value").otherwise(100 * pl.col("value"))),
            base=shown.then(pl.col("base").round()),
            period=pl.col("period").fill_null(published.period),
            status=shown.then(pl.lit("reported")).otherwise(pl.lit("suppressed_small_base")),
        )
        .with_columns(
            *(
                pl.when(pl.col("unit") == "percent").then(e).alias(name)
                for name, e in (("std_error", error), ("conf_low", low), ("conf_high", high))
            ),
            survey=pl.lit(published.survey),
            effective_base="base",
            weighting=pl.lit("none"),
            source=pl.lit("published"),
        )
    )
    percent = (pl.col("unit") == "percent") & pl.col("conf_low").is_not_null()
    rows = rows.with_columns(interval=pl.when(percent).then(pl.lit("wilson")))
    # Not checked as Results: a column of a workbook may have no base beside it.
    return rows.select(pl.col(name).cast(kind) for name, kind in RESULTS.items())


def _column(name: str, said: Equality, published: Published) -> tuple[str, str, str] | None:
    """Return measure, breakdown and group of a column, None where it is of no standard."""
    for standard in said.standards:
        found = re.fullmatch(rf"(\w+?)_{standard.marker}_(\d+)(?:_20\d\d)?", name.strip().casefold())
        if found is None or int(found[2]) not in standard.codes:
            continue
        ids = {i.measure for i in standard.indicators}
        stems = {stem: i.measure for i in standard.indicators for stem in i.stems}
        measure = stems.get(found[1]) or published.edition.codes.get(found[1])
        if measure in ids:
            return str(measure), standard.breakdown, standard.codes[int(found[2])]
    return None
