"""Run charts of the pulse: limits and rules against published and R's figures, gaps, the annual survey apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from culture_metrics import read_published
from culture_metrics.compare import run_chart
from culture_metrics.compare.pulse import NEAR, OUTSIDE, SHIFT, TREND, calendar, limits, special_causes
from culture_metrics.contract import as_results
from culture_metrics.errors import ComparabilityError, ResultsError, UnknownNameError
from culture_metrics.wording.periods import period_words

REFERENCE = Path(__file__).resolve().parents[1] / "reference" / "run_chart_rules.csv"
ONE_OUTLIER = [1, 2, 1, 2, 10, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 1]


def quarters(n: int, start: int = 2018) -> list[str]:
    return [f"{start + i // 3}-{('Q1', 'Q2', 'Q4')[i % 3]}" for i in range(n)]


def pulse(
    values,
    periods=None,
    organisation="RXX",
    survey="national_quarterly_pulse",
    measure="staff_engagement",
    unit="score",
) -> pl.DataFrame:
    rows = {
        "period": periods or quarters(len(values), 2022),
        "estimate": [None if v is None else float(v) for v in values],
    }
    base = pl.when(pl.col("estimate").is_not_null()).then(500)
    status = (
        pl.when(pl.col("estimate").is_null())
        .then(pl.lit("suppressed_small_base"))
        .otherwise(pl.lit("reported"))
    )
    constant = {
        "survey": survey, "organisation": organisation, "breakdown": "all", "group": "all",
        "measure": measure, "unit": unit, "weighting": "none", "source": "published",
    }  # fmt: skip
    frame = pl.DataFrame(rows, schema={"period": pl.String, "estimate": pl.Float64})
    return as_results(
        frame.with_columns(base=base, status=status, **{k: pl.lit(v) for k, v in constant.items()})
    )


def test_limits_equal_the_published_example():
    """NHSRplotthedots, vignette "Deviations from Excel defaults": upper 4.6, mean 1.94, lower -0.72."""
    mean, reach, _ = limits(np.array(ONE_OUTLIER, float))
    assert (round(mean + reach, 2), round(mean, 2), round(mean - reach, 2)) == (4.6, 1.94, -0.72)


def test_limits_and_rules_equal_nhsrplotthedots():
    """Twelve series, 281 points; made by tests/reference/run_chart_rules.R."""
    reference = pl.read_csv(REFERENCE)
    assert reference["series"].n_unique() == 12
    assert reference.select("outside", "shift", "trend", "near").sum().row(0) > (0, 0, 0, 0)
    for (_,), rows in reference.partition_by("series", as_dict=True).items():
        values = rows["value"].to_numpy()
        mean, reach, _ = limits(values)
        assert mean == pytest.approx(rows["mean"][0], rel=1e-12)
        assert reach == pytest.approx(rows["reach"][0], rel=1e-12)
        told, way = special_causes(values, mean, reach)
        causes = [set((c or "").split("; ")) for c in told]
        assert way.tolist() == rows["way"].to_list(), rows["series"][0]
        for rule, column in ((OUTSIDE, "outside"), (SHIFT, "shift"), (TREND, "trend"), (NEAR, "near")):
            assert [rule in c for c in causes] == (rows[column] == 1).to_list(), (column, rows["series"][0])


def test_a_missing_quarter_stays_missing_and_ends_a_run():
    values = [6.0, 6.2, 6.1, 6.6, 6.7, 6.6, 6.8, 6.7, 6.6, 6.7]
    periods = quarters(11, 2022)
    without = periods[:6] + periods[7:]
    chart = run_chart(pulse(values, without), organisation="RXX")
    row = chart.table.row(6, named=True)
    assert (row["period"], row["estimate"], row["status"]) == (periods[6], None, "missing")
    assert chart.table["moving_range"][7] is None
    assert f"No results of {period_words(periods[6])}: left out, not filled in." in chart.summary()
    high = [6.7] * 4 + [None] + [6.7] * 3 + [6.0] * 3
    causes, _ = special_causes(np.array(high, float), 6.4, 1.0)
    assert not any(c and SHIFT in c for c in causes)
    line = next(t for t in chart.figure().data if t.mode == "lines")
    assert line.y[6] is None and not line.connectgaps


def test_the_third_quarter_is_no_gap():
    assert calendar(["2022-Q2", "2023-Q2"], ("Q1", "Q2", "Q4")) == [
        "2022-Q2",
        "2022-Q4",
        "2023-Q1",
        "2023-Q2",
    ]
    chart = run_chart(pulse([6.0, 6.1, 6.2, 6.1]), organisation="RXX")
    assert "missing" not in chart.table["status"].to_list()
    assert chart.table["moving_range"].to_list()[1:] == pytest.approx([0.1, 0.1, 0.1])


def test_a_suppressed_quarter_is_drawn_as_a_gap():
    chart = run_chart(pulse([6.0, 6.1, None, 6.1, 6.2]), organisation="RXX")
    assert chart.table["status"][2] == "suppressed_small_base"
    assert chart.figure().layout.meta["suppressed"] == 1


def test_points_beyond_chance_are_improvement_or_concern():
    chart = run_chart(
        pulse([6.0, 6.1, 6.0, 6.1, 6.0, 6.1, 7.0, 6.0, 6.1, 6.0, 6.1, 6.0, 6.1]), organisation="RXX"
    )
    assert chart.table.filter(pl.col("special_cause").is_not_null())["point"].to_list() == ["improvement"]
    assert not chart.provisional
    assert "outside the limits" in chart.summary()
    assert "above what chance reaches in Q1 2024/25" in chart.figure().layout.title.text.replace("<br>", " ")


def test_seven_falling_are_a_concern_above_the_mean_as_well():
    """Series 10 of the reference: 8.6 to 6.6 falls, with a mean of 5.4."""
    values = pl.read_csv(REFERENCE).filter(series=10)["value"].to_list()
    table = run_chart(pulse(values), organisation="RXX").table
    falling = table.filter(
        pl.col("special_cause").str.contains(TREND), pl.col("estimate") <= table["limit_high"][0]
    )
    assert falling["estimate"].max() == 7.8 > table["mean"][0]
    assert falling["point"].unique().to_list() == ["concern"]


@pytest.mark.parametrize("value", [6.1, 5.7, 0.1 + 0.2])
def test_a_series_that_never_moves_has_no_special_cause(value):
    chart = run_chart(pulse([value] * 10 + [value + 4e-15] * 4), organisation="RXX")
    assert chart.table["special_cause"].count() == 0
    assert chart.table["limit_low"].null_count() == 14
    assert "Quarters that follow each other do not differ" in chart.summary()
    assert chart.figure().layout.meta["alt"]


def test_gaps_everywhere_leave_no_limits_and_no_word_of_chance():
    every_other = quarters(12, 2022)[::2]
    chart = run_chart(pulse([6.0, 6.1, 6.2, 6.1, 6.9, 6.0], every_other), organisation="RXX")
    assert "nan" not in chart.summary() + repr(chart)
    assert "no more than chance" not in chart.summary()
    assert "no limits. No two quarters that follow each other have results" in chart.summary()
    assert chart.table["limit_high"].null_count() == chart.table.height
    assert chart.provisional
    assert "No limits" in str(chart.figure().layout)


def test_limits_that_rest_on_few_moving_ranges_are_provisional_however_many_quarters_there_are():
    values = [6.0, 6.1, 6.2, 6.1, 6.0, 6.1] * 3
    periods = [p for i, p in enumerate(quarters(27, 2018)) if i % 3 < 2]
    chart = run_chart(pulse(values, periods), organisation="RXX")
    assert chart.table["estimate"].count() == 18
    assert chart.table["moving_range"].count() == 9
    assert chart.provisional


def test_the_annual_survey_is_marked_apart_and_never_in_the_limits():
    annual = pulse([7.0, 7.1], ["2022", "2023"], survey="nss_england")
    plain = run_chart(pulse([6.0, 6.1, 6.2, 6.1, 6.0, 6.1]), organisation="RXX")
    chart = run_chart(pulse([6.0, 6.1, 6.2, 6.1, 6.0, 6.1]), organisation="RXX", annual=annual)
    assert chart.table.equals(plain.table)
    assert chart.annual["period"].to_list() == ["2022", "2023"]
    fig = chart.figure()
    assert max(fig.layout.yaxis.range) < 7
    assert sum("annual 2022" in (a.text or "") for a in fig.layout.annotations) == 1
    assert "its level is not compared with the pulse" in chart.summary()


def test_annual_points_make_no_run_chart():
    annual = pulse([7.0, 7.1, 7.0], ["2022", "2023", "2024"], survey="nss_england")
    with pytest.raises(ComparabilityError, match="Run charts are for surveys of quarters"):
        run_chart(annual, organisation="RXX")


def test_what_is_not_there_is_said():
    with pytest.raises(ResultsError, match="Too few quarters"):
        run_chart(pulse([6.0, 6.1]), organisation="RXX")
    with pytest.raises(UnknownNameError, match="RXX"):
        run_chart(pulse([6.0, 6.1, 6.2]), organisation="RXY")
    with pytest.raises(UnknownNameError, match="no measure 'morale'"):
        run_chart(pulse([6.0, 6.1, 6.2]), "morale", organisation="RXX")


def test_the_real_pulse_workbook_goes_in(shared_data):
    """One quarter is published here: two more are made of it."""
    published = read_published(shared_data / "pulse" / "202223Q1.xlsm")
    frame = published.results.table.filter(organisation="all", measure="staff_engagement")
    later = [frame.with_columns(period=pl.lit(p)) for p in ("2022-Q2", "2022-Q4")]
    chart = run_chart(pl.concat([frame, *later]))
    assert chart.table["period"].to_list() == ["2022-Q1", "2022-Q2", "2022-Q4"]
    assert chart.provisional


def test_percentages_are_said_with_their_sign_and_one_decimal():
    measure = "recommend_place_to_work"
    share = pulse([61.0, 62.0, 61.0, 62.0], measure=measure, unit="percent")
    chart = run_chart(share, measure, organisation="RXX")
    assert "mean 61.5%" in chart.summary()
    assert "mean 61.5%" in repr(chart)
