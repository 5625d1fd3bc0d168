"""Find the sheet of a workbook that holds the respondents, by the names of questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.layouts import header_score, look_for, refuse_results
from culture_metrics.files.contents import kind_of_results
from culture_metrics.files.header import HEAD_ROWS, find_header
from culture_metrics.files.workbooks import sheet_table

if TYPE_CHECKING:
    from collections.abc import Collection

    import polars as pl

    from culture_metrics.files.raw import RawTable
    from culture_metrics.files.workbooks import Workbook


def read_sheet(
    book: Workbook, sheet: str | None, given: Collection[str], header_row: int | None = None
) -> tuple[RawTable, str]:
    """Return the table of the respondents, and the names of the other sheets where none was named.

    Parameters
    ----------
    book : Workbook
        The file.
    sheet : str, optional
        Name of the sheet; the one with columns of questions when left out.
    given : collection of str
        Names of columns that the user has matched, to find the header by.
    header_row : int, optional
        Number of the row with the names of columns, where the user names it.

    Raises
    ------
    FileFormatError
        When it has no such sheet, or more than one sheet could be meant.
    """
    chosen, cells = _choose(book, sheet, given)
    others = ", ".join(name for name in book.sheets if name != chosen)
    if cells.is_empty():
        hint = f"The other sheets are {others}; name one with sheet=." if others else ""
        raise FileFormatError(
            "The table is empty",
            where=f"{book.file}, sheet {chosen}",
            hint=hint or "Check that the right file was given.",
        )
    return sheet_table(book, chosen, cells, look_for(given, header_row)), "" if sheet else others


def _choose(book: Workbook, sheet: str | None, given: Collection[str]) -> tuple[str, pl.DataFrame]:
    """Return the sheet's name and cells."""
    names = book.sheets
    if not names:
        raise FileFormatError(
            "The workbook has no sheet with cells", where=book.file, hint="Ask for the data as a table."
        )
    if sheet is not None or len(names) == 1:
        chosen = names[0] if sheet is None else book.find(sheet)
        return chosen, book.text(chosen)[0]
    look = look_for(given)
    found: list[tuple[int, bool, str]] = []
    cells: dict[str, pl.DataFrame] = {}
    results: list[tuple[str, list[tuple[str | None, ...]]]] = []
    for name in names:
        frame, visible = book.text(name)
        head = frame.head(HEAD_ROWS).rows()
        header = find_header(head, look.score)
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
            where=book.file,
            got=listed,
            hint=f"Name one: sheet='{found[0][2]}'.",
        )
    if not found:
        for name, head in results:
            refuse_results(head, f"{book.file}, sheet {name}")
        return names[0], book.text(names[0])[0]
    chosen = found[0][2]
    return chosen, cells[chosen]
