"""What validation found: problems in counts, what was set aside, and the clean extract."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import NamedTuple

import polars as pl

from culture_metrics.extracts.extract import Extract

PROBLEMS = {
    "severity": pl.String(),
    "rule": pl.String(),
    "column": pl.String(),
    "rows": pl.UInt32(),
    "examples": pl.String(),
    "found": pl.String(),
    "expected": pl.String(),
    "done": pl.String(),
}
QUARANTINE = {"row": pl.UInt32(), "column": pl.String(), "reason": pl.String()}
WORDS = {"error": "Error", "warning": "Warning", "note": "Note"}


class Problem(NamedTuple):
    """One problem: a rule, a column and how many rows, never an answer."""

    severity: str
    rule: str
    column: str | None
    rows: int
    examples: str
    found: str
    expected: str
    done: str


@dataclass(frozen=True)
class ValidationReport:
    """What `validate` found. It shows itself in a notebook and holds counts and row numbers only."""

    problems: pl.DataFrame
    extract: Extract
    quarantine: pl.DataFrame
    rows_read: int

    @property
    def ok(self) -> bool:
        """True when no problem is an error."""
        return not (self.problems["severity"] == "error").any()

    @property
    def rows_used(self) -> int:
        """Number of respondents in the clean extract."""
        return self.extract.frame.height

    @property
    def rows_set_aside(self) -> int:
        """Rows read less rows used."""
        return self.rows_read - self.rows_used

    @property
    def cells_set_aside(self) -> int:
        """Number of single answers that were made missing."""
        return self.quarantine["column"].count()

    def summary(self) -> str:
        """Say in one or two sentences what came of the check.

        Examples
        --------
        >>> from culture_metrics import synthetic, validate
        >>> validate(synthetic.respondents(2024, respondents_per_organisation=200)).summary()
        '200 rows read, 200 used, 0 set aside. No errors, no warnings.'
        """
        counts = {name: int((self.problems["severity"] == name).sum()) for name in ("error", "warning")}
        said = ", ".join(f"{n or 'no'} {name}{'' if n == 1 else 's'}" for name, n in counts.items())
        cells = f", {self.cells_set_aside:,} single answers made missing" if self.cells_set_aside else ""
        return (
            f"{self.rows_read:,} rows read, {self.rows_used:,} used, "
            f"{self.rows_set_aside:,} set aside{cells}. "
            f"{said[0].upper()}{said[1:]}."
        )

    def __repr__(self) -> str:
        lines = [f"ValidationReport: {self.summary()}"]
        for severity, rule, column, rows, _, found, _, done in self.problems.head(20).iter_rows():
            where = f" [{column}]" if column else ""
            counted = f" ({rows:,} rows)" if rows else ""
            lines.append(f"  {WORDS[severity]}{where} {rule}: {found}{counted}. {done}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        table = self.problems.select(
            pl.col("severity").cast(pl.String).replace(WORDS).alias("Kind"),
            pl.col("rule").alias("What"),
            pl.col("column").fill_null("").alias("Column"),
            pl.col("rows").cast(pl.String).alias("Rows"),
            pl.col("examples").alias("For example row"),
            pl.col("found").alias("Found"),
            pl.col("expected").alias("Expected"),
            pl.col("done").alias("What was done"),
        )
        head = "".join(f"<th scope='col' style='text-align:left'>{n}</th>" for n in table.columns)
        body = "".join(
            "<tr>" + "".join(f"<td style='text-align:left'>{html.escape(c)}</td>" for c in row) + "</tr>"
            for row in table.iter_rows()
        )
        verdict = "Ready to use" if self.ok else "Has errors: read them before you rely on the numbers"
        return f"<p><strong>{verdict}.</strong> {html.escape(self.summary())}</p>" + (
            f"<table><tr>{head}</tr>{body}</table>" if table.height else ""
        )
