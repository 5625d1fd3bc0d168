"""Response over fieldwork: how many of the staff had answered by which day, nobody standing alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import CultureMetricsError
from culture_metrics.extracts.dates import DAY, ROW
from culture_metrics.output import Output
from culture_metrics.problems import counted
from culture_metrics.wording.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from culture_metrics.extracts.extract import Extract

KEY = ["organisation", "breakdown", "group"]
WEEK = 7
#: Steps of groups are made coarser, down to two, until so many of those with a rate fit.
FIT, FEWEST = 0.5, 2
TOO_FEW = "Too few answers have a date within fieldwork to show response over it."
Window = tuple[date | str | None, date | str | None]


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
    first, last = window(extract.period, fieldwork)
    own = extract.frame.select(ROW, "organisation", *_columns(extract, rates)).join(
        extract.dates.table, on=ROW, how="left", maintain_order="left"
    )
    inside = pl.col(DAY).is_between(first, last)
    own = own.with_columns(pl.when(inside).then(DAY).alias(DAY), outside=pl.col(DAY).is_not_null() & ~inside)
    if own[DAY].drop_nulls().len() < FEWEST * least:
        return TOO_FEW
    # Not the days of the first and the last answer: they are one person's.
    days = own.select(pl.col(DAY).min().dt.truncate("1w").alias("first"), pl.col(DAY).max().dt.truncate("1w"))
    given = fieldwork or (None, None)
    start = first if given[0] else days.item(0, 0)
    end = last if given[1] else days.item(0, 1) + timedelta(days=WEEK - 1)
    tables = []
    shown = rates.filter(pl.col("status") == "reported")
    for (organisation,), mine in shown.group_by("organisation", maintain_order=True):
        people = own.filter(pl.col("organisation") == organisation)
        if people[DAY].drop_nulls().len() >= FEWEST * least:
            tables += _of(people, mine, least, (start, end))
    if not tables:
        return TOO_FEW
    notes = _notes(extract, own, least, (first, last))
    return ResponseOverFieldwork(pl.concat(tables), least, extract.words, notes, start)


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


def _columns(extract: Extract, rates: pl.DataFrame) -> list[pl.Expr]:
    from culture_metrics.indicators.breakdowns import group_columns

    names = [n for n in rates["breakdown"].unique().sort() if n != ALL]
    return [column.cast(pl.String).alias(f"by {n}") for n, column in group_columns(extract, names).items()]


def _of(people: pl.DataFrame, rates: pl.DataFrame, least: int, ends: tuple[date, date]) -> list[pl.DataFrame]:
    """Return the steps of the whole by day, and of the groups of one breakdown by longer ones."""
    whole = rates.filter(breakdown=ALL)
    if whole.is_empty():
        return []
    days = pooled(people[DAY].drop_nulls().value_counts(name="n").sort(DAY), least, ends[1])
    found = [_counted(people, whole, days)]
    start, last = map(pl.lit, ends)
    weeks = ((pl.col(DAY) - start).dt.total_days() // WEEK + 1) * WEEK - 1
    week = people.select(pl.min_horizontal(start + pl.duration(days=weeks), last).alias(DAY)).drop_nulls()
    grid = pooled(week[DAY].value_counts(name="n").sort(DAY), least, ends[1])
    named = [n for n in rates["breakdown"].unique(maintain_order=True) if n != ALL]
    named.sort(key=lambda name: rates.filter(breakdown=name).height)
    for name in named:
        mine = rates.filter(breakdown=name)
        steps, groups = _fitting(people.rename({f"by {name}": "group"}), mine, grid, least)
        if groups:
            shown = mine.filter(pl.col("group").is_in(groups))
            found += [
                _counted(
                    people.filter(pl.col(f"by {name}") == row["group"]),
                    pl.DataFrame([row], mine.schema),
                    steps,
                )
                for row in shown.iter_rows(named=True)
            ]
            break  # a second breakdown beside it would tell of parts of both
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


def _numbers(people: pl.DataFrame, steps: Sequence[date]) -> list[int]:
    """Count the answers in each step; those without a day are of the last."""
    days = people[DAY].fill_null(steps[-1])
    found = pl.Series(steps, dtype=pl.Date).search_sorted(days, side="left").value_counts()
    counts = dict(found.iter_rows())
    return [counts.get(place, 0) for place in range(len(steps))]


def _fitting(
    people: pl.DataFrame, rates: pl.DataFrame, grid: Sequence[date], least: int
) -> tuple[list[date], list[str]]:
    """Return the steps that groups are shown on, and the groups that may be: two, or none."""
    steps = [*grid]
    while len(steps) >= FEWEST:
        each = {group: _numbers(people.filter(pl.col("group") == group), steps) for group in rates["group"]}
        fit = sorted((g for g, n in each.items() if min(n) >= least), key=lambda g: sum(each[g]))
        whole = _numbers(people, steps)
        while fit and not _rest_is_many([whole, *(each[g] for g in fit)], least):
            fit = fit[1:]  # the smallest joins those who are not shown
        if len(fit) >= max(FEWEST, FIT * rates.height) or (fit and len(steps) == FEWEST):
            return steps, fit
        fewest = min(range(len(steps)), key=lambda place: whole[place])
        del steps[fewest if fewest < len(steps) - 1 else fewest - 1]
    return steps, []


def _rest_is_many(numbers: Sequence[Sequence[int]], least: int) -> bool:
    """Tell whether everybody else is nobody at all, or many in each step."""
    rest = [whole - sum(shown) for whole, *shown in zip(*numbers, strict=True)]
    return not any(rest) or min(rest) >= least


def _counted(people: pl.DataFrame, row: pl.DataFrame, steps: Sequence[date]) -> pl.DataFrame:
    base = pl.Series("base", _numbers(people, steps), pl.UInt32).cum_sum()
    table = row.select(*KEY).join(pl.DataFrame({"until": [*steps]}, schema={"until": pl.Date}), how="cross")
    staff = pl.lit(row["staff"].item(), pl.UInt32).alias("staff")
    return table.with_columns(base, staff).with_columns(estimate=100 * pl.col("base") / pl.col("staff"))


def _notes(extract: Extract, own: pl.DataFrame, least: int, ends: tuple[date, date]) -> tuple[str, ...]:
    dates = extract.dates
    outside = int(own["outside"].sum())
    none = own[DAY].null_count() - outside
    said = []
    if dates and dates.order:
        said.append(f"Dates in the column {dates.column} are read with the {dates.order}.")
    if none:
        said.append(f"{_few(none, least)} without a date that can be read count at the end only.")
    if outside:
        said.append(
            f"{_few(outside, least)} with a date before {said_day(ends[0])} or after {said_day(ends[1])} "
            "count at the end only."
        )
    return tuple(text[0].upper() + text[1:] for text in said)


def _few(number: int, least: int) -> str:
    return counted(number, "answer") if number >= least else f"fewer than {least} answers"
