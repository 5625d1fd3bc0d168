"""Reading respondent files: formats that are fine, and one clear message for each that is not."""

from __future__ import annotations

import polars as pl
import pytest
from planting import periods_alone

from culture_metrics import read_extract
from culture_metrics.catalogue import catalogue
from culture_metrics.errors import CultureMetricsError, ExtractError, FileFormatError
from culture_metrics.extracts.columns import question_code

HEADER = ["Sample ID", "Organisation code", "LOCALITY1", "Q1", "Q2a", "q6a", "Q16c_1", "Q24f", "Q25c", "Q35"]
ROWS = [
    ["1", "RXX", "Estates", "1", "4", "9", "", "9", "4", "01"],
    ["2", "RXX", "Théâtre", "3", "5", "5", "1", "4", "5", "27"],
    ["3", "RXX", "Estates", "", "", "3", "", "", "2", "42"],
]


def table(rows=ROWS, header=HEADER, separator=",") -> str:
    return "\n".join(separator.join(r) for r in [header, *rows]) + "\n"


def write(folder, text, name="RXX_2024.csv", encoding="utf-8"):
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.fixture
def wanted(tmp_path):
    return read_extract(write(tmp_path, table()), year=2024).frame


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_separator_and_encoding_are_told_from_the_file(tmp_path, wanted, separator, encoding):
    path = write(tmp_path, table(separator=separator), "x.csv", encoding)
    assert read_extract(path, year=2024).frame.equals(wanted)


def test_names_and_types_are_those_of_the_catalogue(wanted):
    assert wanted.columns == [
        "row", "respondent", "organisation", "locality_1", "q1", "q2a", "q6a", "q16c_1", "q24f", "q25c", "q35"
    ]  # fmt: skip
    assert wanted["q25c"].to_list() == [4, 5, 2]
    assert wanted["q35"].to_list() == [1, 27, 42]
    assert wanted["q2a"].to_list() == [4, 5, None]
    assert wanted["row"].to_list() == [2, 3, 4]


def test_parquet_and_excel_give_the_same_table(tmp_path, wanted):
    frame = pl.DataFrame(ROWS, schema=HEADER, orient="row")
    numbers = frame.with_columns(pl.col("^(?i)q.*$").cast(pl.Int64, strict=False))
    numbers.write_parquet(tmp_path / "a.parquet")
    numbers.write_excel(tmp_path / "a b é.xlsx")
    for name in ("a.parquet", "a b é.xlsx"):
        got = read_extract(tmp_path / name, year=2024).frame
        assert got.drop("row").equals(wanted.drop("row"))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("q25c", "q25c"),
        ("Q25C", "q25c"),
        ("q25_c", "q25c"),
        ("Q25c - a label", "q25c"),
        ("Q25c. a label", "q25c"),
        ("Q2a some words", "q2a"),
        ("Q16c_1", "q16c_1"),
        ("q16c-07", "q16c_7"),
        ("q05a", "q5a"),
        ("Q1", "q1"),
        ("quality", None),
        ("q", None),
        ("Question 1", None),
    ],
)
def test_question_codes_are_read_from_column_names(name, code):
    assert question_code(name, catalogue()) == code


def test_the_year_comes_from_the_argument_a_column_the_codes_or_the_file_name(tmp_path):
    assert read_extract(write(tmp_path, table(), "x.csv"), year="2025").period == "2025"
    with_year = [[*r, "2025"] for r in ROWS]
    assert read_extract(write(tmp_path, table(with_year, [*HEADER, "Year"]), "x.csv")).period == "2025"
    assert read_extract(write(tmp_path, table(), "RXX_2025.csv")).period == "2025"
    only_2021 = "id,ODS,q2a,q21c,q28a\n1,RXX,4,5,2\n"
    assert read_extract(write(tmp_path, only_2021, "x.csv")).period == "2021"


@pytest.mark.parametrize("year", periods_alone())
def test_the_year_of_a_complete_file_is_told_from_its_codes(tmp_path, year):
    codes = [c for q in catalogue().edition(year).questions.values() for c in q.columns]
    path = write(
        tmp_path,
        ",".join(["id", "org code", *codes]) + "\n" + ",".join(["1", "RXX", *["1"] * len(codes)]),
        "x.csv",
    )
    assert read_extract(path).period == year


def test_one_year_is_taken_from_a_file_of_several(tmp_path):
    stacked = [[*r, y] for y in ("2023", "2024") for r in ROWS]
    path = write(tmp_path, table(stacked, [*HEADER, "year"]), "x.csv")
    extract = read_extract(path, year=2024)
    assert extract.frame.height == 3
    assert extract.provenance["rows_of_other_periods"] == 3
    with pytest.raises(ExtractError, match="2023, 2024, which are several"):
        read_extract(path)
    with pytest.raises(ExtractError, match="not 2021"):
        read_extract(path, year=2021)


def test_the_organisation_can_be_given(tmp_path):
    header = [h for h in HEADER if h != "Organisation code"]
    rows = [[*r[:1], *r[2:]] for r in ROWS]
    path = write(tmp_path, table(rows, header))
    with pytest.raises(ExtractError, match="which organisation") as caught:
        read_extract(path)
    assert "organisation='RXX'" in str(caught.value)
    assert read_extract(path, organisation="RYY").frame["organisation"].unique().to_list() == ["RYY"]


def test_a_text_that_is_no_answer_leaves_its_column_as_text_for_validation(tmp_path):
    rows = [[*r[:-2], "rather" if r[0] == "1" else r[-2], r[-1]] for r in ROWS]
    extract = read_extract(write(tmp_path, table(rows)), year=2024)
    assert extract.frame["q25c"].to_list() == ["rather", "5", "2"]
    assert extract.frame["q2a"].dtype == pl.Int8
    assert extract.provenance["unreadable"] == {"q25c": 1}


def bad_files(folder):
    pdf = folder / "report.xlsx"
    pdf.write_bytes(b"%PDF-1.7 not a workbook")
    pl.DataFrame().write_excel(folder / "empty.xlsx")
    pl.DataFrame(schema={"q25c": pl.Int64}).write_excel(folder / "header.xlsx")
    (folder / "nothing.csv").write_bytes(b"")
    (folder / "data.sas").write_text("x")
    (folder / "cut.parquet").write_bytes(b"PAR1 and then nothing")
    (folder / "zip.csv").write_bytes(b"PK\x03\x04....")
    (folder / "broken.xlsx").write_bytes(b"PK\x03\x04....")
    return folder


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("report.xlsx", "named .xlsx but is a PDF"),
        ("empty.xlsx", "table is empty"),
        ("header.xlsx", "no rows"),
        ("nothing.csv", "file is empty"),
        ("data.sas", "'.sas' cannot be read"),
        ("cut.parquet", "cannot be read"),
        ("zip.csv", "is an Excel workbook"),
        ("broken.xlsx", "cannot be opened"),
        ("none.csv", "no such file"),
    ],
)
def test_a_wrong_file_gets_one_clear_message(tmp_path, name, message):
    bad_files(tmp_path)
    with pytest.raises(FileFormatError) as caught:
        read_extract(tmp_path / name)
    assert message in str(caught.value)
    assert name in str(caught.value)


def test_a_sheet_that_is_not_there_is_named_with_those_that_are(tmp_path):
    pl.DataFrame(ROWS, schema=HEADER, orient="row").write_excel(tmp_path / "a.xlsx", worksheet="Data")
    with pytest.raises(FileFormatError, match="no sheet 'Answers'") as caught:
        read_extract(tmp_path / "a.xlsx", sheet="Answers")
    assert "Data" in str(caught.value)


@pytest.mark.parametrize(
    ("header", "year", "message"),
    [
        (["id", "organisation", "colour", "size"], None, "No question columns"),
        (["RXX", "1", "4", "5"], None, "No question columns"),
        (["id", "organisation", "q18d", "q33"], 2024, "those of 2022, not of 2024"),
        (["id", "organisation", "q25c", "Q25C"], 2024, "Two columns stand for q25c"),
        (["id", "organisation", "q2a", "q3a"], None, "year cannot be told"),
        (["id", "organisation", "q2a", "q3a"], 2019, "no edition '2019'"),
    ],
)
def test_columns_that_do_not_fit_get_one_clear_message(tmp_path, header, year, message):
    path = write(tmp_path, table([["7", "RXX", "4", "5"]], header), "x.csv")
    with pytest.raises(CultureMetricsError) as caught:
        read_extract(path, year=year)
    assert message in str(caught.value)


def test_a_file_without_a_header_row_does_not_get_its_first_answers_repeated(tmp_path):
    path = write(tmp_path, "S-771,Théâtre,4,9\nS-772,Estates,3,1\n", "x.csv")
    with pytest.raises(ExtractError, match="No question columns") as caught:
        read_extract(path)
    assert "S-771" not in str(caught.value)


def test_an_extract_shows_counts_only(wanted, tmp_path):
    extract = read_extract(write(tmp_path, table()), year=2024)
    assert repr(extract) == (
        "Extract(NHS Staff Survey, England, 2024: 3 respondents, 1 organisation, 11 columns)"
    )
    assert "Estates" not in extract._repr_html_()
