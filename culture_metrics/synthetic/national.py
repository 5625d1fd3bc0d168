"""What all synthetic organisations have in common, fitted to the published percentages."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from culture_metrics.catalogue import catalogue
from culture_metrics.catalogue.load import read_marginals
from culture_metrics.synthetic import places
from culture_metrics.synthetic.blocks import BLOCKS, FACTORS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from culture_metrics.catalogue import Question

    Floats = NDArray[np.float64]

#: Axes of the cells: occupation group, ethnic background, long-term condition, directorate.
SHAPE = (8, 2, 2, len(places.DIRECTORATES))

#: Steps that find a cut at the most, and how near two of them lie when it is found.
STEPS, NEAR = 60, 1e-14
SQRT_TAU = float(np.sqrt(2 * np.pi))


def shares(cuts: Floats, mean: Floats, spread: float | Floats = 1.0) -> Floats:
    """Probability of each ordered answer, first axis, for a normal variable cut at `cuts`."""
    below = ndtr((cuts.reshape(-1, *(1,) * mean.ndim) - mean) / spread)
    edge = np.zeros((1, *mean.shape))
    found: Floats = np.diff(np.concatenate([edge, below, edge + 1]), axis=0)
    return found


def find_cuts(target: Floats, mean: Floats, spread: float, weight: Floats) -> Floats:
    """Find the cuts at which the weighted average of `shares` is `target`.

    By Newton's steps from the cuts of one normal variable; a step that leaves the bracket is halved into it.
    """
    goal = np.cumsum(target)[:-1] / target.sum()
    mean, weight = mean.ravel(), weight.ravel() / weight.sum()
    low, high = np.full_like(goal, -12), np.full_like(goal, 12)
    centre = weight @ mean
    cut: Floats = centre + np.sqrt(spread**2 + weight @ (mean - centre) ** 2) * ndtri(goal)
    cut = cut.clip(low, high)
    for _ in range(STEPS):
        z = (cut[:, None] - mean) / spread
        gap = ndtr(z) @ weight - goal
        low, high = np.where(gap < 0, cut, low), np.where(gap < 0, high, cut)
        slope = np.exp(-(z**2) / 2) @ weight / (spread * SQRT_TAU)
        step = cut - np.divide(gap, slope, out=np.full_like(gap, np.inf), where=slope > 0)
        found = np.where((low <= step) & (step <= high), step, (low + high) / 2)
        if np.abs(found - cut).max(initial=0.0) < NEAR:
            return found
        cut = found
    return cut


def block_shift(name: str) -> Floats:
    """Shift of a block by occupation group, ethnic background and condition."""
    block = BLOCKS[name]
    occupation = np.array(block.occupation, dtype=float)[:, None, None]
    shift: Floats = occupation + np.array([0, block.ethnicity])[:, None] + np.array([0, block.condition])
    return shift


def is_cultural(name: str) -> bool:
    """Whether a block moves with the organisation and the directorate as a whole."""
    return FACTORS.get(BLOCKS[name].factor or "", 0.0) > 0


@cache
def marginals() -> Mapping[tuple[str, str], Mapping[int, float]]:
    """Return published or assumed percentages by (question, scale) and option, from `marginals.csv`."""
    return MappingProxyType(read_marginals(files("data_schemas").joinpath("nss_england")))


def marginal(question: Question) -> Mapping[int, float]:
    """Return percentages of the answers to a question on the scale it has in this edition."""
    table = marginals()
    return table.get((question.id, question.scale.id)) or table[question.id, ""]


@dataclass(frozen=True)
class National:
    """What all organisations have in common, and the mix that the published percentages belong to."""

    groups: Floats
    ethnicity_cut: float
    condition_cut: float

    @cached_property
    def weight(self) -> Floats:
        """Share of each kind of organisation, occupation group, ethnic background and condition."""
        kinds = np.array([places.SEQUENCE.count(kind) for kind in places.KINDS]) / len(places.SEQUENCE)
        minority = self.minority(0.0, spread=np.sqrt(1 + BLOCKS["ethnicity"].spread ** 2))
        return kinds[:, None, None, None] * self.groups[:, :, None, None] * self.people(minority, 0.0)

    def minority(self, effect: float, spread: float = 1.0) -> Floats:
        """Share of white staff and of all other ethnic groups combined, by occupation group."""
        other = ndtr((block_shift("ethnicity")[:, 0, 0] + effect - self.ethnicity_cut) / spread)
        return np.stack([1 - other, other], axis=1)

    def people(self, minority: Floats, effect: float) -> Floats:
        """Share of ethnic background and condition by occupation group."""
        condition: Floats = ndtr(block_shift("condition")[:, :, 0] + effect - self.condition_cut)
        return minority[:, :, None] * np.stack([1 - condition, condition], axis=2)

    def mean(self, block: str) -> Floats:
        """Mean of a block in every kind of organisation, before what is peculiar to one."""
        kind = np.array([effect for _, effect, _ in places.KINDS.values()]) * is_cultural(block)
        return kind[:, None, None, None] + block_shift(block)

    @staticmethod
    def spread(block: str) -> float:
        """Return the standard deviation between organisations and directorates."""
        common = (places.ORGANISATION_SPREAD**2 + places.DIRECTORATE_SPREAD**2) * is_cultural(block)
        return float(np.sqrt(common + BLOCKS[block].spread ** 2))


@cache
def national() -> National:
    """Fit the mix of staff to the published percentages."""
    occupation, edition = marginals()["occupation", ""], catalogue().edition(2024)
    groups = edition.breakdown("occupation_group").groups.values()
    total = np.array([sum(occupation[code] for code in codes) for codes in groups])
    total /= total.sum()
    kinds = np.array([places.SEQUENCE.count(kind) for kind in places.KINDS]) / len(places.SEQUENCE)
    mix = total * np.array([tilt for *_, tilt in places.KINDS.values()])
    for _ in range(500):
        mix /= mix.sum(axis=1, keepdims=True)
        mix *= total / (kinds @ mix)
    mix /= mix.sum(axis=1, keepdims=True)

    white = sum(marginals()["ethnicity", ""][code] for code in range(1, 5))
    ethnicity, condition = BLOCKS["ethnicity"], marginals()["long_term_condition", ""]
    cut = find_cuts(
        np.array([white, 100 - white]),
        block_shift("ethnicity")[:, 0, 0],
        float(np.sqrt(1 + ethnicity.spread**2)),
        total,
    )[0]
    start = National(groups=mix, ethnicity_cut=float(cut), condition_cut=0.0)
    people = start.weight.sum(axis=(0, 3))
    condition_cut = find_cuts(
        np.array([condition[2], condition[1]]), block_shift("condition")[:, :, 0], 1.0, people
    )[0]
    return National(groups=mix, ethnicity_cut=float(cut), condition_cut=float(condition_cut))
