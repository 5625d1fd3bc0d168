"""Differencing: which few people are left over when shown groups are added up and taken from each other.

People alike in everything that is shown form an *atom*. A shown group is a vector over atoms, 1 where it
holds them; whatever follows exactly from shown groups is a combination of such vectors. A combination that
leaves 1 to 10 people over tells what these answered. To look for combinations that leave few over is to look
for words of low weight in a linear code, and is done as there (information-set decoding: Prange 1962; Lee and
Brickell 1988): a set of atoms in which the groups are independent is drawn at random, and the combinations
that leave over one atom of it and none other are weighed. Those who are left over are few, so that most draws
hold one of them or none.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import qr
from scipy.linalg.lapack import dtrtrs

if TYPE_CHECKING:
    from culture_metrics.disclosure.release import Flags, Floats, Numbers

#: Coefficients nearer to 0 than this are 0.
NOTHING = 1e-6
#: Sums and differences are weighed of so many of the lightest combinations of a draw.
PAIRED = 8
#: Products that all draws may take together, and how many draws are made at least.
WORK, FEWEST = 2e9, 6


class Draw(NamedTuple):
    """Independent atoms: one of each block, and `others`, with what leaves over one of these each."""

    of_block: Numbers
    others: Numbers
    left: Floats


class Shown:
    """What is shown: groups × atoms, and all that follows from it.

    Parameters
    ----------
    groups : array
        Groups × atoms: 1 where a group holds the atom, or its weight there.
    block : array
        By group: whether it is one of a set of groups that have no atom in common. Combinations of those
        need no arithmetic: best is the largest such set.
    """

    def __init__(self, groups: Floats, block: Flags) -> None:
        self.groups = groups
        blocks = groups[block]
        self.in_block = blocks.any(axis=0)
        self.block = (
            np.where(self.in_block, blocks.argmax(axis=0), -1)
            if len(blocks)
            else np.full(groups.shape[1], -1)
        )
        self.blocks, self.rest = len(blocks), groups[~block]

    def draw(self, scale: Floats) -> Draw:
        """Draw independent atoms, those of large `scale` first."""
        order = np.argsort(scale, kind="stable")
        of_block = np.zeros(self.blocks + 1, np.int64)
        of_block[self.block[order]] = order
        of_block = of_block[:-1]
        first = np.append(of_block, 0)[self.block]
        rest = np.where(self.in_block, self.rest - self.rest[:, first], self.rest)
        none = np.empty((0, rest.shape[1]))
        size = self._independent if rest.size else 0
        if not size:
            return Draw(of_block, np.empty(0, np.int64), none)
        upper, order = qr(rest * scale, mode="r", pivoting=True, check_finite=False)
        left = np.empty((size, rest.shape[1]))
        # The driver itself: what is put around it takes ten times its time for so small a matrix.
        left[:, order], _ = dtrtrs(upper[:size, :size], upper[:size])
        others = order[:size].astype(np.int64)
        left *= scale[others][:, None] / scale
        return Draw(of_block, others, np.where(np.abs(left) > NOTHING, left, 0.0))

    @cached_property
    def _independent(self) -> int:
        """How many groups are independent of each other and of the blocks."""
        first = np.zeros(self.blocks + 1, np.int64)
        first[self.block] = np.arange(len(self.block))
        rest = np.where(self.in_block, self.rest - self.rest[:, first[self.block]], self.rest)
        return int(
            np.linalg.matrix_rank(rest, tol=1e-8 * max(1.0, np.abs(rest).max(initial=0.0)) * max(rest.shape))
        )

    def combinations(self, scale: Floats) -> Floats:
        """Return the combinations that leave over one atom of a draw, and none other of it."""
        drawn = self.draw(scale)
        # A block that holds no other atom of the draw is left over as a whole.
        block = self.block[drawn.others]
        touched = np.unique(block[block >= 0])
        inside = (self.block == touched[:, None]).astype(float)
        return np.concatenate([drawn.left, inside - inside[:, drawn.others] @ drawn.left])

    @cached_property
    def _drawn(self) -> Draw:
        return self.draw(np.ones(self.groups.shape[1]))

    def follows(self, left: Floats) -> Flags:
        """Say of combinations whether they follow from what is shown."""
        drawn = self._drawn
        of_block = np.append(drawn.of_block, 0)
        gap = left - np.where(self.in_block, left[:, of_block[self.block]], 0.0)
        gap = gap - gap[:, drawn.others] @ drawn.left
        return np.asarray(np.abs(gap).max(axis=1, initial=0.0) <= NOTHING)

    @cached_property
    def _gram(self) -> tuple[Floats, Floats]:
        """The products of groups with each other, turned round, and how much of each group no other holds."""
        values, vectors = np.linalg.eigh(self.groups @ self.groups.T)
        there = values > 1e-9 * values.max(initial=1.0)
        vectors = vectors[:, there]
        return vectors / values[there] @ vectors.T, (vectors**2).sum(axis=1)

    @property
    def needed(self) -> Flags:
        """Groups that are no combination of others."""
        return np.asarray(self._gram[1] > 1 - NOTHING)

    def made_of(self, left: Floats) -> Flags:
        """Say by combination and group whether it is made of the group (in the shortest way to write it)."""
        return np.asarray(np.abs(left @ self.groups.T @ self._gram[0]) > NOTHING)


def light(left: Floats, counts: Floats, minimum: int) -> Flags:
    """Say by combination and measure whether 1 to `minimum` - 1 people are left over."""
    weight = (left != 0).astype(float) @ counts
    return np.asarray((weight > 0.5) & (weight < minimum - 0.5))


def one_sided(left: Floats, sides: Floats) -> Flags:
    """Say by combination and side whether none of those who are left over is on it, so that each is known.

    `sides` are atoms × what a percentage counts, and what it does not. Only a combination that takes nobody
    away tells that.
    """
    alike = np.asarray((left >= 0).all(axis=1) | (left <= 0).all(axis=1))
    return np.asarray(alike[:, None] & ((left != 0).astype(float) @ sides < 0.5))


def light_combinations(
    shown: Shown, counts: Floats, minimum: int, draws: int, sides: Floats, seed: int = 0
) -> Floats:
    """Look for combinations that leave over 1 to `minimum` - 1 people in some measure, or people all alike.

    Parameters
    ----------
    shown : Shown
        What is shown.
    counts : array
        Atoms × measures: how many people answered.
    minimum : int
        So many may be left over.
    draws : int
        How often to draw; fewer where much is shown.
    sides : array
        Atoms × sides of percentages: how many people are on it.
    seed : int
        Of the draws.

    Returns
    -------
    array
        Combinations × atoms, each with 1 as its largest coefficient, none twice.
    """
    draw = np.random.default_rng(seed)
    largest, atoms = counts.max(axis=1, initial=0.0), shown.groups.shape[1]
    found: list[Floats] = [np.empty((0, atoms))]
    size = len(shown.rest) + PAIRED
    draws = int(np.clip(WORK / (size * size * atoms + 1), FEWEST, draws))
    for turn in range(draws):
        # Every other draw looks with the eyes of one measure: of some questions few are asked.
        people = largest if turn % 2 == 0 else counts[:, draw.integers(counts.shape[1])]
        # Atoms of many come first: with one of them left over, too many are.
        scale = np.exp(draw.uniform(-1.0, 1.0, atoms)) * np.minimum(people, 4.0 * minimum) + 1e-2
        each = _even(shown.combinations(scale))
        pairs = _pairs(each, largest)
        found += [part[_matters(part, counts, minimum, sides)] for part in (each, pairs)]
    return _distinct(np.concatenate(found))


def _even(left: Floats) -> Floats:
    """Give each combination 1 as its largest coefficient; leave out those that leave nobody over."""
    top = np.abs(left).max(axis=1, initial=0.0)
    left = left[top > NOTHING] / top[top > NOTHING, None]
    return np.where(np.abs(left) > NOTHING, left, 0.0)


def _pairs(left: Floats, people: Floats) -> Floats:
    """Return sums and differences of the lightest combinations, two by two."""
    some = left[np.argsort((left != 0) @ people, kind="stable")[:PAIRED]]
    first, second = np.triu_indices(len(some), 1)
    return _even(np.concatenate([some[first] - some[second], some[first] + some[second]]))


def _matters(left: Floats, counts: Floats, minimum: int, sides: Floats) -> Flags:
    return np.asarray(light(left, counts, minimum).any(axis=1) | one_sided(left, sides).any(axis=1))


def _distinct(left: Floats) -> Floats:
    """Keep each combination once, whatever its sign."""
    if not len(left):
        return left
    # Two that differ have different products with a vector drawn at random.
    product = np.abs(left @ np.random.default_rng(0).uniform(1.0, 2.0, left.shape[1]))
    _, which = np.unique(np.round(product, 6), return_index=True)
    return left[np.sort(which)]
