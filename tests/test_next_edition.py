"""The next edition, made by copying the newest one: what changed with a year holds from that year on."""

from __future__ import annotations

import csv
import io
import sys
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import polars as pl
import pytest
import yaml

import culture_metrics as cm
from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.catalogue.load import code_column, read_survey
from culture_metrics.extracts.read import read_extract

SURVEY = "nss_england"
OWN = ("survey", "period")


def add_next(folder):
    """Copy the newest edition of a catalogue in `folder` as the next year's; return both years."""
    path = folder / "editions.yaml"
    editions = yaml.safe_load(path.read_text(encoding="utf-8"))
    newest = max(editions["editions"])
    following = str(int(newest) + 1)
    # As a person would add it: the lists of answers stay as they are, so that none is named.
    own = {k: v for k, v in editions["editions"][newest].items() if k != "scales"}
    editions["editions"][following] = own
    path.write_text(yaml.safe_dump(editions, allow_unicode=True), encoding="utf-8")
    questions = folder / "questions.csv"
    rows = list(csv.DictReader(questions.read_text(encoding="utf-8").splitlines()))
    made = io.StringIO()
    writer = csv.DictWriter(made, [*rows[0], f"code_{following}"])
    writer.writeheader()
    codes = code_column(rows, newest)
    writer.writerows(row | {f"code_{following}": row[codes]} for row in rows)
    questions.write_text(made.getvalue(), encoding="utf-8")
    return newest, following


def is_file(entry):
    """Whether an entry of a survey's folder is one of its files: official layouts lie in a folder of their own."""
    return entry.is_file()


@pytest.fixture
def years(tmp_path, monkeypatch):
    """The catalogue with one more edition; the newest year of the package's own and the year after."""
    for survey in surveys():
        copied = tmp_path / survey
        copied.mkdir()
        for file in filter(is_file, files("data_schemas").joinpath(survey).iterdir()):
            (copied / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    both = add_next(tmp_path / SURVEY)
    module = sys.modules[catalogue.__module__]
    monkeypatch.setattr(module, "files", lambda _: Path(tmp_path))
    for cached in (module._of_package, module._packaged):
        cached.cache_clear()
    yield both
    for cached in (module._of_package, module._packaged):
        cached.cache_clear()


def parts_of(edition):
    """Everything an edition says, but for its own year."""
    return {
        kind: {
            name: {k: v for k, v in vars(item).items() if k != "columns"}
            for name, item in getattr(edition, kind).items()
        }
        for kind in ("questions", "measures", "breakdowns")
    }


def test_a_new_edition_is_built_by_the_newest_rules(years):
    newest, following = (catalogue(SURVEY).edition(year) for year in years)
    assert catalogue(SURVEY).periods[-1] == following.period
    for kind, named in parts_of(newest).items():
        assert parts_of(following)[kind] == named, kind
    assert set(following.columns) == set(newest.columns)
    # The rules that have changed so far, at their newest: 3 of 4 and 8 of 9 questions, since 2025.
    assert len(following.measure("diversity_and_equality").items) == 3
    assert len(following.measure("negative_experiences").items) == 8
    assert following.question("discrimination_grounds").scale.id == "grounds_10"
    assert following.columns["q39a"].id == "length_of_service"


def test_an_edition_without_changes_is_one_entry_in_one_file(tmp_path):
    """Codes and lists hold until an edition has its own: nothing but its entry in editions.yaml is needed."""
    for file in filter(is_file, files("data_schemas").joinpath(SURVEY).iterdir()):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    path = tmp_path / "editions.yaml"
    editions = yaml.safe_load(path.read_text(encoding="utf-8"))
    newest = max(editions["editions"])
    following = str(int(newest) + 1)
    editions["editions"][following] = {}
    path.write_text(yaml.safe_dump(editions, allow_unicode=True), encoding="utf-8")
    survey = read_survey("another", tmp_path)
    assert parts_of(survey.edition(following)) == parts_of(survey.edition(newest))


def test_staff_who_answer_as_last_year_have_not_changed(years):
    newest, following = years
    last = cm.synthetic.respondents(newest, respondents_per_organisation=200)
    now = replace(last, period=following)
    results = [cm.estimate(extract).table for extract in (last, now)]
    assert results[1].drop(OWN).equals(results[0].drop(OWN), null_equal=True)
    change = cm.compare_years(pl.concat(results), newest, following)
    shown = change.table.filter(status="reported")
    assert set(catalogue(SURVEY).edition(following).scores) <= set(shown["measure"])
    assert shown["difference"].abs().max() == 0
    assert not set(change.table["verdict"].drop_nulls().cast(pl.String)) & {"improved", "declined"}


def test_what_is_written_for_the_new_year_is_read_and_checked_as_such(years, tmp_path):
    newest, following = years
    made = cm.synthetic.respondents(newest, respondents_per_organisation=60).frame
    path = tmp_path / f"RXX_{following}.csv"
    made.write_csv(path)
    extract = read_extract(path)
    assert extract.period == following
    checked = cm.validate(extract)
    assert checked.problems.filter(severity="error").is_empty()


def test_the_year_after_the_next_is_like_it(tmp_path):
    folder = files("data_schemas").joinpath(SURVEY)
    for file in filter(is_file, folder.iterdir()):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    _, following = add_next(tmp_path)
    _, after = add_next(tmp_path)
    survey = read_survey("another", tmp_path)
    first, second = (survey.edition(year) for year in (following, after))
    assert parts_of(first) == parts_of(second)
