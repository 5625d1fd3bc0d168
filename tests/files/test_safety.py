"""Small files that would take all memory are refused before any reader opens them."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from pathlib import Path

import fastexcel
import polars as pl
import pyreadstat
import pytest
import xlsxwriter

from culture_metrics import read_extract
from culture_metrics.errors import FileFormatError
from culture_metrics.files import extents as measures
from culture_metrics.files import memory, safety
from culture_metrics.files.old_excel import extents
from culture_metrics.files.safety import check_workbook
from culture_metrics.files.workbooks import Workbook

ROWS = [["id", "ODS", "q25c", "q2a", "q3a"], ["1", "RXX", 4, 3, 5], ["2", "RXX", 5, 3, 4]]
END = b"</sheetData>"


def workbook(path, change=lambda xml: xml, part="xl/worksheets/sheet1.xml"):
    """Write a workbook of one sheet, its XML changed and stored as another part."""
    plain = io.BytesIO()
    with xlsxwriter.Workbook(plain, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Data")
        for i, row in enumerate(ROWS):
            sheet.write_row(i, 0, row)
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            xml = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                name, xml = part, change(xml)
            new.writestr(name, xml.replace(b"worksheets/sheet1.xml", part.removeprefix("xl/").encode()))
    return path


def last(row):
    return lambda xml: xml.replace(END, row + END)


def says(size, then):
    return lambda xml: then(xml).replace(b'<dimension ref="A1:E3"/>', b'<dimension ref="%b"/>' % size)


def prefixed(xml):
    """Name every element with a prefix, as some programs do."""
    for name in (b"worksheet", b"sheetData", b"row", b"c", b"v"):
        for end in (b">", b" ", b"/"):
            xml = xml.replace(b"<" + name + end, b"<x:" + name + end)
        xml = xml.replace(b"</" + name + b">", b"</x:" + name + b">")
    return xml.replace(b" xmlns=", b" xmlns:x=")


#: Each of these makes the reader of workbooks ask for 20 GB to 150 TB, and the system then ends the process.
STRAY = b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
HUGE = {
    "one cell in the last corner": last(STRAY),
    "a cell beyond a size that hardly differs": says(
        b"A1:AA100000", last(b'<row r="999999"><c r="ZZ999999"><v>1</v></c></row>')
    ),
    "single quotes": last(STRAY.replace(b'"', b"'")),
    "blanks around the sign": last(STRAY.replace(b"=", b" = ")),
    "a tab before it": last(STRAY.replace(b" r=", b"\tr=")),
    "small letters": last(STRAY.replace(b"XFD", b"xfd")),
    "large and small letters": last(STRAY.replace(b"XFD", b"Xfd")),
    "leading zeros": last(b'<row r="0001048576"><c r="XFD0001048576"><v>1</v></c></row>'),
    "beyond the last corner": last(b'<row r="9999999"><c r="ZZZZ9999999"><v>1</v></c></row>'),
    "a text": last(b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'),
    "an empty text": last(b'<row r="1048576"><c r="XFD1048576" t="str"><v></v></c></row>'),
    "cells that do not name their place": last(
        b'<row r="1048576">' + b"<c/>" * 16383 + b"<c><v>1</v></c></row>"
    ),
    "neither do rows": last(b"<row/>" * 1_000_000 + b"<row>" + b"<c/>" * 16383 + b"<c><v>1</v></c></row>"),
    "names with a prefix": lambda xml: prefixed(last(STRAY)(xml)),
    "the end of a tag in an attribute": last(STRAY.replace(b"<c ", b'<c x=">" ')),
    "no size": says(b"", last(STRAY)),
}


@pytest.mark.parametrize("change", HUGE.values(), ids=HUGE)
def test_a_sheet_larger_than_the_memory_is_found(tmp_path, change):
    path = workbook(tmp_path / "x.xlsx", change)
    assert path.stat().st_size < 20_000
    with pytest.raises(FileFormatError, match="used range is too large for the memory"):
        check_workbook(path)


def test_it_is_found_in_a_part_of_any_name(tmp_path):
    with pytest.raises(FileFormatError, match="used range"):
        check_workbook(workbook(tmp_path / "x.xlsx", last(STRAY), "xl/elsewhere/data.xml"))


def test_cells_without_content_do_not_count(tmp_path):
    formatted = b'<row r="1048576" s="1"><c r="XFD1048576" s="1"/></row>'
    for change in (last(formatted), says(b"A1:XFD1048576", last(formatted)), says(b"A1", last(b""))):
        check_workbook(workbook(tmp_path / "x.xlsx", change))
        assert read_extract(tmp_path / "x.xlsx", year=2024).frame.height == 2


def test_heads_are_cut_out_of_what_unpacks_to_a_reasonable_size_only(tmp_path):
    path = workbook(tmp_path / "x.xlsx", last(b" " * 110_000_000))
    with pytest.raises(FileFormatError, match="unpacks from"):
        Workbook(path).heads()


def variable(number):
    """A number as binary workbooks write it: seven bits a byte."""
    more = [number >> shift & 127 | 128 for shift in range(0, 28, 7) if number >> shift]
    return bytes([*more[:-1], more[-1] & 127]) if more else b"\0"


@pytest.mark.parametrize("size", [4, 127, 128, 16383, 16384, 2_097_157])
def test_the_cells_of_a_binary_sheet_tell_its_size(size):
    """Whatever it says itself, and however long the records between are."""
    record = bytes([5]) + variable(size) + (16383).to_bytes(4, "little") + bytes(size - 4)
    said = b"\x94\x01" + variable(16) + bytes(16)
    row = b"\0" + variable(17) + (1048575).to_bytes(4, "little") + bytes(13)
    blank = b"\1" + variable(8) + b"\xff" * 8
    assert measures.extent_binary(said + row + record + blank)[:2] == (16384, 1048576)


def test_texts_that_a_binary_sheet_cites_are_added_up():
    """Against arithmetic: texts of 10 and 1,000 bytes, the long one cited three times, the other once."""
    texts = b"".join(b"\x13" + variable(size) + bytes(size) for size in (10, 1000))
    cite = [b"\7\x0c" + bytes(8) + number.to_bytes(4, "little") for number in (1, 0, 1, 1)]
    assert measures.cited_text_binary(b"".join(cite), measures.text_lengths_binary(texts)) == 3010


def test_a_binary_workbook_that_lies_of_its_size_is_refused(tmp_path):
    cell = b"\0\x11" + (1048575).to_bytes(4, "little") + bytes(13) + b"\5\x10"
    with zipfile.ZipFile(tmp_path / "x.xlsb", "w") as book:
        book.writestr(
            "xl/worksheets/sheet1.bin",
            b"\x94\x01\x10" + bytes(16) + cell + (16383).to_bytes(4, "little") + bytes(12),
        )
        book.writestr("xl/sharedStrings.bin", b"\5\x10" + b"\xff" * 16)
    with pytest.raises(FileFormatError, match="used range"):
        check_workbook(tmp_path / "x.xlsb")


@pytest.mark.parametrize("name", ["x.parquet", "x.csv"])
def test_rows_take_memory_however_few_their_columns(tmp_path, monkeypatch, name):
    """A number of one digit in a file becomes some 200 bytes: who answered, where, in which row."""
    table = pl.DataFrame({"q25c": [4] * 100_000})
    table.write_csv(tmp_path / name) if name == "x.csv" else table.write_parquet(tmp_path / name)
    assert read_extract(tmp_path / name, year=2024, organisation="RXX").frame.height == 100_000
    monkeypatch.setattr(safety, "available_memory", lambda: 100_000 * safety.ROW)
    with pytest.raises(FileFormatError, match="too large for the memory"):
        read_extract(tmp_path / name, year=2024, organisation="RXX")


def test_a_packed_spss_file_that_does_not_say_its_rows_is_taken_for_as_long_as_can_be(tmp_path, monkeypatch):
    path = tmp_path / "x.zsav"
    pyreadstat.write_sav(pl.DataFrame({"q25c": [4.0] * 200_000}), str(path), compress=True)
    content = bytearray(path.read_bytes())
    assert content[80:84] == (200_000).to_bytes(4, "little")  # number of cases, as the format has it
    content[80:84] = b"\xff" * 4
    path.write_bytes(content)
    most = len(content) * 1032 * (24 + safety.ROW)
    monkeypatch.setattr(safety, "available_memory", lambda: most - 1)
    with pytest.raises(FileFormatError, match="too large for the memory"):
        read_extract(path, year=2024, organisation="RXX")


def test_memory_is_what_the_process_may_take(monkeypatch, tmp_path):
    free = memory.available_memory()
    monkeypatch.setattr(memory, "address_space", lambda: 1 << 62)
    assert abs(memory.available_memory() - free) < 4 << 30
    monkeypatch.setattr(memory, "address_space", lambda: 1000)
    assert memory.available_memory() == 0
    monkeypatch.undo()
    monkeypatch.setattr(memory, "_CONTAINER", tmp_path)
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.max").write_text("1000\n")
    assert memory.available_memory() == 300
    (tmp_path / "memory.max").write_text("max\n")
    assert memory.available_memory() > 1000


OLD = Path(__file__).parents[1] / "extracts" / "files" / "old.xls"


def test_the_cells_of_an_old_workbook_tell_its_size():
    """As LibreOffice wrote it: a sheet of notes, and one of five columns and three rows."""
    assert [size for size in extents(OLD.read_bytes()) if size != (0, 0)] == [(1, 1), (5, 3)]
    sheets = fastexcel.read_excel(OLD)
    read = [sheets.load_sheet(name, header_row=None) for name in sheets.sheet_names]
    assert [(sheet.width, sheet.height) for sheet in read] == [(1, 1), (5, 3)]


def test_an_old_workbook_with_a_cell_far_out_is_refused(tmp_path):
    """Its reader asks for 137 GB, and the system ends the process."""
    content = OLD.read_bytes()
    number = b"\x7e\x02\x0a\x00"  # a cell with a number, in a record of ten bytes
    place = content.rindex(number) + len(number)
    (tmp_path / "x.xls").write_bytes(content[:place] + b"\xff" * 4 + content[place + 4 :])
    with pytest.raises(FileFormatError, match="used range is too large for the memory"):
        read_extract(tmp_path / "x.xls", year=2024)


@pytest.mark.parametrize("cut", [600, 1100, 3000])
def test_a_damaged_old_workbook_is_said_to_be_one(tmp_path, cut):
    (tmp_path / "x.xls").write_bytes(OLD.read_bytes()[:cut])
    with pytest.raises(FileFormatError, match="cannot be opened"):
        read_extract(tmp_path / "x.xls", year=2024)


def test_an_old_workbook_whose_parts_go_round_in_circles_ends(tmp_path):
    content = bytearray(OLD.read_bytes())
    (folder,) = struct.unpack_from("<I", content, 48)
    (table,) = struct.unpack_from("<I", content, 76)
    struct.pack_into("<I", content, (table + 1) * 512 + 4 * folder, folder)
    (tmp_path / "x.xls").write_bytes(content)
    with pytest.raises(FileFormatError, match="cannot be opened"):
        read_extract(tmp_path / "x.xls", year=2024)


#: The largest part of a workbook of each kind, and what it begins with.
LARGEST = {
    "x.xlsx": ("xl/sharedStrings.xml", b"<sst>"),
    "x.xlsb": ("xl/worksheets/sheet1.bin", b"\x81\x01\x00"),
    "x.ods": ("content.xml", b"<a>"),
}


def says_of_itself(path, size, padding=0):
    """Write a workbook whose directory says that its largest part has `size` bytes: as many as the whole has."""
    part, start = LARGEST[path.name]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("picture", bytes(padding), zipfile.ZIP_STORED)
        book.writestr(part, start)
        book.getinfo(part).file_size = size - padding
    return path


@pytest.mark.parametrize("name", LARGEST)
def test_no_workbook_may_unpack_to_more_than_two_gigabytes(tmp_path, monkeypatch, name):
    """Whatever its own size and the memory: 2 * 2**30 bytes pass (and are found to be a lie), one more does not."""
    monkeypatch.setattr(safety, "available_memory", lambda: 1 << 50)
    most, padding = 2 * 2**30, 50 << 20
    with pytest.raises(FileFormatError, match="it is damaged"):
        check_workbook(says_of_itself(tmp_path / name, most, padding))
    with pytest.raises(FileFormatError, match=r"unpacks from 52 MB to 2\.1 GB") as caught:
        check_workbook(says_of_itself(tmp_path / name, most + 1, padding))
    assert caught.value.expected == "at most 2.1 GB, and at most 50 times its size"


@pytest.mark.parametrize("name", LARGEST)
def test_a_part_that_is_longer_than_the_directory_says_is_found(tmp_path, name):
    """With the check sum of what Python unpacks, all is well for Python: the reader of workbooks unpacks on."""
    part, start = LARGEST[name]
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr(part, start + b" " * 5_000_000)
        about = book.getinfo(part)
        about.file_size, about.CRC = len(start), zlib.crc32(start)
    with zipfile.ZipFile(path) as book:
        assert book.testzip() is None
    with pytest.raises(FileFormatError, match="it is damaged"):
        check_workbook(path)


def test_a_part_that_stands_twice_counts_twice(tmp_path, monkeypatch):
    monkeypatch.setattr(safety, "available_memory", lambda: 1 << 50)
    path = tmp_path / "x.xlsx"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book,
        pytest.warns(UserWarning, match="Duplicate"),
    ):
        for _ in range(2):
            book.writestr("xl/sharedStrings.xml", bytes(60_000_000))
    with pytest.raises(FileFormatError, match="to 120 MB"):
        check_workbook(path)


@pytest.mark.parametrize("name", ["x.csv.gz", "x.csv"])
def test_packed_text_is_not_unpacked(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(b"ODS code,q25c\n" + b"RXX,4\n" * 100_000))
    with pytest.raises(FileFormatError, match=r"cannot be read|is a packed file"):
        read_extract(tmp_path / name, year=2024)
