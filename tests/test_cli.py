"""The command line: plain words in, short errors out, never a traceback with data."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

import culture_metrics
from culture_metrics import cli, synthetic
from culture_metrics.catalogue import catalogue
from culture_metrics.errors import InputWarning

run = CliRunner().invoke


def test_version():
    done = run(cli.app, ["--version"])
    assert (done.exit_code, done.stdout) == (0, f"culture-metrics {culture_metrics.__version__}\n")


def test_help_names_the_commands():
    done = run(cli.app, ["--help"])
    assert done.exit_code == 0
    assert all(
        word in done.stdout for word in ("demo", "report", "catalogue", "Nothing leaves this computer")
    )


CALLS = {
    "list": ["catalogue", "list", "--year", "2024"],
    "show": ["catalogue", "show", "q25c", "--year", "2024"],
    "help": ["--help"],
    "error": [
        "catalogue",
        "show",
        "Zürich \N{RIGHTWARDS ARROW} \N{CJK UNIFIED IDEOGRAPH-65E5}",
        "--year",
        "2024",
    ],
}


#: One process for each encoding: each call finds the console as a new process does, and says how it ended.
ONE_BY_ONE = f"""
import sys
from culture_metrics.cli import app
for call in {[*CALLS.values()]!a}:
    sys.stdout.reconfigure(errors="strict")
    sys.stderr.reconfigure(errors="backslashreplace")
    try:
        app(call)
    except SystemExit as end:
        for stream in (sys.stdout, sys.stderr):
            print(f"<{{end.code or 0}}>", file=stream, flush=True)
"""


@pytest.mark.parametrize("encoding", ["cp437", "cp1252", "ascii"])
def test_a_console_of_any_encoding_is_printed_on(encoding):
    done = subprocess.run(
        [sys.executable, "-c", ONE_BY_ONE],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(__file__).parents[1])},
        capture_output=True,
        check=True,
    )
    assert b"Traceback" not in done.stderr
    out, err = (re.split(r"<(\d+)>\r?\n", stream.decode(encoding)) for stream in (done.stdout, done.stderr))
    assert [int(code) for code in out[1::2]] == [cli.WRONG_INPUT if call == "error" else 0 for call in CALLS]
    for call, printed, complained in zip(CALLS, out[::2], err[::2], strict=False):
        if call == "error":
            assert ("Zürich" if encoding != "ascii" else "Z?rich") in complained
        else:
            assert len(printed) > 200


def test_catalogue_show():
    done = run(cli.app, ["catalogue", "show", "E_3", "--year", "2024"])
    assert done.exit_code == 0
    assert done.stdout.startswith("Advocacy, NHS Staff Survey, England, 2024")
    assert "q25c" in done.stdout


def test_catalogue_list():
    done = run(cli.app, ["catalogue", "list", "--year", "2024"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    # The 30 scores and the headline percentages of 2024, beneath one line of headings.
    assert len(done.stdout.splitlines()) == 1 + len(culture_metrics.catalogue().edition(2024).measures)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (["catalogue", "show", "advocasy", "--year", "2024"], "Did you mean advocacy"),
        (["catalogue", "show", "advocacy", "--year", "1999"], "There is no edition '1999'"),
        (["catalogue", "list", "--year", "2024", "--survey", "nhs"], "There is no survey 'nhs'"),
        (["report", "none.csv", "--out", "{tmp}"], "There is no such file"),
        (["report", "{tmp}", "--out", "{tmp}"], "The folder has no study.yaml"),
        (["report", "none.csv"], "expected: --out FOLDER"),
        (["report", "--out", "{tmp}"], "culture-metrics setup"),
    ],
)
def test_wrong_input_is_said_shortly_with_code_2(call, said, tmp_path):
    done = run(cli.app, [part.format(tmp=tmp_path) for part in call])
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Traceback" not in done.output
    assert done.stdout == ""


def test_an_unforeseen_error_tells_no_values(monkeypatch, tmp_path):
    def fails(*_, **__):
        raise ValueError("respondent 4711 said 5")

    monkeypatch.setattr("culture_metrics.reporting.report.report", fails)
    done = run(cli.app, ["demo", "--out", str(tmp_path)])
    assert done.exit_code == 1
    assert "ValueError" in done.stderr
    assert "4711" not in done.output
    debugged = run(cli.app, ["--debug", "demo", "--out", str(tmp_path)])
    assert isinstance(debugged.exception, ValueError)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device", "results of RXX.csv"), "No space left on device"),
        (MemoryError("respondent 4711"), "not enough memory"),
    ],
)
def test_what_the_computer_refuses_is_said_as_such(monkeypatch, tmp_path, error, said):
    def refuses(*_, **__):
        raise error

    monkeypatch.setattr(importlib.import_module("culture_metrics.study.inspect"), "inspect_file", refuses)
    done = run(cli.app, ["inspect", str(tmp_path)])
    assert done.exit_code == 2
    assert f"The computer refused: {said}" in done.stderr
    assert "4711" not in done.output and "did not foresee" not in done.output


def test_report_passes_on_what_was_asked_and_says_where_the_page_is(monkeypatch, tmp_path):
    asked = {}

    def made(inputs, out, **options):
        options.pop("tell")("Reading", 0, 1)
        asked.update(inputs=[path.name for path in inputs], **options)
        return out / "index.html"

    monkeypatch.setattr("culture_metrics.reporting.report.report", made)
    call = ["report", "a b.csv", "é.xlsx", "--out", str(tmp_path / "my report"), "--organisation", "RXX"]
    call += ["--minimum-base", "20", "--minimum-count", "5", "--calibrate", "--slides", "--for", "analysts"]
    done = run(cli.app, [*call, "--year", "2024", "--by", "occupation_group, locality_1"])
    assert done.exit_code == 0
    assert asked == {
        "inputs": ["a b.csv", "é.xlsx"],
        "organisation": "RXX",
        "year": "2024",
        "by": ["occupation_group", "locality_1"],
        "minimum_base": 20,
        "minimum_count": 5,
        "survey": None,
        "calibrate": 400,
        "for_each": None,
        "reader": "analysts",
        "slides": True,
    }
    assert str(tmp_path / "my report" / "index.html") in done.stdout
    assert done.stdout.startswith("Done in 0 seconds.")


@pytest.mark.parametrize(
    ("options", "by"),
    [
        ([], None),
        (["--by", "occupation_group", "--by", "locality_1"], ["occupation_group", "locality_1"]),
        (["--by", "occupation_group, age", "--by", "locality_1"], ["occupation_group", "age", "locality_1"]),
        (["--by", ""], []),
    ],
)
def test_breakdowns_add_up(monkeypatch, tmp_path, options, by):
    asked = {}
    module = "culture_metrics.reporting.report.report"
    monkeypatch.setattr(module, lambda inputs, out, **given: asked.update(given) or out / "index.html")
    assert run(cli.app, ["report", "a.csv", "--out", str(tmp_path), *options]).exit_code == 0
    assert asked["by"] == by


def commands():
    """Every command of the program with its call and parameters."""
    program = typer.main.get_command(cli.app)
    for name, command in program.commands.items():
        for below, one in getattr(command, "commands", {"": command}).items():
            yield [name, below] if below else [name], one


@pytest.mark.parametrize(
    ("call", "option"),
    [
        (call, param.opts[0])
        for call, command in commands()
        for param in command.params
        if param.param_type_name == "option" and not param.multiple and not param.is_flag
    ],
)
def test_a_second_value_for_an_option_that_takes_one_is_refused(call, option):
    done = run(cli.app, [*call, option, "2023", option, "2024"])
    assert done.exit_code == 2
    assert f"{option} is given" in done.stderr


def test_what_is_wrong_with_the_files_is_said_in_the_terminal_too(monkeypatch, tmp_path):
    def made(inputs, out, **_):
        warnings.warn("The file of 2024 lacks questions.", InputWarning, stacklevel=2)
        return out / "index.html"

    monkeypatch.setattr("culture_metrics.reporting.report.report", made)
    done = run(cli.app, ["report", "a.csv", "--out", str(tmp_path)])
    assert done.stderr.strip() == "Warning: The file of 2024 lacks questions."
    assert done.stdout.startswith("Done in 0 seconds.")


def test_a_file_of_several_organisations_asks_which(tmp_path):
    path = tmp_path / "both 2024.csv"
    synthetic.respondents(2024, organisations=2, respondents_per_organisation=30).frame.write_csv(path)
    done = run(cli.app, ["report", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "SYN01, SYN02" in done.stderr


def hints():
    """Every hint of the floors that the program reaches, with 2024 for what is filled in.

    It writes no workbooks in the official layout.
    """
    package = Path(culture_metrics.__file__).parent
    for path in (
        p for floor in ("extracts", "published", "reporting") for p in (package / floor).rglob("*.py")
    ):
        if path.stem.startswith("write"):
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            texts = [k.value for k in getattr(call, "keywords", ()) if k.arg == "hint"]
            if isinstance(call, ast.Assign) and getattr(call.targets[0], "id", "") == "hint":
                texts = [call.value]
            for text in texts:
                parts = [n for n in ast.walk(text) if isinstance(n, ast.Constant | ast.FormattedValue)]
                filled = [n.value if isinstance(n, ast.Constant) else "2024" for n in parts]
                said = "".join(str(s) for s in filled)
                if re.search(rf"\b({'|'.join(cli.OPTIONS)})=", said):
                    yield said


def test_there_are_hints_that_name_arguments():
    assert len(set(hints())) >= 4


@pytest.mark.parametrize("hint", sorted(set(hints())))
def test_hints_name_the_options_of_the_program(hint):
    said = cli.as_options(hint)
    assert not re.search(r"[a-z]=", said)
    assert re.search(rf"(?<!\()--({'|'.join(cli.OPTIONS)}) [\w-]+", said)
    assert not re.search(r"\w\(.*--", said), "an option within a call of Python"


def test_every_option_that_a_hint_may_name_is_one_of_the_report():
    report = typer.main.get_command(cli.app).commands["report"]
    assert set(cli.OPTIONS) <= {param.name for param in report.params}


@pytest.mark.parametrize(
    ("hint", "said"),
    [
        ("Give the code: organisation='RXX'.", "Give the code: --organisation RXX."),
        (
            "Say which year it is: year=2024, or a column 'year'.",
            "Say which year it is: --year 2024, or a column 'year'.",
        ),
        ("Say which one to read: year=2024-Q1.", "Say which one to read: --year 2024-Q1."),
        ("Check the year.", "Check the year."),
        ("", ""),
        (
            "Match them: columns={'Would recommend': 'q25c'}.",
            "Match them: columns={'Would recommend': 'q25c'}. (That is Python: this program has no such option.)",
        ),
    ],
)
def test_a_hint_in_the_words_of_the_program(hint, said):
    assert cli.as_options(hint) == said


def test_an_error_of_the_program_names_its_options(tmp_path):
    path = tmp_path / "survey.csv"
    path.write_text("q2a\n" + "3\n" * 20)
    done = run(cli.app, ["report", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    last = [edition.period for edition in catalogue() if not edition.provisional][-1]
    assert f"--year {last}" in done.stderr and "year=" not in done.stderr


def test_inspect_says_what_a_file_is_and_shows_no_answers(tmp_path):
    path = tmp_path / "RXX_2024.csv"
    path.write_text("id,org code,Q25c,q2a,q24f,Directorate\nS-771,RXX,4,3,9,Chaplaincy\n")
    result = run(cli.app, ["inspect", str(path)])
    assert result.exit_code == 0
    assert "respondent file" in result.output
    assert "S-771" not in result.output
    assert "Chaplaincy" not in result.output
