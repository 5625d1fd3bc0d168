"""The house's figure: what it leaves where no Plotly is, how it follows a theme, and what its words do."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import plotly.io as pio
import polars as pl
import pytest
from accessible import faults

from culture_metrics.errors import ReportError, UnknownNameError
from culture_metrics.views import style
from culture_metrics.views.camera import Camera
from culture_metrics.views.distribution import SHADES, distribution
from culture_metrics.views.house import MOST_ROWS, HouseFigure, folded
from culture_metrics.views.labels import spread, width, wrap
from culture_metrics.views.numbers import listed
from culture_metrics.views.save import at_width, for_slide, picture
from culture_metrics.views.theme import DARK_PAGE, MARKS, WORDS, following
from culture_metrics.wording.grey import furthest_apart, furthest_change, seen_apart, seen_change
from culture_metrics.wording.table import Table

JSON = "application/vnd.plotly.v1+json"
LONG = "Mersey Trust: scores from 4.79 (Appraisals) to 7.63 (Diversity and equality in every single one)"


@pytest.fixture
def fig():
    made = style.figure()
    made.add_scatter(x=[1, 2], y=[3, 4], marker={"color": style.FOCUS})
    made.update_xaxes(tickvals=[1, 2], title_text="Score")
    key = f"<span style='color:{style.FOCUS}'>●</span> own"
    style.note(made, key, x=0, y=1, font=style.QUIET, bgcolor=style.PAPER)
    numbers = pl.DataFrame({"Score": ["Morale", "Ward <1>"], "Value": ["5.90", "[c]"]})
    return style.finish(
        made, style.Room(height=300, left=90), title=LONG, subtitle="2024. Base 812.", alt="A dot.",
        source="a file", numbers=numbers,
    )  # fmt: skip


def test_a_notebook_saves_words_and_numbers_beside_the_drawing(fig):
    saved = fig.bundle()
    assert saved["text/html"].startswith(f"<p>{LONG}. A dot.</p><details")
    assert (
        "<th scope='row' style='text-align:left;font-weight:normal'>Ward &lt;1&gt;</th>" in saved["text/html"]
    )
    assert "[c] confidential" in saved["text/html"]
    assert saved["text/plain"] == f"{LONG}. A dot."
    assert saved[JSON]["config"]["typesetMath"] is False


def test_a_figure_is_saved_as_the_ending_says(fig, tmp_path, monkeypatch):
    assert "Plotly.newPlot(" in fig.save(tmp_path / "a.html").read_text(encoding="utf-8")
    assert pl.read_csv(fig.save(tmp_path / "a.csv"))["Value"].to_list() == ["5.90", "[c]"]
    path = fig.save(tmp_path / "a.xlsx")
    assert faults(path) == []
    assert pl.read_excel(path, table_name="Figures")["Score"].to_list() == ["Morale", "Ward <1>"]
    monkeypatch.setattr("culture_metrics.views.save.drawn", lambda _, kind, where="": kind.encode())
    assert fig.save(tmp_path / "a.svg").read_bytes() == b"svg"
    with pytest.raises(UnknownNameError, match=r"\.pdf"):
        fig.save(tmp_path / "a.pdf")
    bare = HouseFigure()
    with pytest.raises(ReportError, match="no numbers"):
        bare.save(tmp_path / "b.csv")


def test_a_picture_is_drawn_only_where_it_is_asked_for(fig, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "culture_metrics.views.save.drawn", lambda _, kind, where="": drawn.append(kind) or b"<svg/>"
    )
    assert "image/svg+xml" not in fig.bundle()
    assert drawn == []
    monkeypatch.setenv("CULTURE_METRICS_PICTURES", "svg")
    saved = fig.bundle()
    assert saved["image/svg+xml"] == "<svg/>"
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in saved["text/html"]
    assert drawn == ["svg"]


def test_only_jupyter_and_vs_code_get_the_house_bundle(fig, monkeypatch):
    seen = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: seen.append(data))
    monkeypatch.setattr(pio.renderers, "default", "plotly_mimetype")
    fig._ipython_display_()
    assert seen[0].keys() == {JSON, "text/html", "text/plain"}
    monkeypatch.setattr(pio, "show", lambda figure: seen.append("Plotly's own"))
    monkeypatch.setattr(pio.renderers, "default", "png")
    fig._ipython_display_()
    assert seen[1:] == ["Plotly's own"]


def test_a_table_of_many_rows_says_how_many_more_there_are():
    rows = [f"Ward {n}" for n in range(MOST_ROWS + 1200)]
    told = folded(Table(pl.DataFrame({"Group": rows, "Value": rows}), "t"))
    assert told.count("<tr>") == MOST_ROWS + 1
    assert "And 1,200 more rows." in told


def test_what_is_held_back_is_marked_in_the_table_as_in_the_figure():
    rows = pl.DataFrame(
        {"label": ["a", "b", "c"], "estimate": [5.0, None, None], "empty": [None] * 3,
         "status": ["reported", "suppressed_secondary", "not_asked"]}
    )  # fmt: skip
    found = listed(rows, {"Score": "label", "Value": "estimate", "Nothing": "empty"})
    assert found.to_dict(as_series=False) == {"Score": ["a", "b", "c"], "Value": ["5.00", "[c]", "[x]"]}


@pytest.mark.parametrize("give", [{"title": "Nurses only"}, {"title_text": "Nurses only"}])
def test_a_title_of_ones_own_keeps_the_subtitle_and_opens_the_alt_text(fig, give):
    before = fig.layout.height
    assert fig.update_layout(**give) is fig
    assert fig.layout.title.text.startswith("Nurses only<br><span")
    assert "2024. Base 812." in fig.layout.title.text
    assert fig.layout.meta["alt"] == "Nurses only. A dot."
    # The title it had took two lines.
    assert fig.layout.height == before - style.HEADING_LINE
    assert fig.layout.title.pad.t == style.EDGE + 14
    margin = fig.layout.margin
    assert fig.layout.height == margin.t + 300 + margin.b


@pytest.fixture
def browser(monkeypatch, tmp_path):
    """Let kaleido start a program of these lines as its browser, or find none without lines."""
    pytest.importorskip("kaleido")

    def start(lines: str, patience: float = 30.0) -> None:
        own = Camera(patience)
        monkeypatch.setattr("culture_metrics.views.save.camera", lambda: own)
        program = tmp_path / "browser"
        if lines:
            program.write_text(f"#!/bin/sh\n{lines}\n")
            program.chmod(0o755)
        monkeypatch.setenv("BROWSER_PATH", str(program))
        for name in ("get_chrome_download_path", "get_old_chrome_download_path"):
            monkeypatch.setattr(f"choreographer.browsers.chromium.{name}", lambda **_: None, raising=False)

    return start


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_picture_without_a_browser_says_what_works_instead(fig, browser, tmp_path, kind):
    browser("")
    with pytest.raises(ReportError, match="Chrome, Chromium or Edge, and none was found") as error:
        picture(fig, tmp_path / f"x.{kind}")
    assert ".html" in error.value.hint
    assert error.value.where == f"x.{kind}"


def running(process: str) -> bool:
    """Whether a process is there that has not ended."""
    told = subprocess.run(["ps", "-o", "stat=", "-p", process], check=False, capture_output=True, text=True)
    return told.stdout.strip()[:1] not in ("", "Z")


@pytest.mark.skipif(sys.platform == "win32", reason="its browsers are no shell scripts")
@pytest.mark.parametrize(
    ("lines", "patience", "said"), [("exit 1", 30, "ended"), ("exec sleep 100", 1, "within 1 seconds")]
)
def test_a_browser_that_dies_or_hangs_is_not_waited_for(
    fig, browser, monkeypatch, tmp_path, lines, patience, said
):
    """Also where a notebook asks for a picture in its outputs."""
    browser(f"echo $$ > {tmp_path}/process; {lines}", patience)
    monkeypatch.setenv("CULTURE_METRICS_PICTURES", "svg")
    with pytest.raises(ReportError, match=said) as error:
        fig.bundle()
    assert ".html" in error.value.hint
    process = tmp_path / "process"  # none where the time was over before it began
    assert not process.exists() or not running(process.read_text().strip())


def test_other_changes_leave_the_title_alone(fig):
    before = fig.layout.title.text
    assert fig.update_layout(height=500).layout.title.text == before


def test_no_last_line_is_a_single_word():
    text = "Compassionate and inclusive leadership of the whole organisation everywhere"
    for pixels in range(250, 500, 10):
        lines = spread(text, pixels)
        assert len(lines) == len(wrap(text, pixels))
        assert " " in lines[-1]
        assert max(map(width, lines)) <= pixels
    assert spread("Word", 10) == ["Word"]


def test_a_wider_figure_has_fewer_lines_of_words_and_keeps_its_plot(fig):
    narrow = fig.to_dict()["layout"]
    wide = at_width(narrow, 1600)
    assert narrow["title"]["text"].count("<br>") == 2
    assert wide["title"]["text"].count("<br>") == 1
    assert wide["height"] - wide["margin"]["t"] - wide["margin"]["b"] == 300
    assert wide["height"] == narrow["height"] - style.HEADING_LINE


@pytest.mark.parametrize("height", [200, 450, 700, 1400])
def test_words_on_a_slide_have_fourteen_pixels_and_more(height):
    made = style.finish(style.figure(), style.Room(height=height), title="T", subtitle="S", alt="")
    shown, size = for_slide(made)
    across, down = size["width"] * size["scale"], size["height"] * size["scale"]
    assert across == pytest.approx(1600, abs=2)
    assert down == pytest.approx(900, abs=2) or (down > 900 and height == 1400)
    assert size["scale"] * shown["layout"]["template"]["layout"]["font"]["size"] >= 14
    assert shown["layout"]["height"] == size["height"]


def test_marks_can_be_seen_on_a_white_and_on_a_dark_page():
    for colour in (*style.CATEGORIES, style.FOCUS, style.MARK, style.TEXT):
        mark = MARKS.get(colour, colour)
        assert style.contrast(mark, style.PAPER) >= 3
        assert style.contrast(mark, DARK_PAGE) >= 3


def test_texts_of_a_notebook_have_the_colour_of_its_theme(fig):
    layout = following(fig.to_plotly_json())["layout"]
    assert {layout["paper_bgcolor"], layout["plot_bgcolor"]} == {"rgba(0,0,0,0)"}
    every = [layout["title"]["text"], layout["xaxis"]["title"]["text"], *layout["xaxis"]["ticktext"]]
    every += [note["text"] for note in layout["annotations"]]
    for text in every:
        for line in text.split("<br>"):
            assert line.startswith("<span style='color:var(--jp-"), line
    # No ground of paper hides what is behind a text, and a swatch has the colour of its marks.
    assert layout["annotations"][0]["bgcolor"] == "rgba(0,0,0,0)"
    assert f"color:{MARKS[style.FOCUS]}'>●" in layout["annotations"][0]["text"]
    assert following(fig.to_plotly_json())["data"][0]["marker"]["color"] == MARKS[style.FOCUS]
    # The figure itself stays as it was.
    assert fig.data[0].marker.color == style.FOCUS
    assert set(WORDS) == {style.TEXT, style.QUIET_TEXT, style.FOCUS}


def test_a_report_gets_the_figure_as_it_is(fig, monkeypatch):
    monkeypatch.setenv("PLOTLY_RENDERER", "plotly_mimetype")
    assert "var(--" not in str(fig.bundle()[JSON])


def test_every_text_on_a_coloured_bar_keeps_four_and_a_half_to_one():
    grounds = {colour for shades in SHADES.values() for colour, _ in shades}
    grounds |= {
        *style.CATEGORIES,
        *style.SEQUENTIAL,
        style.AROUND,
        style.MARK,
        *(c for _, c in style.DIVERGING),
    }
    grounds |= {
        style.between(one, other, n / 10)
        for one in grounds
        for other in grounds
        for n in range(11)
    }  # fmt: skip
    worst = min(style.contrast(style.text_on(ground), ground) for ground in grounds)
    assert worst >= 4.5
    # In a dark notebook bars change their colour, and their text stays.
    for colour in (style.DARK_BLUE, style.DARK_PINK):
        assert style.contrast(style.text_on(colour), MARKS[colour]) >= 4.5


def bars(options: int):
    """One question answered from 0 on, where the middle answer is in the middle."""
    middle = (options + 1) / 2
    return pl.DataFrame(
        {
            "question": "q1", "label": "Enjoyed", "option": range(options),
            "option_label": [str(n) for n in range(options)], "percent": 100 / options, "base": 900,
            "position": range(1, options + 1), "beside": False,
            "favourable": [None if n == middle else n > middle for n in range(1, options + 1)],
        }
    )  # fmt: skip


def test_answers_from_0_to_10_get_darker_step_by_step():
    fig = distribution(bars(11), title="t")
    for name in ("Favourable", "Unfavourable"):
        colours = [
            colour
            for trace in fig.data
            if trace.name.casefold().endswith(name.casefold()) and not (name == "Favourable" and "un" in trace.name.casefold())
            for colour in ([trace.marker.color] if isinstance(trace.marker.color, str) else trace.marker.color)
        ]  # fmt: skip
        light = sorted(style.contrast(colour, style.PAPER) for colour in colours)
        assert len({*colours}) == 5
        assert all(b / a > 1.15 for a, b in pairwise(light))
    inks = [t.textfont.color for t in fig.data]
    pairs = [
        (ground, ink)
        for trace, ink in zip(fig.data, inks, strict=True)
        for ground, ink in (
            [(trace.marker.color, ink)] if isinstance(ink, str) and isinstance(trace.marker.color, str)
            else zip(trace.marker.color, [ink] * 9 if isinstance(ink, str) else ink, strict=False)
        )
    ]  # fmt: skip
    assert min(style.contrast(*pair) for pair in pairs) >= 4.5


def test_a_scale_of_five_keeps_its_four_colours_and_grey():
    fig = distribution(bars(5), title="t")
    assert {t.marker.color for t in fig.data} == {*style.CATEGORIES, style.AROUND}


def test_a_grey_map_says_what_is_furthest_and_what_would_have_been_seen():
    rows = pl.DataFrame(
        {
            "group": ["Estates", "Ward 7"], "label": ["Morale", "Voice"], "estimate": [6.4, 7.5],
            "reference": [6.0, 6.1], "difference": [0.4, 1.4], "conf_low": [6.0, 5.5],
            "conf_high": [6.8, 9.5], "detectable_change": [0.5, 1.5],
        }
    )  # fmt: skip
    # By its own interval Morale is further: 0.4 of 0.8 against 1.4 of 4.
    assert furthest_apart(rows, "score") == (
        "none of 2 scores clearly apart from the whole; furthest is Morale in Estates, 6.40 against 6.00"
    )
    change = rows.with_columns(pl.col("conf_low", "conf_high") - 6)
    assert furthest_change(change, "score").endswith("is beyond chance; furthest is Morale in Estates, +0.40")
    assert "a true change of 1.00 or more" in seen_change(rows, "score")
    assert seen_change(rows.drop("detectable_change"), "score") == ""
    # Middle width 2.4, so error 2.4 / (2 × 1.959964); two cells: 2.241403 + 0.841621 errors.
    assert "a true difference of about 1.89 or more" in seen_apart(rows, "score")


def test_a_house_figure_is_what_every_view_draws():
    assert isinstance(style.figure(), HouseFigure)
