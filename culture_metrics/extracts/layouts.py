"""Tell from the first rows of a table whether it holds respondents, and where its header is."""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.columns import (
    count_questions,
    identifying,
    is_question_code,
    question_codes,
)
from culture_metrics.extracts.labels import all_labels, answer_key, bare, without_code
from culture_metrics.files.contents import COPIED, Kind, find_results, merged_quarters
from culture_metrics.files.header import HEAD_ROWS, Look
from culture_metrics.files.names import squeeze, visible
from culture_metrics.files.other_surveys import REMEDY, other_survey

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from culture_metrics.files.header import Row


_TEXT = (".csv", ".txt", ".tsv")
#: So many rows of wording, codes and marks stand below the names of columns at the most.
MOST_WORDING = 3


class ResultsFileError(FileFormatError):
    """A file with results of groups was given where respondents are read; `kind` and `period` say which.

    `copied`: it is a table of a workbook, saved as text.
    """

    def __init__(self, kind: Kind, period: str | None, where: str, got: str | None = None) -> None:
        copied = kind.workbook and where.lower().endswith(_TEXT)
        super().__init__(
            f"This looks like {'an' if kind.name[0] in 'aeiou' else 'a'} {kind.name}: "
            "results of groups, not respondents",
            where=where,
            expected="one row per respondent, one column per question",
            got=got if copied else None,
            hint=COPIED if copied else kind.hint.format(file=where.partition(", sheet ")[0]),
        )
        self.kind, self.period, self.copied = kind.name, period, copied


def of_several(errors: Sequence[ResultsFileError]) -> FileFormatError:
    """Return one error for all files that were refused: of one kind with their names, else the first."""
    first = errors[0]
    alike = [error for error in errors if (error.what, error.expected) == (first.what, first.expected)]
    if len(alike) < 2:
        return first
    files = "".join(f"\n    {error.where}" for error in alike)
    return FileFormatError(
        f"{len(alike)} files look like {first.kind}s: results of groups, not respondents",
        where=files,
        expected=first.expected,
        hint=first.hint if first.copied else "Read each with cm.read_published.",
    )


def refuse_results(rows: Sequence[Row], where: str) -> None:
    """Stop when the first rows of a table are those of results of groups.

    Raises
    ------
    ResultsFileError
        Naming the kind of file and how to read it.
    """
    found = find_results(rows)
    if found is not None:
        kind, header = found
        raise ResultsFileError(kind, _year_said(rows, header), where, merged_quarters(rows, header))


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
    names = {" ".join(visible(cell).split()) for cell in {*row} if cell}
    matched = names.intersection(given)
    return len(matched) + count_questions(names - matched)


def look_for(given: Collection[str] = (), header_row: int | None = None) -> Look:
    """Return what a respondent file is known by: a row with names of questions.

    The row with the most names of questions and identifying columns is the header, unless the user names it.

    Raises
    ------
    FileFormatError
        When the user names a row that cannot be the header.
    """
    if header_row is not None and not 1 <= header_row <= HEAD_ROWS:
        raise FileFormatError(
            f"The row with the names of columns is one of the first {HEAD_ROWS}",
            got=f"header_row={header_row}",
            hint="Give the number that a spreadsheet shows beside the row: header_row=3.",
        )

    def score(row: Row) -> int:
        questions = header_score(row, given)
        return questions * 1000 + sum(squeeze(c) in identifying() for c in row if c) if questions else 0

    def check(rows: Sequence[Row], header: int | None, where: str) -> None:
        refuse_results(rows, where)
        refuse_swapped(rows, header, where)
        if header is not None and header_row is None:
            refuse_two_headers(rows, header, where)

    return Look(score, rows_of_wording, check, None if header_row is None else header_row - 1)


def refuse_swapped(rows: Sequence[Row], header: int | None, where: str) -> None:
    """Stop when the questions stand below each other: a table on its side, or one row per answer.

    Raises
    ------
    FileFormatError
        Saying how the table should be.
    """
    beside = header_score(rows[header]) if header is not None else 0
    if beside > 1:
        return
    below = max((header_score(column) for column in zip_longest(*rows)), default=0)
    if below >= 5 and (other := other_survey(cell for row in rows for cell in row)):
        raise FileFormatError(f"This is a file of the {other}", where=where, hint=REMEDY)
    if below >= 5:
        raise FileFormatError(
            "The questions stand below each other, not beside each other",
            where=where,
            expected="one row per respondent, one column per question",
            hint="Turn the table, or ask for it with one column per question.",
        )


def refuse_two_headers(rows: Sequence[Row], header: int, where: str) -> None:
    """Stop when two rows name other questions in the same columns: two tables, or codes of two years.

    Raises
    ------
    FileFormatError
        Listing the rows.
    """
    own = rows[header]
    least = max(3, header_score(own) // 2)
    others = [
        place + 1
        for place, row in enumerate(rows)
        if place != header
        and header_score(row) >= least
        and any(
            a and b and is_question_code(a) and is_question_code(b) and not _same_code(a, b)
            for a, b in zip(own, row, strict=False)
        )
    ]
    if others:
        raise FileFormatError(
            "More than one row could name the columns",
            where=where,
            got=f"names of questions in rows {', '.join(map(str, sorted([header + 1, *others])))}",
            hint=f"Name one: header_row={header + 1}; or keep one table in the file.",
        )


def _same_code(one: str, other: str) -> bool:
    """Tell whether two names start with one code of some survey."""
    return bool(question_codes(one) & question_codes(other))


def rows_of_wording(rows: Sequence[Row], header: int) -> int:
    """Count the rows just below the header that hold wording, not answers: some exports write two or three.

    Such a row repeats the codes, or most of its cells under at least six questions hold long texts that are
    no answers and nearly all differ: two wordings may be equal, or one short. Under fewer questions every
    cell must hold three words or more, each other ones.
    """
    names = rows[header]
    asked = [i for i, name in enumerate(names) if name and is_question_code(name)]
    for count, row in enumerate(rows[header + 1 :]):
        if count > MOST_WORDING:
            return 0  # answers in words that are not known: no file repeats its wording so often
        cells = [cell for i in asked if i < len(row) and (cell := (row[i] or "").strip())]
        codes = sum(map(is_question_code, cells))
        texts = [cell for cell in cells if _is_wording(cell)]
        wording = len(texts) >= 6 and 2 * len(texts) > len(cells) and 5 * len({*texts}) >= 4 * len(texts)
        sentences = len(cells) == len(asked) >= 3 and all(len(text.split()) >= 3 for text in cells)
        wording |= sentences and len(texts) == len({*texts}) == len(cells)
        if not (wording or (cells and codes == len(cells))):
            return count
    return 0


def _is_wording(cell: str) -> bool:
    """Tell whether a cell holds the words of a question rather than an answer."""
    texts = {answer_key(cell), answer_key(without_code(bare(cell)))}
    return len(cell) >= 8 and bool(re.search(r"[^\W\d]", cell)) and not texts & all_labels()
