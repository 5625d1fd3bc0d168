"""Open a CSV file or workbook of outcomes as text, below the row that names the columns wanted."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.errors import FileFormatError, kind_of
from culture_metrics.extracts.columns import squeeze
from culture_metrics.extracts.files import check_file
from culture_metrics.extracts.safety import check_workbook
from culture_metrics.problems import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Row = Sequence[str | None]
    Wanted = Callable[[frozenset[str]], bool]

#: How many rows are looked at to find the header.
HEAD_ROWS = 40
ROW = "__row__"


class Sheet(NamedTuple):
    """The table of one sheet or CSV file: text columns, and `__row__`, the row's number in the file."""

    frame: pl.DataFrame
    file: str
    sheet: str | None

    @property
    def where(self) -> str:
        """File and sheet, as errors say it."""
        return f"{self.file}, sheet {self.sheet}" if self.sheet else self.file

    @property
    def names(self) -> dict[str, str]:
        """Names of the columns by their squeezed form."""
        return {squeeze(name): name for name in reversed(self.frame.columns) if name != ROW}


def open_table(
    source: pl.DataFrame | pl.LazyFrame | str | Path, sheet: str | None, wanted: Wanted, expected: str
) -> Sheet:
    """Open the sheet whose header row holds the columns `wanted` (a test on their squeezed names).

    A table at hand becomes text too, so that files and tables are checked alike.

    Raises
    ------
    FileFormatError
        When the file cannot be read, or no sheet or more than one has such a header.
    """
    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    if isinstance(source, pl.DataFrame):
        if not wanted(_squeezed(source.columns)):
            raise FileFormatError(
                "The table lacks a column",
                expected=expected,
                got=listed(source.columns),
                hint="Name the columns that hold them.",
            )
        return _numbered(source.with_columns(pl.all().cast(pl.String)), -1, "the table", None)
    if not isinstance(source, (str, Path)):
        raise FileFormatError(
            "Outcomes and panels are read from files and tables",
            expected="a path, a polars DataFrame or a LazyFrame",
            got=kind_of(source),
            hint="The table of a panel is its .table.",
        )
    path = Path(source)
    kind = check_file(path)
    if kind not in ("csv", "excel"):
        raise FileFormatError(
            "Outcomes are read from CSV files and Excel workbooks",
            where=path.name,
            hint="Save the table as CSV, or make a DataFrame of it.",
        )
    tables = _csv(path, wanted) if kind == "csv" else _workbook(path, sheet, wanted)
    found = list(tables)
    if not found:
        raise FileFormatError(
            "No row names the columns of an outcome",
            where=f"{path.name}, sheet {sheet}" if sheet else path.name,
            expected=expected,
            hint="Name the file's columns with columns={'organisation': ..., 'period': ..., 'value': ...}.",
        )
    if len(found) > 1:
        raise FileFormatError(
            "More than one sheet could hold the outcome",
            where=path.name,
            got=", ".join(str(table.sheet) for table in found),
            hint=f"Name one: sheet='{found[0].sheet}'.",
        )
    if found[0].frame.is_empty():
        raise FileFormatError("The table has a header but no rows", where=found[0].where)
    return found[0]


def _csv(path: Path, wanted: Wanted) -> Iterator[Sheet]:
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    lines = text.splitlines()
    for separator in (",", ";", "\t", "|"):
        try:
            rows = list(csv.reader(lines[:HEAD_ROWS], delimiter=separator))
        except csv.Error:
            continue
        for number, row in enumerate(rows):
            if not wanted(_squeezed(row)):
                continue
            try:
                # With its header, so that a first row that is short counts as short.
                frame = pl.read_csv(
                    io.BytesIO("\n".join(lines[number:]).encode()), infer_schema=False, separator=separator
                )
            except pl.exceptions.PolarsError as error:
                raise FileFormatError(
                    "A row has more cells than the header",
                    where=f"{path.name}, row {_long_row(lines, number, len(row), separator)}",
                    expected=f"{len(row)} cells in each row",
                    hint="Look for stray separators or quotes there, and save the file as CSV UTF-8.",
                ) from error
            frame.columns = _names(row)
            yield _numbered(frame, number, path.name, None)
            return


def _long_row(lines: list[str], header: int, width: int, separator: str) -> int:
    """Return the number of the first row below the header that is wider than it."""
    rows = csv.reader(lines[header + 1 :], delimiter=separator)
    return next((header + 1 + rows.line_num for row in rows if len(row) > width), header + 2)


def _workbook(path: Path, sheet: str | None, wanted: Wanted) -> Iterator[Sheet]:
    import fastexcel

    check_workbook(path)
    try:
        book = fastexcel.read_excel(path)
        names = book.sheet_names if sheet is None else [n for n in book.sheet_names if n == sheet]
        cells = {
            name: book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars()
            for name in names
        }
    except fastexcel.FastExcelError as error:
        raise FileFormatError(
            "The workbook cannot be opened",
            where=path.name,
            hint="It may be damaged or protected by a password: save it anew as .xlsx.",
        ) from error
    if not names:
        raise FileFormatError(
            f"The workbook has no sheet '{sheet}'", where=path.name, expected=", ".join(book.sheet_names)
        )
    for name, frame in cells.items():
        for number, row in enumerate(frame.head(HEAD_ROWS).rows()):
            if wanted(_squeezed(row)):
                body = frame.slice(number + 1).rename(dict(zip(frame.columns, _names(row), strict=True)))
                yield _numbered(body, number, path.name, name)
                break


def _numbered(body: pl.DataFrame, header: int, file: str, sheet: str | None) -> Sheet:
    """Give rows their number in the file, and let blank ones go."""
    filled = pl.any_horizontal(pl.all().exclude(ROW).str.strip_chars() != "")
    numbered = body.with_row_index(ROW, offset=header + 2)
    return Sheet(numbered.filter(filled.fill_null(value=False)), file, sheet)


def _squeezed(row: Row) -> frozenset[str]:
    return frozenset(squeeze(cell) for cell in row if cell and cell.strip())


def _names(row: Row) -> list[str]:
    """Return the names of a header row, made different: a blank or repeated name gets its place."""
    names = [(cell or "").strip() for cell in row]
    return [
        name if name and name not in names[:place] else f"{name or 'column'} ({place + 1})"
        for place, name in enumerate(names)
    ]
