"""What verdicts are worth for made-up trusts of several designs: the rows of `change_calibration.csv`.

Run: python tests/reference/make_change_calibration.py CASE PAIRS SEED >> tests/reference/change_calibration.csv
(a minute to an hour). `calibrate` draws the years, estimates and compares them; that these are the same as those
of `estimate` and `compare_years` is tested in tests/compare/test_calibrate.py.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace

import numpy as np
import polars as pl

import culture_metrics as cm
from culture_metrics.extracts.extract import Extract

COLUMNS = ["scenario", "breakdown", "label", "counted", "draws", "estimate", "conf_low", "conf_high"]
#: Staff in post in thousandths, for raking.
STAFF = {
    "gender": {"Female": 680, "Male": 270, "Prefer not to say": 40},
    "age": {"16-20": 10, "21-30": 190, "31-40": 260, "41-50": 250, "51-65": 250, "66+": 40},
}
GROUPS = {"groups_8": 8, "groups_11": 11, "departments_180": 180}
CASES = [
    "whole", *GROUPS, "clusters", "occupation_weights", "raking", "half_the_same", "half_of_the_population",
]  # fmt: skip


def main(case: str, pairs: int, seed: int) -> None:
    """Draw, estimate and compare so many pairs, and print what came of it."""
    rng = np.random.default_rng([CASES.index(case), seed])
    size = 9000 if case == "departments_180" else 3000
    people = cm.synthetic.respondents(2024, respondents_per_organisation=size, seed=100 + seed)
    given: dict[str, object] = {}
    if case in GROUPS:
        people = with_column(people, "locality_1", [f"G{g:03d}" for g in rng.integers(0, GROUPS[case], size)])
        given["by"] = ["locality_1"]
    elif case == "clusters":
        # 30 wards that differ in morale.
        mood = cm.score(people)["morale"].fill_null(6.0).to_numpy() + rng.normal(0, 4, size)
        ward = np.empty(size, dtype=np.int64)
        ward[np.argsort(mood)] = np.arange(size) * 30 // size
        people = with_column(people, "ward", [f"W{w}" for w in ward])
        given["design"] = cm.Design(cluster="ward")
    elif case == "occupation_weights":
        given["weights"] = 0.6 + 0.4 * (people.frame["q35"].fill_null(0) % 4).cast(pl.Float64)
    elif case == "raking":
        given["weights"] = cm.rake(people, STAFF)
    elif case == "half_the_same":
        given["answered_twice"] = 0.5
    elif case == "half_of_the_population":
        given["design"] = cm.Design(population={people.frame["organisation"][0]: 2 * size})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        table = cm.calibrate(people, draws=pairs, seed=seed, progress=False, **given).table
    said = table.select(pl.lit(case).alias("case"), *COLUMNS).write_csv(
        float_precision=2, include_header=False
    )
    print(said, end="", flush=True)


def with_column(extract: Extract, name: str, values: list[str]) -> Extract:
    return replace(extract, frame=extract.frame.with_columns(pl.Series(name, values)))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
