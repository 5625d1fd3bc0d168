"""Refuse what would eat the memory or attack the reader, before it is opened."""

from __future__ import annotations

import os
import re
import struct
import sys
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.old_excel import extents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: Limits, documented in `read_extract`.
MAX_COLUMNS = 2_000
MAX_UNPACKED = 2 << 30
MAX_RATIO = 200
#: A file may be packed as tightly as it likes while it stays this small.
SMALL = 100 << 20
#: Taken for the free memory where the system does not tell.
MEMORY_WHEN_UNKNOWN = 8 << 30
#: Address space that a report on a small file needs: with 1.6 GB it fails, with 2 GB it is made.
ADDRESS_SPACE = 2_000_000_000
_CONTAINER = Path("/sys/fs/cgroup")
#: Bytes that one cell of a sheet's rectangle takes while it is read, blank or not.
CELL = 48

#: Bytes that a row takes besides: its number, who answered, where, and what is found about it.
ROW = 200

_CHUNK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, LookupError, StopIteration)
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)|<\0!\0(?:D|E)\0", re.I)
_DIMENSION = re.compile(rb"<(?:\w+:)?dimension[^>]*?\sref=\"(?:[A-Z]+\d+:)?([A-Z]{1,3})(\d{1,7})\"")
_BINARY_DIMENSION = re.compile(rb"\x94\x01\x10(.{16})", re.S)
#: Cells with something in them and the place they name; rows that name theirs; cells and rows that name none
#: and take the next one.
_FILLED = re.compile(rb"<(?:\w+:)?c\s(?:[^>]*?\s)?r\s*=\s*[\"']([A-Za-z]+)(\d+)[\"'](?![^>]*/>)")
_ROW = re.compile(rb"<(?:\w+:)?row\s(?:[^>]*?\s)?r\s*=\s*[\"'](\d+)[\"']")
_NO_PLACE = re.compile(rb"<(?:\w+:)?(?:c|row)(?=[\s/>])(?![^>]*\sr\s*=)")
_ROW_TAG, _CELL_TAG = re.compile(rb"<(?:\w+:)?row[\s/>]"), re.compile(rb"<(?:\w+:)?c[\s/>]")


def available_memory() -> int:
    """Return the memory in bytes that this process may still take, as far as the system tells.

    That is what is free, or less where the process or its container has a limit.
    """
    limits = (_free_in_container(), _free_address_space())
    return min([_free(), *(limit for limit in limits if limit is not None)])


def _free() -> int:
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file() and (found := re.search(r"MemAvailable:\s+(\d+) kB", meminfo.read_text())):
        return int(found[1]) * 1024
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return MEMORY_WHEN_UNKNOWN


def _free_in_container() -> int | None:
    try:
        limit, used = (int((_CONTAINER / name).read_text()) for name in ("memory.max", "memory.current"))
    except (OSError, ValueError):  # not Linux, or the limit is "max"
        return None
    return max(limit - used, 0)


def _free_address_space() -> int | None:
    limit = address_space()
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (OSError, ValueError):
        pages = 0
    return None if limit is None else max(limit - pages * os.sysconf("SC_PAGE_SIZE"), 0)


def address_space() -> int | None:
    """Return the limit of address space in bytes that is set for this process (`ulimit -v`), if one is."""
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return None if limit == resource.RLIM_INFINITY else limit


def check_address_space(what: str) -> None:
    """Stop before work for which the limit of address space is too low.

    Polars, NumPy and the threads of both reserve far more than they use. Where they get none they end the
    process or wait for ever, and neither can be caught.

    Raises
    ------
    FileFormatError
        With both figures.
    """
    limit = address_space()
    if limit is not None and limit < ADDRESS_SPACE:
        raise FileFormatError(
            f"{what} needs more address space than is allowed here",
            expected=f"a limit of at least {_size(ADDRESS_SPACE)}",
            got=f"a limit of {_size(limit)}",
            hint="Raise it (ulimit -v unlimited), or ask whoever set it.",
        )


def check_memory(
    need: int,
    where: str,
    what: str = "The file",
    hint: str = "Close other programs, keep only the columns and the year you need, or save it as Parquet.",
) -> None:
    """Stop when reading would take more memory than is free.

    Raises
    ------
    FileFormatError
        With both figures.
    """
    free = available_memory()
    if need > free:
        raise FileFormatError(
            f"{what} is too large for the memory that is free",
            where=where,
            expected=f"a need of at most {_size(free)}",
            got=f"a need of about {_size(need)}",
            hint=hint,
        )


def _check_cells(cells: int, where: str) -> None:
    """Stop at a used range that is too large; it is read whole, however few of its cells are filled."""
    what = "The sheet's used range"
    hint = "Go to its end (Ctrl and End), delete what stands far out there, and save the workbook."
    check_memory(cells * CELL, where, what, hint)


def check_table(rows: int, columns: int, cell: int, path: Path) -> None:
    """Stop before a table is read that was packed into next to nothing, or that the memory cannot hold.

    Parameters
    ----------
    rows, columns : int
        As the file itself says.
    cell : int
        Bytes that a value takes while it is read.
    path : Path
        The file.

    Raises
    ------
    FileFormatError
        With both figures.
    """
    cells, packed = rows * columns, path.stat().st_size
    if cells > SMALL and cells > MAX_RATIO * packed:
        raise FileFormatError(
            f"The file says that it holds {rows:,} rows",
            where=path.name,
            expected=f"at most {MAX_RATIO} answers in a byte: those of people differ",
            got=f"{columns:,} columns of them in {_size(packed)}",
            hint="If it is no attack, keep the rows and columns that you need and save it as CSV UTF-8.",
        )
    check_memory(rows * (columns * cell + ROW), path.name)


def check_columns(named: int, where: str) -> None:
    """Stop when a table has more named columns than any survey.

    Raises
    ------
    FileFormatError
        With the number of columns.
    """
    if named > MAX_COLUMNS:
        raise FileFormatError(
            f"The table has {named:,} named columns",
            where=where,
            expected=f"at most {MAX_COLUMNS:,}: one per question",
            hint="Check that rows and columns are not swapped, and delete the columns that are not needed.",
        )


def check_workbook(path: Path) -> None:
    """Look through the zip file that a workbook is, or the records of an old one, before a reader opens it.

    Raises
    ------
    FileFormatError
        When it unpacks to more than 2 GB, or to more than 200 times its size and 100 MB; when its XML
        declares entities; when it is damaged; when a stray cell far out makes a sheet's rectangle larger
        than the memory.
    """
    try:
        if path.suffix.lower() == ".xls":
            cells = sum(width * height for width, height in extents(path.read_bytes()))
            _check_cells(cells, path.name)
            return
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            check_size(members, path)
            for member in members:
                if member.filename.endswith((".xml", ".rels", ".vml", ".bin")):
                    _check_member(archive, member, path.name)
    except (*_DAMAGED, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise FileFormatError(
            "The workbook cannot be opened: it is damaged",
            where=path.name,
            hint="Ask for it again, or open it in Excel and save it anew as .xlsx.",
        ) from error


def check_size(members: list[zipfile.ZipInfo], path: Path) -> None:
    """Stop at a workbook that unpacks to more than the memory, or to more than workbooks do.

    Raises
    ------
    FileFormatError
        With both sizes.
    """
    unpacked, packed = sum(m.file_size for m in members), max(path.stat().st_size, 1)
    if unpacked > MAX_UNPACKED or (unpacked > SMALL and unpacked > MAX_RATIO * packed):
        raise FileFormatError(
            f"The workbook unpacks from {_size(packed)} to {_size(unpacked)}",
            where=path.name,
            expected=f"at most {_size(MAX_UNPACKED)}, and at most {MAX_RATIO} times its size",
            hint="If it is no attack, save the sheet with the respondents alone as CSV UTF-8.",
        )
    check_memory(3 * unpacked, path.name, "The workbook")


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: str) -> None:
    """Read a member to its end: its check sum proves that its size is no lie."""
    where = f"{file}, part {member.filename}"
    if not member.filename.endswith(".bin"):
        width, height = _extent(_chunks(archive, member, where))
    elif "/worksheets/" in member.filename:
        width, height = _said_binary(archive, member, where)
    else:
        for _ in _chunks(archive, member, where):
            pass
        return
    _check_cells(width * height, where)


def check_sheet(xml: bytes, where: str) -> None:
    """Stop at a sheet, given as its XML, whose used range is larger than the memory.

    Raises
    ------
    FileFormatError
        With both figures.
    """
    width, height = _extent([xml])
    _check_cells(width * height, where)


def _extent(chunks: Iterable[bytes]) -> tuple[int, int]:
    """Return the width and height of the rectangle that holds every cell of a sheet with something in it.

    Where the sheet says its size, and no row or cell lies beyond, that size is believed. Where cells do not
    name their place the rectangle may be taken for larger than it is.
    """
    width = height = most = rows = here = 0
    beyond: re.Pattern[bytes] | None = None
    for chunk in chunks:
        if beyond is None and (found := _DIMENSION.search(chunk)):
            said = _column(found[1]), int(found[2])
            if said[0] * said[1] * CELL < 10 * SMALL:
                width, height = max(width, said[0]), max(height, said[1])
                beyond = _beyond(found[1], found[2])
        if beyond and _is_usual(chunk) and not beyond.search(chunk):
            continue
        cells = _FILLED.findall(chunk)
        width = max([width, *map(_column, {column for column, _ in cells})])
        height = max([height, *map(int, {row for _, row in cells})])
        counts = [len(_CELL_TAG.findall(row)) for row in _ROW_TAG.split(chunk)]
        counts[0] += here  # the row in which the part before ended
        here = counts[-1]
        if _NO_PLACE.search(chunk):
            height = max([height, *map(int, set(_ROW.findall(chunk)))])
            most, rows = max(most, *counts), rows + len(counts)
    return width + most, height + rows


def _is_usual(chunk: bytes) -> bool:
    """Tell whether every row and cell begins with its place, written as nearly all programs do."""
    named = all(chunk.count(tag) == chunk.count(tag + b' r="') for tag in (b"<c", b"<row"))
    return named and b":c" not in chunk and b":row" not in chunk


def _beyond(column: bytes, row: bytes) -> re.Pattern[bytes]:
    """Match the place of a row or cell that lies to the right of a column or beneath a row."""
    right, beneath = _greater(column, b"A-Z"), _greater(row, b"0-9")
    return re.compile(rb" r=\"(?:[A-Z0-9]*[^A-Z0-9\"]|[A-Z]*0|(?:%b)[0-9]|[A-Z]*(?:%b)\")" % (right, beneath))


def _greater(text: bytes, signs: bytes) -> bytes:
    """Match what follows a number, or the letters of a column, in the order of the sheet."""
    larger = [rb"[%b]{%d,}" % (signs, len(text) + 1)]
    larger += [
        rb"%b[%b-%b][%b]{%d}" % (text[:i], bytes([text[i] + 1]), signs[-1:], signs, len(text) - i - 1)
        for i in range(len(text))
        if text[i] < signs[-1]
    ]
    return b"|".join(larger)


def _said_binary(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> tuple[int, int]:
    """Return the width and height of a binary sheet: of its cells, or where it is large, as it says."""
    if member.file_size <= SMALL:
        return _extent_binary(archive.read(member))
    said = (0, 0)
    for chunk in _chunks(archive, member, where):
        if said == (0, 0) and (found := _BINARY_DIMENSION.search(chunk[:4096])):
            _, last_row, _, last_column = struct.unpack("<4I", found[1])
            said = last_column + 1, last_row + 1
    return said


def _extent_binary(data: bytes) -> tuple[int, int]:
    """Go through the records of a binary sheet: rows have the number 0, cells with something in them 2 to 11.

    Numbers have seven bits a byte, the last of which has no high bit.
    """
    width = height = place = 0
    end = len(data)
    data += b"\0" * 8
    while place < end:
        record, size = data[place], data[place + 1]
        place += 2
        if record > 127:  # of two bytes: no row and no cell
            size = data[place]
            place += 1
        shift = 0
        while size >> shift > 127 and shift < 21:
            shift += 7
            size = size & ~(128 << shift - 7) | data[place] << shift
            place += 1
        if record < 12 and size > 3 and record != 1:
            number = int.from_bytes(data[place : place + 4], "little") + 1
            if record:
                width = max(number, width)
            else:
                height = max(number, height)
        place += size
    return width, height


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
    """Yield a member in parts that end with a tag; stop at XML that could harm.

    Where there are no tags, parts overlap by the length of one.
    """
    rest = b""
    with archive.open(member) as stream:
        while part := stream.read(_CHUNK):
            chunk = rest + part
            if not member.filename.endswith(".bin") and _DOCTYPE.search(chunk):
                raise FileFormatError(
                    "The workbook declares XML entities, which no spreadsheet program writes",
                    where=where,
                    hint="It may be made to do harm: ask where it comes from. If you trust it, open it in "
                    "Excel and save it anew.",
                )
            end = chunk.rfind(b">") + 1
            if end < len(rest) or member.filename.endswith(".bin"):
                yield chunk
                rest = part[-200:]
            else:
                yield chunk[:end]
                rest = chunk[end:]
    yield rest


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
