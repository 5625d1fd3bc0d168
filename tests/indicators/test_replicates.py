"""Replicates: Taylor's standard errors again, and statistics that have no formula."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import estimate, synthetic
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
    taylor = estimate(extract, ["gender"], weights=weights, design=design)
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
    both = ours.table.join(estimate(alone, ["gender"], weights=raking), on=KEYS, suffix="_taylor")
    both = both.filter(pl.col("base") > 50)
    assert both.height == 6
    np.testing.assert_allclose(both["std_error"], both["std_error_taylor"], rtol=0.09)


def test_the_same_seed_draws_the_same_replicates(extract):
    one, two = (replicate(extract, measures=["morale"], draws=50, seed=7) for _ in range(2))
    assert one.table.equals(two.table)
    assert not one.table.equals(replicate(extract, measures=["morale"], draws=50, seed=8).table)


def test_medians_are_the_middle_of_the_weight(extract):
    found = replicate(extract, measures=["morale"], statistic="median", draws=200).table
    from culture_metrics import score

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
    with pytest.raises(UnknownNameError, match="group of gender 'Women'"):
        found.gap("gender", "Women", "Men")
    with pytest.raises(UnknownNameError, match="breakdown in these replicates"):
        found.gap("age", "Women", "Men")


def test_small_groups_are_hidden_in_table_and_draws(extract):
    found = replicate(extract, ["locality_1"], measures=["morale"], draws=20)
    hidden = (found.table["status"] != "reported").to_numpy()
    assert hidden.any()
    assert np.isnan(found.draws[hidden]).all()
    assert found.table.filter(pl.Series(hidden))["estimate"].null_count() == hidden.sum()


def test_what_replicates_are_not_for(extract):
    with pytest.raises(UnknownNameError, match="statistic 'mode'"):
        replicate(extract, measures=["morale"], statistic="mode")
    with pytest.raises(ExtractError, match="not of national figures"):
        replicate(extract, measures=["morale"], weights=Weights("size", eligible={"SYN01": 900}))
    with pytest.raises(ExtractError, match="not in the extract"):
        replicate(replace(extract, frame=extract.frame.drop("q25c")), measures=["q25c"])
