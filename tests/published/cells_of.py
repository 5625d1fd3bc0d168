"""Read an official workbook a second time, with code of the tests' own: raw cells of fastexcel, walked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import fastexcel

if TYPE_CHECKING:
    from pathlib import Path

HEADER = 4  # row of the headers, counted from 0


class Column(NamedTuple):
    """A column of figures: the code in its title, its header, its cells and what they hold as text."""

    code: str
    header: str
    figures: list[float | None]
    texts: list[str | None]


class Sheet(NamedTuple):
    """A sheet: the id columns of its rows, and its columns of figures in the order of the file."""

    ids: list[tuple[str | None, ...]]
    columns: list[Column]


def read_cells(path: Path, ids: int) -> list[Sheet]:
    """Return every sheet of results; `ids` columns say whom a row is about."""
    book = fastexcel.read_excel(path)
    found = []
    for name in book.sheet_names:
        whole: Any = {"header_row": None, "skip_rows": 0}
        text = book.load_sheet(name, dtypes="string", **whole).to_polars()
        if text.height <= HEADER or text.width <= ids:
            continue
        number = book.load_sheet(name, dtypes="float", **whole).to_polars()
        titles, headers = text.row(0), text.row(HEADER)
        body = text.slice(HEADER + 1)
        columns, code = [], ""
        for i in range(ids, text.width):
            if titles[i]:
                code = titles[i].split(" - ")[0].strip()
            if headers[i]:
                figures = number.to_series(i).slice(HEADER + 1).to_list()
                columns.append(Column(code, headers[i], figures, body.to_series(i).to_list()))
        found.append(Sheet([row[:ids] for row in body.rows()], columns))
    return found


def blocks(sheets: list[Sheet]) -> dict[str, tuple[list[tuple[str | None, ...]], list[Column]]]:
    """Return the columns of every title, in the order of the file, by its code."""
    found: dict[str, tuple[list[tuple[str | None, ...]], list[Column]]] = {}
    for sheet in sheets:
        for column in sheet.columns:
            found.setdefault(column.code.casefold(), (sheet.ids, []))[1].append(column)
    return found
