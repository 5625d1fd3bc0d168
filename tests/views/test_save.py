"""Figures as HTML: named for assistive technology, and silent on the network."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import plotly.graph_objects as go
import polars as pl
import pytest
from plotly.offline import get_plotlyjs
from printed import MARGIN, WIDTH, print_page

from culture_metrics.errors import ReportError
from culture_metrics.reporting.parts.browser import find_browser
from culture_metrics.views import style
from culture_metrics.views.heat_map import heat_map
from culture_metrics.views.save import as_html, fragment, library, save

ALT = 'Scores of "RXX" <b>. Highest: Team & line, 7.10.'


class Page(HTMLParser):
    """Tags and their attributes, and the scripts, as a browser reads them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.lasttag == "script" and self.scripts:
            self.scripts[-1] += data

    def named(self, tag):
        return [attrs for name, attrs in self.tags if name == tag]


@pytest.fixture
def fig():
    made = style.figure()
    made.add_scatter(x=[1, 2], y=[3, 4], text=["</script><script>alert(1)</script>", "b"])
    return made.update_layout(
        meta={"alt": ALT}, title={"text": "Scores<br><span style='x'>2024</span>"}, height=300
    )


def test_a_fragment_is_an_image_with_a_name(fig):
    page = Page(as_html(fig, div_id="one"))
    (figure,) = page.named("figure")
    assert figure["role"] == "img"
    assert figure["aria-label"] == ALT
    assert [d for d in page.named("div") if d.get("id") == "one"]


def test_a_fragment_does_not_carry_the_library_unless_asked(fig):
    assert len(as_html(fig, div_id="one")) < 50_000
    assert len(as_html(fig, div_id="one", plotlyjs=True)) > 3_000_000


def test_the_library_is_plotly_s_in_brackets(fig):
    """A function that does not stand in brackets is read twice; nothing else of the library changes."""
    own, plotly_s = library(), get_plotlyjs().strip()
    assert own.count("this, (() => {") == 1 and own.endswith("\n})));\n")
    assert own.replace("this, (() => {", "this, () => {").strip() == plotly_s[: -len("}));")] + "})));"
    assert own in as_html(fig, div_id="one", plotlyjs=True)


def test_the_mode_bar_is_off_and_the_figure_follows_the_page(fig):
    text = as_html(fig, div_id="one")
    assert '"displayModeBar": false' in text
    assert '"responsive": true' in text


def test_labels_cannot_break_out_of_the_script(fig):
    page = Page(as_html(fig, div_id="one"))
    assert len(page.scripts) == 1
    assert "alert(1)" in page.scripts[0]


def test_a_figure_in_a_notebook_makes_the_same_fragment(fig):
    assert fragment(json.loads(fig.to_json()), "one") == as_html(fig, div_id="one")


@pytest.mark.parametrize(
    ("layout", "name"),
    [
        ({"title": {"text": "A<br>B<br><span>2024</span>"}}, "A B"),
        ({"title": "A &amp; B"}, "A & B"),
        ({}, "Figure"),
    ],
)
def test_a_figure_without_alt_text_is_named_by_its_title(layout, name):
    (figure,) = Page(fragment({"data": [], "layout": layout}, "one")).named("figure")
    assert figure["aria-label"] == name


def test_a_saved_page_asks_nothing_of_the_network(fig, tmp_path):
    text = save(fig, tmp_path / "figure.html").read_text(encoding="utf-8")
    page = Page(text)
    fetching = {"src", "href", "srcset", "data", "poster", "action"}
    assert [(tag, attrs) for tag, attrs in page.tags if fetching & set(attrs)] == []
    assert "@import" not in text.split("<script>")[0]
    assert page.named("html") == [{"lang": "en-GB"}]
    assert "<title>Scores</title>" in text


def test_a_page_that_cannot_be_written_is_explained(tmp_path):
    with pytest.raises(ReportError, match="could not be written") as error:
        save(go.Figure(), tmp_path / "nowhere" / "figure.html")
    assert "folder" in str(error.value.hint)


@pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed here: nothing can be printed")
def test_a_figure_is_whole_on_paper(tmp_path):
    columns = [f"Column {letter}" for letter in "ABCDEFGHIJKLMNOP"]
    one = {"group": "Medical", "group_base": 310, "estimate": 6.4, "base": 305, "reference": 5.9}
    rows = [{**one, "measure": name, "label": name, "status": "reported"} for name in columns]
    page = save(heat_map(pl.DataFrame(rows), title="A wide map"), tmp_path / "map.html")
    (sheet,) = print_page(page, tmp_path / "map.pdf")
    assert set(columns) <= {words.text for words in sheet}
    assert max(words.x for words in sheet) < WIDTH - MARGIN
