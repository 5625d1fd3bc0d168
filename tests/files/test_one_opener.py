"""Whatever reads a file opens it in the same way: what is refused is refused by all, what is read is read alike."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import time
import traceback
import zipfile
import zlib

import opendocument as ods
import polars as pl
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError
from culture_metrics.files.extents import extent
from culture_metrics.files.opendocument import measure_opendocument
from culture_metrics.files.organisations import read_organisations
from culture_metrics.files.workbooks import Workbook
from culture_metrics.published import is_published

SHEET, TEXTS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
ROWS = [["id", "ODS", "q25c", "q2a", "q3a"], ["1", "RXX", 4, 3, 5], ["2", "RXX", 5, 3, 4]]
MEGABYTE = 1 << 20
READERS = {
    "read_extract": lambda path: cm.read_extract(path, year=2024),
    "read_published": lambda path: cm.read_published(path, organisation="RXX"),
    "read_outcome": lambda path: cm.read_outcome(path, "shmi"),
    "read_panel": cm.read_panel,
    "study": lambda path: cm.study([path]),
}


# --- what is refused ----------------------------------------------------------------------------------------


def parts():
    """Return the parts of a small workbook."""
    plain = io.BytesIO()
    with xlsxwriter.Workbook(plain, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Data")
        for i, row in enumerate(ROWS):
            sheet.write_row(i, 0, row)
    with zipfile.ZipFile(plain) as book:
        return {name: book.read(name) for name in book.namelist()}


def packed(before, repeated, times, after):
    """Pack a text that repeats itself, without ever holding it; return it with its check sum and length."""

    def block(data, how):
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        return packer.compress(data) + packer.flush(how)

    stream = [block(before, zlib.Z_FULL_FLUSH), block(repeated, zlib.Z_FULL_FLUSH) * times]
    check = zlib.crc32(before)
    for _ in range(times):
        check = zlib.crc32(repeated, check)
    content = b"".join([*stream, block(after, zlib.Z_FINISH)])
    return content, zlib.crc32(after, check), len(before) + times * len(repeated) + len(after)


def bomb(path, part, before, repeated, times, size):
    """Write a workbook one part of which repeats itself after a mark; a picture of noise makes up its size."""
    content = parts()
    start, end = content[part].split(before, 1)
    stream, check, length = packed(start + before, repeated, times, end)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in content.items():
            book.writestr(
                name, data if name != part else stream, zipfile.ZIP_STORED if name == part else None
            )
        about = book.getinfo(part)
        about.compress_type, about.CRC, about.file_size = zipfile.ZIP_DEFLATED, check, length
        noise = pl.int_range(size // 8, eager=True).hash(7).to_numpy().tobytes()
        book.writestr("xl/media/image1.png", noise[: max(size - len(stream), 0)], zipfile.ZIP_STORED)


def cited(path):
    """Write a workbook of 5 MB in which 300,000 cells cite one text of 32,000 letters."""
    content = parts()
    content[TEXTS] = content[TEXTS].replace(b"<t>id</t>", b"<t>" + b"x" * 32_000 + b"</t>")
    row = b"<row>" + b'<c t="s"><v>0</v></c>' * 1000 + b"</row>"
    content[SHEET] = content[SHEET].replace(b"</sheetData>", row * 300 + b"</sheetData>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in content.items():
            book.writestr(name, data)


def far_cell(path):
    content = parts()
    stray = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        for name, data in content.items():
            book.writestr(name, data.replace(b"</sheetData>", stray) if name == SHEET else data)


def long_table(path):
    rows = 60_000_000
    four = pl.repeat(4, rows, dtype=pl.Int8, eager=True)
    pl.DataFrame({"q25c": four, "q2a": four}).write_parquet(path, row_group_size=rows)


@pytest.fixture(scope="session")
def bombs(tmp_path_factory):
    """Small files that would take gigabytes, and what is said of each."""
    folder = tmp_path_factory.mktemp("bombs")
    cells = (b'<row><c t="n"><v>1</v></c></row>' * 9_000).ljust(MEGABYTE)
    bomb(folder / "cells 2024.xlsx", SHEET, b"<sheetData>", cells, 600, 4_000_000)
    bomb(folder / "texts 2024.xlsx", TEXTS, b"</si>", b"<si><t>a</t></si>" * 60_000, 300, 4_000_000)
    cited(folder / "cited 2024.xlsx")
    far_cell(folder / "far 2024.xlsx")
    long_table(folder / "long 2024.parquet")
    repeats = 'table:number-columns-repeated="900"'
    every = f'<table:table-row table:number-rows-repeated="1000000">{ods.cell("x" * 90, repeats)}</table:table-row>'
    ods.write_ods(folder / "repeats 2024.ods", ods.sheet(ods.row(["ODS", "q25c"]) + every))
    return {
        folder / "cells 2024.xlsx": "The workbook unpacks from 4 MB to 632 MB",
        folder / "texts 2024.xlsx": "The workbook unpacks from 4 MB to 309 MB",
        folder / "cited 2024.xlsx": "cites its texts so often that they become 9.6 GB",
        folder / "far 2024.xlsx": "The sheet's used range is too large for the memory that is free",
        folder / "repeats 2024.ods": "The sheet's used range is too large for the memory that is free",
        folder / "long 2024.parquet": "The file says that it holds 60,000,000 rows",
    }


READ_ALL = """
import json, resource, sys, tempfile
resource.setrlimit(resource.RLIMIT_AS, (8 << 30, -1))
import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError
from culture_metrics.files.organisations import read_organisations
from culture_metrics.published import is_published
from culture_metrics.reporting.report import report
readers = {
    "read_extract": lambda path: cm.read_extract(path, year=2024),
    "read_published": cm.read_published,
    "read_outcome": lambda path: cm.read_outcome(path, "shmi"),
    "read_panel": cm.read_panel,
    "read_organisations": read_organisations,
    "report": lambda path: report([path], tempfile.mkdtemp()),
}
said = []
for path in sys.argv[1:]:
    errors = {"inspect": cm.inspect_file(path).problems[0]}
    assert not is_published(path)
    for name, read in readers.items():
        try:
            errors[name] = read(path)
        except CultureMetricsError as error:
            errors[name] = [error.what, error.where, error.hint]
    said.append(errors)
# Not ru_maxrss: a process inherits that from the one that starts it.
(most,) = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([said, int(most)]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux keeps this limit, in kB")
def test_what_would_take_all_memory_is_refused_by_every_reader_alike(bombs):
    """In a process of its own, which may take 300 MB over all of them together."""
    assert max(path.stat().st_size for path in bombs) < 4_100_000
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, *map(str, bombs)],
        check=False, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-800:]
    said, most = json.loads(done.stdout)
    for (path, words), errors in zip(bombs.items(), said, strict=True):
        inspected = errors.pop("inspect")
        assert len(errors) == 6
        for name, (what, where, hint) in errors.items():
            assert words in what, (path.name, name, what)
            assert path.name in where
            assert hint
            assert inspected == f"{what}. {hint}"
    assert most * 1024 < 300_000_000


def test_texts_that_are_cited_often_are_added_up_one_by_one(tmp_path):
    """One long note among many short texts is no attack, however often the short ones are cited."""
    with xlsxwriter.Workbook(tmp_path / "RXX 2024.xlsx", {"constant_memory": False}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["ODS", "q25c", *(f"free {i}" for i in range(60))])
        sheet.write_row(1, 0, ["RXX", 4, "x" * 32_000])
        for i in range(2, 700):
            sheet.write_row(i, 0, ["RXX", 4, *["Agree"] * 60])
    assert cm.read_extract(tmp_path / "RXX 2024.xlsx", year=2024).frame.height == 699


def test_a_sheet_of_one_endless_row_is_cut_in_a_time_that_grows_with_its_size(tmp_path):
    """Looked through again at each of 480 steps it would take some 50 times what reading it takes."""
    path = tmp_path / "x.xlsx"
    bomb(path, SHEET, b"<sheetData>", b" " * MEGABYTE, 30, 1_000_000)

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    with zipfile.ZipFile(path) as book:
        reading = min(seconds(lambda: book.read(SHEET)) for _ in range(3))
    book = Workbook(path)
    assert min(seconds(book.heads) for _ in range(2)) < 20 * reading
    assert book.heads()["Data"][1][:2] == ("1", "RXX")


@pytest.mark.parametrize(
    ("xml", "size"),
    [
        (b'<cols><col min="1"/></cols><row r="3"><c r="B3"><v>1</v></c></row>', (2, 3, 1)),
        (b'<row r="3"><c r="B7"><v>1</v></c></row>', (2, 7, 1)),
        (b'<row r="9999999"/><row r="2"><c r="C2"><v>1</v></c></row>', (3, 2, 1)),
        (b'<x:row r="3"><x:c r="D3"><x:v>1</x:v></x:c></x:row>', (4, 3, 1)),
    ],
)
def test_a_sheet_is_as_large_as_its_filled_cells(xml, size):
    assert extent(lambda: [xml]) == size


# --- files that are not what they should be -----------------------------------------------------------------

PARTS = {"content": "content.xml", "manifest": "META-INF/manifest.xml", "workbook": "xl/workbook.xml"}


def zipped(**parts):
    """Return a zip file with these parts."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as book:
        for name, text in parts.items():
            book.writestr(PARTS.get(name, name), text)
    return file.getvalue()


BAD = {
    "a PDF": ("x.xlsx", b"%PDF-1.7"),
    "a web page": ("x.xls", b"<html><table>"),
    "an empty file": ("x.csv", b""),
    "no text": ("x.csv", b"id,ODS,q25c\n1,RXX,4\x00\n"),
    "blanks": ("x.csv", b"\n \n;;\n"),
    "a password": ("x.xlsx", b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le")),
    "a workbook that is damaged": ("x.xlsx", b"PK\x03\x04" + b"\0" * 600),
    "an old workbook that is damaged": ("x.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600),
    "a Parquet file cut short": ("x.parquet", b"PAR1" + b"\0" * 60),
    "an SPSS file cut short": ("x.sav", b"$FL2" + b"\0" * 60),
    "an OpenDocument text": (
        "x.ods",
        zipped(mimetype="application/vnd.oasis.opendocument.text", content="<a/>"),
    ),
    "an OpenDocument file without content": ("x.ods", zipped(mimetype=ods.SPREADSHEET)),
    "a locked OpenDocument file": (
        "x.ods",
        zipped(mimetype=ods.SPREADSHEET, content="\x01", manifest="<manifest:encryption-data/>"),
    ),
    "broken XML": ("x.ods", zipped(mimetype=ods.SPREADSHEET, content="<a><b>")),
    "XML with entities": (
        "x.ods",
        zipped(mimetype=ods.SPREADSHEET, content="<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"),
    ),
    "a new workbook named .ods": ("x.ods", zipped(workbook="<a/>")),
    "an OpenDocument file named .xlsx": ("x.xlsx", zipped(mimetype=ods.SPREADSHEET, content="<a/>")),
    "an ending that cannot be read": ("x.docx", b"PK"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_file_that_cannot_be_read_is_refused_in_the_same_words(tmp_path, kind):
    name, content = BAD[kind]
    path = tmp_path / name
    path.write_bytes(content)
    said = {}
    for reader, read in READERS.items():
        with pytest.raises(CultureMetricsError) as caught:
            read(path)
        said[reader] = str(caught.value)
    assert set(said.values()) == {said["read_extract"]}
    assert name in said["read_extract"]
    problem = cm.inspect_file(path).problems[0]
    assert said["read_extract"].startswith(problem.split(". ")[0])
    assert not is_published(path)


SECRET = "Théâtre-771"


def test_no_reader_repeats_a_cell_that_it_does_not_understand(tmp_path):
    """An error cell with words of its own: the library that reads it names them."""
    content = parts()
    cell = f'<row r="4"><c r="C4" t="e"><v>{SECRET}</v></c></row></sheetData>'.encode()
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as book:
        for name, data in content.items():
            book.writestr(name, data.replace(b"</sheetData>", cell) if name == SHEET else data)
    for read in READERS.values():
        with pytest.raises(CultureMetricsError) as caught:
            read(tmp_path / "x.xlsx")
        assert SECRET not in "".join(traceback.format_exception(caught.value))
    assert SECRET not in repr(cm.inspect_file(tmp_path / "x.xlsx"))


# --- encodings ----------------------------------------------------------------------------------------------

ENCODINGS = ("utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252")
EXPORT = "Year,QuestionNumber,DimName,DimValue,BaseSize,Score\n"
TABLES = {
    "read_extract": "Sample ID,ODS code,Locality 1,q2a,q25c\nS1,RXX,Théâtre,4,5\nS2,RXX,Café,3,4\n",
    "read_published": f"{EXPORT}2024,Q25c,Ward,Café £,50,61.5\n2024,Q25c,Ward,Bank,40,55\n",
    "read_outcome": "ODS code,Year,agency_spend,Note\nRXX,2023/24,£12,é\nRYY,2023/24,£14,ü\n",
    "read_panel": "code,year,engagement,town\nRXX,2022,6.9,Café\nRXX,2023,7.0,Café\nRYY,2022,6.1,Zürich\n",
    "read_organisations": "ods_code,name,predecessor_codes\nRXX,Café Trust,RYY\n",
    # Of fewer than eleven nothing may be shown, so that there is no study of them.
    "study": "Sample ID,ODS code,Locality 1,q2a,q25c\n"
    + "".join(f"S{n},RXX,{'Théâtre' if n % 2 else 'Café'},{1 + n % 5},{1 + n % 4}\n" for n in range(1, 13)),
    "inspect_file": "Sample ID,ODS code,Café,q2a,q25c\nS1,RXX,Théâtre,4,5\nS2,RXX,Café,3,4\n",
}
READ = {
    "read_extract": lambda path: cm.read_extract(path).frame,
    "read_published": lambda path: cm.read_published(path, organisation="RXX").results.table,
    "read_outcome": lambda path: cm.read_outcome(path, "agency_spend").table,
    "read_panel": lambda path: cm.read_panel(path).table,
    "read_organisations": read_organisations,
    "study": lambda path: cm.study([path]).extracts[0].frame,
    "inspect_file": lambda path: pl.DataFrame({"said": [repr(cm.inspect_file(path))]}),
}


@pytest.mark.parametrize("reader", READ)
def test_every_reader_reads_every_encoding(tmp_path, reader):
    text = TABLES[reader]
    path = tmp_path / "RXX_2024.csv"
    path.write_text(text, encoding="utf-8")
    expected = READ[reader](path)
    assert "Café" in repr(expected.rows()) or reader == "read_outcome"
    for encoding in ENCODINGS:
        path.write_bytes(text.encode(encoding))
        assert READ[reader](path).equals(expected), encoding
        assert is_published(path) == (reader == "read_published"), encoding


# --- OpenDocument -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reader", [name for name in READ if name not in ("read_organisations", "inspect_file")]
)
def test_every_reader_reads_opendocument(tmp_path, reader):
    """As LibreOffice saves the same table: figures as figures, blank cells to the end of the sheet."""
    (tmp_path / "RXX_2024.csv").write_text(TABLES[reader], encoding="utf-8")
    table = pl.read_csv(io.StringIO(TABLES[reader]))
    ods.table_ods(tmp_path / "RXX_2024.ods", table)
    expected, found = READ[reader](tmp_path / "RXX_2024.csv"), READ[reader](tmp_path / "RXX_2024.ods")
    assert_frame_equal(found, expected)
    assert found.height


def test_opendocument_is_inspected_as_what_it_is(tmp_path):
    table = pl.read_csv(io.StringIO(TABLES["read_extract"]))
    ods.table_ods(tmp_path / "RXX_2024.ods", table, name="Answers", above=[["A survey"], []])
    found = cm.inspect_file(tmp_path / "RXX_2024.ods")
    assert (found.kind, found.sheet) == ("respondent file", "Answers")
    assert cm.read_extract(tmp_path / "RXX_2024.ods").frame.height == table.height


FORTY = "<table:table-row>" + ods.cell(5, 'table:number-columns-repeated="40"') + "</table:table-row>"


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (ods.row([1, None, 3]), (3, 1, 2)),
        (ods.row([1]) + ods.BELOW.replace("1048000", "7") + ods.row([None, 2]), (2, 9, 2)),
        (ods.row([]) + ods.row([]), (0, 0, 0)),
        (FORTY, (40, 1, 40)),
    ],
)
def test_an_opendocument_sheet_is_as_large_as_its_filled_cells(tmp_path, rows, size):
    """And as large as fastexcel makes it, which the memory guard is about."""
    path = ods.write_ods(tmp_path / "x.ods", ods.sheet(rows))
    with zipfile.ZipFile(path) as book:
        assert measure_opendocument([book.read("content.xml")])[0] == size
    loaded = Workbook(path).load("Sheet1", "string")
    assert loaded.height * loaded.width <= size[0] * size[1]


@pytest.mark.parametrize("read", [cm.read_extract, cm.read_published])
def test_remedies_for_a_folder_and_for_what_excel_leaves_beside_an_open_workbook(read, tmp_path) -> None:
    lock = tmp_path / "~$Trust 2024.xlsx"
    lock.write_bytes(b"\x05Jane " * 30)
    with pytest.raises(CultureMetricsError) as refused:
        read(lock)
    assert "Close Excel" in str(refused.value)
    assert "Trust 2024.xlsx" in refused.value.hint
    assert "Jane" not in str(refused.value)
    assert "Close Excel" in cm.inspect_file(lock).summary()
    with pytest.raises(CultureMetricsError, match="folder") as refused:
        read(tmp_path)
    assert "spelling" not in str(refused.value)
