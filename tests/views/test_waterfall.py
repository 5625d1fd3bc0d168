"""Steps from one level to another, and what undoes a change."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.errors import ResultsError, UnknownNameError
from culture_metrics.views import tipping, waterfall
from culture_metrics.views.waterfall import FALL, RISE

ENDS = {"start": ("2023", 61.2, 900), "end": ("2024", 63.4, 950)}


@pytest.fixture
def table():
    return pl.DataFrame(
        {
            "section": ["Mix", "Within", "Within"],
            "label": ["Occupation", "Nurses & <b>midwives</b>", "Estates"],
            "estimate": [0.9, 2.8, -1.5],
            "conf_low": [0.2, 1.0, -2.0],
            "conf_high": [1.6, 4.6, -1.0],
            "base_from": [900, 1400, 500],
            "base_to": [950, 1410, 540],
        }
    )


def bars(fig):
    return next(t for t in fig.data if t.name == "Steps")


def test_each_bar_begins_where_the_one_above_ended(table):
    fig = waterfall(table, **ENDS, unit="percent", title="Change")
    assert bars(fig).base == pytest.approx((61.2, 62.1, 64.9))
    assert bars(fig).x == pytest.approx((0.9, 2.8, -1.5))
    assert bars(fig).y == tuple(sorted(bars(fig).y))
    levels = next(t for t in fig.data if t.name == "Levels")
    assert levels.x == (61.2, 63.4)
    assert levels.y[0] < bars(fig).y[0]
    assert levels.y[1] > bars(fig).y[-1]


def test_rises_and_falls_differ_in_colour_and_in_words(table):
    fig = waterfall(table, **ENDS, unit="percent", title="Change")
    assert bars(fig).marker.color == (RISE, RISE, FALL)
    said = [a.text for a in fig.layout.annotations]
    assert "+2.8 (+1.0 to +4.6)" in said
    assert "\N{MINUS SIGN}1.5 (\N{MINUS SIGN}2.0 to \N{MINUS SIGN}1.0)" in said
    assert said.count("Within") == 1


def test_intervals_stand_around_the_end_of_the_step_and_inside_the_axis(table):
    fig = waterfall(table, **ENDS, unit="percent", title="Change")
    assert bars(fig).error_x.array == pytest.approx((0.7, 1.8, 0.5))
    low, high = fig.layout.xaxis.range
    assert low < 61.2
    assert high > 62.1 + 4.6
    bare = table.with_columns(conf_low=pl.lit(None, pl.Float64), conf_high=pl.lit(None, pl.Float64))
    assert "interval of the step" not in waterfall(bare, **ENDS, title="Change").to_json()


def test_hover_says_change_interval_and_bases_and_marks_are_harmless(table):
    hover = bars(waterfall(table, **ENDS, unit="percent", title="Change")).hovertext[1]
    assert hover == (
        "<b>Nurses &amp; &lt;b&gt;midwives&lt;/b&gt;</b><br>Within: +2.8 points<br>"
        "95% interval +1.0 to +4.6<br>Base 1,400 and 1,410"
    )


def test_tables_that_do_not_fit_are_refused(table):
    with pytest.raises(ResultsError, match="no column"):
        waterfall(table.drop("section"), **ENDS, title="Change")
    with pytest.raises(ResultsError, match="more than one row"):
        waterfall(pl.concat([table, table]), **ENDS, title="Change")
    with pytest.raises(UnknownNameError, match="unit"):
        waterfall(table, **ENDS, unit="points", title="Change")


def test_the_point_that_undoes_a_change_lies_on_the_line():
    change = {"estimate": -0.3, "conf_low": -0.5, "conf_high": -0.1}
    fig = tipping(change, absent=0.5, limits=(-6, 4), title="Morale")
    words = [a.text for a in fig.layout.annotations]
    assert "no change at +0.60" in words
    line = next(t for t in fig.data if t.name == "Change among all staff")
    assert all(y == pytest.approx(-0.3 + 0.5 * x) for x, y in zip(line.x, line.y, strict=True))
    assert fig.layout.meta["alt"].endswith("none if they stand 0.60 higher.")
    assert "everybody answered" in tipping(change, absent=0.0, limits=(-6, 4), title="M").layout.meta["alt"]
