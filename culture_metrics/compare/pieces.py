"""The arithmetic of a change: mix and within pieces from group shares and levels, for many draws at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    #: One row per kind of respondent: dense, or sparse where most of it is nought.
    Rows: TypeAlias = Floats | sparse.csr_array

#: Eigenvalues below this share of the largest are taken as nought: the dummies of a breakdown sum to 1.
RANK_TOLERANCE = 1e-9
#: Draws behind every interval.
DRAWS = 1000
#: Resampled counts held in memory at a time.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Moments:
    """One year of respondents, seen through the dummies of its groups.

    `shares` is the share of respondents in each group of every breakdown, `value` the mean of the dummy times
    the measure. `beside` has a row for every group and a column for every group of all breakdowns but the
    largest: the share of respondents who are in both. Groups of one breakdown never overlap, so the largest
    needs no square of its own, and one breakdown nothing at all. `null` is what the year cannot tell apart.
    Axes before these are draws.
    """

    shares: Floats
    value: Floats
    beside: Floats
    null: Floats


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
    there, later = (_crossed(year, changed, blocks) for year in (before, after))
    return Pieces(
        mix=mix,
        within=there if interaction else (there + later) / 2,
        interaction=later - there if interaction else np.zeros_like(mix),
        total=(after.value - before.value)[..., blocks[0]].sum(-1),
    )


def largest(blocks: Sequence[slice]) -> tuple[slice, NDArray[np.int64]]:
    """Return where the breakdown of most groups stands, and the groups of all others."""
    most = max(blocks, key=lambda block: block.stop - block.start)
    groups = np.arange(blocks[-1].stop)
    return most, np.delete(groups, most)


def _crossed(year: Moments, level: Floats, blocks: Sequence[slice]) -> Floats:
    """Return x x' times a level: what respondents of each group are given by all groups they are in."""
    most, others = largest(blocks)
    given = (year.beside @ level[..., others, None])[..., 0]
    given[..., most] += year.shares[..., most] * level[..., most]
    back = np.swapaxes(year.beside[..., most, :], -1, -2) @ level[..., most, None]
    given[..., others] += back[..., 0]
    return given


def _levels(year: Moments, blocks: Sequence[slice]) -> Floats:
    """Return the level of each group: its mean, or its coefficient beside the other breakdowns."""
    most, others = largest(blocks)
    shares, value, first = year.shares, year.value, blocks[0]
    own = np.divide(1.0, shares[..., most], out=np.zeros_like(shares[..., most]), where=shares[..., most] > 0)
    if not len(others):
        return value * own
    # The largest breakdown is taken out of the normal equations: its groups do not overlap.
    both, level = year.beside[..., most, :], np.zeros_like(value)
    scaled = np.swapaxes(both * own[..., None], -1, -2)
    left = year.beside[..., others, :] - scaled @ both
    right = value[..., others, None] - scaled @ value[..., most, None]
    level[..., others] = (np.linalg.pinv(left, rcond=RANK_TOLERANCE, hermitian=True) @ right)[..., 0]
    level[..., most] = own * (value[..., most] - (both @ level[..., others, None])[..., 0])
    # Who cannot be told apart shares alike: the shortest of all levels that fit.
    level = level - (level @ year.null) @ year.null.T
    # Least squares goes through the mean; hold it to that beyond rounding, or the sums would not.
    short = value[..., first].sum(-1) - (shares * level).sum(-1)
    level[..., first] += short[..., None]
    return level


def _unmoved(both: Moments, changed: Floats, alone: Flags, blocks: Sequence[slice]) -> Floats:
    """Return by how much groups of one year have to change for nothing to have changed within them.

    That is nought unless their people are in groups of other breakdowns, which changed.
    """
    found = np.zeros_like(changed)
    among = np.flatnonzero(alone)
    if len(among) and len(blocks) > 1:
        given = _crossed(both, np.where(alone, 0.0, changed), blocks)[..., among, None]
        inverse = np.linalg.pinv(square(both, among, blocks), rcond=RANK_TOLERANCE, hermitian=True)
        found[..., among] = -(inverse @ given)[..., 0]
    return found


def square(year: Moments, among: NDArray[np.int64], blocks: Sequence[slice]) -> Floats:
    """Return x x' of some groups."""
    _, others = largest(blocks)
    place = np.full(blocks[-1].stop, -1)
    place[others] = np.arange(len(others))
    there, own = np.flatnonzero(place[among] >= 0), np.flatnonzero(place[among] < 0)
    found = np.zeros((*year.shares.shape[:-1], len(among), len(among)))
    found[..., there] = year.beside[..., among, :][..., place[among[there]]]
    found[..., there[:, None], own] = np.swapaxes(found[..., own[:, None], there], -1, -2)
    found[..., own, own] = year.shares[..., among[own]]
    return found


def untold(year: Moments, blocks: Sequence[slice]) -> Floats:
    """Return what a year cannot tell apart: levels that give everybody nought, one a column."""
    if len(blocks) == 1:
        return np.empty((blocks[0].stop, 0))
    values, vectors = np.linalg.eigh(square(year, np.arange(blocks[-1].stop), blocks))
    return vectors[:, np.abs(values) <= RANK_TOLERANCE * np.abs(values).max()]


def moments(means: Floats, blocks: Sequence[slice], null: Floats | None = None) -> Moments:
    """Read moments from the means of `moment_rows`; `null` is what `untold` found in the year itself."""
    groups, others = blocks[-1].stop, len(largest(blocks)[1])
    value, shares, beside = np.split(means, [groups, 2 * groups], axis=-1)
    null = np.empty((groups, 0)) if null is None else null
    return Moments(shares, value, beside.reshape(*means.shape[:-1], groups, others), null)


def moment_rows(codes: NDArray[np.int64], value: Floats, blocks: Sequence[slice]) -> sparse.csr_array:
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
    groups, (most, others) = blocks[-1].stop, largest(blocks)
    place = np.zeros(groups, np.int64)
    place[others] = np.arange(len(others))
    beside = [codes[:, j] for j, block in enumerate(blocks) if block != most]
    pairs = [2 * groups + own * len(others) + place[other] for own in codes.T for other in beside]
    columns = np.column_stack([codes, codes + groups, *pairs])
    numbers = np.ones(columns.shape)
    numbers[:, : len(blocks)] = value[:, None]
    rows = np.repeat(np.arange(len(codes)), columns.shape[1])
    width = groups * (2 + len(others))
    return sparse.csr_array((numbers.ravel(), (rows, columns.ravel())), shape=(len(codes), width))


def resample(rows: Rows, counts: NDArray[np.int64], draws: int, rng: np.random.Generator) -> Floats:
    """Return the mean of rows in each bootstrap draw of respondents; `counts` says how often a row stands."""
    people, kinds = int(counts.sum()), len(counts)
    # Person by person: quicker than a multinomial of thousands of kinds.
    kind_of = np.repeat(np.arange(kinds), counts)
    size = max(1, CHUNK // kinds)
    means = []
    for start in range(0, draws, size):
        drawn = np.stack(
            [
                np.bincount(kind_of[rng.integers(people, size=people, dtype=np.int32)], minlength=kinds)
                for _ in range(min(size, draws - start))
            ]
        )
        means.append(drawn.astype(float) @ rows / people)
    return np.concatenate(means)


def spread(
    statistic: Callable[[Floats, Floats], Floats], before: tuple[Floats, Floats], after: tuple[Floats, Floats]
) -> dict[str, Floats]:
    """Return `estimate, std_error, conf_low, conf_high` of a statistic of two years.

    `before` and `after` hold a year's means and the same in each draw; the interval is the middle 95 % of the
    draws (Efron 1979).
    """
    drawn = statistic(before[1], after[1])
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return {
        "estimate": statistic(before[0], after[0]),
        "std_error": drawn.std(axis=0, ddof=1),
        "conf_low": low,
        "conf_high": high,
    }


def bootstrap(rows: Rows, counts: NDArray[np.int64], seed: Sequence[int]) -> tuple[Floats, Floats]:
    """Return the means of rows over respondents, as they are and in each of 1,000 draws with replacement.

    For a change that is published the seed is a secret one (`secret_seed`): who knew how often each
    respondent was drawn could reckon back from intervals.
    """
    rng = np.random.default_rng([*seed, DRAWS])
    return counts @ rows / counts.sum(), resample(rows, counts, DRAWS, rng)
