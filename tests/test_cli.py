"""The command line: plain words in, short errors out, never a traceback with data."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

import culture_metrics
from culture_metrics import cli, synthetic

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


def test_catalogue_show():
    done = run(cli.app, ["catalogue", "show", "E_3", "--year", "2024"])
    assert done.exit_code == 0
    assert done.stdout.startswith("Advocacy (advocacy), NHS Staff Survey, England, 2024")
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
        (["report", "{tmp}", "--out", "{tmp}"], "a folder, not a file"),
        (["report", "none.csv"], "Missing option '--out'"),
        (["report", "--out", "{tmp}"], "Missing argument"),
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


def test_report_passes_on_what_was_asked_and_says_where_the_page_is(monkeypatch, tmp_path):
    asked = {}

    def made(inputs, out, **options):
        options.pop("tell")("Reading", 0, 1)
        asked.update(inputs=[path.name for path in inputs], **options)
        return out / "index.html"

    monkeypatch.setattr("culture_metrics.reporting.report.report", made)
    call = ["report", "a b.csv", "é.xlsx", "--out", str(tmp_path / "my report"), "--organisation", "RXX"]
    done = run(cli.app, [*call, "--year", "2024", "--by", "occupation_group, locality_1"])
    assert done.exit_code == 0
    assert asked == {
        "inputs": ["a b.csv", "é.xlsx"],
        "organisation": "RXX",
        "year": 2024,
        "by": ["occupation_group", "locality_1"],
    }
    assert str(tmp_path / "my report" / "index.html") in done.stdout
    assert done.stdout.startswith("Done in 0 seconds.")


def test_a_file_of_several_organisations_asks_which(tmp_path):
    path = tmp_path / "both 2024.csv"
    synthetic.respondents(2024, organisations=2, respondents_per_organisation=30).frame.write_csv(path)
    done = run(cli.app, ["report", str(path), "--out", str(tmp_path / "out")])
    assert done.exit_code == 2
    assert "SYN01, SYN02" in done.stderr


def test_inspect_says_what_a_file_is_and_shows_no_answers(tmp_path):
    path = tmp_path / "RXX_2024.csv"
    path.write_text("id,org code,Q25c,q2a,q24f,Directorate\nS-771,RXX,4,3,9,Chaplaincy\n")
    result = run(cli.app, ["inspect", str(path)])
    assert result.exit_code == 0
    assert "respondent file" in result.output
    assert "S-771" not in result.output
    assert "Chaplaincy" not in result.output
