"""Tests and intervals of a difference against R, and against scipy and statsmodels where they do the same."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_rel
from statsmodels.stats.proportion import confint_proportions_2indep

from culture_metrics.compare.difference import add_differences
from culture_metrics.compare.verdict import adjust_p, official_flag
from culture_metrics.errors import UnknownNameError

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "two_years.csv"


@pytest.fixture(scope="module")
def reference():
    """Made by tests/reference/two_years.R."""
    cases: dict[str, dict[str, float]] = defaultdict(dict)
    for case, quantity, value in pl.read_csv(REFERENCE, infer_schema=False).iter_rows():
        cases[case][quantity] = float(value.strip())
    return cases


def pair(**values) -> pl.DataFrame:
    known = {"sd_from": None, "sd_to": None, "covariance": 0.0, "allowance": 0.0, "material": 0.5}
    return pl.DataFrame([{**known, **values}], schema_overrides={"sd_from": pl.Float64, "sd_to": pl.Float64})


@pytest.mark.parametrize("case", ["welch1", "welch2", "welch3"])
def test_scores_equal_r_t_test(reference, case):
    r = reference[case]
    row = add_differences(
        pair(
            unit="score", estimate_from=r["mean_from"], estimate_to=r["mean_to"], sd_from=r["sd_from"],
            sd_to=r["sd_to"], n_from=r["n_from"], n_to=r["n_to"],
        )
    ).row(0, named=True)  # fmt: skip
    wanted = {
        "std_error": "se", "df": "df", "statistic": "t", "p_value": "p", "conf_low": "low", "conf_high": "high",
        "p_equivalence": "p_equivalence",
    }  # fmt: skip
    for ours, theirs in wanted.items():
        assert row[ours] == pytest.approx(r[theirs], rel=1e-10), ours


@pytest.mark.parametrize("case", ["percent1", "percent2", "percent3", "percent4", "percent5"])
def test_percentages_equal_agresti_and_caffo(reference, case):
    r = reference[case]
    shares = {f"estimate_{e}": 100 * r[f"x_{e}"] / r[f"n_{e}"] for e in ("from", "to")}
    row = add_differences(pair(unit="percent", n_from=r["n_from"], n_to=r["n_to"], **shares)).row(
        0, named=True
    )
    assert row["conf_low"] == pytest.approx(100 * r["ac_low"], abs=1e-9)
    assert row["conf_high"] == pytest.approx(100 * r["ac_high"], abs=1e-9)
    assert row["std_error"] == pytest.approx(100 * r["ac_se"], abs=1e-9)
    assert row["p_value"] == pytest.approx(r["ac_p"], rel=1e-9)
    assert row["difference"] == pytest.approx(shares["estimate_to"] - shares["estimate_from"])


@pytest.mark.parametrize("case", ["percent1", "percent4"])
def test_newcombe_agrees_where_bases_are_large(reference, case):
    """Another method that holds near 0 and 100: statsmodels' equals R's, and ours lies within a point of it."""
    r = reference[case]
    other = confint_proportions_2indep(r["x_to"], r["n_to"], r["x_from"], r["n_from"], method="newcomb")
    assert other == pytest.approx((r["newcombe_low"], r["newcombe_high"]), abs=1e-9)
    assert r["ac_low"] == pytest.approx(r["newcombe_low"], abs=0.01)
    assert r["ac_high"] == pytest.approx(r["newcombe_high"], abs=0.01)


def test_agresti_and_caffo_by_hand():
    """5 of 10 against 0 of 10, by the formula of Agresti and Caffo (2000) on paper.

    (6/12 - 1/12) +- 1.96 sqrt(6/12 * 6/12 / 12 + 1/12 * 11/12 / 12) = 0.4167 +- 1.96 * 0.1649.
    """
    row = add_differences(pair(unit="percent", estimate_from=0.0, estimate_to=50.0, n_from=10, n_to=10)).row(
        0, named=True
    )
    assert row["conf_low"] == pytest.approx(41.667 - 32.32, abs=0.01)
    assert row["conf_high"] == pytest.approx(41.667 + 32.32, abs=0.01)


def test_holm_and_benjamini_hochberg_equal_r_and_stay_within_a_breakdown(reference):
    r = reference["adjust"]
    p = [r[f"p{i}"] for i in range(1, 11)]
    two = pl.DataFrame({"p_value": [*p, 0.04], "breakdown": ["all"] * 10 + ["locality_1"], "why_not": None})
    for name in ("holm", "bh"):
        found = adjust_p(two, name)["p_adjusted"]
        assert found[:10].to_list() == pytest.approx([r[f"{name}{i}"] for i in range(1, 11)], abs=1e-12)
        assert found[10] == pytest.approx(0.04)
    with pytest.raises(UnknownNameError, match="no adjustment 'bonferroni'"):
        adjust_p(two, "bonferroni")


def test_what_is_not_comparable_is_in_no_family():
    table = pl.DataFrame({"p_value": [0.01, 0.02], "breakdown": "all", "why_not": [None, "a break"]})
    assert adjust_p(table, "holm")["p_adjusted"].to_list() == [0.01, None]


def test_the_official_flag_is_the_pooled_t_test(reference):
    for case in ("welch1", "welch2", "welch3"):
        r = reference[case]
        row = pl.DataFrame(
            {
                "estimate_from": r["mean_from"], "sd_from": r["sd_from"], "base_from": r["n_from"],
                "estimate_to": r["mean_to"], "sd_to": r["sd_to"], "base_to": r["n_to"],
                "difference": r["mean_to"] - r["mean_from"], "level": "theme", "why_not": None,
            }
        )  # fmt: skip
        flag = official_flag(row, ["element", "theme"])["official_flag"].item()
        assert flag == (int(np.sign(r["mean_to"] - r["mean_from"])) if r["pooled_p"] < 0.05 else 0)


def test_the_covariance_of_the_same_people_gives_the_paired_standard_error():
    rng = np.random.default_rng(3)
    first = rng.normal(6, 2, 80)
    second = first + rng.normal(0.2, 1, 80)
    covariance = float(np.cov(first, second)[0, 1]) / 80
    row = add_differences(
        pair(
            unit="score", estimate_from=first.mean(), estimate_to=second.mean(), sd_from=first.std(ddof=1),
            sd_to=second.std(ddof=1), n_from=80, n_to=80, covariance=covariance,
        )
    ).row(0, named=True)  # fmt: skip
    paired = ttest_rel(second, first)
    assert row["statistic"] == pytest.approx(paired.statistic, rel=1e-10)
    assert row["std_error"] == pytest.approx((second - first).std(ddof=1) / np.sqrt(80), rel=1e-10)


def test_an_allowance_widens_the_interval_and_is_taken_off_before_testing():
    plain = pair(
        unit="score", estimate_from=6.0, estimate_to=6.2, sd_from=2.0, sd_to=2.0, n_from=1000, n_to=1000
    )
    without, with_it = (
        add_differences(t).row(0, named=True) for t in (plain, plain.with_columns(allowance=pl.lit(0.05)))
    )
    assert with_it["conf_low"] == pytest.approx(without["conf_low"] - 0.05)
    assert with_it["conf_high"] == pytest.approx(without["conf_high"] + 0.05)
    assert with_it["statistic"] == pytest.approx(without["statistic"] * 0.15 / 0.2)
    assert with_it["p_equivalence"] > without["p_equivalence"]
    inside = add_differences(plain.with_columns(allowance=pl.lit(0.3))).row(0, named=True)
    assert inside["p_value"] == 1.0


def test_no_spread_is_not_a_certain_change():
    row = add_differences(
        pair(unit="score", estimate_from=10.0, estimate_to=9.0, sd_from=0.0, sd_to=0.0, n_from=20, n_to=20)
    ).row(0, named=True)
    assert row["p_value"] is None and row["difference"] == -1.0


def test_a_base_that_no_change_could_be_seen_in_has_no_detectable_change():
    row = add_differences(pair(unit="percent", estimate_from=50.0, estimate_to=50.0, n_from=3, n_to=3)).row(
        0, named=True
    )
    assert row["detectable_change"] is None
