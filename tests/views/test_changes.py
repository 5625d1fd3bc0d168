"""The figures of a change between two years: what they show, what they hide, what they say."""

from __future__ import annotations

from itertools import pairwise

import polars as pl
import pytest

from culture_metrics import views
from culture_metrics.errors import ResultsError, UnknownNameError
from culture_metrics.wording.numbers import MINUS

LABELS = {"morale": "Morale", "burnout": "Burnout", "team": "A team", "safe": "Safe and healthy"}


@pytest.fixture
def table() -> pl.DataFrame:
    """One organisation and two directorates; one hidden, one measure not comparable."""
    changes = {
        ("all", "morale"): (0.3, "improved"), ("all", "burnout"): (-0.2, "declined"),
        ("all", "team"): (0.01, "no material change"), ("all", "safe"): (None, "not comparable"),
        ("Estates <1>", "morale"): (0.1, "no clear change"), ("Estates <1>", "burnout"): (-0.6, "declined"),
        ("Estates <1>", "team"): (0.05, "no clear change"), ("Estates <1>", "safe"): (None, "not comparable"),
        ("Tiny", "morale"): (None, "not comparable"), ("Tiny", "team"): (0.4, "no clear change"),
    }  # fmt: skip
    rows = [
        {
            "organisation": "RXX", "breakdown": "all" if g == "all" else "locality_1", "group": g, "measure": m,
            "label": LABELS[m], "unit": "score", "estimate_from": 6.0, "estimate_to": 6.0 + (d or 0),
            "base_from": 900, "base_to": 950, "period_from": "2023", "period_to": "2024", "difference": d,
            "conf_low": None if d is None else d - 0.1, "conf_high": None if d is None else d + 0.1,
            "material": 0.1, "verdict": v, "reason": f"Because <{v}>.",
            "status": "suppressed_small_base" if (g, m) == ("Tiny", "morale") else "reported",
        }
        for (g, m), (d, v) in changes.items()
    ]  # fmt: skip
    return pl.DataFrame(rows)


def test_changes_are_sorted_by_size_with_verdicts_in_colour_and_words(table):
    fig = views.changes(table.filter(group="all"), title="What changed")
    names = [t.name for t in fig.data]
    assert names == ["improved", "declined", "no material change"]
    heights = {a.text: a.y for a in fig.layout.annotations if a.text in LABELS.values()}
    assert heights["Morale"] < heights["A team"] < heights["Burnout"] < heights["Safe and healthy"]
    words = [a.text for a in fig.layout.annotations]
    assert words.count("not comparable") == 1 and "improved" in words
    assert fig.data[0].error_x.array[0] == pytest.approx(0.1)
    assert "Base 900 to 950" in fig.layout.title.text or "base" in fig.layout.title.text
    assert fig.layout.meta["alt"] == (
        "What changed. Dot plot of the change of 4 measures, 2023 to 2024. 1 improved, 1 declined, 1 shows no "
        "material change, 1 may not be compared. Morale: +0.30, improved. Burnout: \N{MINUS SIGN}0.20, declined."
    )


def test_more_than_thirty_measures_keep_those_furthest_from_nought(table):
    one = table.filter(group="all", measure="morale")
    many = pl.concat(
        one.with_columns(measure=pl.lit(f"m{i}"), label=pl.lit(f"Measure {i}"), difference=pl.lit(0.01 * i))
        for i in range(40)
    ).with_columns(
        difference=pl.when(pl.col("measure") != "m39").then("difference"),
        verdict=pl.when(pl.col("measure") == "m39").then(pl.lit("not comparable")).otherwise("verdict"),
    )
    fig = views.changes(many, title="Many")
    assert sum(len(t.x) for t in fig.data) == 30
    assert min(min(t.x) for t in fig.data) == pytest.approx(0.09)
    assert any(
        "Not drawn: 9 closer to 0 and 1 not comparable." in a.text.replace("<br>", " ")
        for a in fig.layout.annotations
    )


def test_slopes_join_what_may_be_compared_only(table):
    fig = views.slope(table.filter(group="all"), title="Two years")
    assert [t.name for t in fig.data] == ["Morale", "A team", "Burnout"]
    said = [a.text.replace("<br>", " ") for a in fig.layout.annotations]
    assert any("Not drawn, without two figures that may be compared: Safe and healthy." in a for a in said)
    assert "Safe and healthy:" not in fig.layout.meta["alt"]
    assert "Morale: 6.00 to 6.30, improved." in fig.layout.meta["alt"]


def test_a_change_is_that_of_the_printed_figures_in_the_table_as_in_the_words(table):
    """5.124 to 4.496 is 5.12 to 4.50 as printed: 0.62 less, though the difference itself rounds to 0.63."""
    one = table.filter(group="all", measure="morale").with_columns(
        estimate_from=pl.lit(5.124), estimate_to=pl.lit(4.496), difference=pl.lit(-0.628)
    )
    for figure in (views.slope(one, title="Two years"), views.changes(one, title="What changed")):
        assert figure.numbers.frame["Change"].to_list() == [f"{MINUS}0.62"]
        hover = " ".join(text for trace in figure.data for text in trace.hovertext or ())
        assert f"{MINUS}0.62" in hover and "0.63" not in hover


def test_slope_labels_keep_a_line_apart(table):
    fig = views.slope(table.filter(group="all"), title="Two years")
    low, high = fig.layout.yaxis.range
    right = sorted(a.y for a in fig.layout.annotations if a.xref == "x" and a.x == 1)
    gap = min(b - a for a, b in pairwise(right))
    assert gap >= 0.9 * 20 * (high - low) / 420


def test_the_map_shows_hidden_and_not_comparable_cells_apart(table):
    fig = views.change_map(table, title="By directorate")
    patterns = {t.name: t for t in fig.data if t.type == "bar"}
    assert len(patterns["Not shown"].x) == 1
    # Safe and healthy in two groups; in the tiny one neither it nor burnout stands in the table.
    assert len(patterns["Not comparable"].x) == 4
    assert fig.layout.meta["suppressed"] == 1
    shades = {t.hovertext[0][0].split("<br>")[0]: t.z[0] for t in fig.data if t.type == "heatmap"}
    assert tuple(shades["<b>Whole organisation</b>"]) == (1.0, -1.0, 0.0, None)
    assert tuple(shades["<b>Estates &lt;1&gt;</b>"]) == (0.0, -1.0, 0.0, None)
    assert "Declined: Burnout, whole organisation" in fig.layout.meta["alt"]


def test_no_number_of_a_hidden_row_reaches_a_figure(table):
    leaking = table.with_columns(
        difference=pl.when(pl.col("status") != "reported").then(0.777).otherwise("difference")
    )
    for fig in (
        views.change_map(leaking, title="t"),
        views.changes(leaking.filter(group="Tiny"), title="t"),
        views.slope(leaking.filter(group="Tiny"), title="t"),
    ):
        assert "0.777" not in fig.to_json() and "0.78" not in fig.to_json()


@pytest.mark.parametrize("view", [views.changes, views.slope, views.change_map])
def test_a_table_that_lacks_a_column_is_refused(view, table):
    with pytest.raises(ResultsError, match="no column 'verdict'"):
        view(table.filter(group="all").rename({"verdict": "judgement"}), title="t")
    with pytest.raises((ResultsError, UnknownNameError)):
        view(table.filter(group="all"), title="t", unit="stars")
