"""A grid of links goes on where one of them cannot be fitted, and levels with few organisations are a choice."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError

ORGS, YEARS = 50, 4


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(3)
    n, org = ORGS * YEARS, np.repeat(np.arange(ORGS), YEARS)
    z = 7 + 0.3 * rng.normal(size=ORGS)[org] + 0.3 * rng.normal(size=n)
    few = np.where(org < 7, rng.normal(size=n), np.nan)
    return pl.DataFrame(
        {
            "organisation": [f"R{i:03d}" for i in org],
            "year": np.tile(np.arange(2020, 2020 + YEARS), ORGS),
            "z": z,
            "y": 1 - 0.2 * (z - 7) + 0.1 * rng.normal(size=n),
            "lasting": rng.normal(size=ORGS)[org],
            "constant": np.full(n, 4.0),
            "few": few,
            "share": rng.uniform(size=n),
            "words": np.array(["good", "bad"])[rng.integers(0, 2, n)],
            "region": np.where(org == 0, "only", np.where(org < 3, "two", np.array(["a", "b"])[org % 2])),
        }
    ).with_columns(
        few=pl.col("few").fill_nan(None), zero=pl.lit(0.0), flat=pl.lit(2.5), above=pl.col("y") + 9
    )


BAD = {
    "constant": "Indicator 'constant' does not vary in the rows of the model",
    "few": "Only 7 organisations have everything this model needs",
    "words": "Column 'words' is not numeric",
    "above": "'above' and the outcome 'y' hold the same numbers on another scale",
}


def test_a_bad_indicator_leaves_a_row_with_its_reason(panel):
    alone = cm.link_outcomes(panel, "z", "y").table.filter(role="main")
    link = cm.link_outcomes(panel, ["constant", "z", "few", "words", "above"], "y")
    main = link.table.filter(role="main")
    assert main["indicator"].to_list() == ["constant", "z", "few", "words", "above"]
    good = main.filter(status="reported")
    for column in ("estimate", "std_error", "p_value", "conf_low", "conf_high", "base", "detectable_r"):
        assert good[column].to_list() == alone[column].to_list(), column
    # One test was made, so one is adjusted for.
    assert good["p_adjusted"].item() == good["p_value"].item()
    for row in main.filter(pl.col("status") != "reported").to_dicts():
        assert row["status"] == "not_fitted"
        assert row["reason"].startswith(BAD[row["indicator"]])
        assert row["flags"] == "not_fitted"
        figures = (
            "estimate",
            "std_error",
            "p_value",
            "p_adjusted",
            "effect",
            "base",
            "n_orgs",
            "detectable_r",
        )
        assert all(row[name] is None for name in figures)
    assert len(link.statements) == link.table.height
    for said, row in zip(link.statements, link.table.to_dicts(), strict=True):
        assert ("no figures" in said) == (row["estimate"] is None)
        assert row["reason"] is None or row["reason"] in said
    assert any(
        "(4 of 5 rows)" in line and line.startswith("No model could be fitted") for line in link.warnings
    )
    assert "4 links not fitted" in repr(link)


def test_a_bad_outcome_leaves_rows_with_its_reason(panel):
    outcomes = [
        "zero",
        "flat",
        cm.Outcome("y", "proportion"),
        "y",
        cm.Outcome("words", "ordinal", levels=("bad", "good")),
    ]
    link = cm.link_outcomes(panel, ["z", "lasting"], outcomes)
    reasons = {
        row["outcome"] + row["kind"]: row["reason"] for row in link.table.filter(role="main").to_dicts()
    }
    assert reasons["ycontinuous"] is None
    assert "is 0 in every row" in reasons["zerocontinuous"]
    assert "Outcome 'flat' does not vary" in reasons["flatcontinuous"]
    assert "outside their range" in reasons["yproportion"]
    assert "fewer than three levels" in reasons["wordsordinal"]
    assert link.table.filter(role="main", outcome="y", kind="continuous")["estimate"].null_count() == 0


def test_designs_that_a_pair_does_not_bear_leave_rows(panel):
    """One that does not vary in time has no slope within, and all others."""
    designs = [
        "cross_section",
        "pooled",
        "fixed_effects",
        "within_between",
        "first_difference",
        "mixed",
        "lagged",
    ]
    link = cm.link_outcomes(panel, ["lasting", "z"], "y", design=designs)
    rows = link.table.filter(role="main", indicator="lasting")
    within = {"fixed_effects", "within_between", "first_difference"}
    assert set(rows.filter(status="not_fitted")["design"]) == within
    assert rows.filter(design="within_between")["term"].to_list() == ["within", "between"]
    assert all("does not vary" in reason for reason in rows.filter(status="not_fitted")["reason"])
    assert link.table.filter(role="main", indicator="z")["estimate"].null_count() == 0


def test_figures_leave_out_what_has_no_model_and_say_so(panel):
    link = cm.link_outcomes(panel, ["z", "constant"], "y", design=["pooled", "fixed_effects"])
    assert "2 links could not be fitted" in link.figure().layout.meta["alt"] + str(link.figure().layout)
    assert link.figure_designs("z").data
    for draw in (link.figure_designs, link.figure_scatter, link.figure_influence):
        with pytest.raises(LinkError, match="no model to draw") as caught:
            draw("constant")
        assert "does not vary" in str(caught.value)


def test_a_call_without_any_figure_is_an_error(panel):
    with pytest.raises(LinkError, match="'constant' does not vary") as caught:
        cm.link_outcomes(panel, "constant", ["y", "share"], design=["pooled", "lagged"])
    assert caught.value.hint
    with pytest.raises(LinkError, match="None of 2 links could be fitted") as caught:
        cm.link_outcomes(panel, ["constant", "few"], "y")
    assert "Only 7 organisations" in str(caught.value)


def test_specifications_go_on_over_a_span_without_rows_or_with_a_constant(panel):
    still = panel.with_columns(
        pl.when(pl.col("year") == 2020).then(1.0).otherwise("y").alias("y"), gone=pl.lit(None, pl.Float64)
    )
    curve = cm.specification_curve(
        still, "z", "y", designs=["pooled", "fixed_effects"], controls=["gone"],
        years=[(2020, 2020), (2020, 2022), (1990, 1991)],
    )  # fmt: skip
    notes = {
        (row["years"], row["design"], row["controls"] != "no controls"): row["note"]
        for row in curve.table.filter(pl.col("estimate").is_null()).to_dicts()
    }
    assert notes["1990 to 1991", "pooled", False] == "The panel has no rows"
    assert notes["2020 to 2020", "pooled", False] == "Outcome 'y' does not vary in the rows of the model"
    assert notes["all years", "pooled", True].startswith("Only 0 organisations")
    assert set(curve.table.drop_nulls("estimate")["years"]) == {"all years", "2020 to 2022"}
    assert set(curve.table["status"]) == {"reported", "not_fitted"}
    assert f"{curve.table['estimate'].null_count()} more could not be fitted" in curve.summary()


VERBS = {
    "relative_weights": lambda data, **more: cm.links.relative_weights(
        data, ["z", "lasting"], "y", draws=200, **more
    ),
    "mediate": lambda data, **more: cm.links.mediate(data, "z", "lasting", "y", draws=200, **more),
    "moderate": lambda data, **more: cm.links.moderate(data, "z", "lasting", "y", **more),
}


def test_levels_with_few_organisations_are_left_out_by_choice(panel):
    """'only' has 1 organisation and 'two' has 2: 12 rows of 3 organisations by default."""
    rows = {}
    for least, lost in {1: 0, 2: 4, 3: 12}.items():
        link = cm.link_outcomes(panel, "z", "y", controls=["region"], min_level_orgs=least)
        row = link.table.row(0, named=True)
        rows[least] = row["base"]
        assert row["base"] == ORGS * YEARS - lost
        assert ("rare_levels" in row["flags"]) == bool(lost)
        said = [line for line in link.warnings if line.startswith("Left out")]
        assert bool(said) == bool(lost)
        if lost:
            assert f"{lost} rows and with them" in said[0]
            assert "region 'only'" in said[0]
    assert cm.link_outcomes(panel, "z", "y", controls=["region"]).table["base"][0] == rows[3]


@pytest.mark.parametrize("verb", VERBS)
def test_other_verbs_count_the_levels_they_leave_out(verb, panel):
    whole = VERBS[verb](panel, controls=["region"], min_level_orgs=1)
    assert f"{ORGS * YEARS} organisation-years, {ORGS} organisations" in whole.summary()
    assert "left out" not in whole.summary()
    part = VERBS[verb](panel, controls=["region"]).summary()
    assert f"{ORGS * YEARS - 12} organisation-years, {ORGS - 3} organisations" in part
    assert re.search(r"left out: 12 rows and with them 3 organisations, of region 'only', region 'two'", part)
    with pytest.raises(LinkError, match="min_level_orgs= is a number of organisations"):
        VERBS[verb](panel, min_level_orgs=0)


def test_specifications_count_the_levels_they_leave_out(panel):
    curve = cm.specification_curve(panel, "z", "y", designs=["pooled"], controls=["region"])
    note = curve.table.filter(pl.col("controls") != "no controls")["note"].item()
    assert note.startswith("left out: 12 rows and with them 3 organisations")
    assert "1 leave out rows of levels" in curve.summary()
    whole = cm.specification_curve(panel, "z", "y", designs=["pooled"], controls=["region"], min_level_orgs=1)
    assert whole.table["base"].to_list() == [ORGS * YEARS] * 2
    assert "levels" not in whole.summary()


def test_a_level_of_one_row_adds_nothing(panel):
    """Its row is fitted exactly: slope and error are those without the row, under HC3 and HC1."""
    year = panel.filter(year=2020).with_columns(
        region=pl.when(pl.col("organisation") == "R000").then(pl.lit("only")).otherwise(pl.lit("a"))
    )
    kept = {"controls": ["region"], "min_level_orgs": 1, "design": "cross_section", "standardise": None}
    found = cm.link_outcomes(year, "z", "y", **kept).table.row(0, named=True)
    without = cm.link_outcomes(
        year.filter(pl.col("organisation") != "R000"), "z", "y", design="cross_section", standardise=None
    ).table.row(0, named=True)
    assert found["base"] == without["base"] + 1
    for column in ("estimate", "std_error", "df", "detectable_r"):
        assert found[column] == pytest.approx(without[column], rel=1e-9), column
