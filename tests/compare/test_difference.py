"""Tests and intervals of a difference against R, and against scipy and statsmodels where they do the same."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import ttest_rel

from culture_metrics.compare.difference import add_detectable, add_differences
from culture_metrics.compare.families import adjust_p
from culture_metrics.compare.verdict import official_flag
from culture_metrics.errors import UnknownNameError

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "two_years.csv"
#: Made by tests/reference/score_interval.R.
SCORE = pl.read_csv(REFERENCE.with_name("score_interval.csv"), infer_schema=False).cast(pl.Float64)


@pytest.fixture(scope="module")
def reference():
    """Made by tests/reference/two_years.R."""
    cases: dict[str, dict[str, float]] = defaultdict(dict)
    for case, quantity, value in pl.read_csv(REFERENCE, infer_schema=False).iter_rows():
        cases[case][quantity] = float(value.strip())
    return cases


def pair(**values) -> pl.DataFrame:
    """Two simple random samples: standard errors and degrees of freedom follow from spread and base."""
    known = {"sd_from": None, "sd_to": None, "covariance": 0.0, "allowance": 0.0, "material": 0.5} | values
    for end in ("from", "to"):
        n, sd, p = known[f"n_{end}"], known[f"sd_{end}"], known[f"estimate_{end}"] / 100
        score = known["unit"] == "score"
        known[f"se_{end}"] = sd / n**0.5 if score else 100 * (p * (1 - p) / n) ** 0.5
        known[f"df_{end}"] = n - 1.0 if score else np.inf
    return pl.DataFrame([known], schema_overrides={"sd_from": pl.Float64, "sd_to": pl.Float64})


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


def counts(r) -> pl.DataFrame:
    shares = {f"estimate_{e}": 100 * r[f"x_{e}"] / r[f"n_{e}"] for e in ("from", "to")}
    return pair(unit="percent", n_from=r["n_from"], n_to=r["n_to"], **shares)


@pytest.mark.parametrize("r", SCORE.rows(named=True))
def test_percentages_equal_the_score_test_and_its_interval_in_r(r):
    """The pooled test is R's chi-squared test, the interval is that test turned round (Mee 1984)."""
    row = add_differences(counts(r)).row(0, named=True)
    assert row["conf_low"] == pytest.approx(100 * r["low"], abs=3e-6)
    assert row["conf_high"] == pytest.approx(100 * r["high"], abs=3e-6)
    if np.isnan(r["z"]):  # 0 of 11 and 0 of 30: R divides 0 by 0; nothing speaks for a change
        assert (row["statistic"], row["p_value"]) == (0, 1)
    else:
        assert row["statistic"] == pytest.approx(r["z"], rel=1e-9)
        assert row["p_value"] == pytest.approx(r["p"], rel=1e-8)
    share = [r[f"x_{e}"] / r[f"n_{e}"] for e in ("from", "to")]
    assert row["difference"] == pytest.approx(100 * (share[1] - share[0]))
    plain = sum(p * (1 - p) / r[f"n_{e}"] for p, e in zip(share, ("from", "to"), strict=True))
    assert row["std_error"] == pytest.approx(100 * plain**0.5)


def test_test_and_interval_of_percentages_never_disagree():
    """Every table of 8 and 13 answers, and 2,000 larger ones: p below 5 % exactly where 0 lies outside."""
    rng = np.random.default_rng(4)
    small = [(i, 8, j, 13) for i in range(9) for j in range(14)]
    n, m = rng.integers(11, 4000, (2, 2000))
    large = zip(rng.binomial(n, 0.04), n, rng.binomial(m, 0.05), m, strict=True)
    rows = pl.concat(
        counts(dict(zip(("x_from", "n_from", "x_to", "n_to"), map(int, k), strict=True)))
        for k in [*small, *large]
    )
    found = add_differences(rows)
    outside = (found["conf_low"] > 0) | (found["conf_high"] < 0)
    assert (outside == (found["p_value"] < 0.05)).all()
    assert 20 < outside.sum() < found.height - 20
    assert found["conf_low"].min() >= -100 and found["conf_high"].max() <= 100
    assert (found["conf_low"] < found["conf_high"]).all()
    within = (found["conf_low"] > -0.5) & (found["conf_high"] < 0.5)
    assert (within == (found["p_equivalence"] < 0.025)).all()


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
    three = pair(unit="percent", estimate_from=50.0, estimate_to=50.0, n_from=3, n_to=3)
    row = add_detectable(add_differences(three).with_columns(critical=pl.lit(0.05))).row(0, named=True)
    assert row["detectable_change"] is None
