"""Write a check to a file: a page, or a workbook that can be sent back to whoever made the extract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.errors import ReportError
from culture_metrics.extracts.page import whole_page
from culture_metrics.extracts.rules.discreet import of_groups
from culture_metrics.files.formulas import neutral
from culture_metrics.problems import WORDS, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.report import ValidationReport

#: References to single answers in a workbook; a file with more bad answers needs no list of all of them.
MOST_REFERENCES = 50_000
LONGEST_NAME = 31
NAMES = {
    "column": "Column",
    "rows": "Rows",
    "examples": "For example row",
    "found": "Found",
    "expected": "Expected",
    "done": "What was done, what to do",
}
WIDTHS = {"Found": 46, "Expected": 40, "What was done, what to do": 60, "Reason": 44, "Kind of problem": 44}


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
    """Write problems as a workbook: one table on each sheet, nothing told by colour alone.

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
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxFileError

    path = Path(path)
    taken = {"cover"}
    rules = problems.select("severity", "rule").unique(maintain_order=True).rows()
    sheets: list[tuple[str, str, pl.DataFrame]] = []
    for severity, rule in rules:
        own = problems.filter(severity=severity, rule=rule)
        table = own.select(
            pl.col(k).cast(pl.Int64 if k == "rows" else pl.String).alias(v) for k, v in NAMES.items()
        )
        sheets.append((_sheet_name(rule, taken), f"{WORDS[severity]}: {rule}.", table.fill_null("")))
    sheets += [(_sheet_name(name, taken), said, table) for name, said, table in more]
    contents = pl.DataFrame(
        [(name, said, table.height) for name, said, table in sheets],
        schema={"Sheet": pl.String, "Kind of problem": pl.String, "Lines": pl.Int64},
        orient="row",
    )
    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    try:
        with xlsxwriter.Workbook(path, plain) as book:
            book.set_properties({"title": title, "comments": "Counts and row numbers only, no answers."})
            formats = {
                "title": book.add_format({"bold": True, "font_size": 14}),
                "text": book.add_format({"text_wrap": True, "valign": "top"}),
                "number": book.add_format({"num_format": "#,##0", "valign": "top"}),
            }
            notes = [*facts, "Counts and row numbers only: this workbook holds no answers."]
            _write_sheet(book, "Cover", [title, *notes], contents, formats)
            for name, said, table in sheets:
                _write_sheet(book, name, [said], table, formats)
    except (OSError, XlsxFileError) as error:
        raise _unwritten(path) from error
    return path


def _write_sheet(
    book: Any, name: str, lines: Sequence[str], table: pl.DataFrame, formats: dict[str, Any]
) -> None:
    sheet = book.add_worksheet(name)
    for number, line in enumerate(lines):
        sheet.write_string(number, 0, neutral(line), formats["title"] if number == 0 else None)
    top = len(lines) + 1
    for column, (heading, values) in enumerate(table.to_dict().items()):
        numeric = values.dtype.is_numeric()
        style = formats["number" if numeric else "text"]
        sheet.set_column(column, column, WIDTHS.get(heading, 16))
        if numeric:
            sheet.write_column(top + 1, column, values.to_list(), style)
        else:
            for row, text in enumerate(values.to_list(), start=top + 1):
                sheet.write_string(row, column, neutral(text), style)
    if table.height:
        headings = [{"header": heading} for heading in table.columns]
        options = {"columns": headings, "style": "Table Style Light 1"}
        sheet.add_table(top, 0, top + table.height, table.width - 1, options)
        sheet.freeze_panes(top + 1, 0)


def _sheet_name(name: str, taken: set[str]) -> str:
    """Return a name that a workbook accepts and that no other sheet has."""
    base = re.sub(r"[\[\]:*?/\\]", " ", name).strip("' ")[:LONGEST_NAME] or "Sheet"
    base = base[:1].upper() + base[1:]
    chosen, number = base, 2
    while chosen.casefold() in taken:
        chosen, number = f"{base[: LONGEST_NAME - 3]} {number}", number + 1
    taken.add(chosen.casefold())
    return chosen


def _unwritten(path: Path) -> ReportError:
    return ReportError(
        "The report cannot be written",
        where=path.name,
        hint="Choose a folder that exists and that you may write to, and close the file if it is open.",
    )
