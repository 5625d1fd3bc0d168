"""Who answered in which step of fieldwork: one grid for all that is shown over it, kept as it was first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.disclosure.decision import ids_of, people_of
from culture_metrics.errors import CultureMetricsError
from culture_metrics.extracts.dates import DAY, ROW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract

WEEK = 7
#: Steps that there are at least.
FEWEST = 2
#: The number of one's step, and whether one's day is not known or outside fieldwork.
PLACE, OUTSIDE, WITHOUT = "place", "outside", "without"
OTHERS = (
    "Response over fieldwork was shown before for the same people with other days, or other dates of "
    "fieldwork: both together would tell when single people answered. Put back the dates and `fieldwork:` "
    "of then; if the earlier report went to nobody, report into another folder."
)
Window = tuple[date | str | None, date | str | None]


@dataclass(frozen=True)
class InSteps:
    """The people of one organisation in steps of fieldwork; many with a day within it answered in each.

    Attributes
    ----------
    people : polars.DataFrame
        `row, place` (of the step; the last one for those without a day), `outside, without`.
    ends : tuple of date
        Last day of each step.
    start : date
        First day of fieldwork: as given, else the Monday before the first answer.
    organisation : str
    """

    people: pl.DataFrame
    ends: tuple[date, ...]
    start: date
    organisation: str

    @property
    def outside(self) -> int:
        """Answers with a day outside fieldwork."""
        return int(self.people[OUTSIDE].sum())

    @property
    def without(self) -> int:
        """Answers without a day."""
        return int(self.people[WITHOUT].sum())

    def week_ends(self) -> list[int]:
        """Return the last step that ends in each week."""
        last = {(end - self.start).days // WEEK: place for place, end in enumerate(self.ends[:-1])}
        return [*last.values(), len(self.ends) - 1]

    def half(self) -> int:
        """Return the step by whose end half of the answers were in.

        Examples
        --------
        >>> ends = tuple(date(2024, 10, day) for day in (1, 2, 3))
        >>> InSteps(pl.DataFrame({"place": [0, 0, 1, 1, 1, 2]}), ends, ends[0], "RXX").half()
        1
        """
        return int(self.people[PLACE].sort()[(self.people.height - 1) // 2])

    def keep(self, extract: Extract, groups: pl.Series | None = None, told: Sequence[str] = ()) -> bool:
        """Keep who is in which step, and in which group; say whether it was so the first time.

        What the answers add up to goes in: who knows all ids and nearly all days could try the others.
        """
        mine = extract.frame.join(self.people.select(ROW), on=ROW, how="semi", maintain_order="left")
        steps = self.people.select(
            PLACE, OUTSIDE, WITHOUT, group=pl.lit(None, pl.String) if groups is None else groups
        )
        who = pl.concat([ids_of(mine), steps], how="horizontal").select(
            pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator="|")
        )
        text = "\n".join([repr(people_of(mine, [*extract.edition.columns])), *told, *sorted(who.to_series())])
        what = self.organisation if groups is None else f"groups of {self.organisation}"
        return extract.decision.keeps(what, sha256(text.encode()).hexdigest())


def in_steps(extract: Extract, least: int, fieldwork: Window | None) -> dict[str, InSteps]:
    """Put the people of each organisation in steps of fieldwork, where there are enough for two.

    Everything that is shown over fieldwork ends where some of these steps end.
    """
    first, last = window(extract.period, fieldwork)
    days = extract.frame.select(ROW, "organisation").join(
        extract.dates.table if extract.dates else pl.DataFrame(schema={ROW: pl.UInt32, DAY: pl.Date}),
        on=ROW, how="left", maintain_order="left",
    )  # fmt: skip
    known, inside = pl.col(DAY).is_not_null(), pl.col(DAY).is_between(first, last)
    days = days.with_columns(
        pl.when(inside).then(DAY).alias(DAY), (known & ~inside).alias(OUTSIDE), (~known).alias(WITHOUT)
    )
    if days[DAY].null_count() == days.height:
        return {}
    # Not the days of the first and the last answer: they are one person's.
    weeks = days.select(
        pl.col(DAY).min().dt.truncate("1w").alias("first"), pl.col(DAY).max().dt.truncate("1w")
    )
    given = fieldwork or (None, None)
    start = first if given[0] else weeks.item(0, 0)
    end = last if given[1] else weeks.item(0, 1) + timedelta(days=WEEK - 1)
    found = {}
    for (organisation,), people in days.group_by("organisation", maintain_order=True):
        dated = people[DAY].drop_nulls()
        if dated.len() < FEWEST * least:
            continue
        ends = pooled(dated.value_counts(name="n").sort(DAY), least, end)
        place = pl.Series(ends, dtype=pl.Date).search_sorted(people[DAY].fill_null(end), side="left")
        steps = people.select(ROW, OUTSIDE, WITHOUT).with_columns(place.cast(pl.Int64).alias(PLACE))
        found[str(organisation)] = InSteps(steps, tuple(ends), start, str(organisation))
    return found


def pooled(counts: pl.DataFrame, least: int, end: date) -> list[date]:
    """Put days together until so many people are in each step; return the last day of each.

    Examples
    --------
    >>> days = [date(2024, 10, day) for day in (1, 2, 3, 4)]
    >>> pooled(pl.DataFrame({"date": days, "n": [4, 8, 30, 2]}), 11, date(2024, 10, 6))
    [datetime.date(2024, 10, 2), datetime.date(2024, 10, 6)]
    """
    ends: list[date] = []
    here = 0
    for day, n in counts.iter_rows():
        here += n
        if here >= least:
            ends.append(day)
            here = 0
    # What is left joins the last step.
    return [*ends[:-1], end]


def window(period: str, fieldwork: Window | None) -> tuple[date, date]:
    """Return first and last day that an answer may have come in.

    Examples
    --------
    >>> window("2024", ("2024-09-23", None))
    (datetime.date(2024, 9, 23), datetime.date(2025, 2, 28))
    """
    year = int(period[:4])
    ends = (date(year, 1, 1), date(year + 1, 2, 28))
    given = [_day(one) for one in fieldwork or (None, None)]
    first, last = (mine or usual for mine, usual in zip(given, ends, strict=True))
    if first >= last:
        raise CultureMetricsError(
            "Fieldwork ends before it begins",
            got=f"{first} to {last}",
            hint="Give the first day, then the last.",
        )
    return first, last


def _day(given: date | str | None) -> date | None:
    if given is None or isinstance(given, date):
        return given
    try:
        return date.fromisoformat(str(given))
    except ValueError:
        raise CultureMetricsError(
            "This is no day of fieldwork",
            got=str(given),
            expected="a day such as 2024-09-23",
            hint="Write year, month and day with dashes.",
        ) from None
