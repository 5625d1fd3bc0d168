"""What validation found: problems in counts, what was set aside, and the clean extract."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.extract import Extract
from culture_metrics.output import Output
from culture_metrics.problems import PROBLEMS, WORDS, Problem, counted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Problems shown in the text form; the table holds all.
SHOWN = 8


@dataclass(frozen=True, repr=False, eq=False)
class ValidationReport(Output):
    """What `validate` found. It shows itself in a notebook and holds counts and row numbers only.

    Attributes
    ----------
    problems : polars.DataFrame
        `severity`, `rule`, `column`, `rows`, `examples`, `found`, `expected`, `done`; the worst first.
    extract : Extract
        The clean extract.
    quarantine : polars.DataFrame
        `row`, `column` (null: the whole row), `reason` of everything set aside; never an answer.
    reconciliation : polars.DataFrame
        `what`, `fate`, `reason`, `count`: where every row went, and every answer but those that put people
        into groups (age, gender): how many of these were set aside would be the size of a group.
    merges : mapping
        Labels that may be one group, as `validate(..., merge=...)` takes them. None was merged.
    """

    problems: pl.DataFrame
    extract: Extract
    quarantine: pl.DataFrame
    reconciliation: pl.DataFrame
    merges: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)

    @property
    def table(self) -> pl.DataFrame:
        """The problems."""
        return self.problems

    @property
    def ok(self) -> bool:
        """True when no problem is an error."""
        return not (self.problems["severity"] == "error").any()

    @property
    def rows_read(self) -> int:
        """Number of rows in the file."""
        return int(self.reconciliation.filter(what="rows", fate="read")["count"].sum())

    @property
    def rows_used(self) -> int:
        """Number of respondents in the clean extract."""
        return self.extract.frame.height

    @property
    def rows_set_aside(self) -> int:
        """Rows read less rows used."""
        return self.rows_read - self.rows_used

    @property
    def rows_of_other_years(self) -> int:
        """How many of those set aside belong to another year of the same file."""
        left_out = self.reconciliation.filter(what="rows", reason="other periods")
        return int(left_out["count"].sum())

    @property
    def counts_rows(self) -> bool:
        """Whether it says how many rows the file has."""
        return not self.reconciliation.filter(what="rows").is_empty()

    def without_rows(self) -> ValidationReport:
        """Return it without the rows of the file: less those of its other periods they are those of one.

        Examples
        --------
        >>> from culture_metrics import synthetic, validate
        >>> report = validate(synthetic.respondents(2024, respondents_per_organisation=200))
        >>> report.without_rows().summary()
        '200 rows used. No errors, no warnings.'
        """
        return replace(
            self,
            problems=self.problems.filter(pl.col("rule") != "other periods"),
            reconciliation=self.reconciliation.filter(pl.col("what") != "rows"),
        )

    @property
    def cells_set_aside(self) -> int:
        """Number of single answers that were made missing, in columns that put nobody into a group."""
        return int(self.reconciliation.filter(what="answers", fate="set aside")["count"].sum())

    @property
    def counts(self) -> dict[str, int]:
        """Number of problems by severity."""
        return {name: int((self.problems["severity"] == name).sum()) for name in WORDS}

    @property
    def verdict(self) -> str:
        """The outcome in one sentence."""
        if not self.ok:
            return "Has errors: read them before you rely on the numbers."
        return "Ready to use, with warnings." if self.counts["warning"] else "Ready to use."

    def summary(self) -> str:
        """Say in one or two sentences what came of the check.

        Examples
        --------
        >>> from culture_metrics import synthetic, validate
        >>> validate(synthetic.respondents(2024, respondents_per_organisation=200)).summary()
        '200 rows read, 200 used, 0 set aside. No errors, no warnings.'
        """
        said = ", ".join(
            counted(n, name) if n else f"no {name}s" for name, n in self.counts.items() if name != "note"
        )
        cells = f", {self.cells_set_aside:,} single answers made missing" if self.cells_set_aside else ""
        rows = f"{counted(self.rows_used, 'row')} used"
        if self.counts_rows:
            rows = f"{counted(self.rows_read, 'row')} read, {self.rows_used:,} used, "
            rows += f"{self.rows_set_aside:,} set aside"
        return f"{rows}{cells}. {said[0].upper()}{said[1:]}."

    def to_html(self, path: str | Path) -> Path:
        """Write the report as a page of its own, which loads nothing from anywhere.

        Raises
        ------
        ReportError
            When the file cannot be written.
        """
        from culture_metrics.extracts.export import write_html
        from culture_metrics.extracts.page import report_html

        return write_html(path, report_html(self, level=2), self.title)

    def to_excel(self, path: str | Path) -> Path:
        """Write a workbook for the contractor: one sheet for each kind of problem, and what was set aside.

        It holds counts and row numbers, no answers; text that a spreadsheet would take for a formula is
        written so that it is none.

        Raises
        ------
        ReportError
            When the file cannot be written.
        """
        from culture_metrics.extracts.export import write_report

        return write_report(path, self)

    @property
    def title(self) -> str:
        """Name of the report: survey, period and file."""
        file = self.extract.provenance.get("file")
        survey = self.extract.edition.survey
        return f"Check of {survey.label}, {survey.named(self.extract.period)}" + (f": {file}" if file else "")

    def __repr__(self) -> str:
        lines = [f"ValidationReport: {self.summary()}"]
        worth = self.problems.filter(pl.col("severity") != "note")
        for row in worth.head(SHOWN).iter_rows(named=True):
            where = f" [{row['column']}]" if row["column"] else ""
            number = f" ({counted(row['rows'], 'row')})" if row["rows"] else ""
            lines.append(f"  {WORDS[row['severity']]}{where} {row['rule']}{number}: {row['done']}")
        more = worth.height - SHOWN
        notes = self.counts["note"]
        if more > 0:
            lines.append(f"  and {more} more in .problems")
        if notes:
            lines.append(f"  {counted(notes, 'note')} in .problems")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from culture_metrics.extracts.page import report_html

        return report_html(self)


__all__ = ["PROBLEMS", "WORDS", "Problem", "ValidationReport"]
