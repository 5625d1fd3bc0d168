"""Who answered, from a messy folder: setup names the column of days, the study tells them in steps only."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest
from accessible import Book

import culture_metrics as cm
from culture_metrics.errors import StudyFileError
from culture_metrics.files.accessible import workbook
from culture_metrics.reporting import excel
from culture_metrics.study import opening
from culture_metrics.study.settings import read_settings
from culture_metrics.study.setup import setup
from culture_metrics.wording.several import Figures

FIRST = date(2024, 9, 23)
#: Directorate, people, and whether they answered late.
PARTS = {"Surgery": 150, "Medicine": 130, "Estates": 80, "Chaplaincy": 5}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("who")
    who = [name for name, n in PARTS.items() for _ in range(n)]
    made = cm.synthetic.respondents(2024, respondents_per_organisation=len(who), seed=4).frame
    days = [f"{FIRST + timedelta(days=n % 30):%d/%m/%Y}" for n in range(len(who) - 2)] + ["", "not known"]
    columns = ["benchmark_group", "region", "ics", "locality_1", "locality_2"]
    made.drop(columns).with_columns(
        pl.Series("Directorate", who), pl.Series("Date invited", ["01/09/2024"] * len(who)),
        pl.Series("Date completed", days), organisation=pl.lit("RXX"),
    ).write_csv(folder / "RXX 2024.csv")  # fmt: skip
    staff = pl.DataFrame({"Directorate": [*PARTS, "Total"], "Headcount": [300, 260, 160, 10, 730]})
    staff.write_csv(folder / "headcounts.csv")
    return folder


@pytest.fixture(scope="module")
def study(folder):
    found = setup([folder])
    assert any("column Date completed is taken for the day" in said for said in found.look)
    text = found.path.read_text(encoding="utf-8")
    assert "date of response: Date completed" in text and "{from: 2024-09-23, to: 2024-11-29}" in text
    found.path.write_text(text.replace("fieldwork: {}", "fieldwork: {from: 2024-09-23, to: 2024-11-29}"))
    assert read_settings(found.path).files[0].fieldwork == ("2024-09-23", "2024-11-29")
    return cm.study(folder)


def test_it_has_the_habits_of_every_result(study, tmp_path):
    """The rate is 365 of 730 staff, as made; its interval is worked by hand elsewhere."""
    found = study.response_rates()
    assert found is study.response_rates()
    assert found.table.filter(breakdown="all").select("base", "staff", "estimate").row(0) == (365, 730, 50.0)
    assert found.provenance["verb"] == "study" and "Wilson" in found.provenance["rules"][0]
    said = found.summary()
    assert "RXX: 50.0% of 730 staff answered" in said and "by its end, 29 November 2024" in said
    assert (
        "For each 0.10 by which the 50.0% of the staff who did not answer in 2024 stand higher or lower"
        in said
    )
    for ending in ("csv", "xlsx", "parquet", "html"):
        assert found.save(tmp_path / f"rates.{ending}").stat().st_size > 100
    kept = pl.read_excel(tmp_path / "rates.xlsx", table_name="Figures")
    # In the words of the sheet in results.xlsx, as printed: no locality_1, no 50.684931506849315.
    assert int(kept.filter(Group="Surgery")["Answered"].item()) == 150
    assert kept["Breakdown"].unique().sort().to_list() == ["Directorate", "Whole organisation"]
    assert float(kept.filter(Breakdown="Whole organisation")["Per cent"].item()) == 50.0
    assert (kept["Per cent"].drop_nulls().cast(pl.String).str.len_chars() <= 4).all()
    assert "Chaplaincy" not in (tmp_path / "rates.csv").read_text(encoding="utf-8")


def test_the_report_says_it_and_the_workbook_lists_it(study, tmp_path):
    said = [*opening._response(study), *opening._silence(study)]
    assert said[0].startswith("365 of 730 staff answered: 50.0%") and said[1].startswith("Those who answered")
    (tmp_path / "r.xlsx").write_bytes(workbook("Results", [], {}, [excel._response_sheet(study)]))
    sheet = pl.read_excel(tmp_path / "r.xlsx", table_name="Response_rates")
    # Polars reads a column with a mark in it as text; in the workbook numbers are numbers.
    assert sheet.select("Breakdown", "Group", "Staff").rows()[0] == ("Whole organisation", "All staff", "730")
    page = Book(tmp_path / "r.xlsx").pages[-1]
    top, _, bottom, _ = page.area
    staff = [page.cells[row, 3] for row in range(top + 1, bottom + 1)]
    assert page.text(top, 3) == "Staff" and {kind for text, kind, _ in staff if text != "[c]"} == {True}
    assert [text for text, is_number, _ in staff if not is_number] == ["[c]"]
    surgery = sheet.filter(Group="Surgery").row(0, named=True)
    assert surgery["Breakdown"] == "Directorate"
    assert (int(surgery["Answered"]), float(surgery["Per cent"])) == (150, 50)
    assert "Chaplaincy" not in sheet["Group"].to_list() and "[c]" in str(sheet.rows())


def test_over_fieldwork_is_told_in_steps_of_many(study, tmp_path):
    found = study.response_rates().over_fieldwork()
    figure, groups, late = found
    assert figure.layout.meta["alt"].startswith("Half of the answers were in by")
    assert set(groups.frame["Directorate"]) < set(PARTS) and "by 29 Nov" in groups.frame.columns
    assert "Those who answered after" in late.said[0]
    over = study.response_rates().rates[0].over_fieldwork()
    whole = over.table.filter(breakdown="all")["base"]
    assert whole.diff().fill_null(whole[0]).min() >= 11 and whole[-1] == 365
    assert "Fewer than 11 answers without a date" in " ".join(over.rules())


def test_without_a_column_the_way_to_it_is_said(folder, study, tmp_path):
    text = (folder / "study.yaml").read_text(encoding="utf-8")
    for name in ("RXX 2024.csv", "headcounts.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    plain = text.replace("date of response: Date completed", "benchmark_group: Date invited")
    (tmp_path / "study.yaml").write_text(
        plain.replace(
            "    columns:  # what it means: the header in this file\n      benchmark_group: Date invited\n",
            "",
        )
    )
    found = cm.study(tmp_path).response_rates().over_fieldwork()
    assert isinstance(found, Figures) and not found.figures
    assert "date of response: Submitted" in repr(found)
    (tmp_path / "study.yaml").write_text(text.replace("2024-09-23, to", "23/09/2024, to"))
    with pytest.raises(StudyFileError, match="fieldwork, from"):
        cm.study(tmp_path)
