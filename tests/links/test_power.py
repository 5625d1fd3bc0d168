"""Detectable links: the printed numbers, and a simulation of what is found."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.models.designs.registry import as_design
from culture_metrics.models.effects import p_of
from culture_metrics.models.fit import fit
from culture_metrics.models.outcome_values import OutcomeValues
from culture_metrics.models.panel_arrays import PanelArrays
from culture_metrics.models.plan import Plan
from culture_metrics.outcomes.outcome import Outcome


@pytest.mark.parametrize(("organisations", "r"), [(60, 0.35), (120, 0.25), (210, 0.19)])
def test_fisher_z_at_80_percent(organisations, r):
    """outcome_links.md, b6: two-sided 5%."""
    assert round(cm.links.detectable_link(organisations, 1).table["detectable_r"].item(), 2) == r


def test_years_add_little_where_organisations_stay_the_same():
    def found(icc, design):
        table = cm.links.detectable_link(120, 6, icc, icc_indicator=icc).table
        return table.filter(design=design)["detectable_r"].item()

    assert found(0.0, "pooled") < found(0.5, "pooled") < found(0.9, "pooled") < 0.26
    assert found(0.9, "fixed_effects") == found(0.1, "fixed_effects")


def test_an_unreliable_indicator_needs_a_stronger_true_link():
    row = cm.links.detectable_link(120, 1, reliability=0.64).table.row(0, named=True)
    assert row["detectable_true_r"] == pytest.approx(row["detectable_r"] / 0.8)
    assert cm.links.detectable_link(12, 1, reliability=0.2).table["detectable_true_r"].item() is None


def found_in(x, y, within):
    """Share of panels (draws, organisations, years) in which the clustered slope is significant."""
    from scipy.stats import t

    centre = (2,) if within else (1, 2)
    x, y = (v - v.mean(axis=centre, keepdims=True) for v in (x, y))
    slope = (x * y).sum((1, 2)) / (x * x).sum((1, 2))
    scores = (x * (y - slope[:, None, None] * x)).sum(2)
    many = x.shape[1]
    error = np.sqrt((scores**2).sum(1) * many / (many - 1)) / (x * x).sum((1, 2))
    return (np.abs(slope / error) > t.ppf(0.975, many - 1)).mean()


@pytest.mark.parametrize("design", ["pooled", "fixed_effects"])
@pytest.mark.parametrize(("icc_indicator", "icc"), [(0.4, 0.75), (0.8, 0.8)])
def test_four_of_five_studies_find_it(design, icc_indicator, icc):
    """3,000 panels of 120 organisations and 5 years, the same slope between and within."""
    table = cm.links.detectable_link(120, 5, icc, icc_indicator=icc_indicator).table
    r = table.filter(design=design)["detectable_r"].item()
    rng = np.random.default_rng(4)
    shape = (3000, 120, 5)

    def parts(share):
        return np.sqrt(share) * rng.normal(size=(*shape[:2], 1)), np.sqrt(1 - share) * rng.normal(size=shape)

    (x_between, x_within), (e_between, e_within) = parts(icc_indicator), parts(icc)
    x = x_between + x_within
    if design == "fixed_effects":
        slope = r * np.sqrt((1 - icc) / (1 - icc_indicator)) / np.sqrt(1 - r**2)
        y = slope * x + e_between + e_within
    else:
        y = r * x + np.sqrt(1 - r**2) * (e_between + e_within)
    assert found_in(x, y, design == "fixed_effects") == pytest.approx(0.80, abs=0.03)


PANELS = {"cross_section": 1, "pooled": 5, "mixed": 5, "fixed_effects": 5, "first_difference": 5}
MADE, BETWEEN = 120, (0.4, 0.75)


def made(rng, organisations, years, slope, within):
    """A panel as columns: ICCs of 0.4 and 0.75, the same slope between and within organisations."""
    x, e = (
        np.sqrt(icc) * rng.normal(size=(organisations, 1))
        + np.sqrt(1 - icc) * rng.normal(size=(organisations, years))
        for icc in BETWEEN
    )
    scale = np.sqrt((1 - BETWEEN[1]) / (1 - BETWEEN[0])) if within else 1.0
    return PanelArrays(
        tuple(f"R{i:03d}" for i in range(organisations)),
        np.repeat(np.arange(organisations), years),
        np.tile(np.arange(2000, 2000 + years), organisations),
        {"x": x.ravel(), "y": (scale * slope * x + e).ravel()},
        {},
    )


@pytest.mark.parametrize("design", PANELS)
@pytest.mark.parametrize("share", [1.0, 0.5])
def test_this_package_finds_the_detectable_slope_in_four_of_five_panels(design, share):
    """Its own fits: planted at the detectable correlation 80 % find it, and at half of it far fewer.

    Half the non-centrality, 1.41 of 2.82, is found in about 29 %.
    """
    table = cm.links.detectable_link(MADE, 5, BETWEEN[1], icc_indicator=BETWEEN[0]).table
    r = share * table.filter(design=design)["detectable_r"].item()
    slope, within = r / np.sqrt(1 - r**2), design in ("fixed_effects", "first_difference")
    rng, draws, found = np.random.default_rng(11), 300, 0
    for _ in range(draws):
        arrays = made(rng, MADE, PANELS[design], slope, within)
        values = OutcomeValues(Outcome("y", "continuous"), arrays.numbers["y"])
        plan = Plan(values, ("x",), design=as_design(design))
        fitted = fit(arrays, plan)
        column = fitted.matrix.terms["x", "overall"]
        t = float(fitted.solution.params[column]) / fitted.std_error(column)
        found += p_of(t, fitted.degrees(column)) < 0.05
    expected = {1.0: 0.80, 0.5: 0.29}[share]
    # Three standard errors of the simulation.
    assert found / draws == pytest.approx(expected, abs=3 * np.sqrt(expected * (1 - expected) / draws))


def test_results_and_the_plan_before_them_agree():
    """One panel, one number for each design: beforehand, in the result, and in its warning."""
    panel = cm.synthetic.outcome_panel(organisations=140, years=range(2018, 2024))
    designs = ["pooled", "mixed", "fixed_effects", "first_difference"]
    link = cm.link_outcomes(panel, "staff_engagement", "inpatient_survey", design=designs)
    # ICC(1) of the indicator, and of what indicator and years leave of the outcome, by another route.
    x, y = panel["staff_engagement"].to_numpy(), panel["inpatient_survey"].to_numpy()
    years = (panel["year"].to_numpy()[:, None] == np.arange(2018, 2024)).astype(float)
    left = {
        "x": x - years @ np.linalg.lstsq(years, x, rcond=None)[0],
        "e": y - np.c_[years, x] @ np.linalg.lstsq(np.c_[years, x], y, rcond=None)[0],
    }
    icc = cm.agreement(panel.select("organisation").with_columns(**left), ["x", "e"]).table["icc1"]
    before = cm.links.detectable_link(140, 6, icc[1], icc_indicator=icc[0]).table
    for design in designs:
        row = link.table.filter(role="main", design=design).row(0, named=True)
        r = before.filter(design=design)["detectable_r"].item()
        # Random intercepts have Satterthwaite's degrees of freedom, which are known only afterwards.
        assert row["detectable_r"] == pytest.approx(r, rel=0.01 if design == "mixed" else 1e-6), design
        warned = [line for line in link.warnings if "one time in five" in line]
        assert any(f"under {row['detectable_r']:.2f} in size" in line for line in warned)
    one_year = cm.link_outcomes(panel.filter(year=2020), "staff_engagement", "shmi", design="cross_section")
    assert one_year.table["detectable_r"].item() == pytest.approx(before["detectable_r"][0], rel=1e-9)


def test_terms_and_fewer_rows_have_their_own_number():
    """Means of organisations count once each, deviations N (T - 1) times; without a model there is none."""
    panel = cm.synthetic.outcome_panel(organisations=100, years=range(2019, 2024))
    link = cm.link_outcomes(panel, "staff_engagement", "shmi", design=["within_between", "fixed_effects"])
    r = {row["term"]: row["detectable_r"] for row in link.table.filter(role="main").to_dicts()}
    assert r["between"] == pytest.approx(
        cm.links.detectable_link(100, 1).table["detectable_r"].item(), rel=0.01
    )
    assert r["within"] == pytest.approx(r["overall"], rel=0.02)
    half = panel.filter(pl.col("organisation").str.tail(1).cast(pl.Int32) % 2 == 0)
    fewer = (
        cm.link_outcomes(half, "staff_engagement", "shmi", design="fixed_effects")
        .table["detectable_r"]
        .item()
    )
    assert fewer == pytest.approx(cm.links.detectable_link(50, 5).table["detectable_r"][3], rel=1e-9)


def test_words_say_what_a_null_does_not_exclude():
    words = cm.links.detectable_link(120, 6, 0.75, icc_indicator=0.4).summary()
    assert "does not exclude" in words
    assert "within organisations" in words


def test_the_table_has_one_vocabulary():
    assert cm.links.detectable_link(120, 2).table.schema["detectable_r"] == pl.Float64
