"""What is true of the respondents, to hold an attack against, and which groups an outsider knows to exist."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import polars as pl

import culture_metrics as cm
from tests.redteam.extracts import PARTS

CROSS = " × "
COMPLETE = ", all questions answered"


class People:
    """Respondents of one organisation and period.

    Atoms are the combinations of groups that at least one respondent has: an outsider with the organisation
    chart knows them, but not how many respondents they hold.
    """

    def __init__(self, labels: pl.DataFrame, values: dict[str, np.ndarray]):
        names = labels.columns
        keyed = labels.with_row_index("row").group_by(names, maintain_order=True).agg("row")
        self.breakdowns = names
        self.groups = {n: keyed[n].to_list() for n in names}
        self.atom = np.empty(labels.height, dtype=int)
        for number, rows in enumerate(keyed["row"].to_list()):
            self.atom[rows] = number
        self.atoms = keyed.height
        self.values = values

    @cached_property
    def heads(self) -> np.ndarray:
        return np.bincount(self.atom, minlength=self.atoms)

    @cached_property
    def sizes(self) -> dict[str, np.ndarray]:
        return {m: np.bincount(self.atom[~np.isnan(v)], minlength=self.atoms) for m, v in self.values.items()}

    @cached_property
    def sums(self) -> dict[str, np.ndarray]:
        return {
            m: np.bincount(self.atom, weights=np.nan_to_num(v), minlength=self.atoms)
            for m, v in self.values.items()
        }

    def vector(self, breakdown: str, group: str) -> np.ndarray:
        """Which atoms lie in a group; groups of crossed breakdowns are joined by the sign between them."""
        inside = np.ones(self.atoms, dtype=bool)
        if breakdown == "all":
            return inside
        for name, value in zip(breakdown.split(CROSS), group.split(CROSS), strict=True):
            inside &= np.array([g == value for g in self.groups[name]], dtype=bool)
        return inside


def values_of(extract) -> dict[str, np.ndarray]:
    """Work out what each respondent has on each measure: 0 to 10 points, or 0 or 1 for a percentage."""
    frame, edition = extract.frame, extract.edition
    values: dict[str, np.ndarray] = {}
    for question in edition.questions.values():
        code = question.code
        easy = question.positive and not question.out_of_base and not question.asked_if
        if easy and question.kind == "single" and code in frame.columns:
            codes = frame[code].cast(pl.Float64).to_numpy()
            good = np.isin(codes, list(question.positive)).astype(float)
            values[question.id] = np.where(np.isnan(codes), np.nan, good)
    scores = cm.score(extract).select(pl.selectors.float())
    for name in scores.columns:
        if scores[name].count():
            values[name] = scores[name].to_numpy()
    # Agreement within groups rests on those who answered all questions of a score.
    for part, questions in PARTS.items():
        if set(questions) <= set(frame.columns):
            every = frame.select(pl.all_horizontal(pl.col(questions).is_not_null())).to_series().to_numpy()
            values[f"{part}{COMPLETE}"] = np.where(every, values[part], np.nan)
    return values
