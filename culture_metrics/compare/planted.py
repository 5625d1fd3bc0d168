"""A change of known size in one figure: which figures are moved, by how much, and the answers that do it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import ALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.compare.redrawn import People
    from culture_metrics.indicators.answers import Answers

CELL = ["breakdown", "group", "measure"]


@dataclass(frozen=True)
class Planted:
    """A figure that moves by `size`, and what its people answer then."""

    breakdown: str
    group: str
    measure: str
    label: str
    size: float
    answers: Answers

    def rows(self) -> pl.Expr:
        """Expression: the rows of this figure."""
        same = (pl.col(name) == getattr(self, name) for name in CELL)
        return pl.all_horizontal(*same)


def planted(people: People, tested: pl.DataFrame) -> list[Planted]:
    """Choose what moves, by the mean of what is printed as detectable.

    Of the whole organisation the first leading score, the first other score and the first percentage; of each
    breakdown the first leading score of the group of middle size.
    """
    size = pl.col("base_to").mean().alias("people")
    low, high = people.extract.edition.survey.score_range
    middle = pl.when(pl.col("unit") == "percent").then(50.0).otherwise((low + high) / 2)
    # Towards the middle, so that it stays on the scale; of a score it may need more room than there is.
    change = pl.when(pl.col("estimate_from") < middle).then(1).otherwise(-1) * pl.col("detectable_change")
    moved = pl.col("estimate_from") + pl.col("change")
    printed = (
        tested.filter(pl.col("detectable_change").is_not_null())
        .group_by(*CELL, "unit", "tier", "order", "label")
        .agg(pl.col("detectable_change", "estimate_from").mean(), size)
        .with_columns(change=change)
        .filter((pl.col("unit") == "percent") | moved.is_between(low, high))
        .sort("tier", "order", "people", "group")
    )
    whole = printed.filter(pl.col("breakdown") == ALL).unique("tier", keep="first", maintain_order=True)
    chosen = whole.to_dicts()
    for breakdown in people.by:
        rows = printed.filter(breakdown=breakdown)
        rows = rows.filter(pl.col("measure") == rows["measure"].first())
        chosen += rows[rows.height // 2 : rows.height // 2 + 1].to_dicts()
    return [_plant(people, **{k: row[k] for k in (*CELL, "label", "change")}) for row in chosen]


def _plant(
    people: People,
    breakdown: str,
    group: str,
    measure: str,
    label: str,
    change: float,
) -> Planted:
    answers = people.answers
    place = answers.names.index(measure)
    # Which groups may be named is not decided here.
    own = "" if breakdown == ALL else f", a group ({people.called(breakdown)})"
    said = f"{label}{own}"
    shares = answers.marked[
        np.array([place - answers.n_scores] if place >= answers.n_scores else [], dtype=np.int64)
    ]
    if place < answers.n_scores:
        values = answers.values[:, [place]] + change
        moved = replace(
            answers, names=[measure], values=values, marked=shares, never_weighted=np.zeros(0, bool)
        )
        return Planted(breakdown, group, measure, said, change, moved)
    codes, size = _turned(people, place, change)
    marked = replace(shares, codes=codes, column=np.zeros(1, np.int64))
    never = answers.never_weighted[[place - answers.n_scores]]
    moved = replace(
        answers, names=[measure], values=answers.values[:, :0], marked=marked, never_weighted=never
    )
    return Planted(breakdown, group, measure, said, size, moved)


def _turned(people: People, place: int, size: float) -> tuple[NDArray[np.int8], float]:
    """Turn answers of a percentage so that it moves by about `size`; returns them, and how far it moved."""
    answers = people.answers
    marks, share = answers.marks(place), place - answers.n_scores
    codes = answers.marked.codes[:, [int(answers.marked.column[share])]].copy()
    weight = people.weighted.values
    weight = np.ones(len(marks)) if weight is None or answers.never_weighted[share] else weight
    there, counted = marks.imag > 0, marks.real > 0
    turn = np.flatnonzero(there & (counted != (size > 0)))
    turn = np.random.default_rng(len(marks)).permutation(turn)
    # As far on the logit scale in every cluster: were as many of a hundred turned everywhere, the clusters
    # would come out more alike than before, and the change easier to find than clusters like these allow.
    unit = np.zeros(len(marks), np.int64) if people.design.cluster is None else people.units.of
    many, all_of = np.bincount(unit[turn], minlength=unit.max() + 1), np.bincount(unit, there)
    turn = turn[np.argsort(unit[turn], kind="stable")]
    own = unit[turn]
    left = many[own] - np.arange(1, len(turn) + 1) + (np.cumsum(many) - many)[own]
    logit = [np.log((k + 0.5) / (all_of[own] - k + 0.5)) for k in (many[own], left)]
    turn = turn[np.argsort(logit[0] - logit[1], kind="stable")]
    reached = 100 * np.cumsum(weight[turn]) / weight[there].sum()
    turn = turn[reached <= abs(size)]
    other = answers.marked.marks[share]
    become = np.flatnonzero((other.imag > 0) & ((other.real > 0) == (size > 0)))[0]
    codes[turn] = become.astype(np.uint8).view(np.int8)
    return codes, float(np.sign(size) * reached[len(turn) - 1])
