"""What verdicts are worth from end to end: null pairs of years, each drawn, estimated and compared.

Run: python tests/reference/make_change_calibration.py SCENARIO PAIRS >> tests/reference/change_calibration.csv
(minutes to an hour). A trust of 12,000 synthetic respondents is the population; each year is a sample with
replacement from it (of clusters, where there are any), so nothing changed and every interval should hold 0.
One line a scenario: share of pairs with any false *improved* or *declined* in the family, share of tests that
are *likely* or more (own interval without 0), and how many tests there were.
"""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace

import numpy as np
import polars as pl

import culture_metrics as cm
from culture_metrics.disclosure.decision import Decision
from culture_metrics.extracts.extract import Extract
from culture_metrics.indicators.design import Design

PEOPLE = 12_000
#: Staff in post in thousandths, for raking.
STAFF = {
    "gender": {"Female": 680, "Male": 270, "Prefer not to say": 40},
    "age": {"16-20": 10, "21-30": 190, "31-40": 260, "41-50": 250, "51-65": 250, "66+": 40},
}
#: Scenario -> respondents a year, groups (None: the whole), what `estimate` is given.
SCENARIOS = {
    "whole": (3000, None),
    "groups_8": (3000, 8),
    "groups_11": (3000, 11),
    "departments_180": (9000, 180),
    "clusters": (30, None),
    "occupation_weights": (3000, None),
    "raking": (3000, None),
    "half_the_same": (3000, None),
}


def main(name: str, pairs: int) -> None:
    """Draw, estimate and compare so many pairs, and print what came of it."""
    size, groups = SCENARIOS[name]
    rng = np.random.default_rng(sorted(SCENARIOS).index(name))
    people = population(rng)
    wards = people.frame["ward"].to_numpy()
    likely = tests = families = 0
    for _ in range(pairs):
        years, drawn = [], []
        for period in ("2023", "2024"):
            if name == "clusters":
                chosen = rng.choice(120, size)
                rows = np.concatenate([np.flatnonzero(wards == w) for w in chosen])
                marks = np.concatenate([np.full((wards == w).sum(), i) for i, w in enumerate(chosen)])
            else:
                rows = rng.integers(0, PEOPLE, size)
                if name == "half_the_same" and drawn:
                    rows[: size // 2] = drawn[0][: size // 2]
                marks = np.arange(size)
            drawn.append(rows)
            ids = [f"p{i}" if i < size // 2 else f"{period}-{i}" for i in range(len(rows))]
            frame = people.frame[rows].with_columns(
                respondent=pl.Series(ids),
                cluster=pl.Series(marks).cast(pl.String),
                locality_1=group(groups, rng, len(rows)),
            )
            years.append(replace(people, frame=frame, decision=Decision(), period=period))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results = [estimated(name, year, groups) for year in years]
            linked = years if name == "half_the_same" else None
            table = cm.compare_years(pl.concat(results), 2023, 2024, linked=linked).table
        family = table.filter(
            (pl.col("breakdown") == "all") != (groups is not None), pl.col("p_value").is_not_null()
        )
        families += bool(family["verdict"].is_in(["improved", "declined"]).any())
        likely += int((family["p_value"] < 0.05).sum())
        tests += family.height
    print(f"{name},{pairs},{families / pairs:.4f},{likely / tests:.4f},{tests}", flush=True)


def population(rng: np.random.Generator) -> Extract:
    """Make the trust, its people in 120 wards that differ in morale."""
    people = cm.synthetic.respondents(2024, respondents_per_organisation=PEOPLE, seed=9)
    mood = cm.score(people)["morale"].fill_null(6.0).to_numpy() + rng.normal(0, 4, PEOPLE)
    wards = np.empty(PEOPLE, dtype=np.int64)
    wards[np.argsort(mood)] = np.arange(PEOPLE) * 120 // PEOPLE
    return replace(people, frame=people.frame.with_columns(ward=pl.Series(wards)))


def group(groups: int | None, rng: np.random.Generator, size: int) -> pl.Series:
    return pl.Series([f"G{g:03d}" for g in rng.integers(0, groups or 1, size)])


def estimated(name: str, year: Extract, groups: int | None) -> pl.DataFrame:
    by = ["locality_1"] if groups else []
    more: dict[str, object] = {}
    if name == "clusters":
        more["design"] = Design(cluster="cluster")
    if name == "occupation_weights":
        more["weights"] = 0.6 + 0.4 * (year.frame["q35"].fill_null(0) % 4).cast(pl.Float64)
    if name == "raking":
        # The staff in post are the same in both years: the people of the trust, men and the young more of them.
        more["weights"] = cm.rake(year, STAFF)
    return cm.estimate(year, by=by, **more).table


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
