"""Find the parts of a results sheet: the header, the id columns and the titles over the figures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError
from culture_metrics.published.match import normalise
from culture_metrics.published.official import layout as official_layout

Row = tuple[str | None, ...]

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from culture_metrics.catalogue import Edition, Survey

#: Layouts of the detailed spreadsheets. The first column of each tells the layout.
LAYOUTS = ("organisation", "national")

_TITLE = re.compile(r"^\s*(?P<code>[^\s].{0,23}?)\s*[-–—:]\s+\S")  # noqa: RUF001
#: Headers of figures: under no title they cannot be told.
_FIGURES = re.compile(r"%|base \(number", re.IGNORECASE)
_CODE = re.compile(r"^(q\d+[a-z]?(_\d+)?|pp\d(_\d)?|[em]_\d)$", re.IGNORECASE)
_LETTERS = 26


@dataclass(frozen=True)
class Block:
    """The columns under one title: `code` as the title gives it, `headers` by column number."""

    code: str
    start: int
    headers: Mapping[int, str]


@dataclass(frozen=True)
class Table:
    """The results on a sheet: where the header stands, the id columns by our name, the blocks of figures.

    `aside` names the columns that are neither, with their places.
    """

    sheet: str
    layout: str
    header_row: int
    ids: Mapping[str, int]
    blocks: tuple[Block, ...]
    heading: str
    aside: tuple[str, ...] = ()

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
        if any((m := _TITLE.match(cell or "")) and _CODE.match(m["code"]) for row in rows for cell in row):
            problems.append(
                f"sheet '{sheet}' has question titles but no header row with 'ODS code' or 'Breakdown'"
            )
        return None
    header_row, layout = found
    header, above = rows[header_row], rows[:header_row]
    known = official_layout(layout)
    named = [(known.headers.get(normalise(cell)), i) for i, cell in enumerate(header) if cell]
    ids = {name: i for name, i in reversed(named) if name}
    lacking = [texts[0] for name, texts in known.columns.items() if name in known.required - set(ids)]
    if lacking:
        listed = ", ".join(f"'{h}'" for h in lacking)
        problems.append(f"sheet '{sheet}' has no column {listed} in its header row {header_row + 1}")
        return None
    first = max(ids.values()) + 1
    titles = max((_titles(row, first) for row in above), key=len, default={})
    starts = [*sorted(titles), len(header)]
    loose = {i: text for i, cell in enumerate(header[: starts[0]]) if (text := (cell or "").strip())}
    loose = {i: text for i, text in loose.items() if i not in ids.values()}
    aside = {i: text for i, text in loose.items() if i < first or not _FIGURES.match(text)}
    problems += [
        f"sheet '{sheet}', column {letter(i)}: '{text}' stands under no title such as 'Q2a - ...'"
        for i, text in loose.items()
        if i not in aside
    ]
    blocks = tuple(
        _block(sheet, header, titles[start], range(start, end), problems) for start, end in pairwise(starts)
    )
    if not blocks:
        problems.append(
            f"sheet '{sheet}' has no titles such as 'Q2a - ...' above its header row {header_row + 1}"
        )
    heading = "\n".join(cell.strip() for row in above for cell in row[:first] if cell)
    places = tuple(f"sheet '{sheet}', column {letter(i)}: '{text}'" for i, text in aside.items())
    return Table(sheet, layout, header_row, ids, blocks, heading, places)


def _find_header(rows: Sequence[Row]) -> tuple[int, str] | None:
    for i, row in enumerate(rows):
        cells = {normalise(cell) for cell in row if cell}
        for layout in LAYOUTS:
            headers = official_layout(layout).headers
            first = next(iter(headers.values()))
            found = {headers[cell] for cell in cells if cell in headers}
            if first in found and len(found) > 1:
                return i, layout
    return None


def _titles(row: Row, first: int) -> dict[int, str]:
    """Return the code of every title in a row; a row without a single one such as 'Q2a - ...' has none."""
    cells = {i: cell.strip() for i, cell in enumerate(row) if cell and i >= first and cell.strip()}
    matches = {i: _TITLE.match(cell) for i, cell in cells.items()}
    if not any(matches.values()):
        return {}
    return {i: match["code"] if match else cells[i] for i, match in matches.items()}


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
    titled = official_layout("organisation")
    years = {year: sheet for sheet, text in headings.items() for year in titled.years(text)}
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
