"""Outcomes roll up to the survey's year: added, averaged, last or standing, and never scaled up."""

from __future__ import annotations

import calendar
import csv
from collections import Counter, defaultdict
from datetime import date

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError
from culture_metrics.outcomes.outcome_data import as_outcomes
from culture_metrics.outcomes.periods import month
from culture_metrics.outcomes.roll_up import by_year


def monthly(outcome, numbers, *, first=(2023, 4), base=None, organisation="RXX"):
    spans = [
        month(first[0] + (first[1] + i - 1) // 12, (first[1] + i - 1) % 12 + 1) for i in range(len(numbers))
    ]
    frame = pl.DataFrame(
        {
            "outcome": outcome,
            "organisation": organisation,
            "group": "all",
            "start": [s.start for s in spans],
            "end": [s.end for s in spans],
            "numerator": [float(n) for n in numbers],
            "denominator": [float(b) for b in base] if base else [None] * len(numbers),
            "status": "reported",
        },
        schema_overrides={"denominator": pl.Float64},
    )
    value = pl.col("numerator") / pl.col("denominator") if base else pl.col("numerator")
    return as_outcomes(frame.with_columns(value.alias("value")), "test")


def test_shares_are_added_and_divided_once():
    over, total = [10, 20, *[30] * 10], [100, 50, *[300] * 10]
    row = by_year(monthly("four_hour_wait", over, base=total), [cm.outcome("four_hour_wait")]).row(
        0, named=True
    )
    assert row["year"] == 2023
    assert row["value"] == pytest.approx(330 / 3150)
    assert (row["start"], row["end"], row["months"], row["partial"]) == (
        date(2023, 4, 1),
        date(2024, 3, 31),
        12,
        False,
    )


def test_leavers_are_over_the_average_headcount():
    row = by_year(monthly("leavers", [10] * 12, base=[900] * 6 + [1100] * 6), [cm.outcome("leavers")]).row(
        0, named=True
    )
    assert row["denominator"] == 1000
    assert row["value"] == pytest.approx(0.12)


def test_a_part_of_a_year_is_flagged_and_not_scaled_up():
    years = by_year(monthly("mrsa", [1] * 15, base=[50] * 15), [cm.outcome("mrsa")])
    assert years.select("year", "value", "months", "partial").rows() == [
        (2023, 12.0, 12, False),
        (2024, 3.0, 3, True),
    ]
    assert years["denominator"].to_list() == [600, 150]


def test_calendar_years_lie_in_the_survey_year_for_nine_months(tmp_path):
    path = tmp_path / "score.csv"
    path.write_text("code,year,inpatient_survey\nRXX,2021,8.1\n")
    years = cm.read_outcome(path, "inpatient_survey", years="calendar").by_year()
    assert years.select("year", "value", "months", "partial").rows() == [(2021, 8.1, 9, True)]


def test_of_rolling_ratios_the_last_of_the_year_counts(tmp_path):
    path = tmp_path / "shmi.csv"
    path.write_text(
        "code,period,shmi,observed,expected\nRXX,Nov 2022 to Oct 2023,0.90,900,1000\n"
        "RXX,Apr 2023 to Mar 2024,0.95,950,1000\nRXX,May 2023 to Apr 2024,0.99,990,1000\n"
    )
    roles = {
        "organisation": "code",
        "period": "period",
        "value": "shmi",
        "numerator": "observed",
        "denominator": "expected",
    }
    years = cm.read_outcome(path, "shmi", columns=roles).by_year()
    assert years.select("year", "value", "months").rows() == [(2023, 0.95, 12), (2024, 0.99, 1)]


def test_a_score_of_one_month_stands_for_the_year_and_the_longer_period_wins(tmp_path):
    frame = pl.DataFrame(
        {
            "code": ["RXX"] * 3,
            "period": ["Nov 2022", "Nov 2023", "Feb 2024"],
            "inpatient_survey": [8.0, 8.1, 8.3],
        }
    )
    years = cm.read_outcome(frame, "inpatient_survey").by_year()
    assert years.select("year", "value", "months", "partial").rows() == [
        (2022, 8.0, None, False),
        (2023, 8.3, None, False),
    ]
    both = pl.DataFrame(
        {"code": ["RXX"] * 2, "period": ["Mar 2024", "Apr 2023 to Mar 2024"], "shmi": [0.7, 0.9]}
    )
    assert cm.read_outcome(both, "shmi").by_year().select("value", "months").rows() == [(0.9, 12)]


def test_rolling_counts_would_be_counted_twice(tmp_path):
    path = tmp_path / "deaths.csv"
    path.write_text(
        "code,period,deaths,expected_deaths\nRXX,Mar 2023 to Feb 2024,90,100\nRXX,Apr 2023 to Mar 2024,95,100\n"
    )
    with pytest.raises(LinkError, match="periods overlap") as caught:
        cm.read_outcome(path, "shmi_deaths").by_year()
    assert "RXX" in str(caught.value) and "ends in March" in str(caught.value)


def test_monthly_rates_without_counts_are_not_averaged(tmp_path):
    path = tmp_path / "sickness.csv"
    path.write_text("code,month,sickness_absence\nRXX,Apr 2023,0.04\nRXX,May 2023,0.06\n")
    with pytest.raises(LinkError, match="cannot be put together without their counts"):
        cm.read_outcome(path, "sickness_absence").by_year()
    path.write_text("code,year,sickness_absence\nRXX,2023/24,0.04\n")
    assert cm.read_outcome(path, "sickness_absence").by_year()["value"].to_list() == [0.04]


def read_csv(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_real_emergency_file_equals_an_independent_sum(shared_data):
    path = shared_data / "outcomes" / "england_trust_accidents_emergency.csv"
    data = cm.read_outcome(path)
    names = [f"{name} {y}" for y in range(2021, 2026) for name in calendar.month_name[1:]]
    within, total, count = defaultdict(int), defaultdict(int), defaultdict(int)
    rows = read_csv(path)
    for row in rows:
        place = names.index(row["date"])
        year = 2021 + place // 12 - (place % 12 < 3)
        if row["attendances_over_4hours"] == "NA" or row["total_attendances"] == "0":
            continue
        key = row["nhs_trust22_code"], year
        within[key] += int(row["total_attendances"]) - int(row["attendances_over_4hours"])
        total[key] += int(row["total_attendances"])
        count[key] += 1
    years = data.by_year()
    assert data.table.height == len(rows) == 7895
    found = {
        (o, y): (n, d, m)
        for o, y, n, d, m in years.select("organisation", "year", "numerator", "denominator", "months").rows()
    }
    assert found == {key: (within[key], total[key], count[key]) for key in total}
    assert (years["value"] - years["numerator"] / years["denominator"]).abs().max() == 0
    # 7,895 rows: 354 marked NA and 458 without attendances, 7,083 with a figure.
    assert dict(data.problems.select("rule", "rows").rows()) == {
        "months without a figure": 354,
        "months without attendances": 458,
    }
    assert sum(count.values()) == 7083
    assert years.filter(~pl.col("partial"))["months"].unique().to_list() == [12]


def test_real_turnover_file_equals_an_independent_sum(shared_data):
    (path,) = (shared_data / "outcomes").glob("Turnover*.csv")
    data = cm.read_outcome(path)
    heads = defaultdict(Counter)
    for row in read_csv(path):
        group = row["STAFF_GROUP_1_NAME"].replace("All staff groups", "all")
        heads[row["REPORTING_ORG_CODE"], group][row["TYPE"]] += int(row["HC"])
    for outcome, kind in (("leavers", "Leavers"), ("joiners", "Joiners")):
        rows = data.table.filter(outcome=outcome)
        found = {
            (o, g): (n, d)
            for o, g, n, d in rows.select("organisation", "group", "numerator", "denominator").rows()
        }
        assert found == {
            key: (h[kind], (h["Denominator at start of period"] + h["Denominator at end of period"]) / 2)
            for key, h in heads.items()
        }
    # 15,122 leavers and 16,845 joiners stand in the rows of all staff groups.
    whole = data.table.filter(group="all").group_by("outcome").agg(pl.col("numerator").sum())
    assert dict(whole.rows()) == {"leavers": 15122, "joiners": 16845}
    assert set(data.table["start"]) == {date(2025, 10, 1)}
    zero = data.problems.filter(rule="absent rows are zero")["rows"].to_list()
    assert sorted(zero) == sorted(
        sum(kind not in h for h in heads.values()) for kind in ("Leavers", "Joiners")
    )
    assert data.by_year()["partial"].all()
    assert set(data.by_year()["year"]) == {2025}
