"""Synthetic respondents: valid, routed, shaped on the published percentages, the same for a seed."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from culture_metrics import synthetic
from culture_metrics.catalogue import catalogue
from culture_metrics.errors import CultureMetricsError, UnknownNameError
from culture_metrics.extracts.validate import validate
from culture_metrics.indicators.estimate import estimate
from culture_metrics.indicators.scoring import score

MARGINALS = Path(__file__).parents[1] / "data_schemas" / "nss_england" / "marginals.csv"
TEXT = ["respondent", "organisation", "benchmark_group", "region", "ics", "locality_1", "locality_2"]
EDITIONS = [(year, "nss_england") for year in catalogue().periods] + [("2024-Q1", "national_quarterly_pulse")]
PULSE_ITEMS = 9


@pytest.fixture(scope="module")
def many():
    """Two rounds of the sequence of organisation kinds: 40 organisations, 40,000 respondents."""
    return synthetic.respondents(2024, organisations=40, respondents_per_organisation=1000)


@pytest.mark.parametrize(("year", "survey"), EDITIONS)
def test_holds_every_question_of_the_edition_and_only_valid_codes(year, survey):
    extract = synthetic.respondents(year, 2, 1000, survey=survey)
    edition = catalogue(survey).edition(year)
    columns = [c for q in edition.questions.values() for c in q.columns]
    assert extract.frame.columns == [*TEXT, *columns]
    assert set(extract.frame.select(TEXT).dtypes) == {pl.String}
    assert set(extract.frame.select(columns).dtypes) == {pl.Int8}
    for question in edition.questions.values():
        valid = {0, 1} if question.kind == "multi" else set(question.scale.labels)
        for column in question.columns:
            found = set(extract.frame[column].drop_nulls().to_list())
            assert found <= valid, column
            assert len(found) > 1, column
    problems = validate(extract).problems.filter(pl.col("rule") != "provisional edition")
    assert set(problems["severity"]) <= {"note"}


def test_pulse_has_its_nine_questions():
    extract = synthetic.respondents("2024-Q1", 1, 100, survey="national_quarterly_pulse")
    assert len(extract.frame.columns) == len(TEXT) + PULSE_ITEMS
    assert extract.period == "2024-Q1"


@pytest.mark.parametrize("year", catalogue().periods)
def test_questions_are_put_only_to_those_they_are_meant_for(year):
    extract = synthetic.respondents(year, 1, 4000)
    routed = [q for q in extract.edition.questions.values() if q.asked_if]
    assert len(routed) == 8
    for question in routed:
        meant = pl.any_horizontal(
            pl.col(extract.edition.questions[gate].code).is_in(codes).fill_null(value=False)
            for gate, codes in question.asked_if
        )
        answered = pl.any_horizontal(pl.col(c).is_not_null() for c in question.columns)
        counts = extract.frame.select(
            wrong=(answered & ~meant).sum(), meant=meant.sum(), answered=answered.sum()
        ).row(0, named=True)
        assert counts["wrong"] == 0, question.id
        assert 0.93 * counts["meant"] < counts["answered"] < counts["meant"], question.id


def test_grounds_are_ticked_together_or_not_at_all():
    frame = synthetic.respondents(2024, 1, 4000).frame.select(pl.col("^q16c_.*$"))
    ticked = frame.select(nulls=pl.sum_horizontal(pl.all().is_null()), ticks=pl.sum_horizontal(pl.all()))
    assert set(ticked["nulls"].unique()) == {0, 7}
    assert ticked.filter(nulls=0)["ticks"].min() == 1


def test_no_answer_gets_commoner_towards_the_end_of_the_form(many):
    edition = many.edition
    asked_of_all = [q.code for q in edition.questions.values() if not q.asked_if]
    missing = (many.frame.select(pl.col(asked_of_all).null_count()) / many.frame.height).row(0)
    assert 0.005 < min(missing) < max(missing) < 0.035
    assert np.corrcoef(np.arange(len(missing)), missing)[0, 1] > 0.9


def test_marginals_are_those_of_the_data_file(many):
    """Tolerance: each option within 2 points, 0.4 on average, over 40 organisations that differ by chance."""
    with MARGINALS.open(encoding="utf-8") as lines:
        rows = [
            r for r in csv.DictReader(line for line in lines if not line.startswith("#")) if not r["scale"]
        ]
    total: dict[str, float] = {}
    for row in rows:
        total[row["question"]] = total.get(row["question"], 0.0) + float(row["percent"])
    off = []
    for row in rows:
        question = many.edition.questions.get(row["question"])
        if question is None:
            continue
        option = int(row["option"])
        if question.kind == "multi":
            found, wanted = many.frame[f"{question.code}_{option}"].mean(), float(row["percent"]) / 100
        else:
            found = (many.frame[question.code].drop_nulls() == option).mean()
            wanted = float(row["percent"]) / total[question.id]
        off.append(abs(100 * (found - wanted)))
    assert len(off) == sum(len(q.scale.labels) for q in many.edition.questions.values()) - 1
    assert max(off) < 2
    assert np.mean(off) < 0.4


def test_marginal_file_carries_no_organisation_and_marks_what_is_assumed():
    with MARGINALS.open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert {r["origin"] for r in rows} == {"published", "assumed"}
    assumed = {r["question"] for r in rows if r["origin"] == "assumed"}
    assert assumed == {
        "discrimination_grounds",
        "ethnicity",
        "covid_ward",
        "covid_redeployed",
        "covid_remote",
    }
    assert all(float(r["percent"]) == round(float(r["percent"]), 1) for r in rows)


def test_codes_move_with_the_edition_and_groups_stay():
    """Occupation has 40 codes to 2022 and 42 after; Filipino is ethnic code 13 of 19 from 2025 on."""
    frames = {year: synthetic.respondents(year, 1, 20000).frame for year in (2022, 2024, 2025)}
    assert [frames[y][c].max() for y, c in ((2022, "q33"), (2024, "q35"))] == [40, 42]
    assert [frames[y]["q28"].max() for y in (2024, 2025)] == [18, 19]
    # The last four codes were 15-18 and are 16-19; with Filipino (13) Asian staff go to 14, not 13.
    assert 0.01 < (frames[2025]["q28"] == 13).mean() < 0.06
    for breakdown, old, new in (("occupation_group", 2022, 2024), ("ethnicity_summary", 2024, 2025)):
        shares = []
        for year in (old, new):
            edition = catalogue().edition(year)
            spec = edition.breakdowns[breakdown]
            answer = frames[year][edition.questions[spec.question].code].drop_nulls()
            shares.append([answer.is_in(codes).mean() for codes in spec.groups.values()])
        assert np.abs(np.subtract(*shares)).max() < 0.015


def test_a_seed_gives_the_same_answers_whatever_else_is_drawn():
    one, again = (synthetic.respondents(2024, 1, 300, seed=7).frame for _ in range(2))
    three = synthetic.respondents(2024, 3, 300, seed=7).frame
    assert one.equals(again)
    assert three.filter(organisation="SYN01").equals(one)
    assert not one.equals(synthetic.respondents(2024, 1, 300, seed=8).frame)
    assert not one.select("q2a", "q25c").equals(
        synthetic.respondents(2025, 1, 300, seed=7).frame.select("q2a", "q25c")
    )


def test_identifiers_and_places(many):
    frame = many.frame
    assert frame["respondent"].n_unique() == frame.height
    assert frame["respondent"][0] == "SYN01-000001"
    assert frame["organisation"].unique(maintain_order=True)[-1] == "SYN40"
    groups = frame.group_by("organisation").agg(pl.col("benchmark_group").unique()).explode("benchmark_group")
    assert groups.height == 40
    assert groups["benchmark_group"].value_counts().sort("count")["count"].to_list() == [2, 2, 4, 8, 24]
    assert "Acute and Acute & Community Trusts" in groups["benchmark_group"]


def test_one_directorate_is_too_small_to_be_shown():
    extract = synthetic.respondents(2024)
    sizes = dict(extract.frame["locality_1"].value_counts().iter_rows())
    assert sizes.pop("Chaplaincy") == 7 < catalogue().minimum_base
    assert len(sizes) == 10
    assert min(sizes.values()) >= 30
    assert max(sizes.values()) < 500
    shown = estimate(extract, by=["locality_1"]).table.filter(
        breakdown="locality_1", measure="staff_engagement"
    )
    status = dict(shown.select("group", pl.col("status").cast(pl.String)).iter_rows())
    # Nobody is told which of the hidden groups is the small one.
    assert status["Chaplaincy"] == "suppressed"
    assert status["Urgent Care"] == "reported"


def test_scores_hang_together_as_real_ones_do(many):
    """Alpha near 0.8 for sub-scores of like questions, and parts of a culture that go together."""
    answers, edition = many.frame, many.edition
    for measure in edition.scores.values():
        if len(measure.items) < 3 or measure.id in ("appraisals", "health_and_safety_climate"):
            continue
        items = (edition.questions[i] for i in measure.items)
        points = np.column_stack(
            [
                answers[q.code].replace_strict(
                    list(q.score_map), [float(p) for p in q.score_map.values()], default=None
                )
                for q in items
            ]
        )
        points = points[~np.isnan(points).any(axis=1)]
        k = points.shape[1]
        alpha = k / (k - 1) * (1 - points.var(axis=0).sum() / points.sum(axis=1).var())
        loose = {"diversity_and_equality": 0.35, "negative_experiences": 0.6}
        assert loose.get(measure.id, 0.74) < alpha < 0.94, measure.id
    scores = score(many).drop_nulls()
    engagement = scores["staff_engagement"]
    for other, low, high in (
        ("morale", 0.55, 0.85),
        ("negative_experiences", 0.2, 0.6),
        ("burnout", 0.3, 0.7),
    ):
        correlation = np.corrcoef(engagement, scores[other])[0, 1]
        assert low < correlation < high, other


def test_says_that_it_is_synthetic():
    made = synthetic.respondents(2024, 2, 50, seed=3)
    assert made.provenance["synthetic"] is True
    assert (made.provenance["seed"], made.provenance["organisations"]) == (3, 2)
    assert made.provenance["generator"].startswith("culture_metrics.synthetic ")


@pytest.mark.parametrize("wrong", [{"organisations": 0}, {"respondents_per_organisation": -1}, {"seed": -1}])
def test_refuses_numbers_that_make_no_sense(wrong):
    (name,) = wrong
    with pytest.raises(CultureMetricsError, match=name):
        synthetic.respondents(2024, **wrong)


def test_refuses_an_unknown_edition():
    with pytest.raises(UnknownNameError, match="2019"):
        synthetic.respondents(2019)
