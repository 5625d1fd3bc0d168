"""A figure that follows the theme of the notebook it is shown in.

Plotly gives texts the style of a `<span>` as it stands, so that their colours can be variables of the page:
those of JupyterLab, then of VS Code, else the house's own. Marks have fixed colours: here those that keep
3 to 1 against a white page and against JupyterLab's dark one. What stands on a coloured ground keeps its
colour.
"""

from __future__ import annotations

import re
from typing import Any

DARK_PAGE = "#111111"
#: What the colours of text are called on a page.
WORDS = {
    "#222222": "var(--jp-content-font-color1, var(--vscode-editor-foreground, #222222))",
    "#595959": "var(--jp-content-font-color2, var(--vscode-descriptionForeground, #595959))",
    "#12436D": "var(--jp-content-link-color, var(--vscode-textLink-foreground, #12436D))",
}
#: Colours of marks on both pages.
MARKS = {
    "#222222": "#7F7F7F",
    "#595959": "#7F7F7F",
    "#12436D": "#2073BC",
    "#801650": "#C2418A",
    "#E6E6E6": "rgba(127,127,127,0.3)",
    "#EFEFEF": "rgba(127,127,127,0.2)",
    "rgba(255,255,255,0.85)": "rgba(0,0,0,0)",
    "rgba(18, 67, 109, 0.15)": "rgba(32,115,188,0.25)",
    "rgba(18,67,109,0.12)": "rgba(32,115,188,0.2)",
}
CLEAR = "rgba(0,0,0,0)"
#: These stand on a ground of their own, or are that ground.
KEPT = {"textfont", "hoverlabel", "pattern", "colorscale", "coloraxis", "meta", "text", "hovertext"}
_SWATCH = re.compile(r"(color:\s*)(#[0-9A-Fa-f]{6})('(?:[^<>]*)>[■●◆▨━])")
_COLOUR = re.compile(r"color:\s*(#[0-9A-Fa-f]{6})")


def following(figure_json: dict[str, Any]) -> dict[str, Any]:
    """Return a figure, given as its JSON object, that follows the theme of the page.

    Examples
    --------
    >>> layout = {"annotations": [{"text": "Base", "font": {"color": "#595959"}}]}
    >>> following({"data": [], "layout": layout})["layout"]["annotations"][0]["text"][:52]
    "<span style='color:var(--jp-content-font-color2, var"
    """
    layout = dict(figure_json["layout"])
    template, notes = layout.pop("template", {}), layout.pop("annotations", ())
    layout = {**_marks(layout), "annotations": [_note(note) for note in notes]}
    if (layout.get("title") or {}).get("text"):
        layout["title"] = {**layout["title"], "text": _words(layout["title"]["text"], "#222222")}
    for name in [key for key in layout if re.fullmatch(r"[xy]axis\d*", key)]:
        layout[name] = _axis(layout[name])
    ground = {"paper_bgcolor": CLEAR, "plot_bgcolor": CLEAR}
    data = [_marks(trace) for trace in figure_json["data"]]
    return {**figure_json, "data": data, "layout": {"template": template, **layout, **ground}}


def _marks(value: Any) -> Any:
    """Return the same with the colours that can be seen on both pages."""
    if isinstance(value, dict):
        return {key: one if key in KEPT else _marks(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_marks(one) for one in value]
    return MARKS.get(value, value) if isinstance(value, str) else value


def _note(note: dict[str, Any]) -> dict[str, Any]:
    own = (note.get("font") or {}).get("color", "#222222")
    ground = {"bgcolor": CLEAR} if "bgcolor" in note else {}
    return {**_marks(note), **ground, "text": _words(note.get("text") or "", own)}


def _words(text: str, colour: str) -> str:
    """Put the colour of text into its style, line by line, for Plotly closes what is open at a line's end."""
    inner = _SWATCH.sub(lambda found: found[1] + MARKS.get(found[2].upper(), found[2]) + found[3], text)
    inner = _COLOUR.sub(lambda found: f"color:{_said(found[1])}", inner)
    style = f"<span style='color:{_said(colour)}'>"
    return "<br>".join(f"{style}{line}</span>" if line else line for line in inner.split("<br>"))


def _said(colour: str) -> str:
    return WORDS.get(colour.upper(), MARKS.get(colour.upper(), colour))


def _axis(axis: dict[str, Any]) -> dict[str, Any]:
    """Return an axis whose ticks and title have the colour of text."""
    if axis.get("visible") is False:
        return axis
    quiet = "#595959"
    done = dict(axis)
    if "tickvals" in axis:  # Plotly puts nothing before or after these
        texts = axis.get("ticktext", axis["tickvals"])
        done["ticktext"] = [_words(str(text), quiet) for text in texts]
    else:
        done["tickprefix"] = f"<span style='color:{_said(quiet)}'>" + axis.get("tickprefix", "")
        done["ticksuffix"] = axis.get("ticksuffix", "") + "</span>"
    title = axis.get("title") or {}
    if title.get("text"):
        done["title"] = {**title, "text": _words(title["text"], quiet)}
    return done
