"""Rows of the panel that a model can use, with a log of those it cannot."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from culture_metrics.problems import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from culture_metrics.models.panel_arrays import Integers, PanelArrays
    from culture_metrics.models.plan import Plan

    Booleans = NDArray[np.bool_]

#: What a step that takes out a rare level of a control begins with.
LEVEL = "level '"


class Loss(NamedTuple):
    """A step that took rows away: what it was, by which column, and what was left."""

    step: str
    column: str | None
    rows_lost: int
    organisations_lost: int
    rows_left: int
    organisations_left: int


class Sample:
    """Rows of the panel that a model can use, and the log of those it cannot."""

    def __init__(self, arrays: PanelArrays, plan: Plan) -> None:
        self.arrays = arrays
        self.ahead = arrays.ahead(plan.lag)
        self.rows = np.arange(arrays.height)
        self.losses = [self._loss("panel", None, self.rows)]
        known = np.isfinite
        if plan.lag:
            self._keep("no row in the outcome's year", None, self.ahead[self.rows] >= 0)
        self._keep("missing", plan.values.outcome.column, known(plan.values.y[self.ahead[self.rows]]))
        late = arrays.ahead(plan.lead)
        if plan.lead:
            self._keep("no row in the year after", None, late[self.rows] >= 0)
        for name in plan.indicators:
            self._keep("missing", name, known(arrays.column(name)[late[self.rows]]))
        if plan.prior_outcome:
            self._keep(
                "missing in the indicator's year",
                plan.values.outcome.column,
                known(plan.values.prior[self.rows]),
            )
        for name in plan.controls:
            self._keep("missing", name, self._present(name, self.rows))
        for name in plan.also_known:
            self._keep(
                "missing in the outcome's year", name, known(arrays.column(name)[self.ahead[self.rows]])
            )
        if plan.weights:
            self._keep("missing", plan.weights, known(arrays.column(plan.weights)[self.ahead[self.rows]]))
        if plan.gap:
            self._difference(plan)
        rows = -1
        while rows != self.rows.size:
            rows = self.rows.size
            for name in plan.controls:
                if name in arrays.categories:
                    self._rare(name, plan.min_level_orgs)
            if plan.design.within_only and not plan.gap:
                self._single()

    def _present(self, name: str, rows: Integers) -> Booleans:
        if name in self.arrays.categories:
            return self.arrays.categories[name].codes[rows] >= 0
        return np.isfinite(self.arrays.numbers[name][rows])

    def _difference(self, plan: Plan) -> None:
        before, when = self.arrays.ahead(-plan.gap), years_before(plan.gap)
        self._keep(f"no row {when}", None, (before[self.rows] >= 0) & (before[self.ahead[self.rows]] >= 0))
        self._keep(
            f"missing {when}",
            plan.values.outcome.column,
            np.isfinite(plan.values.y[before[self.ahead[self.rows]]]),
        )
        for name in (*plan.indicators, *plan.controls):
            past = before[self.rows]
            self._keep(f"missing {when}", name, self._present(name, past))

    def _rare(self, name: str, fewest: int) -> None:
        """Leave out levels that hold fewer organisations than are asked for."""
        column = self.arrays.categories[name]
        pairs = np.unique(np.c_[column.codes[self.rows], self.arrays.organisation[self.rows]], axis=0)
        held = np.bincount(pairs[:, 0], minlength=len(column.levels))
        rare = np.flatnonzero((held > 0) & (held < fewest))
        for level in rare:
            self._keep(
                f"{LEVEL}{column.levels[level]}' has fewer than {fewest} organisations",
                name,
                column.codes[self.rows] != level,
            )

    def _single(self) -> None:
        """Leave out organisations with one row, which say nothing about change within organisations."""
        _, place, rows = np.unique(
            self.arrays.organisation[self.rows], return_inverse=True, return_counts=True
        )
        self._keep("organisation with only one row", None, rows[place] > 1)

    def _keep(self, step: str, column: str | None, wanted: Booleans) -> None:
        if not wanted.all():
            before = self.rows
            self.rows = self.rows[wanted]
            self.losses.append(self._loss(step, column, before))

    def _loss(self, step: str, column: str | None, before: Integers) -> Loss:
        had, left = (distinct(self.arrays.organisation[rows]) for rows in (before, self.rows))
        return Loss(step, column, before.size - self.rows.size, had - left, self.rows.size, left)

    def note(self, dropped: list[tuple[str, str]]) -> None:
        """Add columns that were left out, which costs no rows."""
        left = distinct(self.arrays.organisation[self.rows])
        self.losses += [Loss(why, name, 0, 0, self.rows.size, left) for name, why in dropped]


def years_before(gap: int) -> str:
    """Say how far back a change begins.

    Examples
    --------
    >>> years_before(1), years_before(3)
    ('the year before', '3 years before')
    """
    return "the year before" if gap == 1 else f"{gap} years before"


def rare_rows(losses: Iterable[Loss]) -> int:
    """Count the rows that went with levels of controls that few organisations have."""
    return sum(loss.rows_lost for loss in losses if loss.step.startswith(LEVEL))


def rare_levels(losses: Iterable[Loss]) -> str:
    """Say which levels of controls were left out for holding few organisations, and the rows that went.

    Examples
    --------
    >>> rare_levels([Loss("level 'North' has fewer than 3 organisations", "region", 8, 2, 192, 48)])
    "8 rows and with them 2 organisations, of region 'North'"
    """
    rare = [loss for loss in losses if loss.step.startswith(LEVEL)]
    if not rare:
        return ""
    rows, organisations = rare_rows(rare), sum(loss.organisations_lost for loss in rare)
    levels = [f"{loss.column} {loss.step.removeprefix('level ').rsplit(' has ', 1)[0]}" for loss in rare]
    with_them = f" and with them {counted(organisations, 'organisation')}" if organisations else ""
    return f"{counted(rows, 'row')}{with_them}, of {listed(levels)}"


def distinct(ordered: Integers) -> int:
    """Count the distinct values of integers in order."""
    return int(np.count_nonzero(np.diff(ordered))) + 1 if ordered.size else 0
