"""Open a respondent file as a table, or say plainly why that cannot be done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.columns import identifying, names_question
from culture_metrics.extracts.layouts import look_for, refuse_results
from culture_metrics.extracts.sheets import read_sheet
from culture_metrics.files.at_hand import read_at_hand
from culture_metrics.files.kinds import NAMES
from culture_metrics.files.names import squeeze
from culture_metrics.files.opener import Opened, open_file

if TYPE_CHECKING:
    from collections.abc import Collection

    from culture_metrics.files.raw import RawTable


def open_table(
    source: Any,
    sheet: str | None = None,
    given: Collection[str] = (),
    *,
    head_only: bool = False,
    header_row: int | None = None,
) -> RawTable:
    """Open a CSV, Excel, Parquet, SPSS or Stata file, or take a table that is in memory.

    Parameters
    ----------
    source : path or table
        What to open.
    sheet : str, optional
        Sheet of a workbook.
    given : collection of str
        Names of columns that the user has matched, to find the header by.
    header_row : int, optional
        Number of the row with the names of columns, in a CSV file or sheet; found when left out.
    head_only : bool
        Read no more than is needed to tell what the file is, where the format allows that.

    Raises
    ------
    FileFormatError
        When the file is missing, empty, not what its name says, or no table of respondents.
    """
    if isinstance(source, str | Path):
        table = _table(open_file(source), sheet, given, header_row, head_only=head_only)
    else:
        table = read_at_hand(source)
    if table.header_row is None:  # of a kind that has one header, and no first rows
        refuse_results([list(table.names)], table.where)
    if not table.has_rows():
        raise FileFormatError(
            "The table has a header but no rows" if table.names else "The table is empty",
            where=table.where,
            hint="Check that the right file and sheet were given.",
        )
    return table


def _table(
    opened: Opened,
    sheet: str | None,
    given: Collection[str],
    header_row: int | None,
    *,
    head_only: bool,
) -> RawTable:
    if opened.kind == "excel":
        table, others = read_sheet(opened.workbook(), sheet, given, header_row)
        return replace(table, notes={**table.notes, **({"other_sheets": others} if others else {})})
    if sheet is not None:
        raise FileFormatError(
            f"Only a workbook has sheets, and this is {NAMES[opened.kind]}",
            where=opened.file,
            hint="Leave out sheet=.",
        )
    if opened.kind == "csv":
        return opened.text(look_for(given, header_row), head_only=head_only)
    if opened.kind == "parquet":
        return opened.columnar(head_only=head_only)
    return opened.labelled(_known, head_only=head_only)


def _known(name: str) -> bool:
    return names_question(name) or squeeze(name) in identifying()
