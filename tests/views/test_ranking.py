"""One measure across organisations: order, rank, median, and one picked out."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics.errors import ResultsError, UnknownNameError
from culture_metrics.views import ranking, style

LONG = "Mersey and West Lancashire Teaching Hospitals NHS Trust"


@pytest.fixture
def table():
    """Five organisations; one is held back, and its numbers were left in by mistake."""
    return pl.DataFrame(
        {
            "organisation": ["RAA", "RBB", "RCC", "RDD", "REE"],
            "name": ["Ash", LONG, "Cedar", "Damson", "Elm"],
            "estimate": [6.0, 7.0, 6.5, 3.777, 6.5],
            "conf_low": [5.9, 6.8, 6.4, 3.666, 6.3],
            "conf_high": [6.1, 7.2, 6.6, 3.888, 6.7],
            "base": [900, 1204, 700, 6, 650],
            "status": ["reported"] * 3 + ["suppressed_small_base", "reported"],
        }
    )


def dots(fig, name="Others"):
    return next(t for t in fig.data if t.name == name)


def said(fig):
    return [a.text for a in fig.layout.annotations]


def test_dots_are_sorted_from_the_highest(table):
    fig = ranking(table, highlight="RAA", title="Morale")
    assert dots(fig).y == (7.0, 6.5, 6.5)
    assert dots(fig).x == (1, 2, 3)
    assert dots(fig, "Ash").x == (4,)
    assert "(1 = highest)" in fig.layout.xaxis.title.text


def test_where_lower_is_better_the_lowest_comes_first(table):
    fig = ranking(table, highlight="RAA", title="Morale", direction="lower")
    assert dots(fig, "Ash").x == (1,)
    assert "6.00, rank 1 of 4" in " ".join(said(fig))


def test_equal_values_share_a_rank(table):
    for code in ("RCC", "REE"):
        assert any("rank 2 of 4" in text for text in said(ranking(table, highlight=code, title="Morale")))
    assert any("rank 4 of 4" in text for text in said(ranking(table, highlight="RAA", title="Morale")))


def test_the_organisation_is_picked_out_in_colour_size_and_words(table):
    fig = ranking(table, highlight="RBB", title="Morale")
    own, others = dots(fig, LONG), dots(fig)
    assert own.marker.color == style.FOCUS != others.marker.color
    assert own.marker.size > others.marker.size
    label = next(text for text in said(fig) if "rank" in text)
    assert label.replace("<br>", " ") == f"{LONG} 7.00, rank 1 of 4"


def test_intervals_are_drawn_where_given(table):
    own = dots(ranking(table, highlight="RBB", title="Morale"), LONG)
    assert own.error_y.array == pytest.approx([0.2])
    bare = table.with_columns(pl.lit(None, pl.Float64).alias(c) for c in ("conf_low", "conf_high"))
    assert "interval" not in ranking(bare, highlight="RBB", title="Morale").to_json()


def test_the_median_is_of_all_drawn(table):
    fig = ranking(table, highlight="RBB", title="Morale")
    assert fig.layout.shapes[0].y0 == fig.layout.shapes[0].y1 == 6.5
    assert "median 6.50" in said(fig)


def test_hover_says_name_value_interval_base_and_rank(table):
    assert dots(ranking(table, highlight="RBB", title="Morale")).hovertext[-1] == (
        "<b>Ash</b><br>Value 6.00<br>95% interval 5.90 to 6.10<br>Base 900<br>Rank 4 of 4"
    )


def test_held_back_organisations_are_counted_and_not_drawn(table):
    fig = ranking(table, highlight="RAA", title="Morale")
    json = fig.to_json()
    for text in ("3.777", "3.78", "3.666", "3.888", "0.111", "Damson", "Base 6<"):
        assert text not in json
    assert fig.layout.meta["suppressed"] == 1
    assert "1 organisation has no value to show." in " ".join(said(fig))


def test_the_one_picked_out_may_be_held_back(table):
    fig = ranking(table, highlight="RDD", title="Morale")
    assert "3.77" not in fig.to_json()
    assert "Damson<br>not shown: too few answers" in said(fig)
    assert "Damson: not shown, too few answers." in fig.layout.meta["alt"]


def test_alt_text_gives_position_median_and_ends(table):
    assert ranking(table, highlight="RAA", title="Morale").layout.meta["alt"] == (
        f"Morale. Dot plot of 4 organisations, highest first. Ash: 6.00 (95% interval 5.90 to 6.10), "
        f"rank 4 of 4. Median 6.50; highest 7.00, {LONG}; lowest 6.00, Ash. 1 not shown."
    )


@pytest.mark.parametrize("organisations", [1, 2, 10, 122, 230])
def test_any_number_of_organisations_keeps_every_mark_inside(organisations):
    table = pl.DataFrame({"organisation": [f"R{i}" for i in range(organisations)]}).with_columns(
        name="organisation",
        estimate=50 + 20 * pl.int_range(pl.len()) / pl.len(),
        conf_low=pl.lit(None, pl.Float64),
        conf_high=pl.lit(None, pl.Float64),
        base=pl.lit(500),
    )
    fig = ranking(table, highlight="R0", title="Recommends", unit="percent")
    low, high = fig.layout.yaxis.range
    assert low < 50 < high
    assert fig.layout.xaxis.range[0] < 1
    assert fig.layout.xaxis.range[1] > organisations
    ticks = fig.layout.xaxis.tickvals
    assert ticks[0] == 1
    assert ticks[-1] == organisations
    assert len(ticks) <= 16
    assert any(f"50.0%, rank {organisations} of {organisations}" in text for text in said(fig))


def test_codes_of_neighbours_stand_at_either_end_of_their_intervals():
    """Side by side their codes would lie on each other; far from each other both stand below."""
    many = pl.DataFrame(
        {"organisation": [f"R{n:02}" for n in range(40)], "name": "Ash", "base": 900}
    ).with_columns(estimate=8 - pl.int_range(pl.len()) / 10)
    many = many.with_columns(conf_low=pl.col("estimate") - 0.2, conf_high=pl.col("estimate") + 0.2)
    fig = ranking(many, highlight="R00", beside=["R10", "R11", "R30"], title="Morale")
    sides = {a.text: a.yanchor for a in fig.layout.annotations if a.text in {"R10", "R11", "R30"}}
    assert sides == {"R10": "top", "R11": "bottom", "R30": "top"}


def test_the_house_template_is_applied(table):
    assert ranking(table, highlight="RAA", title="Morale").layout.template == style.template()


def test_what_does_not_exist_is_named(table):
    with pytest.raises(UnknownNameError, match="no organisation 'RZZ'"):
        ranking(table, highlight="RZZ", title="Morale")
    with pytest.raises(UnknownNameError, match="direction"):
        ranking(table, highlight="RAA", title="Morale", direction="up")
    with pytest.raises(UnknownNameError, match="unit"):
        ranking(table, highlight="RAA", title="Morale", unit="points")
    with pytest.raises(ResultsError, match="no column 'name'"):
        ranking(table.drop("name"), highlight="RAA", title="Morale")
