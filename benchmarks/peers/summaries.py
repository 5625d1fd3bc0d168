"""The peers' way to nine weighted means with standard error by trust, in an environment of their own.

`python benchmarks/peers/summaries.py PEER FILE ROUNDS`: prints seconds of reading and of each round, the peak
memory and all estimates. Nothing of culture_metrics is here; pandas and svy need not be installed beside it.
"""

from __future__ import annotations

import json
import resource
import sys
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

SCORES = [f"s{i}" for i in range(1, 10)]
#: Rows of an outcome: trust, score, mean, standard error.
Rows = list[tuple[str, str, float, float]]


def pandas_groupby(path: str) -> tuple[Callable[[], Any], Callable[[Any], Rows]]:
    import numpy as np
    import pandas as pd

    frame = pd.read_parquet(path)

    def one(group: pd.DataFrame) -> pd.Series:
        found = {}
        for score in SCORES:
            there = group[score].notna()
            y, w = group.loc[there, score], group.loc[there, "weight"]
            n, mean = len(y), np.average(y, weights=w)
            error = np.sqrt(((w * (y - mean)) ** 2).sum() * n / (n - 1)) / w.sum()
            found |= {score: mean, f"{score}_se": error, f"{score}_n": n}
        return pd.Series(found)

    def rows(found: pd.DataFrame) -> Rows:
        return [(t, s, float(r[s]), float(r[f"{s}_se"])) for t, r in found.iterrows() for s in SCORES]

    return lambda: frame.groupby("trust")[["weight", *SCORES]].apply(one), rows


def svy_by(path: str) -> tuple[Callable[[], Any], Callable[[Any], Rows]]:
    import polars as pl
    import svy

    frame = pl.read_parquet(path)

    def run() -> Any:
        sample = svy.Sample(frame, svy.Design(stratum="trust", wgt="weight"))
        return sample.estimation.mean(SCORES, by="trust", drop_nulls=True)

    return run, lambda found: _svy_rows(found.to_polars())


def svy_split(path: str) -> tuple[Callable[[], Any], Callable[[Any], Rows]]:
    import polars as pl
    import svy

    frame = pl.read_parquet(path)

    def run() -> Any:
        found = []
        for (trust,), part in frame.group_by("trust"):
            estimates = svy.Sample(part, svy.Design(wgt="weight")).estimation.mean(SCORES, drop_nulls=True)
            found.append(estimates.to_polars().with_columns(pl.lit(trust).alias("trust")))
        return pl.concat(found)

    return run, _svy_rows


def _svy_rows(found: Any) -> Rows:
    return list(found.select("trust", "y", "est", "se").rows())


PEERS = {"pandas": pandas_groupby, "svy by": svy_by, "svy split": svy_split}

if __name__ == "__main__":
    peer, path, rounds = sys.argv[1:]
    start = perf_counter()
    run, rows = PEERS[peer](path)
    read, seconds, cpu = perf_counter() - start, [], []
    for _ in range(int(rounds)):
        start, worked = perf_counter(), process_time()
        found = run()
        seconds.append(perf_counter() - start)
        cpu.append(process_time() - worked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    print(json.dumps({"read": read, "seconds": seconds, "cpu": cpu, "peak_mb": peak, "rows": rows(found)}))
