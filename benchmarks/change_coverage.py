"""How often the intervals of `decompose_change` hold the truth, from the public function itself.

Run as `python benchmarks/change_coverage.py [pairs]` from the root of the repository (2,000 pairs: about ten
minutes on one core). Pairs of years are drawn from a population with a planted mix of two breakdowns and a
planted change within groups; printed are bias in standard errors of the mean, and coverage.

With 2,000 pairs (November 2026): bias within 2 standard errors of the mean for all seven pieces; coverage
with one breakdown 95.3 % (total), 96.2 % (mix), 95.3 % (within), with two 95.1 % (total), 95.5 % and 94.2 %
(mix of each), 95.5 % (within).
"""

from __future__ import annotations

import sys

import numpy as np
import polars as pl

from culture_metrics import decompose_change
from culture_metrics.extracts.extract import Extract

#: Shares of site x band in two years, and what site and band add to the percentage.
SHARES = np.array([[0.30, 0.15, 0.15, 0.15, 0.05, 0.20], [0.22, 0.12, 0.16, 0.18, 0.06, 0.26]])
SITES = np.array([[0.40, 0.52, 0.60], [0.44, 0.56, 0.61]])
BANDS = np.array([[0.0, 0.10], [0.0, 0.12]])
SIZES = (700, 650)


def extract(year: int, rng: np.random.Generator) -> Extract:
    cell = rng.choice(6, SIZES[year], p=SHARES[year])
    site, band = cell // 2, cell % 2
    yes = rng.random(SIZES[year]) < SITES[year][site] + BANDS[year][band]
    frame = pl.DataFrame(
        {
            "organisation": ["RXX"] * SIZES[year],
            "q25c": pl.Series(np.where(yes, 4, 2), dtype=pl.Int8),
            "site": np.array(["A", "B", "C"])[site],
            "band": np.array(["lower", "upper"])[band],
        }
    )
    return Extract("nss_england", str(2023 + year), frame)


def truth(by: list[str]) -> dict[str, float]:
    """Mix of each breakdown, change within groups, and total, in points."""
    site, band = np.arange(6) // 2, np.arange(6) % 2
    level = [SITES[y][site] + BANDS[y][band] for y in (0, 1)]
    grown = SHARES[1] - SHARES[0]
    total = SHARES[1] @ level[1] - SHARES[0] @ level[0]
    if len(by) == 2:
        mix = {"site": grown @ SITES.mean(0)[site], "band": grown @ BANDS.mean(0)[band]}
    else:
        shares = np.array([[SHARES[y][site == s].sum() for s in range(3)] for y in (0, 1)])
        means = [
            [SHARES[y][site == s] @ level[y][site == s] / shares[y][s] for s in range(3)] for y in (0, 1)
        ]
        mix = {"site": (shares[1] - shares[0]) @ np.mean(means, 0)}
    wanted = {"total": total, **mix, "within": total - sum(mix.values())}
    return {name: 100 * float(value) for name, value in wanted.items()}


def main(pairs: int) -> None:
    for by in (["site"], ["site", "band"]):
        rng, wanted, found = np.random.default_rng(2024), truth(by), []
        for _ in range(pairs):
            change = decompose_change(extract(0, rng), extract(1, rng), by=by)
            rows = [change.piece("total"), *(change.piece("mix", b) for b in by), change.piece("within")]
            found.append([[r["estimate"], r["conf_low"], r["conf_high"], r["std_error"]] for r in rows])
        estimate, low, high, error = np.moveaxis(np.array(found), -1, 0)
        for i, (name, value) in enumerate(wanted.items()):
            spread = estimate[:, i].std(ddof=1)
            covered = ((low[:, i] <= value) & (value <= high[:, i])).mean()
            bias = (estimate[:, i].mean() - value) / spread * np.sqrt(pairs)
            print(
                f"{'+'.join(by):10} {name:7} truth {value:6.3f} bias {bias:5.2f} se "
                f"spread {spread:.3f} mean std_error {error[:, i].mean():.3f} coverage {covered:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
