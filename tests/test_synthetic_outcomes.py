"""The synthetic panel has the slopes it says: plain regressions in numpy find them."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError

BETWEEN, WITHIN = -0.15, 0.05


@pytest.fixture(scope="module")
def panel():
    return cm.synthetic.outcome_panel(4000, [2019, 2020, 2021, 2022], between=BETWEEN, within=WITHIN, seed=7)


def on_link(panel, name, link):
    values = panel[name].to_numpy()
    if link == "identity":
        return values
    if link == "log":
        return np.log(values)
    return np.log(values / (1 - values))


def slopes(y, panel):
    """Between and within slope with standard errors, years held equal, by least squares on means and deviations."""
    n = panel["organisation"].n_unique()
    x, y = panel["staff_engagement"].to_numpy().reshape(n, -1), y.reshape(n, -1)
    mx, my = x.mean(axis=1), y.mean(axis=1)
    found = []
    for a, b in ((mx - mx.mean(), my - my.mean()), (None, None)):
        if a is None:
            dx, dy = x - mx[:, None], y - my[:, None]
            a, b = (dx - dx.mean(axis=0)).ravel(), (dy - dy.mean(axis=0)).ravel()
        slope = (a @ b) / (a @ a)
        found.append((slope, np.sqrt(((a * (b - slope * a)) ** 2).sum()) / (a @ a)))
    return found


@pytest.mark.parametrize(
    "name",
    ["shmi", "inpatient_survey", "sickness_absence", "leavers", "agency_spend", "financial_position", "four_hour_wait", "recommend_for_treatment"],
)  # fmt: skip
def test_planted_slopes_are_found(panel, name):
    planted = cm.synthetic.outcome_slopes(BETWEEN, WITHIN).row(
        by_predicate=pl.col("outcome") == name, named=True
    )
    controlled = panel
    y = on_link(panel, name, planted["link"])
    if name == "agency_spend":
        y = y - np.log(panel["beds"].to_numpy())
    for which, (slope, error) in zip(("between", "within"), slopes(y, controlled), strict=True):
        assert abs(slope - planted[which]) < 4 * error + 0.01 * abs(planted[which])
        assert error < abs(planted[which]) / 5


@pytest.mark.parametrize("name", ["mrsa", "c_difficile"])
def test_planted_slopes_of_counts_are_found_by_poisson(panel, name):
    planted = cm.synthetic.outcome_slopes(BETWEEN, WITHIN).row(
        by_predicate=pl.col("outcome") == name, named=True
    )
    n = panel["organisation"].n_unique()
    x = panel["staff_engagement"].to_numpy().reshape(n, -1)
    mean = x.mean(axis=1, keepdims=True) * np.ones_like(x)
    years = np.tile(np.eye(x.shape[1]), (n, 1))
    design = np.column_stack([(mean - mean.mean()).ravel(), (x - mean).ravel(), years])
    y, offset = panel[name].to_numpy(), np.log(panel["bed_days"].to_numpy())
    beta = np.r_[0, 0, np.full(x.shape[1], np.log(y.sum() / np.exp(offset).sum()))]
    for _ in range(30):
        mu = np.exp(design @ beta + offset)
        beta += np.linalg.solve((design * mu[:, None]).T @ design, design.T @ (y - mu))
    bread = np.linalg.inv((design * mu[:, None]).T @ design)
    scores = (design * (y - mu)[:, None]).reshape(n, -1, design.shape[1]).sum(axis=1)
    error = np.sqrt(np.diag(bread @ scores.T @ scores @ bread))
    assert abs(beta[0] - planted["between"]) < 4 * error[0]
    assert abs(beta[1] - planted["within"]) < 4 * error[1]


def test_planted_slopes_of_ratings_are_found(panel):
    """A cumulative logit at each cut: the same log-odds, the slope of the table with its sign turned."""
    planted = cm.synthetic.outcome_slopes(BETWEEN, WITHIN).row(
        by_predicate=pl.col("outcome") == "cqc_rating", named=True
    )
    n = panel["organisation"].n_unique()
    x = panel["staff_engagement"].to_numpy().reshape(n, -1)
    mean = x.mean(axis=1, keepdims=True) * np.ones_like(x)
    years = np.tile(np.eye(x.shape[1]), (n, 1))
    design = np.column_stack([(mean - mean.mean()).ravel(), (x - mean).ravel(), years])
    good = panel["cqc_rating"].is_in(["Good", "Outstanding"]).to_numpy().astype(float)
    beta = np.zeros(design.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(design @ beta)))
        information = (design * (p * (1 - p))[:, None]).T @ design
        beta += np.linalg.solve(information, design.T @ (good - p))
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    assert abs(beta[0] - planted["between"]) < 4 * error[0]
    assert abs(beta[1] - planted["within"]) < 4 * error[1]


def test_morale_has_no_link_of_its_own(panel):
    y = np.log(panel["shmi"].to_numpy())
    n = panel["organisation"].n_unique()
    centred = [
        (v - v.mean(axis=1, keepdims=True) - (v - v.mean(axis=1, keepdims=True)).mean(axis=0)).ravel()
        for v in (panel[c].to_numpy().reshape(n, -1) for c in ("staff_engagement", "morale"))
    ]
    outcome = y.reshape(n, -1)
    outcome = outcome - outcome.mean(axis=1, keepdims=True)
    outcome = (outcome - outcome.mean(axis=0)).ravel()
    design = np.column_stack(centred)
    slope = np.linalg.lstsq(design, outcome, rcond=None)[0]
    assert np.corrcoef(*centred)[0, 1] == pytest.approx(0.6, abs=0.03)
    assert slope[0] == pytest.approx(WITHIN, abs=0.02)
    assert slope[1] == pytest.approx(0, abs=0.02)


def test_the_panel_is_consistent_and_repeats(panel):
    again = cm.synthetic.outcome_panel(30, [2020, 2021], seed=3)
    assert again.equals(cm.synthetic.outcome_panel(30, [2020, 2021], seed=3))
    assert not again.equals(cm.synthetic.outcome_panel(30, [2020, 2021], seed=4))
    assert (panel["shmi"] - panel["deaths"] / panel["expected_deaths"]).abs().max() == 0
    assert panel.select(pl.struct("organisation", "year").is_duplicated().any()).item() is False
    assert panel["staff_engagement"].is_between(0, 10).all()
    assert panel["leavers"].is_between(0, 1).all()
    for name in ("shmi", "sickness_absence", "leavers", "mrsa", "four_hour_wait", "cqc_rating"):
        assert set(cm.outcome(name).columns) <= set(panel.columns)


@pytest.mark.parametrize("wrong", [{"organisations": 1}, {"years": []}, {"years": [2020, 2020]}])
def test_a_panel_of_nothing_is_refused(wrong):
    with pytest.raises(CultureMetricsError, match="two or more organisations"):
        cm.synthetic.outcome_panel(**wrong)
