"""Open an Excel file: what kind of file it is, the head of every sheet, and the rows of figures."""

from __future__ import annotations

import io
import os
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, Any, TypeVar

import fastexcel
import numpy as np
import numpy.typing as npt
import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.files import SIGNATURES
from culture_metrics.extracts.safety import check_sheet, check_size

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from culture_metrics.published.layout import Row, Table

#: Rows from the top in which titles and header are looked for, and how much is unpacked at a time.
HEAD_ROWS = 20
CHUNK = 1 << 16
WORKERS = 4
#: First bytes of an .xls file, and of an .xlsx file that is locked with a password.
OLD_EXCEL = b"\xd0\xcf\x11\xe0"

_ROW = re.compile(rb"<(\w+:)?row[\s/>]")
#: What a workbook needs beside its sheets to be read.
_FRAME = re.compile(
    r"(\[Content_Types\]\.xml|_rels/.*|xl/(_rels/.*|workbook\.xml|sharedStrings\.xml|styles\.xml))$"
)

Grid = npt.NDArray[Any]
Job = TypeVar("Job")
Done = TypeVar("Done")


@dataclass(frozen=True)
class Body:
    """The rows under the header of one sheet.

    `ids` has the id columns as text and `row` as Excel counts; `numbers` every figure with full precision,
    NaN where a cell is no number, its columns counted from `first`; `gaps` are the columns with such cells,
    `text` is what stands in them.
    """

    ids: pl.DataFrame
    numbers: Grid
    first: int
    gaps: tuple[int, ...]
    text: pl.DataFrame


def load_heads(path: Path) -> dict[str, list[Row]]:
    """Return the first rows of every sheet as text, by sheet name. The rest of the sheets is not unpacked.

    Raises
    ------
    FileFormatError
        When the file does not exist, is no Excel workbook, cannot be opened or needs more than the memory.
    """
    _refuse_other_files(path)
    try:
        book = fastexcel.read_excel(_shortened(path))
        return {
            name: _rows(book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars())
            for name in book.sheet_names
        }
    except (fastexcel.FastExcelError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise unreadable(path, error) from error


def _rows(head: pl.DataFrame) -> list[Row]:
    """Return the rows up to the last column with text: a sheet may reach to column XFD."""
    used = [i for i, column in enumerate(head) if column.null_count() < head.height]
    return head[:, : max(used, default=-1) + 1].rows()


def _shortened(path: Path) -> bytes:
    """Return a copy of a workbook whose sheets end after the first rows."""
    copy = io.BytesIO()
    with zipfile.ZipFile(path) as book, zipfile.ZipFile(copy, "w") as short:
        check_size(book.infolist(), path)
        for part in book.namelist():
            if part.startswith("xl/worksheets/") and part.endswith(".xml"):
                with book.open(part) as sheet:
                    rows = _first_rows(sheet)
                check_sheet(rows, f"{path.name}, part {part}")
                short.writestr(part, rows)
            elif _FRAME.match(part):
                short.writestr(part, book.read(part))
    return copy.getvalue()


def _first_rows(sheet: IO[bytes]) -> bytes:
    """Take the XML of a sheet up to `HEAD_ROWS` rows and close it."""
    xml, rows = b"", list[re.Match[bytes]]()
    while len(rows) <= HEAD_ROWS and (chunk := sheet.read(CHUNK)):
        xml += chunk
        rows = list(islice(_ROW.finditer(xml), HEAD_ROWS + 1))
    if len(rows) <= HEAD_ROWS:
        return xml
    prefix = rows[0][1] or b""
    return xml[: rows[-1].start()] + b"</%bsheetData></%bworksheet>" % (prefix, prefix)


def load_bodies(path: Path, tables: Sequence[Table]) -> list[Body]:
    """Return the rows of figures of every table."""
    try:
        return _in_threads(path, tables, _body)
    except fastexcel.FastExcelError as error:
        raise unreadable(path, error) from error


def _in_threads(
    path: Path, jobs: Sequence[Job], work: Callable[[fastexcel.ExcelReader, Job], Done]
) -> list[Done]:
    """Share jobs out to threads, each with a reader of its own: fastexcel works outside Python's lock."""
    workers = max(1, min(WORKERS, os.cpu_count() or 1, len(jobs)))

    def share(start: int) -> list[Done]:
        reader = fastexcel.read_excel(path)
        return [work(reader, job) for job in jobs[start::workers]]

    with ThreadPoolExecutor(workers) as pool:
        shares = list(pool.map(share, range(workers)))
    return [shares[i % workers][i // workers] for i in range(len(jobs))]


def _body(reader: fastexcel.ExcelReader, table: Table) -> Body:
    """Load numbers as numbers: loaded as text they would keep nine decimals only."""
    first, last = table.first, table.last
    dtypes: dict[str | int, fastexcel.DType] = dict.fromkeys(range(first), "string")
    dtypes |= dict.fromkeys(range(first, last + 1), "float")
    start = table.header_row + 1
    frame = reader.load_sheet(
        table.sheet, header_row=None, skip_rows=start, use_columns=list(range(last + 1)), dtypes=dtypes
    ).to_polars()
    rows = pl.int_range(start + 1, start + 1 + frame.height, eager=True)
    ids = frame.select(rows.alias("row"), *(pl.nth(i).alias(name) for name, i in table.ids.items()))
    numbers = frame[:, first:].to_numpy()
    there = ids.select(pl.any_horizontal(pl.exclude("row").is_not_null())).to_series().to_numpy()
    gaps = [first + int(i) for i in np.isnan(numbers[there]).any(axis=0).nonzero()[0]]
    if not gaps:
        return Body(ids, numbers, first, (), pl.DataFrame())
    text = reader.load_sheet(
        table.sheet, header_row=None, skip_rows=start, use_columns=gaps, dtypes="string"
    ).to_polars()
    return Body(ids, numbers, first, tuple(gaps), text)


def unreadable(path: Path, error: Exception) -> FileFormatError:
    """Return the error of a workbook that the reader of Excel files does not understand."""
    return FileFormatError(
        "The workbook cannot be opened",
        where=path.name,
        got=str(error).splitlines()[0],
        hint="Open it in Excel, save it again as .xlsx and read that file.",
    )


def _refuse_other_files(path: Path) -> None:
    if not path.is_file():
        raise FileFormatError(
            "There is no such file", where=path.name, hint="Check the folder and the spelling of the name."
        )
    if zipfile.is_zipfile(path):
        return
    with path.open("rb") as file:
        start = file.read(16)
    known = (name for sign, name, _ in SIGNATURES if start.startswith(sign))
    kind = next(known, "text or another kind of file") if start else "an empty file"
    if start.startswith(OLD_EXCEL):
        kind += " or a workbook locked with a password"
    raise FileFormatError(
        "The file is not an Excel workbook (.xlsx)",
        where=path.name,
        got=kind,
        hint="Take the detailed spreadsheet (.xlsx) from the results website as it was downloaded.",
    )
