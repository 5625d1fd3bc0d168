"""Notebooks are words, a call and a figure; the library does the work. And each runs as it lies there."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from lab import laboratory
from nbclient import NotebookClient
from opened import no_browser

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
#: Notebooks that do not start from survey files, by their title.
OTHER_PARAMETERS = {
    "# Links to outcomes": {
        "panel": None, "indicator": "staff_engagement", "others": ["morale"], "outcome": "shmi",
        "column": None, "moderator": "beds", "controls": ["region"],
    },
}  # fmt: skip

#: What is looked at closely, in the notebooks that do.
CHOICES = {
    "# Culture indicators": ("score", "question"),
    "# Year on year": ("question",),
    "# Benchmark and peers": ("score", "question"),
    "# Equality": ("score",),
    "# Published results": ("score",),
    "# Leadership frameworks": ("framework", "baseline", "follow_up"),
    "# What a change is made of": ("score",),
    "# The quarterly pulse": ("measure",),
}


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=nbformat.NO_CONVERT)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_the_report_finds_its_notebooks():
    from culture_metrics.reporting.run import NOTEBOOKS as reported
    from culture_metrics.reporting.run import notebook_path

    assert all(notebook_path(name).is_file() for name in reported)


def test_is_valid_and_names_its_kernel(notebook):
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.name == "python"
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


def test_carries_no_output(notebook):
    assert all(cell.outputs == [] and cell.execution_count is None for cell in code(notebook))


def test_has_one_parameters_cell(notebook):
    tagged = [cell for cell in code(notebook) if "parameters" in cell.metadata.get("tags", [])]
    assert len(tagged) == 1
    values: dict[str, object] = {}
    exec(tagged[0].source, values)
    del values["__builtins__"]
    title = notebook.cells[0].source.splitlines()[0]
    own = dict.fromkeys(CHOICES.get(title, ())) | {"given": {}}
    own |= {"files": []} if title == "# The quarterly pulse" else {}
    assert values == OTHER_PARAMETERS.get(title, own)
    # It is the one that says what else may stand there, and what is read is one call, the same everywhere.
    assert [c for c in code(notebook) if "change-this" in c.metadata.get("tags", ())] == tagged
    choices = [line for line in tagged[0].source.splitlines() if not line.startswith("#")]
    assert tagged[0] is code(notebook)[0] and all("  # " in line for line in choices)
    calls = [line for cell in code(notebook) for line in cell.source.splitlines() if "cm.study(" in line]
    assert calls == ([] if title in OTHER_PARAMETERS else ["study = cm.study(**given)"])


def test_the_path_has_no_gap():
    assert [path.stem[:2] for path in NOTEBOOKS] == [f"{n:02}" for n in range(12)]


def test_opens_with_what_it_answers_and_closes_with_what_may_be_said(notebook):
    use, last = notebook.cells[1], notebook.cells[-1]
    for cell in (use, last):
        assert "notebook-only" in cell.metadata.tags  # the report says nothing of cells to fill in
    assert re.search(r"^\*\*Answers\*\*: .+\n\n\*\*For\*\* .+ \*\*Takes\*\* \d+ minutes\.", use.source)
    assert "Run > Run All Cells" in use.source and "](glossary.md)" in use.source
    assert re.search(r"\]\(\w+\.ipynb\)", use.source.split("**Next**", 1)[1])
    assert last.source.startswith("## What may I say from this?\n\n- ")
    assert 2 <= last.source.count("\n- ") <= 4 and last.source.count("\n- **Not**: ") == 1
    words = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert all((FOLDER / name).is_file() for name in re.findall(r"\]\(([\w.]+)\)", words))


GLOSSARY = (FOLDER / "glossary.md").read_text(encoding="utf-8")
#: What opens a cell and is no term.
LABELS = {"answers", "for", "takes", "your own files", "your own panel", "next", "not", "a respondent file",
          "a published workbook"}  # fmt: skip


def test_a_word_in_bold_stands_in_the_glossary(notebook):
    terms = {term.lower() for term in re.findall(r"^- \*\*(.+?)\*\*: \S", GLOSSARY, re.MULTILINE)}
    assert len(terms) > 60
    words = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert {bold.lower() for bold in re.findall(r"\*\*(.+?)\*\*", words)} - terms - LABELS == set()


def test_holds_no_logic(notebook):
    for cell in code(notebook):
        assert len(cell.source.splitlines()) <= 10 or "parameters" in cell.metadata.get("tags", [])
        assert not re.search(r"^\s*(def|class|for|while|if|lambda|with|try)\b", cell.source, re.MULTILINE)
        assert "import" not in cell.source or cell.source.startswith("import culture_metrics as cm\n")


def test_begins_with_its_title_and_claims_no_cause(notebook):
    assert notebook.cells[0].source.startswith("# ")
    words = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert len(re.findall(r"^# ", words, re.MULTILINE)) == 1
    of_run_charts = words.replace("**special cause**", "")  # the name of a pattern
    assert not re.search(r"\b(causes?|improves?|leads? to)\b", of_run_charts)


#: The notebook before leaves none of its names. The package stays loaded, as in a kernel that is started once:
#: it makes the people of its example up once, and remembers what was shown of them for each study apart.
FORGET = "%reset -f"


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """Runs a notebook once: in JupyterLab where a browser is there to open it in, else in a kernel alone."""
    with in_kernel() if no_browser() else in_lab(tmp_path_factory) as run:
        yield cache(run)


def forgetting(path):
    found = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    found.cells.insert(0, nbformat.v4.new_code_cell(FORGET))
    return found


@contextmanager
def in_lab(made):
    folder = made.mktemp("notebooks")
    for path in NOTEBOOKS:
        nbformat.write(forgetting(path), folder / path.name)
    with laboratory(folder, made.mktemp("jupyter")) as run:
        yield lambda path: run(path.name)


@contextmanager
def in_kernel():
    kernel = NotebookClient(nbformat.v4.new_notebook()).create_kernel_manager()

    def run(path):
        found = forgetting(path)
        client = NotebookClient(
            found, km=kernel, timeout=300, allow_errors=True, resources={"metadata": {"path": str(FOLDER)}}
        )
        try:
            client.execute()
        finally:
            client.kc.stop_channels()
        return SimpleNamespace(cells=found.cells)

    yield run
    asyncio.run(kernel.shutdown_kernel(now=True))


def over(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.stem)


#: Those that have controls.
EXPLORED = [path for path in NOTEBOOKS if "study.explore(" in path.read_text(encoding="utf-8")]
drawn = pytest.mark.skipif(bool(no_browser()), reason=no_browser())


@over(NOTEBOOKS)
def test_runs_from_top_to_bottom_in_jupyter(path, ran):
    cells = [cell for cell in ran(path).cells if cell["cell_type"] == "code"]
    outputs = [output for cell in cells for output in cell["outputs"]]
    faults = [output for output in outputs if output["output_type"] == "error"]
    assert [f"{fault['ename']}: {fault['evalue']}" for fault in faults] == []
    assert all(cell["execution_count"] for cell in cells)
    assert any("data" in output for output in outputs)


@drawn
@over(NOTEBOOKS)
def test_jupyterlab_draws_every_figure_and_nothing_goes_wrong(path, ran):
    page = ran(path)
    assert page.said == [] and page.news == 0
    assert page.drawn == page.figures
    assert page.figures or path.stem.startswith("01"), "all but the check of an extract draw something"


@drawn
@over(EXPLORED)
def test_a_control_changes_the_figure_beneath_it_and_it_stays_in_another_theme(path, ran):
    page = ran(path)
    before, after = page.titles
    assert before and after and before != after
    assert page.height > 300
