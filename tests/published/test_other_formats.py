"""Published workbooks saved as .ods, .xls and sheet by sheet as CSV: read as they are, or refused by all alike."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from mangled_books import KINDS, Book, source, write
from opendocument import row, sheet, write_ods
from test_mangled_books import attempt, figures

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError

FILES = Path(__file__).parent / "files"
#: Kinds of which a sheet as text is no longer the workbook that the reader knows.
WORKBOOKS = tuple(kind for kind in KINDS if kind != "contractor")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("formats")


@pytest.fixture(scope="module")
def figures_of(folder):
    """Return the figures of a kind, as its .xlsx workbook has them."""

    def read(kind):
        book = source(kind, folder)
        return figures(attempt(write(book, folder), book.organisation)[0])

    return read


@pytest.mark.parametrize("kind", KINDS)
def test_opendocument_has_the_same_figures(folder, figures_of, kind):
    book: Book = source(kind, folder)
    sheets = [
        sheet("".join(map(row, rows)), name.replace("&", "&amp;")) for name, rows in book.sheets.items()
    ]
    path = write_ods(folder / f"{kind}.ods", *sheets)
    found, _ = attempt(path, book.organisation)
    assert figures(found) == figures_of(kind)
    assert any("read_published" in text for text in cm.inspect_file(path).next)


def test_old_excel_has_the_same_figures(folder, figures_of):
    """`files/pulse.xls` is the pulse workbook of these tests, saved by LibreOffice."""
    found, _ = attempt(FILES / "pulse.xls", None)
    assert figures(found) == figures_of("pulse")
    assert any("read_published" in text for text in cm.inspect_file(FILES / "pulse.xls").next)


@pytest.mark.parametrize("kind", WORKBOOKS)
def test_a_sheet_as_text_is_refused_by_all_with_one_remedy(folder, kind):
    book = source(kind, folder)
    for name in book.tables:
        path = folder / "sheet.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows(book.sheets[name])
        remedy = "Nothing here reads a copy of its table as text"
        refused = attempt(path, None)[1]
        assert "saved as text" in refused.what
        with pytest.raises(CultureMetricsError) as error:
            cm.read_extract(path, year=2024)
        said = cm.inspect_file(path)
        assert remedy in refused.hint
        assert remedy in error.value.hint
        assert any(remedy in problem for problem in said.problems)
        assert said.kind in refused.what
        assert said.next == ()
