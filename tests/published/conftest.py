"""Workbooks in the official layouts, and the real one where it is at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import fastexcel
import pytest
import xlsxwriter
from books import NATIONAL, ORGANISATIONS, Sheets, make_published, suppress

from culture_metrics.published import Published, write_published

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OFFICIAL = "nss2024/NSS24 detailed spreadsheets organisational results.xlsx"


@pytest.fixture(scope="session")
def organisations_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 2024 workbook of four organisations, one question suppressed in one of them."""
    path = tmp_path_factory.mktemp("published") / "organisations.xlsx"
    published = suppress(make_published("2024", ORGANISATIONS), "RX2", "violence_reported")
    write_published(path, published)
    return path


@pytest.fixture(scope="session")
def national_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 2024 workbook of national results with three breakdowns."""
    path = tmp_path_factory.mktemp("published") / "national.xlsx"
    write_published(path, make_published("2024", NATIONAL), layout="national")
    return path


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Path, Callable[[Sheets], object]], Path]:
    """Return a function that copies a workbook, cell by cell, with changes made to the cells."""

    def copy(source: Path, change: Callable[[Sheets], object]) -> Path:
        book = fastexcel.read_excel(source)
        sheets = {}
        for name in book.sheet_names:
            text = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string").to_polars().rows()
            number = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="float").to_polars().rows()
            sheets[name] = [
                [t if n is None or i < 5 or k < 6 else n for k, (t, n) in enumerate(zip(*pair, strict=True))]
                for i, pair in enumerate(zip(text, number, strict=True))
            ]
        change(sheets)
        target = tmp_path / "changed.xlsx"
        with xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as new:
            for name, rows in sheets.items():
                sheet = new.add_worksheet(name)
                for i, row in enumerate(rows):
                    sheet.write_row(i, 0, row)
        return target

    return copy


@pytest.fixture(scope="session")
def official_file(shared_data: Path) -> Path:
    """The official 2024 workbook of organisations."""
    path = shared_data / OFFICIAL
    if not path.is_file():
        pytest.skip("the official workbook of 2024 is not here")
    return path


@pytest.fixture(scope="session")
def official(published_2024: Published) -> Published:
    """The official results of 2024, read once."""
    return published_2024
