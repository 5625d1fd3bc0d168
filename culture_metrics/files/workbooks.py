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
import polars.selectors as cs

from culture_metrics.errors import FileFormatError
from culture_metrics.files.header import HEAD_ROWS, Look, widest_row
from culture_metrics.files.kinds import file_hash
from culture_metrics.files.lost_cells import ROW_0, LostCells, first_column, lost_cells, parts_of
from culture_metrics.files.names import INVISIBLE, every_name, shown, unique_names
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
#: Where the remarks about a sheet stand, before its cells.
HEAD_BYTES = 1 << 12
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
        self._is_xml = path.suffix.lower() in (".xlsx", ".xlsm")
        self._book = _open(_without_row_0(path) if self._is_xml else path, path.name)
        self._lost: dict[str, LostCells] = {}
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

        Numbers that are loaded as text have nine decimals only. What is no number (true, an infinite one) is
        blank among figures; as text it says what it is, and so do error values (#N/A) and formulas of which
        the file stores no value. Characters that nobody sees are left out.
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
            cells = loaded.to_polars()
        except fastexcel.FastExcelError:
            raise unreadable(self.file) from None
        return self._mended(sheet, cells, skip, columns)

    def _mended(
        self, sheet: str, cells: pl.DataFrame, skip: int, columns: Sequence[int] | None
    ) -> pl.DataFrame:
        """Tell blanks from cells that the reader leaves blank, and numbers from what it takes for them."""
        lost = self._lost_cells(sheet)
        cells = cells.with_columns(
            pl.col(pl.String).str.replace_all(INVISIBLE, ""),
            pl.when(cs.float().is_finite()).then(cs.float()),
        )
        places = range(cells.width) if columns is None else columns
        texts = [isinstance(dtype, pl.String) for dtype in cells.dtypes]
        gone = [
            lost.texts(column) if text else dict.fromkeys(lost.truths.get(column, ()))
            for column, text in zip(places, texts, strict=True)
        ]
        return cells.with_columns(
            _put(cells.to_series(place), {row - skip: text for row, text in found.items()})
            for place, found in enumerate(gone)
            if found
        )

    def _lost_cells(self, sheet: str) -> LostCells:
        if sheet not in self._lost:
            self._lost[sheet] = lost_cells(self.path, sheet) if self._is_xml else LostCells()
        return self._lost[sheet]

    def text(self, sheet: str) -> tuple[pl.DataFrame, bool]:
        """Return a sheet's cells as text, without blank rows at its end, and whether people see the sheet.

        Error values (#N/A) stand there as they do in a CSV file of the sheet.
        """
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
            cells, visible = loaded.to_polars() if filled else pl.DataFrame(), loaded.visible == "visible"
        except fastexcel.FastExcelError:
            raise unreadable(self.file) from None
        return self._with_errors(sheet, cells), visible

    def _with_errors(self, sheet: str, cells: pl.DataFrame) -> pl.DataFrame:
        """Put error values where the reader leaves blanks."""
        errors = self._lost_cells(sheet).errors
        return cells.with_columns(_put(column, errors.get(c, {})) for c, column in enumerate(cells))

    def formulas_without_values(self, sheet: str, names: Sequence[str | None], below: int) -> dict[str, int]:
        """Count the formulas of which no value is stored, by column."""
        formulas = self._lost_cells(sheet).formulas
        counts = {c: sum(row >= below for row in rows) for c, rows in formulas.items()}
        return {
            shown(name): counts[c] for c, name in enumerate(names) if name is not None and counts.get(c, 0)
        }

    def heads(self) -> dict[str, list[HeadRow]]:
        """Return the first rows of every sheet as text, by sheet name. The rows below are not read."""
        book, shifts = self._book, dict[str, int]()
        if self._is_xml:
            short = _shortened(self.path)
            book, shifts = _open(short, self.file), _shifts(self.path, short)
        try:
            return {
                name: _used(
                    book.load_sheet(name, header_row=None, skip_rows=0, n_rows=CUT, dtypes=TEXT).to_polars(),
                    shifts.get(name, 0),
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
    found = look.find(head)
    look.check(head, found, where)
    header = found if found is not None else widest_row(head)
    names = unique_names(head[header])
    check_columns(sum(name is not None for name in names), where)
    below = header + 1 + (look.below(head, header) if found is not None else 0)
    body = cells.slice(below)
    body.columns = [*every_name(names)]
    nameless = [column for column, name in zip(body.columns, names, strict=True) if not name]
    notes: dict[str, int | str | dict[str, int]] = {
        "formulas_without_values": book.formulas_without_values(sheet, names, below),
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
        titles=tuple(text.strip() for row in head[:header] for text in row if text and text.strip()),
        notes={name: said for name, said in notes.items() if said},
    )


def unreadable(file: str) -> FileFormatError:
    """Return the error of a workbook that its reader does not understand, without a cell that it quotes."""
    return FileFormatError(
        "The workbook cannot be opened",
        where=file,
        hint="It may be damaged or locked by a password: open it in a spreadsheet program and save it anew.",
    )


def _without_row_0(path: Path) -> Path | bytes:
    """Return the file, or a copy without remarks that a sheet begins at row 0: the reader refuses those."""
    with zipfile.ZipFile(path) as book:
        sheets = [part for part in book.namelist() if part.startswith("xl/worksheets/")]
        odd = {part for part in sheets if ROW_0.search(_start(book, part))}
        if not odd:
            return path
        copy = io.BytesIO()
        with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as mended:
            for part in book.namelist():
                cells = book.read(part)
                mended.writestr(part, ROW_0.sub(b"", cells, count=1) if part in odd else cells)
    return copy.getvalue()


def _start(book: zipfile.ZipFile, part: str) -> bytes:
    with book.open(part) as sheet:
        return sheet.read(HEAD_BYTES)


def _open(source: Path | bytes, file: str) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(source)
    except fastexcel.FastExcelError:
        raise unreadable(file) from None


def _put(column: pl.Series, found: Mapping[int, str | None]) -> pl.Series:
    """Put texts, or blanks, into rows of a column."""
    here = {row: text for row, text in found.items() if 0 <= row < column.len()}
    return column.clone().scatter([*here], [*here.values()]) if here else column


def _used(head: pl.DataFrame, shift: int) -> list[HeadRow]:
    """Return the rows up to the last column with text: a sheet may reach to column XFD.

    `shift` columns stand left of them, with cells far below only.
    """
    head = head.select(pl.all().str.replace_all(INVISIBLE, ""))
    used = [i for i, column in enumerate(head) if column.null_count() < head.height]
    return [(*[None] * shift, *row) for row in head[:, : max(used, default=-1) + 1].rows()]


def _shifts(path: Path, short: bytes) -> dict[str, int]:
    """Return how many columns right of its first one the first rows of a sheet begin.

    A reader takes the first column with something in it for the first one of all.
    """
    found: dict[str, int] = {}
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(io.BytesIO(short)) as head:
        for sheet, part in parts_of(whole).items():
            if part in head.namelist() and (begins := first_column(head, part)):
                found[sheet] = begins - first_column(whole, part)
    return found


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
        xml += chunk if xml else ROW_0.sub(b"", chunk, count=1)
        for row in _ROW_TAG.finditer(xml, seen):
            found, seen = found + 1, row.end()
            if found > CUT:
                prefix = row[1] or b""
                return bytes(xml[: row.start()]) + b"</%bsheetData></%bworksheet>" % (prefix, prefix)
        seen = max(seen, len(xml) - 64)  # a tag may be cut in two
    return bytes(xml)
