"""Write `official_year.csv`: a made-up national year of seven organisations of four kinds, fixed by a seed.

Run as `python tests/reference/make_official_year.py` from the root of the repository. One occupation in twenty is not
given, one organisation has so few of a group that the cap of 5 holds, and one is of a kind that is never weighted.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

MENTAL = "Mental Health & Learning Disability and Mental Health, Learning Disability & Community Trusts"
ACUTE, AMBULANCE, BOARD = "Acute and Acute & Community Trusts", "Ambulance Trusts", "ICBs"
KINDS = {
    "RA1": ACUTE,
    "RA2": ACUTE,
    "RB1": AMBULANCE,
    "RB2": AMBULANCE,
    "RM1": MENTAL,
    "RM2": MENTAL,
    "Q01": BOARD,
}
CODES = {
    "RA1": [26, 26, 28, 34, 34, 1, 10, 4, 11, 13, 38, 39, 41, 40, 24, 35],
    "RA2": [27, 30, 34, 2, 12, 14, 14, 14, 38, 38, 39, 40, 40, 42, 42, 19],
    "RB1": [18, 19, 19, 19, 20, 21, 21, 22, 22, 23, 38, 39, 41, 40, 26, 13],
    "RB2": [19, 19, 20, 20, 20, 22, 23, 23, 23, 23, 38, 39, 41, 42, 28, 1],
    "RM1": [27, 27, 34, 34, 5, 6, 10, 16, 35, 36, 38, 38, 39, 41, 40, 4],
    "RM2": [28] + [5] * 24 + [6] * 20 + [13] * 8 + [37] * 8 + [38] * 8 + [39] * 8 + [41] * 4 + [42] * 8,
    "Q01": [25, 38, 39, 41, 42],
}
PEOPLE = {"RA1": 120, "RA2": 90, "RB1": 80, "RB2": 60, "RM1": 100, "RM2": 89, "Q01": 40}

draw = random.Random(20250310)
with (Path(__file__).parent / "official_year.csv").open("w", newline="", encoding="utf-8") as file:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(["organisation", "benchmark_group", "q35", "q1", "q2a", "q2b", "q2c", "q25c"])
    for organisation, n in PEOPLE.items():
        for i in range(n):
            # Whatever is drawn, every code stands once before any stands twice.
            codes = CODES[organisation]
            code = codes[i] if i < len(codes) else draw.choice(codes[: 1 + len(codes) // 2])
            given = "" if draw.random() < 0.05 else code
            answers = [draw.choice(["", 1, 2, 3, 4, 4, 5]) for _ in range(4)]
            table.writerow([organisation, KINDS[organisation], given, draw.choice([1, 2, 3]), *answers])
