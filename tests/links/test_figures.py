"""The figures of a result: the picture of one link under every design, and what a scatter may show."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError, UnknownNameError
from culture_metrics.links.pictures import BETWEEN, WITHIN, points_and_lines


@pytest.fixture(scope="module")
def panel():
    return cm.synthetic.outcome_panel(organisations=80, seed=4)


@pytest.fixture(scope="module")
def found(panel):
    outcomes = [cm.outcome("shmi"), cm.outcome("sickness_absence"), cm.outcome("cqc_rating")]
    return cm.link_outcomes(panel, ["staff_engagement", "morale"], outcomes)


def test_every_main_link_stands_in_the_forest(found):
    alt = found.figure().layout.meta["alt"]
    assert "plot of 6 estimates" in alt
    for label in found.table["outcome_label"].unique():
        assert f"{label}, Staff engagement" in alt


def test_the_designs_of_the_real_panel_disagree(trusts, records):
    """outcome_links.md, b3: per 1 SD of engagement (0.08504): pooled -0.0208, fixed effects -0.0012, lagged -0.0027."""
    shmi = cm.Outcome("SHMI.Index", "ratio", label="SHMI")
    keys = {"organisation": "Code", "year": "Year.Index"}
    made = cm.link_outcomes(
        trusts, "Engagement.Index", shmi, design=["pooled", "fixed_effects", "mixed"], **keys
    )
    alt = made.figure_designs().layout.meta["alt"]
    for words in (
        "All years together: \N{MINUS SIGN}0.021 ",
        "Within organisations (fixed effects): \N{MINUS SIGN}0.0012 ",
        "Outcome a year later, given the outcome now: \N{MINUS SIGN}0.0027 ",
        "Random intercepts: \N{MINUS SIGN}0.0035 ",
    ):
        assert words in alt


def test_several_pairs_must_be_told_apart(found):
    with pytest.raises(LinkError, match="Several indicators were linked"):
        found.figure_designs()
    with pytest.raises(UnknownNameError, match="no indicator 'moral'"):
        found.figure_scatter("moral", "shmi")
    assert found.figure_designs("morale", "shmi").layout.meta["alt"]
    assert found.figure_influence("morale", "shmi").layout.meta["alt"]


def test_a_scatter_shows_means_and_both_slopes(found, panel):
    model = found.table.filter(role="main", outcome="shmi", indicator="staff_engagement")["model_id"][0]
    points, lines = points_and_lines(found.source, model, "staff_engagement")
    assert points.height == 80
    assert lines["line"].unique(maintain_order=True).to_list() == [BETWEEN, WITHIN]
    # Balanced panel: with year means taken out, means over the years are those of the columns.
    means = panel.group_by("organisation").agg(pl.col("staff_engagement", "shmi").mean()).sort("organisation")
    assert points["x"].to_list() == pytest.approx(means["staff_engagement"].to_list())
    within = lines.filter(line=WITHIN)
    slope = (within["estimate"][-1] - within["estimate"][0]) / (within["x"][-1] - within["x"][0])
    fixed = cm.link_outcomes(
        panel, "staff_engagement", cm.outcome("shmi"), design="fixed_effects", standardise=None
    )
    assert slope == pytest.approx(fixed.table["estimate"][0])
    between = lines.filter(line=BETWEEN)
    slope = (between["estimate"][-1] - between["estimate"][0]) / (between["x"][-1] - between["x"][0])
    assert slope == pytest.approx(np.polyfit(means["staff_engagement"], means["shmi"], 1)[0])


def test_a_scatter_leaves_out_small_bases(panel):
    small = panel.with_columns(
        attendances=pl.when(pl.col("organisation") == "SYN001").then(5).otherwise("attendances")
    )
    made = cm.link_outcomes(small, "staff_engagement", cm.outcome("four_hour_wait"))
    points, _ = points_and_lines(made.source, made.table["model_id"][0], "staff_engagement")
    assert "SYN001" not in points["organisation"]
    assert points["y"].max() > 1


@pytest.mark.parametrize(
    ("column", "outcome", "shown"),
    [("staff_engagement_base", "shmi", False), ("bed_days", "mrsa", True)],
    ids=["respondents", "exposure"],
)
def test_a_base_is_of_people(column, outcome, shown, panel):
    """Ten respondents are a small base; ten units of exposure are none."""
    few = panel.with_columns(
        pl.when(pl.col("organisation") == "SYN001").then(10).otherwise(column).alias(column)
    )
    made = cm.link_outcomes(few, "staff_engagement", cm.outcome(outcome))
    points, _ = points_and_lines(made.source, made.table["model_id"][0], "staff_engagement")
    assert ("SYN001" in points["organisation"]) is shown


def test_a_scatter_of_levels_counts_their_places(found, panel):
    """Means of each organisation's places, 1 for the worst: own sums, years and controls not taken out."""
    fig = found.figure_scatter("morale", "cqc_rating")
    assert fig.layout.yaxis.title.text.endswith("(1 Inadequate to 4 Outstanding)")
    model = found.table.filter(outcome="cqc_rating", indicator="morale", role="main")["model_id"][0]
    points, _ = points_and_lines(found.source, model, "morale")
    places = panel.select("organisation", place=pl.col("cqc_rating").to_physical() + 1)
    assert points["y"].mean() == pytest.approx(
        places.group_by("organisation").mean()["place"].mean(), abs=1e-6
    )


def test_designs_that_come_to_one_model_stand_once(panel):
    """Beyond linear models changes and deviations are one model: once in the table, figure and adjustment."""
    asked = ["pooled", "fixed_effects", "first_difference"]
    made = cm.link_outcomes(panel, "morale", cm.outcome("c_difficile"), design=asked)
    main = made.table.filter(role="main")
    assert main["design"].unique(maintain_order=True).to_list() == ["pooled", "fixed_effects"]
    assert any("'Changes from year to year' is the same model" in said for said in made.warnings)
    assert made.figure_designs().data
    linear = cm.link_outcomes(panel, "morale", cm.outcome("shmi"), design=asked)
    assert set(linear.table.filter(role="main")["design"]) == set(asked)
