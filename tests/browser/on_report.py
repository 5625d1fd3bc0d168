"""The report in a browser. `test_report` runs these tests on the report that it makes: making one takes long."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from opened import draw_all, missed, narrow_faults, opening, stops, violations
from printed import read_pdf

from culture_metrics.reporting import report as module
from culture_metrics.reporting.page import section
from culture_metrics.reporting.readers import BOARD, for_board, has_figures
from culture_metrics.study.opening import findings

#: On the paper that a page asks for.
PRINTED = {"prefer_css_page_size": True, "print_background": True}


def board_page(asked, executed) -> str:
    """Return the page for a board, of the notebooks that ran for the analysts'."""
    study, _, left_out, made, _ = asked
    shown = {name: for_board(notebook) for name, notebook in executed.items()}
    sections = [
        section(name, notebook, findings(study, name), code=False)
        for name, notebook in shown.items()
        if has_figures(notebook)
    ]
    return module._page(study, sections, left_out, made, module.Asked((), reader=BOARD))


@pytest.fixture(scope="module")
def visited(folder, asked, executed, tmp_path_factory):
    """What a browser shows: the analysts' page on a desk, the board's on a telephone, both on paper."""
    board = tmp_path_factory.mktemp("board") / "index.html"
    board.write_text(board_page(asked[0], executed), encoding="utf-8")
    found = SimpleNamespace(said=[], drawn=[], asked=[], axe=[], narrow=[])
    with opening() as opened:
        page = opened(folder / "index.html", 1366)
        found.drawn.append(draw_all(page))
        found.paper = read_pdf(page.pdf(**PRINTED))
        found.libraries = page.evaluate(
            "[...document.scripts].filter((s) => s.text.includes('* plotly.js v')).length"
        )
        found.stops, found.missed = stops(page), missed(page)
        found.contents = page.evaluate(
            "[...document.querySelectorAll('nav a')].map((a) => a.getAttribute('href'))"
        )
        page.evaluate("window.scrollTo(0, 0)")
        page.locator("a.skip").focus()
        page.keyboard.press("Enter")
        found.skipped_to = page.evaluate("document.activeElement.id")
        found.axe += violations(page)
        found.said += page.said
        page.close()
        page = opened(board, 400)
        found.drawn.append(draw_all(page))
        found.narrow += [*narrow_faults(page, 400), *narrow_faults(page, 360)]
        found.sheets = read_pdf(page.pdf(**PRINTED))
        found.headings = page.evaluate("[...document.querySelectorAll('h2, h3')].map((h) => h.textContent)")
        found.axe += violations(page)
        found.said += page.said
    return found


def test_the_report_opens_with_the_network_off_and_nothing_goes_wrong(visited):
    assert visited.said == []
    assert visited.libraries == 1
    # That of the first screen and those of the notebooks: see the test of figures and their names.
    assert min(visited.drawn) >= 19


def test_the_keyboard_reaches_everything_on_the_report_in_order(visited):
    assert (visited.stops[0]["href"], visited.skipped_to) == ("#main", "main")
    links = [stop["href"] for stop in visited.stops if stop["tag"] == "a"]
    assert links[1 : 1 + len(visited.contents)] == visited.contents and len(visited.contents) > 20
    assert visited.missed == []
    assert [stop for stop in visited.stops if not stop["seen"]] == [], "no mark shows where the focus is"
    names = [stop["name"] for stop in visited.stops]
    for button in ("Copy as picture: ", "Save PNG: "):
        assert sum(name.startswith(button) for name in names) == visited.drawn[0]
    assert sum(stop["role"] == "region" for stop in visited.stops) > visited.drawn[0], (
        "figures and tables scroll by keys"
    )


def test_axe_finds_nothing_on_the_report(visited):
    assert visited.axe == []


def test_the_report_fits_a_telephone(visited):
    assert visited.narrow == []


def test_a_board_prints_every_chapter_and_no_blank_sheet(visited):
    assert all(visited.sheets), "a blank sheet"
    words = "".join(part.text for sheet in visited.sheets for part in sheet).replace(" ", "")
    assert [heading for heading in visited.headings if heading.replace(" ", "") not in words] == []
