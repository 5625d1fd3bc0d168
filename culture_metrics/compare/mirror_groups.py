"""What each weighting group of an organisation adds to a figure, and how far a moved mix moves the figure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.indicators.answers import answers_of
from culture_metrics.indicators.official_weights import weighting_groups

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.official_mix import OfficialMix
    from culture_metrics.indicators.weights import Weights

    Numbers = NDArray[np.float64]

#: So far apart, as a share of the scale, may the means of groups be that share a weight.
APART = 0.3


@dataclass(frozen=True)
class GroupSums:
    """Sums of answers by weighting group: never shown.

    `names` are the measures; `total` and `answered` are groups × measures; `people` the respondents of each
    group, `weight` what one of them counts for, `capped` whether that is the cap. `benchmark_group`: that of
    the organisation. `shared`: how much of the scale figures may move as small groups share a weight; such
    groups have one mean here.
    """

    names: tuple[str, ...]
    total: Numbers
    answered: Numbers
    people: Numbers
    weight: Numbers
    capped: NDArray[np.bool_]
    benchmark_group: str | None
    shared: float = 0.0

    @property
    def unweighted(self) -> dict[str, float]:
        """The mean of each measure with everyone counted once."""
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = self.total.sum(axis=0) / self.answered.sum(axis=0)
        return dict(zip(self.names, mean.tolist(), strict=True))

    @property
    def gradient(self) -> Numbers:
        """How much each figure moves with the share of each group in the mix: groups × measures."""
        weight = self.weight[:, None]
        whole = (weight * self.answered).sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (weight * self.total).sum(axis=0) / whole
            share = (self.people / self.people.sum())[:, None]
            moves = (self.total - mean * self.answered) / (share * whole)
        still = ((self.people == 0) | self.capped)[:, None]
        return np.asarray(np.where(still, 0.0, moves), dtype=np.float64)


def by_weighting_group(extract: Extract, weights: Weights, mix: OfficialMix) -> GroupSums:
    """Sum the answers of one organisation by weighting group."""
    found, answers = weighting_groups(extract, weights), answers_of(extract)
    size, (organisation,) = found.counts.shape[1], found.organisations
    people, pooled = found.counts[0], found.pooled[0]
    there = people > 0
    weight, exact = (np.where(there, each[0], 0.0) for each in (found.weight, found.exact))
    spread = np.where(pooled, people / max((people * pooled).sum(), 1.0), 0.0)

    def sums(values: Numbers) -> Numbers:
        each = np.bincount(found.group, values, size).astype(np.float64)
        # Of groups that share a weight only the sum is known outside.
        return np.where(pooled, each[pooled].sum() * spread, each)

    total, answered = [], []
    for place in range(len(answers.names)):
        if place < answers.n_scores:
            values = answers.values[:, place]
            given = np.isfinite(values)
            value = np.where(given, values, 0.0)
        else:
            marks = answers.marks(place)
            given, value = marks.imag > 0, 100.0 * marks.real
        total.append(sums(np.where(given, value, 0.0)))
        answered.append(sums(given.astype(float)))
    cap = extract.edition.survey.weighting.cap  # type: ignore[union-attr]
    return GroupSums(
        names=tuple(answers.names),
        total=np.stack(total, axis=1),
        answered=np.stack(answered, axis=1),
        people=people,
        weight=weight,
        capped=weight >= cap,
        benchmark_group=mix.benchmark_groups.get(organisation),
        shared=_shared(np.abs(weight - exact), people, float((weight * people).sum())),
    )


def _shared(moved: Numbers, people: Numbers, whole: float) -> float:
    """Return how much of the scale a figure may move as small groups share a weight.

    Means of groups are taken to lie up to `APART` from each other, and those of few people two standard
    errors of a share of a half more; nothing of what anybody answered is in it.
    """
    apart = np.minimum(APART + 1 / np.sqrt(np.maximum(people, 1)), 1.0)
    return float((moved * people * apart).sum() / (2 * whole))


def movement_errors(sums: GroupSums, mix: OfficialMix, period: str) -> pl.DataFrame:
    """Return how far each figure may be off as the mix is another year's: `measure, movement, shared`.

    Nothing where the mix is of the year; null where it is not known how far it moves. Years add up as steps
    of a random walk do.
    """
    moved = mix.movements.get(sums.benchmark_group or "")
    if mix.period == period or moved is None:
        error = np.zeros(len(sums.names))
    else:
        years = max(int(period[:4]) - int(mix.period[:4]), 1)
        slope = np.nan_to_num(sums.gradient)
        variance = np.einsum("gm,gh,hm->m", slope, moved.covariance, slope) * years
        error = moved.factor * np.sqrt(np.maximum(variance, 0.0))
    return pl.DataFrame(
        {"measure": sums.names, "movement": pl.Series(error, dtype=pl.Float64, nan_to_null=True)}
    ).with_columns(shared=pl.lit(sums.shared))
