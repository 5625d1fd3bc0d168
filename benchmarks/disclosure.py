"""Disclosure control on made-up releases: how long it takes, and the optimal beside the greedy choice.

Run from the root of the repository: python -m benchmarks.disclosure [organisations]. Textbook methods and
brute force: benchmarks/disclosure_tables.py.
"""

from __future__ import annotations

import sys
import time

import numpy as np
import polars as pl

from culture_metrics import suppress
from culture_metrics.catalogue import catalogue
from culture_metrics.disclosure import choose, hide
from data_schemas.columns import RESULTS

BREAKDOWNS = {
    **{"occupation": 42, "occupation_group": 8, "ethnicity_summary": 2, "gender": 5, "age": 6},
    **{"sexual_orientation": 5, "religion": 9, "long_term_condition": 2, "carer": 2, "length_of_service": 6},
    **{"locality_1": 12, "locality_2": 30},
}


def national(organisations: int = 230, *, whole: bool = False, seed: int = 1) -> pl.DataFrame:
    """Make up the Results of all organisations by 12 breakdowns, for every measure of the catalogue.

    Counts are drawn so that groups add up to their organisation; `whole` adds all organisations together.
    """
    draw = np.random.default_rng(seed)
    edition = catalogue().edition(2024)
    measures = sorted(edition.measures)
    answered = draw.uniform(0.9, 1.0, len(measures))
    people = np.round(draw.lognormal(7.8, 0.6, organisations)).astype(int)
    names = [f"R{i:03}" for i in range(organisations)]
    frames = []
    for breakdown, groups in {"all": 1, **BREAKDOWNS}.items():
        known = list(edition.breakdowns[breakdown].groups) if breakdown != "all" else ["all"]
        known = known or [f"{breakdown} {i}" for i in range(groups)]
        shares = draw.dirichlet(np.full(len(known), 0.7), organisations)
        # By group and organisation; the measures of the last group take what is left of the answers.
        split = np.array([draw.multinomial(n, p) for n, p in zip(people, shares, strict=True)])
        base = np.round(split[:, :, None] * answered)
        largest = split.argmax(axis=1)
        wanted = np.round(people[:, None] * answered)
        base[np.arange(organisations), largest] += wanted - base.sum(axis=1)
        cells = pl.DataFrame({"organisation": names}).join(
            pl.DataFrame({"breakdown": breakdown, "group": known}), how="cross", maintain_order="left_right"
        )
        frames.append(
            cells.join(
                pl.DataFrame({"measure": measures}), how="cross", maintain_order="left_right"
            ).with_columns(base=pl.Series(base.ravel()))
        )
    group = pl.col("group").replace_strict(_parents())
    nested = [
        f.with_columns(breakdown=pl.lit("occupation_group"), group=group)
        .group_by("organisation", "breakdown", "group", "measure")
        .agg(pl.col("base").sum())
        for f in frames
        if f["breakdown"][0] == "occupation"
    ]
    kept = [f for f in frames if f["breakdown"][0] != "occupation_group"]
    return dress(pl.concat([*kept, *nested], how="vertical").filter(pl.col("base") > 0), whole=whole)


def _parents() -> dict[str, str]:
    """Name the occupation group of every occupation."""
    known = catalogue().edition(2024).breakdowns
    groups = {code: name for name, codes in known["occupation_group"].groups.items() for code in codes}
    return {name: groups[next(iter(codes))] for name, codes in known["occupation"].groups.items()}


def dress(frame: pl.DataFrame, *, whole: bool = False, period: str = "2024") -> pl.DataFrame:
    """Give cells with a base the other columns of Results."""
    if whole:
        every = frame.group_by("breakdown", "group", "measure").agg(pl.col("base").sum())
        frame = pl.concat(
            [frame, every.select(pl.lit("all").alias("organisation"), pl.exclude("organisation"))]
        )
    given = {
        "survey": "nss_england", "period": period, "unit": "score", "estimate": 5.0, "weighting": "none",
        "status": "reported", "source": "respondents",
    }  # fmt: skip
    full = frame.with_columns(pl.lit(v).alias(k) for k, v in given.items() if k not in frame.columns)
    full = full.with_columns(pl.lit(None).alias(c) for c in RESULTS if c not in full.columns)
    return full.select(pl.col(n).cast(t) for n, t in RESULTS.items())


def cross(groups: int, seed: int = 3) -> pl.DataFrame:
    """Make up the results of one organisation by two breakdowns of so many groups, and their cross."""
    counts = np.random.default_rng(seed).integers(0, 60, (groups, groups))
    rows = [("all", "all", counts.sum())]
    rows += [("ward", f"w{i}", n) for i, n in enumerate(counts.sum(axis=1))]
    rows += [("grade", f"g{j}", n) for j, n in enumerate(counts.sum(axis=0))]
    rows += [("ward × grade", f"w{i} × g{j}", n) for (i, j), n in np.ndenumerate(counts)]
    frame = pl.DataFrame(rows, schema=["breakdown", "group", "base"], orient="row")
    return dress(frame.with_columns(organisation=pl.lit("RXX"), measure=pl.lit("morale")))


def timed(results: pl.DataFrame) -> tuple[float, int]:
    """Return the seconds of processor time, and how many cells are hidden for another's sake."""
    start = time.process_time()
    done = suppress(results).table
    return time.process_time() - start, int((done["status"] == "suppressed_secondary").sum())


def main(organisations: int = 115) -> None:
    release = national(organisations)
    seconds, hidden = timed(release)
    print(f"{release.height} rows of {organisations} organisations: {seconds:.1f} s, {hidden} hidden beside")
    for groups in (6, 10, 15, 20, 25, 32, 40):
        for name, limit in (("optimal", 10**9), ("greedy", 0)):
            choose.OPTIMAL_UP_TO = hide.OPTIMAL_UP_TO = limit
            seconds, hidden = timed(cross(groups))
            print(f"{groups} x {groups}, {name}: {seconds:.2f} s, {hidden} hidden beside")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
