"""Read how many staff could answer: a small table by organisation, directorate, department."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import yaml

from culture_metrics.catalogue import catalogue
from culture_metrics.contract import ALL
from culture_metrics.errors import CultureMetricsError, ExtractError, FileFormatError, UnknownNameError
from culture_metrics.extracts.columns import identifying, text_columns
from culture_metrics.extracts.own_words import names_own_groups
from culture_metrics.files.header import Look
from culture_metrics.files.names import shown, squeeze
from culture_metrics.files.opener import open_file
from culture_metrics.files.raw import INDEX
from culture_metrics.files.workbooks import sheet_table
from culture_metrics.indicators.breakdowns import breakdown_id
from culture_metrics.problems import counted, examples

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.extracts.extract import Extract

#: From this share of numbers with decimals on a column holds whole-time equivalents, not people.
FRACTIONS = 0.25
#: More staff than this are no headcount of a group.
MOST = 10_000_000
#: Columns while the table is read, beside those of the file.
KEY, STAFF = ["_o", "_b", "_g"], "_staff"


@dataclass(frozen=True)
class Headcounts:
    """Staff who could answer.

    Attributes
    ----------
    table : polars.DataFrame
        `organisation, breakdown, group, staff`, each once; the whole organisation is `all`, `all`.
    set_aside : tuple of str
        What was not used and why, in words; rows by their number in the file.
    rows : mapping
        How many rows were read, used and set aside.
    file : str
        Name of the file.
    """

    table: pl.DataFrame
    set_aside: tuple[str, ...]
    rows: Mapping[str, int]
    file: str


@dataclass(frozen=True)
class StaffTable:
    """What the header of a table of headcounts says: its column of staff, those of groups, how many rows."""

    staff: str
    groups: tuple[str, ...]
    rows: int


def find_headcounts(path: str | Path, sheet: str | None = None) -> StaffTable | None:
    """Return what a table of headcounts holds, by its header; None for any other file."""
    try:
        frame, _ = _open(path, sheet)
    except CultureMetricsError:
        return None
    names = {squeeze(shown(name)): shown(name) for name in frame.columns}
    staff = next((names[name] for name in _known()["staff"] if name in names), None)
    places = text_columns(catalogue().edition(catalogue().periods[-1]))
    groups = tuple(
        theirs
        for name, theirs in names.items()
        if theirs != staff and (name in places or names_own_groups(name))
    )
    return StaffTable(staff, groups, frame.height) if staff and groups else None


@cache
def _known() -> Mapping[str, tuple[str, ...]]:
    text = files("data_schemas").joinpath("extract_headcounts.yaml").read_text(encoding="utf-8")
    return {kind: tuple(map(squeeze, names)) for kind, names in yaml.safe_load(text).items()}


def read_headcounts(
    source: pl.DataFrame | str | Path, extract: Extract, sheet: str | None = None
) -> Headcounts:
    """Read a table of eligible staff by the breakdowns of an extract, named as the trust names them.

    Parameters
    ----------
    source : polars.DataFrame, str or Path
        A column of numbers of staff (`Headcount`, `Eligible staff`) beside one or more columns of breakdowns
        (`Directorate`, `Department`) or of organisation codes; or the columns `Breakdown` and `Group`. Where
        a row names a department and its directorate it counts for the department, and for the directorate
        unless this has a row of its own.
    extract : Extract
        Whose breakdowns they are.
    sheet : str, optional
        Sheet of a workbook.

    Raises
    ------
    FileFormatError, ExtractError
        When there is no column of staff or of groups, or the numbers are whole-time equivalents.
    """
    frame, file = _open(source, sheet)
    names = {squeeze(shown(name)): name for name in reversed(frame.columns)}
    staff = next((names[name] for name in _known()["staff"] if name in names), None)
    columns = {name: one for name in frame.columns if (one := _breakdown(shown(name), extract)) is not None}
    listed = [next((names[n] for n in _known()[kind] if n in names), None) for kind in ("breakdown", "group")]
    whose = next((n for s, n in names.items() if identifying().get(s) == "organisation"), None)
    if staff is None or not (columns or whose or all(listed)):
        raise ExtractError(
            "The table does not say how many staff are in which group",
            where=file,
            expected="a column 'Eligible staff' or 'Headcount', and columns such as "
            + ", ".join(extract.words.values() or ["Directorate"]),
            hint="Name the columns as the file of respondents does.",
        )
    number = pl.col(staff).cast(pl.String).str.replace_all(r"[,\s]", "").cast(pl.Float64, strict=False)
    organisation = pl.col(whose).str.to_uppercase() if whose else _only(extract)
    frame = frame.with_columns(number.alias(STAFF), organisation.alias("_o"))
    _check_people(frame[STAFF], file)
    groups = {ours: name for name, ours in columns.items() if name not in (staff, whose)}
    frame = frame.drop({staff, *([whose] if whose else [])} - {*groups.values()})
    long = [n for n in listed if n is not None] if len(listed) == 2 and all(listed) and not columns else []
    return _sorted_out(frame, groups, long, extract, file)


def _open(source: pl.DataFrame | str | Path, sheet: str | None) -> tuple[pl.DataFrame, str]:
    """Return the table as trimmed text, its rows numbered as in the file."""
    if isinstance(source, pl.DataFrame):
        cells, file = source.with_row_index(INDEX, offset=1), "table in memory"
    else:
        look = Look(lambda row: len({squeeze(c) for c in row if c} & {*_known()["staff"]}))
        opened = open_file(source)
        if opened.kind not in ("csv", "excel"):
            raise FileFormatError(
                "Numbers of staff are read from CSV files and workbooks",
                where=opened.file,
                hint="Save the table as CSV, or make a DataFrame of it.",
            )
        tables = [opened.text(look)] if opened.kind == "csv" else []
        if opened.kind == "excel":
            book = opened.workbook()
            wanted = book.sheets if sheet is None else [book.find(sheet)]
            texts = {name: book.text(name)[0] for name in wanted}
            tables = [sheet_table(book, name, text, look) for name, text in texts.items() if text.height]
        found = [table for table in tables if table.header_found]
        if len(found) != 1:
            raise FileFormatError(
                "More than one sheet could hold the numbers of staff"
                if found
                else "No row names a column of numbers of staff",
                where=opened.file,
                expected="a column 'Eligible staff' or 'Headcount'",
                got=", ".join(str(table.sheet) for table in found) or None,
                hint=f"Name one: sheet='{found[0].sheet}'." if found else "Give the column that name.",
            )
        cells, file = found[0].cells().select(INDEX, *found[0].names), found[0].where
    text = pl.exclude(INDEX).cast(pl.String).str.strip_chars(" \t\r\n\xa0").replace("", None)
    cells = cells.with_columns(text)
    return cells.filter(pl.any_horizontal(pl.exclude(INDEX).is_not_null())), file


def _breakdown(name: str, extract: Extract) -> str | None:
    try:
        return breakdown_id(extract, name)
    except UnknownNameError:
        return None


def _only(extract: Extract) -> pl.Expr:
    codes = extract.frame["organisation"].drop_nulls().unique()
    if codes.len() != 1:
        raise ExtractError(
            "The table does not say which organisation the staff are of",
            got=f"{codes.len()} organisations among the respondents",
            hint="Add a column 'ODS code'.",
        )
    return pl.lit(codes.item())


def _check_people(numbers: pl.Series, file: str) -> None:
    known = numbers.drop_nulls()
    if (known % 1 != 0).sum() > FRACTIONS * known.len():
        raise ExtractError(
            "The numbers of staff are no whole numbers: these are whole-time equivalents, not people",
            where=file,
            expected="how many people could answer",
            hint="Ask for the headcount: response rates are of people.",
        )


def _sorted_out(
    frame: pl.DataFrame, groups: Mapping[str, str], long: Sequence[str], extract: Extract, file: str
) -> Headcounts:
    """Add up the rows of each group; what cannot be used is named."""
    said: list[str] = []
    asked, texts = [*groups.values(), *long[1:]], _texts(frame, [*groups.values(), *long])
    rows_read, names = frame.height, ["_o", *groups.values(), *long, *texts]
    frame = frame.with_columns(_unless_total([*asked, *texts]))
    frame = frame.unique([*names, STAFF], keep="first", maintain_order=True)
    whole = pl.all_horizontal(pl.lit(value=True), *(pl.col(n).is_null() for n in asked))
    number = pl.col(STAFF)
    numbered = ((number % 1 == 0) & (number > 0) & (number <= MOST)).fill_null(value=False)
    twice = pl.struct(names).is_duplicated() & numbered
    bad, good = frame.filter(~numbered | twice), frame.filter(numbered & ~twice)
    why = {
        f"without a whole number of staff from 1 to {MOST:,}": ~numbered,
        "that stand twice with other numbers": twice,
    }
    for what, where in why.items():
        if (odd := frame.filter(where)[INDEX]).len():
            said.append(f"rows {what}: {examples(odd)}")
    unsure = bad
    rows = good.filter(~whole)
    parts = [good.filter(whole).with_columns(_b=pl.lit(ALL), _g=pl.lit(ALL))]
    if long:
        ids = {name: _breakdown(name, extract) for name in rows[long[0]].drop_nulls().unique()}
        known = pl.col(long[0]).replace_strict(ids, default=None, return_dtype=pl.String)
        rows = rows.with_columns(known.alias("_b"), pl.col(long[1]).alias("_g"))
        parts.append(rows.drop_nulls(["_b", "_g"]))
        if lost := rows.height - parts[-1].height:
            bad = pl.concat([bad, rows.filter(pl.col("_b").is_null() | pl.col("_g").is_null())[bad.columns]])
            said.append(f"{counted(lost, 'row')} of breakdowns that the respondents do not have")
    every = [*groups.values(), *texts]
    parts += [_by(rows, one, name, every, unsure) for one, name in groups.items()]
    table = pl.concat([part.select(INDEX, *KEY, STAFF) for part in parts])
    table = table.unique(KEY, keep="first", maintain_order=True).sort(*KEY[:2], INDEX)
    return Headcounts(
        table.select(
            pl.col("_o").alias("organisation"),
            pl.col("_b").alias("breakdown"),
            pl.col("_g").alias("group"),
            pl.col(STAFF).cast(pl.UInt32).alias("staff"),
        ),
        tuple(said),
        {"read": rows_read, "used": rows_read - bad.height, "set aside": bad.height},
        file,
    )


def _unless_total(names: Sequence[str]) -> list[pl.Expr]:
    """Blank the cells that say total: such a row is of what stands in its other cells, or of all."""
    squeezed = {n: pl.col(n).str.to_lowercase().str.replace_all(r"[\s._\-]+", "") for n in names}
    return [pl.when(~text.is_in(_known()["totals"])).then(pl.col(n)) for n, text in squeezed.items()]


def _texts(frame: pl.DataFrame, but: Sequence[str]) -> list[str]:
    """Return the other columns of names: of units that the respondents do not have."""
    found = []
    for name in set(frame.columns) - {*but, INDEX, STAFF, "_o"}:
        number = frame[name].str.replace_all(r"[,\s%]", "").cast(pl.Float64, strict=False)
        if number.null_count() > frame[name].null_count():
            found.append(name)
    return sorted(found)


def _by(rows: pl.DataFrame, one: str, name: str, texts: Sequence[str], unsure: pl.DataFrame) -> pl.DataFrame:
    """Return the staff of each group of a column: as a row of its own says, else the sum of its rows.

    A group of which a row cannot be used has no sum.
    """
    here = rows.filter(pl.col(name).is_not_null()).with_columns(_b=pl.lit(one), _g=pl.col(name))
    alone = pl.all_horizontal(pl.lit(value=True), *(pl.col(n).is_null() for n in texts if n != name))
    stated = here.filter(alone)
    parts = _without_sums(here, texts).join(stated, on=KEY, how="anti")
    parts = parts.join(unsure.select("_o", name).unique(), on=["_o", name], how="anti")
    summed = parts.group_by(KEY, maintain_order=True).agg(pl.col(STAFF).sum(), pl.col(INDEX).min())
    return pl.concat([stated.select(INDEX, *KEY, STAFF), summed.select(INDEX, *KEY, STAFF)])


def _without_sums(rows: pl.DataFrame, texts: Sequence[str]) -> pl.DataFrame:
    """Leave out rows of which other rows, that name more, are the parts."""
    patterns = {tuple(n for n in texts if row[n]) for row in rows.iter_rows(named=True)}
    for few in patterns:
        for more in patterns:
            if {*few} < {*more}:
                parts = rows.filter(pl.all_horizontal(pl.col(more).is_not_null())).select("_o", *few)
                only = pl.all_horizontal(pl.col(n).is_null() for n in texts if n not in few)
                sums = rows.filter(only).join(parts.unique(), on=["_o", *few], how="semi")
                rows = rows.join(sums.select(INDEX), on=INDEX, how="anti")
    return rows
