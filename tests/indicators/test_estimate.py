"""Estimates against R's survey package, and the rules of the Results they come as."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from statsmodels.stats.proportion import proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

from culture_metrics import estimate, synthetic
from culture_metrics.contract import check_results
from culture_metrics.disclosure.decision import Decision
from culture_metrics.errors import CultureMetricsWarning, ExtractError, UnknownNameError
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.answers import answers_of
from culture_metrics.indicators.cells import make_cells
from culture_metrics.indicators.design import Design, kish
from culture_metrics.indicators.intervals import wilson
from culture_metrics.indicators.weights import Weights, respondent_weights

REFERENCE = Path(__file__).parents[1] / "reference"
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base"]


@pytest.fixture(scope="module")
def extract() -> Extract:
    frame = pl.read_csv(REFERENCE / "respondents.csv")
    answers = [c for c in frame.columns if c.startswith("q")]
    frame = frame.cast(dict.fromkeys(answers, pl.Int8)).with_row_index("n")
    return Extract(
        "nss_england", "2024", frame.with_columns(pl.format("r{}", "n").alias("respondent")).drop("n")
    )


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.CultureMetricsWarning")
@pytest.mark.parametrize(
    ("weighting", "weights"),
    [
        ("none", "none"),
        ("official", Weights("official", pool_below=1)),
        ("pooled", "official"),
    ],
)
def test_means_and_standard_errors_equal_those_of_r_survey(extract, weighting, weights):
    reference = pl.read_csv(REFERENCE / "weighted_estimates.csv").filter(weighting=weighting)
    # Few here share a weight: what may leave is rounded, or hidden.
    results = estimate(extract, weights=weights, minimum_base=1).table.filter(breakdown="all")
    both = reference.join(results, on=["organisation", "measure"], suffix="_here")
    assert both.height == reference.height == 4
    for number in ("estimate", "std_error", "base"):
        np.testing.assert_allclose(both[f"{number}_here"], both[number], rtol=1e-10)
    # Shown in whole respondents; what it is cut from, to the digit.
    assert both["effective_base_here"].to_list() == np.floor(both["effective_base"] + 1e-9).to_list()
    exact = _exact_effective_bases(extract, weights)
    np.testing.assert_allclose(
        [exact[row] for row in both["organisation", "measure"].rows()], both["effective_base"], rtol=1e-10
    )


def _exact_effective_bases(extract, weights):
    """Kish's effective base of each organisation and measure before it is cut to whole respondents."""
    weighted, answers = respondent_weights(extract, weights), answers_of(extract)
    cells = make_cells(extract.frame, {"all": ()}, {}, Design())
    found = answers.moments(cells, weighted.values)
    found = found.merge(cells.parts).merge(cells.pieces)
    exact = kish(found.weight, found.weight2)
    return {
        (organisation, measure): exact[i, j]
        for i, organisation in enumerate(cells.keys["organisation"])
        for j, measure in enumerate(answers.names)
    }


def test_a_group_is_estimated_as_a_sample_of_its_own(extract):
    nurses = extract.frame.filter(pl.col("q35") == 27, pl.col("organisation") == "RXX")
    answers = nurses["q25c"].drop_nulls()
    row = estimate(extract, by=["occupation_group"]).table.row(
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
    rows = estimate(extract).table.filter(unit="percent", status="reported")
    x = np.rint(rows["estimate"].to_numpy() / 100 * rows["base"].to_numpy())
    low, high = proportion_confint(x, rows["base"].to_numpy(), method="wilson")
    np.testing.assert_allclose(rows["conf_low"], 100 * low, atol=1e-9)
    np.testing.assert_allclose(rows["conf_high"], 100 * high, atol=1e-9)


def test_wilson_interval_of_43_in_57():
    """R: prop.test(43, 57, correct = FALSE)$conf.int."""
    low, high = wilson(np.array([43 / 57]), np.array([57.0]))
    assert (low[0], high[0]) == pytest.approx((0.62897703767, 0.8476716253), abs=1e-10)


def test_intervals_of_scores_are_t_intervals(extract):
    rows = estimate(extract).table.filter(measure="motivation", organisation="RXX")
    answers = extract.frame.filter(organisation="RXX").select("q2a", "q2b", "q2c").to_numpy().astype(float)
    enough = (~np.isnan(answers)).sum(axis=1) >= 2
    values = (np.nanmean(answers[enough], axis=1) - 1) * 2.5
    low, high = DescrStatsW(values).tconfint_mean()
    assert rows.select("conf_low", "conf_high").row(0) == pytest.approx((low, high), abs=1e-12)


def test_results_keep_the_contract_and_say_what_was_not_asked(extract):
    results = estimate(extract, by=["occupation_group"]).table
    check_results(results)
    assert set(results.filter(measure="burnout")["status"]) == {"not_asked"}
    assert results["source"].unique().to_list() == ["respondents"]
    assert set(results["breakdown"]) == {"all", "occupation_group"}


def same(here: pl.DataFrame, there: pl.DataFrame) -> None:
    """Equal, numbers to 1e-12 relative."""
    assert here.drop(NUMBERS).equals(there.drop(NUMBERS))
    for number in NUMBERS:
        np.testing.assert_allclose(
            here[number].cast(pl.Float64).fill_null(-1).to_numpy(),
            there[number].cast(pl.Float64).fill_null(-1).to_numpy(),
            rtol=1e-12,
            atol=1e-300,
        )


@pytest.fixture(scope="module")
def several() -> Extract:
    extract = synthetic.respondents(2024, organisations=3, respondents_per_organisation=700, seed=5)
    random = np.random.default_rng(1)
    weights = pl.Series("own_weight", random.lognormal(0, 0.4, extract.frame.height))
    return replace(extract, frame=extract.frame.with_columns(weights))


BY = ["occupation_group", "locality_1", ("gender", "age")]


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
@pytest.mark.parametrize("weights", ["none", "official", "own_weight"])
def test_results_are_the_same_for_any_order_of_respondents(several, weights):
    shuffled = replace(several, frame=several.frame.sample(fraction=1, shuffle=True, seed=1))
    same(estimate(several, BY, weights=weights).table, estimate(shuffled, BY, weights=weights).table)


@pytest.mark.parametrize("weights", ["none", "own_weight"])
@pytest.mark.parametrize("rows", [100, 999])
def test_results_are_the_same_in_pieces(several, weights, rows):
    for by in (["occupation_group"], [("gender", "age")]):
        pieces = (replace(several, frame=piece) for piece in several.frame.iter_slices(rows))
        whole = replace(several, decision=Decision())
        same(estimate(whole, by, weights=weights).table, estimate(pieces, by, weights=weights).table)


def test_pieces_say_that_nobody_looked_how_breakdowns_overlap(several):
    with pytest.warns(CultureMetricsWarning, match="in pieces"):
        estimate((replace(several, frame=piece) for piece in several.frame.iter_slices(999)), BY)


def test_results_are_the_same_for_any_number_of_threads(several, tmp_path):
    several.frame.write_parquet(tmp_path / "answers.parquet")
    for threads in ("1", "3"):
        code = (
            "import sys, polars as pl, culture_metrics as cm\n"
            "from culture_metrics.extracts.extract import Extract\n"
            "extract = Extract('nss_england', '2024', pl.read_parquet(sys.argv[1]))\n"
            "by = ['occupation_group', ('gender', 'age')]\n"
            "cm.estimate(extract, by, weights='official').table.write_parquet(sys.argv[2])\n"
        )
        paths = [str(tmp_path / "answers.parquet"), str(tmp_path / f"{threads}.parquet")]
        environment = os.environ | {"POLARS_MAX_THREADS": threads, "OMP_NUM_THREADS": threads}
        subprocess.run(
            [sys.executable, "-c", code, *paths], check=True, env=environment, cwd=REFERENCE.parents[1]
        )
    same(*(pl.read_parquet(tmp_path / f"{threads}.parquet") for threads in ("1", "3")))


def test_a_cross_is_a_breakdown_by_both(several):
    joined = several.frame.with_columns(
        (pl.col("locality_1") + " × " + pl.col("locality_2")).alias("both"),
    )
    crossed = estimate(several, [("locality_1", "locality_2")], weights="own_weight").table
    plain = estimate(replace(several, frame=joined), ["both"], weights="own_weight").table
    assert "locality_1 × locality_2" in crossed["breakdown"]
    both = crossed.join(plain, on=["organisation", "group", "measure"], suffix="_plain")
    assert both.height == crossed.height == plain.height
    both = both.filter(status="reported", status_plain="reported")
    assert both.height > 1000
    for number in NUMBERS:
        np.testing.assert_allclose(both[number], both[f"{number}_plain"], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("by", [(), ("gender", "gender"), "all", ("gender", "all")])
def test_what_is_no_cross_is_explained(several, by):
    with pytest.raises(ExtractError, match=r"no breakdown|cannot be crossed"):
        estimate(several, [by])


def test_groups_that_could_not_be_told_apart_in_a_cross_are_refused(several):
    frame = several.frame.with_columns(pl.lit("Ward 1 × 2").alias("locality_1"))
    with pytest.raises(ExtractError, match="cannot be crossed") as error:
        estimate(replace(several, frame=frame), [("gender", "locality_1")])
    assert "Ward" not in str(error.value)


def test_every_row_says_what_its_interval_is(several):
    kinds = {
        "wilson": {("score", "t"), ("percent", "wilson")},
        "logit": {("score", "logit"), ("percent", "logit")},
    }
    frame = several.frame.with_columns(pl.lit(5, pl.Int8).alias("q25c"))
    for interval, expected in kinds.items():
        results = estimate(several, BY, interval=interval).table
        shown = results.filter(status="reported")
        inside = shown.filter(
            (pl.col("unit") == "score") | pl.col("estimate").is_between(0, 100, closed="none")
        )
        assert set(inside.select("unit", "interval").rows()) == expected
        assert results.filter(pl.col("status") != "reported")["interval"].null_count() == (
            results.height - shown.height
        )
        edge = estimate(replace(several, frame=frame, decision=Decision()), interval=interval).table
        assert set(edge.filter(measure="recommend_place_to_work")["interval"]) == {"wilson"}


def test_a_piece_in_which_nobody_has_a_score_is_a_piece(several):
    frame = several.frame.with_columns(
        pl.when(pl.int_range(pl.len()) < 300).then(None).otherwise(c).alias(c) for c in ("q2a", "q2b", "q2c")
    )
    gone = replace(several, frame=frame, decision=Decision())
    pieces = (replace(gone, frame=piece) for piece in frame.iter_slices(300))
    same(estimate(gone).table, estimate(pieces).table)


def test_results_are_the_same_in_small_batches(several, monkeypatch):
    whole = estimate(several, BY, weights="own_weight").table
    monkeypatch.setattr("culture_metrics.indicators.tally.BATCH", 1)
    monkeypatch.setattr("culture_metrics.indicators.tally.SLICE", 7)
    same(whole, estimate(several, BY, weights="own_weight").table)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_two_runs_on_one_file_are_identical_to_the_byte(several, tmp_path):
    several.frame.write_parquet(tmp_path / "answers.parquet")
    for run in ("one", "two"):
        again = replace(several, frame=pl.read_parquet(tmp_path / "answers.parquet"))
        estimate(again, BY, weights="official").table.write_parquet(tmp_path / run)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_pieces_take_no_weights_that_need_the_whole(several):
    pieces = [replace(several, frame=piece) for piece in several.frame.iter_slices(900)]
    with pytest.raises(ExtractError, match="in pieces"):
        estimate(pieces, weights="official")
    other = synthetic.respondents(2023, respondents_per_organisation=50)
    with pytest.raises(ExtractError, match="not of one survey and period"):
        estimate([several, other])
    with pytest.raises(ExtractError, match="no extract"):
        estimate([])


def test_no_spread_is_no_error(several):
    """Everybody gives one answer: a standard error of exactly 0, whatever the weights add up to."""
    frame = several.frame.with_columns(pl.lit(5, pl.Int8).alias(c) for c in ("q2a", "q2b", "q2c", "q25c"))
    rows = estimate(replace(several, frame=frame, decision=Decision()), BY, weights="own_weight").table
    rows = rows.filter(pl.col("measure").is_in(["motivation", "recommend_place_to_work"]), status="reported")
    assert set(rows["std_error"]) == {0.0}
    assert set(rows.filter(unit="score")["conf_low"]) == {10.0}
    percent = rows.filter(unit="percent")
    assert (percent["conf_low"] < 100).all()
    assert set(percent["conf_high"]) == {100.0}


def test_unknown_breakdowns_and_missing_mixes_are_explained(extract):
    with pytest.raises(UnknownNameError, match="no breakdown 'occupation_grp'"):
        estimate(extract, by=["occupation_grp"])
    with pytest.raises(UnknownNameError, match="breakdown in this extract"):
        estimate(extract, by=["age"])
    alone = Extract(extract.survey, extract.period, extract.frame.filter(organisation="RXX"))
    with pytest.raises(ExtractError, match="need the mix"):
        estimate(alone, weights="official")


def test_an_unknown_weighting_is_refused(extract):
    with pytest.raises(UnknownNameError, match="weighting or column of weights 'occupation'"):
        estimate(extract, weights="occupation")
    with pytest.raises(UnknownNameError, match="kind of interval 'wald'"):
        estimate(extract, interval="wald")
