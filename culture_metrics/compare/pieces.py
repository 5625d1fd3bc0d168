"""The arithmetic of a change: mix and within pieces from group shares and levels, for many draws at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse

from culture_metrics.compare.levels import shortest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.int64]
    #: One row per kind of respondent: dense, or sparse where most of it is nought.
    Rows: TypeAlias = Floats | sparse.csr_array

#: Draws behind every interval.
DRAWS = 1000
#: Draws held in memory at a time.
TOGETHER = 50
#: Of one breakdown.
NO_PAIRS = np.empty((0, 2), np.int64)


@dataclass(frozen=True)
class Moments:
    """One year of respondents, seen through the dummies of its groups.

    `shares` is the share of respondents in each group of every breakdown, `value` the mean of the dummy times
    the measure, `beside` the share who are in both groups of each of `pairs`. Axes before these are draws.
    """

    shares: Floats
    value: Floats
    beside: Floats
    pairs: Numbers


@dataclass(frozen=True)
class Pieces:
    """What each group adds to the change; within each breakdown `within` and `interaction` sum alike."""

    mix: Floats
    within: Floats
    interaction: Floats
    total: Floats


def pieces(before: Moments, after: Moments, blocks: Sequence[slice], interaction: bool = False) -> Pieces:
    """Split the change of a mean into the mix of groups and the change within them.

    Parameters
    ----------
    before, after : Moments
        The two years.
    blocks : sequence of slice
        Where the groups of each breakdown stand among the dummies.
    interaction : bool
        Take the earlier year as the standard and keep what changed together apart. Else both years count
        half and there is none.

    Returns
    -------
    Pieces
        `mix` and `within` have an axis of groups. The mix of all blocks and the within (and interaction) of
        any one block sum to `total`.

    Notes
    -----
    With one breakdown these are the components of Kitagawa (1955). With several, the levels are the
    coefficients of a least-squares fit on the dummies of all breakdowns without interactions, and the
    pieces the two-fold Oaxaca (1973) and Blinder (1973) decomposition at the mean of both years'
    coefficients (Reimers 1983). The mix of a group is measured against the mean level of its breakdown, so
    that it does not depend on a group left out of the fit (Yun 2005): a group that grew adds where its level
    is above.

    A group of one year only has no level in the other. It gets the one at which nothing changed within it,
    so that all of its part is mix.
    """
    old, new = _levels(before, blocks), _levels(after, blocks)
    come, gone = before.shares <= 0, after.shares <= 0
    never = [one.reshape(-1, one.shape[-1]).all(axis=0) for one in (come, gone)]
    alone = np.asarray(never[0] | never[1], bool)
    cross = replace(before, shares=before.shares + after.shares, beside=before.beside + after.beside)
    shift = _unmoved(cross, new - old, alone, blocks)
    old, new = np.where(come, new - shift, old), np.where(gone, old + shift, new)
    grown, changed = after.shares - before.shares, new - old
    level, standard = (old, before.shares) if interaction else ((old + new) / 2, cross.shares / 2)
    mix = np.concatenate(
        [
            grown[..., b] * (level[..., b] - (standard[..., b] * level[..., b]).sum(-1, keepdims=True))
            for b in blocks
        ],
        axis=-1,
    )
    there, later = (_crossed(year, changed) for year in (before, after))
    return Pieces(
        mix=mix,
        within=there if interaction else (there + later) / 2,
        interaction=later - there if interaction else np.zeros_like(mix),
        total=(after.value - before.value)[..., blocks[0]].sum(-1),
    )


def _by_group(values: Floats, group: Numbers, groups: int) -> Floats:
    """Add up what pairs come to, by group."""
    ones = np.ones(len(group))
    return np.asarray(
        values @ sparse.csr_array((ones, group, np.arange(len(group) + 1)), shape=(len(group), groups))
    )


def _crossed(year: Moments, level: Floats) -> Floats:
    """Return x x' times a level: what respondents of each group are given by all groups they are in."""
    given = year.shares * level
    if len(year.pairs):
        groups = level.shape[-1]
        for own, other in (year.pairs.T, year.pairs.T[::-1]):
            given += _by_group(year.beside * level[..., other], own, groups)
    return given


def _levels(year: Moments, blocks: Sequence[slice]) -> Floats:
    """Return the level of each group: its mean, or its coefficient beside the other breakdowns."""
    level = _shortest(year, year.value, blocks)
    # Least squares goes through the mean; hold it to that beyond rounding, or the sums would not.
    first = blocks[0]
    short = year.value[..., first].sum(-1) - (year.shares * level).sum(-1)
    level[..., first] += short[..., None]
    return level


def _shortest(year: Moments, right: Floats, blocks: Sequence[slice]) -> Floats:
    if not len(year.pairs):
        return np.divide(right, year.shares, out=np.zeros_like(right), where=year.shares > 0)
    shape = right.shape
    flat = [part.reshape(-1, part.shape[-1]) for part in (year.shares, year.beside, right)]
    return shortest(flat[0], flat[1], year.pairs, flat[2], blocks).reshape(shape)


def _unmoved(both: Moments, changed: Floats, alone: Flags, blocks: Sequence[slice]) -> Floats:
    """Return by how much groups of one year have to change for nothing to have changed within them.

    That is nought unless their people are in groups of other breakdowns, which changed.
    """
    found = np.zeros_like(changed)
    if alone.any() and len(blocks) > 1:
        given = _crossed(both, np.where(alone, 0.0, changed))
        number = np.cumsum(alone) - 1
        within = alone[both.pairs].all(axis=1)
        own = Moments(
            both.shares[..., alone], given[..., alone], both.beside[..., within], number[both.pairs[within]]
        )
        ends = np.cumsum([0, *(int(alone[b].sum()) for b in blocks)])
        found[..., alone] = -_shortest(own, own.value, [slice(a, b) for a, b in pairwise(ends)])
    return found


def moments(means: Floats, blocks: Sequence[slice], pairs: Numbers = NO_PAIRS) -> Moments:
    """Read moments from the means of `moment_rows`; `pairs` are those of its groups."""
    groups = blocks[-1].stop
    value, shares, beside = np.split(means, [groups, 2 * groups], axis=-1)
    return Moments(shares, value, beside, pairs)


def pairs_of(codes: Numbers) -> Numbers:
    """Return which two groups of different breakdowns somebody is in both of, in order."""
    each = [codes[:, two] for two in combinations(range(codes.shape[1]), 2)]
    return np.unique(np.concatenate([NO_PAIRS, *each]), axis=0)


def moment_rows(codes: Numbers, value: Floats, blocks: Sequence[slice]) -> sparse.csr_array:
    """Return one row per kind of respondent whose mean over respondents gives the moments of a year.

    Parameters
    ----------
    codes : array
        Kinds of respondents × breakdowns: which of all groups each is in.
    value : array
        The measure of each kind.
    blocks : sequence of slice
        Where the groups of each breakdown stand.
    """
    groups, pairs = blocks[-1].stop, pairs_of(codes)
    names = pairs @ [groups, 1]
    beside = [
        2 * groups + np.searchsorted(names, codes[:, two] @ [groups, 1])
        for two in combinations(range(codes.shape[1]), 2)
    ]
    columns = np.column_stack([codes, codes + groups, *beside])
    numbers = np.ones(columns.shape)
    numbers[:, : len(blocks)] = value[:, None]
    rows = np.repeat(np.arange(len(codes)), columns.shape[1])
    shape = (len(codes), 2 * groups + len(pairs))
    return sparse.csr_array((numbers.ravel(), (rows, columns.ravel())), shape=shape)


def resample(rows: Rows, counts: Numbers, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """Yield the mean of rows in bootstrap draws of respondents, some at a time.

    `counts` says how often a row stands.
    """
    people, kinds = int(counts.sum()), len(counts)
    # Person by person: quicker than a multinomial of thousands of kinds.
    kind_of = np.repeat(np.arange(kinds), counts)
    for start in range(0, draws, TOGETHER):
        drawn = np.stack(
            [
                np.bincount(kind_of[rng.integers(people, size=people, dtype=np.int32)], minlength=kinds)
                for _ in range(min(TOGETHER, draws - start))
            ]
        )
        yield drawn.astype(float) @ rows / people


@dataclass(frozen=True)
class Draws:
    """1,000 draws of respondents with replacement, some at a time: all together they take too much memory.

    For a change that is published the seed is a secret one (`secret_seed`): who knew how often each
    respondent was drawn could reckon back from intervals.
    """

    rows: Rows
    counts: Numbers
    seed: Sequence[int]

    def __iter__(self) -> Iterator[Floats]:
        """Draw; each time the same."""
        return resample(self.rows, self.counts, DRAWS, np.random.default_rng([*self.seed, DRAWS]))


def bootstrap(rows: Rows, counts: Numbers, seed: Sequence[int]) -> tuple[Floats, Draws]:
    """Return the means of rows over respondents, as they are and in each of 1,000 draws."""
    return counts @ rows / counts.sum(), Draws(rows, counts, seed)


def spread(
    statistic: Callable[[Floats, Floats], Floats],
    before: tuple[Floats, Iterable[Floats]],
    after: tuple[Floats, Iterable[Floats]],
) -> dict[str, Floats]:
    """Return `estimate, std_error, conf_low, conf_high` of a statistic of two years.

    `before` and `after` hold a year's means and the same in each draw, some draws at a time; the interval is
    the middle 95 % of the draws (Efron 1979).
    """
    drawn = np.concatenate([statistic(old, new) for old, new in zip(before[1], after[1], strict=True)])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return {
        "estimate": statistic(before[0], after[0]),
        "std_error": drawn.std(axis=0, ddof=1),
        "conf_low": low,
        "conf_high": high,
    }
