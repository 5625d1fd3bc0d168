"""Look at files for setup: what each is, its respondents as read, and the columns that were not used."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import CultureMetricsError, ExtractError
from culture_metrics.extracts.dates import days_of, known_names
from culture_metrics.extracts.opening import open_table
from culture_metrics.extracts.personal import why_personal
from culture_metrics.files.names import shown, squeeze
from culture_metrics.study.inspect import RESPONDENTS as RESPONDENT_FILE
from culture_metrics.study.inspect import inspect_file
from culture_metrics.study.settings_form import BENCHMARK, NOT_USED, RESPONDENTS, RESULTS

if TYPE_CHECKING:
    from pathlib import Path

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.study.inspect import Inspection
    from culture_metrics.study.source import Source

#: What `inspect_file` calls the workbooks that a report is made of.
DETAILED = ("official workbook (organisations)", "official workbook (national)", "pulse workbook")
#: From this certainty on the year that the columns say is taken, and written down.
LEAST_SURE = 0.5
#: In a column of days at most this share of the cells is something else.
NO_DAYS = 0.05
#: Files that tables come in.
ENDINGS = {
    ".csv",
    ".txt",
    ".tsv",
    ".xlsx",
    ".xlsm",
    ".xlsb",
    ".xls",
    ".ods",
    ".parquet",
    ".sav",
    ".zsav",
    ".dta",
}


@dataclass(frozen=True)
class Seen:
    """One file as setup sees it: what it is, and why where it is not used.

    `others` are its columns that are not used, as text; `year` what the reader had to be told.
    """

    path: Path
    kind: str
    inspection: Inspection
    extracts: tuple[Extract, ...] = ()
    others: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    year: str | None = None
    sheet: str | None = None
    why: str = ""


def tables_in(folder: Path) -> list[Path]:
    """Return the files of a folder that may hold tables, in order; not those that a program has open."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and path.suffix.lower() in ENDINGS and not path.name.startswith(("~$", ".", "._"))
    )


def look(source: Source) -> Seen:
    """Say what a file is, and read it where it holds respondents.

    Raises
    ------
    ExtractError, FileFormatError
        When it holds respondents and something is missing that a person must say.
    """
    path, said = source.path, source.said
    found = inspect_file(path, said.sheet)
    kind = said.kind or _kind(found)
    if kind in (RESULTS, BENCHMARK) and found.problems:
        return Seen(path, NOT_USED, found, why=found.problems[0])
    if kind != RESPONDENTS:
        why = "; ".join([found.kind, *found.problems[:1]])
        return Seen(path, kind, found, why=why if kind == NOT_USED else "")
    year = said.year
    try:
        extracts = source.years(None, alone=True)
    except ExtractError:
        # What cannot be told with certainty is written down as it was taken: the user sees it.
        if year is not None or found.edition is None or found.certainty < LEAST_SURE:
            raise
        year = found.edition
        extracts = source.years(year, alone=True)
    sheet = extracts[0].provenance.get("sheet") if extracts[0].provenance.get("other_sheets") else said.sheet
    return Seen(path, kind, found, tuple(extracts), _others(path, extracts[0]), year, sheet)


def _kind(found: Inspection) -> str:
    if found.kind == RESPONDENT_FILE:
        return RESPONDENTS
    if found.kind == BENCHMARK:
        return BENCHMARK
    return RESULTS if found.kind in DETAILED else NOT_USED


def _others(path: Path, extract: Extract) -> pl.DataFrame:
    """Return the columns that are not used, as text."""
    unused = set(extract.provenance.get("not_used") or ())
    if not unused:
        return pl.DataFrame()
    raw = open_table(path, extract.provenance.get("sheet"), header_row=extract.provenance.get("header_row"))
    wanted = {shown(name): name for name in raw.names if shown(name) in unused}
    try:
        return raw.pick(raw.text(name).alias(here) for here, name in wanted.items())
    except CultureMetricsError:
        return pl.DataFrame()


def date_column(others: pl.DataFrame) -> str | None:
    """Return the unused column that has the day of each response, as its name and nearly all cells say."""
    known = known_names()
    for name in sorted((n for n in others.columns if squeeze(n) in known), key=lambda n: known[squeeze(n)]):
        filled = others[name].drop_nulls()
        try:
            days, _ = days_of(filled, name)
        except ExtractError:
            continue
        if filled.len() >= others.height / 2 and days.null_count() <= NO_DAYS * filled.len():
            return name
    return None


def looks_like_groups(name: str, column: pl.Series, least: int) -> bool:
    """Tell whether a column that was not used may be a breakdown: a few names, each for several people."""
    counts = column.drop_nulls().value_counts(name="n")
    rows, groups = int(counts["n"].sum()), counts.filter(pl.col("n") >= least).height
    if groups < 2 or rows < column.len() / 2 or counts.height > rows / 2:
        return False
    if counts[column.name].str.contains(r"^[\d\s.,:/\-]+$").mean() > 0.5:  # type: ignore[operator]
        return False
    once = int((counts["n"] == 1).sum())
    return why_personal([name], counts[column.name], rows, once) is None
