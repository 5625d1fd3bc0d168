"""Official flags of significance stand beside our verdicts as the benchmark workbook prints them."""

from __future__ import annotations

import pytest
import xlsxwriter

import culture_metrics as cm
from culture_metrics.compare.printed_flags import printed_flags
from culture_metrics.errors import UnknownNameError

HEADER = [
    "org_id", "org_name", "org_type", "PP1_2024", "PP1_n_2024", "PP1_2023", "PP1_n_2023", "theme_morale_2024",
    "theme_morale_n_2024", "theme_morale_2023", "theme_morale_n_2023", "PP1_2022", "PP1_n_2022", "PP1_sig",
    "theme_morale_sig",
]  # fmt: skip
#: PP1 of RY4 rises by half a point of 2,000 people: beyond chance. Its morale stays, and the file says that it fell.
ROWS = [
    ["RY4", "One", 6, 7.5, 2000, 7.0, 2000, 6.0, 2000, 6.0, 2000, 7.0, 1900, 1, -1],
    ["RY6", "Two", 6, 7.0, 2000, 7.0, 2000, 6.0, 2000, 6.0, 2000, 7.0, 1900, 0, "-"],
]


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    path = tmp_path_factory.mktemp("flags") / "book.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet("Community Trusts")
        for i, row in enumerate([HEADER, *ROWS]):
            sheet.write_row(i, 0, row)
    return cm.read_published(path)


def test_they_are_of_the_last_two_years(book):
    assert printed_flags(book).sort("organisation", "measure").rows() == [
        ("RY4", "compassionate_and_inclusive", 1, "2023", "2024"),
        ("RY4", "morale", -1, "2023", "2024"),
        ("RY6", "compassionate_and_inclusive", 0, "2023", "2024"),
    ]


def test_printed_flags_stand_beside_the_verdict_and_agreement_is_said(book):
    change = cm.compare_years(book, 2023, 2024)
    found = {
        row[:2]: row[2:]
        for row in change.table.select("organisation", "code", "official_flag", "verdict").rows()
    }
    assert found["RY4", "PP1"] == (1, "improved")
    assert found["RY4", "M"][0] == -1
    assert found["RY4", "M"][1] != "declined"
    assert found["RY6", "PP1"][0] == 0
    assert found["RY6", "M"][0] == 0  # the file prints none: rebuilt
    assert change.notes[-1] == (
        "The official flag is as the workbook prints it in 3 rows; the one rebuilt here is the same in 2 of "
        "the 3 that have both."
    )


def test_other_years_have_the_rebuilt_flag_only(book):
    change = cm.compare_years(book, 2022, 2023)
    assert not any("as the workbook prints it" in note for note in change.notes)
    with pytest.raises(UnknownNameError):
        cm.compare_years(book, 2021, 2024)
