"""JupyterLab as a person has it, opened once: one server, one page and one kernel for every notebook that runs."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from opened import browser

from culture_metrics.reporting.notebooks import QUIET, quiet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

#: Seconds: a busy computer takes long to start a server, and to run a notebook.
LONG = 300
#: Open a notebook, run all of it as the menu does, and wait until what it gave is drawn.
RUN = """async ([path, long]) => {
  const { commands, restored, shell } = window.jupyterapp;
  const waited = (seconds) => new Promise((done) => setTimeout(done, 1000 * seconds));
  await restored;
  const panel = window.panel = await commands.execute("docmanager:open", { path });
  await Promise.all([panel.revealed, panel.sessionContext.ready]);
  shell.activateById(panel.id);
  await Promise.race([commands.execute("notebook:run-all-cells"), waited(long)]);
  const cells = panel.content.model.toJSON().cells, kind = "application/vnd.plotly.v1+json";
  const figures = cells.flatMap((cell) => cell.outputs ?? []).filter((given) => given.data?.[kind]).length;
  const drawings = () => [...panel.node.querySelectorAll(".js-plotly-plot")];
  const drawn = () => drawings().filter((it) => it.querySelector(".main-svg .trace, .main-svg .hm, .main-svg .gtitle")).length;
  for (let turn = 0; turn < 200 && drawn() < figures; turn++) await waited(0.1);
  return { cells, figures, drawn: drawn(), kernel: panel.sessionContext.session.kernel.id };
}"""
#: The figure beneath the first controls.
BENEATH = ".jp-OutputArea:has(.jupyter-widgets select) .jp-RenderedPlotly"
#: Choose the other theme, dark or light, and wait until it is there; return how high the figure is then.
THEME = """async (beneath) => {
  const light = () => document.body.dataset.jpThemeLight, before = light();
  const theme = before === "true" ? "JupyterLab Dark" : "JupyterLab Light";
  await window.jupyterapp.commands.execute("apputils:change-theme", { theme });
  for (let turn = 0; turn < 200 && light() === before; turn++) await new Promise((done) => setTimeout(done, 100));
  await new Promise((done) => setTimeout(done, 1000));
  return document.querySelector(beneath).offsetHeight;
}"""
#: It changes its title when another is drawn in its place.
TITLE = """() => document.querySelector(".jp-OutputArea:has(.jupyter-widgets select) .gtitle")?.textContent"""


@contextmanager
def laboratory(folder: Path, own: Path) -> Iterator[Callable[[str], SimpleNamespace]]:
    """Start JupyterLab on a folder, with no settings of the person who tests; give what runs a notebook of it.

    Starting a server, a kernel and a page takes longer than most notebooks: they share them, one after another.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=here"]
    options += ["--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder}"]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *QUIET, *options],
        env={**quiet(), **places, "JUPYTERLAB_SETTINGS_DIR": str(own / "settings")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until_it_answers(address)
        with browser() as chrome:
            page = chrome.new_page(viewport={"width": 1280, "height": 700}, reduced_motion="reduce")
            page.set_default_timeout(LONG * 1000)
            said: list[str] = []
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("console", lambda told: said.append(told.text) if told.type == "error" else None)
            page.goto(f"{address}/lab?token=here")
            page.wait_for_function("window.jupyterapp")
            kernel = {"name": "python3"}

            def run(name: str) -> SimpleNamespace:
                said.clear()
                page.evaluate("window.panel?.dispose()")
                kernel["id"] = begun(address, name, kernel)
                ran = SimpleNamespace(**page.evaluate(RUN, [name, LONG]))
                assert ran.kernel == kernel["id"], "a kernel of its own was started"
                ran.news = page.get_by_text("official Jupyter news").count()
                ran.titles = changed(page)
                ran.height = page.evaluate(THEME, BENEATH) if ran.titles else None
                if pictures := os.environ.get("PICTURES"):
                    page.screenshot(path=f"{pictures}/{name}.png")
                ran.said = [*said]
                return ran

            yield run
    finally:
        server.terminate()
        server.wait(30)


def until_it_answers(address: str) -> None:
    end = time.monotonic() + LONG
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/api?token=here", timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError("JupyterLab does not start")


def begun(address: str, name: str, kernel: dict[str, str]) -> str:
    """Begin the session of a notebook, on that kernel if it has an id: JupyterLab takes what is there."""
    asked = {"path": name, "name": name, "type": "notebook", "kernel": kernel}
    request = urllib.request.Request(
        f"{address}/api/sessions?token=here",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=LONG) as answer:
        return str(json.load(answer)["kernel"]["id"])


def changed(page: Any) -> list[str]:
    """Choose something else in the first control, if there is one; return the titles before and after."""
    choices = page.locator(".jupyter-widgets select")
    if not choices.count():
        return []
    choices.first.scroll_into_view_if_needed()
    titles = [page.evaluate(TITLE)]
    choices.first.select_option(index=1)
    end = time.monotonic() + LONG / 4
    while time.monotonic() < end:
        page.wait_for_timeout(200)
        if (now := page.evaluate(TITLE)) and now != titles[0]:
            return [*titles, now]
    return titles
