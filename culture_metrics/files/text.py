"""Decode text files: UTF-8 with or without a mark, UTF-16 and UTF-32, else the Windows code page 1252."""

from __future__ import annotations

import codecs
import hashlib
import io
from pathlib import Path
from typing import NamedTuple

_PART = 1 << 20


class Text(NamedTuple):
    """A text file, looked through once: its SHA-256, its encoding and the number of its lines."""

    sha256: str
    encoding: str
    lines: int


def look_through(path: Path, size: int) -> Text:
    """Read the first `size` bytes of a file: hash, encoding and lines of them."""
    cut = size < path.stat().st_size
    digest, decoder, utf8 = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")(), True
    start, lines = b"", 0
    with path.open("rb") as file:
        while part := file.read(min(_PART, size - file.tell())):
            start = start or part[:4096]
            digest.update(part)
            lines += part.count(b"\n")
            if utf8:
                try:
                    decoder.decode(part)
                except UnicodeDecodeError:
                    utf8 = False
        try:
            decoder.decode(b"", final=not cut)
        except UnicodeDecodeError:
            utf8 = False
    return Text(digest.hexdigest(), _encoding(start, utf8=utf8), lines)


def _encoding(start: bytes, *, utf8: bool) -> str:
    """Return UTF-8 where all of a file is, else UTF-16 by its mark or its zeros, else cp1252."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = start.count(0)
    if zeros and zeros >= len(start) // 3:
        return "utf-16-le" if start[1::2].count(0) >= start[::2].count(0) else "utf-16-be"
    if start.startswith(codecs.BOM_UTF8) and utf8:
        return "utf-8-sig"
    return "utf-8" if utf8 else "cp1252"


def open_text(source: Path | bytes, encoding: str) -> io.TextIOWrapper:
    """Open a text file; `source` may be the bytes of one in UTF-8."""
    if isinstance(source, bytes):
        return io.TextIOWrapper(io.BytesIO(source), encoding="utf-8", errors="replace", newline="")
    return source.open(encoding=encoding, errors="replace", newline="")


def as_utf8(path: Path, encoding: str) -> bytes:
    """Return a text file in UTF-8, decoded part by part."""
    out = io.BytesIO()
    with open_text(path, encoding) as stream:
        while part := stream.read(_PART):
            out.write(part.encode())
    return out.getvalue()


def read_text(path: Path) -> str:
    """Return the whole of a small text file."""
    with open_text(path, look_through(path, path.stat().st_size).encoding) as stream:
        return stream.read().removeprefix("\ufeff")
