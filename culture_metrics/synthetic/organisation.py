"""One synthetic organisation: its mix of staff and what is peculiar to it, the same in every year."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.synthetic import places
from culture_metrics.synthetic.blocks import BLOCKS
from culture_metrics.synthetic.national import SHAPE, block_shift, is_cultural, national
from culture_metrics.synthetic.population import population

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.synthetic.national import Floats
    from culture_metrics.synthetic.population import Item

#: Planted: this percentage of every organisation rises by so many points between these periods.
CHANGED, CHANGED_BY, CHANGED_FROM, CHANGED_TO = "recommend_place_to_work", 4.0, "2023", "2024"
#: Planted: this score of every organisation never changes.
UNCHANGED = "work_pressure"
#: Marks the random numbers that make an organisation; those of respondents carry the period instead.
ORGANISATION_STREAM = 1


@dataclass(frozen=True)
class Organisation:
    """Number `index` (from 1) of the organisations that `seed` makes.

    `cells` is the share of each occupation group, ethnic background, condition and directorate.
    """

    index: int
    benchmark_group: str
    cells: Floats
    effects: Mapping[str, float]
    directorates: Floats

    @property
    def code(self) -> str:
        """Invented organisation code; no real one starts like this."""
        return f"SYN{self.index:02d}"

    @property
    def region(self) -> str:
        """Region, in turn."""
        return places.REGIONS[(self.index - 1) % len(places.REGIONS)]

    @property
    def ics(self) -> str:
        """Invented integrated care system, two to a region."""
        return f"{self.region} Synthetic ICS {(self.index - 1) // len(places.REGIONS) % 2 + 1}"

    def mean(self, item: Item, period: str) -> Floats:
        """Mean of the variable behind an answer in each cell."""
        mean = self._block_mean(item.block)
        if item.question.id == CHANGED and period < CHANGED_TO:
            return mean + self.shift_before_change
        return mean

    def _block_mean(self, block: str) -> Floats:
        place = self.directorates * is_cultural(block)
        return block_shift(block)[..., None] + self.effects[block] + place

    @cached_property
    def shift_before_change(self) -> float:
        """How much lower the planted question stood: exactly `CHANGED_BY` points in this organisation."""
        item = population("nss_england", "2024").items[CHANGED]
        mean = self._block_mean(item.block)

        def percent(shift: float) -> float:
            options = item.options(mean + shift)
            return 100 * float((self.cells * sum(options[c] for c in item.question.positive)).sum())

        goal, low, high = percent(0.0) - CHANGED_BY, -1.0, 0.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if percent(middle) < goal else (low, middle)
        return middle


@cache
def organisation(seed: int, index: int) -> Organisation:
    """Make one organisation: it does not depend on the year or on how many others there are."""
    rng = np.random.default_rng([seed, index, ORGANISATION_STREAM])
    kind = places.SEQUENCE[(index - 1) % len(places.SEQUENCE)]
    benchmark_group, kind_effect, _ = places.KINDS[kind]
    own = kind_effect + places.ORGANISATION_SPREAD * rng.standard_normal()
    groups = national().groups[list(places.KINDS).index(kind)] * np.exp(0.15 * rng.standard_normal(SHAPE[0]))
    groups = groups / groups.sum()
    directorates = places.DIRECTORATE_SPREAD * rng.standard_normal(SHAPE[3])
    effects = {
        name: own * is_cultural(name) + block.spread * float(noise)
        for (name, block), noise in zip(BLOCKS.items(), rng.standard_normal(len(BLOCKS)), strict=True)
    }
    people = national().people(national().minority(effects["ethnicity"]), effects["condition"])
    work = np.array(list(places.DIRECTORATES.values()), dtype=float).T
    work /= work.sum(axis=1, keepdims=True)
    return Organisation(
        index=index,
        benchmark_group=benchmark_group,
        cells=groups[:, None, None, None] * people[..., None] * work[:, None, None, :],
        effects=effects,
        directorates=directorates,
    )
