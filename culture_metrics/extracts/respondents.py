"""Which rows of a file are respondents of the survey in the period asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.columns import identifying
from culture_metrics.extracts.labels import values
from culture_metrics.extracts.own_words import ROW_COLUMNS
from culture_metrics.extracts.platforms import Test, platform_tests
from culture_metrics.extracts.quarters import month_quarter, said_quarter
from culture_metrics.files.names import shown, squeeze
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from culture_metrics.catalogue import Survey
    from culture_metrics.files.raw import RawTable

#: A year in the text of a year column, and a text that speaks of quarters.
PERIOD = re.compile(r"(?:19|20)\d\d")
_OF_QUARTERS = re.compile(r"(?<![a-z])(?:q|qtr|quarter)\s*\d", re.I)
#: What the column is called that says the quarter in a survey of quarters, and what joins it to the year.
QUARTERS = (
    "quarter",
    "surveyquarter",
    "pulsequarter",
    "wave",
    "surveywave",
    "pulsewave",
    "month",
    "surveymonth",
)
BETWEEN = "\x1f"

#: A year that is part of a day or a month: `2026-01-15`, `15.01.2026`, `Jan 2026`.
_DATE = re.compile(
    r"(?<!\d)(?:\d\d?[ ._-]20\d\d|20\d\d[ ._-](?:0\d|1[0-2])(?!\d)|"
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[ ._-]*20\d\d)(?!\d)",
    re.I,
)


class SeveralPeriodsError(ExtractError):
    """A file holds several years and nobody has said which one to read; `periods` has them."""

    def __init__(self, periods: list[str], where: str) -> None:
        super().__init__(
            f"The file holds {', '.join(periods)}, which are several periods",
            where=where,
            hint=f"Say which one to read: year={periods[-1]}.",
        )
        self.periods = tuple(periods)


@dataclass(frozen=True)
class Rows:
    """The rows to keep (None is all), the period they belong to as far as known, and what is set aside.

    `column` is the name of the column that says the period, where one does, and `quarter` that of the one
    that says the quarter.
    """

    keep: pl.Expr | None
    period: str | None
    set_aside: Mapping[str, int]
    column: str | None = None
    quarter: str | None = None


def row_columns(names: Iterable[str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the columns of a file that say which rows count, by the names of `ROW_COLUMNS`."""
    found: dict[str, tuple[int, str]] = {}
    order = list(identifying())
    for name in names:
        theirs = squeeze(given.get(shown(name), shown(name)))
        ours = identifying().get(theirs)
        if ours not in ROW_COLUMNS:
            continue
        rank = -1 if shown(name) in given else order.index(theirs)
        if ours not in found or rank < found[ours][0]:
            found[ours] = rank, name
    return {ours: name for ours, (_, name) in found.items()}


def choose_rows(
    raw: RawTable, given: Mapping[str, str], year: int | str | None, survey: Survey | None = None
) -> Rows:
    """Decide which rows are respondents of one period of the survey.

    Raises
    ------
    ExtractError
        When the file holds several periods and none is asked for, not the one asked for, or no respondents
        at all; when it does not say plainly which rows are bank workers.
    """
    columns = row_columns(raw.names, given)
    quarterly = survey is not None and survey.cycle == "quarter"
    period = None if year is None else str(year)
    said_by = None
    quarter = quarter_column(raw.names) if quarterly else None
    if quarter is not None:
        columns.setdefault("period", quarter)
    if not columns:
        return Rows(None, period, {})
    raw.check_types(columns.values())
    read = {ours: raw.text(name) for ours, name in columns.items()}
    if "period" in columns:
        read["period"] = period_text(raw, columns["period"], quarterly=quarterly)
    cells = raw.pick(expr.alias(ours) for ours, expr in read.items())
    tests: list[tuple[str, str, Test]] = []
    if "period" in columns:
        where = f"{raw.where}, column {shown(columns['period'])}"
        texts = read_periods(cells["period"], where, quarterly=quarterly)
        if texts:
            said_by = shown(columns["period"])
        period, test = _period(texts, period, where)
        if test is not None:
            known = [*texts]
            tests.append(("rows_without_period", "period", lambda c: c.is_in(known).fill_null(value=False)))
            tests.append(("rows_of_other_periods", "period", test))
    if "outcome" in columns and (test := _completed(cells["outcome"])) is not None:
        tests.append(("rows_not_completed", "outcome", test))
    if "main_or_bank" in columns:
        where = f"{raw.where}, column {shown(columns['main_or_bank'])}"
        if (test := _main_survey(cells["main_or_bank"], where)) is not None:
            tests.append(("rows_of_bank_workers", "main_or_bank", test))
    tests += platform_tests(cells, raw.names)
    set_aside: dict[str, int] = {}
    kept: list[pl.Expr] = []
    for name, column, test in tests:
        left = cells.filter(test(pl.col(column)))
        if left.height < cells.height:
            set_aside[name] = set_aside.get(name, 0) + cells.height - left.height
            kept.append(test(read[column]))
        cells = left
    if cells.height == 0:
        raise ExtractError(
            "No row is a respondent of this survey",
            where=raw.where,
            got=", ".join(
                f"{counted(rows, 'row')} {name.removeprefix('rows_').replace('_', ' ')}"
                for name, rows in set_aside.items()
            ),
            hint="Check that this is the file with the answers of the main survey.",
        )
    return Rows(
        keep=reduce(and_, kept) if kept else None,
        period=period,
        set_aside=set_aside,
        column=said_by,
        quarter=quarter,
    )


def quarter_column(names: Iterable[str]) -> str | None:
    """Return the column that says the quarter, by its name; no other survey than one of quarters has it."""
    by_name = {squeeze(shown(name)): name for name in reversed([*names])}
    return next((by_name[name] for name in QUARTERS if name in by_name), None)


def period_text(raw: RawTable, column: str, *, quarterly: bool) -> pl.Expr:
    """Return the text that says the period of a row; of quarters year and quarter, if both are there."""
    quarter = quarter_column(raw.names) if quarterly else None
    if quarter is None or quarter == column:
        return raw.text(column)
    raw.check_types([quarter])
    return pl.concat_str([raw.text(column), raw.text(quarter)], separator=BETWEEN, ignore_nulls=True)


def read_periods(cells: pl.Series, where: str = "", *, quarterly: bool = False) -> dict[str, str]:
    """Return the period that each text of a column names; texts that name none are left out.

    A month is that of its quarter in a survey of quarters, and that of its year in any other.

    Raises
    ------
    ExtractError
        When a text names a quarter that may be two: rows of several quarters would be taken for one.
    """
    found = {text: _period_of(text, quarterly=quarterly) for text in cells.drop_nulls().unique().sort()}
    unclear = [
        text
        for text, period in found.items()
        if quarterly and _OF_QUARTERS.search(text) and "-Q" not in f"{period}"
    ]
    if unclear:
        raise ExtractError(
            "Which quarter is meant cannot be told from the column",
            where=where,
            expected="a financial year with its quarter, such as Q1 2024/25 or 2024-Q1, or a month",
            got=f"{counted(len(unclear), 'text')} with a quarter that may be of the calendar or have no year",
            hint="Q1 2024 may be January to March or April to June: write Q4 2023/24 or Q1 2024/25.",
        )
    return {text: period for text, period in found.items() if period is not None}


def _period_of(text: str, *, quarterly: bool) -> str | None:
    year, _, quarter = text.partition(BETWEEN)
    if (said := said_quarter(quarter) or said_quarter(text.replace(BETWEEN, " "))) is not None:
        return said
    if quarterly and (month := month_quarter(quarter) or month_quarter(year)) is not None:
        return month
    if quarterly and quarter.isdecimal():
        return said_quarter(f"{year} Q{quarter}")
    years = PERIOD.search(text)
    return years[0] if years else None


def periods_said(raw: RawTable, given: Mapping[str, str], *, quarterly: bool) -> list[str]:
    """Return the periods that the columns of a file say, in order; none where no column does."""
    cells = _period_cells(raw, given, quarterly=quarterly)
    return [] if cells is None else sorted({*read_periods(cells, raw.where, quarterly=quarterly).values()})


def _period_cells(raw: RawTable, given: Mapping[str, str], *, quarterly: bool) -> pl.Series | None:
    column = row_columns(raw.names, given).get("period")
    column = column or (quarter_column(raw.names) if quarterly else None)
    if column is None:
        return None
    raw.check_types([column])
    return raw.pick([period_text(raw, column, quarterly=quarterly).alias("period")]).to_series()


def period_said(raw: RawTable, given: Mapping[str, str], year: int | str | None) -> str | None:
    """Return the period that an argument, the column of periods or the file's name says, in this order.

    A month is one of a year's survey and of a quarter's: it does not tell them apart.
    """
    if year is not None:
        return str(year)
    if (cells := _period_cells(raw, given, quarterly=True)) is not None:
        texts = cells.drop_nulls().unique().to_list()
        quarters = [q for text in texts if (q := said_quarter(text.replace(BETWEEN, " "))) is not None]
        if quarters:
            return max(quarters)
        if any(map(month_quarter, texts)):
            return None
        if found := periods_said(raw, given, quarterly=False):
            return found[-1]
    quarter, month = quarter_in_name(raw.file)
    if quarter is not None:
        return None if month else quarter
    return next(filter(None, (period_in_name(raw.file, catalogue(name)) for name in surveys())), None)


def quarter_in_name(file: str) -> tuple[str | None, bool]:
    """Return the quarter that a file's name says, and whether by a month only: `pulse July 2024.csv`."""
    said = said_quarter(file)
    return (said, False) if said is not None else (month_quarter(file, days=False), True)


def period_in_name(file: str, survey: Survey) -> str | None:
    """Return the period that a file's name holds: `RXX_2024.csv`, `NSS24_main.sav`, `pulse 2024-Q1.csv`."""
    if survey.cycle == "quarter":
        return said_quarter(file)
    short = "|".join(map(re.escape, survey.short_names))
    found = re.search(r"(?<!\d)(20\d\d)(?!\d)", file)
    if found is None and short:
        found = re.search(rf"(?:{short})[ _-]?(\d\d)(?!\d)", file, re.I)
    period = f"20{found[1][-2:]}" if found else ""
    if period not in survey.periods:
        return None
    # The day on which a file was made is often in the year after the survey: a stand-in is not told by it.
    return None if survey.edition(period).provisional and _DATE.search(file) else period


def _period(texts: Mapping[str, str], wanted: str | None, where: str) -> tuple[str | None, Test | None]:
    """Return the period, and the test of its rows where the file holds several."""
    periods = sorted({*texts.values()})
    if not periods or (len(periods) == 1 and wanted in (None, periods[0])):
        return (periods[0] if periods else wanted), None
    if len(periods) == 1 and "-Q" in f"{wanted}" and "-Q" not in periods[0]:
        # The column only has the year: which quarter of it the caller says.
        return wanted, None
    if wanted is None:
        raise SeveralPeriodsError(periods, where)
    if wanted not in periods:
        raise ExtractError(
            f"The file holds {', '.join(periods)}, not {wanted}",
            where=where,
            hint=f"Say which one to read: year={periods[-1]}.",
        )
    own = [text for text, period in texts.items() if period == wanted]
    return wanted, lambda column: column.is_in(own).fill_null(value=False)


def _completed(cells: pl.Series) -> Test | None:
    """Return the test of completed questionnaires, where the column holds the contractors' codes."""
    codes = set(cells.str.to_uppercase().drop_nulls().unique().to_list())
    if not codes & set(values()["completed"]) and not (codes and codes <= set(values()["not_completed"])):
        return None
    return lambda column: column.str.to_uppercase().is_in(values()["completed"]).fill_null(value=False)


def _main_survey(cells: pl.Series, where: str) -> Test | None:
    """Return the test of rows that are no bank-only workers; None when there are none."""
    texts = cells.str.to_lowercase().drop_nulls().unique()
    bank = texts.str.contains("bank") & ~texts.str.contains("main|substantive")
    if bank.any():
        bank_only = texts.filter(bank).to_list()
        return lambda column: ~column.str.to_lowercase().is_in(bank_only).fill_null(value=False)
    if texts.len() > 1 and not texts.str.contains("[a-z]").any():
        raise ExtractError(
            "The file does not say which rows are bank-only workers; they are another survey",
            where=where,
            expected="'main' and 'bank', or value labels that say so",
            got=f"{texts.len()} codes without a label",
            hint="Write main and bank instead of the codes, or keep the rows of the main survey only.",
        )
    return None
