"""Planted truths: how often a link that is not there is found, and how often intervals hold the one that is.

All 2,000 draws of a study are worked out at once from the textbook formulas; on some draws `link_outcomes` is
shown to give the same statistic, so the rates are its own.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import norm, t

import culture_metrics as cm

ORGS, YEARS, DRAWS, CHECKED = 120, 5, 2000, (0, 1, 2)
CODES = [f"R{i:03d}" for i in range(ORGS)]


def panel(**columns):
    years = next(iter(columns.values())).shape[1]
    key = {"organisation": np.repeat(CODES, years), "year": np.tile(2015 + np.arange(years), ORGS)}
    return pl.DataFrame(key | {name: values.ravel() for name, values in columns.items()})


def clustered(z, y, parameters):
    """Slope over its clustered error; z and y are draws by organisations by years, controls taken out."""
    squares = (z**2).sum(axis=(1, 2))
    b = (z * y).sum(axis=(1, 2)) / squares
    left = y - b[:, None, None] * z
    rows = ORGS * YEARS
    factor = ORGS / (ORGS - 1) * (rows - 1) / (rows - parameters)
    clusters = ((z * left).sum(axis=2) ** 2).sum(axis=1)
    classical = (left**2).sum(axis=(1, 2)) / (rows - parameters) / squares
    return b * squares / np.sqrt(factor * clusters), b / np.sqrt(classical)


def rejections(correlation):
    """Share of draws in which a slope of nothing within organisations is found at the 5 % level."""
    rng = np.random.default_rng(20110101)
    level = rng.standard_normal((DRAWS, ORGS, 1))
    other = correlation * level + np.sqrt(1 - correlation**2) * rng.standard_normal((DRAWS, ORGS, 1))
    z = level + rng.standard_normal((DRAWS, ORGS, YEARS))
    y = other + rng.standard_normal((DRAWS, ORGS, YEARS))
    across = [values - values.mean(axis=1, keepdims=True) for values in (z, y)]
    inside = [values - values.mean(axis=2, keepdims=True) for values in across]
    (robust, classical), (fixed, _) = clustered(*across, YEARS + 1), clustered(*inside, YEARS)
    for draw in CHECKED:
        table = cm.link_outcomes(
            panel(z=z[draw], y=y[draw]), "z", "y", design=["pooled", "fixed_effects"]
        ).table
        found = table.filter(role="main")["statistic"].to_list()
        assert found == pytest.approx([robust[draw], fixed[draw]], rel=1e-9)
    limit = t.ppf(0.975, ORGS - 1)
    tests = {"classical": classical, "clustered": robust, "fixed effects": fixed}
    return {name: float((np.abs(values) > limit).mean()) for name, values in tests.items()}


def test_independent_organisations():
    """Classical errors find what is not there one time in six; clustered ones and fixed effects do not."""
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


def newton(y, z, weights, offset, mean, slope):
    """Intercept, slope, inverse information and fitted means of all draws at once (canonical link)."""
    level = y.mean(axis=-1)
    exposed = 1 - level if offset is None else np.exp(offset).mean(axis=-1)
    b = np.stack([np.log(level / exposed), np.zeros_like(level)], axis=-1)
    shift = 0.0 if offset is None else offset
    for _ in range(9):
        mu = mean(b[:, :1] + b[:, 1:] * z + shift)
        work, left = weights * slope(mu), weights * (y - mu)
        first, second = work * z, work * z * z
        sums = [part.sum(axis=-1) for part in (work, first, first, second)]
        inverse = np.linalg.inv(np.stack(sums, axis=-1).reshape(-1, 2, 2))
        pull = np.stack([left.sum(axis=-1), (left * z).sum(axis=-1)], axis=-1)
        b = b + (inverse @ pull[..., None])[..., 0]
    return b, inverse, mu


def share_of_intervals(b, errors, df, truth, outcome, years, **drawn):
    cov = "scaled" if years == 1 else "cluster"
    for draw in CHECKED:
        frame = panel(**{name: values[draw].reshape(ORGS, years) for name, values in drawn.items()})
        settings = {"design": "cross_section", "standardise": None, "cov": cov}
        row = cm.link_outcomes(frame, "z", outcome, **settings).table.row(0, named=True)
        assert (row["estimate"], row["std_error"]) == pytest.approx((b[draw], errors[draw]), rel=1e-7)
    share = float((np.abs(b - truth) <= t.ppf(0.975, df) * errors).mean())
    print(share)
    return share


def expit(linear):
    return 1 / (1 + np.exp(-linear))


def test_quasi_binomial_intervals():
    """Shares that vary 2.5 times as much as a binomial's: intervals hold the truth in 93 to 97 of 100."""
    rng = np.random.default_rng(20110102)
    z, trials = rng.standard_normal((DRAWS, ORGS)), 400
    mean, spread = expit(0.2 * z - 1), trials / 1.5
    y = rng.binomial(trials, rng.beta(mean * spread, (1 - mean) * spread)) / trials
    base = np.full_like(z, trials)
    b, inverse, mu = newton(y, z, base, None, expit, lambda mu: mu * (1 - mu))
    dispersion = (base * (y - mu) ** 2 / (mu * (1 - mu))).sum(axis=1) / (ORGS - 2)
    errors = np.sqrt(inverse[:, 1, 1] * dispersion)
    outcome = cm.Outcome("y", kind="proportion", base="base")
    assert 0.93 <= share_of_intervals(b[:, 1], errors, ORGS - 2, 0.2, outcome, 1, y=y, z=z, base=base) <= 0.97


def test_poisson_intervals_with_an_exposure():
    """Cases in differing bed-days, twice as variable as Poisson: intervals hold the truth in 93 to 97 of 100."""
    rng = np.random.default_rng(20110103)
    z, base = rng.standard_normal((DRAWS, ORGS)), rng.uniform(0.5, 3, (DRAWS, ORGS))
    y = rng.negative_binomial(8 * base * np.exp(-0.15 * z), 0.5).astype(float)
    b, inverse, mu = newton(y, z, 1.0, np.log(base), np.exp, lambda mu: mu)
    dispersion = ((y - mu) ** 2 / mu).sum(axis=1) / (ORGS - 2)
    errors = np.sqrt(inverse[:, 1, 1] * dispersion)
    outcome = cm.Outcome("y", kind="count", exposure="base")
    assert (
        0.93 <= share_of_intervals(b[:, 1], errors, ORGS - 2, -0.15, outcome, 1, y=y, z=z, base=base) <= 0.97
    )


@pytest.mark.parametrize("kind", ["count", "proportion"])
def test_clustered_intervals_over_years(kind):
    """Organisations that stay high or low for five years: clustered intervals hold the truth as well."""
    rng = np.random.default_rng(20110104)
    shape, rows = (DRAWS, ORGS, YEARS), ORGS * YEARS
    z = rng.standard_normal(shape) + rng.standard_normal((DRAWS, ORGS, 1))
    if kind == "count":
        base = rng.uniform(0.5, 3, shape)
        y = rng.poisson(8 * base * np.exp(-0.15 * z) * rng.gamma(10, 0.1, (DRAWS, ORGS, 1))).astype(float)
        outcome, given = (
            cm.Outcome("y", kind="count", exposure="base"),
            (1.0, np.log(base).reshape(DRAWS, rows)),
        )
        mean, slope, weights = np.exp, lambda mu: mu, 1.0
    else:
        base = np.full(shape, 400.0)
        chance = rng.beta(40 * expit(-1), 40 * (1 - expit(-1)), (DRAWS, ORGS, 1))
        y = rng.binomial(400, np.broadcast_to(chance, shape)) / 400
        outcome, weights = cm.Outcome("y", kind="proportion", base="base"), 400.0
        given, mean, slope = (base.reshape(DRAWS, rows), None), expit, lambda mu: mu * (1 - mu)
    z, y, base = (values.reshape(DRAWS, rows) for values in (z, y, base))
    b, inverse, mu = newton(y, z, *given, mean, slope)
    left = weights * (y - mu)
    scores = [part.reshape(DRAWS, ORGS, YEARS).sum(axis=2) for part in (left, left * z)]
    pulled = inverse[:, 1, :1] * scores[0] + inverse[:, 1, 1:] * scores[1]
    errors = np.sqrt((pulled**2).sum(axis=1) * ORGS / (ORGS - 1) * (rows - 1) / (rows - 2))
    truth = -0.15 if kind == "count" else 0.0
    found = share_of_intervals(b[:, 1], errors, ORGS - 1, truth, outcome, YEARS, y=y, z=z, base=base)
    assert 0.93 <= found <= 0.97


def test_detectable_correlation_is_detected_four_times_in_five():
    rng = np.random.default_rng(5)
    z = rng.standard_normal((DRAWS, ORGS))
    y = rng.standard_normal((DRAWS, ORGS))
    r = cm.link_outcomes(panel(z=z[:1].T, y=y[:1].T), "z", "y").table["detectable_r"][0]
    y = r * z + np.sqrt(1 - r**2) * y
    z, y = z - z.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    found = (z * y).sum(axis=1) / np.sqrt((z**2).sum(axis=1) * (y**2).sum(axis=1))
    power = (np.arctanh(np.abs(found)) * np.sqrt(ORGS - 3) > norm.ppf(0.975)).mean()
    assert power == pytest.approx(0.8, abs=0.03)
