"""The files of official layouts: their keys, and that every id in them is one of the catalogue."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.catalogue import catalogue
from culture_metrics.published.match import normalise
from culture_metrics.published.official import groups_of, is_code, layout, layout_files, printed_breakdown
from data_schemas.columns import WEIGHTINGS

KEYS = {
    "label", "as", "titles", "columns", "required", "marks", "weightings", "set_aside", "benchmark_groups", "regions",
    "quirks", "options", "all_staff", "breakdowns", "all_organisations", "sheets", "org_types", "beside", "whole",
    "comparators", "set_aside_words",
}  # fmt: skip
NSS = ("organisation", "national", "organisation_type", "benchmark", "contractor")


def test_every_file_has_known_keys_only():
    said = layout_files()
    assert set(said) == {*(f"nss_england/{name}" for name in NSS), "national_quarterly_pulse/pulse"}
    assert {key for spec in said.values() for key in spec} <= KEYS
    for name in (*NSS, "pulse"):
        found = layout(name)
        assert found.required <= set(found.columns)
        assert {"-", "*", "<10"} <= set(found.suppressed)
        headers = [normalise(text) for texts in found.columns.values() for text in texts]
        assert len(set(headers)) == len(headers)


def test_weightings_groups_and_types_are_known():
    found = layout("benchmark")
    assert set(found.weightings.values()) <= set(WEIGHTINGS)
    assert set(found.sheets.values()) | set(found.org_types.values()) <= set(found.benchmark_groups)
    assert len(set(found.benchmark_groups.values())) == len(found.benchmark_groups)


@pytest.mark.parametrize("year", catalogue().periods)
def test_every_breakdown_stands_for_one_of_the_catalogue(year):
    edition = catalogue().edition(year)
    for printed in layout("national").breakdowns.values():
        if printed.id not in edition.breakdowns:
            assert (printed.id, year) in {
                ("works_from_home_grouped", "2021"),
                ("works_from_home_grouped", "2022"),
            }
            continue
        found = edition.breakdowns[printed.id]
        spellings = groups_of(found, edition, printed.groups)
        assert set(spellings.values()) == set(found.groups)


def test_every_group_as_printed_is_one_of_the_catalogue():
    edition = catalogue().edition(2025)
    for printed in layout("national").breakdowns.values():
        groups = edition.breakdowns[printed.id].groups
        older = catalogue().edition(2021).breakdowns.get(printed.id)
        assert set(printed.groups.values()) <= {*groups, *(older.groups if older else ())}


def test_every_option_as_printed_is_one_of_some_edition():
    for question, texts in layout("organisation").options.items():
        labels = {
            text
            for edition in catalogue()
            if question in edition.questions
            for text in edition.questions[question].scale.labels.values()
        }
        assert set(texts.values()) <= labels


@pytest.mark.parametrize("year", catalogue().periods)
def test_occupation_group_and_its_summary_are_two(year):
    edition = catalogue().edition(year)
    assert printed_breakdown(edition, "Occupation group").id == "occupation"
    assert printed_breakdown(edition, "Occupation group (summary)").id == "occupation_group"
    assert printed_breakdown(edition, "Occupation grouping") is None


def test_what_is_a_code_of_an_organisation():
    yes = ["RXA", "R1F1", "G6V2S", "0AR", "15N", "RXX/RYY", "03W/04C"]
    no = ["Average", "count: 6", "Total", "Mean", "England", "6", "RX", "Acute trusts", "median", "-"]
    found = pl.DataFrame({"code": yes + no}).select(is_code(pl.col("code")))["code"].to_list()
    assert found == [True] * len(yes) + [False] * len(no)


@pytest.mark.parametrize(
    ("title", "years"),
    [
        ("NHS Staff Survey 2024 - WEIGHTED Results", ["2024"]),
        ("2025 NHS Staff Survey - Detailed Spreadsheets", ["2025"]),
        ("2025 NHS Staff Survey for Bank only workers", []),
        ("NHS Staff Survey for Bank 2024", []),
        ("National Quarterly Pulse Survey 2024", []),
    ],
)
def test_titles(title, years):
    assert layout("organisation").years(title) == years
