"""A saved page in a browser, the network off: words that fit on a narrow screen, pictures that go out."""

from __future__ import annotations

import struct

import polars as pl
import pytest

from culture_metrics.reporting.parts.browser import find_browser
from culture_metrics.views.save import save
from culture_metrics.views.scores import scores

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed here")
TITLE = "Scores of a trust with a name that takes more than one line on a telephone"


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    row = {"level": "theme", "estimate": 6.4, "conf_low": 6.2, "conf_high": 6.6, "base": 812}
    row |= dict.fromkeys(("best", "median", "worst", "organisations"))
    labels = ["Compassionate and inclusive", "A voice that counts", "Health and safety climate", "Morale"]
    table = pl.DataFrame([{**row, "measure": label, "label": label} for label in labels])
    path = save(scores(table, title=TITLE, source="a file"), tmp_path_factory.mktemp("page") / "figure.html")
    with playwright.sync_playwright() as started:
        chrome = started.chromium.launch(executable_path=str(find_browser()), args=["--no-sandbox"])
        context = chrome.new_context(viewport={"width": 360, "height": 800}, offline=True)
        opened = context.new_page()
        opened.set_default_timeout(120_000)
        opened.said = []
        opened.on("console", lambda message: opened.said.append(message.text))
        opened.on("pageerror", lambda error: opened.said.append(str(error)))
        opened.goto(path.as_uri())
        opened.wait_for_selector(".main-svg")
        yield opened
        chrome.close()


def test_nothing_is_cut_at_360_pixels_and_no_word_is_smaller_than_14(page):
    texts = page.evaluate(
        """[...document.querySelectorAll('.main-svg text')].filter((t) => t.textContent.trim()).map((t) => {
          const box = t.getBoundingClientRect();
          return [t.textContent, box.left, box.right, parseFloat(getComputedStyle(t).fontSize)];
        })"""
    )
    assert len(texts) > 8
    assert [text for text in texts if text[1] < 0 or text[2] > 360 or text[3] < 14] == []
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    # The number of a row stands beside its label, above the dot.
    assert any("Morale" in text[0] and "6.40" in text[0] and "6.20 to 6.60" in text[0] for text in texts)
    assert page.evaluate("""(() => { const f = document.querySelector('figure').getBoundingClientRect();
        const s = document.querySelector('.main-svg').getBoundingClientRect(); return f.height >= s.height; })()""")
    assert page.said == []


def test_a_wide_page_gives_the_title_one_line_and_labels_their_margin(page):
    page.set_viewport_size({"width": 1200, "height": 800})
    page.wait_for_function("document.querySelector('.js-plotly-plot').layout.margin.l > 100")
    assert page.evaluate("document.querySelector('.js-plotly-plot').layout.title.text").count("<br>") == 1
    page.set_viewport_size({"width": 360, "height": 800})
    page.wait_for_function("document.querySelector('.js-plotly-plot').layout.margin.l < 100")


def test_the_keyboard_saves_a_picture_as_large_as_a_slide(page, tmp_path):
    labels = []
    for _ in range(3):  # the figure itself takes one press where it can be scrolled
        page.keyboard.press("Tab")
        labels.append(page.evaluate("document.activeElement.getAttribute('aria-label')"))
        if labels[-1] == f"Save PNG: {TITLE}":
            break
    assert labels[-2:] == [f"Copy as picture: {TITLE}", f"Save PNG: {TITLE}"]
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    data = download.value.path().read_bytes()
    assert download.value.suggested_filename.startswith("scores-of-a-trust")
    assert data[:4] == b"\x89PNG"
    assert struct.unpack(">II", data[16:24]) == (1600, 900)


def test_where_the_clipboard_refuses_the_page_says_so_and_where_it_does_not_it_copies(page):
    page.evaluate("void (navigator.clipboard.write = () => Promise.reject(new Error('no')))")
    copy = page.get_by_role("button", name=f"Copy as picture: {TITLE}")
    copy.click()
    page.wait_for_function("document.querySelector('[role=status]').textContent.includes('Save PNG')")
    page.evaluate("""void (navigator.clipboard.write = async (items) => {
        window.copied = (await items[0].getType('image/png')).size; })""")
    copy.click()
    page.wait_for_function("document.querySelector('[role=status]').textContent === 'Copied.'")
    assert page.evaluate("window.copied") > 10_000


def test_buttons_and_numbers_are_not_on_paper(page):
    page.emulate_media(media="print")
    shown = "getComputedStyle(document.querySelector('{}')).display"
    assert [page.evaluate(shown.format(of)) for of in (".pictures", "details.numbers")] == ["none", "none"]
    page.emulate_media(media="screen")


def test_no_button_sends_a_figure_away(page):
    assert page.locator(".modebar-btn").count() == 0
