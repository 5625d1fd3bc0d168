"""Figures over time: gaps stay gaps, years that do not compare stand apart, nothing hidden gets in."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics import views
from culture_metrics.errors import ResultsError, UnknownNameError


@pytest.fixture
def years() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "period": ["2019", "2021", "2022", "2023"], "unit": "score", "estimate": [5.0, 6.0, 6.1, 6.2],
            "conf_low": [4.9, 5.9, 6.0, 6.1], "conf_high": [5.1, 6.1, 6.2, 6.3], "base": [900, 950, 940, 930],
            "comparable": [False, True, True, True], "reason": ["The <wording> changed.", None, None, None],
        }
    )  # fmt: skip


def test_years_stand_as_they_are_spaced_and_the_line_goes_through_those_that_compare(years):
    line = pl.DataFrame(
        {"slope": [0.1], "turning_point": [None]}, schema_overrides={"turning_point": pl.String}
    )
    fig = views.trend(years, line, title="Morale")
    through, good, apart = fig.data
    assert list(good.x) == [2021, 2022, 2023] and list(apart.x) == [2019]
    assert (through.x[0], through.x[-1]) == (2021, 2023)
    assert through.y[-1] - through.y[0] == pytest.approx(0.2)
    assert "The &lt;wording&gt; changed." in apart.hovertext[0]
    assert "1 year does not compare with the last" in fig.layout.meta["alt"]


def test_a_turn_joins_the_years(years):
    line = pl.DataFrame({"slope": [0.0], "turning_point": ["2022"]})
    fig = views.trend(years, line, title="Morale")
    assert len(fig.data[0].x) == 3
    assert "It turned in 2022." in fig.layout.meta["alt"]


@pytest.fixture
def quarters() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "period": ["2022-Q1", "2022-Q2", "2022-Q4", "2023-Q1"], "estimate": [6.5, None, 6.6, 7.2],
            "base": [900, None, 910, 7], "mean": 6.6, "limit_low": 6.3, "limit_high": 6.9,
            "special_cause": [None, None, None, "outside the limits"],
            "point": ["common cause", None, "common cause", "improvement"],
            "status": ["reported", "missing", "reported", "reported"],
        }
    )  # fmt: skip


def test_a_run_chart_breaks_its_line_at_a_gap_and_marks_special_causes(quarters):
    fig = views.run_chart(quarters, title="Engagement", provisional=True)
    line = fig.data[0]
    assert list(line.y) == [6.5, None, 6.6, 7.2] and not line.connectgaps
    special = next(t for t in fig.data if t.name == "improvement")
    assert list(special.x) == [3] and "outside the limits" in special.hovertext[0]
    said = " ".join(a.text.replace("<br>", " ") for a in fig.layout.annotations)
    assert "A gap: no results." in said and "provisional" in said
    assert fig.layout.meta["alt"].endswith("Q1 2023/24: outside the limits. Missing: Q2 2022/23.")


def test_a_suppressed_quarter_is_not_drawn(quarters):
    hidden = quarters.with_columns(
        status=pl.when(pl.col("base") == 7).then(pl.lit("suppressed_small_base")).otherwise("status")
    )
    fig = views.run_chart(hidden, title="Engagement")
    assert fig.layout.meta["suppressed"] == 1
    assert "7.2" not in fig.to_json()


def test_annual_years_are_marked_beneath_and_not_on_the_axis(quarters):
    annual = pl.DataFrame({"period": ["2022", "2030"], "estimate": [7.9, 8.1], "base": [2000, 2100]})
    fig = views.run_chart(quarters, title="Engagement", annual=annual)
    assert max(fig.layout.yaxis.range) < 7.9
    assert [a.text for a in fig.layout.annotations if (a.text or "").startswith("annual")] == [
        "annual 2022<br>7.90"
    ]


def test_wrong_tables_are_refused(years, quarters):
    with pytest.raises(ResultsError, match="no column 'mean'"):
        views.run_chart(quarters.drop("mean"), title="t")
    with pytest.raises(UnknownNameError, match="stars"):
        views.run_chart(quarters, title="t", unit="stars")
    with pytest.raises(ResultsError, match="no column 'comparable'"):
        views.trend(
            years.drop("comparable"), pl.DataFrame({"slope": [0.1], "turning_point": [None]}), title="t"
        )
