"""Levels of groups in several breakdowns at once: least squares on their dummies, for many draws at once.

The normal equations hold, for each group, its share of respondents, and for each two groups the share who are
in both. They never have full rank: the dummies of every breakdown sum to 1. Of all levels that fit equally
well the shortest are taken, as the pseudo-inverse does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]

#: Eigenvalues below this share of the largest are taken as nought, and shares of less than nobody.
RANK_TOLERANCE = 1e-9
#: A residual is nought when it has shrunk to this share, squared.
SOLVED = 1e-28


def shortest(
    shares: Floats, beside: Floats, pairs: Numbers, right: Floats, blocks: Sequence[slice]
) -> Floats:
    """Solve the normal equations of dummies, draw by draw; of all solutions the shortest.

    Parameters
    ----------
    shares, right : array
        Draws × groups: the share of respondents in each, and what the equations come to.
    beside : array
        Draws × pairs: the share who are in both groups of each of `pairs`.
    pairs : array
        Pairs × 2: two groups of different breakdowns, the one of the earlier breakdown first; in order.
    blocks : sequence of slice
        Where the groups of each breakdown stand.
    """
    if len(blocks) == 2:
        return _two_ways(shares, beside, pairs - [0, blocks[1].start], right, blocks[1].start)
    return _many_ways(shares, beside, pairs, right, blocks)


def untold(shares: Floats, beside: Floats, pairs: Numbers, blocks: Sequence[slice]) -> int:
    """Return how many combinations of groups with somebody in them cannot be told apart."""
    there = shares > 0
    if len(blocks) == 2:
        some = pairs[beside > 0]
        graph = sparse.csr_array((np.ones(len(some)), some.T), shape=(len(shares), len(shares)))
        return int(connected_components(graph, directed=False)[0] - (~there).sum())
    square = np.diag(shares)
    square[*pairs.T] = square[*pairs.T[::-1]] = beside
    values = np.linalg.eigvalsh(square[np.ix_(there, there)])
    return int((np.abs(values) <= RANK_TOLERANCE * np.abs(values).max(initial=0.0)).sum())


class _Crossed(NamedTuple):
    """Two breakdowns in all draws: the groups of each, draw after draw, and who is in both."""

    rows: Floats
    columns: Floats
    both: sparse.csr_array


def _two_ways(shares: Floats, beside: Floats, pairs: Numbers, right: Floats, first: int) -> Floats:
    """Solve for two breakdowns: conjugate gradients for the smaller, the other follows from it.

    Groups that hold people together are one piece of a graph. What is added to all groups of one breakdown in
    a piece and taken from those of the other changes nothing; nothing else does.
    """
    draws, groups = shares.shape
    shape = (draws * first, draws * (groups - first))
    ends = np.concatenate([[0], np.cumsum(np.bincount(pairs[:, 0], minlength=first))])
    ends = (np.arange(draws)[:, None] * len(pairs) + ends[None, 1:]).ravel()
    second = (np.arange(draws)[:, None] * (groups - first) + pairs[:, 1]).ravel()
    both = sparse.csr_array((beside.flatten(), second, np.append(0, ends)), shape=shape)
    both.eliminate_zeros()
    parts = [np.ascontiguousarray(a[:, s]).ravel() for a in (shares, right) for s in _cut(first)]
    found = _reduced(_Crossed(parts[0], parts[1], both), parts[2], parts[3], draws)
    return np.hstack([part.reshape(draws, -1) for part in found])


def _cut(first: int) -> tuple[slice, slice]:
    return slice(None, first), slice(first, None)


def _reduced(year: _Crossed, top: Floats, bottom: Floats, draws: int) -> tuple[Floats, Floats]:
    if len(year.rows) > len(year.columns):
        turned = _Crossed(year.columns, year.rows, year.both.T)
        other, own = _reduced(turned, bottom, top, draws)
        return own, other
    both, back = year.both, year.both.T
    own = np.divide(1.0, year.columns, out=np.zeros_like(year.columns), where=year.columns > 0)
    piece, loose = _pieces_of(year)
    right = top - both @ (own * bottom)
    held = np.bincount(piece[: len(top)], minlength=len(loose))
    mean = np.bincount(piece[: len(top)], right, len(loose)) / np.maximum(held, 1) * loose
    right = right - mean[piece[: len(top)]]
    squares = sparse.csr_array(both)
    squares = squares.multiply(squares) @ own
    level = _descended(
        lambda x: year.rows * x - both @ (own * (back @ x)), year.rows, year.rows - squares, right, draws
    )
    other = own * (bottom - back @ level)
    size = np.bincount(piece, minlength=len(loose))
    more = np.bincount(piece, np.concatenate([level, -other]), len(loose)) / size * loose
    return level - more[piece[: len(top)]], other + more[piece[len(top) :]]


def _pieces_of(year: _Crossed) -> tuple[Numbers, Flags]:
    """Tell the pieces of the graph by number, and which of them nobody outside ties down."""
    tall, wide = year.both.shape
    coo = sparse.coo_array(year.both)
    size = tall + wide
    graph = sparse.csr_array((np.ones(coo.nnz), (coo.row, coo.col + tall)), shape=(size, size))
    number, piece = connected_components(graph, directed=False)
    outside = [year.rows - year.both.sum(axis=1), year.columns - year.both.sum(axis=0)]
    return piece, np.bincount(piece, np.concatenate(outside), number) < RANK_TOLERANCE


def _descended(
    apply: Callable[[Floats], Floats], share: Floats, diagonal: Floats, right: Floats, draws: int
) -> Floats:
    """Solve by conjugate gradients, each equation weighed by its diagonal (Hestenes and Stiefel 1952)."""
    weight = np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=diagonal > RANK_TOLERANCE * share)
    size = len(right) // draws

    def times(one: Floats, other: Floats) -> Floats:
        return np.asarray(np.einsum("ij,ij->i", one.reshape(draws, size), other.reshape(draws, size)))

    level, rest, step = np.zeros_like(right), right.copy(), weight * right
    left = times(rest, step)
    enough = SOLVED * left
    for _ in range(4 * size + 40):
        if (left <= enough).all():
            break
        applied = apply(step)
        curve = times(step, applied)
        far = np.divide(left, curve, out=np.zeros_like(left), where=(left > enough) & (curve > 0))
        far = np.repeat(far, size)
        level += far * step
        rest -= far * applied
        turned = weight * rest
        now = times(rest, turned)
        step = turned + np.repeat(np.divide(now, left, out=np.zeros_like(left), where=left > 0), size) * step
        left = now
    return level


def _many_ways(
    shares: Floats, beside: Floats, pairs: Numbers, right: Floats, blocks: Sequence[slice]
) -> Floats:
    """Solve for three breakdowns and more: the largest follows from the others, which are solved in full."""
    most = max(blocks, key=lambda block: block.stop - block.start)
    others = np.delete(np.arange(blocks[-1].stop), most)
    place = np.full(blocks[-1].stop, -1)
    place[others] = np.arange(len(others))
    seen = place[pairs] >= 0
    inside = seen.all(axis=1)
    corner = np.zeros((len(shares), len(others), len(others)))
    one, two = place[pairs[inside]].T
    corner[:, one, two] = corner[:, two, one] = beside[:, inside]
    corner[:, np.arange(len(others)), np.arange(len(others))] = shares[:, others]
    both = np.zeros((len(shares), most.stop - most.start, len(others)))
    across, which = pairs[~inside], seen[~inside]
    both[:, across[~which] - most.start, place[across[which]]] = beside[:, ~inside]

    held = shares[:, most, None]
    own = np.divide(1.0, held, out=np.zeros_like(held), where=held > 0)
    back = np.swapaxes(both * own, 1, 2)
    values, vectors = np.linalg.eigh(corner - back @ both)
    free = np.abs(values) <= RANK_TOLERANCE * np.abs(values).max(axis=1, keepdims=True)
    inverse = np.divide(1.0, values, out=np.zeros_like(values), where=~free)[..., None]
    smaller = right[:, others, None] - back @ right[:, most, None]
    level = np.empty_like(right)[..., None]
    level[:, others] = vectors @ (inverse * (np.swapaxes(vectors, 1, 2) @ smaller))
    level[:, most] = own * (right[:, most, None] - both @ level[:, others])
    # What may be added for nothing is taken out.
    null = np.empty((*right.shape, len(others)))
    null[:, others] = vectors * free[:, None]
    null[:, most] = -own * (both @ null[:, others])
    turned = np.swapaxes(null, 1, 2)
    level -= null @ (np.linalg.pinv(turned @ null, hermitian=True) @ (turned @ level))
    return level[..., 0]
