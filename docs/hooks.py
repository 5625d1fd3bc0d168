"""What the site builds from the code: the reference, a page for each room, and formulas as MathML."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import TYPE_CHECKING, Any

from gallery import gallery
from latex2mathml.converter import convert
from mkdocs.structure.files import File, Files

import culture_metrics as cm
from culture_metrics.output import Output

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig

#: Pages of the reference, and the rooms whose names stand on each.
PAGES = {
    "Read and check": ("extracts", "published", "study"),
    "Look up": ("catalogue",),
    "Indicators": ("indicators", "measurement"),
    "Results": ("results", "disclosure"),
    "Compare": ("compare",),
    "Outcomes": ("outcomes", "links"),
    "Figures": ("views",),
    "Made-up data": ("synthetic",),
}
#: Pages that are at home elsewhere in the repository, and where they stand on the site.
ELSEWHERE = {
    "data_schemas/README.md": "schemas.md",
    "CHANGELOG.md": "changes.md",
    "ARCHITECTURE.md": "rooms.md",
}
ROOT = Path(__file__).parents[1]
_SHIM = re.compile(r'<script src="([^"]*iframe-worker[^"]*)"')
_BLOCK = re.compile(r"^\$\$\n(.*?)\n\$\$$", flags=re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"(?<![\\$\w])\$([^$\n]+?)\$(?![\d$])")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the reference."""
    for module in walk_packages(cm.__path__, "culture_metrics."):
        import_module(module.name)  # so that every kind of result is known
    pages = {"reference/index.md": f"# Reference\n\n{inspect.getdoc(cm)}\n"}
    pages |= {f"reference/{_slug(title)}.md": _page(title, rooms) for title, rooms in PAGES.items()}
    pages |= {page: (ROOT / path).read_text(encoding="utf-8") for path, page in ELSEWHERE.items()}
    pages |= dict(gallery())
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages of the reference into the contents."""
    for entry in config.nav or []:
        if entry == {"Reference": "reference/"}:
            entry["Reference"] = ["reference/index.md", *(f"reference/{_slug(t)}.md" for t in PAGES)]
    return config


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Turn formulas between dollar signs into MathML, which browsers draw without a script."""
    for path, page in ELSEWHERE.items():
        markdown = markdown.replace(f"](../{path}", f"]({page}").replace(f"]({path}", f"]({page}")
    parts = re.split(r"(^```.*?^```$|`[^`\n]*`)", markdown, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if part.startswith("`") else _formulas(part) for part in parts)


def on_post_page(output: str, **_: Any) -> str:
    """Take the script by which a page in a folder can be searched from the site, not from the network."""
    return _SHIM.sub(lambda found: found[0].replace(found[1], _worker(found.string)), output)


def _worker(page: str) -> str:
    """Return where `worker.js` is from a page: beside the assets of the theme."""
    found = re.search(r'href="([./]*)assets/stylesheets/', page)
    return f"{found[1] if found else ''}worker.js"


def _formulas(text: str) -> str:
    text = _BLOCK.sub(lambda found: f"<p>{convert(found[1], display='block')}</p>", text)
    return _INLINE.sub(lambda found: convert(found[1]), text)


def _slug(title: str) -> str:
    return re.sub(r"\W+", "-", title.lower())


def _page(title: str, rooms: tuple[str, ...]) -> str:
    lines, returned = [f"# {title}"], {}
    for shown, thing in _public(rooms):
        lines += [f"\n## `{shown}`\n", f"::: {_path(thing)}"]
        result = _result(thing)
        if result is not None:
            returned[_path(result)] = result.__name__
    if returned:
        lines.append("\n# What they return\n")
        for path, name in sorted(returned.items(), key=lambda item: item[1]):
            lines += [f"\n## `{name}`\n", f"::: {path}", "    options:", "      members: true"]
    return "\n".join(lines)


def _public(rooms: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """List the functions and classes of some rooms, at the top first, with the name that a user types."""
    for name in cm.__all__:
        thing = getattr(cm, name)
        if not inspect.ismodule(thing) and _path(thing).split(".")[1] in rooms:
            yield f"cm.{name}", thing
    for room in rooms:
        module = import_module(f"culture_metrics.{room}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            if callable(thing) and name not in cm.__all__ and getattr(cm, room, None) is module:
                yield f"cm.{room}.{name}", thing


def _path(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def _result(thing: Any) -> type | None:
    """Return the class that a verb returns, where it is one of ours with a table."""
    said = str(getattr(inspect.unwrap(thing), "__annotations__", {}).get("return", ""))
    return next((kind for kind in _outputs(Output) if kind.__name__ in re.findall(r"\w+", said)), None)


def _outputs(kind: type) -> Iterator[type]:
    for below in kind.__subclasses__():
        yield below
        yield from _outputs(below)
