"""Mediation between organisations: `A-mediation`, planted paths, and what may not be said."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError, UnknownNameError

KEYS = {"organisation": "Code", "year": "Year.Index"}


def paths(found):
    return {row["path"]: row for row in found.table.to_dicts()}


@pytest.fixture(scope="module")
def planted():
    """400 organisations in 3 years: a = 0.5, b = 0.4, direct = 0.2, in units of the columns."""
    rng = np.random.default_rng(3)
    n = 1200
    x = rng.normal(size=n)
    m = 0.5 * x + rng.normal(size=n)
    y = 0.4 * m + 0.2 * x + rng.normal(size=n)
    who = np.repeat(np.arange(400), 3)
    return pl.DataFrame(
        {"organisation": [f"R{i}" for i in who], "year": [2020, 2021, 2022] * 400, "x": x, "m": m, "y": y}
    )


def test_a_mediation(trusts, records):
    record = records["A-mediation"]
    found = cm.links.mediate(
        trusts, "Engagement.Index", "RecommendCare.Index", cm.Outcome("SHMI.Index", "ratio"), **KEYS
    )
    rows = paths(found)
    for theirs, ours in {"a": "a", "b": "b", "c_total": "total", "c_direct": "direct"}.items():
        estimate, error = record["extra"][theirs]
        assert rows[ours]["estimate"] == pytest.approx(estimate, rel=1e-8), ours
        assert rows[ours]["std_error"] == pytest.approx(error, rel=1e-8), ours
        assert rows[ours]["df"] == 143
    indirect = rows["indirect"]
    assert indirect["estimate"] == pytest.approx(record["estimate"], rel=1e-8)
    assert indirect["sobel_std_error"] == pytest.approx(record["se"], rel=1e-8)
    assert indirect["sobel_p_value"] == pytest.approx(record["p"], rel=1e-8)
    assert (indirect["base"], indirect["organisations"]) == (record["n"], record["groups"])
    # Normal draws and resampled trusts agree to about 0.001 here.
    assert [indirect["conf_low"], indirect["conf_high"]] == pytest.approx(
        record["extra"]["boot_pct95"], abs=2e-3
    )


def test_a_mediation_bootstrap_of_trusts(trusts, records):
    """The reference used 2,000 samples of trusts; its own Monte-Carlo tolerance is 0.001."""
    found = cm.links.mediate(
        trusts, "Engagement.Index", "RecommendCare.Index", cm.Outcome("SHMI.Index", "ratio"),
        interval="bootstrap", draws=4000, seed=1, **KEYS,
    )  # fmt: skip
    row = paths(found)["indirect"]
    wanted = records["A-mediation"]["extra"]["boot_pct95"]
    assert [row["conf_low"], row["conf_high"]] == pytest.approx(wanted, abs=1e-3)


def test_total_is_direct_plus_indirect_and_planted_paths_are_found(planted):
    found = cm.links.mediate(planted, "x", "m", "y")
    rows = paths(found)
    assert rows["total"]["estimate"] == pytest.approx(
        rows["direct"]["estimate"] + rows["indirect"]["estimate"]
    )
    sd = planted["x"].std()
    for path, truth in {"direct": 0.2 * sd, "indirect": 0.2 * sd, "total": 0.4 * sd}.items():
        assert rows[path]["conf_low"] < truth < rows[path]["conf_high"], path
    assert found.proportion == pytest.approx(rows["indirect"]["estimate"] / rows["total"]["estimate"])
    assert "% of the total association" in found.summary()


def test_no_proportion_without_a_clear_total_of_the_same_sign(planted):
    rng = np.random.default_rng(5)
    nothing = cm.links.mediate(planted.with_columns(y=pl.Series(rng.normal(size=1200))), "x", "m", "y")
    opposed = cm.links.mediate(planted.with_columns(y=pl.col("y") - 0.8 * pl.col("x")), "x", "m", "y")
    rows = paths(opposed)
    assert rows["total"]["estimate"] < 0 < rows["indirect"]["estimate"]
    for found in (nothing, opposed):
        assert found.proportion is None
        assert "% of the total" not in found.summary()


def test_the_same_seed_gives_the_same_interval(planted):
    first, again, other = (
        cm.links.mediate(planted, "x", "m", "y", seed=s).table["conf_low"][-1] for s in (1, 1, 2)
    )
    assert first == again != other
    assert first == pytest.approx(other, abs=2e-3)


def test_monte_carlo_interval_covers_the_truth():
    """150 panels of 80 organisations; nominal 95%."""
    rng = np.random.default_rng(11)
    covered = 0
    for seed in range(150):
        x = rng.normal(size=80)
        m = 0.4 * x + rng.normal(size=80)
        y = 0.4 * m + rng.normal(size=80)
        data = pl.DataFrame(
            {"organisation": [f"{i}" for i in range(80)], "year": [2024] * 80, "x": x, "m": m, "y": y}
        )
        row = cm.links.mediate(data, "x", "m", "y", draws=2000, seed=seed).table.row(-1, named=True)
        covered += row["conf_low"] < 0.16 * x.std(ddof=1) < row["conf_high"]
    assert 0.91 <= covered / 150 <= 0.99


def test_words_claim_no_process_and_say_what_is_missing(planted):
    words = cm.links.mediate(planted, "x", "m", "y").summary()
    assert "Association only" in words
    assert "Sequential ignorability" in words
    for claim in ("effect", "impact", "improve", "leads to", "cause"):
        assert claim not in words


def test_refusals(planted):
    with pytest.raises(LinkError, match="Mediation does not take an outcome of this kind"):
        cm.links.mediate(planted, "x", "m", cm.Outcome("y", "rate"))
    with pytest.raises(LinkError, match="different columns"):
        cm.links.mediate(planted, "x", "x", "y")
    with pytest.raises(UnknownNameError, match="no interval 'sobel'"):
        cm.links.mediate(planted, "x", "m", "y", interval="sobel")
    with pytest.raises(LinkError, match="Too few draws"):
        cm.links.mediate(planted, "x", "m", "y", draws=10)


def test_figure_shows_the_indirect_path(planted):
    fig = cm.links.mediate(planted, "x", "m", "y").figure()
    assert "through m" in fig.layout.meta["alt"]
