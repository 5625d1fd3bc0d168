"""Organisational workbooks of 2021, 2022, 2023 and 2025, made from that of 2024: the same numbers are read.

No copy of those workbooks is at hand. Their layout is that of 2024 but for the year and its place in the title, the
codes of the questions, the header ICS/STP up to 2022, and in 2021 the contents of Region and ICS/STP under each
other's headers and one weighting for all rows (public scripts that read them; reference/nss/layout_facts.md).
"""

from __future__ import annotations

from typing import NamedTuple

import fastexcel
import polars as pl
import pytest
import xlsxwriter
from polars.testing import assert_frame_equal

from culture_metrics.catalogue import catalogue
from culture_metrics.published import read_published

NEWEST = catalogue().edition(2024)
IDS = 6
SAME = ["organisation", "measure", "unit", "estimate", "base", "status"]


class Facts(NamedTuple):
    title: str = "NHS Staff Survey {year} - WEIGHTED Results"
    ics: str = "ICS"
    swapped: bool = False
    one_weighting: bool = False


FACTS = {
    "2021": Facts(ics="ICS/STP", swapped=True, one_weighting=True),
    "2022": Facts(ics="ICS/STP"),
    "2023": Facts(),
    "2025": Facts(title="{year} NHS Staff Survey - WEIGHTED Results"),
}


@pytest.fixture(scope="module")
def sheets(official_file):
    """Cells of the official workbook, the first organisations of every group, figures as numbers."""
    book = fastexcel.read_excel(official_file)
    found = {}
    for name in book.sheet_names[1:]:
        whole = {"header_row": None, "skip_rows": 0}
        text = book.load_sheet(name, dtypes="string", **whole).to_polars()
        number = book.load_sheet(name, dtypes="float", **whole).to_polars()
        body = (
            text.slice(5)
            .with_row_index("row")
            .filter(pl.col(text.columns[2]).cum_count().over(text.columns[2]) <= 3)
        )
        kept = [*range(5), *(row + 5 for row in body["row"])]
        found[name] = [
            [
                t if n is None or k < IDS else n
                for k, (t, n) in enumerate(zip(text.row(i), number.row(i), strict=True))
            ]
            for i in kept
        ]
    return found


def same_options(question, other):
    return (
        question.id in other.questions
        and question.scale.options == other.questions[question.id].scale.options
    )


def write(path, sheets, year):
    """Write the workbook of another year; return the questions that it has."""
    facts, edition = FACTS[year], catalogue().edition(year)
    codes = {
        ours: theirs
        for question in NEWEST.questions.values()
        if same_options(question, edition)
        for ours, theirs in zip(question.columns, edition.questions[question.id].columns, strict=True)
    }
    with xlsxwriter.Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        for name, rows in sheets.items():
            sheet, keep, kept = book.add_worksheet(name), True, [*range(IDS)]
            title = list(rows[0])
            for i in range(IDS, len(title)):
                if title[i]:
                    code, _, words = title[i].partition(" - ")
                    theirs = codes.get(code.casefold())
                    keep = not code.casefold().startswith("q") or theirs is not None
                    title[i] = f"{theirs.capitalize()} - {words}" if theirs else title[i]
                kept += [i] * keep
            for k, row in enumerate(rows):
                cells = title if k == 0 else list(row)
                if k == 0:
                    cells[0] = facts.title.format(year=year)
                elif k == 4:
                    cells[4] = facts.ics
                elif k > 4:
                    cells[3:5] = cells[4:2:-1] if facts.swapped else cells[3:5]
                    cells[5] = "Occupation Group" if facts.one_weighting else cells[5]
                sheet.write_row(k, 0, [cells[i] for i in kept])
    return {q.id for q in NEWEST.questions.values() if same_options(q, edition)}


@pytest.mark.parametrize("year", FACTS)
def test_another_year_reads_the_same_numbers(sheets, official, tmp_path, year):
    asked = write(tmp_path / "book.xlsx", sheets, year)
    # What the release of 2024 has wrong is not read from it: there is nothing to compare with.
    asked -= {measure for fault in catalogue().faults for measure in fault.measures}
    found = read_published(tmp_path / "book.xlsx")
    assert (found.period, found.provenance["layout"], found.provenance["left_out"]) == (
        year,
        "organisation",
        {},
    )
    organisations = found.organisations["organisation"]
    assert organisations.len() == sum(
        min(3, n) for n in official.organisations["benchmark_group"].value_counts()["count"]
    )
    here = pl.col("organisation").is_in(organisations.implode())
    about = ["organisation", "name", "benchmark_group", "region", "ics"]
    assert_frame_equal(
        found.organisations.select(about),
        official.organisations.filter(here).select(about),
        check_row_order=False,
    )
    assert bool(found.provenance["quirks"]) == FACTS[year].swapped
    edition = catalogue().edition(year)
    alike = [
        m.id for m in edition.measures.values()
        if m.id in NEWEST.measures
        and (m.unit == "score" or (m.question in asked and _counts(m, edition) == _counts(NEWEST.measures[m.id], NEWEST)))
    ]  # fmt: skip
    assert len(alike) > 100
    rows = [
        p.results.table.filter(pl.col("measure").is_in(alike), here).select(SAME) for p in (found, official)
    ]
    assert set(rows[0]["measure"]) == set(alike)
    assert_frame_equal(*rows, check_row_order=False, rel_tol=0, abs_tol=1e-9)
    options = [
        p.distributions.table.filter(pl.col("question").is_in(sorted(asked)), here).select(
            "organisation", "question", "option", "percent", "base"
        )
        for p in (found, official)
    ]
    assert_frame_equal(*options, check_row_order=False, rel_tol=0, abs_tol=1e-9)


def _counts(measure, edition):
    question = edition.questions[measure.question]
    return question.positive, question.out_of_base


def test_region_and_ics_are_put_right_by_the_names_of_regions(sheets, tmp_path):
    """A workbook of 2021 in which they stand under their own headers is left as it is."""
    rows = {name: [list(row) for row in cells] for name, cells in sheets.items()}
    for cells in rows.values():
        for row in cells[5:]:
            row[3:5] = row[4:2:-1]
    write(tmp_path / "book.xlsx", rows, "2021")
    found = read_published(tmp_path / "book.xlsx")
    assert found.provenance["quirks"] == ()
    assert "Midlands" in found.organisations["region"].to_list()


@pytest.mark.parametrize(("changed", "left_out"), [(False, 1), (True, 0)])
def test_a_block_that_stands_twice(sheets, tmp_path, changed, left_out):
    """The same figures count once; other figures refuse, naming both places."""
    rows = {name: [list(row) for row in cells] for name, cells in sheets.items()}
    themes = rows["THEMES"]
    for k, row in enumerate(themes):
        row += row[IDS : IDS + 2]
        if changed and k == 6:
            row[-2] += 1e-6
    write(tmp_path / "book.xlsx", rows, "2023")
    if changed:
        with pytest.raises(Exception, match="the same question or score, with different figures") as error:
            read_published(tmp_path / "book.xlsx")
        assert "column G" in str(error.value)
        assert "column W" in str(error.value)
    else:
        told = read_published(tmp_path / "book.xlsx").provenance["left_out"]
        assert len(told) == left_out
