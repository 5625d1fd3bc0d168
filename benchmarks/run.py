"""Time and peak memory of the package beside its nearest peers, on one machine in one run.

`python -m benchmarks.run` runs every task and every peer in a process of its own, so that peak memory is its
own: one warm-up, then five rounds, of which the median counts. It prints the ratios, which travel between
machines better than seconds do, adds the limits of validation (`benchmarks.validation`), estimates beside
their peers (`benchmarks.estimates`) and links to outcomes (`benchmarks.links`), and writes
`build/bench.json`. Let the machine do nothing else meanwhile.
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
BUILD = ROOT / "build"
ROUNDS = 5
#: Tables of few respondents, for first calls.
FEW = ("people", "years", "results", "distributions", "organisations")
#: Names a real results workbook; one is made up where neither this nor ../shared/data has any.
WORKBOOK = "CULTURE_METRICS_WORKBOOK"


def import_package() -> Callable[[], Any]:
    return first_import("culture_metrics")


def first_import(name: str) -> Callable[[], Any]:
    """Import what this process has not imported yet: a second time would take no time at all."""
    if name in sys.modules:
        raise SystemExit(f"{name} is imported before its import is timed")
    return lambda: __import__(name)


def import_every_verb() -> Callable[[], Any]:
    def load() -> list[Any]:
        import culture_metrics as cm

        # `views` are no verbs, and load Plotly.
        rooms = (cm.compare, cm.disclosure, cm.links, cm.measurement, cm.published, cm.results)
        return [getattr(place, name) for place in (cm, *rooms) for name in place.__all__ if name != "views"]

    return load


def import_polars() -> Callable[[], Any]:
    return first_import("polars")


def import_polars_and_numpy() -> Callable[[], Any]:
    imports = [first_import(name) for name in ("polars", "numpy")]
    return lambda: [load() for load in imports]


def first_estimate() -> Callable[[], Any]:
    return first_call(
        "extracts.extract", "Extract", "cm.estimate(Extract('nss_england', '2024', few['people']))"
    )


def first_compare_years() -> Callable[[], Any]:
    return first_call("compare.years", "compare_years", "cm.compare_years(few['years'], 2023, 2024)")


def first_benchmark() -> Callable[[], Any]:
    tables = "[few[name] for name in ('results', 'distributions', 'organisations')]"
    call = f"cm.benchmark(Published('nss_england', '2024', *{tables}), 'SYN01')"
    return first_call("published.published", "Published", call)


def first_call(module: str, name: str, call: str) -> Callable[[], Any]:
    """Prepare a first call about few people: polars and numpy are loaded, and nothing of the package."""
    import numpy as np  # noqa: F401
    import polars as pl

    few = {name: pl.read_parquet(BUILD / f"bench_{name}.parquet") for name in FEW}
    if "culture_metrics" in sys.modules:
        raise SystemExit("culture_metrics is imported before its first call is timed")
    code = f"import culture_metrics as cm\nfrom culture_metrics.{module} import {name}\n{call}"
    return lambda: exec(code, {"few": few})


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
    return lambda: cm.estimate(extract).table


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


FIRST_CALLS = {
    "estimate": first_estimate,
    "compare_years": first_compare_years,
    "benchmark": first_benchmark,
}
TASKS = (
    Task("import culture_metrics", import_package, "import polars", import_polars, once=True),
    Task("import every verb of it", import_every_verb, "import polars", import_polars, once=True),
    Task(
        "first cm.estimate, import and all",
        first_estimate,
        "import polars, numpy",
        import_polars_and_numpy,
        once=True,
    ),
    Task(
        "first cm.compare_years",
        first_compare_years,
        "import polars, numpy",
        import_polars_and_numpy,
        once=True,
    ),
    Task("first cm.benchmark", first_benchmark, "import polars, numpy", import_polars_and_numpy, once=True),
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
    """Find a real results workbook, or else the one made up."""
    found = [
        os.environ.get(WORKBOOK),
        *(ROOT.parent / "shared" / "data").glob("nss2024/*organisational*.xlsx"),
    ]
    return next((Path(path) for path in found if path), BUILD / "bench.xlsx")


def respondents() -> Extract:
    """Return the answers made up by `make_up`."""
    import polars as pl

    from culture_metrics.extracts.extract import Extract

    return Extract("nss_england", "2024", pl.read_parquet(BUILD / "bench.parquet"))


def make_up() -> None:
    """Write what the tasks read (100 organisations of 2,000 people), so that making it counts for none."""
    import polars as pl

    import culture_metrics as cm
    from culture_metrics.output import table_of
    from culture_metrics.study.example import example_extracts, example_published

    BUILD.mkdir(exist_ok=True)
    extract = cm.synthetic.respondents(2024, organisations=100, respondents_per_organisation=2000)
    extract.frame.write_parquet(BUILD / "bench.parquet")
    years = [cm.synthetic.respondents(year, respondents_per_organisation=300) for year in (2023, 2024)]
    published = example_published(years[-1])
    few = {"people": years[-1].frame, "years": pl.concat([cm.estimate(year).table for year in years])}
    few |= {name: table_of(getattr(published, name), "write_parquet") for name in FEW[2:]}
    for name, table in few.items():
        table.write_parquet(BUILD / f"bench_{name}.parquet")
    if workbook().parent == BUILD:
        published = example_published(cm.validate(example_extracts()[-1]).extract)
        cm.published.write_published(workbook(), published, layout="organisation")


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


def in_a_process(*arguments: object) -> str:
    command = [sys.executable, "-m", "benchmarks.run", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"This failed: python {' '.join(command[1:])}")
    return done.stdout


def median(task: int, side: str) -> tuple[float, float | None]:
    """Return the median seconds after a warm-up, and the peak memory in MB."""
    if TASKS[task].once:
        runs = [json.loads(in_a_process(task, side, 1)) for _ in range(1 + ROUNDS)]
        return statistics.median(run["seconds"][0] for run in runs[1:]), runs[-1]["peak_mb"]
    run = json.loads(in_a_process(task, side, 1 + ROUNDS))
    return statistics.median(run["seconds"][1:]), run["peak_mb"]


def main() -> None:
    from benchmarks import estimates, links, validation

    print(f"{'task':<34}{'seconds':>8}{'peak MB':>9}   {'peer':<26}{'seconds':>8}{'peak MB':>9}{'ratio':>8}")
    in_a_process("make-up")
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
    print(f"\nvalidation of a national file, {validation.RESPONDENTS:,} respondents")
    found: dict[str, Any] = {"tasks": rows, "validation": validation.main()}
    found |= {"estimates": estimates.main(), "links": links.main()}
    out = BUILD / "bench.json"
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"Written: {out.relative_to(ROOT).as_posix()}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["make-up"]:
            make_up()
        case [which, side, rounds]:
            print(json.dumps(measure(getattr(TASKS[int(which)], side), int(rounds))))
