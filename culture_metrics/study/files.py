"""What went into a study: the files, and what the check of each respondent file found."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.extracts.page import report_html
from culture_metrics.wording.periods import period_kind, period_words, said_period
from culture_metrics.wording.table import HELD, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.report import ValidationReport
    from culture_metrics.study.study import Study

FILES = {"file": pl.String, "kind": pl.String, "period": pl.String, "holds": pl.UInt32, "of": pl.String}


@dataclass(frozen=True)
class Told:
    """The check of a file in one period, as far as it may be told how many rows there are.

    `few`: too few people of the organisation answered for anything to be counted. `whole`: the rows of the
    file may be told as well; less those of its other periods they are those of the one that is left.
    """

    report: ValidationReport
    own: Extract
    few: bool
    whole: bool


def told_of(study: Study) -> list[Told]:
    """Return the checks of a study, with what may be counted of each."""
    least = study.rule.minimum_base
    pairs = [*zip(study.reports, study.extracts, strict=True)]
    mine: dict[object, int] = {}
    hidden = set()
    for report, own in pairs:
        file = _hash(report)
        mine[file] = mine.get(file, 0) + report.rows_read - report.rows_of_other_years
        if own.frame.height < least:
            hidden.add(file)
    # A year of too few is no part of the study: it is what is left of the rows.
    hidden |= {_hash(r) for r, _ in pairs if 0 < r.rows_read - mine[_hash(r)] < least}
    return [
        Told(report, own, few := own.frame.height < least, not few and _hash(report) not in hidden)
        for report, own in pairs
    ]


def _hash(report: ValidationReport) -> object:
    return report.extract.provenance.get("sha256") or id(report)


def files_read(study: Study) -> pl.DataFrame:
    """List what was read, a row each: `file, kind, period, holds` (how many; null: few), `of` (what)."""
    rows = [
        (
            _file(one.report.extract.provenance),
            "respondent file",
            one.report.extract.period,
            None if one.few else one.report.rows_read - one.report.rows_of_other_years,
            "respondents",
        )
        for one in told_of(study)
    ]
    rows += [
        (_file(p.provenance), "published workbook", p.period, p.organisations.height, "organisations")
        for p in study.published
    ]
    return pl.DataFrame(rows, schema=FILES, orient="row")


def files_table(files: pl.DataFrame, whom: str) -> Table:
    """Lay out the list of files for readers."""
    holds = [
        f"{HELD} {of}" if n is None else f"{n:,} {of}" for n, of in files.select("holds", "of").iter_rows()
    ]
    frame = files.select(
        pl.col("file").alias("File"),
        (pl.col("kind").str.head(1).str.to_uppercase() + pl.col("kind").str.slice(1)).alias("Kind"),
        said_period().alias(period_kind(files["period"])),
        pl.Series("Holds", holds, pl.String),
    )
    return Table(frame, f"What was read for {whom}", numbers=("Holds",))


def rows_table(checks: Sequence[Told]) -> Table:
    """Count, for each respondent file and year, the rows that were read, used and set aside."""
    rows = [_row(one) for one in checks]
    kind = period_kind(one.own.period for one in checks)
    other, last = f"Of other {kind.lower().replace(' or', 's or')}s", "Single answers made missing"
    columns = ["Rows in the file", other, "Rows used", "Rows set aside", last]
    frame = pl.DataFrame(rows, schema=["File", kind, *columns, "Verdict"], orient="row")
    if not any(one.report.rows_of_other_years for one in checks):
        columns.remove(other)
        frame = frame.drop(other)
    return Table(frame, "Rows in, rows used, rows set aside", numbers=tuple(columns))


def _row(one: Told) -> tuple[str, ...]:
    report = one.report
    in_file = (
        report.rows_read,
        report.rows_of_other_years,
        report.rows_set_aside - report.rows_of_other_years,
    )
    read, other, aside = (f"{n:,}" if one.whole else HELD for n in in_file)
    used, answers = (HELD if one.few else f"{n:,}" for n in (report.rows_used, report.cells_set_aside))
    verdict = report.verdict.split(":")[0].removesuffix(".")
    period = period_words(report.extract.period)
    return _file(report.extract.provenance), period, read, other, used, aside, answers, verdict


@dataclass(frozen=True)
class Checks:
    """Reports of validation, one beneath the other: the first is open, the others are folded."""

    checks: tuple[Told, ...]
    least: int

    def __repr__(self) -> str:
        return "\n".join(self._held(one) if one.few else repr(_counted(one)) for one in self.checks)

    def _repr_html_(self) -> str:
        shown = [_counted(one) for one in self.checks if not one.few]
        few = "".join(f"<p>{html.escape(self._held(one))}</p>" for one in self.checks if one.few)
        if not shown:
            return few
        return "".join([report_html(shown[0], level=4), few, *map(_folded, shown[1:])])

    def _held(self, one: Told) -> str:
        return f"{one.report.title}. Held back: fewer than {self.least} people answered."


def _folded(report: ValidationReport) -> str:
    said = html.escape(f"{report.title}. {report.summary()}")
    return f"<details style='margin:12px 0'><summary>{said}</summary>{report_html(report, level=4)}</details>"


def _counted(one: Told) -> ValidationReport:
    return one.report if one.whole else one.report.without_rows()


def _file(provenance: Mapping[str, Any]) -> str:
    return str(provenance.get("file") or "Built-in example (invented)")
