"""What of an extract was decided to be shown: made once, refined by later calls, never chosen anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import ALL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.disclosure.release import Flags, Floats

#: What a group is called in a decision.
GROUP = ["organisation", "breakdown", "group"]
People = tuple[int, ...]
#: Above so many respondents nothing is kept that is by respondent.
MANY = 60_000


@dataclass(frozen=True)
class Table:
    """A breakdown, of each organisation or of all `together`: its cells, and the cell of each respondent.

    `groups` has `organisation, breakdown, group`, a row per cell; `of` is -1 for who is in none.
    """

    together: bool
    groups: pl.DataFrame
    of: NDArray[np.int64]

    @property
    def name(self) -> str:
        """The breakdown."""
        return str(self.groups["breakdown"][0])

    def digest(self, order: pl.DataFrame, people: People) -> str:
        """Tell who is in which group, in a few letters that give nobody away.

        What the answers add up to goes in: who knows all ids and nearly all groups could try the others.
        """
        labels = self.groups["group"].append(pl.Series([""], dtype=pl.String))
        who = order.select(pl.concat_str(pl.all().cast(pl.String), separator="|")).to_series()
        group = labels.gather(np.where(self.of >= 0, self.of, len(labels) - 1))
        each = "\n".join(sorted((who + "|" + group).drop_nulls()))
        return sha256(f"{people!r}\n{each}".encode()).hexdigest()

    def same_as(self, other: Table) -> bool:
        """Whether it is the same breakdown, with the same people in its groups."""
        if (self.together, self.name) != (other.together, other.name):
            return False
        number = other.groups.with_columns(_row=pl.int_range(pl.len(), dtype=pl.Int64))
        row = self.groups.join(number, on=GROUP, how="left", maintain_order="left")["_row"].fill_null(-2)
        return np.array_equal(np.append(row.to_numpy(), -1)[self.of], other.of)


@dataclass(frozen=True)
class Call:
    """What one call decided.

    Attributes
    ----------
    by : mapping
        Breakdown -> the names it crosses.
    groups : polars.DataFrame
        `organisation, breakdown, group`, each once.
    families : tuple of str
        Sets of measures that are hidden together.
    hidden : array of bool
        Groups × families.
    untold : array of bool
        By group: whether it may not be said which are small.
    together : bool
        Whether groups are of all organisations together.
    weights : mapping
        Breakdown -> the weight of each respondent; none where everyone counts once. It stays in memory.
    about : (str, str)
        Survey and period.
    people : tuple of int
        Tells the people it is about from others (`people_of`).
    frame : polars.DataFrame, optional
        The respondents, in the order of tables and weights; in memory only, and none of many respondents.
    tables : tuple of Table
        Who is in which group; in memory only, and none of many respondents or of an earlier run.
    members : mapping
        Breakdown -> what tells who was in which of its groups, of an earlier run.
    from_ledger : bool
        Whether an earlier run made the call: of its breakdowns, only groups that were shown are in `groups`.
    """

    by: Mapping[str, tuple[str, ...]]
    groups: pl.DataFrame
    families: tuple[str, ...]
    hidden: Flags
    untold: Flags
    together: bool = False
    weights: Mapping[str, Floats] = field(default_factory=dict)
    about: tuple[str, str] = ("", "")
    people: People = ()
    frame: pl.DataFrame | None = None
    tables: tuple[Table, ...] = ()
    members: Mapping[str, str] = field(default_factory=dict)
    from_ledger: bool = False

    def place_in(self, order: pl.DataFrame) -> NDArray[np.int64]:
        """Say of respondents in another order which of the call's they are; -1 for others."""
        own = ids_of(self.frame) if self.frame is not None else order
        if own.equals(order):
            return np.arange(order.height)
        number = own.with_columns(_place=pl.int_range(pl.len(), dtype=pl.Int64))
        on = alike_in(own, order) or own.columns
        found = order.join(number, on=on, how="left", maintain_order="left", nulls_equal=True)
        return found["_place"].fill_null(-1).to_numpy()


@dataclass
class Decision:
    """The calls about an extract and what was made of it, one after the other. It holds no numbers.

    An extract with a column more or less, or with a part of the respondents, carries the decision of the one
    it was made of. `not_looked_at` says what was not, because it is too large or nobody can tell; `in_pieces`
    that a call had it in pieces. Of groups that would do alike, those of the breakdowns in `kept` are hidden
    last. `days` has what tells who was in which step of what was shown over fieldwork.
    """

    calls: list[Call] = field(default_factory=list)
    kept: frozenset[str] = frozenset()
    in_pieces: bool = False
    not_looked_at: str | None = None
    days: dict[str, str] = field(default_factory=dict)

    def keeps(self, what: str, told: str) -> bool:
        """Keep who is in which step of what is shown over fieldwork; say whether it was so the first time.

        Two steps that differ in a few people give these away: those that were shown first stand.
        """
        return self.days.setdefault(what, told) == told


def ids_of(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the columns that tell respondents from each other."""
    return frame.select(
        pl.col(c).cast(pl.String) for c in ("organisation", "respondent") if c in frame.columns
    )


def alike_in(one: pl.DataFrame, other: pl.DataFrame) -> list[str] | None:
    """Say in which columns respondents of two frames are the same ones; none where nobody can tell.

    The id alone is enough where no two have the same: an organisation may be merged into another.
    """
    for columns in (["respondent"], ["organisation", "respondent"]):
        if all(
            {*columns} <= {*ids.columns} and not ids.select(columns).is_duplicated().any()
            for ids in (one, other)
        ):
            return columns
    return None


def people_of(frame: pl.DataFrame, questions: Sequence[str]) -> People:
    """Tell the people of an extract from others: how many they are, and what their answers add up to.

    Where they are not many, also who gave them: two people who swap their answers are others.
    """
    schema = frame.schema
    numbers = [c for c in questions if c in schema and schema[c].is_integer()]
    if not numbers:
        return (frame.height,)
    answers = pl.col(numbers).cast(pl.Int64)
    sums = [answers.sum()]
    if frame.height <= MANY and (ids := ids_of(frame)).width:
        place = ids.select(pl.struct(pl.all()).rank("dense").cast(pl.Int64)).to_series()
        sums.append((answers * place).sum().name.suffix(" by id"))
    return frame.height, *frame.select(sums).row(0)


def known(calls: Sequence[Call], groups: pl.DataFrame, families: Sequence[str]) -> tuple[Flags, Flags, Flags]:
    """Say of groups × families what earlier calls showed and hid, and of which groups it was not said why."""
    shown, hidden = np.zeros((2, groups.height, len(families)), bool)
    untold = np.zeros(groups.height, bool)
    place = {name: j for j, name in enumerate(families)}
    for call in calls:
        row = groups.join(call.groups.with_row_index("_row"), on=GROUP, how="left", maintain_order="left")[
            "_row"
        ]
        here = np.flatnonzero(row.is_not_null())
        theirs = row.drop_nulls().to_numpy()
        untold[here] |= call.untold[theirs]
        both = [(place[name], j) for j, name in enumerate(call.families) if name in place]
        if not both:
            continue
        own, other = (np.array(side) for side in zip(*both, strict=True))
        if call.from_ledger:
            # Groups that it does not name were hidden.
            unnamed = np.flatnonzero(row.is_null() & groups["breakdown"].is_in([ALL, *call.by]))
            hidden[np.ix_(unnamed, own)], untold[unnamed] = True, True
        gone = call.hidden[np.ix_(theirs, other)]
        hidden[np.ix_(here, own)] |= gone
        shown[np.ix_(here, own)] |= ~gone
    # What a stricter call hid before was not shown by it; what any call showed, stays shown.
    return shown, hidden & ~shown, untold
