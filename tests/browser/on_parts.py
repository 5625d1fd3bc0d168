"""Smaller pages in a browser. `test_parts` runs these tests on the study that it reads."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from opened import draw_all, missed, narrow_faults, opening, stops, violations

from culture_metrics.views.save import save

FIRST = "document.querySelector('.cm-heat tbody:not(.cm-whole) tr')"


@pytest.fixture(scope="module")
def visited(released, tmp_path_factory):
    """Index and page of a directorate, a figure, a heat map and a check, each saved as a page."""
    place, study = tmp_path_factory.mktemp("saved"), released.study
    made = {
        "index": released.index,
        "part": released.index.with_name("urgent-care.html"),
        "figure": save(study.headline(), place / "figure.html"),
        "map": study.results.heat_table("Department").save(place / "map.html"),
        "check": study.reports[0].to_html(place / "check.html"),
        "saved check": study.reports[0].save(place / "saved check.html"),
    }
    found = SimpleNamespace(said=[], axe=[], missed=[], narrow=[], unmarked=[], stops={})
    with opening() as opened:
        for name, path in made.items():
            page = opened(path)
            draw_all(page)
            found.stops[name] = stops(page)
            found.missed += missed(page)
            found.unmarked += [stop for stop in found.stops[name] if not stop["seen"]]
            if name == "map":
                use(page, found)
            found.narrow += [
                f"{name}: {fault}" for width in (400, 360) for fault in narrow_faults(page, width)
            ]
            if name == "map":
                found.frame = page.evaluate(
                    "(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.cm-scroll'))"
                )
            found.axe += [f"{name}: {fault}" for fault in violations(page)]
            found.said += page.said
            page.close()
    return found


def use(page, found) -> None:
    """Sort by the second heading with Enter and back with the space bar, and open the first row."""
    head = page.locator(".cm-heat thead [role=button]").nth(1)
    head.focus()
    order = "[...document.querySelectorAll('.cm-around td:nth-child(2)')].map((td) => Number(td.dataset.v))"
    found.orders = []
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
        found.orders.append(
            (page.evaluate(order), page.evaluate("document.activeElement.parentElement.ariaSort"))
        )
    found.opened = []
    page.locator(".cm-heat tbody summary").first.focus()
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
        found.opened.append(page.evaluate("document.activeElement.parentElement.open"))


def test_small_pages_open_with_the_network_off_and_nothing_goes_wrong(visited):
    assert visited.said == []


def test_axe_finds_nothing_on_small_pages(visited):
    assert visited.axe == []


def test_the_keyboard_reaches_everything_on_small_pages(visited):
    assert visited.missed == [] and visited.unmarked == []
    assert [stop["name"] for stop in visited.stops["index"]][:2] == ["All directorates", "Con"]
    assert [stop["role"] for stop in visited.stops["part"]][:1] == ["region"]


def test_a_heat_map_is_sorted_and_opened_by_keys(visited):
    (up, ascending), (down, descending) = visited.orders
    assert (ascending, descending) == ("ascending", "descending")
    assert len(up) > 1 and up == sorted(up) and down == up[::-1]
    assert visited.opened == [True, False]


def test_small_pages_fit_a_telephone_and_the_heat_map_scrolls_in_its_frame(visited):
    assert visited.narrow == []
    assert visited.frame[0] > visited.frame[1]
