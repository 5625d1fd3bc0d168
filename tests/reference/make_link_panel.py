"""Make `link_panel.csv`: 60 organisations over four years with one outcome of each kind.

Run as `python tests/reference/make_link_panel.py` from the root of the project. `link_models.R` then fits R's
models to it. The figures mean nothing; they are there so that two programs can be compared.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

rng = np.random.default_rng(20110101)
G, T = 60, 4
org = np.repeat(np.arange(G), T)
year = np.tile(np.arange(2019, 2019 + T), G)
level = rng.normal(0, 1, G)[org]
z = 7 + 0.25 * level + rng.normal(0, 0.2, G * T)
size = rng.normal(0, 1, G)[org]
region = np.array(["north", "midlands", "south"])[np.arange(G) % 3][org]
quality = 0.5 * rng.normal(0, 1, G)[org] + rng.normal(0, 0.2, G * T)
pull = -0.4 * (z - 7) + quality

expected = np.round(1500 * np.exp(0.3 * size))
headcount = np.round(5000 * np.exp(0.3 * size))
bed_days = np.round(2e5 * np.exp(0.3 * size))
rate = 1 / (1 + np.exp(3 - 0.3 * pull - rng.normal(0, 0.1, G * T)))
leavers = rng.binomial(headcount.astype(int), 1 / (1 + np.exp(2.2 - 0.3 * pull))) / headcount
cases = rng.negative_binomial(3, 3 / (3 + bed_days / 1e5 * 8 * np.exp(0.4 * pull)))
rating = np.digitize(-1.2 * pull + rng.logistic(size=G * T), [-2.2, -0.3, 2.2])
frame = pl.DataFrame(
    {
        "organisation": [f"R{i:02d}" for i in org],
        "year": year,
        "region": region,
        "beds": np.round(600 * np.exp(0.3 * size)),
        "engagement": np.round(z, 4),
        "score": np.round(7.5 - 0.3 * pull, 4),
        "sickness": np.round(rate, 6),
        "fte_days": headcount * 300,
        "leavers": leavers,
        "headcount": headcount,
        "cases": cases,
        "bed_days": bed_days,
        "deaths": rng.poisson(expected * np.exp(0.1 * pull)),
        "expected": expected,
        "rating": np.array(["inadequate", "requires improvement", "good", "outstanding"])[rating],
        "target_met": (rng.random(G * T) < 1 / (1 + np.exp(pull))).astype(int),
        "agency": np.round(3e6 * np.exp(0.3 * size + 0.5 * pull) * rng.gamma(1.5, 1 / 1.5, G * T)),
    }
)
frame.write_csv(Path(__file__).with_name("link_panel.csv"))
