"""Replicates: Taylor's standard errors again, and statistics that have no formula."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import estimate, score, synthetic
from culture_metrics.errors import ExtractError, UnknownNameError
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.design import Design
from culture_metrics.indicators.raking import rake
from culture_metrics.indicators.replicates import replicate
from culture_metrics.indicators.weights import Weights

MEASURES = ["morale", "q25c"]
KEYS = ["organisation", "breakdown", "group", "measure"]


@pytest.fixture(scope="module")
def extract() -> Extract:
    extract = synthetic.respondents(2024, organisations=2, respondents_per_organisation=600, seed=4)
    random = np.random.default_rng(2)
    wards = [f"ward {i}" for i in random.integers(0, 25, extract.frame.height)]
    own = pl.Series("own", random.lognormal(0, 0.4, extract.frame.height))
    return replace(extract, frame=extract.frame.with_columns(own, ward=pl.Series(wards)))


@pytest.mark.parametrize(
    ("weights", "design"),
    [
        ("none", Design(domains="full")),
        ("own", Design(domains="full")),
        ("own", Design(cluster="ward", domains="full")),
        ("own", Design(domains="full", population={"SYN01": 900, "SYN02": 700})),
    ],
)
def test_standard_errors_of_means_are_taylor_s(extract, weights, design):
    """1,500 replicates know a standard error to about 2 %; groups differ by terms of higher order."""
    ours = replicate(extract, ["gender"], measures=MEASURES, weights=weights, design=design, draws=1500)
    taylor = estimate(extract, ["gender"], weights=weights, design=design).table
    both = ours.table.join(taylor, on=KEYS, suffix="_taylor").filter(pl.col("base") > 50)
    assert both.height == 12
    np.testing.assert_allclose(both["estimate"], both["estimate_taylor"], rtol=1e-12)
    np.testing.assert_allclose(both["std_error"], both["std_error_taylor"], rtol=0.09)
    assert (both["std_error"] / both["std_error_taylor"]).mean() == pytest.approx(1, abs=0.03)


def test_raked_weights_are_raked_again(extract):
    alone = replace(extract, frame=extract.frame.filter(organisation="SYN01"))
    margins = {
        "gender": {"Female": 60.0, "Male": 40.0},
        "long_term_condition": {"With a long-term condition": 15.0, "Without a long-term condition": 85.0},
    }
    raking = rake(alone, margins)
    ours = replicate(alone, ["gender"], measures=MEASURES, weights=raking, draws=1500)
    both = ours.table.join(estimate(alone, ["gender"], weights=raking).table, on=KEYS, suffix="_taylor")
    both = both.filter(pl.col("base") > 50)
    assert both.height == 6
    np.testing.assert_allclose(both["std_error"], both["std_error_taylor"], rtol=0.09)


def test_the_same_seed_draws_the_same_replicates(extract):
    one, two = (replicate(extract, measures=["morale"], draws=50, seed=7) for _ in range(2))
    assert one.table.equals(two.table)
    assert not one.table.equals(replicate(extract, measures=["morale"], draws=50, seed=8).table)


def test_medians_are_the_middle_of_the_weight(extract):
    found = replicate(extract, measures=["morale"], statistic="median", draws=200).table
    values = score(extract).filter(organisation="SYN01")["morale"].drop_nulls().sort()
    here = found.row(by_predicate=pl.col("organisation") == "SYN01", named=True)
    assert here["estimate"] == values[(len(values) + 1) // 2 - 1]
    # Large samples: sd of a median is 1 / (2 f √n), about 1.25 sd / √n for a bell shape.
    assert here["std_error"] == pytest.approx(1.25 * values.std() / np.sqrt(len(values)), rel=0.4)
    assert here["conf_low"] <= here["estimate"] <= here["conf_high"]


def test_weighted_medians():
    """Weights 1, 1, 1, 5 on the values 0, 2.5, 5, 10: half of 8 is passed at 10."""
    frame = pl.DataFrame({"organisation": ["RXX"] * 44, "q4d": pl.Series([1, 2, 3, 5] * 11, dtype=pl.Int8)})
    extract = Extract("nss_england", "2024", frame)
    weights = pl.Series([1.0, 1.0, 1.0, 5.0] * 11)
    for own, middle in ((weights, 10.0), ("none", 2.5)):
        found = replicate(extract, measures=["flexible_working"], statistic="median", weights=own, draws=20)
        assert found.table["estimate"].item() == middle


def test_any_statistic(extract):
    def spread(y, w):
        mean = (w * y[:, None]).sum(axis=0) / w.sum(axis=0)
        return np.sqrt((w * (y[:, None] - mean) ** 2).sum(axis=0) / w.sum(axis=0))

    found = replicate(extract, ["gender"], measures=["morale"], statistic=spread, draws=300).table
    row = found.filter(group="all")[0]
    base, sd = row["base"].item(), row["estimate"].item()
    # Of a bell shape the error of a standard deviation is sd / √(2n).
    assert row["std_error"].item() == pytest.approx(sd / np.sqrt(2 * base), rel=0.25)


def test_gaps_between_groups(extract):
    found = replicate(extract, ["gender"], measures=MEASURES, draws=1000)
    gap = (
        found.gap("gender", "Female", "Male")
        .filter(measure="morale", organisation="SYN01")
        .row(0, named=True)
    )
    rows = found.table.filter(measure="morale", organisation="SYN01", breakdown="gender")
    women, men = (rows.filter(group=g).row(0, named=True) for g in ("Female", "Male"))
    assert gap["estimate"] == pytest.approx(women["estimate"] - men["estimate"])
    alone = np.hypot(women["std_error"], men["std_error"])
    assert gap["std_error"] == pytest.approx(alone, rel=0.1)
    assert gap["conf_low"] < gap["estimate"] < gap["conf_high"]
    turned = found.gap("gender", "Male", "Female").filter(measure="morale", organisation="SYN01")
    ends = turned.select("estimate", "conf_high", "conf_low").row(0)
    assert ends == pytest.approx([-gap[name] for name in ("estimate", "conf_low", "conf_high")])
    with pytest.raises(UnknownNameError, match="group of gender 'Women'"):
        found.gap("gender", "Women", "Men")
    with pytest.raises(UnknownNameError, match="breakdown in these replicates"):
        found.gap("age", "Women", "Men")


@pytest.mark.parametrize("by", [["locality_1"], ["locality_1", "locality_2"]])
def test_what_estimate_hides_is_hidden_and_has_no_gap(extract, by):
    """The same cells, measure by measure: replicates of one measure alone would hide others."""
    found = replicate(extract, by, measures=[*MEASURES, "long_term_condition"], draws=20)
    both = found.table.join(estimate(extract, by).table, on=KEYS, suffix="_estimate")
    assert both.height == found.table.height
    assert (both["status"].cast(pl.String) == both["status_estimate"].cast(pl.String)).all()
    hidden = both.filter(pl.col("status") != "reported")
    assert hidden.height > 0
    assert hidden.select("estimate", "std_error", "base").null_count().row(0) == (hidden.height,) * 3
    one = hidden.filter(breakdown="locality_1")["group"][0]
    other = both.filter(pl.col("group") != one, breakdown="locality_1", status="reported")["group"][0]
    gap = found.gap("locality_1", one, other).join(hidden.filter(group=one), on=KEYS[:2] + KEYS[3:])
    assert gap.height > 0
    assert gap.select("estimate", "std_error", "conf_low").null_count().row(0) == (gap.height,) * 3


def test_who_knows_the_seed_does_not_know_who_was_drawn():
    """An attacker with the public seed and the order of respondents draws them again as the library would.

    When draws followed from the seed alone these were the library's own, figure by figure (and as many
    replicates as respondents gave each of their scores by least squares, with an error of 3e-13).
    """
    extract = synthetic.respondents(2024, respondents_per_organisation=60, seed=5)
    values = score(extract)["morale"].to_numpy()
    n, draws = len(values), 200
    often = np.random.default_rng(2024).multinomial(n - 1, np.full(n, 1 / n), size=draws).T
    there = np.isfinite(values)
    guessed = (often[there] * values[there, None]).sum(axis=0) / often[there].sum(axis=0)
    row = replicate(extract, measures=["morale"], draws=draws).table.row(0, named=True)
    told = [row["std_error"], row["conf_low"], row["conf_high"]]
    theirs = [guessed.std(ddof=1), *np.quantile(guessed, [0.025, 0.975])]
    # The same but for chance, which is a twentieth here, and in no digit that could be reckoned back from.
    assert told == pytest.approx(theirs, rel=0.2)
    assert min(abs(a / b - 1) for a, b in zip(told, theirs, strict=True)) > 1e-9


def test_nothing_of_the_draws_is_kept(extract):
    """Whatever the object holds, pickled too: no numbers by replicate, and none by respondent."""
    found = replicate(extract, ["gender"], measures=MEASURES, draws=157)
    sizes = {157, extract.frame.height}
    for kept in (found, pickle.loads(pickle.dumps(found))):
        held = vars(kept).values()
        assert not [one for one in held if isinstance(one, np.ndarray)]
        assert not [one for one in held if isinstance(one, pl.DataFrame) and sizes & set(one.shape)]
    assert len(pickle.dumps(found)) < 20_000


def test_too_many_gaps_are_refused(extract, monkeypatch):
    monkeypatch.setattr("culture_metrics.indicators.replicates.GROUPS", 1)
    found = replicate(extract, ["gender"], measures=["morale"], draws=20)
    with pytest.raises(ExtractError, match="So many groups of gender"):
        found.gap("gender", "Female", "Male")


def test_what_replicates_are_not_for(extract):
    with pytest.raises(UnknownNameError, match="statistic 'mode'"):
        replicate(extract, measures=["morale"], statistic="mode")
    with pytest.raises(ExtractError, match="not of national figures"):
        replicate(extract, measures=["morale"], weights=Weights("size", eligible={"SYN01": 900}))
    with pytest.raises(ExtractError, match="not in the extract"):
        replicate(replace(extract, frame=extract.frame.drop("q25c")), measures=["q25c"])
