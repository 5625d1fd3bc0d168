"""Read a respondent file into an extract."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import polars.selectors as cs

from culture_metrics.catalogue import catalogue
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.columns import identifying, match_columns, question_code, tell_edition
from culture_metrics.extracts.extract import Extract
from culture_metrics.extracts.files import RawTable, read_table

#: Column that holds the row number of the file, so that a problem can be looked up there.
ROW = "row"


def read_extract(
    path: str | Path,
    survey: str = "nss_england",
    year: int | str | None = None,
    sheet: str | None = None,
    organisation: str | None = None,
) -> Extract:
    r"""Read a respondent file: one row per respondent, one column per question.

    Parameters
    ----------
    path : str or Path
        A CSV, Excel or Parquet file. Encoding and separator of a CSV are told from the file.
    survey : str
        Id of the survey's catalogue.
    year : int or str, optional
        The edition. Told from a year column, the question codes or the file's name when left out.
    sheet : str, optional
        Sheet of a workbook; the first one when left out.
    organisation : str, optional
        ODS code to use when the file has no organisation column.

    Returns
    -------
    Extract
        Columns under the names used here (`respondent`, `organisation`, `q25c`, `locality_1`); answers are
        whole numbers where the whole column is, else text. Nothing has been checked yet: see `validate`.

    Raises
    ------
    FileFormatError
        When the file cannot be opened or is not what its name says.
    ExtractError
        When it has no question columns, belongs to another edition, or the year or the organisation is not
        known.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "RXX_2024.csv"
    >>> _ = path.write_text("Sample ID;Org code;Q25C;Q6A\n1;RXX;4;9\n2;RXX;5;4\n")
    >>> read_extract(path, year=2024)
    Extract(NHS Staff Survey, England, 2024: 2 respondents, 1 organisation, 5 columns)
    """
    raw = read_table(path, sheet)
    where = raw.file if raw.sheet is None else f"{raw.file}, sheet {raw.sheet}"
    frame = _tidy(raw)
    view = catalogue(survey)
    frame, period = _one_period(frame, year, where)
    try:
        edition = tell_edition(frame.columns, view, period, where)
    except ExtractError:
        in_name = re.search(r"(?<!\d)20\d\d(?!\d)", raw.file)
        if period is not None or in_name is None or in_name.group() not in view.periods:
            raise
        edition = tell_edition(frame.columns, view, in_name.group(), where)
    period = str(period or edition.period)
    columns = match_columns([c for c in frame.columns if c != ROW], edition, where)
    frame = frame.rename(columns.known).drop(columns.unknown)
    frame = _identify(_whole_numbers(frame), organisation, where)
    # A name is repeated to people only when it looks like a name: without a header row it would be an answer.
    strangers = [n for n in columns.unknown if re.match(r"[A-Za-z]", n)]
    return Extract(
        survey=survey,
        period=period,
        frame=frame,
        provenance={
            "file": raw.file,
            "sheet": raw.sheet,
            "sha256": raw.sha256,
            "encoding": raw.encoding,
            "separator": raw.separator,
            "rows": raw.frame.height,
            "rows_of_other_periods": raw.frame.height - frame.height,
            "renamed": columns.renamed,
            "not_used": strangers,
        },
    )


def _tidy(raw: RawTable) -> pl.DataFrame:
    """Trim names and text, make empty text null, number the rows as the file does."""
    names = {name: name.lstrip("\ufeff").strip() for name in raw.frame.columns}
    text = cs.string() | cs.categorical() | cs.enum()
    trimmed = text.cast(pl.String).str.strip_chars()
    frame = raw.frame.with_columns(trimmed).with_columns(cs.string().replace("", None)).rename(names)
    if ROW in frame.columns:
        frame = frame.drop(ROW)
    return frame.with_row_index(ROW, offset=raw.first_row)


def _one_period(frame: pl.DataFrame, year: int | str | None, where: str) -> tuple[pl.DataFrame, str | None]:
    """Keep the rows of one period, told from a year column if there is one."""
    theirs = [
        n for n in frame.columns if identifying().get(re.sub(r"[\s._\-]+", "", n).casefold()) == "period"
    ]
    if not theirs:
        return frame, None if year is None else str(year)
    column = pl.col(theirs[0]).cast(pl.String).str.extract(r"(20\d\d(?:-Q\d)?)")
    periods = frame.select(column.drop_nulls().unique().sort()).to_series().to_list()
    if year is None and len(periods) == 1:
        return frame, periods[0]
    if year is not None and (not periods or str(year) in periods):
        return (frame.filter(column == str(year)) if periods else frame), str(year)
    raise ExtractError(
        f"The file holds {', '.join(periods)}"
        + (f", not {year}" if year is not None else ", which are several periods"),
        where=f"{where}, column {theirs[0]}",
        hint="Say which one to read: year=" + (periods[-1] if periods else "2024") + ".",
    )


def _whole_numbers(frame: pl.DataFrame) -> pl.DataFrame:
    """Make whole numbers of the question columns in which every answer is one."""
    questions = [c for c in frame.columns if question_code(c)]
    numbers = frame.select(pl.col(questions).cast(pl.Float64, strict=False).fill_nan(None))
    misfits = [
        (frame[c].is_not_null() & numbers[c].is_null()) | (numbers[c] % 1 != 0) | (numbers[c].abs() > 999)
        for c in questions
    ]
    fine = [c for c, misfit in zip(questions, misfits, strict=True) if not misfit.any()]
    return frame.with_columns(numbers.select(pl.col(fine).cast(pl.Int16)))


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
    text = [c for c in frame.columns if c in set(identifying().values()) - {"period"}]
    first = [ROW, "respondent", "organisation"]
    return frame.with_columns(pl.col(text).cast(pl.String)).select(*first, pl.exclude(first))
