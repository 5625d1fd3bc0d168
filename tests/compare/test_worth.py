"""How many comparisons measures are worth that go together: families without a change are called in 5 %."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.special import ndtr, stdtr

import culture_metrics as cm
from culture_metrics.catalogue import catalogue
from culture_metrics.compare.families import _weights, adjust_p, tiers
from culture_metrics.compare.worth import worth
from culture_metrics.extracts.extract import Extract
from culture_metrics.multiplicity import adjust as adjusted

#: Leading scores, other scores, percentages of the annual survey.
TIERS = np.repeat(np.array([0, 1, 2], np.int8), [9, 21, 101])
WEIGHTS = _weights(TIERS)
SIZE = len(TIERS)
LEVEL = 0.05
#: How much of the variance of clusters' means all measures have in common: in the synthetic survey the first
#: principal component has 67 % of it with 60 wards that differ in morale, and 28 % with people one by one.
SHARED = 0.67


@pytest.fixture(scope="module")
def years() -> list[Extract]:
    """The halves of a made-up trust, as if of two years: nothing changed."""
    made = cm.synthetic.respondents(2024, respondents_per_organisation=3_000, seed=5)
    one, two = (replace(made, frame=made.frame.gather_every(2, offset)) for offset in (0, 1))
    return [replace(one, period="2023"), two]


@pytest.fixture(scope="module")
def results(years) -> list:
    return [cm.estimate(year, by=["gender"]) for year in years]


@pytest.fixture(scope="module")
def survey(results) -> tuple[np.ndarray, np.ndarray]:
    """Correlations of the measures of a year that have a better side, and their weights."""
    own = results[1]._correlations[0]
    edition = catalogue().edition(2024)
    placed = tiers(edition).filter(pl.col("measure").is_in(list(own.measures)))
    sided = [name for name in placed["measure"] if edition.measures[name].direction != "neutral"]
    weights = _weights(placed.filter(pl.col("measure").is_in(sided))["tier"].to_numpy())
    return own.among(next(iter(own.of)), sided), weights


def matrix(shared: float) -> np.ndarray:
    """Correlations of measures with one common cause."""
    return np.full((SIZE, SIZE), shared) + (1 - shared) * np.eye(SIZE)


def of_people(correlations: np.ndarray, families: int, moved: np.ndarray | float = 0.0) -> np.ndarray:
    """P-values of families whose errors have these correlations."""
    level, axis = np.linalg.eigh(correlations)
    drawn = np.random.default_rng(11).standard_normal((families, len(level)))
    return 2 * ndtr(-np.abs(drawn @ (axis * np.sqrt(np.maximum(level, 0))).T + moved))


def of_clusters(df: float, families: int) -> np.ndarray:
    """P-values of families of means over clusters, whose variances are estimated from the clusters.

    The variance of a measure is that of the common cause, of what is its own, and of both together (Bartlett).
    """
    random = np.random.default_rng(11)
    shape = families, SIZE
    common, own = random.standard_normal((families, 1)), random.standard_normal(shape)
    value = SHARED**0.5 * common + (1 - SHARED) ** 0.5 * own
    cause, both = random.chisquare(df, (families, 1)), random.standard_normal(shape)
    rest = both**2 + random.chisquare(df - 1, shape)
    cross = 2 * (SHARED * (1 - SHARED) * cause) ** 0.5 * both
    return 2 * stdtr(df, -np.abs(value) / ((SHARED * cause + cross + (1 - SHARED) * rest) / df) ** 0.5)


def called(p: np.ndarray, weights: np.ndarray, number: int | None, level: float = LEVEL) -> np.ndarray:
    """Weighted Benjamini-Hochberg by its definition, and one step that is the same for all."""
    share, size = p / weights, len(weights)
    steps = level * np.arange(1, size + 1) / size
    reached = np.sort(share, axis=1) <= steps
    limit = np.where(reached, steps, 0.0).max(axis=1, keepdims=True)
    return (share <= np.maximum(limit, LEVEL / number if number else 0.0)) & (p <= LEVEL)


def test_families_of_people_without_a_change_are_called_in_five_of_a_hundred(survey):
    """Own draws with the correlations of the survey. By the adjustment alone it is 3."""
    correlations, weights = survey
    p = of_people(correlations, 6_000)
    assert called(p, weights, None).any(axis=1).mean() < 0.037
    assert 0.043 < called(p, weights, worth([correlations], weights, np.inf, "bh")).any(axis=1).mean() < 0.057


@pytest.mark.parametrize("df", [118.0, 28.0])
def test_families_of_clusters_without_a_change_are_called_in_five_of_a_hundred(df):
    """Own draws of means over clusters. By the adjustment alone it is 2 to 3: all measures move as one."""
    p = of_clusters(df, 6_000)
    number = worth([matrix(SHARED)], WEIGHTS, df, "bh")
    assert called(p, WEIGHTS, None).any(axis=1).mean() < 0.032
    assert 0.043 < called(p, WEIGHTS, number).any(axis=1).mean() < 0.057


@pytest.mark.parametrize("adjust", ["bh", "holm"])
def test_measures_that_move_as_one_are_one_comparison(adjust):
    """All have the same p-value, so 5 % of families are called where each counts as 7.3: the largest weight.

    By Benjamini and Hochberg alone half of them are called: what the leading scores have of the level.
    """
    alike = matrix(1.0)
    assert WEIGHTS.max() == pytest.approx(0.5 * SIZE / 9)
    assert worth([alike], WEIGHTS, np.inf, adjust) == np.ceil(WEIGHTS.max()) == 8
    for p, alone, together in ((0.024, adjust == "bh", True), (0.04, False, True), (0.051, False, False)):
        table = family(p)
        plain, known = adjust_p(table, adjust), adjust_p(table, adjust, together=lambda *_: alike)
        assert (plain["p_adjusted"] < LEVEL).any() == alone
        assert (known["p_adjusted"] < LEVEL).any() == together
        assert ((known["p_value"] < known["critical"]) == (known["p_adjusted"] < LEVEL)).all()
        assert known["p_adjusted"][0] == pytest.approx(
            max(p * 8 / WEIGHTS.max(), p) if p > 0.024 else p * 8 / WEIGHTS.max()
        )


def test_measures_that_do_not_go_together_are_worth_what_they_number():
    assert SIZE - 10 < worth([np.eye(SIZE)], WEIGHTS, np.inf, "bh") <= SIZE
    one = worth([matrix(0.67)], WEIGHTS, np.inf, "bh")
    assert 1.5 * one < worth([matrix(0.67)] * 2, np.tile(WEIGHTS, 2), np.inf, "bh") < 2.5 * one


@pytest.mark.parametrize("each", [131, 40, 13, 4])
@pytest.mark.parametrize("size", [2.5, 4.0])
def test_where_some_measures_moved_wrong_calls_stay_at_five_of_a_hundred(survey, each, size):
    """Own draws with the correlations of the survey: every so many of the measures moved, by standard errors.

    A higher level of all steps that calls 5 % of families without a change (9 %) makes up to 7 % wrong calls.
    """
    correlations, weights = survey
    true = np.arange(len(weights)) % each == 0
    p = of_people(correlations, 3_000, size * true)

    def wrong(calls: np.ndarray) -> float:
        return float((calls[:, ~true].sum(axis=1) / np.maximum(calls.sum(axis=1), 1)).mean())

    found = called(p, weights, worth([correlations], weights, np.inf, "bh"))
    assert wrong(found) < 0.055
    assert found[:, true].mean() >= called(p, weights, None)[:, true].mean()
    if each == 13:
        assert wrong(called(p, weights, None, 0.09)) > 0.055 > wrong(found) + 0.01


def family(p: float) -> pl.DataFrame:
    """A family of one organisation, all of whose measures have the same p-value."""
    return pl.DataFrame({
        "organisation": "RXX", "breakdown": "all", "group": "all", "measure": [f"m{i}" for i in range(SIZE)],
        "p_value": p, "df": float("inf"), "tier": TIERS, "parents": [[]] * SIZE, "why_not": None,
    }, schema_overrides={"parents": pl.List(pl.String), "why_not": pl.String})  # fmt: skip


def test_a_whole_organisation_is_compared_as_its_measures_go_together(results):
    """Where one score alone moved, its p-value counts as often as the measures are worth, not as they number.

    Groups, and figures whose people are not known, are adjusted as they were.
    """
    at = (pl.col("measure") == "morale") & (pl.col("breakdown") == "all")
    ends = ["estimate", "conf_low", "conf_high"]
    shift = pl.when(at).then(5.5 * pl.col("std_error")).otherwise(0.0)
    moved = replace(results[1], table=results[1].table.with_columns(pl.col(ends) + shift))
    known = cm.compare_years([results[0], moved], 2023, 2024).table
    turned = [replace(r, table=r.table.reverse()) for r in (moved, results[0])]
    assert cm.compare_years(turned, 2023, 2024).table.equals(known)
    plain = cm.compare_years([results[0].table, moved.table], 2023, 2024).table
    same = ["measure", "p_value", "p_adjusted", "verdict", "detectable_change"]
    assert known.filter(~(pl.col("breakdown") == "all")).equals(plain.filter(~(pl.col("breakdown") == "all")))
    whole = (
        known.filter(breakdown="all")
        .drop_nulls("p_value")
        .join(tiers(catalogue().edition(2024)), on="measure")
        .sort("measure")
    )
    before = plain.filter(breakdown="all").drop_nulls("p_value").select(same).sort("measure")
    assert whole["p_value"].equals(before["p_value"])
    weights = _weights(whole["tier"].to_numpy())
    own = [
        r._correlations[0].among(whole["organisation"][0], whole["measure"].to_list())
        for r in (results[0], moved)
    ]
    number = worth([np.mean(own, axis=0)], weights, np.inf, "bh")
    assert 50 < number < 95
    step = whole["p_value"].to_numpy() * number / weights
    wanted = np.maximum(np.minimum(step, before["p_adjusted"].to_numpy()), whole["p_value"].to_numpy())
    np.testing.assert_allclose(whole["p_adjusted"].to_numpy(), wanted, rtol=1e-12)
    row, was = (t.row(by_predicate=pl.col("measure") == "morale", named=True) for t in (whole, before))
    assert row["verdict"] == "improved" and row["p_adjusted"] < 0.8 * was["p_adjusted"]
    assert (whole["detectable_change"] <= before["detectable_change"] + 1e-12).all()
    # With nothing called, a change of any of them may be smaller to be called.
    still = [cm.compare_years(given, 2023, 2024).table for given in (results, [r.table for r in results])]
    found, was_found = (t.filter(breakdown="all").drop_nulls("p_value")["detectable_change"] for t in still)
    assert (found / was_found).max() < 0.98 and (found / was_found).min() > 0.9


def test_correlations_rest_on_people_whatever_their_order_and_are_not_told(years, results):
    own = results[1]._correlations[0]
    code = next(iter(own.of))
    scores = cm.score(years[1]).select("staff_engagement", "morale", "recognised_and_rewarded")
    here = own.among(code, scores.columns)
    # 1,200 of 1,500 people: 0.03 is chance; three digits are kept.
    assert np.abs(here - np.corrcoef(scores.drop_nulls().to_numpy().T)).max() < 0.06
    turned = replace(years[1], frame=years[1].frame.sample(fraction=1.0, shuffle=True, seed=1))
    again = cm.estimate(turned)._correlations[0]
    np.testing.assert_allclose(again.of[code], own.of[code], atol=1e-3)
    assert "correlations" not in repr(results[1]) + str(results[1].provenance) + results[1].summary()
    many = cm.synthetic.respondents(2024, organisations=6, respondents_per_organisation=30)
    assert cm.estimate(many)._correlations == ()


def of_tiers(tier, p) -> pl.DataFrame:
    """A family of groups with these p-values."""
    return pl.DataFrame(
        {"tier": np.array(tier, np.int8), "p_value": np.array(p), "measure": [f"m{n}" for n in range(len(p))]}
    ).with_columns(
        pl.lit("gender").alias("breakdown"),
        pl.lit("RXX").alias("organisation"),
        pl.lit("Female").alias("group"),
        pl.lit(None, pl.String).alias("why_not"),
        pl.lit([], pl.List(pl.String)).alias("parents"),
    )


def test_holms_limit_is_where_the_verdict_turns():
    """By hand: weights 2, 1, 1/2, 1/2. After the first .02 * 2 is below the level, and .06 * 1 is not."""
    found = adjust_p(of_tiers([0, 1, 2, 2], [0.001, 0.02, 0.03, 0.9]), "holm")
    assert found["p_adjusted"].to_list() == pytest.approx([0.002, 0.04, 0.06, 0.9])
    assert found["critical"].to_list() == pytest.approx([0.025] * 4)


def test_holms_limit_is_exact_given_the_other_rows():
    """Against the definition: with its own p-value just below it a row is called, just above it is not."""
    random = np.random.default_rng(4)
    for _ in range(60):
        size = int(random.integers(2, 12))
        tier = random.integers(0, 3, size).astype(np.int8)
        weights = _weights(tier)
        p = random.uniform(size=size) ** random.choice([1, 3, 6])
        for row, limit in enumerate(adjust_p(of_tiers(tier, p), "holm")["critical"]):
            for near in (1 - 1e-6, 1 + 1e-6):
                p_of_row = np.where(np.arange(size) == row, limit * near, p)
                assert (adjusted(p_of_row, "holm", weights)[row] < LEVEL) == (near < 1)
