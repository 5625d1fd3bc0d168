"""Tell what kind of file a file is, or say plainly why it cannot be one that is read."""

from __future__ import annotations

import hashlib
import mmap
from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

#: What files that end so should be.
KINDS = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), "csv"),
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"), "excel"),
    ".parquet": "parquet",
    **dict.fromkeys((".sav", ".zsav"), "spss"),
    ".dta": "stata",
}
#: Endings of pictures that figures and tables are saved as.
PICTURES = (".png", ".svg")
#: What a file of each kind is called.
NAMES = {
    "csv": "a CSV file",
    "excel": "a workbook (Excel or OpenDocument)",
    "parquet": "a Parquet file",
    "spss": "an SPSS file",
    "stata": "a Stata file",
}
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
OPENDOCUMENT = b"mimetypeapplication/vnd.oasis.opendocument"
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
#: First byte of Stata files of version 8 to 12.
OLD_STATA = (b"\x71", b"\x72", b"\x73")
#: First bytes of files, what they are and which kind they may pass for.
SIGNATURES = (
    (b"%PDF", "a PDF document", ()),
    (ZIP, "an Excel workbook (or another zip file)", ("excel",)),
    (OLE, "an old Excel workbook (.xls)", ("excel",)),
    (b"PAR1", "a Parquet file", ("parquet",)),
    (b"$FL2", "an SPSS file", ("spss",)),
    (b"$FL3", "an SPSS file", ("spss",)),
    (b"<stata_dta>", "a Stata file", ("stata",)),
    (b"\x1f\x8b", "a packed file (gzip)", ()),
    (b"7z\xbc\xaf", "a packed file (7-Zip)", ()),
    (b"Rar!", "a packed file (RAR)", ()),
    (b"{\\rtf", "a text document (RTF)", ()),
    (b"SQLite format 3", "a database", ()),
    (b"\x89PNG", "a picture", ()),
)

#: How the names of files begin that Excel keeps beside a workbook while it is open.
LOCK = "~$"


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_kind(path: Path) -> str:
    """Return the kind of a file (`csv`, `excel`, `parquet`, `spss`, `stata`) after a look at its first bytes.

    Raises
    ------
    FileFormatError
        When it is missing, empty, of a kind that cannot be read, or not what its name says.
    """
    if not path.is_file():
        raise FileFormatError(
            "This is a folder, not a file" if path.is_dir() else "There is no such file",
            where=path.name,
            hint="Name the file in it, or all files that are wanted."
            if path.is_dir()
            else "Check the path and the spelling of the name.",
        )
    if path.name.startswith(LOCK):
        raise FileFormatError(
            "This only marks that Excel has a workbook open",
            where=path.name,
            hint=f"Close Excel, and name the workbook itself: {path.name.removeprefix(LOCK)}.",
        )
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        raise FileFormatError(
            f"Files that end in '{suffix}' cannot be read" if suffix else "The file's name has no ending",
            where=path.name,
            expected="CSV (.csv, .txt, .tsv), Excel (.xlsx, .xlsm, .xlsb, .xls), OpenDocument (.ods), "
            "Parquet (.parquet), "
            "SPSS (.sav, .zsav) or Stata (.dta)",
            hint="Unpack it first."
            if suffix in (".zip", ".gz", ".7z", ".rar")
            else "Save the data in one of these formats.",
        )
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except PermissionError as error:
        raise not_allowed(path) from error
    if not start:
        raise FileFormatError("The file is empty", where=path.name, hint="Ask for the file again.")
    kind = KINDS[suffix]
    found, fits = _signature(start)
    if kind not in fits:
        raise FileFormatError(
            f"The file is named {suffix} but is {found}",
            where=path.name,
            expected=NAMES[kind],
            hint="Ask for the data themselves, or give the file its right name.",
        )
    _check_workbook_name(path, suffix, start)
    return kind


def _signature(start: bytes) -> tuple[str, tuple[str, ...]]:
    """Return what the first bytes say a file is, and which kinds it may pass for."""
    for sign, name, kinds in SIGNATURES:
        if start.startswith(sign):
            return name, kinds
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith((b"<html", b"<!doctype", b"<head", b"<table")):
        return "a web page", ()
    if text.startswith((b"<?xml", b"<workbook")):
        return "an XML file", ()
    if text.startswith((b"{", b"[{")):
        return "a JSON file", ()
    if start[:1] in OLD_STATA and start[1:2] in (b"\x01", b"\x02") and start[2:3] == b"\x01":
        return "a Stata file", ("stata",)
    return "text", ("csv",)


def _check_workbook_name(path: Path, suffix: str, start: bytes) -> None:
    """Stop at a workbook under the name of the other kind, and at one with a password."""
    if suffix == ".xls" and start.startswith(ZIP):
        raise FileFormatError(
            "The file is named .xls but is a newer workbook",
            where=path.name,
            hint="Give it the ending .xlsx.",
        )
    if suffix != ".ods" and OPENDOCUMENT in start[:100]:
        raise FileFormatError(
            f"The file is named {suffix} but is an OpenDocument file",
            where=path.name,
            hint="Give it the ending .ods.",
        )
    if suffix in (".xlsx", ".xlsm", ".xlsb", ".ods") and start.startswith(OLE):
        locked = _is_encrypted(path)
        raise FileFormatError(
            "The workbook is protected by a password"
            if locked
            else f"The file is named {suffix} but is an old Excel workbook (.xls)",
            where=path.name,
            hint="Open it in Excel, take the password off and save it."
            if locked
            else "Give it the ending .xls.",
        )


def not_allowed(path: Path) -> FileFormatError:
    """Return the error for a file that the system does not let us open."""
    return FileFormatError(
        "The file may not be opened",
        where=path.name,
        hint="Close it in other programs, or ask for the right to read it.",
    )


def _is_encrypted(path: Path) -> bool:
    """Tell whether a workbook is wrapped in a password."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return content.find(_ENCRYPTED) >= 0
