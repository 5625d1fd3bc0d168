from __future__ import annotations

import csv

import polars as pl
import pytest
import xlsxwriter

from culture_metrics.contract import check_distributions, check_results
from culture_metrics.errors import FileFormatError
from culture_metrics.published import is_published, read_published

HEADER = ["Year", "QuestionNumber", "QuestionText", "DimName", "DimValue", "BaseSize", "Score"]
OPTIONS = [*HEADER[:3], "OptionCode", "OptionText", *HEADER[3:6], "%"]
SCORES = [
    [2024, "Q25c", "words of the form", "All", "All", 2000, 71.641234567],
    [2024, "Q25c", "words of the form", "Gender", "Female", 1500, 72.5],
    [2024, "Q25c", "words of the form", "Gender", "Male", 470, 69],
    [2024, "Q25c", "words of the form", "Gender", "Non-binary", 9, 55.5],
    [2024, "Q25c", "words of the form", "Gender", "Prefer not to say", 21, 61],
    [2024, "Q25c", "words of the form", "Directorate", "Estates", 40, 60],
    [2024, "PP1", "", "Directorate", "Wards", 60, 7.1],
    [2024, "PP1_2", "", "Directorate", "Estates", 40, "-"],
    [2023, "q25c", "words of the form", "All", "All", 1900, 70],
    [2024, "Q14a", "words of the form", "All", "All", 1990, 25],
    [2024, "Q88", "our own question", "All", "All", 1990, 25],
]


def of_options(shares, code="Q13d", base=200, dimension=("All", "All")):
    return [
        [2024, code, "words", option, "words", *dimension, base, share] for option, share in shares.items()
    ]


@pytest.fixture
def export(tmp_path):
    """Return a function that writes an export as CSV or Excel."""

    def write(rows, header=HEADER, name="export.csv", separator=",", encoding="utf-8"):
        path = tmp_path / name
        if path.suffix == ".csv":
            with path.open("w", newline="", encoding=encoding) as file:
                csv.writer(file, delimiter=separator).writerows([header, *rows])
        else:
            with xlsxwriter.Workbook(path) as book:
                sheet = book.add_worksheet("Data")
                for i, row in enumerate([["Breakdown report"], [], header, *rows]):
                    sheet.write_row(i, 0, row)
        return path

    return write


def one(published, **where):
    rows = published.results.table.filter(**where)
    assert rows.height == 1
    return rows.row(0, named=True)


@pytest.mark.parametrize("name", ["export.csv", "export.xlsx"])
def test_scores_of_groups(export, name):
    path = export(SCORES, name=name)
    assert is_published(path)
    published = read_published(path, organisation="RXX")
    check_results(published.results.table)
    assert (published.survey, published.period) == ("nss_england", "2024")
    whole = one(published, period="2024", measure="recommend_place_to_work", breakdown="all")
    assert (whole["organisation"], whole["group"]) == ("RXX", "all")
    assert (whole["estimate"], whole["base"]) == (71.641234567, 2000)
    assert (whole["weighting"], whole["source"], whole["unit"]) == ("none", "published", "percent")
    assert one(published, breakdown="gender", group="Female")["estimate"] == 72.5
    score = one(published, breakdown="Directorate", measure="compassionate_and_inclusive")
    assert (score["estimate"], score["base"], score["unit"]) == (7.1, 60, "score")
    assert one(published, period="2023")["estimate"] == 70
    assert published.provenance["unknown_breakdowns"] == ("Directorate",)
    assert published.provenance["left_out"] == {"no question or score of its year": ("q88",)}
    assert list(published.provenance["sides"].values()) == [("harassment_from_patients",)]


def test_small_bases_and_dashes_are_suppressed(export):
    published = read_published(export(SCORES), organisation="RXX")
    hidden = published.results.table.filter(status="suppressed_small_base")
    assert hidden.select("group", "measure").rows() == [
        ("Estates", "compassionate_leadership"),
        ("Non-binary", "recommend_place_to_work"),
    ]
    assert hidden["estimate"].null_count() == hidden["base"].null_count() == 2


def test_a_hidden_group_does_not_follow_from_the_total(export):
    """9 people are hidden; with the total known, 2,000 - 1,500 - 470 - 21 would give them away."""
    published = read_published(export(SCORES), organisation="RXX")
    gender = published.results.table.filter(breakdown="gender", period="2024")
    status = dict(gender.select("group", "status").rows())
    assert status == {
        "Female": "reported",
        "Male": "reported",
        "Non-binary": "suppressed_small_base",
        "Prefer not to say": "suppressed_secondary",
    }
    assert gender.filter(pl.col("status") != "reported")["base"].null_count() == 2
    assert published.provenance["suppressed_cells"] == published.results.table["base"].null_count()


@pytest.mark.parametrize("cells", [(9, "-"), ("-", "-"), ("<11", "*"), (9, ""), (9, 4.5)])
def test_it_does_not_matter_how_the_file_hides_a_group(export, cells):
    rows = [row if row[4] != "Non-binary" else [*row[:5], *cells] for row in SCORES]
    published = read_published(export(rows), organisation="RXX")
    hidden = published.results.table.filter(breakdown="gender", period="2024").filter(
        pl.col("base").is_null()
    )
    assert hidden["group"].to_list() == ["Non-binary", "Prefer not to say"]


@pytest.mark.parametrize("mark", [None, "-"])
def test_percentages_of_options_do_not_give_a_small_group_away(export, mark):
    """Where one option of a group is hidden, all are: they add up to 100."""
    rows = [
        row
        for group, base in {"16-20": 9, "21-30": 40, "31-40": 300, "41-50": 700}.items()
        for row in of_options({1: 50, 2: 30, 3: 20}, base=base, dimension=("Age", group))
    ]
    if mark is not None:
        rows[0] = [*rows[0][:-1], mark]
        rows = [[*row[:7], 40, *row[8:]] if row[6] == "16-20" else row for row in rows]
    found = read_published(
        export([*rows, *of_options({1: 50, 2: 30, 3: 20}, base=1049)], OPTIONS), organisation="RXX"
    )
    said = dict(found.distributions.table.select("group", pl.col("status").cast(pl.String)).unique().rows())
    assert len(said) == 5
    assert said["16-20"] == "suppressed_small_base"
    assert said["all"] == said["41-50"] == said["31-40"] == "reported"
    assert said["21-30"] == "suppressed_secondary"
    check_distributions(found.distributions.table)


def test_wording_of_questions_is_not_kept(export):
    published = read_published(export(SCORES), organisation="RXX")
    assert "words of the form" not in published.results.table.write_csv() + str(published.provenance)


def test_semicolons_decimal_commas_and_other_encodings(export):
    rows = [[2024, "Q25c", "", "Directorate", "Caf\u00e9", 40, "60,25"]]
    published = read_published(export(rows, separator=";", encoding="cp1252"), organisation="RXX")
    assert one(published, group="Caf\u00e9")["estimate"] == 60.25


def test_missing_answers_leave_the_base(export):
    # 200 people, 20 of them without an answer: 180 answered, 90 of them "no" (50 %).
    shares = {1: 27, 2: 9, 3: 45, 4: 4.5, 6: 4.5, 99: 10}
    path = export(of_options(shares), OPTIONS)
    published = read_published(path, organisation="RXX")
    check_distributions(published.distributions.table)
    assert published.results.table.is_empty()
    found = {
        o: (p, b) for o, p, b in published.distributions.table.select("option", "percent", "base").rows()
    }
    expected = {1: 30, 2: 10, 3: 50, 4: 5, 6: 5}
    assert {o: p for o, (p, _) in found.items()} == pytest.approx(expected)
    assert {b for _, b in found.values()} == {180}
    assert published.provenance["missing_taken_out"] == 1


def test_missing_answers_beside_one_hundred_percent_change_nothing(export):
    shares = {1: 30, 2: 10, 3: 50, 4: 5, 6: 5, 99: 12}
    published = read_published(export(of_options(shares), OPTIONS), organisation="RXX")
    assert published.distributions.table["percent"].sum() == 100
    assert set(published.distributions.table["base"]) == {200}


def test_small_groups_of_the_option_file_are_suppressed(export):
    rows = of_options({1: 50, 2: 50, 99: 0}, base=10, dimension=("Age", "16-20"))
    published = read_published(export(rows, OPTIONS), organisation="RXX")
    assert set(published.distributions.table["status"]) == {"suppressed_small_base"}
    assert published.distributions.table["percent"].null_count() == 2


def test_the_organisation_must_be_given(export):
    path = export(SCORES)
    with pytest.raises(FileFormatError, match="does not say which organisation") as error:
        read_published(path)
    assert "organisation='RXX'" in str(error.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (
            [2024, "Q25c", "", "Gender", "Male", 100, 161],
            "neither a figure from 0 to 100 nor '-' nor blank: row 13",
        ),
        ([2024, "PP2", "", "Gender", "Male", 100, 61], "scores above 10"),
        ([2024, "Q25c", "", "Gender", "Female", 100, 61], "the same figure more than once: rows 3, 13"),
        (
            [2024, "Q25c", "", "Gender", "Male", 100.5, 61],
            "a BaseSize that is no number of responses: row 13",
        ),
        ([2024, "Q25c", "", "Gender", "Male", "", 61], "a figure without its BaseSize: row 13"),
        (["", "Q25c", "", "Gender", "Male", 100, 61], "no Year such as 2024: row 13"),
        ([2016, "Q25c", "", "Gender", "Male", 100, 61], "no catalogue of questions for a year"),
    ],
)
def test_what_cannot_be_right_is_refused(export, row, said):
    with pytest.raises(FileFormatError) as error:
        read_published(export([*SCORES, row]), organisation="RXX")
    assert said in str(error.value)


def test_fractions_become_percentages_when_no_figure_is_above_1(export):
    rows = [[2024, code, "", "All", "All", 100, 0.6] for code in ("Q25a", "Q25b", "Q25c", "Q25d", "Q2a")]
    found = read_published(export(rows), organisation="RXX")
    assert found.results.table["estimate"].to_list() == [60.0] * 5
    assert found.provenance["fractions"] == (
        "5 fractions, none above 1, were taken as percentages divided by 100.",
    )


def test_a_single_question_in_fractions_is_refused(export):
    """Nationally about 60 % would recommend (q25c): 0.61 can only be a fraction."""
    rows = [[2024, "Q25c", "", "All", "All", 900, 0.61], [2024, "Q13b", "", "All", "All", 900, 0.7]]
    with pytest.raises(FileFormatError, match="fractions where this layout has 0 to 100: q25c"):
        read_published(export(rows), organisation="RXX")


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({1: 30, 2: 30}, "do not add up to 100 %"),
        ({1: 50, 7: 50}, "an OptionCode that q13d does not have: row 3"),
    ],
)
def test_options_that_cannot_be_right_are_refused(export, shares, said):
    with pytest.raises(FileFormatError) as error:
        read_published(export(of_options(shares), OPTIONS), organisation="RXX")
    assert said in str(error.value)


def test_answers_of_respondents_are_no_export(export):
    assert not is_published(export([[1, 2024, 4]], ["respondent", "year", "q25c"]))


def test_scores_that_count_the_favourable_answer_are_left_out(export):
    # Nationally about 26 % met harassment from the public (q14a): 75 % can only be those who did not.
    rows = [[2024, "Q14a", "", "All", "All", 900, 75], [2024, "Q11d", "", "All", "All", 900, 50], *SCORES[:2]]
    published = read_published(export(rows), organisation="RXX")
    assert list(published.provenance["left_out"].values()) == [("q14a",)]
    assert published.results.table["measure"].unique().sort().to_list() == [
        "came_to_work_unwell",
        "recommend_place_to_work",
    ]


@pytest.fixture
def two_tables(tmp_path):
    """Return a function that writes two tables: on sheets of a workbook, or under each other as text."""

    def write(first, second, ending="xlsx"):
        path = tmp_path / f"export.{ending}"
        if ending == "csv":
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([*first, *second])
            return path
        with xlsxwriter.Workbook(path) as book:
            for rows in (first, second):
                sheet = book.add_worksheet()
                for i, row in enumerate(rows):
                    sheet.write_row(i, 0, row)
        return path

    return write


def without(column, rows):
    at = HEADER.index(column)
    return [[*row[:at], *row[at + 1 :]] for row in rows]


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
@pytest.mark.parametrize("column", ["DimName", "BaseSize", "Score"])
def test_a_table_without_a_column_beside_a_whole_one_is_refused(two_tables, column, ending):
    """Both are about the same groups: nobody knows which of them is right."""
    other = [[*row[:-1], 80] for row in SCORES]
    path = two_tables(without(column, [HEADER, *SCORES]), [HEADER, *other], ending)
    with pytest.raises(FileFormatError, match=f"without a column '{column}'|with a column '{column}'"):
        read_published(path, organisation="RXX")


def test_a_sheet_that_is_no_table_of_results_is_set_aside_by_name(two_tables):
    rates = [["Directorate", "Sent", "Returned"], ["Estates", 80, 40]]
    published = read_published(two_tables([HEADER, *SCORES], rates), organisation="RXX")
    assert published.provenance["left_out"]["sheets whose columns are no results that are read"] == (
        "'Sheet2'",
    )


def test_a_column_of_figures_that_stands_twice_counts_once_or_is_refused(export):
    twice = [[*row, row[-1]] for row in SCORES]
    published = read_published(export(twice, [*HEADER, "Score"], "export.xlsx"), organisation="RXX")
    assert one(published, breakdown="gender", group="Female")["estimate"] == 72.5
    assert published.provenance["left_out"]["rows or columns that stand twice with the same figures"] == (
        "sheet 'Data', columns G and H: 'Score'",
    )
    twice[1][-1] = 80
    with pytest.raises(FileFormatError, match="columns G and H: 'Score' stands twice, with different"):
        read_published(export(twice, [*HEADER, "Score"], "export.xlsx"), organisation="RXX")
