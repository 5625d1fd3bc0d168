"""Relative weights: `A-relweights`, what they add up to, controls, intervals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError

KEYS = {"organisation": "Code", "year": "Year.Index"}
SHMI = cm.Outcome("SHMI.Index", "ratio", label="SHMI")
FOUR = {
    "eng": "Engagement.Index",
    "rw": "RecommendWork.Index",
    "rc": "RecommendCare.Index",
    "ws": "WorkStress.Index",
}


def test_a_relweights(trusts, records):
    record = records["A-relweights"]
    found = cm.links.relative_weights(
        trusts, list(FOUR.values()), SHMI, year_effects=False, draws=400, **KEYS
    )
    assert found.r2 == pytest.approx(record["estimate"], rel=1e-8)
    assert found.total == "R²"
    rows = {row["indicator"]: row for row in found.table.to_dicts()}
    ours = [rows[FOUR[name]] for name in record["extra"]["order"]]
    wanted = {
        "estimate": "raw_weights",
        "percent": "pct",
        "general_dominance": "lmg",
        "vif": "vif",
        "beta": "betas",
    }
    for mine, theirs in wanted.items():
        assert [row[mine] for row in ours] == pytest.approx(record["extra"][theirs], rel=1e-7), mine
    assert [row["base"] for row in ours] == [record["n"]] * 4
    for row in ours:
        assert row["conf_low"] < row["estimate"] < row["conf_high"]
        assert abs(row["estimate"] - row["general_dominance"]) < 0.01


def test_with_controls_they_add_up_to_the_partial_r2(trusts):
    """Checked by hand: residuals on years and region, then ordinary R²."""
    found = cm.links.relative_weights(
        trusts, list(FOUR.values()), SHMI, controls=["HEE.region.name"], draws=200, **KEYS
    )
    used = trusts.select("SHMI.Index", *FOUR.values(), "Year.Index", "HEE.region.name", "Code").drop_nulls()
    many = used.group_by("HEE.region.name").agg(pl.col("Code").n_unique()).filter(pl.col("Code") >= 3)
    used = used.filter(pl.col("HEE.region.name").is_in(many["HEE.region.name"].to_list()))
    controls = (
        used.select("Year.Index", "HEE.region.name").cast(pl.String).to_dummies().to_numpy().astype(float)
    )
    left = [used[c].to_numpy() for c in ["SHMI.Index", *FOUR.values()]]
    left = [v - controls @ np.linalg.lstsq(controls, v, rcond=None)[0] for v in left]
    y, x = left[0], np.column_stack(left[1:])
    error = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert found.r2 == pytest.approx(1 - error @ error / (y @ y), rel=1e-8)
    assert found.table["estimate"].sum() == pytest.approx(found.r2, rel=1e-10)
    assert "partial R²" in found.summary()


def test_weights_of_unrelated_indicators_are_squared_correlations():
    """With indicators that do not overlap Johnson's weights are the squared correlations."""
    rng = np.random.default_rng(2)
    x = np.linalg.qr(rng.normal(size=(200, 3)) - rng.normal(size=(200, 3)).mean(axis=0))[0]
    x = np.linalg.qr(x - x.mean(axis=0))[0]
    y = x @ [3.0, 2.0, 0.5] + 0.1 * rng.normal(size=200)
    data = pl.DataFrame({"organisation": [f"R{i}" for i in range(200)], "year": [2024] * 200, "y": y})
    data = data.with_columns(**{f"x{i}": x[:, i] for i in range(3)})
    found = cm.links.relative_weights(data, ["x0", "x1", "x2"], "y", draws=200)
    wanted = {f"x{i}": np.corrcoef(x[:, i], y)[0, 1] ** 2 for i in range(3)}
    assert dict(found.table.select("indicator", "estimate").iter_rows()) == pytest.approx(wanted)


def test_words_and_figure(trusts):
    found = cm.links.relative_weights(trusts, list(FOUR.values()), SHMI, draws=200, **KEYS)
    assert "Association only" in found.summary()
    assert "effect" not in found.summary()
    assert "RecommendCare.Index" in found.figure().layout.meta["alt"]


@pytest.mark.parametrize("count", [1, 13])
def test_two_to_twelve_indicators(count):
    with pytest.raises(LinkError, match="2 to 12 indicators"):
        cm.links.relative_weights(
            pl.DataFrame({"organisation": ["R00"], "year": [2024]}), [f"x{i}" for i in range(count)], "y"
        )
