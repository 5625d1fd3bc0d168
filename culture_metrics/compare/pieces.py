"""The arithmetic of a change: mix and within pieces from group shares and levels, for many draws at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

#: Eigenvalues below this share of the largest are taken as nought: the dummies of a breakdown sum to 1.
RANK_TOLERANCE = 1e-9
#: Draws behind every interval.
DRAWS = 1000
#: Resampled counts held in memory at a time.
CHUNK = 4_000_000


@dataclass(frozen=True)
class Moments:
    """One year of respondents, seen through the dummies of its groups.

    `cross` is the mean of x x' and `value` the mean of x y, where x holds a dummy for every group of every
    breakdown and y is the measure. Axes before the last are draws.
    """

    cross: Floats
    value: Floats

    @property
    def shares(self) -> Floats:
        """Share of respondents in each group."""
        return np.diagonal(self.cross, axis1=-2, axis2=-1)


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
    """
    old, new = _levels(before, blocks), _levels(after, blocks)
    if len(blocks) == 1:
        # Who is nowhere in one year has no level of its own there: all of its part is mix.
        old, new = np.where(before.shares > 0, old, new), np.where(after.shares > 0, new, old)
    grown, changed = after.shares - before.shares, new - old
    level, cross = (old, before.cross) if interaction else ((old + new) / 2, (before.cross + after.cross) / 2)
    standard = np.diagonal(cross, axis1=-2, axis2=-1)
    mix = np.concatenate(
        [
            grown[..., b] * (level[..., b] - (standard[..., b] * level[..., b]).sum(-1, keepdims=True))
            for b in blocks
        ],
        axis=-1,
    )
    both = (after.cross - before.cross) if interaction else np.zeros_like(cross)
    first = blocks[0]
    return Pieces(
        mix=mix,
        within=(cross @ changed[..., None])[..., 0],
        interaction=(both @ changed[..., None])[..., 0],
        total=(after.value - before.value)[..., first].sum(-1),
    )


def _levels(year: Moments, blocks: Sequence[slice]) -> Floats:
    """Return the level of each group: its mean, or its coefficient beside the other breakdowns."""
    shares = year.shares
    if len(blocks) == 1:
        return np.divide(year.value, shares, out=np.zeros_like(year.value), where=shares > 0)
    inverse = np.linalg.pinv(year.cross, rcond=RANK_TOLERANCE, hermitian=True)
    level = (inverse @ year.value[..., None])[..., 0]
    # Least squares goes through the mean; hold it to that beyond rounding, or the sums would not.
    first = blocks[0]
    short = year.value[..., first].sum(-1) - (shares * level).sum(-1)
    level[..., first] += short[..., None]
    return level


def rank(year: Moments) -> int:
    """Return how many levels a year can tell apart."""
    tolerance = RANK_TOLERANCE * np.abs(year.cross).max()
    return int(np.linalg.matrix_rank(year.cross, tol=tolerance, hermitian=True))


def moments(means: Floats, blocks: Sequence[slice]) -> Moments:
    """Read moments from the means of `moment_rows`."""
    groups = blocks[-1].stop
    value = means[..., :groups]
    if len(blocks) == 1:
        return Moments(means[..., groups:, None] * np.eye(groups), value)
    return Moments(means[..., groups:].reshape(*means.shape[:-1], groups, groups), value)


def moment_rows(dummies: Floats, value: Floats, blocks: Sequence[slice]) -> Floats:
    """Return one row per kind of respondent whose mean over respondents gives the moments of a year."""
    if len(blocks) == 1:
        return np.hstack([dummies * value[:, None], dummies])
    cross = (dummies[:, :, None] * dummies[:, None, :]).reshape(len(dummies), -1)
    return np.hstack([dummies * value[:, None], cross])


def resample(rows: Floats, counts: NDArray[np.int64], draws: int, rng: np.random.Generator) -> Floats:
    """Return the mean of rows in each bootstrap draw of respondents; `counts` says how often a row stands."""
    people = int(counts.sum())
    size = max(1, CHUNK // len(counts))
    share = counts / people
    return np.concatenate(
        [
            rng.multinomial(people, share, min(size, draws - start)).astype(float) @ rows / people
            for start in range(0, draws, size)
        ]
    )


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


def bootstrap(rows: Floats, counts: NDArray[np.int64], seed: Sequence[int]) -> tuple[Floats, Floats]:
    """Return the means of rows over respondents, as they are and in each of 1,000 draws with replacement.

    For a change that is published the seed is a secret one (`secret_seed`): who knew how often each
    respondent was drawn could reckon back from intervals.
    """
    rng = np.random.default_rng([*seed, DRAWS])
    return counts @ rows / counts.sum(), resample(rows, counts, DRAWS, rng)
