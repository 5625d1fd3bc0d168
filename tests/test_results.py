"""The contract of Results is kept, and broken rows are named by rule, never by value."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.contract import as_results, check_results
from culture_metrics.errors import ResultsError
from data_schemas.columns import RESULTS

ROW = {
    "survey": "nss_england",
    "period": "2024",
    "organisation": "RXX",
    "breakdown": "all",
    "group": "all",
    "measure": "staff_engagement",
    "unit": "score",
    "estimate": 7.1234,
    "conf_low": 7.0,
    "conf_high": 7.2,
    "std_error": 0.05,
    "base": 200,
    "weighting": "none",
    "status": "reported",
    "source": "published",
}


def test_results_come_typed_in_order():
    table = as_results(pl.DataFrame([ROW]))
    assert dict(table.schema) == RESULTS
    assert check_results(table) is table


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"estimate": 11.5, "conf_high": 12.0}, "NHS Staff Survey, England lies in 0 to 10"),
        ({"unit": "percent", "estimate": 101.0, "conf_high": 101.0}, "percentage lies in 0-100"),
        ({"conf_low": 7.15}, "the interval holds the estimate"),
        ({"estimate": None}, "a reported row has an estimate"),
        ({"base": None}, "a reported row has an estimate and a base"),
        ({"status": "suppressed_small_base"}, "a row that is not reported has no numbers"),
        ({"std_error": -0.1}, "a standard error is not negative"),
        ({"std_error": float("nan")}, "no number is NaN"),
    ],
)
def test_a_broken_row_is_refused_without_its_numbers(change, rule):
    with pytest.raises(ResultsError) as caught:
        as_results(pl.DataFrame([{**ROW, **change}]))
    assert rule in str(caught.value)
    assert "7.1234" not in str(caught.value)


def test_a_row_twice_is_refused():
    with pytest.raises(ResultsError, match="contract of Results") as caught:
        as_results(pl.DataFrame([ROW, ROW]))
    assert "no row stands twice" in str(caught.value)


def test_a_lazy_frame_is_refused_because_its_data_would_not_be_checked():
    with pytest.raises(ResultsError, match="polars DataFrame"):
        check_results(as_results(pl.DataFrame([ROW])).lazy())
