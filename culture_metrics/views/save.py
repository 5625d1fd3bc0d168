"""Figures as HTML with an accessible name: a page of its own, or a part of a page."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plotly
import plotly.io as pio
from plotly.offline import get_plotlyjs

from culture_metrics.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import plotly.graph_objects as go

#: How Plotly shows every figure: no mode bar, as wide as the page, "$" is money and not mathematics.
CONFIG = {"displayModeBar": False, "responsive": True, "typesetMath": False}

#: Width of a picture of a figure that takes the width of its page, in pixels.
PICTURE_WIDTH = 1000

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
figure {{ min-width: 42rem; }} /* as in a report: a narrow screen scrolls, no label is cut off */
{style}</style>
</head>
<body>
{body}
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
    label = html.escape(_alt(shown["layout"]), quote=True)
    return f'<figure role="img" aria-label="{label}" style="margin: 0; overflow-x: auto">{div}</figure>'


def as_html(fig: go.Figure, *, plotlyjs: bool = False, div_id: str) -> str:
    """Return a figure as a part of an HTML page, with plotly.js before it if `plotlyjs` is true.

    Examples
    --------
    >>> import plotly.graph_objects as go
    >>> as_html(go.Figure(layout_meta={"alt": "Nothing."}), div_id="f1")[:26]
    '<figure role="img" aria-la'
    """
    body = fragment(fig.to_dict(), div_id)
    return f"<script>{get_plotlyjs()}</script>\n{body}" if plotlyjs else body


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
    return _write(Path(path), _page(body, title, ON_PAPER_SCRIPT).encode())


def page(body: str, path: str | Path, *, title: str) -> Path:
    """Write a part of an HTML page as a page of its own; raises as `save`."""
    return _write(Path(path), _page(body, title, "").encode())


def picture(fig: go.Figure, path: str | Path) -> Path:
    """Write a figure as a picture (PNG or SVG), as the ending says; needs kaleido and Chrome.

    Nothing is fetched: the page that is photographed holds plotly.js and no mathematics.

    Raises
    ------
    ReportError
        When one of the two is not there, or the file cannot be written there.
    """
    path = Path(path)
    try:
        import kaleido
        from kaleido.errors import ChromeNotFoundError
    except ImportError as error:
        raise ReportError(
            "A picture needs a package that is not installed",
            where=path.name,
            expected="kaleido, version 1 or newer, and Chrome or Chromium",
            hint="Install it: pip install 'culture-metrics[pictures]'. Without it, save as .html: the camera "
            "above a figure in JupyterLab makes a PNG as well.",
        ) from error
    layout = fig.to_dict()["layout"]
    size = {"width": layout.get("width") or PICTURE_WIDTH, "height": layout.get("height") or 600, "scale": 2}
    script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    try:
        drawn = kaleido.calc_fig_sync(
            fig.to_dict(),
            opts={"format": path.suffix.lower().lstrip("."), **size},
            kopts={"plotlyjs": str(script), "mathjax": False},
        )
    except ChromeNotFoundError as error:
        raise ReportError(
            "A picture needs Chrome or Chromium, and none was found",
            where=path.name,
            hint="Install one, or set BROWSER_PATH to it; or save as .html.",
        ) from error
    return _write(path, drawn)


def _page(body: str, title: str, script: str) -> str:
    return _PAGE.format(title=html.escape(title), body=body, style=ON_PAPER_STYLE, script=script)


def _write(path: Path, content: bytes) -> Path:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ReportError(
            "The figure could not be written",
            where=path.name,
            got=error.strerror,
            hint="Check that the folder exists, that you may write there and that the file is not open.",
        ) from error
    return path


def _alt(layout: Mapping[str, Any]) -> str:
    meta = layout.get("meta")
    alt = meta.get("alt") if isinstance(meta, dict) else None
    return alt or plain_title(layout) or "Figure"


def plain_title(layout: Mapping[str, Any]) -> str:
    """Return the title as plain text, without the subtitle."""
    title = layout.get("title") or {}
    text = title if isinstance(title, str) else title.get("text") or ""
    return html.unescape(re.sub(r"<[^>]*>", " ", text.split("<br><span")[0])).strip()
