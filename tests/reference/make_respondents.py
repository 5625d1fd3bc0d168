"""Write `respondents.csv`, the small data set behind the R numbers: 240 made-up respondents, fixed by a seed.

Run as `python tests/reference/make_respondents.py` from the root of the repository.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

draw = random.Random(20240313)
with (Path(__file__).parent / "respondents.csv").open("w", newline="") as file:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["organisation", "q2a", "q2b", "q2c", "q25c", "q35", "benchmark_group"])
    for i in range(240):
        answers = [draw.choice(["", 1, 2, 3, 4, 4, 4, 5, 5]) for _ in range(4)]
        code = draw.choice([1, 2, 14, 27, 27, 27, 34, 38] if i < 150 else [1, 14, 14, 27, 38, 38, 42])
        table.writerow(["RXX" if i < 150 else "RYY", *answers, code, "Community Trusts"])
