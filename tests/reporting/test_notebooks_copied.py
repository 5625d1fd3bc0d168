"""Notebooks of one's own: copied once, never over a change, and kept to the study that was named."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

import culture_metrics as cm
from culture_metrics.cli import app
from culture_metrics.errors import StudyFileError
from culture_metrics.reporting import notebooks
from culture_metrics.study.where import POINTER, VARIABLE, look_up


def called(*given):
    return CliRunner().invoke(app, [str(one) for one in given])


def test_copies_all_and_keeps_what_was_changed(tmp_path):
    folder = tmp_path / "Culture survey" / "my notebooks"
    first = called("notebooks", folder)
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 13 and names[-1] == "glossary.md"
    assert f'culture-metrics lab "{folder}"' in first.output
    (folder / "11_pulse.ipynb").write_text("mine")
    (folder / "05_equality.ipynb").unlink()
    second = called("notebooks", folder).output
    assert "Copied: 05_equality.ipynb.\n" in second
    assert "Left as you changed them (rename or delete one to get it anew): 11_pulse.ipynb.\n" in second
    assert (folder / "11_pulse.ipynb").read_text() == "mine"


def test_a_study_that_is_named_is_the_one_that_is_read(tmp_path, monkeypatch, capsys):
    """Through the file beside the notebooks; a study.yaml there goes first, and the variable comes last."""
    monkeypatch.delenv(VARIABLE, raising=False)
    study, folder = tmp_path / "Umfrage ä", tmp_path / "notebooks"
    study.mkdir()
    assert called("notebooks", folder, "--study", study).exit_code == 2
    (study / "study.yaml").write_text("files: []\n", encoding="utf-8")
    assert called("notebooks", folder, "--study", study).exit_code == 0
    monkeypatch.chdir(folder)
    with pytest.raises(StudyFileError, match="at least one file"):  # that of this study.yaml
        cm.study()
    assert str(study) in capsys.readouterr().out
    (folder / POINTER).write_text(f'\ufeff"{study}"\r\n', encoding="utf-8")  # as an editor leaves it
    assert look_up()[0] == [study]
    (folder / POINTER).unlink()
    monkeypatch.setenv(VARIABLE, str(study))
    assert look_up()[0] == [study]
    (tmp_path / "study.yaml").touch()
    assert look_up()[0] == [tmp_path]


def test_without_any_it_says_that_it_is_the_example(tmp_path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    found, said = look_up(tmp_path)
    assert found == [] and "built-in example" in said


def test_lab_starts_without_news_and_says_what_to_do_without_notebooks(tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(subprocess, "call", lambda command, env: started.append((command, env)) or 3)
    assert called("lab", tmp_path).exit_code == 3
    [(command, env)] = started
    assert command[1:] == ["-m", "jupyterlab", str(tmp_path), *notebooks.QUIET]
    # The setting that the question about news looks at; without an address for them it asks all the same.
    folder = Path(env["JUPYTER_CONFIG_PATH"].split(os.pathsep)[0])
    settings = json.loads((folder / "labconfig" / "default_setting_overrides.json").read_text("utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    missing = called("lab", tmp_path / "none")
    assert missing.exit_code == 2 and len(started) == 1
