"""Read finished files as text that can be searched."""

from __future__ import annotations

import html
import re
import zipfile
from pathlib import Path

import polars as pl


def texts_of(folder: Path) -> dict[str, str]:
    """Return every file of a folder as text a person can search, parts of a workbook together."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as parts:
                read = [parts.read(n).decode("utf-8", "replace") for n in parts.namelist()]
            found[path.name] = html.unescape("\n".join(read))
        elif path.suffix == ".parquet":
            found[path.name] = pl.read_parquet(path).write_csv()
        else:
            found[path.name] = plain(path.read_bytes().decode("utf-8", "replace"))
    return found


def plain(text: str) -> str:
    r"""Undo what pages do to text inside: `\u003c` in scripts, `&lt;` in markup."""
    text = re.sub(r"\\+u([0-9a-fA-F]{4})", lambda m: chr(int(m[1], 16)), text)
    return html.unescape(text)
