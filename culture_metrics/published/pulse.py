"""Read a workbook of the National Quarterly Pulse Survey: one sheet a score, one row an organisation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import ALL, as_distributions, as_organisations, as_results
from culture_metrics.errors import FileFormatError, UnknownNameError
from culture_metrics.published.layout import letter
from culture_metrics.published.official import is_code, layout
from culture_metrics.published.published import Published
from culture_metrics.published.refusal import refusal
from culture_metrics.published.rows import DASHES
from culture_metrics.published.sheets import (
    BLANK,
    HIDDEN,
    NUMBER,
    OTHER,
    REPEATED,
    UNREAD,
    columns_of,
    count,
    find_header,
    key,
    lacking,
    listed_rows,
    load_cells,
    number,
    state,
    told_twice,
    unread_sheets,
)
from culture_metrics.published.usual import small_scores
from culture_metrics.results import Distributions, Results
from data_schemas.columns import DISTRIBUTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culture_metrics.catalogue import Edition
    from culture_metrics.files.workbooks import Workbook
    from culture_metrics.published.layout import Row

SURVEY = "national_quarterly_pulse"
ATTRIBUTES = ("organisation", "name", "benchmark_group", "region", "ics")
#: What is left out, and why.
NO_ORGANISATION = "rows that are no organisation (a total, an average, or no ODS code)"
_QUARTER = re.compile(r"\bQ(?:uarter)?\s*([1-4])[\s,]*(20\d\d)\s*[-/\u2013]\s*(?:20)?(\d\d)\b", re.IGNORECASE)


class _Sheet(NamedTuple):
    """A sheet of scores: its header, the columns by header, pairs of one header, and the scores by column."""

    name: str
    header: Row
    header_row: int
    columns: dict[str, int]
    again: tuple[tuple[int, int], ...]
    scores: dict[int, str]


def find_pulse(heads: Mapping[str, Sequence[Row]]) -> dict[str, int]:
    """Return the header row of every sheet that a pulse workbook has, by sheet."""
    known = layout("pulse")
    wanted = [key(known.columns[name][0]) for name in known.required]
    found = {name: find_header(rows, wanted) for name, rows in heads.items()}
    return {name: row for name, row in found.items() if row is not None}


def read_pulse(book: Workbook, heads: Mapping[str, Sequence[Row]]) -> Published:
    """Read a pulse workbook whose first rows are `heads`; see `read_published`."""
    period = find_quarter(heads, book.file)
    try:
        edition = catalogue(SURVEY).edition(period)
    except UnknownNameError as error:
        raise FileFormatError(
            f"There is no catalogue of questions for {period}",
            where=book.file,
            hint=f"The survey began in {catalogue(SURVEY).periods[0]}; check the quarter in the title.",
        ) from error
    problems: list[str] = []
    sheets = [_sheet(name, heads[name][row], row, edition) for name, row in find_pulse(heads).items()]
    unknown = [sheet for sheet in sheets if not sheet.scores]
    sheets = [sheet for sheet in sheets if sheet.scores]
    own = [sheet for sheet in sheets if len(sheet.scores) == 1]
    named = [name for sheet in own for name in sheet.scores.values()]
    problems += [f"more than one sheet holds '{n}'" for n in sorted(set(named)) if named.count(n) > 1]
    if not own:
        problems.append("no sheet holds one score with its own 'Total Responses' (such as sheet 'Advocacy')")
    left_out: dict[str, list[str]] = {}
    problems += _tell_unread(book, heads, sheets, unknown, left_out)
    cells = {sheet.name: _read_sheet(book, sheet, left_out, problems) for sheet in sheets}
    if problems:
        raise refusal(book.file, problems)
    figures = pl.concat([cells[sheet.name] for sheet in own])
    overview = [cells[sheet.name] for sheet in sheets if len(sheet.scores) > 1]
    results = _results(figures, period, edition.survey.minimum_base)
    return Published(
        survey=SURVEY,
        period=period,
        results=Results(results),
        distributions=Distributions(as_distributions(pl.DataFrame(schema=DISTRIBUTIONS))),
        organisations=_organisations(figures, period),
        provenance={
            "file": book.file,
            "sha256": book.sha256,
            "layout": "pulse",
            "release": period,
            "title": next((cell for rows in heads.values() for row in rows for cell in row if cell), ""),
            "sheets": tuple(sheet.name for sheet in sheets),
            "suppressed_cells": results.filter(pl.col("status") == "suppressed_small_base").height,
            "missing": tuple(m.code for name, m in edition.scores.items() if name not in named),
            "left_out": {why: tuple(named) for why, named in left_out.items()},
            "headcount": _headcount(figures, period),
            "checks": _checks(figures, overview, edition),
        },
    )


def _tell_unread(
    book: Workbook,
    heads: Mapping[str, Sequence[Row]],
    sheets: Sequence[_Sheet],
    unknown: Sequence[_Sheet],
    left_out: dict[str, list[str]],
) -> Iterator[str]:
    """Yield which sheets may say something else of what is read, and set the others aside.

    They are those that would be read but for one column, and those without a score of the survey that have
    the responses of a sheet with one.
    """
    known = layout("pulse")
    printed = {key(known.columns[name][0]): known.columns[name][0] for name in known.required}
    header = {sheet.name: sheet.header_row for sheet in (*sheets, *unknown)}
    for name, rows in heads.items():
        lacks = lacking(rows[: header.get(name)], printed)
        if len(lacks) == 1 and _has_score(rows[: header.get(name)]):
            yield f"sheet '{name}' has a table of scores without a column '{printed[lacks.pop()]}'"
    there = {sheet.name: _responses(book, sheet) for sheet in sheets} if unknown else {}
    for sheet in unknown:
        own = _responses(book, sheet)
        for name, others in there.items():
            if own & others and len(own & others) * 2 > len(own):
                yield f"sheet '{sheet.name}' has the responses of sheet '{name}' without a column of scores"
    if left := unread_sheets(heads, [sheet.name for sheet in sheets]):
        left_out[UNREAD] = left


def _has_score(rows: Sequence[Row]) -> bool:
    return any(key(cell).endswith("score") for row in rows for cell in row)


def _responses(book: Workbook, sheet: _Sheet) -> set[tuple[str, float]]:
    """Return the organisations of a sheet with their numbers of responses."""
    code, base = (sheet.columns[key(name)] for name in ("Org Code", "Total Responses"))
    cells = load_cells(book, sheet.name, sheet.header_row)
    return set(cells.select(str(code), number(base)).drop_nulls().rows())


def find_quarter(heads: Mapping[str, Sequence[Row]], file: str) -> str:
    """Return the quarter that the titles name, as `2022-Q1`: a quarter of the financial year 2022-23.

    Raises
    ------
    FileFormatError
        When they name none, several, or one that is none.
    """
    text = "\n".join(cell for rows in heads.values() for row in rows for cell in row if cell)
    found = {(quarter, year, end) for quarter, year, end in _QUARTER.findall(text)}
    wrong = sorted(f"{year}-{end}" for _, year, end in found if (int(year) + 1) % 100 != int(end))
    if len(found) == 1 and not wrong:
        quarter, year, _ = found.pop()
        return f"{year}-Q{quarter}"
    if wrong:
        got = f"years that do not follow each other: {', '.join(wrong)}"
    else:
        got = ", ".join(sorted(f"Q{q} {y}-{e}" for q, y, e in found)) or "no quarter"
    raise FileFormatError(
        "The pulse workbook does not say which one quarter it is about",
        where=file,
        expected="a title such as 'Q1 2022-23' on the sheets 'Notes' or 'Summary'",
        got=got,
        hint="Take the workbook as it was downloaded; do not change its notes.",
    )


def _sheet(name: str, header: Row, row: int, edition: Edition) -> _Sheet:
    columns, again = columns_of(header, key)
    labels = {key(label): m.id for m in edition.scores.values() for label in (m.label, m.id, m.code)}
    labels["engagement"] = "staff_engagement"
    scores = {
        i: labels[k.removesuffix("score")] for k, i in columns.items() if k.removesuffix("score") in labels
    }
    return _Sheet(name, header, row, columns, again, dict(sorted(scores.items())))


def _read_sheet(
    book: Workbook, sheet: _Sheet, left_out: dict[str, list[str]], problems: list[str]
) -> pl.DataFrame:
    """Return one row per organisation and score of a sheet; England is the organisation `all`."""
    cells = load_cells(book, sheet.name, sheet.header_row)
    known = layout("pulse")
    where = {
        n: next((sheet.columns[key(k)] for k in known.columns[n] if key(k) in sheet.columns), None)
        for n in ATTRIBUTES
    }
    base = sheet.columns["totalresponses"]
    counted = next((i for k, i in sheet.columns.items() if "headcount" in k), None)
    # The cells of the total row are shifted: "England" may stand under any of the id columns.
    figures = {base, counted, *sheet.scores}
    before = [i for i in sheet.columns.values() if i not in figures]
    rows = cells.select(
        "row",
        *(pl.lit(None, pl.String).alias(n) if i is None else _text(i).alias(n) for n, i in where.items()),
        count(base).alias("base"),
        (pl.lit(None, pl.Float64) if counted is None else count(counted)).alias("headcount"),
        *(number(i).alias(f"{i}#") for i in sheet.scores),
        *(state(i).alias(f"{i}") for i in sheet.scores),
        base_state=state(base, count),
        total=pl.any_horizontal(
            pl.col(str(i)).str.to_lowercase().is_in(sorted(known.all_organisations)) for i in before
        ),
        aside=pl.coalesce(
            pl.when(known.is_aside(pl.col(str(i)))).then(pl.col(str(i)).str.strip_chars()) for i in before
        ),
    )
    shown = pl.any_horizontal(pl.col("base_state", *map(str, sheet.scores)) != BLANK)
    rows = rows.filter(shown).with_columns(
        organisation=pl.when(pl.col("total") & pl.col("organisation").is_null())
        .then(pl.lit(ALL))
        .otherwise("organisation")
    )
    at = f"sheet '{sheet.name}'"
    again = [pair for pair in sheet.again if pair[0] in {*figures, where["organisation"]}]
    told_twice(cells, sheet.header, again, at, left_out, problems)
    rows = _once(_organisations_of(rows, at, left_out), at, left_out)
    tests = {
        "figures without an 'Org Code'": pl.col("organisation").is_null(),
        "an organisation twice, with different figures": pl.col("organisation").is_not_null()
        & pl.col("organisation").is_duplicated(),
        f"column {letter(base)} ('Total Responses') is no number of responses": (
            pl.col("base_state") == OTHER
        )
        | (pl.col("base") < 0)
        | (pl.col("base") != pl.col("base").floor()),
        **{
            f"column {letter(i)} is no score from 0 to 10": (pl.col(str(i)) == OTHER)
            | ~number(i).is_between(0, 10)
            for i in sheet.scores
        },
        **{
            f"column {letter(i)} has a score without 'Total Responses'": (pl.col(str(i)) == NUMBER)
            & (pl.col("base_state") != NUMBER)
            for i in sheet.scores
        },
    }
    for said, test in tests.items():
        wrong = rows.filter(test)["row"]
        if wrong.len():
            problems.append(f"{at}: {said}: {listed_rows(wrong)}")
    for i in sheet.scores:
        for mean in small_scores(rows.select(value=number(i), column=pl.lit(i)))["mean"]:
            problems.append(f"{at}: column {letter(i)}: scores with a mean of {mean:.2g}, not from 0 to 10")
    if rows.is_empty():
        problems.append(f"{at} has a header but no rows of results")
    ids = [*ATTRIBUTES, "base", "base_state", "headcount"]
    return pl.concat(
        rows.select(*ids, number(i).alias("value"), pl.col(str(i)).alias("state"), measure=pl.lit(name))
        for i, name in sheet.scores.items()
    )


def _organisations_of(rows: pl.DataFrame, at: str, left_out: dict[str, list[str]]) -> pl.DataFrame:
    """Leave out totals of a selection and rows whose code has not the form of one."""
    code, whole = pl.col("organisation"), pl.col("organisation") == ALL
    text = pl.coalesce("aside", pl.when(~whole & ~is_code(code)).then(code))
    told = rows.with_columns(text=text)
    for named, row in told.drop_nulls("text").select("text", "row").rows():
        left_out.setdefault(NO_ORGANISATION, []).append(f"'{named}' ({at}, row {row})")
    return told.filter(pl.col("text").is_null()).drop("text")


def _once(rows: pl.DataFrame, at: str, left_out: dict[str, list[str]]) -> pl.DataFrame:
    """Count an exact repeat of a row once."""
    once = rows.unique(pl.exclude("row"), keep="first", maintain_order=True)
    for named, row in rows.join(once, on="row", how="anti").select("organisation", "row").rows():
        left_out.setdefault(REPEATED, []).append(f"'{named}' ({at}, row {row})")
    return once


def _text(column: int) -> pl.Expr:
    text = pl.col(str(column))
    return pl.when(~text.is_in(DASHES)).then(text)


def _results(figures: pl.DataFrame, period: str, minimum: int) -> pl.DataFrame:
    """Return Results: a score is hidden where the file hides it and where its base is below the minimum."""
    hidden = (pl.col("state") == HIDDEN) | (pl.col("base_state") == HIDDEN)
    small = pl.col("base") < minimum
    shown = (pl.col("state") == NUMBER) & ~hidden & ~small.fill_null(value=True)
    return as_results(
        figures.select(
            "organisation",
            "measure",
            estimate=pl.when(shown).then("value"),
            base=pl.when(shown).then("base"),
            status=pl.when(shown)
            .then(pl.lit("reported"))
            .when(hidden | small)
            .then(pl.lit("suppressed_small_base"))
            .otherwise(pl.lit("not_asked")),
            survey=pl.lit(SURVEY),
            period=pl.lit(period),
            breakdown=pl.lit(ALL),
            group=pl.lit(ALL),
            unit=pl.lit("score"),
            weighting=pl.lit("none"),
            source=pl.lit("published"),
        )
    )


def _organisations(figures: pl.DataFrame, period: str) -> pl.DataFrame:
    first = figures.unique("organisation", keep="first", maintain_order=True)
    whole = pl.col("organisation") == ALL
    return as_organisations(
        first.select(
            "organisation",
            *(pl.when(~whole).then(name).alias(name) for name in ATTRIBUTES[1:]),
            survey=pl.lit(SURVEY),
            period=pl.lit(period),
        )
    )


def _headcount(figures: pl.DataFrame, period: str) -> pl.DataFrame:
    """Return the headcount of every organisation, as the file gives it: whom a response rate would be of."""
    first = figures.drop_nulls("headcount").unique("organisation", keep="first")
    return first.select(
        "organisation", period=pl.lit(period), headcount=pl.col("headcount").cast(pl.UInt32, strict=False)
    ).sort("organisation")


def _checks(figures: pl.DataFrame, overview: Sequence[pl.DataFrame], edition: Edition) -> dict[str, Any]:
    """Compare what the workbook says twice: engagement and parts, sheets and overview, England and sums."""
    wide = figures.filter(pl.col("state") == NUMBER).pivot(on="measure", index="organisation", values="value")
    parts = list(edition.scores["staff_engagement"].parts)
    checks: dict[str, Any] = {
        "organisations": figures.filter(pl.col("organisation") != ALL)["organisation"].n_unique()
    }
    if {"staff_engagement", *parts} <= set(wide.columns):
        gap = (pl.col("staff_engagement") - pl.mean_horizontal(parts)).abs()
        gaps = (
            wide.filter(pl.all_horizontal(pl.col(parts).is_not_null()))
            .select(gap.alias("gap"))["gap"]
            .drop_nulls()
        )
        checks["engagement_is_mean_of_parts"] = {
            "organisations": gaps.len(),
            "largest_difference": gaps.max(),
        }
    both = [
        figures.join(other, on=["organisation", "measure"], suffix="_there").select(
            (pl.col("value") - pl.col("value_there")).abs().alias("gap")
        )["gap"]
        for other in overview
    ]
    if both:
        checks["overview_agrees"] = {
            "figures": sum(gap.count() for gap in both),
            "largest_difference": max((g for gap in both if (g := gap.max()) is not None), default=None),
        }
    whole = pl.col("organisation") == ALL
    sums = figures.group_by("measure").agg(
        england=pl.col("base").filter(whole).sum(), organisations=pl.col("base").filter(~whole).sum()
    )
    checks["responses_of_england_less_organisations"] = {
        m: int(e - o) for m, e, o in sums.sort("measure").rows() if e
    }
    return checks
