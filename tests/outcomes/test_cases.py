"""Published outcome files as publishers lay them out, each beside a variant; `inspect` reads what the reader reads."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import FileFormatError, LinkError

SPAN = (date(2023, 4, 1), date(2024, 3, 31))


def spans(data):
    return set(data.table.select("start", "end").iter_rows())


def test_the_period_of_shmi_is_that_of_the_title(shared_data):
    path = shared_data / "cases" / "outcome-shmi-period-in-title.xlsx"
    told, given = cm.read_outcome(path, "shmi"), cm.read_outcome(path, "shmi", period="2023/24")
    assert spans(told) == spans(given) == {SPAN}
    assert told.table["value"].to_list() == given.table["value"].to_list()
    assert told.table.row(0, named=True)["value"] == 1.1183
    assert "period of the title" in told.problems["rule"].to_list()
    deaths = cm.read_outcome(path, "shmi_deaths").table.row(0, named=True)
    assert (deaths["value"], deaths["denominator"]) == (1210, 1082)
    inspection = cm.inspect_file(path)
    assert inspection.kind == "file of outcomes" and "read_outcome" in inspection.summary()


def test_sickness_absence_by_staff_group_is_accounted_for(shared_data):
    path = shared_data / "cases" / "outcome-sickness-absence-staff-groups.csv"
    data = cm.read_outcome(path, "sickness_absence")
    assert data.table.height == 240 and data.table.filter(group="all").height == 60
    results = cm.estimate(cm.synthetic.respondents(2024, respondents_per_organisation=30)).table
    panel = cm.panel(results.with_columns(organisation=pl.lit("RXA")), data, measures=["staff_engagement"])
    flow = panel.losses.filter(source="sickness_absence")
    lost = dict(flow.filter(step="left out").select("reason", "rows").iter_rows())
    assert lost["groups of staff: a panel is of whole organisations"] == 180
    assert (
        flow.filter(step="read")["rows"].sum() == flow.filter(pl.col("step") != "read")["rows"].sum() == 240
    )
    # Days lost over days available, in the twelve months of the financial year.
    own = pl.read_csv(path).filter(ORG_CODE="RXA", STAFF_GROUP="All staff groups")
    share = own["FTE_DAYS_LOST"].sum() / own["FTE_DAYS_AVAILABLE"].sum()
    assert panel.table["sickness_absence"].item() == pytest.approx(share, rel=1e-12)
    assert cm.inspect_file(path).kind == "file of outcomes"


ROWS = "Provider code,Provider name,SHMI value\nRXA,A,1.01\nRXB,B,0.93\n"


@pytest.mark.parametrize(
    "title",
    [
        "SHMI, April 2023 to March 2024",
        "SHMI at trust level Apr 2023 \u2013 Mar 2024\nPublished 14 November 2024",
        "SHMI 2023/24",
        "SHMI 2023-24 (financial year)",
    ],
)
def test_titles_that_name_one_period(tmp_path, title):
    path = tmp_path / "shmi.csv"
    path.write_text(f"{title}\n\n{ROWS}", encoding="utf-8")
    assert spans(cm.read_outcome(path, "shmi")) == {SPAN}
    assert "April 2023 to March 2024" in cm.inspect_file(path).summary()


@pytest.mark.parametrize(
    "title",
    ["SHMI", "Published November 2024", "2022/23 and 2023/24", "Jan 2023 to Dec 2023, Apr 2023 to Mar 2024"],
)
def test_titles_that_do_not_are_asked_about(tmp_path, title):
    path = tmp_path / "shmi.csv"
    path.write_text(f"{title}\n\n{ROWS}", encoding="utf-8")
    with pytest.raises(LinkError, match="period") as told:
        cm.read_outcome(path, "shmi")
    assert "period='2023/24'" in str(told.value)
    inspection = cm.inspect_file(path)
    assert inspection.kind == "file of outcomes" and "period='2023/24'" in inspection.summary()
    assert spans(cm.read_outcome(path, "shmi", period="April 2023 to March 2024")) == {SPAN}


def test_a_period_beside_a_column_of_periods_or_none_at_all_is_refused(tmp_path):
    path = tmp_path / "shmi.csv"
    path.write_text("Org code,Year,SHMI\nRXA,2022/23,1\n")
    with pytest.raises(LinkError, match="without a column of periods"):
        cm.read_outcome(path, "shmi", period="2023/24")
    path.write_text(ROWS)
    with pytest.raises(LinkError, match="cannot be read"):
        cm.read_outcome(path, "shmi", period="soon")
    path.write_text("Provider,Beds\nRXA,4\n")
    with pytest.raises(FileFormatError):
        cm.read_outcome(path, "shmi", period="2023/24")


def test_an_error_of_excel_is_no_figure_and_stops_as_in_a_csv_file(tmp_path):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    path = tmp_path / "shmi.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for n, row in enumerate((["Org code", "Year", "SHMI"], ["RXA", "2023/24", 1.01], ["RXB", "2023/24"])):
            sheet.write_row(n, 0, row)
        sheet.write_formula(2, 2, "=1/0", None, "#DIV/0!")
    with pytest.raises(LinkError, match="1 of 2 cells"):
        cm.read_outcome(path, "shmi")
