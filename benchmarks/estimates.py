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
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
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
#: A peer that takes more than so many times as long as we do is stopped; so many seconds are for its start.
PATIENCE, START = 600, 30


def read_trusts(name: str) -> pl.DataFrame:
    import polars as pl

    return pl.read_parquet(FOLDER / f"{name}.parquet")


def ours(name: str, measures: int = 9, design: Any = None) -> Callable[[], Any]:
    """Nine scores (or some answers as well) with standard error, interval, base and suppression."""
    import culture_metrics as cm

    frame = read_trusts(name).rename({"trust": "organisation"})
    wanted = [*SCORES, *(f"q{i:02}" for i in range(1, 61))][:measures]
    return lambda: cm.estimate_values(frame, wanted, weights="weight", design=design).table


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


def national(*years: int, write: bool = False) -> Callable[[], Any]:
    """From Parquet to Results: every measure, 12 breakdowns, all organisations, one year at a time."""
    import polars as pl

    import culture_metrics as cm
    from culture_metrics.extracts.extract import Extract

    def one(year: int) -> None:
        frame = pl.read_parquet(FOLDER / f"national_{year}.parquet")
        results = cm.estimate(Extract("nss_england", str(year), frame), by=BREAKDOWNS).table
        if write:
            results.write_parquet(FOLDER / f"results_{year}.parquet")

    def run() -> None:
        for year in years:
            one(year)

    return run


def suppression(year: int) -> Callable[[], Any]:
    """Decide what of one year may be shown, each time as if nothing of it had been shown before."""
    import polars as pl

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.breakdowns import crossed
    from culture_metrics.indicators.cell_estimates import estimates_of
    from culture_metrics.indicators.hidden import hidden_of

    frame = pl.read_parquet(FOLDER / f"national_{year}.parquet")
    by = crossed(BREAKDOWNS)
    found = estimates_of(Extract("nss_england", str(year), frame), by, "none", None)
    columns = {name: place for place, name in enumerate(found[0].answers.names)}
    return lambda: hidden_of(found, Extract("nss_england", str(year), frame), columns, 11, by)


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
         "national": national, "written": partial(national, write=True), "in pieces": in_pieces,
         "suppress": suppression}  # fmt: skip


def measure(task: str, rounds: int, arguments: list[Any]) -> dict[str, Any]:
    """Time the rounds in this process; say its peak memory and, of the trusts, the estimates."""
    from benchmarks.run import peak_mb

    run, seconds, cpu, found = TASKS[task](*arguments), [], [], None
    for _ in range(rounds):
        start, worked = perf_counter(), process_time()
        found = run()
        seconds.append(perf_counter() - start)
        cpu.append(process_time() - worked)
    peak = peak_mb()
    rows = {}
    if task == "ours":
        from culture_metrics import Design

        rows = {"own": _rows(found), "full": _rows(TASKS[task](*arguments, design=Design(domains="full"))())}
    return {"seconds": seconds, "cpu": cpu, "peak_mb": peak, "rows": rows}


def _rows(found: pl.DataFrame) -> list[Any]:
    return found.filter(status="reported").select("organisation", "measure", "estimate", "std_error").rows()


def timed(task: str, rounds: int, *arguments: Any) -> dict[str, Any]:
    """Run a task in a process of its own; the first of several rounds does not count."""
    command = [sys.executable, "-m", "benchmarks.estimates", task, str(rounds), json.dumps(arguments)]
    return _outcome(command)


def peer(name: str, seconds: float) -> dict[str, Any] | None:
    """Run a peer for so many seconds at most, or say that it is missing."""
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
    try:
        return _outcome([interpreter, str(script), name, str(data), str(OTHERS[name])], seconds + START)
    except subprocess.TimeoutExpired:
        print(f"  {name:<34}stopped after {seconds:.0f} s: more than {PATIENCE} times as long as ours")
        return None


def _outcome(command: list[str], seconds: float | None = None) -> dict[str, Any]:
    # As on a user's machine, where what was compiled is kept: a first call otherwise compiles scipy anew.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=seconds, env=own
    )
    if done.returncode:
        raise SystemExit(f"This failed: {' '.join(command[:3])}\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    for what in ("seconds", "cpu"):
        found[f"each {what}"] = found[what]
        found[what] = statistics.median(found[what][1:] or found[what])
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
    print("Seconds, seconds of all processors, peak memory; then each beside ours")
    frame_mb = round(read_trusts("trusts").estimated_size() / 2**20)
    mine = timed("ours", 1 + ROUNDS, "trusts")
    kept = {"culture-metrics": _line(f"culture-metrics (frame {frame_mb} MB)", mine, mine)}
    hand = timed("by hand", 1 + ROUNDS, "trusts")
    kept["polars by hand"] = _line("polars by hand", hand, mine)
    for name in OTHERS:
        found = peer(name, PATIENCE * mine["seconds"])
        if found:
            apart = {way: largest_difference(own, found["rows"]) for way, own in mine["rows"].items()}
            way = min(apart, key=lambda w: apart[w])
            kept[name] = _line(name, found, mine, f"numbers apart by {apart[way]:.0e} (domains={way!r})")
    for what, name, more in (
        ("twice the trusts", "trusts_twice", ()),
        ("half the respondents", "trusts_half", ()),
        ("twice the measures", "trusts", (18,)),
    ):
        kept[what] = _line(what, timed("ours", 1 + ROUNDS, name, *more), mine)
    return {"frame_mb": frame_mb, **kept}


def whole_file() -> dict[str, Any]:
    """From a national file to Results, beside reading it and one mean of every column."""
    print(
        f"\n{STAFF:,} respondents, {ORGANISATIONS} organisations, {len(BREAKDOWNS)} breakdowns, every measure"
    )
    print("Seconds, seconds of all processors, peak memory; then each beside reading and one mean")
    year = YEARS[-2]
    plain = timed("read and mean", 1 + ROUNDS, year)
    tasks = {
        "read and one mean of each": plain,
        "read": timed("read", 1 + ROUNDS, year),
        "one year": timed("national", 3, year),
        "of which suppress": timed("suppress", 3, year),
        "five years": timed("national", 1, *YEARS),
        "one year, first and written": timed("written", 1, year),
        "five years, written": timed("written", 1, *YEARS),
        "one year in pieces": timed("in pieces", 1, year),
    }
    kept = {what: _line(what, found, plain) for what, found in tasks.items()}
    for one, five in (("one year", "five years"), ("one year, first and written", "five years, written")):
        print(f"  {five} take {tasks[five]['seconds'] / tasks[one]['seconds']:.1f} times as long as {one}")
    print(f"  {tasks['read']['seconds'] / tasks['one year']['seconds']:.0%} of one year is reading")
    return kept


def _line(name: str, found: dict[str, Any], beside: dict[str, Any], note: str = "") -> dict[str, Any]:
    ratio, of_cpu = (found[what] / beside[what] for what in ("seconds", "cpu"))
    print(
        f"  {name:<34}{found['seconds']:>9.3f}{found['cpu']:>9.3f}{found['peak_mb']:>8.0f} MB"
        f"{ratio:>9.2f}{of_cpu:>9.2f}   {note}",
        flush=True,
    )
    return {k: v for k, v in found.items() if k != "rows"} | {"ratio": ratio, "ratio of cpu": of_cpu}


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
