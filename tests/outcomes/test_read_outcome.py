"""Tidy tables and refused cells: errors name file, sheet, column, row and what to do."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import FileFormatError, InputWarning, LinkError, UnknownNameError


def write(folder, text, name="outcome.csv"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_title_above_thousands_and_totals(tmp_path):
    path = write(
        tmp_path,
        "Agency spend by trust,,\nExtracted 1 May 2024,,\nODS Code,Financial year,agency_spend\n"
        'rxx,2023/24,"£12,345,678"\nRYY,2023/24,-\nEngland,2023/24,"£99,000,000"\n,,\n',
    )
    data = cm.read_outcome(path, "agency_spend")
    assert data.table["organisation"].to_list() == ["RXX", "RYY"]
    assert data.table["value"].to_list() == [12345678.0, None]
    assert data.table["status"].to_list() == ["reported", "not_reported"]
    assert data.problems["rule"].to_list() == ["rows that are of no organisation"]
    assert data.problems["rows"].to_list() == [1]
    assert data.problems["examples"].item() == "6"
    assert "Agency spend: 1 figures of 1 organisations" in data.summary()


def test_numerator_and_denominator_give_the_value(tmp_path):
    path = write(
        tmp_path,
        "org_code;month;lost;fte_days\nRXX;Apr 2023;50;1000\nRXX;May 2023;*;1000\n",
    )
    data = cm.read_outcome(
        path,
        "sickness_absence",
        columns={
            "organisation": "org_code",
            "period": "month",
            "numerator": "lost",
            "denominator": "fte_days",
        },
    )
    assert data.table["value"].to_list() == [0.05, None]
    assert data.table["status"].to_list() == ["reported", "suppressed"]
    assert data.table["start"].to_list() == [date(2023, 4, 1), date(2023, 5, 1)]
    assert data.provenance["layout"] == "tidy" and len(data.provenance["sha256"]) == 64


def test_per_cent_becomes_a_fraction_once(tmp_path):
    path = write(tmp_path, "code,year,sickness_absence\nRXX,2023,4.9\nRYY,2023,5.3\n")
    data = cm.read_outcome(path, cm.outcome("sickness_absence", percent=True))
    assert data.table["value"].to_list() == pytest.approx([0.049, 0.053])


def test_a_workbook_with_notes_dates_and_levels(tmp_path):
    import xlsxwriter

    path = tmp_path / "ratings.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write_row(0, 0, ["Care Quality Commission"])
        sheet = book.add_worksheet("Ratings")
        sheet.write_row(0, 0, ["Latest ratings"])
        sheet.write_row(2, 0, ["Provider code", "Publication Date", "cqc_rating"])
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(3, 0, ["RXX"])
        sheet.write_datetime(3, 1, date(2019, 6, 14), day)
        sheet.write(3, 2, "good")
        sheet.write_row(4, 0, ["RXX"])
        sheet.write_datetime(4, 1, date(2021, 2, 3), day)
        sheet.write(4, 2, "Requires improvement")
    data = cm.read_outcome(path, "cqc_rating")
    assert data.provenance["sheet"] == "Ratings"
    assert data.table["level"].to_list() == ["Good", "Requires improvement"]
    assert data.table["end"].to_list() == [date(2019, 6, 14), date(2021, 2, 3)]
    years = data.by_year()
    assert dict(years.select("year", "level").rows()) == {2019: "Good", 2020: "Requires improvement"}
    assert not years["partial"].any()


def test_numbers_of_a_workbook_and_the_choice_of_a_sheet(tmp_path):
    import xlsxwriter

    path = tmp_path / "shmi.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for name in ("Trusts", "Sites"):
            sheet = book.add_worksheet(name)
            sheet.write_row(0, 0, ["Trust code", "Year", "SHMI"])
            sheet.write_row(1, 0, ["RXX", 2023, 0.9712345678])
    with pytest.raises(FileFormatError, match="More than one sheet") as caught:
        cm.read_outcome(path, "shmi")
    assert "sheet='Trusts'" in str(caught.value)
    data = cm.read_outcome(path, "shmi", sheet="Sites")
    assert data.table["value"].item() == pytest.approx(0.9712345678, abs=1e-9)
    assert data.table["start"].item() == date(2023, 4, 1)
    with pytest.raises(FileFormatError, match="no sheet 'Wards'"):
        cm.read_outcome(path, "shmi", sheet="Wards")
    with pytest.raises(LinkError) as caught:
        cm.read_outcome(path, cm.Outcome("shmi", kind="count"), sheet="Sites")
    assert "shmi.xlsx, sheet Sites, column SHMI, rows 2" in str(caught.value)


def test_odd_files_are_refused(tmp_path):
    with pytest.raises(FileFormatError, match="no such file"):
        cm.read_outcome(tmp_path / "none.csv", "shmi")
    with pytest.raises(FileFormatError, match="header but no rows"):
        cm.read_outcome(write(tmp_path, "code,year,shmi\n"), "shmi")
    with pytest.raises(FileFormatError, match="Row 4 has 4 cells, the header has 3") as caught:
        cm.read_outcome(write(tmp_path, "SHMI\ncode,year,shmi\nRXX,2023,0.9\nRZZ,2023,0.9,1\n"), "shmi")
    assert "outcome.csv, row 4" in str(caught.value)
    for text in ("RYY,2023\nRXX,2023,0.9\n", "RXX,2023,0.9\nRYY,2023\nSource: NHS England\n"):
        short = cm.read_outcome(write(tmp_path, "code,year,shmi\n" + text), "shmi")
        assert short.table.select("value", "status").rows() == [(0.9, "reported"), (None, "not_reported")]
    with pytest.raises(LinkError, match="Two columns are named 'shmi'"):
        cm.read_outcome(write(tmp_path, "code,year,shmi,shmi\nRXX,2023,0.9,1\n"), "shmi")
    backwards = "code,from,to,shmi\nRXX,01/04/2023,31/03/2023,0.9\n"
    with pytest.raises(LinkError, match="ends before it starts") as caught:
        cm.read_outcome(write(tmp_path, backwards), "shmi", columns={"start": "from", "end": "to"})
    assert "columns from and to, rows 2" in str(caught.value)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("code,year,agency_spend\nRXX,2023,£5\n".encode("cp1252"))
    assert cm.read_outcome(latin, "agency_spend").table["value"].item() == 5
    parquet = tmp_path / "shmi.parquet"
    pl.DataFrame({"code": ["RXX"], "year": [2023], "shmi": [0.9]}).write_parquet(parquet)
    with pytest.raises(FileFormatError, match="CSV files and Excel workbooks"):
        cm.read_outcome(parquet, "shmi")


BAD = [
    ("shmi", "code,year,shmi\nRXX,2023,0.9\nRYY,2023,high\n", "1 of 2 cells", "column shmi, rows 3", "found: 1 text"),
    ("shmi", "code,year,shmi\nRXX,2023,-0.9\n", "cells cannot be used", "rows 2", "above zero"),
    ("sickness_absence", "code,year,sickness_absence\nRXX,2023,4.9\n", "per cent", "column sickness_absence", "percent=True"),
    ("mrsa", "code,year,mrsa,bed_days\nRXX,2023,1.5,100\n", "cells cannot be used", "column mrsa, rows 2", "whole numbers"),
    ("mrsa", "code,year,mrsa,bed_days\nRXX,2023,1,0\n", "cells cannot be used", "column bed_days, rows 2", "above zero"),
    ("mrsa", "code,year,mrsa,bed_days\nRXX,2023,1,\n", "cells cannot be used", "column bed_days, rows 2", "above zero"),
    ("cqc_rating", "code,year,cqc_rating\nRXX,2023,Goood\n", "cells cannot be used", "rows 2", "Outstanding"),
    ("shmi", "code,year,shmi\nRXX,2023,0.9\nRXX,2023,1.1\n", "stand twice", "rows 2, 3", "Keep one row"),
    ("shmi", "code,period,shmi\nRXX,spring,0.9\n", "1 of 1 periods cannot be read", "column period, rows 2", "found: 1 text"),
]  # fmt: skip


@pytest.mark.parametrize(("outcome", "text", "what", "where", "more"), BAD)
def test_a_bad_cell_is_named_with_its_place_and_a_remedy(tmp_path, outcome, text, what, where, more):
    with pytest.raises(LinkError) as caught:
        cm.read_outcome(write(tmp_path, text), outcome)
    said = str(caught.value)
    assert what in said and where in said and more in said
    assert "outcome.csv" in said and "what to do" in said


def test_percent_that_is_a_fraction_and_numerators_above_their_base(tmp_path):
    path = write(tmp_path, "code,year,sickness_absence\nRXX,2023,0.049\n")
    data = cm.read_outcome(path, cm.outcome("sickness_absence", percent=True))
    assert data.problems["rule"].to_list() == ["per cent that never exceed 1"]
    assert data.table["value"].item() == pytest.approx(0.00049)
    path = write(tmp_path, "code,year,numerator,headcount\nRXX,2023,30,20\n")
    with pytest.raises(LinkError, match="between zero and headcount"):
        cm.read_outcome(path, "leavers")


def test_a_table_at_hand_is_read_like_a_file(tmp_path):
    frame = pl.DataFrame({"code": ["RXX"], "month": [date(2023, 4, 1)], "mrsa": [3], "bed_days": [999.5]})
    data = cm.read_outcome(frame, "mrsa")
    frame.write_csv(tmp_path / "mrsa.csv")
    assert data.table.equals(cm.read_outcome(tmp_path / "mrsa.csv", "mrsa").table)
    row = data.table.row(0, named=True)
    assert (row["numerator"], row["denominator"], row["end"]) == (3, 999.5, date(2023, 4, 30))
    assert data.provenance["sha256"] is None
    with pytest.raises(FileFormatError, match="table lacks a column"):
        cm.read_outcome(frame.drop("code"), "mrsa")


def test_a_file_of_no_known_layout(tmp_path):
    path = write(tmp_path, "code,year,shmi\nRXX,2023,0.9\n")
    with pytest.raises(FileFormatError, match="no outcome was named"):
        cm.read_outcome(path)
    with pytest.raises(FileFormatError, match="No row names the columns"):
        cm.read_outcome(path, "mrsa")
    with pytest.raises(UnknownNameError, match="no role of a column 'org'"):
        cm.read_outcome(path, "shmi", columns={"org": "code"})
    bare = write(tmp_path, "code,shmi\nRXX,0.9\n")
    with pytest.raises(LinkError, match="No column holds the period"):
        cm.read_outcome(bare, "shmi", columns={"organisation": "code", "value": "shmi"})


EMERGENCY = (
    "nhs_trust22_code,total_attendances,attendances_over_4hours,pct_attendance_over_4hours,date\n"
    "RXX,100,20,0.2,April 2023\nRXX,300,30,0.2,May 2023\nRYY,50,NA,NA,April 2023\nRZZ,0,0,NA,April 2023\n"
)


def test_emergency_months_without_a_figure_are_not_zero(tmp_path):
    data = cm.read_outcome(write(tmp_path, EMERGENCY))
    assert data.table["value"].to_list() == [0.8, 0.9, None, None]
    rules = dict(data.problems.select("rule", "rows").rows())
    assert rules == {
        "months without a figure": 1,
        "months without attendances": 1,
        "published share differs from its counts": 1,
    }
    year = data.by_year().row(0, named=True)
    assert (year["organisation"], year["value"], year["months"], year["partial"]) == ("RXX", 0.875, 2, True)
    with pytest.raises(LinkError, match="holds no Leavers"):
        cm.read_outcome(write(tmp_path, EMERGENCY), "leavers")
    with pytest.raises(LinkError, match="at most as many"):
        cm.read_outcome(write(tmp_path, EMERGENCY.replace("100,20,", "10,20,")))


def turnover(*rows):
    head = "PERIOD,TYPE,REPORTING_ORG_CODE,STAFF_GROUP_1_NAME,HC\n"
    return head + "\n".join(",".join(map(str, row)) for row in rows) + "\n"


def test_an_absent_row_of_leavers_is_zero(tmp_path):
    period = "202503 to 202504"
    text = turnover(
        (period, "Denominator at start of period", "RXX", "All staff groups", 90),
        (period, "Denominator at end of period", "RXX", "All staff groups", 110),
        (period, "Leavers", "RXX", "All staff groups", 4),
        (period, "Denominator at start of period", "RXX", "Midwives", 10),
        (period, "Joiners", "RXX", "Midwives", 1),
    )
    data = cm.read_outcome(write(tmp_path, text))
    rows = {
        (o, g): (n, d)
        for o, g, n, d in data.table.select("outcome", "group", "numerator", "denominator").rows()
    }
    assert rows == {
        ("joiners", "all"): (0, 100),
        ("leavers", "all"): (4, 100),
        ("joiners", "Midwives"): (1, 5),
        ("leavers", "Midwives"): (0, 5),
    }
    assert set(data.table["start"]) == {date(2025, 4, 1)}
    assert dict(data.problems.select("found", "rows").rows()) == {
        "1 staff group without a row of leavers": 1,
        "1 staff group without a row of joiners": 1,
        "1 staff group": 1,
    }
    only = cm.read_outcome(write(tmp_path, text), "leavers")
    assert set(only.table["outcome"]) == {"leavers"}


def test_leavers_without_headcount_and_rows_twice_are_refused(tmp_path):
    lone = turnover(("202503 to 202504", "Leavers", "RXX", "All staff groups", 4))
    with pytest.raises(LinkError, match="without a headcount"):
        cm.read_outcome(write(tmp_path, lone))
    row = ("202503 to 202504", "Denominator at end of period", "RXX", "All staff groups", 4)
    with pytest.raises(LinkError, match="Rows stand twice") as caught:
        cm.read_outcome(write(tmp_path, turnover(row, (*row[:-1], 5))))
    assert "rows 2, 3" in str(caught.value)
    once = cm.read_outcome(write(tmp_path, turnover(row, row)), "leavers")
    assert once.table["denominator"].to_list() == [2]
    assert once.set_aside.rows() == [("leavers", 1, None, "repeats of another row, cell by cell")]
    told = once.problems.filter(rule="repeated rows").row(0, named=True)
    assert (told["rows"], told["examples"]) == (1, "3")


def test_the_table_keeps_its_contract(tmp_path):
    from data_schemas.columns import OUTCOMES

    data = cm.read_outcome(write(tmp_path, EMERGENCY))
    assert dict(data.table.schema) == OUTCOMES
    assert data.table.filter(pl.col("status") != "reported")["numerator"].null_count() == 2
    assert "figures of 1 organisations" in data._repr_html_()
    assert "&quot;" not in data._repr_html_()


@pytest.mark.parametrize(
    ("name", "column", "word"),
    [
        ("four_hour_wait", "pct_attendance_over_4hours", "over"),
        ("referral_to_treatment", "Longer than 18 weeks", "longer"),
        ("leavers", "Stability index", "stability"),
        ("four_hour_wait", "pct_within_4hours", None),
        ("leavers", "Leavers, overall", None),
    ],
)
def test_a_column_of_the_other_side_of_a_share_is_told(tmp_path, recwarn, name, column, word):
    path = write(tmp_path, f'code,year,"{column}",base\nRXX,2023/24,0.2,100\n')
    given = {"organisation": "code", "period": "year", "value": column, "denominator": "base"}
    data = cm.read_outcome(path, name, columns=given)
    found = data.problems.filter(rule="a column of the other side")["found"].to_list()
    told = [str(one.message) for one in recwarn if one.category is InputWarning]
    assert data.table["value"].to_list() == [0.2]
    assert len(found) == len(told) == (word is not None)
    if word:
        assert f"'{column}' has the word '{word}'" in found[0] and "signs turn" in told[0]
