"""Cells that a spreadsheet shows as a figure and that are none are refused by place, never read as another figure."""

from __future__ import annotations

import pytest
from mangled_books import Formula, source, write
from test_mangled_books import attempt, figures

#: What stands in the cell of the first organisation's morale and in that of its base (row 2 of the sheet).
ODD = {
    "true for a score": (True, 400),
    "both are errors": (Formula("=1/0", "#DIV/0!"), Formula("=1/0", "#DIV/0!")),
    "both are formulas without values": (Formula("=A1", ""), Formula("=A1", "")),
    "an infinite base": (6.5, "inf"),
    "thousands with a dot, or 2 with three decimals": (6.5, "2.000"),
}


@pytest.fixture
def book(tmp_path):
    return source("benchmark", tmp_path)


@pytest.mark.parametrize("odd", ODD)
def test_it_is_refused_by_place(book, tmp_path, odd):
    rows = book.sheets["Ambulance Trusts"]
    for name, cell in zip(("theme_morale_2024", "theme_morale_n_2024"), ODD[odd], strict=True):
        rows[1][rows[0].index(name)] = cell
    found, error = attempt(write(book, tmp_path), None)
    assert found is None
    assert "sheet 'Ambulance Trusts', column" in error.got
    assert "row 2" in error.got


def test_a_base_with_a_comma_is_a_thousand(tmp_path):
    """'1,000' was taken for 1.000 in text files, whose decimals may have commas."""
    book = source("contractor", tmp_path)
    book.ends = ".csv"
    base = book.sheets["Data"][0].index("BaseSize")
    before = figures(attempt(write(book, tmp_path), "RXX")[0])
    for row in book.sheets["Data"][1:]:
        row[base] = f"{row[base]:,}"
    found, _ = attempt(write(book, tmp_path), "RXX")
    assert figures(found) == before
    assert {base for _, base in before.values()} >= {3000, 2000, 1000}


def test_a_note_left_of_the_table_moves_no_column(tmp_path):
    """A cell far below, left of the table, makes the sheet begin one column earlier than its first rows do."""
    book = source("benchmark", tmp_path)
    before = figures(attempt(write(book, tmp_path), None)[0])
    for name in book.tables:
        rows = [[None, *row] for row in book.sheets[name]]
        book.sheets[name] = [*rows, *[[None, None, " "]] * 40, ["Source: results website"]]
    found, _ = attempt(write(book, tmp_path), None)
    assert figures(found) == before
