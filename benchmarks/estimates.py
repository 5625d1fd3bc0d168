"""Estimates beside their peers: nine weighted scores of 220 trusts, and a national file from end to end.

`python -m benchmarks.estimates`, part of `make bench`, makes up its data, runs every peer it finds in a
process of its own, checks that they agree and prints ratios, peak memory, how time grows with respondents,
groups and measures, and the share of time that is reading the file. pandas and svy are looked for in the
Python that CULTURE_METRICS_PEERS names, R in the path; who is missing is named. CULTURE_METRICS_BENCH_SHARE
makes the data smaller (0.1: a tenth of the respondents).
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.data import FOLDER, ORGANISATIONS, PEOPLE, SCORES, STAFF, TRUSTS, YEARS

# Nothing heavy up here: on Linux a process inherits the peak memory of the one that starts it.
if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

ROOT = Path(__file__).resolve().parents[1]
PEERS = os.environ.get("CULTURE_METRICS_PEERS", "")
ROUNDS = 5
BREAKDOWNS = (
    "occupation", "occupation_group", "ethnicity", "ethnicity_summary", "gender", "age",
    "long_term_condition", "length_of_service", "sexual_orientation", "religion", "carer", "patient_facing",
)  # fmt: skip
#: Peer -> how often it is run; the first of several runs does not count.
OTHERS = {"pandas": 4, "svy split": 4, "svy by": 1, "data.table": 6, "one design": 1, "svyby": 1}
IN_R = ("data.table", "one design", "svyby")


def read_trusts(name: str) -> pl.DataFrame:
    import polars as pl

    return pl.read_parquet(FOLDER / f"{name}.parquet")


def ours(name: str, measures: int = 9) -> Callable[[], Any]:
    """Nine scores (or some answers as well) with standard error, interval, base and suppression."""
    import culture_metrics as cm

    frame = read_trusts(name).rename({"trust": "organisation"})
    wanted = [*SCORES, *(f"q{i:02}" for i in range(1, 61))][:measures]
    return lambda: cm.estimate_values(frame, wanted, weights="weight")


def by_hand(name: str) -> Callable[[], Any]:
    """Do it as an analyst would in polars: no intervals, no suppression."""
    import polars as pl

    frame = read_trusts(name)
    weight, statistics = pl.col("weight"), []
    for score in SCORES:
        y = pl.col(score)
        total, n = weight.filter(y.is_not_null()).sum(), y.count()
        mean = (weight * y).sum() / total
        error = (((weight * (y - mean)) ** 2).sum() * n / (n - 1)).sqrt() / total
        statistics += [mean.alias(score), error.alias(f"{score}_se"), n.alias(f"{score}_n")]
    return lambda: frame.lazy().group_by("trust").agg(statistics).sort("trust").collect()


def read_and_mean(year: int) -> Callable[[], Any]:
    import polars as pl

    path = FOLDER / f"national_{year}.parquet"
    return lambda: (
        pl.read_parquet(path)
        .group_by("organisation")
        .agg(pl.exclude("respondent").mean())
        .sort("organisation")
    )


def read_only(year: int) -> Callable[[], Any]:
    import polars as pl

    return lambda: pl.read_parquet(FOLDER / f"national_{year}.parquet")


def national(*years: int) -> Callable[[], Any]:
    """From Parquet to Results: every measure, 12 breakdowns, all organisations, one year at a time."""
    import polars as pl

    import culture_metrics as cm
    from culture_metrics.extracts.extract import Extract

    def run() -> None:
        for year in years:
            frame = pl.read_parquet(FOLDER / f"national_{year}.parquet")
            results = cm.estimate(Extract("nss_england", str(year), frame), by=BREAKDOWNS)
            if len(years) > 1:
                results.write_parquet(FOLDER / f"results_{year}.parquet")

    return run


def in_pieces(year: int) -> Callable[[], Any]:
    """Do the same in pieces of 100,000 respondents, as for a file that is larger than memory."""
    import polars as pl

    import culture_metrics as cm
    from culture_metrics.extracts.extract import Extract

    path, size = FOLDER / f"national_{year}.parquet", 100_000

    def run() -> None:
        scan = pl.scan_parquet(path)
        parts = (scan.slice(low, size).collect() for low in range(0, STAFF, size))
        cm.estimate((Extract("nss_england", str(year), part) for part in parts), by=BREAKDOWNS)

    return run


TASKS = {"ours": ours, "by hand": by_hand, "read and mean": read_and_mean, "read": read_only,
         "national": national, "in pieces": in_pieces}  # fmt: skip


def measure(task: str, rounds: int, arguments: list[Any]) -> dict[str, Any]:
    """Time the rounds in this process; say its peak memory and, of the trusts, the estimates."""
    from benchmarks.run import peak_mb

    run, seconds, found = TASKS[task](*arguments), [], None
    for _ in range(rounds):
        start = perf_counter()
        found = run()
        seconds.append(perf_counter() - start)
    rows = []
    if task == "ours":
        rows = (
            found.filter(status="reported").select("organisation", "measure", "estimate", "std_error").rows()
        )
    return {"seconds": seconds, "peak_mb": peak_mb(), "rows": rows}


def timed(task: str, rounds: int, *arguments: Any) -> dict[str, Any]:
    """Run a task in a process of its own; the first of several rounds does not count."""
    command = [sys.executable, "-m", "benchmarks.estimates", task, str(rounds), json.dumps(arguments)]
    return _outcome(command)


def peer(name: str) -> dict[str, Any] | None:
    """Run a peer, or say that it is missing."""
    script = ROOT / "benchmarks" / "peers" / f"summaries.{'R' if name in IN_R else 'py'}"
    interpreter = shutil.which("Rscript") if name in IN_R else shutil.which(PEERS) if PEERS else None
    test = ("-e", "library(survey); library(data.table); library(jsonlite)") if name in IN_R else (
        "-c", "import svy, pandas"
    )  # fmt: skip
    if (
        interpreter is None
        or subprocess.run([interpreter, *test], capture_output=True, check=False).returncode
    ):
        print(f"  {name:<28}skipped: {'R' if name in IN_R else 'CULTURE_METRICS_PEERS'} does not have it")
        return None
    data = FOLDER / f"trusts.{'csv' if name in IN_R else 'parquet'}"
    return _outcome([interpreter, str(script), name, str(data), str(OTHERS[name])])


def _outcome(command: list[str]) -> dict[str, Any]:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"This failed: {' '.join(command[:3])}\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    found["median"] = statistics.median(found["seconds"][1:] or found["seconds"])
    return found


def largest_difference(here: list[Any], there: list[Any]) -> float:
    """Largest relative difference of means and standard errors from ours."""
    theirs = {(t, s): (m, e) for t, s, m, e in there}
    return max(
        (abs(a - b) / abs(b) for t, s, *ab in here for a, b in zip(ab, theirs[t, s], strict=True)),
        default=0.0,
    )


def trusts() -> dict[str, Any]:
    """Nine weighted scores by trust: ours, by hand, and the peers."""
    print(f"\nNine weighted scores with standard error by {TRUSTS} trusts, {PEOPLE:,} respondents")
    frame_mb = round(read_trusts("trusts").estimated_size() / 2**20)
    mine, hand = timed("ours", 1 + ROUNDS, "trusts"), timed("by hand", 1 + ROUNDS, "trusts")
    own = mine["median"]
    kept: dict[str, Any] = {
        "ours": own,
        "by hand": hand["median"],
        "peak_mb": mine["peak_mb"],
        "frame_mb": frame_mb,
    }
    print(f"  {'culture-metrics':<28}{own:>9.3f} s   peak {mine['peak_mb']} MB, frame {frame_mb} MB")
    print(f"  {'polars by hand':<28}{hand['median']:>9.3f} s   ours takes {own / hand['median']:.2f} of it")
    for name in OTHERS:
        found = peer(name)
        if found:
            kept[name] = found["median"]
            apart = largest_difference(mine["rows"], found["rows"])
            print(
                f"  {name:<28}{found['median']:>9.3f} s   ours is {found['median'] / own:.1f} times faster; "
                f"peak {found['peak_mb']:.0f} MB, numbers apart by {apart:.0e}"
            )
    grown = {
        "twice the trusts": timed("ours", 1 + ROUNDS, "trusts_twice"),
        "half the respondents": timed("ours", 1 + ROUNDS, "trusts_half"),
        "twice the measures": timed("ours", 1 + ROUNDS, "trusts", 18),
    }
    for what, found in grown.items():
        kept[what] = found["median"] / own
        print(f"  {what:<28}{found['median']:>9.3f} s   {found['median'] / own:.2f} of the time")
    return kept


def whole_file() -> dict[str, Any]:
    """From a national file to Results, beside reading it and one mean of every column."""
    print(
        f"\n{STAFF:,} respondents, {ORGANISATIONS} organisations, {len(BREAKDOWNS)} breakdowns, every measure"
    )
    year = YEARS[-2]
    plain, reading = timed("read and mean", 1 + ROUNDS, year), timed("read", 1 + ROUNDS, year)
    one, all_years = timed("national", 3, year), timed("national", 1, *YEARS)
    pieces = timed("in pieces", 1, year)
    kept = {
        "read and mean": plain["median"],
        "one year": one["median"],
        "one year, ratio": one["median"] / plain["median"],
        "one year, share of reading": reading["median"] / one["median"],
        "one year, peak_mb": one["peak_mb"],
        "five years, times one": all_years["median"] / one["median"],
        "five years, peak_mb": all_years["peak_mb"],
        "in pieces": pieces["median"],
        "in pieces, peak_mb": pieces["peak_mb"],
    }
    for what, number in kept.items():
        print(f"  {what:<28}{number:>9.3f}")
    return kept


def main() -> dict[str, Any]:
    subprocess.run([sys.executable, "-m", "benchmarks.data"], cwd=ROOT, check=True)
    return {"trusts": trusts(), "national": whole_file()}


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            outcome = main()
            (FOLDER / "estimates.json").write_text(json.dumps(outcome, indent=1) + "\n", encoding="utf-8")
        case [task, rounds, arguments]:
            print(json.dumps(measure(task, int(rounds), json.loads(arguments))))
