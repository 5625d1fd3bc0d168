"""Read whatever files a user has, and hold what was found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import DEFAULT, Edition, Survey, catalogue, least_base
from culture_metrics.catalogue import survey as find_survey
from culture_metrics.disclosure import suppress
from culture_metrics.disclosure.ledger import About, read_ledger, write_ledger
from culture_metrics.disclosure.names import pool_names
from culture_metrics.disclosure.rule import Rule
from culture_metrics.errors import ExtractError, ReportError, unknown
from culture_metrics.extracts.one_organisation import one_organisation
from culture_metrics.extracts.read import periods_in, read_extract
from culture_metrics.extracts.respondents import SeveralPeriodsError
from culture_metrics.extracts.rules.discreet import named
from culture_metrics.extracts.unanswered import told, unanswered
from culture_metrics.extracts.validate import validate
from culture_metrics.indicators.breakdowns import available_breakdowns, breakdown_id, names_groups
from culture_metrics.indicators.distributions import distributions
from culture_metrics.indicators.estimate import estimate
from culture_metrics.indicators.shown import attack_shown
from culture_metrics.published import is_published, read_published
from culture_metrics.reporting.example import example_extracts, example_published
from culture_metrics.results import ALL, as_distributions, as_results
from data_schemas.columns import DISTRIBUTIONS, RESULTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.report import ValidationReport
    from culture_metrics.published import Published

#: Layouts of published files that have everything a report shows.
REPORTED = ("organisation", "national")


@dataclass(frozen=True)
class Inputs:
    """What was read: checked respondent files, published results, and whom the report is about.

    Attributes
    ----------
    reports : tuple of ValidationReport
        One per respondent file and year in it, by period; about the organisation: of a file of several the
        rows of the others are left out before the check, and not counted.
    extracts : tuple of Extract
        The clean answers of the organisation, one per report.
    published : tuple of Published
        One per official workbook, by period.
    organisation, year : str
        ODS code, and the period that the report is about: the latest one unless another was asked for.
    by : tuple of str
        Breakdowns of the results.
    rule : Rule
        Smallest base, and smallest number of people that a percentage may count, of what is shown.
    ledger : Path, optional
        File that keeps which groups were shown.
    """

    reports: tuple[ValidationReport, ...]
    extracts: tuple[Extract, ...]
    published: tuple[Published, ...]
    organisation: str
    year: str
    by: tuple[str, ...]
    rule: Rule
    ledger: Path | None = None

    @cached_property
    def suppressed(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Results and Distributions from the respondent files: what leaves together is suppressed together.

        Hidden groups stand with their names: for counting what is held back, not for writing.
        """
        least = self.rule.minimum_base
        # Decided together: what the tables show, and the groups that a change is split into.
        every = [estimate(e, by=self._decided_by(e), minimum_base=least) for e in self.extracts]
        wanted = pl.col("breakdown").is_in([ALL, *self.by])
        results = [table.filter(wanted) for table in every]
        answers = [distributions(e, minimum_base=least) for e in self.extracts]
        if self.ledger:
            write_ledger(self.ledger, self._decided)
        return suppress(
            as_results(pl.concat([pl.DataFrame(schema=RESULTS), *results])),
            least,
            minimum_count=self.rule.minimum_count,
            distributions=as_distributions(pl.concat([pl.DataFrame(schema=DISTRIBUTIONS), *answers])),
        )

    def _decided_by(self, extract: Extract) -> list[str]:
        mix = [n for n in available_breakdowns(extract) if n == extract.edition.survey.defaults.staff_mix]
        return list(dict.fromkeys([*self.by, *mix]))

    @property
    def _decided(self) -> list[About]:
        return [About(e.survey, e.period, e.frame, [*e.edition.columns], e.decision) for e in self.extracts]

    def attacked(self) -> tuple[int, int]:
        """Attack what is shown of all extracts: how many sets of measures, and how many of them are open."""
        self.suppressed  # noqa: B018
        each = [attack_shown(e, self.rule.minimum_base) for e in self.extracts]
        return sum(n for n, _ in each), sum(n for _, n in each)

    @cached_property
    def results(self) -> pl.DataFrame:
        """Results of the organisation from the respondent files: all periods, whole and by group.

        Everything that a report shows or writes comes from here: names of hidden groups are pooled.
        """
        return as_results(pool_names(self.suppressed[0], self.rule.minimum_base))

    @cached_property
    def distributions(self) -> pl.DataFrame:
        """Distributions of the organisation from the respondent files: all periods, as a whole."""
        return as_distributions(pool_names(self.suppressed[1], self.rule.minimum_base))

    @property
    def standing(self) -> Published | None:
        """The workbook that has a benchmark group for the organisation: of the year, else the latest one."""
        named = (pl.col("organisation") == self.organisation) & pl.col("benchmark_group").is_not_null()
        found = [p for p in self.published if p.organisations.filter(named).height]
        return max(found, key=lambda p: (p.period == self.year, p.period), default=None)

    @property
    def sources(self) -> tuple[Extract | Published, ...]:
        """Extracts and published results together."""
        return (*self.extracts, *self.published)

    @property
    def cautions(self) -> tuple[str, ...]:
        """What is wrong with the respondent files and reaches the numbers, in sentences."""
        return tuple(said for extract in self.extracts for said in _cautions(extract))

    @property
    def edition(self) -> Edition:
        """The edition of the survey in the year of the report."""
        return catalogue(self.sources[0].survey).edition(self.year)

    @property
    def name(self) -> str:
        """Name of the organisation, as far as a workbook gives it; else its code."""
        for published in reversed(self.published):
            names = published.organisations.filter(organisation=self.organisation)["name"].drop_nulls()
            if len(names):
                return str(names[0])
        return self.organisation

    def __repr__(self) -> str:
        periods = ", ".join(e.period for e in self.extracts) or "none"
        workbooks = ", ".join(p.period for p in self.published) or "none"
        return (
            f"Inputs(organisation {self.organisation}, year {self.year}; "
            f"respondent files: {periods}; published workbooks: {workbooks})"
        )


def read_inputs(
    paths: Sequence[str | Path],
    organisation: str | None = None,
    year: int | str | None = None,
    by: Sequence[str] | None = None,
    minimum_base: int | None = None,
    minimum_count: int | None = None,
    ledger: str | Path | None = None,
    survey: str | Path | Survey | None = None,
) -> Inputs:
    """Read and check respondent files and official workbooks; each is told by its content.

    Parameters
    ----------
    paths : sequence of str or Path
        Respondent files (CSV, Excel, Parquet, SPSS, Stata; of one year, or of several with a column that
        names the year) and official results workbooks. Empty: the built-in example.
    organisation : str, optional
        ODS code. May be left out when the files hold one organisation only.
    year : int or str, optional
        The period that the report is about, and the edition of a respondent file that does not say its own.
        The latest one when left out.
    by : sequence of str, optional
        Breakdowns. When left out, those that the survey names as its defaults (in the NHS Staff Survey
        occupation group and the first locality), as far as the extract has them.
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
    Inputs
        `.reports`, `.published`, `.organisation`, `.year`; estimated when asked for: `.results` and
        `.distributions`.

    Raises
    ------
    FileFormatError, ExtractError
        When a file cannot be read or its content cannot be used.
    UnknownNameError
        When the files do not hold the organisation, the year or a breakdown.
    ReportError
        When the organisation must be named, two files hold the same year, or a minimum is below the survey's.

    Examples
    --------
    >>> data = read_inputs([])
    >>> data
    Inputs(organisation SYN01, year 2024; respondent files: 2023, 2024; published workbooks: 2024)
    >>> data.results.filter(measure="morale", period="2024", group="all").height
    1
    """
    if isinstance(paths, str | Path):
        paths = [paths]
    of = None if survey is None else find_survey(survey)
    if of is not None and of.id != DEFAULT and not paths:
        raise ReportError(
            f"The built-in example is not of the {of.label}", hint="Give the files of the survey as inputs."
        )
    files, published = _read([Path(path) for path in paths], organisation, year, of)
    if not paths:
        files = list(example_extracts())
    _one_survey([*files, *published])
    _one_file_a_year([e.period for e in files], "respondent files")
    _one_file_a_year([p.period for p in published], "workbooks")
    files.sort(key=lambda e: e.period)
    reports = tuple(validate(e) for e in files)
    if not paths:
        published = [example_published(reports[-1].extract)]
    chosen = _organisation(reports, published, organisation)
    # An organisation need not be in every year of a stacked file.
    kept = [
        (file, r)
        for file, r in zip(files, reports, strict=True)
        if not _is_stacked(r.extract) or _holds(r.extract, chosen)
    ]
    shared = _of_several(files)
    reports = tuple(_own_report(file, r, chosen, others=_hash(file) in shared) for file, r in kept)
    extracts = tuple(_own(r.extract, chosen) for r in reports)
    found = catalogue(extracts[0].survey if extracts else published[0].survey)
    data = Inputs(
        reports=reports,
        extracts=extracts,
        published=tuple(sorted(published, key=lambda p: p.period)),
        organisation=chosen,
        year=_year([*(e.period for e in extracts), *(p.period for p in published)], year),
        by=_breakdowns(extracts, by, found.defaults.breakdowns),
        rule=_rule(found, minimum_base, minimum_count),
        ledger=Path(ledger) if ledger else None,
    )
    if data.ledger and data.ledger.exists():
        read_ledger(data.ledger, data._decided)
    return data


def _rule(survey: Survey, minimum_base: int | None, minimum_count: int | None) -> Rule:
    """Return the rule of what is shown: the survey's own, or a stricter one."""
    least = survey.minimum_base
    rule = Rule(least if minimum_base is None else minimum_base, minimum_count)
    if rule.minimum_base < least:
        raise ReportError(
            f"The minimum base of {survey.label} can be raised, not lowered",
            expected=f"minimum_base of {least} or more",
            got=str(rule.minimum_base),
            hint="Figures on fewer people could be traced to one of them: leave it out or raise it.",
        )
    return rule


def _read(
    paths: list[Path], organisation: str | None, year: int | str | None, survey: Survey | None
) -> tuple[list[Extract], list[Published]]:
    extracts: list[Extract] = []
    published: list[Published] = []
    for path in paths:
        if is_published(path):
            published.append(_workbook(path, organisation))
        else:
            extracts += _read_respondents(path, organisation, year, survey, alone=len(paths) == 1)
    return extracts, published


def _workbook(path: Path, organisation: str | None) -> Published:
    """Read an official detailed workbook; the other layouts lack what a report shows."""
    published = read_published(path, organisation=organisation)
    layout = published.provenance["layout"]
    if layout not in REPORTED:
        raise ReportError(
            f"A report cannot be made from a file of this kind ({layout})",
            where=path.name,
            expected="the detailed spreadsheets of the NHS Staff Survey, or a respondent file",
            hint="In Python, culture_metrics.read_published reads it.",
        )
    return published


def _read_respondents(
    path: Path, organisation: str | None, year: int | str | None, survey: Survey | None, *, alone: bool
) -> list[Extract]:
    """Read a respondent file, every year in it; one among several files says its own year if it can."""
    try:
        own = read_extract(path, survey, year=year if alone else None, organisation=organisation)
    except SeveralPeriodsError as error:
        return _each_period(path, error.periods, organisation, survey)
    except ExtractError:
        if alone or year is None:
            raise
        own = read_extract(path, survey, year=year, organisation=organisation)
    if _is_stacked(own):
        return _each_period(path, periods_in(path, survey), organisation, survey)
    return [own]


def _each_period(
    path: Path, periods: Sequence[str], organisation: str | None, survey: Survey | None
) -> list[Extract]:
    """Read the years of a stacked file; those without a catalogue are counted as rows of other years."""
    known = [p for p in periods if p in (survey or catalogue()).periods] or periods
    return [read_extract(path, survey, year=period, organisation=organisation) for period in known]


def _is_stacked(extract: Extract) -> bool:
    return bool(extract.provenance.get("rows_of_other_periods"))


def _organisation(reports: Sequence[ValidationReport], published: list[Published], wanted: str | None) -> str:
    """Decide whom the report is about."""
    in_files = [set(r.extract.frame["organisation"]) for r in reports]
    in_workbooks = [set(p.organisations["organisation"]) for p in published]
    known: list[str] = sorted(set().union(*(in_files or in_workbooks)))
    # Organisations of fewer respondents are not named in a message.
    enough = least_base([*(r.extract.survey for r in reports), *(p.survey for p in published)])
    sizes = dict.fromkeys(known, enough) | _respondents([r.extract for r in reports])
    if wanted is not None:
        folded = {code.casefold(): code for code in known}
        if wanted.strip().casefold() not in folded:
            large = [code for code in known if sizes[code] >= enough]
            raise unknown("organisation", wanted, large, where="the files that were given")
        return folded[wanted.strip().casefold()]
    if len(known) == 1:
        return known[0]
    raise ReportError(
        f"The files hold {len(known)} organisations, so the report must be told which one it is about"
        if known
        else "The files hold no organisation",
        expected="an ODS code",
        hint=f"Give one of {named(sizes, enough, 12, 'organisation')}.",
    )


def _respondents(extracts: Sequence[Extract]) -> dict[str, int]:
    """Count the respondents of each organisation in the year that has most: small ones are not named."""
    tables = [pl.DataFrame(schema={"organisation": pl.String, "rows": pl.UInt32})]
    tables += [e.frame["organisation"].value_counts(name="rows") for e in extracts]
    most = pl.concat(tables, how="vertical_relaxed").group_by("organisation").agg(pl.col("rows").max())
    return dict(most.sort("organisation").iter_rows())


def _cautions(extract: Extract) -> Iterator[str]:
    """Say what makes an extract another thing than its name says."""
    if doubt := extract.provenance.get("doubt"):
        yield f"{doubt}"
    absent = unanswered(extract)
    if less := told(extract.edition, [question.id for question in absent]):
        yield f"The file of {extract.period} lacks questions. {less}"


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
    file: Extract, report: ValidationReport, organisation: str, *, others: bool
) -> ValidationReport:
    """Check the rows of the organisation by themselves, where the file holds others."""
    if _holds(report.extract, organisation):
        own = one_organisation(file, organisation, others=others)
        return report if own is file else validate(own)
    return report


def _own(extract: Extract, organisation: str) -> Extract:
    """Keep the answers of one organisation."""
    own = extract.frame.filter(pl.col("organisation") == organisation)
    if own.is_empty():
        known = [
            code for code, n in _respondents([extract]).items() if n >= extract.edition.survey.minimum_base
        ]
        where = extract.provenance.get("file") or extract.period
        raise unknown("organisation", organisation, known, where=where)
    return replace(extract, frame=own)


def _one_survey(sources: Sequence[Extract | Published]) -> None:
    """Refuse files of several surveys: their figures do not compare."""
    labels = {source.survey: catalogue(source.survey).label for source in sources}
    if len(labels) > 1:
        odd = next((s for s in sources if catalogue(s.survey).cycle != "year"), sources[-1])
        raise ReportError(
            f"The files are of several surveys: {' and '.join(sorted(labels.values()))}",
            where=odd.provenance.get("file"),
            expected="files of one survey",
            hint=f"Leave out the file of the {labels[odd.survey]}, or report on it by itself: the two "
            "surveys are answered by other people, and their figures do not compare.",
        )


def _one_file_a_year(periods: list[str], what: str) -> None:
    twice = sorted({p for p in periods if periods.count(p) > 1})
    if twice:
        raise ReportError(
            f"Two {what} hold {twice[0]}", hint="Give one file a year; put parts of a file together first."
        )


def _year(periods: list[str], wanted: int | str | None) -> str:
    if wanted is None:
        return max(periods)
    if str(wanted) not in periods:
        raise unknown("year in these files", str(wanted), sorted(set(periods)))
    return str(wanted)


def _breakdowns(
    extracts: Sequence[Extract], wanted: Sequence[str] | None, usual: Sequence[str]
) -> tuple[str, ...]:
    if wanted is not None:
        found = dict.fromkeys(breakdown_id(e, name) for name in wanted for e in extracts)
        return tuple(found or wanted)
    here = [
        {name for name in usual if name in available_breakdowns(e) and names_groups(e, name)}
        for e in extracts
    ]
    return tuple(name for name in usual if here and all(name in names for names in here))
