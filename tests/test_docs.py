"""The site and the guide in the package: their Python runs, their links lead somewhere, no page is left out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import culture_metrics as cm
from culture_metrics.errors import CultureMetricsError
from culture_metrics.study.study import Study

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "culture_metrics" / "GUIDE.md"
PAGES = sorted((ROOT / "docs").rglob("*.md"))
CODE = re.compile(r"^```python\n(.*?)^```", flags=re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
#: Pages that the site makes of what is at home elsewhere (`docs/hooks.py`).
MADE = ("reference/", "gallery/index.md", "schemas.md", "changes.md", "rooms.md")


@pytest.fixture(scope="module")
def study():
    """The built-in example, read once for all pages."""
    return cm.study([])


def with_python() -> list[Path]:
    """Pages with Python, but for the one that `tests/compare/test_frameworks.py` runs on files of its own."""
    return [
        page
        for page in (GUIDE, *PAGES)
        if CODE.search(page.read_text(encoding="utf-8")) and page.stem != "own-survey-and-framework"
    ]


@pytest.mark.parametrize("page", with_python(), ids=lambda page: page.stem)
def test_its_python_runs_from_the_first_line_to_the_last(page, study, monkeypatch, tmp_path):
    monkeypatch.setattr(cm, "study", lambda *_: study, raising=False)
    monkeypatch.chdir(tmp_path)
    said: dict[str, object] = {"study": study}
    for block in CODE.findall(page.read_text(encoding="utf-8")):
        exec(block, said)
    assert said["cm"] is cm


def test_what_the_guide_says_of_columns_and_errors_is_so():
    text = GUIDE.read_text(encoding="utf-8")
    named = re.search(r"^`(survey, .*?)`", text, flags=re.DOTALL | re.MULTILINE)[1]
    assert re.split(r",\s+", named) == cm.estimate(cm.synthetic.respondents(2024, 1, 200)).table.columns[:17]
    fields = re.search(r"CultureMetricsError` with `(.*?)`", text)[1].split(", ")
    assert all(hasattr(CultureMetricsError("x"), name) for name in fields)


def test_the_guide_speaks_of_what_stands_beside_results():
    """Names and attributes that it gives are there: response rates, late answers, run charts of a pulse."""
    text = GUIDE.read_text(encoding="utf-8")
    for name in ("cm.compare.early_and_late", "cm.compare.run_chart"):
        assert f"`{name}(" in text and callable(getattr(cm.compare, name.rpartition(".")[2]))
    for name in ("response_rates", "pulse", "charts"):
        assert f"`study.{name}" in text and hasattr(Study, name)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT / "docs").as_posix())
def test_links_lead_somewhere(page):
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        there = (page.parent / target).resolve()
        made = there.is_relative_to(ROOT / "docs") and there.relative_to(ROOT / "docs").as_posix()
        assert there.exists() or str(made).startswith(MADE), target


def test_every_page_is_in_the_contents():
    def leaves(entry):
        if isinstance(entry, str):
            yield entry
        else:
            for below in entry.values() if isinstance(entry, dict) else entry:
                yield from leaves(below)

    listed = {*leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])}
    assert {page.relative_to(ROOT / "docs").as_posix() for page in PAGES} <= listed
    assert listed - {page.relative_to(ROOT / "docs").as_posix() for page in PAGES} == {*MADE}
