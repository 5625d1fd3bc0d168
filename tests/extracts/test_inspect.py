"""What a file is said to be before it is read."""

from __future__ import annotations

import polars as pl
import pyreadstat
import pytest
import xlsxwriter
from planting import periods_alone

from culture_metrics import synthetic
from culture_metrics.catalogue import catalogue
from culture_metrics.errors import FileFormatError
from culture_metrics.study.inspect import inspect_file

#: The newest edition of the catalogue.
#: Nothing is told to be of a provisional edition where another one fits.
CONFIRMED = [edition.period for edition in catalogue() if not edition.provisional]
LAST = CONFIRMED[-1]


@pytest.fixture(scope="module")
def people():
    return synthetic.respondents(2024, respondents_per_organisation=40, seed=5).frame


def write(path, text):
    path.write_text(text)
    return path


def book(path, sheets):
    with xlsxwriter.Workbook(path) as workbook:
        for name, rows in sheets.items():
            sheet = workbook.add_worksheet(name)
            for i, row in enumerate(rows):
                sheet.write_row(i, 0, row)
    return path


@pytest.mark.parametrize("year", periods_alone())
def test_the_edition_of_a_whole_file_is_told_from_its_codes(tmp_path, year):
    codes = [c for q in catalogue().edition(year).questions.values() for c in q.columns]
    found = inspect_file(write(tmp_path / "x.csv", ",".join(["id", "ODS", *codes]) + "\n1,RXX\n"))
    assert (found.kind, found.survey, found.edition) == ("respondent file", "nss_england", year)
    assert found.certainty >= 0.85
    assert found.problems == ()


def test_a_respondent_file_is_described_in_every_format(tmp_path, people):
    people.write_csv(tmp_path / "a.csv")
    people.write_parquet(tmp_path / "a.parquet")
    people.write_excel(tmp_path / "a.xlsx")
    pyreadstat.write_sav(people, str(tmp_path / "a.sav"))
    for path in tmp_path.iterdir():
        found = inspect_file(path)
        assert (found.kind, found.edition, found.rows, found.sure) == ("respondent file", "2024", 40, "sure")
        assert found.columns["q25c"] == "q25c: Would recommend as a place to work"
        assert found.columns["q16c_6"] == "q16c_6: Grounds of discrimination (Age)"
        assert found.columns["locality_1"] == "locality_1"


@pytest.mark.parametrize(
    ("name", "text", "edition", "sure", "problem"),
    [
        ("x.csv", "id,ODS,q2a,q3a\n1,RXX,4,4\n", LAST, "a guess", f"Which of {', '.join(CONFIRMED)}"),
        ("x_2023.csv", "id,ODS,q2a,q3a\n1,RXX,4,4\n", "2023", "sure", None),
        ("x.csv", "id,ODS,q2a,year\n1,RXX,4,2022\n", "2022", "sure", None),
        ("x.csv", "id,ODS,q2a,year\n1,RXX,4,2022\n2,RXX,4,2024\n", "2024", "sure", "holds several years"),
        ("x_2021.csv", "id,ODS,q2a,q24f\n1,RXX,4,4\n", "2021", "unsure", "says 2021, but the columns are those of"),
        ("x.csv", "id,ODS,q2a,q23c,q24a,q26d,q35\n1,RXX\n", LAST, "a guess", "Which of 2023, 2024, 2025"),
        ("x.csv", "id,q20c,q20d,q28a,colour\n1,4,4,2,red\n", "2021", "fairly sure", "No column says which organisation"),
        ("x.csv", "id,ODS,q20c,q20d,q28a,colour\n1,RXX,4,4,2,red\n", "2021", "fairly sure", "1 column is not used: colour"),
        ("x.csv", "ODS,q2a,q2c,q24f,q99,q98b\n1,4\n", "2024", "a guess", "2024 does not have: q98b, q99"),
        ("x_2024.csv", "ODS,q2a,Q2A\n1,4,4\n", "2024", "sure", "Two columns stand for q2a: 'q2a' and 'Q2A'"),
    ],
)  # fmt: skip
def test_how_sure_it_is_and_why(tmp_path, name, text, edition, sure, problem):
    found = inspect_file(write(tmp_path / name, text))
    assert (found.edition, found.sure) == (edition, sure)
    if problem is None:
        assert found.problems == ()
    else:
        assert any(problem in said for said in found.problems), found.problems
    assert found.reasons


def test_the_pulse_survey_is_told_from_its_nine_questions(tmp_path):
    codes = "q2a,q2b,q2c,q3c,q3d,q3f,q25a,q25c,q25d"
    found = inspect_file(write(tmp_path / "x.csv", f"id,ODS,{codes}\n1,RXX,4,4,4,4,4,4,4,4,4\n"))
    assert (found.kind, found.survey) == ("respondent file", "national_quarterly_pulse")


RESULTS = {
    "official workbook (organisations)": [
        ["NHS Staff Survey 2024 detailed spreadsheets", "", "", "", "", "", "Q1 - words"],
        [],
        ["ODS code", "Organisation name", "Benchmarking group", "Region", "ICS", "Weighting", "% Yes"],
        ["RXX", "A trust", "Community Trusts", "North", "-", "Unweighted", 12.5],
    ],
    "official workbook (national)": [
        ["NHS Staff Survey 2024", "", "", "", "Q2a - words"],
        ["Base", "Breakdown", "Breakdown subgroup", "Weighting", "% Never"],
    ],
    "benchmark workbook": [
        ["org_id", "org_name", "org_type_reporting_name", "PP1_2023", "PP1_2024", "PP1_n_2024", "q25c_2024"],
        ["RXX", "A trust", "Community Trusts", 7.1, 7.2, 900, 0.61],
    ],
    "contractor breakdown export": [
        ["Year", "QuestionNumber", "QuestionText", "DimName", "DimValue", "BaseSize", "Score"],
        ["2024", "Q2a", "words", "Directorate", "Estates", 120, 0.5],
    ],
    "contractor option export": [["Year", "QuestionNumber", "OptionCode", "OptionText", "%"], [2024, "Q2a", 1, "x", 5]],
    "pulse workbook": [
        [], ["Quarter 1"], [],
        ["Region Code", "Region Name", "Org Code", "Org Name", "Care Setting", "Total Responses", "Score"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", RESULTS)
def test_results_of_groups_are_told_from_respondents(tmp_path, kind):
    found = inspect_file(book(tmp_path / "x.xlsx", {"Notes": [["About"]], "Data": RESULTS[kind]}))
    assert found.kind == kind
    assert found.edition == (None if kind == "pulse workbook" else "2024")
    assert found.certainty >= 0.7
    assert found.columns == {}


def test_real_official_files_are_told(shared_data):
    (official,) = (shared_data / "nss2024").glob("*organisational results.xlsx")
    found = inspect_file(official)
    assert (found.kind, found.edition) == ("official workbook (organisations)", "2024")
    found = inspect_file(shared_data / "pulse" / "202223Q1.xlsm")
    assert (found.kind, found.survey, found.edition) == (
        "pulse workbook",
        "national_quarterly_pulse",
        "2022-Q1",
    )
    assert (found.sure, found.problems) == ("sure", ())
    found = inspect_file(shared_data / "panel" / "nss_organisation_percentages_2021_2022.csv")
    assert (found.kind, found.edition, found.sure) == ("table of results", None, "fairly sure")
    assert "nothing here reads it" in found.problems[0]


PULSE_NOTES = [["National Quarterly Pulse Survey"], ["Results of Q3 2023-24"]]


def test_the_quarter_of_a_pulse_workbook_is_told_from_its_notes(tmp_path):
    data = RESULTS["pulse workbook"]
    found = inspect_file(book(tmp_path / "x.xlsx", {"Notes": PULSE_NOTES, "Data": data}))
    assert (found.edition, found.certainty) == ("2023-Q3", 0.7)
    assert "The reader refuses it. The file cannot be read" in found.problems[0]
    none = inspect_file(book(tmp_path / "y.xlsx", {"Notes": [["About"]], "Data": data}))
    assert (none.edition, none.certainty) == (None, 0.7)
    assert "does not say which one quarter it is about" in none.problems[0]


NAMED = ["ODS code", "Organisation name", "Benchmarking group", "Region", "ICS", "Weighting"]


def test_a_table_with_names_of_its_own_is_no_official_workbook(tmp_path):
    """Official workbooks have the question over the figures; without it, nobody can say what they are."""
    rows = [
        [*NAMED, "Year", "Autonomy_base", "Autonomy_rate"],
        ["RXX", "A", "B", "-", "-", "Unweighted", 2021, 55, 80],
    ]
    csv = write(tmp_path / "x.csv", "\n".join(",".join(map(str, row)) for row in rows))
    for path in (csv, book(tmp_path / "x.xlsx", {"Data": rows})):
        found = inspect_file(path)
        assert (found.kind, found.survey, found.edition) == ("table of results", "nss_england", None)
        assert "its first rows are of 2021" in found.reasons
    titled = [["NHS Staff Survey 2024", *[""] * 5, "PP1_2 - words"], [*NAMED, "Base", "Score"]]
    assert (
        inspect_file(book(tmp_path / "y.xlsx", {"Data": titled})).kind == "official workbook (organisations)"
    )


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("x.csv", b"a,b\n1,2\n", "No names of questions"),
        ("x.xlsx", b"%PDF-1.7", "is a PDF document"),
        ("x.docx", b"PK", "cannot be read"),
        ("x.csv", b"", "empty"),
    ],
)
def test_a_file_that_is_none_of_these_is_unknown_and_says_why(tmp_path, name, content, problem):
    (tmp_path / name).write_bytes(content)
    found = inspect_file(tmp_path / name)
    assert (found.kind, found.survey, found.certainty) == ("unknown", None, 0.0)
    assert problem in found.problems[0]


def test_a_file_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        inspect_file(tmp_path / "x.csv")


def test_it_shows_names_and_counts_and_no_answer(tmp_path):
    text = "id,ODS,locality 1,q20c,<b>,q20d,q28a\nS-771,RXX,Théâtre,Agree,secret,4,2\n"
    found = inspect_file(write(tmp_path / "x.csv", text))
    shown = repr(found) + found._repr_html_() + str(found.columns)
    for answer in ("S-771", "Théâtre", "Agree", "secret"):
        assert answer not in shown
    assert "&lt;b&gt;" in found._repr_html_()
    assert "how sure  fairly sure (85%)" in repr(found)


def test_only_the_head_of_a_large_file_is_read(tmp_path):
    # A byte that is no UTF-8 stands far below the head: reading the whole file would meet it.
    lines = "".join(f"{i},RXX,4,4\n" for i in range(200_000))
    path = tmp_path / "RXX_2024.csv"
    path.write_bytes(("id,ODS,q2a,q24f\n" + lines).encode() + b"\xe9,RXX,4,4\n")
    found = inspect_file(path)
    assert found.edition == "2024"
    assert found.rows == 200_001


def test_tables_in_memory_can_be_inspected(people):
    assert inspect_file(people).edition == "2024"
    assert inspect_file(pl.DataFrame({"a": [1]})).kind == "unknown"
