"""The report's page: every notebook on one HTML page that asks nothing of the network."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any

from culture_metrics.reporting.convert import TEMPLATES, as_html
from culture_metrics.wording.periods import period_kind, period_words

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import plotly.graph_objects as go
    from nbformat import NotebookNode

    from culture_metrics.reporting.methods import Part
    from culture_metrics.study.opening import Opening
    from culture_metrics.wording.table import Table


@dataclass(frozen=True)
class Section:
    """A notebook as a part of the page: its title, body and the headings within it (id, text)."""

    id: str
    title: str
    html: str
    headings: tuple[tuple[str, str], ...]


def section(name: str, notebook: NotebookNode, finding: Sequence[str] = (), *, code: bool = True) -> Section:
    r"""Turn an executed notebook into a part of the page.

    Headings go down by one level, since the page has a title of its own. Figures are drawn from the Plotly
    JSON in the notebook and carry their alt text; code is folded away.

    Parameters
    ----------
    name : str
        Name of the notebook; ids on the page begin with it.
    notebook : nbformat.NotebookNode
        With outputs. Its first heading is the title.
    finding : sequence of str
        Sentences that stand beneath the title: what came of it.
    code : bool
        Whether the code is on the page, folded away.

    Examples
    --------
    >>> from nbformat import v4
    >>> made = section("n", v4.new_notebook(cells=[v4.new_markdown_cell("# Morale\n\n## Now")]))
    >>> made.title, made.headings
    ('Morale', (('n-now', 'Now'),))
    """
    headings: list[tuple[int, str, str]] = []
    filters: dict[str, Any] = {
        "below_title": partial(_below_title, name, headings),
        "figure": partial(_figure, name, count(1)),
        "figure_name": _figure_name,
        "numbers": _numbers,
        "table": _table,
        "region": _region,
    }
    kind = type(notebook)
    marked = kind({**notebook, "metadata": kind({**notebook.metadata, "without_code": not code})})
    body = as_html(marked, filters)
    body = _after_title(body, "".join(f'<p class="finding">{html.escape(text)}</p>' for text in finding))
    titles = [text for level, _, text in headings if level == 2]
    return Section(
        id=name,
        title=titles[0] if titles else html.escape(name),
        html=body,
        headings=tuple((i, text) for level, i, text in headings if level == 3),
    )


def page(  # noqa: PLR0913
    sections: Sequence[Section],
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    remarks: Sequence[str],
    left_out: Sequence[tuple[str, str]],
    manifest: Mapping[str, Any],
    opening: Opening | None = None,
    figure: go.Figure | None = None,
    methods: Sequence[Part] = (),
    slides: bool = False,
) -> str:
    """Put the parts together: one page that holds its styles, plotly.js (once) and every notebook.

    Parameters
    ----------
    sections : sequence of Section
        In the order of the page.
    title, subtitle : str
        Who is reported on; survey and year.
    facts : sequence of (str, str)
        Name and value, shown large beneath the title.
    remarks : sequence of str
        Sentences that everyone should read first.
    left_out : sequence of (str, str)
        What the page does not hold, and why.
    manifest : mapping
        As `manifest.manifest` returns it.
    opening : Opening, optional
        The first screen: sentences by question, each with the chapter that shows more.
    figure : plotly.graph_objects.Figure, optional
        The one figure of the first screen.
    methods : sequence of Part
        Definitions and caveats, the last chapter.
    slides : bool
        Whether there are slides beside the page to lead to.

    Notes
    -----
    A content security policy in the page forbids the browser to load anything from anywhere, should a
    notebook ever come to hold a link to a script, style or image.
    """
    from jinja2 import Environment, FileSystemLoader

    from culture_metrics.views.heat_table import heat_script
    from culture_metrics.views.save import (
        ON_PAGE_SCRIPT,
        ON_PAGE_STYLE,
        ON_PAPER_SCRIPT,
        ON_PAPER_STYLE,
        ON_VIEW_SCRIPT,
        library,
    )

    # Titles and headings are escaped before they come here, texts in the template: bodies are HTML.
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=False)
    environment.filters["period_words"] = period_words
    on_page = {section.id for section in sections}
    made = environment.get_template("page.html.j2").render(
        opening=[*opening.by_question()] if opening else [],
        chapters={section.id: section.title for section in sections},
        figure=_first_figure(figure) if figure is not None else "",
        methods=[(part, _framed(part.table)) for part in methods],
        sections=[replace(section, html=_linked(section.html, on_page)) for section in sections],
        title=html.escape(title),
        subtitle=html.escape(subtitle),
        facts=facts,
        remarks=remarks,
        left_out=left_out,
        slides=slides,
        manifest=manifest,
        period_kind=period_kind(made["period"] for made in manifest["inputs"] if made["period"]),
        made=manifest["created"][:10],
        css=(TEMPLATES / "page.css").read_text(encoding="utf-8") + ON_PAGE_STYLE + ON_PAPER_STYLE,
        js=(TEMPLATES / "page.js").read_text(encoding="utf-8") + ON_PAPER_SCRIPT + heat_script(),
        on_view=ON_VIEW_SCRIPT,
        figures_js=ON_PAGE_SCRIPT,
        plotlyjs="",
    )
    # What names regions is told apart before the drawing library, whose text is none of the page's, goes in.
    kept = '<script type="text/plain">'
    return _told_apart(made).replace(f"{kept}</script>", f"{kept}{library()}</script>", 1)


def _first_figure(figure: go.Figure) -> str:
    from culture_metrics.views.save import as_html as figure_html

    name = _figure_name(figure.to_dict())
    drawn = figure_html(figure, div_id="first-figure-1")
    return f'<div class="figure" role="region" aria-label="{name}" tabindex="0">{drawn}</div>'


def _framed(table: Table | None) -> str:
    if table is None:
        return ""
    text = table._repr_html_()
    return f'<div class="table"{_region(text)}>{text}</div>'


def _after_title(body: str, words: str) -> str:
    """Put words beneath the first heading."""
    return re.sub(r"</h2>", lambda end: f"{end[0]}{words}", body, count=1) if words else body


def _told_apart(text: str) -> str:
    """Give every region a name of its own: of those with one name, the later ones a number."""
    seen: dict[str, int] = {}

    def numbered(found: re.Match[str]) -> str:
        seen[found[1]] = seen.get(found[1], 0) + 1
        return (
            found[0] if seen[found[1]] == 1 else f'role="region" aria-label="{found[1]} ({seen[found[1]]})"'
        )

    return re.sub(r'role="region" aria-label="([^"]*)"', numbered, text)


def _below_title(name: str, headings: list[tuple[int, str, str]], text: str) -> str:
    """Move headings down a level, give them ids of their own and note them for the contents."""

    def lower(found: re.Match[str]) -> str:
        level, words = int(found[1]) + 1, found[2].strip()
        plain = re.sub(r"<[^>]+>", "", words)
        slug = re.sub(r"[^a-z0-9]+", "-", html.unescape(plain).lower()).strip("-")
        taken = {i for _, i, _ in headings}
        first = level == 2 and not any(known == 2 for known, _, _ in headings)
        wanted = f"{name}-title" if first else f"{name}-{slug}"
        unique = next(i for i in _numbered(wanted) if i not in taken)
        headings.append((level, unique, plain))
        return f'<h{level} id="{unique}">{words}</h{level}>'

    return re.sub(r"<h([1-5])[^>]*>(.*?)</h\1>", lower, text, flags=re.DOTALL)


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{n}" for n in count(2))


def _figure(name: str, numbers: Iterator[int], figure_json: Mapping[str, Any]) -> str:
    from culture_metrics.views.save import fragment

    return fragment(figure_json, f"{name}-figure-{next(numbers)}")


def _figure_name(figure_json: Mapping[str, Any]) -> str:
    from culture_metrics.views.save import plain_title

    return html.escape(plain_title(figure_json["layout"]) or "Figure")


def _numbers(text: str) -> str:
    """Return the folded table of a figure out of the HTML that stands for it elsewhere."""
    found = re.search(r"<details class='numbers'>.*?</details>", text, flags=re.DOTALL)
    return found[0] if found else ""


def _region(text: str) -> str:
    """Name the region of a table after its caption or heading, so that it can be found and scrolled."""
    if "<table" not in text:
        return ""
    found = re.search(r"<(caption|h\d|strong)\b[^>]*>(.*?)</\1>", text, flags=re.DOTALL)
    name = re.sub(r"<[^>]+>|['\"]", "", found[2]) if found else "Table"
    return f' role="region" aria-label="{name}" tabindex="0"'


def _linked(text: str, on_page: Collection[str]) -> str:
    """Turn links between notebooks into links within the page; where the other is not on it, into words.

    A list item that begins with the link goes where the other goes.
    """

    def turned(found: re.Match[str]) -> str:
        return f'<a href="#{found[1]}">{found[2]}</a>' if found[1] in on_page else found[2]

    def kept(found: re.Match[str]) -> str:
        return found[0] if found[1] in on_page else ""

    text = re.sub(r'<li>(?:<p>)?<a href="(\w+)\.ipynb">.*?</li>', kept, text, flags=re.DOTALL)
    return re.sub(r'<a href="(\w+)\.ipynb">(.*?)</a>', turned, text, flags=re.DOTALL)


def _table(text: str) -> str:
    """Take scripts out of HTML that objects show themselves with: the page runs only its own."""
    return re.sub(r"<script\b.*?</script\s*>", "", text, flags=re.DOTALL | re.IGNORECASE)
