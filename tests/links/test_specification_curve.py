"""One link under every specification: equal to single calls, and shares that follow from a planted truth."""

from __future__ import annotations

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError


@pytest.fixture(scope="module")
def panel():
    """Between organisations a slope of -0.15 in the logarithm of SHMI, none within."""
    return cm.synthetic.outcome_panel(organisations=100, years=range(2018, 2024), seed=2)


@pytest.fixture(scope="module")
def curve(panel):
    return cm.specification_curve(
        panel, "staff_engagement", cm.outcome("shmi"), controls=["region", "beds"], weights=["staff_engagement_base"],
        years=[(2018, 2020)], designs=["pooled", "fixed_effects", "within_between"],
    )  # fmt: skip


def test_every_combination_stands_once(curve):
    # (3 designs, one of two terms) x 4 sets of controls x 2 weights x 2 spans; that one takes no weights.
    assert curve.table.filter(design="pooled").height == 16
    assert curve.table.filter(design="within_between").height == 16 + 8
    failed = curve.table.filter(pl.col("estimate").is_null())
    assert failed.select("design", "weights").unique().rows() == [("within_between", "staff_engagement_base")]
    assert "weights" in failed["note"][0]
    assert curve.table["specification"].to_list() == list(range(1, curve.table.height + 1))
    assert curve.table["estimate"].drop_nulls().is_sorted()


def test_a_specification_equals_a_single_call(curve, panel):
    sd = panel["staff_engagement"].std()
    single = cm.link_outcomes(
        panel, "staff_engagement", cm.outcome("shmi"), design="fixed_effects", controls=["beds"],
        standardise={"staff_engagement": sd},
    ).table.row(0, named=True)  # fmt: skip
    # The number of beds stays the same within an organisation, so this fit is the one without it.
    row = curve.table.filter(
        pl.col("controls") == "no controls", design="fixed_effects", weights="not weighted", years="all years"
    ).row(0, named=True)
    for column in ("estimate", "std_error", "df", "p_value", "conf_low", "conf_high", "base", "n_orgs"):
        assert row[column] == pytest.approx(single[column]), column
    assert curve.step == f"+1 SD ({sd:.2g})"


def test_only_distinct_fits_count(panel):
    """Of 24, fixed effects and changes repeat themselves with controls that stay the same: 18 are left."""
    curve = cm.specification_curve(panel, "staff_engagement", cm.outcome("shmi"), controls=["region", "beds"])
    table = curve.table
    assert (table.height, curve.repeats, table["stands_for"].sum()) == (18, 6, 24)
    assert table["specification"].to_list() == list(range(1, 19))
    four = table.filter(pl.col("stands_for") > 1)
    assert sorted(four["design"]) == ["first_difference", "fixed_effects"]
    assert four["stands_for"].to_list() == [4, 4]
    assert four["controls"].to_list() == ["no controls"] * 2
    assert table.select("estimate", "std_error", "base", "design", "term").is_duplicated().sum() == 0
    whole = curve.shares.row(0, named=True)
    assert whole["specifications"] == 18
    assert whole["percent_below"] == pytest.approx(100 * (table["estimate"] < 0).sum() / 18)
    # By option too: fixed effects are one of the fits without controls, and none of those with regions.
    assert curve.shares.filter(option="region")["specifications"].item() == 8
    assert curve.shares.filter(option="fixed effects")["specifications"].item() == 1
    assert "18 specifications" in curve.summary()
    assert "6 more repeat one of these" in curve.summary()


@pytest.mark.parametrize(
    ("more", "repeats"),
    [
        ({"weights": ["even"]}, 1),
        ({"weights": ["uneven"]}, 0),
        ({"years": [(2018, 2023)]}, 1),
        ({"years": [(2018, 2022)]}, 0),
        ({"controls": ["hundreds", "beds"]}, 1),
        ({"controls": ["morale", "beds"]}, 0),
        ({"designs": ["pooled", "mixed"]}, 0),
    ],
    ids=str,
)
def test_what_makes_no_other_fit(panel, more, repeats):
    """Weights that are all alike, years that are all years, and a column in another unit."""
    given = panel.with_columns(even=pl.lit(2.0), uneven=pl.col("beds") / 100, hundreds=pl.col("beds") / 100)
    curve = cm.specification_curve(given, "staff_engagement", "shmi", **{"designs": ["pooled"], **more})
    assert curve.repeats == repeats


def test_shares_tell_between_from_within(curve):
    shares = {(r["choice"], r["option"]): r for r in curve.shares.to_dicts()}
    assert shares["design", "pooled"]["percent_clearly_below"] > 50
    assert shares["design", "within between: within"]["percent_clearly_below"] == 0
    whole = shares["all", "all"]
    assert whole["specifications"] == curve.table["estimate"].count()
    assert whole["percent_above"] + whole["percent_below"] == pytest.approx(100)


def test_shares_count_by_hand(curve):
    pooled = curve.table.filter(design="pooled")
    row = curve.shares.row(by_predicate=pl.col("option") == "pooled", named=True)
    assert row["percent_clearly_below"] == 100 * pooled.filter(pl.col("conf_high") < 0).height / pooled.height


def test_words_and_figure(curve):
    words = curve.summary()
    assert "could not be fitted" in words
    assert "no test" in words
    fig = curve.figure()
    assert "region" in fig.layout.meta["alt"]
    assert "no controls" in [a.text for a in fig.layout.annotations]


def test_refusals(panel):
    with pytest.raises(LinkError, match="are too many"):
        cm.specification_curve(panel, "staff_engagement", "shmi", controls=[f"c{i}" for i in range(11)])
    with pytest.raises(LinkError, match="no design 'best'"):
        cm.specification_curve(panel, "staff_engagement", "shmi", designs=["best"])
    with pytest.raises(LinkError, match="one equation"):
        cm.specification_curve(panel, "staff_engagement", "shmi", designs=["cross_lagged"])
    with pytest.raises(LinkError, match="No specification could be fitted"):
        cm.specification_curve(panel.with_columns(x=pl.lit(1.0)), "x", "shmi", step=1.0)
