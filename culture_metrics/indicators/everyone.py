"""Everyone that the calls about an extract were about, now and before, and who is in which group."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL
from culture_metrics.disclosure.decision import MANY, alike_in, ids_of
from culture_metrics.errors import CultureMetricsWarning, UnknownNameError, warn
from culture_metrics.indicators.atoms import tables_of
from culture_metrics.indicators.breakdowns import available_breakdowns, group_codes, names_groups
from culture_metrics.indicators.cells import make_cells
from culture_metrics.indicators.design import Design

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.disclosure.decision import Call, People, Table
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.answers import Answers
    from culture_metrics.indicators.cells import Cells

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

COLUMN_GONE = "An earlier breakdown was of a column that the extract no longer has: it was not looked at."
OTHERS = (
    "With so many respondents, what was shown of part of them is not looked at beside what is shown of all."
)
NOT_TOLD_APART = "Two respondents have the same id: what was shown of this extract before was not looked at."


class Everyone:
    """The respondents of an extract, and after them those of earlier calls that are not in it.

    Parameters
    ----------
    extract : Extract
        The respondents of what is asked now; its decision has the calls before.
    people : tuple of int
        Tells the people of the whole extract from others.
    """

    def __init__(self, extract: Extract, people: People) -> None:
        self.extract, self.people = extract, people
        self.decision, self.now = extract.decision, ids_of(extract.frame)
        #: Whether an earlier run showed groups that cannot be made again, and so not be looked at.
        self.lost = False
        self._digests: dict[tuple[bool, tuple[str, ...]], str | None] = {}
        self.calls = [self._as_now(call) for call in self.decision.calls if self._known(call)]
        self.gone = self._gone()
        self.order = pl.concat([self.now, self.gone.select(pl.col(self.now.columns))])

    @property
    def many(self) -> bool:
        """Whether they are so many that nothing is kept that is by respondent."""
        return self.order.height > MANY

    def _known(self, call: Call) -> bool:
        """Whether a call is of the same survey and period, and it can be said who its people are."""
        if call.about != (self.extract.survey, self.extract.period):
            return False
        if call.frame is None:
            if call.people != self.people:
                self.decision.not_looked_at = OTHERS
            return call.people == self.people
        own = ids_of(call.frame)
        told = own.equals(self.now) or alike_in(own, self.now) is not None
        if not told:
            self._say(NOT_TOLD_APART)
        return told

    def _as_now(self, call: Call) -> Call:
        """Return a call of an earlier run with its breakdowns named as they are now.

        The same people in the same groups are the same breakdown, whatever it is called.
        """
        if call.frame is None or not call.from_ledger:
            return call
        new: dict[str, tuple[str, ...]] = {}
        for name, names in call.by.items():
            told = name in call.members and name in call.groups["breakdown"]
            if told and call.members[name] != self._digest(call, names):
                others = permutations(self._columns, len(names))
                found = next((n for n in others if call.members[name] == self._digest(call, n)), None)
                self.lost |= found is None
                new |= {} if found is None else {name: found}
        ids = {name: CROSS.join(names) for name, names in new.items()}
        return replace(
            call,
            by={ids.get(name, name): new.get(name, names) for name, names in call.by.items()},
            members={ids.get(name, name): told for name, told in call.members.items()},
            groups=call.groups.with_columns(pl.col("breakdown").replace(ids)),
        )

    @cached_property
    def _columns(self) -> list[str]:
        return [n for n in available_breakdowns(self.extract) if names_groups(self.extract, n)]

    def _digest(self, call: Call, names: Sequence[str]) -> str | None:
        """Tell who is in which group of a breakdown now; None without its columns."""
        key = call.together, tuple(names)
        if key not in self._digests:
            extract = self.extract if call.frame is None else replace(self.extract, frame=call.frame)
            try:
                cells = self._cells(extract, {CROSS.join(names): tuple(names)}, together=call.together)
            except UnknownNameError:
                self._digests[key] = None
            else:
                tables = tables_of(cells, together=call.together)
                told = [table.digest(ids_of(extract.frame), call.people) for table in tables]
                self._digests[key] = told[0] if told else None
        return self._digests[key]

    def _say(self, what: str) -> None:
        """Say what is not looked at."""
        if self.decision.not_looked_at != what:
            warn(what, CultureMetricsWarning)
        self.decision.not_looked_at = what

    def _gone(self) -> pl.DataFrame:
        """Return the respondents of earlier calls that the extract does not have, each once."""
        known, rows = self.now, [self._needed(self.extract.frame).clear()]
        for call in reversed(self.calls):
            if call.frame is not None and not (ids := ids_of(call.frame)).equals(self.now):
                on = alike_in(ids, known) or ids.columns
                new = ids.with_row_index("_row").join(known, on=on, how="anti", nulls_equal=True)
                rows.append(self._needed(call.frame)[new["_row"]])
                known = pl.concat([known, new.drop("_row")])
        return pl.concat(rows, how="diagonal_relaxed")

    def _needed(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Keep who somebody is and the answers to questions that the extract has."""
        there, here = {*frame.columns}, {*frame.columns} & {*self.extract.frame.columns}
        ids = [pl.col(c).cast(pl.String) for c in ("organisation", "respondent") if c in there]
        return frame.select(*ids, *(c for c in self.extract.edition.columns if c in here))

    def organisation(self, tables: Sequence[Table]) -> NDArray[np.int64]:
        """Return the number of each one's organisation; one for all where an earlier group spans several."""
        rows = [self.extract.frame["organisation"].cast(pl.String), self.gone["organisation"]]
        found = (pl.concat(rows).rank("dense").cast(pl.Int64) - 1).to_numpy()
        if self.calls and any(_spans(table, found) for table in tables):
            return np.zeros_like(found)
        return np.asarray(found)

    def answers(self, here: Answers, read: Callable[[Extract], Answers]) -> Answers:
        """Return what everyone answered; `here` is what those of the extract did."""
        if self.gone.is_empty():
            return here
        frame = pl.concat([self._needed(self.extract.frame), self.gone], how="diagonal_relaxed")
        return read(replace(self.extract, frame=frame))

    def spread(self, values: Floats) -> Floats:
        """Put a number of each respondent of the extract beside 0 for the others."""
        return np.append(values, np.zeros(self.gone.height))

    def weights_of(self, call: Call, breakdown: str) -> Floats | None:
        """Return what each weighed in an earlier call, 0 for others; none where nobody can tell."""
        weights, place = call.weights[breakdown], call.place_in(self.order)
        return None if len(weights) < place.max(initial=-1) + 1 else np.where(place >= 0, weights[place], 0.0)

    def tables(
        self, cells: Cells | None, by: Mapping[str, tuple[str, ...]], *, together: bool
    ) -> list[Table]:
        """Return the tables of the extract's own cells, made again where they are not at hand."""
        cells = self._cells(self.extract, {ALL: (), **by}, together=together) if cells is None else cells
        none = np.full(self.gone.height, -1)
        return [replace(t, of=np.append(t.of, none)) for t in tables_of(cells, together=together)]

    @cached_property
    def earlier(self) -> list[tuple[Call, list[Table]]]:
        """The tables of each earlier call, as they were then."""
        found = []
        for call, tables in self._own:
            place = call.place_in(self.order)
            found.append((call, [replace(t, of=np.where(place >= 0, t.of[place], -1)) for t in tables]))
        return found

    @cached_property
    def _own(self) -> list[tuple[Call, Sequence[Table]]]:
        """The tables of each earlier call, for its own respondents."""
        return [(call, call.tables or self._made_again(call)) for call in self.calls]

    def _made_again(self, call: Call) -> list[Table]:
        """Make the tables of an earlier call that kept none, as far as there are their columns."""
        extract = self.extract if call.frame is None else replace(self.extract, frame=call.frame)
        by = {ALL: (), **{name: names for name, names in call.by.items() if self._has(extract, names)}}
        return tables_of(self._cells(extract, by, together=call.together), together=call.together)

    def _has(self, extract: Extract, names: Sequence[str]) -> bool:
        """Whether the extract still has the columns of an earlier breakdown."""
        try:
            group_codes(extract, names)
        except UnknownNameError:
            self._say(COLUMN_GONE)
            return False
        return True

    def _cells(self, extract: Extract, by: Mapping[str, tuple[str, ...]], *, together: bool) -> Cells:
        groups = group_codes(extract, list(dict.fromkeys(n for names in by.values() for n in names)))
        return make_cells(extract.frame, by, groups, Design(), together=together)

    def other_members(self, name: str) -> bool:
        """Whether other people are in the groups of a breakdown than in an earlier run."""
        return any(
            table.digest(ids_of(call.frame), call.people) != call.members[name]
            for call, tables in self._own
            if call.frame is not None and name in call.members and name != ALL
            for table in tables
            if table.name == name
        )

    def altered(self, call: Call, names: Sequence[str], read: Callable[[Extract], Answers]) -> Flags:
        """Say who of the extract answered otherwise in an earlier call, respondents × measures."""
        found = np.zeros((self.now.height, len(names)), bool)
        if call.frame is None:
            return found
        place = call.place_in(self.now)
        here, there = self.extract.frame.filter(place >= 0), call.frame[place[place >= 0]]
        held = [{*frame.columns} for frame in (here, there)]
        asked = [[c for c in self.extract.edition.columns if c in columns] for columns in held]
        if asked[0] == asked[1] and here.select(asked[0]).equals(there.select(asked[0])):
            return found
        now, then = (read(replace(self.extract, frame=frame)) for frame in (here, there))
        for j, name in enumerate(names):
            if name in now.names and name in then.names:
                found[place >= 0, j] = (now.of(name) != then.of(name)).any(axis=1)
        return found


def _spans(table: Table, organisation: NDArray[np.int64]) -> bool:
    """Whether a group has people of several organisations."""
    here = table.of >= 0
    pairs = np.unique(np.column_stack([table.of[here], organisation[here]]), axis=0)
    return not table.together and len(pairs) > len(np.unique(pairs[:, 0]))
