"""Whatever the panel holds, `link_outcomes` gives whole rows, empty ones with a flag, or an error of its own."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError
from culture_metrics.models.designs.registry import DESIGNS

OUTCOMES = (
    cm.Outcome("y", kind="continuous"), cm.Outcome("m", kind="ratio"),
    cm.Outcome("s", kind="proportion", base="n"), cm.Outcome("r", kind="rate"),
    cm.Outcome("k", kind="count", exposure="e"), cm.Outcome("b", kind="binary"),
    cm.Outcome("o", kind="ordinal", levels=("a", "b", "c", "d")), cm.Outcome("m", kind="money", unit="£"),
)  # fmt: skip
FAILED = ["separation", "not_converged", "not_fitted"]


def panel(rng):
    orgs, years = int(rng.choice([8, 12, 25, 60])), int(rng.choice([1, 2, 4]))
    n = orgs * years
    org = np.repeat(np.arange(orgs), years)
    z = rng.normal(size=n) * rng.choice([1e-3, 1, 1e3]) + rng.choice([0, 5, 1e4])
    trials = rng.integers(1, 300, n)
    frame = pl.DataFrame(
        {
            "organisation": [f"R{i:03d}" for i in org],
            "year": np.tile(2015 + np.arange(years), orgs),
            "z": z,
            "z2": z + rng.normal(size=n),
            "y": rng.choice([1e-6, 1, 1e6]) * (rng.normal(size=n) + rng.normal(size=orgs)[org]),
            "m": np.exp(2 * rng.normal(size=n)),
            "n": trials,
            "s": rng.binomial(trials, 0.3) / trials,
            "r": rng.beta(0.5, 5, n),
            "e": rng.uniform(0.1, 1e5, n),
            "k": rng.poisson(rng.choice([0.05, 1, 50]), n),
            "b": rng.integers(0, 2, n),
            "o": rng.choice(["a", "b", "c", "d"], n, p=[0.02, 0.4, 0.4, 0.18]),
            "c": rng.choice(["p", "q", "r"], n),
            "x": 1e5 * rng.normal(size=n),
            "w": rng.uniform(0.5, 2, n),
        }
    )
    for name in "zyxcoks":
        if rng.random() < 0.4:
            gone = pl.Series(rng.random(n) < 0.15)
            frame = frame.with_columns(pl.when(gone).then(None).otherwise(name).alias(name))
    return frame.filter(pl.Series(rng.random(n) < rng.choice([0.8, 1])))


@pytest.mark.parametrize("seed", range(6))
def test_rows_or_errors(seed):
    rng = np.random.default_rng(seed)
    rows = 0
    for _ in range(25):
        controls = [[], ["x"], ["c"], ["x", "c"]][rng.integers(4)]
        settings = {
            "design": str(rng.choice(list(DESIGNS))),
            "lag": int(rng.choice([0, 0, 0, 1])),
            "year_effects": bool(rng.integers(2)),
            "standardise": [None, "sd", "iqr", "sd_within_year"][rng.integers(4)],
            "one_at_a_time": bool(rng.integers(2)),
            "cov": str(rng.choice(["auto", "auto", "HC1", "HC3", "classical", "scaled", "cluster"])),
            "weights": "w" if rng.random() < 0.2 else None,
        }
        outcome = OUTCOMES[rng.integers(len(OUTCOMES))]
        try:
            table = cm.link_outcomes(panel(rng), ["z", "z2"], outcome, controls=controls, **settings).table
        except CultureMetricsError:
            continue
        empty = pl.col("flags").str.split("; ").list.set_intersection(FAILED).list.len() > 0
        figures = ("estimate", "std_error", "p_value", "conf_low", "conf_high", "effect")
        assert table.filter(empty).select(pl.col(figures).is_not_null().any()).row(0) in (
            (False,) * 6,
            (None,) * 6,
        )
        whole = table.filter(~empty)
        assert whole.select(pl.col(figures).is_null() | pl.col(figures).is_nan()).sum().row(0) == (0,) * 6
        assert (whole["std_error"] > 0).all()
        rows += whole.height
    assert rows
