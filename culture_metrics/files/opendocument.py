"""Measure the sheets of an OpenDocument spreadsheet (.ods): a cell and a row say how often they are repeated.

One tag may stand for a million rows, so the size of the file says nothing about what a reader makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.parsers import expat

from culture_metrics.errors import FileFormatError
from culture_metrics.files.extents import Extent

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterable
    from pathlib import Path

CONTENT, MANIFEST = "content.xml", "META-INF/manifest.xml"
_SHEET = b"application/vnd.oasis.opendocument.spreadsheet"
_TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_OFFICE = "urn:oasis:names:tc:opendocument:xmlns:office:1.0 "
_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_ROW, _SHEET_TAG = f"{_TABLE}table-row", f"{_TABLE}table"
_ACROSS, _DOWN = f"{_TABLE}number-columns-repeated", f"{_TABLE}number-rows-repeated"
#: What makes a cell more than a blank one with a format.
_VALUES = (f"{_OFFICE}value-type", f"{_TABLE}formula")


def check_opendocument(archive: zipfile.ZipFile, path: Path) -> None:
    """Stop at what is named .ods and is none, or is locked.

    Raises
    ------
    FileFormatError
        With what it is, and what helps.
    """
    parts = set(archive.namelist())
    if "xl/workbook.xml" in parts or "xl/workbook.bin" in parts:
        raise FileFormatError(
            "The file is named .ods but is an Excel workbook",
            where=path.name,
            hint="Give it the ending .xlsx (or .xlsb).",
        )
    kind = archive.read("mimetype").strip() if "mimetype" in parts else _SHEET
    if CONTENT not in parts or not kind.startswith(_SHEET):
        raise FileFormatError(
            "The file is named .ods but is no spreadsheet",
            where=path.name,
            expected="an OpenDocument spreadsheet",
            hint="Open it in the program that it comes from, and save its table as .ods, .xlsx or CSV UTF-8.",
        )
    if MANIFEST in parts and b"encryption-data" in archive.read(MANIFEST):
        raise FileFormatError(
            "The workbook is protected by a password",
            where=path.name,
            hint="Open it in LibreOffice, take the password off and save it.",
        )


def measure_opendocument(chunks: Iterable[bytes]) -> tuple[Extent, int]:
    """Return the largest sheet with every repetition written out, and the letters of all sheets."""
    found = _Sheets()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler, parser.EndElementHandler = found.start, found.end
    parser.CharacterDataHandler = found.text
    try:
        for chunk in chunks:
            parser.Parse(chunk)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise ValueError("its XML is broken") from error
    return max(found.extents, key=lambda e: e.width * e.height, default=Extent(0, 0, 0)), found.letters


@dataclass
class _Sheets:
    """What is seen while the XML goes by. Readers drop blank cells and rows after the last filled one."""

    extents: list[Extent] = field(default_factory=list)
    letters: int = 0
    _width: int = 0
    _height: int = 0
    _cells: int = 0
    _rows: int = 0
    _down: int = 1
    _place: int = 0
    _reach: int = 0
    _filled: int = 0
    _row_letters: int = 0
    _across: int = 0
    _value: bool = False
    _cell_letters: int = 0

    def start(self, name: str, about: dict[str, str]) -> None:
        if name in _CELLS:
            self._across = int(about.get(_ACROSS, 1))
            self._value, self._cell_letters = any(a in about for a in _VALUES), 0
        elif name == _ROW:
            self._down, self._place, self._reach = int(about.get(_DOWN, 1)), 0, 0
            self._filled = self._row_letters = 0
        elif name == _SHEET_TAG:
            self._width = self._height = self._cells = self._rows = 0

    def text(self, text: str) -> None:
        self._cell_letters += len(text)

    def end(self, name: str) -> None:
        if name in _CELLS:
            self._place += self._across
            if self._value or self._cell_letters:
                self._reach, self._filled = self._place, self._filled + self._across
                self._row_letters += self._across * self._cell_letters
            self._cell_letters = 0
        elif name == _ROW:
            self._rows += self._down
            if self._reach:
                self._width, self._height = max(self._width, self._reach), self._rows
                self._cells += self._down * self._filled
                self.letters += self._down * self._row_letters
        elif name == _SHEET_TAG:
            self.extents.append(Extent(self._width, self._height, self._cells))
