"""Time and peak memory of validation on a national file, beside Pandera alone and reading alone.

`python -m benchmarks.validation` makes up 750,000 respondents to 118 questions (5 % without an answer),
plants 1,000 errors of 12 kinds, and in a second file 2 % bad cells. Times are medians of rounds in which the
tasks take turns; peak memory is that of a process of its own. It prints the figures and checks that every
planted error was counted exactly.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

# Nothing heavy up here: on Linux a process inherits the peak memory of the one that starts it.
if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "build" / "bench"
RESPONDENTS, ORGANISATIONS, MISSING, BAD_CELLS = 750_000, 220, 0.05, 0.02
ROUNDS = 5
YEAR = 2024
#: Planted: rule, column, number. 1,000 errors of 12 kinds.
PLANTED = (
    ("codes outside the list", "q25c", 100),
    ("code 9 where the list has none", "q6b", 100),
    ("likely missing codes", "q4a", 100),
    ("negative codes", "q9a", 100),
    ("missing codes", None, 100),
    ("ticks in another coding", "q16c_1", 80),
    ("answers that the filter rules out", "q11e", 100),
    ("not applicable under the filter", "q13d", 60),
    ("rows that stand twice", "respondent", 60),
    ("respondents with several different rows", "respondent", 60),
    ("empty rows", None, 70),
    ("no organisation", "organisation", 70),
)
#: What each planted error is in a row: column and code.
CODES = {
    "codes outside the list": {"q25c": 7},
    "code 9 where the list has none": {"q6b": 9},
    "likely missing codes": {"q4a": 98},
    "negative codes": {"q9a": -3},
    "missing codes": {"q3a": 99},
    "ticks in another coding": {"q16a": 1, "q16c_1": 2},
    "answers that the filter rules out": {"q11d": 2, "q11e": 1},
    "not applicable under the filter": {"q13a": 1, "q13b": 1, "q13c": 1, "q13d": 9},
}


def make() -> None:
    """Write the files: clean, with planted errors, with bad cells everywhere."""
    import polars as pl

    FOLDER.mkdir(parents=True, exist_ok=True)
    frame = national()
    frame.write_parquet(FOLDER / "clean.parquet")
    planted(frame).write_parquet(FOLDER / "planted.parquet")
    planted(frame).write_csv(FOLDER / "planted.csv")
    answers = [c for c in frame.columns if c.startswith("q")]
    bad = [
        pl.when(pl.int_range(pl.len()).hash(seed) % 1000 < BAD_CELLS * 1000)
        .then(pl.lit(120 if seed % 2 else -3, pl.Int8))
        .otherwise(column)
        .alias(column)
        for seed, column in enumerate(answers)
    ]
    frame.with_columns(bad).write_parquet(FOLDER / "bad.parquet")


def national() -> pl.DataFrame:
    """Draw answers with the usual percentages, filters kept."""
    import numpy as np
    import polars as pl

    from culture_metrics import catalogue

    rng = np.random.default_rng(20240901)
    edition = catalogue().edition(YEAR)
    drawn: dict[str, pl.Series] = {}
    for question in edition.questions.values():
        shares = question.usual or {0: 0.8, 1: 0.2}
        edges = np.cumsum(list(shares.values()))
        silent = rng.random(RESPONDENTS, dtype=np.float32) < MISSING
        if question.asked_if:
            gates = [(edition.questions[name].code, codes) for name, codes in question.asked_if]
            opened = [drawn[g].is_in(list(codes)).fill_null(value=False) for g, codes in gates]
            silent |= ~np.logical_or.reduce([gate.to_numpy() for gate in opened])
        for column in question.columns:
            place = np.searchsorted(edges / edges[-1], rng.random(RESPONDENTS, dtype=np.float32))
            code = np.array(list(shares), dtype=np.int8)[np.minimum(place, len(shares) - 1)]
            drawn[column] = pl.Series(column, code).set(pl.Series(silent), None)
    row = pl.int_range(RESPONDENTS)
    organisation = pl.format("R{}", (row % ORGANISATIONS).cast(pl.String).str.zfill(3))
    about = pl.select(
        pl.format("{}-{}", organisation, row).alias("respondent"),
        organisation.alias("organisation"),
        pl.format("Directorate {}", row % 12 + 1).alias("locality_1"),
    )
    return about.hstack(list(drawn.values()))


def planted(frame: pl.DataFrame) -> pl.DataFrame:
    """Plant each error in rows of its own, spread over the file."""
    import polars as pl

    answers = [c for c in frame.columns if c.startswith("q")]
    rows, start, step = {}, 17, (frame.height - 17) // sum(n for *_, n in PLANTED)
    for rule, _, number in PLANTED:
        rows[rule] = list(range(start, start + step * number, step))
        start += step * number
    here = {rule: pl.int_range(pl.len()).is_in(where) for rule, where in rows.items()}
    codes: dict[str, pl.Expr] = {}
    for rule, values in CODES.items():
        for column, code in values.items():
            before = codes.get(column, pl.col(column))
            codes[column] = pl.when(here[rule]).then(pl.lit(code, pl.Int8)).otherwise(before)
    codes |= {c: pl.when(~here["empty rows"]).then(codes.get(c, pl.col(c))) for c in answers}
    whole = pl.when(~here["no organisation"]).then("organisation").alias("organisation")
    changed = frame.with_columns(whole, *(value.alias(c) for c, value in codes.items()))
    copies = changed[rows["rows that stand twice"]]
    others = changed[rows["respondents with several different rows"]]
    others = others.with_columns(q2a=pl.col("q2a").fill_null(1) % 5 + 1)
    return pl.concat([changed, copies, others])


def read() -> Callable[[], Any]:
    """Read the clean file."""
    import polars as pl

    return lambda: pl.read_parquet(FOLDER / "clean.parquet")


def pandera() -> Callable[[], Any]:
    """Check the clean table with the published schema, no more."""
    import polars as pl

    from culture_metrics import catalogue
    from culture_metrics.extracts.schema import extract_schema

    frame = pl.read_parquet(FOLDER / "clean.parquet")
    schema = extract_schema(catalogue().edition(YEAR), frame.columns)
    return lambda: schema.validate(frame, lazy=True)


def validate(name: str = "planted.parquet") -> Callable[[], Any]:
    """Read and validate."""
    import culture_metrics as cm

    return lambda: cm.validate(cm.read_extract(FOLDER / name, year=YEAR))


def validate_bad() -> Callable[[], Any]:
    """Read and validate the file with bad cells everywhere."""
    return validate("bad.parquet")


def validate_table() -> Callable[[], Any]:
    """Read with polars alone and validate: what validation costs by itself."""
    import polars as pl

    import culture_metrics as cm
    from culture_metrics.extracts.extract import Extract

    return lambda: cm.validate(Extract("nss_england", str(YEAR), pl.read_parquet(FOLDER / "planted.parquet")))


def read_csv() -> Callable[[], Any]:
    """Read the CSV with polars alone."""
    import polars as pl

    return lambda: pl.read_csv(FOLDER / "planted.csv")


def validate_csv() -> Callable[[], Any]:
    """Read and validate the CSV."""
    return validate("planted.csv")


def counts() -> dict[str, Any]:
    """Compare the numbers reported with those planted."""
    report = validate()()
    rows = {(rule, column): n for rule, column, n in report.problems.select("rule", "column", "rows").rows()}
    wrong = {
        rule: rows.get((rule, column), 0) for rule, column, n in PLANTED if rows.get((rule, column)) != n
    }
    serious = set(report.problems.filter(report.problems["severity"] != "note")["rule"])
    account = report.reconciliation
    adds_up = all(
        account.filter(what=what, fate="read")["count"].sum() * 2 == account.filter(what=what)["count"].sum()
        for what in ("rows", "answers")
    )
    return {
        "planted": sum(n for *_, n in PLANTED),
        "wrong": wrong,
        "unexpected": sorted(serious - {rule for rule, *_ in PLANTED}),
        "adds_up": adds_up,
    }


def memory(task: str) -> dict[str, float]:
    """Run a task once and tell the rise of peak memory, and the size of the table, in MB."""
    import polars as pl

    import culture_metrics as cm

    # Loads what is loaded when first used, so that the rise is that of the work.
    cm.validate(cm.synthetic.respondents(YEAR, respondents_per_organisation=50))
    run = TASKS[task]()
    before = peak_mb()
    run()
    after = peak_mb()
    name = "bad.parquet" if task == "validate_bad" else "planted.parquet"
    return {"rise": after - before, "table": pl.read_parquet(FOLDER / name).estimated_size("mb")}


def peak_mb() -> float:
    """Return the peak memory of this process."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / (2**20 if sys.platform == "darwin" else 2**10))


TASKS: dict[str, Callable[[], Callable[[], Any]]] = {
    f.__name__: f for f in (read, pandera, validate, validate_bad, validate_table, read_csv, validate_csv)
}


def seconds(names: str) -> dict[str, float]:
    """Return the median of the rounds after a warm-up; tasks take turns, so that a busy spell hits all."""
    tasks = {name: TASKS[name]() for name in names.split(",")}
    taken: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(1 + ROUNDS):
        for name, run in tasks.items():
            start = perf_counter()
            run()
            taken[name].append(perf_counter() - start)
    return {name: statistics.median(times[1:]) for name, times in taken.items()}


def in_a_process(what: str, task: str = "") -> Any:
    """Run one piece of work in a process of its own and return what it prints."""
    command = [sys.executable, "-m", "benchmarks.validation", what, task]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"This failed: {' '.join(command[1:])}")
    return json.loads(done.stdout or "null")


def figures() -> dict[str, Any]:
    """Measure everything; `limits` has what must hold: name, measured, at most."""
    in_a_process("make")
    csv = ("read_csv", "validate_csv")
    taken = in_a_process("seconds", ",".join(task for task in TASKS if task not in csv))
    taken |= in_a_process("seconds", ",".join(csv))
    alone = taken["pandera"] + taken["read"]
    peak = {task: in_a_process("memory", task) for task in ("validate", "validate_bad", "validate_table")}
    return {
        "seconds": {task: round(s, 3) for task, s in taken.items()},
        "peak": peak,
        "counts": in_a_process("counts"),
        "limits": [
            ("read and validate / (read and Pandera alone)", taken["validate"] / alone, 3),
            ("with 2% bad cells / without", taken["validate_bad"] / taken["validate"], 2),
            ("CSV: seconds beyond 1.5 x pl.read_csv", taken["validate_csv"] - 1.5 * taken["read_csv"], 5),
            *((f"peak memory / table, {task}", p["rise"] / p["table"], 3) for task, p in peak.items()),
        ],
    }


def main() -> dict[str, Any]:
    """Measure and print."""
    found = figures()
    for task, value in found["seconds"].items():
        print(f"{task:<34}{value:>8.3f}")
    for name, value, most in found["limits"]:
        print(f"{name:<60}{value:>6.2f}  {'within' if value <= most else 'OVER'} {most}")
    counted = found["counts"]
    wrong = [*counted["wrong"], *counted["unexpected"]]
    print(f"{counted['planted']:,} planted errors: {'counted exactly' if not wrong else f'WRONG: {wrong}'}")
    return found


if __name__ == "__main__":
    if len(sys.argv) > 1:
        what, task = sys.argv[1], sys.argv[2]
        work = {"make": make, "counts": counts}
        done = work[what]() if what in work else {"seconds": seconds, "memory": memory}[what](task)
        print(json.dumps(done))
    else:
        main()
