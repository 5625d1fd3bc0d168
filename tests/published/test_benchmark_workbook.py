from __future__ import annotations

import polars as pl
import pytest
import xlsxwriter

from culture_metrics.contract import check_results
from culture_metrics.errors import FileFormatError
from culture_metrics.published import is_published, read_published

COMMUNITY = "Community Trusts"
#: Columns as the layout names them, and figures of two trusts; PP1_3 has no column of bases.
HEADER = [
    *["org_id", "org_name", "org_type_reporting_name", "PP1_2023", "PP1_n_2023", "PP1_2024", "PP1_n_2024"],
    *["PP1_sig_2024", "PP1_3_2024", "theme_engagement_2024", "theme_engagement_n_2024", "E_1_2024"],
    *[
        "q26a_2021",
        "q26a_n_2021",
        "q25c_2024",
        "q25c_n_2024",
        "q13d_2024",
        "q13d_n_2024",
        "q1_2024",
        "q1_n_2024",
    ],
    *["equal_eth_summary_1_2024", "response_rate_2024", "response_rate_n_2024", "q99z_2024", "q99z_n_2024"],
]
FIGURES = {
    "PP1_2023": 7.1,
    "PP1_n_2023": 900,
    "PP1_2024": 7.123456789012,
    "PP1_n_2024": 1000,
    "PP1_sig_2024": 0,
    "PP1_3_2024": 8.25,
    "theme_engagement_2024": 6.9,
    "theme_engagement_n_2024": 1001,
    "E_1_2024": 7.5,
    "q26a_2021": 0.25,
    "q26a_n_2021": 800,
    "q25c_2024": 0.7164123456789,
    "q25c_n_2024": 998,
    "q13d_2024": "-",
    "q13d_n_2024": "-",
    "q1_2024": 0.9,
    "q1_n_2024": 990,
    "equal_eth_summary_1_2024": 0.6,
    "response_rate_2024": 0.62,
    "response_rate_n_2024": 1700,
    "q99z_2024": 0.5,
    "q99z_n_2024": 990,
}


def trust(code, kind=COMMUNITY, **changes):
    return {
        "org_id": code,
        "org_name": f"{code} Trust",
        "org_type_reporting_name": kind,
        **FIGURES,
        **changes,
    }


@pytest.fixture
def workbook(tmp_path):
    """Return a function that writes a benchmark workbook: sheets of trusts beside its notes."""

    def write(*trusts, header=HEADER, sheets=None, printed=None):
        path = tmp_path / "benchmark.xlsx"
        with xlsxwriter.Workbook(path) as book:
            book.add_worksheet("Notes").write_column(0, 0, ["NHS Staff Survey benchmark results", "Notes"])
            listed = book.add_worksheet("Organisation Benchmark groups")
            listed.write_row(0, 0, ["org_id", "org_name", "org_type_reporting_name"])
            for name, rows in (sheets or {COMMUNITY: trusts}).items():
                sheet = book.add_worksheet(name)
                sheet.write_row(0, 0, (printed or {}).get(name, header))
                for i, row in enumerate(rows, 1):
                    sheet.write_row(i, 0, [row.get(column) for column in header])
        return path

    return write


def one(published, **where):
    return published.results.table.row(
        by_predicate=pl.all_horizontal(pl.col(k) == v for k, v in where.items()), named=True
    )


def test_fractions_become_percentages_and_scores_stay(workbook):
    path = workbook(trust("RX1"), trust("RX2", q25c_2024=0.5))
    assert is_published(path)
    published = read_published(path)
    check_results(published.results.table)
    assert published.period == published.provenance["release"] == "2024"
    row = one(published, organisation="RX1", measure="recommend_place_to_work")
    assert (row["estimate"], row["base"]) == (pytest.approx(71.64123456789, abs=1e-11), 998)
    assert (row["unit"], row["weighting"], row["source"]) == ("percent", "occupation_group", "published")
    score = one(published, organisation="RX1", measure="compassionate_and_inclusive", period="2024")
    assert (score["estimate"], score["base"]) == (7.123456789012, 1000)
    assert one(published, organisation="RX2", measure="recommend_place_to_work")["estimate"] == 50
    assert one(published, organisation="RX1", measure="staff_engagement")["estimate"] == 6.9


def test_history_stands_under_the_codes_of_the_newest_year(workbook):
    # In 2021 q26a had the code q22a; the workbook stores it under the code of 2024.
    published = read_published(workbook(trust("RX1"), trust("RX2")))
    row = one(published, organisation="RX1", measure="thinks_about_leaving")
    assert (row["period"], row["estimate"], row["base"]) == ("2021", 25, 800)
    assert published.provenance["periods"] == ("2021", "2023", "2024")
    assert published.organisations["period"].unique().to_list() == ["2024"]


def test_what_is_left_out_is_said(workbook):
    said = read_published(workbook(trust("RX1"), trust("RX2"))).provenance
    left_out = {header for headers in said["left_out"].values() for header in headers}
    assert left_out == {"q99z_2024"}
    beside = said["beside"].select("organisation", "kind", "column", "value").rows()
    assert beside[::2] == [
        ("RX1", "significance", "PP1_sig_2024", 0.0),
        ("RX1", "wres", "equal_eth_summary_1_2024", 0.6),
    ]
    assert said["borrowed_bases"] == ("E_1_2024", "PP1_3_2024")
    assert said["response_rates"].row(0) == ("RX1", "2024", 62.0, 1700)


def test_suppressed_not_asked_and_years_without_figures(workbook):
    gone = dict.fromkeys(["q26a_2021", "q26a_n_2021", "PP1_2023", "PP1_n_2023"])
    blank = dict.fromkeys(["q25c_2024", "q25c_n_2024"])
    published = read_published(
        workbook(trust("RX1", q13d_2024=0.4, q13d_n_2024=9), trust("RX2", **gone, **blank))
    )
    hidden = (
        published.results.table.filter(status="suppressed_small_base")
        .select("organisation", "measure")
        .rows()
    )
    assert hidden == [
        ("RX1", "violence_reported"),
        ("RX2", "recommend_place_to_work"),
        ("RX2", "violence_reported"),
    ]
    assert published.provenance["suppressed_cells"] == 3
    # RX2 has nothing in 2021 and 2023: no history, so nothing was suppressed there.
    assert published.results.table.filter(organisation="RX2")["period"].unique().to_list() == ["2024"]


def test_groups_that_are_never_weighted(workbook):
    sheets = {COMMUNITY: [trust("RX1")], "ICBs": [trust("QXX", "ICBs")]}
    published = read_published(workbook(sheets=sheets))
    weighting = dict(
        published.results.table.filter(measure="staff_engagement").select("organisation", "weighting").rows()
    )
    assert weighting == {"RX1": "occupation_group", "QXX": "none"}
    assert one(published, organisation="RX1", measure="patient_contact")["weighting"] == "none"
    assert dict(published.organisations.select("organisation", "benchmark_group").rows())["QXX"] == "ICBs"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"q25c_2024": 71.6}, "column O ('q25c_2024'): figures above 1 where this layout has fractions"),
        ({"PP1_2024": 71.6}, "column F ('PP1_2024'): figures below 0, or scores above 10: row 2"),
        ({"q25c_2024": "good"}, "column O ('q25c_2024'): cells that are neither a figure nor '-' nor blank"),
        ({"q25c_n_2024": None}, "column O ('q25c_2024'): a figure without its base: row 2"),
        ({"q25c_2024": None}, "column O ('q25c_2024'): a base without its figure: row 2"),
        ({"q25c_n_2024": 10.5}, "a base that is no number of responses: row 2"),
        ({"org_id": None}, "figures without an 'org_id': row 2"),
        ({"org_id": "RX2"}, "organisation 'RX2' stands more than once"),
    ],
)
def test_what_cannot_be_right_is_refused(workbook, changes, said):
    with pytest.raises(FileFormatError) as error:
        read_published(workbook({**trust("RX1"), **changes}, trust("RX2")))
    assert said in str(error.value)
    assert "benchmark.xlsx" in str(error.value)


def test_fractions_divided_twice_are_refused(workbook):
    codes = ["q25a", "q25b", "q25c", "q25d", "q2a"]
    header = [*HEADER[:3], *(f"{code}{n}_2024" for code in codes for n in ("", "_n"))]
    row = {c: 0.0071 if "_n_" not in c else 500 for c in header[3:]}
    with pytest.raises(FileFormatError, match="divided by 100 twice"):
        read_published(workbook({"org_id": "RX1", **row}, {"org_id": "RX2", **row}, header=header))


@pytest.mark.parametrize(
    ("column", "figure", "said"),
    [
        # About 1 % nationally: 0.7 is 0.7 %, not 70 %.
        ("q13b_2024", 0.7, "these are percentages, not fractions"),
        # About 60 % nationally: 0.006 is no 0.6 %.
        ("q25c_2024", 0.006, "these are hundredths of fractions"),
    ],
)
def test_one_column_in_another_scale_is_refused(workbook, column, figure, said):
    """Where no figure is above 1, what is usual for the question tells."""
    base = column.replace("_2024", "_n_2024")
    header = [*HEADER[:3], "q25d_2024", "q25d_n_2024", column, base]
    rows = [
        trust(code, **{column: figure, base: 500, "q25d_2024": 0.6, "q25d_n_2024": 500})
        for code in ("RX1", "RX2")
    ]
    with pytest.raises(FileFormatError) as error:
        read_published(workbook(*rows, header=header))
    assert said in str(error.value)
    assert f"column F ('{column}')" in str(error.value)


def test_an_odd_trust_is_no_other_scale(workbook):
    """A tenth of the usual share, or ten times it, is still a fraction."""
    header = [*HEADER[:3], "q13b_2024", "q13b_n_2024", "q25c_2024", "q25c_n_2024"]
    odd = {"q13b_2024": 0.1, "q13b_n_2024": 30, "q25c_2024": 0.06, "q25c_n_2024": 30}
    published = read_published(workbook(trust("RX1", **odd), header=header))
    assert published.results.table["estimate"].to_list() == pytest.approx([6, 10])


def test_borrowed_bases_are_near_their_own(published_2024):
    """Sub-scores of the official workbook have bases of their own: those of their elements are near them."""
    whole = {part: score.id for score in published_2024.edition.scores.values() for part in score.parts}
    bases = published_2024.results.table.filter(breakdown="all").select(
        "organisation", "measure", base=pl.col("base").cast(pl.Float64)
    )
    own = bases.with_columns(whole=pl.col("measure").replace_strict(whole, default=None)).drop_nulls()
    both = own.join(bases, left_on=["organisation", "whole"], right_on=["organisation", "measure"])
    gap = (both["base_right"] / both["base"] - 1).abs()
    assert (gap.len(), whole.keys()) == (21 * 263, set(own["measure"]))
    assert gap.median() < 0.004
    assert gap.max() < 0.14


def test_a_year_without_a_catalogue_is_refused(workbook):
    header = [*HEADER[:3], "q25c_2031", "q25c_n_2031"]
    with pytest.raises(FileFormatError, match="no catalogue of questions for 2031"):
        read_published(workbook({"org_id": "RX1", "q25c_2031": 0.5, "q25c_n_2031": 50}, header=header))


def test_figures_of_nobody_beside_other_sheets_are_refused(workbook):
    """A sheet that lost its codes may say of the same trusts something else."""
    nobody = ["code" if name == "org_id" else name for name in HEADER]
    sheets = {"Acute": [trust("RX1")], "Copy": [trust("RX1", PP1_2024=8.1)]}
    with pytest.raises(FileFormatError) as error:
        read_published(workbook(sheets=sheets, printed={"Acute": nobody}))
    assert "sheet 'Acute' has columns of figures without a column 'org_id'" in str(error.value)
