"""Figures as HTML with an accessible name: a page of its own, or a part of a page."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly.io as pio
from plotly.offline import get_plotlyjs

from culture_metrics.files.place import written
from culture_metrics.views import style
from culture_metrics.views.camera import camera
from culture_metrics.views.house import HouseFigure, folded
from culture_metrics.views.labels import spread

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

#: How Plotly shows every figure: no mode bar, as wide as the page, "$" is money and not mathematics.
CONFIG = {"displayModeBar": False, "responsive": True, "typesetMath": False}

#: A picture is as large as a slide, in pixels.
SLIDE = (1600, 900)

#: On paper a figure is a picture of what the screen shows. How far it must shrink is worked out whenever it
#: is drawn, for no script can measure the paper when a page is printed: its styles come into force later.
#: Sizes are A4 less 15 mm on each side, in pixels; no figure takes more than three quarters of the height,
#: but for one so long that nobody could read it then: that one goes on over the end of the page.
ON_PAPER_SCRIPT = """
const onPaper = (drawing) => {
  const shrink = () => {
    const { width, height } = drawing._fullLayout ?? {};
    if (!width) return;
    const across = Math.min(0.8, 680 / width), down = 760 / height;
    const scale = across > down && across < 2 * down ? down : across;
    drawing.closest("figure").style.setProperty("--on-paper", scale);
  };
  drawing.on("plotly_afterplot", shrink);
  shrink();
};
document.querySelectorAll(".js-plotly-plot").forEach(onPaper);
document.addEventListener("drawn", (event) => onPaper(event.target));
"""
#: Where there are many figures each is drawn when it comes into view, and says so by an event, `drawn`.
ON_VIEW_SCRIPT = (Path(__file__).parent / "on_view.js").read_text(encoding="utf-8")
#: What every page with figures runs: labels follow the width, pictures go out. Style beside it.
ON_PAGE_SCRIPT = (Path(__file__).parent / "figures.js").read_text(encoding="utf-8")
ON_PAGE_STYLE = (Path(__file__).parent / "figures.css").read_text(encoding="utf-8")
#: What is seen has its title within the drawing or table; who cannot see it finds the page by a heading.
HEADING_STYLE = (
    "h1 { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); margin: 0; }"
)
ON_PAPER_STYLE = """
@page { size: A4; margin: 15mm; }
@media print {
  figure { overflow: visible !important; min-width: 0 !important; zoom: var(--on-paper, 0.7); }
  figure, figure * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""

_PAGE = """<!doctype html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ margin: 0 auto; max-width: 1200px; background: #FFFFFF; }}
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
<script>{script}</script>
</body>
</html>
"""


def fragment(figure_json: Mapping[str, Any], div_id: str) -> str:
    """Return a Plotly figure, given as its JSON object, as a part of an HTML page.

    The page embeds plotly.js once, before the first fragment. Assistive technology is told the figure's alt
    text (`layout.meta.alt`), or its title where it has none.

    Parameters
    ----------
    figure_json : mapping
        With `data` and `layout`, as in a notebook's output or from `fig.to_plotly_json()`.
    div_id : str
        Unique on the page.

    Examples
    --------
    >>> fragment({"data": [], "layout": {"meta": {"alt": "Nothing."}}}, "f1")[:41]
    '<figure role="img" aria-label="Nothing." '
    """
    shown = {"data": figure_json.get("data", []), "layout": figure_json.get("layout", {})}
    div = pio.to_html(
        shown, config=CONFIG, include_plotlyjs=False, full_html=False, validate=False, div_id=div_id
    )
    label = html.escape(alt(shown["layout"]), quote=True)
    title = html.escape(plain_title(shown["layout"]) or "Figure", quote=True)
    return f'<figure role="img" aria-label="{label}" data-title="{title}">{div}</figure>'


def as_html(fig: go.Figure, *, plotlyjs: bool = False, div_id: str) -> str:
    """Return a figure as a part of an HTML page, with plotly.js before it if `plotlyjs` is true.

    Examples
    --------
    >>> import plotly.graph_objects as go
    >>> as_html(go.Figure(layout_meta={"alt": "Nothing."}), div_id="f1")[:26]
    '<figure role="img" aria-la'
    """
    body = fragment(fig.to_dict(), div_id)
    scripts = f"<script>{library()}</script>\n<script>{ON_PAGE_SCRIPT}</script>\n"
    return f"{scripts}{body}" if plotlyjs else body


def library() -> str:
    r"""Return plotly.js, so that browsers compile it while they read it.

    All of it is one function that is called once. A function is only looked through before it is called, and
    read again then, unless it stands in brackets: those save a third of the time until the first figure.

    Examples
    --------
    >>> library()[-21:]
    'return Plotly;\n})));\n'
    """
    text = str(get_plotlyjs()).rstrip()
    start, end = "this, () => {", "\n}));"
    if text.count(start) != 1 or not text.endswith(end):
        return text
    return text.replace(start, "this, (() => {").removesuffix(end) + "\n})));\n"


def save(fig: go.Figure, path: str | Path) -> Path:
    """Write a figure as an HTML page that stands alone and asks nothing of the network.

    Raises
    ------
    ReportError
        When the file cannot be written there.

    Examples
    --------
    >>> import tempfile
    >>> import plotly.graph_objects as go
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(go.Figure(layout_meta={"alt": "Nothing."}), f"{folder}/figure.html").name
    'figure.html'
    """
    title = plain_title(fig.to_dict()["layout"]) or "Figure"
    body = as_html(fig, plotlyjs=True, div_id="figure")
    if isinstance(fig, HouseFigure):
        body += folded(fig.numbers)
    return written(Path(path), _page(body, title, ON_PAPER_SCRIPT).encode())


def page(body: str, path: str | Path, *, title: str) -> Path:
    """Write a part of an HTML page as a page of its own; raises as `save`."""
    if "<h2" not in body:
        # In a notebook headings stand a level lower than beneath the title of a page.
        body = re.sub("(</?h)([3-6])", lambda found: f"{found[1]}{int(found[2]) - 1}", body)
    return written(Path(path), _page(body, title, "").encode())


def picture(fig: go.Figure, path: str | Path) -> Path:
    """Write a figure as a picture (PNG or SVG) for a slide, as the ending says.

    A PNG has 1600 by 900 pixels, or more height where a figure is so long that its words would shrink below
    14 pixels. It needs kaleido and a Chrome, Chromium or Edge. Nothing is fetched: the page that
    is photographed holds plotly.js and no mathematics.

    Raises
    ------
    ReportError
        When one of the two is not there, no picture came within a minute, or the file cannot be
        written there.
    """
    path = Path(path)
    return written(path, drawn(fig, path.suffix.lower().lstrip("."), path.name))


def drawn(fig: go.Figure, kind: str, where: str = "") -> bytes:
    """Return a figure as PNG or SVG; raises as `picture`."""
    shown, size = for_slide(fig)
    return camera().picture(shown, {"format": kind, **size}, where)


def for_slide(fig: go.Figure) -> tuple[dict[str, Any], dict[str, float]]:
    """Return a figure as JSON object that fills a slide, and the size to draw it in.

    Titles and notes use the width. Words are never drawn smaller than on the page: a long figure gets a
    picture higher than a slide.

    Examples
    --------
    >>> import plotly.graph_objects as go
    >>> for_slide(go.Figure(layout={"height": 450}))[1]
    {'width': 800, 'height': 450, 'scale': 2.0}
    >>> for_slide(go.Figure(layout={"height": 1800}))[1]
    {'width': 1600, 'height': 1800, 'scale': 1.0}
    """
    shown = fig.to_dict()
    across, down = SLIDE
    own = shown["layout"].get("width")
    width = own or style.NARROWEST
    for _ in range(2):  # a wider figure has fewer lines of words and is lower
        layout = at_width(shown["layout"], width)
        height = layout.get("height") or down / 2
        width = own or min(across, max(style.NARROWEST, round(height * across / down)))
    scale = max(1.0, min(across / width, down / height))
    size = {"width": max(width, round(across / scale)), "height": max(height, round(down / scale))}
    if size["height"] > height:
        # What a slide has left below stays below the notes.
        margin = {**layout.get("margin", {})}
        margin["b"] = margin.get("b", 0) + size["height"] - height
        layout = {**layout, "margin": margin, "height": size["height"]}
    return {**shown, "layout": {**layout, "width": size["width"]}}, {**size, "scale": scale}


def at_width(layout: Mapping[str, Any], width: float) -> dict[str, Any]:
    """Return the layout of a house figure with title and notes broken for another width.

    Examples
    --------
    >>> at_width({"height": 450}, 900)
    {'height': 450}
    """
    meta = layout.get("meta")
    words = meta.get("words") if isinstance(meta, dict) else None
    if not words:
        return dict(layout)
    narrow = style.heading(words["title"], words["subtitle"], style.NARROWEST)
    wide = style.heading(words["title"], words["subtitle"], width)
    below = [line for text in words["below"] for line in spread(text, width - 2 * style.EDGE)]
    notes = [dict(note) for note in layout.get("annotations", ())]
    top, bottom = style.HEADING_LINE * (len(wide) - len(narrow)), 0
    if below and notes:
        bottom = style.FOOT_LINE * (len(below) - len(notes[-1]["text"].split("<br>")))
        notes[-1]["text"] = "<br>".join(below)
    margin = layout["margin"]
    title = {**layout["title"], "text": "<br>".join(wide)}
    title["pad"] = {**title["pad"], "t": style.hang(wide)}
    changed = {**layout, "title": title, "annotations": notes, "height": layout["height"] + top + bottom}
    bar = (layout.get("coloraxis") or {}).get("colorbar") or {}
    if bar.get("yref") == "container":
        y = 1 - ((1 - bar["y"]) * layout["height"] + top) / changed["height"]
        changed["coloraxis"] = {**layout["coloraxis"], "colorbar": {**bar, "y": y}}
    return {**changed, "margin": {**margin, "t": margin["t"] + top, "b": margin["b"] + bottom}}


def _page(body: str, title: str, script: str) -> str:
    return _PAGE.format(
        title=html.escape(title),
        body=body,
        style=HEADING_STYLE + ON_PAGE_STYLE + ON_PAPER_STYLE,
        script=script,
    )


def alt(layout: Mapping[str, Any]) -> str:
    """Return the figure in words: its alt text, or its title."""
    meta = layout.get("meta")
    told = meta.get("alt") if isinstance(meta, dict) else None
    return told or plain_title(layout) or "Figure"


def plain_title(layout: Mapping[str, Any]) -> str:
    """Return the title as plain text, without the subtitle."""
    title = layout.get("title") or {}
    text = title if isinstance(title, str) else title.get("text") or ""
    return html.unescape(re.sub(r"<[^>]*>", " ", text.split("<br><span")[0])).strip()
