"""Secondary suppression decided from the people: hide until no few of them are left over, in any measure."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from culture_metrics.disclosure.differencing import Shown, light, light_combinations, one_sided
from culture_metrics.errors import CultureMetricsWarning, warn
from culture_metrics.threads import one_blas_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.disclosure.release import Flags, Floats, Numbers

#: How often combinations are drawn: for all measures together; again for those that hide otherwise.
DRAWS, AGAIN = 30, 6
#: Seeds of draws that nothing was decided by begin here.
OTHERS = 1_000_000
#: Up to so many more people are looked at whether few of them answered what nearly all answer.
MORE = 4
#: So many groups are tried to be shown again, largest first.
TRIED = 20
#: Whole organisations are the last to be hidden, and before them what is kept as long as others do.
WHOLE, KEPT = 1e6, 5e5
STUCK = (
    "What few people answered follows from figures that may no more be hidden. Show nothing of this beside "
    "what was shown before: leave out a breakdown, or the measures that fewer answered."
)


@dataclass(frozen=True)
class People:
    """One organisation: who is in which group, by atoms, and how many of them answered what.

    Attributes
    ----------
    groups : array
        Groups × atoms: 1 where the group holds the atom; a weight there, where it is shown weighted.
    counts : array
        Atoms × measures: respondents. The first measure counts all people, whatever they answered.
    family : array
        By measure: the set of measures that it is hidden with.
    sides, of_side : array
        Atoms × sides of percentages, two each: respondents whom it counts, and whom it does not; and the
        family of each side.
    cost : array
        Of hiding a group.
    table : array
        By group: its table, in which no two groups have people in common; a number of its own for each table
        that is shown weighted, below 0.
    core : array
        Measures that nearly all answered. Who is many, but few in one of them, is hidden throughout: how many
        they are, and how many skipped the measure around them, would tell how many answered it.
    last : array of bool, optional
        Groups to keep as long as hiding others does.
    """

    groups: Floats
    counts: Floats
    family: Numbers
    sides: Floats
    of_side: Numbers
    cost: Floats
    table: Numbers
    core: Numbers = field(default_factory=lambda: np.empty(0, np.int64))
    last: Flags | None = None

    def of(self, family: int) -> Numbers:
        """Return the measures of which few decide that a family is hidden."""
        own = np.flatnonzero(self.family == family)
        return np.union1d(own, self.core) if family == self.family[0] else own

    @cached_property
    def block(self) -> Flags:
        """The groups of the largest table."""
        plain = self.table[self.table >= 0]
        return np.asarray(self.table == np.bincount(plain).argmax())

    @cached_property
    def everyone(self) -> Flags:
        """Groups that hold everybody: the figure of a whole organisation, with everyone counted once."""
        return np.asarray((self.groups != 0).all(axis=1) & (self.table >= 0))

    @cached_property
    def inside(self) -> Flags:
        """Groups × groups: whether the first holds all of the second."""
        holds = self.groups.astype(np.float32)
        return np.asarray(holds @ holds.T >= holds.sum(axis=1) - 0.5)


@dataclass(frozen=True)
class _Pattern:
    """What is shown in a family: some groups."""

    people: People
    groups: Numbers

    @property
    def rests(self) -> Floats:
        """What groups of one table leave over of a group of another that they lie in: no search is needed."""
        people, own = self.people, self.groups[self.people.table[self.groups] >= 0]
        table = people.table[own]
        lies = people.inside[np.ix_(own, own)] & (table[:, None] != table)
        found = [np.empty((0, people.groups.shape[1]))]
        for number in np.unique(table):
            parts = lies & (table == number)
            wholes = np.flatnonzero(parts.any(axis=1))
            # Nobody is in two groups of a table.
            taken = np.zeros((len(wholes), people.groups.shape[1]))
            for row, whole in zip(taken, wholes, strict=True):
                row[:] = people.groups[own[parts[whole]]].sum(axis=0)
            found.append(people.groups[own[wholes]] - taken)
        left = np.concatenate(found)
        return np.asarray(left[(left != 0).any(axis=1)])

    @cached_property
    def shown(self) -> Shown:
        return Shown(self.people.groups[self.groups], self.people.block[self.groups])

    def next_groups(self, left: Floats, may: Flags, *, whole: Flags) -> set[int]:
        """Choose groups to hide, so that each of some combinations is harder to come by.

        The cheapest group without which a combination does not follow; where there is none, the cheapest that
        it is made of. `whole` says for which of them a whole organisation may be hidden.
        """
        everyone = self.people.everyone[self.groups]
        cost = np.where(may[self.groups], self.people.cost[self.groups], np.inf)
        dear = WHOLE
        if self.people.last is not None:
            cost, dear = cost + KEPT * self.people.last[self.groups], KEPT
        chosen: set[int] = set()
        for made_of, also_whole in zip(self.shown.made_of(left), whole, strict=True):
            parts = made_of & (also_whole | ~everyone)
            needed = parts & self.shown.needed
            # An organisation is hidden only where there is nothing else, and what is kept before it.
            among = np.flatnonzero(needed if (cost[needed] < dear).any() else parts)
            if not np.isfinite(cost[among]).any():
                # All else was shown before: beside it the figure of the whole says what the others answered.
                among = np.flatnonzero(made_of)
            if np.isfinite(cost[among]).any() and not chosen & {*among.tolist()}:
                chosen.add(int(among[np.argmin(cost[among])]))
        return {int(self.groups[i]) for i in chosen}


def hide_people(
    people: People, hidden: Flags, fixed: Flags, minimum: int, draws: int = DRAWS, *, beside: bool = False
) -> Flags:
    """Hide groups until no combination of shown ones leaves 1 to `minimum` - 1 people over.

    Parameters
    ----------
    people : People
        One organisation.
    hidden : array of bool
        Groups × families: what is hidden as too small.
    fixed : array of bool
        Groups × families: what was shown before, and can no more be hidden.
    minimum : int
        Smallest number of people that may be left over.
    draws : int
        How often combinations are drawn.
    beside : bool
        Whether no group is hidden alone in its table: people in no group protect it, but nobody can tell.

    Returns
    -------
    array of bool
        What is hidden then, looked at as it leaves. Combinations of what was shown before alone are left:
        there is no way back.
    """
    with one_blas_thread():
        return _Hiding(people, hidden, fixed, minimum, draws).run(beside=beside)


def is_open(people: People, hidden: Flags, fixed: Flags, minimum: int) -> bool:
    """Whether a combination of shown groups leaves 1 to `minimum` - 1 people over in some measure.

    Combinations of what was shown before alone do not count.
    """
    with one_blas_thread():
        hiding = _Hiding(people, hidden, fixed, minimum)
        return any(True for _ in hiding.open_families(np.unique(people.family)))


def number_open(people: People, hidden: Flags, minimum: int) -> int:
    """Count the sets of measures in which a combination of shown groups gives few people away.

    Draws are others than those by which it was decided what to hide.
    """
    with one_blas_thread():
        hiding = _Hiding(people, hidden, np.zeros_like(hidden), minimum)
        hiding.turn = OTHERS
        return sum(1 for _ in hiding.open_families(np.unique(people.family)))


class _Found(NamedTuple):
    """Combinations, with the measures in which each leaves few over, and the sides that nobody left is on."""

    left: Floats
    few: Flags
    alike: Flags

    def some(self, which: Flags) -> _Found:
        """Keep some."""
        return _Found(self.left[which], self.few[which], self.alike[which])


class _Hiding:
    """What is hidden so far, by group and family."""

    def __init__(self, people: People, hidden: Flags, fixed: Flags, minimum: int, draws: int = DRAWS) -> None:
        self.people, self.hidden, self.fixed, self.minimum = people, hidden.copy(), fixed, minimum
        self.draws = draws
        self.turn, self.before = 0, dict[bytes, Shown]()

    def run(self, *, beside: bool) -> Flags:
        """Hide for all people first, then for the measures that fewer answered."""
        everyone = int(self.people.family[0])
        self._hide_everyone(everyone)
        self.hidden |= self.hidden[:, [everyone]] & ~self.fixed
        todo = np.unique(self.people.family)
        while len(todo):
            found = list(self.open_families(todo))
            again = [family for pattern, family, left in found if self._hide(pattern, family, left)]
            if len(again) < len(found):
                warn(STUCK, CultureMetricsWarning)
            todo = np.array(again, np.int64)
            if beside and not len(todo):
                # A group that showed its people all alike told nothing new; hidden, it is what follows.
                todo = self._hide_beside()
        return self.hidden

    def _hide_beside(self) -> Numbers:
        """Hide a second group where one is hidden alone in its table; say in which families."""
        changed: set[int] = set()
        for number in np.unique(self.people.table):
            rows = np.flatnonzero(self.people.table == number)
            alone = (self.hidden[rows].sum(axis=0) == 1) & (len(rows) > 1)
            may = alone & ~self.hidden[rows] & ~self.fixed[rows]
            cost = np.where(may, self.people.cost[rows, None], np.inf)
            families = np.flatnonzero(may.any(axis=0))
            self.hidden[rows[cost.argmin(axis=0)[families]], families] = True
            changed |= {*families.tolist()}
        return np.array(sorted(changed), np.int64)

    def _hide_everyone(self, family: int) -> None:
        small = self.hidden[:, family].copy()
        while len(left := self._of_everyone(family)):
            if not self._hide(self._pattern(family), family, left):
                break
        # The largest groups that were hidden in vain are shown again.
        added = np.flatnonzero(self.hidden[:, family] & ~small)
        for group in added[np.argsort(-self.people.cost[added], kind="stable")][:TRIED]:
            self.hidden[group, family] = False
            if len(self._of_everyone(family)):
                self.hidden[group, family] = True

    def _of_everyone(self, family: int) -> Floats:
        pattern, counts = self._pattern(family), self.people.counts
        if not len(self.people.core):
            left = self._draws(pattern, counts[:, :1], self.draws)
        else:
            left = self._draws(pattern, counts[:, :1], self.draws, self.minimum + MORE)
            left = left[light(left, counts[:, self.people.of(family)], self.minimum).any(axis=1)]
        return left[self._new(left, family)]

    def _new(self, left: Floats, family: int) -> Flags:
        """Say which combinations do not follow already from what was shown before."""
        before = np.flatnonzero(self.fixed[:, family] & ~self.hidden[:, family])
        if not len(before) or not len(left):
            return np.ones(len(left), bool)
        if before.tobytes() not in self.before:
            self.before[before.tobytes()] = _Pattern(self.people, before).shown
        return ~self.before[before.tobytes()].follows(left)

    def _draws(self, pattern: _Pattern, counts: Floats, draws: int, below: int | None = None) -> Floats:
        self.turn += 1
        sides = self.people.sides if counts.shape[1] > 1 else self.people.sides[:, :0]
        return light_combinations(pattern.shown, counts, below or self.minimum, draws, sides, seed=self.turn)

    def _pattern(self, family: int) -> _Pattern:
        return _Pattern(self.people, np.flatnonzero(~self.hidden[:, family]))

    def _hide(self, pattern: _Pattern, family: int, left: Floats) -> bool:
        """Hide what some combinations need; say whether there was anything that may be hidden."""
        left = left[np.argsort((left != 0) @ self.people.counts[:, 0], kind="stable")]
        # That people are all alike is no reason to hide an organisation.
        of_family = self.people.counts[:, self.people.of(family)]
        few = np.asarray(light(left, of_family, self.minimum).any(axis=1))
        chosen = pattern.next_groups(left, ~self.fixed[:, family], whole=few)
        self.hidden[[*chosen], family] = True
        return bool(chosen)

    @cached_property
    def _pool(self) -> _Found:
        """Combinations of what is shown in any family: what follows from fewer groups follows from more."""
        most = _Pattern(self.people, np.flatnonzero(~self.hidden.all(axis=1)))
        return self._found(self._draws(most, self.people.counts, self.draws))

    def _found(self, left: Floats) -> _Found:
        return _Found(left, light(left, self.people.counts, self.minimum), one_sided(left, self.people.sides))

    def open_families(self, families: Numbers) -> Iterator[tuple[_Pattern, int, Floats]]:
        """List what is shown in a family, the family, and what gives people of it away."""
        patterns, which = np.unique(self.hidden[:, families], axis=1, return_inverse=True)
        least = self.hidden.all(axis=1)
        for number, gone in enumerate(patterns.T):
            own = families[which.reshape(-1) == number]
            pattern = _Pattern(self.people, np.flatnonzero(~gone))
            rests = self._found(pattern.rests)
            pool = self._pool.some(np.asarray(self._open(self._pool, pattern, own).any(axis=1)))
            pool = pool.some(pattern.shown.follows(pool.left))
            each = [(rests, self._open(rests, pattern, own)), (pool, self._open(pool, pattern, own))]
            if not any(open_.any() for _, open_ in each) and (gone != least).any():
                measures = np.unique(np.concatenate([self.people.of(f) for f in own.tolist()]))
                drawn = self._found(self._draws(pattern, self.people.counts[:, measures], AGAIN))
                each.append((drawn, self._open(drawn, pattern, own)))
            left = np.concatenate([found.left for found, _ in each])
            open_ = np.concatenate([flags for _, flags in each])
            for place, family in enumerate(own.tolist()):
                of_family = left[open_[:, place]]
                of_family = of_family[self._new(of_family, family)]
                if len(of_family):
                    yield pattern, family, of_family

    def _open(self, found: _Found, pattern: _Pattern, families: Numbers) -> Flags:
        """Say by combination and family whether it leaves few over, or people of whom all are alike."""
        people = self.people
        sides = np.flatnonzero(np.isin(people.of_side, families))
        alike = found.alike[:, sides]
        rows = np.flatnonzero(alike.any(axis=1))
        if len(rows):
            # Of groups that are shown to be all alike nothing more follows.
            plain = (pattern.shown.groups @ people.sides[:, sides] < 0.5).astype(float)
            told = pattern.shown.groups.T @ plain > 0
            other = people.sides[:, sides ^ 1]
            # Who answered is on a side or on the other.
            answered = people.sides[:, sides] + other > 0
            alike[rows] &= (found.left[rows] != 0).astype(float) @ (answered & ~told) > 0
        result = np.zeros((len(found.left), len(families)), bool)
        for place, family in enumerate(families):
            few = found.few[:, people.of(family)].any(axis=1)
            result[:, place] = few | alike[:, people.of_side[sides] == family].any(axis=1)
        return result
