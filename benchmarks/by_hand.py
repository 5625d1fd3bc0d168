"""The nine headline scores written out by hand in polars, from the 2024 form: what an analyst would write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

NINE = {
    "compassionate_and_inclusive": ("culture", "leadership", "diversity", "inclusion"),
    "recognised_and_rewarded": ("recognised",),
    "voice_that_counts": ("autonomy", "concerns"),
    "safe_and_healthy": ("climate", "burnout", "negative"),
    "always_learning": ("development", "appraisals"),
    "work_flexibly": ("balance", "flexible"),
    "team": ("team_working", "line_management"),
    "staff_engagement": ("motivation", "involvement", "advocacy"),
    "morale": ("leaving", "pressure", "stressors"),
}
#: How many parts are needed where not all of them are.
PARTS_NEEDED = {"compassionate_and_inclusive": 3, "staff_engagement": 2, "morale": 2}


def up(codes: str) -> list[pl.Expr]:
    """1 to 5 where 5 is best, as 0 to 10."""
    return [pl.when(pl.col(c).is_between(1, 5)).then((pl.col(c) - 1) * 2.5) for c in codes.split()]


def down(codes: str) -> list[pl.Expr]:
    """1 to 5 where 1 is best, as 0 to 10."""
    return [pl.when(pl.col(c).is_between(1, 5)).then((5 - pl.col(c)) * 2.5) for c in codes.split()]


def no(codes: str) -> list[pl.Expr]:
    """Yes 1, no 2: a no scores 10."""
    return [pl.when(pl.col(c).is_in([1, 2])).then((pl.col(c) - 1) * 10.0) for c in codes.split()]


def never(codes: str) -> list[pl.Expr]:
    """How often, 1 never to 5: only never scores, 10."""
    return [pl.when(pl.col(c).is_between(1, 5)).then((pl.col(c) == 1) * 10.0) for c in codes.split()]


def reported(codes: str) -> list[pl.Expr]:
    """Who reported it: anybody scores 10, nobody 0."""
    return [pl.when(pl.col(c).is_in([1, 2, 3, 6])).then((pl.col(c) != 3) * 10.0) for c in codes.split()]


def mean(items: Sequence[pl.Expr], needed: int) -> pl.Expr:
    answered = pl.sum_horizontal(item.is_not_null() for item in items)
    return pl.when(answered >= needed).then(pl.mean_horizontal(items))


def nine_scores(answers: pl.LazyFrame) -> pl.LazyFrame:
    """Score each respondent: the seven elements and two themes, 0 to 10."""
    fair = pl.col("q15").replace_strict({1: 10.0, 2: 0.0, 9: 5.0}, default=None, return_dtype=pl.Float64)
    helped = [
        pl.when(pl.col(c).is_between(1, 3)).then((3 - pl.col(c)) * 5.0) for c in ("q23b", "q23c", "q23d")
    ]
    appraisal = pl.when(pl.col("q23a") == 2).then(0.0).when(pl.col("q23a") == 1).then(mean(helped, 2))
    parts = {
        "culture": mean(up("q6a q25a q25b q25c q25d"), 3),
        "leadership": mean(up("q9f q9g q9h q9i"), 3),
        "diversity": mean([fair, *no("q16a q16b"), *up("q21")], 3),
        "inclusion": mean(up("q7h q7i q8b q8c"), 3),
        "recognised": mean(up("q4a q4b q4c q8d q9e"), 3),
        "autonomy": mean(up("q3a q3b q3c q3d q3e q3f q5b"), 5),
        "concerns": mean(up("q20a q20b q25e q25f"), 3),
        "climate": mean([*up("q3g q3h q3i q11a"), *down("q5a"), *reported("q13d q14d")], 3),
        "burnout": mean(down("q12a q12b q12c q12d q12e q12f q12g"), 5),
        "negative": mean([*no("q11b q11c q11d"), *never("q13a q13b q13c q14a q14b q14c")], 6),
        "development": mean(up("q24a q24b q24c q24d q24e"), 3),
        "appraisals": appraisal,
        "balance": mean(up("q6b q6c q6d"), 2),
        "flexible": mean(up("q4d"), 1),
        "team_working": mean(up("q7a q7b q7c q7d q7e q7f q7g q8a"), 5),
        "line_management": mean(up("q9a q9b q9c q9d"), 3),
        "motivation": mean(up("q2a q2b q2c"), 2),
        "involvement": mean(up("q3c q3d q3f"), 2),
        "advocacy": mean(up("q25a q25c q25d"), 2),
        "leaving": mean(down("q26a q26b q26c"), 2),
        "pressure": mean(up("q3g q3h q3i"), 2),
        "stressors": mean([*up("q3a q3e q5b q7c q9a"), *down("q5a q5c")], 5),
    }
    nine = {name: mean([pl.col(p) for p in of], PARTS_NEEDED.get(name, len(of))) for name, of in NINE.items()}
    return answers.select("organisation", **parts).with_columns(**nine).select("organisation", *NINE)


def summary(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Mean, standard error and base of the nine scores of each organisation."""
    statistics = []
    for name in NINE:
        y = pl.col(name)
        statistics += [
            y.mean(),
            (y.std() / y.count().sqrt()).alias(f"{name}_std_error"),
            y.count().alias(f"{name}_base"),
        ]
    return scores.group_by("organisation").agg(statistics).sort("organisation")
