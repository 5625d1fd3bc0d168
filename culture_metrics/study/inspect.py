"""Say what a file is before it is read: its kind, survey and edition, and how sure that is."""

from __future__ import annotations

import html
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.code_fit import likeliest
from culture_metrics.errors import CultureMetricsError, ExtractError, FileFormatError
from culture_metrics.extracts.columns import match_columns
from culture_metrics.extracts.layouts import ResultsFileError
from culture_metrics.extracts.mapping import match_given, saved_names
from culture_metrics.extracts.opening import open_table
from culture_metrics.extracts.own_words import ROW_COLUMNS
from culture_metrics.extracts.read import check_names
from culture_metrics.extracts.respondents import (
    choose_rows,
    period_in_name,
    period_said,
    periods_said,
    quarter_in_name,
)
from culture_metrics.extracts.rules.told import LEFT_OUT
from culture_metrics.extracts.which_survey import fit_surveys, quarter_of, tell_survey
from culture_metrics.files.contents import PULSE, TABLE
from culture_metrics.files.kinds import file_kind
from culture_metrics.files.names import shown
from culture_metrics.files.opener import open_file
from culture_metrics.files.other_surveys import REMEDY, other_survey
from culture_metrics.files.workbooks import Workbook
from culture_metrics.indicators.headcounts import StaffTable, find_headcounts
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed
from culture_metrics.published.pulse import find_quarter
from culture_metrics.study.dry_run import try_published
from culture_metrics.study.inspect_outcomes import OUTCOMES, find_outcomes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from culture_metrics.catalogue import Edition, Survey
    from culture_metrics.code_fit import Fit
    from culture_metrics.files.raw import RawTable

RESPONDENTS, OTHER_SURVEY, UNKNOWN = "respondent file", "results of another survey", "unknown"
HEADCOUNTS = "table of headcounts"
_WORDS = ((0.9, "sure"), (0.7, "fairly sure"), (0.4, "unsure"), (0.0, "a guess"))
_USED_ROWS = {
    "period": "year",
    "outcome": "outcome of the questionnaire",
    "main_or_bank": "main survey or bank",
    "response_status": "status of the response",
    "channel": "how the response came in",
    "finished": "whether the questionnaire was finished",
    "progress": "how much was filled in",
}


@dataclass(frozen=True, repr=False, eq=False)
class Inspection(Output):
    """What a file is, as far as its first rows tell. It holds names of columns and counts, never answers.

    Attributes
    ----------
    file : str
        Its name.
    kind : str
        `respondent file`, `official workbook (organisations)`, `official workbook (national)`, `benchmark
        workbook`, `official workbook (organisation types)`, `contractor breakdown export`, `contractor
        option export`, `pulse workbook`, `table of results` (of organisations or groups, under names of its
        own), `results of another survey` (that is known by name), `file of outcomes`, `table of headcounts`
        or `unknown`.
    survey, edition : str or None
        Which survey and which edition of it the file looks like.
    certainty : float
        0 to 1: how sure kind, survey and edition are; `sure` says it in words and `reasons` why.
    rows : int or None
        Rows below the header.
    columns : mapping
        Name of each column in the file -> what it means; `not used` where it is not known.
    problems : tuple of str
        What stands in the way of reading it, or will be left out.
    periods : tuple of str
        Periods of the year column.
    sheet : str or None
        The sheet with the respondents.
    breakdowns : tuple of str
        Breakdowns that it has the columns for.
    reads, left_out : str and tuple of str
        Of published results: what the reader takes from the file, and what it sets aside, by reason.
    next : tuple of str
        How to read it, on the command line and in Python; empty when nothing here reads it.
    """

    file: str
    kind: str
    survey: str | None = None
    edition: str | None = None
    certainty: float = 0.0
    reasons: tuple[str, ...] = ()
    rows: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    sheet: str | None = None
    breakdowns: tuple[str, ...] = ()
    reads: str = ""
    left_out: tuple[str, ...] = ()
    next: tuple[str, ...] = ()

    @property
    def table(self) -> pl.DataFrame:
        """One row per column of the file: `column`, `meaning`."""
        rows = list(self.columns.items())
        return pl.DataFrame(rows, schema={"column": pl.String, "meaning": pl.String}, orient="row")

    def summary(self) -> str:
        """Say in plain sentences what the file is and what stands in the way of reading it."""
        return "; ".join(f"{name}: {text}" for name, text in self._lines()) + "."

    @property
    def sure(self) -> str:
        """The certainty in words."""
        return next(word for least, word in _WORDS if self.certainty >= least)

    def _lines(self) -> list[tuple[str, str]]:
        survey = catalogue(self.survey).label if self.survey else "not known"
        used = sum(meaning != "not used" for meaning in self.columns.values())
        lines = [
            ("kind", self.kind),
            ("survey", survey),
            ("edition", self.edition or "not known"),
            ("how sure", f"{self.sure} ({self.certainty:.0%})"),
            *(("because", reason) for reason in self.reasons),
        ]
        if self.sheet is not None:
            lines.append(("sheet", self.sheet))
        if self.rows is not None:
            lines.append(("rows", f"{self.rows:,}"))
        if self.columns:
            lines.append(("columns", f"{len(self.columns)}, of which {used} are known"))
        if self.breakdowns:
            # As the file calls them: columns of its own before breakdowns by answers.
            own = {means: header for header, means in self.columns.items()}
            lines.append(("groups by", ", ".join(own.get(name, name) for name in self._own_first(own))))
        if self.reads:
            lines.append(("reads", self.reads))
        lines += [("left out", text) for text in self.left_out]
        lines += [("problem", problem) for problem in self.problems]
        return [*lines, *(("next", command) for command in self.next)]

    def _own_first(self, own: Collection[str]) -> list[str]:
        return sorted(self.breakdowns, key=lambda name: name not in own)

    def __repr__(self) -> str:
        return "\n".join([self.file, *(f"  {name:<9} {text}" for name, text in self._lines())])

    def _repr_html_(self) -> str:
        def table(rows: list[tuple[str, str]]) -> str:
            return "".join(
                f"<tr><th scope='row' style='text-align:left'>{html.escape(a)}</th>"
                f"<td style='text-align:left'>{html.escape(b)}</td></tr>"
                for a, b in rows
            )

        columns = ""
        if self.columns:
            columns = (
                "<details><summary>Columns</summary><table><tr><th scope='col'>In the file</th>"
                f"<th scope='col'>What it is</th></tr>{table([*self.columns.items()])}</table></details>"
            )
        return f"<table><caption>{html.escape(self.file)}</caption>{table(self._lines())}</table>{columns}"


@verb
def inspect_file(path: str | Path | Any, sheet: str | None = None) -> Inspection:
    r"""Say what a file is, which survey and edition it looks like and how sure that is.

    Parameters
    ----------
    path : str, Path or table
        As in `read_extract`.
    sheet : str, optional
        Sheet of a workbook.

    Returns
    -------
    Inspection
        `.kind`, `.survey`, `.edition`, `.certainty`, `.reasons`, `.rows`, `.columns`, `.problems`.

    Raises
    ------
    FileFormatError
        When there is no such file. Whatever else is wrong with it is one of the problems.

    Notes
    -----
    Of a respondent file it reads the first rows, the column of years if there is one, and the number of rows.
    Published results are read by their reader, whole: what it says of them is what happens.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "export.csv"
    >>> _ = path.write_text("Sample ID,Org code,Rota,Q2a,Q21c,Q22a\n1,RXX,A,4,4,1\n")
    >>> print(inspect_file(path))
    export.csv
      kind      respondent file
      survey    NHS Staff Survey, England
      edition   2022
      how sure  unsure (50%)
      because   3 columns are questions, all of them of 2021, 2022
      rows      1
      columns   6, of which 5 are known
      problem   Which of 2021, 2022 it is cannot be told from the columns: say year=.
      problem   1 column is not used: Rota.
      next      command line: culture-metrics report "export.csv" --year 2022 --out report
      next      Python: cm.read_extract("export.csv", year=2022)
    """
    if isinstance(path, str | Path) and not Path(path).is_file():
        file_kind(Path(path))
    name = Path(path).name if isinstance(path, str | Path) else "table in memory"
    try:
        folder = Path(path).parent if isinstance(path, str | Path) else None
        raw = open_table(path, sheet, _saved_names(folder, name), head_only=True)
    except ResultsFileError as error:
        return _inspect_results(path, name, error)
    except FileFormatError as error:
        found = _inspect_unread(path, name, ". ".join(filter(None, (error.what, error.hint))))
    else:
        found = _inspect_respondents(raw)
    if found.kind != UNKNOWN:
        return found
    outcomes = find_outcomes(path, sheet)
    if outcomes is None:
        staff = find_headcounts(path, sheet) if isinstance(path, str | Path) else None
        return found if staff is None else _headcounts(found, staff)
    return Inspection(
        name, OUTCOMES, None, None, 0.95, outcomes.reasons, outcomes.rows, {}, outcomes.problems
    )


def _headcounts(found: Inspection, staff: StaffTable) -> Inspection:
    return replace(
        found,
        kind=HEADCOUNTS,
        certainty=0.9,
        reasons=(f"a column {staff.staff} beside {listed(staff.groups)}",),
        rows=staff.rows,
        problems=(),
        next=("command line: culture-metrics setup FOLDER, the folder in which the respondent file lies",),
    )


def _inspect_results(source: Any, name: str, error: ResultsFileError) -> Inspection:
    """Say which results of groups a file holds."""
    if isinstance(source, str | Path) and not error.copied and error.kind != TABLE:
        return _inspect_published(Path(source), name, error)
    if error.kind == TABLE:
        reasons = ["its rows are named as in official workbooks", "no question or score is named over them"]
        if error.period is not None:
            reasons.append(f"its first rows are of {error.period}")
        return Inspection(name, TABLE, "nss_england", None, 0.7, tuple(reasons), problems=(f"{error.hint}",))
    reasons, problems = [f"its columns are named as in: {error.kind}"], []
    survey, period = "nss_england", error.period
    if error.copied:
        survey = "national_quarterly_pulse" if error.kind == PULSE else survey
        period = None if error.kind == PULSE else period
        problems.append(f"{error.hint}")
        problems += [f"It holds {error.got}."] if error.got else []
    elif period is not None:
        reasons.append(f"{period} is the latest year that titles or columns name")
    sure = 0.95 if period else 0.7
    return Inspection(name, error.kind, survey, period, sure, tuple(reasons), problems=tuple(problems))


def _inspect_published(path: Path, name: str, error: ResultsFileError) -> Inspection:
    """Say what the reader of published results does with a file: it is tried."""
    run = try_published(path)
    survey = "national_quarterly_pulse" if error.kind == PULSE else "nss_england"
    period = run.period or _period_said(path, name, error)
    reasons = [f"its columns are named as in: {run.kind or error.kind}"]
    if error.kind == PULSE and period is not None:
        reasons.append(f"its titles name the quarter {period}")
    elif period is not None:
        reasons.append(f"{period} is the latest year that titles or columns name")
    return Inspection(
        name,
        run.kind or error.kind,
        survey,
        period,
        0.95 if period and not run.problem else 0.7,
        tuple(reasons),
        problems=(f"The reader refuses it. {run.problem}",) if run.problem else (),
        reads=run.reads,
        left_out=run.left_out,
        next=run.next,
    )


def _period_said(path: Path, name: str, error: ResultsFileError) -> str | None:
    if error.kind != PULSE:
        return error.period
    try:
        return find_quarter(Workbook(path).heads(), name)
    except FileFormatError:
        return None


def _inspect_unread(path: Any, name: str, problem: str) -> Inspection:
    """Say of a file without respondents whether it is of another survey that is known by name."""
    other = _other_survey(path)
    return Inspection(name, UNKNOWN, problems=(problem,)) if other is None else _named_other(name, other)


def _named_other(name: str, other: str) -> Inspection:
    reasons = (f"it names itself: {other}",)
    return Inspection(name, OTHER_SURVEY, certainty=0.95, reasons=reasons, problems=(REMEDY,))


def _other_survey(path: Any) -> str | None:
    if not isinstance(path, str | Path):
        return None
    try:
        opened = open_file(path)
        if opened.kind != "excel":
            return None
        heads = opened.workbook().heads()
    except FileFormatError:
        return None
    return other_survey(cell for rows in heads.values() for row in rows for cell in row)


def _saved_names(folder: Path | None, name: str) -> set[str]:
    return {theirs for survey in surveys() for theirs in saved_names(folder, name, survey)}


def _inspect_respondents(raw: RawTable) -> Inspection:
    saved = {name: saved_names(raw.folder, raw.file, name) for name in surveys()}
    fits = fit_surveys(raw.names, saved, raw.where)
    unclear = None
    try:
        survey = tell_survey(fits, lambda: period_said(raw, saved[likeliest(fits)], None), raw.where)
    except ExtractError as error:
        survey, unclear = likeliest(fits), f"{error.what}. {error.hint}"
    given, fit = match_given(saved[survey], raw.names, raw.where, strict=False), fits[survey]
    if not fit.is_survey:
        if (other := _other_survey(raw.folder / raw.file if raw.folder else None)) is not None:
            return _named_other(raw.file, other)
        return Inspection(
            raw.file,
            UNKNOWN,
            rows=_rows(raw),
            problems=(
                f"No names of questions such as {' or '.join(catalogue(survey).some_codes[:2])} were found "
                "in the first rows. If the columns have other names, match them once: "
                f"save_mapping(path, {catalogue(survey).example}).",
            ),
            sheet=raw.sheet,
        )
    quarterly = catalogue(survey).cycle == "quarter"
    periods: tuple[str, ...] = ()
    try:
        periods = tuple(periods_said(raw, given, quarterly=quarterly))
    except ExtractError as error:
        unclear = unclear or f"{error.what}. {error.hint}"
    edition: str | None
    if quarterly:
        edition, certainty, reasons, problems = _quarter(raw, catalogue(survey), fit, periods, unclear)
    else:
        edition, certainty, reasons, problems = _edition(raw, survey, fit, periods)
    shape = catalogue(survey).edition(edition or catalogue(survey).periods[-1])
    columns, breakdowns, more = _columns(raw, shape, given)
    more += _left_out(raw, given, edition, catalogue(survey)) + _without_values(raw)
    following: tuple[str, ...] = ()
    if unclear is None:
        named = "organisation" in columns.values()
        following = _next(raw.file, edition, periods, organisation=named)
        refused = _refused(raw, survey, given, None if len(periods) == 1 else edition)
        if refused is not None:
            following, more = (), [*more, *({refused} - {*more})]
    return Inspection(
        file=raw.file,
        kind=RESPONDENTS,
        survey=survey,
        edition=edition,
        certainty=certainty,
        reasons=tuple(reasons),
        rows=_rows(raw),
        columns=columns,
        problems=(*problems, *more),
        periods=periods,
        sheet=raw.sheet,
        breakdowns=breakdowns,
        next=following,
    )


def _refused(raw: RawTable, survey: str, given: Mapping[str, str], year: str | None) -> str | None:
    """Say why the reader refuses the columns of a respondent file, read as `_next` says, if it does."""
    try:
        check_names(raw, catalogue(survey), given, year)
    except CultureMetricsError as error:
        return f"The reader refuses it. {'. '.join(filter(None, (error.what, error.hint)))}"
    return None


def _next(file: str, edition: str | None, periods: tuple[str, ...], *, organisation: bool) -> tuple[str, ...]:
    """Return the next command for a respondent file, with what it does not say itself."""
    year = f'"{edition}"' if edition and not edition.isdecimal() else edition
    python = "" if len(periods) == 1 or year is None else f", year={year}"
    python += "" if organisation else ", organisation='ODS code of your organisation'"
    line = "" if len(periods) == 1 or year is None else f" --year {edition}"
    line += "" if organisation else " --organisation CODE"
    return (
        f'command line: culture-metrics report "{file}"{line} --out report',
        f'Python: cm.read_extract("{file}"{python})',
    )


def _quarter(
    raw: RawTable, view: Survey, fit: Fit, periods: tuple[str, ...], unclear: str | None
) -> tuple[str | None, float, list[str], list[str]]:
    """Return the quarter of a survey whose columns are the same in all, as `_edition` the edition."""
    count = f"{len(fit.codes)} column{'' if len(fit.codes) == 1 else 's'} are questions of the survey"
    reasons = [f"{count}, and no other" if fit.most else count]
    said = periods[-1] if periods else quarter_in_name(raw.file)[0]
    if said is not None and not unclear:
        reasons.append(f"{'the year column' if periods else 'the name of the file'} says {said}")
    try:
        quarter = None if unclear else quarter_of(said, view, raw.where)
    except ExtractError as error:
        unclear = f"{error.what}. {error.hint}"
        quarter = None
    problems = [unclear] if unclear else []
    if len(periods) > 1 and quarter:
        problems.append(f"It holds several quarters: say which one to read, year='{quarter}'.")
    sure = (0.97 if periods else 0.9) if quarter else 0.7 if fit.most else 0.4
    return quarter, sure, reasons, problems


def _edition(
    raw: RawTable, survey: str, fit: Fit, periods: tuple[str, ...]
) -> tuple[str, float, list[str], list[str]]:
    """Return the edition, how sure it is, why, and what speaks against it."""
    view = catalogue(survey)
    count = f"{len(fit.codes)} column{'' if len(fit.codes) == 1 else 's'} are questions"
    fitting = ", ".join(fit.fitting)
    nearest = min(fit.strangers, key=lambda period: len(fit.strangers[period]))
    reasons = [f"{count}, all of them of {fitting}" if fitting else f"{count}, most of them of {nearest}"]
    problems = []
    early = {e.period: e.named for e in view if e.provisional}
    if not fitting:
        odd = ", ".join(sorted(fit.strangers[nearest])[:8])
        problems.append(f"{nearest} does not have: {odd}.")
    said = periods[-1] if periods else period_in_name(raw.file, view)
    if said is not None:
        source = "the year column" if periods else "the file's name"
        reasons.append(f"{source} says {' and '.join(periods) or said}")
        if len(periods) > 1:
            problems.append(f"It holds several years: say which one to read, year={said}.")
        known = fit.fits(said)
        if not known and fitting and len(periods) < 2:
            problems.append(f"{source.capitalize()} says {said}, but the columns are those of {fitting}.")
        edition = said if said in view.periods else nearest
        if edition in early:
            reasons.append(early[edition])
        return edition, (0.97 if periods else 0.9) if known or len(periods) > 1 else 0.4, reasons, problems
    if len(fit.whole) == 1:
        reasons.append("every question of that edition is there")
        return fit.whole[0], 0.9, reasons, problems
    if len(fit.fitting) == 1:
        return fit.fitting[0], 0.85, reasons, problems
    if fit.nearest is not None:
        gone = fit.missing[fit.nearest]
        if gone:
            reasons.append(f"it has all questions of {fit.nearest} but {listed(gone)}")
        return fit.nearest, 0.6, reasons, problems
    if fit.fitting:
        problems.append(f"Which of {fitting} it is cannot be told from the columns: say year=.")
        return fit.fitting[-1], 1 / len(fit.fitting), reasons, problems
    return nearest, 0.3, reasons, problems


def _columns(
    raw: RawTable, edition: Edition, given: Mapping[str, str]
) -> tuple[dict[str, str], tuple[str, ...], list[str]]:
    """Say what each column is, which breakdowns they make, and which are not used or missing."""
    try:
        columns = match_columns(raw.names, edition, raw.where, given)
    except CultureMetricsError as error:
        return {}, (), [f"{error.what}: {error.got}."]
    problems = columns.doubted
    meanings = {shown(name): _meaning(columns.known.get(name), edition) for name in raw.names}
    if "organisation" not in columns.known.values():
        problems.append("No column says which organisation the respondents belong to: give organisation=.")
    if columns.unknown:
        count = f"{len(columns.unknown)} column{' is' if len(columns.unknown) == 1 else 's are'} not used"
        names = [shown(n) for n in columns.unknown if n[:1].isalpha()]
        problems.append(f"{count}: {', '.join(n[:40] for n in names[:8])}{' …' if len(names) > 8 else ''}.")
    own = [n for n in columns.words if n not in edition.breakdowns]
    return meanings, (*edition.breakdowns_in({*columns.known.values()}), *own), problems


def _left_out(raw: RawTable, given: Mapping[str, str], edition: str | None, survey: Survey) -> list[str]:
    """Say which rows the reader would leave out; where only a part of the file was read, nobody can tell."""
    if "rows_in_file" in raw.notes:
        return []
    try:
        rows = choose_rows(raw, given, edition, survey)
    except ExtractError as error:
        return [". ".join(filter(None, (error.what, error.hint)))]
    return [
        f"{counted(n, 'row')} will be left out: {what}."
        for key, _, what, _ in LEFT_OUT
        if (n := rows.set_aside.get(key, 0))
    ]


def _without_values(raw: RawTable) -> list[str]:
    without = raw.notes.get("formulas_without_values")
    if not without:
        return []
    return [
        f"Formulas of which the file holds no value, in {listed(without)}: they are read as blank. "  # type: ignore[arg-type]
        "Open the file in Excel (or LibreOffice) and save it there."
    ]


def _meaning(ours: str | None, edition: Edition) -> str:
    if ours is None:
        return "not used"
    if ours in ROW_COLUMNS:
        return _USED_ROWS[ours]
    question = edition.columns.get(ours)
    if question is None:
        question = next((q for q in edition.questions.values() if q.code == ours), None)
    if question is None:
        return ours
    ticked = question.kind == "multi" and ours != question.code
    label = question.scale.options.get(int(ours.rpartition("_")[2])) if ticked else None
    return f"{ours}: {question.label}" + (f" ({label})" if label else "")


def _rows(raw: RawTable) -> int:
    if "rows_in_file" in raw.notes:
        return int(raw.notes["rows_in_file"])  # type: ignore[arg-type]
    return int(raw.pick([pl.len()]).item())
