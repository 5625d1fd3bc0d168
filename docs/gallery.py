"""The gallery of the site: every notebook as it ran on the built-in example."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from plotly.offline import get_plotlyjs

from culture_metrics.reporting.convert import TEMPLATES
from culture_metrics.reporting.page import section
from culture_metrics.reporting.run import notebook_path, run_notebooks
from culture_metrics.views.save import ON_PAGE_SCRIPT, ON_PAGE_STYLE, ON_VIEW_SCRIPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from culture_metrics.reporting.page import Section

_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
<script>{on_view}</script>
</head>
<body>
<div class="columns" style="grid-template-columns: minmax(0, 1fr)">
<main id="main"><p><a href="index.html">All notebooks</a></p>
<section>{body}</section></main>
</div>
<script src="plotly.min.js"></script>
<script>{figures}</script>
<script>{page}</script>
</body>
</html>
"""
_TO_OTHERS = re.compile(r'href="(\w+)\.ipynb"')


def gallery() -> Iterator[tuple[str, str]]:
    """Return the files of the gallery, by their place on the site: the list of pages first."""
    names = sorted(path.stem for path in notebook_path("00_start_here").parent.glob("*.ipynb"))
    made = {name: section(name, notebook) for name, notebook in run_notebooks(names, {}).items()}
    listed = "\n".join(f"- [{_plain(one.title)}]({name}.html)" for name, one in made.items())
    yield (
        "gallery/index.md",
        "# Gallery\n\nEvery notebook as it runs on the built-in example, an invented trust. "
        f"`culture-metrics notebooks DIR` copies them for you.\n\n{listed}\n",
    )
    yield "gallery/plotly.min.js", get_plotlyjs()
    for name, one in made.items():
        yield f"gallery/{name}.html", _page(one)


def _page(one: Section) -> str:
    return _PAGE.format(
        title=one.title,
        style=(TEMPLATES / "page.css").read_text(encoding="utf-8") + ON_PAGE_STYLE,
        on_view=ON_VIEW_SCRIPT,
        body=_TO_OTHERS.sub(r'href="\1.html"', one.html),
        figures=ON_PAGE_SCRIPT,
        page=(TEMPLATES / "page.js").read_text(encoding="utf-8"),
    )


def _plain(title: str) -> str:
    return re.sub(r"<[^>]+>", "", title)
