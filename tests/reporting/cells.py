"""Notebooks in this process, as Jupyter would run them, or none: the last expression of a cell shows itself."""

from __future__ import annotations

import ast
import re
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go

#: What a notebook passes on to `cm.study`.
ARGUMENTS = ("inputs", "organisation", "year", "by", "minimum_base", "minimum_count", "ledger", "survey")
FOLDER = Path(__file__).resolve().parents[2] / "notebooks"


@dataclass
class Page:
    """What a notebook shows: words of its figures, tables and sentences, in order, and its variables."""

    shown: list[str] = field(default_factory=list)
    figures: list[go.Figure] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(self.shown)


def run(name: str, skip: str | None = None, **parameters: Any) -> Page:
    """Run a notebook with these parameters; cells whose code matches `skip` are left out."""
    page = Page()
    parameters = _given(parameters)
    for number, cell in enumerate(nbformat.read(FOLDER / f"{name}.ipynb", as_version=4).cells):
        needed = "parameters" in cell.metadata.get("tags", ()) or "import" in cell.source
        if cell.cell_type != "code" or (skip and not needed and re.search(skip, cell.source)):
            continue
        *body, last = ast.parse(cell.source).body
        shows = isinstance(last, ast.Expr) and not cell.source.rstrip().endswith(";")
        first = ast.Module(body if shows else [*body, last], [])
        try:
            exec(compile(first, f"{name}, cell {number}", "exec"), page.names)
            if shows:
                _show(
                    eval(compile(ast.Expression(last.value), f"{name}, cell {number}", "eval"), page.names),
                    page,
                )
        except Exception as error:
            error.add_note(f"{name}.ipynb, cell {number}: {cell.source}")
            raise
        if "parameters" in cell.metadata.get("tags", ()):
            assert set(parameters) <= set(page.names), "no such parameter"
            page.names |= parameters
    return page


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    """Put what `cm.study` takes into `given`, as the report does; without inputs it is the example."""
    named = {name: parameters.pop(name) for name in ARGUMENTS if name in parameters}
    return {"given": named, **parameters} if named else parameters


class NoKernels(nullcontext):
    """Stands for the processes of a report that runs no notebooks."""

    def __enter__(self):
        return self

    def submit(self, task):
        done = Future()
        done.set_result(task(None))
        return done


def without_notebooks(patch: Any, module: Any) -> None:
    """Let reports be made without running notebooks, and without the process that runs them."""
    empty = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Title")])
    patch.setattr(module, "run_notebooks", lambda names, *_: dict.fromkeys(names, empty))
    patch.setattr(module, "Kernels", NoKernels)


def _show(value: Any, page: Page) -> None:
    if isinstance(value, go.Figure):
        page.figures.append(value)
        value.to_json()
        said = [
            value.layout.title.text,
            value.layout.meta["alt"],
            *(a.text for a in value.layout.annotations),
        ]
        page.shown.append("\n".join(map(str, said)))
    elif hasattr(value, "controls"):  # elsewhere than in JupyterLab the figure alone
        _show(value.otherwise or value.figure, page)
    elif hasattr(value, "_ipython_display_"):  # several, one beneath the other
        for part in value.figures or [value.otherwise]:
            _show(part, page)
    elif hasattr(value, "_repr_html_"):
        page.shown.append(value._repr_html_())
    elif hasattr(value, "_repr_markdown_"):
        page.shown.append(value._repr_markdown_())
    elif value is not None:
        page.shown.append(repr(value))
