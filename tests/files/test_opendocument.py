"""A good .ods file is read as the .xlsx of the same rows is, from its cells to the report.

It is written as LibreOffice writes one: equal neighbours stand once and say how often, blank cells reach to the
last corner, dates and per cent are values with a format, and there are sheets beside that of the respondents.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import groupby

import opendocument as ods
import polars as pl
import pytest
import xlsxwriter
from cells import without_notebooks
from polars.testing import assert_frame_equal
from typer.testing import CliRunner

import culture_metrics as cm
from culture_metrics.cli import app
from culture_metrics.files.workbooks import Workbook
from culture_metrics.reporting import report

NOTES = [
    ["Staff survey", None, 2024],
    ["Fieldwork", date(2024, 9, 23), date(2024, 11, 29)],
    ["Response", 0.485],
]
CODES = [["Question", "Text"], ["q25c", "Would recommend"], ["q2a", "Looks forward"]]
PERCENT = 0.485


def cell(value, more=""):
    """Write a cell as LibreOffice does: what people see stands beside the value."""
    kind = None
    if isinstance(value, date):
        kind = f'office:value-type="date" office:date-value="{value}"', f"{value:%d/%m/%Y}"
    elif value == PERCENT:
        kind = f'office:value-type="percentage" office:value="{value}"', "48.5%"
    if kind is None:
        return ods.cell(value, more)
    return f"<table:table-cell {kind[0]} {more}><text:p>{kind[1]}</text:p></table:table-cell>"


def row(values):
    runs = [(value, len(list(run))) for value, run in groupby(values)]
    cells = (cell(value, f'table:number-columns-repeated="{n}"' if n > 1 else "") for value, n in runs)
    return f"<table:table-row>{''.join(cells)}{ods.TO_THE_END}</table:table-row>"


def write_ods(path, sheets):
    return ods.write_ods(path, *(ods.sheet("".join(map(row, rows)), name) for name, rows in sheets.items()))


def write_xlsx(path, sheets):
    with xlsxwriter.Workbook(path) as book:
        day, share = book.add_format({"num_format": "dd/mm/yyyy"}), book.add_format({"num_format": "0.0%"})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, cells in enumerate(rows):
                for j, value in enumerate(cells):
                    looks = day if isinstance(value, date) else share if value == PERCENT else None
                    sheet.write(i, j, value, looks)
    return path


WRITERS = {"ods": write_ods, "xlsx": write_xlsx}


def sheets():
    """Return a workbook of a small trust: notes, a list of codes, and answers with blanks among them."""
    frame = cm.synthetic.respondents(2024, respondents_per_organisation=300).frame
    questions = [name for name in frame.columns if name.startswith("q")]
    gone = pl.int_range(pl.len()) % 7 == 0
    frame = frame.with_columns(
        pl.when(~gone).then(pl.col(questions[questions.index("q4a") : questions.index("q9a")]))
    )
    returned = [date(2024, 9, 23) + timedelta(days=i % 60) for i in range(frame.height)]
    frame = frame.with_columns(
        pl.Series("Returned", returned), pl.lit(PERCENT).alias("Filled in"), pl.lit(2024).alias("Year")
    )
    return {
        "Notes": NOTES,
        "Codes": CODES,
        "Answers": [["Survey of made-up staff"], [], frame.columns, *frame.rows()],
        "Empty": [],
    }


def test_dates_of_both_are_the_same(tmp_path):
    rows = [["ODS code", "Period", "shmi"], ["RXX", date(2024, 4, 1), 0.97], ["RYY", date(2024, 5, 1), 1.02]]
    for kind, write in WRITERS.items():
        read = cm.read_outcome(write(tmp_path / f"shmi.{kind}", {"Trusts": rows}), "shmi").table
        assert read["start"].to_list() == [date(2024, 4, 1), date(2024, 5, 1)]
        assert read["value"].to_list() == [0.97, 1.02]


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    folder, rows = tmp_path_factory.mktemp("books"), sheets()
    return {kind: write(folder / f"SYN01 2024.{kind}", rows) for kind, write in WRITERS.items()}


def test_cells_of_both_are_the_same(books):
    ods_book, xlsx_book = (Workbook(books[kind]) for kind in WRITERS)
    assert ods_book.sheets == xlsx_book.sheets == ["Notes", "Codes", "Answers", "Empty"]
    for name in ods_book.sheets:
        ours, theirs = ods_book.text(name)[0], xlsx_book.text(name)[0]
        assert_frame_equal(ours, theirs.with_columns(pl.all().str.strip_suffix(" 00:00:00")))
    assert ods_book.text("Notes")[0].rows()[1:] == [
        ("Fieldwork", "2024-09-23", "2024-11-29"),
        ("Response", "0.485", None),
    ]


def test_answers_of_both_are_the_same(books):
    """300 people, of whom every seventh left questions 4 to 8 out: counted here, not read."""
    ours, theirs = (cm.validate(cm.read_extract(books[kind])) for kind in WRITERS)
    assert_frame_equal(ours.extract.frame, theirs.extract.frame)
    assert_frame_equal(ours.problems, theirs.problems)
    frame = ours.extract.frame
    assert (ours.extract.period, frame.height) == ("2024", 300)
    assert ours.extract.provenance["sheet"] == "Answers"
    assert frame["q4a"][::7].null_count() == frame["q8d"][::7].null_count() == 43 > frame["q25c"].null_count()
    assert repr(cm.inspect_file(books["ods"])).replace(".ods", ".xlsx") == repr(
        cm.inspect_file(books["xlsx"])
    )


def test_reports_of_both_are_the_same(books, tmp_path, monkeypatch):
    """On the command line, to page and workbook; its pictures, which are of the same results, are left out."""
    without_notebooks(monkeypatch, report)
    results, tables = [], []
    for kind in WRITERS:
        out = tmp_path / kind
        ran = CliRunner().invoke(
            app, ["report", str(books[kind]), "--organisation", "SYN01", "--out", str(out)]
        )
        assert ran.exit_code == 0, ran.output
        results.append(pl.read_parquet(out / "results.parquet"))
        book = Workbook(out / "results.xlsx")
        tables.append({name: book.text(name)[0] for name in book.sheets})
    assert_frame_equal(*results)
    assert results[0].height > 1000
    assert tables[0].keys() == tables[1].keys()
    for name in tables[0]:
        if name not in ("Notes", "About"):
            assert_frame_equal(tables[0][name], tables[1][name])
