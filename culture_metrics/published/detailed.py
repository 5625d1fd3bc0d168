"""Read the official "detailed spreadsheets": results of organisations, or national results by breakdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.catalogue import catalogue
from culture_metrics.errors import FileFormatError
from culture_metrics.files.other_surveys import REMEDY, other_survey
from culture_metrics.published.bodies import load_bodies
from culture_metrics.published.cells import fill_cells
from culture_metrics.published.columns import find_figures
from culture_metrics.published.layout import find_edition, find_table, missing_columns
from culture_metrics.published.official import layout
from culture_metrics.published.published import Published
from culture_metrics.published.refusal import answers_of_respondents, holds_answers, refusal
from culture_metrics.published.rows import read_rows
from culture_metrics.published.sheets import UNREAD, unread_sheets
from culture_metrics.published.tables import make_distributions, make_organisations, make_results
from culture_metrics.results import Distributions, Results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from culture_metrics.catalogue import Edition
    from culture_metrics.files.workbooks import Workbook
    from culture_metrics.published.bodies import Body
    from culture_metrics.published.cells import Cells
    from culture_metrics.published.columns import Figure
    from culture_metrics.published.layout import Row, Table

SURVEY = "nss_england"
#: Why columns and blocks are left out.
LOOSE = "columns that the layout does not name"
TWICE = "blocks that stand twice with the same figures"
BASES = (
    "The base of a headline percentage that leaves options out is the published base times the share of the "
    "other options, rounded. It is exact in unweighted rows and approximate in weighted ones, where shares "
    "are weighted while bases are counts."
)


def read_detailed(book: Workbook, heads: Mapping[str, Sequence[Row]]) -> Published:
    """Read a detailed workbook whose first rows are `heads`; see `read_published`."""
    problems: list[str] = []
    tables = _find_tables(heads, book.file, problems)
    codes = {block.code.casefold() for table in tables for block in table.blocks}
    edition = find_edition(catalogue(SURVEY), _headings(heads, tables), codes, book.file)
    left_out: dict[str, list[str]] = {}
    for table in tables:
        left_out.setdefault(LOOSE, []).extend(table.aside)
    left_out[UNREAD] = unread_sheets(heads, [table.sheet for table in tables])
    figures, again = find_figures(tables, edition, left_out, problems)
    if not figures:
        problems.append(f"no block is a question or score of {edition.period}")
        raise refusal(book.file, problems)
    bodies = load_bodies(book, tables)
    rows, notes = read_rows(tables, bodies, edition, left_out, problems)
    cells = fill_cells(bodies, figures, rows, edition, problems)
    for block in again:
        _repeated(bodies, block, figures, cells, rows, edition, left_out, problems)
    if problems:
        raise refusal(book.file, problems)
    return Published(
        survey=edition.survey.id,
        period=edition.period,
        results=Results(make_results(cells, figures, rows, edition)),
        distributions=Distributions(make_distributions(cells, figures, rows, edition)),
        organisations=make_organisations(rows, edition),
        provenance={
            "file": book.file,
            "sha256": book.sha256,
            "title": tables[0].heading.split("\n")[0],
            "sheets": tuple(table.sheet for table in tables),
            "suppressed_cells": int(cells.dashes.sum()),
            "missing": _missing(edition, figures),
            "left_out": {why: tuple(named) for why, named in left_out.items() if named},
            "bases": BASES,
            **notes,
        },
    )


def _repeated(
    bodies: Sequence[Body],
    block: Sequence[Figure],
    figures: Sequence[Figure],
    cells: Cells,
    rows: pl.DataFrame,
    edition: Edition,
    left_out: dict[str, list[str]],
    problems: list[str],
) -> None:
    """Count a block that stands a second time once, if it holds the same; else it is a problem."""
    other = fill_cells(bodies, block, rows, edition, problems)
    key = [(f.name, f.option) for f in block]
    first = [i for i, f in enumerate(figures) if (f.name, f.option) in key]
    places = f"{figures[first[0]].place} and {block[0].place}" if first else block[0].place
    if [(figures[i].name, figures[i].option) for i in first] == key and all(
        np.array_equal(getattr(cells, name)[first], getattr(other, name))
        for name in ("value", "base", "status")
    ):
        left_out.setdefault(TWICE, []).append(places)
    else:
        problems.append(f"{places}: the same question or score, with different figures")


def _find_tables(heads: Mapping[str, Sequence[Row]], file: str, problems: list[str]) -> list[Table]:
    """Find the results of every sheet; one layout for all."""
    tables = [table for name, rows in heads.items() if (table := find_table(name, rows, problems))]
    if len({table.layout for table in tables}) > 1:
        problems.append("some sheets hold results of organisations, others national results by breakdown")
        raise refusal(file, problems)
    if problems and not tables:
        raise refusal(file, problems)
    other = None if tables else other_survey(cell for rows in heads.values() for row in rows for cell in row)
    if other is not None:
        raise FileFormatError(f"This is a file of the {other}", where=file, hint=REMEDY)
    if not tables and any(map(holds_answers, heads.values())):
        raise answers_of_respondents(file)
    if not tables:
        raise FileFormatError(
            "The workbook has no sheet with official results",
            where=file,
            expected="sheets with a header row that names 'ODS code' or 'Breakdown'",
            got=f"{len(heads)} sheet{'s' if len(heads) != 1 else ''}: {', '.join(heads)[:200]}",
            hint="Take the detailed spreadsheet (.xlsx) from the results website as it was downloaded.",
        )
    return tables


def _headings(heads: Mapping[str, Sequence[Row]], tables: Sequence[Table]) -> dict[str, str]:
    """Return the text above the figures by sheet; where it names no year, the first rows of other sheets."""
    found = {table.sheet: table.heading for table in tables}
    if any(layout("organisation").years(text) for text in found.values()):
        return found
    notes = {
        name: " ".join(cell for row in rows for cell in row if cell)
        for name, rows in heads.items()
        if name not in found
    }
    return {**found, **notes}


def _missing(edition: Edition, figures: Sequence[Figure]) -> tuple[str, ...]:
    """Return the official codes of the questions and scores that were not read."""
    there = {f.name for f in figures}
    ticked = {f"{edition.questions[f.name].code}_{f.option}" for f in figures if f.kind == "multi"}
    asked = {code: question for code, question in edition.columns.items() if question.id in there}
    read = {code for code, question in asked.items() if question.kind != "multi" or code in ticked}
    scores = [measure.code for name, measure in edition.scores.items() if name not in there]
    return (*missing_columns(edition, read), *scores)
