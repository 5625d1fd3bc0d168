"""Strata as a multilevel model: lme4's numbers, planted effects, and that shrinking never widens."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.compare.maihda import _design
from culture_metrics.compare.strata import fit_strata
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import ResultsError, UnknownNameError

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def lme4():
    """tests/reference/maihda_lme4.R: 752 people in 12 strata."""
    rows = pl.read_csv(REFERENCE / "maihda_lme4.csv")
    rows = rows.with_columns(pl.col(pl.String).exclude("stratum").str.strip_chars().cast(pl.Float64))
    return rows, pl.read_csv(REFERENCE / "maihda_lme4_variances.csv")


@pytest.mark.parametrize("model", ["null", "full"])
def test_estimates_are_those_of_lme4(lme4, model):
    rows, variances = lme4
    design = np.ones((12, 1)) if model == "null" else _design(rows["stratum"], 2)
    mean, base = rows["mean"].to_numpy(), rows["n"].cast(pl.Float64).to_numpy()
    found = fit_strata(mean, base, rows["squares"].sum(), design)
    expected = variances.filter(model=model).row(0, named=True)
    assert found.between == pytest.approx(expected["between"], rel=1e-4)
    assert found.within == pytest.approx(expected["within"], rel=1e-4)
    assert found.share == pytest.approx(
        expected["between"] / (expected["between"] + expected["within"]), rel=1e-4
    )
    value = rows["null_value" if model == "null" else "value"].to_numpy()
    assert found.value == pytest.approx(value, abs=1e-4)
    if model == "full":
        assert found.fixed == pytest.approx(rows["fixed"].to_numpy(), abs=1e-4)
        assert found.beyond == pytest.approx(rows["beyond"].to_numpy(), abs=1e-4)


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_planted_strata_are_found_again(spread):
    """24 strata of 12 to 200, a standard deviation of 2 within: 40 draws of the model itself.

    Coverage within 3 Monte-Carlo standard errors of 95 % (strata of a draw taken as alike as they can be)
    where there is a spread; the mean variance within 3 of its own.
    """
    rng = np.random.default_rng(7)
    strata, draws = 24, 40
    base = rng.integers(12, 200, strata).astype(float)
    first, second = np.arange(strata) // 6, np.arange(strata) % 6
    design = np.column_stack(
        [np.ones(strata), *(first == k for k in (1, 2, 3)), *(second == k for k in range(1, 6))]
    )
    added = 6 + rng.normal(0, 0.4, 4)[first] + rng.normal(0, 0.3, 6)[second]
    inside, beyond, between, shares = [], [], [], []
    for _ in range(draws):
        own = spread * rng.normal(size=strata)
        mean = added + own + 2 * rng.normal(size=strata) / np.sqrt(base)
        squares = 4 * rng.chisquare(base.sum() - strata)
        found = fit_strata(mean, base, squares, design)
        inside.append(np.mean(np.abs(found.value - added - own) < 1.96 * found.error))
        beyond.append(np.mean(np.abs(found.beyond - own) < 1.96 * found.beyond_error))
        between.append(found.between)
        shares.append(found.share_low <= spread**2 / (spread**2 + 4) <= found.share_high)
        # Shrinking never widens, and never goes past either end.
        assert (found.error <= np.sqrt(found.within / base) * (1 + 1e-12)).all()
        low, high = np.minimum(mean, found.fixed), np.maximum(mean, found.fixed)
        assert ((found.value >= low - 1e-9) & (found.value <= high + 1e-9)).all()
    for covered in (inside, beyond):
        error = np.std(covered) / draws**0.5
        assert np.mean(covered) > 0.95 - 3 * error - 0.005
        assert not spread or np.mean(covered) < 0.95 + 3 * error + 0.01
    if spread:
        assert np.mean(between) == pytest.approx(spread**2, abs=3 * np.std(between) / draws**0.5)
        assert np.mean(shares) > 0.95 - 3 * (0.95 * 0.05 / draws) ** 0.5
    else:
        assert np.mean(between) < 0.02


@pytest.fixture(scope="module")
def extract():
    return cm.synthetic.respondents(2024, respondents_per_organisation=700, seed=2)


def fresh(extract):
    """The extract, as if nothing had been shown of it."""
    return replace(extract, decision=Decision())


BY = ["ethnicity_summary", "gender", "long_term_condition"]


def test_intersections_are_of_what_may_be_shown(extract):
    """The model is that of the shown rows alone: with the hidden ones gone the numbers are the same."""
    found = cm.compare.intersections(extract, "morale", BY)
    results = cm.estimate(extract, by=[tuple(BY)])
    shown = results.table.filter(status="reported")
    assert found.table["status"].value_counts().height == 2
    assert found.left_out == found.table.filter(pl.col("status") != "reported").height > 0
    again = cm.compare.intersections(shown, "morale", BY)
    numbers = [c for c, t in found.table.schema.items() if t.is_float()]
    assert again.left_out == 0
    assert again.table.select(numbers).equals(found.table.filter(status="reported").select(numbers))
    # Of the respondents of these strata: their mean and the sum of squares within, by hand.
    rows = found.table.filter(status="reported")
    assert (rows["shrunken_high"] - rows["shrunken_low"] <= rows["conf_high"] - rows["conf_low"] + 1e-9).all()
    hidden = found.table.filter(pl.col("status") != "reported")
    assert set(hidden.select(pl.col(numbers).null_count()).row(0)) == {found.left_out}
    assert f"{found.left_out} strata are held back" in found.summary()


def test_a_percentage_is_a_mean_of_0_and_100(extract):
    """The sum of squares within is that of the answers themselves."""
    found = cm.compare.intersections(fresh(extract), "q25c", ["gender", "long_term_condition"])
    rows = found.table.drop_nulls("shrunken")
    n, p = rows["base"].cast(pl.Float64).to_numpy(), rows["estimate"].to_numpy() / 100
    squares = float((n * p * (1 - p)).sum()) * 1e4
    plain = fit_strata(100 * p, n, squares, np.ones((len(n), 1)))
    assert found.share_between == pytest.approx(plain.share)
    assert rows["shrunken"].is_between(0, 100).all()


def test_wrong_things_are_refused(extract):
    with pytest.raises(ResultsError, match="two breakdowns"):
        cm.compare.intersections(extract, "morale", ["gender"])
    crossed = cm.estimate(fresh(extract), [("gender", "long_term_condition")]).table
    three = crossed.filter(pl.col("group").is_in(crossed["group"].unique().sort()[:3]))
    with pytest.raises(ResultsError, match="4 strata"):
        cm.compare.intersections(three, "morale", ["gender", "long_term_condition"])
    with pytest.raises(UnknownNameError, match="crossing"):
        cm.compare.intersections(cm.estimate(fresh(extract), ["gender"]), "morale", BY)
    with pytest.raises(ResultsError, match="in its name"):
        _design(pl.Series(["a × b × c"]), 2)


def test_main_effects_that_stand_for_each_other_count_once():
    groups = pl.Series(["A × x", "A × x2", "B × y", "B × y2"])
    assert _design(groups, 2).shape == (4, 4)
    assert _design(pl.Series(["A × x", "B × y", "C × z"]), 2).shape == (3, 3)
