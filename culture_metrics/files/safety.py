"""Refuse what would eat the memory or attack the reader, before it is opened: one budget for every reader."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from copy import copy
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from culture_metrics.errors import FileFormatError
from culture_metrics.files.extents import (
    LITTLE_TEXT,
    Extent,
    cited_text,
    cited_text_binary,
    extent,
    extent_binary,
    text_lengths,
    text_lengths_binary,
)
from culture_metrics.files.memory import address_space, available_memory
from culture_metrics.files.old_excel import extents
from culture_metrics.files.opendocument import CONTENT, check_opendocument, measure_opendocument

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from culture_metrics.files.extents import Chunks

#: The budget, documented in `read_extract`.
MAX_COLUMNS = 2_000
MAX_UNPACKED = 2 << 30
#: Real workbooks unpack to 3 to 20 times their size.
MAX_RATIO = 50
#: Answers of people differ: no more of them stand in a byte of a Parquet, SPSS or Stata file.
MAX_ANSWERS = 200
#: A file may be packed as tightly as it likes while it stays this small.
SMALL = 100 << 20
#: Address space that a report on a small file needs: with 1.6 GB it fails, with 2 GB it is made.
ADDRESS_SPACE = 2_000_000_000
#: Bytes that one cell of a sheet's rectangle takes while it is read, blank or not.
CELL = 48
#: Bytes that a row takes besides: its number, who answered, where, and what is found about it.
ROW = 200
#: Sizes of a text file that reading it takes: what was measured, and a half more.
TEXT = 4

#: Sizes of an unpacked workbook that reading it takes, and of its list of texts besides.
PART, TEXTS = 3, 7

_CHUNK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, LookupError, StopIteration)
_DOCTYPE = re.compile(rb"<!\s*(?:DOCTYPE|ENTITY)|<\0!\0(?:D|E)\0", re.I)
_BINARY_DIMENSION = re.compile(rb"\x94\x01\x10(.{16})", re.S)
_REMEDY = "If it is no attack, copy the cells that are needed to a new workbook and take that one."


class Measured(NamedTuple):
    """What a workbook becomes when it is read: cells of its largest sheet, which one, and bytes of text."""

    cells: int
    part: str
    text: int


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
    if cells > SMALL and cells > MAX_ANSWERS * packed:
        raise FileFormatError(
            f"The file says that it holds {rows:,} rows",
            where=path.name,
            expected=f"at most {MAX_ANSWERS} answers in a byte: those of people differ",
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


def check_text(path: Path) -> None:
    """Stop at a text file that is too large for the memory.

    Raises
    ------
    FileFormatError
        With both figures.
    """
    check_memory(TEXT * path.stat().st_size, path.name)


def check_workbook(path: Path) -> None:
    """Look through the zip file that a workbook is, or the records of an old one, before a reader opens it.

    Raises
    ------
    FileFormatError
        When it unpacks to more than 2 GB, or to more than 50 times its size and 100 MB; when its cells cite
        so much text; when its XML declares entities; when it is damaged; when a stray cell far out makes a
        sheet's rectangle larger than the memory.
    """
    try:
        if path.suffix.lower() == ".xls":
            check_memory(4 * path.stat().st_size, path.name, "The workbook")
            cells = sum(width * height for width, height in extents(path.read_bytes()))
            _check_cells(cells, path.name)
            return
        with zipfile.ZipFile(path) as archive:
            if path.suffix.lower() == ".ods":
                check_opendocument(archive, path)
            members = archive.infolist()  # a name may stand there twice
        unpacked = sum(member.file_size for member in members)
        texts = sum(member.file_size for member in members if _holds_texts(member.filename))
        _check_unpacked(unpacked, path, "unpacks from {} to {}")
        check_memory(PART * unpacked + TEXTS * texts, path.name, "The workbook")
        # Looked through once: the same file is asked about, and then read.
        about = path.stat()
        found = _measured(path.resolve(), about.st_size, about.st_mtime_ns)
    except (*_DAMAGED, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise FileFormatError(
            "The workbook cannot be opened: it is damaged",
            where=path.name,
            hint="Ask for it again, or open it in a spreadsheet program and save it anew.",
        ) from error
    _check_cells(found.cells, f"{path.name}, part {found.part}")
    _check_unpacked(found.text, path, "of {} cites its texts so often that they become {}")
    check_memory(2 * found.text, path.name, "The workbook")


def _check_unpacked(unpacked: int, path: Path, how: str) -> None:
    """Stop at a workbook that becomes more than workbooks do."""
    packed = max(path.stat().st_size, 1)
    if unpacked > MAX_UNPACKED or (unpacked > SMALL and unpacked > MAX_RATIO * packed):
        raise FileFormatError(
            f"The workbook {how.format(_size(packed), _size(unpacked))}",
            where=path.name,
            expected=f"at most {_size(MAX_UNPACKED)}, and at most {MAX_RATIO} times its size",
            hint=_REMEDY,
        )


def _check_cells(cells: int, where: str) -> None:
    """Stop at a used range that is too large; it is read whole, however few of its cells are filled."""
    what = "The sheet's used range"
    hint = "Go to its end (Ctrl and End), delete what stands far out there, and save the workbook."
    check_memory(cells * CELL, where, what, hint)


def _holds_texts(part: str) -> bool:
    return "sharedstrings" in part.casefold()


@lru_cache(maxsize=32)
def _measured(path: Path, _size: int, _changed: int) -> Measured:
    """Read every part to its end, which proves that its size is no lie."""
    sizes: dict[str, Extent] = {}
    texts: list[str] = []
    text = 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            name = member.filename
            chunks = partial(_chunks, archive, member, f"{path.name}, part {name}")
            if path.suffix.lower() == ".ods" and name == CONTENT:
                sizes[name], text = measure_opendocument(chunks())
            elif name.endswith(".bin"):
                sizes[name] = _extent_of_binary(archive, member, chunks)
            else:
                sizes[name] = extent(chunks)
            if _holds_texts(name):
                texts.append(name)
        text = max(text, _text(archive, sizes, texts))
    part = max(sizes, key=lambda name: sizes[name].width * sizes[name].height, default="")
    width, height, _ = sizes.get(part, Extent(0, 0, 0))
    return Measured(width * height, part, text)


def _text(archive: zipfile.ZipFile, sizes: Mapping[str, Extent], texts: list[str]) -> int:
    """Return how much text the cells cite; where even the longest in every cell were little, that."""
    most = 0
    sheets = [archive.getinfo(name) for name, size in sizes.items() if size.cells]
    for shared in texts:
        binary, member = shared.endswith(".bin"), archive.getinfo(shared)
        if binary:
            lengths = text_lengths_binary(archive.read(member))
        else:
            lengths = text_lengths(_chunks(archive, member, shared))
        bound = int(lengths.max()) * sum(size.cells for size in sizes.values())
        if bound > LITTLE_TEXT and binary:
            bound = sum(cited_text_binary(archive.read(sheet), lengths) for sheet in sheets)
        elif bound > LITTLE_TEXT:
            bound = sum(cited_text(_chunks(archive, sheet, shared), lengths) for sheet in sheets)
        most = max(most, bound)
    return most


def _extent_of_binary(archive: zipfile.ZipFile, member: zipfile.ZipInfo, chunks: Chunks) -> Extent:
    """Measure a part of a binary workbook: by its cells, or where it is large, as it says."""
    is_sheet = "/worksheets/" in member.filename
    if is_sheet and member.file_size <= SMALL:
        return extent_binary(b"".join(_parts(archive, member)))
    found = None
    for chunk in chunks():
        found = found or (_BINARY_DIMENSION.search(chunk[:4096]) if is_sheet else None)
    if found is None:
        return Extent(0, 0, 0)
    _, last_row, _, last_column = struct.unpack("<4I", found[1])
    return Extent(last_column + 1, last_row + 1, member.file_size // 12)


def _chunks(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> Iterator[bytes]:
    """Yield a member in parts that end with a tag; stop at XML that could harm.

    Where there are no tags, parts overlap by the length of one.
    """
    rest = b""
    for part in _parts(archive, member):
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


def _parts(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member as it unpacks, and stop where that is not what the directory of the file says.

    Python's reader ends at the size that the directory says; others unpack until the data end. So it is told
    of one byte more, and size and check sum are compared here.
    """
    beyond = copy(member)
    beyond.file_size, size, check = member.file_size + 1, 0, 0
    beyond.CRC = None  # type: ignore[assignment]  # then Python compares none
    with archive.open(beyond) as stream:
        while part := stream.read(_CHUNK):
            size, check = size + len(part), zlib.crc32(part, check)
            if size > member.file_size:
                break
            yield part
    if (size, check) != (member.file_size, member.CRC):
        raise zipfile.BadZipFile("size or check sum of a part is not what the directory says")


def _size(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
