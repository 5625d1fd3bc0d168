"""Notebooks run in this Python, leave nothing behind and tell nothing of the computer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from nbformat import v4, write

from culture_metrics.errors import ReportError
from culture_metrics.reporting import run

METADATA = {
    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
    "language_info": {"name": "python"},
}


@pytest.fixture
def notebook(tmp_path, monkeypatch):
    def make(*sources):
        parameters = v4.new_code_cell("inputs = []", metadata={"tags": ["parameters"]})
        cells = [parameters, *map(v4.new_code_cell, sources)]
        write(v4.new_notebook(cells=cells, metadata=METADATA), tmp_path / "made.ipynb")
        monkeypatch.setattr(run, "notebook_path", lambda name: tmp_path / f"{name}.ipynb")
        return "made"

    return make


@pytest.mark.parametrize(
    ("source", "got"),
    [
        ("import os\nos._exit(134)", "ended by itself"),
        ("import numpy\nnumpy.zeros(1 << 45)", "MemoryError"),
        ('raise RuntimeError("can\'t start new thread")', "RuntimeError"),
        ("import time\ntime.sleep(60)", "no answer in 0 minutes"),
    ],
)
def test_a_notebook_that_gets_no_memory_is_said_so(notebook, monkeypatch, source, got):
    """Its process dies, Python gets no memory or no thread, or it waits for ever."""
    monkeypatch.setattr(run, "LONGEST", 5)
    with pytest.raises(ReportError, match="most likely because the memory did not suffice") as caught:
        run.run_notebooks([notebook(source)], {})
    assert got in caught.value.got
    assert "made" in caught.value.what


def test_runs_with_parameters_in_this_python_and_leaves_no_trace(notebook, tmp_path):
    name = notebook(
        "import os, sys, warnings\nwarnings.warn('from ' + os.getcwd())",
        "print(sys.executable, inputs, os.environ['PLOTLY_RENDERER'], sep='|')",
        "import culture_metrics\nprint(os.getcwd())",
    )
    done = run.run_notebooks([name], {"inputs": ["secret place/é.csv"], "year": None})[name]
    printed = [output.text for cell in done.cells for output in cell.outputs]
    assert printed[0] == f"{sys.executable}|['secret place/é.csv']|plotly_mimetype\n"
    assert not Path(printed[1].strip()).exists()
    for cell in done.cells:
        cell.outputs = []
    rest = json.dumps(done)
    assert "secret place" not in rest
    assert str(tmp_path) not in rest
    assert done.metadata == {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    assert [path.name for path in tmp_path.iterdir()] == ["made.ipynb"]


@pytest.mark.parametrize(
    ("source", "said", "never"),
    [
        ("raise ValueError('respondent 4711 said 5')", "ValueError", "4711"),
        (
            "from culture_metrics.errors import ExtractError\nraise ExtractError('No question columns')",
            "No question columns",
            "Traceback",
        ),
    ],
)
def test_a_failing_cell_is_named_without_values(notebook, source, said, never):
    with pytest.raises(ReportError, match="made stopped") as caught:
        run.run_notebooks([notebook(source)], {})
    assert caught.value.where == "made.ipynb, cell 2"
    assert said in str(caught.value)
    assert never not in str(caught.value)
