"""Read finished files as text that can be searched."""

from __future__ import annotations

import html
import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterator


def texts_of(folder: Path) -> dict[str, str]:
    """Return every file of a folder as text a person can search, parts of a workbook together."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix in (".xlsx", ".pptx"):
            found[path.name] = "\n".join(packed(path.read_bytes()))
        elif path.suffix == ".parquet":
            found[path.name] = pl.read_parquet(path).write_csv()
        else:
            found[path.name] = plain(path.read_bytes().decode("utf-8", "replace"))
    return found


def packed(data: bytes) -> Iterator[str]:
    """Read a packed file part by part, and what is packed in it: a chart of a slide holds a workbook."""
    with zipfile.ZipFile(BytesIO(data)) as parts:
        for name in parts.namelist():
            yield name
            inner = parts.read(name)
            yield from packed(inner) if inner[:2] == b"PK" else [plain(inner.decode("utf-8", "replace"))]


def plain(text: str) -> str:
    r"""Undo what pages do to text inside: `\u003c` in scripts, `&lt;` in markup."""
    text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    return html.unescape(text)
