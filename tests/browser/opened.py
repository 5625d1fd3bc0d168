"""Pages as a reader opens them: from a folder, in the browser of this computer, the network off.

What is looked at is returned as lists, empty where all is well: a failing test then shows every fault at once.
Each `opening` ends its browser: Playwright's loop must not run beside the kernels of other tests.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from culture_metrics.reporting.parts.browser import find_browser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: A busy computer takes long; in milliseconds.
LONG = 120_000
#: axe-core's rules of WCAG 2 A and AA and its best practices. A hint of axe that only a person can judge
#: ("incomplete") is no violation.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

FIGURES = "document.querySelectorAll('figure[role=img]')"
DRAWN = f"[...{FIGURES}].every((figure) => figure.querySelector('.main-svg'))"
#: What a figure was last drawn for is the room that it has.
REDRAWN = f"""[...{FIGURES}].every((figure) => {{
  const drawing = figure.querySelector(".js-plotly-plot");
  return !drawing || drawing.atWidth === Math.floor(figure.clientWidth);
}})"""
STOP = """() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const style = getComputedStyle(at);
  at.dataset.stopped = "1";
  return {
    tag: at.tagName.toLowerCase(), name: at.getAttribute("aria-label") || at.textContent.trim(),
    href: at.getAttribute("href"), role: at.getAttribute("role"),
    seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 1,
  };
}"""
MISSED = """[...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
  .filter((it) => it.checkVisibility() && !it.dataset.stopped).map((it) => it.outerHTML.slice(0, 120))"""
#: Words of drawings that stand outside their drawing, and words of the page that are cut off or lie beside it.
CUT = """(() => {
  const faults = [], width = document.documentElement.clientWidth;
  const scrolled = (it) => it.closest(".cm-scroll, .table, .scroll, .figure, pre, figure, details.numbers");
  for (const text of document.querySelectorAll("svg text")) {
    const said = text.textContent.trim(), box = text.getBoundingClientRect();
    const frame = text.closest(".svg-container, svg").getBoundingClientRect();
    if (!said || !box.width) continue;
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1)
      faults.push(`drawing: ${said} [${[box.left - frame.left, frame.right - box.right, box.top - frame.top, frame.bottom - box.bottom].map(Math.round)}]`);
  }
  for (const it of document.querySelectorAll("body *:not(svg *, script, style)")) {
    if (!it.checkVisibility() || it.closest(".unseen, .cm-heat td span, .skip, svg")) continue;
    const box = it.getBoundingClientRect(), style = getComputedStyle(it);
    if (style.clipPath !== "none") continue;
    if (!scrolled(it) && box.width && (box.right > width + 1 || box.left < -1)) faults.push(`beside the page: ${it.outerHTML.slice(0, 100)}`);
    if (["hidden", "clip"].includes(style.overflowX) && it.scrollWidth > it.clientWidth + 1 && it.textContent.trim() && !it.closest(".js-plotly-plot"))
      faults.push(`cut off: ${it.outerHTML.slice(0, 100)}`);
  }
  return faults;
})()"""


SHORTENED = """
  document.querySelectorAll(".main-svg").forEach((drawing) => drawing.replaceChildren());
  document.querySelectorAll("main tbody tr:nth-child(n + 4), main li:nth-child(n + 4)").forEach((it) => it.remove());
  for (const kind of ["details.numbers", "details.code"])
    [...document.querySelectorAll(kind)].slice(1).forEach((it) => it.remove());
"""


def no_browser() -> str:
    """Say why no page can be opened here; nothing where one can."""
    if find_spec("playwright") is None:
        return "Playwright is not installed"
    return "" if find_browser() else "no Chromium, Chrome or Edge on this computer"


@contextmanager
def browser() -> Iterator[Any]:
    """Start the browser of this computer, and end it."""
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        chrome = playwright.chromium.launch(
            executable_path=str(find_browser()), args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield chrome
        finally:
            chrome.close()


@contextmanager
def opening() -> Iterator[Callable[..., Any]]:
    """Start a browser; give what opens a page in it and watches what goes wrong there (`page.said`)."""
    if missing := no_browser():
        pytest.skip(missing)
    with browser() as chrome:
        context = chrome.new_context(offline=True, reduced_motion="reduce")
        context.set_default_timeout(LONG)

        def opened(path: Path, width: int = 1280) -> Any:
            page = context.new_page()
            page.set_viewport_size({"width": width, "height": 900})
            page.said = []
            page.on("console", lambda message: page.said.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: page.said.append(str(error)))
            page.on("requestfailed", lambda request: page.said.append(f"failed: {request.url}"))
            page.on("request", lambda request: page.said.extend(_asked(request.url)))
            page.goto(path.as_uri())
            return page

        yield opened


def _asked(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:", "blob:")) else [f"asked the network: {url}"]


def until(page: Any, true: str) -> None:
    """Wait until that is true; asked from outside, for the page's own policy lets nobody wait within it."""
    end = time.monotonic() + LONG / 1000
    while not page.evaluate(true):
        assert time.monotonic() < end, f"waited in vain: {true}"
        page.wait_for_timeout(50)


def draw_all(page: Any) -> int:
    """Wait until every figure is drawn; return how many there are."""
    until(page, DRAWN)
    return int(page.evaluate(f"{FIGURES}.length"))


def violations(page: Any) -> list[str]:
    """Return what axe-core finds: the rule, where, and why. It is the last thing that is done with a page.

    Drawings are emptied before: a figure is one picture with a name (`role=img`), nothing within it is content
    for assistive technology, and its colours are tested with the house style. Of rows, points of lists
    and folded parts the first stay, the others are like them: axe would take ten seconds for all of a report.
    """
    page.evaluate(SHORTENED)
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed")
    asked = {"resultTypes": ["violations"], "preload": False, "runOnly": {"type": "tag", "values": TAGS}}
    return [
        f"{found['id']} at {node['target']}: {node['failureSummary']}"
        for found in axe.Axe().run(page, options=asked).response["violations"]
        for node in found["nodes"]
    ]


def stops(page: Any) -> list[dict[str, Any]]:
    """Go through a page with the Tab key from its top; return where it stops, in order."""
    found: list[dict[str, Any]] = []
    page.evaluate("document.activeElement.blur()")
    while len(found) < 600:
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            return found
        found.append(stop)
    raise AssertionError("the Tab key never leaves the page")


def missed(page: Any) -> list[str]:
    """Return what can be used with a mouse and is no stop of the Tab key."""
    return list(page.evaluate(MISSED))


def narrow_faults(page: Any, width: int) -> list[str]:
    """Return what does not fit a screen of that width."""
    page.set_viewport_size({"width": width, "height": 800})
    until(page, REDRAWN)
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [*([f"the page is {wide} pixels wide"] if wide > width else []), *page.evaluate(CUT)]
