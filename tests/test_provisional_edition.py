"""The edition of 2026 is a stand-in, as 2025: files are read by it, and whatever shows a number of it says so."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files

import polars as pl
import pytest
import yaml

import culture_metrics as cm
from culture_metrics.catalogue.load import read_survey
from culture_metrics.compare.years import compare_years
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.extract import Extract

REMARK = "2026 (provisional: as 2025, not confirmed)"


@pytest.fixture(scope="module")
def answers():
    """Sixty people who filled in the form of 2025."""
    return cm.synthetic.respondents(2025, respondents_per_organisation=60).frame


@pytest.fixture(scope="module")
def results(answers, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "RXX_2026.csv"
    answers.write_csv(path)
    return path, cm.estimate(cm.validate(cm.read_extract(path)).extract, by=["locality_1"])


def test_it_scores_as_2025(results, answers, tmp_path):
    path = tmp_path / "RXX_2025.csv"
    answers.write_csv(path)
    last = cm.estimate(cm.validate(cm.read_extract(path)).extract, by=["locality_1"])
    assert results[1].table.drop("period").equals(last.table.drop("period"))
    assert set(results[1].table["period"]) == {"2026"}


def test_whatever_shows_a_number_of_it_says_so(results):
    path, made = results
    extract = cm.read_extract(path)
    report = cm.validate(extract)
    assert "provisional edition" in report.problems.filter(severity="warning")["rule"].to_list()
    study = cm.study([path])
    for said in (
        repr(cm.inspect_file(path)), repr(extract), report.title, made.summary(), " ".join(made.rules()),
        made.figure().layout.title.text, made.heat_map("locality_1").layout.title.text,
        cm.distributions(extract).summary(), study.results.summary(),
    ):  # fmt: skip
        assert REMARK in said.replace("<br>", " "), said
    assert any("provisional" in caution for caution in study.cautions)
    shown = dict(cm.catalogue().edition(2026).describe("staff_engagement").rows)
    assert shown["provisional"] == "2026 is as 2025, not confirmed"


def test_a_comparison_with_it_says_so(results, answers):
    now = results[1].table
    change = compare_years(pl.concat([now.with_columns(period=pl.lit("2025")), now]), 2025, 2026)
    assert REMARK in change.summary()
    assert REMARK in change.figure().layout.title.text.replace("<br>", " ")


def test_years_that_are_confirmed_say_nothing(answers, tmp_path):
    path = tmp_path / "RXX_2025.csv"
    answers.write_csv(path)
    extract = cm.read_extract(path)
    study = cm.study([path])
    assert "provisional" not in repr(extract) + study.results.summary() + repr(cm.inspect_file(path))
    assert not study.cautions


@pytest.mark.parametrize(
    ("name", "year", "period"),
    [
        ("export.csv", None, "2025"),  # nothing but the columns, which are those of 2025
        ("export.csv", 2026, "2026"),
        ("NSS26 RXX.csv", None, "2026"),
        ("RXX 2026-01-15.csv", None, "2025"),  # the day it was made
        ("RXX 15.01.2026.csv", None, "2025"),
        ("RXX Jan 2026.csv", None, "2025"),
    ],
)
def test_a_file_is_of_it_only_where_that_is_said(answers, tmp_path, name, year, period):
    path = tmp_path / name
    answers.write_csv(path)
    extract = cm.read_extract(path, year=year)
    assert (extract.period, extract.provenance["doubt"]) == (period, None)
    if year is None:
        assert cm.inspect_file(path).edition == period


def test_columns_of_another_year_are_not_of_it(tmp_path):
    path = tmp_path / "RXX_2022.csv"
    cm.synthetic.respondents(2022, respondents_per_organisation=20).frame.write_csv(path)
    with pytest.raises(ExtractError, match="not of 2026"):
        cm.read_extract(path, year=2026)


def test_it_is_replaced_by_editing_data(tmp_path):
    for file in files("data_schemas").joinpath("nss_england").iterdir():
        if file.is_file():
            (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    path = tmp_path / "editions.yaml"
    editions = yaml.safe_load(path.read_text(encoding="utf-8"))
    del editions["editions"]["2026"]["provisional"]
    path.write_text(yaml.safe_dump(editions, allow_unicode=True), encoding="utf-8")
    assert read_survey("another", tmp_path).edition(2026).named == "2026"


def test_summaries_of_what_is_made_of_it_say_so(results, answers):
    """Benchmarks, decompositions, contributions and shrunken figures of 2026."""
    remark = "2026 is provisional: as 2025, not confirmed."
    extract = cm.validate(cm.read_extract(results[0])).extract
    before = Extract("nss_england", "2025", answers)
    assert remark in cm.decompose_change(before, extract, "morale", by=["locality_2"]).summary()
    assert remark in cm.compare.change_contributions(before, extract, "morale").summary()
    example = cm.study([], by=["locality_1"])
    newest = example.results.table.filter(period="2024").with_columns(period=pl.lit("2026"))
    assert cm.shrink(newest).summary().endswith(remark)
    workbook = example.published[0]
    late = [t.with_columns(period=pl.lit("2026")) for t in (workbook.results.table, workbook.organisations)]
    moved = replace(workbook, period="2026", results=cm.results.Results(late[0]), organisations=late[1])
    assert cm.benchmark(moved, "SYN01").summary().endswith(remark)
    assert "provisional" not in cm.benchmark(workbook, "SYN01").summary()
