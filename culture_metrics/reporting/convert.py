"""An executed notebook as HTML: words by mistune, code coloured by Pygments, outputs by our template.

These are the parts that nbconvert is made of. Nbconvert itself loads a second's worth of templates and
filters, reads what it wrote once more, and looks for formulas between dollar signs, which here are money.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jinja2 import Environment
    from nbformat import NotebookNode

TEMPLATES = Path(__file__).parent / "templates"
#: What Markdown has in notebooks beyond its core.
MARKDOWN = ("strikethrough", "table", "url", "task_lists", "def_list")


def as_html(notebook: NotebookNode, filters: Mapping[str, Callable[..., str]], **given: Any) -> str:
    r"""Return the cells of a notebook as a part of an HTML page.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        With outputs.
    filters : mapping
        What the template calls beside `markdown2html` and `highlight_code`, by name.
    **given
        What the template looks up as `resources`.

    Examples
    --------
    >>> from nbformat import v4
    >>> as_html(v4.new_notebook(cells=[v4.new_markdown_cell("A *word*.")]), {"below_title": str}).strip()
    '<div class="words"><p>A <em>word</em>.</p>\n</div>'
    """
    environment = _environment()
    environment.filters |= filters
    return environment.get_template("notebook.html.j2").render(nb=notebook, resources=given)


@cache
def _environment() -> Environment:
    """Make the environment once: it keeps templates compiled."""
    from jinja2 import Environment, FileSystemLoader

    made = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=False)
    made.filters |= {"markdown2html": _markdown(), "highlight_code": _coloured}
    return made


@cache
def _markdown() -> Callable[[str], str]:
    from mistune import create_markdown

    return create_markdown(escape=False, plugins=list(MARKDOWN))  # type: ignore[return-value]


def _coloured(source: str) -> str:
    from pygments import highlight
    from pygments.formatters.html import HtmlFormatter
    from pygments.lexers.python import PythonLexer

    return str(highlight(source, PythonLexer(), HtmlFormatter()))
