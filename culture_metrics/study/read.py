"""Read whatever files a person has into a study of one organisation."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import polars as pl

from culture_metrics.catalogue import DEFAULT, Survey, catalogue
from culture_metrics.catalogue import survey as find_survey
from culture_metrics.disclosure.ledger import read_ledger
from culture_metrics.errors import InputWarning, ReportError, UnknownNameError, unknown, warn
from culture_metrics.extracts.layouts import ResultsFileError, of_several
from culture_metrics.extracts.one_organisation import one_organisation
from culture_metrics.extracts.validate import validate
from culture_metrics.output import names_given, told
from culture_metrics.provenance import provenance_of
from culture_metrics.published import is_published, read_published
from culture_metrics.study.at_hand import at_hand, kept_workbooks
from culture_metrics.study.example import BREAKDOWNS, example_extracts, example_workbook
from culture_metrics.study.own_words import check_words, in_own_words, one_name, own_breakdowns, within
from culture_metrics.study.response import as_decided
from culture_metrics.study.rules import (
    breakdowns_of,
    check_one_file_a_year,
    check_one_survey,
    minimum_rule,
    organisation_of,
    respondents_of,
    year_of,
)
from culture_metrics.study.settings import find_settings
from culture_metrics.study.source import Source, is_stacked
from culture_metrics.study.study import Study
from culture_metrics.study.where import look_up
from culture_metrics.study.whom import by_code, code_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.report import ValidationReport
    from culture_metrics.published import Published
    from culture_metrics.study.own_words import Merge
    from culture_metrics.study.settings import Settings

    T = TypeVar("T", Extract, Published)

#: Layouts of published files that a report shows something of; the benchmark workbook has no answers.
BENCHMARK = "benchmark"
REPORTED = ("organisation", "national", "pulse", BENCHMARK)
#: What the periods of a survey are.
YEAR, QUARTER = "year", "quarter"


def study(
    inputs: str | Path | Sequence[str | Path] | None = None,
    organisation: str | None = None,
    year: int | str | None = None,
    by: Sequence[str | Sequence[str]] | None = None,
    minimum_base: int | None = None,
    minimum_count: int | None = None,
    ledger: str | Path | None = None,
    survey: str | Path | Survey | None = None,
) -> Study:
    """Read and check respondent files and official workbooks, each told by its content, as one study.

    Parameters
    ----------
    inputs : str, Path or sequence of them
        A folder with a `study.yaml`, which says what the files in it are and what the trust calls things
        (`culture-metrics setup FOLDER` makes it). Or files: respondent files (CSV, Excel, Parquet, SPSS,
        Stata; of one year, or of several with a column that names the year) and official results workbooks;
        they are read as a study.yaml beside them says. An empty list: the built-in example. When left out,
        the study.yaml in this folder or the nearest above it; else that of the folder which the environment
        variable `CULTURE_METRICS_STUDY` or a `study-folder.txt` beside the notebooks names; else the
        built-in example. Which of them it is, is printed.
    organisation : str, optional
        ODS code, or the name exactly as a file has it. May be left out when the files hold one organisation
        only. What is given here wins over study.yaml, as do all arguments below.
    year : int or str, optional
        The period that the study is about, and the edition of a respondent file that does not say its own.
        The latest one when left out.
    by : sequence of str, optional
        Breakdowns; names in a list of their own are crossed: `[["occupation_group", "locality_1"]]`. When
        left out, those of study.yaml, else those that the survey names as its defaults (in the NHS Staff
        Survey occupation group and the first locality), as far as the extract has them.
    minimum_base : int, optional
        Smallest base that is shown of respondent files, at least the survey's own, which holds when left
        out. Official workbooks come with their own.
    minimum_count : int, optional
        Smallest number of people that a percentage may count, and leave uncounted.
    ledger : str or Path, optional
        File that keeps which groups were shown, never a number: what was hidden then stays hidden now, and
        nothing is shown beside it that would give it away. Made when it is not there; a report has its own,
        `ledger.json`.
    survey : str, Path or Survey, optional
        The survey that respondent files are of: its id, the folder of one of your own, or what `cm.survey`
        returned. Told from the files when left out.

    Returns
    -------
    Study
        What was read and chosen; estimated when asked for, once: `.results` and `.distributions`.

    Raises
    ------
    FileFormatError, ExtractError
        When a file cannot be read or its content cannot be used.
    StudyFileError
        When study.yaml cannot be used, or names what is not there.
    UnknownNameError
        When the files do not hold the organisation, the year or a breakdown.
    ReportError
        When the organisation must be named, two files hold the same year, or a minimum is below the survey's.

    Examples
    --------
    >>> example = study([])
    >>> example
    Study(organisation SYN01, year 2024; respondent files: 2023, 2024; published workbooks: 2024)
    >>> example.results.table.filter(measure="morale", period="2024", group="all").height
    1
    """
    if (made := at_hand(locals())) is not None:
        return made
    if inputs is None:
        inputs, which = look_up()
        print(which)
    settings, paths = find_settings(inputs)
    if settings is not None:
        organisation, year = organisation or settings.organisation, year or settings.year
        survey = survey or settings.survey_named
        minimum_base = settings.minimum_base if minimum_base is None else minimum_base
        minimum_count = settings.minimum_count if minimum_count is None else minimum_count
    of = None if survey is None else find_survey(survey)
    if of is not None and of.id != DEFAULT and not paths:
        raise ReportError(
            f"The built-in example is not of the {of.label}", hint="Give the files of the survey as inputs."
        )
    files, published = _read(paths, organisation, year, of, settings)
    if not paths:
        files, published = [*example_extracts()], [example_workbook()]
    by = None if by is None else names_given("by", by, crossed=True)
    asked = _Asked(organisation, year, by, minimum_base, minimum_count, ledger, settings, example=not paths)
    extracts, books = _by_cycle(files), _by_cycle(published)
    if not (extracts[QUARTER] or books[QUARTER]) or not (extracts[YEAR] or books[YEAR]):
        return _made(files, published, asked)
    made = _made(extracts[YEAR], books[YEAR], asked)
    return _with_quarters(made, extracts[QUARTER], books[QUARTER], asked)


@dataclass(frozen=True)
class _Asked:
    """What is asked of a study, whatever its files: see `study`."""

    organisation: str | None
    year: int | str | None
    by: Sequence[str | Sequence[str]] | None
    minimum_base: int | None
    minimum_count: int | None
    ledger: str | Path | None
    settings: Settings | None
    example: bool = False
    beside: bool = False


def _by_cycle(given: Sequence[T]) -> dict[str, list[T]]:
    return {cycle: [s for s in given if catalogue(s.survey).cycle == cycle] for cycle in (YEAR, QUARTER)}


def _with_quarters(made: Study, files: list[Extract], published: list[Published], asked: _Asked) -> Study:
    """Put the quarters of a pulse beside an annual survey: other people's answers, decided apart.

    Of the pulse the whole organisation is shown. Where its files do not hold the organisation that is said.
    """
    sources: list[Extract | Published] = [*files, *published]
    least = max(asked.minimum_base or 0, *(catalogue(s.survey).minimum_base for s in sources))
    own = replace(asked, organisation=made.organisation, year=None, by=(), minimum_base=least, beside=True)
    try:
        return replace(made, quarters=_made(files, published, own))
    except UnknownNameError as error:
        if not error.what.startswith("There is no organisation"):
            raise
        label = catalogue(sources[0].survey).label
        return replace(made, no_quarters=f"the files of the {label} hold nothing of {made.organisation}")


def _made(files: list[Extract], published: list[Published], asked: _Asked) -> Study:
    """Make a study of the files of one survey."""
    settings = asked.settings
    check_one_survey([*files, *published])
    check_one_file_a_year(files, "respondent files")
    for kind in {p.provenance.get("layout") == BENCHMARK for p in published}:
        alike = [p for p in published if (p.provenance.get("layout") == BENCHMARK) == kind]
        check_one_file_a_year(alike, "workbooks")
    files = [by_code(e, published) for e in sorted(files, key=lambda e: e.period)]
    if settings is not None:
        files = [in_own_words(e, settings) for e in files]
        if not asked.beside:
            check_words(files, settings)
    merges = [{}] * len(files) if settings is None else one_name(files, settings)
    merge_of = {id(file): merge for file, merge in zip(files, merges, strict=True)}
    reports = tuple(validate(e, merge=merge_of[id(e)]) for e in files)
    chosen = organisation_of(reports, published, asked.organisation)
    # An organisation need not be in every year of a stacked file.
    kept = [
        (file, r)
        for file, r in zip(files, reports, strict=True)
        if not is_stacked(r.extract) or _holds(r.extract, chosen)
    ]
    shared = _of_several(files)
    reports = tuple(
        _own_report(file, r, chosen, merge_of[id(file)], others=_hash(file) in shared) for file, r in kept
    )
    extracts = tuple(_own(r.extract, chosen) for r in reports)
    found = catalogue(extracts[0].survey if extracts else published[0].survey)
    rule = minimum_rule(found, asked.minimum_base, asked.minimum_count)
    if found.cycle == YEAR:  # a quarter of few is a gap in its run chart
        reports = tuple(_enough(reports, extracts, rule.minimum_base, chosen, alone=not published))
        extracts = tuple(_own(r.extract, chosen) for r in reports)
    known = [p.period for p in published]
    enough = [e.period for e in extracts if asked.year or e.frame.height >= rule.minimum_base]
    about = year_of([*enough, *known] or [e.period for e in extracts], asked.year)
    usual = BREAKDOWNS if asked.example else found.defaults.breakdowns
    if settings is not None and not asked.beside:
        usual = own_breakdowns(extracts, about, settings)
    made = Study(
        reports=reports,
        extracts=extracts,
        published=tuple(sorted(published, key=lambda p: (p.period, p.provenance.get("layout") != BENCHMARK))),
        organisation=chosen,
        year=about,
        by=breakdowns_of(extracts, asked.by, usual, every=settings is None),
        rule=rule,
        ledger=Path(asked.ledger) if asked.ledger else None,
        settings=settings,
    )
    if made.ledger and made.ledger.exists():
        read_ledger(made.ledger, as_decided(made))
    choices = {"organisation": chosen, "year": made.year, "by": list(made.by), "survey": found.id}
    least = {"minimum_base": rule.minimum_base, "minimum_count": asked.minimum_count}
    return told(made, provenance_of("study", {"inputs": [*extracts, *made.published], **choices, **least}))


def _read(
    paths: list[Path],
    organisation: str | None,
    year: int | str | None,
    survey: Survey | None,
    settings: Settings | None,
) -> tuple[list[Extract], list[Published]]:
    """Read the workbooks first: they have the code of an organisation that is given by name."""
    books = [path for path in paths if path in kept_workbooks() or is_published(path)]
    published = [_workbook(path, organisation) for path in books]
    code = code_of(organisation, published)
    alone, extracts, refused = len(paths) == 1, [], []
    for path in paths:
        if path not in books:
            try:
                extracts += Source(path, code, survey, settings).years(year, alone=alone)
            except ResultsFileError as error:
                refused.append(error)
    if refused:
        raise of_several(refused)
    return extracts, published


def _workbook(path: Path, organisation: str | None) -> Published:
    """Read an official workbook of organisations; the other layouts lack what a report shows."""
    kept = kept_workbooks()
    published = kept.get(path) or read_published(path, organisation=organisation)
    layout = published.provenance["layout"]
    if layout not in REPORTED:
        raise ReportError(
            f"A report cannot be made from a file of this kind ({layout})",
            where=path.name,
            expected="the detailed spreadsheets or the benchmark workbook of the NHS Staff Survey, a "
            "workbook of the quarterly pulse, or a respondent file",
            hint="In Python, culture_metrics.read_published reads it.",
        )
    kept[path] = published
    return published


def _holds(extract: Extract, organisation: str) -> bool:
    return organisation in extract.frame["organisation"]


def _hash(extract: Extract) -> str | None:
    return extract.provenance.get("sha256")


def _of_several(files: Sequence[Extract]) -> set[str | None]:
    """Return the hashes of the files that hold several organisations, in one year or over all."""
    held: dict[str | None, set[str]] = {}
    for extract in files:
        held.setdefault(_hash(extract), set()).update(extract.frame["organisation"].drop_nulls().unique())
    return {file for file, organisations in held.items() if file is not None and len(organisations) > 1}


def _own_report(
    file: Extract, report: ValidationReport, organisation: str, merge: Merge, *, others: bool
) -> ValidationReport:
    """Check the rows of the organisation by themselves, where the file holds others."""
    if _holds(report.extract, organisation):
        own = one_organisation(file, organisation, others=others)
        return report if own is file else validate(own, merge=within(merge, own.frame))
    return report


def _enough(
    reports: Sequence[ValidationReport],
    extracts: Sequence[Extract],
    least: int,
    organisation: str,
    *,
    alone: bool,
) -> list[ValidationReport]:
    """Leave out years of so few respondents that no figure may be shown: how many rows a file has is one."""
    few = [extract.period for extract in extracts if extract.frame.height < least]
    kept = [report for report, extract in zip(reports, extracts, strict=True) if extract.period not in few]
    years = ", ".join(few)
    said = f"Fewer than {least} respondents of {organisation} in {years}: nothing of them may be shown"
    if few and not kept and alone:
        raise ReportError(
            said,
            expected=f"at least {least} respondents",
            hint="For work that nobody else sees, cm.read_extract and cm.score take the file.",
        )
    if few:
        warn(f"{said}, and it is left out.", InputWarning)
    return kept


def _own(extract: Extract, organisation: str) -> Extract:
    """Keep the answers of one organisation."""
    own = extract.frame.filter(pl.col("organisation") == organisation)
    if own.is_empty():
        known = [
            code for code, n in respondents_of([extract]).items() if n >= extract.edition.survey.minimum_base
        ]
        where = extract.provenance.get("file") or extract.period
        raise unknown("organisation", organisation, known, where=where)
    return replace(extract, frame=own)
