"""Read a published file of one outcome, or a tidy table of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import FileFormatError, InputWarning, LinkError, unknown, warn
from culture_metrics.files.kinds import file_hash
from culture_metrics.files.names import squeeze
from culture_metrics.outcomes.layouts import LAYOUTS, Layout
from culture_metrics.outcomes.outcome import Outcome, whole_organisation
from culture_metrics.outcomes.outcome import outcome as declared_outcome
from culture_metrics.outcomes.outcome_data import SET_ASIDE, OutcomeData, as_outcomes, set_aside
from culture_metrics.outcomes.periods import period_in_titles, period_table, read_period
from culture_metrics.outcomes.tabular import ROW, Sheet, open_table
from culture_metrics.outcomes.texts import TOTALS, kinds_of_cells
from culture_metrics.outcomes.tidy import ALIASES, ROLES, find_roles, other_side, published_names, read_tidy
from culture_metrics.output import verb
from culture_metrics.problems import Problem, counted, examples, problem_table

if TYPE_CHECKING:
    from collections.abc import Mapping


@verb
def read_outcome(
    source: pl.DataFrame | pl.LazyFrame | str | Path,
    outcome: str | Outcome | None = None,
    *,
    sheet: str | None = None,
    columns: Mapping[str, str] | None = None,
    years: str = "financial",
    period: str | None = None,
) -> OutcomeData:
    r"""Read a file of outcomes by organisation and period.

    Parameters
    ----------
    source : polars.DataFrame, polars.LazyFrame, str or Path
        A CSV file, an Excel workbook, or a table at hand. Two published layouts are told by their columns:
        A&E attendances by trust and month, and joiners and leavers by organisation and staff group. Any other
        table needs one row per organisation and period, and `outcome`.
    outcome : str or Outcome, optional
        An id of the catalogue (`outcomes()` lists them), or your own; needed for a tidy table.
    sheet : str, optional
        The sheet of a workbook that has several which fit.
    columns : mapping, optional
        The file's own names of a tidy table's columns, by role: `organisation`; `period` (or `start` and
        `end`); `value`, or `numerator` and `denominator`; `group`. Common names are known; the value is
        looked for under the outcome's column, the denominator under its base or exposure.
    years : {"financial", "calendar"}
        What a plain year in the file means: 2021 is April 2021 to March 2022, or January to December 2021.
    period : str, optional
        The period of all rows (`2023/24`, `April 2023 to March 2024`), where no column says it. Taken from
        the titles above the table when left out, if these name just one.

    Returns
    -------
    OutcomeData
        `.table` has a row per outcome, organisation, group and period; `.problems` what was met.

    Raises
    ------
    FileFormatError
        When the file cannot be opened or no row names the columns.
    LinkError
        When cells cannot be used, naming file, sheet, column, rows and what to do: a proportion outside 0 to
        1, a count that is no whole number, a level that is not declared, a denominator of zero, a row twice.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "shmi.csv")
    ...     _ = path.write_text("Org code,Year,SHMI\nRXX,2023/24,0.97\nRYY,2023/24,1.04\n")
    ...     read_outcome(path, "shmi").table["value"].to_list()
    [0.97, 1.04]
    """
    own = declared_outcome(outcome) if isinstance(outcome, str) else outcome
    given = dict(columns or {})
    if odd := sorted(set(given) - set(ROLES)):
        raise unknown("role of a column", odd[0], ROLES)

    def layout_of(names: frozenset[str]) -> Layout | None:
        return next((layout for layout in LAYOUTS if not given and names >= layout.needs), None)

    def wanted(names: frozenset[str]) -> bool:
        if given:
            return all(squeeze(name) in names for name in given.values())
        if layout_of(names):
            return True
        value = own is None or bool(names & {*_value_names(own), *published_names(own, "numerator")})
        dated = period is not None or _is_published(own, names)
        return (
            value
            and bool(names & {*ALIASES["organisation"]})
            and (dated or bool(names & {*ALIASES["period"], *ALIASES["end"]}))
        )

    named = f"{own.column}" if own else "the outcome"
    table = open_table(source, sheet, wanted, f"columns of the organisation's code, the period and {named}")
    of_file = table.frame.height
    cells = table.frame.columns[1:]
    repeated = table.frame.filter(~pl.struct(cells).is_first_distinct())
    table = table._replace(frame=table.frame.unique(cells, keep="first", maintain_order=True))
    layout = layout_of(frozenset(table.names))
    if layout is None and own is None:
        raise FileFormatError(
            "The file is of no known layout, and no outcome was named",
            where=table.where,
            expected=" or ".join(layout.name for layout in LAYOUTS) + ", or outcome=",
            hint="Name it: read_outcome(path, 'shmi'), or give an Outcome of your own.",
        )
    if layout is not None:
        rows, problems, others = layout.read(table)
        read = tuple(declared_outcome(name) for name in layout.outcomes)
        if own is not None:
            read = tuple(one for one in read if one.column == own.column)
            if not read:
                raise LinkError(
                    f"The file holds no {own.title}",
                    where=table.where,
                    expected=" or ".join(layout.outcomes),
                )
        rows = rows.filter(pl.col("outcome").is_in([one.column for one in read]))
        dates = {"period": next(table.names[name] for name in ("date", "period") if name in table.names)}
    else:
        assert own is not None
        roles, told = _roles(table, own, given, period, years)
        (rows, problems), others = read_tidy(table, own, roles), pl.DataFrame(schema=SET_ASIDE)
        if told is not None:
            rows = rows.with_columns(pl.lit(told).alias("period"))
            roles = {**roles, "period": "none: the period given" if period else "none: the title"}
            problems += [] if period else [_of_title(told)]
        problems += _of_other_side(own, roles, table.where)
        read, dates = (own,), roles
    repeats = [
        (one.column, repeated.height, None, "repeats of another row, cell by cell")
        for one in read
        if repeated.height
    ]
    rows, left_out, nobody = _organisations(rows)
    rows, met, nameless = _whole_organisations(rows)
    dated = _dated(table, rows, dates, years)
    _check_twice(table, dated)
    problems += [*_repeats(repeated), *left_out, *met]
    finished = _valued(dated)
    return OutcomeData(
        outcomes=read,
        table=as_outcomes(finished, table.where),
        problems=problem_table(problems),
        set_aside=pl.concat(
            [
                pl.DataFrame(repeats, schema=SET_ASIDE, orient="row"),
                others.filter(pl.col("outcome").is_in([one.column for one in read])),
                nobody,
                nameless,
            ]
        ),
        provenance={
            "file": table.file,
            "sheet": table.sheet,
            "layout": layout.name if layout else "tidy",
            "sha256": file_hash(Path(source)) if isinstance(source, str | Path) else None,
            "rows": of_file,
        },
    )


def _value_names(outcome: Outcome) -> list[str]:
    return ["value", "numerator", squeeze(outcome.column), *published_names(outcome, "value")]


def _is_published(outcome: Outcome | None, names: frozenset[str]) -> bool:
    """Tell whether a header has a name that only the publisher of the outcome gives."""
    return bool(names & {*published_names(outcome, "value"), *published_names(outcome, "numerator")})


def _roles(
    table: Sheet, outcome: Outcome, given: Mapping[str, str], period: str | None, years: str
) -> tuple[dict[str, str], str | None]:
    """Find the column of each role, and the period of all rows where none of them says it."""
    roles = find_roles(table, outcome, given, dated=True)
    if "period" in roles or ("start" in roles and "end" in roles):
        if period is None:
            return roles, None
        raise LinkError(
            "period= is for tables without a column of periods",
            where=f"{table.where}, column {roles.get('period', roles.get('end'))}",
            hint="Leave it out.",
        )
    if period is not None and read_period(period, years) is None:
        raise LinkError(
            "The period cannot be read",
            where="period=",
            expected="a month (April 2021), a range of months (April 2023 to March 2024) or a year (2023/24)",
            got=period,
        )
    told = period or period_in_titles(table.titles)
    return find_roles(table, outcome, given, dated=told is not None), told


def _of_other_side(outcome: Outcome, roles: Mapping[str, str], where: str) -> list[Problem]:
    """Warn, and say so, where the name of the column of values speaks of the opposite of the outcome."""
    found = [
        Problem(
            "warning",
            "a column of the other side",
            f"'{roles[role][:60]}' has the word '{word}', which is said of the opposite",
            f"{outcome.title}, {outcome.unit}",
            "Read as it stands. If it holds the opposite, signs turn: give 1 (or 100) less the column.",
            column=outcome.column,
        )
        for role in ("value", "numerator")
        if role in roles and (word := other_side(outcome, roles[role]))
    ]
    for one in found:
        warn(f"{where}: {one.found} of {outcome.title} ({outcome.unit}). {one.done}", InputWarning)
    return found


def _of_title(period: str) -> Problem:
    return Problem(
        "note",
        "period of the title",
        f"no column of periods, and {period} in the titles above the table",
        "a column of periods, or period=",
        "Taken as the period of every row.",
    )


def _repeats(repeated: pl.DataFrame) -> list[Problem]:
    if repeated.is_empty():
        return []
    return [
        Problem(
            "warning",
            "repeated rows",
            f"{counted(repeated.height, 'row')} the same as another, cell by cell",
            "each row once",
            "Counted once. If they are of different groups or sites, name these in a column.",
            rows=repeated.height,
            examples=examples(repeated[ROW]),
        )
    ]


def _organisations(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem], pl.DataFrame]:
    """Put codes in capitals; set rows without a code, and totals, aside."""
    rows = rows.with_columns(pl.col("organisation").str.strip_chars().str.to_uppercase())
    keep = (
        pl.col("organisation").str.contains(r"^[A-Z0-9]{3,6}$") & ~pl.col("organisation").is_in(TOTALS)
    ).fill_null(value=False)
    out = rows.filter(~keep)
    gone = set_aside(out, "of no organisation: totals, notes or blanks")
    if out.is_empty():
        return rows, [], gone
    told = [
        Problem(
            "warning",
            "rows that are of no organisation",
            counted(out[ROW].n_unique(), "row"),
            "an ODS code of three to six letters and digits, as RXX",
            "Left out: totals, notes or blanks.",
            column="organisation",
            rows=out[ROW].n_unique(),
            examples=examples(out[ROW].unique().sort()),
        )
    ]
    return rows.filter(keep), told, gone


def _whole_organisations(rows: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem], pl.DataFrame]:
    """Tell the rows of whole organisations by their declared spelling; set rows that name no group aside."""
    named = (pl.col("group") != "").fill_null(value=False)
    blank = rows.filter(~named)
    rows = rows.filter(named).with_columns(pl.col("group").replace(dict.fromkeys(whole_organisation(), ALL)))
    unit = [name for name in ("outcome", "organisation", "period", "start", "end") if name in rows.columns]
    partial = rows.join(rows.filter(group=ALL), on=unit, how="anti", nulls_equal=True)
    spelt = " or ".join(f"'{text}'" for text in whole_organisation())
    told = [
        Problem(
            "warning",
            rule,
            found,
            f"{spelt}, exactly, in the column of groups",
            done,
            column="group",
            rows=frame[ROW].n_unique(),
            examples=examples(frame[ROW].unique().sort()),
        )
        for frame, rule, found, done in (
            (
                blank,
                "rows that name no group",
                counted(blank[ROW].n_unique(), "row"),
                "Left out. Write what they are of, if they are of whole organisations as expected here.",
            ),
            (
                partial,
                "groups without a row of the whole organisation",
                f"{counted(partial[ROW].n_unique(), 'row')} of "
                f"{counted(partial['organisation'].n_unique(), 'organisation')}",
                "Kept here; a panel has no figure for these organisations and periods, because groups are "
                "never added up. Spell the row of the whole organisation as expected here.",
            ),
        )
        if frame.height
    ]
    return rows, told, set_aside(blank, "no group named")


def _dated(table: Sheet, rows: pl.DataFrame, named: Mapping[str, str], years: str) -> pl.DataFrame:
    """Read the periods, each different text once; `named` gives the file's columns of period, start, end."""
    if "period" in rows.columns:
        read = _read_periods(table, rows, "period", named["period"], years)
        return rows.join(read, on="period", how="left", maintain_order="left").drop("period")
    for part in ("start", "end"):
        read = _read_periods(table, rows, part, named[part], years)
        day = pl.col(part).replace_strict(read["period"], read[part], return_dtype=pl.Date)
        rows = rows.with_columns(day)
    wrong = rows.filter(pl.col("start") > pl.col("end"))
    if wrong.height:
        raise LinkError(
            "A period ends before it starts",
            where=f"{table.where}, columns {named['start']} and {named['end']}, rows {examples(wrong[ROW])}",
            hint="Days are read as day/month/year or year-month-day: check both columns.",
        )
    return rows


def _read_periods(table: Sheet, rows: pl.DataFrame, part: str, column: str, years: str) -> pl.DataFrame:
    read = period_table(rows[part].fill_null("").unique().to_list(), years, table.where, column)
    unread = read.filter(pl.col("start").is_null())["period"]
    bad = rows.filter(pl.col(part).fill_null("").is_in(unread.implode()))
    if bad.height:
        raise LinkError(
            f"{bad.height:,} of {rows.height:,} periods cannot be read",
            where=f"{table.where}, column {column}, rows {examples(bad[ROW])}",
            expected="a month (April 2021), a date (2021-04-01), a range of months or a year (2021/22)",
            got=kinds_of_cells(bad, part),
            hint="Write periods in one of these forms.",
        )
    return read


def _check_twice(table: Sheet, rows: pl.DataFrame) -> None:
    twice = rows.filter(pl.struct("outcome", "organisation", "group", "start", "end").is_duplicated())
    if twice.height:
        raise LinkError(
            "Rows stand twice for the same organisation and period",
            where=f"{table.where}, rows {examples(twice[ROW].sort())}",
            hint="Keep one row of each; if the rows are groups of staff or sites, name their column: "
            "columns={'group': ...}.",
        )


def _valued(rows: pl.DataFrame) -> pl.DataFrame:
    """Work out values from counts, and clear what is not reported."""
    there = pl.col("status") == "reported"
    if "value" not in rows.columns:
        rows = rows.with_columns(
            pl.lit(None, pl.Float64).alias("value"), pl.lit(None, pl.String).alias("level")
        )
    value = pl.coalesce("value", pl.col("numerator") / pl.col("denominator"))
    return rows.with_columns(
        pl.when(there & pl.col("level").is_null()).then(value).alias("value"),
        pl.when(there).then("numerator").alias("numerator"),
        pl.when(pl.col("denominator") > 0).then("denominator").alias("denominator"),
    )
