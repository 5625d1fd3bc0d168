"""What rules return: answers and rows that break a rule, not yet looked up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.read import ROW
from culture_metrics.problems import Problem, examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.catalogue import Edition

#: Every reason for which an answer or a row is set aside: the name of the rule it breaks.
REASONS = (
    "text where a code belongs",
    "several answers in one cell",
    "dates where codes belong",
    "error values of Excel",
    "decimals where codes belong",
    "fractions where codes belong",
    "codes outside the list",
    "code 9 where the list has none",
    "likely missing codes",
    "negative codes",
    "codes that start at 0",
    "ticks in another coding",
    "answers that the filter rules out",
    "not applicable under the filter",
    "other periods",
    "no organisation",
    "empty rows",
    "rows that stand twice",
    "respondents with several different rows",
)


@dataclass(frozen=True)
class Cells:
    """Answers in one column that break a rule and are made missing. `where` finds them."""

    severity: str
    rule: str
    column: str
    where: pl.Expr
    rows: int
    found: str
    expected: str
    done: str


@dataclass(frozen=True)
class Rows:
    """Whole rows that break a rule and are left out: their place in the table."""

    severity: str
    rule: str
    column: str | None
    places: pl.Series
    found: str
    expected: str
    done: str

    @property
    def rows(self) -> int:
        """How many they are."""
        return self.places.len()


def problem(kind: Cells | Rows, numbers: pl.Series) -> Problem:
    """Tell what was found; a few of the row numbers are named."""
    return Problem(
        kind.severity,
        kind.rule,
        kind.found,
        kind.expected,
        kind.done,
        column=kind.column,
        rows=kind.rows,
        examples=examples(numbers),
    )


def look_up(frame: pl.DataFrame, cells: Sequence[Cells]) -> list[pl.Series]:
    """Return the row numbers of each kind of bad answer, all of them in one pass."""
    if not cells:
        return []
    lists = frame.select(
        pl.col(ROW).filter(kind.where).implode().alias(str(n)) for n, kind in enumerate(cells)
    )
    return [lists[str(n)].explode() for n in range(len(cells))]


def answer_columns(frame: pl.DataFrame, edition: Edition) -> list[str]:
    """Return the columns that hold answers."""
    return [c for c in frame.columns if c in edition.columns]


def codes_of(edition: Edition, column: str) -> str:
    """Say which codes a column may hold."""
    question = edition.columns[column]
    codes = [0, 1] if question.kind == "multi" else list(question.scale.labels)
    if len(codes) > 10 and codes == list(range(codes[0], codes[-1] + 1)):
        return f"a code from {codes[0]} to {codes[-1]}"
    return "one of " + ", ".join(map(str, codes))
