"""Open a respondent file as a table of text, or say plainly why that cannot be done."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from culture_metrics.errors import FileFormatError

SEPARATORS = (",", ";", "\t", "|")
EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls")
CSV = (".csv", ".tsv", ".txt")
#: First bytes of files that are often renamed by mistake, and what they are.
SIGNATURES = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "an Excel workbook (or another zip file)",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook (.xls)",
    b"PAR1": "a Parquet file",
    b"<htm": "a web page",
    b"<!DO": "a web page",
}


@dataclass(frozen=True)
class RawTable:
    """A file's rows as they stand: names from the header, cells as text (Parquet keeps its types).

    `first_row` is the number that the file itself gives to the first row of data.
    """

    frame: pl.DataFrame
    file: str
    sha256: str
    first_row: int
    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = None


def read_table(path: str | Path, sheet: str | None = None) -> RawTable:
    """Open a CSV, Excel or Parquet file, telling encoding and separator from the file itself.

    Raises
    ------
    FileFormatError
        When the file is missing, empty, or not what its name says.
    """
    path = Path(path)
    kind = _check_file(path)
    if kind == "excel":
        return _read_excel(path, sheet)
    if kind == "parquet":
        try:
            frame = pl.read_parquet(path)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise FileFormatError(
                "The Parquet file cannot be read",
                where=path.name,
                hint="It may be cut short: ask for it again.",
            ) from error
        return RawTable(_not_empty(frame, path.name), path.name, file_hash(path), first_row=1)
    return _read_csv(path)


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _check_file(path: Path) -> str:
    """Return `csv`, `excel` or `parquet` after a look at the first bytes."""
    suffix = path.suffix.lower()
    expected = {**dict.fromkeys(EXCEL, "excel"), **dict.fromkeys(CSV, "csv"), ".parquet": "parquet"}
    if not path.is_file():
        raise FileFormatError(
            "There is no such file", where=str(path), hint="Check the path and the spelling of the name."
        )
    if suffix not in expected:
        raise FileFormatError(
            f"Files that end in '{suffix}' cannot be read",
            where=path.name,
            expected="CSV (.csv, .txt, .tsv), Excel (.xlsx, .xlsm, .xls) or Parquet (.parquet)",
            hint="Save the data in one of these formats.",
        )
    with path.open("rb") as file:
        start = file.read(4)
    if not start:
        raise FileFormatError("The file is empty", where=path.name, hint="Ask for the file again.")
    found = next((name for sign, name in SIGNATURES.items() if start == sign), "text")
    fits = {
        "excel": found in (SIGNATURES[b"PK\x03\x04"], SIGNATURES[b"\xd0\xcf\x11\xe0"]),
        "parquet": found == SIGNATURES[b"PAR1"],
        "csv": found == "text",
    }
    kind = expected[suffix]
    if not fits[kind]:
        raise FileFormatError(
            f"The file is named {suffix} but is {found}",
            where=path.name,
            expected=f"a {kind.capitalize() if kind != 'csv' else 'CSV'} file",
            hint="Ask for the data themselves, or give the file its right name.",
        )
    return kind


def _not_empty(frame: pl.DataFrame, where: str) -> pl.DataFrame:
    if frame.height == 0 or frame.width == 0:
        raise FileFormatError(
            "The table is empty" if frame.width == 0 else "The table has a header but no rows",
            where=where,
            hint="Check that the right file and sheet were given.",
        )
    return frame


def _read_csv(path: Path) -> RawTable:
    with path.open("rb") as file:
        sample = file.read(1 << 16)
    encoding = _encoding(sample)
    try:
        header = sample.decode(encoding, errors="ignore").lstrip("\ufeff").splitlines()[0]
        separator = max(SEPARATORS, key=header.count)
        source: Path | bytes = path
        if encoding not in ("utf-8", "utf-8-sig"):
            source = path.read_bytes().decode(encoding).encode()
        try:
            frame = _scan_csv(source, separator)
        except (pl.exceptions.ComputeError, UnicodeDecodeError) as error:
            if "utf-8" not in str(error).lower():
                raise
            encoding = "cp1252"  # the sample was plain, a later byte was not
            frame = _scan_csv(path.read_bytes().decode(encoding, errors="replace").encode(), separator)
    except (pl.exceptions.PolarsError, UnicodeDecodeError, IndexError) as error:
        raise FileFormatError(
            "The file cannot be read as a table of text",
            where=path.name,
            expected="a CSV file: one header row, the same number of cells in each row",
            hint="Open it, check for stray separators or quotes, and save it as CSV UTF-8.",
        ) from error
    frame = _not_empty(frame, path.name)
    return RawTable(frame, path.name, file_hash(path), first_row=2, encoding=encoding, separator=separator)


def _scan_csv(source: Path | bytes, separator: str) -> pl.DataFrame:
    return pl.read_csv(source, separator=separator, infer_schema=False, encoding="utf8")


def _encoding(sample: bytes) -> str:
    """Tell the encoding of text: UTF-8, UTF-16 by its mark, else the Windows code page."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        sample.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(sample) - 4:  # a character cut at the end of the sample is no evidence
            return "cp1252"
    return "utf-8"


def _read_excel(path: Path, sheet: str | None) -> RawTable:
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise FileFormatError(
                f"The workbook has no sheet '{sheet}'", where=path.name, expected=", ".join(names)
            )
        chosen = sheet or names[0]
        frame = book.load_sheet(chosen, dtypes="string").to_polars()
    except fastexcel.FastExcelError as error:
        raise FileFormatError(
            "The workbook cannot be opened",
            where=path.name,
            hint="It may be damaged or protected by a password: save it anew as .xlsx.",
        ) from error
    where = f"{path.name}, sheet {chosen}"
    if frame.height == 0 and sheet is None and len(names) > 1:
        where += f" (the other sheets are {', '.join(names[1:])}; name one with sheet=)"
    return RawTable(_not_empty(frame, where), path.name, file_hash(path), first_row=2, sheet=chosen)
