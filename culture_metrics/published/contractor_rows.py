"""Rows of a contractor's export under our names, and the cells in it that cannot be right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import FileFormatError
from culture_metrics.files.header import Look
from culture_metrics.files.names import shown
from culture_metrics.files.raw import INDEX
from culture_metrics.files.workbooks import Workbook
from culture_metrics.published.official import layout
from culture_metrics.published.sheets import (
    BLANK,
    NUMBER,
    OTHER,
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
    with_numbers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culture_metrics.files.header import Row
    from culture_metrics.files.raw import RawTable

IDS = ("year", "questionnumber", "dimname", "dimvalue", "basesize")
SCORE, OPTION = "score", "optioncode"
PRINTED = dict(
    zip(
        (*IDS, SCORE, OPTION),
        ("Year", "QuestionNumber", "DimName", "DimValue", "BaseSize", "Score", "OptionCode"),
        strict=True,
    )
)
#: Why rows are left out.
COMPARATOR = "rows of a comparator, not of the organisation"
PERCENT = ("%", "percent", "percentage", "%responses", "score")
_DECIMAL_COMMA = r"^\s*(\d+),(\d+)\s*$"


def find_contractor(heads: Mapping[str, Sequence[Row]]) -> dict[str, int]:
    """Return the header row of every sheet that a contractor's export has, by sheet."""
    found = {
        name: next(
            (i for last in (SCORE, OPTION) if (i := find_header(rows, [*IDS, last])) is not None), None
        )
        for name, rows in heads.items()
    }
    return {name: row for name, row in found.items() if row is not None}


def _score(row: Row) -> int:
    return int(bool(find_contractor({"": [row]})))


#: What a contractor's export in a text file is known by.
LOOK = Look(_score)


def read_rows(
    source: RawTable | Workbook,
    heads: Mapping[str, Sequence[Row]],
    left_out: dict[str, list[str]],
    problems: list[str],
) -> tuple[list[pl.DataFrame], list[pl.DataFrame]]:
    """Return tables of scores and tables of response options, and add to `problems` what cannot be right.

    Rows of a comparator go to `left_out`. A row of the whole organisation may name no breakdown.
    Their columns are `row, code, year, dimension, group, base, base_state, value, value_state, option, at`.
    """
    scores: list[pl.DataFrame] = []
    options: list[pl.DataFrame] = []
    tables = (
        _sheets(source, heads, left_out, problems)
        if isinstance(source, Workbook)
        else [("the file", _text(source))]
    )
    _tell_unread(heads, left_out, problems)
    for at, cells in tables:
        table = _own(_tidy(cells, at, problems), at, left_out, problems)
        (options if OPTION in cells.columns else scores).append(table)
    return scores, options


def half_header(rows: Sequence[Row]) -> str | None:
    """Return what a row lacks that is the header of an export but for one column; None where there is none.

    Examples
    --------
    >>> half_header([("Year", "QuestionNumber", "DimName", "DimValue", "Score")])
    'BaseSize'
    """
    lacks = min((lacking(rows, [*IDS, last]) for last in (SCORE, OPTION)), key=len)
    return PRINTED[lacks.pop()] if len(lacks) == 1 else None


def _tell_unread(
    heads: Mapping[str, Sequence[Row]], left_out: dict[str, list[str]], problems: list[str]
) -> None:
    """Report tables that would be read but for one column: they may say of the same groups something else."""
    read = find_contractor(heads)
    for name, rows in heads.items():
        if lacks := half_header(rows[: read.get(name)]):
            problems.append(f"sheet '{name}' has a table of results without a column '{lacks}'")
    if named := unread_sheets(heads, read):
        left_out.setdefault(UNREAD, []).extend(named)


def _own(rows: pl.DataFrame, at: str, left_out: dict[str, list[str]], problems: list[str]) -> pl.DataFrame:
    """Set the rows of comparators aside, and name the whole organisation where the breakdown is blank."""
    known = layout("contractor")
    dimension, group = (pl.col(name).str.to_lowercase() for name in ("dimension", "group"))
    other = pl.any_horizontal(
        cell.is_in(sorted(known.comparators)) | known.is_like_aside(cell) for cell in (dimension, group)
    )
    for name, numbers in (
        rows.filter(other).group_by(pl.coalesce("group", "dimension"), maintain_order=True).agg("row").rows()
    ):
        left_out.setdefault(COMPARATOR, []).append(f"'{name}' ({at}, {listed_rows(numbers)})")
    rows = rows.filter(~other.fill_null(value=False))
    whole = dimension.is_null() & (group.is_null() | group.is_in(sorted(known.whole)))
    unnamed = rows.filter(dimension.is_null() & ~whole)["row"]
    if unnamed.len():
        problems.append(f"{at}: a DimValue without its DimName: {listed_rows(unnamed)}")
    return rows.with_columns(dimension=pl.when(whole).then(pl.lit(ALL)).otherwise("dimension"))


def _text(table: RawTable) -> pl.DataFrame:
    """Return the cells of a text file by header, as text and as numbers."""
    headers = {name: key(shown(name)) for name in table.names}
    keys = [*headers.values()]
    if len(set(keys)) < len(keys):
        raise FileFormatError(
            "The export has a column more than once",
            where=table.where,
            got=", ".join(sorted({h for h in keys if keys.count(h) > 1})),
            hint="Keep one of them.",
        )
    frame = table.cells()
    texts = frame.select(pl.col(name).alias(ours) for name, ours in headers.items())
    texts = texts.with_columns(pl.exclude("basesize").str.replace(_DECIMAL_COMMA, "$1.$2"))
    return with_numbers(texts).with_columns(row=frame[INDEX].cast(pl.Int64))


def _sheets(
    book: Workbook, heads: Mapping[str, Sequence[Row]], left_out: dict[str, list[str]], problems: list[str]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield every table of a workbook with its columns by header, as text and as numbers."""
    for sheet, header_row in find_contractor(heads).items():
        columns, again = columns_of(heads[sheet][header_row], key)
        read = {i for name, i in columns.items() if name in PRINTED or name in PERCENT or name[0] == "%"}
        cells = load_cells(book, sheet, header_row)
        twice = [pair for pair in again if pair[0] in read]
        told_twice(cells, heads[sheet][header_row], twice, f"sheet '{sheet}'", left_out, problems)
        yield (
            f"sheet '{sheet}'",
            cells.select(
                "row",
                *(pl.col(str(i)).alias(name) for name, i in columns.items()),
                *(number(i).alias(f"{name}#") for name, i in columns.items()),
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
        base=count("basesize"),
        base_state=state("basesize", count),
        value=number(value),
        value_state=state(value),
        option=number(OPTION) if by_option else pl.lit(None, pl.Float64),
        at=pl.lit(at),
    ).filter(pl.any_horizontal(pl.exclude("row", "at", "base_state", "value_state").is_not_null()))
    shown = pl.col("value_state") == NUMBER
    tests = {
        "no Year such as 2024": pl.col("year").is_null() | ~pl.col("year").is_between(2000, 2100),
        "no QuestionNumber": pl.col("code").is_null(),
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
