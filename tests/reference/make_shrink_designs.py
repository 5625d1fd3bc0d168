"""How often the intervals of `shrink` hold true values in samples of several designs, by the size of groups.

Run as `PYTHONPATH=. python tests/reference/make_shrink_designs.py [families]` from the root of the repository (300
families: two minutes); writes shrink_designs.csv beside itself. Eleven groups of 12 to 200 answer on a scale from 0
to 10, a little skewed. True values are drawn from the model, or fixed: the quantiles of an exponential distribution,
so that most lie together and one far off. `spread` is theirs in shares of how much the mean group errs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import polars as pl
from scipy.special import stdtrit

from culture_metrics.contract import as_results
from culture_metrics.results.shrink import shrink

SIZES = np.round(np.exp(np.linspace(np.log(12), np.log(200), 11))).astype(int)
#: Simple random; groups that differ in how they scatter; four wards of uneven size in each group, or one ward to
#: ten people; 30 wards that reach across all groups; weights of people.
DESIGNS = ("plain", "scatter", "four_wards", "wards_of_ten", "wards_across", "weights")
TRUTHS, SPREADS = ("model", "skewed"), (0.5, 1.0, 2.0, 4.0)
CLASSES = {"below_25": SIZES < 25, "25_to_74": (SIZES >= 25) & (SIZES < 75), "from_75": SIZES >= 75}
SD, ALIKE_IN_WARD = 0.5, 0.08


def held(design: str, truth: str, spread: float, families: int, seed: int = 0) -> np.ndarray:
    """Return whether the interval of each group (families × groups) holds its true value."""
    rng = np.random.default_rng([seed, DESIGNS.index(design)])
    k = len(SIZES)
    sd = np.full(k, SD)
    if design == "scatter":
        sd = SD * np.random.default_rng(3).permutation(np.exp(np.linspace(-0.45, 0.45, k)))
    wards = {"four_wards": np.full(k, 4), "wards_of_ten": np.maximum(2, SIZES // 10)}.get(design)
    effect = np.ones(k) if wards is None else 1 + (SIZES / wards - 1) * ALIKE_IN_WARD
    usual = 1 / np.sqrt(np.mean(SIZES / (sd**2 * effect)))
    skewed = -np.log(1 - (np.arange(k) + 0.5) / k)
    skewed = np.random.default_rng(42).permutation((skewed - skewed.mean()) / skewed.std(ddof=1))
    away = rng.standard_normal((families, k)) if truth == "model" else np.tile(skewed, (families, 1))
    true = 5 + spread * usual * away
    rows, all_of = [], np.zeros((families, 2))
    across = rng.standard_normal((families, 30)) * np.sqrt(ALIKE_IN_WARD) * SD
    totals, counts = np.zeros((families, 30)), np.zeros(30)
    for g, n in enumerate(SIZES):
        x = (np.round(rng.beta(2.6, 1.9, (families, n)) * 12) / 1.2 - 5.778) / 2.13 * sd[g]
        weight = rng.lognormal(0, 0.55, (families, n)) if design == "weights" else np.ones((families, n))
        base = np.floor(weight.sum(1) ** 2 / (weight**2).sum(1) + 1e-9)
        df = base - 1
        if wards is not None or design == "wards_across":
            many = 30 if wards is None else wards[g]
            ward = (rng.random(n) ** 1.4 * many).astype(int) if wards is not None else rng.integers(0, 30, n)
            if wards is not None:
                ward[:many] = np.arange(many)
            own_mood = rng.standard_normal((families, many)) * np.sqrt(ALIKE_IN_WARD) * sd[g]
            mood = across if wards is None else own_mood
            x = x * np.sqrt(1 - ALIKE_IN_WARD) + mood[:, ward]
            own = (ward[:, None] == np.arange(many)).astype(float)
            df = np.full(families, len(np.unique(ward)) - 1.0)
        x = true[:, [g]] + x
        mean = (weight * x).sum(1) / weight.sum(1)
        z = weight * (x - mean[:, None]) / weight.sum(1)[:, None]
        if wards is not None or design == "wards_across":
            z_of = z @ own
            error = np.sqrt((df + 1) / df * (z_of**2).sum(1))
            if wards is None:
                totals += x @ own
                all_of += np.column_stack([x.sum(1), np.full(families, n)])
                counts += own.sum(0)
        else:
            error = np.sqrt(n / (n - 1) * (z**2).sum(1))
        rows.append(
            _rows(families, f"team {g:02}", "locality_1", mean, error, df, np.full(families, n), base)
        )
    if design == "wards_across":
        mean = all_of[:, 0] / all_of[:, 1]
        z = (totals - mean[:, None] * counts) / all_of[:, [1]]
        error = np.sqrt(30 / 29 * (z**2).sum(1))
        rows.append(
            _rows(families, "all", "all", mean, error, np.full(families, 29.0), all_of[:, 1], all_of[:, 1])
        )
    table = shrink(as_results(pl.concat(rows))).table
    low, high = (table[f"shrunken_{end}"].to_numpy().reshape(families, k) for end in ("low", "high"))
    return (low <= true) & (true <= high)


def _rows(
    families: int, group: str, breakdown: str, mean: np.ndarray, error: np.ndarray, df: np.ndarray,
    n: np.ndarray, base: np.ndarray,
) -> pl.DataFrame:  # fmt: skip
    """Lay one group of all families out as Results do."""
    half = stdtrit(df, 0.975) * error
    return pl.DataFrame({
        "organisation": [f"R{i:05}" for i in range(families)], "estimate": mean, "std_error": error,
        "conf_low": mean - half, "conf_high": mean + half, "base": n.astype(int), "effective_base": base,
    }).with_columns(pl.lit(value).alias(name) for name, value in {
        "survey": "nss_england", "period": "2024", "breakdown": breakdown, "group": group, "measure": "morale",
        "unit": "score", "weighting": "none", "status": "reported", "source": "respondents", "interval": "t",
    }.items())  # fmt: skip


if __name__ == "__main__":
    families = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    found = []
    for design in DESIGNS:
        for truth in TRUTHS:
            for spread in SPREADS:
                there = held(design, truth, spread, families)
                by_size = {name: there[:, own].mean() for name, own in CLASSES.items()}
                key = {"design": design, "truth": truth, "spread": spread, "families": families}
                found.append({**key, "covered": there.mean(), **by_size, "worst_group": there.mean(0).min()})
    target = sys.argv[2] if len(sys.argv) > 2 else Path(__file__).parent / "shrink_designs.csv"
    pl.DataFrame(found).write_csv(target, float_precision=3)
