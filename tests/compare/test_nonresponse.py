"""Tipping points of non-response, by hand and against the mean of all staff."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from culture_metrics import decompose_change, synthetic
from culture_metrics.compare import change_contributions, nonresponse_sensitivity
from culture_metrics.compare.nonresponse import BOTH, EARLIER, LATER, NONE, UNCLEAR
from culture_metrics.errors import CultureMetricsError
from culture_metrics.extracts.extract import Extract


def year(period, yes):
    """400 respondents on two sites, so many of whom agree."""
    answers = pl.Series([4] * yes + [2] * (400 - yes), dtype=pl.Int8)
    frame = pl.DataFrame({"q25c": answers, "site": ["A", "B"] * 200, "organisation": ["RXX"] * 400})
    return Extract("nss_england", period, frame)


@pytest.fixture(scope="module")
def change():
    return decompose_change(year("2023", 200), year("2024", 240), by=["site"])


def row(found, differs, until):
    return found.table.filter(differs=differs, until=until).row(0, named=True)


def test_tipping_points_by_hand(change):
    """50 % to 60 %, 400 of 1,000 then 400 of 800: half of the later staff must be 20 points lower."""
    found = nonresponse_sensitivity(change, 1000, 800)
    assert row(found, LATER, NONE)["difference"] == pytest.approx(-20)
    assert row(found, LATER, NONE)["to_nonrespondents"] == pytest.approx(40)
    assert row(found, EARLIER, NONE)["difference"] == pytest.approx(10 / 0.6)
    both = row(found, BOTH, NONE)
    assert both["difference"] == pytest.approx(10 / (0.6 - 0.5))
    assert not both["possible"]
    said = found.summary()
    assert "20.0 points lower than those with one (40.0% against 60.0%)" in said
    assert "400 of 1,000 (40%) in 2023 and 400 of 800 (50%) in 2024" in said
    assert "No difference that is the same in both years" in said


def test_at_every_tipping_point_all_staff_show_no_change(change):
    found = nonresponse_sensitivity(change, 900, 700)
    for r in found.table.filter(until=NONE).iter_rows(named=True):
        ends = [
            (400 * answered + (staff - 400) * absent) / staff
            for answered, absent, staff in (
                (change.from_estimate, r["from_nonrespondents"], 900),
                (change.to_estimate, r["to_nonrespondents"], 700),
            )
        ]
        assert ends[0] == pytest.approx(ends[1]), r["differs"]


def test_the_interval_gives_way_before_the_change(change):
    found = nonresponse_sensitivity(change, 1000, 800)
    assert row(found, LATER, NONE)["difference"] < row(found, LATER, UNCLEAR)["difference"] < 0
    low = change.piece("total")["conf_low"]
    assert row(found, LATER, UNCLEAR)["difference"] == pytest.approx(-low / 0.5)


def test_equal_response_rates_and_full_response(change):
    alike = nonresponse_sensitivity(change, 800, 800)
    assert row(alike, BOTH, NONE)["difference"] is None
    assert "response rates are equal" in alike.summary()
    full = nonresponse_sensitivity(change, 800, 400)
    assert row(full, LATER, NONE)["difference"] is None
    assert "Nobody is missing in 2024" in full.summary()
    assert full.figure().layout.meta["alt"]


def test_an_impossible_difference_is_said_to_be_so(change):
    found = nonresponse_sensitivity(change, 420, 430)
    assert not row(found, LATER, NONE)["possible"]
    assert "the scale does not allow" in found.summary()
    alt = found.figure().layout.meta["alt"]
    assert "could not undo" in alt
    assert "no difference within the scale" in alt


def test_a_change_that_is_none_has_nothing_to_undo():
    still = decompose_change(year("2023", 200), year("2024", 201), by=["site"])
    found = nonresponse_sensitivity(still, 800, 800)
    assert "nothing to undo" in found.summary()
    assert "may be none" in found.figure().layout.meta["alt"]


def test_fewer_eligible_than_answered_is_refused(change):
    with pytest.raises(CultureMetricsError, match="Fewer staff were eligible in 2024"):
        nonresponse_sensitivity(change, 800, 300)


def test_a_change_without_an_interval_is_refused(change):
    blank = change.table.with_columns(conf_low=pl.lit(None, pl.Float64), conf_high=pl.lit(None, pl.Float64))
    with pytest.raises(CultureMetricsError, match="no interval"):
        nonresponse_sensitivity(replace(change, table=blank), 800, 800)


def test_scores_too():
    years = [synthetic.respondents(y, respondents_per_organisation=300) for y in (2023, 2024)]
    found = nonresponse_sensitivity(change_contributions(*years, "morale"), 900, 800)
    assert found.table.height == 6
    assert found.figure().layout.meta["alt"].startswith("Morale")
    assert found.summary() in found._repr_html_()
