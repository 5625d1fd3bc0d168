"""Long differences equal R, hold their level, and handle overlaps, gaps and organisations of one change.

`tests/reference/long_differences.R` took the changes with plm, by year, and fitted them with lm and sandwich.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import t

import culture_metrics as cm
from culture_metrics.errors import LinkError
from culture_metrics.models.designs.independent_figures import Sizes
from culture_metrics.models.designs.long_difference import long_difference
from culture_metrics.models.designs.registry import as_design

REFERENCE = Path(__file__).parents[1] / "reference"
RECORDS = {row["id"]: row for row in pl.read_csv(REFERENCE / "long_differences.csv").to_dicts()}
ORGS, PANELS = 60, 8_000


@pytest.fixture(scope="module")
def panel():
    """The rows that the R script kept."""
    number, code = pl.int_range(pl.len()), pl.col("organisation").str.slice(1).cast(pl.Int64)
    return (
        pl.read_csv(REFERENCE / "link_panel.csv")
        .sort("organisation", "year")
        .filter((number * 7 % 11 > 2) | (number % 13 == 0))
        .filter((code < 50) | (pl.col("year") == 2019 + code % 4))
    )


def row(data, design, outcome="score", indicator="engagement", **more):
    found = cm.link_outcomes(data, indicator, outcome, design=design, standardise=None, **more)
    return found.table.filter(role="main").row(0, named=True)


@pytest.mark.parametrize("record", RECORDS)
def test_equals_r(record, panel):
    design, rows, cov = record.split(".")
    weights = "deaths" if rows == "weighted" else None
    found = row(panel, design, controls=["sickness"], cov=cov, weights=weights)
    wanted = RECORDS[record]
    assert found["estimate"] == pytest.approx(wanted["estimate"], rel=1e-9)
    assert found["std_error"] == pytest.approx(wanted["std_error"], rel=1e-9)
    assert (found["df"], found["base"]) == (wanted["df"], wanted["rows"])


def test_of_one_year_it_is_the_first_difference(panel):
    figures = ["estimate", "std_error", "df", "p_value", "detectable_r", "base", "n_orgs"]
    one, other = (row(panel, design) for design in ("long_difference_1", "first_difference"))
    assert {name: one[name] for name in figures} == {name: other[name] for name in figures}


def test_with_one_change_of_each_organisation_it_is_the_regression_of_these():
    """Two years, three apart: the slope of the change on the change, by hand, with HC3 as nothing repeats."""
    rng = np.random.default_rng(13)
    z, y = rng.normal(size=(2, 30)), rng.normal(size=(2, 30))
    frame = pl.concat(
        pl.DataFrame({"organisation": [f"R{i:02d}" for i in range(30)], "year": year, "z": z[at], "y": y[at]})
        for at, year in enumerate((2019, 2022))
    )
    dz, dy = z[1] - z[0], y[1] - y[0]
    x = np.column_stack([np.ones(30), dz])
    bread = np.linalg.inv(x.T @ x)
    left = dy - x @ (bread @ (x.T @ dy))
    seen = (x @ bread[1]) * left / (1 - np.einsum("ij,jk,ik->i", x, bread, x))
    found = row(frame, "long_difference", "y", "z")
    assert found["estimate"] == pytest.approx((bread @ (x.T @ dy))[1], rel=1e-10)
    assert found["std_error"] == pytest.approx(np.sqrt(seen @ seen), rel=1e-10)
    assert (found["cov"], found["df"], found["base"], found["n_orgs"]) == ("HC3", 28, 30, 30)


def test_overlapping_changes_are_clustered_and_others_raise_a_flag():
    panel = cm.synthetic.outcome_panel(organisations=50, years=range(2015, 2023))
    found = row(panel, "long_difference", "inpatient_survey", "staff_engagement")
    assert (found["cov"], found["df"], found["base"]) == ("cluster", 49, 5 * 50)
    assert "not_clustered" not in found["flags"]
    alike = row(panel, "long_difference", "inpatient_survey", "staff_engagement", cov="HC1")
    assert "not_clustered" in alike["flags"]
    assert alike["estimate"] == found["estimate"]


def test_what_has_no_year_so_far_back_is_counted(panel):
    """Rows left are those with a figure three years before, of both: a missing year leaves a gap."""
    rest = panel.select("organisation", pl.col("year") + 3)
    wanted = panel.join(rest, on=["organisation", "year"])
    sample = cm.link_outcomes(panel, "engagement", "score", design="long_difference").sample
    step = sample.filter(step="no row 3 years before").row(0, named=True)
    assert (step["rows_left"], step["organisations_left"]) == (
        wanted.height,
        wanted["organisation"].n_unique(),
    )
    assert step["rows_lost"] == panel.height - wanted.height


def test_words_and_label():
    panel = cm.synthetic.outcome_panel(organisations=50, years=range(2015, 2023))
    found = cm.link_outcomes(
        panel,
        "staff_engagement",
        "inpatient_survey",
        design=["long_difference", "long_difference_4", "pooled"],
    )
    main = found.table.filter(role="main")
    assert main["design"].to_list() == ["long_difference", "long_difference_4", "pooled"]
    assert main["design_label"].to_list()[:2] == ["Changes over 3 years", "Changes over 4 years"]
    assert "over 4 years, the change in" in " ".join(found.statements)
    assert "Changes over 3 years" in found.figure().layout.meta["alt"]
    curve = cm.specification_curve(
        panel, "staff_engagement", "inpatient_survey", designs=["pooled", long_difference(2)]
    )
    assert set(curve.table["design"]) == {"pooled", "long_difference_2"}
    three = main.row(0, named=True)
    assert three["estimate"] == pytest.approx(
        cm.link_outcomes(panel, "staff_engagement", "inpatient_survey", design=long_difference(3))
        .table["estimate"]
        .item()
    )


def test_what_it_does_not_take():
    panel = cm.synthetic.outcome_panel(organisations=50)
    with pytest.raises(LinkError, match="kind count has no long_difference model"):
        cm.link_outcomes(panel, "morale", cm.outcome("c_difficile"), design="long_difference")
    with pytest.raises(LinkError, match="spans years"):
        as_design("long_difference_0")
    with pytest.raises(LinkError, match="Only 0 organisations") as caught:
        cm.link_outcomes(panel, "morale", "shmi", design="long_difference_9")
    assert "no row 9 years before" in caught.value.hint


def test_independent_figures_are_those_of_independent_years():
    """Var(Σ dx de) over independent years, counted from the correlation of changes that share a year."""
    for years, gap in ((8, 3), (5, 3), (9, 2), (4, 1)):
        many = years - gap
        shared = np.equal.outer(np.arange(many), np.arange(many) + gap).sum()
        wanted = many / (1 + 2 * shared / many / 4)
        assert long_difference(gap).independent(Sizes(100.0 * years, years, 0, 0)) == pytest.approx(
            100 * wanted
        )


def changes(rng, years, gap, serial):
    """Return long differences of random panels whose years follow an autoregression (1: a random walk)."""
    moved = rng.standard_normal((PANELS, ORGS, years))
    for year in range(1, years):
        moved[..., year] += serial * moved[..., year - 1]
    moved += rng.standard_normal((PANELS, ORGS, 1))
    return moved, moved[..., gap:] - moved[..., :-gap]


@pytest.mark.parametrize(("years", "gap", "serial"), [(8, 3, 0.0), (8, 3, 1.0), (6, 2, 0.6)])
def test_a_link_that_is_not_there_is_found_in_4_to_6_5_of_100(years, gap, serial):
    """With 60 organisations, clustered, whatever the overlaps; taken as independent, far more of a random walk.

    The statistics of all panels are worked out at once; two of them are those of `link_outcomes`.
    """
    rng = np.random.default_rng([13, years, gap, int(10 * serial)])
    (levels_z, z), (levels_y, y) = (changes(rng, years, gap, serial) for _ in range(2))
    z, y = (v - v.mean(axis=1, keepdims=True) for v in (z, y))
    rows, columns = ORGS * (years - gap), years - gap + 1
    squares = (z**2).sum(axis=(1, 2))
    b = (z * y).sum(axis=(1, 2)) / squares
    left = y - b[:, None, None] * z
    factor = ORGS / (ORGS - 1) * (rows - 1) / (rows - columns)
    clustered = b * squares / np.sqrt(((z * left).sum(axis=2) ** 2).sum(axis=1) * factor)
    independent = b * np.sqrt(squares / ((left**2).sum(axis=(1, 2)) / (rows - columns)))
    for at in (0, 1):
        frame = pl.DataFrame(
            {
                "organisation": np.repeat([f"R{i:02d}" for i in range(ORGS)], years),
                "year": np.tile(2015 + np.arange(years), ORGS),
                "z": levels_z[at].ravel(),
                "y": levels_y[at].ravel(),
            }
        )
        for cov, statistics in (("auto", clustered), ("classical", independent)):
            found = row(frame, f"long_difference_{gap}", "y", "z", cov=cov)
            assert found["statistic"] == pytest.approx(statistics[at], rel=1e-8)
    shares = [
        float((np.abs(statistics) > t.ppf(0.975, df)).mean())
        for statistics, df in ((clustered, ORGS - 1), (independent, rows - columns))
    ]
    print(
        f"{years} years, gap {gap}, serial {serial}: clustered {100 * shares[0]:.2f}%, classical {100 * shares[1]:.2f}%"
    )
    assert 0.04 <= shares[0] <= 0.065
    if serial == 1:
        assert shares[1] > 0.10
