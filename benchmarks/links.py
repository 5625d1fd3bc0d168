"""Time of `link_outcomes` on a panel of 220 organisations over 8 years.

`python -m benchmarks.links` links 30 indicators to 8 outcomes under 4 designs: 960 main models, with all that
stands beside them and every check. Half of the indicators go first, to show that time grows with the pairs.
Let the machine do nothing else meanwhile.
"""

from __future__ import annotations

from time import perf_counter, process_time
from typing import Any

import numpy as np
import polars as pl

import culture_metrics as cm

ORGANISATIONS, YEARS, INDICATORS = 220, range(2016, 2024), 30
DESIGNS = ("pooled", "lagged", "fixed_effects", "within_between")
#: One of each kind that all four designs can take.
OUTCOMES = (
    "shmi", "inpatient_survey", "financial_position", "agency_spend", "sickness_absence", "leavers",
    "c_difficile", "four_hour_wait",
)  # fmt: skip
LIMIT_SECONDS = 60


def panel() -> tuple[pl.DataFrame, list[str]]:
    """Make a panel with many indicators that go together, as those of a survey do."""
    made = cm.synthetic.outcome_panel(ORGANISATIONS, YEARS, seed=1)
    rng = np.random.default_rng(1)
    more = {
        f"indicator_{i:02d}": made["staff_engagement"].to_numpy() + 0.3 * rng.standard_normal(made.height)
        for i in range(INDICATORS)
    }
    return made.with_columns(**{name: pl.Series(values) for name, values in more.items()}), list(more)


def main() -> list[dict[str, Any]]:
    """Time the task at half its size and whole; return both."""
    data, indicators = panel()
    outcomes = [cm.outcome(name) for name in OUTCOMES]
    cm.link_outcomes(data, indicators[0], outcomes, design=DESIGNS)
    rows = []
    for count in (INDICATORS // 2, INDICATORS):
        start, used = perf_counter(), process_time()
        result = cm.link_outcomes(data, indicators[:count], outcomes, design=DESIGNS, progress=True)
        seconds, cpu = perf_counter() - start, process_time() - used
        pairs = count * len(OUTCOMES) * len(DESIGNS)
        rows.append(
            {
                "indicators": count,
                "main_models": pairs,
                "rows": result.table.height,
                "checks": result.diagnostics.height,
                "seconds": round(seconds, 1),
                "cpu_seconds": round(cpu, 1),
                "ms_per_main_model": round(1000 * seconds / pairs, 1),
            }
        )
        print(
            f"link_outcomes: {count} indicators, {len(OUTCOMES)} outcomes, {len(DESIGNS)} designs, {pairs} "
            f"main models: {seconds:.1f} s ({cpu:.1f} s of processor), {1000 * seconds / pairs:.1f} ms each",
            flush=True,
        )
    growth = rows[1]["seconds"] / rows[0]["seconds"]
    print(f"Limit: {LIMIT_SECONDS} s. Time for twice the pairs: {growth:.2f} times.")
    return rows


if __name__ == "__main__":
    main()
