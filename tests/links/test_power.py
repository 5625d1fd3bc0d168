"""Detectable links: the printed numbers, and a simulation of what is found."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError


@pytest.mark.parametrize(("organisations", "r"), [(60, 0.35), (120, 0.25), (210, 0.19)])
def test_fisher_z_at_80_percent(organisations, r):
    """outcome_links.md, b6: two-sided 5%."""
    assert round(cm.detectable_link(organisations).table["detectable_r"].item(), 2) == r


def test_years_add_little_where_organisations_stay_the_same():
    def found(icc, design):
        return cm.detectable_link(120, 6, icc).table.filter(design=design)["detectable_r"].item()

    assert found(0.0, "pooled") < found(0.5, "pooled") < found(0.9, "pooled") < 0.26
    assert found(0.9, "fixed_effects") == found(0.1, "fixed_effects")


def test_an_unreliable_indicator_needs_a_stronger_true_link():
    row = cm.detectable_link(120, reliability=0.64).table.row(0, named=True)
    assert row["detectable_true_r"] == pytest.approx(row["detectable_r"] / 0.8)
    assert cm.detectable_link(12, reliability=0.2).table["detectable_true_r"].item() is None


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
    table = cm.detectable_link(120, 5, icc, icc_indicator=icc_indicator).table
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


def test_words_say_what_a_null_does_not_exclude():
    words = cm.detectable_link(120, 6, 0.75, icc_indicator=0.4).summary()
    assert "does not exclude" in words
    assert "within organisations" in words


@pytest.mark.parametrize(
    "numbers",
    [
        {"n_organisations": 5}, {"years": 0}, {"icc": 1.0}, {"icc": -0.1}, {"reliability": 0}, {"power": 0.01},
        {"level": 0.7}, {"icc_indicator": 1.2},
    ],
    ids=str,
)  # fmt: skip
def test_numbers_outside_their_range(numbers):
    with pytest.raises(LinkError, match="outside its range"):
        cm.detectable_link(**{"n_organisations": 120, **numbers})


def test_the_table_has_one_vocabulary():
    assert cm.detectable_link(120, 2).table.schema["detectable_r"] == pl.Float64
