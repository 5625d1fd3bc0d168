"""Inputs of any kind: told apart, checked, and the organisation found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import study, synthetic
from culture_metrics.errors import (
    ExtractError,
    FileFormatError,
    ReportError,
    StudyFileError,
    UnknownNameError,
)
from culture_metrics.study import released
from culture_metrics.study.inspect import inspect_file


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files é")
    extracts = {
        y: synthetic.respondents(y, organisations=2, respondents_per_organisation=60) for y in (2023, 2024)
    }
    for year, extract in extracts.items():
        extract.frame.write_csv(folder / f"both {year}.csv")
        extract.frame.filter(organisation="SYN02").write_parquet(folder / f"one_{year}.parquet")
    return folder


@pytest.fixture(scope="module")
def example(example_study):
    return example_study


def test_the_example_is_a_trust_in_two_years_among_its_peers(example):
    assert [e.period for e in example.extracts] == ["2023", "2024"]
    assert (example.organisation, example.name, example.year) == ("SYN01", "Invented trust 1", "2024")
    assert example.by == ("occupation_group", "locality_1", "locality_4", "long_term_condition")
    assert example.words == {"locality_1": "Directorate", "locality_4": "Department"}
    peers = example.workbook.organisations.group_by("benchmark_group").len()
    assert peers["len"].max() > 10


def test_what_was_decided_is_attacked_once_and_anew_where_it_changes(files, monkeypatch):
    attacked = []

    def attack(extract, minimum_base):
        attacked.append(extract.period)
        return 100, sum(not call.hidden.any() for call in extract.decision.calls)

    monkeypatch.setattr(released, "attack_shown", attack)
    made = study([files / "both 2023.csv", files / "both 2024.csv"], "SYN01", by=["gender"])
    assert made.attacked() == made.attacked() == (200, 0)
    assert sorted(attacked) == ["2023", "2024"]
    # As many calls about one year, of which one hides nothing: that year alone is attacked anew.
    calls = made.extracts[-1].decision.calls
    before, calls[-1] = calls[-1], replace(calls[-1], hidden=np.zeros_like(calls[-1].hidden))
    assert made.attacked() == (200, 1) and attacked[2:] == ["2024"]
    # A call more, then a call less.
    calls.append(before)
    assert made.attacked() == (200, 1) and attacked[3:] == ["2024"]
    calls[-2:] = [before]
    assert made.attacked() == (200, 0) and attacked[4:] == ["2024"]


def test_the_example_has_faults_to_find_and_counts_them(example):
    # Planted among rows 0 to 1999: 99 in each 97th, a 7 in rows 1, 500, …, 1997, a 98 in rows 2, 401, …, 1997,
    # answers under a shut filter in rows 3, 602, 1201, 1800; and two respondents twice.
    planted = {
        "missing codes": 21,
        "codes outside the list": 5,
        "likely missing codes": 6,
        "answers that the filter rules out": 4,
        "rows that stand twice": 2,
    }
    for report in example.reports:
        assert (report.rows_read, report.rows_used, report.rows_set_aside) == (2002, 2000, 2)
        assert report.cells_set_aside == 5 + 6 + 4
        assert {r: report.problems.filter(rule=r)["rows"].item() for r in planted} == planted


def test_the_example_publishes_what_its_respondents_said(example):
    keys = {"organisation": "SYN01", "measure": "morale", "period": "2024", "group": "all"}
    own = example.results.table.filter(**keys).row(0, named=True)
    published = example.published[0].results.table.filter(**keys).row(0, named=True)
    assert published["estimate"] == pytest.approx(own["estimate"], abs=1e-12)
    assert published["base"] == own["base"]
    assert published["std_error"] is None
    assert own["conf_low"] < own["estimate"] < own["conf_high"]


def test_one_organisation_need_not_be_named(files):
    data = study([files / "one_2024.parquet", files / "one_2023.parquet"])
    assert (data.organisation, data.year) == ("SYN02", "2024")
    assert data.results.table["period"].unique().sort().to_list() == ["2023", "2024"]


def test_one_of_several_organisations_is_kept(files):
    data = study([str(files / "both 2024.csv")], organisation="syn02")
    assert data.extracts[0].frame["organisation"].unique().to_list() == ["SYN02"]
    assert data.reports[0].rows_read == 60
    assert data.results.table.filter(measure="morale", group="all")["base"].item() <= 60


def test_several_organisations_must_be_chosen_from(files):
    with pytest.raises(ReportError, match="2 organisations") as caught:
        study([files / "both 2024.csv"])
    assert "SYN01, SYN02" in caught.value.hint


def test_unknown_names_are_refused_with_the_known_ones(files):
    with pytest.raises(UnknownNameError, match="organisation 'SYN09'"):
        study([files / "both 2024.csv"], organisation="SYN09")
    with pytest.raises(UnknownNameError, match="year in these files '2022'"):
        study([files / "one_2024.parquet", files / "one_2023.parquet"], year=2022)
    with pytest.raises(UnknownNameError, match="breakdown"):
        _ = study([files / "one_2024.parquet"], by=["no_such_breakdown"]).results


def test_breakdowns_that_the_files_lack_are_left_out(tmp_path):
    extract = synthetic.respondents(2024, respondents_per_organisation=30)
    extract.frame.drop("locality_1").write_csv(tmp_path / "RXX_2024.csv")
    assert study([tmp_path / "RXX_2024.csv"]).by == ("occupation_group",)


def test_the_year_asked_for_is_that_of_a_file_that_does_not_say(tmp_path):
    frame = synthetic.respondents(2024, respondents_per_organisation=30).frame
    frame.select("respondent", "organisation", "q1", "q2a").write_csv(tmp_path / "few.csv")
    with pytest.raises(ExtractError):
        study([tmp_path / "few.csv"])
    assert study([tmp_path / "few.csv"], year=2023).year == "2023"


@pytest.fixture(scope="module")
def stacked(tmp_path_factory):
    """Three years in one file, the first of which has no catalogue; SYN03 is there in 2024 only."""
    years = [2018, 2023, 2024]
    frames = [
        synthetic.respondents(
            max(y, 2023), organisations=3 if y == 2024 else 2, respondents_per_organisation=30
        ).frame.with_columns(pl.lit(y).alias("Survey year"))
        for y in years
    ]
    path = tmp_path_factory.mktemp("stacked") / "history.csv"
    pl.concat(frames, how="diagonal").write_csv(path)
    return path


@pytest.mark.parametrize("year", [None, 2023])
def test_every_year_of_a_stacked_file_is_read(stacked, year):
    """As from files of one year each: the report is about the latest, or the one asked for."""
    data = study([stacked], organisation="SYN02", year=year)
    assert [e.period for e in data.extracts] == ["2023", "2024"]
    assert data.year == str(year or 2024)
    # What was set aside is told, and how much of it is not: others answered in these rows too.
    assert all("other organisations" in r.problems["rule"] for r in data.reports)
    assert [r.rows_read for r in data.reports] == [30, 30]
    assert data.results.table["period"].unique().sort().to_list() == ["2023", "2024"]


def test_an_organisation_may_be_in_one_year_of_a_stacked_file_only(stacked):
    data = study([stacked], organisation="SYN03")
    assert ([e.period for e in data.extracts], data.year) == (["2024"], "2024")
    with pytest.raises(UnknownNameError, match="year in these files '2023'"):
        study([stacked], organisation="SYN03", year=2023)


def test_a_stacked_file_beside_another_of_the_same_year_is_refused(stacked, files):
    with pytest.raises(ReportError, match="Two respondent files hold 2023"):
        study([stacked, files / "one_2023.parquet"], organisation="SYN02")


def test_a_year_that_a_stacked_file_does_not_hold_is_refused(stacked):
    with pytest.raises(ExtractError, match="The file holds 2018, 2023, 2024, not 2022"):
        study([stacked], organisation="SYN02", year=2022)


def test_two_files_of_one_year_are_refused(files):
    with pytest.raises(ReportError, match="Two respondent files hold 2024"):
        study([files / "one_2024.parquet", files / "both 2024.csv"], organisation="SYN02")


def test_missing_files_and_folders_are_named_without_their_folder(files):
    with pytest.raises(FileFormatError, match="no such file") as caught:
        study([files / "none.csv"])
    assert caught.value.where == "none.csv"
    with pytest.raises(StudyFileError, match=r"has no study\.yaml") as caught:
        study([files])
    assert caught.value.where == files.name and "culture-metrics setup" in caught.value.hint


def test_a_real_workbook_is_told_from_a_respondent_file(shared_data):
    (path,) = (shared_data / "nss2024").glob("*organisational results.xlsx")
    data = study([path], organisation="REF")
    assert (data.extracts, data.year, data.by) == ((), "2024", ())
    assert data.name == "Royal Cornwall Hospitals NHS Trust"
    assert data.workbook is data.published[0]
    assert data.results.table.equals(pl.DataFrame(schema=data.results.table.schema))


def test_a_workbook_of_the_pulse_takes_the_name_of_an_organisation(shared_data):
    with pytest.raises(ReportError, match="The files hold 186 organisations"):
        study([shared_data / "pulse" / "202223Q1.xlsm"])


def test_breakdowns_may_be_named_as_files_name_them_and_stand_under_their_id(files):
    data = study([files / "both 2024.csv"], "SYN01", by=["Directorate", "Occupation group", "locality_1"])
    assert data.by == ("locality_1", "occupation_group")


def test_a_breakdown_that_is_not_there_gets_those_that_are(files):
    with pytest.raises(UnknownNameError, match="no breakdown 'rota'") as caught:
        study([files / "both 2024.csv"], "SYN01", by=["rota"])
    there = inspect_file(files / "both 2024.csv").breakdowns
    assert {"occupation_group", "locality_1"} <= {*there}
    assert caught.value.expected == f"one of {', '.join(there)}"


def test_what_is_wrong_with_the_own_answers_is_said_of_them_only(tmp_path):
    """The other organisation has answers to q25c; the file as a whole has the column."""
    extract = synthetic.respondents(2024, organisations=2, respondents_per_organisation=60)
    own = pl.col("organisation") == "SYN01"
    frame = extract.frame.with_columns(pl.when(own).then(None).otherwise("q25c").cast(pl.Int8).alias("q25c"))
    frame.write_csv(tmp_path / "both 2024.csv")
    (said,) = study([tmp_path / "both 2024.csv"], "SYN01").cautions
    assert "Advocacy are built without q25c" in said
    assert study([tmp_path / "both 2024.csv"], "SYN02").cautions == ()


def test_breakdowns_may_be_crossed_by_a_list_or_by_their_name(files):
    path = files / "one_2024.parquet"
    listed = study([path], by=["age", ["gender", "directorate"]])
    assert listed.by == study([path], by=["age", "gender × locality_1"]).by == ("age", "gender × locality_1")
    shown = listed.results.table.filter(breakdown="gender × locality_1")
    assert shown.height
    assert listed.edition.breakdown_label("gender × locality_1") == "Gender × locality 1"


def test_a_file_of_two_years_counts_each_year_by_itself(tmp_path):
    """The rows of the other year are no rows that could not be used, and no respondents of this one."""
    own = [synthetic.respondents(y, respondents_per_organisation=n) for y, n in ((2023, 310), (2024, 290))]
    asked = set(own[0].frame.columns) & set(own[1].frame.columns)
    both = [e.frame.select(sorted(asked)).with_columns(year=pl.lit(e.period)) for e in own]
    path = tmp_path / "two years.csv"
    pl.concat(both, how="vertical_relaxed").write_csv(path)
    found = study([path])
    assert found.table.select("period", "holds").rows() == [("2023", 310), ("2024", 290)]
    rows = (
        found.checks()
        .frame.select("Rows in the file", "Of other years", "Rows used", "Rows set aside")
        .rows()
    )
    assert rows == [("600", "290", "310", "0"), ("600", "310", "290", "0")]


def test_a_file_that_is_only_part_of_what_was_published_is_said(tmp_path):
    from culture_metrics.published import write_published
    from culture_metrics.study.example import example_published

    whole = synthetic.respondents(2024, 1, 600, seed=5)
    code = whole.frame["organisation"][0]
    workbook = tmp_path / "organisational results 2024.xlsx"
    write_published(workbook, example_published(whole), layout="organisation")
    for name, rows in (("part", 200), ("all", 600)):
        (tmp_path / name).mkdir()
        whole.frame.head(rows).write_csv(tmp_path / name / f"{code}_2024.csv")
    (said,) = study([tmp_path / "part" / f"{code}_2024.csv", workbook], code).cautions
    assert "has 200 people" in said
    assert "whole file" in said
    assert study([tmp_path / "all" / f"{code}_2024.csv", workbook], code).cautions == ()
