"""Tell from the words in the first rows of a table whether it holds results of groups, and which."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_metrics.files.names import squeeze

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from culture_metrics.files.header import Row

#: A question or score over the figures of an official workbook: `Q2a - ...`, `PP1 - ...`.
_TITLE = re.compile(
    r"\s*(q\d{1,2}[a-z]?|pp\d|[em]|theme|staff engagement|morale)(_\w+)?\s*[-\u2013\u2014:]\s", re.I
)
_HISTORY = re.compile(r"(q\d{1,2}[a-z]?|pp\d(_\d)?|[em]_\d|theme_\w+|(un_)?theme_\w+)_(n_)?20\d\d", re.I)


@dataclass(frozen=True)
class Kind:
    """A kind of file that holds results of groups, not respondents, and how it is told.

    `hint` may name the `{file}`. `fits` looks at the names of columns; with `titled`, titles of questions
    must stand in a row above them. Of a `workbook` no table saved as text is read.
    """

    name: str
    fits: Callable[[frozenset[str], Row], bool]
    hint: str
    titled: bool = False
    workbook: bool = False


def _has(*names: str) -> Callable[[frozenset[str], Row], bool]:
    return lambda squeezed, _: squeezed.issuperset(map(squeeze, names))


def _benchmark(squeezed: frozenset[str], row: Row) -> bool:
    named = squeezed & {"orgid", "orgname", "trust", "trustname"}
    return bool(named) and any(_HISTORY.fullmatch(cell.strip()) for cell in row if cell)


def _old_benchmark(squeezed: frozenset[str], row: Row) -> bool:
    return "trust" in squeezed and "orgid" not in squeezed and _benchmark(squeezed, row)


_PUBLISHED = 'Read it with cm.read_published("{file}").'
_EXPORT = 'Read it with cm.read_published("{file}", "RXX"), with the ODS code of your organisation for RXX.'
#: Of a table that somebody saved as text: titles, notes and sheets are gone, and what they say with them.
COPIED = (
    "Nothing here reads a copy of its table as text, in which figures may be rounded: take the workbook "
    "(.xlsx) as it was published, with its titles and notes, one year or quarter a file."
)
_ORGANISATIONS = _has("ODS code", "Organisation name", "Benchmarking group", "Weighting")
_NATIONAL = _has("Breakdown", "Breakdown subgroup", "Weighting")
#: Figures under names of somebody's own: no reader knows what they mean.
TABLE = "table of results"
PULSE = "pulse workbook"
_QUARTER = re.compile(r"20\d\d[-/ ]?(?:20)?(?:\d\d)?[-/ ]?q[1-4]|q[1-4][-/ ]?20\d\d(?:[-/ ]?\d\d)?", re.I)
#: Every kind with results of groups. The first that fits wins.
KINDS = (
    Kind("official workbook (organisations)", _ORGANISATIONS, _PUBLISHED, titled=True, workbook=True),
    Kind("official workbook (national)", _NATIONAL, _PUBLISHED, titled=True, workbook=True),
    Kind(
        TABLE,
        lambda squeezed, row: _ORGANISATIONS(squeezed, row) or _NATIONAL(squeezed, row),
        "Its figures are not named by question or score, so nothing here reads it: take the detailed "
        "spreadsheet (.xlsx) from the results website as it was downloaded.",
    ),
    Kind(
        "benchmark workbook of before 2021",
        _old_benchmark,
        "It has other themes than the survey has since 2021, and nothing here reads it: take the benchmark "
        "workbook of 2021 or later, which holds the years before it, restated, where they compare.",
        workbook=True,
    ),
    Kind("benchmark workbook", _benchmark, _PUBLISHED, workbook=True),
    Kind(
        "contractor breakdown export",
        _has("QuestionNumber", "DimName", "DimValue"),
        _EXPORT,
    ),
    Kind("contractor option export", _has("OptionCode", "OptionText"), _EXPORT),
    Kind(PULSE, _has("Org Code", "Care Setting", "Total Responses"), _PUBLISHED, workbook=True),
)


def kind_of_results(rows: Sequence[Row]) -> Kind | None:
    """Return the kind of results that the first rows of a table show; None when they show none.

    Examples
    --------
    >>> kind_of_results([["Year", "QuestionNumber", "DimName", "DimValue", "BaseSize", "Score"]]).name
    'contractor breakdown export'
    """
    found = find_results(rows)
    return None if found is None else found[0]


def find_results(rows: Sequence[Row]) -> tuple[Kind, int] | None:
    """Return the kind of results and the position of the row that names the columns."""
    titled = False
    for i, row in enumerate(rows):
        squeezed = frozenset(squeeze(cell) for cell in row if cell)
        for kind in KINDS:
            if kind.fits(squeezed, row) and (titled or not kind.titled):
                return kind, i
        titled = titled or any(_TITLE.match(cell) for cell in row if cell)
    return None


def merged_quarters(rows: Sequence[Row], header: int) -> str | None:
    """Say which quarters stand below each other in a column of the first rows; None where no two do.

    Examples
    --------
    >>> merged_quarters([["Org Code", "time"], ["RXX", "202122Q4"], ["RXX", "202223Q1"], ["RXX", "NA"]], 0)
    "quarters below each other (column 'time': 202122Q4, 202223Q1, and 1 row without a quarter)"
    """
    for place, name in enumerate(rows[header]):
        cells = [(row[place] or "").strip() for row in rows[header + 1 :] if place < len(row) and any(row)]
        said = [cell for cell in cells if _QUARTER.fullmatch(cell)]
        if len({*said}) > 1:
            none = len(cells) - len(said)
            without = f", and {none} row{'s' if none > 1 else ''} without a quarter" if none else ""
            return f"quarters below each other (column '{name}': {', '.join(dict.fromkeys(said))}{without})"
    return None
