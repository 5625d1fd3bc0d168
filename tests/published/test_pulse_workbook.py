from __future__ import annotations

import fastexcel
import pytest
import xlsxwriter

from culture_metrics.contract import check_results
from culture_metrics.errors import FileFormatError
from culture_metrics.published import is_published, read_published

HEAD = ["Region Code", "Region Name", "STP Code", "STP Name", "Org Code", "Org Name", "Care Setting"]
COUNTS = ["Total Responses", "HSCIC Workforce Headcount"]
SCORES = ("Engagement Score", "Advocacy Score", "Involvement Score", "Motivation Score")
TITLE = "National Quarterly Pulse Survey Data - Q4 2023-24"
#: Row of the header, as Excel counts from 1.
HEADER_ROW = 7


def provider(code, *figures):
    return ["Y1", "London", "QX", "East", code, f"{code} Trust", "Community Trusts", *figures]


@pytest.fixture
def workbook(tmp_path):
    """Return a function that writes a pulse workbook; `rows` are the same on every sheet unless given."""

    def write(*rows, title=TITLE, sheets=SCORES, **own):
        path = tmp_path / "pulse.xlsx"
        with xlsxwriter.Workbook(path) as book:
            book.add_worksheet("Notes").write(0, 0, title)
            for score in sheets:
                sheet = book.add_worksheet(score.removesuffix(" Score"))
                sheet.write_row(HEADER_ROW - 1, 0, [*HEAD, *COUNTS, score])
                for i, row in enumerate(own.get(score.split()[0], rows)):
                    sheet.write_row(HEADER_ROW + 1 + i, 0, row)
            book.add_worksheet("BS").hide()
        return path

    return write


ENGLAND = [None, None, None, None, None, None, "England", 300, 9000, 6.5]


def one(published, **where):
    rows = published.results.table.filter(**where)
    assert rows.height == 1
    return rows.row(0, named=True)


def test_total_row_with_shifted_cells_is_england(workbook):
    shifted = [None, None, None, None, None, "England", None, 301, 9000, 6.25]
    path = workbook(
        ENGLAND, provider("RX1", 300, 9000, 6.5), Advocacy=[shifted, provider("RX1", 301, 9000, 6.25)]
    )
    assert is_published(path)
    published = read_published(path)
    check_results(published.results.table)
    assert (published.survey, published.period) == ("national_quarterly_pulse", "2023-Q4")
    row = one(published, organisation="all", measure="advocacy")
    assert (row["estimate"], row["base"], row["weighting"]) == (6.25, 301, "none")
    assert published.organisations.row(0)[2:] == ("RX1", "RX1 Trust", "Community Trusts", "London", "East")
    assert published.provenance["headcount"].rows() == [("RX1", "2023-Q4", 9000), ("all", "2023-Q4", 9000)]


def test_few_or_no_responses_are_suppressed(workbook):
    rows = [provider("RX1", 10, 90, 6.5), provider("RX2", 11, 90, 6.5), provider("RX3", 0, 90, 0)]
    published = read_published(workbook(*rows, provider("RX4", "*", 90, "*")))
    status = dict(published.results.table.filter(measure="advocacy").select("organisation", "status").rows())
    hidden = "suppressed_small_base"
    assert status == {"RX1": hidden, "RX2": "reported", "RX3": hidden, "RX4": hidden}
    assert published.provenance["suppressed_cells"] == 12


def test_a_missing_sheet_is_said(workbook):
    published = read_published(workbook(ENGLAND, sheets=SCORES[:3]))
    assert published.provenance["missing"] == ("E_1",)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (provider("RX1", 300, 9000, 65), "sheet 'Engagement': column J is no score from 0 to 10: row 10"),
        (provider("RX1", 300, 9000, "good"), "column J is no score from 0 to 10: row 10"),
        (provider("RX1", 3.5, 9000, 6), "column H ('Total Responses') is no number of responses: row 10"),
        (provider("RX1", None, 9000, 6), "column J has a score without 'Total Responses': row 10"),
        (provider(None, 300, 9000, 6), "figures without an 'Org Code': row 10"),
        ([*ENGLAND[:-1], 6.6], "an organisation twice, with different figures: rows 9, 10"),
    ],
)
def test_what_cannot_be_right_is_refused(workbook, row, said):
    with pytest.raises(FileFormatError) as error:
        read_published(workbook(ENGLAND, row))
    assert said in str(error.value)
    assert "sheet 'Motivation'" in str(error.value)


@pytest.mark.parametrize(
    "title", ["National Quarterly Pulse Survey", "Q1 2022-23 and Q2 2022-23", "Q1 2022-25"]
)
def test_the_quarter_must_be_told(workbook, title):
    with pytest.raises(FileFormatError, match="which one quarter"):
        read_published(workbook(ENGLAND, title=title))


def test_quarters_before_the_survey_are_refused(workbook):
    with pytest.raises(FileFormatError, match="no catalogue of questions for 2019-Q1"):
        read_published(workbook(ENGLAND, title="Q1 2019-20"))


@pytest.fixture(scope="module")
def real_file(shared_data):
    path = shared_data / "pulse/202223Q1.xlsm"
    if not path.is_file():
        pytest.skip("the pulse workbook is not here")
    return path


@pytest.fixture(scope="module")
def real(real_file):
    return read_published(real_file)


def test_real_workbook_is_told(real_file, real):
    assert is_published(real_file)
    assert (real.survey, real.period, real.edition.period) == (
        "national_quarterly_pulse",
        "2022-Q1",
        "2021-Q2",
    )
    assert real.provenance["sheets"] == ("Engagement Score Breakdown", "Engagement Score", *_own(real_file))
    # Notes of the file: "185 NHS service providers submitted".
    assert real.provenance["checks"]["organisations"] == 185


def _own(path):
    return tuple(
        n for n in fastexcel.read_excel(path).sheet_names if n in ("Advocacy", "Involvement", "Motivation")
    )


@pytest.mark.parametrize(
    ("organisation", "measure", "estimate", "base"),
    [  # Cells H and J of the sheets; England in row 9, Barts in row 10.
        ("all", "staff_engagement", 6.6411101, 118335),
        ("all", "advocacy", 6.682233729, 118573),
        ("all", "involvement", 6.441020043, 119080),
        ("all", "motivation", 6.800076527, 118913),
        ("R1H", "staff_engagement", 6.087586669, 708),
        ("R1H", "advocacy", 6.086036671, 709),
        ("RJ1", "advocacy", 7.76531231, 1649),
        ("RTQ", "motivation", 7.847222222, 12),
    ],
)
def test_real_cells(real, organisation, measure, estimate, base):
    row = one(real, organisation=organisation, measure=measure)
    assert row["estimate"] == pytest.approx(estimate, abs=5e-10)
    assert row["base"] == base


def test_real_provider_without_responses_has_no_score(real):
    # RVY has 0 responses and an engagement score of 0 in the file, "-" on the other sheets.
    rows = real.results.table.filter(organisation="RVY")
    assert rows["status"].to_list() == ["suppressed_small_base"] * 4
    assert real.results.table["status"].value_counts().sort("count")["count"].to_list() == [4, 740]


def test_real_engagement_is_the_mean_of_its_parts(real):
    checks = real.provenance["checks"]
    assert checks["engagement_is_mean_of_parts"]["organisations"] == 185
    assert checks["engagement_is_mean_of_parts"]["largest_difference"] < 1e-9
    assert checks["overview_agrees"]["largest_difference"] < 1e-9
    assert set(checks["responses_of_england_less_organisations"].values()) == {0}


def test_real_organisations(real):
    row = real.organisations.filter(organisation="RY6").row(0, named=True)
    assert row["benchmark_group"] == "Community Trusts"
    assert row["region"] == "NORTH EAST AND YORKSHIRE COMMISSIONING REGION"
    assert row["ics"].startswith("West Yorkshire")


def sheets_of(path, **sheets):
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Notes").write(0, 0, TITLE)
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for i, row in enumerate(rows):
                sheet.write_row(i, 0, row)
    return path


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ([*HEAD[:4], "Code", *HEAD[5:], *COUNTS, SCORES[1]], "without a column 'Org Code'"),
        ([*HEAD, "Answers", COUNTS[1], SCORES[1]], "without a column 'Total Responses'"),
        ([*HEAD, *COUNTS, "Result"], "has the responses of sheet 'Copy' without a column of scores"),
    ],
)
def test_a_sheet_that_lost_a_column_beside_its_copy_is_refused(tmp_path, header, said):
    rows = [provider("RX1", 300, 900, 6.5), provider("RX2", 400, 950, 6.7)]
    copied = [provider("RX1", 300, 900, 7.5), provider("RX2", 400, 950, 6.7)]
    path = sheets_of(
        tmp_path / "pulse.xlsx", Advocacy=[header, *rows], Copy=[[*HEAD, *COUNTS, SCORES[1]], *copied]
    )
    with pytest.raises(FileFormatError, match=said):
        read_published(path)


def test_scores_that_the_survey_does_not_know_are_set_aside_by_sheet(tmp_path):
    path = sheets_of(
        tmp_path / "pulse.xlsx",
        Advocacy=[[*HEAD, *COUNTS, SCORES[1]], provider("RX1", 300, 900, 6.5)],
        Wellbeing=[[*HEAD, *COUNTS, "Wellbeing Score"], provider("RX1", 311, 900, 5.5)],
    )
    left_out = read_published(path).provenance["left_out"]
    assert left_out["sheets whose columns are no results that are read"] == ("'Wellbeing'",)


def test_a_score_that_stands_twice_with_other_figures_is_refused(tmp_path):
    header, row = [*HEAD, *COUNTS, SCORES[1], SCORES[1]], provider("RX1", 300, 900, 6.5, 6.6)
    with pytest.raises(FileFormatError, match="columns J and K: 'Advocacy Score' stands twice"):
        read_published(sheets_of(tmp_path / "pulse.xlsx", Advocacy=[header, row]))
