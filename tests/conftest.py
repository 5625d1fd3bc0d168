"""Fixtures: real files that stay outside the project, where they are at hand."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path

import polars as pl
import pytest
from agreement import pytest_runtest_teardown  # noqa: F401  (a hook: it watches which files tests read)

#: What takes longest to compile. Two workers that start together would each compile all of it: they begin at
#: different ends, and find the other half done.
LIBRARIES = (
    "statsmodels.api", "scipy.stats", "xlsxwriter", "pyreadstat", "grimp", "typer.testing",
    "hypothesis", "pandera.polars", "nbclient", "IPython", "plotly.io", "plotly.graph_objects",
)  # fmt: skip
# Tests that others take in: what failed in them is told as fully.
pytest.register_assert_rewrite("on_parts", "on_report")
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    for library in LIBRARIES if worker == "gw0" else reversed(LIBRARIES):
        import_module(library)

SHARED = Path(__file__).resolve().parents[2] / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        pytest.skip(f"private acceptance files are not here: shared/{name}")
    return folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of real published files."""
    return _folder("data")


@pytest.fixture(scope="session")
def shared_reference() -> Path:
    """Folder of published figures to tie out with."""
    return _folder("reference")


@pytest.fixture(scope="session")
def published_2024(shared_data):
    """The official 2024 workbook of organisation results, read once."""
    from culture_metrics import read_published

    (path,) = (shared_data / "nss2024").glob("*organisational results.xlsx")
    return read_published(path)


@pytest.fixture(scope="session")
def national_2024(shared_data):
    """The official 2024 workbook of national results, read once."""
    from culture_metrics import read_published

    (path,) = (shared_data / "nss2024").glob("*national results.xlsx")
    return read_published(path)


@pytest.fixture(scope="session")
def records(shared_reference):
    """Records of outcome_links_reference.json by id: statsmodels, checked against R."""
    found = json.loads((shared_reference / "outcome_links_reference.json").read_text(encoding="utf-8"))
    return {r["id"]: r for r in found["records"]}


@pytest.fixture(scope="session")
def trusts(shared_data):
    """The panel of acute trusts, 2012 to 2019."""
    return pl.read_csv(shared_data / "panel" / "nhs_trust_panel_2012_2019.csv", null_values="NA")
