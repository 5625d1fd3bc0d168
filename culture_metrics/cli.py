"""The command line: a report from files, the built-in example, and the catalogue."""

from __future__ import annotations

import re
import sys
import time
import warnings
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from culture_metrics import __version__
from culture_metrics.catalogue import DEFAULT
from culture_metrics.catalogue import survey as find_survey
from culture_metrics.errors import CultureMetricsError, CultureMetricsWarning, ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Exit codes: something in the call or the files; a fault in this package.
WRONG_INPUT, FAULT = 2, 1
#: Arguments of functions that are options here, by the same name, and their value in a hint.
OPTIONS = ("organisation", "year", "by", "minimum_base", "minimum_count", "survey", "for_each")
ARGUMENT = re.compile(rf"\b({'|'.join(OPTIONS)})=(?:['\"]([^'\"]*)['\"]|([\w-]*))")
#: What is left of Python then.
PYTHON = re.compile(r"\b[a-z_]+=(?!=)")
OUT = typer.Option("--out", "-o", help="Folder for the report. It is made if it is not there.")
LEAST_BASE = typer.Option(
    help="Smallest number of people behind a figure that is shown: the survey's own (11 in the NHS Staff "
    "Survey) or more."
)
WHICH = f"The survey: {DEFAULT}, national_quarterly_pulse, or the folder of one of your own."
SURVEY = typer.Option(help=f"{WHICH} Told from the files when left out.")
READER = typer.Option(
    "--for",
    help="Who will read the page: board (findings and main figures) or analysts (all figures and tables, "
    "with the code folded away).",
)
LEAST_COUNT = typer.Option(
    help="Smallest number of people that a percentage may count, and leave uncounted. No such minimum when "
    "left out."
)


def as_options(hint: str) -> str:
    """Say a hint that names arguments of Python with the options of this program.

    Examples
    --------
    >>> as_options("Say which one to read: year=2024.")
    'Say which one to read: --year 2024.'
    >>> as_options("Name one: sheet='Data'.")
    "Name one: sheet='Data'. (That is Python: this program has no such option.)"
    """
    said = ARGUMENT.sub(
        lambda found: f"--{found[1].replace('_', '-')} {found[2] or found[3] or ''}".rstrip(), hint
    )
    return f"{said} (That is Python: this program has no such option.)" if PYTHON.search(said) else said


def _print_anywhere() -> None:
    """Print a question mark for what the console has no letter for, rather than stop."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


class _PlainErrors(typer.core.TyperGroup):
    """Print what went wrong as a message for people, never as a traceback with values of the data in it."""

    def main(self, *args: Any, **options: Any) -> Any:
        _print_anywhere()
        return super().main(*args, **options)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except CultureMetricsError as error:
            if ctx.params.get("debug"):
                raise
            error.hint = as_options(error.hint or "")
            _say(f"Error: {error}")
            raise typer.Exit(WRONG_INPUT) from None
        except (OSError, MemoryError) as error:
            if ctx.params.get("debug"):
                raise
            refused = error.strerror if isinstance(error, OSError) else "not enough memory"
            where = getattr(error, "filename", None)
            _say(
                f"Error: The computer refused: {refused or type(error).__name__}\n"
                + (f"  where: {where}\n" if where else "")
                + "  what to do: look whether the disk is full, the file is open in another program, or "
                "other programs need the memory, and run it again."
            )
            raise typer.Exit(WRONG_INPUT) from None
        except Exception as error:
            if ctx.params.get("debug") or type(error).__module__.startswith(("click", "typer")):
                raise
            _say(
                f"Error: something went wrong that this program did not foresee ({type(error).__name__}).\n"
                "  what to do: run it again as 'culture-metrics --debug ...' to see where, and report it. "
                "Look through the text first: it may hold values of your file."
            )
            raise typer.Exit(FAULT) from None


class _Once(typer.core.TyperCommand):
    """Refuse a second value for an option that takes one: without a word the last one would win."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _, _, given = self.make_parser(ctx).parse_args(args=list(args))
        for param in given:
            if given.count(param) > 1 and not param.multiple:
                ctx.fail(f"{param.opts[0]} is given {given.count(param)} times, and takes one value.")
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=_PlainErrors,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
    help="Turn staff-survey files into culture indicators: checked, scored, and reported on one page. "
    "Nothing leaves this computer.",
    epilog="To see a report without files of your own: culture-metrics demo --out my-first-report",
)
catalogue_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Look up what the questions and scores of a survey are.",
)
app.add_typer(catalogue_app, name="catalogue")
survey_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Surveys of your own: a folder of YAML and CSV files (see data_schemas/README.md).",
)
app.add_typer(survey_app, name="survey")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"culture-metrics {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="For developers: show where an error came from.")
    ] = False,
) -> None:
    pass


@app.command(cls=_Once)
def demo(
    out: Annotated[Path, OUT],
    minimum_base: Annotated[int | None, LEAST_BASE] = None,
    minimum_count: Annotated[int | None, LEAST_COUNT] = None,
    reader: Annotated[str, READER] = "board",
) -> None:
    """Make a report on an invented trust, to see what one looks like."""
    _make([], out, None, None, None, minimum_base, minimum_count, reader=reader)


@app.command(cls=_Once)
def setup(
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FOLDER or FILE",
            help="The folder with respondent files, official workbooks and headcounts, or the files "
            "themselves, all in one folder. The folder you are in when left out.",
        ),
    ] = None,
    organisation: Annotated[
        str | None, typer.Option(help="ODS code of the organisation, or its name as in the workbook.")
    ] = None,
    survey: Annotated[str | None, SURVEY] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing: take every proposal and print it.")
    ] = False,
) -> None:
    """Look at your files, ask what they do not say, and keep it in study.yaml beside them."""
    from culture_metrics.study.setup import Nobody
    from culture_metrics.study.setup import setup as set_up

    done = set_up(inputs or [Path()], Nobody() if yes else _Person(), organisation, survey)
    typer.echo("What was found:")
    for line in done.decided:
        typer.echo(f"  {line}")
    if done.look:
        typer.echo("Please look at:")
        for line in done.look:
            typer.echo(f"  - {line}")
    if done.written:
        typer.echo(f"Written: {done.path}. Read it, change what is not right, then:")
    elif done.difference:
        typer.echo(f"{done.path} was changed by hand and stands as it was. What setup proposes is different:")
        typer.echo(done.difference)
        typer.echo("Make the changes you agree with in an editor, or run setup without --yes. Then:")
    else:
        typer.echo(f"{done.path} stands as it was: there is nothing new. Next:")
    typer.echo(f'  culture-metrics report "{done.path.parent}"')


class _Person:
    """Asks at the terminal, short, with the proposal as the answer of the Enter key."""

    def yes(self, question: str, *, proposed: bool) -> bool:
        with self._stopped(question):
            return typer.confirm(question, default=proposed)

    def text(self, question: str, proposed: str | None, *, sure: bool = True) -> str | None:
        with self._stopped(question):
            said = typer.prompt(question, default=proposed or "", show_default=bool(proposed))
        return str(said).strip() or None

    @contextmanager
    def _stopped(self, question: str) -> Iterator[None]:
        """Say what was asked where nobody answers: input that ended, or Ctrl+C."""
        from culture_metrics.errors import StudyFileError

        try:
            yield
        except typer.Abort:
            typer.echo()
            raise StudyFileError(
                "Setup asked a question and got no answer: nothing was written",
                got=question.rpartition("\n")[2],
                hint="Run it at a keyboard, where Enter takes what is proposed, or with --yes, which asks "
                "nothing, takes every proposal and prints it.",
            ) from None


@app.command(cls=_Once)
def report(  # noqa: PLR0913, PLR0917
    inputs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FOLDER or FILE",
            help="A folder that culture-metrics setup was run on. Or respondent files (CSV, Excel, Parquet, "
            "SPSS, Stata; one a year, or all years in one) and official workbooks, in any order. The folder "
            "you are in when left out.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder for the report; made if it is not there. When left out: report, in the folder of "
            "the study.",
        ),
    ] = None,
    organisation: Annotated[
        list[str] | None,
        typer.Option(
            help="ODS code of the organisation, or its name as in the official workbook. May be left out "
            "when the files hold only one. Repeated, each organisation gets a report in a folder of its own, "
            "and a page leads to them: --organisation RXX --organisation RYY."
        ),
    ] = None,
    year: Annotated[
        str | None,
        typer.Option(help="Year of the report. The latest one in the files when left out."),
    ] = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            help="Breakdowns by your own words (Directorate,Department), with commas between or the option "
            "repeated. When left out those of study.yaml, else those of the survey "
            "(occupation_group,locality_1 in the NHS Staff Survey), as far as the files have them."
        ),
    ] = None,
    minimum_base: Annotated[int | None, LEAST_BASE] = None,
    minimum_count: Annotated[int | None, LEAST_COUNT] = None,
    survey: Annotated[str | None, SURVEY] = None,
    for_each: Annotated[
        str | None,
        typer.Option(
            metavar="BREAKDOWN",
            help="Instead of the whole report a page of one A4 sheet for each group, and an index of them: "
            "--for-each Directorate. As PDF as well where Chrome, Edge or Chromium is found.",
        ),
    ] = None,
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="With a chapter on what the verdicts are worth here: how often they are wrong, and find "
            "what is there, in hundreds of pairs of years drawn from the respondent file. Takes minutes.",
        ),
    ] = False,
    reader: Annotated[str, READER] = "board",
    slides: Annotated[
        bool,
        typer.Option(
            "--slides",
            help="With slides.pptx beside the page: its findings as slides, with charts and tables to change "
            "in PowerPoint, and notes to speak from.",
        ),
    ] = False,
) -> None:
    """Make a report on one organisation from its folder or its files."""
    from culture_metrics.study.settings import folder_of

    given = inputs or [Path()]
    folder = folder_of(given)
    if out is None and folder is not None:
        out = folder / "report"
    if out is None:
        raise ReportError(
            "The report needs a place to be written to",
            expected="--out FOLDER",
            hint="Add --out report. With a folder that culture-metrics setup was run on it may be left out.",
        )
    named = organisation[0] if organisation and len(organisation) == 1 else organisation
    _make(
        given, out, named or None, year, by, minimum_base, minimum_count, survey,
        for_each=for_each, calibrate=calibrate, reader=reader, slides=slides,
    )  # fmt: skip


@app.command(cls=_Once)
def notebooks(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder for the notebooks. It is made if it is not there.")
    ],
    study: Annotated[
        Path | None,
        typer.Option(
            help="The folder with the study.yaml that the notebooks keep to. When left out: the one that "
            "lies beside or above them, else the built-in example."
        ),
    ] = None,
) -> None:
    """Copy the notebooks into a folder, to work in. What you changed there stays as it is."""
    from culture_metrics.reporting.notebooks import copy_notebooks

    done = copy_notebooks(folder, study)
    for words, names in (
        ("Copied", done.new),
        ("There already", done.same),
        ("Left as you changed them (rename or delete one to get it anew)", done.changed),
    ):
        if names:
            typer.echo(f"{words}: {', '.join(names)}.")
    if study is not None:
        typer.echo(f"They keep to the study in {study}.")
    typer.echo(f'To open them: culture-metrics lab "{folder}"')


@app.command(cls=_Once)
def lab(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the notebooks.")] = Path(),
) -> None:
    """Open JupyterLab on a folder of notebooks, in the browser. Ctrl+C ends it."""
    from culture_metrics.reporting.notebooks import lab as open_lab

    raise typer.Exit(open_lab(folder))


@app.command(cls=_Once)
def inspect(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Any file: it is looked at, nothing is changed.")
    ],
    survey: Annotated[str | None, SURVEY] = None,
) -> None:
    """Say what a file is, which survey and year it looks like, and how sure that is. Shows no answers."""
    from culture_metrics.study.inspect import inspect_file

    if survey is not None:
        find_survey(survey)
    for path in files:
        typer.echo(str(inspect_file(path)))


@catalogue_app.command("show", cls=_Once)
def show(
    name: Annotated[
        str, typer.Argument(help="A score or question, by name (advocacy) or official code (E_3, q25c).")
    ],
    year: Annotated[str, typer.Option(help="Edition of the survey: 2024, or 2024-Q1 of the pulse survey.")],
    survey: Annotated[str, typer.Option(help=WHICH)] = DEFAULT,
) -> None:
    """Say what a score or question is in one year."""
    found = find_survey(survey).edition(year).describe(name)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for term, text in found.rows:
        table.add_row(Text(term), Text(text))
    console = Console()
    console.print(Text(found.title, style="bold"))
    console.print(table)


@catalogue_app.command("list", cls=_Once)
def list_measures(
    year: Annotated[str, typer.Option(help="Edition of the survey: 2024, or 2024-Q1 of the pulse survey.")],
    survey: Annotated[str, typer.Option(help=WHICH)] = DEFAULT,
) -> None:
    """List every score and headline percentage of one year."""
    edition = find_survey(survey).edition(year)
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left")
    for heading in ("Code", "Name", "What it is", "Kind"):
        table.add_column(heading, overflow="fold")
    for measure in edition.measures.values():
        level = edition.survey.levels.get(measure.level)
        kind = level.label.lower() if level else measure.level
        table.add_row(Text(measure.code), Text(measure.id), Text(measure.label), kind)
    Console().print(table)


@survey_app.command("check", cls=_Once)
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the survey.")],
) -> None:
    """Check the files of a survey: every mistake with its file, row, column and remedy."""
    from culture_metrics.catalogue.checks import check_survey

    found = check_survey(folder)
    typer.echo(str(found))
    if found.survey is None:
        raise typer.Exit(WRONG_INPUT)


def _make(  # noqa: PLR0913
    inputs: list[Path],
    out: Path,
    organisation: str | list[str] | None,
    year: str | None,
    by: list[str] | None,
    minimum_base: int | None,
    minimum_count: int | None,
    survey: str | None = None,
    *,
    for_each: str | None = None,
    calibrate: bool = False,
    reader: str = "board",
    slides: bool = False,
) -> None:
    from culture_metrics.compare.calibration import PAIRS
    from culture_metrics.reporting.report import report as make_report

    started = time.perf_counter()
    breakdowns = [name.strip() for name in ",".join(by).split(",") if name.strip()] if by else None
    console = Console(stderr=True)
    bar = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )
    with bar, warnings.catch_warnings(record=True) as cautions:
        warnings.simplefilter("always", CultureMetricsWarning)
        task = bar.add_task("Starting", total=None)
        page = make_report(
            inputs,
            out,
            organisation=organisation,
            year=year,
            by=breakdowns,
            tell=lambda step, done, total: bar.update(task, description=step, completed=done, total=total),
            minimum_base=minimum_base,
            minimum_count=minimum_count,
            survey=survey,
            calibrate=PAIRS if calibrate else 0,
            for_each=for_each,
            reader=reader,
            slides=slides,
        )
    for caution in cautions:
        if issubclass(caution.category, CultureMetricsWarning):
            _say(f"Warning: {caution.message}")
    typer.echo(f"Done in {time.perf_counter() - started:.0f} seconds. Open {page.resolve()}")


def _say(message: str) -> None:
    Console(stderr=True, soft_wrap=True, highlight=False).print(Text(message))
