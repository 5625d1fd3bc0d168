"""Titles of figures of links: they say what the numbers show, in words of association."""

from __future__ import annotations

import re

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.links.titles import hangs_on, levels, parted, pointing, through, went

CAUSAL = re.compile(r"caus|improv|leads? to|effect|impact|because|reduc|explain|drive", re.IGNORECASE)


def rows(*intervals, indicators=("morale",), outcomes=("Sickness absence",), terms=("overall",)):
    """Rows of a table of links, each as low and high end of its interval."""
    many = len(intervals)
    return pl.DataFrame(
        {
            "indicator": [indicators[i % len(indicators)] for i in range(many)],
            "outcome_label": [outcomes[i % len(outcomes)] for i in range(many)],
            "term": [terms[i % len(terms)] for i in range(many)],
            "estimate": [None if i is None else sum(i) / 2 for i in intervals],
            "conf_low": [None if i is None else i[0] for i in intervals],
            "conf_high": [None if i is None else i[1] for i in intervals],
        },
        schema_overrides={"estimate": pl.Float64, "conf_low": pl.Float64, "conf_high": pl.Float64},
    )


DOWN, UP, OPEN = (-3.0, -1.0), (1.0, 3.0), (-1.0, 2.0)


@pytest.mark.parametrize(
    ("intervals", "said"),
    [
        ([DOWN], "Higher morale went with lower sickness absence"),
        ([UP], "Higher morale went with higher sickness absence"),
        ([OPEN], "Morale and sickness absence: no clear link"),
        ([OPEN] * 3, "Morale and sickness absence: none of 3 links is clear of no difference"),
        ([DOWN] * 3, "Higher morale went with lower sickness absence in all 3 links"),
        ([DOWN, DOWN, OPEN], "Higher morale went with lower sickness absence in 2 of 3 links; 1 is unclear"),
        ([UP, OPEN, OPEN], "Higher morale went with higher sickness absence in 1 of 3 links; 2 are unclear"),
        ([UP, UP, DOWN], "Higher morale went with higher sickness absence in 2 of 3 links; with lower in 1"),
        (
            [DOWN, DOWN, UP, OPEN],
            "Higher morale went with lower sickness absence in 2 of 4 links; with higher in 1, 1 is unclear",
        ),
        ([DOWN, None, OPEN], "Higher morale went with lower sickness absence in 1 of 2 links; 1 is unclear"),
    ],
)
def test_links_are_counted_by_their_way_and_whether_they_are_clear(intervals, said):
    assert went(rows(*intervals), "link") == said


def test_several_indicators_and_outcomes_go_by_their_kind_and_the_reverse_path_is_no_link():
    table = rows(DOWN, OPEN, indicators=("morale", "staff_engagement"), outcomes=("SHMI", "Leavers"))
    assert went(table, "link") == "Higher indicators went with lower outcomes in 1 of 2 links; 1 is unclear"
    both = rows(OPEN, DOWN, terms=("indicator_to_outcome", "outcome_to_indicator"), outcomes=("SHMI",))
    assert went(both, "estimate") == "Morale and SHMI: no clear estimate"


def lines(**slopes):
    """Straight lines through (7, 1), each with its slope and the half-width of that slope's interval."""
    frames = []
    for name, (slope, half) in slopes.items():
        x = pl.Series("x", [-0.5, -0.1, 0.3])
        frames.append(
            pl.DataFrame({"line": [f"{name} organisations"] * 3, "x": x + 7}).with_columns(
                estimate=1 + slope * x,
                conf_low=1 + slope * x - half * x.abs(),
                conf_high=1 + slope * x + half * x.abs(),
            )
        )
    return pl.concat(frames)


@pytest.mark.parametrize(
    ("slopes", "said"),
    [
        (
            {"between": (-2.0, 1.9), "within": (-2.0, 2.1)},
            "Between organisations higher morale went with lower SHMI; within organisations it is unclear",
        ),
        (
            {"between": (-2.0, 1.0), "within": (1.0, 0.5)},
            "Between organisations higher morale went with lower SHMI; within organisations higher morale "
            "went with higher SHMI",
        ),
        ({"between": (1.0, 2.0)}, "Morale and SHMI: no clear link between organisations"),
        (
            {"between": (1.0, 2.0), "within": (0.1, 2.0)},
            "Morale and SHMI: no clear link between organisations or within organisations",
        ),
    ],
)
def test_a_line_is_clear_exactly_when_its_slope_s_interval_leaves_out_nought(slopes, said):
    assert levels(lines(**slopes), "morale", "SHMI") == said


def test_organisations_that_take_a_slope_out_of_its_interval_are_named_or_counted():
    whole = {"indicator": "morale", "outcome_label": "SHMI", "conf_low": -0.04, "conf_high": -0.01}
    table = pl.DataFrame({"organisation": ["RAA", "RBB", "RCC"], "estimate": [-0.02, -0.03, -0.025]})
    inside = "Morale and SHMI: without any one organisation the slope stays within its interval"
    assert hangs_on(table, whole) == inside
    moved = table.with_columns(estimate=pl.Series([-0.005, -0.03, -0.025]))
    assert hangs_on(moved, whole) == "Morale and SHMI: without RAA the slope leaves its interval"
    moved = table.with_columns(estimate=pl.Series([-0.005, -0.05, -0.025]))
    said = "Morale and SHMI: without any one of 2 organisations the slope leaves its interval"
    assert hangs_on(moved, whole) == said


def test_shares_paths_and_specifications():
    first = {"label": "morale", "estimate": 0.08, "conf_low": 0.05, "conf_high": 0.11}
    second = {"label": "team", "estimate": 0.02, "conf_low": 0.01, "conf_high": 0.04}
    said = "10.0% of the variance of SHMI goes with these indicators"
    assert parted([first, second], 0.1, "SHMI") == f"{said}, the largest share with morale (8.0%)"
    unsure = {**second, "conf_high": 0.06}
    assert parted([first, unsure], 0.1, "SHMI") == f"{said}; which of them has the largest share is unclear"
    names = ("staff engagement", "morale", "SHMI")
    clear = {"indirect": {"estimate": -0.02, "conf_low": -0.03, "conf_high": -0.01}}
    unclear = {"indirect": {"estimate": -0.02, "conf_low": -0.03, "conf_high": 0.01}}
    pair = "Staff engagement and SHMI"
    assert through(clear, 0.4, names) == f"{pair}: 40% of the link is shared with morale"
    assert through(clear, None, names) == f"{pair}: \N{MINUS SIGN}0.020 of the link is shared with morale"
    assert not re.search(r"\b(path|through|leads?|via)\b", through(clear, 0.4, names))
    assert through(unclear, 0.4, names) == f"{pair}: no clear part of the link is shared with morale"
    row = {
        "specifications": 12, "percent_above": 25.0, "percent_below": 75.0, "percent_clearly_above": 0.0,
        "percent_clearly_below": 50.0,
    }  # fmt: skip
    assert pointing(row, pair) == f"{pair}: 9 of 12 specifications point down, 6 of them clear of 0"
    up = {**row, "percent_above": 100.0, "percent_below": 0.0}
    assert pointing(up, pair) == f"{pair}: all 12 specifications point up, none of them clear of 0"


def test_every_figure_s_title_says_what_is_seen_in_words_of_association():
    """In the made-up panel a link stands between organisations and none within them."""
    panel = cm.synthetic.outcome_panel()
    link = cm.link_outcomes(
        panel, ["staff_engagement", "morale"], cm.outcome("shmi"), design=["pooled", "fixed_effects"]
    )
    number = cm.Outcome("shmi", "ratio", label="SHMI")
    pair = ("staff_engagement", "shmi")
    figures = {
        "forest": link.figure(),
        "designs": link.figure_designs(*pair),
        "scatter": link.figure_scatter(*pair),
        "influence": link.figure_influence(*pair),
        "weights": cm.links.relative_weights(panel, ["staff_engagement", "morale"], number).figure(),
        "mediation": cm.links.mediate(panel, "staff_engagement", "morale", number).figure(),
        "moderation": cm.links.moderate(panel, "staff_engagement", "beds", number).figure(),
        "specifications": cm.specification_curve(panel, "staff_engagement", number).figure(),
        "false alarms": cm.links.false_alarms(draws=200).figure(),
        "agreement": cm.agreement(panel, ["staff_engagement", "shmi"]).figure(),
    }
    titles = {
        name: re.sub("<br>", " ", re.sub(r"<br><span.*", "", fig.layout.title.text))
        for name, fig in figures.items()
    }
    for name, title in titles.items():
        assert not CAUSAL.search(title), name
    assert titles["scatter"] == (
        "Between organisations higher staff engagement went with lower SHMI; within organisations it is unclear"
    )
    assert titles["designs"].startswith("Higher staff engagement went with lower SHMI in ")
    assert "stays within its interval" in titles["influence"]
    assert titles["moderation"] == "The slope of SHMI on staff engagement is not shown to differ with beds"
    assert re.fullmatch(
        r"\d+% \(.+\) to \d+% \(.+\) of the variance lies between organisations", titles["agreement"]
    )
    assert re.search(r"\d+\.\d% of panels show a link .* \d+\.\d% with clustering", titles["false alarms"])


def test_a_column_with_the_id_of_an_outcome_is_called_as_in_the_catalogue():
    panel = cm.synthetic.outcome_panel(organisations=30).with_columns(cqc_rating=pl.col("beds") % 4)
    found = cm.links.moderate(panel, "staff_engagement", "cqc_rating", "shmi")
    assert "SHMI on staff engagement" in found.summary()
    assert "CQC overall rating" in found.summary()
    shares = cm.links.relative_weights(panel, ["staff_engagement", "cqc_rating"], "shmi")
    assert shares.table["label"].to_list().count("CQC overall rating") == 1
    link = cm.link_outcomes(panel, "staff_engagement", "shmi")
    assert set(link.table["outcome_label"]) == {"SHMI"}
    for told in (
        link.summary(),
        repr(link),
        found.summary(),
        shares.summary(),
        found.figure().to_json(),
        shares.figure().to_json(),
    ):
        assert "shmi" not in told
        assert "cqc_rating" not in told
