"""Open Excel workbooks: the sheet and the header row are found by the names of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.layouts import (
    HEAD_ROWS,
    find_header,
    header_score,
    kind_of_results,
    refuse_results,
    refuse_swapped,
    rows_of_wording,
    widest_row,
)
from culture_metrics.extracts.raw import RawTable, unique_names
from culture_metrics.extracts.safety import check_columns, check_workbook

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    import fastexcel

_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_workbook(
    path: Path, sheet: str | None = None, given: Collection[str] = (), sha256: str | None = None
) -> RawTable:
    """Open a workbook (.xlsx, .xlsm, .xlsb, .xls).

    Parameters
    ----------
    path : Path
        The file.
    sheet : str, optional
        Name of the sheet; the one with columns of questions when left out.
    given : collection of str
        Names of columns that the user has matched, to find the header by.
    sha256 : str, optional
        Hash of the file, for provenance.

    Raises
    ------
    FileFormatError
        When it cannot be opened, has no such sheet, or more than one sheet could be meant.
    """
    import fastexcel

    check_workbook(path)
    try:
        book = fastexcel.read_excel(path)
        chosen, frame, others = _choose(book, sheet, given, path.name)
    except fastexcel.FastExcelError as error:
        raise FileFormatError(
            "The workbook cannot be opened",
            where=path.name,
            hint="It may be damaged or protected by a password: save it anew as .xlsx.",
        ) from error
    where = f"{path.name}, sheet {chosen}"
    head = frame.head(HEAD_ROWS).rows()
    if not head:
        hint = f"The other sheets are {', '.join(others)}; name one with sheet=." if others else ""
        raise FileFormatError(
            "The table is empty", where=where, hint=hint or "Check that the right file was given."
        )
    found = find_header(head, given)
    refuse_results(head, where)
    refuse_swapped(head, found, where)
    header = found if found is not None else widest_row(head)
    names = unique_names(head[header])
    check_columns(sum(name is not None for name in names), where)
    below = header + 1 + (rows_of_wording(head, header) if found is not None else 0)
    frame = frame.slice(below)
    nameless = [c for c, name in zip(frame.columns, names, strict=True) if not name]
    notes: dict[str, int | str] = {
        "rows_of_wording": below - header - 1,
        "columns_without_name": sum(s.null_count() < s.len() for s in frame.select(nameless)),
        "other_sheets": ", ".join(others) if sheet is None else "",
    }
    frame = frame.select(
        pl.col(column).alias(name) for column, name in zip(frame.columns, names, strict=True) if name
    )
    return RawTable(
        names=tuple(frame.columns),
        lazy=frame.lazy(),
        file=path.name,
        kind="excel",
        first_row=below + 1,
        folder=path.parent,
        sha256=sha256,
        sheet=chosen,
        header_row=header + 1,
        notes={name: said for name, said in notes.items() if said},
    )


def is_encrypted(path: Path) -> bool:
    """Tell whether a workbook is wrapped in a password."""
    return _ENCRYPTED in path.read_bytes()


def _choose(
    book: fastexcel.ExcelReader, sheet: str | None, given: Collection[str], file: str
) -> tuple[str, pl.DataFrame, list[str]]:
    """Return the sheet's name and cells, and the names of the other sheets."""
    names = book.sheet_names
    if not names:
        raise FileFormatError(
            "The workbook has no sheet with cells", where=file, hint="Ask for the data as a table."
        )
    if sheet is not None:
        folded = {name.strip().casefold(): name for name in names}
        if sheet.strip().casefold() not in folded:
            raise FileFormatError(
                f"The workbook has no sheet '{sheet}'", where=file, expected=", ".join(names)
            )
        chosen = folded[sheet.strip().casefold()]
        return chosen, _cells(book, chosen)[0], [n for n in names if n != chosen]
    if len(names) == 1:
        return names[0], _cells(book, names[0])[0], []
    found: list[tuple[int, bool, str]] = []
    cells: dict[str, pl.DataFrame] = {}
    results: list[tuple[str, list[tuple[str | None, ...]]]] = []
    for name in names:
        frame, visible = _cells(book, name)
        head = frame.head(HEAD_ROWS).rows()
        header = find_header(head, given)
        if kind_of_results(head):
            results.append((name, head))
        elif header is not None:
            found.append((header_score(head[header], given), visible, name))
            cells[name] = frame
    most = max((score for score, _, _ in found), default=0)
    # A list of codes has one code per row: such a sheet is none of respondents.
    found = [item for item in found if item[0] == most or item[0] > max(1, most / 3)]
    found = [item for item in found if item[1]] or found
    if len(found) > 1:
        listed = ", ".join(f"{name} ({score} question columns)" for score, _, name in found)
        raise FileFormatError(
            "More than one sheet could hold the respondents",
            where=file,
            got=listed,
            hint=f"Name one: sheet='{found[0][2]}'.",
        )
    if not found:
        for name, head in results:
            refuse_results(head, f"{file}, sheet {name}")
        first = names[0]
        return first, _cells(book, first)[0], [n for n in names if n != first]
    chosen = found[0][2]
    return chosen, cells[chosen], [n for n in names if n != chosen]


def _cells(book: fastexcel.ExcelReader, name: str) -> tuple[pl.DataFrame, bool]:
    """Return a sheet's cells as text, without blank rows at its end, and whether people see the sheet."""
    sheet = book.load_sheet(
        name,
        header_row=None,
        skip_rows=0,
        dtypes="string",
        skip_whitespace_tail_rows=True,
        whitespace_as_null=True,
    )
    filled = sheet.height > 0 and sheet.width > 0
    return sheet.to_polars() if filled else pl.DataFrame(), sheet.visible == "visible"
