"""Read a contractor's breakdown export: a row a question and group, or a row a response option and group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.disclosure import suppress
from culture_metrics.errors import FileFormatError, UnknownNameError
from culture_metrics.extracts.delimited import SEPARATORS
from culture_metrics.extracts.files import KINDS, file_hash
from culture_metrics.published.published import Published
from culture_metrics.published.refusal import refusal
from culture_metrics.published.rows import ALL_STAFF
from culture_metrics.published.sheets import (
    BLANK,
    HIDDEN,
    NUMBER,
    OTHER,
    find_header,
    key,
    listed_rows,
    load_cells,
    number,
    state,
    with_numbers,
)
from culture_metrics.published.usual import much_nearer, usual_percentages
from culture_metrics.results import ALL, as_distributions, as_organisations, as_results
from data_schemas.columns import DISTRIBUTIONS, RESULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from culture_metrics.catalogue import Edition
    from culture_metrics.published.layout import Row

SURVEY = "nss_england"
IDS = ("year", "questionnumber", "dimname", "dimvalue", "basesize")
SCORE, OPTION = "score", "optioncode"
PERCENT = ("%", "percent", "percentage", "%responses", "score")
#: What the name of the breakdown may be in the rows of the whole organisation.
WHOLE = [*ALL_STAFF, "organisation", "trust", "organisation overall"]
MISSING = 99
_PEEK = 1 << 13
_DECIMAL_COMMA = r"^\s*(\d+),(\d+)\s*$"
#: How far the options of a question may be from 100 % together, and how many percentages prove fractions.
_TOLERANCE, _SEVERAL = 1.0, 5
UNKNOWN = "no question or score of its year"
NO_HEADLINE = "questions without a headline percentage"
TURNED = "the favourable answer is counted where the headline is the unfavourable one"
SIDES = (
    "Score is taken as the file has it. For these questions less is better, and some exports count the "
    "favourable answer instead: compare one of them with the option file or the official results before use."
)


def find_contractor(heads: Mapping[str, Sequence[Row]]) -> dict[str, int]:
    """Return the header row of every sheet that a contractor's export has, by sheet."""
    found = {
        name: next(
            (i for last in (SCORE, OPTION) if (i := find_header(rows, [*IDS, last])) is not None), None
        )
        for name, rows in heads.items()
    }
    return {name: row for name, row in found.items() if row is not None}


def is_contractor_text(path: Path) -> bool:
    """Say whether a CSV file is a contractor's export, by its first line."""
    if KINDS.get(path.suffix.lower()) != "csv" or not path.is_file():
        return False
    with path.open("rb") as file:
        start = file.read(_PEEK)
    encoding = "utf-16" if start[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"
    line = start.decode(encoding, errors="replace").split("\n", 1)[0]
    return any(bool(find_contractor({"": [tuple(line.split(mark))]})) for mark in SEPARATORS)


def read_contractor(
    path: Path, heads: Mapping[str, Sequence[Row]] | None, organisation: str | None
) -> Published:
    """Read a contractor's export, a text file where `heads` is None; see `read_published`."""
    if organisation is None or not organisation.strip():
        raise FileFormatError(
            "A contractor's export does not say which organisation it is about",
            where=path.name,
            expected="its ODS code",
            hint="Give it: read_published(path, organisation='RXX').",
        )
    problems: list[str] = []
    scores: list[pl.DataFrame] = []
    options: list[pl.DataFrame] = []
    for at, cells in _tables(path, heads):
        table = _tidy(cells, at, problems)
        (options if OPTION in cells.columns else scores).append(table)
    if problems:
        raise refusal(path.name, problems)
    who = organisation.strip()
    rows = pl.concat([*scores, *options])
    editions = _editions(rows, path.name)
    left_out: dict[str, list[str]] = {}
    results, one_sided = _results(scores, editions, who, left_out, problems)
    distributions, rescaled = _distributions(options, editions, who, left_out, problems)
    if problems:
        raise refusal(path.name, problems)
    if results.is_empty() and distributions.is_empty():
        raise FileFormatError(
            "No row of the export is about a question or score of the survey",
            where=path.name,
            got=", ".join(rows["code"].unique().sort().head(8)),
            hint="The column QuestionNumber should hold codes such as Q25c or PP1.",
        )
    known = {name for edition in editions.values() for name in edition.breakdowns}
    breakdowns = {*results["breakdown"], *distributions["breakdown"]} - {ALL}
    period = max(editions)
    hidden = pl.col("status").cast(pl.String).str.starts_with("suppressed")
    return Published(
        survey=SURVEY,
        period=period,
        results=results,
        distributions=distributions,
        organisations=as_organisations(
            pl.DataFrame({"organisation": [who], "survey": [SURVEY], "period": [period]})
        ),
        provenance={
            "file": path.name,
            "sha256": file_hash(path),
            "layout": "contractor",
            "release": period,
            "periods": tuple(sorted(editions)),
            "suppressed_cells": results.filter(hidden).height + distributions.filter(hidden).height,
            "left_out": {why: tuple(sorted(set(codes))) for why, codes in left_out.items()},
            "unknown_breakdowns": tuple(sorted(breakdowns - known)),
            "sides": {SIDES: one_sided} if one_sided else {},
            "missing_taken_out": rescaled,
        },
    )


def _read_text(path: Path) -> pl.DataFrame:
    """Read a CSV file as text, in UTF-8, UTF-16 or the Windows code page."""
    data = path.read_bytes()
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    separator = max(SEPARATORS, key=text.split("\n", 1)[0].count)
    try:
        return pl.read_csv(text.encode(), separator=separator, infer_schema=False)
    except pl.exceptions.PolarsError:
        raise FileFormatError(
            "The export cannot be read as a table",
            where=path.name,
            expected="a header row and the same number of cells in each row",
            hint="Open it, check for stray separators or quotation marks, and save it as CSV UTF-8.",
        ) from None


def _tables(path: Path, heads: Mapping[str, Sequence[Row]] | None) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield every table with its columns by header, as text and as numbers."""
    if heads is None:
        frame = _read_text(path)
        headers = [key(name) for name in frame.columns]
        if len(set(headers)) < len(headers):
            raise FileFormatError(
                "The export has a column more than once",
                where=path.name,
                got=", ".join(sorted({h for h in headers if headers.count(h) > 1})),
                hint="Keep one of them.",
            )
        frame.columns = headers
        frame = frame.with_columns(pl.all().str.replace(_DECIMAL_COMMA, "$1.$2"))
        rows = pl.int_range(2, 2 + frame.height, eager=True)
        yield "the file", with_numbers(frame).with_columns(row=rows)
        return
    for sheet, header_row in find_contractor(heads).items():
        header = {key(cell): i for i, cell in reversed(list(enumerate(heads[sheet][header_row]))) if cell}
        cells = load_cells(path, sheet, header_row)
        yield (
            f"sheet '{sheet}'",
            cells.select(
                "row",
                *(pl.col(str(i)).alias(name) for name, i in header.items()),
                *(number(i).alias(f"{name}#") for name, i in header.items()),
            ),
        )


def _tidy(cells: pl.DataFrame, at: str, problems: list[str]) -> pl.DataFrame:
    """Return the rows under our names, and report cells that cannot be right."""
    by_option = OPTION in cells.columns
    value = next((name for name in PERCENT if name in cells.columns), None)
    if value is None:
        value = next((n for n in cells.columns if n.startswith("%") and not n.endswith("#")), None)
    if value is None:
        problems.append(f"{at} has no column of percentages beside 'OptionCode' (such as '%')")
        value = "basesize"
    rows = cells.select(
        "row",
        code=pl.col("questionnumber").str.to_lowercase().str.strip_chars_end("."),
        year=number("year"),
        dimension=pl.col("dimname"),
        group=pl.col("dimvalue"),
        base=number("basesize"),
        base_state=state("basesize"),
        value=number(value),
        value_state=state(value),
        option=number(OPTION) if by_option else pl.lit(None, pl.Float64),
        at=pl.lit(at),
    ).filter(pl.any_horizontal(pl.exclude("row", "at", "base_state", "value_state").is_not_null()))
    shown = pl.col("value_state") == NUMBER
    tests = {
        "no Year such as 2024": pl.col("year").is_null() | ~pl.col("year").is_between(2000, 2100),
        "no QuestionNumber": pl.col("code").is_null(),
        "no DimName": pl.col("dimension").is_null(),
        "a BaseSize that is no number of responses": (pl.col("base_state") == OTHER)
        | (pl.col("base") < 0)
        | (pl.col("base") != pl.col("base").floor()),
        "a figure without its BaseSize": shown & (pl.col("base_state") == BLANK),
        "cells that are neither a figure from 0 to 100 nor '-' nor blank": (pl.col("value_state") == OTHER)
        | ~pl.col("value").is_between(0, 100 + 1e-6),
        **({"no OptionCode": pl.col("option").is_null()} if by_option else {}),
    }
    for said, test in tests.items():
        wrong = rows.filter(test)["row"]
        if wrong.len():
            problems.append(f"{at}: {said}: {listed_rows(wrong)}")
    return rows.with_columns(pl.col("year").cast(pl.Int32, strict=False).cast(pl.String))


def _editions(rows: pl.DataFrame, file: str) -> dict[str, Edition]:
    survey = catalogue(SURVEY)
    years = rows["year"].unique().sort().to_list()
    try:
        return {year: survey.edition(year) for year in years}
    except UnknownNameError as error:
        raise FileFormatError(
            "There is no catalogue of questions for a year in the export",
            where=file,
            expected=f"years from {survey.periods[0]} to {survey.periods[-1]}",
            got=", ".join(sorted(set(years) - set(survey.periods))),
            hint="Take the rows of other years out of the file.",
        ) from error


def _named(rows: pl.DataFrame, editions: Mapping[str, Edition]) -> pl.DataFrame:
    """Add the breakdown that the catalogue knows under the name of the file, else that name itself."""
    names = []
    for year, dimension in rows.select("year", "dimension").unique().rows():
        try:
            ours = editions[year].breakdown(dimension).id
        except UnknownNameError:
            ours = ALL if dimension.strip().casefold() in WHOLE else dimension
        names.append((year, dimension, ours))
    schema = dict.fromkeys(["year", "dimension", "breakdown"], pl.String)
    found = rows.join(pl.DataFrame(names, schema=schema, orient="row"), on=["year", "dimension"])
    whole = pl.col("breakdown") == ALL
    return found.with_columns(
        group=pl.when(whole).then(pl.lit(ALL)).otherwise(pl.col("group").fill_null("(blank)"))
    )


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


def _results(
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
    percent = rows.filter(pl.col("unit") == "percent")
    top = percent["value"].max()
    if percent["measure"].n_unique() >= _SEVERAL and isinstance(top, float) and 0 < top <= 1:
        problems.append(
            "no percentage above 1: fractions where this layout has 0 to 100; multiply by 100, once"
        )
    else:
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


def _distributions(
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
