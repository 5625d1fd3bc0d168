"""The house style: colours people can tell apart, one template, nothing global."""

from __future__ import annotations

import itertools

import plotly.graph_objects as go
import plotly.io as pio
import polars as pl
import pytest

from culture_metrics.errors import ResultsError
from culture_metrics.views import style
from culture_metrics.views.inputs import tidy
from culture_metrics.views.labels import safely, width, wrap
from culture_metrics.wording.numbers import base_range, count, fixed, sentences


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_contrast_of_black_and_white_is_21_as_wcag_says():
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)


@pytest.mark.parametrize("colour", [*style.CATEGORIES, style.FOCUS, style.MARK])
def test_marks_stand_out_from_the_page(colour):
    assert contrast(colour, style.PAPER) >= 3


def test_neighbours_among_the_categories_stand_out_from_each_other():
    assert len(style.CATEGORIES) <= 4
    for one, other in itertools.pairwise(style.CATEGORIES):
        assert contrast(one, other) >= 3


def test_the_focus_stands_out_from_what_is_around_it():
    assert contrast(style.FOCUS, style.AROUND) >= 3
    assert contrast(style.FOCUS, style.MARK) >= 3


@pytest.mark.parametrize("colour", [style.TEXT, style.QUIET_TEXT, style.FOCUS])
def test_text_can_be_read_on_the_page(colour):
    assert contrast(colour, style.PAPER) >= 4.5


def test_text_can_be_read_on_every_shade_of_the_heat_map():
    for _, colour in style.DIVERGING:
        assert contrast(style.TEXT, colour) >= 4.5


def test_the_template_is_built_once_and_registered_nowhere():
    before = pio.templates.default
    assert style.template() is style.template()
    assert pio.templates.default == before
    assert all(pio.templates[name] != style.template() for name in pio.templates)
    assert go.Figure().layout.template.layout.font.family != style.FONT
    assert style.figure().layout.template.layout.font.family == style.FONT


def test_words_are_readable_at_slide_size():
    layout = style.template().layout
    sizes = [
        layout.font.size,
        layout.xaxis.tickfont.size,
        layout.yaxis.tickfont.size,
        layout.hoverlabel.font.size,
    ]
    assert min(sizes) >= 14
    assert 18 <= layout.title.font.size <= 20


def test_finish_writes_title_subtitle_notes_source_and_meta():
    fig = style.finish(
        style.figure(),
        style.Room(height=200, left=100, right=50, head=10, foot=20),
        title="Morale & more",
        subtitle="2024. Base 812.",
        alt="A line.",
        source="published results",
        notes="Lines: 95% interval.",
        suppressed=3,
    )
    assert fig.layout.title.text.startswith("Morale &amp; more<br>")
    assert "2024. Base 812." in fig.layout.title.text
    assert fig.layout.meta == {
        "alt": "Morale & more. A line.",
        "source": "published results",
        "suppressed": 3,
        "words": {
            "title": "Morale & more",
            "subtitle": "2024. Base 812.",
            "below": ["Lines: 95% interval.", "Source: published results"],
        },
    }
    assert [a.text for a in fig.layout.annotations] == ["Lines: 95% interval.<br>Source: published results"]
    margin = fig.layout.margin
    assert fig.layout.height == margin.t + 200 + margin.b
    assert (margin.l, margin.r) == (100, 50)


def test_a_long_title_takes_more_lines_and_more_room():
    name = "Mersey and West Lancashire Teaching Hospitals NHS Trust"
    heights = []
    for title in ("Short", f"Scores of {name} and of the other organisations of its benchmark group in 2024"):
        fig = style.finish(style.figure(), style.Room(height=100), title=title, subtitle="", alt="")
        heights.append(fig.layout.height)
        for line in fig.layout.title.text.split("<br>"):
            assert width(line, style.TITLE, bold=True) <= style.NARROWEST
    assert heights[1] > heights[0]


def test_wrap_breaks_between_words_and_defuses_marks():
    assert wrap("Health and safety climate", 100) == ["Health and", "safety climate"]
    assert wrap("<b>A&E</b>", 500) == ["&lt;b&gt;A&amp;E&lt;/b&gt;"]
    assert wrap("", 100) == []


def test_numbers_keep_the_decimals_of_their_unit():
    frame = pl.DataFrame({"x": [7.1, 64.25, None], "n": [812, 1234567, None], "t": ["a<b", "A&E", None]})
    assert frame.select(fixed("x", "score")).to_series().to_list() == ["7.10", "64.25", None]
    assert frame.select(fixed("x", "percent")).to_series().to_list()[0] == "7.1%"
    assert frame.select(count("n")).to_series().to_list() == ["812", "1,234,567", None]
    assert frame.select(safely("t")).to_series().to_list() == ["a&lt;b", "A&amp;E", None]


def test_bases_and_sentences_are_said_in_words():
    assert base_range(pl.Series([1204, None, 80])) == "base 80 to 1,204"
    assert base_range(pl.Series([80, 80])) == "base 80"
    assert base_range(pl.Series([None], dtype=pl.Int64)) == ""
    assert sentences(["enough staff?", "", "base 80"]) == "Enough staff? Base 80."


def test_tidy_empties_rows_that_are_not_reported():
    table = pl.DataFrame(
        {
            "id": ["a", "b", "c"],
            "estimate": [7.0, 3.5, None],
            "base": [90, 4, 7],
            "status": ["reported", "suppressed_secondary", "not_asked"],
        },
        schema_overrides={"status": pl.Enum(["reported", "suppressed_secondary", "not_asked"])},
    )
    tidied = tidy(table, ["id"], key=["id"], numbers=["estimate", "base"], where="a figure")
    assert tidied["estimate"].to_list() == [7.0, None, None]
    assert tidied["base"].to_list() == [90, None, None]
    assert tidied["status"].to_list() == ["reported", "suppressed_secondary", "not_asked"]


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (pl.DataFrame({"id": ["a"], "Estimate": [1.0]}), "has no column 'estimate'"),
        (pl.DataFrame({"id": [], "estimate": []}), "has no rows"),
        (pl.DataFrame({"id": ["a", "a"], "estimate": [1.0, 2.0]}), "more than one row"),
        (pl.LazyFrame({"id": ["a"], "estimate": [1.0]}), "polars DataFrame"),
    ],
)
def test_tidy_says_what_is_wrong_with_a_table(table, what):
    with pytest.raises(ResultsError, match=what) as error:
        tidy(table, ["id", "estimate"], key=["id"], numbers=["estimate"], where="a figure")
    assert error.value.where == "a figure"


def test_a_column_of_another_case_is_suggested():
    with pytest.raises(ResultsError) as error:
        tidy(
            pl.DataFrame({"estimates": [1.0]}), ["estimate"], key=["estimate"], numbers=["estimate"], where=""
        )
    assert "estimates" in str(error.value.hint)


def test_no_button_of_a_figure_sends_it_away():
    """Plotly 7 offers to share a chart through a server of its maker; the house template takes that away."""
    assert "sendChartToCloud" in style.template().layout.modebar.remove
