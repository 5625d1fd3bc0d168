"""How often the intervals of `shrink` hold the true values, from the public function itself.

Run as `python tests/reference/make_shrink_coverage.py [families]` from the root of the repository (2,000
families: about two minutes). Writes shrink_coverage.csv beside itself. Groups are of 12 to 200 respondents, even
steps of the logarithm, with a standard deviation of 2 on a scale from 0 to 10; `spread` is that of the true
values in shares of how much the mean group errs (one over the root of the mean of 1 / variance). Own standard
errors are drawn as well.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl

from culture_metrics.contract import as_results
from culture_metrics.results.shrink import shrink

SIZES, SPREADS, SD = (8, 11, 40), (0.0, 0.25, 0.5, 1.0, 2.0, 4.0), 2.0


def coverage(groups: int, spread: float, families: int, seed: int = 0) -> dict[str, float]:
    """Return the share of true values within their intervals, of all groups and of the worst and best one."""
    rng = np.random.default_rng([seed, groups, round(100 * spread)])
    base = np.round(np.exp(np.linspace(np.log(12), np.log(200), groups)))
    error = SD / np.sqrt(base)
    usual = 1 / np.sqrt(np.mean(1 / error**2))
    truth = 5 + spread * usual * rng.standard_normal((families, groups))
    own = error * np.sqrt(rng.chisquare(base - 1, truth.shape) / (base - 1))
    n = families * groups
    table = pl.DataFrame(
        {
            "organisation": np.repeat([f"R{i:05}" for i in range(families)], groups),
            "group": np.tile([f"team {i:02}" for i in range(groups)], families),
            "estimate": (truth + error * rng.standard_normal(truth.shape)).ravel(),
            "std_error": own.ravel(),
            "base": np.tile(base, families).astype(int),
            "effective_base": np.tile(base, families),
        }
    ).with_columns(
        pl.lit(value).alias(name)
        for name, value in {
            "survey": "nss_england", "period": "2024", "breakdown": "locality_1", "measure": "morale",
            "unit": "score", "weighting": "none", "status": "reported", "source": "respondents",
        }.items()
    )  # fmt: skip
    found = shrink(as_results(table)).table
    held = found.select(
        (pl.lit(pl.Series(truth.ravel())) >= pl.col("shrunken_low"))
        & (pl.lit(pl.Series(truth.ravel())) <= pl.col("shrunken_high"))
    )
    by_group = held.to_series().to_numpy().reshape(families, groups).mean(axis=0)
    assert found.height == n
    return {"covered": by_group.mean(), "worst_group": by_group.min(), "best_group": by_group.max()}


if __name__ == "__main__":
    families = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    rows = [
        {"groups": k, "spread": s, "families": families, **coverage(k, s, families)}
        for k in SIZES
        for s in SPREADS
    ]
    pl.DataFrame(rows).write_csv(Path(__file__).parent / "shrink_coverage.csv", float_precision=4)
