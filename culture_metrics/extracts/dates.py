"""The days on which people answered: read in whatever form a file has them, and kept apart from answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import polars as pl
import yaml

from culture_metrics.errors import ExtractError
from culture_metrics.files.names import shown, squeeze

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.files.raw import RawTable

#: What a column is matched with that has them.
MEANS = "date of response"
#: Days are those of this place, where a time says how far it is from UTC.
PLACE = "Europe/London"
DAY, ROW = "date", "row"
#: What may follow a day: a time, perhaps with a zone.
TIME = (
    r"(?:[T ,]+(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(?:[:.][0-9]{2}(?:[.,][0-9]+)?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|BST|[+-][0-9]{2}:?[0-9]{2})?(?: ?(?:GMT|BST))?)?$"
)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_END, _NAMED = r"(?:st|nd|rd|th)?", r"^(?:[A-Za-z]{3,9},? )?"
#: Forms of a day. In that of `first` and `second` the order is that of the whole column.
FORMS = (
    r"^(?P<year>[0-9]{4})[-/.](?P<month>[0-9]{1,2})[-/.](?P<day>[0-9]{1,2})",
    r"^(?P<year>20[0-9]{2})(?P<month>[01][0-9])(?P<day>[0-3][0-9])",
    r"^(?P<first>[0-9]{1,2})[-/.](?P<second>[0-9]{1,2})[-/.](?P<year>[0-9]{4}|[0-9]{2})",
    rf"{_NAMED}(?P<day>[0-9]{{1,2}}){_END}[- /](?P<name>[A-Za-z]{{3,9}})\.?[- /,]+"
    r"(?P<year>[0-9]{4}|[0-9]{2})",
    rf"{_NAMED}(?P<name>[A-Za-z]{{3,9}})\.? (?P<day>[0-9]{{1,2}}){_END},? (?P<year>[0-9]{{4}})",
)
#: A day as spreadsheets count them, from 2000 to 2099.
SERIAL, FIRST, LAST = r"^([0-9]{5})(?:\.[0-9]+)?$", 36526, 73050
#: Answers of one survey come in within so many days.
MOST_DAYS = 183
PARTS = ("year", "month", "day", "first", "second", "name", "hour", "minute", "half", "zone")


@dataclass(frozen=True)
class ResponseDates:
    """The days on which people answered, by the number of their row; they never stand among answers.

    Attributes
    ----------
    table : polars.DataFrame
        `row, date`: those that could be read.
    column : str
        What the file calls the column.
    order : str
        How days and months stand in it, where its dates do not say so themselves; else empty.
    unreadable : int
        Cells with something else.
    """

    table: pl.DataFrame = field(repr=False)
    column: str = ""
    order: str = ""
    unreadable: int = 0


@cache
def known_names() -> Mapping[str, int]:
    """Names of columns with the date of a response, squeezed, and how far each is to be preferred."""
    text = files("data_schemas").joinpath("extract_dates.yaml").read_text(encoding="utf-8")
    return {squeeze(name): place for place, name in enumerate(yaml.safe_load(text)["dates"])}


def is_date(target: str) -> bool:
    """Tell whether a column was matched with the date of a response.

    Examples
    --------
    >>> is_date("Date of response"), is_date("q25c")
    (True, False)
    """
    return squeeze(target) == squeeze(MEANS)


def read_dates(raw: RawTable, name: str, rows: pl.Series) -> ResponseDates:
    """Read the column with the date of each response, as far as its row is among these.

    Raises
    ------
    ExtractError
        When days and months stand in it in two orders.
    """
    raw.check_types([name])
    dtype = raw.lazy.collect_schema()[name]
    number = (pl.int_range(pl.len(), dtype=pl.UInt32) + raw.first_row).cast(rows.dtype).alias(ROW)
    cells = raw.pick([number, _cells(raw, name, dtype)]).filter(pl.col(ROW).is_in(rows.implode()))
    if dtype in (pl.Date, pl.Datetime):
        return ResponseDates(cells.drop_nulls(DAY), shown(name))
    days, order = days_of(cells[DAY], f"{raw.where}, column {shown(name)}")
    lost = days.null_count() - cells[DAY].null_count()
    return ResponseDates(cells.with_columns(days).drop_nulls(DAY), shown(name), order, lost)


def _cells(raw: RawTable, name: str, dtype: pl.DataType) -> pl.Expr:
    cell = pl.col(name)
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        cell = cell.dt.convert_time_zone(PLACE).dt.date()
    elif dtype in (pl.Date, pl.Datetime):
        cell = cell.cast(pl.Date)
    elif dtype.is_temporal():  # a time of day, or how long it took
        cell = pl.when(cell.is_not_null()).then(pl.lit("no day"))
    else:
        cell = raw.text(name)
    return cell.alias(DAY)


def days_of(texts: pl.Series, where: str) -> tuple[pl.Series, str]:
    """Return the day that each text says, and the order of days and months where it had to be told.

    Notes
    -----
    `03/10/2024` is 3 October unless some text of the column has a second number above 12 and none a first, or
    the days would lie further apart than those of a survey, and with the month first would not. `24/10/03` is
    3 October where the column has one or two first numbers, and more last ones.
    A time with its distance from UTC is the day that it was in London; any other time is taken as local.
    Numbers are those that spreadsheets count days by.

    Raises
    ------
    ExtractError
        When some texts have the day first and others the month; when a spreadsheet took days for months in
        some cells and left the others, which have no such month, as text.

    Examples
    --------
    >>> days, order = days_of(pl.Series(["03/10/2024", "2024-10-03T23:30:00Z", "45568.4", "soon"]), "a file")
    >>> [str(day) for day in days], order
    (['2024-10-03', '2024-10-04', '2024-10-03', 'None'], 'day first')
    """
    each = texts.drop_nulls().unique(maintain_order=True).cast(pl.String).alias("text").to_frame()
    plain = pl.col("text").str.replace_all(r"\s+", " ").str.strip_chars()
    groups = [plain.str.extract_groups(form + TIME).alias(str(n)) for n, form in enumerate(FORMS)]
    found = each.with_columns(groups)
    fields = [{f.name for f in found.schema[str(n)].fields} for n in range(len(FORMS))]  # type: ignore[attr-defined]
    parts = found.select(
        "text",
        plain.str.extract(SERIAL).cast(pl.Int32).alias("serial"),
        *(
            pl.coalesce(pl.col(str(n)).struct.field(p) for n, has in enumerate(fields) if p in has).alias(p)
            for p in PARTS
        ),
    ).with_columns(pl.col("year", "month", "day", "first", "second", "hour", "minute").cast(pl.Int32))
    parts, years_first = _years_first(parts)
    order = _order(parts, where) or ("year first" if years_first else "")
    mine, other = ("first", "second") if order != "month first" else ("second", "first")
    year = pl.col("year") + pl.when(pl.col("year") < 100).then(2000).otherwise(0)
    named = pl.col("name").str.to_lowercase().str.head(3)
    numbers = {name: n for n, name in enumerate(MONTHS, 1)}
    month = pl.coalesce("month", other, named.replace_strict(numbers, default=None, return_dtype=pl.Int32))
    # A text such as 2024-02-31 is no day: as text it becomes none, where numbers would stop everything.
    plain_day = pl.format(
        "{}-{}-{}",
        year,
        month.cast(pl.String).str.zfill(2),
        pl.coalesce("day", mine).cast(pl.String).str.zfill(2),
    ).str.to_date("%Y-%m-%d", strict=False)
    counted = pl.col("serial").is_between(FIRST, LAST)
    serial = pl.when(counted).then(pl.col("serial") - 25569).cast(pl.Date)
    days = parts.with_columns(_in_london(plain_day).alias(DAY)).select(
        "text", pl.coalesce(DAY, serial).alias(DAY)
    )
    known = dict(days.drop_nulls().iter_rows())
    told = texts.cast(pl.String).replace_strict(known, default=None, return_dtype=pl.Date)
    return told.alias(DAY), order


def _order(parts: pl.DataFrame, where: str) -> str:
    first, second = parts["first"], parts["second"]
    day, month = ((first > 12) & (second <= 12)).any(), ((second > 12) & (first <= 12)).any()
    if day and month:
        raise ExtractError(
            "Dates of response have the day first in some rows and the month first in others",
            where=where,
            expected="one order in the whole column",
            hint="Have the column written as 2024-10-31 in every row, or leave it out.",
        )
    others = parts.select(day=pl.coalesce("day", pl.from_epoch(pl.col("serial") - 25569, "d").dt.day()))
    if (day or month) and parts.filter(first <= 12, second <= 12).is_empty() and _all_early(others["day"]):
        raise ExtractError(
            "A spreadsheet seems to have taken days for months in dates of response: cells that are dates "
            "all have days up to 12, and those that are text later ones",
            where=where,
            expected="the dates as the survey's system wrote them",
            hint="Import the column as text from the original file, and write it as 2024-10-31 in every row.",
        )
    if first.null_count() == parts.height:
        return ""
    return "month first" if month or (not day and _far_apart(parts)) else "day first"


def _all_early(days: pl.Series) -> bool:
    """Tell whether several days are known, and none is after the twelfth."""
    return days.drop_nulls().len() > 1 and bool((days.drop_nulls() <= 12).all())


def _far_apart(parts: pl.DataFrame) -> bool:
    """Tell whether days lie further apart than those of a survey, and would not with the month first."""
    year = pl.col("year") + pl.when(pl.col("year") < 100).then(2000).otherwise(0)
    known = parts.filter(pl.col("first").is_between(1, 12), pl.col("second").is_between(1, 12))
    day_first, month_first = (
        (days.max() - days.min()).dt.total_days()
        for days in (pl.date(year, "second", "first"), pl.date(year, "first", "second"))
    )
    return bool(
        known.select(((day_first > MOST_DAYS) & (month_first <= MOST_DAYS)).fill_null(value=False)).item()
    )


def _years_first(parts: pl.DataFrame) -> tuple[pl.DataFrame, bool]:
    """Move the numbers of texts such as 24/10/31, where only their last ones can be days."""
    short = pl.col("first").is_not_null() & (pl.col("year") < 100)
    first, last = (parts.filter(short)[name] for name in ("first", "year"))
    if first.is_empty() or first.min() < 20 or not first.n_unique() < min(3, last.n_unique()):  # type: ignore[operator]
        return parts, False
    moved = {"year": "first", "month": "second", "day": "year"}
    none = pl.lit(None, pl.Int32)
    return parts.with_columns(
        *(pl.when(short).then(source).otherwise(name).alias(name) for name, source in moved.items()),
        *(pl.when(short).then(none).otherwise(name).alias(name) for name in ("first", "second")),
    ), True


def _in_london(day: pl.Expr) -> pl.Expr:
    """Move a day to that of London where its time says how far it is from UTC."""
    zone = (
        pl.col("zone")
        .replace({"Z": "+0000", "UTC": "+0000", "GMT": "+0000", "BST": "+0100"})
        .str.replace(":", "")
    )
    sign = pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)
    away = sign * (zone.str.slice(1, 2).cast(pl.Int32) * 60 + zone.str.slice(3, 2).cast(pl.Int32))
    late = pl.col("half").str.to_lowercase().str.starts_with("p").fill_null(value=False)
    early = pl.col("half").str.to_lowercase().str.starts_with("a").fill_null(value=False)
    hour = pl.col("hour") % pl.when(late | early).then(12).otherwise(24) + pl.when(late).then(12).otherwise(0)
    moment = day.cast(pl.Datetime("us")) + pl.duration(minutes=hour * 60 + pl.col("minute") - away)
    local = moment.dt.replace_time_zone("UTC").dt.convert_time_zone(PLACE).dt.date()
    return pl.when(zone.is_not_null()).then(local).otherwise(day)
