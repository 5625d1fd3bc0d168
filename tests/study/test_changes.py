"""Year on year for the notebooks: what is shown, and the sentence where there is nothing to show."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from culture_metrics import study, synthetic
from culture_metrics.errors import ReportError


@pytest.fixture(scope="module")
def data():
    return study([])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Inputs of two years in which so many answered."""

    def make(people):
        place = tmp_path_factory.mktemp("tiny")
        for year in (2023, 2024):
            extract = synthetic.respondents(year, respondents_per_organisation=people)
            extract.frame.write_csv(place / f"{year}.csv")
        return study(sorted(place.iterdir()))

    return make


def test_draws_a_map_for_every_breakdown_and_the_staff_mix(data):
    change = data.compare_years()
    maps = change.heat_maps(data.by).figures
    assert ["occupation group" in maps[0].layout.meta["alt"], "locality 1" in maps[1].layout.meta["alt"]]
    figure, mix = data.staff_mix("recommend_place_to_work").figures
    assert mix.labels == {"occupation_group": "Occupation group"}
    assert mix.measure.label in figure.layout.meta["alt"]


def test_measures_barred_for_one_reason_stand_together(data):
    table = data.compare_years().not_comparable()
    assert table.caption == "12 measures may not be compared"
    assert table.frame.height == table.frame["Why"].n_unique() == 2


def test_the_summary_counts_the_organisation_first_and_what_is_held_back_apart(data):
    change = data.compare_years()
    whole = change.table.filter(breakdown="all")
    said = change.summary()
    assert said.startswith(
        "No leading score moved beyond chance from 2023 to 2024. Would recommend as a place"
    )
    assert f"2023 to 2024: of {whole.height} measures 1 improved, 1 likely declined," in said
    assert "12 may not be compared. " in said
    hidden = change.table.filter(pl.col("status").str.starts_with("suppressed"))
    assert said.endswith(f"and {hidden.height:,} are held back.")


def test_without_breakdowns_a_sentence_stands_for_the_maps(data):
    bare = replace(data, by=())
    found = bare.compare_years().heat_maps(bare.by)
    assert (found.figures, "no groups to show" in found.otherwise) == ((), True)


def test_staff_mix_takes_other_groups_where_occupation_is_not_known(data):
    question = data.edition.breakdowns["occupation_group"].question
    codes = [e.edition.questions[question].code for e in data.extracts]
    extracts = tuple(
        replace(e, frame=e.frame.drop(code)) for e, code in zip(data.extracts, codes, strict=True)
    )
    bare = replace(data, extracts=extracts, by=("locality_1",))
    _, mix = bare.staff_mix("recommend_place_to_work").figures
    assert list(mix.labels) == ["locality_1"]
    none = replace(bare, by=()).staff_mix("recommend_place_to_work")
    assert (none.figures, "staff mix is not known" in none.otherwise) == ((), True)


def test_one_year_is_not_compared(data):
    first = replace(data, year="2023")
    assert data.why_no_change == ""
    assert first.why_no_change == "only one year of respondent files was given"
    with pytest.raises(ReportError, match="takes two respondent files"):
        first.two_years()


def test_a_handful_of_people_is_not_compared(tiny):
    assert tiny(8).why_no_change == "nothing in 2023 and 2024 may be compared"


def test_a_small_organisation_has_sentences_where_groups_are_hidden(tiny):
    data = tiny(15)
    assert data.why_no_change == ""
    change = data.compare_years()
    assert all("no change may be compared" in m.layout.meta["alt"] for m in change.heat_maps(data.by).figures)
    found = data.staff_mix("recommend_place_to_work")
    assert (found.figures, "cannot be split" in found.otherwise) == ((), True)


def test_groups_that_are_held_back_are_not_called_incomparable(data):
    note = data.compare_years().hidden().note
    assert "with fewer than 11 people, or that would give those away" in note
    assert "Chaplaincy" not in note
    assert "held back or may not be compared" in note
