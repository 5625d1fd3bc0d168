"""Before and after: a planted effect is found, none where there is none, and intervals hold."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

import culture_metrics as cm
from culture_metrics.compare.did import one_against_group, organisations_against_group
from culture_metrics.contract import as_results
from culture_metrics.errors import ComparabilityError, ResultsError, UnknownNameError

MEASURES = {
    "recommend_place_to_work": "percent", "recommend_for_treatment": "percent",
    "care_is_top_priority": "percent", "raising_concerns": "score",
}  # fmt: skip
DRAWS = 2_000


def made(changes, measures=MEASURES, base=900, level=60.0):
    """Published figures: organisation -> what is added to 60 % (6.0) in each year."""
    rows = [
        {
            "survey": "nss_england", "period": str(year), "organisation": code, "breakdown": "all",
            "group": "all", "measure": measure, "unit": unit, "base": base, "weighting": "occupation_group",
            "status": "reported", "source": "published",
            "estimate": (level + more) * (0.1 if unit == "score" else 1.0),
        }
        for code, years in changes.items()
        for year, more in years.items()
        for measure, unit in measures.items()
    ]  # fmt: skip
    return as_results(pl.DataFrame(rows))


CONTROLS = {
    f"R{i:02}": {2022: 0.1 * i, 2023: 0.1 * i + 1, 2024: 0.1 * i + (2 if i % 2 else 0)} for i in range(1, 13)
}


@pytest.mark.parametrize("effect", [0.0, 3.0])
@pytest.mark.parametrize(("organisations", "apart"), [(20, 1.5), (20, 0.5), (8, 1.0), (60, 2.0)])
def test_one_organisation_its_interval_holds(effect, organisations, apart):
    """2,000 draws: what organisations move apart, sampling of unequal size, and the effect."""
    rng = np.random.default_rng(organisations)
    errors = 1.2 * rng.uniform(0.7, 1.3, (DRAWS, organisations))
    others = 1 + rng.normal(0, apart, errors.shape) + rng.normal(0, errors)
    own = 1 + effect + rng.normal(0, apart, DRAWS) + rng.normal(0, 1.2, DRAWS)
    found = one_against_group(own, 1.2, np.inf, others, errors)
    low, high = found.interval(0.95)
    assert 0.93 <= np.mean((low <= effect) & (effect <= high)) <= 0.97
    assert np.mean(found.estimate) == pytest.approx(effect, abs=0.15)
    alarms = np.mean(found.p_value < 0.05)
    assert alarms <= 0.07 if effect == 0 else alarms > 0.12


def test_without_their_sampling_errors_the_interval_is_wider_never_narrower():
    rng = np.random.default_rng(1)
    changes, errors = rng.normal(1, 1.5, (50, 20)), np.full((50, 20), 1.0)
    known = one_against_group(2.0, 1.0, np.inf, changes, errors)
    unknown = one_against_group(2.0, 1.0, np.inf, changes, errors * np.nan)
    assert (unknown.std_error >= known.std_error).all() and (unknown.std_error > known.std_error).any()


@pytest.mark.parametrize("effect", [0.0, 2.0])
def test_several_organisations_their_interval_holds(effect):
    """2,000 draws of what `organisations_against_group` is equal to: Welch's interval of the changes."""
    rng = np.random.default_rng(2)
    with_it, without = 1 + effect + rng.normal(0, 1.5, (DRAWS, 8)), 1 + rng.normal(0, 2.0, (DRAWS, 40))
    welch = stats.ttest_ind(with_it, without, axis=1, equal_var=False)
    ends = welch.confidence_interval(0.95)
    assert 0.93 <= np.mean((ends.low <= effect) & (effect <= ends.high)) <= 0.97
    assert np.mean(welch.pvalue < 0.05) <= 0.07 if effect == 0 else np.mean(welch.pvalue < 0.05) > 0.8
    for draw in range(3):
        found = organisations_against_group(with_it[draw], without[draw])
        assert found.interval(0.95) == pytest.approx((ends.low[draw], ends.high[draw]), rel=1e-9)
        assert found.p_value == pytest.approx(welch.pvalue[draw], rel=1e-7)


def test_several_organisations_are_the_two_way_regression_clustered_by_organisation():
    """Dummies of organisations and years in levels, by statsmodels, give the same difference."""
    import statsmodels.api as sm

    changes = {"A": {2022: 0, 2024: 6}, "B": {2022: 1, 2024: 5}, "C": {2022: 3, 2024: 8}}
    some = {code: {2022: years[2022], 2024: years[2024]} for code, years in CONTROLS.items()}
    results = made(changes | some, {"recommend_place_to_work": "percent"})
    found = cm.before_after(results, list(changes), baseline=2022, follow_up=2024, release="2024")
    frame = results.with_columns(d=pl.col("organisation").is_in(list(changes)) & (pl.col("period") == "2024"))
    x = frame.select(pl.col("d").cast(pl.Float64), (pl.col("period") == "2024").cast(pl.Float64).alias("t"))
    dummies = frame.select("organisation").to_dummies().cast(pl.Float64)
    fitted = sm.OLS(frame["estimate"].to_numpy(), np.column_stack([x.to_numpy(), dummies.to_numpy()])).fit(
        cov_type="cluster", cov_kwds={"groups": frame["organisation"].rank("dense").to_numpy()}
    )
    row = found.table.row(0, named=True)
    assert row["estimate"] == pytest.approx(fitted.params[0], rel=1e-9)
    assert (row["organisations"], row["controls"], row["method"]) == (3, 12, "clustered by organisation")
    # CR1 of statsmodels and CR2 differ by the correction for few clusters only.
    assert row["std_error"] == pytest.approx(fitted.bse[0], rel=0.25)


def test_by_hand_with_what_came_before():
    """Control: changes 2 and -0 in turn, so +1 on average; the own +8: the difference is +7 points."""
    results = made({"RXX": {2022: 0.0, 2023: 1.0, 2024: 9.0}} | CONTROLS)
    found = cm.before_after(results, "RXX", baseline=2023, follow_up=2024, release="2024")
    assert found.table["measure"].unique(maintain_order=True).to_list() == list(MEASURES)
    percent = found.table.filter(measure="recommend_place_to_work", period="2024").row(0, named=True)
    assert percent["own_change"] == pytest.approx(8.0)
    assert percent["control_change"] == pytest.approx(0.0)
    assert percent["estimate"] == pytest.approx(8.0)
    # Sampling of the own: p (1 - p) / (900 / 1.1) of 61 and 69 %; of the group: changes of 1 and -1.
    sampling = 1.1 / 900 * (61 * 39 + 69 * 31)
    assert percent["own_std_error"] == pytest.approx(np.sqrt(sampling), rel=0.02)
    assert percent["control_sd"] == pytest.approx(np.sqrt(12 / 11), rel=1e-6)
    # The group moves apart by less than sampling alone would have it: its spread adds s² / n only.
    assert percent["std_error"] == pytest.approx(
        np.sqrt(percent["own_std_error"] ** 2 + 12 / 11 / 12), rel=1e-6
    )
    early = found.table.filter(measure="recommend_place_to_work", period="2022").row(0, named=True)
    assert (early["phase"], early["estimate"]) == ("before", pytest.approx(0.0))
    assert found.table.filter(measure="raising_concerns", period="2024")["estimate"].item() == pytest.approx(
        0.8
    )
    said = found.summary()
    assert "+8.0 points" in said and "no difference from the control was beyond chance" in said
    assert not any(word in said for word in ("caused", "led to", "because of"))
    assert "dot" in found.figure().to_json() and found.figure().layout.meta["alt"].count(";") == 0


def test_lines_that_did_not_run_alike_before_are_said():
    results = made(
        {"RXX": {2022: -9.0, 2023: 1.0, 2024: 11.0}} | CONTROLS, {"recommend_place_to_work": "percent"}
    )
    found = cm.before_after(results, "RXX", baseline=2023, follow_up=2024, release="2024")
    assert "did not run alike: Would recommend as a place to work in 2022" in found.summary()


def test_no_control_no_difference_and_a_break_is_refused():
    alone = made({"RXX": {2022: 6.0, 2024: 17.0}}, {"recommend_place_to_work": "percent"})
    found = cm.before_after(alone, "RXX", baseline=2022, follow_up=2024, release="2024")
    row = found.table.row(0, named=True)
    assert (row["own_change"], row["estimate"], row["method"]) == (11.0, None, "nothing to set it against")
    assert "Fewer than 3 organisations" in found.summary() and "no earlier year" in found.summary()
    broken = made({"RXX": {2024: 0.0, 2025: 1.0}, **{f"R{i}": {2024: 0.0, 2025: 0.1 * i} for i in range(5)}},
                  {"diversity_and_equality": "score"})  # fmt: skip
    told = cm.before_after(broken, "RXX", baseline=2024, follow_up=2025, measures=["PP1_3"], release="2024")
    assert told.table["estimate"].item() is None and told.table["reason"].item()


def test_one_start_and_periods_in_order():
    results = made({"RXX": {2022: 0.0, 2023: 0.0, 2024: 0.0}} | CONTROLS)
    given = {"baseline": 2022, "follow_up": 2024, "release": "2024"}
    with pytest.raises(ComparabilityError, match="have one start") as caught:
        cm.before_after(results, ["RXX", "R01"], **given, start={"RXX": 2023, "R01": 2024})
    assert "before_after(results, ['RXX'], baseline=…, start=2023, follow_up=…, leave_out=['R01'])" in (
        caught.value.hint
    )
    with pytest.raises(ComparabilityError, match="starts after its baseline"):
        cm.before_after(results, "RXX", baseline=2024, follow_up=2022)
    with pytest.raises(UnknownNameError, match="RQQ"):
        cm.before_after(results, "RQQ", **given)
    phases = cm.before_after(results, "RXX", **given, start=2024, measures=["q25c"]).table
    assert phases.select("period", "phase").rows() == [("2023", "between"), ("2024", "after")]


def test_those_of_another_start_are_no_control():
    """By hand: the controls move by 2 or 0 from 2022 to 2024, R01 with its own programme by 20 more."""
    moved = {code: dict(years) for code, years in CONTROLS.items()}
    moved["R01"][2024] += 20.0
    results = made({"RXX": {2022: 0.0, 2023: 1.0, 2024: 5.0}} | moved, {"recommend_place_to_work": "percent"})
    given = {"baseline": 2022, "follow_up": 2024, "start": 2023, "release": "2024"}
    all_of = cm.before_after(results, "RXX", **given)
    apart = cm.before_after(results, "RXX", **given, leave_out=["R01"])
    rest = [years[2024] - years[2022] for code, years in CONTROLS.items() if code != "R01"]
    row = apart.table.filter(period="2024").row(0, named=True)
    assert (row["controls"], row["control_change"]) == (11, pytest.approx(np.mean(rest)))
    assert row["estimate"] == pytest.approx(5 - np.mean(rest))
    assert row["estimate"] - all_of.table.filter(period="2024")["estimate"].item() > 1.6
    assert "No control, with a programme from another start: R01." in " ".join(apart.rules())
    with pytest.raises(ResultsError, match="cannot have the programme and be left out"):
        cm.before_after(results, "RXX", **given, leave_out="RXX")
    with pytest.raises(UnknownNameError, match="RQQ"):
        cm.before_after(results, "RXX", **given, leave_out=["RQQ"])


def test_a_code_means_the_question_of_the_last_year():
    """q25c asks about working from home in 2022 and about recommending in 2024."""
    results = made({"RXX": {2022: 0.0, 2024: 1.0}} | CONTROLS, {"recommend_place_to_work": "percent"})
    found = cm.before_after(results, "RXX", baseline=2022, follow_up=2024, measures=["q25c"], release="2024")
    assert found.table["measure"].unique().to_list() == ["recommend_place_to_work"]
