"""Who a page is for: boards read findings and main figures, analysts code and every table."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from culture_metrics.errors import unknown

if TYPE_CHECKING:
    from nbformat import NotebookNode

BOARD, ANALYSTS = "board", "analysts"
#: The default first: a page is passed on, and who makes it has the notebooks and results.xlsx at hand.
READERS = (BOARD, ANALYSTS)
#: Figures that a board sees under one heading.
MOST = 3
FIGURE = "application/vnd.plotly.v1+json"
#: What a heat table has, and the most rows of one that a board sees.
MAP, ROWS = 'class="cm-heat"', 40


def check_reader(reader: str) -> None:
    """Refuse a reader that is not known.

    Raises
    ------
    UnknownNameError
        When it is neither board nor analysts.
    """
    if reader not in READERS:
        raise unknown("reader", reader, READERS)


def for_board(notebook: NotebookNode) -> NotebookNode:
    r"""Keep the title, and the parts that hold a figure: their heading, the words before it, the figures.

    Tables, code and parts without a figure stay in the page for analysts, and so do heat tables that are
    longer than a sheet of paper.

    Examples
    --------
    >>> from nbformat import v4
    >>> drawn = v4.new_code_cell("draw()")
    >>> drawn.outputs = [v4.new_output("display_data", data={FIGURE: {}})]
    >>> cells = [v4.new_markdown_cell(text) for text in ("# T", "## A", "## B")]
    >>> kept = for_board(v4.new_notebook(cells=[cells[0], cells[1], cells[2], drawn]))
    >>> [cell.source for cell in kept.cells]
    ['# T', '## B', 'draw()']
    """
    kept: list[NotebookNode] = []
    waiting: list[NotebookNode] = []
    drawn = 0
    for cell in notebook.cells:
        if cell.cell_type != "code":
            heading = re.search(r"^#{1,6} ", cell.source, flags=re.MULTILINE)
            if heading:
                waiting, drawn = [], 0
            # What stands above a heading belongs to the part before it.
            start = heading.start() if heading else 0
            words = type(notebook)({**cell, "source": cell.source[start:]})
            kept, waiting = ([*kept, words], []) if not kept else (kept, [*waiting, words])
            continue
        figures = [o for o in cell.outputs if FIGURE in o.get("data", {})][: MOST - drawn]
        drawn += len(figures)
        seen = [o for o in cell.outputs if o in figures or _is_short_map(o)]
        if seen:
            kept += [*waiting, type(notebook)({**cell, "outputs": seen})]
            waiting = []
    return type(notebook)({**notebook, "cells": kept})


def _is_short_map(output: NotebookNode) -> bool:
    """Tell whether an output is a heat table that a board takes in at one look."""
    text = str(output.get("data", {}).get("text/html", ""))
    return MAP in text and text.count("<tr") <= ROWS


def has_figures(notebook: NotebookNode) -> bool:
    """Tell whether anything is left for a board to look at."""
    return any(
        FIGURE in output.get("data", {})
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )
