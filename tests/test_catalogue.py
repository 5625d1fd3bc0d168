"""The catalogue against the counts and facts of the official questionnaires."""

from __future__ import annotations

import pytest

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.errors import UnknownNameError

# Items of the official core questionnaires 2021 to 2025.
ITEMS = {"2021": 111, "2022": 116, "2023": 117, "2024": 118, "2025": 118}


@pytest.mark.parametrize(("year", "items"), ITEMS.items())
def test_every_edition_has_its_questions_and_scores(year, items):
    edition = catalogue().edition(year)
    levels = [m.level for m in edition.scores.values()]
    assert len(edition.questions) == items
    assert (levels.count("sub_score"), levels.count("element"), levels.count("theme")) == (21, 7, 2)
    assert len({q.code for q in edition.questions.values()}) == items


@pytest.mark.parametrize(
    ("year", "code"), [(2021, "q21c"), (2022, "q23c"), (2023, "q25c"), (2024, "q25c"), (2025, "q25c")]
)
def test_a_measure_keeps_its_id_while_its_code_moves(year, code):
    edition = catalogue().edition(year)
    assert edition.questions["recommend_place_to_work"].code == code
    assert edition.id(code) == edition.id(code.upper()) == "recommend_place_to_work"


def test_official_codes_and_aliases_name_measures():
    edition = catalogue().edition(2024)
    assert edition.id("PP1_2") == "compassionate_leadership"
    assert edition.id("theme_engagement") == edition.id("E") == "staff_engagement"
    assert edition.id("Staff Engagement") == "staff_engagement"


def test_scores_of_2025_leave_two_questions_out_and_say_that_this_is_not_confirmed():
    now, before = catalogue().edition(2025), catalogue().edition(2024)
    for score, gone in (
        ("diversity_and_equality", "fair_career_progression"),
        ("negative_experiences", "musculoskeletal_problems"),
    ):
        assert set(before.scores[score].items) - set(now.scores[score].items) == {gone}
        assert "not confirmed" in str(now.describe(score))


def test_code_lists_shift_between_editions():
    view = catalogue()
    sizes = {y: len(view.edition(y).questions["occupation"].scale.options) for y in ITEMS}
    assert sizes == {"2021": 40, "2022": 40, "2023": 42, "2024": 42, "2025": 42}
    assert view.edition(2024).questions["ethnicity"].scale.options[13] == "Any other Asian background"
    assert view.edition(2025).questions["ethnicity"].scale.options[13] == "Filipino"
    assert view.edition(2025).columns["q39a"].id == "length_of_service"


def test_every_group_of_a_breakdown_has_codes_of_its_question_once():
    for survey in surveys():
        for edition in catalogue(survey):
            for breakdown in edition.breakdowns.values():
                codes = [c for group in breakdown.groups.values() for c in group]
                assert len(codes) == len(set(codes))
                if breakdown.question:
                    assert set(codes) <= set(edition.questions[breakdown.question].scale.labels)


def test_headline_rules():
    edition = catalogue().edition(2024)
    assert edition.question("q6a").out_of_base == (9,)
    assert edition.question("q15").out_of_base == ()  # don't know stays in since 2021
    assert edition.question("q13d").positive == (1, 2, 6)
    assert edition.question("q26d").positive == ()
    assert edition.measure("q16c_1").id == "discrimination_grounds_ethnic_background"


def test_fair_progression_scores_five_for_dont_know():
    assert dict(catalogue().edition(2024).question("q15").score_map) == {1: 10, 2: 0, 9: 5}


def test_a_second_survey_needs_data_files_only():
    pulse = catalogue("national_quarterly_pulse").edition("2022-Q1")
    assert len(pulse.questions) == 9
    assert list(pulse.scores) == ["staff_engagement", "motivation", "involvement", "advocacy"]
    annual = catalogue().edition(2022)
    assert {q for q in pulse.questions} <= set(annual.questions)


@pytest.mark.parametrize(
    ("call", "near"),
    [
        (lambda: catalogue("nss_englnd"), "nss_england"),
        (lambda: catalogue().edition(2019), "2021"),
        (lambda: catalogue().edition(2024).measure("staff_engagment"), "staff_engagement"),
        (lambda: catalogue().edition(2024).question("staff_engagement"), "known names"),
        (lambda: catalogue().edition(2024).breakdown("occupation_grp"), "occupation_group"),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest_known_one(call, near):
    with pytest.raises(UnknownNameError, match="There is no") as caught:
        call()
    assert near in str(caught.value)


def test_breaks_name_measures_that_exist():
    known = {k for e in catalogue() for k in (*e.measures, *e.questions)}
    for item in catalogue().breaks:
        assert set(item.measures) <= known
        assert item.reason
    assert catalogue().edition(2024).describe("q15").rows
    score = str(catalogue().edition(2024).describe("compassionate_leadership"))
    assert "1 scores 0; 2 scores 2.5; 3 scores 5; 4 scores 7.5; 5 scores 10" in score
    assert "mean of the points of their answers" in score
    assert "mean of their parts" in str(catalogue().edition(2024).describe("compassionate_and_inclusive"))
    assert "break 2024 to 2025" in str(catalogue().edition(2024).describe("q15"))
    assert "<table>" in catalogue().edition(2024).describe("q15")._repr_html_()
