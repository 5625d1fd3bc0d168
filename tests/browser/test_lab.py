"""JupyterLab as a person has it: a notebook runs to its end, and a control changes its figure."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from culture_metrics.reporting.notebooks import QUIET, quiet
from culture_metrics.reporting.parts.browser import find_browser

sync = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
BROWSER = find_browser()
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium, Chrome or Edge on this computer")
#: What the notebooks of the package do, in the least time; all of these run to their end in other tests.
CELLS = ("given = {}", "import culture_metrics as cm\n\ncm.study(**given).explore()")
#: Seconds: a busy computer takes long to start a kernel.
LONG = 240


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on a notebook, with no settings of the person who runs the tests."""
    import nbformat.v4 as nb

    folder, own = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    book = folder / "look.ipynb"
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    made = nb.new_notebook(cells=[nb.new_code_cell(cell) for cell in CELLS], metadata=kernel)
    book.write_text(json.dumps(made), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=here"]
    options += ["--LabApp.expose_app_in_browser=True", f"--ServerApp.root_dir={folder}"]
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *QUIET, *options],
        env={**quiet(), **places, "JUPYTERLAB_SETTINGS_DIR": str(own / "settings")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(f"{address}/api?token=here"))
        yield address, book
    finally:
        process.terminate()
        process.wait(30)


def answers(address: str) -> bool:
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except OSError:
        return False


def until(done) -> None:
    end = time.monotonic() + LONG
    while not done():
        assert time.monotonic() < end, "waited for too long"
        time.sleep(1)


def command(page, name: str) -> None:
    page.evaluate("name => window.jupyterapp.commands.execute(name)", name)


def outputs(page, book) -> list[dict]:
    """Save, and return what the cells gave, or nothing while one of them has not run."""
    command(page, "docmanager:save")
    cells = json.loads(book.read_text(encoding="utf-8"))["cells"]
    done = all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")
    return [out for cell in cells for out in cell.get("outputs", ())] if done else []


def test_a_notebook_runs_to_its_end_and_a_control_changes_its_figure(lab):
    address, book = lab
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(BROWSER), args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(viewport={"width": 1280, "height": 1400}, reduced_motion="reduce")
        page.set_default_timeout(LONG * 1000)
        page.goto(f"{address}/lab/tree/{book.name}?token=here")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_selector("text=/Python 3.*\\| Idle/")
        command(page, "notebook:run-all-cells")
        page.wait_for_selector(".jp-OutputArea .gtitle", state="attached")
        until(lambda: outputs(page, book))
        assert [out for out in outputs(page, book) if out["output_type"] == "error"] == []
        assert page.get_by_text("official Jupyter news").count() == 0
        choice = page.locator(".jupyter-widgets select").first
        choice.scroll_into_view_if_needed()
        title = page.locator(".jp-OutputArea:has(.jupyter-widgets select) .gtitle").first
        before = title.text_content()
        choice.select_option(index=1)
        until(lambda: title.text_content() != before)
        if picture := os.environ.get("PICTURE"):
            page.screenshot(path=picture)
        browser.close()
