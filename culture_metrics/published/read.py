"""Read an official results workbook into Results, Distributions and Organisations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.catalogue import catalogue
from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.files import file_hash
from culture_metrics.published.cells import fill_cells
from culture_metrics.published.columns import find_figures
from culture_metrics.published.layout import find_edition, find_table, missing_columns
from culture_metrics.published.published import Published
from culture_metrics.published.rows import read_rows
from culture_metrics.published.tables import make_distributions, make_organisations, make_results
from culture_metrics.published.workbook import load_bodies, load_heads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition
    from culture_metrics.published.layout import Row, Table

SURVEY = "nss_england"
#: How many problems of a workbook an error lists.
SHOWN_PROBLEMS = 20
BASES = (
    "The base of a headline percentage that leaves options out is the published base times the share of the "
    "other options, rounded. It is exact in unweighted rows and approximate in weighted ones, where shares "
    "are weighted while bases are counts."
)


def read_published(path: str | Path) -> Published:
    """Read an official "detailed spreadsheets" workbook of the NHS Staff Survey.

    Layout (results of organisations, or national results by breakdown) and year are told from the file; sheet
    names, header rows and numbers of columns may differ.

    Parameters
    ----------
    path : str or Path
        The workbook (.xlsx) as it was downloaded.

    Returns
    -------
    Published
        `results` has the published scores (0 to 10) and the headline percentages (0 to 100): the positive
        options as a share of all options but those that the headline leaves out. `distributions` has every
        option as published. `weighting` is that of the row (`occupation_group`, `none`,
        `occupation_group_and_size`, `size`), and `none` for questions that are never weighted. In a national
        file the organisation is `all`. `provenance` has `file`, `sha256`, `layout`, `title`, `sheets`,
        `suppressed_cells` (cells with "-", percentages, scores and bases), `missing` (official codes of the
        edition that the file lacks), `bases` (how headline bases are worked out), `unknown_weightings` and,
        in national files, `coverage` (which organisations each breakdown covers) and `unknown_breakdowns`.

    Raises
    ------
    FileFormatError
        When the file is no such workbook, belongs to another survey or year, or its columns or cells cannot
        be understood. All such problems are listed together, by sheet and column.

    Notes
    -----
    A "-" in a result cell is a suppressed result (status `suppressed_small_base`), a blank cell is
    `not_asked`; in a breakdown by the question itself both are `not_asked`. A headline with fewer than 10
    answers left in its base is suppressed too, by the rule of the file itself. The base of a headline that
    leaves options out is the published base times the share of the other options, rounded: exact in
    unweighted rows, approximate in weighted ones. Source: Notes of the official 2024 detailed spreadsheets.

    Examples
    --------
    >>> read_published("results.pdf")
    Traceback (most recent call last):
        ...
    culture_metrics.errors.FileFormatError: There is no such file
      where: results.pdf
      what to do: Check the folder and the spelling of the name.
    """
    path = Path(path)
    problems: list[str] = []
    heads = load_heads(path)
    tables = _find_tables(heads, path.name, problems)
    codes = {block.code.casefold() for table in tables for block in table.blocks}
    edition = find_edition(catalogue(SURVEY), _headings(heads, tables), codes, path.name)
    figures = find_figures(tables, edition, problems)
    bodies = load_bodies(path, tables)
    rows, notes = read_rows(tables, bodies, edition, problems)
    cells = fill_cells(bodies, figures, rows, problems)
    if problems:
        raise _refusal(path.name, problems)
    return Published(
        survey=edition.survey.id,
        period=edition.period,
        results=make_results(cells, figures, rows, edition),
        distributions=make_distributions(cells, figures, rows, edition),
        organisations=make_organisations(rows, edition),
        provenance={
            "file": path.name,
            "sha256": file_hash(path),
            "layout": tables[0].layout,
            "title": tables[0].heading.split("\n")[0],
            "sheets": tuple(table.sheet for table in tables),
            "suppressed_cells": int(cells.dashes.sum()),
            "missing": _missing(edition, codes),
            "bases": BASES,
            **notes,
        },
    )


def is_published(path: str | Path) -> bool:
    """Say whether a file is an official results workbook, by a look at the first rows of its sheets.

    A large workbook costs little: the rows below are not unpacked. CSV, Parquet and other Excel files are no
    official results workbooks; neither is a file that does not exist.

    Examples
    --------
    >>> is_published("RXX_2024.csv")
    False
    """
    try:
        heads = load_heads(Path(path))
    except FileFormatError:
        return False
    return any(find_table(name, rows, []) for name, rows in heads.items())


def _find_tables(heads: Mapping[str, Sequence[Row]], file: str, problems: list[str]) -> list[Table]:
    """Find the results of every sheet; one layout for all."""
    tables = [table for name, rows in heads.items() if (table := find_table(name, rows, problems))]
    if len({table.layout for table in tables}) > 1:
        problems.append("some sheets hold results of organisations, others national results by breakdown")
        raise _refusal(file, problems)
    if problems and not tables:
        raise _refusal(file, problems)
    if not tables:
        raise FileFormatError(
            "The workbook has no sheet with official results",
            where=file,
            expected="sheets with a header row that names 'ODS code' or 'Breakdown'",
            got=f"{len(heads)} sheet{'s' if len(heads) != 1 else ''}: {', '.join(heads)[:200]}",
            hint="Take the detailed spreadsheet from the results website; use read_extract for answers.",
        )
    return tables


def _headings(heads: Mapping[str, Sequence[Row]], tables: Sequence[Table]) -> dict[str, str]:
    """Return the text above the figures by sheet; of sheets without figures, their first rows."""
    found = {table.sheet: table.heading for table in tables}
    notes = {
        name: " ".join(cell for row in rows for cell in row if cell)
        for name, rows in heads.items()
        if name not in found
    }
    return {**found, **notes}


def _missing(edition: Edition, codes: set[str]) -> tuple[str, ...]:
    """Return the official codes of the questions and scores that the file does not have."""
    there = {edition.codes.get(code) for code in codes}
    scores = [measure.code for name, measure in edition.scores.items() if name not in there]
    return (*missing_columns(edition, codes), *scores)


def _refusal(file: str, problems: Sequence[str]) -> FileFormatError:
    shown = list(dict.fromkeys(problems))
    more = [f"and {len(shown) - SHOWN_PROBLEMS} more"] if len(shown) > SHOWN_PROBLEMS else []
    return FileFormatError(
        f"The workbook cannot be read: {len(shown)} problem{'s' if len(shown) != 1 else ''}",
        where=file,
        got="\n    ".join(["", *shown[:SHOWN_PROBLEMS], *more]),
        hint="Compare these places with the file as it was downloaded, or download it again.",
    )
