"""How large the sheets of a workbook are, told from its parts before a reader opens it.

A reader takes the whole rectangle that holds every cell with something in it, however few these are, and a
text once for each cell that cites it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    Chunks = Callable[[], Iterable[bytes]]
    Lengths = NDArray[np.int32]

#: A rectangle of no more cells is taken as it is, blank ones in it or not.
FEW_CELLS = 20_000_000
#: So many bytes of text are not counted cell by cell.
LITTLE_TEXT = 1 << 30

#: Cells as nearly all programs write them, and any cell or row at all.
_USUAL = re.compile(rb"<c r=\"([A-Z]+)(\d+)\"")
_USUAL_ROW = re.compile(rb"<row r=\"(\d+)\"")
_ENDS = (b" ", b">", b"/", b"\t", b"\n", b"\r")
_PREFIXED = re.compile(rb"<\w+:(?:c|row)[\s/>]")
#: Cells with something in them and the place they name; rows that name theirs; cells and rows that name none
#: and take the next one.
FILLED = re.compile(rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*[\"']([A-Za-z]+)(\d+)[\"'](?![^>]*/>)")
_ROW = re.compile(rb"<(?:\w+:)?row\s(?:[^>]*?\s)?r\s*=\s*[\"'](\d+)[\"']")
_NO_PLACE = re.compile(rb"<(?:\w+:)?(?:c|row)(?=[\s/>])(?![^>]*\sr\s*=)")
#: A cell or row with a sign in an attribute that would end the tag, which no program writes.
_HIDDEN_END = re.compile(
    rb"<(?:\w+:)?(?:c|row)\s(?:[^<>\"']|\"[^\"<>]*\"|'[^'<>]*')*(?:\"[^\"<>]*>|'[^'<>]*>)"
)
#: A sheet to its last corner.
WHOLE = 16_384, 1 << 20
_ROW_TAG, _CELL_TAG = re.compile(rb"<(?:\w+:)?row[\s/>]"), re.compile(rb"<(?:\w+:)?c[\s/>]")
#: A cell that cites a text, and the number of the text where it is written in the usual way.
_CITES = re.compile(rb"\st\s*=\s*[\"']s[\"']")
_CITED = re.compile(rb"<c [^<>]*?t=\"s\"[^<>]*><v>(\d{1,9})</v>")
_TEXT_ENDS = re.compile(rb"</(?:\w+:)?si\s*>")
#: Records of a binary workbook: a cell that cites a text, a text.
_CITING, _TEXT = 7, 19


class Extent(NamedTuple):
    """Width and height of the rectangle that holds every filled cell of a sheet, and a bound of its cells."""

    width: int
    height: int
    cells: int


def extent(chunks: Chunks) -> Extent:
    """Measure a sheet, given as a function that yields its XML in parts that end with a tag.

    A small rectangle may hold blank cells that are formatted. Where cells do not name their place it may be
    taken for larger than it is.
    """
    found = _quick(chunks())
    return found if found and found.width * found.height <= FEW_CELLS else _filled(chunks())


def _quick(chunks: Iterable[bytes]) -> Extent | None:
    """Measure a sheet in which every row and cell begins with its place; None where one does not."""
    columns, height, cells = set[bytes](), 0, 0
    for chunk in chunks:
        here, rows = _USUAL.findall(chunk), _USUAL_ROW.findall(chunk)
        usual = len(here) == _count(chunk, b"<c") and len(rows) == _count(chunk, b"<row")
        if not usual or _PREFIXED.search(chunk):
            return None
        columns.update(column for column, _ in here)
        numbers = {row for _, row in here}.union(rows)
        height = max([height, *map(int, numbers)])
        cells += len(here)
    return Extent(max(map(column_number, columns), default=0), height, cells)


def _count(chunk: bytes, tag: bytes) -> int:
    return sum(chunk.count(tag + end) for end in _ENDS)


def _filled(chunks: Iterable[bytes]) -> Extent:
    """Measure a sheet however it is written, by the cells that are not blank."""
    width = height = most = rows = here = cells = 0
    for chunk in chunks:
        filled = FILLED.findall(chunk)
        width = max([width, *map(column_number, {column for column, _ in filled})])
        height = max([height, *map(int, {row for _, row in filled})])
        counts = [len(_CELL_TAG.findall(row)) for row in _ROW_TAG.split(chunk)]
        cells += sum(counts)
        if _HIDDEN_END.search(chunk):
            width, height = WHOLE
        counts[0] += here  # the row in which the part before ended
        here = counts[-1]
        if _NO_PLACE.search(chunk):
            height = max([height, *map(int, set(_ROW.findall(chunk)))])
            most, rows = max(most, *counts), rows + len(counts)
    return Extent(width + most, height + rows, cells)


def text_lengths(chunks: Iterable[bytes]) -> Lengths:
    """Return the length of each text that cells may cite, in the order of the file, with its markup."""
    lengths: list[Lengths] = []
    rest = 0
    for chunk in chunks:
        here = np.array([*map(len, _TEXT_ENDS.split(chunk))], np.int32)
        here[0] += rest
        lengths.append(here[:-1])
        rest = int(here[-1])
    return np.concatenate([*lengths, np.array([rest], np.int32)])


def cited_text(chunks: Iterable[bytes], lengths: Lengths) -> int:
    """Add up the texts that the cells of a sheet cite; one cited in an odd way counts as the longest."""
    longest, total = int(lengths.max()), 0
    for chunk in chunks:
        numbers = np.array([int(n) for n in _CITED.findall(chunk)], np.int64)
        total += int(lengths[numbers[numbers < lengths.size]].sum())
        total += max(len(_CITES.findall(chunk)) - numbers.size, 0) * longest
    return total


def records(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Go through the records of a binary part: kind, place and size of each.

    Numbers have seven bits a byte, the last of which has no high bit.
    """
    place, end = 0, len(data)
    data += b"\0" * 8
    while place < end:
        kind, size = data[place], data[place + 1]
        place += 2
        if kind > 127:  # of two bytes
            kind |= size << 8
            size = data[place]
            place += 1
        shift = 0
        while size >> shift > 127 and shift < 21:
            shift += 7
            size = size & ~(128 << shift - 7) | data[place] << shift
            place += 1
        yield kind, place, size
        place += size


def extent_binary(data: bytes) -> Extent:
    """Measure a binary sheet: rows have the number 0, cells with something in them 2 to 11."""
    width = height = cells = 0
    for kind, place, size in records(data):
        if kind < 12 and size > 3 and kind != 1:
            number = int.from_bytes(data[place : place + 4], "little") + 1
            if kind:
                width, cells = max(number, width), cells + 1
            else:
                height = max(number, height)
    return Extent(width, height, cells)


def text_lengths_binary(data: bytes) -> Lengths:
    """Return the length of each text that cells of a binary workbook may cite."""
    return np.array([size for kind, _, size in records(data) if kind == _TEXT] or [0], np.int32)


def cited_text_binary(data: bytes, lengths: Lengths) -> int:
    """Add up the texts that the cells of a binary sheet cite."""
    places = [place for kind, place, size in records(data) if kind == _CITING and size >= 12]
    numbers = np.array([int.from_bytes(data[place + 8 : place + 12], "little") for place in places], np.int64)
    return int(lengths[numbers[numbers < lengths.size]].sum())


def column_number(letters: bytes) -> int:
    """Return the number of a column.

    Examples
    --------
    >>> column_number(b"A"), column_number(b"XFD")
    (1, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number
