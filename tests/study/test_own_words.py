"""What a trust calls its parts is what titles, summaries, sheets and errors say; ids are for programs."""

from __future__ import annotations

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import UnknownNameError


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Two years of one trust: directorates and departments under their own names, and a column of its own."""
    folder = tmp_path_factory.mktemp("trust")
    paths = []
    for year in (2023, 2024):
        frame = cm.synthetic.respondents(year, respondents_per_organisation=300, seed=year).frame
        frame = frame.rename({"locality_1": "Directorate", "locality_2": "Department"})
        paths.append(folder / f"RXX_{year}.csv")
        frame.with_columns(pl.lit("A").alias("Rota")).write_csv(paths[-1])
    return paths


@pytest.fixture(scope="module")
def study(files):
    return cm.study(files, by=["Directorate", "Department"])


def said(figure):
    return figure.layout.title.text.replace("<br>", " ")


def test_the_words_of_the_file_are_kept(files, study):
    extract = cm.read_extract(files[1])
    assert extract.words == {"locality_1": "Directorate", "locality_4": "Department"}
    assert study.by == ("locality_1", "locality_4")
    assert study.words == extract.words


def test_titles_and_sentences_say_directorate(study):
    results = study.results
    assert "by Directorate" in results.summary() and "ocality" not in results.summary()
    maps = [*study.heat_maps()]
    tables = [one for one in maps if hasattr(one, "around")]
    assert not [one for one in tables if "ocality" in one._repr_html_() + repr(one)]
    drawn = [one.figure() if one in tables else one for one in maps]
    for figure in (results.heat_map("Department"), *drawn):
        assert "ocality" not in said(figure)
    assert "by department" in said(results.heat_map("Department"))
    assert "Directorate" in repr(study.held_back()._repr_html_())
    change = study.compare_years()
    assert "by directorate" in said(change.heat_map("locality_1"))


def test_errors_offer_the_columns_of_the_file(files):
    extract = cm.validate(cm.read_extract(files[1])).extract
    with pytest.raises(UnknownNameError) as told:
        cm.estimate(extract, by=["Departments"])
    assert "Did you mean 'Department'?" in str(told.value) or "Did you mean Department" in str(told.value)
    assert "Directorate" in str(told.value) and "locality_1" not in str(told.value)
    with pytest.raises(UnknownNameError, match="save_mapping") as told:
        cm.estimate(extract, by=["Rota"])
    assert "The file's column 'Rota' is not read as a breakdown" in str(told.value)


def test_names_that_say_nothing_are_no_words(tmp_path):
    frame = cm.synthetic.respondents(2024, respondents_per_organisation=30).frame
    path = tmp_path / "RXX_2024.csv"
    frame.rename({"locality_1": "BD 1", "locality_2": "Locality 2"}).write_csv(path)
    extract = cm.read_extract(path)
    assert {"locality_1", "locality_2"} <= set(extract.frame.columns) and not extract.words


def test_a_mapping_gives_the_words_too_and_none_acts_as_a_formula(tmp_path):
    frame = cm.synthetic.respondents(2024, respondents_per_organisation=30).frame
    path = tmp_path / "RXX_2024.csv"
    frame.rename({"locality_1": "Business Unit", "locality_2": "=1+1"}).write_csv(path)
    columns = {"Business Unit": "locality_8", "=1+1": "locality_9"}
    assert cm.read_extract(path, columns=columns).words == {
        "locality_8": "Business Unit",
        "locality_9": "'=1+1",
    }


def test_each_word_has_a_place_of_its_own_in_every_year(tmp_path):
    """A file with divisions and one without: departments stay departments."""
    frame = cm.synthetic.respondents(2024, respondents_per_organisation=30).frame
    some, more = tmp_path / "a_2024.csv", tmp_path / "b_2024.csv"
    frame.rename({"locality_1": "Department", "locality_2": "Pay Band"}).write_csv(some)
    frame.rename({"locality_1": "Division", "locality_2": "Department"}).write_csv(more)
    one, other = cm.read_extract(some), cm.read_extract(more)
    assert one.words == {"locality_4": "Department", "locality_6": "Pay Band"}
    assert other.words == {"locality_2": "Division", "locality_4": "Department"}


def test_the_sheets_of_a_report_say_directorate(study, tmp_path):
    from culture_metrics.reporting.excel import _breakdown

    table = study.results.table.select(_breakdown(study).alias("by"))["by"].unique().to_list()
    assert {"Directorate", "Department"} <= set(table)


def test_both_spellings_work_wherever_a_breakdown_is_named(study):
    """By the id or by the word of the file, whatever `estimate` was asked for."""
    extracts = study.two_years()
    asked = [cm.estimate(e, by=["Directorate", ("Department", "age")]) for e in extracts]
    change = cm.compare_years(asked, 2023, 2024, allow_breaks=False)
    assert set(change.table["breakdown"]) == {"all", "locality_1", "locality_4 × age"}
    for one in (asked[1], change):
        names = ("locality_1", "Directorate", "directorate")
        assert len({said(one.heat_map(name)) for name in names}) == 1
        assert "by directorate" in said(one.heat_map("Directorate"))
    assert len(change.heat_maps(["Directorate", "Age × Department"]).figures) == 2
    group = change.table.filter(breakdown="locality_1", status="reported")["group"][0]
    assert said(change.figure("Directorate", group)) == said(change.figure("locality_1", group))
    parts = [cm.decompose_change(*asked, "morale", by=[name]) for name in ("Directorate", "locality_1")]
    assert parts[0].table.equals(parts[1].table) and list(parts[0].labels.values()) == ["Directorate"]
    assert parts[0].piece("mix", "Directorate") == parts[0].piece("mix", "locality_1")
    shrunken = cm.shrink(asked[1])
    assert said(shrunken.figure("morale", "locality_1")) == said(shrunken.figure("morale", "Directorate"))
    assert "by directorate" in said(shrunken.figure("morale", "Directorate"))


def test_a_comparison_made_without_a_study_says_directorate_too(study):
    asked = [cm.estimate(e, by=["locality_1"]) for e in study.two_years()]
    moved = asked[1].table.with_columns(pl.col("group").replace("Urgent Care", "Emergency Care"))
    change = cm.compare_years([asked[0], cm.results.Results(moved, names=asked[1].names)], 2023, 2024)
    told = " ".join([*change.rules(), change.summary(), said(change.heat_map("locality_1"))])
    assert "ocality" not in told
    assert "Groups of directorate in one year only are not compared: in 2023 Urgent Care" in told
