"""Read a benchmark workbook: a sheet a benchmark group, a column a figure, fractions for percent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import ALL, as_distributions, as_organisations, as_results
from culture_metrics.errors import FileFormatError
from culture_metrics.published.cells import PUBLISHED_MINIMUM
from culture_metrics.published.layout import letter
from culture_metrics.published.match import normalise
from culture_metrics.published.official import is_code, layout
from culture_metrics.published.published import Published
from culture_metrics.published.refusal import refusal
from culture_metrics.published.sheets import (
    BLANK,
    HIDDEN,
    NUMBER,
    OTHER,
    REPEATED,
    UNREAD,
    columns_of,
    count,
    key,
    listed_rows,
    load_cells,
    number,
    state,
    told_twice,
    unread_sheets,
)
from culture_metrics.published.usual import much_nearer, small_scores, usual_percentages
from culture_metrics.results import Distributions, Results
from data_schemas.columns import DISTRIBUTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culture_metrics.catalogue import Edition
    from culture_metrics.files.workbooks import Workbook
    from culture_metrics.published.layout import Row

SURVEY = "nss_england"
RATE = "response_rate"
#: What the column of codes was called in the workbooks of before 2021.
OLD_CODE = "trust"
CODE, NAME, TYPE = "orgid", "orgname", "orgtype"
#: What is left out, and why.
NO_FIGURE = "bases without a column of figures"
NO_ORGANISATION = "rows that are no organisation (a total, an average, a comparator, or no ODS code)"
UNKNOWN = "no question or score of the newest edition in the file"
NO_HEADLINE = "questions without a headline percentage"
NO_BASE = "figures without a column of bases"
#: Below this share in every percentage of a sheet, fractions were divided by 100 once more.
TOO_SMALL, SEVERAL = 0.01, 5

HISTORY = (
    "All years are as restated in this one release: earlier years stand under the question codes of the "
    "newest year and are weighted to its mix of occupations. Never join them with figures of another release."
)

_COLUMN = re.compile(r"^(?P<stem>[a-z]\w*?)_(?P<year>20\d\d)$", re.IGNORECASE)
_FIGURE = re.compile(r"^(pp\d(_\d)?|theme_[a-z]+|[em]_\d|q\d+\w*?)(_n)?_20\d\d$", re.IGNORECASE)


class _Figure(NamedTuple):
    """One column of figures: what it measures, when, and the column of its bases (None: there is none)."""

    column: int
    base: int | None
    measure: str
    period: str


class _Beside(NamedTuple):
    """A column that is no result of all staff: its kind (WRES and the like), and where its bases stand."""

    column: int
    base: int | None
    kind: str
    header: str
    period: str | None


class _Sheet(NamedTuple):
    """One sheet of a benchmark workbook; `again` has pairs of columns of one name."""

    name: str
    header_row: int
    header: Row
    columns: dict[str, int]
    again: tuple[tuple[int, int], ...]


def find_benchmark(heads: Mapping[str, Sequence[Row]]) -> dict[str, int]:
    """Return the header row of every sheet of figures that a benchmark workbook has, by sheet."""
    found = {
        name: next((i for i, row in enumerate(rows) if _is_header(row)), None) for name, rows in heads.items()
    }
    return {name: row for name, row in found.items() if row is not None}


def _is_header(row: Row) -> bool:
    return any(key(cell) in (CODE, OLD_CODE) for cell in row) and any(map(_is_figure, row))


def _tell_unread(
    heads: Mapping[str, Sequence[Row]], read: Mapping[str, int], left_out: dict[str, list[str]]
) -> Iterator[str]:
    """Yield which sheets have figures of nobody: they may say of organisations something else."""
    for name, rows in heads.items():
        if any(sum(map(_is_figure, row)) >= SEVERAL for row in rows[: read.get(name)]):
            yield f"sheet '{name}' has columns of figures without a column 'org_id'"
    if named := unread_sheets(heads, read):
        left_out[UNREAD] = named


def _is_figure(cell: str | None) -> bool:
    return _FIGURE.match((cell or "").strip()) is not None


def read_benchmark(book: Workbook, heads: Mapping[str, Sequence[Row]]) -> Published:
    """Read a benchmark workbook whose first rows are `heads`; see `read_published`."""
    problems: list[str] = []
    sheets = [_sheet(name, row, heads[name][row]) for name, row in find_benchmark(heads).items()]
    years = sorted({m["year"] for sheet in sheets for name in sheet.columns if (m := _COLUMN.match(name))})
    edition = _edition(years[-1], book.file)
    left_out: dict[str, list[str]] = {}
    problems += _tell_unread(heads, {sheet.name: sheet.header_row for sheet in sheets}, left_out)
    parts, others, borrowed = [], [], set[str]()
    for sheet in sheets:
        figures, beside = _figures(sheet, edition, left_out, borrowed)
        rows = _rows(book, sheet, figures, left_out, problems)
        parts.append(_read_sheet(rows, sheet, figures, edition, problems))
        others.append(_beside(rows, beside))
    cells = pl.concat(parts)
    problems += _twice(cells)
    if problems:
        raise refusal(book.file, problems)
    figures_of = cells.filter(pl.col("measure") != RATE)
    results = _results(figures_of, edition)
    return Published(
        survey=SURVEY,
        period=edition.period,
        results=Results(results),
        distributions=Distributions(as_distributions(pl.DataFrame(schema=DISTRIBUTIONS))),
        organisations=_organisations(cells, edition),
        provenance={
            "file": book.file,
            "sha256": book.sha256,
            "layout": "benchmark",
            "release": edition.period,
            "periods": tuple(results["period"].unique().sort()),
            "title": next((cell for rows in heads.values() for row in rows for cell in row if cell), ""),
            "sheets": tuple(sheet.name for sheet in sheets),
            "suppressed_cells": results.filter(pl.col("status") == "suppressed_small_base").height,
            "left_out": {why: tuple(dict.fromkeys(names)) for why, names in left_out.items()},
            "borrowed_bases": tuple(sorted(borrowed)),
            "history": HISTORY,
            "response_rates": _rates(cells),
            "beside": pl.concat(others),
        },
    )


def _sheet(name: str, row: int, header: Row) -> _Sheet:
    columns, again = columns_of(header, _column_key)
    return _Sheet(name, row, header, columns, again)


def _column_key(cell: str | None) -> str:
    given = (cell or "").strip().casefold()
    return given if _COLUMN.match(given) else key(given)


def _edition(year: str, file: str) -> Edition:
    survey = catalogue(SURVEY)
    if year in survey.periods:
        return survey.edition(year)
    if year < survey.periods[0]:
        raise FileFormatError(
            f"This is the benchmark workbook of {year}: the releases before {survey.periods[0]} have other "
            "themes, and nothing here reads them",
            where=file,
            expected=f"the benchmark workbook of a year from {survey.periods[0]} on",
            hint=f"The workbook of {survey.periods[0]} or later holds the years before it, restated, where "
            "they compare.",
        )
    raise FileFormatError(
        f"There is no catalogue of questions for {year}, the newest year in the workbook",
        where=file,
        expected=f"a year from {survey.periods[0]} to {survey.periods[-1]}",
        hint="Its question codes cannot be told apart; a newer version of the package may know them.",
    )


def _figures(
    sheet: _Sheet, edition: Edition, left_out: dict[str, list[str]], borrowed: set[str]
) -> tuple[list[_Figure], list[_Beside]]:
    """Say what every column holds; codes are those of the newest edition, whatever the year."""
    found: list[_Figure] = []
    beside: list[_Beside] = []
    known = {key(text) for texts in layout("benchmark").columns.values() for text in texts}
    for name, column in sheet.columns.items():
        match = _COLUMN.match(name)
        header = (sheet.header[column] or "").strip()
        if name in known:
            continue
        if match and match["stem"].endswith("_n"):
            if f"{match['stem'].removesuffix('_n')}_{match['year']}" not in sheet.columns:
                left_out.setdefault(NO_FIGURE, []).append(header)
        elif match is None or (measure := _measure(match["stem"], edition)) is None:
            if (kind := _kind(header)) is not None:
                year = match["year"] if match else None
                base = sheet.columns.get(f"{match['stem']}_n_{year}") if match else None
                beside.append(_Beside(column, base, kind, header, year))
                continue
            asked = match is not None and match["stem"] in edition.codes
            left_out.setdefault(NO_HEADLINE if asked else UNKNOWN, []).append(header)
        else:
            base, own = _base(sheet, match["stem"], match["year"], measure, edition)
            if base is None and measure != RATE:
                left_out.setdefault(NO_BASE, []).append(header)
                continue
            if not own:
                borrowed.add(header)
            found.append(_Figure(column, base, measure, match["year"]))
    return found, beside


def _kind(header: str) -> str | None:
    """Return what a column beside the results is, None where it is none."""
    kinds = layout("benchmark").beside
    return next((k["kind"] for k in kinds if re.search(k["pattern"], header.casefold())), None)


def _measure(stem: str, edition: Edition) -> str | None:
    if stem == RATE:
        return RATE
    name = edition.codes.get(stem)
    return name if name in edition.measures else None


def _base(sheet: _Sheet, stem: str, year: str, measure: str, edition: Edition) -> tuple[int | None, bool]:
    """Return the column of bases, and whether it is the figure's own.

    A sub-score without a column of its own takes that of the element or theme it is part of.
    """
    own = sheet.columns.get(f"{stem}_n_{year}", sheet.columns.get(f"{stem}_{year}_n"))
    if own is not None or measure == RATE:
        return own, True
    for whole in edition.scores.values():
        if measure in whole.parts:
            stems = [code for code, name in edition.codes.items() if name == whole.id]
            return next(
                (c for s in stems if (c := sheet.columns.get(f"{s}_n_{year}")) is not None), None
            ), False
    return None, False


def _rows(
    book: Workbook,
    sheet: _Sheet,
    figures: Sequence[_Figure],
    left_out: dict[str, list[str]],
    problems: list[str],
) -> pl.DataFrame:
    """Return the rows of a sheet and whom each is about, without repeats and without totals."""
    cells = load_cells(book, sheet.name, sheet.header_row)
    at = f"sheet '{sheet.name}'"
    named = sheet.columns.get(NAME)
    rows = cells.with_columns(
        pl.col(str(sheet.columns[CODE])).alias("organisation"),
        pl.lit(None, pl.String).alias("name") if named is None else pl.col(str(named)).alias("name"),
        sheet=pl.lit(sheet.name),
        benchmark_group=_group(cells, sheet),
    )
    filled = pl.any_horizontal(pl.lit(value=False), *(number(f.column).is_not_null() for f in figures))
    code, label, aside = pl.col("organisation"), pl.col("name"), layout("benchmark")
    total = code.is_null() & filled & (aside.is_aside(label) | aside.is_like_aside(label))
    total = total.fill_null(value=False)
    nameless = rows.filter(code.is_null() & filled & ~total)["row"]
    if nameless.len():
        problems.append(f"{at}: figures without an 'org_id': {listed_rows(nameless)}")
    rows = rows.filter(code.is_not_null() | total)
    odd = total | ~is_code(code) | aside.is_aside(code) | aside.is_aside(label).fill_null(value=False)
    odd = odd.fill_null(value=False)
    for text, row in rows.filter(odd).select(pl.coalesce(code, label), "row").rows():
        left_out.setdefault(NO_ORGANISATION, []).append(f"'{text}' ({at}, row {row})")
    rows = rows.filter(~odd)
    once = rows.unique(pl.exclude("row"), keep="first", maintain_order=True)
    for text, row in rows.join(once, on="row", how="anti").select("organisation", "row").rows():
        left_out.setdefault(REPEATED, []).append(f"'{text}' ({at}, row {row})")
    told_twice(once, sheet.header, sheet.again, at, left_out, problems)
    return once


def _group(cells: pl.DataFrame, sheet: _Sheet) -> pl.Expr:
    """Return the benchmark group: the sheet, or the type of the organisation where a sheet holds several."""
    known, typed = layout("benchmark"), sheet.columns.get(TYPE)
    named = known.sheets.get(sheet.name.strip())
    if named is None and typed is not None:
        types = {float(code): group for code, group in known.org_types.items()}
        found = number(typed).replace_strict(types, default=None, return_dtype=pl.String)
        return found.fill_null(sheet.name)
    return pl.lit(named or sheet.name)


def _beside(rows: pl.DataFrame, columns: Sequence[_Beside]) -> pl.DataFrame:
    """Return what stands beside the results as it is in the file: a row an organisation and column."""
    schema = {
        "organisation": pl.String, "period": pl.String, "kind": pl.String, "column": pl.String,
        "value": pl.Float64, "base": pl.Float64,
    }  # fmt: skip
    parts = [
        rows.select(
            "organisation",
            period=pl.lit(c.period, pl.String),
            kind=pl.lit(c.kind),
            column=pl.lit(c.header),
            value=number(c.column),
            base=pl.lit(None, pl.Float64) if c.base is None else number(c.base),
        ).drop_nulls("value")
        for c in columns
    ]
    return pl.concat([pl.DataFrame(schema=schema), *parts])


def _read_sheet(
    rows: pl.DataFrame, sheet: _Sheet, figures: Sequence[_Figure], edition: Edition, problems: list[str]
) -> pl.DataFrame:
    """Return one row per organisation and figure of a sheet, percentages from 0 to 100."""
    at = f"sheet '{sheet.name}'"
    who = ["sheet", "row", "organisation", "name", "benchmark_group"]
    long = [
        rows.select(
            *who,
            value=number(f.column),
            value_state=state(f.column),
            base=pl.lit(None, pl.Float64) if f.base is None else count(f.base),
            base_state=pl.lit("none") if f.base is None else state(f.base, count),
            column=pl.lit(f.column),
            measure=pl.lit(f.measure),
            period=pl.lit(f.period),
            unit=pl.lit("score" if f.measure in edition.scores else "percent"),
        )
        for f in figures
    ]
    if not long or rows.is_empty():
        problems.append(f"{at} has a header but no figures of organisations")
        return pl.DataFrame(schema=_LONG)
    cells = pl.concat(long)
    problems += [*_problems(cells, sheet), *_out_of_scale(cells, sheet, edition)]
    return cells.with_columns(
        value=pl.when(pl.col("unit") == "percent").then(pl.col("value") * 100).otherwise("value")
    ).select(pl.col(n).cast(t) for n, t in _LONG.items())


_LONG = {
    "sheet": pl.String,
    "row": pl.Int64,
    "organisation": pl.String,
    "name": pl.String,
    "benchmark_group": pl.String,
    "value": pl.Float64,
    "value_state": pl.String,
    "base": pl.Float64,
    "base_state": pl.String,
    "column": pl.Int32,
    "measure": pl.String,
    "period": pl.String,
    "unit": pl.String,
}


def _problems(cells: pl.DataFrame, sheet: _Sheet) -> Iterator[str]:
    """Say what cannot be right on a sheet: percentages for fractions, text, figures or bases alone."""
    at = f"sheet '{sheet.name}'"
    percent = cells.filter(pl.col("unit") == "percent")
    large = percent.filter(pl.col("value") > 1 + 1e-9)["column"].unique(maintain_order=True).to_list()
    if large:
        shown = ", ".join(f"{letter(i)} ('{sheet.header[i]}')" for i in large[:4])
        more = f" and {len(large) - 4} more" if len(large) > 4 else ""
        yield (
            f"{at}, column {shown}{more}: figures above 1 where this layout has fractions from 0 to 1; "
            "percentages from 0 to 100 must be divided by 100, once"
        )
    tops = percent.filter(pl.col("measure") != RATE).group_by("measure", "period").agg(pl.col("value").max())
    top = tops["value"].max()
    if tops.height >= SEVERAL and isinstance(top, float) and 0 < top <= TOO_SMALL:
        yield (
            f"{at}: no fraction above {TOO_SMALL:g} in {tops.height} columns of percentages; they were "
            "divided by 100 twice"
        )
    tests = {
        "cells that are neither a figure nor '-' nor blank": pl.col("value_state") == OTHER,
        "figures below 0, or scores above 10": (pl.col("value") < 0)
        | ((pl.col("unit") == "score") & (pl.col("value") > 10)),
        "a base that is no number of responses": (pl.col("base_state") == OTHER)
        | (pl.col("base") < 0)
        | (pl.col("base") != pl.col("base").floor()),
        "a figure without its base": (pl.col("value_state") == NUMBER)
        & pl.col("base_state").is_in([BLANK, HIDDEN]),
        "a base without its figure": (pl.col("value_state") == BLANK) & (pl.col("base") >= PUBLISHED_MINIMUM),
    }
    for said, test in tests.items():
        wrong = cells.filter(test).group_by("column", maintain_order=True).agg(pl.col("row"))
        for column, rows in wrong.rows():
            yield f"{at}, column {letter(column)} ('{sheet.header[column]}'): {said}: {listed_rows(rows)}"


def _out_of_scale(cells: pl.DataFrame, sheet: _Sheet, edition: Edition) -> Iterator[str]:
    """Say which single columns hold percentages or hundredths of fractions, by what is usual nationally.

    A percentage of something rare, such as 0.7, would pass for the fraction of something common.
    """
    for column, mean in small_scores(cells.filter(pl.col("unit") == "score")).rows():
        yield (
            f"sheet '{sheet.name}', column {letter(column)} ('{sheet.header[column]}'): scores with a mean "
            f"of {mean:.2g}, not from 0 to 10"
        )
    shown = cells.filter(pl.col("unit") == "percent", pl.col("value").is_between(0, 1))
    means = shown.group_by("column", "measure", maintain_order=True).agg(read=100 * pl.col("value").mean())
    means = means.join(usual_percentages(edition), on="measure", maintain_order="left")
    read = pl.col("read")
    for other, what in ((read / 100, "percentages, not"), (read * 100, "hundredths of")):
        for column in means.filter(much_nearer(other, read))["column"]:
            yield (
                f"sheet '{sheet.name}', column {letter(column)} ('{sheet.header[column]}'): by what is usual "
                f"for this question, these are {what} fractions from 0 to 1"
            )


def _twice(cells: pl.DataFrame) -> Iterator[str]:
    where = cells.group_by("organisation", maintain_order=True).agg(
        pl.struct("sheet", "row").n_unique().alias("n"), pl.col("sheet").unique(maintain_order=True)
    )
    for code, _, sheets in where.filter(pl.col("n") > 1).rows():
        yield f"organisation '{code}' stands more than once, on sheet {' and '.join(map(repr, sheets))}"


def _weighting(edition: Edition) -> pl.Expr:
    """Say how a figure is weighted: no group that is never weighted, no question about facts."""
    never = [
        *map(normalise, edition.survey.unweighted_groups),
        "integrated care board",
        "commissioning support",
    ]
    group = pl.concat_str("benchmark_group", "sheet", separator=" ").str.to_lowercase()
    asked = {m.id: edition.questions[m.question].weighted for m in edition.percentages.values() if m.question}
    facts = [name for name, weighted in asked.items() if not weighted]
    return (
        pl.when(group.str.contains_any(never) | pl.col("measure").is_in(facts))
        .then(pl.lit("none"))
        .otherwise(pl.lit("occupation_group"))
    )


def _results(cells: pl.DataFrame, edition: Edition) -> pl.DataFrame:
    """Return Results; a figure that nobody has was not asked, a year without figures leaves no rows."""
    shown = (pl.col("value_state") == NUMBER) & (pl.col("base") >= PUBLISHED_MINIMUM)
    something = pl.col("value_state") != BLANK
    told = something.any().over("measure", "period") & something.any().over("organisation", "period")
    return as_results(
        cells.filter(something.any().over("organisation", "period")).select(
            "organisation",
            "period",
            "measure",
            "unit",
            estimate=pl.when(shown).then("value"),
            base=pl.when(shown).then("base"),
            status=pl.when(shown)
            .then(pl.lit("reported"))
            .when(told)
            .then(pl.lit("suppressed_small_base"))
            .otherwise(pl.lit("not_asked")),
            weighting=_weighting(edition),
            survey=pl.lit(SURVEY),
            breakdown=pl.lit(ALL),
            group=pl.lit(ALL),
            source=pl.lit("published"),
        )
    )


def _organisations(cells: pl.DataFrame, edition: Edition) -> pl.DataFrame:
    first = cells.unique("organisation", keep="first", maintain_order=True)
    return as_organisations(
        first.select(
            "organisation", "name", "benchmark_group", survey=pl.lit(SURVEY), period=pl.lit(edition.period)
        )
    )


def _rates(cells: pl.DataFrame) -> pl.DataFrame:
    """Return response rates in percent with what the file gives as their base."""
    return (
        cells.filter((pl.col("measure") == RATE) & pl.col("value").is_not_null())
        .select("organisation", "period", percent="value", base=pl.col("base").cast(pl.UInt32, strict=False))
        .sort("organisation", "period")
    )
