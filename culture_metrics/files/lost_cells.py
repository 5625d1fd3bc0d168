"""Cells of an Excel workbook that its reader leaves blank: error values, and formulas without a stored value.

Cells that are true or false, which its reader takes for the numbers 1 and 0, are found too. A program that
writes formulas and does not work them out stores none of their values: Excel does that when it opens and
saves the workbook.
"""

from __future__ import annotations

import re
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from culture_metrics.files.extents import FILLED, column_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: How much of a sheet is unpacked at a time.
CHUNK = 1 << 20
#: What stands in the text of a cell whose formula has no stored value.
NO_VALUE = "(formula without a stored value)"
_FORMULA = rb"<(?:\w+:)?f(?:\s[^>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)"
_ERROR = re.compile(
    rb"<(?:\w+:)?c\s([^>]*\bt\s*=\s*[\"']e[\"'][^>]*)>\s*(?:" + _FORMULA + rb")?\s*<(?:\w+:)?v>([^<]*)<"
)
_NO_VALUE = re.compile(
    rb"<(?:\w+:)?c\s([^>]*[^/>])>\s*" + _FORMULA + rb"\s*(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</(?:\w+:)?v>)?"
    rb"\s*</(?:\w+:)?c>"
)
_TRUE_FALSE = re.compile(rb"<(?:\w+:)?c\s([^>]*\bt\s*=\s*[\"']b[\"'][^>]*)>")
_PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]+)(\d+)[\"']")
#: A formula whose value is an empty text has one.
_TEXT = re.compile(rb"\bt\s*=\s*[\"']str[\"']")
#: Without one of these a sheet has no formula, error value, true or false.
_SIGNS = (b'"e"', b"'e'", b'"b"', b"'b'", b"<f", b":f")
_ROW_END = re.compile(rb"</(?:\w+:)?row\s*>")
#: The rectangle of a sheet, told from a row 0, which there is not, or written as formulas write it. Readers
#: can do without this remark.
ROW_0 = re.compile(
    rb"<(?:\w+:)?dimension\s[^>]*\bref\s*=\s*[\"']"
    rb"(?![A-Za-z]{1,3}[1-9]\d*(?::[A-Za-z]{1,3}[1-9]\d*)?[\"'])[^>]*>"
)


@dataclass
class LostCells:
    """Cells that are read as blank, by column and row as the frame of the sheet counts them, from 0.

    `truths` are cells that are true or false.
    """

    errors: dict[int, dict[int, str]] = field(default_factory=dict)
    formulas: dict[int, list[int]] = field(default_factory=dict)
    truths: dict[int, list[int]] = field(default_factory=dict)

    def texts(self, column: int) -> dict[int, str]:
        """Return what stands in the cells of a column that are read as blank, by row."""
        return {**dict.fromkeys(self.formulas.get(column, ()), NO_VALUE), **self.errors.get(column, {})}


def lost_cells(path: Path, sheet: str) -> LostCells:
    """Find the error values, and the formulas without a value, of a sheet of an .xlsx workbook."""
    errors: list[tuple[int, int, str]] = []
    formulas: list[tuple[int, int]] = []
    truths: list[tuple[int, int]] = []
    with zipfile.ZipFile(path) as book:
        part = parts_of(book).get(sheet)
        if part is None or part not in book.namelist() or not _may_have_some(book, part):
            return LostCells()
        for rows in _rows(book, part):
            if b'"e"' in rows or b"'e'" in rows:
                errors += [
                    (*place, found[2].decode("utf-8", "replace"))
                    for found in _ERROR.finditer(rows)
                    if (place := _place(found[1]))
                ]
            if b"<f" in rows or b":f" in rows:
                formulas += [
                    place
                    for found in _NO_VALUE.finditer(rows)
                    if not _TEXT.search(found[1]) and (place := _place(found[1]))
                ]
            if b'"b"' in rows or b"'b'" in rows:
                truths += [place for found in _TRUE_FALSE.finditer(rows) if (place := _place(found[1]))]
        if not errors and not formulas and not truths:
            return LostCells()
        first = _first_column(book, part, Counter(column for column, _ in formulas))
    found = LostCells()
    for column, row, text in errors:
        found.errors.setdefault(column - first, {})[row] = text
    for places, by_column in ((formulas, found.formulas), (truths, found.truths)):
        for column, row in places:
            by_column.setdefault(column - first, []).append(row)
    return found


def first_column(book: zipfile.ZipFile, part: str) -> int:
    """Return the first column of a sheet with something in it."""
    return _first_column(book, part, Counter())


def parts_of(book: zipfile.ZipFile) -> dict[str, str]:
    """Return the part of the file that holds each sheet."""
    try:
        listed = ElementTree.fromstring(book.read("xl/workbook.xml"))
        linked = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return {}
    targets = {one.get("Id"): one.get("Target", "") for one in linked}
    found: dict[str, str] = {}
    for sheet in listed.iter():
        if sheet.tag.rpartition("}")[2] == "sheet":
            link = next((value for name, value in sheet.attrib.items() if name.endswith("}id")), None)
            target = targets.get(link, "")
            found[sheet.get("name", "")] = target[1:] if target.startswith("/") else f"xl/{target}"
    return found


def _may_have_some(book: zipfile.ZipFile, part: str) -> bool:
    """Look for signs of such cells, which most sheets have none of, without taking the rows apart."""
    before = b""
    with book.open(part) as stream:
        while piece := stream.read(CHUNK):
            if any(sign in before + piece for sign in _SIGNS):
                return True
            before = piece[-4:]
    return False


def _rows(book: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield the XML of a sheet in pieces of whole rows."""
    rest = b""
    with book.open(part) as stream:
        while piece := stream.read(CHUNK):
            rest += piece
            ends = [found.end() for found in _ROW_END.finditer(rest)]
            if ends:
                yield rest[: ends[-1]]
                rest = rest[ends[-1] :]
    yield rest


def _place(attributes: bytes) -> tuple[int, int] | None:
    found = _PLACE.search(attributes)
    return (column_number(found[1]) - 1, int(found[2]) - 1) if found else None


def _first_column(book: zipfile.ZipFile, part: str, empty: Counter[int]) -> int:
    """Return the first column with something in it, where the frame of a sheet begins."""
    filled: Counter[int] = Counter()
    for rows in _rows(book, part):
        cells = Counter(column for column, _ in FILLED.findall(rows))
        filled.update({column_number(column) - 1: n for column, n in cells.items()})
    return min((column for column, n in filled.items() if n > empty[column]), default=0)
