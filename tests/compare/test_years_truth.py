"""What the verdicts are worth: 2,000 pairs of years drawn from a synthetic trust whose values are known.

The trust is one draw of 6,000 synthetic respondents, taken as the whole population; a year is a sample with
replacement from it, so that without a planted change nothing changes. Shares have a standard error of about
half a point: the seeds are fixed.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy.stats import binom, norm

from culture_metrics import score, synthetic
from culture_metrics.compare.difference import add_detectable, add_differences
from culture_metrics.compare.families import adjust_p
from culture_metrics.compare.score_test import Shares, statistic
from culture_metrics.compare.verdict import judge

DRAWS = 2000
FIRST, SECOND = 120, 150


@pytest.fixture(scope="module")
def people() -> dict[str, np.ndarray]:
    """Every score of the people who have all of them."""
    extract = synthetic.respondents(2024, respondents_per_organisation=6_000, seed=5)
    scores = score(extract).select(*extract.edition.scores).drop_nulls()
    return {name: scores[name].to_numpy() for name in scores.columns}


def drawn(values: np.ndarray, rows: np.ndarray, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each sample."""
    sample = values[rows] + shift
    return sample.mean(axis=1), sample.std(axis=1, ddof=1)


def scores_table(
    people, shifts: dict[str, float], seed: int, sizes=(FIRST, SECOND), draws=DRAWS, material=0.1
) -> pl.DataFrame:
    """One row per draw and score, tested: a draw stands for a breakdown, so it is one family."""
    rng = np.random.default_rng(seed)
    n = len(next(iter(people.values())))
    rows = [rng.integers(0, n, (draws, size), dtype=np.int32) for size in sizes]
    parts = []
    for name, shift in shifts.items():
        (mean, sd), (later, later_sd) = drawn(people[name], rows[0]), drawn(people[name], rows[1], shift)
        parts.append(
            pl.DataFrame(
                {
                    "measure": name, "breakdown": np.arange(draws).astype(str), "estimate_from": mean,
                    "sd_from": sd, "n_from": sizes[0], "estimate_to": later, "sd_to": later_sd, "n_to": sizes[1],
                }
            )
        )  # fmt: skip
    return probed(pl.concat(parts), "score", material)


def shares_table(p: float, q: float, sizes: tuple[int, int], seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return probed(
        pl.DataFrame(
            {
                "measure": "share", "breakdown": np.arange(DRAWS).astype(str), "sd_from": None, "sd_to": None,
                "estimate_from": 100 * rng.binomial(sizes[0], p, DRAWS) / sizes[0], "n_from": sizes[0],
                "estimate_to": 100 * rng.binomial(sizes[1], q, DRAWS) / sizes[1], "n_to": sizes[1],
            },
            schema_overrides={"sd_from": pl.Float64, "sd_to": pl.Float64},
        ),
        "percent",
        1.0,
    )  # fmt: skip


def probed(table: pl.DataFrame, unit: str, material: float) -> pl.DataFrame:
    """Test two simple random samples; `detectable_change` is that of one test alone."""
    score = unit == "score"
    share = {end: pl.col(f"estimate_{end}") / 100 for end in ("from", "to")}
    tested = add_differences(
        table.with_columns(
            unit=pl.lit(unit), covariance=pl.lit(0.0), allowance=pl.lit(0.0), material=pl.lit(material),
            why_not=pl.lit(None, pl.String), direction=pl.lit("higher"),
            **{
                f"se_{end}": pl.col(f"sd_{end}") / pl.col(f"n_{end}").sqrt() if score
                else 100 * (p * (1 - p) / pl.col(f"n_{end}")).sqrt()
                for end, p in share.items()
            },
            **{f"df_{end}": pl.col(f"n_{end}") - 1.0 if score else pl.lit(np.inf) for end in share},
        )
    )  # fmt: skip
    return add_detectable(tested.with_columns(critical=pl.lit(0.05)))


@pytest.fixture(scope="module")
def nothing_changed(people):
    return scores_table(people, dict.fromkeys(people, 0.0), seed=101)


def test_false_positives_of_the_raw_test_are_4_to_6_percent(nothing_changed):
    found = nothing_changed.group_by("measure").agg((pl.col("p_value") < 0.05).mean().alias("share"))
    assert found.height == 30
    assert 0.04 < found["share"].mean() < 0.06
    # Thirty shares of 2,000 draws, each with a standard error of half a point.
    assert found["share"].is_between(0.04, 0.06).sum() >= 27
    assert found["share"].is_between(0.035, 0.065).all()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.61, 0.9])
def test_so_are_those_of_percentages(share):
    found = (shares_table(share, share, (400, 450), seed=int(1000 * share))["p_value"] < 0.05).mean()
    assert 0.04 <= found <= 0.06


@pytest.mark.parametrize("share", [0.005, 0.02, 0.98])
def test_near_0_and_100_the_test_errs_on_the_safe_side(share):
    assert (shares_table(share, share, (150, 150), seed=7)["p_value"] < 0.05).mean() <= 0.06


def test_false_positives_hold_when_most_people_answered_twice():
    """200 and 220 people, 150 of them the same with a correlation of 0.7: linked 4 to 6 %, as strangers far less."""
    rng = np.random.default_rng(110)
    both, own, new = 150, 50, 70
    first = rng.standard_normal((DRAWS, both + own))
    again = 0.7 * first[:, :both] + np.sqrt(1 - 0.49) * rng.standard_normal((DRAWS, both))
    second = np.hstack([again, rng.standard_normal((DRAWS, new))])
    d, e = (x - x.mean(axis=1, keepdims=True) for x in (first, second))
    covariance = (d[:, :both] * e[:, :both]).sum(axis=1) / (first.shape[1] * second.shape[1])
    table = pl.DataFrame(
        {
            "estimate_from": 6 + first.mean(axis=1), "sd_from": first.std(axis=1, ddof=1), "n_from": both + own,
            "estimate_to": 6 + second.mean(axis=1), "sd_to": second.std(axis=1, ddof=1), "n_to": both + new,
        }
    )  # fmt: skip
    plain = probed(table, "score", 0.1)
    linked = add_differences(plain.with_columns(covariance=covariance))
    assert 0.04 <= (linked["p_value"] < 0.05).mean() <= 0.06
    assert (plain["p_value"] < 0.05).mean() < 0.02


def test_intervals_hold_95_percent(nothing_changed):
    held = nothing_changed.select(((pl.col("conf_low") <= 0) & (pl.col("conf_high") >= 0)).mean()).item()
    assert 0.945 < held < 0.955
    table = shares_table(0.03, 0.05, (200, 200), seed=9)
    held = table.select(((pl.col("conf_low") <= 2) & (pl.col("conf_high") >= 2)).mean()).item()
    assert 0.94 <= held <= 0.98


def test_holm_and_bh_hold_the_family_wise_error_where_nothing_changed(nothing_changed):
    bh = adjust_p(nothing_changed, "bh").group_by("breakdown").agg((pl.col("p_adjusted") < 0.05).any())
    assert bh["p_adjusted"].mean() <= 0.05
    # Holm finds something exactly where the smallest p times the number of tests is below 5 %; statsmodels'
    # takes 70 ms, so the library's own is asked for 8 families only.
    smallest = nothing_changed.group_by("breakdown", maintain_order=True).agg(
        pl.col("p_value").min() * 30 < 0.05
    )
    assert smallest["p_value"].mean() <= 0.05
    some = nothing_changed.filter(pl.col("breakdown").is_in([str(i) for i in range(8)]))
    holm = (
        adjust_p(some, "holm")
        .group_by("breakdown", maintain_order=True)
        .agg((pl.col("p_adjusted") < 0.05).any())
    )
    assert holm["p_adjusted"].to_list() == smallest.head(8)["p_value"].to_list()


def test_bh_holds_the_false_discovery_rate_where_some_changed(people):
    """Eight of thirty scores change by 0.8, about 0.4 standard deviations."""
    names = list(people)
    shifts = {n: (0.8 if i % 4 == 0 else 0.0) for i, n in enumerate(names)}
    table = adjust_p(scores_table(people, shifts, seed=102, draws=1000), "bh")
    true = pl.col("measure").is_in([n for n, s in shifts.items() if s])
    found = pl.col("p_adjusted") < 0.05
    families = table.group_by("breakdown").agg(
        wrong=(found & ~true).sum() / pl.max_horizontal(found.sum(), 1),
        right=(found & true).sum() / true.sum(),
    )
    assert families["wrong"].mean() <= 0.05
    assert families["right"].mean() > 0.4


@pytest.mark.parametrize("change", [0.3, -0.3])
def test_no_material_change_is_wrong_in_at_most_5_percent_for_scores(people, change):
    """At the very edge of what matters (0.3 here), where it is wrong most often; enough people to say it."""
    one = {"staff_engagement": people["staff_engagement"]}
    table = scores_table(one, {"staff_engagement": change}, seed=103, sizes=(800, 800), material=0.3)
    verdicts = judge(adjust_p(table, "bh"))["verdict"]
    assert (verdicts == "no material change").mean() <= 0.05 + 0.01  # 2,000 draws: a standard error is 0.005


def test_nor_for_percentages():
    for p, q in ((0.61, 0.62), (0.05, 0.06), (0.9, 0.89)):
        table = adjust_p(shares_table(p, q, (20_000, 20_000), seed=104), "bh")
        verdicts = judge(table)["verdict"]
        assert (
            verdicts == "no material change"
        ).mean() <= 0.05 + 0.01  # one standard error of 2,000 draws: 0.005


def test_no_material_change_is_said_when_nothing_changed_and_enough_answered(people):
    one = {"staff_engagement": people["staff_engagement"]}
    table = scores_table(one, {"staff_engagement": 0.0}, seed=105, sizes=(800, 800), draws=400, material=0.3)
    assert (judge(adjust_p(table, "bh"))["verdict"] == "no material change").mean() > 0.8


def test_power_at_the_printed_detectable_change_is_78_to_82_percent_for_scores(people):
    for name in ("staff_engagement", "appraisals"):
        one = {name: people[name]}
        printed = scores_table(one, {name: 0.0}, seed=106, draws=500)["detectable_change"].mean()
        power = (scores_table(one, {name: float(printed)}, seed=107)["p_value"] < 0.05).mean()
        assert 0.78 <= power <= 0.82, name


@pytest.mark.parametrize("share", [0.1, 0.5, 0.61, 0.9])
def test_power_at_the_printed_detectable_change_is_78_to_82_percent_for_percentages(share):
    sizes = (400, 450)
    exact = probed(
        pl.DataFrame(
            {"sd_from": [None], "sd_to": [None], "estimate_from": [100 * share], "n_from": [400],
             "estimate_to": [100 * share], "n_to": [450]},
            schema_overrides={"sd_from": pl.Float64, "sd_to": pl.Float64},
        ), "percent", 1.0,
    )["detectable_change"].item()  # fmt: skip
    later = share + (1 if share < 0.5 else -1) * exact / 100
    # The power itself, over all tables that can come out, not from draws.
    first, second = (np.arange(n + 1.0) for n in sizes)
    p, q = (x.ravel() for x in np.meshgrid(first / sizes[0], second / sizes[1], indexing="ij"))
    each = [np.full_like(p, v) for v in (*sizes, 0.0)]
    called = np.abs(statistic(Shares(p, q, *each), 0 * p)) > norm.isf(0.025)
    chance = np.outer(binom.pmf(first, sizes[0], share), binom.pmf(second, sizes[1], later)).ravel()
    assert 0.78 <= chance[called].sum() <= 0.82
