from __future__ import annotations

import zipfile
from itertools import pairwise

import polars as pl
import pytest
import xlsxwriter
from books import ORGANISATIONS, find, make_published, suppress

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import check_distributions, check_results
from culture_metrics.errors import FileFormatError
from culture_metrics.published import is_published, read_published, write_published

BASE = "Base (number of responses)"


def _one(table, **where):
    found = table.filter(**where)
    assert found.height == 1, found.height
    return found.row(0, named=True)


def _set(title, header, value, row=5):
    def change(sheets):
        name, column = find(sheets, title, header)
        sheets[name][row][column] = value

    return change


def test_scores_options_and_organisations(organisations_file):
    published = read_published(organisations_file)
    check_results(published.results.table)
    check_distributions(published.distributions.table)
    assert (published.survey, published.period) == ("nss_england", "2024")
    scores = published.results.table.filter(unit="score")
    assert scores["organisation"].value_counts().to_dict(as_series=False)["count"] == [30] * 4
    assert published.results.table["std_error"].null_count() == published.results.table.height
    assert set(published.results.table["source"]) == {"published"}
    assert published.organisations.filter(organisation="RX2")["region"].item() == "Midlands"
    assert published.organisations.filter(organisation="RX2")["ics"].item() is None
    # A spreadsheet would take -x for a formula.
    assert published.organisations.filter(organisation="1E5")["ics"].item() == "'-x"
    assert published.provenance["missing"] == ()
    assert published.provenance["unknown_weightings"] == ()


def test_weighting_is_that_of_the_row_but_never_for_facts_and_background(organisations_file):
    results = read_published(organisations_file).results.table
    assert _one(results, organisation="RX1", measure="morale")["weighting"] == "occupation_group"
    assert _one(results, organisation="Q01", measure="morale")["weighting"] == "none"
    # method: Q1, Q10a, Q26d, Q27-Q31a, Q32-Q35 are never weighted, Q31b is
    assert _one(results, organisation="RX1", measure="patient_contact")["weighting"] == "none"
    assert _one(results, organisation="RX1", measure="long_term_condition")["weighting"] == "none"
    assert _one(results, organisation="RX1", measure="adjustments_made")["weighting"] == "occupation_group"


def test_suppressed_cells_are_counted_and_marked(organisations_file):
    published = read_published(organisations_file)
    assert published.provenance["suppressed_cells"] == 7  # six options and a base
    hidden = published.distributions.table.filter(status="suppressed_small_base")
    assert set(hidden.select("organisation", "question").unique().row(0)) == {"RX2", "violence_reported"}
    assert hidden["percent"].count() == hidden["base"].count() == 0
    headline = _one(published.results.table, organisation="RX2", measure="violence_reported")
    assert (headline["status"], headline["estimate"], headline["base"]) == (
        "suppressed_small_base",
        None,
        None,
    )


def test_headline_percentages_leave_options_out(organisations_file, changed):
    shares = {"% Strongly agree": 30, "% Agree": 20, "% Not applicable to me": 20, BASE: 250}
    rest = dict.fromkeys(["% Strongly disagree", "% Disagree", "% Neither agree nor disagree"], 10)

    def change(sheets):
        for header, value in {**shares, **rest}.items():
            _set("Q6a", header, value)(sheets)
        for header, value in {"% Yes": 55, "% No": 25, "% Don't know": 20, BASE: 240}.items():
            _set("Q15", header, value)(sheets)
        _set("Q16c_2", "% Gender", 12.5)(sheets)

    results = read_published(changed(organisations_file, change)).results.table
    role = _one(results, organisation="1E5", measure="role_makes_difference")
    assert role["estimate"] == pytest.approx(62.5)  # (30 + 20) / (100 - 20)
    assert role["base"] == 200  # 250 * (1 - 0.2)
    fair = _one(results, organisation="1E5", measure="fair_career_progression")
    assert (fair["estimate"], fair["base"]) == (pytest.approx(55), 240)  # don't know stays in the base
    assert _one(results, organisation="1E5", measure="discrimination_grounds_gender")["estimate"] == 12.5


def test_a_headline_of_fewer_than_ten_left_in_its_base_is_suppressed(organisations_file, changed):
    values = {"% No": 20, "% Not applicable": 80, BASE: 40}
    zero = ["% Yes, I reported it", "% Yes, a colleague reported it", "% Don't know"]

    def change(sheets):
        for header, value in {**values, **dict.fromkeys(zero, 0)}.items():
            _set("Q14d", header, value)(sheets)
        _set("Q14d", "% Both a colleague and I reported it", 0)(sheets)

    published = read_published(changed(organisations_file, change))
    headline = _one(
        published.results.table, organisation="1E5", measure="harassment_reported"
    )  # 8 of 40 left
    assert headline["status"] == "suppressed_small_base"
    assert (
        published.distributions.table.filter(organisation="1E5", question="harassment_reported")["base"][0]
        == 40
    )


def test_blank_and_single_space_cells_are_not_asked(organisations_file, changed):
    def change(sheets):
        for header in ("% Yes", "% No", BASE):
            _set("Q11b", header, None if header == "% No" else " ")(sheets)

    published = read_published(changed(organisations_file, change))
    asked = published.distributions.table.filter(organisation="1E5", question="musculoskeletal_problems")
    assert asked["status"].to_list() == ["not_asked"] * 2
    measure = _one(published.results.table, organisation="1E5", measure="musculoskeletal_problems")
    assert measure["status"] == "not_asked"


def test_position_and_names_of_sheets_rows_and_sections_do_not_matter(organisations_file, changed):
    def change(sheets):
        for name in list(sheets):
            rows = sheets.pop(name)
            width = len(rows[0])
            if len(rows) > 4:
                # two more rows above the header, another order of sheets, columns to the right
                rows[1:1] = [[None] * width, ["Some note", *[None] * (width - 1)]]
                rows[6] = [(h or "").upper().replace("- ", " \u2013 ") if h else h for h in rows[6]]
                rows[6] = [h.replace("%", "%  ") if h else h for h in rows[6]]
            sheets[f"{name[::-1][:20]} new"] = rows

    read, before = read_published(changed(organisations_file, change)), read_published(organisations_file)
    assert read.distributions.table.height == before.distributions.table.height
    assert (read.distributions.table["percent"] - before.distributions.table["percent"]).abs().max() < 1e-9
    assert (read.results.table["estimate"] - before.results.table["estimate"]).abs().max() < 1e-9


def test_codes_belong_to_the_edition(tmp_path):
    # q25c of 2023 to 2025 was q23c in 2022 and q21c in 2021
    write_published(tmp_path / "a.xlsx", made := make_published("2022", ORGANISATIONS))
    published = read_published(tmp_path / "a.xlsx")
    assert published.edition.question("q23c").id == "recommend_place_to_work"
    where = {"organisation": "RX1", "question": "recommend_place_to_work", "option": 5}
    assert _one(published.distributions.table, **where)["percent"] == pytest.approx(
        _one(made.distributions.table, **where)["percent"], abs=1e-9
    )
    assert "covid_ward" in set(published.distributions.table["question"])
    assert "can_eat_well_at_work" not in set(published.distributions.table["question"])


def test_numbers_keep_full_precision(tmp_path):
    made = make_published("2024", ORGANISATIONS)
    write_published(tmp_path / "a.xlsx", made)
    read = read_published(tmp_path / "a.xlsx")
    # fastexcel gives nine decimals when it loads numbers as text
    assert (read.distributions.table["percent"] - made.distributions.table["percent"]).abs().max() < 1e-12


def test_an_incomplete_workbook_says_what_it_lacks(tmp_path):
    write_published(tmp_path / "a.xlsx", make_published("2024", ORGANISATIONS, ["look_forward_to_work"]))
    published = read_published(tmp_path / "a.xlsx")
    assert (
        len(published.provenance["missing"]) == 123
    )  # 118 questions, one of them with seven columns, less one
    assert "q25c" in published.provenance["missing"]
    assert "123 parts of the edition not in the file" in repr(published)


def test_it_shows_itself_in_counts(organisations_file):
    published = read_published(organisations_file)
    assert repr(published) == (
        "Published(NHS Staff Survey, England, 2024: 4 organisations, 30 scores, 113 percentages, "
        "118 questions, 7 suppressed cells)"
    )
    page = published._repr_html_()
    assert "organisations.xlsx" in page
    assert "RX1" not in page


def test_notes_and_unused_columns_do_not_matter(organisations_file, changed):
    def change(sheets):
        sheets["Notes"] += [["Weighting"], ["Breakdown"], ["ODS code"], ["Not the NHS Staff Survey of 2019"]]
        for rows in sheets.values():
            for row in rows:
                row.extend([*[None] * 300, " "])  # the used range of official sheets may reach to column XFD

    read, before = read_published(changed(organisations_file, change)), read_published(organisations_file)
    assert read.results.table.select("measure", "status").equals(
        before.results.table.select("measure", "status")
    )


# National layout


def test_national_breakdowns_and_groups(national_file, changed):
    def change(sheets):
        for rows in sheets.values():
            for row in rows[5:]:
                row[1] = {"Carer": "Caring responsibilities", "Region": "Planet"}.get(row[1], row[1])
                row[2] = {"Looks after someone": "Yes"}.get(row[2], row[2])
                row[0] = "All trusts" if row[1] != "Planet" else "All trusts but ambulance trusts"

    published = read_published(changed(national_file, change))
    groups = (
        published.results.table.select("organisation", "breakdown", "group").unique().sort("breakdown").rows()
    )
    assert set(groups) == {
        ("all", "all", "all"),
        ("all", "gender", "Female"),
        ("all", "gender", "Male"),
        ("all", "carer", "Looks after someone"),
        ("all", "Planet", "London"),
    }
    assert published.provenance["unknown_breakdowns"] == ("Planet",)
    assert published.provenance["coverage"]["all"] == ("All trusts",)
    assert published.provenance["coverage"]["Planet"] == ("All trusts but ambulance trusts",)
    whole = _one(published.results.table, breakdown="all", measure="morale")
    part = _one(published.results.table, group="Female", measure="morale")
    assert (whole["weighting"], part["weighting"]) == ("occupation_group_and_size", "size")
    assert published.organisations["organisation"].to_list() == ["all"]


def test_a_breakdown_by_the_question_itself_is_not_asked(national_file, changed):
    def change(sheets):
        for header in (
            "% Female",
            "% Male",
            "% Non-binary",
            "% Prefer to self-describe",
            "% Prefer not to say",
            BASE,
        ):
            _set("Q27a", header, "-", row=7)(sheets)  # gender, Female
            _set("Q27a", header, "-", row=6)(sheets)  # carer

    sheets_order = (
        read_published(national_file).results.table.select("breakdown", "group").unique(maintain_order=True)
    )
    assert sheets_order.height == 5
    published = read_published(changed(national_file, change))
    status = {
        (r["breakdown"], r["group"]): r["status"]
        for r in published.distributions.table.filter(question="gender", option=1).rows(named=True)
    }
    assert status == {
        ("all", "all"): "reported",
        ("gender", "Female"): "not_asked",
        ("gender", "Male"): "not_asked",
        ("carer", "Looks after someone"): "suppressed_small_base",
        ("region", "London"): "reported",
    }
    assert published.provenance["suppressed_cells"] == 6


def test_a_breakdown_named_in_its_first_row_only(national_file, changed):
    def change(sheets):
        for rows in sheets.values():
            for before, row in reversed(list(pairwise(rows[5:]))):
                if row[1] == before[1]:
                    row[1] = None

    published = read_published(changed(national_file, change))
    assert set(published.results.table.filter(breakdown="gender")["group"]) == {"Female", "Male"}


# What cannot be read


def test_another_kind_of_file(tmp_path):
    path = tmp_path / "report.xlsx"
    path.write_bytes(b"%PDF-1.7 and so on")
    with pytest.raises(FileFormatError, match=r"named \.xlsx but is a PDF document") as error:
        read_published(path)
    assert error.value.where == "report.xlsx"


def test_an_empty_file_and_a_broken_workbook(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"")
    with pytest.raises(FileFormatError, match="The file is empty"):
        read_published(path)
    with pytest.raises(FileFormatError, match="no such file"):
        read_published(tmp_path / "b.xlsx")


def test_a_workbook_locked_with_a_password(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"))
    with pytest.raises(FileFormatError) as error:
        read_published(path)
    assert "password" in str(error.value)


def test_a_zip_that_is_no_workbook(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("word/document.xml", "<document/>")
    with pytest.raises(FileFormatError, match="cannot be opened"):
        read_published(path)
    assert not is_published(path)


def test_an_empty_workbook(tmp_path):
    xlsxwriter.Workbook(tmp_path / "a.xlsx").close()
    with pytest.raises(FileFormatError, match="no sheet with official results") as error:
        read_published(tmp_path / "a.xlsx")
    assert error.value.got == "1 sheet: Sheet1"


def test_a_sheet_without_rows(organisations_file, changed):
    def change(sheets):
        del sheets["THEMES"][5:]

    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, change))
    assert "sheet 'THEMES' has a header but no rows of results" in error.value.got


def test_another_survey(organisations_file, changed):
    def change(sheets):
        for rows in sheets.values():
            rows[0][0] = "NHS Staff Survey for Bank 2024 - Results"

    with pytest.raises(
        FileFormatError, match="does not say that it holds results of the NHS Staff Survey"
    ) as error:
        read_published(changed(organisations_file, change))
    assert "for Bank 2024" in error.value.got


@pytest.mark.parametrize(("year", "hint"), [("2019", "Earlier editions"), ("2099", "newer version")])
def test_a_year_without_a_catalogue(organisations_file, changed, year, hint):
    def change(sheets):
        for rows in sheets.values():
            rows[0][0] = f"NHS Staff Survey {year} - Results"

    with pytest.raises(FileFormatError, match=f"no catalogue of questions for {year}") as error:
        read_published(changed(organisations_file, change))
    first, *_, last = catalogue().periods
    assert error.value.expected == f"a year from {first} to {last}"
    assert hint in error.value.hint


def test_two_years(organisations_file, changed):
    def change(sheets):
        sheets["THEMES"][0][0] = "NHS Staff Survey 2023 - Results"

    with pytest.raises(FileFormatError, match="name different years") as error:
        read_published(changed(organisations_file, change))
    assert "2023 on sheet 'THEMES'" in error.value.got


@pytest.mark.parametrize(
    ("period", "titled", "said"),
    [("2024", "2022", "q20a"), ("2022", "2024", "q25a"), ("2023", "2024", "q24f")],
)
def test_title_and_codes_that_contradict_each_other(tmp_path, changed, period, titled, said):
    def change(sheets):
        for rows in sheets.values():
            rows[0][0] = f"NHS Staff Survey {titled} - Results"

    write_published(tmp_path / "a.xlsx", make_published(period, ORGANISATIONS.head(1)))
    with pytest.raises(FileFormatError, match=f"title says {titled} but the question codes") as error:
        read_published(changed(tmp_path / "a.xlsx", change))
    assert error.value.what.endswith(f"are those of {period}")
    assert said in error.value.got or "…" in error.value.got


def test_problems_are_reported_together_with_sheet_column_and_header(organisations_file, changed):
    def change(sheets):
        name, column = find(sheets, "Q2a", "% Often")
        assert (name, column) == ("YOUR JOB", 13)
        _, column = find(sheets, "Q3a", BASE)
        sheets[name][4][column] = "Number"
        themes = sheets["THEMES"]
        themes[4][5] = "Weights"
        name, column = find(sheets, "Q7a", "% Agree")
        sheets[name][5][column] = "secret answer"
        name, column = find(sheets, "PP4_2", "PP4_2 - score")
        sheets[name][6][column] = 71.3

    with pytest.raises(FileFormatError, match="4 problems") as error:
        read_published(changed(organisations_file, change))
    said = error.value.got
    assert "Q3a has no column 'Base (number of responses)'" in said
    assert "sheet 'THEMES' has no column 'Weighting' in its header row 5" in said
    wrong = "cells that are neither a percentage from 0 to 100 nor '-' nor blank: 1"
    assert f"sheet 'YOUR TEAM', column J ('% Agree'): {wrong}" in said
    assert "('PP4_2 - score'): cells that are neither a score from 0 to 10 nor '-' nor blank: 1" in said
    assert "secret answer" not in str(error.value)


def test_a_column_that_was_deleted(organisations_file, changed):
    def change(sheets):
        name, column = find(sheets, "Q2b", "% Rarely")
        for row in sheets[name]:
            del row[column]

    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, change))
    assert "Q2b (Enthusiastic about the job) lacks the option 'Rarely'" in error.value.got


def test_options_that_do_not_add_up(organisations_file, changed):
    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, _set("Q4a", "% Satisfied", 99.5)))
    said = "rows in which the options of satisfied_with_recognition do not add up to 100 %: 1"
    assert said in error.value.got


def test_a_base_that_is_no_count(organisations_file, changed):
    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, _set("Q4a", BASE, 12.5)))
    said = "(base of Q4a): cells that are neither a number of responses nor '-' nor blank: 1"
    assert said in error.value.got


def test_a_result_without_a_base(organisations_file, changed):
    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, _set("PP2", BASE, None)))
    assert "('PP2 - score'): rows with a result or a base but not both: 1" in error.value.got


def test_an_organisation_twice_and_one_that_is_missing(organisations_file, changed):
    def change(sheets):
        sheets["THEMES"].append([*sheets["THEMES"][5][:-1], 4711])
        del sheets["YOUR TEAM"][7]

    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, change))
    assert (
        "sheet 'THEMES', rows 6, 10: '1E5' stands more than once, with different figures" in error.value.got
    )
    assert "sheet 'YOUR TEAM' has 3 of the 4 organisations" in error.value.got


def test_figures_without_a_code(organisations_file, changed):
    def change(sheets):
        sheets["THEMES"][6][0] = None

    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, change))
    assert "sheet 'THEMES', row 7: figures without organisation or weighting (1 rows)" in error.value.got


def test_titles_without_a_header(organisations_file, changed):
    def change(sheets):
        sheets["THEMES"][4][0] = "Code"

    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, change))
    assert "sheet 'THEMES' has question titles but no header row" in error.value.got


def test_layouts_do_not_mix(organisations_file, national_file, changed, tmp_path):
    other = {}
    changed(national_file, other.update)
    with pytest.raises(FileFormatError) as error:
        read_published(changed(organisations_file, lambda sheets: sheets.update(THEMES=other["THEMES"])))
    assert "some sheets hold results of organisations, others national results" in error.value.got


# A cheap look


def test_is_published(organisations_file, national_file, tmp_path):
    assert is_published(organisations_file)
    assert is_published(str(national_file))
    frame = pl.DataFrame({"ODS code": ["RX1"], "q2a": [1]})
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    assert not is_published(tmp_path / "a.csv")
    assert not is_published(tmp_path / "a.parquet")
    assert not is_published(tmp_path / "none.xlsx")
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("data").write_row(0, 0, ["respondent", "organisation", "q2a"])
    assert not is_published(tmp_path / "a.xlsx")


def test_suppression_stays_after_a_round_trip(tmp_path):
    hidden = suppress(make_published("2024", ORGANISATIONS), "RX1", "discrimination_grounds")
    write_published(tmp_path / "a.xlsx", hidden)
    read = read_published(tmp_path / "a.xlsx")
    assert read.distributions.table["status"].equals(hidden.distributions.table["status"])
    assert (read.distributions.table["status"] == "suppressed_small_base").sum() == 7
    assert read.provenance["suppressed_cells"] == 14  # seven grounds, each with a base
