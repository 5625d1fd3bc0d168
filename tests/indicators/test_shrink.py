"""Shrunken estimates against the R package metafor, and what they must not do."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from culture_metrics import estimate, synthetic
from culture_metrics.errors import ResultsError
from culture_metrics.indicators.shrink import between_groups, shrink

# R 4.2.2, metafor 3.8-1: r <- rma(y, v, method = "REML", control = list(threshold = 1e-14, maxiter = 1000));
# c(r$b, r$se^2, r$tau2); then the same with v = rep(mean(v), 12) and blup(r)
Y = [4.98, 5.28, 6.3, 6.42, 6.6, 6.51, 7.5, 5.93, 6.32, 6.92, 7.25, 7.13]
V = [0.23, 0.38, 0.1, 0.38, 0.16, 0.2, 0.34, 0.19, 0.24, 0.06, 0.31, 0.24]
CENTRE = (6.44054870151, 0.0396962199619, 0.261357828223)
BLUP = [
    5.57763917682,
    5.75384740257,
    6.3529553701,
    6.4234386604,
    6.52916359584,
    6.47630112812,
    7.05778827307,
    6.13563189168,
    6.36470258515,
    6.71711903664,
    6.91094808495,
    6.84046479466,
]
BLUP_SE = [
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
    0.382921338607,
]


def results_of(y: list[float], v: list[float], base: int) -> pl.DataFrame:
    """Results of one measure whose groups have these estimates and squared errors."""
    from culture_metrics.contract import as_results

    n = len(y)
    return as_results(
        pl.DataFrame(
            {
                "survey": ["nss_england"] * n,
                "period": ["2024"] * n,
                "organisation": ["RXX"] * n,
                "breakdown": ["locality_1"] * n,
                "group": [f"team {i:02}" for i in range(n)],
                "measure": ["morale"] * n,
                "unit": ["score"] * n,
                "estimate": y,
                "std_error": np.sqrt(v),
                "base": [base] * n,
                "effective_base": [float(base)] * n,
                "weighting": ["none"] * n,
                "status": ["reported"] * n,
                "source": ["respondents"] * n,
            }
        )
    )


def test_spread_between_groups_equals_metafor_s():
    found = between_groups(np.array(Y), np.array(V), np.zeros(len(Y), np.int64))
    assert [x.item() for x in found] == pytest.approx(CENTRE, rel=1e-9)


def test_shrunken_values_and_intervals_equal_metafor_s():
    """With equal bases the pooled variance makes one error variance of all: give metafor that."""
    pooled = float(np.mean(V))
    centre, of_centre, between = (x.item() for x in between_groups(
        np.array(Y), np.full(len(Y), pooled), np.zeros(len(Y), np.int64)))  # fmt: skip
    found = shrink(results_of(Y, V, 20)).table
    assert found["centre"].unique().to_list() == pytest.approx([centre])
    assert found["spread"][0] == pytest.approx(np.sqrt(between))
    np.testing.assert_allclose(found["shrunken"], BLUP, rtol=1e-8)
    half = 1.959963984540054 * np.array(BLUP_SE)
    np.testing.assert_allclose(found["shrunken_low"], np.array(BLUP) - half, rtol=1e-8)
    np.testing.assert_allclose(found["shrunken_high"], np.minimum(np.array(BLUP) + half, 10), rtol=1e-8)
    assert of_centre > 0


def test_no_more_spread_than_chance_leaves_the_centre():
    found = shrink(results_of([6.0, 6.1, 5.9, 6.05], [0.5] * 4, 12)).table
    assert found["share_kept"].to_list() == [0.0] * 4
    np.testing.assert_allclose(found["shrunken"], 6.0125)


def test_a_team_where_all_agree_is_shrunk_too():
    """Its own standard error is 0, which is chance: the pooled variance is not."""
    found = shrink(results_of([10.0, 6.0, 7.0, 5.0], [0.0, 0.3, 0.3, 0.3], 12)).table
    assert 0 < found["share_kept"][0] < 1
    assert found["shrunken"][0] < 10


def test_shrunken_stands_beside_the_raw_value_and_hidden_rows_stay_hidden():
    extract = synthetic.respondents(2024, respondents_per_organisation=600, seed=3)
    results = estimate(extract, by=["locality_1"]).table
    found = shrink(results).table
    groups = results.filter(breakdown="locality_1")
    assert found.height == groups.height
    assert found["estimate"].equals(groups["estimate"])
    hidden = found.filter(pl.col("status") != "reported")
    assert hidden.height
    numbers = ["centre", "spread", "share_kept", "shrunken", "shrunken_low", "shrunken_high"]
    assert hidden.select(pl.all_horizontal(pl.col(numbers).is_null()).all()).item()
    shown = found.filter(status="reported", unit="percent")
    assert shown["shrunken_low"].min() >= 0
    assert shown["shrunken_high"].max() <= 100


def test_shrunken_estimates_lie_nearer_to_the_truth():
    """Teams of 12 from a known truth: the squared error falls, as the theory says it must on average."""
    random = np.random.default_rng(5)
    truth = random.normal(6.3, 0.35, 200)
    raw = truth + random.normal(0, 2.0 / np.sqrt(12), 200)
    found = shrink(results_of(raw.tolist(), [4 / 12] * 200, 12)).table.sort("group")
    order = np.argsort([f"team {i:02}" for i in range(200)])
    error = ((found["shrunken"].to_numpy() - truth[order]) ** 2).mean()
    assert error < 0.5 * ((raw - truth) ** 2).mean()
    inside = (found["shrunken_low"].to_numpy() <= truth[order]) & (
        truth[order] <= found["shrunken_high"].to_numpy()
    )
    assert 0.9 <= inside.mean() <= 0.99


def test_two_groups_say_nothing_about_a_spread_and_other_tables_are_refused():
    assert shrink(results_of([5.0, 7.0], [0.1, 0.1], 20)).table["shrunken"].null_count() == 2
    with pytest.raises(ResultsError):
        shrink(pl.DataFrame({"estimate": [1.0]}))
