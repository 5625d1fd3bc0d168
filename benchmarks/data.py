"""Makes up the data of `benchmarks.estimates`: trusts with nine scores, and national files of five years."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "build" / "bench"
SHARE = float(os.environ.get("CULTURE_METRICS_BENCH_SHARE", "1"))
PEOPLE, TRUSTS = int(700_000 * SHARE), 220
STAFF, ORGANISATIONS = int(750_000 * SHARE), 230
YEARS = (2021, 2022, 2023, 2024, 2025)
SCORES = [f"s{i}" for i in range(1, 10)]


def make_trusts(name: str, people: int, trusts: int) -> None:
    """Write 60 items and nine scores of trusts of very different size, with weights."""
    import numpy as np
    import polars as pl

    random = np.random.default_rng(20240313)
    share = random.lognormal(0, 0.6, trusts)
    trust = np.repeat(np.arange(trusts), random.multinomial(people, share / share.sum()))
    latent = random.normal(size=people) + random.normal(0, 0.25, trusts)[trust]
    weight = random.lognormal(0, 0.25, people)
    columns = {
        "trust": pl.Series(trust).cast(pl.String).str.zfill(3),
        "occ": pl.Series(random.integers(0, 7, people), dtype=pl.Int8),
        "weight": pl.Series(weight / weight.mean()),
    }
    for i in range(1, 61):
        drawn = 0.6 * latent + 0.8 * random.normal(size=people) + random.normal(0, 0.3)
        answer = (np.digitize(drawn, [-1.4, -0.6, 0.2, 1.2]) + 1).astype(np.int8)
        columns[f"q{i:02}"] = pl.Series(answer).set(pl.Series(random.random(people) < 0.03), None)
    six = [[pl.col(f"q{6 * s + i + 1:02}") for i in range(6)] for s in range(9)]
    scores = [
        pl.when(pl.sum_horizontal(q.is_not_null() for q in own) >= 3).then(
            (pl.mean_horizontal(own) - 1) * 2.5
        )
        for own in six
    ]
    frame = pl.DataFrame(columns).with_columns(s.alias(n) for n, s in zip(SCORES, scores, strict=True))
    frame.write_parquet(FOLDER / f"{name}.parquet")
    frame.select("trust", "weight", *SCORES).write_csv(FOLDER / f"{name}.csv")


def make_national(year: int) -> None:
    """Write a national file: every question of the edition, answered as usual, 5 % without an answer."""
    import numpy as np
    import polars as pl

    from culture_metrics import catalogue

    random = np.random.default_rng(year)
    share = random.lognormal(0, 0.6, ORGANISATIONS)
    sizes = random.multinomial(STAFF, share / share.sum())
    organisation = pl.Series(np.repeat(np.arange(ORGANISATIONS), sizes)).cast(pl.String).str.zfill(3)
    columns = {"respondent": pl.Series(range(STAFF)).cast(pl.String), "organisation": "R" + organisation}
    for question in catalogue().edition(year).questions.values():
        shares = question.usual or {0: 0.8, 1: 0.2}
        edges = np.cumsum(list(shares.values()))
        for column in question.columns:
            place = np.searchsorted(edges / edges[-1], random.random(STAFF, dtype=np.float32))
            code = np.array(list(shares), np.int8)[np.minimum(place, len(shares) - 1)]
            silent = pl.Series(random.random(STAFF, dtype=np.float32) < 0.05)
            columns[column] = pl.Series(code).set(silent, None)
    pl.DataFrame(columns).write_parquet(FOLDER / f"national_{year}.parquet")


def make() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    make_trusts("trusts", PEOPLE, TRUSTS)
    make_trusts("trusts_twice", PEOPLE, 2 * TRUSTS)
    make_trusts("trusts_half", PEOPLE // 2, TRUSTS)
    for year in YEARS:
        make_national(year)


if __name__ == "__main__":
    make()
