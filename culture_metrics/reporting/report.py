"""The report: one call from files to a page, tables and a manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from shutil import copyfile
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.compare.years import compare_years
from culture_metrics.contract import as_distributions, as_results, check_released
from culture_metrics.errors import CultureMetricsError, InputWarning, ReportError, warn
from culture_metrics.files.safety import check_address_space
from culture_metrics.reporting.delivery import LEDGER, deliver, workshop
from culture_metrics.reporting.excel import write_results
from culture_metrics.reporting.manifest import manifest
from culture_metrics.reporting.methods import has_frameworks, methods, why_no_gaps
from culture_metrics.reporting.page import page, section
from culture_metrics.reporting.readers import ANALYSTS, BOARD, check_reader, for_board, has_figures
from culture_metrics.reporting.run import NOTEBOOKS, Kernels, packed_study, run_notebooks
from culture_metrics.reporting.slides import write_slides
from culture_metrics.reporting.verdicts import TITLE, verdicts
from culture_metrics.study import read
from culture_metrics.study.opening import findings
from culture_metrics.study.pulse import why_no_pulse
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from nbformat import NotebookNode

    from culture_metrics.catalogue import Survey
    from culture_metrics.compare.comparison import YearComparison
    from culture_metrics.reporting.page import Section
    from culture_metrics.reporting.run import Kernel
    from culture_metrics.study.study import Study

    Tell = Callable[[str, int, int], None]

#: What a reader calls the notebooks.
TITLES = {
    "01_check_an_extract": "Check an extract",
    "02_culture_indicators": "Culture indicators",
    "03_year_on_year": "Year on year",
    "04_benchmark_and_peers": "Benchmark and peers",
    "05_equality": "Equality",
    "06_leadership_frameworks": "Leadership frameworks",
    "10_published_results": "Published results",
    "11_pulse": "The quarterly pulse",
}
#: Those that need a published workbook.
OF_WORKBOOKS = ("04_benchmark_and_peers", "10_published_results")
FIRST = ["Reading and checking the files", "Scoring and estimating"]
RUNNING = "Running the notebooks"
VERDICTS = "Drawing years to see what verdicts are worth"
SLIDES = "slides.pptx"
OLD_SLIDES = (
    f"{SLIDES} in this folder is of an earlier report, and says what that one found: make it anew with "
    "--slides, or take it away before the folder is passed on."
)
LAST = ["Writing the page and the tables"]


def report(  # noqa: PLR0913, PLR0917
    inputs: Sequence[str | Path],
    out: str | Path,
    organisation: str | Sequence[str] | None = None,
    year: int | str | None = None,
    by: Sequence[str] | None = None,
    tell: Tell | None = None,
    minimum_base: int | None = None,
    minimum_count: int | None = None,
    survey: str | Path | Survey | None = None,
    calibrate: int = 0,
    for_each: str | Sequence[str] | None = None,
    reader: str = BOARD,
    slides: bool = False,
) -> Path:
    """Make a report on one organisation from its respondent files, official workbooks, or both.

    Parameters
    ----------
    inputs : sequence of str or Path
        Respondent files and official workbooks; each is told by its content. Empty: the built-in example.
    out : str or Path
        Folder to write to; made if it is not there. Files of an earlier report are overwritten, others stay.
    organisation : str or sequence of str, optional
        ODS code; may be left out when the files hold one organisation only. Of several each gets a report in
        a folder of `out` of its own, and `index.html` leads to them.
    year : int or str, optional
        The period that the report is about; the latest one when left out.
    by : sequence of str, optional
        Breakdowns; when left out, those that the survey names as its defaults (in the NHS Staff Survey
        occupation group and the first locality), as far as the files have them.
    tell : callable, optional
        Called before each step with its name, the number of steps done and the number of all.
    minimum_base : int, optional
        Smallest base that is shown of respondent files, at least the survey's own, which holds when left
        out.
    minimum_count : int, optional
        Smallest number of people that a percentage may count, and leave uncounted.
    survey : str, Path or Survey, optional
        The survey that respondent files are of: its id, the folder of one of your own, or what `cm.survey`
        returned. Told from the files when left out.
    calibrate : int
        With a chapter on what the verdicts are worth here, from so many pairs of years (`cm.calibrate`).
    for_each : str or sequence of str, optional
        Instead of the whole report a page of one A4 sheet for each group of this breakdown, named as `by`
        names them (several names are crossed), and an index of them, in a folder of `out` that is named after
        the breakdown; as PDF as well where Chrome, Edge or Chromium is found. What the pages show is decided
        together with `by` and the groups that lie in those of the pages, and kept in the ledger of `out`.
    reader : {"board", "analysts"}
        A board's page has the findings and the main figures; one for analysts all figures and tables, and
        the code folded away. A page is passed on, so that a board's is the default: who makes it has
        `results.xlsx` and the notebooks at hand.
    slides : bool
        With `slides.pptx` beside the page: its findings as slides, one message each.

    Returns
    -------
    Path
        The page, `index.html`; with `for_each` the index of the pages. Beside it lie `results.parquet`
        (Results of the organisation), `results.xlsx` (the same and the answers, for people), `manifest.json`,
        and `ledger.json`: which groups were shown, so that the next report into this folder gives away
        nothing that this one hides. It holds no numbers.

    Raises
    ------
    CultureMetricsError
        When a file cannot be used, the organisation must be named, the folder cannot be written to, a file
        of an earlier report is open in another program, or memory or disk do not suffice. The folder is then
        as it was before.

    Warns
    -----
    InputWarning
        When a file lacks questions, or may be of another year: the page says it at the top.

    Notes
    -----
    Nothing leaves the computer and the page asks nothing of the network. Only suppressed results are written.

    Examples
    --------
    >>> report(["RXX_2024.csv"], out="report")  # doctest: +SKIP
    PosixPath('report/index.html')
    """
    if for_each is not None:
        if calibrate or slides:
            raise ReportError(
                "What verdicts are worth and slides belong to the whole report, not to pages for each group",
                hint="Leave out calibrate and slides, or for_each: the two reports can lie in one folder.",
            )
        if not (organisation is None or isinstance(organisation, str)):
            raise ReportError(
                "Pages for each group are of one organisation", hint="Name one, and call it once for each."
            )
        from culture_metrics.reporting.parts.make import report_for_each

        return report_for_each(
            inputs, out, for_each, tell, organisation=organisation, year=year, by=by,
            minimum_base=minimum_base, minimum_count=minimum_count, survey=survey,
        )  # fmt: skip
    check_reader(reader)
    asked = Asked(inputs, year, by, minimum_base, minimum_count, survey, calibrate, reader, slides)
    tell = tell or (lambda step, done, total: None)
    if organisation is not None and not isinstance(organisation, str):
        from culture_metrics.reporting.several import reports

        return reports(asked, organisation, Path(out), tell)
    check_address_space("A report")
    with Kernels() as kernels:
        for _ in making(asked, organisation, Path(out), kernels, tell):
            pass
    return Path(out) / "index.html"


@dataclass(frozen=True)
class Asked:
    """What is asked of a report, whatever organisation it is on: see `report`."""

    inputs: Sequence[str | Path]
    year: int | str | None = None
    by: Sequence[str] | None = None
    minimum_base: int | None = None
    minimum_count: int | None = None
    survey: str | Path | Survey | None = None
    calibrate: int = 0
    reader: str = BOARD
    slides: bool = False


def making(
    asked: Asked, organisation: str | None, folder: Path, kernels: Kernels, tell: Tell
) -> Iterator[str]:
    """Make a report in two goes: between them its notebooks run, and another report can be begun.

    Gives, between the two, the name of the organisation.
    """
    steps = [*FIRST, *NOTEBOOKS, *LAST]
    with workshop(folder) as place:
        tell(FIRST[0], 0, len(steps))
        if (folder / LEDGER).exists():
            copyfile(folder / LEDGER, place / LEDGER)
        study = read.study(
            asked.inputs,
            organisation,
            asked.year,
            asked.by,
            asked.minimum_base,
            asked.minimum_count,
            place / LEDGER,
            asked.survey,
        )
        for caution in study.cautions:
            warn(caution, InputWarning)
        chosen, left_out = _choose(study)
        steps = [*FIRST, *chosen, *([VERDICTS] if asked.calibrate else []), *LAST]
        tell(FIRST[1], 1, len(steps))
        results, answers = _tables(study)
        # What gaps and strata show is decided after the results and before any notebook: one release.
        study.stands_out()
        if "05_equality" in chosen and study.extracts:
            study.intersections()
        parameters = {
            "inputs": [str(Path(path).resolve()) for path in asked.inputs],
            "organisation": study.organisation,
            "year": study.year,
            "by": list(study.by),
            "minimum_base": study.rule.minimum_base,
            "minimum_count": study.rule.minimum_count,
            "ledger": str((place / LEDGER).resolve()),
            "survey": _named(study.edition.survey),
        }
        tell(RUNNING, len(FIRST), len(steps))
        packed = packed_study(study, parameters)

        def notebooks(kernel: Kernel | None) -> dict[str, NotebookNode]:
            ready = lambda n: tell(RUNNING, len(FIRST) + n, len(steps))  # noqa: E731
            return run_notebooks(chosen, {"given": parameters}, ready, kernel, packed)

        running = kernels.submit(notebooks)
        yield study.name
        worth = []
        if asked.calibrate:
            tell(VERDICTS, len(FIRST), len(steps))
            worth = _verdicts(study, asked.calibrate, left_out)
        check_released(results, answers)
        made = manifest(study, results, chosen, left_out, asked.calibrate)
        standing = study.benchmark().table if study.workbook else None
        parquet = BytesIO()  # polars would tell of a full disk in an error of its own
        results.write_parquet(parquet)
        (place / "results.parquet").write_bytes(parquet.getvalue())
        write_results(place / "results.xlsx", study, results, answers, standing, _change(study, results))
        if asked.slides:
            write_slides(place / SLIDES, study)
        _write_text(place / "manifest.json", json.dumps(made, indent=2, ensure_ascii=False) + "\n")
        run = running.result()
        board = asked.reader == BOARD
        shown = {name: for_board(run[name]) if board else run[name] for name in chosen}
        sections = [
            section(name, notebook, findings(study, name), code=not board)
            for name, notebook in shown.items()
            if not board or has_figures(notebook)
        ]
        tell(LAST[0], len(steps) - 1, len(steps))
        _write_text(place / "index.html", _page(study, [*sections, *worth], left_out, made, asked))
        # Somebody may have changed them by hand, so that they are not taken away.
        if not asked.slides and (folder / SLIDES).exists():
            warn(OLD_SLIDES, InputWarning)
        deliver(place, folder)
        tell("Done", len(steps), len(steps))


def _verdicts(study: Study, pairs: int, left_out: list[tuple[str, str]]) -> list[Section]:
    """Say what verdicts are worth, or why that cannot be said."""
    try:
        return [verdicts(study.calibrate(pairs))]
    except CultureMetricsError as error:
        left_out.append((TITLE, f"{error.what[:1].lower()}{error.what[1:]}".removesuffix(".")))
        return []


def _named(survey: Survey) -> str:
    """Return what a notebook, in a process of its own, knows a survey by."""
    return survey.id if survey.folder is None else str(survey.folder)


def _choose(study: Study) -> tuple[list[str], list[tuple[str, str]]]:
    """Decide which notebooks apply, and say why the others do not."""
    reasons: dict[str, str] = {}
    if not study.extracts:
        none = ("01_check_an_extract", "02_culture_indicators", "03_year_on_year")
        reasons |= dict.fromkeys(none, "no respondent file was given")
        if study.quarters and study.quarters.extracts:
            del reasons[none[0]]  # the check of the quarters' files
    elif why := study.why_no_change:
        reasons["03_year_on_year"] = why
    if study.workbook is None:
        why = "no published workbook was given"
        if study.published:
            why = f"no workbook has {study.organisation} in a benchmark group"
        reasons |= dict.fromkeys(OF_WORKBOOKS, why)
    if why := why_no_gaps(study):
        reasons["05_equality"] = why
    if not has_frameworks(study):
        reasons["06_leadership_frameworks"] = f"none is read with {study.edition.survey.label}"
    if why := why_no_pulse(study):
        reasons["11_pulse"] = why
    chosen = [name for name in NOTEBOOKS if name not in reasons]
    survey = study.edition.survey
    if study.of_quarters is study:
        chosen.sort(key=lambda name: name not in ("01_check_an_extract", "11_pulse"))
    if survey.folder is not None or survey.cycle != "year":
        # Nobody publishes benchmarks of a pulse or of a survey of one's own: none is missing.
        own = (*OF_WORKBOOKS, "06_leadership_frameworks")
        reasons = {name: why for name, why in reasons.items() if name not in own}
    if study.of_quarters is None and not study.no_quarters:
        del reasons["11_pulse"]  # whoever gave no pulse misses none
    if not study.extracts and study.workbook is None and study.of_quarters is not study:
        raise ReportError(
            f"There is nothing to report on {study.organisation}",
            got=reasons.get(OF_WORKBOOKS[0]),
            hint="Give a respondent file, or the official workbook of organisation results.",
        )
    return chosen, [(TITLES[name], why) for name, why in reasons.items()]


def _tables(study: Study) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Put the organisation's own and published results together, and its answers."""
    own = pl.col("organisation") == study.organisation
    results = [
        t
        for of in study.every
        for t in (of.results.table, *(p.results.table.filter(own) for p in of.published))
    ]
    answers = [
        t
        for of in study.every
        for t in (of.distributions.table, *(p.distributions.table.filter(own) for p in of.published))
    ]
    return as_results(pl.concat(results)), as_distributions(pl.concat(answers))


def _change(study: Study, results: pl.DataFrame) -> YearComparison | None:
    """Compare the two newest years, as far as the results that are written show them."""
    if study.why_no_change:
        return None
    earlier, later = study.two_years()
    mine = results.filter(source="respondents", survey=study.edition.survey.id)
    own = replace(study.results, table=mine)
    return compare_years(own, earlier.period, later.period)


def _page(
    study: Study, sections: list[Section], left_out: list[tuple[str, str]], made: dict[str, Any], asked: Asked
) -> str:
    reader = asked.reader
    facts = [("Organisation", study.organisation)] if study.name != study.organisation else []
    own = [e for e in study.extracts if e.period == study.year]
    if own:
        people, least = own[0].frame.height, study.rule.minimum_base
        facts.append(("People who answered", f"{people:,}" if people >= least else f"fewer than {least}"))
    if study.workbook is not None:
        group = study.workbook.organisations.filter(organisation=study.organisation)["benchmark_group"].item()
        facts.append(("Benchmark group", group))
    for of in study.every:
        survey = of.edition.survey
        periods = sorted({source.period for source in of.sources})
        said = (
            survey.named(*periods)
            if len(periods) < 3
            else f"{len(periods)}, {survey.named(periods[0], periods[-1])}"
        )
        facts.append(
            (
                f"{survey.cycle.capitalize()}s in the files",
                ", ".join(periods) if survey.cycle == "year" else said,
            )
        )
    invented = any(source.provenance.get("synthetic") for source in study.sources)
    remarks = ["This is the built-in example: the trust and its peers are invented."] if invented else []
    broken = [period_words(r.extract.period) for of in study.every for r in of.reports if not r.ok]
    if broken:
        remarks.append(
            f"The check of the respondent file found errors ({', '.join(broken)}): "
            + (
                "read 'Check an extract' before you rely on the numbers."
                if reader == ANALYSTS
                else "the report for analysts lists them."
            )
        )
    remarks += study.cautions
    return page(
        sections,
        title=study.name,
        subtitle=f"{study.edition.survey.label}, {study.edition.survey.named(study.year)}",
        facts=facts,
        remarks=remarks,
        left_out=left_out,
        manifest=made,
        opening=study.stands_out(),
        figure=study.headline(),
        methods=methods(study, [s.id for s in sections], every=reader == ANALYSTS),
        slides=asked.slides,
    )


def _write_text(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")
