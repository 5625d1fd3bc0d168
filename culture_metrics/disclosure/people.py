"""Secondary suppression decided from the people: hide until no few of them are left over, in any measure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.disclosure.differencing import Shown, light, light_combinations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.disclosure.release import Flags, Floats, Numbers

#: How often combinations are drawn: for all measures together; again for those that hide otherwise.
DRAWS, AGAIN = 30, 6
#: So many groups are tried to be shown again, largest first.
TRIED = 20
#: Whole organisations are the last to be hidden.
WHOLE = 1e6


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
    cost : array
        Of hiding a group.
    block : array of bool
        The groups of the largest table: none has people in common with another.
    """

    groups: Floats
    counts: Floats
    family: Numbers
    cost: Floats
    block: Flags


@dataclass(frozen=True)
class _Pattern:
    """What is shown in a family: some groups."""

    people: People
    groups: Numbers

    @cached_property
    def shown(self) -> Shown:
        return Shown(self.people.groups[self.groups], self.people.block[self.groups])

    def next_groups(self, left: Floats, may: Flags) -> set[int]:
        """Choose groups to hide, so that each of some combinations is harder to come by.

        The cheapest group without which a combination does not follow; where there is none, the cheapest that
        it is made of.
        """
        cost = np.where(may[self.groups], self.people.cost[self.groups], np.inf)
        chosen: set[int] = set()
        for made_of in self.shown.made_of(left):
            needed = made_of & self.shown.needed
            among = np.flatnonzero(needed if np.isfinite(cost[needed]).any() else made_of)
            if np.isfinite(cost[among]).any() and not chosen & {*among.tolist()}:
                chosen.add(int(among[np.argmin(cost[among])]))
        return {int(self.groups[i]) for i in chosen}


def hide_people(people: People, hidden: Flags, fixed: Flags, minimum: int) -> tuple[Flags, bool]:
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

    Returns
    -------
    hidden : array of bool
        What is hidden then.
    safe : bool
        Whether nothing is left open: what was shown before can leave no way.
    """
    return _Hiding(people, hidden, fixed, minimum).run()


def is_open(people: People, hidden: Flags, minimum: int) -> bool:
    """Whether a combination of shown groups leaves 1 to `minimum` - 1 people over in some measure."""
    hiding = _Hiding(people, hidden, hidden, minimum)
    return any(True for _ in hiding.open_families(np.unique(people.family)))


class _Hiding:
    """What is hidden so far, by group and family."""

    def __init__(self, people: People, hidden: Flags, fixed: Flags, minimum: int) -> None:
        self.people, self.hidden, self.fixed, self.minimum = people, hidden.copy(), fixed, minimum
        self.turn = 0

    def run(self) -> tuple[Flags, bool]:
        """Hide for all people first, then for the measures that fewer answered."""
        everyone = int(self.people.family[0])
        safe = self._hide_everyone(everyone)
        self.hidden |= self.hidden[:, [everyone]] & ~self.fixed
        todo, stuck = np.unique(self.people.family), False
        while len(todo):
            again = []
            for pattern, family, left in self.open_families(todo):
                if self._hide(pattern, family, left):
                    again.append(family)
                else:
                    stuck = True
            todo = np.array(again, np.int64)
        return self.hidden, safe and not stuck

    def _hide_everyone(self, family: int) -> bool:
        small = self.hidden[:, family].copy()
        while len(left := self._draws(self._pattern(family), self.people.counts[:, :1], DRAWS)):
            if not self._hide(self._pattern(family), family, left):
                return False
        # The largest groups that were hidden in vain are shown again.
        added = np.flatnonzero(self.hidden[:, family] & ~small)
        for group in added[np.argsort(-self.people.cost[added], kind="stable")][:TRIED]:
            self.hidden[group, family] = False
            if len(self._draws(self._pattern(family), self.people.counts[:, :1], DRAWS)):
                self.hidden[group, family] = True
        return True

    def _draws(self, pattern: _Pattern, counts: Floats, draws: int) -> Floats:
        self.turn += 1
        return light_combinations(pattern.shown, counts, self.minimum, draws, seed=self.turn)

    def _pattern(self, family: int) -> _Pattern:
        return _Pattern(self.people, np.flatnonzero(~self.hidden[:, family]))

    def _hide(self, pattern: _Pattern, family: int, left: Floats) -> bool:
        """Hide what some combinations need; say whether there was anything that may be hidden."""
        weight = (left != 0) @ self.people.counts[:, 0]
        chosen = pattern.next_groups(left[np.argsort(weight, kind="stable")], ~self.fixed[:, family])
        self.hidden[[*chosen], family] = True
        return bool(chosen)

    @cached_property
    def _pool(self) -> Floats:
        """Combinations of what is shown in any family: what follows from fewer groups follows from more."""
        most = _Pattern(self.people, np.flatnonzero(~self.hidden.all(axis=1)))
        return self._draws(most, self.people.counts, DRAWS)

    def open_families(self, families: Numbers) -> Iterator[tuple[_Pattern, int, Floats]]:
        """List what is shown in a family, the family, and what of it leaves few over in one of its measures."""
        patterns, which = np.unique(self.hidden[:, families], axis=1, return_inverse=True)
        least = self.hidden.all(axis=1)
        for number, gone in enumerate(patterns.T):
            own = families[which.reshape(-1) == number]
            pattern = _Pattern(self.people, np.flatnonzero(~gone))
            measures = np.flatnonzero(np.isin(self.people.family, own))
            counts = self.people.counts[:, measures]
            left = self._pool[light(self._pool, counts, self.minimum).any(axis=1)]
            left = left[pattern.shown.follows(left)]
            if not len(left) and (gone != least).any():
                left = self._draws(pattern, counts, AGAIN)
            few = light(left, counts, self.minimum)
            for family in own.tolist():
                open_ = few[:, self.people.family[measures] == family].any(axis=1)
                if open_.any():
                    yield pattern, family, left[open_]
