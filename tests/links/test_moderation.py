"""Moderation: `A-moderation-2way`, `A-moderation-3way-slopediff`, other kinds of outcome, refusals."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError, UnknownNameError

KEYS = {"organisation": "Code", "year": "Year.Index"}
SHMI = cm.Outcome("SHMI.Index", "ratio", label="SHMI")


def test_a_moderation_2way(trusts, records):
    record = records["A-moderation-2way"]
    found = cm.links.moderate(trusts, "Engagement.Index", "WorkStress.Index", SHMI, **KEYS)
    last = found.table.row(-1, named=True)
    assert last["term"] == "Engagement.Index by WorkStress.Index"
    assert last["estimate"] == pytest.approx(record["estimate"], rel=1e-8)
    assert last["std_error"] == pytest.approx(record["se"], rel=1e-8)
    slopes = {int(row["place_1"]): row for row in found.slopes.to_dicts()}
    for place, (estimate, error, z) in record["extra"]["simple_slopes"].items():
        row = slopes[int(place)]
        assert (row["estimate"], row["std_error"]) == pytest.approx((estimate, error), rel=1e-8)
        assert row["statistic"] == pytest.approx(z, rel=1e-8)
        assert row["df"] == record["groups"] - 1


def test_a_moderation_3way_slope_differences(trusts, records):
    record = records["A-moderation-3way-slopediff"]
    sized = trusts.with_columns(pl.col("Responses").log().alias("size"))
    found = cm.links.moderate(sized, "Engagement.Index", ["WorkStress.Index", "size"], SHMI, **KEYS)
    last = found.table.row(-1, named=True)
    assert (last["estimate"], last["std_error"]) == pytest.approx(
        (record["estimate"], record["se"]), rel=1e-8
    )
    corners = {"(1)HH": (1, 1), "(2)HL": (1, -1), "(3)LH": (-1, 1), "(4)LL": (-1, -1)}
    slopes = {(row["place_1"], row["place_2"]): row for row in found.slopes.to_dicts()}
    labels = {name: slopes[place]["label"] for name, place in corners.items()}
    for name, wanted in record["extra"]["slopes"].items():
        row = slopes[corners[name]]
        assert (row["estimate"], row["std_error"]) == pytest.approx(tuple(wanted), rel=1e-8)
    differences = {(row["first"], row["second"]): row for row in found.differences.to_dicts()}
    assert len(differences) == 6
    for pair, wanted in record["extra"]["differences"].items():
        first, second = pair.split("-")
        row = differences[labels[first], labels[second]]
        assert (row["estimate"], row["std_error"], row["statistic"]) == pytest.approx(tuple(wanted), rel=1e-8)


def test_holm_over_six_pairs(trusts):
    """Holm by its definition, on the six p-values."""
    sized = trusts.with_columns(pl.col("Responses").log().alias("size"))
    rows = cm.links.moderate(
        sized, "Engagement.Index", ["WorkStress.Index", "size"], SHMI, **KEYS
    ).differences
    p = np.sort(rows["p_value"].to_numpy())
    wanted = np.maximum.accumulate(np.minimum(p * np.arange(6, 0, -1), 1))
    assert np.sort(rows["p_adjusted"].to_numpy()) == pytest.approx(wanted)
    assert (rows["p_adjusted"] >= rows["p_value"]).all()


@pytest.fixture(scope="module")
def planted():
    """300 organisations in 2 years; the slope on x is 0.5 + 0.3 w, w is 0 or 1."""
    rng = np.random.default_rng(9)
    n = 600
    x, w = rng.normal(size=n), rng.integers(0, 2, n).astype(float)
    line = 0.2 + (0.5 + 0.3 * w) * x - 0.1 * w
    return pl.DataFrame(
        {
            "organisation": [f"R{i:03d}" for i in np.repeat(np.arange(300), 2)],
            "year": [2021, 2022] * 300,
            "x": x,
            "w": w,
            "y": line + rng.normal(size=n),
            "cases": rng.poisson(50 * np.exp(line)),
            "beds": np.full(n, 50.0),
            "share": rng.binomial(200, 1 / (1 + np.exp(-line))) / 200,
            "people": np.full(n, 200),
            "yes": rng.binomial(1, 1 / (1 + np.exp(-line))),
        }
    )


@pytest.mark.parametrize(
    ("outcome", "link"),
    [
        (cm.Outcome("y", "continuous"), "identity"),
        (cm.Outcome("cases", "count", exposure="beds"), "log"),
        (cm.Outcome("share", "proportion", base="people"), "logit"),
        (cm.Outcome("yes", "binary"), "logit"),
    ],
    ids=lambda v: v if isinstance(v, str) else v.kind,
)
def test_planted_slopes_at_real_levels(outcome, link, planted):
    found = cm.links.moderate(planted, "x", "w", outcome, at={"w": [0, 1]})
    assert found.link == link
    sd = planted["x"].std()
    slopes = {row["value_1"]: row for row in found.slopes.to_dicts()}
    for level, truth in {0: 0.5, 1: 0.8}.items():
        row = next(r for v, r in slopes.items() if round(v) == level)
        assert row["conf_low"] < truth * sd < row["conf_high"], level


def test_lines_are_on_the_scale_of_the_outcome(planted):
    found = cm.links.moderate(planted, "x", "w", cm.Outcome("yes", "binary"), at={"w": [0, 1]})
    assert 0 < found.lines["conf_low"].min() < found.lines["conf_high"].max() < 1
    assert found.lines["line"].unique(maintain_order=True).to_list() == ["w 1", "w 0"]
    steep = found.lines.filter(line="w 1")["estimate"]
    assert steep[-1] - steep[0] > 0.3
    assert found.figure().layout.meta["alt"].startswith("The slope of yes on x differs with w.")


def test_slope_on_a_line_equals_the_simple_slope(planted):
    found = cm.links.moderate(planted, "x", "w", "y", at={"w": [0, 1]})
    for row in found.slopes.to_dicts():
        line = found.lines.filter(line=row["label"])
        rise = (line["estimate"][-1] - line["estimate"][0]) / (line["x"][-1] - line["x"][0])
        assert rise == pytest.approx(row["estimate"])


def test_words(planted):
    words = cm.links.moderate(planted, "x", "w", "y", at={"w": [0, 1]}).summary()
    assert "Association only" in words
    for claim in ("effect", "impact", "improve", "leads to", "cause"):
        assert claim not in words


def test_refusals(planted):
    with pytest.raises(LinkError, match="one or two moderators"):
        cm.links.moderate(planted, "x", ["w", "beds", "people"], "y")
    with pytest.raises(UnknownNameError, match="no moderator 'v'"):
        cm.links.moderate(planted, "x", "w", "y", at={"v": [1]})
    with pytest.raises(LinkError, match="Moderation does not take"):
        cm.links.moderate(planted, "x", "w", cm.Outcome("yes", "ordinal", levels=("0", "1", "2")))
    with pytest.raises(LinkError, match="can be worked out"):
        cm.links.moderate(planted.with_columns(x=pl.col("w") * 2 + 0.0), "x", "w", "y")
