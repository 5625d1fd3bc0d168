"""What verdicts say where nothing changed, of ten designs: the rows of `null_pairs.csv`.

Run: PYTHONPATH=. python tests/reference/make_null_pairs.py pairs FILE [CASE ...], from the root of the repository (ten
made-up trusts of each design, 200 pairs of years of each: half an hour of one core; FILE grows, and a run goes on
where it stopped), then the same with `table` for `pairs`, which adds FILE up into null_pairs.csv. There `pairs` says
how many there were.

Years are drawn, estimated and compared as `calibrate` does it, every measure included; the planted years of
`calibrate` are left out. `official` weights are worked out anew by `estimate` in each drawn year. A made-up trust
is the whole truth of its 200 pairs. Families are all that is compared of one breakdown in one pair.

How the measures of the whole organisation go together is taken from the people drawn from. `each` for `pairs` works
it out of each pair's own years, as `compare_years` does, at four times the cost: of 200 pairs each of `whole`,
`clusters` and `own_weights` it called 7, 14 and 6 families, from the people it was 7, 13 and 6, the same ones but one.

Before that was allowed for, 2.75 % of families of a whole organisation were called, and 1.50 % with clusters (of 800
pairs each). Normal tests with the correlations of the survey and of its 60 wards, adjusted in the same way, call 3.2
and 2.1 % (of 20,000 families). In the wards one component has 67 % of the variance of 131 measures, for 28 % of people
one by one; of measures that all moved as one 2.5 % would be called, the share of the leading scores in the level.

Families of groups have the adjustment alone. Normal tests call 3.8 % of families
of 8 groups, 3.9 % of 11 and 4.8 % of 180 (of 10,000, 8,000 and 1,500); where the same wards were sampled within each
group 2.2, 2.5 and 2.8 %. With 180 departments of 50 people p-values below one in 10,000 are 0.6 times as many as they
should be, of scores as of percentages (510,000 tests), which is why fewer are called.
"""

from __future__ import annotations

import sys
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

import culture_metrics as cm
from culture_metrics.compare.calibration import CALLED, FAMILY, _Bench, _holds
from culture_metrics.compare.difference import add_differences
from culture_metrics.compare.families import adjust_p
from culture_metrics.compare.redrawn import People
from culture_metrics.compare.verdict import with_verdict
from culture_metrics.indicators.correlated import matrices
from culture_metrics.indicators.intervals import wilson
from culture_metrics.results.correlations import Correlations, mean_of
from tests.reference.make_change_calibration import GROUPS, STAFF, with_column

if TYPE_CHECKING:
    from collections.abc import Iterator

TRUSTS, PAIRS = 10, 200
#: Weighting groups of the benchmark group, for official weights.
MIX = {"nursing": 0.30, "medical_and_dental": 0.10, "allied_health": 0.14, "other": 0.46}
CASES = [
    "whole", "clusters", "own_weights", "half_of_the_population", "half_the_same", "raking", "groups_8",
    "groups_11", "official", "departments_180",
]  # fmt: skip
KEYS = ["case", "trust", "breakdown"]
SCHEMA = {
    "case": pl.String, "trust": pl.Int64, "breakdown": pl.String, "pair": pl.Int64, "called": pl.Int64,
    "scores_called": pl.Int64, "tests": pl.Int64, "likely": pl.Int64, "held": pl.Int64,
}  # fmt: skip


class EachYear(_Bench):
    """How measures go together is worked out of each pair's own years, as `compare_years` does it."""

    def _null(self, part: range) -> tuple[list[str], list, list[pl.DataFrame], pl.DataFrame]:
        names, *years = self._years(part)
        tables, together = [], []
        for own, period in zip(years, self.periods, strict=True):
            found, design = self.people.found(own, names)
            of = matrices(found, found.cells, design)
            tables.append(self.people.table(found, period))
            together.append(Correlations("", period, tuple(found.answers.names), of))
        ready = self._linked(self._ready(*tables), names, years)
        told = partial(mean_of, together, periods=self.periods)
        adjusted = adjust_p(
            add_differences(ready), self.adjust, FAMILY, lambda pair, measures: told(pair, measures=measures)
        )
        return names, years[1], tables, adjusted


class Official(_Bench):
    """Years that are weighted anew, each by `estimate`."""

    def _null(self, part: range) -> tuple[list[str], list, list[pl.DataFrame], pl.DataFrame]:
        names, *years = self._years(part)
        weights = cm.Weights("official", mix=MIX)
        tables = [
            cm.estimate(self.people.extract_of(own, names, period), weights=weights).table
            for own, period in zip(years, self.periods, strict=True)
        ]
        return names, years[1], tables, self._adjusted(add_differences(self._ready(*tables)))


def bench(case: str, trust: int, *, each: bool = False) -> _Bench:
    """Make up a trust, and what draws its years; `each`: see `EachYear`."""
    rng = np.random.default_rng([7, trust])
    size = 9000 if case == "departments_180" else 3000
    people = cm.synthetic.respondents(2024, respondents_per_organisation=size, seed=300 + trust)
    by, weights, design = (), None, None
    if case in GROUPS:
        people = with_column(people, "locality_1", [f"G{g:03d}" for g in rng.integers(0, GROUPS[case], size)])
        by = ("locality_1",)
    elif case == "clusters":
        # 60 wards that differ in morale.
        mood = cm.score(people)["morale"].fill_null(6.0).to_numpy() + rng.normal(0, 4, size)
        ward = np.empty(size, dtype=np.int64)
        ward[np.argsort(mood)] = np.arange(size) * 60 // size
        people = with_column(people, "ward", [f"W{w}" for w in ward])
        design = cm.Design(cluster="ward")
    elif case == "own_weights":
        weights = 0.6 + 0.4 * (people.frame["q35"].fill_null(0) % 4).cast(pl.Float64)
    elif case == "raking":
        weights = cm.rake(people, STAFF)
    elif case == "half_of_the_population":
        design = cm.Design(population={people.frame["organisation"][0]: 2 * size})
    own = People.of(people, None, by, weights, design, None)
    kind = Official if case == "official" else EachYear if each else _Bench
    return kind(own, 0.5 if case == "half_the_same" else 0.0, "bh", [9, trust])


def pairs(case: str, trust: int, first: int, *, each: bool) -> Iterator[pl.DataFrame]:
    """Count verdicts of each family and pair from the first on, some pairs at a time."""
    own = bench(case, trust, each=each)
    score = pl.col("unit").cast(pl.String) == "score"
    for part in (part for part in own._parts(PAIRS) if part.stop > first):
        judged = with_verdict(own._null(part)[-1]).filter(pl.col("p_value").is_not_null())
        called = pl.col("verdict").is_in(CALLED)
        yield (
            judged.group_by("breakdown", "organisation", maintain_order=True)
            .agg(
                case=pl.lit(case),
                trust=pl.lit(trust),
                pair=pl.col("organisation").first().str.slice(5).cast(pl.Int64),
                called=called.sum(),
                scores_called=(called & score).sum(),
                tests=pl.len(),
                likely=(~_holds(0.0)).sum(),
                held=_holds(0.0).sum(),
            )
            .select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
        )


def campaign(path: Path, cases: list[str], *, each: bool) -> None:
    """Go through the designs, a trust of each at a time, and add what comes out to a file."""
    done = pl.read_csv(path, schema=SCHEMA) if path.exists() else pl.DataFrame(schema=SCHEMA)
    if not path.exists():
        done.write_csv(path)
    known = done.group_by("case", "trust").agg(pl.col("pair").max() + 1)
    there = {(case, trust): pair for case, trust, pair in known.iter_rows()}
    for trust in range(TRUSTS):
        for case in cases:
            if there.get((case, trust), 0) >= PAIRS:
                continue
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                for rows in pairs(case, trust, there.get((case, trust), 0), each=each):
                    with path.open("a") as file:
                        rows.write_csv(file, include_header=False)


def table(path: Path) -> pl.DataFrame:
    """Add pairs up: shares in per cent, with what so many pairs leave open."""
    rows = pl.read_csv(path, schema=SCHEMA).unique([*KEYS, "pair"], maintain_order=True)
    found = []
    for (case, breakdown), own in rows.group_by("case", "breakdown", maintain_order=True):
        n = own.height
        false = float((own["called"] > 0).mean())
        low, high = wilson(np.array([false]), np.array([float(n)]))
        tests = own["tests"].sum()
        found.append({
            "case": case, "breakdown": breakdown, "pairs": n, "tests_per_pair": tests / n,
            "false_families": 100 * false, "from": 100 * low[0], "to": 100 * high[0],
            "of_them_without_a_score": 100 * float(((own["called"] > 0) & (own["scores_called"] == 0)).mean()),
            "likely_per_test": 100 * own["likely"].sum() / tests, "interval_holds": 100 * own["held"].sum() / tests,
        })  # fmt: skip
    return pl.DataFrame(found)


if __name__ == "__main__":
    what, path, *cases = sys.argv[1:]
    if what in ("pairs", "each"):
        campaign(Path(path), cases or CASES, each=what == "each")
    else:
        table(Path(path)).write_csv(Path(__file__).parent / "null_pairs.csv", float_precision=2)
