"""Totals and their groups: which further groups to hide, in closed form, for all measures at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.indicators.disclosure.block import ABSENT, SECONDARY, SHOWN, SMALL
from culture_metrics.indicators.disclosure.puzzle import SAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.indicators.disclosure.block import Block
    from culture_metrics.indicators.disclosure.puzzle import Flags, Floats, Numbers
    from culture_metrics.indicators.disclosure.rule import Rule
    from culture_metrics.indicators.disclosure.structure import Structure

#: A hidden total that may follow from its groups: nothing beside it needs it to be open.
NO_NEED = -1.0


def hide_kin(block: Block) -> Block:
    """Hide a cell in all measures that are hidden together as soon as one of them is, with people in it."""
    people = block.hidden & ~(block.base == 0)
    together = np.zeros((len(block.base), int(block.kin.max(initial=-1)) + 1), bool)
    for layer, kin in enumerate(block.kin):
        together[:, kin] |= people[:, layer]
    state = block.state.copy()
    state[(state == SHOWN) & together[:, block.kin]] = SECONDARY
    return block.with_state(state)


def hide_in_trees(block: Block, rule: Rule) -> tuple[Block, Flags]:
    """Hide what it takes in breakdowns whose cells are part of one sum only, from the totals down.

    Returns the block and, by cell and measure, where one more group is not enough: those need a search.

    Notes
    -----
    Say k hidden groups of a shown total are small and m are not, and together they hold N respondents. Nobody
    can tell the small ones better than by what their status says and by N, which follows from the total: each
    base lies between max(0, N - (k - 1)(b - 1)) (0 if m > 0) and min(b - 1, N - m b), for the minimum base b.
    They are safe when at least two are hidden, N is at least b and that range is wide enough. If not, one more
    group of n with n - b >= protection - (N - m b) makes them so; the smallest is taken, in an order that is
    the same for all measures.

    A hidden group that is itself a total of shown ones would follow from these, and the small ones beside it
    with it. Among its groups, then, as much is left open as those need.
    """
    structure = block.structure.within
    stuck = np.zeros(block.base.shape, bool)
    order = _order(block)
    # By cell: how far a hidden total must stay open, and how many people it must be able to hold.
    need, room = np.full(block.base.shape, NO_NEED), np.zeros(block.base.shape)
    for equations in _levels(structure):
        chosen = np.isin(structure.equation, equations)
        part, equation = structure.part[chosen], structure.equation[chosen]
        sort = np.lexsort((order[part], equation))
        part, equation = part[sort], equation[sort]
        starts = np.flatnonzero(np.append(True, np.diff(equation) > 0))
        before = None
        while before is None or (block.state != before).any():
            # Hidden with its kin, a cell can stand where nothing was hidden: look again.
            before = block.state
            level = _Level(block, rule, part, starts, structure.total[equation[starts]], need, room)
            block, failed = level.hide()
            block = hide_kin(block)
        stuck[part] |= np.repeat(failed, level.sizes, axis=0)
        need[part], room[part] = level.pass_down()
    return block, stuck


def _order(block: Block) -> Numbers:
    """Rank cells by their largest base over all measures, so that all measures hide the same ones."""
    size = np.nan_to_num(block.base).max(axis=1, initial=0.0)
    rank = np.empty(len(size), np.int64)
    rank[np.lexsort((np.arange(len(size)), size))] = np.arange(len(size))
    return rank


def _levels(structure: Structure) -> Iterator[Numbers]:
    """List the equations of trees, those of whole organisations first, then those of their groups, and so on."""
    plain = np.zeros(len(structure.total), bool)
    plain[structure.equation[~structure.woven[structure.part]]] = True
    inside = plain[structure.equation]
    above = np.full(structure.cells, -1)
    above[structure.part[inside]] = structure.equation[inside]
    upper = np.where(structure.total >= 0, above[structure.total], -1)
    level = np.zeros(len(plain), np.int64)
    for _ in range(int(structure.depth.max(initial=0)) + 1):
        level = np.where(upper >= 0, level[upper] + 1, 0)
    for number in range(int(level[plain].max(initial=-1)) + 1):
        yield np.flatnonzero(plain & (level == number))


@dataclass
class _Level:
    """Sums of one level: `part` lists their groups, sum after sum, each from `starts` on; then by measure."""

    block: Block
    rule: Rule
    part: Numbers
    starts: Numbers
    total: Numbers
    need: Floats
    room: Floats

    def __post_init__(self) -> None:
        block, part = self.block, self.part
        self.sizes = np.diff(np.append(self.starts, len(part)))
        self.state, self.base = block.state[part], np.nan_to_num(block.base[part])
        stands = (self.total >= 0)[:, None] & (block.state[self.total] != ABSENT)
        self.above = np.where(stands, block.state[self.total], SHOWN)
        self.open = np.where(stands, self.need[self.total], NO_NEED)
        self.must_hold = np.where(stands, self.room[self.total], 0.0)
        self.k, self.m = self.summed(self.state == SMALL), self.summed(self.state == SECONDARY)
        self.shown = self.summed(self.base * (self.state == SHOWN))
        self.held = self.summed(self.base) - self.shown
        # What the total leaves over is of groups hidden before, or in no group, which nobody may know.
        whole = np.where(stands, block.base[self.total], np.nan)
        rest = np.nan_to_num(np.maximum(whole - self.shown - self.held, 0.0))
        before = self.summed(block.mute[part]) > 0
        self.held, self.rest = self.held + np.where(before, rest, 0.0), np.where(before, 0.0, rest)
        self.known, self.blind = ~np.isnan(whole), before & np.isnan(whole)
        self.top = np.full(self.k.shape, self.rule.minimum_base - 1.0)
        self.counted = None
        if block.counted is not None and self.rule.minimum_count:
            # Hidden as too small, a percentage can rest on any number: too few may be counted.
            self.top[:, ~np.isnan(block.counted).all(axis=0)] = np.inf
            counted = np.nan_to_num(block.counted[part])
            of_all = np.where(stands, block.counted[self.total], np.nan) - self.summed(counted)
            self.counted = self.summed(counted * (self.state >= SMALL)) + np.where(before, np.nan_to_num(of_all), 0)

    def summed(self, values: Floats | Flags) -> Floats:
        """Sum over the groups of each sum."""
        return np.add.reduceat(values.astype(float), self.starts, axis=0)

    def spread(self, values: Floats | Flags) -> Floats | Flags:
        """Repeat what holds for a sum for each of its groups."""
        return np.repeat(values, self.sizes, axis=0)

    def hide(self) -> tuple[Block, Flags]:
        """Hide one more group in sums that need it; say where none will do."""
        follows = (self.k > 0) & (self.above != SMALL) & ~self.blind & ~self._safe()
        spare = self.held - self.m * self.rule.minimum_base
        with np.errstate(invalid="ignore"):
            holds = (self.m > 0) | ((self.k > 0) & (self.shown + self.k * self.top >= self.must_hold))
        asked = (self.above == SECONDARY) & self.known & (self.open >= 0)
        too_tight = asked & ~(holds & (spare >= self.open))
        wanting = follows | too_tight
        lack = np.maximum(
            np.where(follows, self.rule.protection - spare, 0), np.where(too_tight, self.open - spare, 0)
        )
        enough = self.base >= self.spread(self.rule.minimum_base + np.maximum(lack, 0))
        fits = (self.state == SHOWN) & enough & self.spread(wanting)
        place = np.where(fits, np.arange(len(self.part))[:, None], len(self.part))
        first = np.minimum.reduceat(place, self.starts, axis=0)
        equation, layer = np.nonzero(wanting & (first < len(self.part)))
        state = self.block.state.copy()
        state[self.part[first[equation, layer]], layer] = SECONDARY
        return self.block.with_state(state), wanting & (first == len(self.part))

    def _safe(self) -> Flags:
        """Say where small groups of a total that is known are safe, whoever is known to be in no group."""
        k, m, top, rule = self.k, self.m, self.top, self.rule
        with np.errstate(invalid="ignore"):
            others = np.where(k > 1, (k - 1) * top, 0.0)

        def safe(people: Floats) -> Flags:
            low = np.where(m > 0, 0.0, np.maximum(0.0, people - others))
            wide = np.minimum(top, people - m * rule.minimum_base) - low >= rule.protection
            # More than the small ones can hold: somebody is in no group, and nobody can tell how many.
            too_many = (m == 0) & (people > k * top)
            return too_many | ((people >= rule.minimum_base) & (k + m >= 2) & wide)

        answer = ((self.held == 0) | safe(self.held)) & ((self.rest == 0) | safe(self.held + self.rest))
        if self.counted is not None:
            least = np.minimum(self.counted, self.held - self.counted)
            answer &= np.isfinite(top) | (self.held == 0) | (least >= (rule.minimum_count or 0) - SAME)
        return answer

    def pass_down(self) -> tuple[Floats, Floats]:
        """Say how far each hidden group that is not small must stay open, and how many it must be able to hold.

        Both are for the small groups beside it, or beside its own total.
        """
        small = self.summed(self.base * (self.state == SMALL))
        people = self.summed((self.state == SMALL) & ~(self.block.base[self.part] == 0)) > 0
        asked = np.maximum(np.where(people, np.maximum(self.rule.protection - small, 0), NO_NEED), self.open)
        secondary = self.state == SECONDARY
        need = np.where(secondary, self.spread(asked), NO_NEED)
        return need, np.where(secondary, self.spread(self.held + self.must_hold), 0.0)
