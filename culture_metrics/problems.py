"""The table of problems: what every check of data reports, in counts, the same shape everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

SEVERITIES = ("error", "warning", "note")
PROBLEMS = {
    "severity": pl.Enum(SEVERITIES),
    "rule": pl.String(),
    "column": pl.String(),
    "rows": pl.UInt32(),
    "examples": pl.String(),
    "found": pl.String(),
    "expected": pl.String(),
    "done": pl.String(),
}
#: Severities as people read them.
WORDS = {"error": "Error", "warning": "Warning", "note": "Note"}
EXAMPLES = 5


class Problem(NamedTuple):
    """One problem: a rule, a column and how many rows, never an answer.

    `rows` counts the rows (for single answers: the answers) that break the rule, `examples` names a few of
    them by their number in the file, `done` says what was done and what to do.
    """

    severity: str
    rule: str
    found: str
    expected: str
    done: str
    column: str | None = None
    rows: int = 0
    examples: str = ""


def problem_table(problems: Iterable[Problem]) -> pl.DataFrame:
    """Put problems in a table, the worst first.

    Returns
    -------
    polars.DataFrame
        Columns `severity` (error, warning, note), `rule`, `column` (null: the file as a whole), `rows`,
        `examples`, `found`, `expected`, `done`.

    Examples
    --------
    >>> problem_table([Problem("note", "empty", "no answers", "answers", "Left out.")])["severity"].item()
    'note'
    """
    rows = [problem._asdict() for problem in problems]
    return pl.DataFrame(rows, schema=PROBLEMS).sort("severity", maintain_order=True)


def examples(rows: pl.Series, total: int | None = None) -> str:
    """Name the first few row numbers; `total` is how many there are when `rows` holds only some.

    Examples
    --------
    >>> examples(pl.Series([4, 5, 11, 12, 13, 14]))
    '4, 5, 11, 12, 13 …'
    """
    more = (rows.len() if total is None else total) > EXAMPLES
    return ", ".join(map(str, rows.head(EXAMPLES).to_list())) + (" …" if more else "")


def listed(names: Iterable[object], most: int = 8) -> str:
    """List names, the first few only.

    Examples
    --------
    >>> listed(["q2a", "q2b", "q2c"], most=2)
    'q2a, q2b and 1 more'
    """
    said = [str(name) for name in names]
    more = len(said) - most
    return ", ".join(said[:most]) + (f" and {more:,} more" if more > 0 else "")


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """Count things in words.

    Examples
    --------
    >>> counted(1, "row"), counted(2500, "row"), counted(2, "code of 2025", "codes of 2025")
    ('1 row', '2,500 rows', '2 codes of 2025')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
