"""Estimates with intervals: rows, panels, axes and words."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.errors import ResultsError
from culture_metrics.views import estimates


@pytest.fixture
def table():
    return pl.DataFrame(
        {
            "label": ["Staff engagement", "Work <stress>", "Staff engagement"],
            "panel": ["SHMI", "SHMI", "Rating"],
            "axis": ["SHMI per +1 SD", "SHMI per +1 SD", "Odds ratio"],
            "ratio": [False, False, True],
            "estimate": [-0.021, None, 2.0],
            "conf_low": [-0.033, None, 1.0],
            "conf_high": [-0.009, None, 4.0],
            "strong": [True, True, False],
            "detail": ["144 organisations", "", "120 organisations"],
        }
    )


def said(fig):
    return [a.text for a in fig.layout.annotations]


def test_each_panel_has_its_own_axis(table):
    fig = estimates(table, axis="", title="Links")
    assert (fig.layout.xaxis.type, fig.layout.xaxis2.type) == ("linear", "log")
    assert fig.layout.xaxis.range[0] < -0.033 < 0 < fig.layout.xaxis.range[1]
    assert fig.layout.yaxis.domain[0] > fig.layout.yaxis2.domain[1]
    assert [s.x0 for s in fig.layout.shapes] == [0, 1]
    assert {"SHMI", "Rating", "Odds ratio"} <= {*said(fig), fig.layout.xaxis2.title.text}


def test_numbers_stand_beside_their_rows(table):
    fig = estimates(table, axis="", title="Links")
    assert "\N{MINUS SIGN}0.021 (\N{MINUS SIGN}0.033 to \N{MINUS SIGN}0.009)" in said(fig)
    assert "not estimated" in said(fig)
    assert "Work &lt;stress&gt;" in said(fig)
    assert fig.layout.meta["alt"].startswith(
        "Links. Dot and interval plot of 3 estimates. SHMI, Staff engagement: \N{MINUS SIGN}0.021 (95% interval "
        "\N{MINUS SIGN}0.033 to \N{MINUS SIGN}0.009)."
    )


def test_what_is_picked_out_differs_in_colour_and_shape(table):
    fig = estimates(table.with_columns(panel=pl.lit("A")).head(2).vstack(
        table.tail(1).with_columns(panel=pl.lit("A"), label=pl.lit("Other"))), axis="x", title="t")  # fmt: skip
    marks = {t.name: t.marker for t in fig.data if len(t.x)}
    assert marks["picked out"].color != marks["others"].color
    assert marks["picked out"].symbol != marks["others"].symbol


def test_hover_says_the_base(table):
    fig = estimates(table, axis="", title="Links")
    assert any("144 organisations" in text for t in fig.data for text in t.hovertext)


def test_small_negative_numbers_do_not_read_minus_nothing():
    table = pl.DataFrame({"label": ["a"], "estimate": [-0.0001], "conf_low": [None], "conf_high": [None]})
    table = table.with_columns(pl.col("conf_low", "conf_high").cast(pl.Float64))
    assert "0.000" in said(estimates(table, axis="x", title="t"))


def test_two_rows_of_one_name_are_refused(table):
    with pytest.raises(ResultsError, match="more than one row"):
        estimates(table.drop("panel"), axis="x", title="t")
