"""Notebooks run in this Python, leave nothing behind and tell nothing of the computer."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from nbformat import v4, write

from culture_metrics.catalogue import catalogue
from culture_metrics.errors import ReportError
from culture_metrics.reporting import ended, run

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
        ("import numpy\nnumpy.zeros(1 << 45)", "MemoryError"),
        ('raise RuntimeError("can\'t start new thread")', "RuntimeError"),
    ],
)
def test_a_notebook_that_gets_no_memory_is_said_so(notebook, source, got):
    with pytest.raises(ReportError, match="it got no memory, or no further thread") as caught:
        run.run_notebooks([notebook(source)], {})
    assert got in caught.value.got
    assert "made" in caught.value.what


KILL = "import os\nos.kill(os.getpid(), {})"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals")
@pytest.mark.parametrize(
    ("source", "counter", "what", "got", "hint"),
    [
        (KILL.format(9), "oom_kill 4", "ended from outside", "signal 9 (SIGKILL)", "a person or a limit"),
        (
            "open({counter!r}, 'w').write('oom_kill 5')\n" + KILL.format(9),
            "oom_kill 4",
            "because the memory ran out",
            "signal 9 (SIGKILL)",
            "fewer files",
        ),
        (KILL.format(9), None, "systems do so when the memory runs out", "signal 9 (SIGKILL)", "fewer files"),
        (
            "import os\nos.abort()",
            None,
            "get no memory, or that find a fault",
            "signal 6 (SIGABRT)",
            "JupyterLab",
        ),
        (KILL.format(11), "oom_kill 4", "its process stopped", "signal 11 (SIGSEGV)", "in JupyterLab"),
        ("import os\nos._exit(134)", "oom_kill 4", "its process stopped", "exit code 134", "in JupyterLab"),
    ],
)
def test_a_notebook_whose_process_dies_says_how(
    notebook, tmp_path, monkeypatch, source, counter, what, got, hint
):
    """No word of memory where nothing points to it; the counter is Linux's, of processes it ended for it."""
    place = tmp_path / "counter"
    monkeypatch.setattr(ended, "COUNTER", place)
    if counter:
        place.write_text(counter)
    with pytest.raises(ReportError) as caught:
        run.run_notebooks([notebook(source.replace("{counter!r}", repr(str(place))))], {})
    assert what in caught.value.what
    assert caught.value.got == got
    assert hint in caught.value.hint
    assert ("memory" in str(caught.value)) == (what != "its process stopped")


def test_a_cell_that_takes_for_ever_is_stopped(notebook, monkeypatch):
    monkeypatch.setattr(run, "LONGEST", 5)
    with pytest.raises(ReportError, match="longer than any should") as caught:
        run.run_notebooks([notebook("import time\ntime.sleep(60)")], {})
    assert caught.value.got == "no answer in 0 minutes"
    assert "memory" not in str(caught.value)


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


def test_notebooks_share_a_process_and_a_study_but_no_names(notebook, tmp_path):
    """The study is handed over: no file is read. Nobody else's names, and no other arguments, get it."""
    show = "import os\nimport culture_metrics as cm\nfrom IPython.display import display\n"
    show += "display({'text/plain': str(os.getpid())}, raw=True)\nprint('left' in globals())\nleft = 1\n"
    notebook(show + "cm.study(inputs, year='2024').who")
    (tmp_path / "second.ipynb").write_text((tmp_path / "made.ipynb").read_text(encoding="utf-8"))
    parameters = {"inputs": ["no such file.csv"], "year": "2024"}
    asked = dict.fromkeys(["organisation", "by", "minimum_base", "minimum_count", "ledger", "survey"])
    study = run.packed_study(
        SimpleNamespace(who="a trust", edition=catalogue().edition(2024)), parameters | asked
    )
    ready = []
    with run.started() as kernel:
        done = run.run_notebooks(["made", "second"], parameters, ready.append, kernel, study)
        with pytest.raises(ReportError, match="made stopped") as caught:
            run.run_notebooks(["made"], {"inputs": ["another.csv"]}, kernel=kernel)
    assert "There is no such file" in caught.value.got
    assert ready == [1, 2]
    shown = [[*cell.outputs] for made in done.values() for cell in made.cells]
    process, printed, last = zip(*shown, strict=True)
    assert len({output.data["text/plain"] for output in process}) == 1
    assert [output.text for output in printed] == ["False\n", "False\n"]
    assert [output.output_type for output in last] == ["execute_result"] * 2
    assert {output.data["text/plain"] for output in last} == {"'a trust'"}


def test_the_callers_own_process_is_left_alone(notebook):
    """JupyterLab may be the caller: its shell, its streams and its renderer of figures are its own."""
    from IPython.core.interactiveshell import InteractiveShell

    before = (sys.stdout, sys.displayhook, InteractiveShell._instance, Path.cwd(), dict(os.environ))
    name = notebook("import os, sys\nos.write(1, b'raw')\nos.write(2, b'raw')\nprint(sys.stdin.read())\n5")
    done = run.run_notebooks([name], {})[name]
    now = (sys.stdout, sys.displayhook, InteractiveShell._instance, Path.cwd(), dict(os.environ))
    assert now == before
    printed, last = done.cells[0].outputs
    assert (printed.text, last.data) == ("\n", {"text/plain": "5"})
