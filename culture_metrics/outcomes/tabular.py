"""Open a CSV file or workbook of outcomes as text, below the row that names the columns wanted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.errors import FileFormatError, kind_of
from culture_metrics.files.header import Look
from culture_metrics.files.names import shown, squeeze
from culture_metrics.files.opener import open_file
from culture_metrics.files.raw import INDEX
from culture_metrics.files.workbooks import sheet_table
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culture_metrics.files.header import Row
    from culture_metrics.files.raw import RawTable
    from culture_metrics.files.workbooks import Workbook

    Wanted = Callable[[frozenset[str]], bool]

ROW = "__row__"


class Sheet(NamedTuple):
    """The table of one sheet or CSV file: text columns, and `__row__`, the row's number in the file.

    `titles` is what stands above the names of the columns.
    """

    frame: pl.DataFrame
    file: str
    sheet: str | None
    titles: tuple[str, ...] = ()

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
                got=counted(source.width, "column"),
                hint="Name the columns that hold them.",
            )
        text = source.with_columns(pl.all().cast(pl.String)).with_row_index(ROW, offset=1)
        return _without_blanks(text, "the table", None)
    if not isinstance(source, (str, Path)):
        raise FileFormatError(
            "Outcomes and panels are read from files and tables",
            expected="a path, a polars DataFrame or a LazyFrame",
            got=kind_of(source),
            hint="The table of a panel is its .table.",
        )
    opened = open_file(source)
    if opened.kind not in ("csv", "excel"):
        raise FileFormatError(
            "Outcomes are read from CSV files and Excel workbooks",
            where=opened.file,
            hint="Save the table as CSV, or make a DataFrame of it.",
        )
    look = Look(lambda row: int(wanted(_squeezed(row))))
    tables = [opened.text(look)] if opened.kind == "csv" else _sheets(opened.workbook(), sheet, look)
    found = [table for table in tables if table.header_found]
    if not found:
        raise FileFormatError(
            "No row names the columns of an outcome",
            where=f"{opened.file}, sheet {sheet}" if sheet else opened.file,
            expected=expected,
            hint="Name the file's columns with columns={'organisation': ..., 'period': ..., 'value': ...}.",
        )
    if len(found) > 1:
        raise FileFormatError(
            "More than one sheet could hold the outcome",
            where=opened.file,
            got=", ".join(str(table.sheet) for table in found),
            hint=f"Name one: sheet='{found[0].sheet}'.",
        )
    table = found[0]
    cells = table.cells().rename({INDEX: ROW})
    cells.columns = [ROW, *_names(cells.columns[1:])]
    read = _without_blanks(cells, table.file, table.sheet)
    if read.frame.is_empty():
        raise FileFormatError("The table has a header but no rows", where=table.where)
    return read._replace(titles=table.titles)


def _sheets(book: Workbook, sheet: str | None, look: Look) -> list[RawTable]:
    """Return the table of each sheet that has cells, or of the one that is named."""
    names = book.sheets if sheet is None else [book.find(sheet)]
    cells = {name: book.text(name)[0] for name in names}
    return [sheet_table(book, name, frame, look) for name, frame in cells.items() if frame.height]


def _without_blanks(numbered: pl.DataFrame, file: str, sheet: str | None) -> Sheet:
    """Let blank rows go."""
    filled = pl.any_horizontal(pl.all().exclude(ROW).str.strip_chars() != "")
    return Sheet(numbered.filter(filled.fill_null(value=False)), file, sheet)


def _squeezed(row: Row) -> frozenset[str]:
    return frozenset(squeeze(cell) for cell in row if cell and cell.strip())


def _names(columns: Sequence[str]) -> list[str]:
    """Return the names of a header row, made different: a blank or repeated name gets its place."""
    names = [shown(name) for name in columns]
    return [
        name if name and name not in names[:place] else f"{name or 'column'} ({place + 1})"
        for place, name in enumerate(names)
    ]
