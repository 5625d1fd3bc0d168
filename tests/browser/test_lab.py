"""JupyterLab as a person has it: the notebook runs to its end, and a control changes its figure."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from culture_metrics.reporting.notebooks import QUIET, copy_notebooks, quiet

sync = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium, Chrome or Edge on this computer")
#: The one that is tried here; `NOTEBOOK` in the environment names another.
NOTEBOOK = os.environ.get("NOTEBOOK", "04_benchmark_and_peers")
#: Seconds: a busy computer takes long to start a kernel.
LONG = 240


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """JupyterLab on copies of the notebooks, with no settings of the person who runs the tests."""
    folder, own = tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("jupyter")
    copy_notebooks(folder)
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
        yield address, folder
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
        time.sleep(0.5)


def command(page, name: str) -> None:
    page.evaluate("name => window.jupyterapp.commands.execute(name)", name)


def ran(page, path) -> bool:
    """Save, and look whether every cell of code has run."""
    command(page, "docmanager:save")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return all(cell["execution_count"] for cell in cells if cell["cell_type"] == "code")


def test_a_notebook_runs_to_its_end_and_a_control_changes_its_figure(lab):
    address, folder = lab
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.set_default_timeout(LONG * 1000)
        page.goto(f"{address}/lab/tree/{NOTEBOOK}.ipynb?token=here")
        page.wait_for_selector(".jp-Notebook .jp-CodeCell")
        page.wait_for_selector("text=/Python 3.*\\| Idle/")
        command(page, "notebook:run-all-cells")
        until(lambda: ran(page, folder / f"{NOTEBOOK}.ipynb"))
        saved = json.loads((folder / f"{NOTEBOOK}.ipynb").read_text(encoding="utf-8"))
        outputs = [out for cell in saved["cells"] for out in cell.get("outputs", ())]
        assert outputs and not [out for out in outputs if out["output_type"] == "error"]
        assert "built-in example" in json.dumps(outputs)
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
