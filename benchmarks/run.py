"""Time and peak memory of the package beside its nearest peers, on one machine in one run.

`python -m benchmarks.run` runs every task and every peer in a process of its own, so that peak memory is its
own: one warm-up, then five rounds, of which the median counts. It prints the ratios, which travel between
machines better than seconds do, and writes `build/bench.json`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

# Nothing heavy up here: on Linux a process inherits the peak memory of the one that starts it.
if TYPE_CHECKING:
    from collections.abc import Callable

    from culture_metrics.extracts.extract import Extract

ROOT = Path(__file__).resolve().parents[1]
ROUNDS = 5
#: Names a real results workbook; one is made up where neither this nor ../shared/data has any.
WORKBOOK = "CULTURE_METRICS_WORKBOOK"


def import_package() -> Callable[[], Any]:
    return lambda: __import__("culture_metrics")


def import_every_verb() -> Callable[[], Any]:
    def load() -> list[Any]:
        import culture_metrics as cm

        return [getattr(cm, name) for name in cm.__all__]

    return load


def import_polars() -> Callable[[], Any]:
    return lambda: __import__("polars")


def read_published() -> Callable[[], Any]:
    import culture_metrics as cm

    path = workbook()
    return lambda: cm.read_published(path)


def load_all_sheets() -> Callable[[], Any]:
    import fastexcel

    path = workbook()

    def load() -> list[Any]:
        book = fastexcel.read_excel(path)
        return [book.load_sheet(name).to_polars() for name in book.sheet_names]

    return load


def score() -> Callable[[], Any]:
    import culture_metrics as cm

    extract = respondents()
    return lambda: cm.score(extract)


def score_by_hand() -> Callable[[], Any]:
    from benchmarks.by_hand import nine_scores

    frame = respondents().frame
    return lambda: nine_scores(frame.lazy()).collect()


def estimate() -> Callable[[], Any]:
    import culture_metrics as cm

    extract = respondents()
    return lambda: cm.estimate(extract)


def estimate_by_hand() -> Callable[[], Any]:
    from benchmarks.by_hand import nine_scores, summary

    frame = respondents().frame
    return lambda: summary(nine_scores(frame.lazy())).collect()


@dataclass(frozen=True)
class Task:
    """What is timed beside what. Each function prepares its work and returns the part that is timed."""

    ours: str
    run: Callable[[], Callable[[], Any]]
    peer: str
    run_peer: Callable[[], Callable[[], Any]]
    #: Can be timed only once in a process.
    once: bool = False


TASKS = (
    Task("import culture_metrics", import_package, "import polars", import_polars, once=True),
    Task("import every verb of it", import_every_verb, "import polars", import_polars, once=True),
    Task("read_published", read_published, "fastexcel, all sheets", load_all_sheets),
    Task("score: 30 scores", score, "polars by hand: 9 scores", score_by_hand),
    Task("estimate: scores and percentages", estimate, "polars by hand: 9 scores", estimate_by_hand),
)


@dataclass(frozen=True)
class Row:
    """One line of the outcome; memory is null where the system does not tell it (Windows)."""

    task: str
    seconds: float
    peak_mb: float | None
    peer: str
    peer_seconds: float
    peer_peak_mb: float | None
    ratio: float


def workbook() -> Path:
    """Find a results workbook, or make one up."""
    found = [
        os.environ.get(WORKBOOK),
        *(ROOT.parent / "shared" / "data").glob("nss2024/*organisational*.xlsx"),
    ]
    made = ROOT / "build" / "bench.xlsx"
    path = next((Path(p) for p in found if p), made)
    if path == made and not made.exists():
        import culture_metrics as cm
        from culture_metrics.reporting.example import example_extracts, example_published

        made.parent.mkdir(exist_ok=True)
        published = example_published(cm.validate(example_extracts()[-1]).extract)
        cm.write_published(made, published, layout="organisation")
    return path


def respondents() -> Extract:
    """Make up 100 organisations of 2,000 respondents."""
    import culture_metrics as cm

    extract: Extract = cm.synthetic.respondents(2024, organisations=100, respondents_per_organisation=2000)
    return extract


def measure(prepare: Callable[[], Callable[[], Any]], rounds: int) -> dict[str, Any]:
    """Time the rounds, in this process, and tell its peak memory."""
    run, seconds = prepare(), []
    for _ in range(rounds):
        start = perf_counter()
        run()
        seconds.append(perf_counter() - start)
    return {"seconds": seconds, "peak_mb": peak_mb()}


def peak_mb() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10))


def in_a_process(task: int, side: str, rounds: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.run", str(task), side, str(rounds)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"This failed: {' '.join(command[1:])}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def median(task: int, side: str) -> tuple[float, float | None]:
    """Return the median seconds after a warm-up, and the peak memory in MB."""
    if TASKS[task].once:
        runs = [in_a_process(task, side, 1) for _ in range(1 + ROUNDS)]
        return statistics.median(run["seconds"][0] for run in runs[1:]), runs[-1]["peak_mb"]
    run = in_a_process(task, side, 1 + ROUNDS)
    return statistics.median(run["seconds"][1:]), run["peak_mb"]


def main() -> None:
    print(f"{'task':<34}{'seconds':>8}{'peak MB':>9}   {'peer':<26}{'seconds':>8}{'peak MB':>9}{'ratio':>8}")
    rows = []
    for number, task in enumerate(TASKS):
        (seconds, peak), (peer_seconds, peer_peak) = median(number, "run"), median(number, "run_peer")
        row = Row(
            task.ours,
            round(seconds, 4),
            peak,
            task.peer,
            round(peer_seconds, 4),
            peer_peak,
            round(seconds / peer_seconds, 2),
        )
        rows.append(asdict(row))
        print(
            f"{row.task:<34}{row.seconds:>8.3f}{row.peak_mb or '-':>9}   "
            f"{row.peer:<26}{row.peer_seconds:>8.3f}{row.peer_peak_mb or '-':>9}{row.ratio:>8.2f}",
            flush=True,
        )
    out = ROOT / "build" / "bench.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(f"Written: {out.relative_to(ROOT).as_posix()}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        which, side, count = sys.argv[1:]
        print(json.dumps(measure(getattr(TASKS[int(which)], side), int(count))))
    else:
        main()
