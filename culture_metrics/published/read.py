"""Read published results, whatever layout they come in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.contract import as_distributions, as_organisations, as_results
from culture_metrics.errors import FileFormatError
from culture_metrics.files.contents import COPIED, TABLE, find_results, merged_quarters
from culture_metrics.files.formulas import plain_names
from culture_metrics.files.kinds import NAMES
from culture_metrics.files.opener import open_file
from culture_metrics.output import verb
from culture_metrics.published.benchmark_book import find_benchmark, read_benchmark
from culture_metrics.published.contractor import read_contractor
from culture_metrics.published.contractor_rows import LOOK, find_contractor, half_header
from culture_metrics.published.detailed import read_detailed
from culture_metrics.published.faults import without_faults
from culture_metrics.published.layout import find_table
from culture_metrics.published.pulse import find_pulse, read_pulse
from culture_metrics.published.refusal import answers_of_respondents, holds_answers
from culture_metrics.results import Distributions, Results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.files.header import Row
    from culture_metrics.files.opener import Opened
    from culture_metrics.files.raw import RawTable
    from culture_metrics.files.workbooks import HeadRow, Workbook
    from culture_metrics.published.published import Published


@verb
def read_published(path: str | Path, organisation: str | None = None) -> Published:
    """Read published results: official workbooks, or a contractor's breakdown export.

    The layout, the survey and the year or quarter are told from the file; sheet names, header rows and
    numbers of columns may differ.

    Parameters
    ----------
    path : str or Path
        The file as it was downloaded: a workbook (.xlsx, .xlsm), or a contractor's export (.csv or .xlsx).
    organisation : str, optional
        ODS code of the organisation that a contractor's export is about: the file does not say it. Every
        other layout names its organisations and does not use it.

    Returns
    -------
    Published
        `results` has scores (0 to 10) and headline percentages (0 to 100), `distributions` the response
        options where the layout has them. `period` is the newest one in the file. `provenance` has `file`,
        `sha256`, `layout`, `suppressed_cells` and, by layout:

        organisation, national, organisation_type
            The detailed spreadsheets of the NHS Staff Survey. The headline is the positive options as a share
            of all options but those that it leaves out. `weighting` is that of the row (`occupation_group`,
            `none`, `occupation_group_and_size`, `size`), and `none` for questions that are never weighted. In
            a national file the organisation is `all`; in that of organisation types the type stands in its
            place, under an id such as `ambulance_trusts` (`organisations` has the printed names). `title`,
            `sheets`, `missing` (official codes of the edition that were not read), `left_out` (rows, columns
            and blocks that are not in the results, by reason: in every layout), `bases` (how headline bases
            are worked out), `unknown_weightings`, `quirks` (what was put right, such as columns under each
            other's headers) and, but for organisations, `coverage` (which organisations each breakdown
            covers) and `unknown_breakdowns`.
        benchmark
            The benchmark workbook: fractions become percentages; every year in it, found under the question
            codes of the newest, is a period of the results. `release` (the newest year: figures of two
            releases never join), `periods`, `beside` (columns that are no result of all staff: flags of
            significance, WRES, WDES, composition of the respondents, single options, as in the file: `value`
            is a fraction or a score), `borrowed_bases` (sub-scores without a column of bases, which stand
            with that of their element or theme: in the official results of 2024 half of them are within 0.4 %
            of their own, all within 14 %), `response_rates` (percent).
        pulse
            A workbook of the National Quarterly Pulse Survey; period `2022-Q1` is the first quarter of
            2022-23, England is the organisation `all`. `headcount` by organisation, `missing` scores, and
            `checks` of what the workbook says twice: engagement and the mean of its parts, the overview and
            the sheets, England and the sum of responses.
        contractor
            Breakdown exports, a row a question and group or a row an option and group; unweighted.
            `breakdown` is named as in the catalogue where it is known there, else as in the file
            (`unknown_breakdowns`). `periods`, `fractions` (whether all percentages were fractions),
            `left_out` (codes and rows of comparators, by reason, among them questions of which
            less is better and the file plainly counts the favourable answer), `sides` (the other questions of
            which less is better), `missing_taken_out` (in how many cells missing answers were taken out of
            percentages and base), `survey_doubt` (where the questions are those of the pulse survey).

    Raises
    ------
    FileFormatError
        When the file has none of these layouts, belongs to another survey or year, holds fractions for
        percentages or percentages for fractions, lacks its organisation, or its columns or cells cannot be
        understood. All such problems are listed together, by sheet and column.

    Notes
    -----
    A "-" in a result cell is a suppressed result (status `suppressed_small_base`), a blank cell is
    `not_asked`; in a breakdown by the question itself both are `not_asked`. A headline with fewer than 10
    answers left in its base is suppressed too, by the rule of the file itself. The base of a headline that
    leaves options out is the published base times the share of the other options, rounded: exact in
    unweighted rows, approximate in weighted ones. Source: Notes of the official 2024 detailed spreadsheets.

    Blocks that a release is known to have wrong (`faults` of the catalogue: the grounds of discrimination in
    the spreadsheet of organisations of 2024) have the status `faulty_in_release` and no figures;
    `provenance["faults"]` says what is wrong and what to take instead.

    Benchmark workbooks: nothing below 10 responses is shown; blank figures are suppressed too, unless nobody
    has the figure (`not_asked`) or the organisation has nothing in that year (no rows). Pulse workbooks and
    exports: nothing below the minimum base of the survey (11) is shown, whatever the file shows. Exports are
    no public files: beside their small groups as many others are hidden as it takes that none follows from
    the total (`suppressed_secondary`, as `suppress` does it), and with one option of a question all of them.
    In option files code 99 is a missing answer; where it is part of the 100 %, percentages and base are of
    the others. A name that a spreadsheet would take for a formula (`=SUM(A1) Trust`) gets an apostrophe
    before it, so that no file written from the results runs it.

    Examples
    --------
    >>> read_published("results.pdf")
    Traceback (most recent call last):
        ...
    culture_metrics.errors.FileFormatError: There is no such file
      where: results.pdf
      what to do: Check the path and the spelling of the name.
    """
    return without_faults(_plain(_read(Path(path), organisation)))


def _plain(published: Published) -> Published:
    """Make names plain that a spreadsheet would take for formulas: they come from a file."""
    groups = ["organisation", "breakdown", "group"]
    results, odd = plain_names(published.results.table, groups)
    distributions, odd_answers = plain_names(published.distributions.table, groups)
    about = ["organisation", "name", "benchmark_group", "region", "ics"]
    organisations, odd_names = plain_names(published.organisations, about)
    if not (odd or odd_answers or odd_names):
        return published
    return replace(
        published,
        results=Results(as_results(results)),
        distributions=Distributions(as_distributions(distributions)),
        organisations=as_organisations(organisations),
    )


def _read(path: Path, organisation: str | None) -> Published:
    opened = open_file(path)
    if opened.kind == "csv":
        return read_contractor(_export(opened), {}, organisation)
    book = _workbook(opened)
    heads = book.heads()
    layout = _layout(heads)
    if layout == "contractor":
        return read_contractor(book, heads, organisation)
    if layout in _READERS:
        return _READERS[layout](book, heads)
    return read_detailed(book, heads)


def _workbook(opened: Opened) -> Workbook:
    if opened.kind != "excel":
        raise answers_of_respondents(opened.file, NAMES[opened.kind])
    return opened.workbook()


def _export(opened: Opened) -> RawTable:
    """Return the table of a contractor's export; say of a copy of another table what `inspect_file` says."""
    table = opened.text(replace(LOOK, check=partial(_refuse_copied, opened)))
    if not table.header_found:
        raise FileFormatError(
            "The file is not an Excel workbook (.xlsx)",
            where=opened.file,
            got=f"{NAMES['csv']} that is no contractor's export",
            hint="Take the detailed spreadsheet (.xlsx) from the results website as it was downloaded.",
        )
    return table


def _refuse_copied(opened: Opened, rows: Sequence[Row], header: int | None, _where: str) -> None:
    lacks = half_header(rows[:header])
    if header is not None and lacks is not None:
        raise FileFormatError(
            "The file holds two tables of results, and the first has no column that the second has",
            where=opened.file,
            expected=f"one table of results, with a column '{lacks}'",
            hint="Take one of them out of the file.",
        )
    found = None if header is not None else find_results(rows)
    if header is None and found is None and holds_answers(rows):
        raise answers_of_respondents(opened.file)
    if found is not None and found[0].name == TABLE:
        raise FileFormatError(f"This is a {TABLE}", where=opened.file, hint=found[0].hint)
    if found is not None and found[0].workbook:
        name = f"{'an' if found[0].name[0] in 'aeiou' else 'a'} {found[0].name}"
        raise FileFormatError(
            f"This is the table of {name}, saved as text",
            where=opened.file,
            expected="the workbook as it was published",
            got=merged_quarters(rows, found[1]),
            hint=COPIED,
        )


def is_published(path: str | Path) -> bool:
    """Say whether a file holds published results that `read_published` reads, by a look at its first rows.

    Of a large workbook the rows below are unpacked only once, to see that it is safe. A CSV file holds
    published results when one of its first rows is the header of a contractor's export. A file that does not
    exist, or that cannot be opened, holds none.

    Examples
    --------
    >>> is_published("RXX_2024.csv")
    False
    """
    try:
        opened = open_file(path)
        if opened.kind == "csv":
            return opened.text(LOOK, head_only=True).header_found
        return opened.kind == "excel" and _layout(opened.workbook().heads()) is not None
    except FileFormatError:
        return False


def _layout(heads: Mapping[str, Sequence[HeadRow]]) -> str | None:
    """Tell the layout from the first rows of the sheets."""
    if any(find_table(name, rows, []) for name, rows in heads.items()):
        return "detailed"
    if find_pulse(heads):
        return "pulse"
    if find_benchmark(heads):
        return "benchmark"
    return "contractor" if find_contractor(heads) else None


_READERS = {"pulse": read_pulse, "benchmark": read_benchmark}
