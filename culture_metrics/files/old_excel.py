"""How large the sheets of an old Excel workbook (.xls) are, told from its records before a reader opens it.

Sources: [MS-CFB] for the container, a small file system in sectors; [MS-XLS] for the records.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Streams that hold the sheets, by version.
_STREAMS = ("Workbook", "Book")
_BEGIN, _LOCKED, _SEVERAL = 0x0809, 0x002F, 0x00BD
#: Records of one cell with something in it; each begins with its row and column.
_CELLS = {0x0006, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x027E, _SEVERAL}


def extents(data: bytes) -> list[tuple[int, int]]:
    """Return the width and height of the rectangle that holds every cell of a sheet, for each sheet.

    Nothing of a workbook that is locked with a password: its records cannot be read.

    Raises
    ------
    ValueError, IndexError, struct.error
        When the file is damaged.
    """
    records, place = _book(data), 0
    found: list[tuple[int, int]] = []
    width = height = 0
    while place + 4 <= len(records):
        kind, size = struct.unpack_from("<HH", records, place)
        place += 4
        if kind in _CELLS and size >= 4:
            row, column = struct.unpack_from("<HH", records, place)
            if kind == _SEVERAL:
                (column,) = struct.unpack_from("<H", records, place + size - 2)
            height, width = max(height, row + 1), max(width, column + 1)
        elif kind == _BEGIN:
            found.append((width, height))
            width = height = 0
        elif kind == _LOCKED:
            return []
        place += size
    return [*found, (width, height)]


def _book(data: bytes) -> bytes:
    """Take the stream with the workbook out of the container."""
    shift, small_shift = struct.unpack_from("<HH", data, 30)
    root, _, limit, first_small = struct.unpack_from("<IIII", data, 48)
    size, small = 1 << shift, 1 << small_shift
    if shift not in (9, 12) or small_shift >= shift:
        raise ValueError("no container")
    sectors = [data[i : i + size] for i in range(size, len(data), size)]
    table = _numbers(b"".join(sectors[n] for n in _tables(data, sectors)))

    def stream(start: int) -> bytes:
        return b"".join(sectors[n] for n in _chain(table, start))

    streams = _streams(stream(root))
    start, length = next(streams[name] for name in _STREAMS if name in streams)
    if length >= limit:
        return stream(start)[:length]
    held = stream(streams["Root Entry"][0])
    places = _chain(_numbers(stream(first_small)), start)
    return b"".join(held[n * small : (n + 1) * small] for n in places)[:length]


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _tables(data: bytes, sectors: list[bytes]) -> list[int]:
    """List the sectors that hold the table of chains: 109 in the header, others in a list of their own."""
    more, count = struct.unpack_from("<II", data, 68)
    found = list(_numbers(data[76:512]))
    for _ in range(min(count, len(sectors))):
        if more >= len(sectors):
            break
        *part, more = _numbers(sectors[more])
        found += part
    return [n for n in found if n < len(sectors)]


def _chain(table: tuple[int, ...], start: int) -> Iterator[int]:
    """Follow the places of a stream to its end; one that goes round in circles is damaged."""
    for _ in table:
        if start >= len(table):  # also the marks for the end
            return
        yield start
        start = table[start]
    if start < len(table):
        raise ValueError("a chain without end")


def _streams(folder: bytes) -> dict[str, tuple[int, int]]:
    """Return where each stream starts and how long it is."""
    found: dict[str, tuple[int, int]] = {}
    for i in range(0, len(folder) - 127, 128):
        (letters,) = struct.unpack_from("<H", folder, i + 64)
        name = folder[i : i + max(letters - 2, 0)].decode("utf-16-le", errors="replace")
        start, length = struct.unpack_from("<II", folder, i + 116)
        found.setdefault(name, (start, length))
    return found
