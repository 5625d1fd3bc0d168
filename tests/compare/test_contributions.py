"""Question to sub-score to element: sums, ties with estimate, and the rules of scoring."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from culture_metrics import decompose_change, estimate, score, synthetic
from culture_metrics.compare import change_contributions
from culture_metrics.compare.contributions import ANSWERED
from culture_metrics.compare.pieces import bootstrap
from culture_metrics.errors import ComparabilityError, ComparabilityWarning, ExtractError
from culture_metrics.extracts.extract import Extract


@pytest.fixture(scope="module")
def years():
    sizes = ((2023, 700), (2024, 600))
    return [synthetic.respondents(y, respondents_per_organisation=n, seed=3) for y, n in sizes]


@pytest.fixture(scope="module")
def results(years):
    return [estimate(e).table.filter(group="all") for e in years]


@pytest.mark.parametrize(
    "measure",
    [
        "advocacy",
        "appraisals",
        "staff_engagement",
        "always_learning",
        "team",
        "morale",
        "burnout",
    ],
)
def test_contributions_sum_to_the_change_that_estimate_gives(years, results, measure):
    found = change_contributions(*years, measure)
    old, new = (r.row(by_predicate=pl.col("measure") == measure, named=True) for r in results)
    root, table = found.table.row(0, named=True), found.table
    assert root["estimate"] == pytest.approx(new["estimate"] - old["estimate"], abs=1e-12)
    assert (root["base_from"], root["base_to"]) == (old["base"], new["base"])
    assert (found.from_estimate, found.to_estimate) == pytest.approx(
        (old["estimate"], new["estimate"]), abs=1e-12
    )
    sums = table.drop_nulls("parent").group_by("parent").agg(pl.col("estimate").sum())
    parents = sums.join(table.select(parent="part", of="estimate"), on="parent")
    assert parents.height == 1 + table.filter(parent=measure, level="sub_score").height
    np.testing.assert_allclose(parents["estimate"], parents["of"], rtol=0, atol=1e-12)


def test_with_every_question_answered_a_question_adds_its_own_change_over_their_number(years):
    """Nothing missing: a sub-score is the plain mean of its items, so each adds a third of its own change."""
    columns = ["q25a", "q25c", "q25d"]
    full = [Extract(e.survey, e.period, e.frame.drop_nulls(columns)) for e in years]
    table = change_contributions(*full, "advocacy").table
    own = [(e.frame.select(columns).mean().to_numpy()[0] - 1) * 2.5 for e in full]
    np.testing.assert_allclose(table["estimate"][1:4], (own[1] - own[0]) / 3, atol=1e-12)
    assert table.filter(level=ANSWERED)["estimate"].item() == pytest.approx(0, abs=1e-12)


def test_more_appraisals_raise_the_sub_score_by_the_mean_of_those_who_had_one():
    """By hand: of 40, first 20 then 30 had one; all who had one score 10, no appraisal scores 0: +2.5."""

    def year(period, had):
        codes = pl.Series([1] * had + [2] * (40 - had), dtype=pl.Int8)
        parts = {
            q: pl.Series([1] * had + [None] * (40 - had), dtype=pl.Int8) for q in ("q23b", "q23c", "q23d")
        }
        frame = pl.DataFrame({"q23a": codes, **parts}).with_columns(organisation=pl.lit("RXX"))
        return Extract("nss_england", period, frame)

    table = change_contributions(year("2023", 20), year("2024", 30), "appraisals").table
    found = dict(table.select("part", "estimate").iter_rows())
    assert found["appraisals"] == pytest.approx(2.5)
    assert found["had_appraisal"] == pytest.approx(2.5)
    assert sum(abs(v) for k, v in found.items() if k not in ("appraisals", "had_appraisal")) < 1e-12


def test_answers_gone_missing_are_kept_apart():
    """By hand: answers stay 1, 5 and 5 (0, 10, 10), but half of the second year leave out the first."""

    def year(period, blank):
        first = pl.Series([None] * blank + [1] * (40 - blank), dtype=pl.Int8)
        rest = pl.Series([5] * 40, dtype=pl.Int8)
        frame = pl.DataFrame({"q25a": first, "q25c": rest, "q25d": rest, "organisation": ["RXX"] * 40})
        return Extract("nss_england", period, frame)

    table = change_contributions(year("2023", 0), year("2024", 20), "advocacy").table
    found = dict(table.select("part", "estimate").iter_rows())
    # 20/3 in the first year; half at 10 and half at 20/3 in the second.
    assert found["advocacy"] == pytest.approx(5 / 3)
    assert found[ANSWERED] == pytest.approx(5 / 3)


def test_the_planted_question_stands_out():
    old, new = (synthetic.respondents(y, respondents_per_organisation=4000, seed=2) for y in (2023, 2024))
    questions = change_contributions(old, new, "advocacy").table.filter(level="question")
    most = questions.sort("estimate").row(-1, named=True)
    assert most["part"] == "recommend_place_to_work"
    assert most["conf_low"] > 0


def test_bootstrap_errors_agree_with_those_of_the_mean(years, results):
    table = change_contributions(*years, "burnout").table
    error = [r.filter(measure="burnout")["std_error"].item() for r in results]
    assert table["std_error"][0] == pytest.approx(np.hypot(*error), rel=0.08)


def test_what_has_no_parts_or_other_parts_is_refused(years):
    with pytest.raises(ExtractError, match="one question"):
        change_contributions(*years, "recommend_place_to_work")
    less = Extract(years[1].survey, years[1].period, years[1].frame.drop("q25a"))
    with pytest.raises(ComparabilityError, match="Built without q25a in 2024"):
        change_contributions(years[0], less, "advocacy")
    with pytest.warns(ComparabilityWarning), pytest.raises(ExtractError, match="other questions") as caught:
        change_contributions(years[0], less, "advocacy", allow_breaks=True)
    assert "care_is_top_priority" in str(caught.value)
    new = synthetic.respondents(2025, respondents_per_organisation=300)
    with pytest.raises(ComparabilityError):
        change_contributions(
            synthetic.respondents(2024, respondents_per_organisation=300), new, "safe_and_healthy"
        )


def test_it_speaks_in_sentences_and_draws(years):
    found = change_contributions(*years, "compassionate_and_inclusive")
    assert "Compassionate culture" in found.summary()
    assert found.figure().layout.meta["alt"].startswith("Compassionate and inclusive")
    assert found.summary() in found._repr_html_()


def test_who_knows_how_draws_are_seeded_does_not_know_who_was_drawn(years):
    """Draws followed from the year alone: an attacker with it had the library's own, to the last digit."""
    root = change_contributions(*years, "morale").table.row(0, named=True)
    drawn = []
    for year, extract in enumerate(years):
        values = score(extract)["morale"].drop_nulls().to_numpy()
        draws = bootstrap(values[:, None], np.ones(len(values), np.int64), [year])[1]
        drawn.append(np.concatenate([*draws])[:, 0])
    gap = drawn[1] - drawn[0]
    theirs = np.array([gap.std(ddof=1), *np.quantile(gap, [0.025, 0.975])])
    told = np.array([root[name] for name in ("std_error", "conf_low", "conf_high")])
    assert told == pytest.approx(theirs, abs=0.05)
    assert np.abs(told - theirs).min() > 1e-9


def test_a_score_with_a_question_that_few_answered_is_not_taken_apart(years):
    """The root less the other parts would be what so few said."""
    old, new = years

    def answered_by(few):
        column = pl.when(pl.int_range(pl.len()) < few).then("q25a").alias("q25a")
        return Extract(new.survey, new.period, new.frame.with_columns(column))

    assert answered_by(8).frame["q25a"].count() in range(1, 9)
    with pytest.raises(ExtractError, match="Some parts of Advocacy may not be shown") as caught:
        change_contributions(old, answered_by(8), "advocacy")
    assert "2024: Care of patients" in str(caught.value)
    assert change_contributions(old, answered_by(40), "advocacy").table.height == 5


@pytest.mark.parametrize("verb", [change_contributions, decompose_change])
def test_the_order_of_respondents_moves_nothing(years, verb):
    """Estimates, errors and both ends: three permutations of each year, to 1e-12."""
    found = verb(*years, "staff_engagement").table.select(pl.selectors.float()).to_numpy()
    for seed in range(3):
        mixed = [
            Extract(e.survey, e.period, e.frame.sample(fraction=1, shuffle=True, seed=seed)) for e in years
        ]
        again = verb(*mixed, "staff_engagement").table.select(pl.selectors.float()).to_numpy()
        np.testing.assert_allclose(again, found, rtol=0, atol=1e-12)
