"""Every kind of bad input gets one clear message: what, where, what to do; never an answer, never a traceback.

Each entry of `KINDS` is one kind: how to make it, how it is read, and words of its message.
"""

from __future__ import annotations

import io
import traceback
import zipfile

import pandas as pd
import polars as pl
import pyreadstat
import pytest
import xlsxwriter

from culture_metrics import read_extract
from culture_metrics.errors import CultureMetricsError
from culture_metrics.files import memory, safety

SECRET = "Théâtre-771"
HEADER = ["Sample ID", "ODS code", "Locality 1", "Q2a", "Q25c"]
ROWS = [[SECRET, "RXX", SECRET, 4, 5], ["S2", "RXX", "Wards", 3, 4]]


def text(*lines, encoding="utf-8"):
    return lambda path: path.write_bytes("".join(line + "\n" for line in lines).encode(encoding))


def csv(*header, rows=None):
    lines = [header or HEADER, *(ROWS if rows is None else rows)]
    return text(*(",".join(map(str, line)) for line in lines))


def raw(content):
    return lambda path: path.write_bytes(content)


def book(**sheets):
    def write(path):
        with xlsxwriter.Workbook(path) as workbook:
            for name, rows in sheets.items():
                sheet = workbook.add_worksheet(name)
                for i, row in enumerate(rows):
                    sheet.write_row(i, 0, row)

    return write


def cut(write, part):
    """Write a file and keep the first part of it only."""

    def broken(path):
        write(path)
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * part)])

    return broken


def zipped(**members):
    """Write a zip file such as a workbook is."""

    def write(path):
        book(Data=[HEADER, *ROWS])(path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(f"xl/{name}.xml", content)

    return write


def sheet_xml(old, new):
    """Write a workbook and change the XML of its sheet."""

    def write(path):
        book(Data=[HEADER, *ROWS])(path)
        with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as before, zipfile.ZipFile(path, "w") as after:
            for name in before.namelist():
                content = before.read(name)
                if name == "xl/worksheets/sheet1.xml":
                    assert old in content
                    content = content.replace(old, new)
                after.writestr(name, content)

    return write


def parquet(**columns):
    return lambda path: pl.DataFrame({"ODS": ["RXX"], **columns}).write_parquet(path)


def sav(path):
    pyreadstat.write_sav(pl.DataFrame(ROWS * 50, schema=["id", "ODS", "locality1", "q2a", "q25c"], orient="row"), str(path))  # fmt: skip


def dta(path):
    frame = pl.DataFrame(ROWS * 50, schema=["id", "ODS", "locality1", "q2a", "q25c"], orient="row")
    pyreadstat.write_dta(frame, str(path))


def nothing(path):
    """There is no such file."""


OFFICIAL = [["NHS Staff Survey 2024", "Q1 - words", "Q2 - words"], ["ODS code", "Organisation name", "Benchmarking group", "Weighting"]]  # fmt: skip
EXPORT = ["Year", "QuestionNumber", "QuestionText", "DimName", "DimValue", "BaseSize", "Score"]
HISTORY = ["org_id", "org_name", "PP1_2024", "q25c_2024", "q25c_n_2024"]
PULSE = [[], ["Region Code", "Org Code", "Care Setting", "Total Responses"]]
STRAY = (b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>')
NAMES = ["id", "ODS", "year", "outcome", "main_or_bank_indicator", "q25c"]

KINDS = {
    # the file itself
    "no such file": ("x.csv", nothing, {}, "There is no such file"),
    "a folder": ("x.csv", lambda path: path.mkdir(), {}, "This is a folder"),
    "an ending that cannot be read": ("x.docx", raw(b"PK"), {}, "Files that end in '.docx' cannot be read"),
    "no ending": ("answers", raw(b"a"), {}, "The file's name has no ending"),
    "a packed file": ("x.zip", raw(b"PK\x03\x04"), {}, "Unpack it first"),
    "a packed file under another name": ("x.csv", raw(b"\x1f\x8b\x08"), {}, "but is a packed file (gzip)"),
    "an empty file": ("x.csv", raw(b""), {}, "The file is empty"),
    "a file of blanks": ("x.csv", raw(b"\n \n;;\n"), {}, "The file is empty"),
    "a PDF": ("x.xlsx", raw(b"%PDF-1.7"), {}, "named .xlsx but is a PDF document"),
    "a web page": ("x.xls", raw(b"<html><table>"), {}, "named .xls but is a web page"),
    "JSON": ("x.csv", raw(b'{"q25c": [4]}'), {}, "named .csv but is a JSON file"),
    "a workbook named CSV": ("x.csv", book(Data=[HEADER]), {}, "named .csv but is an Excel workbook"),
    "a CSV named workbook": ("x.xlsx", csv(), {}, "named .xlsx but is text"),
    "a new workbook under the old name": ("x.xls", book(Data=[HEADER]), {}, "Give it the ending .xlsx"),
    "an old workbook under the new name": ("x.xlsx", raw(b"\xd0\xcf\x11\xe0" + b"\0" * 600), {}, "is an old Excel workbook"),
    "a workbook with a password": (
        "x.xlsx", raw(b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")), {}, "protected by a password",
    ),
    "a workbook cut short": ("x.xlsx", cut(book(Data=[HEADER, *ROWS]), 0.6), {}, "cannot be opened: it is damaged"),
    "a zip file that is no workbook": (
        "x.xlsx", lambda p: zipfile.ZipFile(p, "w").writestr("a.txt", "x"), {}, "The workbook cannot be opened",
    ),
    "an old workbook that is damaged": ("x.xls", raw(b"\xd0\xcf\x11\xe0" + b"\0" * 600), {}, "cannot be opened"),
    "a Parquet file cut short": ("x.parquet", cut(parquet(q25c=[4]), 0.5), {}, "The Parquet file cannot be read"),
    "an SPSS file cut short": ("x.sav", cut(sav, 0.9), {}, "The SPSS file cannot be read"),
    "a Stata file cut short": ("x.dta", cut(dta, 0.5), {}, "The Stata file cannot be read"),
    "bytes that are no text": ("x.csv", raw(b"id,ODS,q25c\n1,RXX,4\x00\n"), {}, "The file is not text"),
    "neither a file nor a table": (None, [1, 2], {}, "neither a file nor a table"),
    # attacks and sizes
    "a zip bomb": ("x.xlsx", zipped(bomb=b"0" * (110 << 20)), {}, "unpacks from"),
    "XML entities": ("x.xlsx", zipped(lol='<!DOCTYPE l [<!ENTITY a "b">]><l>&a;</l>'), {}, "declares XML entities"),
    "a cell in the far corner": ("x.xlsx", sheet_xml(*STRAY), {}, "used range is too large"),
    "too many columns": ("x.csv", csv(*(f"q{i}x" for i in range(2001))), {}, "The table has 2,001 named columns"),
    "too many columns in a sheet": ("x.xlsx", book(Data=[[f"n{i}" for i in range(16384)]]), {}, "16,384 named columns"),
    "too many columns in memory": (None, pl.DataFrame({f"n{i}": [1] for i in range(2001)}), {}, "2,001 named columns"),
    # the table
    "a header and no rows": ("x.csv", csv(rows=[]), {}, "has a header but no rows"),
    "a sheet with a header and no rows": ("x.xlsx", book(Data=[HEADER]), {}, "has a header but no rows"),
    "an empty sheet": ("x.xlsx", book(Data=[], More=[["a"]]), {"sheet": "Data"}, "The other sheets are More"),
    "no such sheet": ("x.xlsx", book(Data=[HEADER, *ROWS]), {"sheet": "Answers"}, "no sheet 'Answers'"),
    "two sheets of respondents": (
        "x.xlsx", book(Acute=[HEADER, *ROWS], Community=[HEADER, *ROWS]), {}, "sheet='Acute'",
    ),
    "a sheet of a CSV": ("x.csv", csv(), {"sheet": "Data"}, "Only a workbook has sheets"),
    "a row that is too long": ("x.csv", csv(rows=[*ROWS, [SECRET, "RXX", "A", "4", 5, 5]]), {}, "Row 4 has 6 cells, the header has 5"),
    "a quotation mark that is not closed": ("x.csv", csv(rows=[*ROWS, ['"S3', "RXX", "A", 4, 5]]), {}, "quotation mark"),
    "no header": ("x.csv", csv(*ROWS[0], rows=[ROWS[0]]), {}, "No question columns"),
    "other names": ("x.csv", csv("id", "ODS", "a", "b", "c"), {}, "columns={'Would recommend as a place to work': 'q25c'}"),
    "a table on its side": (
        "x.csv", csv("id", "S1", "S2", rows=[[f"q{i}", SECRET, 4] for i in (1, 2, 15, 18, 21)]), {}, "below each other",
    ),
    "one row per answer": (
        "x.xlsx", book(Data=[["id", "question", "answer"], *([SECRET, f"q2{c}", 4] for c in "abcdef")]), {},
        "below each other",
    ),
    "the same column twice": ("x.csv", csv("id", "ODS", "x", "q25c", "q25c"), {}, "'q25c' 2 times"),
    "two columns for one question": ("x.csv", csv("id", "ODS", "x", "q25c", "Q25_C"), {}, "'q25c' and 'Q25_C'"),
    "cells with lists": ("x.parquet", parquet(q25c=[[4, 5]]), {}, "Column 'q25c' holds list values"),
    # survey, year, organisation
    "an unknown survey": ("x.csv", csv(), {"survey": "census"}, "There is no survey 'census'"),
    "an unknown year": ("x.csv", csv(), {"year": 1999}, "no edition '1999'"),
    "codes of another year": ("x.csv", csv("id", "ODS", "x", "q18d", "q33"), {"year": 2024}, "those of 2022, not of 2024"),
    "a year that cannot be told": ("x.csv", csv(), {"year": None}, "The year cannot be told"),
    "several years": ("x.csv", csv(*NAMES, rows=[[1, "RXX", 2023, "", "", 4], [1, "RXX", 2024, "", "", 4]]), {"year": None}, "The file holds 2023, 2024"),
    "a year that is not there": ("x.csv", csv(*NAMES, rows=[[1, "RXX", 2023, "", "", 4]]), {}, "The file holds 2023, not 2024"),
    "no organisation": ("x.csv", csv("id", "name", "x", "q2a", "q25c"), {}, "organisation='RXX'"),
    "nobody completed it": ("x.csv", csv(*NAMES, rows=[[1, "RXX", 2024, "REF", "", 4]]), {}, "1 row not completed"),
    "bank workers only": ("x.csv", csv(*NAMES, rows=[[1, "RXX", 2024, "", "Bank", 4]]), {}, "1 row of bank workers"),
    "bank workers that cannot be told": (
        "x.csv", csv(*NAMES, rows=[[1, "RXX", 2024, "", 1, 4], [1, "RXX", 2024, "", 2, 4]]), {}, "which rows are bank-only",
    ),
    # results of groups
    "the official workbook": ("x.xlsx", book(Notes=[["About"]], Q1=OFFICIAL), {}, "an official workbook (organisations)"),
    "a benchmark workbook": ("x.xlsx", book(Data=[HISTORY]), {}, "a benchmark workbook"),
    "a contractor's export": ("x.csv", csv(*EXPORT, rows=[[2024, "Q2a", "w", "D", "E", 50, 0.5]]), {}, "a contractor breakdown export"),
    "a contractor's options": ("x.csv", csv("OptionCode", "OptionText", "%", rows=[[1, "x", 5]]), {}, "a contractor option export"),
    "a pulse workbook": ("x.xlsx", book(Data=PULSE), {}, "a pulse workbook"),
    "a table of results": ("x.csv", csv(*OFFICIAL[1], "Autonomy_base", "Autonomy_rate", rows=[["RXX", "A", "B", "C", 55, 80]]), {}, "a table of results"),
    # column mappings
    "a mapping to nothing": ("x.csv", csv(), {"columns": {"Q2a": "q99z"}}, "cannot stand for 'q99z'"),
    "a mapping of no column": ("x.csv", csv(), {"columns": {"Locality": "q3a"}}, "Did you mean Locality 1?"),
    "a mapping with one target twice": ("x.csv", csv(), {"columns": {"Q2a": "q3a", "Q25c": "q3a"}}, "Two columns are matched"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_gets_one_clear_message(tmp_path, kind):
    name, make, options, words = KINDS[kind]
    path = make
    if name is not None:
        path = tmp_path / name
        make(path)
    with pytest.raises(CultureMetricsError) as caught:
        read_extract(path, **{"year": 2024, **options})
    said = str(caught.value)
    assert words in said
    assert caught.value.hint or caught.value.expected
    if name is not None and kind not in ("an unknown survey", "an unknown year", "a mapping to nothing", "a mapping with one target twice"):  # fmt: skip
        assert name in said
    # Not in the message, nor in that of an error it came from, is an answer or an id of a respondent.
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_there_are_enough_kinds():
    assert len(KINDS) >= 60


# --- sizes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x.csv", "x.xlsx", "x.parquet", "x.sav", "x.dta"])
def test_a_file_that_needs_more_memory_than_is_free_is_refused_before_it_is_read(tmp_path, monkeypatch, name):
    make = {"x.csv": csv(), "x.xlsx": book(Data=[HEADER, *ROWS]), "x.parquet": parquet(q25c=[4]), "x.sav": sav, "x.dta": dta}  # fmt: skip
    make[name](tmp_path / name)
    read_extract(tmp_path / name, year=2024)
    monkeypatch.setattr(safety, "available_memory", lambda: 20)
    with pytest.raises(CultureMetricsError, match="too large for the memory that is free") as caught:
        read_extract(tmp_path / name, year=2024)
    assert "a need of at most 20 bytes" in str(caught.value)


def test_free_memory_is_known_here():
    assert memory.available_memory() > 1 << 20


def test_free_memory_is_guessed_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.setattr("pathlib.Path.is_file", lambda self: False)
    monkeypatch.delattr("os.sysconf")
    assert memory.available_memory() == memory.MEMORY_WHEN_UNKNOWN


def test_a_workbook_formatted_to_its_last_column_is_read(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as workbook:
        sheet, bold = workbook.add_worksheet(), workbook.add_format({"bold": True})
        for i, row in enumerate([HEADER, *ROWS]):
            sheet.write_row(i, 0, row)
        sheet.write_blank(0, 16383, None, bold)
        sheet.write_blank(1048575, 16383, None, bold)
        sheet.write(0, 16383, " ")
    extract = read_extract(tmp_path / "x.xlsx", year=2024)
    assert extract.frame.shape == (2, 6)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'<dimension ref="A1:E3"/>', b""),
        (b'<dimension ref="A1:E3"/>', b'<dimension ref="A1:XFD1048576"/>'),
    ],
)
def test_a_sheet_that_says_nothing_or_too_much_of_its_size_is_read(tmp_path, old, new):
    sheet_xml(old, new)(tmp_path / "x.xlsx")
    assert read_extract(tmp_path / "x.xlsx", year=2024).frame.height == 2


def test_a_size_that_is_a_lie_is_found_out(tmp_path):
    path = tmp_path / "x.xlsx"
    zipped(big=b"0" * 100_000)(path)
    content = path.read_bytes()
    # The directory of the zip file says that the part is 10 bytes long.
    path.write_bytes(content.replace((100_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    with pytest.raises(CultureMetricsError, match="damaged"):
        read_extract(path, year=2024)


def test_a_pandas_table_that_cannot_be_read(monkeypatch):
    frame = pd.DataFrame({"q25c": [4], "ODS": [SECRET]})
    monkeypatch.setattr(pd.Series, "astype", lambda *_: (_ for _ in ()).throw(ValueError(SECRET)))
    with pytest.raises(CultureMetricsError, match="table in memory cannot be read") as caught:
        read_extract(frame, year=2024)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_a_table_that_breaks_off_while_it_is_read(tmp_path):
    path = tmp_path / "x.parquet"
    pl.DataFrame({"ODS": ["RXX"] * 5000, "q25c": range(5000), "q2a": range(5000)}).write_parquet(path)
    content = bytearray(path.read_bytes())
    content[40:4000] = b"\xff" * 3960
    path.write_bytes(content)
    with pytest.raises(CultureMetricsError, match="cannot be read"):
        read_extract(path, year=2024)


def test_a_file_that_may_not_be_opened(tmp_path, monkeypatch):
    csv()(tmp_path / "x.csv")

    def refuse(*_, **__):
        raise PermissionError

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(CultureMetricsError, match="may not be opened"):
        read_extract(tmp_path / "x.csv", year=2024)
