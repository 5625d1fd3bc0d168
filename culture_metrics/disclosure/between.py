"""Two releases of which each is about some more respondents: what follows about those."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.disclosure.release import ABSENT, NOT_LISTED, OPEN, SECONDARY, SHOWN, SMALL
from culture_metrics.disclosure.rows import releases
from culture_metrics.disclosure.structure import CELL, Structure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from scipy.sparse import csr_array

    from culture_metrics.disclosure.release import Flags, Floats, Numbers, Release
    from culture_metrics.disclosure.rule import Rule

FIRST, SECOND = "first ", "second "


@dataclass(frozen=True)
class _Signed(Structure):
    """Sums that may also be of differences: `signs` are by equation and cell."""

    signs: csr_array

    @property
    def matrix(self) -> csr_array:
        return self.signs


def releases_of_two(
    first: pl.DataFrame,
    second: pl.DataFrame,
    rule: Rule,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    *,
    rounded: bool,
) -> Iterator[Release]:
    """Set two releases of the same groups side by side, with the respondents who are in only one of them.

    Every cell stands four times, one set after the other: in the first release, in the second, and those who
    are only in the first, and only in the second. Last come people whom no group of a sum lists. Cells in one
    release only are not tied.

    Notes
    -----
    The attacker takes it that a group has lost or gained people, not both, since a difference of two bases
    says no more: where it is shown, nobody is taken to have moved who need not. A sum of hidden groups has
    lost or gained what the total and the shown groups leave; all its groups went that way, unless another
    sum says otherwise: then nothing is taken for granted of them. Where nothing is known at all, they went
    the way of the measure as a whole, or any way, when that went both. A sum to whose hidden groups too few
    people are left is found as it stands, whichever way each of them went; what follows from several sums
    together is found where it is known which way their groups went.
    """
    named = [
        table.with_columns(
            *(pl.col(c).cast(pl.String) for c in CELL),
            measure=pl.concat_str(pl.lit(name), pl.col("measure").cast(pl.String)),
        )
        for name, table in ((FIRST, first), (SECOND, second))
    ]
    for release, _ in releases(pl.concat(named, how="diagonal_relaxed"), rule, parents, national):
        yield _tied(release, rule, rounded=rounded)


def untied(release: Release, measures: Collection[int]) -> Release:
    """Take nothing for granted of hidden groups between two releases, and leave out all other measures."""
    cells = (release.between or 0) // 2
    hidden = (release.state[: 2 * cells] > SHOWN).reshape(2, cells, -1).any(axis=0)
    state = release.state.copy()
    for block in (2, 3):
        rows = slice(block * cells, (block + 1) * cells)
        state[rows] = np.where(hidden & (state[rows] != ABSENT), OPEN, state[rows])
    kept = np.isin(np.arange(len(release.measures)), [*measures])
    return replace(
        release, state=np.where(kept, state, ABSENT).astype(np.int8), too_small=release.too_small & kept
    )


def _tied(release: Release, rule: Rule, *, rounded: bool) -> Release:
    names = release.measures.str.replace(f"^({FIRST}|{SECOND})", "").unique().sort()
    column = {name: place for place, name in enumerate(release.measures)}
    cells = len(release.state)
    state = np.full((2, cells, len(names)), ABSENT, np.int8)
    base, small = np.zeros(state.shape), np.zeros(state.shape, bool)
    for copy, prefix in enumerate((FIRST, SECOND)):
        for place, name in enumerate(names):
            if (found := column.get(prefix + name)) is not None:
                state[copy, :, place] = release.state[:, found]
                base[copy, :, place] = release.base[:, found]
                small[copy, :, place] = release.too_small[:, found]
    tied, shown = (state != ABSENT).all(axis=0), (state == SHOWN).all(axis=0)
    gap = np.where(shown, base[0] - base[1], 0.0)
    lost, gained = _ways(release.structure, tied, shown, gap, rounded=rounded)
    # What the status says: small in one release, large in the other.
    least = np.where(state == SHOWN, base, np.where(state == SECONDARY, rule.minimum_base, 0.0))
    most = np.where(state == SHOWN, base, np.where(state == SMALL, rule.minimum_base - 1.0, np.inf))
    fell, rose = (tied & ~shown & (least[k] > most[1 - k]) for k in (0, 1))
    lost, gained = (lost | fell) & ~rose, (gained | rose) & ~fell
    known = shown & (not rounded)
    only = np.stack([np.where(known, np.maximum(gap * sign, 0.0), 0.0) for sign in (1, -1)])
    moved = np.stack(
        [np.where(tied, np.where(known | ~may, SHOWN, OPEN), ABSENT) for may in (lost, gained)]
    ).astype(np.int8)
    few, of = np.zeros(tied.shape, bool), np.zeros(0, np.int64)
    rest = np.zeros((0, len(names)))
    if not rounded:
        # A group in one release only: nobody is in it in the other, or it is not told there.
        alone = ((state == SHOWN).any(axis=0)) & ~tied
        gaps = [gap, np.where(alone, base[0] - base[1], gap)]
        few, of, rest = _few(release.structure, tied, shown, gaps, rule)
    links = np.flatnonzero((tied & ~known).any(axis=1))
    return replace(
        release,
        cells=pl.concat([*[release.cells] * 4, _in_no_group(release, of)]),
        measures=names,
        structure=_signed(release.structure, links, len(of)),
        base=np.concatenate([*base, *only, rest]),
        counted=None,
        state=np.concatenate([*state, *moved, np.where(rest > 0, SHOWN, ABSENT).astype(np.int8)]),
        too_small=np.concatenate([*small, few, np.zeros(few.shape, bool), rest > 0]),
        family=np.arange(len(names)),
        between=2 * cells,
    )


def _ways(
    structure: Structure, tied: Flags, shown: Flags, gap: Floats, *, rounded: bool
) -> tuple[Flags, Flags]:
    """Say which groups may have lost people from the first release to the second, and which gained some."""
    total = structure.total
    left, hidden = _left(structure, tied, shown, gap)
    ways = []
    for sign in (1, -1):
        # Rounded figures say nothing of the hidden ones.
        goes = (left * sign > 0) & (not rounded)
        found = _any_part(structure, goes & shown[total])
        alone = (left * sign < 0) & (not rounded) & ~shown[total] & (hidden == 1)
        np.logical_or.at(found, total, alone)
        ways.append(np.where(shown, gap * sign > 0, found))
    lost, gained = ways
    # Of the rest nothing is known but that nothing is left to them, or how the measure went, or all measures.
    in_known = _any_part(structure, shown[total])
    net, mixed = gap.sum(axis=0), (gap > 0).any(axis=0) & (gap < 0).any(axis=0)
    down, silent = np.where(net != 0, net, gap.sum()) >= 0, ~lost & ~gained
    either = mixed & ~in_known
    return lost | (silent & (either | down)), gained | (silent & (either | ~down))


def _any_part(structure: Structure, sums: Flags) -> Flags:
    """Say which cells are a part of any such sum, by measure."""
    return np.asarray(structure.matrix.maximum(0).T @ sums.astype(float) > 0)


def _left(structure: Structure, tied: Flags, shown: Flags, gap: Floats) -> tuple[Floats, Numbers]:
    """Work out how many people the hidden groups of a sum lost (a hidden total: gained), and count these."""
    matrix = structure.matrix
    hidden = np.asarray(abs(matrix) @ (tied & ~shown).astype(float)).astype(np.int64)
    return np.round(-np.asarray(matrix @ gap), 6), hidden


def _few(
    structure: Structure, tied: Flags, shown: Flags, gaps: list[Floats], rule: Rule
) -> tuple[Flags, Numbers, Floats]:
    """Find the too few people in only one release, by group, and in sums by what is left to their groups.

    Returns the groups, those sums to whose total nothing but people in no group is left, and how many.
    """
    total = structure.total
    few = shown & (gaps[0] != 0) & (np.abs(gaps[0]) < rule.minimum_base)
    there = tied[total] & (np.asarray(structure.matrix.maximum(0) @ tied.astype(float)) > 0)
    rest = np.zeros(there.shape)
    for gap in gaps:
        left, hidden = _left(structure, tied, shown, gap)
        small = there & (np.abs(left) > 0.5) & (np.abs(left) < rule.minimum_base)
        few |= _any_part(structure, small & shown[total]) & tied & ~shown
        np.logical_or.at(few, total, small & ~shown[total] & (hidden == 1))
        rest = np.where(small & shown[total] & (hidden == 0), np.abs(left), rest)
    of = np.flatnonzero(rest.any(axis=1))
    return few, of, rest[of]


def _in_no_group(release: Release, of: Numbers) -> pl.DataFrame:
    first = np.searchsorted(release.structure.equation, of)
    return release.cells[release.structure.part[first]].with_columns(pl.lit(NOT_LISTED).alias("group"))


def _signed(structure: Structure, links: Numbers, rests: int) -> _Signed:
    """Write down the sums of both releases, those between them, and what ties them: cells as in `_tied`."""
    from scipy.sparse import block_array, csr_array, eye_array

    matrix, cells, every = structure.matrix, len(structure.top), np.arange(len(structure.total))
    tie = eye_array(cells, format="csr")[links]
    nobody = csr_array((len(every), rests))
    signs = block_array(
        [
            [matrix, None, None, None, nobody],
            [None, matrix, None, None, nobody],
            [None, None, matrix, -matrix, nobody],
            [-tie, tie, tie, -tie, csr_array((len(links), rests))],
        ],
        format="csr",
    )
    # A sum of differences has no one total: it is there where the group is in both releases.
    total = [structure.total, structure.total + cells, structure.total + 2 * cells, links + 2 * cells]
    equation, part = signs.nonzero()
    return _Signed(
        total=np.concatenate(total),
        equation=equation.astype(np.int64),
        part=part.astype(np.int64),
        top=np.concatenate([np.tile(structure.top, 4), np.zeros(rests, bool)]),
        signs=csr_array(signs),
    )
