"""What went into a study: the files, and what the check of each respondent file found."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.extracts.page import report_html
from culture_metrics.wording.periods import period_kind, period_words, said_period
from culture_metrics.wording.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.extracts.report import ValidationReport
    from culture_metrics.published import Published

FILES = {"file": pl.String, "kind": pl.String, "period": pl.String, "holds": pl.UInt32, "of": pl.String}


def files_read(reports: Sequence[ValidationReport], published: Sequence[Published]) -> pl.DataFrame:
    """List what was read, a row each: `file, kind, period, holds` (how many) and `of` (what)."""
    rows = [
        (
            _file(r.extract.provenance),
            "respondent file",
            r.extract.period,
            r.rows_read - r.rows_of_other_years,
            "respondents",
        )
        for r in reports
    ]
    rows += [
        (_file(p.provenance), "published workbook", p.period, p.organisations.height, "organisations")
        for p in published
    ]
    return pl.DataFrame(rows, schema=FILES, orient="row")


def files_table(files: pl.DataFrame, whom: str) -> Table:
    """Lay out the list of files for readers."""
    frame = files.select(
        pl.col("file").alias("File"),
        (pl.col("kind").str.head(1).str.to_uppercase() + pl.col("kind").str.slice(1)).alias("Kind"),
        said_period().alias(period_kind(files["period"])),
        pl.Series("Holds", [f"{n:,} {of}" for n, of in files.select("holds", "of").iter_rows()], pl.String),
    )
    return Table(frame, f"What was read for {whom}", numbers=("Holds",))


def rows_table(reports: Sequence[ValidationReport]) -> Table:
    """Count, for each respondent file and year, the rows that were read, used and set aside."""
    rows = [
        (
            _file(r.extract.provenance),
            period_words(r.extract.period),
            f"{r.rows_read:,}",
            f"{r.rows_of_other_years:,}",
            f"{r.rows_used:,}",
            f"{r.rows_set_aside - r.rows_of_other_years:,}",
            f"{r.cells_set_aside:,}",
            r.verdict.split(":")[0].removesuffix("."),
        )
        for r in reports
    ]
    kind = period_kind(r.extract.period for r in reports)
    other, last = f"Of other {kind.lower().replace(' or', 's or')}s", "Single answers made missing"
    columns = ["Rows in the file", other, "Rows used", "Rows set aside", last]
    frame = pl.DataFrame(rows, schema=["File", kind, *columns, "Verdict"], orient="row")
    if not any(r.rows_of_other_years for r in reports):
        columns.remove(other)
        frame = frame.drop(other)
    return Table(frame, "Rows in, rows used, rows set aside", numbers=tuple(columns))


@dataclass(frozen=True)
class Checks:
    """Reports of validation, one beneath the other: the first is open, the others are folded."""

    reports: tuple[ValidationReport, ...]

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.reports))

    def _repr_html_(self) -> str:
        shown, *folded = self.reports
        return report_html(shown, level=4) + "".join(
            f"<details style='margin:12px 0'><summary>{html.escape(f'{r.title}. {r.summary()}')}</summary>"
            f"{report_html(r, level=4)}</details>"
            for r in folded
        )


def _file(provenance: Mapping[str, Any]) -> str:
    return str(provenance.get("file") or "Built-in example (invented)")
