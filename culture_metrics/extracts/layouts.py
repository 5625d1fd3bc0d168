"""Tell what a table is from the words in its header: a respondent file, or results of groups."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.columns import identifying, is_question_code, names_question, squeeze

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    Row = Sequence[str | None]

#: How many rows are looked at to find the header.
HEAD_ROWS = 60
#: A question or score over the figures of an official workbook: `Q2a - ...`, `PP1 - ...`.
_TITLE = re.compile(r"\s*(q\d{1,2}[a-z]?|pp\d|[em]|theme)(_\w+)?\s*[-\u2013\u2014:]\s", re.I)
_HISTORY = re.compile(r"(q\d{1,2}[a-z]?|pp\d(_\d)?|[em]_\d|theme_\w+|(un_)?theme_\w+)_(n_)?20\d\d", re.I)


@dataclass(frozen=True)
class Kind:
    """A kind of file that holds results of groups, not respondents, and how it is told.

    `fits` looks at the names of columns; with `titled`, titles of questions must stand in a row above them.
    Of a `workbook` no table saved as text is read.
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


_PUBLISHED = "Read it with read_published."
#: Of a table that somebody saved as text: titles, notes and sheets are gone, and what they say with them.
COPIED = (
    "Nothing here reads a copy of its table as text: take the workbook (.xlsx) as it was published, with its "
    "titles and notes, one year or quarter a file."
)
_TEXT = (".csv", ".txt", ".tsv")
_ORGANISATIONS = _has("ODS code", "Organisation name", "Benchmarking group", "Weighting")
_NATIONAL = _has("Breakdown", "Breakdown subgroup", "Weighting")
#: Figures under names of somebody's own: no reader knows what they mean.
TABLE = "table of results"
PULSE = "pulse workbook"
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
    Kind("benchmark workbook", _benchmark, _PUBLISHED, workbook=True),
    Kind(
        "contractor breakdown export",
        _has("QuestionNumber", "DimName", "DimValue"),
        _PUBLISHED,
    ),
    Kind("contractor option export", _has("OptionCode", "OptionText"), _PUBLISHED),
    Kind(PULSE, _has("Org Code", "Care Setting", "Total Responses"), _PUBLISHED, workbook=True),
)
RESPONDENTS = "respondent file"
UNKNOWN = "unknown"


def kind_of_results(rows: Sequence[Row]) -> Kind | None:
    """Return the kind of results that the first rows of a table show; None when they show none.

    Examples
    --------
    >>> kind_of_results([["Year", "QuestionNumber", "DimName", "DimValue", "BaseSize", "Score"]]).name
    'contractor breakdown export'
    """
    found = _find_results(rows)
    return None if found is None else found[0]


def _find_results(rows: Sequence[Row]) -> tuple[Kind, int] | None:
    """Return the kind of results and the position of the row that names the columns."""
    titled = False
    for i, row in enumerate(rows):
        squeezed = frozenset(squeeze(cell) for cell in row if cell)
        for kind in KINDS:
            if kind.fits(squeezed, row) and (titled or not kind.titled):
                return kind, i
        titled = titled or any(_TITLE.match(cell) for cell in row if cell)
    return None


class ResultsFileError(FileFormatError):
    """A file with results of groups was given where respondents are read; `kind` and `period` say which.

    `copied`: it is a table of a workbook, saved as text.
    """

    def __init__(self, kind: Kind, period: str | None, where: str) -> None:
        copied = kind.workbook and where.lower().endswith(_TEXT)
        super().__init__(
            f"This looks like {'an' if kind.name[0] in 'aeiou' else 'a'} {kind.name}: "
            "results of groups, not respondents",
            where=where,
            expected="one row per respondent, one column per question",
            hint=COPIED if copied else kind.hint,
        )
        self.kind, self.period, self.copied = kind.name, period, copied


def refuse_results(rows: Sequence[Row], where: str) -> None:
    """Stop when the first rows of a table are those of results of groups.

    Raises
    ------
    ResultsFileError
        Naming the kind of file and how to read it.
    """
    found = _find_results(rows)
    if found is not None:
        kind, header = found
        raise ResultsFileError(kind, _year_said(rows, header), where)


def _year_said(rows: Sequence[Row], header: int) -> str | None:
    """Return the latest year in titles and names of columns, or in a column of years."""
    said = [cell for row in rows[: header + 1] for cell in row if cell]
    for i, name in enumerate(rows[header]):
        if name and identifying().get(squeeze(name)) == "period":
            said += [row[i] for row in rows[header + 1 :] if i < len(row) and row[i]]  # type: ignore[misc]
    years = [year for text in said for year in re.findall(r"(?<!\d)20\d\d(?!\d)", text)]
    return max(years, default=None)


def header_score(row: Row, given: Collection[str] = ()) -> int:
    """Count the cells of a row that name a question, or that the user has matched with one."""
    names = {cell.strip() for cell in row if cell}
    return sum(1 for name in names if name in given or names_question(name))


def find_header(rows: Sequence[Row], given: Collection[str] = ()) -> int | None:
    """Return the position of the row that holds the column names; None when no row names a question.

    The row with the most names of questions and identifying columns is the header; of equals the first.
    """
    scores = [
        header_score(row, given) * 1000 + sum(squeeze(c) in identifying() for c in row if c) for row in rows
    ]
    best = max(scores, default=0)
    return scores.index(best) if best >= 1000 else None


def refuse_swapped(rows: Sequence[Row], header: int | None, where: str) -> None:
    """Stop when the questions stand below each other: a table on its side, or one row per answer.

    Raises
    ------
    FileFormatError
        Saying how the table should be.
    """
    beside = header_score(rows[header]) if header is not None else 0
    below = max((header_score(column) for column in zip_longest(*rows)), default=0)
    if beside <= 1 and below >= 5:
        raise FileFormatError(
            "The questions stand below each other, not beside each other",
            where=where,
            expected="one row per respondent, one column per question",
            hint="Turn the table, or ask for it with one column per question.",
        )


def widest_row(rows: Sequence[Row]) -> int:
    """Return the position of the first of the rows with most filled cells: the header, if there is one."""
    filled = [sum(bool(cell and cell.strip()) for cell in row) for row in rows]
    return filled.index(max(filled)) if filled else 0


def rows_of_wording(rows: Sequence[Row], header: int) -> int:
    """Count the rows just below the header that hold wording, not answers: some exports write two or three.

    Such a row repeats the codes, or holds a different long text under each of at least six questions.
    """
    names = rows[header]
    asked = [i for i, name in enumerate(names) if name and is_question_code(name)]
    for count, row in enumerate(rows[header + 1 :]):
        cells = [cell for i in asked if i < len(row) and (cell := (row[i] or "").strip())]
        codes = sum(map(is_question_code, cells))
        wording = len(set(cells)) == len(cells) >= 6 and all(
            len(cell) >= 8 and re.search("[^\\W\\d]", cell) for cell in cells
        )
        if not (wording or (cells and codes == len(cells))):
            return count
    return 0
