"""Find the parts of a results sheet: the header, the id columns and the titles over the figures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError
from culture_metrics.published.match import normalise

Row = tuple[str | None, ...]

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from culture_metrics.catalogue import Edition, Survey

#: Header of an id column -> our name for it, by layout. The first one tells the layout.
ID_COLUMNS = {
    "organisation": {
        "ods code": "organisation",
        "organisation name": "name",
        "benchmarking group": "benchmark_group",
        "region": "region",
        "ics": "ics",
        "weighting": "weighting",
    },
    "national": {
        "breakdown": "breakdown",
        "breakdown subgroup": "group",
        "weighting": "weighting",
        "base": "coverage",
    },
}
OPTIONAL_IDS = {"coverage"}

_TITLE = re.compile(r"^\s*(?P<code>[^\s].{0,23}?)\s*[-–—:]\s+\S")  # noqa: RUF001
_CODE = re.compile(r"^(q\d+[a-z]?(_\d+)?|pp\d(_\d)?|[em]_\d)$", re.IGNORECASE)
_YEAR = re.compile(r"\bnhs\s+staff\s+survey\s+(?P<year>20\d\d)\b", re.IGNORECASE)
_LETTERS = 26


@dataclass(frozen=True)
class Block:
    """The columns under one title: `code` as the title gives it, `headers` by column number."""

    code: str
    start: int
    headers: Mapping[int, str]


@dataclass(frozen=True)
class Table:
    """The results on a sheet: where the header stands, the id columns by our name, the blocks of figures."""

    sheet: str
    layout: str
    header_row: int
    ids: Mapping[str, int]
    blocks: tuple[Block, ...]
    heading: str

    @property
    def first(self) -> int:
        """First column right of the ids."""
        return max(self.ids.values()) + 1

    @property
    def last(self) -> int:
        """Last column with a header."""
        return max([self.first, *(i for block in self.blocks for i in block.headers)])

    def at(self, column: int) -> str:
        """Name a column as a person finds it: by sheet and letter."""
        return f"sheet '{self.sheet}', column {letter(column)}"


def letter(column: int) -> str:
    """Return the letter of a column counted from 0.

    Examples
    --------
    >>> letter(0), letter(27)
    ('A', 'AB')
    """
    before, last = divmod(column, _LETTERS)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)


def find_table(sheet: str, rows: Sequence[Row], problems: list[str]) -> Table | None:
    """Find the results table among the first rows of a sheet; None where there is none (notes, contents)."""
    found = _find_header(rows)
    if found is None:
        if any(_CODE.match(code) for row in rows for code in _titles(row, 0).values()):
            problems.append(
                f"sheet '{sheet}' has question titles but no header row with 'ODS code' or 'Breakdown'"
            )
        return None
    header_row, layout = found
    header, above = rows[header_row], rows[:header_row]
    names = ID_COLUMNS[layout]
    known = [(names.get(normalise(cell)), i) for i, cell in enumerate(header) if cell]
    ids = {name: i for name, i in reversed(known) if name}
    lacking = [h for h, name in names.items() if name not in ids and name not in OPTIONAL_IDS]
    if lacking:
        listed = ", ".join(f"'{h}'" for h in lacking)
        problems.append(f"sheet '{sheet}' has no column {listed} in its header row {header_row + 1}")
        return None
    first = max(ids.values()) + 1
    titles = max((_titles(row, first) for row in above), key=len, default={})
    starts = [*sorted(titles), len(header)]
    problems += [
        f"sheet '{sheet}', column {letter(i)}: '{header[i]}' stands under no title such as 'Q2a - ...'"
        for i in range(first, starts[0])
        if header[i]
    ]
    blocks = tuple(
        _block(sheet, header, titles[start], range(start, end), problems) for start, end in pairwise(starts)
    )
    if not blocks:
        problems.append(
            f"sheet '{sheet}' has no titles such as 'Q2a - ...' above its header row {header_row + 1}"
        )
    heading = "\n".join(cell.strip() for row in above for cell in row[:first] if cell)
    return Table(sheet, layout, header_row, ids, blocks, heading)


def _find_header(rows: Sequence[Row]) -> tuple[int, str] | None:
    for i, row in enumerate(rows):
        cells = {normalise(cell) for cell in row if cell}
        for layout, names in ID_COLUMNS.items():
            if next(iter(names)) in cells and len(cells.intersection(names)) > 1:
                return i, layout
    return None


def _titles(row: Row, first: int) -> dict[int, str]:
    matches = {i: _TITLE.match(cell) for i, cell in enumerate(row) if cell and i >= first}
    return {i: match["code"] for i, match in matches.items() if match}


def _block(sheet: str, header: Row, code: str, columns: range, problems: list[str]) -> Block:
    """Take the columns under a title, which holds until the next one; empty ones at the end are spacing."""
    named = {i: text for i in columns if (text := (header[i] or "").strip())}
    nameless = [i for i in range(columns.start, max(named, default=0)) if i not in named]
    problems += [f"sheet '{sheet}', column {letter(i)} (of {code}) has no header" for i in nameless]
    return Block(code, columns.start, named)


def find_edition(survey: Survey, headings: Mapping[str, str], codes: Iterable[str], file: str) -> Edition:
    """Tell the edition from the title of the file, and check that the question codes agree.

    Parameters
    ----------
    survey : Survey
        The survey that the file should belong to.
    headings : mapping
        Text above the figures, and after it on other sheets, by sheet. An error quotes the first only.
    codes : iterable of str
        Codes of the questions in the file.
    file : str
        Name of the file, for the error.

    Raises
    ------
    FileFormatError
        When the file belongs to another survey or to a year without a catalogue, or when title and question
        codes contradict each other.
    """
    years = {m["year"]: sheet for sheet, text in headings.items() for m in _YEAR.finditer(text)}
    if not years:
        raise FileFormatError(
            "The workbook does not say that it holds results of the NHS Staff Survey",
            where=file,
            expected="a title such as 'NHS Staff Survey 2024' on the sheets",
            got=next(iter(headings.values())).strip()[:80] or "no title",
            hint="Other surveys (bank staff, the pulse survey, Wales) cannot be read as this one.",
        )
    if len(years) > 1:
        raise FileFormatError(
            "The sheets of the workbook name different years",
            where=file,
            got="; ".join(f"{year} on sheet '{sheet}'" for year, sheet in sorted(years.items())),
            hint="Read one year's workbook at a time, as it was downloaded.",
        )
    year = next(iter(years))
    if year not in survey.periods:
        raise FileFormatError(
            f"There is no catalogue of questions for {year}",
            where=file,
            expected=f"a year from {survey.periods[0]} to {survey.periods[-1]}",
            hint="Earlier editions asked other questions and their results are unweighted."
            if year < survey.periods[0]
            else "A newer version of the package may know it.",
        )
    edition = survey.edition(year)
    _check_codes(edition, {code.casefold() for code in codes}, file)
    return edition


def missing_columns(edition: Edition, codes: set[str]) -> list[str]:
    """Return the columns of the questionnaire that a file lacks; other codes of a question count."""
    return [
        column
        for question in edition.questions.values()
        if codes.isdisjoint(question.alternatives)
        for column in question.columns
        if column not in codes
    ]


def _check_codes(edition: Edition, codes: set[str], file: str) -> None:
    """Complain when the codes of the questions fit another year better than the year in the title."""
    asked = {c for c in codes if c.startswith("q")}
    unknown = {e.period: asked - set(e.columns) for e in edition.survey}
    lacking = {e.period: missing_columns(e, asked) for e in edition.survey}
    misfit = {period: (len(unknown[period]), len(lacking[period])) for period in unknown}
    best = min(misfit, key=misfit.__getitem__)
    exact = misfit[best] == (0, 0) != misfit[edition.period]
    if not exact and misfit[best][0] >= misfit[edition.period][0]:
        return
    strange = sorted(unknown[edition.period])
    absent = lacking[edition.period]
    raise FileFormatError(
        f"The title says {edition.period} but the question codes are those of {best}",
        where=file,
        got="; ".join(
            f"{what}: {', '.join(found[:8])}{' …' if len(found) > 8 else ''}"
            for what, found in (
                (f"codes that {edition.period} does not have", strange),
                (f"codes of {edition.period} that are not there", absent),
            )
            if found
        ),
        hint="Is the title as it was published? If so, report the file to the maintainers.",
    )
