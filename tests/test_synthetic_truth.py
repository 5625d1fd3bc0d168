"""The population values: against hand calculation, against large draws, and the planted changes."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest
from scipy.stats import multivariate_normal, norm

from culture_metrics import synthetic
from culture_metrics.errors import UnknownNameError
from culture_metrics.indicators.estimate import estimate
from culture_metrics.synthetic import blocks
from culture_metrics.synthetic.cells import Cells, mean_of_answered
from culture_metrics.synthetic.organisation import organisation
from culture_metrics.synthetic.population import population

BREAKDOWNS = ["occupation_group", "ethnicity_summary", "long_term_condition", "locality_1"]
KEY = ["organisation", "breakdown", "group", "measure"]
#: Scores that hold the planted question.
SHARING = {"advocacy", "staff_engagement", "compassionate_culture", "compassionate_and_inclusive"}
#: Scores the catalogue builds of fewer questions from 2025 on, and the ground that is what is left.
REDEFINED = {
    "diversity_and_equality",
    "compassionate_and_inclusive",
    "negative_experiences",
    "safe_and_healthy",
    "discrimination_grounds_other",
}


def score_by_hand(frame: pl.DataFrame, edition, name: str) -> np.ndarray:
    """Score respondents without the library's scoring: the rules in numpy."""
    measure = edition.scores[name]
    if measure.parts:
        parts = np.column_stack([score_by_hand(frame, edition, part) for part in measure.parts])
    else:
        questions = [edition.questions[item] for item in measure.items]
        parts = np.full((frame.height, len(questions)), np.nan)
        for column, question in enumerate(questions):
            answers = frame[question.code].fill_null(-1).to_numpy()
            for code, points in question.score_map.items():
                parts[answers == code, column] = points
    found = (~np.isnan(parts)).sum(axis=1)
    mean = np.where(found >= measure.minimum, np.nansum(parts, axis=1) / np.maximum(found, 1), np.nan)
    if name == "appraisals":
        gate = frame[edition.questions["had_appraisal"].code].fill_null(-1).to_numpy()
        mean = np.select([gate == 1, gate == 2], [mean, 0.0], np.nan)
    return mean


def percentage_by_hand(frame: pl.DataFrame, edition, name: str) -> np.ndarray:
    """Return 100 or 0 of those in the base of a headline percentage, missing for the others."""
    measure = edition.percentages[name]
    question = edition.questions[measure.question]
    if measure.option is not None:
        return 100 * frame[f"{question.code}_{measure.option}"].cast(pl.Float64).fill_null(np.nan).to_numpy()
    answers = frame[question.code].fill_null(-1).to_numpy()
    out = np.isin(answers, [-1, *question.out_of_base])
    return np.where(out, np.nan, np.where(np.isin(answers, question.positive), 100.0, 0.0))


def z_statistics(values: np.ndarray, truth: float) -> float:
    values = values[~np.isnan(values)]
    return float((values.mean() - truth) / (values.std(ddof=1) / np.sqrt(len(values))))


@pytest.mark.parametrize("year", [2021, 2024, 2025])
def test_a_draw_of_20000_recovers_every_value_with_a_scorer_of_its_own(year):
    """About 150 statistics a year: beyond 4.5 one in 1,000 such draws would be; the seed is fixed."""
    extract = synthetic.respondents(year, respondents_per_organisation=20000, seed=11)
    truth = dict(
        synthetic.truth(year, seed=11, by=()).select("measure", "value").iter_rows(),
    )
    edition = extract.edition
    assert list(truth) == list(edition.measures)
    z = {}
    for name in edition.measures:
        by_hand = score_by_hand if name in edition.scores else percentage_by_hand
        z[name] = z_statistics(by_hand(extract.frame, edition, name), truth[name])
    assert max(map(abs, z.values())) < 4.5, max(z, key=lambda n: abs(z[n]))
    assert 0.5 < np.mean(np.square(list(z.values()))) < 1.6


def test_means_of_single_questions_are_recovered():
    extract = synthetic.respondents(2024, respondents_per_organisation=20000, seed=12)
    own, people = organisation(12, 1), population("nss_england", "2024")
    cells, z = Cells(people, own, "2024"), []
    for question in extract.edition.questions.values():
        if question.id not in people.items:
            continue
        expected = cells.answers(question)
        share = {code: float((own.cells * p).sum()) for code, p in expected.items()}
        base = sum(share.values())
        mean = sum(code * p for code, p in share.items()) / base
        answers = extract.frame[question.code].drop_nulls().to_numpy().astype(float)
        z.append(z_statistics(answers, mean))
    assert len(z) == 114
    assert max(map(abs, z)) < 4.5
    assert 0.5 < np.mean(np.square(z)) < 1.6


def test_estimates_of_the_library_recover_the_truth_for_five_seeds():
    """Bases of 200 and 20 expected cases on either side, so that the normal holds.

    Some 15,000 statistics: max |z| beyond 5.2 would happen once in 300 such runs; mean of z squared near 1.
    """
    tables = []
    for seed in range(1, 6):
        results = estimate(synthetic.respondents(2024, 2, 4000, seed=seed), by=BREAKDOWNS).table
        truth = synthetic.truth(2024, 2, seed=seed, by=BREAKDOWNS)
        joined = results.join(truth, on=KEY, how="left", suffix="_true")
        assert joined.height == truth.height
        tables.append(joined)
    z = pl.concat(tables).filter(pl.col("base") >= 200)
    cases = pl.col("base") * pl.min_horizontal(pl.col("value"), 100 - pl.col("value")) / 100
    z = z.filter((pl.col("unit") == "score") | (cases >= 20)).with_columns(
        z=(pl.col("estimate") - pl.col("value")) / pl.col("std_error")
    )
    assert z.height > 10000
    assert z["z"].abs().max() < 5.2
    assert z["z"].abs().filter(z["breakdown"] == "all").max() < 4.5
    by_unit = z.group_by(pl.col("unit").cast(pl.String)).agg((pl.col("z") ** 2).mean())
    for unit, square in by_unit.iter_rows():
        assert 0.85 < square < 1.2, unit


def test_values_do_not_depend_on_how_many_organisations_there_are():
    three = synthetic.truth(2024, 3, seed=4, by=BREAKDOWNS)
    one = synthetic.truth(2024, 1, seed=4, by=BREAKDOWNS)
    assert three.filter(organisation="SYN01").equals(one)
    assert three["organisation"].n_unique() == 3
    assert three.columns == ["organisation", "breakdown", "group", "measure", "unit", "value"]


def test_groups_add_up_to_the_whole():
    """A percentage of all is the average of its groups' where none is left out of the base."""
    own = organisation(1, 1)
    values = synthetic.truth(2024).filter(measure="look_forward_to_work")
    groups = values.filter(breakdown="occupation_group")["value"].to_numpy()
    assert own.cells.sum() == pytest.approx(1, abs=1e-12)
    assert groups @ own.cells.sum(axis=(1, 2, 3)) == pytest.approx(values["value"][0], abs=1e-9)


def test_staff_differ_by_occupation_ethnic_background_and_condition():
    values = synthetic.truth(2024, by=BREAKDOWNS)

    def value(measure: str, group: str) -> float:
        return values.filter(measure=measure, group=group)["value"][0]

    engagement = values.filter(breakdown="occupation_group", measure="staff_engagement")["value"]
    assert engagement.max() - engagement.min() > 0.5
    white, other = "White staff", "Staff from all other ethnic groups combined"
    assert value("staff_engagement", other) - value("staff_engagement", white) > 0.2
    assert value("discrimination_from_staff", other) - value("discrimination_from_staff", white) > 5
    condition, none = "With a long-term condition", "Without a long-term condition"
    assert value("negative_experiences", none) - value("negative_experiences", condition) > 0.5
    assert values.filter(measure="adjustments_made", group=none)["value"].to_list() == [None]


def test_scores_stand_where_the_published_ones_do():
    """Published scores of 2024, organisations pooled with their bases (detailed spreadsheets); within 0.1."""
    published = {
        "compassionate_and_inclusive": 7.30,
        "recognised_and_rewarded": 6.02,
        "voice_that_counts": 6.71,
        "safe_and_healthy": 6.16,
        "always_learning": 5.68,
        "work_flexibly": 6.36,
        "team": 6.83,
        "staff_engagement": 6.86,
        "morale": 5.98,
        "appraisals": 4.90,
        "negative_experiences": 7.84,
    }
    mean = synthetic.truth(2024, 40, by=()).group_by("measure").agg(pl.col("value").mean())
    found = dict(mean.iter_rows())
    assert {k: found[k] for k in published} == pytest.approx(published, abs=0.1)


def test_the_planted_percentage_rises_by_four_points_in_every_organisation():
    changes = synthetic.planted(organisations=4, seed=9)
    planted = changes.filter(measure=synthetic.CHANGED)
    assert planted["change"].to_numpy() == pytest.approx([synthetic.CHANGED_BY] * 4, abs=1e-9)
    assert synthetic.CHANGED_BY == 4.0
    moved = changes.filter(pl.col("change").abs() > 1e-9)
    assert set(moved["measure"]) == SHARING | {synthetic.CHANGED}
    assert moved["change"].min() > 0
    # Nearly one answer of three in advocacy: its change is a third of the question's.
    advocacy, culture = (
        changes.filter(measure=m)["change"].mean() for m in ("advocacy", "compassionate_culture")
    )
    assert advocacy / culture == pytest.approx(5 / 3, rel=0.02)


@pytest.mark.parametrize(("old", "new"), [(2021, 2022), (2022, 2023), (2024, 2025)])
def test_nothing_else_ever_changes(old, new):
    changes = synthetic.planted(old, new, organisations=2)
    moved = set(changes.filter(pl.col("change").abs() > 1e-9)["measure"])
    assert moved == (REDEFINED if new == 2025 else set())
    assert changes.filter(measure=synthetic.UNCHANGED)["change"].abs().max() < 1e-12


def test_planted_change_and_planted_stillness_show_in_draws():
    draws = [estimate(synthetic.respondents(year, 1, 20000, seed=2)).table for year in (2023, 2024)]
    old, new = (dict(d.select("measure", "estimate").iter_rows()) for d in draws)
    errors = dict(draws[0].select("measure", "std_error").iter_rows())
    for measure, true in ((synthetic.CHANGED, 4.0), (synthetic.UNCHANGED, 0.0)):
        assert new[measure] - old[measure] == pytest.approx(true, abs=3.5 * np.sqrt(2) * errors[measure])


def test_pulse_stands_where_the_annual_survey_does():
    pulse = synthetic.truth("2024-Q1", by=("locality_1",), survey="national_quarterly_pulse")
    annual = synthetic.truth(2024, by=("locality_1",))
    joined = pulse.join(annual, on=KEY, suffix="_annual")
    assert joined.height == pulse.height == 12 * 13
    # Only shares without an answer differ, and those hardly move a score.
    assert (joined["value"] - joined["value_annual"]).abs().max() < 1e-9


def test_refuses_a_breakdown_without_known_values():
    with pytest.raises(UnknownNameError, match="gender"):
        synthetic.truth(2024, by=["gender"])
    with pytest.raises(UnknownNameError, match="occupation_group"):
        synthetic.truth("2024-Q1", survey="national_quarterly_pulse")


@pytest.mark.parametrize("minimum", [1, 3, 5])
def test_mean_of_answered_equals_going_through_all_patterns(minimum):
    rng = np.random.default_rng(1)
    chance, value = rng.uniform(0.3, 0.95, 5), rng.uniform(0, 10, 5)
    share = total = 0.0
    for pattern in product([False, True], repeat=5):
        here = np.array(pattern)
        if here.sum() >= minimum:
            p = np.where(here, chance, 1 - chance).prod()
            share, total = share + p, total + p * value[here].mean()
    enough, mean = mean_of_answered(
        [(np.array([p]), np.array([v])) for p, v in zip(chance, value, strict=True)], minimum
    )
    assert enough[0] == pytest.approx(share, abs=1e-12)
    assert mean[0] == pytest.approx(total / share, abs=1e-12)


def test_appraisal_score_equals_going_through_all_patterns():
    """No appraisal scores 0, an appraisal the mean of its parts; can't remember has no score."""
    own, people, cell = organisation(1, 1), population("nss_england", "2024"), (3, 0, 1, 2)
    measure = people.edition.scores["appraisals"]
    gate = people.items["had_appraisal"]
    held = {c: p[cell] for c, p in gate.options(own.mean(gate, "2024")).items()}
    means = []
    for item in (people.items[name] for name in measure.items):
        options = item.options(own.mean(item, "2024"))
        means.append(sum(points * options[code][cell] for code, points in {1: 10, 2: 5, 3: 0}.items()))
    share, total, missing = held[2], 0.0, 0.020
    for pattern in product([False, True], repeat=3):
        here = np.array(pattern)
        if here.sum() >= 2:
            p = held[1] * np.where(here, 1 - missing, missing).prod()
            share, total = share + p, total + p * np.array(means)[here].mean()
    there, mean = Cells(people, own, "2024").measure(measure)
    assert there[cell] == pytest.approx((1 - missing) * share, abs=1e-12)
    assert mean[cell] == pytest.approx(total / share, abs=1e-12)


def test_averaging_over_the_factor_equals_the_bivariate_normal():
    """The share pressed to come to work unwell, of those who came: two normals cut at their thresholds."""
    own, people = organisation(1, 1), population("nss_england", "2024")
    came, pressed = (people.items[q] for q in ("came_to_work_unwell", "manager_pressure_to_work_unwell"))
    loadings = [blocks.BLOCKS[item.block].loading for item in (came, pressed)]
    correlation = loadings[0] * loadings[1] * blocks.FACTORS["leadership"] * blocks.FACTORS["negative"]
    cell = (3, 1, 0, 2)
    at = [item.cuts[0] - own.mean(item, "2024")[cell] for item in (came, pressed)]
    both = multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf(at)
    answered = (1 - came.missing) * (1 - pressed.missing)
    expected = Cells(people, own, "2024").answers(pressed.question)
    assert expected[1][cell] == pytest.approx(answered * both, abs=1e-9)
    assert expected[2][cell] == pytest.approx(answered * (norm.cdf(at[0]) - both), abs=1e-9)
