"""Trends: lines against R, turning points that are there and that are not, breaks, ranks, regression to the mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from culture_metrics import trend
from culture_metrics.compare import recovery
from culture_metrics.compare.lines import fit_lines
from culture_metrics.contract import as_distributions, as_organisations, as_results
from culture_metrics.errors import ComparabilityError, ResultsError, UnknownNameError
from culture_metrics.published import Published
from data_schemas.columns import DISTRIBUTIONS

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "trend_lines.csv"


def results(values: dict[str, float], measure="staff_engagement", error=0.03, **columns) -> pl.DataFrame:
    unit = "percent" if measure in ("musculoskeletal_problems", "recommend_place_to_work") else "score"
    constant = {
        "survey": "nss_england", "organisation": "RXX", "breakdown": "all", "group": "all", "measure": measure,
        "unit": unit, "std_error": error, "base": 900, "effective_base": 900.0, "weighting": "none",
        "status": "reported", "source": "respondents", **columns,
    }  # fmt: skip
    frame = pl.DataFrame({"period": list(values), "estimate": list(values.values())})
    return as_results(frame.with_columns(**{k: pl.lit(v) for k, v in constant.items()}))


def fit_line(years, values, variances, names) -> dict:
    """One series, with the turning point as `trend` marks it where there is no other series."""
    line = fit_lines(years, [values], [variances], names).row(0, named=True)
    return line | {"turning_point": line["turning_point"] if (line["p_turned"] or 1) < 0.05 else None}


def test_lines_equal_r():
    """Weighted least squares with known variances; made by tests/reference/trend_lines.R."""
    for row in pl.read_csv(REFERENCE).iter_rows(named=True):
        years, values, variances = (
            [float(v) for v in row[c].split()] for c in ("years", "values", "variances")
        )
        line = fit_line(years, values, variances, [str(int(y)) for y in years])
        assert line["slope"] == pytest.approx(row["slope"], rel=1e-9)
        assert line["std_error"] == pytest.approx(row["std_error"], rel=1e-9)
        assert line["p_value"] == pytest.approx(row["p"], rel=1e-7)
        assert line["p_not_straight"] == pytest.approx(row["p_not_straight"], rel=1e-7)


def test_years_count_as_they_are_spaced():
    even = fit_line([2021, 2022, 2023], [6.0, 6.1, 6.2], [0.01] * 3, ["a", "b", "c"])
    gap = fit_line([2021, 2022, 2024], [6.0, 6.1, 6.3], [0.01] * 3, ["a", "b", "c"])
    assert even["slope"] == pytest.approx(gap["slope"]) == pytest.approx(0.1)


def test_slope_and_turning_point_hold_their_error_rates():
    """20,000 flat series of five years: slopes beyond chance 4.5 to 5.5 %, turning points at most 5 %."""
    rng = np.random.default_rng(11)
    years, names = [2021, 2022, 2023, 2024, 2025], list("abcde")
    flat = fit_lines(years, 6 + 0.05 * rng.standard_normal((20_000, 5)), np.full((20_000, 5), 0.0025), names)
    assert 0.045 <= (flat["p_value"] < 0.05).mean() <= 0.055
    assert 0.045 <= (flat["p_not_straight"] < 0.05).mean() <= 0.055
    assert (flat["p_turned"] < 0.05).mean() <= 0.05
    rising = np.linspace(6, 6.6, 5) + 0.05 * rng.standard_normal((2000, 5))
    assert (fit_lines(years, rising, np.full((2000, 5), 0.0025), names)["p_turned"] < 0.05).mean() <= 0.05


def test_a_turning_point_is_marked_where_it_is_and_only_with_four_years():
    years = [2021, 2022, 2023, 2024, 2025]
    names = [str(y) for y in years]
    fell_and_rose = [6.6, 6.3, 6.0, 6.25, 6.5]
    assert fit_line(years, fell_and_rose, [0.0009] * 5, names)["turning_point"] == "2023"
    assert fit_line(years, fell_and_rose, [0.09] * 5, names)["turning_point"] is None
    assert fit_line(years[:3], [6.6, 6.0, 6.6], [0.0009] * 3, names[:3])["turning_point"] is None
    turned = trend(results(dict(zip(names, fell_and_rose, strict=True))))
    assert turned.summary() == "Staff engagement, 2021 to 2025: turned in 2023."
    assert "It turned in 2023." in turned.figure("E").layout.meta["alt"]
    # A kink that does not change direction is no turning point.
    assert fit_line(years, [6.0, 6.05, 6.1, 6.5, 6.9], [0.0009] * 5, names)["turning_point"] is None


def test_every_year_is_set_against_the_first_comparable_one():
    found = trend(results({"2021": 6.0, "2022": 6.1, "2023": 6.2, "2024": 6.3}))
    row = found.table.row(0, named=True)
    assert (row["first_period"], row["last_period"], row["periods"]) == ("2021", "2024", 4)
    assert row["slope"] == pytest.approx(0.1)
    assert found.points["difference"].to_list() == [None, *map(pytest.approx, (0.1, 0.2, 0.3))]
    assert found.points["p_value"][3] < 0.001
    assert "Staff engagement, 2021 to 2024: rising (+0.10 a year" in found.summary()
    assert found.figure("staff_engagement").layout.meta["source"] == "Respondent files"


def test_years_before_a_break_are_shown_and_left_out_of_the_line():
    values = {"2021": 35.0, "2022": 34.0, "2023": 33.0, "2024": 32.0, "2025": 20.0}
    with pytest.raises(ComparabilityError, match="No measure has three years that compare"):
        trend(results(values, "musculoskeletal_problems", error=1.6))
    found = trend(
        pl.concat(
            [
                results(values, "musculoskeletal_problems", 1.6),
                results(values | {"2025": 31.0}, "recommend_place_to_work", 1.6),
            ]
        )
    )
    assert found.table["measure"].to_list() == ["recommend_place_to_work"]
    adjusted = {"2021": 70.0, "2022": 71.0, "2023": 72.0, "2024": 73.0}
    kept = trend(results(adjusted, "adjustments_made", 1.5, unit="percent"))
    assert kept.table["first_period"].item() == "2022"
    first = kept.points.row(0, named=True)
    assert (first["period"], first["comparable"]) == ("2021", False)
    assert "adequate" in first["reason"]


def test_a_faulty_year_in_between_is_left_out():
    found = trend(results({"2021": 6.0, "2022": 6.1, "2023": 9.0, "2024": 6.3}, "safe_and_healthy"))
    assert found.table.row(0, named=True)["slope"] == pytest.approx(0.1)
    assert found.points.filter(~pl.col("comparable"))["period"].to_list() == ["2023"]


def group_of(values: np.ndarray, periods=("2022", "2023", "2024"), release="2024") -> Published:
    """A benchmark workbook of as many organisations as `values` has rows, a column a year."""
    codes = [f"R{i:02d}" for i in range(values.shape[0])]
    rows = pl.concat(
        pl.DataFrame({"organisation": codes, "estimate": values[:, j]}).with_columns(period=pl.lit(p))
        for j, p in enumerate(periods)
    )
    constant = {
        "survey": "nss_england", "breakdown": "all", "group": "all", "measure": "staff_engagement", "unit": "score",
        "base": 900, "weighting": "occupation_group", "status": "reported", "source": "published",
    }  # fmt: skip
    listed = pl.DataFrame({"organisation": codes}).with_columns(
        survey=pl.lit("nss_england"),
        period=pl.lit(periods[-1]),
        name=pl.col("organisation"),
        benchmark_group=pl.lit("Acute"),
    )
    return Published(
        survey="nss_england", period=periods[-1],
        results=as_results(rows.with_columns(**{k: pl.lit(v) for k, v in constant.items()})),
        distributions=as_distributions(pl.DataFrame(schema=DISTRIBUTIONS)),
        organisations=as_organisations(listed), provenance={"release": release, "layout": "benchmark"},
    )  # fmt: skip


def test_rank_and_percentile_by_year_are_those_of_the_benchmark():
    from culture_metrics import benchmark

    values = np.array([[6.0, 6.5, 7.0], [6.2, 6.2, 6.2], [6.4, 6.4, 6.4], [7.0, 7.0, 7.0]])
    book = group_of(values)
    points = trend(book, organisation="R00").points
    assert points["rank"].to_list() == [4, 2, 1]
    assert points["percentile"].to_list() == pytest.approx([0, 200 / 3, 250 / 3])
    newest = benchmark(book, "R00").table.filter(measure="staff_engagement").row(0, named=True)
    assert (newest["rank"], newest["percentile"]) == (1, pytest.approx(points["percentile"][2]))


def test_recovery_of_trusts_that_only_had_bad_luck_is_all_expected():
    """Galton: true values that never change, each year with as much chance as there is truth: half comes back."""
    rng = np.random.default_rng(12)
    truth = rng.normal(7, 0.2, 400)
    book = group_of(np.column_stack([truth + rng.normal(0, 0.2, 400) for _ in range(2)]), ("2023", "2024"))
    found = recovery(book, 2023, 2024, "E")
    assert found.persistence == pytest.approx(0.5, abs=0.12)
    assert found.table.height == 40
    share = found.table["expected"].sum() / found.table["recovery"].sum()
    assert share == pytest.approx(1.0, abs=0.2)
    assert found.table["beyond"].mean() <= 0.1
    # Barnett, van der Pols and Dobson (2005), formula 1: below a cut at the lowest tenth (z = 1.2816) the mean
    # comes back by total sd * (1 - r) * density / share.
    total, density = np.sqrt(0.08), 0.17550
    assert found.table["expected"].mean() == pytest.approx(total * 0.5 * density / 0.1, abs=0.06)


def test_a_recovery_beyond_regression_to_the_mean_is_told_apart():
    rng = np.random.default_rng(13)
    truth = rng.normal(7, 0.3, 100)
    later = truth + rng.normal(0, 0.05, 100)
    lowest = int(np.argmin(truth))
    later[lowest] += 0.6
    found = recovery(group_of(np.column_stack([truth, later]), ("2023", "2024")), 2023, 2024, "E")
    beyond = found.table.filter("beyond")["organisation"].to_list()
    assert beyond == [f"R{lowest:02d}"]
    assert "regression to the mean would give anyway" in found.summary()


def test_what_cannot_be_done_is_said():
    with pytest.raises(ComparabilityError, match="three years that compare"):
        trend(results({"2023": 6.0, "2024": 6.1}))
    with pytest.raises(UnknownNameError, match="RXX"):
        trend(results({"2022": 6.0, "2023": 6.0, "2024": 6.1}), organisation="RXY")
    with pytest.raises(ResultsError, match="Too few organisations"):
        recovery(group_of(np.full((5, 2), 6.5), ("2023", "2024")), 2023, 2024, "E")
    with pytest.raises(ComparabilityError, match="two releases"):
        recovery(
            [group_of(np.full((30, 1), 6.5), ("2023",), "2023"), group_of(np.full((30, 1), 6.5), ("2024",), "2024")],
            2023, 2024, "E",
        )  # fmt: skip


def test_the_summary_says_whose_trend_it_is_the_whole_first():
    """Groups fall clearly while the whole does not move: no sentence may pass for that of the whole."""
    rows = [
        {"survey": "nss_england", "period": str(2022 + i), "organisation": "RXX", "breakdown": breakdown,
         "group": group, "measure": "staff_engagement", "unit": "score", "estimate": start + slope * i,
         "std_error": 0.05, "base": 400, "effective_base": 400.0, "weighting": "none", "status": "reported",
         "source": "respondents"}
        for breakdown, group, start, slope in (
            ("all", "all", 6.8, 0.0), ("locality_1", "Theatres", 7.2, -0.4), ("locality_1", "Wards", 6.4, 0.4)
        )
        for i in range(3)
    ]  # fmt: skip
    said = trend(as_results(pl.DataFrame(rows))).summary()
    assert said.startswith("Staff engagement, 2022 to 2024: no clear trend")
    assert "Staff engagement, Theatres, 2022 to 2024: falling" in said
    assert "Staff engagement, Wards, 2022 to 2024: rising" in said


def test_a_trend_is_drawn_by_any_name_of_its_breakdown():
    values = {"2022": 6.0, "2023": 6.1, "2024": 6.3}
    own = results(values, "morale", breakdown="locality_1", group="North")
    found = replace(trend(own, ["morale"]), names={"locality_1": "Directorate"})
    ours = found.figure("Morale", "Directorate", "North")
    assert ours.to_dict() == found.figure("morale", "locality_1", "North").to_dict()
    assert ours.numbers.frame["Value"].to_list() == ["6.00", "6.10", "6.30"]
    with pytest.raises(UnknownNameError, match="breakdown in this trend"):
        found.figure("morale", "Ward")
    with pytest.raises(UnknownNameError, match="group in this trend"):
        found.figure("morale", "Directorate", "Nowhere")
