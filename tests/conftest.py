"""Fixtures: real files that stay outside the project, where they are at hand."""

from __future__ import annotations

import gc
import json
import os
from functools import cached_property
from importlib import import_module
from inspect import signature
from pathlib import Path

import polars as pl
import pytest
from agreement import pytest_runtest_teardown  # noqa: F401  (a hook: it watches which files tests read)

from culture_metrics.reporting.run import skip_grammar

#: What takes longest to compile. Two workers that start together would each compile all of it: they begin at
#: different ends, and find the other half done.
LIBRARIES = (
    "statsmodels.api", "scipy.stats", "xlsxwriter", "pyreadstat", "grimp", "typer.testing",
    "hypothesis", "pandera.polars", "nbclient", "IPython", "plotly.io", "plotly.graph_objects",
)  # fmt: skip
# Tests that others take in: what failed in them is told as fully.
pytest.register_assert_rewrite("on_parts", "on_report")
skip_grammar()
if worker := os.environ.get("PYTEST_XDIST_WORKER"):
    for library in LIBRARIES if worker == "gw0" else reversed(LIBRARIES):
        import_module(library)

#: What takes longest as one file begins first: else one worker would wait for the other at the end.
LONG = (
    "tests/redteam/test_redteam.py", "tests/test_notebooks.py", "tests/reporting/test_report.py",
)  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Let one worker compile the tests and the other the package, for the same reason as above."""
    if worker == "gw1" and config.args == config.getini("testpaths"):
        config.args.reverse()
    config.pluginmanager.register(ExampleOfDoctests())


class ExampleOfDoctests:
    """Doctests that ask for the built-in example look at one, made by the first, as notebooks of a report do."""

    @cached_property
    def study(self):
        from culture_metrics import study

        return study([])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item):
        if not (isinstance(item, pytest.DoctestItem) and "study([])" in item.dtest.docstring):
            return (yield)
        asked = dict.fromkeys(signature(import_module("culture_metrics.study.read").study).parameters)
        at_hand = import_module("culture_metrics.study.at_hand")
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(at_hand._STUDY, at_hand._key(asked | {"inputs": []}), self.study)
            return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first and small doctests last, in whatever order they were collected."""
    files = dict.fromkeys(LONG, 0)
    items.sort(key=lambda item: files.get(item.nodeid.partition("::")[0], 1 + ("tests/" not in item.nodeid)))


def pytest_collection_finish() -> None:
    """Keep thousands of collected tests, which never become waste, from being looked through for it."""
    gc.collect()
    gc.freeze()


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
def example_study():
    """The built-in example as `study` reads it, for tests that look at what it shows and ask for no more.

    What is shown of respondents is remembered: a test that estimates from its extracts reads its own.
    """
    from culture_metrics import study

    return study([])


@pytest.fixture(scope="session")
def records(shared_reference):
    """Records of outcome_links_reference.json by id: statsmodels, checked against R."""
    found = json.loads((shared_reference / "outcome_links_reference.json").read_text(encoding="utf-8"))
    return {r["id"]: r for r in found["records"]}


@pytest.fixture(scope="session")
def trusts(shared_data):
    """The panel of acute trusts, 2012 to 2019."""
    return pl.read_csv(shared_data / "panel" / "nhs_trust_panel_2012_2019.csv", null_values="NA")
