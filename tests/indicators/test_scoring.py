"""Scores of respondents: the official rules, and the official 2024 figures rebuilt from counts."""

from __future__ import annotations

import random

import polars as pl
import pytest

from culture_metrics import estimate, score
from culture_metrics.catalogue import catalogue
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.extract import Extract


def extract_of(rows: dict[str, list], year: str = "2024") -> Extract:
    n = len(next(iter(rows.values())))
    frame = pl.DataFrame(
        {"respondent": [f"r{i}" for i in range(n)], "organisation": ["RXX"] * n, **rows},
        schema_overrides=dict.fromkeys(rows, pl.Int8),
    )
    return Extract("nss_england", year, frame)


def scored(measure: str, rows: dict[str, list], year: str = "2024") -> list:
    return score(extract_of(rows, year))[measure].to_list()


def test_a_sub_score_is_the_mean_of_answered_items_if_enough_are_there():
    rows = {"q2a": [5, 5, 5], "q2b": [3, 1, None], "q2c": [1, None, None]}
    assert scored("motivation", rows) == [5.0, 5.0, None]


def test_reversed_items_score_high_when_the_answer_is_good():
    assert scored("thinking_about_leaving", {"q26a": [1, 5], "q26b": [1, 5], "q26c": [2, 5]}) == [
        pytest.approx(27.5 / 3),
        0.0,
    ]
    burnout = {f"q12{x}": [1, 5] for x in "abcdefg"}
    assert scored("burnout", burnout) == [10.0, 0.0]


def test_dont_know_scores_five_in_fair_career_progression():
    rows = {"q15": [1, 2, 9], "q16a": [2, 2, 2], "q16b": [2, 2, 2], "q21": [5, 5, 5]}
    assert scored("diversity_and_equality", rows) == [10.0, 7.5, 8.75]


def test_not_applicable_is_no_answer():
    rows = {"q6a": [9, 9], "q25a": [5, 5], "q25b": [5, 5], "q25c": [5, None], "q25d": [None, None]}
    assert scored("compassionate_culture", rows) == [10.0, None]


def test_no_appraisal_scores_zero_and_cant_remember_nothing():
    rows = {"q23a": [1, 2, 3, None, 1], "q23b": [1, None, None, 1, 1], "q23c": [2, None, None, 1, None]}
    rows["q23d"] = [3, None, None, 1, None]
    assert scored("appraisals", rows) == [5.0, 0.0, None, None, None]


def test_any_incident_scores_zero_and_their_number_does_not_matter():
    items = {c: [1, 2, 5] for c in ("q13a", "q13b", "q13c", "q14a", "q14b", "q14c")}
    items |= {c: [2, 1, 1] for c in ("q11b", "q11c", "q11d")}
    assert scored("negative_experiences", items) == [10.0, 0.0, 0.0]


def test_reporting_counts_self_colleague_and_both_but_not_dont_know():
    base = {c: [5] * 6 for c in ("q3g", "q3h", "q3i", "q11a")} | {"q5a": [1] * 6}
    rows = {**base, "q13d": [1, 2, 6, 3, 4, 9]}
    sixth = 50 / 6
    assert scored("health_and_safety_climate", rows) == [
        pytest.approx(v) for v in (10.0, 10.0, 10.0, sixth, 10.0, 10.0)
    ]


def test_an_element_is_the_mean_of_its_sub_scores_not_of_all_items():
    rows = {c: [5] for c in ("q3a", "q3b", "q3c", "q3d", "q3e", "q3f", "q5b")}
    rows |= {c: [1] for c in ("q20a", "q20b", "q25e", "q25f")}
    assert scored("voice_that_counts", rows) == [5.0]  # 11 items would give 6.36
    assert scored("voice_that_counts", {**rows, "q20a": [None], "q20b": [None]}) == [None]


def test_a_theme_needs_two_of_three_parts():
    rows = {c: [5] for c in ("q2a", "q2b", "q3c", "q3d")}
    assert scored("staff_engagement", rows) == [10.0]
    assert scored("staff_engagement", {"q2a": [5], "q2b": [5]}) == [None]


def test_the_2025_edition_scores_negative_experiences_without_musculoskeletal_problems():
    items = {c: [1] for c in ("q13a", "q13b", "q13c", "q14a", "q14b", "q14c")} | {"q11c": [2], "q11d": [2]}
    rows = {**items, "q11b": [1]}
    assert scored("negative_experiences", rows, "2025") == [10.0]
    assert scored("negative_experiences", rows, "2024") == [pytest.approx(80 / 9)]


def test_answers_that_are_still_text_are_refused():
    extract = extract_of({"q2a": [1]})
    text = Extract(extract.survey, extract.period, extract.frame.cast({"q2a": pl.String}))
    with pytest.raises(ExtractError, match="not whole numbers") as caught:
        score(text)
    assert "q2a" in str(caught.value)


def test_scores_do_not_depend_on_the_integer_type_or_the_order_of_rows():
    rows = {f"q12{x}": [1, 2, 3, 4, 5, None] for x in "abcdefg"}
    extract = extract_of(rows)
    wide = Extract(extract.survey, extract.period, extract.frame.cast(dict.fromkeys(rows, pl.Int64)))
    assert score(wide)["burnout"].to_list() == score(extract)["burnout"].to_list()
    turned = Extract(extract.survey, extract.period, extract.frame.reverse())
    assert score(turned)["burnout"].reverse().to_list() == score(extract)["burnout"].to_list()


@pytest.fixture(scope="module")
def exact_cases(shared_reference):
    return pl.read_csv(shared_reference / "nss" / "tieout_exact_cases_2024.csv")


def test_156_published_sub_scores_are_rebuilt_from_counts_to_1e_9(exact_cases):
    """Organisations published unweighted in 2024 in which every question has the base of the sub-score.

    Each case becomes an organisation of its own whose respondents give the published counts of answers.
    """
    edition = catalogue().edition(2024)
    cases = exact_cases.partition_by("org_code", "subscore", as_dict=True)
    assert len(cases) == 156
    extract = pl.concat([_respondents(f"{a}|{b}", rows) for (a, b), rows in cases.items()], how="diagonal")
    results = estimate(Extract("nss_england", "2024", extract)).table.filter(breakdown="all")
    found = results.select("organisation", "measure", "estimate", "base")
    wanted = pl.DataFrame(
        [
            (f"{a}|{b}", edition.id(b), *rows.select("published_score", "published_n").row(0))
            for (a, b), rows in cases.items()
        ],
        schema=["organisation", "measure", "published", "published_n"],
        orient="row",
    )
    joined = wanted.join(found, on=["organisation", "measure"], how="left")
    assert joined["estimate"].null_count() == 0
    assert (joined["estimate"] - joined["published"]).abs().max() < 1e-9
    assert (joined["base"].cast(pl.Int64) == joined["published_n"]).all()


def _respondents(organisation: str, counts: pl.DataFrame) -> pl.DataFrame:
    """Respondents whose answers add up to the counts, in a random order beyond an appraisal filter."""
    order = random.Random(organisation)
    answers = {}
    for (question,), rows in counts.partition_by("question", as_dict=True, maintain_order=True).items():
        codes = [c for c, n in rows.select("code", "count").iter_rows() for _ in range(n)]
        if question != "q23a":
            order.shuffle(codes)
        answers[question] = codes
    height = max(map(len, answers.values()))
    frame = pl.DataFrame(
        {q: codes + [None] * (height - len(codes)) for q, codes in answers.items()},
        schema=dict.fromkeys(answers, pl.Int8),
    )
    return frame.select(
        pl.format("{}-{}", pl.lit(organisation), pl.int_range(pl.len())).alias("respondent"),
        pl.lit(organisation).alias("organisation"),
        pl.all(),
    )
