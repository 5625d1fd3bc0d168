"""Planted truths: how often a link that is not there is found, and how often intervals hold the one that is.

2,000 draws call the estimators that `link_outcomes` calls; on some draws the two are shown to be one.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm, t

import culture_metrics as cm
from culture_metrics.links.covariance import covariance
from culture_metrics.links.glm import BINOMIAL, POISSON, solve_glm
from culture_metrics.links.linear import solve_linear

ORGS, YEARS, DRAWS, CHECKED = 120, 5, 2000, (0, 1, 2)
GROUPS = np.repeat(np.arange(ORGS), YEARS)
YEAR = np.tile(np.arange(YEARS), ORGS)
DUMMIES = np.column_stack(
    [np.ones(ORGS * YEARS), *((year == YEAR).astype(float) for year in range(1, YEARS))]
)
KEY = {"organisation": [f"R{i:03d}" for i in GROUPS], "year": 2015 + YEAR}


def means(values):
    return values.reshape(ORGS, YEARS).mean(axis=1).repeat(YEARS)


def t_statistic(solution, column, kind):
    found, df = covariance(solution, kind, GROUPS)
    return solution.params[column] / np.sqrt(found[column, column]), df


def pooled(z, y):
    return solve_linear(y, np.column_stack([DUMMIES[:, :1], z, DUMMIES[:, 1:]]))


def within(z, y):
    columns = np.column_stack([z, DUMMIES[:, 1:]])
    return solve_linear(y - means(y), np.column_stack([c - means(c) for c in columns.T]), constant=False)


def rejections(correlation):
    """Share of draws in which a slope of nothing within organisations is found at the 5 % level."""
    rng = np.random.default_rng(20110101)
    found = {"classical": 0, "clustered": 0, "fixed effects": 0}
    for draw in range(DRAWS):
        level = rng.standard_normal(ORGS)
        other = correlation * level + np.sqrt(1 - correlation**2) * rng.standard_normal(ORGS)
        z = level[GROUPS] + rng.standard_normal(GROUPS.size)
        y = other[GROUPS] + rng.standard_normal(GROUPS.size)
        across, inside = pooled(z, y), within(z, y)
        tests = {
            "classical": t_statistic(across, 1, "classical"),
            "clustered": t_statistic(across, 1, "cluster"),
            "fixed effects": t_statistic(inside, 0, "cluster"),
        }
        for name, (statistic, df) in tests.items():
            found[name] += 2 * t.sf(abs(statistic), df) < 0.05
        if draw in CHECKED:
            panel = pl.DataFrame(KEY | {"z": z, "y": y})
            table = cm.link_outcomes(panel, "z", "y", design=["pooled", "fixed_effects"]).table.filter(
                role="main"
            )
            assert table["statistic"].to_list() == pytest.approx(
                [tests["clustered"][0], tests["fixed effects"][0]], rel=1e-9
            )
    return {name: count / DRAWS for name, count in found.items()}


def test_independent_organisations():
    """Classical errors find what is not there one time in five; clustered ones and fixed effects do not."""
    found = rejections(0.0)
    print(found)
    assert found["classical"] > 0.15
    assert found["clustered"] <= 0.07
    assert found["fixed effects"] <= 0.07


def test_organisations_that_differ_in_both():
    """What clustering cannot fix: organisations high on one tend to be high on the other, within them nothing."""
    found = rejections(0.4)
    print(found)
    assert found["clustered"] > 0.9
    assert found["fixed effects"] <= 0.07


def covered(make, family, kind, outcome, truth):
    """Share of draws whose 95 % interval holds the slope planted."""
    rng = np.random.default_rng(20110102)
    count = 0
    for draw in range(DRAWS):
        z, y, base = make(rng)
        groups = np.arange(z.size)
        x = np.column_stack([np.ones(z.size), z])
        given = (base, None) if family is BINOMIAL else (None, np.log(base))
        solution = solve_glm(y, x, family, *given)
        values, df = covariance(solution, kind, groups)
        error = np.sqrt(values[1, 1])
        reach = t.ppf(0.975, df) * error
        count += abs(solution.params[1] - truth) <= reach
        if draw in CHECKED:
            panel = pl.DataFrame(
                {"organisation": [f"R{i:03d}" for i in groups], "year": 2020, "z": z, "y": y, "base": base}
            )
            row = cm.link_outcomes(
                panel, "z", outcome, design="cross_section", standardise=None, cov=kind
            ).table.row(0, named=True)
            assert (row["estimate"], row["std_error"]) == pytest.approx((solution.params[1], error), rel=1e-8)
    return count / DRAWS


def test_quasi_binomial_intervals():
    """Shares that vary 1.5 times as much again as a binomial's: intervals hold the truth in 93 to 97 of 100."""

    def make(rng):
        z, base = rng.standard_normal(ORGS), np.full(ORGS, 400.0)
        mean, spread = 1 / (1 + np.exp(1 - 0.2 * z)), 400 / 1.5
        chance = rng.beta(mean * spread, (1 - mean) * spread)
        return z, rng.binomial(400, chance) / base, base

    found = covered(make, BINOMIAL, "scaled", cm.Outcome("y", kind="proportion", base="base"), 0.2)
    print(found)
    assert 0.93 <= found <= 0.97


def test_poisson_intervals_with_an_exposure():
    """Cases in differing bed-days, more variable than Poisson: intervals hold the truth in 93 to 97 of 100."""

    def make(rng):
        z, base = rng.standard_normal(ORGS), rng.uniform(0.5, 3, ORGS)
        mean = 8 * base * np.exp(-0.15 * z)
        return z, rng.negative_binomial(mean, 0.5).astype(float), base

    found = covered(make, POISSON, "scaled", cm.Outcome("y", kind="count", exposure="base"), -0.15)
    print(found)
    assert 0.93 <= found <= 0.97


def test_poisson_intervals_clustered():
    """The same over years with organisations that stay high or low: clustered errors hold as well."""
    rng = np.random.default_rng(20110103)
    count, draws = 0, 1000
    for _ in range(draws):
        z = rng.standard_normal(GROUPS.size) + rng.standard_normal(ORGS)[GROUPS]
        base = rng.uniform(0.5, 3, GROUPS.size)
        frailty = rng.gamma(10, 0.1, ORGS)[GROUPS]
        y = rng.poisson(8 * base * np.exp(-0.15 * z) * frailty).astype(float)
        solution = solve_glm(y, np.column_stack([np.ones(z.size), z]), POISSON, None, np.log(base))
        values, df = covariance(solution, "cluster", GROUPS)
        count += abs(solution.params[1] + 0.15) <= t.ppf(0.975, df) * np.sqrt(values[1, 1])
    print(count / draws)
    assert 0.93 <= count / draws <= 0.97


def test_detectable_correlation_is_detected_four_times_in_five():
    rng = np.random.default_rng(5)
    r = cm.link_outcomes(
        pl.DataFrame(KEY | {"z": rng.standard_normal(600), "y": rng.standard_normal(600)}), "z", "y"
    ).table["detectable_r"][0]
    z = rng.standard_normal((DRAWS, ORGS))
    y = r * z + np.sqrt(1 - r**2) * rng.standard_normal((DRAWS, ORGS))
    z, y = z - z.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    found = (z * y).sum(axis=1) / np.sqrt((z**2).sum(axis=1) * (y**2).sum(axis=1))
    power = (np.arctanh(np.abs(found)) * np.sqrt(ORGS - 3) > norm.ppf(0.975)).mean()
    assert power == pytest.approx(0.8, abs=0.03)
