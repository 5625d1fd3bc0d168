"""Response over fieldwork: how many of the staff had answered by which day, nobody standing alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.extracts.dates import ROW
from culture_metrics.indicators.days import FEWEST, OTHERS, PLACE, in_steps, window
from culture_metrics.output import Output
from culture_metrics.problems import counted
from culture_metrics.wording.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.days import InSteps, Window

    Numbers = NDArray[np.int64]

KEY = ["organisation", "breakdown", "group"]
#: Steps of groups are made coarser, down to two, until so many of those with a rate fit.
FIT = 0.5
TOO_FEW = "Too few answers have a date within fieldwork to show response over it."
OTHER_GROUPS = (
    "Groups are not shown over fieldwork: others of the same people, or other steps of them, were shown "
    "before, and both would tell of parts of both. If an earlier report went to nobody, report into another "
    "folder."
)


@dataclass(frozen=True, repr=False, eq=False)
class ResponseOverFieldwork(Output):
    """How many of the staff had answered by the end of each step of fieldwork.

    Attributes
    ----------
    table : polars.DataFrame
        `organisation, breakdown, group, until` (last day of the step), `base` (answers up to then), `staff`,
        `estimate` (per cent of the staff).
    minimum_base : int
        At least so many people answered in each step of each group shown, and of all others together.
    words : mapping
        What the trust calls its breakdowns, by id.
    notes : tuple of str
        How dates were read, and which answers have none.
    start : datetime.date
        First day of fieldwork: as given, else the Monday before the first answer.
    """

    table: pl.DataFrame
    minimum_base: int
    words: Mapping[str, str]
    notes: tuple[str, ...]
    start: date

    def rules(self) -> tuple[str, ...]:
        """Say how steps are pooled, and what was done with answers without a date."""
        return (
            f"Days are put together until {self.minimum_base} people or more answered in each step; groups "
            "are shown on steps that are common to them, where that many answered in every one, and among "
            "everybody else together. All answers count at the end.",
            *self.notes,
        )

    def summary(self) -> str:
        """Say by when half of those who answered had done so, and how much the last week brought."""
        whole = self.table.filter(breakdown=ALL)
        return " ".join(
            _said(rows, self.start) for _, rows in whole.group_by("organisation", maintain_order=True)
        )

    def figure(self) -> go.Figure:
        """Draw the response of the whole by day."""
        from culture_metrics import views

        whole = self.table.filter(breakdown=ALL)
        rows = whole.select(
            pl.format(
                "{}: {}%", "organisation", pl.col("estimate").last().over("organisation").round(1)
            ).alias("line"),
            ((pl.col("until") - self.start).dt.total_days() + 1).cast(pl.Float64).alias("x"),
            "estimate",
            conf_low=pl.lit(None, pl.Float64),
            conf_high=pl.lit(None, pl.Float64),
        )
        return views.lines(
            rows,
            x_title="Day of fieldwork",
            y_title="Staff who had answered, per cent",
            title=self._headline(whole),
            subtitle=f"Response over fieldwork. Day 1 is {said_day(self.start)}",
            source="Respondent file; eligible staff as given",
            notes=" ".join(self.notes),
            from_zero=True,
        )

    def _headline(self, whole: pl.DataFrame) -> str:
        """Say what the picture shows: of one organisation by when half had answered."""
        if whole["organisation"].n_unique() > 1:
            return "How many of the staff had answered by which day"
        row = _half(whole)
        day = (row["until"] - self.start).days + 1
        return f"Half of the answers were in by {said_day(row['until'])}, day {day}"

    def groups(self) -> Table | None:
        """Lay out the response of groups, a column for each step; None where no group may be shown."""
        rows = self.table.filter(pl.col("breakdown") != ALL)
        if rows.is_empty():
            return None
        name = rows["breakdown"][0]
        wide = rows.with_columns(
            pl.format("{}%", pl.col("estimate").round(1)), until=pl.col("until").dt.strftime("by %-d %b")
        ).pivot("until", index="group", values="estimate")
        label = self.words.get(name, name)
        frame = wide.sort("group").rename({"group": label})
        title = "Staff who had answered by then, where enough answered in each step"
        return Table(frame, title, numbers=tuple(frame.columns[1:]))


def said_day(day: date) -> str:
    """Write a day as a sentence has it.

    Examples
    --------
    >>> said_day(date(2024, 10, 3))
    '3 October 2024'
    """
    return f"{day.day} {day:%B %Y}"


def _said(rows: pl.DataFrame, start: date) -> str:
    last = rows.row(-1, named=True)
    half = _half(rows)
    return (
        f"{last['organisation']}: half of the answers were in by {said_day(half['until'])}, day "
        f"{(half['until'] - start).days + 1} of fieldwork; {last['estimate']:.1f}% of the staff had answered "
        f"by its end, {said_day(last['until'])}."
    )


def _half(rows: pl.DataFrame) -> dict[str, Any]:
    """Return the step by whose end half of the answers were in."""
    return rows.filter(pl.col("base") * 2 >= pl.col("base").max()).row(0, named=True)


def response_over_fieldwork(
    extract: Extract, rates: pl.DataFrame, least: int, fieldwork: Window | None = None
) -> ResponseOverFieldwork | str:
    """Count answers over fieldwork beside response rates, or say why not.

    Parameters
    ----------
    extract : Extract
        With its days of response.
    rates : polars.DataFrame
        The table of `ResponseRates`: what of it is shown decides which groups may be.
    least : int
        Smallest number of answers in a step.
    fieldwork : (date, date), optional
        First and last day. Left out, days of the year of the survey and of two months after it count.
    """
    if extract.dates is None:
        return "When people answered is not known: no column was named that has the date of a response."
    parts = in_steps(extract, least, fieldwork)
    tables, others, alike = [], False, True
    shown = rates.filter(pl.col("status") == "reported")
    columns = _columns(extract, rates)
    kept = {}
    for name, part in parts.items():
        mine = shown.filter(organisation=name)
        if mine.filter(breakdown=ALL).is_empty():
            continue
        if not part.keep(extract):
            others = True
            continue
        kept[name] = part
        found, same = _of(extract, part, mine, least, columns)
        tables += found
        alike &= same
    if not tables:
        return OTHERS if others else TOO_FEW
    notes = _notes(extract, kept.values(), least, window(extract.period, fieldwork))
    notes += () if alike else (OTHER_GROUPS,)
    start = next(iter(kept.values())).start
    return ResponseOverFieldwork(pl.concat(tables), least, extract.words, notes, start)


def _columns(extract: Extract, rates: pl.DataFrame) -> list[pl.Expr]:
    from culture_metrics.indicators.breakdowns import group_columns

    names = [n for n in rates["breakdown"].unique().sort() if n != ALL]
    return [column.cast(pl.String).alias(f"by {n}") for n, column in group_columns(extract, names).items()]


def _of(
    extract: Extract, part: InSteps, rates: pl.DataFrame, least: int, columns: Sequence[pl.Expr]
) -> tuple[list[pl.DataFrame], bool]:
    """Return the steps of the whole by day, and of the groups of one breakdown by some of these steps.

    Says too whether the groups are those that were shown first: others would tell of parts of both.
    """
    everyone = np.bincount(part.people[PLACE], minlength=len(part.ends))
    found = [_counted(everyone, rates.filter(breakdown=ALL), part.ends)]
    named = [n for n in rates["breakdown"].unique(maintain_order=True) if n != ALL]
    named.sort(key=lambda name: rates.filter(breakdown=name).height)
    groups = part.people.select(ROW, PLACE).join(
        extract.frame.select(ROW, *columns), on=ROW, maintain_order="left"
    )
    for name in named:
        mine = rates.filter(breakdown=name)
        of_group = groups.select(PLACE, group=f"by {name}")
        each = np.array([_numbers(of_group.filter(group=group), len(part.ends)) for group in mine["group"]])
        places, fit = _fitting(everyone, each, part.week_ends(), least)
        if fit:
            shown = mine[fit]
            told = [name, *map(str, places), *sorted(shown["group"])]
            if not part.keep(extract, of_group["group"], told):
                return found, False
            steps = [part.ends[place] for place in places]
            counts = _together(each[fit], places)
            found += [_counted(numbers, shown[row : row + 1], steps) for row, numbers in enumerate(counts)]
            break  # a second breakdown beside it would tell of parts of both
    return found, True


def _numbers(people: pl.DataFrame, steps: int) -> Numbers:
    """Count the answers in each step; those without a day are of the last."""
    return np.bincount(people[PLACE], minlength=steps)


def _together(each: Numbers, places: Sequence[int]) -> Numbers:
    """Add up the numbers of steps until each of these places."""
    return np.add.reduceat(each, [0, *(place + 1 for place in places[:-1])], axis=-1)


def _fitting(
    everyone: Numbers, each: Numbers, week_ends: Sequence[int], least: int
) -> tuple[list[int], list[int]]:
    """Return the steps that groups are shown on, and the groups that may be: two, or none.

    They end where steps of the whole do: what is left over between the two is steps of the whole.
    """
    places = [*week_ends]
    while len(places) >= FEWEST:
        whole, numbers = _together(everyone, places), _together(each, places)
        by_size = np.argsort(each.sum(axis=1), kind="stable").tolist()
        fit = [group for group in by_size if numbers[group].min() >= least]
        while fit and not _is_many(whole - numbers[fit].sum(axis=0), least):
            fit = fit[1:]  # the smallest joins those who are not shown
        if len(fit) >= max(FEWEST, FIT * len(each)) or (fit and len(places) == FEWEST):
            return places, sorted(fit)
        fewest = int(whole.argmin())
        del places[fewest if fewest < len(places) - 1 else fewest - 1]
    return places, []


def _is_many(rest: Numbers, least: int) -> bool:
    """Tell whether everybody else is nobody at all, or many in each step."""
    return not rest.any() or bool(rest.min() >= least)


def _counted(numbers: Numbers, row: pl.DataFrame, steps: Sequence[date]) -> pl.DataFrame:
    base = pl.Series("base", numbers, pl.UInt32).cum_sum()
    table = row.select(*KEY).join(pl.DataFrame({"until": [*steps]}, schema={"until": pl.Date}), how="cross")
    staff = pl.lit(row["staff"].item(), pl.UInt32).alias("staff")
    return table.with_columns(base, staff).with_columns(estimate=100 * pl.col("base") / pl.col("staff"))


def _notes(
    extract: Extract, parts: Iterable[InSteps], least: int, ends: tuple[date, date]
) -> tuple[str, ...]:
    dates = extract.dates
    said = []
    if dates and dates.order:
        said.append(f"Dates in the column {dates.column} are read with the {dates.order}.")
    each = [[part.without, part.outside] for part in parts]
    none, outside = (sum(numbers) for numbers in zip(*each, strict=True))
    few = [0 < number < least for numbers in each for number in numbers]
    never = f"a date before {said_day(ends[0])} or after {said_day(ends[1])}"
    if any(few) and max(none, outside) >= least:
        # One of the two is few: what both are together is known from the rest.
        said.append(
            f"{_few(none + outside, least)} without a date that can be read, or with {never}, count at the "
            "end only."
        )
        none = outside = 0
    if none:
        said.append(f"{_few(none, least)} without a date that can be read count at the end only.")
    if outside:
        said.append(f"{_few(outside, least)} with {never} count at the end only.")
    return tuple(text[0].upper() + text[1:] for text in said)


def _few(number: int, least: int) -> str:
    return counted(number, "answer") if number >= least else f"fewer than {least} answers"
