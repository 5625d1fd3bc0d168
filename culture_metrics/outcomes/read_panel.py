"""Read a ready panel from a flat file, and look for its traps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import LinkError
from culture_metrics.files.names import squeeze
from culture_metrics.outcomes.flow import LOSSES, SURVEY, UNMATCHED
from culture_metrics.outcomes.outcome import Outcome, outcome
from culture_metrics.outcomes.panel import Panel
from culture_metrics.outcomes.panel_checks import check_panel
from culture_metrics.outcomes.steps import step
from culture_metrics.outcomes.tabular import ROW, Sheet, open_table
from culture_metrics.outcomes.texts import NOT_REPORTED, SUPPRESSED, number, plain, wrong_rows
from culture_metrics.outcomes.tidy import ALIASES, check_values
from culture_metrics.output import verb
from culture_metrics.problems import Problem, examples, listed, problem_table

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

YEARS = ("year", "yearindex", "surveyyear", "period")
#: Marks that no name is, and what stands before a column read as names.
NO_NAME = tuple(mark for mark in NOT_REPORTED if len(mark) != 1 or not mark.isalpha())
TEXT = "text: "
#: A column with this share of numbers is one of numbers, and the rest are mistakes.
MOSTLY = 0.5


@verb
def read_panel(
    source: pl.DataFrame | pl.LazyFrame | str | Path,
    outcomes: Outcome | str | Sequence[Outcome | str] = (),
    *,
    organisation: str | None = None,
    year: str | None = None,
    sheet: str | None = None,
) -> Panel:
    """Read a flat panel: one row per organisation and year, indicators and outcomes in columns.

    Parameters
    ----------
    source : polars.DataFrame, polars.LazyFrame, str or Path
        A CSV file, an Excel workbook, or a table that is already at hand.
    outcomes : Outcome, str or sequence of them
        Which columns are outcomes, also by id (`cm.outcomes()`); their values are checked. They may be
        declared later, to `link_outcomes`.
    organisation, year : str, optional
        Columns of the organisation's code and the year, where their names are not the usual ones.
    sheet : str, optional
        The sheet of a workbook that has several which fit.

    Returns
    -------
    Panel
        `.table` has the file's columns under their names, those of the code and year as `organisation` and
        `year`, without empty and all-zero columns. `.problems` lists the traps: placeholders, scrambled
        codes, a score under another's name, scales of 1 to 5, rounding, growing bases, small bases, gaps.

    Raises
    ------
    FileFormatError
        When the file cannot be opened or no row names the columns.
    UnknownNameError
        When there is no outcome of an id.
    LinkError
        When an organisation has a year twice, a year is no year, a code is missing, cells of a column of
        numbers are no numbers, or an outcome's values cannot be.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> import culture_metrics as cm
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "panel.csv")
    ...     cm.synthetic.outcome_panel(organisations=20).write_csv(path)
    ...     read_panel(path, cm.outcome("shmi")).table.height
    120
    """
    codes = (squeeze(organisation),) if organisation else ALIASES["organisation"]
    times = (squeeze(year),) if year else YEARS

    def wanted(names: frozenset[str]) -> bool:
        return bool(names & {*codes}) and bool(names & {*times})

    expected = "columns of the organisation's code and the year"
    sheet_found = open_table(source, sheet, wanted, expected)
    given = [outcomes] if isinstance(outcomes, (Outcome, str)) else outcomes
    declared = [outcome(one) if isinstance(one, str) else one for one in given]
    names = sheet_found.names
    code = next(names[one] for one in codes if one in names)
    when = next(names[one] for one in times if one in names)
    _check_key(sheet_found, code, when)
    odd = _check_outcomes(sheet_found, declared)
    table = _typed(sheet_found, code, when, declared)
    checked = check_panel(table)
    table = checked.table
    kept = {name for one in declared for name in one.columns}
    indicators = tuple(
        name
        for name, dtype in table.schema.items()
        if dtype.is_numeric() and name not in kept | {"year"} and not name.endswith("_base")
    )
    small = [
        (SURVEY, "suppressed", p.rows, p.rows, None, p.found)
        for p in checked.problems
        if p.rule == "small bases"
    ]
    return Panel(
        table=table,
        indicators=indicators,
        outcomes=tuple(one for one in declared if one.column in table.columns),
        losses=pl.DataFrame(
            [(SURVEY, *step("read", table, "rows of the file")), *small], schema=LOSSES, orient="row"
        ),
        unmatched=pl.DataFrame(schema=UNMATCHED),
        problems=problem_table([*odd, *checked.problems]),
    )


def _check_key(sheet: Sheet, code: str, when: str) -> None:
    absent = plain(code).fill_null("") == ""
    wrong_rows(sheet, code, absent, "a code in every row", "Put in the codes, or take the rows out.")
    whole = plain(when).str.contains(r"^(19|20)\d\d(\.0+)?$").fill_null(value=False)
    wrong_rows(sheet, when, ~whole, "a year such as 2019", "Write the survey's year as four digits.")
    keyed = sheet.frame.with_columns(plain(code).str.to_uppercase(), plain(when).str.head(4))
    twice = keyed.filter(pl.struct(code, when).is_duplicated()).sort(code, when)
    if twice.height:
        raise LinkError(
            "An organisation has a year more than once",
            where=f"{sheet.where}, rows {examples(twice[ROW])}",
            expected="one row per organisation and year",
            hint="Keep one row of each; group or sum the rest before reading.",
        )


def _check_outcomes(sheet: Sheet, outcomes: Sequence[Outcome]) -> list[Problem]:
    problems: list[Problem] = []
    for one in outcomes:
        for column in one.columns:
            if column not in sheet.frame.columns:
                raise LinkError(
                    f"The file has no column '{column}'",
                    where=f"{sheet.where}, outcome '{one.column}'",
                    got=listed(name for name in sheet.frame.columns if name != ROW),
                    hint="Name the file's column: cm.outcome(..., column='...', base='...', exposure='...').",
                )
        problems += check_values(sheet, one, one.column)
        for below in (one.base, one.exposure):
            if below:
                wrong_rows(sheet, below, number(below) <= 0, "a number above zero")
    return problems


def _typed(sheet: Sheet, code: str, when: str, outcomes: Sequence[Outcome]) -> pl.DataFrame:
    """Make numbers of columns of numbers; stop at one with a few cells that are none."""
    marks = [*NOT_REPORTED, *SUPPRESSED]
    frame = sheet.frame.drop(ROW)
    blank = pl.all().str.strip_chars().str.to_lowercase().is_in(marks)
    cleaned = frame.with_columns(pl.when(~blank).then(pl.all().str.strip_chars()))
    filled = cleaned.select(pl.all().count()).row(0, named=True)
    read = cleaned.select(number(name).is_finite().sum().alias(name) for name in cleaned.columns)
    numeric = read.row(0, named=True)
    levels = {outcome.column: outcome.levels for outcome in outcomes if outcome.levels}
    columns = []
    for name in cleaned.columns:
        if name == code:
            columns.append(pl.col(name).str.to_uppercase().alias("organisation"))
        elif name == when:
            columns.append(number(name).cast(pl.Int32).alias("year"))
        elif name in levels:
            columns.append(pl.col(name).cast(pl.Enum(levels[name])))
        elif filled[name] and numeric[name] >= MOSTLY * filled[name]:
            if numeric[name] < filled[name]:
                odd = pl.col(name).is_not_null() & ~number(name).is_finite().fill_null(value=False)
                rows = cleaned.with_columns(sheet.frame[ROW])
                wrong_rows(Sheet(rows, sheet.file, sheet.sheet), name, odd, "a finite number")
            columns.append(number(name))
        elif filled[name]:
            # Letters that mark figures are names among names: a region 'C' was not suppressed.
            columns.append(pl.col(f"{TEXT}{name}").alias(name))
        else:
            columns.append(pl.col(name))
    named = pl.all().str.strip_chars()
    texts = frame.select(pl.when(~named.str.to_lowercase().is_in(NO_NAME)).then(named)).select(
        pl.all().name.prefix(TEXT)
    )
    typed = pl.concat([cleaned, texts], how="horizontal").select(columns)
    whole = [
        c for c in typed.columns if typed[c].dtype == pl.Float64 and typed[c].count() and _whole(typed[c])
    ]
    return typed.with_columns(pl.col(whole).cast(pl.Int64)).sort("organisation", "year")


def _whole(values: pl.Series) -> bool:
    return bool((values == values.round()).all())
