"""Days of response in the forms that files have them in; no reader's table holds one."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError, ExtractError
from culture_metrics.extracts.dates import MEANS, days_of
from culture_metrics.study.look import date_column

DAY = date(2024, 10, 3)


def day(text, *others):
    return days_of(pl.Series([text, *others]), "a file")[0][0]


@pytest.mark.parametrize(
    "text",
    [
        "2024-10-03", "2024-10-03 00:00:00", "2024/10/03 14:05", "20241003", "3/10/24", "03/10/2024 09:30",
        "03.10.2024", "3 Oct 2024", "Thursday, 3rd October 2024", "Oct 3, 2024", "03-Oct-24", "45568",
        "45568.9993", "03/10/2024 11:30 PM", "2024-10-03 10:11:12 BST",
    ],
)  # fmt: skip
def test_a_day_is_read_in_every_form(text):
    """45568 is 3 October 2024 in Excel (1 is 1 January 1900)."""
    assert day(text) == DAY


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # London is at UTC+1 until 27 October 2024, and at UTC after it.
        ("2024-10-03T23:30:00Z", date(2024, 10, 4)),
        ("2024-10-03T23:30:00+01:00", DAY),
        ("2024-10-04T01:30:00+05:00", DAY),
        ("2024-10-03 20:00:00.123 -0500", date(2024, 10, 4)),
        ("2024-11-03T23:30:00Z", date(2024, 11, 3)),
        ("03/10/2024 12:10 AM UTC", DAY),
        ("2024-10-03 23:30 GMT", date(2024, 10, 4)),
        ("2024-10-03 23:30 BST", DAY),
    ],
)
def test_a_time_with_its_zone_is_the_day_in_london(text, expected):
    assert day(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-31",
        "soon",
        "12345",
        "99999",
        "10:30",
        "31/31/2024",
        "Q3 2024",
        "\u0660\u0663/\u0661\u0660/2024",
        "\uff12\uff10\uff12\uff14-10-03",
    ],
)
def test_what_is_no_day_is_none(text):
    assert day(text, "2024-10-03") is None


def test_the_whole_column_says_which_number_is_the_month():
    assert days_of(pl.Series(["10/03/2024 01:02 PM", "10/31/2024", None]), "a file")[0].to_list() == [
        DAY, date(2024, 10, 31), None,
    ]  # fmt: skip
    assert days_of(pl.Series(["3/10/2024"]), "a file")[1] == "day first"
    with pytest.raises(ExtractError, match="day first in some rows") as wrong:
        days_of(pl.Series(["25/10/2024", "10/26/2024"]), "RXX.csv, column When")
    assert "2024" not in str(wrong.value).replace("2024-10-31", "")


def test_the_order_is_that_in_which_a_survey_lasts_half_a_year_at_most():
    """Day first, 1 to 12 October would be the tenth of each month; 1 October to 12 November are near."""
    october = [f"10/{n:02}/2024" for n in range(1, 13)]
    days, order = days_of(pl.Series(october), "a file")
    assert (days[2], order) == (DAY, "month first")
    days, order = days_of(pl.Series(["03/10/2024", "01/10/2024", "12/11/2024"]), "a file")
    assert (days[0], order) == (DAY, "day first")


def test_a_year_of_two_figures_may_stand_first():
    days, order = days_of(pl.Series(["24/10/03", "24/10/31", "24/11/05 10:30"]), "a file")
    assert days.to_list() == [DAY, date(2024, 10, 31), date(2024, 11, 5)] and order == "year first"
    assert days_of(pl.Series(["03/10/24", "31/10/24"]), "a file")[0][0] == DAY


@pytest.mark.parametrize("text", ["10/{}/2024", "{}/10/2024"])
def test_cells_that_a_spreadsheet_swapped_are_refused(text):
    """In October, written the other way round than the spreadsheet reads: 3 October became 10 March."""
    column = [f"2024-{n:02}-10" if n <= 12 else text.format(n) for n in range(1, 29)]
    with pytest.raises(ExtractError, match="taken days for months"):
        days_of(pl.Series(column), "a file")
    honest = [f"2024-10-{n:02}" if n % 2 else text.format(n) for n in range(13, 29)]
    assert days_of(pl.Series(honest), "a file")[0].dt.month().to_list() == [10] * 16


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("dated") / "RXX_2024.csv"
    made = cm.synthetic.respondents(2024, respondents_per_organisation=60, seed=2).frame
    days = [f"{1 + n % 28:02}/10/2024 {n % 24:02}:15" for n in range(58)] + ["soon", None]
    made.with_columns(pl.Series("Submitted", days)).write_csv(path)
    return path


def test_days_stand_apart_from_answers_and_are_not_taken_unasked(file):
    extract = cm.read_extract(file)
    assert extract.dates is None and "Submitted" in extract.provenance["not_used"]
    extract = cm.validate(cm.read_extract(file, columns={"Submitted": MEANS})).extract
    assert (extract.dates.table.height, extract.dates.unreadable, extract.dates.order) == (58, 1, "day first")
    assert "Submitted" not in extract.provenance["not_used"]
    tables = [extract.frame, cm.score(extract), cm.estimate(extract).table]
    assert not [t for t in tables for kind in t.schema.values() if kind.is_temporal()]
    said = [repr(extract), repr(extract.dates), str(dict(extract.provenance)), *map(str, tables)]
    assert not [text for text in said if "2024-10" in text or "/10/2024" in text]
    with pytest.raises(CultureMetricsError):
        cm.estimate(extract, by=["Submitted"])


def test_days_follow_their_rows(file, tmp_path):
    """Row numbers are those of the file: the first row below the header is 2."""
    extract = cm.read_extract(file, columns={"Submitted": MEANS})
    assert extract.dates.table.filter(row=2)["date"].item() == date(2024, 10, 1)
    typed = pl.read_csv(file, infer_schema_length=0).with_columns(
        Submitted=pl.Series([datetime(2024, 10, 3, 23, 30)] * 60).dt.replace_time_zone("UTC")
    )
    typed.write_parquet(tmp_path / "RXX_2024.parquet")
    read = cm.read_extract(tmp_path / "RXX_2024.parquet", columns={"Submitted": "Date of response"})
    assert read.dates.table["date"].unique().to_list() == [date(2024, 10, 4)]
    for no_day in (pl.lit(time(23, 30)), pl.duration(days=3)):
        typed.with_columns(Submitted=no_day).write_parquet(tmp_path / "RXX_2024.parquet")
        read = cm.read_extract(tmp_path / "RXX_2024.parquet", columns={"Submitted": MEANS})
        assert (read.dates.table.height, read.dates.table["date"].dtype, read.dates.unreadable) == (
            0,
            pl.Date,
            60,
        )
    typed.select(pl.all().exclude("Submitted"), Submitted=pl.lit(DAY)).write_excel(tmp_path / "RXX_2024.xlsx")
    read = cm.read_extract(tmp_path / "RXX_2024.xlsx", columns={"Submitted": MEANS})
    assert read.dates.table["date"].unique().to_list() == [DAY]
    for n, wrong in enumerate((pl.Series([time(9, 30)] * 60), pl.Series([timedelta(days=3)] * 60))):
        typed.with_columns(Submitted=wrong).write_parquet(tmp_path / f"RXX_2024_{n}.parquet")
        read = cm.read_extract(tmp_path / f"RXX_2024_{n}.parquet", year=2024, columns={"Submitted": MEANS})
        assert (read.dates.table.height, read.dates.unreadable) == (0, 60)


@pytest.mark.parametrize(
    "name",
    ["Completed", "Survey Completed", "Date completed", "Submitted", "End date", "Survey_Completed_Date"],
)
def test_setup_proposes_a_column_of_days_by_the_names_contractors_give_it(name):
    """'Completed' and 'Survey Completed' were passed over; one of yes and no stays so."""
    days = pl.DataFrame({"Other": ["a"] * 3, name: ["03/10/2024", "15/10/2024", "20/11/2024"]})
    assert date_column(days) == name
    assert date_column(days.with_columns(pl.lit("Yes").alias(name))) is None
