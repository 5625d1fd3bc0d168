"""Read a respondent file into an extract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.catalogue import survey as find_survey
from culture_metrics.code_fit import likeliest
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.answers import Tally, read_all_options, read_option, read_single, settle_ticks
from culture_metrics.extracts.columns import Columns, match_columns, read_name, text_columns
from culture_metrics.extracts.dates import is_date, read_dates
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.labels import TOLD, values
from culture_metrics.extracts.mapping import check_mapping, find_mapping, match_given, saved_names
from culture_metrics.extracts.opening import open_table
from culture_metrics.extracts.own_labels import own_labels
from culture_metrics.extracts.own_words import ROW_COLUMNS
from culture_metrics.extracts.quarters import BY_MONTH
from culture_metrics.extracts.respondents import (
    choose_rows,
    period_in_name,
    period_said,
    periods_said,
    quarter_in_name,
)
from culture_metrics.extracts.which_edition import tell_edition
from culture_metrics.extracts.which_survey import (
    check_survey,
    fit_surveys,
    quarter_of,
    tell_survey,
)
from culture_metrics.files.formulas import plain_names
from culture_metrics.files.names import shown
from culture_metrics.files.raw import INDEX, ROW, RawTable
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from culture_metrics.catalogue import Edition, Survey
    from culture_metrics.extracts.own_labels import Labels, OwnLabels
    from culture_metrics.extracts.respondents import Rows

__all__ = ["ROW", "periods_in", "read_extract"]


def read_extract(
    path: str | Path | Any,
    survey: str | Path | Survey | None = None,
    year: int | str | None = None,
    sheet: str | None = None,
    organisation: str | None = None,
    columns: Mapping[str, str] | None = None,
    labels: Labels | None = None,
    header_row: int | None = None,
) -> Extract:
    r"""Read a respondent file: one row per respondent, one column per question.

    Parameters
    ----------
    path : str, Path or table
        A CSV, Excel (.xlsx, .xlsm, .xlsb, .xls), OpenDocument (.ods), Parquet, SPSS or Stata file; or a
        polars, pandas or Arrow table. Encoding and separator of a CSV, and the row with the column names,
        are told from the file.
    survey : str, Path or Survey, optional
        Id of the survey's catalogue, the folder of a survey of your own, or what `cm.survey` returned. Told
        from the question codes and the period when left out.
    year : int or str, optional
        The edition, or the quarter (`2024-Q1`) of the pulse survey. Told from a year column, the question
        codes or the file's name when left out. Of a file with several years it says which one to read.
    sheet : str, optional
        Sheet of a workbook; the one with columns of questions when left out.
    organisation : str, optional
        ODS code to use when the file has no organisation column.
    columns : mapping, optional
        Name of a column in the file -> what it means, for names that are no question codes:
        `{"Would recommend": "q25c", "Rota": "breakdown", "BD 3": "breakdown: Care Group"}`; a breakdown is
        known by what the trust calls it, any number of them. `"date of response"` is the day on which people
        answered, for response over fieldwork: it is kept apart from the answers. `save_mapping` saves the
        mapping beside the file, where it is found again.
    labels : mapping, optional
        Texts that stand for response options and are not known: `{"q25c": {"Tend to agree": 4}}`, by question
        or by scale (`agreement`); None is no answer. See `propose_labels` and `learn_labels`.
    header_row : int, optional
        Number of the row with the names of columns, where it is not found.

    Returns
    -------
    Extract
        Columns under the names used here (`respondent`, `organisation`, `q25c`, `locality_1`). Answers are
        codes (Int8, or Int16 where one is larger); labels, ranges that Excel took for dates and other forms
        are read as codes. A column in which a cell cannot be read is String: codes as digits and the rest as
        it stands. Nothing has been checked yet: see `validate`.

    Raises
    ------
    FileFormatError
        When the file cannot be opened, is not what its name says, holds results of groups, or is too large:
        more than 2,000 named columns, a workbook that unpacks to more than 2 GB or more than 50 times its
        size, or more than the free memory.
    ExtractError
        When it has no question columns, belongs to another survey or edition, or the survey, the year or
        quarter, or the organisation is not known.

    Notes
    -----
    Blank is what is empty and the usual marks of spreadsheets and programs (`-`, `.`, `NA`, `#N/A`, `NULL`;
    `n/a` where the question has no answer "not applicable"); marks are counted. 99 stays as it is: making it
    missing is validation's. Where a label and its code differ, the label decides (`1 - Strongly agree`), and
    that is counted. Rows of other years, of questionnaires that were not completed, of bank-only workers, and
    what survey platforms export beside respondents (previews, spam, questionnaires not finished) are left out
    and counted.

    Provenance: `file`, `format`, `sheet`, `sha256`, `encoding`, `separator`, `header_row`; `rows` (all below
    the header that are not blank), `rows_blank`, `rows_of_other_periods`, `rows_without_period`,
    `rows_not_completed`, `rows_of_bank_workers`, `rows_of_previews`, `rows_of_spam`, `rows_not_finished`;
    `renamed`, `words` (what the trust calls its own breakdowns, by id), `not_used`, `rivals` (columns that
    bear the code of one question, by code), `mapping` (file with the saved column names); by column, the
    number of answers that are `labels_read`, `numbers_read` (`04`, `4,0`), `codes_relabelled` (a label that
    contradicts its code), `dates_read`, `blanks_read`, `declared_missing` and `unreadable`; `settled` (what
    was done with options to tick), `doubt` and `survey_doubt` (what speaks against the year and the survey
    that were given), `formulas` (columns with names that a spreadsheet would take for formulas: an apostrophe
    was put before); where there is something to say: `other_sheets`, `rows_of_wording`, `rows_too_short` and
    `first_row_too_short`, `columns_without_name`, `formulas_without_values` (number of cells by column: the
    file has formulas there that were never worked out).

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "RXX_2024.csv"
    >>> _ = path.write_text("Sample ID;Org code;Q25C;Q6A\n1;RXX;Agree;9\n2;RXX;5;4,0\n")
    >>> read_extract(path, year=2024)
    Extract(NHS Staff Survey, England, 2024: 2 respondents, 1 organisation, 5 columns)
    """
    wanted = None if survey is None else find_survey(survey).id
    found, survey_doubt, raw, given, mapping = _open(path, wanted, sheet, columns, year, header_row)
    dated = next((name for name in raw.names if is_date(given.get(shown(name), ""))), None)
    given = {theirs: means for theirs, means in given.items() if not is_date(means)}
    rows = choose_rows(raw, given, year, catalogue(found))
    edition, period, doubt = _edition(raw, given, catalogue(found), rows)
    known = match_columns([n for n in raw.names if n != dated], edition, raw.where, given)
    own = own_labels(labels, edition)
    frame, tally, settled = _read_columns(raw, known, edition, rows.keep, own)
    frame, blank = _without_blank_rows(frame)
    frame = _identify(frame, organisation, raw.where)
    # Names of organisations and groups; ids of respondents stay what they are.
    names = {*text_columns(edition).values(), *known.words} - {"respondent"}
    used = {shown(rows.quarter)} if rows.quarter else set()
    frame, formulas = plain_names(frame, [c for c in frame.columns if c in names])
    return Extract(
        survey=found,
        period=period,
        frame=frame,
        provenance={
            "file": raw.file,
            "format": raw.kind,
            "sheet": raw.sheet,
            "sha256": raw.sha256,
            "encoding": raw.encoding,
            "separator": raw.separator,
            "header_row": raw.header_row,
            "rows": frame.height + sum(rows.set_aside.values()),
            "rows_blank": blank,
            "rows_of_other_periods": 0,
            "rows_without_period": 0,
            "rows_not_completed": 0,
            "rows_of_bank_workers": 0,
            "rows_of_previews": 0,
            "rows_of_spam": 0,
            "rows_not_finished": 0,
            **rows.set_aside,
            **raw.notes,
            "renamed": known.renamed,
            "words": known.words,
            "not_used": [name for name in _strangers(known) if name not in used],
            "rivals": known.rivals,
            "mapping": mapping,
            **{how: tally.read_as.get(how, {}) for how in TOLD},
            "unreadable": tally.unreadable,
            "settled": settled,
            "doubt": doubt,
            "survey_doubt": survey_doubt,
            "formulas": formulas,
        },
        dates=None if dated is None else read_dates(raw, dated, frame[ROW]),
    )


def check_names(raw: RawTable, survey: Survey, given: Mapping[str, str], year: int | str | None) -> None:
    """Stop where `read_extract` would stop before it reads an answer: by rows, edition and names of columns.

    Raises
    ------
    ExtractError, FileFormatError
        As `read_extract`.
    """
    edition, _, _ = _edition(raw, given, survey, choose_rows(raw, given, year, survey))
    raw.check_types(match_columns(raw.names, edition, raw.where, given).known)
    raw.check_rows()


def periods_in(
    path: str | Path | Any,
    survey: str | Path | Survey | None = None,
    sheet: str | None = None,
    columns: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    r"""Return the periods that a respondent file holds, each of which `read_extract` can read.

    Parameters
    ----------
    path, survey, sheet, columns
        As in `read_extract`.

    Returns
    -------
    tuple of str
        The periods of the year column; without one, the period told from codes or file name.

    Raises
    ------
    FileFormatError, ExtractError
        As in `read_extract`.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "all.csv"
    >>> _ = path.write_text("Org code,Year,Q25c\nRXX,2023,4\nRXX,2024,5\n")
    >>> periods_in(path)
    ('2023', '2024')
    """
    wanted = None if survey is None else find_survey(survey).id
    of, _, raw, given, _ = _open(path, wanted, sheet, columns, None)
    view = catalogue(of)
    found = periods_said(raw, given, quarterly=view.cycle == "quarter")
    return tuple(found) or (_edition(raw, given, view, choose_rows(raw, given, None, view))[1],)


def _open(
    path: Any,
    named: str | None,
    sheet: str | None,
    columns: Mapping[str, str] | None,
    year: int | str | None,
    header_row: int | None = None,
) -> tuple[str, str | None, RawTable, dict[str, str], str | None]:
    """Open the table; tell its survey and what speaks against the one named; find the column mapping.

    Of the mapping what is given wins over what was saved.
    """
    columns = columns or {}
    if named is not None:
        check_mapping(columns, named)
    folder = Path(path).parent if isinstance(path, str | Path) else None
    file = str(path) if folder else ""
    by_survey = {name: {**saved_names(folder, file, name), **columns} for name in surveys()}
    named_here = {name for names in by_survey.values() for name in names}
    raw = open_table(path, sheet, named_here, header_row=header_row)
    fits = fit_surveys(raw.names, by_survey, raw.where)

    def said() -> str | None:
        return period_said(raw, by_survey[likeliest(fits)], year)

    doubt = None if named is None else check_survey(fits, named, said, raw.where)
    survey = named or tell_survey(fits, said, raw.where)
    check_mapping(columns, survey)
    saved, mapping, for_folder = find_mapping(folder, file, survey)
    given = match_given(saved, raw.names, f"{raw.where}, mapping {mapping}", strict=not for_folder)
    given |= match_given(columns, raw.names, raw.where, strict=True)
    check_mapping(given, survey, raw.where)
    return survey, doubt, raw, given, mapping


def _edition(
    raw: RawTable, given: Mapping[str, str], survey: Survey, rows: Rows
) -> tuple[Edition, str, str | None]:
    """Tell edition and period from a year column or argument, codes or the file's name, and what is odd."""
    names = [*raw.names]
    if rows.keep is not None and "rows_of_other_periods" in rows.set_aside:
        # Columns of the other years stand in the file too: only those with answers in this year count.
        asked = [n for n in names if read_name(n, survey).code is not None or shown(n) in given]
        raw.check_types(asked)
        filled = raw.pick((raw.text(n).is_not_null().any() for n in asked), rows.keep)
        names = [n for n in asked if filled[n].item()]
    said = period_in_name(raw.file, survey)
    if survey.cycle == "quarter":
        said, month = quarter_in_name(raw.file)
        period = quarter_of(rows.period or said, survey, raw.where)
        edition, doubt = tell_edition(names, survey, period, raw.where, given, column=rows.column)
        if rows.period is None and month:
            doubt = doubt or f"{raw.file} is taken for {period_words(period)}, {BY_MONTH}"
        return edition, period, doubt
    edition, doubt = tell_edition(
        names, survey, rows.period, raw.where, given, in_name=said, column=rows.column
    )
    return edition, str(rows.period or edition.period), doubt


def _read_columns(
    raw: RawTable, columns: Columns, edition: Edition, keep: pl.Expr | None, own: OwnLabels
) -> tuple[pl.DataFrame, Tally, list[str]]:
    """Read the rows to keep: identifying columns as text, answers as codes."""
    known = {theirs: ours for theirs, ours in columns.known.items() if ours not in ROW_COLUMNS}
    names = {*text_columns(edition).values(), *columns.words}
    texts = [theirs for theirs, ours in known.items() if ours in names]
    questions = [theirs for theirs in known if theirs not in texts]
    raw.check_types(known)
    tally = Tally()
    read: dict[str, pl.Series] = {}
    for part in raw.batches(questions, texts, keep):
        for series in part:
            theirs = series.name
            if theirs == INDEX:
                read[ROW] = series
            elif theirs in texts:
                read[known[theirs]] = series
            else:
                read |= _answers(series.alias(known[theirs]), theirs, raw, edition, tally, own)
    order = [ROW, *(c for ours in known.values() for c in _columns_of(ours, edition, names))]
    answers = {c: s for c, s in read.items() if c in edition.columns}
    settled = settle_ticks(answers, edition, edition.survey.missing_codes)
    read |= answers
    return pl.DataFrame([read[c].alias(c) for c in order]), tally, settled


def _columns_of(ours: str, edition: Edition, texts: Collection[str]) -> tuple[str, ...]:
    """Return the columns that a column of the file becomes: several for all options in one column."""
    if ours in edition.columns or ours in texts:
        return (ours,)
    return edition.question(ours).columns


def _answers(
    series: pl.Series, theirs: str, raw: RawTable, edition: Edition, tally: Tally, own: OwnLabels
) -> dict[str, pl.Series]:
    """Read one column of answers."""
    ours, labels = series.name, raw.labels.get(theirs, {})
    question = edition.columns.get(ours)
    if question is None:
        question = edition.question(ours)
        found = read_all_options(series, question, tally, edition.survey.missing_codes)
        return {column.name: column for column in found}
    texts = own.codes_for(question)
    if question.kind == "multi":
        return {ours: read_option(series, question, int(ours.rpartition("_")[2]), tally, labels, texts)}
    return {ours: read_single(series, question, tally, labels, raw.missing.get(theirs, ()), texts)}


def _without_blank_rows(frame: pl.DataFrame) -> tuple[pl.DataFrame, int]:
    """Leave out rows in which nothing stands, as they follow the last row of many sheets."""
    filled = frame.select(pl.any_horizontal(pl.exclude(ROW).is_not_null())).to_series()
    blank = frame.height - int(filled.sum())
    return (frame.filter(filled) if blank else frame), blank


def _identify(frame: pl.DataFrame, organisation: str | None, where: str) -> pl.DataFrame:
    """See to it that every row names its respondent and organisation."""
    if "respondent" not in frame.columns:
        frame = frame.with_columns(pl.format("row {}", ROW).alias("respondent"))
    if "organisation" not in frame.columns:
        if organisation is None:
            raise ExtractError(
                "No column says which organisation the respondents belong to",
                where=where,
                expected="a column such as 'organisation' or 'ODS code'",
                hint="Give the code: organisation='RXX'.",
            )
        frame = frame.with_columns(pl.lit(organisation).alias("organisation"))
    if "benchmark_group" in frame.columns:
        types = values()["trust_types"]
        upper = pl.col("benchmark_group").str.to_uppercase()
        group = upper.replace_strict(types, default=pl.col("benchmark_group"))
        frame = frame.with_columns(group.alias("benchmark_group"))
    first = [ROW, "respondent", "organisation"]
    return frame.select(*first, pl.exclude(first))


def _strangers(columns: Columns) -> list[str]:
    """Return the names of columns that are not used.

    A name is repeated to people only when it looks like a name: without a header row it would be an answer.
    """
    return [shown(name) for name in columns.unknown if re.match(r"[^\W\d_]", name)]
