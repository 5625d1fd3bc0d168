"""Own estimators stand only where statsmodels differs, cannot, or takes far too long: here is by how much.

A test that fails because statsmodels has come to agree says that the own piece can go. Its numbers are set
beside R's (`tests/reference/link_models.csv`, 240 rows) or beside what the definition gives.
"""

from __future__ import annotations

import inspect
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from culture_metrics.errors import LinkError
from culture_metrics.models.gee import solve_gee
from culture_metrics.models.glm import BINOMIAL, GAMMA, POISSON, solve_glm
from culture_metrics.models.linear import solve_linear
from culture_metrics.models.mixed import solve_random_intercept
from culture_metrics.models.ordinal import solve_ordinal

REFERENCE = Path(__file__).parents[1] / "reference"
LEVELS = ("inadequate", "requires improvement", "good", "outstanding")


@pytest.fixture(scope="module")
def frame():
    return pl.read_csv(REFERENCE / "link_panel.csv").sort("organisation", "year")


@pytest.fixture(scope="module")
def records():
    return {row["id"]: row for row in pl.read_csv(REFERENCE / "link_models.csv", null_values="NA").to_dicts()}


@pytest.fixture(scope="module")
def x(frame):
    """Constant, engagement in SDs, years and regions."""
    z = frame["engagement"] / frame["engagement"].std()
    dummies = frame.select("year", "region").to_dummies(drop_first=True)
    return np.column_stack([np.ones(frame.height), z, dummies]).astype(float)


@pytest.fixture(scope="module")
def groups(frame):
    return frame["organisation"].rank("dense").to_numpy().astype(int) - 1


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def equations(params, correlation, y, x, groups, trials):
    """Sum D' V^-1 (y - mu) with the whole matrix V of each organisation written out (Liang and Zeger 1986)."""
    mu = 1 / (1 + np.exp(-x @ params))
    total = np.zeros(x.shape[1])
    for group in np.unique(groups):
        at = groups == group
        root = np.sqrt(mu[at] * (1 - mu[at]) / trials[at])
        alike = np.full((root.size, root.size), correlation)
        np.fill_diagonal(alike, 1.0)
        slope = x[at] * (mu[at] * (1 - mu[at]))[:, None]
        total += slope.T @ np.linalg.solve(alike * np.outer(root, root), y[at] - mu[at])
    return total


def test_estimating_equations_of_proportions_need_own_trials(frame, x, groups):
    """statsmodels takes one weight for an organisation, and reads it by the number of the row."""
    import statsmodels.api as sm

    y = frame["leavers"].to_numpy()
    trials = (frame["headcount"] * (frame["year"] - 2018)).to_numpy().astype(float)
    ours, correlation = solve_gee(y, x, groups, BINOMIAL, trials)
    theirs = sm.GEE(
        y, x, groups=groups, weights=trials, family=sm.families.Binomial(), cov_struct=sm.cov_struct.Exchangeable()
    ).fit()  # fmt: skip
    step = np.sqrt(np.diag(ours.bread))
    left = step * equations(ours.params, correlation, y, x, groups, trials)
    assert np.abs(left).max() < 1e-6
    other = step * equations(theirs.params, theirs.cov_struct.dep_params, y, x, groups, trials)
    assert np.abs(other).max() > 0.1
    assert np.abs(theirs.params / ours.params - 1).max() > 0.1


def test_ordered_logit_of_statsmodels_is_short_of_the_maximum(frame, x, records):
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    y = frame["rating"].replace_strict({level: i for i, level in enumerate(LEVELS)}).to_numpy()
    wanted = records["clm_hessian"]
    ours = solve_ordinal(y.astype(float), x[:, 1:])
    theirs = OrderedModel(y, x[:, 1:], distr="logit").fit(method="bfgs", maxiter=500, disp=0)
    assert theirs.mle_retvals["converged"]
    assert ours.params[0] == pytest.approx(wanted["estimate"], rel=1e-9)
    assert np.sqrt(ours.bread[0, 0]) == pytest.approx(wanted["std_error"], rel=1e-9)
    assert theirs.params[0] != pytest.approx(wanted["estimate"], rel=1e-4)
    assert theirs.bse[0] != pytest.approx(wanted["std_error"], rel=1e-7)
    assert "weights" not in inspect.signature(OrderedModel).parameters


def test_gamma_sandwich_of_statsmodels_is_not_that_of_r(frame, x, groups, records):
    import statsmodels.api as sm

    from culture_metrics.models.covariance import covariance

    y, wanted = frame["agency"].to_numpy().astype(float), records["gamma_cluster"]
    ours = np.sqrt(covariance(solve_glm(y, x, GAMMA), "cluster", groups)[0][1, 1])
    model = sm.GLM(y, x, family=sm.families.Gamma(sm.families.links.Log()))
    theirs = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    assert ours == pytest.approx(wanted["std_error"], rel=1e-8)
    assert theirs.bse[1] / wanted["std_error"] == pytest.approx(1.0978, abs=1e-4)


def test_random_intercepts_of_statsmodels_are_not_those_of_r(frame, x, groups, records):
    import statsmodels.api as sm

    y, wanted = frame["score"].to_numpy(), records["lmer_mixed"]
    found = solve_random_intercept(y, x, groups).solution
    assert np.sqrt(found.bread[1, 1] * found.dispersion) == pytest.approx(wanted["std_error"], rel=1e-6)
    theirs = sm.MixedLM(y, x, groups).fit(reml=True)
    assert theirs.converged
    assert abs(theirs.bse[1] / wanted["std_error"] - 1) > 1e-3


def test_absorbed_organisations_are_counted(frame, x, groups):
    """statsmodels on deviations takes the rows less the columns; the dummies have spent one for each."""
    import statsmodels.api as sm

    y, inside = frame["score"].to_numpy(), x[:, 1:5]
    counts = np.bincount(groups)
    y, inside = (
        values - (np.add.reduceat(values, np.r_[0, counts.cumsum()[:-1]]).T / counts).T[groups]
        for values in (y, inside)
    )
    dummies = (groups[:, None] == np.arange(counts.size)).astype(float)
    whole = sm.OLS(frame["score"].to_numpy(), np.column_stack([x[:, 1:5], dummies])).fit()
    ours = solve_linear(y, inside, constant=False, absorbed=groups)
    assert ours.params == pytest.approx(whole.params[:4], rel=1e-9)
    assert ours.df == whole.df_resid
    assert np.sqrt(np.diag(ours.bread) * ours.scale) == pytest.approx(whole.bse[:4], rel=1e-9)
    assert ours.leverage == pytest.approx(whole.get_influence().hat_matrix_diag, rel=1e-9)
    short = sm.OLS(y, inside).fit().bse[0] / whole.bse[0]
    assert short == pytest.approx(np.sqrt(whole.df_resid / (y.size - 4)))
    assert short < 0.9


def test_aliased_columns_are_refused(frame, x):
    """statsmodels solves them without an error."""
    y, twice = frame["score"].to_numpy(), np.column_stack([x, x[:, 1] + 3 * x[:, 2]])
    with pytest.raises(LinkError, match="worked out from the others"):
        solve_linear(y, twice)


@pytest.mark.parametrize("unit", [1e-14, 1e14])
@pytest.mark.parametrize("family", [None, BINOMIAL, POISSON])
def test_the_unit_of_a_column_changes_nothing_else(family, unit, frame, x):
    """statsmodels tells rank by the largest column: pounds beside shares would look aliased."""
    y = frame["target_met" if family is BINOMIAL else "cases"].to_numpy().astype(float)
    scaled = x * np.r_[np.ones(x.shape[1] - 1), unit]
    found, wanted = (
        solve_linear(y, columns) if family is None else solve_glm(y, columns, family)
        for columns in (scaled, x)
    )
    assert found.converged
    assert found.params * np.r_[np.ones(x.shape[1] - 1), unit] == pytest.approx(wanted.params, rel=1e-8)
    assert np.diag(found.bread)[:-1] == pytest.approx(np.diag(wanted.bread)[:-1], rel=1e-8)


@pytest.mark.parametrize("family", [BINOMIAL, POISSON])
def test_what_separates_has_not_converged(family):
    """statsmodels returns a complete separation as a result, and an endless mean as an error without words."""
    z = np.linspace(-3, 3, 60)
    x = np.column_stack([np.ones(60), z, z > 0]).astype(float)
    y = (z > 0).astype(float)
    found = solve_glm(y, x, family)
    slope = found.params[1:]
    assert not found.converged or not np.isfinite(slope).all() or np.abs(slope).max() > 10


def test_statsmodels_is_loaded_when_a_model_is_fitted():
    """Every module of links and models is imported without it."""
    code = (
        "import importlib, pkgutil, sys, culture_metrics.links as links, culture_metrics.models as models\n"
        "for room in (links, models):\n"
        "    for m in pkgutil.walk_packages(room.__path__, room.__name__ + '.'): importlib.import_module(m.name)\n"
        "print('culture_metrics.models.designs.within' in sys.modules)\n"
        "print([m for m in ('statsmodels', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.split() == ["True", "[]"]
