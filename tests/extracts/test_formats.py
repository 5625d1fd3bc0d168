"""The same respondents in every format, layout and spelling: the same extract."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyreadstat
import pytest
import xlsxwriter

from culture_metrics import read_extract, synthetic, validate
from culture_metrics.catalogue import catalogue
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.labels import TOLD
from culture_metrics.extracts.read import periods_in

FILES = Path(__file__).parent / "files"
LABELS = {
    name: {str(code): label for code, label in question.scale.labels.items()}
    for name, question in catalogue().edition(2024).columns.items()
    if question.kind == "single"
}


@pytest.fixture(scope="module")
def people():
    """Respondents with every question of 2024."""
    return synthetic.respondents(2024, organisations=2, respondents_per_organisation=60, seed=3).frame


def whole(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.drop("row", strict=False).with_columns(pl.col("^q.*$").cast(pl.Int8))


def same(extract, people) -> bool:
    assert extract.frame.columns == ["row", *people.columns]
    different = [c for c in people.columns if not extract.frame[c].equals(whole(people)[c])]
    assert different == []
    return True


def told(extract) -> dict:
    """What the reader counted, without what did not occur."""
    return {how: extract.provenance[how] for how in TOLD if extract.provenance[how]}


def spss(frame: pl.DataFrame, path: Path, **more) -> Path:
    pyreadstat.write_sav(frame, str(path), **more)
    return path


def stata(frame: pl.DataFrame, path: Path, **more) -> Path:
    pyreadstat.write_dta(frame, str(path), **more)
    return path


def excel(rows, path: Path, sheet: str = "Data", first: int = 0) -> Path:
    """Write rows of a sheet; dates get a format such as Excel gives them."""
    with xlsxwriter.Workbook(path) as book:
        day = book.add_format({"num_format": "d-mmm"})
        at = book.add_worksheet(sheet)
        for i, row in enumerate(rows, first):
            for j, cell in enumerate(row):
                if isinstance(cell, datetime):
                    at.write_datetime(i, j, cell, day)
                elif cell is not None:
                    at.write(i, j, cell)
    return path


def test_there_and_back_in_every_format_gives_the_same_table(tmp_path, people):
    folder = tmp_path / "Ergebnisse für Zoë ž"
    folder.mkdir()
    people.write_csv(folder / "a b.csv")
    people.write_parquet(folder / "a b.parquet")
    people.write_excel(folder / "a b.xlsx")
    spss(people, folder / "a b.sav")
    stata(people, folder / "a b.dta")
    for path in sorted(folder.iterdir()):
        extract = read_extract(path, year=2024)
        assert same(extract, people)
        assert extract.provenance["file"] == path.name
        assert extract.provenance["rows"] == 120
        assert told(extract) == extract.provenance["unreadable"] == {}


def test_an_extract_can_be_written_and_read_again(tmp_path, people):
    first = read_extract(people, year=2024)
    first.frame.write_parquet(tmp_path / "again.parquet")
    assert read_extract(tmp_path / "again.parquet", year=2024).frame.equals(first.frame)


class Arrow:
    """A table that speaks the Arrow interface and nothing else."""

    def __init__(self, frame):
        self._frame = frame

    def __arrow_c_stream__(self, requested_schema=None):
        return self._frame.__arrow_c_stream__(requested_schema)


def as_pandas(frame: pl.DataFrame, dtype: str) -> pd.DataFrame:
    columns = {}
    for name in frame.columns:
        values = frame[name].to_list()
        if frame[name].dtype == pl.String:
            columns[name] = values
        elif dtype == "float":
            columns[name] = np.array([np.nan if v is None else v for v in values])
        elif dtype == "category":
            label = LABELS.get(name, {})
            columns[name] = pd.Categorical([None if v is None else label.get(str(v), v) for v in values])
        else:
            columns[name] = pd.array(values, dtype=dtype)
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    "make",
    [
        lambda f: f,
        lambda f: f.lazy(),
        lambda f: f.cast({"^q.*$": pl.Float32}),
        lambda f: f.cast({"^q.*$": pl.String}).cast({"^q.*$": pl.Categorical}),
        Arrow,
        lambda f: as_pandas(f, "float"),
        lambda f: as_pandas(f, "Int64"),
        lambda f: as_pandas(f, "object"),
        lambda f: as_pandas(f, "category"),
    ],
    ids=[
        "polars",
        "lazy",
        "float",
        "categorical",
        "arrow",
        "pandas-float",
        "pandas-Int64",
        "object",
        "category",
    ],
)
def test_tables_in_memory_are_taken_as_they_are(people, make):
    if not isinstance(make(people), pl.DataFrame | pl.LazyFrame | pd.DataFrame | Arrow):
        raise AssertionError
    extract = read_extract(make(people), year=2024)
    assert same(extract, people)
    assert extract.provenance["file"] == "table in memory"


def test_the_table_in_memory_is_not_changed(people):
    mine = people.rename({"q25c": " Q25C "})
    read_extract(mine, year=2024)
    assert " Q25C " in mine.columns


@pytest.mark.parametrize("name", ["old.xls", "binary.xlsb"])
def test_older_and_binary_workbooks(name):
    extract = read_extract(FILES / name, year=2024)
    assert extract.provenance["sheet"] == "Data"
    assert extract.provenance["other_sheets"] == "Notes"
    answers = extract.frame.select("q2a", "q13a", "q25c")
    assert answers.rows() == [(4, 2, 4), (5, 3, 2)]


# --- labels, codes and everything between -------------------------------------------------------------------


def labelled(people: pl.DataFrame, how) -> pl.DataFrame:
    """Write answers of single questions as `how` makes them of code and label."""
    return people.with_columns(
        pl.col(name)
        .cast(pl.String)
        .replace_strict({code: how(code, label) for code, label in labels.items()}, default=None)
        for name, labels in LABELS.items()
    )


@pytest.mark.parametrize(
    "how",
    [
        lambda code, label: label,
        lambda code, label: label.upper(),
        lambda code, label: f"  {label.lower()} ",
        lambda code, label: label.replace("'", "\u2019").replace("-", "\u2013"),
        lambda code, label: f"{code} - {label}",
        lambda code, label: f"{code}. {label}",
        lambda code, label: f"[{code}] {label}",
        lambda code, label: f"{label} ({code})",
        lambda code, label: label if int(code) % 2 else code,
        lambda code, label: f"{int(code):02d}",
        lambda code, label: f"{code}.0",
        lambda code, label: f"{code},0",
        lambda code, label: f'="{code}"',
    ],
    ids=["label", "upper", "spaces", "typographic", "dash", "dot", "bracket", "after", "mixed", "zero", "float",
         "comma", "formula"],
)  # fmt: skip
def test_answers_in_any_spelling_are_the_same_codes(tmp_path, people, how):
    labelled(people, how).write_csv(tmp_path / "x.csv")
    extract = read_extract(tmp_path / "x.csv", year=2024)
    assert same(extract, people)
    assert extract.provenance["unreadable"] == {}


def test_how_answers_were_told_is_counted(tmp_path):
    path = tmp_path / "x.csv"
    cells = ["4", "04", "Agree", "1 - Agree", "-", "#N/A", "", "99", "rather"]
    path.write_text("id,organisation,q25c\n" + "".join(f"{i},RXX,{c}\n" for i, c in enumerate(cells)))
    extract = read_extract(path, year=2024)
    assert extract.frame["q25c"].to_list() == ["4", "4", "4", "4", None, None, None, "99", "rather"]
    assert told(extract) == {
        "numbers_read": {"q25c": 1},
        "labels_read": {"q25c": 1},
        "codes_relabelled": {"q25c": 1},
        "blanks_read": {"q25c": 2},
    }
    assert extract.provenance["unreadable"] == {"q25c": 1}


def test_the_reported_question_knows_both_and_not_applicable(tmp_path):
    path = tmp_path / "x.csv"
    cells = ["6", "Both a colleague and I reported it", "Not applicable", "Don\u2019t know", "n/a"]
    path.write_text(
        "id,organisation,q13d,q25c\n" + "".join(f"{i},RXX,{c},n/a\n" for i, c in enumerate(cells))
    )
    frame = read_extract(path, year=2024).frame
    # "n/a" is the answer "not applicable" where there is that answer, and blank where there is none.
    assert frame["q13d"].to_list() == [6, 6, 9, 4, 9]
    assert frame["q25c"].to_list() == [None] * 5


def test_ranges_that_excel_took_for_dates_are_read_back(tmp_path):
    rows = [
        ["id", "organisation", "q13a", "q13b", "q10b", "q34a"],
        [1, "RXX", datetime(2024, 2, 1), "01-Feb", datetime(2023, 10, 6), datetime(2024, 2, 1)],
        [2, "RXX", datetime(2024, 5, 3), "03-May", "6-10 hours", datetime(2024, 5, 3)],
        [3, "RXX", datetime(2024, 10, 6), "Oct-06", 4, datetime(2015, 11, 1)],
        [4, "RXX", datetime(2024, 1, 2), 45323, 1, "11-15"],
        [5, "RXX", "Never", "More than 10", "Up to 5 hours", "More than 15 years"],
    ]
    extract = read_extract(excel(rows, tmp_path / "x.xlsx"), year=2024)
    assert extract.frame.select("q13a", "q13b", "q10b", "q34a").rows() == [
        (2, 2, 3, 2), (3, 3, 3, 3), (4, 4, 4, 5), (2, 2, 1, 5), (1, 5, 2, 6)
    ]  # fmt: skip
    assert extract.provenance["dates_read"] == {
        "q13a": 4,
        "q13b": 4,
        "q10b": 1,
        "q34a": 3,
    }


def test_a_date_that_is_no_range_cannot_be_read(tmp_path):
    rows = [["id", "organisation", "q13a"], [1, "RXX", datetime(2024, 12, 24)], [2, "RXX", 3]]
    extract = read_extract(excel(rows, tmp_path / "x.xlsx"), year=2024)
    assert extract.provenance["unreadable"] == {"q13a": 1}
    assert extract.frame["q13a"].dtype == pl.String


# --- tick all that apply ------------------------------------------------------------------------------------

TICKS = [(1, 0, 1), (0, 1, 0), (None, None, None)]


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (["q16c_1", "q16c_2", "q16c_6"], [["1", "0", "1"], ["0", "1", "0"], ["", "", ""]]),
        (["Q16c_Ethnic background", "Q16c - Gender", "Q16C: age"], [["1", "0", "1"], ["0", "1", "0"], ["", "", ""]]),
        (["Q16c.1", "Q16c-2", "q16_c_06"], [["Yes", "No", "yes"], ["no", "YES", "n"], ["", "", ""]]),
        (["q16c_1", "q16c_2", "q16c_6"], [["Ticked", "Not ticked", "x"], ["unticked", "x", "0"], ["-", "", "NA"]]),
        (["q16c_1", "q16c_2", "q16c_6"], [["1", "0", "6"], ["0", "2", "0"], ["", "", ""]]),
        (["q16c_1", "q16c_2", "q16c_6"], [["1", "2", "1"], ["2", "1", "2"], ["", "", ""]]),
        (["q16c_1", "q16c_2", "q16c_6"], [["Ethnic background", "0", "Age"], ["0", "gender", "0"], ["", "", ""]]),
    ],
)  # fmt: skip
def test_options_stand_in_a_column_each_however_named_and_ticked(tmp_path, header, rows):
    path = tmp_path / "x.csv"
    lines = [["id", "organisation", "q25c", *header], *(["1", "RXX", "4", *r] for r in rows)]
    path.write_text("\n".join(";".join(line) for line in lines))
    extract = read_extract(path, year=2024)
    assert extract.frame.select("q16c_1", "q16c_2", "q16c_6").rows() == TICKS


@pytest.mark.parametrize(
    "cells",
    [
        ["1;6", "2", "", "99"],
        ["1,6", "2", "", "99"],
        ["1 | 6", "02", "-", "99"],
        ["Ethnic background; Age", "gender", " ", "NA"],
        ["[1, 6]", "2 - Gender", "", ""],
    ],
)
def test_all_options_in_one_column_become_a_column_each(tmp_path, cells):
    path = tmp_path / "x.csv"
    path.write_text(
        "id|organisation|q16c|q25c\n" + "".join(f'{i}|RXX|"{c}"|4\n' for i, c in enumerate(cells))
    )
    extract = read_extract(path, year=2024)
    ticks = extract.frame.select("^q16c_.$")
    assert ticks.columns == [f"q16c_{i}" for i in range(1, 8)]
    assert ticks.rows() == [(1, 0, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, 0, 0), (None,) * 7, (None,) * 7]
    assert extract.frame.columns[-1] == "q25c"


def test_options_that_cannot_be_read_stay_as_text_in_every_column(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('id,organisation,q16c\n1,RXX,"1;8"\n2,RXX,2\n')
    extract = read_extract(path, year=2024)
    assert extract.frame["q16c_1"].to_list() == ["1;8", "0"]
    assert extract.provenance["unreadable"] == {f"q16c_{i}": 1 for i in range(1, 8)}


# --- where the table begins ---------------------------------------------------------------------------------

SMALL = [["Sample ID", "ODS code", "Q2a", "Q25c"], ["1", "RXX", "4", "5"], ["2", "RXX", "3", "4"]]


def small(frame: pl.DataFrame) -> bool:
    assert frame.select("respondent", "organisation", "q2a", "q25c").rows() == [
        ("1", "RXX", 4, 5), ("2", "RXX", 3, 4)
    ]  # fmt: skip
    return True


@pytest.mark.parametrize(
    ("above", "first_row"),
    [
        ("", 2),
        ("sep=;\n", 3),
        ("NHS Staff Survey 2024\n\nConfidential; do not share\n", 5),
        ('"A title over\ntwo lines";;;\n', 3),
        (";;;\n;;;\n", 4),
    ],
)
def test_a_csv_file_may_have_titles_above_the_header_and_blank_lines_below(tmp_path, above, first_row):
    path = tmp_path / "x.csv"
    path.write_text(above + "\n".join(";".join(row) for row in SMALL) + "\n;;;\n\n\n")
    extract = read_extract(path, year=2024)
    assert small(extract.frame)
    assert extract.frame["row"].to_list() == [first_row, first_row + 1]
    assert extract.provenance["header_row"] == first_row - 1
    assert extract.provenance["rows"] == 2
    assert extract.provenance["rows_blank"] == 3


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("cp1252", "cp1252"),
    ],
)  # fmt: skip
def test_encodings(tmp_path, text, encoding):
    path = tmp_path / "x.csv"
    path.write_bytes("id,organisation,locality 1,q25c\r\n1,RXX,Théâtre,Don\u2019t know\r\n".encode(text))
    extract = read_extract(path, year=2024)
    assert extract.frame["locality_1"].to_list() == ["Théâtre"]
    assert extract.provenance["encoding"] == encoding


def test_a_letter_of_windows_far_down_the_file_is_found(tmp_path):
    path = tmp_path / "x.csv"
    lines = [f"{i},RXX,Estates,4\n" for i in range(200_000)]
    path.write_bytes(
        ("id,organisation,locality 1,q25c\n" + "".join(lines) + "x,RXX,Café,4\n").encode("cp1252")
    )
    extract = read_extract(path, year=2024)
    assert extract.provenance["encoding"] == "cp1252"
    assert extract.frame["locality_1"][-1] == "Café"


def test_line_ends_of_old_macs_and_separators_at_the_end_of_rows(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"id,organisation,q2a,q25c\r1,RXX,4,5\r2,RXX,3,4\r")
    assert read_extract(path, year=2024).frame["q25c"].to_list() == [5, 4]
    path.write_text("id,organisation,q2a,q25c\n1,RXX,4,5,\n2,RXX,3,4,\n")
    assert read_extract(path, year=2024).frame["q25c"].to_list() == [5, 4]


def test_rows_that_are_too_short_are_counted(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,organisation,q2a,q25c\n1,RXX,4,5\n2,RXX,3\n3,RXX,3,4\n")
    extract = read_extract(path, year=2024)
    assert extract.provenance["rows_too_short"] == 1
    assert extract.provenance["first_row_too_short"] == 3


def test_one_odd_text_far_down_costs_no_other_column(tmp_path):
    path = tmp_path / "x.csv"
    lines = [f"{i},RXX,{i % 5 + 1},{i % 5 + 1}\n" for i in range(1000)]
    path.write_text("id,organisation,q2a,q25c\n" + "".join(lines) + "x,RXX,4,oops\n")
    extract = read_extract(path, year=2024)
    assert extract.frame["q2a"].dtype == pl.Int8
    assert extract.frame["q25c"].dtype == pl.String
    assert extract.frame["q25c"].to_list()[-2:] == ["5", "oops"]


def test_a_sheet_may_begin_anywhere_and_have_wording_below_the_header(tmp_path):
    wide = ["Sample ID", "ODS code", "Q2a", "Q2b", "Q2c", "Q3a", "Q3b", "Q25c"]
    wording = [None, None, *(f"Some wording of question {i}" for i in range(6))]
    rows = [
        [None, "A title over merged cells"], [], [None, *wide], [None, *wording],
        [None, "1", "RXX", 4, 1, 1, 1, 1, 5], [None, "2", "RXX", 3, 1, 1, 1, 1, 4],
    ]  # fmt: skip
    extract = read_extract(excel(rows, tmp_path / "x.xlsx", first=2), year=2024)
    assert small(extract.frame)
    assert extract.frame["row"].to_list() == [7, 8]
    assert extract.provenance["header_row"] == 5


def test_the_sheet_with_questions_is_found_among_others(tmp_path):
    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write(0, 0, "About these data")
        codes = book.add_worksheet("Codes")
        codes.write_column(0, 0, ["Question", "Q2a", "Q2b", "Q25c"])
        data = book.add_worksheet("Answers 2024")
        for i, row in enumerate(SMALL):
            data.write_row(i, 0, row)
        hidden = book.add_worksheet("Backup")
        hidden.hide()
        for i, row in enumerate(SMALL):
            hidden.write_row(i, 0, row)
    extract = read_extract(path, year=2024)
    assert small(extract.frame)
    assert extract.provenance["sheet"] == "Answers 2024"
    assert extract.provenance["other_sheets"] == "Notes, Codes, Backup"
    assert small(read_extract(path, year=2024, sheet="backup ").frame)


# --- layouts ------------------------------------------------------------------------------------------------


def test_a_contractors_working_file_keeps_completed_questionnaires_only(tmp_path):
    path = tmp_path / "NSS24 working.csv"
    path.write_text(
        "Sample ID,Organisation code,Organisation Name,Trust Type,OUTCOME,SURVEY MODE,LOCALITY1,STAFFGROUP,Q1,Q2a\n"
        "1,RXX,A trust,ACU,CO1,Online,Estates,Nursing,1,4\n"
        "2,RXX,A trust,ACU,REF,Paper,Estates,Nursing,,\n"
        "3,RXX,A trust,mco,cp2,Paper,Wards,Medical,3,5\n"
        "4,RXX,A trust,ACU,INEL,Paper,Wards,Medical,2,2\n"
        "5,RXX,A trust,OTH,CO7,Online,Wards,,2,2\n"
        "6,RXX,A trust,ACU,,Online,Wards,,,\n"
    )
    extract = read_extract(path)
    assert extract.period == "2024"
    assert extract.frame["respondent"].to_list() == ["1", "3", "5"]
    assert extract.frame["row"].to_list() == [2, 4, 6]
    assert extract.provenance["rows_not_completed"] == 3
    assert extract.provenance["rows"] == 6
    assert extract.frame["benchmark_group"].to_list() == [
        "Acute and Acute & Community Trusts",
        "Mental Health & Learning Disability and Mental Health, Learning Disability & Community Trusts",
        "OTH",
    ]
    assert extract.frame.columns == [
        "row", "respondent", "organisation", "organisation_name", "benchmark_group", "survey_mode", "locality_1",
        "staff_group", "q1", "q2a",
    ]  # fmt: skip


def test_an_outcome_column_of_another_kind_keeps_every_row(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,ODS,outcome,q25c\n1,RXX,good,4\n2,RXX,,5\n")
    assert read_extract(path, year=2024).frame.height == 2


def test_a_historic_file_is_read_one_year_at_a_time(tmp_path):
    path = tmp_path / "history.csv"
    # q26d is leaving in 2023 and 2024, gender was q26a in 2022: each year is told by its own columns.
    path.write_text(
        "URN,TRUSTID,TRUSTTYPE,YEAR,q25c,q24f,q26a,q33\n"
        "1,RXX,ACU,2022,1,,1,36\n2,RXX,ACU,2023,4,,2,3\n3,RXX,ACU,2024,5,9,2,3\n4,RXX,ACU,2024,4,4,5,1\n"
    )
    assert periods_in(path) == ("2022", "2023", "2024")
    extracts = {year: read_extract(path, year=year) for year in periods_in(path)}
    assert [e.frame.height for e in extracts.values()] == [1, 1, 2]
    questions = {year: extract.frame.select("^q.*$").columns for year, extract in extracts.items()}
    # q24f is asked since 2024: in the other years its column is another year's.
    assert questions == {
        "2022": ["q25c", "q26a", "q33"],
        "2023": ["q25c", "q26a", "q33"],
        "2024": ["q25c", "q24f", "q26a", "q33"],
    }
    assert extracts["2022"].edition.columns["q33"].id == "occupation"
    assert extracts["2024"].edition.columns["q33"].id == "works_from_home"
    assert extracts["2024"].provenance["rows_of_other_periods"] == 2
    with pytest.raises(ExtractError, match="2022, 2023, 2024, which are several periods"):
        read_extract(path)


def researcher(path, **more):
    frame = pl.DataFrame(
        {
            "record_id": ["a", "b", "c", "d"], "year_date": [2024.0] * 4, "org_id": ["RXX", "RXX", "RYY", "RYY"],
            "org_name": ["One", "One", "Two", "Two"], "region_code": ["Y1"] * 4, "region_name": ["North"] * 4,
            "main_or_bank_indicator": [1.0, 2.0, 1.0, 1.0], "q2a": [5.0, 4, 1, -9], "q6a": [9.0, 1, 8, 5],
            "q27a": [1.0, 2, 9, 99], "locality1": [1.0, 1, 2, 2], "V9": [4.0, 4, None, 5],
        }
    )  # fmt: skip
    return spss(
        frame,
        path,
        column_labels={"V9": "Q25c. Would recommend"},
        variable_value_labels={
            "main_or_bank_indicator": {1: "Main", 2: "Bank only"},
            "locality1": {1: "Estates", 2: "Theatre"},
            "q2a": {1: "Never", 5: "Always", -9: "Not answered"},
            "q27a": {1: "Male", 2: "Female", 9: "Prefer not to say"},
        },
        missing_ranges={"q27a": [9, 99], "q6a": [8, 9]},
        **more,
    )


def test_a_researchers_spss_file_keeps_its_codes_and_leaves_out_bank_workers(tmp_path):
    extract = read_extract(researcher(tmp_path / "NSS24_main v1.0.sav"))
    assert extract.period == "2024"
    assert extract.provenance["rows_of_bank_workers"] == 1
    assert extract.frame["respondent"].to_list() == ["a", "c", "d"]
    assert extract.frame["locality_1"].to_list() == ["Estates", "Theatre", "Theatre"]
    assert extract.frame["region"].to_list() == ["North"] * 3
    assert extract.frame["q25c"].to_list() == [4, None, 5]
    # 9 is declared missing in the file, but it is an answer of both questions; 8 and 99 are none.
    assert extract.frame["q6a"].to_list() == [9, None, 5]
    # The labels say that 1 is male: in the catalogue male is 2.
    assert extract.frame["q27a"].to_list() == [2, 9, None]
    assert extract.frame["q2a"].to_list() == [5, 1, None]
    assert told(extract) == {
        "blanks_read": {"q2a": 1},
        "declared_missing": {"q6a": 1, "q27a": 1},
        "codes_relabelled": {"q27a": 1},
    }
    assert extract.provenance["not_used"] == ["region_code"]


def test_bank_workers_told_by_bare_codes_are_refused(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,org_id,main_or_bank_indicator,q25c\n1,RXX,1,4\n2,RXX,2,5\n")
    with pytest.raises(ExtractError, match="which rows are bank-only workers"):
        read_extract(path, year=2024)


def test_stata_files_bring_labels_and_kinds_of_missing(tmp_path):
    frame = pd.DataFrame({"q25c": [1, "a", 5], "q6a": [4, "b", 2], "org_id": ["RXX"] * 3})
    path = stata(
        frame,
        tmp_path / "x.dta",
        missing_user_values={"q25c": ["a"], "q6a": ["b"]},
        variable_value_labels={
            "q25c": {1: "Strongly agree", 5: "Strongly disagree"},
            "q6a": {"b": "Not applicable"},
        },
    )
    extract = read_extract(path, year=2024)
    assert extract.frame["q25c"].to_list() == [5, None, 1]
    assert extract.frame["q6a"].to_list() == [4, 9, 2]


def test_an_online_file_of_2025_has_other_questions_under_the_old_codes(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,ODS,q25c,q33,q34a,q35,q38,q39a,q39b,q40\n1,RXX,4,7,8,9,3,2,1,14\n")
    extract = read_extract(path, year=2025)
    assert extract.frame.select("q33", "q34a", "q34b", "q35").row(0) == (3, 2, 1, 14)
    assert extract.provenance["not_used"] == ["q33", "q34a", "q35"]


def test_the_preferred_name_of_an_identifying_column_wins(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("id,Sample ID,TRUSTID,ODS code,Q25c - of today,q25c,q27a_other\n1,S1,5,RXX,2,4,text\n")
    extract = read_extract(path, year=2024)
    assert extract.frame.select("respondent", "organisation", "q25c").row(0) == ("S1", "RXX", 4)
    assert extract.provenance["not_used"] == ["id", "TRUSTID", "Q25c - of today", "q27a_other"]


def test_what_was_read_is_what_validation_takes(tmp_path, people):
    labelled(people, lambda code, label: label).write_excel(tmp_path / "x.xlsx")
    report = validate(read_extract(tmp_path / "x.xlsx", year=2024))
    expected = validate(read_extract(people, year=2024))
    assert report.rows_used == expected.rows_used
    assert report.extract.frame.drop("row").equals(expected.extract.frame.drop("row"))
