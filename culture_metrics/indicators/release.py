"""One call's release: which cells it may show, beside all that earlier calls showed of these people."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics import problems
from culture_metrics.disclosure.decision import GROUP, Call, known, people_of
from culture_metrics.disclosure.people import WHOLE, People, hide_people, is_open
from culture_metrics.disclosure.release import family_names
from culture_metrics.errors import CultureMetricsWarning
from culture_metrics.indicators.atoms import Atoms, Table, answered, atoms_of, tables_of
from culture_metrics.indicators.breakdowns import group_codes
from culture_metrics.indicators.cells import make_cells
from culture_metrics.indicators.design import Design
from culture_metrics.results import ALL
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.cell_estimates import Found, Statuses

    Flags = NDArray[np.bool_]
    Floats = NDArray[np.float64]

#: Stands for the respondents of a cell, whatever they answered.
PEOPLE = ""
UNTOLD = STATUSES.index("suppressed")
#: Above so many respondents they are not looked at: what names and the catalogue say must do.
MANY = 60_000


@dataclass(frozen=True)
class _Layer:
    """A table as it is, or was, shown: with everyone counted once, or weighted.

    By cell and family: `small` must be hidden, `hidden` is what names say must be, `fixed` was shown before
    and stays. `mine` says whether it is of this call.
    """

    table: int
    weight: int | None
    small: Flags
    hidden: Flags
    fixed: Flags
    mine: bool


class Release:
    """What one call would show of an extract.

    Parameters
    ----------
    parts : sequence of Found
        The estimates; where they count all organisations together, of part of the extract.
    extract : Extract
        Where they come from.
    minimum_base : int
        Smallest base that may be shown.
    by : mapping
        Breakdown -> the names it crosses.
    columns : mapping
        Measure -> the column of the estimates that has its base.
    of_groups : array of bool
        By measure, in order of their names: whether it counts the people of a group.
    """

    def __init__(
        self,
        parts: Sequence[Found],
        extract: Extract,
        minimum_base: int,
        by: Mapping[str, tuple[str, ...]],
        columns: Mapping[str, int],
        of_groups: Flags,
    ) -> None:
        self.answers, self.extract = parts[0].answers, parts[0].extract or extract
        self.parts, self.minimum, self.by = parts, minimum_base, dict(by)
        self.together = parts[0].together
        self.calls = extract.decision.of(people_of(extract.frame, extract.edition.columns))
        names = sorted(columns)
        self.places, self.counted = np.array([columns[n] for n in names]), np.flatnonzero(of_groups)
        about = pl.DataFrame({"survey": [extract.survey], "period": [extract.period]})
        heads = family_names(about, pl.Series([PEOPLE, *names]))
        # Everyone comes first.
        self.families = [PEOPLE, *sorted(set(heads) - {PEOPLE})]
        place = {name: j for j, name in enumerate(self.families)}
        self.family = np.array([place[name] for name in heads])

    def decide(self, groups: pl.DataFrame, base: Floats, counted: Floats, found: Statuses) -> Statuses:
        """Return what is hidden and why, by cell and measure, and keep it in mind.

        Parameters
        ----------
        groups : polars.DataFrame
            The cells: `organisation, breakdown, group`.
        base, counted : array
            Cells × measures, everyone first: respondents, and those that a percentage counts (else NaN).
        found : array
            What must be hidden by what names say, as places in `STATUSES`.
        """
        least = np.fmin(base, np.fmin(counted, base - counted))
        small = self._by_family((base > 0) & (least < self.minimum))
        by_names = self._by_family((found > 0) & (base > 0)) | small
        hidden, untold = self._from_people(groups, small, by_names)
        # Words are given only where they are those that names lead to.
        gone = hidden[:, self.family] & ~np.isnan(base)
        few = (found > 0) & ~(base >= self.minimum)
        why = np.where(gone & (found == 0), np.int8(UNTOLD), np.where(gone | few, found, np.int8(0)))
        return np.where((why > 0) & untold[:, None], np.int8(UNTOLD), why)

    def _by_family(self, flags: Flags) -> Flags:
        gone = np.zeros((len(flags), len(self.families)), bool)
        for j, family in enumerate(self.family):
            gone[:, family] |= flags[:, j]
        return gone

    def _from_people(self, groups: pl.DataFrame, small: Flags, by_names: Flags) -> tuple[Flags, Flags]:
        """Hide what the respondents make it take; says by cell whether it was decided from them."""
        untold = np.zeros(groups.height, bool)
        if self.extract.frame.height > MANY:
            return by_names, untold
        tables = self._tables()
        layers, weights = self._layers(tables, groups, small, by_names)
        hidden = [layer.hidden.copy() for layer in layers]
        told = [np.zeros(len(layer.small), bool) for layer in layers]
        if len(layers) > 2 or any(layer.fixed.any() for layer in layers):
            self._look(tables, layers, weights, hidden, told)
        result = by_names.copy()
        number = groups.with_row_index("_row")
        mine: dict[int | None, Flags] = {}
        for layer, gone, looked in zip(layers, hidden, told, strict=True):
            if not layer.mine:
                continue
            cells = tables[layer.table].groups.join(number, on=GROUP, how="left", maintain_order="left")[
                "_row"
            ]
            row = cells.to_numpy().astype(np.int64)
            mine.setdefault(layer.weight, by_names.copy())[row] = gone
            result[row] |= gone
            untold[row] |= looked
        if None in mine:
            # A figure that is hidden weighted may be shown with everyone counted once.
            result = np.logical_or.reduce([*mine.values()])
        for weight, gone in mine.items():
            self.calls.append(
                Call(
                    self.by,
                    groups,
                    tuple(self.families),
                    gone,
                    self.together,
                    self._weights() if weight is not None else {},
                )
            )
        return result, untold

    def _look(
        self,
        tables: Sequence[Table],
        layers: Sequence[_Layer],
        weights: Sequence[Floats],
        hidden: Sequence[Flags],
        looked: Sequence[Flags],
    ) -> None:
        """Look at the respondents of each organisation; changes `hidden` and `looked`."""
        there = answered(self.answers, self.places, self.places[self.counted])
        family = np.append(self.family, np.repeat(self.family[1 + self.counted], 2))
        stuck = []
        for atoms in atoms_of(tables, weights):
            cells = [atoms.cells(layer.table) for layer in layers]
            small, first, fixed = (
                np.vstack([getattr(layer, name)[own] for layer, own in zip(layers, cells, strict=True)])
                for name in ("small", "hidden", "fixed")
            )
            counts = atoms.counts(there)
            people = _people(atoms, layers, counts, family)
            if not atoms.nested and not is_open(people, first, self.minimum):
                continue
            gone, safe = hide_people(people, small, fixed, self.minimum)
            if not safe:
                stuck.append(tables[0].groups["organisation"][int(cells[0][0])])
                gone |= ~fixed
            ends = np.cumsum([len(own) for own in cells])[:-1]
            for place, own, part in zip(range(len(layers)), cells, np.split(gone, ends), strict=True):
                hidden[place][own], looked[place][own] = part, True
        if stuck:
            _warn_of_earlier(stuck)

    def _tables(self) -> list[Table]:
        """Return the tables of this call and of earlier ones, each organisation by itself or all together."""
        mine = {ALL: (), **self.by}
        found: list[Table] = []
        for together in (False, True):
            calls = [c for c in self.calls if c.together == together]
            if not calls and together != self.together:
                continue
            by = {ALL: (), **{name: names for c in calls for name, names in c.by.items()}}
            if together == self.together:
                by |= mine
            own = self.parts[0].cells
            if together != self.together or len(self.parts) > 1 or set(by) != set(mine) or own is None:
                groups = group_codes(
                    self.extract, list(dict.fromkeys(n for names in by.values() for n in names))
                )
                own = make_cells(self.extract.frame, by, groups, Design(), together=together)
            found += tables_of(own, together=together)
        return found

    def _weights(self) -> dict[str, Floats]:
        """Return the weights of respondents that this call uses, by breakdown."""
        each = ((name, part.weight) for part in self.parts for name in part.keys["breakdown"].unique())
        return {name: weight for name, weight in each if weight is not None}

    def _layers(
        self, tables: Sequence[Table], groups: pl.DataFrame, small: Flags, by_names: Flags
    ) -> tuple[list[_Layer], list[Floats]]:
        """List what this call would show and what earlier ones did, and the weights that are used."""
        layers: list[_Layer] = []
        weights: list[Floats] = []
        now = self._weights()
        plain = [call for call in self.calls if not call.weights]
        number = groups.with_row_index("_row")
        for place, table in enumerate(tables):
            row = table.groups.join(number, on=GROUP, how="left", maintain_order="left")["_row"]
            own = table.together == self.together and row.null_count() == 0
            mine = row.fill_null(0).to_numpy().astype(np.int64)

            def layer(calls: Sequence[Call], weight: Floats | None, *, own: bool) -> None:
                shown, gone = known(calls, table.groups, self.families)  # noqa: B023
                few, names = small[mine], by_names[mine]  # noqa: B023
                if not own:
                    few = names = ~shown
                if weight is not None:
                    weights.append(weight)
                where = None if weight is None else len(weights) - 1
                layers.append(
                    _Layer(place, where, few | gone, (names & ~shown) | gone | few, shown & ~few, own)  # noqa: B023
                )

            layer([c for c in plain if c.together == table.together], None, own=own)
            for call in self.calls:
                if call.together == table.together and table.name in call.weights:
                    layer([call], call.weights[table.name], own=False)
            if own and table.name in now:
                layer([], now[table.name], own=True)
        return layers, weights


def _people(atoms: Atoms, layers: Sequence[_Layer], counts: Floats, family: NDArray[np.int64]) -> People:
    """Set what is shown beside who answered."""
    plain = [atoms.groups(layer.table) for layer in layers]
    groups = [
        holds if layer.weight is None else atoms.groups(layer.table, layer.weight)
        for holds, layer in zip(plain, layers, strict=True)
    ]
    sizes = [holds @ counts[:, 0] for holds in plain]
    # Weighted figures are hidden first, whole organisations last.
    cost = [size * (1.0 if layer.weight is None else 0.5) for size, layer in zip(sizes, layers, strict=True)]
    everyone = counts[:, 0].sum()
    largest = max(range(len(layers)), key=lambda i: (layers[i].weight is None) * len(groups[i]))
    block = np.concatenate([np.full(len(part), i == largest) for i, part in enumerate(groups)])
    costs = np.concatenate(cost)
    return People(
        np.vstack(groups), counts, family, np.where(costs < everyone / 2, costs, costs + WHOLE), block
    )


def _warn_of_earlier(organisations: Sequence[str]) -> None:
    warnings.warn(
        "Beside what was shown of this extract before, these breakdowns would give small groups away: all "
        f"that was not shown before is hidden for {problems.listed(organisations)}. Ask for all breakdowns "
        "in one call, on the extract as it was read.",
        CultureMetricsWarning,
        stacklevel=6,
    )
