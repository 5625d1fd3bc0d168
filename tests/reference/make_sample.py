"""Write `sample.csv`, the made-up respondents behind `survey_design.csv`: strata, clusters, weights, gaps.

Run as `python tests/reference/make_sample.py` from the root of the repository.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

COLUMNS = [
    "organisation",
    "grade",
    "ward",
    "locality_1",
    "weight",
    "q2a",
    "q2b",
    "q2c",
    "q25c",
    "q27a",
    "q31a",
]
draw = random.Random(4)


def answer(mood: float) -> int | str:
    return "" if draw.random() < 0.08 else min(5, max(1, round(3.3 + mood + draw.gauss(0, 1.1))))


with (Path(__file__).parent / "sample.csv").open("w", newline="") as file:
    table = csv.writer(file, lineterminator="\n")
    table.writerow(COLUMNS)
    for organisation, wards, level in (("RXX", 9, 0.2), ("RYY", 7, -0.1), ("RZZ", 6, 0.0)):
        for ward in range(wards):
            grade = "senior" if ward % 3 == 0 else "junior"
            mood = level + draw.gauss(0, 0.5)
            for _ in range(draw.randint(14, 32)):
                gender = draw.choice([1, 1, 1, 2, ""])
                condition = draw.choice([1, 2, 2, 2, ""])
                own = mood + (0.5 if gender == 2 else 0.0) - (0.6 if condition == 1 else 0.0)
                locality = draw.choice(["North", "South", "South", "West", ""])
                weight = round(draw.lognormvariate(0, 0.5), 4)
                answers = [answer(own) for _ in range(4)]
                row = [organisation, grade, f"ward {ward}", locality, weight, *answers, gender, condition]
                table.writerow(row)
