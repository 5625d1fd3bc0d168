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

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from culture_metrics.disclosure.release import Flags, Floats, Numbers

#: Coefficients nearer to 0 than this are 0.
NOTHING = 1e-6
#: Sums and differences are weighed of so many of the lightest combinations of a draw.
PAIRED = 8
#: Products that all draws may take together, and how many draws are made at least.
WORK, FEWEST = 2e9, 6
#: Above so many products (groups squared × atoms) a draw goes by what is in each row and no more.
SPARSE = 2e7


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
        of_block, taken = self._of_blocks(np.argsort(scale, kind="stable"))
        size = self._turned[0].shape[1]
        if size * size * len(scale) > SPARSE:
            beside = self._rest[:-1] - self._rest[taken]
            return _told_by(of_block, beside, scale, *_largest_first(beside, scale, size))
        rest = self._on_axes[:-1] - self._on_axes[taken]
        if not size:
            return _solved(of_block, rest.T, np.arange(len(rest)), scale)
        from scipy.linalg.lapack import dgeqp3

        # The driver itself: what is put around it takes as long again for matrices so small.
        upper, order, *_ = dgeqp3((rest * scale[:, None]).T, lwork=32 * len(rest) + 1, overwrite_a=1)
        return _solved(of_block, upper, order.astype(np.int64) - 1, scale)

    def _of_blocks(self, order: Numbers) -> tuple[Numbers, Numbers]:
        """Take the last atom of each block, and say of every atom which its block's is; -1 for none."""
        of_block = np.zeros(self.blocks + 1, np.int64)
        of_block[self.block[order]] = order
        of_block = of_block[:-1]
        return of_block, np.append(of_block, -1)[self.block]

    @cached_property
    def _rest(self) -> csr_array:
        """Atoms × groups outside the blocks. A last atom is in no group."""
        from scipy.sparse import csr_array

        return csr_array(np.vstack([self.rest.T, np.zeros(len(self.rest))]))

    @cached_property
    def _turned(self) -> tuple[Floats, Draw]:
        """Axes for groups outside the blocks, and a first draw.

        There are as many axes as groups are independent of each other and of the blocks.
        """
        of_block, taken = self._of_blocks(np.arange(len(self.block)))
        beside, ones = self._rest[:-1] - self._rest[taken], np.ones(len(taken))
        largest, most = float(np.abs(beside.data).max(initial=0.0)), min(beside.shape)
        tolerance = 1e-8 * max(1.0, largest) * max(beside.shape)
        if most * most * len(taken) > SPARSE:
            others, axes = _largest_first(beside, ones, most, tolerance)
            return axes, _told_by(of_block, beside, ones, others, axes)
        if not largest:
            nothing = np.empty((0, len(taken)))
            return self.rest[:, :0], _solved(of_block, nothing, np.arange(len(taken)), ones)
        from scipy.linalg import qr

        axes, upper, order = qr(beside.toarray().T, mode="economic", pivoting=True, check_finite=False)
        size = int((np.abs(np.diagonal(upper)) > tolerance).sum())
        return axes[:, :size], _solved(of_block, upper[:size], order.astype(np.int64), ones)

    @cached_property
    def _on_axes(self) -> Floats:
        """Atoms on these axes. Between any two is what is between them in groups, so the same are drawn."""
        return np.asarray(self._rest @ self._turned[0])

    def combinations(self, scale: Floats) -> Floats:
        """Return the combinations that leave over one atom of a draw, and none other of it."""
        drawn = self.draw(scale)
        # A block that holds no other atom of the draw is left over as a whole.
        block = self.block[drawn.others]
        order = np.argsort(block, kind="stable")[(block < 0).sum() :]
        touched, first = np.unique(block[order], return_index=True)
        whole = (self.block == touched[:, None]).astype(float)
        if len(order):
            whole -= np.add.reduceat(drawn.left[order], first)
        return np.concatenate([drawn.left, whole])

    def follows(self, left: Floats) -> Flags:
        """Say of combinations whether they follow from what is shown."""
        drawn = self._turned[1]
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


def _largest_first(
    beside: csr_array, scale: Floats, most: int, tolerance: float = 0.0
) -> tuple[Numbers, Floats]:
    """Choose independent rows, each time the one of which most is new; return them, and axes that they span.

    These are the steps of a QR decomposition with pivoting (Businger and Golub 1965). A row holds two groups
    of each table at most, so that what is new of it is reckoned along each axis, and never written down.
    """
    rows = beside.copy()
    rows.data = rows.data * np.repeat(scale, np.diff(rows.indptr))
    new = np.asarray(rows.multiply(rows).sum(axis=1), float)
    chosen, axes = np.empty(most, np.int64), np.empty((beside.shape[1], most), order="F")
    for step in range(most):
        own = int(new.argmax())
        here = slice(rows.indptr[own], rows.indptr[own + 1])
        axis = np.zeros(beside.shape[1])
        axis[rows.indices[here]] = rows.data[here]
        known = axes[:, :step]
        # Once more for what rounding left.
        for _ in range(2):
            axis -= known @ (axis @ known)
        length = float(np.sqrt(axis @ axis))
        if length <= tolerance:
            return chosen[:step], axes[:, :step]
        chosen[step], axes[:, step] = own, axis / length
        new -= (rows @ axes[:, step]) ** 2
        new[own] = -np.inf
    return chosen, axes


def _told_by(of_block: Numbers, beside: csr_array, scale: Floats, others: Numbers, axes: Floats) -> Draw:
    """Say what leaves over one of the chosen atoms each."""
    from scipy.linalg import solve_triangular

    if not len(others):
        return Draw(of_block, others, np.empty((0, len(scale))))
    triangle = np.asarray(beside[others] @ axes)
    turned = solve_triangular(triangle, axes.T, trans="T", lower=True, check_finite=False).T
    left = np.asarray(beside @ turned)
    left[others] = np.eye(len(others))
    return Draw(of_block, others, left.T)


def _solved(of_block: Numbers, upper: Floats, order: Numbers, scale: Floats) -> Draw:
    """Say what leaves over one of the first atoms in an order each, from the triangle that they make."""
    size, atoms = upper.shape
    others, later = order[:size], order[size:]
    left = np.empty((atoms, size))
    left[others] = np.eye(size)
    if size:
        from scipy.linalg.lapack import dtrtrs

        solved, _ = dtrtrs(upper[:, :size], upper[:, size:])
        left[later] = solved.T * scale[others] / scale[later, None]
    return Draw(of_block, others, left.T)


def light(left: Floats, counts: Floats, minimum: int) -> Flags:
    """Say by combination and measure whether 1 to `minimum` - 1 people are left over."""
    return _few(left != 0, counts, minimum)


def _few(over: Flags, counts: Floats, minimum: int) -> Flags:
    weight = _people(over, counts)
    return np.asarray((weight > 0.5) & (weight < minimum - 0.5))


def one_sided(left: Floats, sides: Floats) -> Flags:
    """Say by combination and side whether none of those who are left over is on it, so that each is known.

    `sides` are atoms × what a percentage counts, and what it does not. Only a combination that takes nobody
    away tells that.
    """
    alike = np.asarray((left >= 0).all(axis=1) | (left <= 0).all(axis=1))
    return _on_one_side(left != 0, alike, sides)


def _on_one_side(over: Flags, alike: Flags, sides: Floats) -> Flags:
    found = np.zeros((len(over), sides.shape[1]), bool)
    found[alike] = _people(over[alike], sides) < 0.5
    return found


def _people(over: Flags, counts: Floats) -> NDArray[np.float32]:
    """Count who is left over, by combination and column: whole numbers, exact in half the bits."""
    return np.asarray(over.astype(np.float32) @ counts.astype(np.float32))


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
    # Of one group there is one combination, however it is drawn.
    draws = int(np.clip(WORK / (size * size * atoms + 1), FEWEST, draws)) if len(shown.groups) > 1 else 1
    for turn in range(draws):
        # Every other draw looks with the eyes of one measure: of some questions few are asked.
        people = largest if turn % 2 == 0 else counts[:, draw.integers(counts.shape[1])]
        # Atoms of many come first: with one of them left over, too many are.
        scale = np.exp(draw.uniform(-1.0, 1.0, atoms)) * np.minimum(people, 4.0 * minimum) + 1e-2
        each = _LeftOver.of(shown.combinations(scale))
        pairs = _LeftOver.of(_pairs(each, largest))
        found += [part.even(part.matters(counts, minimum, sides)) for part in (each, pairs)]
    return _distinct(np.concatenate(found))


class _LeftOver(NamedTuple):
    """Combinations that leave somebody over: whom, by how much at most, and whether they take nobody away."""

    left: Floats
    over: Flags
    top: Floats
    alike: Flags

    @classmethod
    def of(cls, left: Floats) -> _LeftOver:
        """Look at combinations; those that leave nobody over are left out."""
        least, most = left.min(axis=1, initial=0.0), left.max(axis=1, initial=0.0)
        top = np.maximum(most, -least)
        if not (some := top > NOTHING).all():
            left, least, most, top = left[some], least[some], most[some], top[some]
        nothing = NOTHING * top
        over = np.abs(left) > nothing[:, None]
        return cls(left, over, top, (least >= -nothing) | (most <= nothing))

    def even(self, which: Flags | Numbers) -> Floats:
        """Give some of them 1 as their largest coefficient."""
        return np.where(self.over[which], self.left[which] / self.top[which, None], 0.0)

    def matters(self, counts: Floats, minimum: int, sides: Floats) -> Flags:
        """Say which leave few over in some measure, or people who are all on one side."""
        few = _few(self.over, counts, minimum).any(axis=1)
        return np.asarray(few | _on_one_side(self.over, self.alike, sides).any(axis=1))


def _pairs(each: _LeftOver, people: Floats) -> Floats:
    """Return sums and differences of the lightest combinations, two by two."""
    some = each.even(np.argsort(each.over @ people, kind="stable")[:PAIRED])
    first, second = np.triu_indices(len(some), 1)
    return np.concatenate([some[first] - some[second], some[first] + some[second]])


def _distinct(left: Floats) -> Floats:
    """Keep each combination once, whatever its sign."""
    if not len(left):
        return left
    # Two that differ have different products with a vector drawn at random.
    product = np.abs(left @ np.random.default_rng(0).uniform(1.0, 2.0, left.shape[1]))
    _, which = np.unique(np.round(product, 6), return_index=True)
    return left[np.sort(which)]
