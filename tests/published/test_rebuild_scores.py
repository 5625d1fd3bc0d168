from __future__ import annotations

import polars as pl
import pytest
from books import NATIONAL, ORGANISATIONS, make_published, suppress

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import as_distributions
from culture_metrics.errors import ResultsError, UnknownNameError
from culture_metrics.published import rebuild_scores
from data_schemas.columns import DISTRIBUTIONS

ABOUT = {
    "survey": "nss_england",
    "period": "2024",
    "organisation": "RXX",
    "breakdown": "all",
    "group": "all",
    "base": 200,
    "weighting": "none",
    "status": "reported",
    "source": "published",
}


def _table(answers, **about):
    """Distributions from {question: {option: percent}}."""
    rows = [
        {**ABOUT, **about, "question": question, "option": option, "percent": float(percent)}
        for question, percents in answers.items()
        for option, percent in percents.items()
    ]
    return as_distributions(pl.DataFrame(rows))


def _row(scores, measure, **where):
    return scores.filter(measure=measure, **where).row(0, named=True)


def test_a_sub_score_is_the_mean_of_its_questions():
    levels = [
        {1: 100, 2: 0, 3: 0, 4: 0, 5: 0},
        {1: 0, 2: 0, 3: 0, 4: 0, 5: 100},
        {1: 0, 2: 50, 3: 0, 4: 50, 5: 0},
    ]
    questions = catalogue().edition(2024).measure("motivation").items
    scores = rebuild_scores(_table(dict(zip(questions, levels, strict=True)))).table
    found = _row(scores, "motivation")
    assert found["estimate"] == pytest.approx((0 + 10 + 5) / 3)
    assert (found["unit"], found["status"], found["base"]) == ("score", "reported", 200)
    assert scores.height == 30
    assert set(scores.filter(pl.col("measure") != "motivation")["status"]) == {"not_scored"}


def test_lower_is_better_and_any_incident():
    edition = catalogue().edition(2024)
    burnout = {i: {1: 100, 2: 0, 3: 0, 4: 0, 5: 0} for i in edition.measure("burnout").items}
    assert _row(rebuild_scores(_table(burnout)).table, "burnout")["estimate"] == 10  # never burnt out
    items = edition.measure("negative_experiences").items
    answers = {
        i: {1: 25, 2: 75}
        if len(edition.questions[i].scale.options) == 2
        else {1: 60, 2: 10, 3: 10, 4: 10, 5: 10}
        for i in items
    }
    # three questions with 75 % no, six with 60 % never
    assert _row(rebuild_scores(_table(answers)).table, "negative_experiences")["estimate"] == pytest.approx(
        (3 * 7.5 + 6 * 6) / 9
    )


def test_dont_know_scores_five_in_fair_progression_and_not_applicable_is_left_out():
    yes_no = {1: 20, 2: 80}
    answers = {
        "fair_career_progression": {1: 50, 2: 10, 9: 40},  # 5 + 2
        "discrimination_from_patients": yes_no,  # 8
        "discrimination_from_staff": yes_no,  # 8
        "respects_individual_differences": {1: 0, 2: 0, 3: 100, 4: 0, 5: 0},  # 5
    }
    assert _row(rebuild_scores(_table(answers)).table, "diversity_and_equality")["estimate"] == pytest.approx(
        (7 + 8 + 8 + 5) / 4
    )
    agree = {1: 0, 2: 0, 3: 0, 4: 100, 5: 0}
    items = catalogue().edition(2024).measure("compassionate_culture").items
    answers = dict.fromkeys(items, agree) | {"role_makes_difference": {1: 0, 2: 0, 3: 0, 4: 10, 5: 10, 9: 80}}
    # 7.5 and 10 in equal parts once not applicable is out: 8.75
    assert _row(rebuild_scores(_table(answers)).table, "compassionate_culture")["estimate"] == pytest.approx(
        (4 * 7.5 + 8.75) / 5
    )


def test_2025_leaves_two_questions_out():
    answers = {
        "fair_career_progression": {1: 0, 2: 100, 9: 0},
        "discrimination_from_patients": {1: 0, 2: 100},
        "discrimination_from_staff": {1: 0, 2: 100},
        "respects_individual_differences": {1: 0, 2: 0, 3: 0, 4: 0, 5: 100},
    }
    assert _row(rebuild_scores(_table(answers)).table, "diversity_and_equality")["estimate"] == pytest.approx(
        7.5
    )
    assert (
        _row(rebuild_scores(_table(answers, period="2025")).table, "diversity_and_equality")["estimate"] == 10
    )


def test_no_appraisal_scores_zero_and_cant_remember_is_left_out():
    parts = {i: {1: 40, 2: 40, 3: 20} for i in catalogue().edition(2024).measure("appraisals").items}
    scores = rebuild_scores(_table({"had_appraisal": {1: 60, 2: 20, 3: 20}, **parts})).table
    found = _row(scores, "appraisals")
    assert found["estimate"] == pytest.approx(60 / 80 * 6)  # 10 * 0.4 + 5 * 0.4
    assert found["base"] == 160  # 80 % of 200 remember
    assert _row(rebuild_scores(_table(parts)).table, "appraisals")["status"] == "not_scored"


@pytest.mark.parametrize("period", ["2021", "2022", "2023", "2024", "2025"])
def test_every_edition(period):
    edition = catalogue().edition(period)
    scores = rebuild_scores(make_published(period, ORGANISATIONS).distributions.table).table
    assert scores.height == 4 * 30
    missing = scores.filter(status="not_scored")["measure"].unique().sort().to_list()
    # questions put only to people with an incident: percentages cannot give these
    assert missing == ["health_and_safety_climate", "safe_and_healthy"]
    rx1 = dict(scores.filter(organisation="RX1").select("measure", "estimate").rows())
    for element in edition.scores.values():
        if element.parts and element.id not in missing:
            assert rx1[element.id] == pytest.approx(sum(rx1[p] for p in element.parts) / len(element.parts))


def test_breakdowns_and_several_periods_at_once():
    tables = [make_published(period, NATIONAL).distributions.table for period in ("2023", "2025")]
    scores = rebuild_scores(pl.concat(tables)).table
    assert scores.height == 2 * 5 * 30
    assert set(scores["period"]) == {"2023", "2025"}
    assert set(scores["weighting"]) == {"occupation_group_and_size", "size"}


def test_the_pulse_survey():
    nine = catalogue("national_quarterly_pulse").edition("2022-Q3").questions
    table = _table(
        {i: {1: 0, 2: 0, 3: 0, 4: 100, 5: 0} for i in nine},
        survey="national_quarterly_pulse",
        period="2022-Q3",
    )
    scores = rebuild_scores(table).table
    assert dict(scores.select("measure", "estimate").rows()) == dict.fromkeys(
        ["advocacy", "involvement", "motivation", "staff_engagement"], 7.5
    )


def test_a_suppressed_question_suppresses_what_is_built_from_it():
    published = suppress(make_published("2024", ORGANISATIONS), "RX2", "recommend_place_to_work")
    scores = rebuild_scores(published.distributions.table).table
    hidden = scores.filter(status="suppressed_small_base")
    assert set(hidden["organisation"]) == {"RX2"}
    assert set(hidden["measure"]) == {
        "compassionate_culture", "compassionate_and_inclusive", "advocacy", "staff_engagement"
    }  # fmt: skip
    assert hidden["estimate"].count() == hidden["base"].count() == 0


def test_a_suppressed_filter_suppresses_the_appraisal_score():
    scores = rebuild_scores(
        suppress(make_published("2024", ORGANISATIONS), "RX2", "had_appraisal").distributions.table
    ).table
    hidden = scores.filter(status="suppressed_small_base")
    assert set(hidden["measure"]) == {"appraisals", "always_learning"}


def test_a_missing_option_is_no_score():
    items = catalogue().edition(2024).measure("flexible_working").items
    scores = rebuild_scores(_table({i: {1: 50, 2: 50} for i in items})).table
    assert _row(scores, "flexible_working")["status"] == "not_scored"


def test_nothing_in_nothing_out():
    assert rebuild_scores(pl.DataFrame(schema=DISTRIBUTIONS)).table.height == 0


def test_what_is_refused():
    with pytest.raises(ResultsError, match="contract of Distributions"):
        rebuild_scores(pl.DataFrame({"percent": [1.0]}))
    with pytest.raises(UnknownNameError, match="no edition '2019'"):
        rebuild_scores(_table({"had_appraisal": {1: 100}}, period="2019"))
