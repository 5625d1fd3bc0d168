"""Each kind of outcome equals R on the same data.

`tests/reference/link_models.R` fitted R 4.2.2 (stats, MASS, ordinal, sandwich, lme4) to `link_panel.csv`, which
`make_link_panel.py` made; `link_models.csv` is what it wrote.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import culture_metrics as cm

REFERENCE = Path(__file__).parents[1] / "reference"
EXACT = 1e-7
LEVELS = ("inadequate", "requires improvement", "good", "outstanding")
OUTCOMES = {
    "score": cm.Outcome("score", kind="continuous"),
    "cases": cm.Outcome("cases", kind="count", exposure="bed_days", better="low"),
    "deaths": cm.Outcome("deaths", kind="count", exposure="expected", better="low"),
    "leavers": cm.Outcome("leavers", kind="proportion", base="headcount", better="low"),
    "sickness": cm.Outcome("sickness", kind="rate", base="fte_days", better="low"),
    "rating": cm.Outcome("rating", kind="ordinal", levels=LEVELS, better="high"),
    "target_met": cm.Outcome("target_met", kind="binary", better="high"),
    "agency": cm.Outcome("agency", kind="money", unit="£", better="low"),
}
ONE_YEAR = {"design": "cross_section", "years": [2022]}
#: Record -> outcome, what to ask for, the row to read, the column to compare with `extra`.
MODELS = {
    "ols_cluster": ("score", {}, {}),
    "ols_hc3": ("score", ONE_YEAR, {}),
    "quasipoisson_scaled": ("cases", {"cov": "scaled"}, {}),
    "poisson_cluster": ("cases", {}, {}),
    "poisson_deaths_cluster": ("deaths", {}, {}),
    "quasipoisson_one_year": ("cases", ONE_YEAR, {}),
    "nb2_cluster": ("cases", {}, {"role": "sensitivity"}),
    "quasibinomial_scaled": ("leavers", {"cov": "scaled"}, {}),
    "quasibinomial_cluster": ("leavers", {}, {}),
    "fractional_cluster": ("sickness", {}, {}),
    "fractional_hc1": ("sickness", ONE_YEAR, {}),
    "logit_cluster": ("target_met", {}, {}),
    "logit_weighted_cluster": ("target_met", {"weights": "bed_days"}, {}),
    "gamma_cluster": ("agency", {}, {}),
    "clm_hessian": ("rating", {"cov": "classical"}, {}),
    "clm_cluster": ("rating", {}, {}),
    "lmer_within": ("score", {"design": "within_between"}, {"term": "within"}),
    "lmer_between": ("score", {"design": "within_between"}, {"term": "between"}),
    "lmer_mixed": ("score", {"design": "mixed"}, {}),
}
#: R's own stopping rule, not ours, sets these: alpha of glm.nb, and polr's optimiser.
LOOSE = {"nb2_cluster": 1e-5, "lmer_within": 1e-6, "lmer_between": 1e-5, "lmer_mixed": 1e-6}


@pytest.fixture(scope="module")
def panel():
    return pl.read_csv(REFERENCE / "link_panel.csv")


@pytest.fixture(scope="module")
def records():
    return {row["id"]: row for row in pl.read_csv(REFERENCE / "link_models.csv", null_values="NA").to_dicts()}


def link(panel, outcome, **more):
    years = more.pop("years", None)
    if years:
        panel = panel.filter(pl.col("year").is_in(years))
    return cm.link_outcomes(panel, "engagement", OUTCOMES[outcome], controls=("region",), **more)


@pytest.mark.parametrize("record", MODELS)
def test_equals_r(record, panel, records):
    outcome, recipe, where = MODELS[record]
    found = link(panel, outcome, **recipe).table.filter(**({"role": "main"} | where)).row(0, named=True)
    wanted, rel = records[record], LOOSE.get(record, EXACT)
    print(
        f"{found['estimate']:.9g} ({found['std_error']:.9g}) against {wanted['estimate']:.9g} ({wanted['std_error']:.9g})"
    )
    assert found["estimate"] == pytest.approx(wanted["estimate"], rel=rel)
    assert found["std_error"] == pytest.approx(wanted["std_error"], rel=rel)


def test_polr(panel, records):
    """MASS::polr stops short of the maximum that ordinal::clm finds, by about two parts in a million."""
    found = link(panel, "rating", cov="classical").table.row(0, named=True)
    assert found["estimate"] == pytest.approx(records["polr_hessian"]["estimate"], rel=1e-5)
    assert found["std_error"] == pytest.approx(records["polr_hessian"]["std_error"], rel=1e-4)


def test_marginal_effect(panel, records):
    found = link(panel, "sickness").table.row(0, named=True)
    assert found["effect_scale"] == "percentage points"
    assert found["effect"] == pytest.approx(100 * records["fractional_marginal"]["estimate"], rel=EXACT)
    half = (found["effect_high"] - found["effect_low"]) / 2
    from scipy.stats import t

    assert half / t.ppf(0.975, 59) == pytest.approx(
        100 * records["fractional_marginal"]["std_error"], rel=EXACT
    )


def test_dispersion(panel, records):
    checks = link(panel, "cases").diagnostics
    assert checks.filter(test="dispersion")["value"].item() == pytest.approx(
        records["quasipoisson_scaled"]["extra"], rel=EXACT
    )
    assert checks.filter(test="negative_binomial_alpha")["value"].item() == pytest.approx(
        records["nb2_cluster"]["extra"], rel=1e-5
    )
    assert link(panel, "cases").table.filter(role="main")["model"].item() == "quasi-Poisson GLM"


def test_a_negative_binomial_is_set_beside_its_own_constant(panel, records):
    """Deviance explained of the model with a constant only, fitted with the same overdispersion."""
    found = link(panel, "cases").table.filter(role="sensitivity")["pseudo_r2"].item()
    assert found == pytest.approx(records["nb2_explained"]["estimate"], rel=EXACT)


def test_random_intercept_variances(panel, records):
    checks = link(panel, "score", design="within_between").diagnostics
    between, within = records["lmer_within"]["extra"], records["lmer_between"]["extra"]
    assert checks.filter(test="variance_between")["value"].item() == pytest.approx(between, rel=1e-5)
    assert checks.filter(test="icc_outcome")["value"].item() == pytest.approx(
        between / (between + within), rel=1e-5
    )


def test_estimating_equations_equal_statsmodels(panel):
    """GEE of statsmodels with an exchangeable correlation, on numpy arrays, for every family."""
    import numpy as np
    import statsmodels.api as sm

    from culture_metrics.models.gee import robust, solve_gee
    from culture_metrics.models.glm import BINOMIAL, POISSON

    frame = panel.sort("organisation", "year")
    groups = frame["organisation"].rank("dense").to_numpy().astype(int) - 1
    z, year = frame["engagement"].to_numpy(), frame["year"].to_numpy()
    x = np.column_stack([np.ones(z.size), z - 7, *(year == one for one in (2020, 2021, 2022))]).astype(float)
    cases = (
        ("score", None, sm.families.Gaussian(), None),
        ("sickness", BINOMIAL, sm.families.Binomial(), None),
        ("cases", POISSON, sm.families.Poisson(), np.log(frame["bed_days"].to_numpy())),
    )
    for column, family, peer, offset in cases:
        y = frame[column].to_numpy().astype(float)
        ours, correlation = solve_gee(y, x, groups, family, None, offset)
        model = sm.GEE(
            y, x, groups=groups, family=peer, offset=offset, cov_struct=sm.cov_struct.Exchangeable()
        )
        theirs = model.fit(maxiter=200, ctol=1e-12)
        assert ours.params == pytest.approx(np.asarray(theirs.params), rel=1e-6)
        assert np.sqrt(np.diag(robust(ours, groups))) == pytest.approx(np.asarray(theirs.bse), rel=1e-6)
        naive = np.sqrt(np.diag(ours.bread) * ours.scale)
        assert naive == pytest.approx(np.asarray(theirs.standard_errors("naive")), rel=1e-6)
        assert correlation == pytest.approx(float(theirs.cov_struct.dep_params), rel=1e-6)


def test_whole_units_at_the_median_organisation(panel):
    sickness = link(panel, "sickness").table.row(0, named=True)
    assert sickness["effect_abs"] == pytest.approx(sickness["effect"] / 100 * panel["fte_days"].median())
    cases = link(panel, "cases").table.row(0, named=True)
    expected = panel["cases"].sum() / panel["bed_days"].sum() * panel["bed_days"].median()
    assert cases["effect_abs"] == pytest.approx((cases["effect"] - 1) * expected)
    rating = link(panel, "rating").table.row(0, named=True)
    assert rating["effect_abs_unit"] == "percentage points, probability of good or better"
    agency = link(panel, "agency").table.row(0, named=True)
    assert agency["effect_abs"] == pytest.approx((agency["effect"] - 1) * panel["agency"].median())
