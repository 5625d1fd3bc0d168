"""Any reader, any file that may be one of respondents: nothing that is said repeats a cell of it.

Every cell holds a mark: names, staff numbers and comments a text, ages a number. It is looked for in every
field of an error, in what led to it, in warnings, in tables of problems and in what is printed. A first row
that is a person's (files without a header, and frames read from one) counts as cells.
"""

from __future__ import annotations

import contextlib
import io
import warnings

import polars as pl
import pytest
import xlsxwriter
from typer.testing import CliRunner

import culture_metrics as cm
from culture_metrics.cli import app
from culture_metrics.errors import CultureMetricsError
from culture_metrics.outcomes.texts import kinds_of_cells

PEOPLE = 30
#: A mark that is text, numbers that begin alike (4831 of an age, 48.31 of a share), and a month of birth.
MARKS = ("zq7", "4831", "4832", "4833", "4834", "48.31", "1987-12")
MOST = PEOPLE - 5


def marked(kind, different=PEOPLE):
    return [f"zq7{kind}{i % different}" for i in range(PEOPLE)]


def same(text, then=None):
    """Give most people the same cell, and the last five a mark where `then` says which."""
    return [text] * MOST + (marked(then)[MOST:] if then else [text] * (PEOPLE - MOST))


STAFF = {
    "Staff ID": marked("i"),
    "Name": [f"{name} Smith" for name in marked("n")],
    "E-mail": [f"{name}@nhs.net" for name in marked("m")],
    "Job title": marked("j"),
    "Age": [f"{48310 + i}" for i in range(PEOPLE)],
    "Directorate": marked("d", 3),
    "Comment": [f"My manager {who} does not listen, and so I leave. " * 3 for who in marked("c")],
}
ORGANISATIONS = [f"ZQ7{i:02d}" for i in range(PEOPLE)]
WHO = {"ODS code": ORGANISATIONS, "Year": same("2024")}
FILES = {
    "staff": {},
    "codes and years that are marks": {"code": marked("k"), "year": marked("y")},
    "an organisation and a year": {"ODS code": same("RXX"), "Year": same("2024")},
    "a code of each person": WHO,
    "one code": {"ODS code": same("ZQ7K"), "Year": same("2024")},
    "years that are marks": {"ODS code": same("RXX"), "Year": marked("y")},
    "values that are texts": {**WHO, "value": marked("v")},
    "values of which some are texts": {**WHO, "value": same("4", "v"), "agency_spend": same("48311")},
    "values that cannot be": {**WHO, "shmi": same("-48311"), "value": same("48.31")},
    "months of birth": {"ODS code": ORGANISATIONS, "period": same("1987-12"), "value": same("1")},
    "end of a period": {
        "ODS code": same("RXX"),
        "start": same("2024"),
        "end": same("48311"),
        "value": same("1"),
    },
    "one person in two years": {
        "code": [f"ZQ7{i // 2:02d}" for i in range(PEOPLE)],
        "year": ["2023", "2024"] * (PEOPLE // 2),
        "engagement": ["1.25", "4.8312"] * (PEOPLE // 2),
    },
    "columns of a pulse workbook": {
        "Org Code": ORGANISATIONS,
        "Care Setting": marked("s"),
        "Total Responses": marked("r"),
    },
    "columns of an export": {
        "QuestionNumber": marked("q"),
        "DimName": marked("e"),
        "DimValue": marked("v"),
        "Year": same("2024"),
        "BaseSize": same("12"),
        "Score": same("48.31"),
    },
    "answers that are texts": {"ODS code": same("RXX"), "q25c": same("4", "a"), "q2a": same("3")},
    "answers and years that are texts": {"ODS code": same("RXX"), "q25c": same("4"), "year": marked("y")},
}
OWN = {"organisation": "Directorate", "period": "Age", "value": "Job title"}
READERS = {
    "read_extract": cm.read_extract,
    "validate": lambda file: cm.validate(cm.read_extract(file, year=2024, organisation="RXX")),
    "read_extract, matched": lambda file: cm.validate(
        cm.read_extract(file, year=2024, organisation="RXX", columns={"Job title": "q25c"})
    ),
    "read_published": lambda file: cm.read_published(file, organisation="RXX"),
    "read_panel": cm.read_panel,
    "read_panel, an outcome": lambda file: cm.read_panel(file, cm.outcome("shmi")),
    "read_panel, named": lambda file: cm.read_panel(file, organisation="Staff ID", year="Age"),
    "read_outcome": cm.read_outcome,
    "read_outcome, a ratio": lambda file: cm.read_outcome(file, "shmi"),
    "read_outcome, a share": lambda file: cm.read_outcome(file, "four_hour_wait"),
    "read_outcome, named": lambda file: cm.read_outcome(file, "agency_spend", columns=OWN),
    "read_outcome, a rating": lambda file: cm.read_outcome(
        file, "cqc_overall", columns={"organisation": "ODS code", "period": "Year", "value": "Job title"}
    ),
    "inspect_file": cm.inspect_file,
    "study": lambda file: cm.study([file], organisation="RXX"),
}
AT_HAND = [name for name in READERS if name.startswith(("read_e", "v", "read_pa", "read_o"))]


def written(folder, columns):
    """Write a file of each kind, with its names and with a person in their place."""
    table = pl.DataFrame({**STAFF, **columns})
    nameless = table.row(0)
    frame = table[1:].rename(dict(zip(table.columns, nameless, strict=True))) if _differ(nameless) else None
    for end, rows in (("", [table.columns, *table.rows()]), (" without names", table.rows())):
        table.write_csv(folder / f"list{end}.csv", include_header=not end)
        with xlsxwriter.Workbook(folder / f"list{end}.xlsx", {"strings_to_numbers": True}) as book:
            sheet = book.add_worksheet("Data")
            for i, row in enumerate(rows):
                sheet.write_row(i, 0, row)
    table.write_parquet(folder / "list.parquet")
    if frame is not None:
        frame.write_parquet(folder / "list without names.parquet")
    return sorted(folder.iterdir()), [frame] if frame is not None else []


def _differ(names):
    return len(set(names)) == len(names)


def everything_said(read):
    """Call a reader; return all it says: errors and what led to them, warnings, problems, what is printed."""
    printed = io.StringIO()
    with (
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stderr(printed),
        contextlib.redirect_stdout(printed),
    ):
        warnings.simplefilter("always")
        try:
            result = read()
            problems = getattr(result, "problems", ())
            said = [str(problems.rows() if isinstance(problems, pl.DataFrame) else problems), repr(result)]
        except CultureMetricsError as error:
            said = [part for link in chain(error) for part in (str(link), repr(link), str(vars(link)))]
    return "\n".join([*said, *(str(one.message) for one in warned), printed.getvalue()])


def chain(error):
    seen, left = [], [error]
    while left:
        link = left.pop()
        if link is not None and link not in seen:
            seen.append(link)
            left += [link.__cause__, link.__context__]
    return seen


def marks_in(text):
    return [mark for mark in MARKS if mark in text.casefold()]


@pytest.mark.parametrize("name", FILES)
def test_no_cell_is_repeated(tmp_path, name):
    files, frames = written(tmp_path, FILES[name])
    calls = [(reader, file) for reader in READERS for file in files]
    calls += [(reader, frame) for reader in AT_HAND for frame in frames]
    for reader, source in calls:
        said = everything_said(lambda read=READERS[reader], source=source: read(source))
        assert not marks_in(said), f"{reader} of {source}: {said}"


@pytest.mark.parametrize("command", ["report", "inspect"])
@pytest.mark.parametrize("name", ["staff", "years that are marks", "columns of an export"])
def test_the_command_line_repeats_none(tmp_path, name, command):
    more = ["--organisation", "RXX", "--out", str(tmp_path / "out")] if command == "report" else []
    for file in written(tmp_path, FILES[name])[0]:
        ran = CliRunner().invoke(app, [command, str(file), *more])
        assert not marks_in(ran.output), f"{file.name}: {ran.output}"
        assert command == "inspect" or ran.exit_code == 2


@pytest.mark.parametrize(
    "text",
    [
        "Dear zq71,\n\nI am 48311; ask zq72@nhs.net\n\tzq73\n" * 20,
        'ODS code,Year,value\nRXX,2024,zq71,zq72,"zq73\n' * 9,
    ],
    ids=["a letter", "a ragged table"],
)
@pytest.mark.parametrize("reader", READERS)
def test_no_word_of_another_text_is_repeated(tmp_path, reader, text):
    path = tmp_path / "text.csv"
    path.write_text(text, encoding="utf-8")
    assert not marks_in(everything_said(lambda: READERS[reader](path)))


def test_what_stands_in_a_cell_is_said_by_its_place_and_kind(tmp_path):
    path = tmp_path / "figures.csv"
    path.write_text("ODS code,Year,agency_spend\nRXX,2023/24,about 12\n", encoding="utf-8")
    with pytest.raises(CultureMetricsError) as caught:
        cm.read_outcome(path, "agency_spend")
    assert caught.value.where == "figures.csv, column agency_spend, rows 2"
    assert caught.value.got == "1 text"


def test_blanks_numbers_and_texts_are_counted():
    cells = pl.DataFrame({"figure": ["1,200", " ", None, "£3", "-", "n. k.", "7"]})
    assert kinds_of_cells(cells, "figure") == "2 texts, 3 numbers, 2 blank cells"
