"""The page: headings, figures and tables of notebooks, put together so that nothing is fetched."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from nbformat import v4

from culture_metrics.errors import UnknownNameError
from culture_metrics.reporting.methods import methods
from culture_metrics.reporting.page import page, section
from culture_metrics.reporting.readers import check_reader
from culture_metrics.reporting.run import NOTEBOOKS
from culture_metrics.study.example import DEPARTMENT, FALL, RISE, SMALL_TEAM

FIGURE = {"application/vnd.plotly.v1+json": {"data": [], "layout": {"meta": {"alt": 'Bars of "Yes" & no.'}}}}


def made(*cells):
    return section("nb", v4.new_notebook(cells=list(cells)))


def output(**data):
    cell = v4.new_code_cell("call()")
    cell.outputs = [v4.new_output("display_data", data={k.replace("_", "/"): v for k, v in data.items()})]
    return cell


def test_headings_go_down_a_level_and_get_ids_of_their_own():
    text = "# A <b>bold</b> title\n\n## Part\n\n### Detail\n\n## Part\n\n```\n# no heading\n```"
    part = made(v4.new_markdown_cell(text))
    assert part.title == "A bold title"
    assert part.headings == (("nb-part", "Part"), ("nb-part-2", "Part"))
    assert '<h2 id="nb-title">' in part.html
    assert '<h4 id="nb-detail">' in part.html
    assert "<h1" not in part.html
    assert "# no heading" in part.html


def test_a_figure_is_an_image_with_its_alt_text():
    cell = v4.new_code_cell("draw()")
    cell.outputs = [v4.new_output("display_data", data=FIGURE), v4.new_output("display_data", data=FIGURE)]
    found: list[dict[str, str | None]] = []
    parser = HTMLParser()
    parser.handle_starttag = lambda _, attributes: found.append(dict(attributes))
    parser.feed(made(cell).html)
    figures = [a for a in found if a.get("role") == "img"]
    assert [a["aria-label"] for a in figures] == ['Bars of "Yes" & no.'] * 2
    assert {"nb-figure-1", "nb-figure-2"} <= {a.get("id") for a in found}


def test_code_is_folded_away_and_escaped():
    html = made(v4.new_code_cell("a < b")).html
    assert "<details" in html
    assert "<summary>Show the code</summary>" in html
    assert "&lt;" in html


def test_scripts_of_shown_objects_are_taken_out():
    html = made(output(text_html="<p>kept</p><script src='https://example.org/x.js'></script>")).html
    assert "<p>kept</p>" in html
    assert "<script" not in html


def test_plain_text_is_escaped():
    assert "&lt;Table&gt;" in made(output(text_plain="<Table>")).html


def test_links_between_notebooks_are_links_within_the_page_or_words():
    text = "# One\n\nSee [the other](two.ipynb) and [a third](three.ipynb)."
    parts = [
        section(name, v4.new_notebook(cells=[v4.new_markdown_cell(words)]))
        for name, words in (("one", text), ("two", "# Two"))
    ]
    suppression = {"rule": "Ten or more.", "held_back": 0}
    told = {
        "created": "2026-01-01T00:00:00",
        "suppression": suppression,
        "software": {},
        "inputs": [],
        "rows": {},
    }
    made_page = page(parts, title="T", subtitle="S", facts=[], remarks=[], left_out=[], manifest=told)
    assert 'See <a href="#two">the other</a> and a third.' in made_page
    assert 'id="two"' in made_page and ".ipynb" not in made_page.split("<main")[-1].split("<script")[0]


def test_a_finding_stands_beneath_the_title_and_is_escaped():
    notebook = v4.new_notebook(cells=[v4.new_markdown_cell("# Title\n\nWords."), v4.new_code_cell("a < b")])
    part = section("nb", notebook, ["Morale < 6."], code=False)
    assert '</h2><p class="finding">Morale &lt; 6.</p>' in part.html
    assert "<details" not in part.html


def test_the_demo_tells_its_story_on_the_page_and_hides_the_small_team(example_study):
    """What is planted is found again; the team of seven is named nowhere, methods and figure included."""
    data = example_study
    told = {
        "created": "2026-01-01T00:00:00", "software": {}, "inputs": [], "rows": {},
        "suppression": {"rule": "", "held_back": 0},
    }  # fmt: skip
    made = page(
        [], title="T", subtitle="S", facts=[], remarks=[], left_out=[], manifest=told,
        opening=data.stands_out(), figure=data.headline(), methods=methods(data, NOTEBOOKS, every=True),
    )  # fmt: skip
    first = made[made.index('id="first"') : made.index('id="made"')]
    assert f"{FALL} fell in" in first and f"department {DEPARTMENT} (" in first and f"{RISE} rose in" in first
    assert "With a long-term condition in morale widened beyond chance" in first
    hidden = data.suppressed[0].table.filter(group=SMALL_TEAM)
    assert hidden.height and hidden["estimate"].null_count() == hidden.height
    assert SMALL_TEAM not in made
    # A chapter that is not on the page is not linked to.
    assert "More in" not in first


def test_a_reader_that_is_not_known_is_refused():
    with pytest.raises(UnknownNameError, match="reader"):
        check_reader("everyone")
