"""Open workbooks: their sheets, the first rows of each, its cells as text or as figures."""

from __future__ import annotations

import io
import os
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from typing import IO, TYPE_CHECKING, TypeVar

import fastexcel
import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.files.header import HEAD_ROWS, Look, find_header, widest_row
from culture_metrics.files.kinds import file_hash
from culture_metrics.files.names import every_name, unique_names
from culture_metrics.files.raw import RawTable
from culture_metrics.files.safety import check_columns, check_workbook

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Types = fastexcel.DType | Mapping[int, fastexcel.DType]

#: What cells are read as.
TEXT: fastexcel.DType = "string"
FIGURES: fastexcel.DType = "float"
#: Rows that are cut out of each sheet where only its head is wanted, and how much is unpacked at a time.
CUT = 20
CHUNK = 1 << 16
WORKERS = 4

_ROW_TAG = re.compile(rb"<(\w+:)?row[\s/>]")
#: What a workbook needs beside its sheets to be read.
_FRAME = re.compile(
    r"(\[Content_Types\]\.xml|_rels/.*|xl/(_rels/.*|workbook\.xml|sharedStrings\.xml|styles\.xml))$"
)

HeadRow = tuple[str | None, ...]
Job = TypeVar("Job")
Done = TypeVar("Done")


class Workbook:
    """A workbook, of Excel or OpenDocument, that was found safe.

    Parameters
    ----------
    path : Path
        The file (.xlsx, .xlsm, .xlsb, .xls, .ods).

    Raises
    ------
    FileFormatError
        When it is not safe or cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        check_workbook(path)
        self.path, self.file = path, path.name
        self._book = _open(path, path.name)
        self.sheets: list[str] = self._book.sheet_names

    @property
    def sha256(self) -> str:
        """Its hash, for provenance."""
        return file_hash(self.path)

    def find(self, sheet: str) -> str:
        """Return the name of a sheet as the workbook spells it.

        Raises
        ------
        FileFormatError
            When there is no such sheet.
        """
        folded = {name.strip().casefold(): name for name in self.sheets}
        if sheet.strip().casefold() not in folded:
            raise FileFormatError(
                f"The workbook has no sheet '{sheet}'", where=self.file, expected=", ".join(self.sheets)
            )
        return folded[sheet.strip().casefold()]

    def load(
        self, sheet: str, types: Types, skip: int = 0, columns: Sequence[int] | None = None
    ) -> pl.DataFrame:
        """Return the cells of a sheet below the first rows, every row and column as it stands.

        Numbers that are loaded as text have nine decimals only.
        """
        try:
            loaded = self._book.load_sheet(
                sheet,
                header_row=None,
                skip_rows=skip,
                dtypes=types
                if isinstance(types, str)
                else {column: dtype for column, dtype in types.items()},
                use_columns=None if columns is None else [*columns],
            )
            return loaded.to_polars()
        except fastexcel.FastExcelError:
            raise unreadable(self.file) from None

    def text(self, sheet: str) -> tuple[pl.DataFrame, bool]:
        """Return a sheet's cells as text, without blank rows at its end, and whether people see the sheet."""
        try:
            loaded = self._book.load_sheet(
                sheet,
                header_row=None,
                skip_rows=0,
                dtypes=TEXT,
                skip_whitespace_tail_rows=True,
                whitespace_as_null=True,
            )
            filled = loaded.height > 0 and loaded.width > 0
            return loaded.to_polars() if filled else pl.DataFrame(), loaded.visible == "visible"
        except fastexcel.FastExcelError:
            raise unreadable(self.file) from None

    def heads(self) -> dict[str, list[HeadRow]]:
        """Return the first rows of every sheet as text, by sheet name. The rows below are not read."""
        book = self._book
        if self.path.suffix.lower() in (".xlsx", ".xlsm"):
            book = _open(_shortened(self.path), self.file)
        try:
            return {
                name: _used(
                    book.load_sheet(name, header_row=None, skip_rows=0, n_rows=CUT, dtypes=TEXT).to_polars()
                )
                for name in book.sheet_names
            }
        except fastexcel.FastExcelError:
            raise unreadable(self.file) from None

    def in_threads(self, jobs: Sequence[Job], work: Callable[[Workbook, Job], Done]) -> list[Done]:
        """Share jobs out to threads, each with a reader of its own: these work outside Python's lock."""
        workers = max(1, min(WORKERS, os.cpu_count() or 1, len(jobs)))

        def share(start: int) -> list[Done]:
            book = self if start == 0 else Workbook(self.path)
            return [work(book, job) for job in jobs[start::workers]]

        with ThreadPoolExecutor(workers) as pool:
            shares = list(pool.map(share, range(workers)))
        return [shares[i % workers][i // workers] for i in range(len(jobs))]


def sheet_table(book: Workbook, sheet: str, cells: pl.DataFrame, look: Look) -> RawTable:
    """Return the table on a sheet, below the row that names the columns.

    Parameters
    ----------
    book : Workbook
        The file.
    sheet : str
        Name of the sheet.
    cells : polars.DataFrame
        Its cells as text.
    look : Look
        What the caller looks for.

    Raises
    ------
    FileFormatError
        When it has too many columns, or the caller has no use for it.
    """
    where = f"{book.file}, sheet {sheet}"
    head = cells.head(HEAD_ROWS).rows()
    found = find_header(head, look.score)
    look.check(head, found, where)
    header = found if found is not None else widest_row(head)
    names = unique_names(head[header])
    check_columns(sum(name is not None for name in names), where)
    below = header + 1 + (look.below(head, header) if found is not None else 0)
    body = cells.slice(below)
    body.columns = [*every_name(names)]
    nameless = [column for column, name in zip(body.columns, names, strict=True) if not name]
    notes: dict[str, int | str] = {
        "rows_of_wording": below - header - 1,
        "columns_without_name": sum(s.null_count() < s.len() for s in body.select(nameless)),
    }
    return RawTable(
        names=tuple(name for name in names if name),
        lazy=body.lazy(),
        file=book.file,
        kind="excel",
        first_row=below + 1,
        folder=book.path.parent,
        sha256=book.sha256,
        sheet=sheet,
        header_row=header + 1,
        header_found=found is not None,
        columns=tuple(body.columns),
        notes={name: said for name, said in notes.items() if said},
    )


def unreadable(file: str) -> FileFormatError:
    """Return the error of a workbook that its reader does not understand, without a cell that it quotes."""
    return FileFormatError(
        "The workbook cannot be opened",
        where=file,
        hint="It may be damaged or locked by a password: open it in a spreadsheet program and save it anew.",
    )


def _open(source: Path | bytes, file: str) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(source)
    except fastexcel.FastExcelError:
        raise unreadable(file) from None


def _used(head: pl.DataFrame) -> list[HeadRow]:
    """Return the rows up to the last column with text: a sheet may reach to column XFD."""
    used = [i for i, column in enumerate(head) if column.null_count() < head.height]
    return head[:, : max(used, default=-1) + 1].rows()


def _shortened(path: Path) -> bytes:
    """Return a copy of a workbook whose sheets end after the first rows."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as book, zipfile.ZipFile(copy, "w") as short:
        for part in book.namelist():
            if part.startswith("xl/worksheets/") and part.endswith(".xml"):
                with book.open(part) as sheet:
                    short.writestr(part, _first_rows(sheet))
            elif _FRAME.match(part):
                short.writestr(part, book.read(part))
    return copy.getvalue()


def _first_rows(sheet: IO[bytes]) -> bytes:
    """Take the XML of a sheet up to the first rows and close it."""
    xml, found, seen = bytearray(), 0, 0
    while chunk := sheet.read(CHUNK):
        xml += chunk
        for row in _ROW_TAG.finditer(xml, seen):
            found, seen = found + 1, row.end()
            if found > CUT:
                prefix = row[1] or b""
                return bytes(xml[: row.start()]) + b"</%bsheetData></%bworksheet>" % (prefix, prefix)
        seen = max(seen, len(xml) - 64)  # a tag may be cut in two
    return bytes(xml)
