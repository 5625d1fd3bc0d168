"""Models of several waves: what is written for lavaan, that it runs there, and what is refused."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError, UnknownNameError


@pytest.fixture(scope="module")
def panel():
    """400 organisations in 4 waves; within them x follows earlier y by 0.3, y earlier x by 0.2; each repeats by 0.4."""
    rng = np.random.default_rng(12)
    level = rng.multivariate_normal([0, 0], [[0.6, -0.3], [-0.3, 0.6]], 400)
    state = rng.multivariate_normal([0, 0], np.eye(2), 400)
    rows = []
    for wave in range(2019, 2023):
        rows.append((wave, level + state))
        state = state @ np.array([[0.4, 0.2], [0.3, 0.4]]) + rng.multivariate_normal(
            [0, 0], 0.6 * np.eye(2), 400
        )
    return pl.concat(
        pl.DataFrame(
            {"organisation": [f"R{i:03d}" for i in range(400)], "year": [y] * 400, "x": v[:, 0], "y": v[:, 1]}
        )
        for y, v in rows
    )


def test_wide_data_keep_change_over_time(panel):
    made = cm.links.lavaan_model(panel, "x", "y")
    assert made.waves == (2019, 2020, 2021, 2022)
    assert made.table.columns == ["organisation", "x1", "x2", "x3", "x4", "y1", "y2", "y3", "y4"]
    first = panel.filter(organisation="R007", year=2021)
    row = made.table.row(by_predicate=pl.col("organisation") == "R007", named=True)
    assert row["x3"] == pytest.approx((first["x"].item() - panel["x"].mean()) / panel["x"].std())


def test_every_path_is_equal_over_time(panel):
    syntax = cm.links.lavaan_model(panel, "x", "y").syntax
    assert syntax.count("yx*wx") == 3
    assert "RI_x ~~ RI_y" in syntax
    assert (
        "slope_y =~ 0*y1 + 1*y2 + 2*y3 + 3*y4"
        in cm.links.lavaan_model(panel, "x", "y", model="latent_growth").syntax
    )


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not here")
@pytest.mark.parametrize("model", ["ri_clpm", "latent_growth"])
def test_lavaan_runs_the_script_and_finds_the_planted_paths(panel, model, tmp_path):
    have = subprocess.run(["Rscript", "-e", "library(lavaan)"], capture_output=True, check=False)
    if have.returncode:
        pytest.skip("R has no lavaan here")
    some = panel if model == "ri_clpm" else panel.filter(pl.col("organisation") < "R100")
    made = cm.links.lavaan_model(some, "x", "y", model=model)
    made.table.write_csv(tmp_path / "panel.csv")
    tail = 'e <- coef(fitted); cat("\\n", paste0(names(e), "=", e, collapse = " "))'
    (tmp_path / "model.R").write_text(made.script + tail, encoding="utf-8")
    done = subprocess.run(["Rscript", "model.R"], cwd=tmp_path, capture_output=True, text=True, check=True)
    found = dict(pair.split("=") for pair in done.stdout.splitlines()[-1].split())
    if model == "ri_clpm":
        for path, truth in {"xx": 0.4, "yy": 0.4, "xy": 0.3, "yx": 0.2}.items():
            assert float(found[path]) == pytest.approx(truth, abs=0.12), path
    else:
        assert float(found["level_x~~level_y"]) != 0


def test_refusals(panel):
    with pytest.raises(LinkError, match="at least three waves"):
        cm.links.lavaan_model(panel.filter(pl.col("year") < 2021), "x", "y")
    with pytest.raises(LinkError, match="one year apart"):
        cm.links.lavaan_model(panel.filter(pl.col("year") != 2020), "x", "y")
    with pytest.raises(LinkError, match="20 organisations are too few"):
        cm.links.lavaan_model(panel.filter(pl.col("organisation") < "R020"), "x", "y")
    with pytest.raises(UnknownNameError, match="no model of waves"):
        cm.links.lavaan_model(panel, "x", "y", model="clpm")


@pytest.mark.parametrize("design", ["ri_clpm", "latent_growth"])
def test_link_outcomes_says_where_to_get_it(panel, design):
    with pytest.raises(LinkError, match="is not fitted here") as caught:
        cm.link_outcomes(panel, "x", "y", design=design)
    assert "lavaan_model" in str(caught.value)
