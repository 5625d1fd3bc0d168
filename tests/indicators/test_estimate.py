"""Estimates against R's survey package, and the rules of the Results they come as."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from culture_metrics import estimate
from culture_metrics.errors import ExtractError, UnknownNameError
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.intervals import add_intervals
from culture_metrics.results import check_results

REFERENCE = Path(__file__).parents[1] / "reference"


@pytest.fixture(scope="module")
def extract() -> Extract:
    frame = pl.read_csv(REFERENCE / "respondents.csv")
    answers = [c for c in frame.columns if c.startswith("q")]
    frame = frame.cast(dict.fromkeys(answers, pl.Int8)).with_row_index("n")
    return Extract(
        "nss_england", "2024", frame.with_columns(pl.format("r{}", "n").alias("respondent")).drop("n")
    )


@pytest.mark.parametrize("weighting", ["none", "occupation_group"])
def test_means_and_standard_errors_equal_those_of_r_survey(extract, weighting):
    reference = pl.read_csv(REFERENCE / "weighted_estimates.csv").filter(weighting=weighting)
    results = estimate(extract, weights=weighting).filter(breakdown="all")
    both = reference.join(results, on=["organisation", "measure"], suffix="_here")
    assert both.height == reference.height == 4
    for number in ("estimate", "std_error", "base", "effective_base"):
        np.testing.assert_allclose(both[f"{number}_here"], both[number], rtol=1e-10)


def test_a_group_is_estimated_as_a_sample_of_its_own(extract):
    nurses = extract.frame.filter(pl.col("q35") == 27, pl.col("organisation") == "RXX")
    answers = nurses["q25c"].drop_nulls()
    row = estimate(extract, by=["occupation_group"]).row(
        by_predicate=(pl.col("group") == "Registered Nurses and Midwives")
        & (pl.col("organisation") == "RXX")
        & (pl.col("measure") == "recommend_place_to_work"),
        named=True,
    )
    share = (answers >= 4).mean()
    assert row["base"] == answers.len()
    assert row["estimate"] == pytest.approx(100 * share)
    assert row["std_error"] == pytest.approx(100 * np.sqrt(share * (1 - share) / (answers.len() - 1)))


def test_intervals_of_percentages_are_wilson_s(extract):
    rows = estimate(extract).filter(unit="percent", status="reported")
    x = np.rint(rows["estimate"].to_numpy() / 100 * rows["base"].to_numpy())
    low, high = proportion_confint(x, rows["base"].to_numpy(), method="wilson")
    np.testing.assert_allclose(rows["conf_low"], 100 * low, atol=1e-9)
    np.testing.assert_allclose(rows["conf_high"], 100 * high, atol=1e-9)


def test_wilson_interval_of_43_in_57():
    """R: prop.test(43, 57, correct = FALSE)$conf.int."""
    row = {"unit": "percent", "estimate": 100 * 43 / 57, "std_error": 0.0, "effective_base": 57.0}
    got = add_intervals(pl.DataFrame([row])).select("conf_low", "conf_high").row(0)
    assert got == pytest.approx((62.897703767, 84.76716253), abs=1e-8)


def test_intervals_of_scores_are_t_intervals(extract):
    rows = estimate(extract).filter(measure="motivation", organisation="RXX")
    answers = extract.frame.filter(organisation="RXX").select("q2a", "q2b", "q2c").to_numpy().astype(float)
    enough = (~np.isnan(answers)).sum(axis=1) >= 2
    values = (np.nanmean(answers[enough], axis=1) - 1) * 2.5
    low, high = DescrStatsW(values).tconfint_mean()
    assert rows.select("conf_low", "conf_high").row(0) == pytest.approx((low, high), abs=1e-12)


def test_results_keep_the_contract_and_say_what_was_not_asked(extract):
    results = estimate(extract, by=["occupation_group"])
    check_results(results)
    assert set(results.filter(measure="burnout")["status"]) == {"not_asked"}
    assert results["source"].unique().to_list() == ["respondents"]
    assert set(results["breakdown"]) == {"all", "occupation_group"}


def test_results_are_the_same_for_any_order_of_rows(extract):
    shuffled = Extract(extract.survey, extract.period, extract.frame.sample(fraction=1, shuffle=True, seed=1))
    here, there = estimate(extract, by=["occupation_group"]), estimate(shuffled, by=["occupation_group"])
    assert here.drop("estimate", "std_error", "conf_low", "conf_high", "effective_base").equals(
        there.drop("estimate", "std_error", "conf_low", "conf_high", "effective_base")
    )
    for number in ("estimate", "std_error", "conf_low", "conf_high", "effective_base"):
        np.testing.assert_allclose(here[number].to_numpy(), there[number].to_numpy(), rtol=1e-12)


def test_unknown_breakdowns_and_missing_mixes_are_explained(extract):
    with pytest.raises(UnknownNameError, match="no breakdown 'occupation_grp'"):
        estimate(extract, by=["occupation_grp"])
    with pytest.raises(UnknownNameError, match="breakdown in this extract"):
        estimate(extract, by=["age"])
    alone = Extract(extract.survey, extract.period, extract.frame.filter(organisation="RXX"))
    with pytest.raises(ExtractError, match="need a mix"):
        estimate(alone, weights="occupation_group")


def test_a_given_mix_weights_one_organisation(extract):
    alone = Extract(extract.survey, extract.period, extract.frame.filter(organisation="RXX"))
    mix = dict.fromkeys(alone.edition.breakdowns["occupation_group"].groups, 1.0)
    results = estimate(alone, weights="occupation_group", occupation_mix=mix)
    assert results.filter(measure="motivation")["weighting"].item() == "occupation_group"
    assert results.filter(measure="motivation")["effective_base"].item() < 141
    with pytest.raises(UnknownNameError, match="no group of occupations 'Nurses'"):
        estimate(alone, weights="occupation_group", occupation_mix={"Nurses": 1.0})
    with pytest.raises(ExtractError, match="leaves out groups"):
        estimate(alone, weights="occupation_group", occupation_mix={"Medical and Dental": 1.0})


def test_an_unknown_weighting_is_refused(extract):
    with pytest.raises(UnknownNameError, match="weighting 'occupation'"):
        estimate(extract, weights="occupation")
