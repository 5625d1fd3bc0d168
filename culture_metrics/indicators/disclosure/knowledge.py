"""What somebody outside can write down about a release: equations, and what each status tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse import block_array, csr_array

from culture_metrics.indicators.disclosure.block import ABSENT, SECONDARY, SHOWN, SMALL
from culture_metrics.indicators.disclosure.puzzle import SAME, Puzzle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from culture_metrics.indicators.disclosure.block import Block
    from culture_metrics.indicators.disclosure.puzzle import Flags, Floats, Numbers
    from culture_metrics.indicators.disclosure.rule import Rule

    States = NDArray[np.int8]

#: Hiding a total costs as much as hiding so many of the cells it is the sum of.
TOTAL = 10.0
#: Relying on it that nobody knows the results of those in no group costs as much as hiding so many cells.
IN_NO_GROUP = 5.0


@dataclass(frozen=True)
class View:
    """Right sides of the equations as an attacker takes them, and the columns that matter then."""

    rhs: Floats
    there: Flags
    counted: Floats | None


@dataclass(frozen=True)
class Tables:
    """Tables of one measure whose cells hang together: an equation per row, a cell per column.

    `cells` are the columns that are cells of the release; others stand for respondents in no group, for cells
    of an earlier release and for the respondents in only one of two releases. `base` is NaN where it is not
    known here. `lower` and `upper` are what its status tells of a hidden cell's base; `small` cells are to be
    protected, `pooled` ones can make up a pool of too few. `open` cells may be hidden, at a `cost`.
    """

    cells: Numbers
    matrix: csr_array
    views: Sequence[View]
    base: Floats
    counted: Floats | None
    hidden: Flags
    lower: Floats
    upper: Floats
    small: Flags
    pooled: Flags
    open: Flags
    cost: Floats

    def puzzle(self, hidden: Flags, view: View) -> Puzzle:
        """Set up what an attacker knows when these cells are hidden."""
        shown, columns = np.flatnonzero(~hidden & view.there), np.flatnonzero(hidden & view.there)
        known = self.matrix[:, shown]
        counted = None
        if self.counted is not None and view.counted is not None:
            counted = view.counted - known @ self.counted[shown]
        return Puzzle(
            self.matrix[:, columns],
            view.rhs - known @ self.base[shown],
            self.lower[columns],
            self.upper[columns],
            self.small[columns],
            self.pooled[columns],
            columns,
            np.arange(self.matrix.shape[0]),
            counted,
        )


class Place:
    """Some cells of a block that hang together, with the sums they are in."""

    def __init__(self, block: Block, cells: Numbers, *, across: bool) -> None:
        structure = block.structure
        self.block, self.across = block, across
        inside = np.zeros(structure.cells, bool)
        inside[cells] = True
        chosen = inside[structure.part] & (across | ~structure.across[structure.equation])
        self.rows = np.unique(structure.equation[chosen])
        totals = structure.total[self.rows]
        self.cells = np.union1d(cells, totals[totals >= 0])
        self.totals = np.where(totals >= 0, np.searchsorted(self.cells, totals), -1)
        self.matrix = structure.matrix[self.rows][:, self.cells]
        self.top, self.depth = structure.top[self.cells], structure.depth[self.cells]

    def tables(self, layer: int, states: States, rule: Rule, *, totals_too: bool, inside: bool) -> Tables:
        """Write down the tables of one measure.

        Parameters
        ----------
        layer : int
            The measure.
        states : array
            What is hidden, by cell of the block and measure.
        rule : Rule
            The rule.
        totals_too : bool
            Whether whole organisations may be hidden.
        inside : bool
            Whether figures that are hidden in `states`, but stand in the block, are known here.
        """
        block, state = self.block, states[self.cells, layer]
        base = block.base[self.cells, layer].copy()
        if not inside:
            base[state >= SMALL] = np.nan
        counted = None
        if block.counted is not None and not np.isnan(block.counted[:, layer]).all():
            counted = block.counted[self.cells, layer]
        hidden = state >= SMALL
        small = state == SMALL
        matrix, mute = self.matrix, np.isnan(base)
        sums = matrix @ np.nan_to_num(base)
        blind = (abs(matrix) @ mute.astype(float)) > 0
        assumed = (self.totals < 0) | (state[self.totals] == ABSENT)
        usable = np.where(assumed, inside & ~blind, blind | (sums > -SAME))
        rows = np.flatnonzero(usable)
        matrix, sums, blind, assumed = matrix[rows], sums[rows], blind[rows], assumed[rows]
        rest = np.where(assumed | blind, 0.0, sums)
        fixed = np.where(assumed, sums, 0.0)
        many = np.flatnonzero((rest >= rule.minimum_base) & inside)
        extra = csr_array((-np.ones(len(many)), (many, np.arange(len(many)))), shape=(len(rows), len(many)))
        count_sums = np.zeros(len(rows)) if counted is None else matrix @ np.nan_to_num(counted)
        true_rhs = fixed + np.where(rest >= rule.minimum_base, 0.0, rest)
        unknown = np.ones(len(many), bool)
        here = np.ones(len(state), bool)
        guess = View(fixed, np.append(here, ~unknown), np.where(assumed, count_sums, 0.0))
        views = [guess]
        if inside and not mute.any() and (rest > SAME).any():
            in_many = np.isin(np.arange(len(rows)), many)
            views.append(View(true_rhs, np.append(here, unknown), np.where(in_many, 0.0, count_sums)))
        upper = np.where(small & (counted is None), rule.minimum_base - 1.0, np.inf)
        cost = TOTAL ** np.minimum(self.depth, 3) + 0.4 * np.nan_to_num(base) / max(np.nansum(base), 1.0)
        return Tables(
            cells=self.cells,
            matrix=csr_array(block_array([[matrix, extra]])),
            views=views,
            base=np.append(base, rest[many]),
            counted=None if counted is None else np.append(counted, count_sums[many]),
            hidden=np.append(hidden, ~unknown),
            lower=np.append(np.where(small, 0.0, rule.minimum_base), np.full(len(many), float(rule.minimum_base))),
            upper=np.append(upper, np.full(len(many), np.inf)),
            small=np.append(small, ~unknown),
            pooled=np.append(small, ~unknown),
            open=np.append((state == SHOWN) & (totals_too | ~self.top), unknown),
            cost=np.append(cost, np.full(len(many), IN_NO_GROUP)),
        )
