"""Write a check to a file: a page, or a workbook that can be sent back to whoever made the extract."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ReportError
from culture_metrics.extracts.page import whole_page
from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.files.accessible import NOTHING, Sheet, workbook
from culture_metrics.files.formulas import neutral, plain
from culture_metrics.problems import WORDS, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.report import ValidationReport

#: References to single answers in a workbook; a file with more bad answers needs no list of all of them.
MOST_REFERENCES = 50_000
COUNT = "#,##0"
NAMES = {
    "column": "Column",
    "rows": "Rows",
    "examples": "For example row",
    "found": "Found",
    "expected": "Expected",
    "done": "What was done, what to do",
}
NO_ANSWERS = "Counts and row numbers only: this workbook holds no answers."
NOTES = {
    "Error": "Figures that use the column may be wrong: mend it at its source.",
    "Warning": "To be looked at before the figures are used.",
    "Note": "Says what was done, and needs nothing.",
    "Rows": "How many rows of the file, or answers in them, it is about; rows are numbered as in the file.",
    NOTHING: "Nothing there: it does not apply, or nothing is to be done.",
}


def write_html(path: str | Path, body: str, title: str) -> Path:
    """Write a page that loads nothing from anywhere.

    Raises
    ------
    ReportError
        When the file cannot be written.
    """
    path = Path(path)
    try:
        path.write_text(whole_page(body, title), encoding="utf-8")
    except OSError as error:
        raise _unwritten(path) from error
    return path


def write_report(path: str | Path, report: ValidationReport) -> Path:
    """Write a report of validation as a workbook: cover, kinds of problems, account, what was set aside."""
    told = _told(report)
    references, total = told.head(MOST_REFERENCES), told.height
    aside = references.select(
        pl.col("row").alias("Row"),
        pl.col("column").cast(pl.String).fill_null("the whole row").alias("Column"),
        pl.col("reason").cast(pl.String).alias("Reason"),
    )
    said = f"{counted(total, 'reference')} to rows and answers of the file, which were set aside. No answers."
    if total > MOST_REFERENCES:
        said = f"The first {MOST_REFERENCES:,} of {said[0].lower()}{said[1:]}"
    account = report.reconciliation.select(
        pl.concat_str(pl.col("what").str.to_titlecase(), pl.lit(" "), "fate").alias("What"),
        pl.col("reason").fill_null("").alias("Reason"),
        pl.col("count").cast(pl.Int64).alias("Number"),
    )
    more = [
        (
            "Rows and answers",
            "Where every row and answer went; what was read is the sum of the rest. Answers that put people "
            "into groups (age, gender) are not counted.",
            account,
        ),
        ("Set aside", said, aside),
    ]
    facts = [report.verdict, report.summary()]
    return write_workbook(path, report.title, facts, report.problems, more)


def _told(report: ValidationReport) -> pl.DataFrame:
    """Return references to what was set aside; few of a column that puts people into groups count a group."""
    people = pl.col("column").cast(pl.String).is_in(of_groups(report.extract.edition)).fill_null(value=False)
    few = pl.len().over("column", "reason") < report.extract.edition.survey.minimum_base
    return report.quarantine.filter(~(people & few))


def write_workbook(
    path: str | Path,
    title: str,
    facts: Sequence[str],
    problems: pl.DataFrame,
    more: Sequence[tuple[str, str, pl.DataFrame]] = (),
) -> Path:
    """Write problems as an accessible workbook: cover, contents, notes, one table on each sheet.

    Parameters
    ----------
    path : str or Path
        Where to write it.
    title : str
        What was checked.
    facts : sequence of str
        Sentences for the cover.
    problems : polars.DataFrame
        As `problem_table` makes it.
    more : sequence of (str, str, DataFrame)
        Further sheets: name, what it holds, table.

    Raises
    ------
    ReportError
        When the file cannot be written.
    """
    path = Path(path)
    sheets = []
    for severity, rule in problems.select("severity", "rule").unique(maintain_order=True).rows():
        own = problems.filter(severity=severity, rule=rule)
        table = own.select(
            pl.col(k).cast(pl.Int64 if k == "rows" else pl.String).alias(v) for k, v in NAMES.items()
        )
        sheets.append(_sheet(rule, f"{WORDS[severity]}: {rule}", table))
    sheets += [_sheet(name, name, table, [said]) for name, said, table in more]
    cover = [*map(neutral, facts), NO_ANSWERS]
    made = workbook(neutral(title), cover, NOTES, sheets)
    try:
        path.write_bytes(made)
    except OSError as error:
        raise _unwritten(path) from error
    return path


def _sheet(name: str, title: str, table: pl.DataFrame, about: Sequence[str] = ()) -> Sheet:
    texts = [plain(pl.col(c)).alias(c) for c, dtype in table.schema.items() if dtype == pl.String]
    formats = {c: COUNT for c, dtype in table.schema.items() if dtype.is_numeric()}
    shown = neutral(name[:1].upper() + name[1:])
    return Sheet(shown, neutral(title), table.with_columns(texts), formats, [*map(neutral, about)])


def _unwritten(path: Path) -> ReportError:
    return ReportError(
        "The report cannot be written",
        where=path.name,
        hint="Choose a folder that exists and that you may write to, and close the file if it is open.",
    )
