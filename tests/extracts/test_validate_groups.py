"""Organisations and breakdown labels: told, offered, never merged silently."""

from __future__ import annotations

import polars as pl
import pytest
from planting import assert_adds_up, changed, clean_extract, problem, put, rules, serious

from culture_metrics import estimate, validate
from culture_metrics.errors import ExtractError, FileFormatError
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.spelling import likely_name, nearly_alike, same_but_for_case

LIST = pl.DataFrame(
    {
        "ods_code": ["SYN01", "SYN03", "RXA", "RXB"],
        "name": ["Invented One", "Invented Three", "Invented A", "Invented B"],
        "alt_names": [None, None, "A Trust;The A Trust", None],
        "predecessor_codes": [None, None, "RX1", "RX2; RX3"],
        "merger_date": [None, None, "2024-04-01", "2024-10-01"],
    }
)


@pytest.fixture(scope="module")
def clean() -> Extract:
    return clean_extract()


def with_codes(extract: Extract, **rows: int) -> Extract:
    """Give the first rows other organisation codes: so many rows each."""
    codes = [code for code, n in rows.items() for _ in range(n)]
    codes += [extract.frame["organisation"][0]] * (extract.frame.height - len(codes))
    return changed(extract, extract.frame.with_columns(organisation=pl.Series(codes)))


def test_codes_in_another_form_are_read_as_meant_and_told(clean):
    planted = put(put(clean, "organisation", "syn01", (1, 2)), "organisation", " SYN 01", (3,))
    report = validate(planted)
    found = problem(report, "organisation codes in another form")
    assert (found["severity"], found["rows"]) == ("warning", 0)
    assert found["found"] == "2 codes in fewer than 11 rows each; in fewer than 11 rows"
    assert found["done"] == "Read as they are meant."
    assert report.extract.frame["organisation"].unique().to_list() == ["SYN01"]
    assert_adds_up(report)


def test_no_organisation_is_called_as_all_of_them_together(clean):
    report = validate(put(clean, "organisation", "all", (1, 2)))
    found = problem(report, "an organisation with the name of all")
    assert (found["severity"], found["rows"], report.ok) == ("error", 0, False)
    with pytest.raises(ExtractError, match="is called 'all'"):
        estimate(report.extract)


def test_names_in_the_column_of_codes_are_told_without_being_shown(clean):
    report = validate(put(clean, "organisation", "Dr Secret Person's Trust", (1, 2)))
    assert "fewer than 11 rows" in problem(report, "entries that are no organisation codes")["found"]
    assert "Secret" not in str(report.problems.rows()) + report._repr_html_()


def test_organisations_are_looked_up_in_the_list(clean):
    planted = with_codes(clean, RX1=20, RX2=30, SYN99=40, RXA01=50)
    planted = put(planted, "organisation", "the a trust", range(140, 160))
    report = validate(planted, organisations=LIST)
    merged = report.problems.filter(rule="organisations merged or closed").sort("found")
    assert merged["severity"].to_list() == ["warning", "note"]
    assert merged["found"].to_list() == [
        "RX1 became part of RXA on 2024-04-01; in 11 rows or more",
        "RX2 became part of RXB on 2024-10-01; in 11 rows or more",
    ]
    unknown = problem(report, "organisations not on the list")
    assert (unknown["rows"], unknown["severity"]) == (0, "warning")
    assert "SYN99" in unknown["found"]
    named = problem(report, "organisation names instead of codes")
    assert (named["rows"], named["expected"]) == (0, "their codes: RXA")
    assert "RXA01" in problem(report, "codes of parts of organisations")["found"]
    assert report.rows_used == 400
    assert serious(validate(clean, organisations=LIST)) == set()


def test_the_real_list_of_organisations_is_read(clean, shared_data):
    path = shared_data / "organisations" / "trust_lookup_2026_subset.csv"
    planted = with_codes(clean, RA2=50, RY9=50, R1C=50, ZZZ=50)
    report = validate(planted, organisations=path)
    merged = report.problems.filter(rule="organisations merged or closed")["found"].to_list()
    assert set(merged) == {
        "RY9 became part of RAX on 2024-11-01; in 11 rows or more",
        "R1C became part of RW1 on 2024-10-01; in 11 rows or more",
    }
    # Half of the rows and more: ZZZ and the invented SYN01.
    found = problem(report, "organisations not on the list")["found"]
    assert found == "2 codes: SYN01, ZZZ; in most rows"


def test_a_list_without_codes_or_file_is_refused(clean, tmp_path):
    with pytest.raises(ExtractError, match="ods_code"):
        validate(clean, organisations=LIST.drop("ods_code"))
    with pytest.raises(FileFormatError, match="There is no such file"):
        validate(clean, organisations=tmp_path / "none.csv")


def test_an_organisation_with_several_names_or_groups_is_told(clean):
    planted = put(clean, "benchmark_group", "Ambulance Trusts", (1, 2))
    planted = changed(
        planted, planted.frame.with_columns(organisation_name=pl.lit("A").repeat_by(1).list.first())
    )
    report = validate(put(planted, "organisation_name", "B", (5,)))
    assert "SYN01" in problem(report, "organisations with more than one benchmark group")["found"]
    assert "SYN01" in problem(report, "organisations with more than one name")["found"]
    assert "organisations with more than one region" not in rules(report)


def test_labels_that_differ_in_case_or_spaces_are_offered_and_rare_ones_not_named(clean):
    planted = put(clean, "locality_1", "PLANNED  care ", range(12))
    planted = put(planted, "locality_1", "planned-care", (20,))
    report = validate(planted)
    found = problem(report, "labels that differ in case or spaces", "locality_1")
    assert (found["severity"], found["rows"]) == ("warning", 0)
    said = "'PLANNED  care ' beside 'Planned Care' and 1 pair with a label in fewer than 11 rows"
    assert found["found"] == said
    assert "planned-care" not in str(found)
    assert report.extract.frame["locality_1"].equals(planted.frame["locality_1"])
    assert report.merges["locality_1"] == {"PLANNED  care ": "Planned Care", "planned-care": "Planned Care"}


def test_labels_spelled_nearly_alike_are_offered(clean):
    report = validate(put(clean, "locality_1", "Plannned Care", range(5)))
    found = problem(report, "labels spelled nearly alike")
    assert "Plannned" not in str(found)
    assert "report.merges['locality_1'] names them" in found["done"]
    assert report.merges == {"locality_1": {"Plannned Care": "Planned Care"}}
    often = validate(put(clean, "locality_1", "Plannned Care", range(15)))
    done = problem(often, "labels spelled nearly alike")["done"]
    assert "merge={'locality_1': {'Plannned Care': 'Planned Care'}}" in done


def test_a_choice_not_to_say_is_no_group(clean):
    planted = put(clean, "locality_1", "Prefer not to say", range(15))
    told = validate(planted)
    assert "'Prefer not to say'" in problem(told, "labels that stand for no group")["found"]
    assert validate(planted, merge=told.merges).extract.frame["locality_1"].null_count() == 15


def test_words_for_no_group_can_be_blanked(clean):
    planted = put(put(clean, "locality_1", "N/A", (1, 2)), "locality_1", "Unknown", (3,))
    report = validate(planted)
    found = problem(report, "labels that stand for no group")
    assert (found["rows"], found["severity"]) == (0, "note")
    assert found["found"] == "2 labels in fewer than 11 rows each"
    merged = validate(planted, merge=report.merges)
    assert merged.extract.frame["locality_1"].null_count() == 3
    assert "labels that stand for no group" not in rules(merged)


def test_free_text_in_a_breakdown_is_told_and_not_shown(clean):
    secret = pl.format("Dr Secret Person {}", pl.int_range(pl.len()))
    report = validate(changed(clean, clean.frame.with_columns(locality_3=secret)))
    found = problem(report, "no breakdown")
    assert (found["column"], found["found"][:21]) == ("locality_3", "400 different entries")
    assert not report.problems.filter(rule="groups below the minimum base", column="locality_3").height
    assert "Secret" not in str(report.problems.rows()) + report._repr_html_() + str(report.merges)


def test_an_address_of_a_person_in_a_label_is_not_shown(clean):
    planted = put(
        put(clean, "locality_1", "jo.bloggs@nhs.net", (1,)), "locality_1", "Jo.Bloggs@nhs.net", (2,)
    )
    report = validate(planted)
    assert "bloggs" not in (str(report.problems.rows()) + report._repr_html_()).lower()


def test_small_organisations_and_groups_are_counted(clean):
    report = validate(put(with_codes(clean, RXA=10, RXB=50), "locality_2", "A", range(4)))
    organisations = problem(report, "organisations below the minimum base")
    assert (organisations["rows"], organisations["severity"]) == (0, "note")
    assert "1 of 3 organisations" in organisations["found"]
    small = problem(report, "groups below the minimum base", "locality_2")
    assert small["rows"] == 0  # their number of respondents is what may not be shown


def test_small_benchmark_groups_are_counted():
    report = validate(clean_extract(rows=30, organisations=12))
    assert problem(report, "small benchmark groups")["severity"] == "note"


SAME = {"Nursing": 200, "nursing": 3, "NURSING ": 2, "Nursing & Midwifery": 9, "Nursing and midwifery": 4}


def test_variants_of_a_name_go_to_the_most_frequent():
    assert same_but_for_case(SAME) == {
        "nursing": "Nursing",
        "NURSING ": "Nursing",
        "Nursing and midwifery": "Nursing & Midwifery",
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ward 1", "Ward 2"),
        ("Ward 10", "Ward 11"),
        ("Team A", "Team B"),
        ("Inpatient services", "Outpatient services"),
        ("Male ward", "Female ward"),
        ("Surgery East", "Surgery West"),
        ("Adult mental health", "Child mental health"),
        ("Estates", "Estates and Facilities"),
        ("Band 5 nursing", "Band 6 nursing"),
    ],
)
def test_different_units_are_not_taken_for_misspellings(one, other):
    assert nearly_alike({one: 10, other: 20}) == {}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Paediatrics", "Pediatrics"),
        ("Community servces", "Community services"),
        ("Estate", "Estates"),
        ("Womens Health", "Women Health"),
    ],
)
def test_misspellings_are_found(one, other):
    assert nearly_alike({one: 10, other: 20}) == {one: other}


def test_many_labels_are_compared_quickly():
    labels = {f"Service {chr(97 + n % 26)}{chr(97 + n // 26 % 26)}centre number {n}": n for n in range(2000)}
    assert nearly_alike(labels) == {}


def test_a_new_name_is_found_among_candidates():
    assert (
        likely_name("Nursing Directorate", ["Estates", "Directorate of Nursing"]) == "Directorate of Nursing"
    )
    assert likely_name("Urgent Care", ["Emergency Medicine", "Estates"]) is None
