"""A score that lacks a question in one file is another score: named, and never set beside the whole one."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from culture_metrics import compare_years, decompose_change, estimate, synthetic, trend
from culture_metrics.compare import change_contributions
from culture_metrics.contract import as_results
from culture_metrics.errors import ComparabilityError, ComparabilityWarning, ExtractError

#: What q25c is in: by the official guide advocacy and compassionate culture, and what they are parts of.
TOUCHED = {"advocacy", "compassionate_culture", "staff_engagement", "compassionate_and_inclusive"}
WITHOUT = "Built without q25c in 2024: no answers in the file."


@pytest.fixture(scope="module")
def years():
    return [synthetic.respondents(y, respondents_per_organisation=900, seed=4) for y in (2023, 2024)]


def without(extract, *columns):
    return replace(extract, frame=extract.frame.drop(columns))


def both(*extracts, by=("occupation_group",)) -> pl.DataFrame:
    return as_results(pl.concat(estimate(e, by=by).table for e in extracts))


def verdicts(table: pl.DataFrame) -> dict[str, str]:
    whole = table.filter(pl.col("breakdown") == "all", pl.col("level") != "question")
    return dict(whole.select("measure", "verdict").iter_rows())


@pytest.fixture(scope="module")
def one_less(years):
    return both(years[0], without(years[1], "q25c"))


def test_scores_that_lack_a_question_in_one_year_are_not_compared_and_others_are(years, one_less):
    change = compare_years(one_less, 2023, 2024)
    before, after = verdicts(compare_years(both(*years), 2023, 2024).table), verdicts(change.table)
    new = {m for m, v in after.items() if v == "not comparable"} - {
        m for m, v in before.items() if v == "not comparable"
    }
    assert new == TOUCHED
    rows = change.table.filter(pl.col("measure").is_in(TOUCHED), pl.col("status") == "reported")
    assert rows["breakdown"].unique().sort().to_list() == ["all", "occupation_group"]
    assert rows["reason"].unique().to_list() == [WITHOUT]
    assert rows["instead"].unique().to_list() == ["The questions that both years have, one by one."]
    assert rows["difference"].null_count() == rows["p_value"].null_count() == rows.height


def test_a_column_without_an_answer_is_as_good_as_none(years):
    empty = replace(
        years[1], frame=years[1].frame.with_columns(q25c=pl.lit(None, pl.Int8), q6a=pl.lit(None, pl.Int8))
    )
    table = compare_years(both(years[0], empty, by=()), 2023, 2024).table
    assert table.filter(measure="advocacy")["reason"].item() == WITHOUT


def test_it_does_not_matter_which_year_lacks_it(years):
    table = compare_years(both(without(years[0], "q25c"), years[1], by=()), 2023, 2024).table
    assert table.filter(measure="advocacy")["reason"].item() == WITHOUT.replace("2024", "2023")
    two = both(without(years[0], "q25c"), without(years[1], "q25a"), by=())
    reason = compare_years(two, 2023, 2024).table.filter(measure="advocacy")["reason"].item()
    assert reason == "Built without q25c in 2023 and without q25a in 2024: no answers in the file."


def test_scores_that_lack_the_same_question_in_both_years_compare_and_say_so(years):
    change = compare_years(both(*(without(e, "q25c") for e in years), by=()), 2023, 2024)
    assert change.table.filter(measure="advocacy")["verdict"].item() != "not comparable"
    said = [n for n in change.notes if n.startswith("Advocacy is built")]
    assert said == [
        "Advocacy is built without q25c in 2023 and without q25c in 2024: it compares, but is not the "
        "official score."
    ]


def test_who_names_the_score_is_refused_and_who_insists_is_warned(one_less):
    with pytest.raises(ComparabilityError, match="Built without q25c in 2024"):
        compare_years(one_less, 2023, 2024, measures=["E_3"])
    with pytest.warns(ComparabilityWarning, match="Advocacy"):
        row = compare_years(one_less, 2023, 2024, measures=["E_3"], allow_breaks=True).table.row(
            0, named=True
        )
    assert row["verdict"] == "not comparable"
    assert row["difference"] is not None


def test_results_without_percentages_say_that_it_could_not_be_seen(one_less):
    change = compare_years(one_less.filter(unit="score"), 2023, 2024)
    assert any("could not be seen" in note for note in change.notes)
    assert not any("could not be seen" in note for note in compare_years(one_less, 2023, 2024).notes)


def test_a_question_that_left_the_form_is_the_catalogues_matter(years):
    """Fair career progression is no part of diversity and equality from 2025: the break says so, not this."""
    new = synthetic.respondents(2025, respondents_per_organisation=300)
    table = compare_years(both(years[1], new, by=()), 2024, 2025).table
    assert not table["reason"].str.contains("Built without").any()


def test_published_scores_are_whole_whatever_is_shown(one_less):
    published = as_results(one_less.with_columns(source=pl.lit("published")))
    table = compare_years(published, 2023, 2024).table
    assert not table["reason"].str.contains("Built without").any()


def test_one_organisation_that_lacks_a_question_leaves_the_others_alone(years):
    other = [replace(e, frame=e.frame.with_columns(pl.lit("SYN99").alias("organisation"))) for e in years]
    results = as_results(pl.concat([both(years[0], without(years[1], "q25c"), by=()), both(*other, by=())]))
    table = compare_years(results, 2023, 2024).table.filter(measure="advocacy")
    barred = dict(table.select("organisation", pl.col("verdict") == "not comparable").iter_rows())
    assert barred == {"SYN01": True, "SYN99": False}


def test_a_trend_leaves_the_year_out(years):
    first = synthetic.respondents(2022, respondents_per_organisation=400)
    last = synthetic.respondents(2025, respondents_per_organisation=400)
    found = trend(both(first, years[0], without(years[1], "q25c"), last, by=()), ["advocacy"])
    assert found.table["periods"].item() == 3
    left = found.points.filter(period="2024").row(0, named=True)
    assert (left["comparable"], left["reason"]) == (False, WITHOUT)


def test_what_a_change_lies_in_is_refused_too(years):
    less = without(years[1], "q25c")
    for split in (decompose_change, change_contributions):
        with pytest.raises(ComparabilityError, match="Built without q25c in 2024"):
            split(years[0], less, "advocacy")
    with pytest.raises(ComparabilityError, match="Built without q25c in 2024"):
        decompose_change(
            *(estimate(e, by=["occupation_group"]).table for e in (years[0], less)),
            "advocacy",
            by=["occupation_group"],
        )
    with pytest.raises(ExtractError, match="The file of 2024 has no answers to q25c"):
        decompose_change(years[0], less, "recommend_place_to_work")
