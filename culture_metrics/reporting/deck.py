"""Slides in the house style: a sentence as title, one native chart or table or a list, notes beneath."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass, field, replace
from io import BytesIO
from math import floor
from textwrap import wrap
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Sizes of letters in points: titles as large as fits, text of lists, of tables and charts.
TITLES, LISTS, CELLS = (28, 24, 20), (20, 18), 14
#: Slide of 16:9, its margin and the room beneath the title, in inches.
WIDTH, HEIGHT, EDGE, TOP, FOOT = 13.333, 7.5, 0.6, 1.75, 0.55
FONT, LANGUAGE = "Arial", "en-GB"
BLUE, GREY, TEXT, LINE = "12436D", "949494", "222222", "F3F6F9"
#: Of a line that is seen on the blue of a bar and on white.
INTERVAL = "D55E00"
#: Width of a letter, of the size of the letters; height of a line.
LETTER, LINE_HEIGHT = 0.52, 1.2
#: Height of a row of one line and of upright headings, margin of a cell, in inches; widest text that makes
#: its column wider, in letters.
ROW, UPRIGHT, CELL_MARGIN, WIDEST = 0.34, 1.75, 0.06, 36
#: Letters of a line of an upright heading.
UPRIGHT_LINE = 14
#: A cell that stands at the right.
NUMBER = re.compile("\\[[a-z]\\]|[+\N{MINUS SIGN}]?\\d")
#: Room for what a slide shows, above the line beneath it.
BODY_HEIGHT = HEIGHT - TOP - FOOT - 0.25


@dataclass(frozen=True)
class Grid:
    """A native table.

    `fills` are colours behind cells by row and column, `bold` rows; headings from column `turned` on stand
    upright, where there are many.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    fills: Mapping[tuple[int, int], str] = field(default_factory=dict)
    bold: Sequence[int] = ()
    turned: int | None = None

    @property
    def widths(self) -> list[float]:
        """Widths of columns in inches: as their texts need them, together the width of the slide."""
        across = WIDTH - 2 * EDGE
        need = []
        for place, texts in enumerate(zip(*self.rows, strict=True)):
            longest = max(map(len, texts))
            upright = self.turned is not None and place >= self.turned
            words = 0 if upright else max(map(len, self.heads[place].split())) + 1
            need.append(min(max(longest, words, 5), WIDEST) + 2)
        return [across * one / sum(need) for one in need]

    @property
    def heights(self) -> list[float]:
        """Heights of rows in inches, that of the headings first."""
        inner = [width - 2 * CELL_MARGIN for width in self.widths]
        plain = self.heads if self.turned is None else self.heads[: self.turned]
        found = [_row_height(plain, inner[: len(plain)])]
        if self.turned is not None:
            found[0] = UPRIGHT
        return found + [_row_height(row, inner) for row in self.rows]

    def fitting(self) -> Grid:
        """Return the table with as many rows as the slide has room for."""
        room, rows = BODY_HEIGHT - self.heights[0], 0
        for height in self.heights[1:]:
            room -= height
            if room < 0:
                break
            rows += 1
        return replace(self, rows=self.rows[:rows])


@dataclass(frozen=True)
class Bars:
    """A native bar chart: categories and series of numbers, null where one is not there.

    `ends` are the intervals of the first series, drawn as its error bars.
    """

    names: Sequence[str]
    series: Mapping[str, Sequence[float | None]]
    form: str = "0.00"
    ends: Sequence[tuple[float | None, float | None]] = ()


@dataclass(frozen=True)
class Slide:
    """One message: its sentence, what shows it, how that is said in words, and notes for who speaks."""

    title: str
    content: Grid | Bars | Sequence[str]
    alt: str
    notes: Sequence[str]
    beneath: str = ""


def title_size(text: str, width: float = WIDTH - 2 * EDGE, height: float = TOP - 0.45) -> int:
    """Return the largest size of letters at which a title fits its box.

    Examples
    --------
    >>> title_size("Morale fell."), title_size("A long sentence. " * 14)
    (28, 20)
    """
    return next((size for size in TITLES if fits(text, size, width, height)), TITLES[-1])


def fits(text: str, size: float, width: float, height: float) -> bool:
    """Return whether text of a size in points fits a box in inches, by an estimate."""
    return lines_of(text, size, width) * size * LINE_HEIGHT / 72 <= height


def lines_of(text: str, size: float, width: float) -> int:
    """Estimate the lines that text takes at a size in points and a width in inches."""
    across = max(floor(width * 72 / (size * LETTER)), 1)
    return sum(max(len(wrap(line, across)), 1) for line in text.split("\n"))


def deck(slides: Sequence[Slide], title: str) -> bytes:
    """Return slides as the bytes of a .pptx file that names nobody.

    Examples
    --------
    >>> deck([Slide("Morale fell.", ["By 0.2."], "A list", ["Base 812."])], "A trust")[:2]
    b'PK'
    """
    from pptx import Presentation
    from pptx.util import Inches

    show = Presentation()
    show.slide_width, show.slide_height = Inches(WIDTH), Inches(HEIGHT)
    about = show.core_properties
    about.title, about.author, about.last_modified_by = title, "culture-metrics", "culture-metrics"
    about.language, about.subject, about.keywords, about.comments = LANGUAGE, "Staff survey", "", ""
    for slide in slides:
        _add(show, slide)
    packed = BytesIO()
    show.save(packed)
    return packed.getvalue()


def _add(show: Any, slide: Slide) -> None:
    from pptx.util import Inches

    page = show.slides.add_slide(show.slide_layouts[5])
    head = page.shapes.title
    head.left, head.top = Inches(EDGE), Inches(0.35)
    head.width, head.height = Inches(WIDTH - 2 * EDGE), Inches(TOP - 0.45)
    head.text_frame.word_wrap = True
    _write(head.text_frame, slide.title, title_size(slide.title), bold=True, colour=BLUE, anchor="middle")
    if isinstance(slide.content, Grid):
        frame = _grid(page, slide.content)
    elif isinstance(slide.content, Bars):
        frame = _bars(page, slide.content)
    else:
        frame = _list(page, slide.content)
    about = frame._element.xpath(".//p:cNvPr")[0]
    about.set("descr", slide.alt)
    about.set("name", "Figure")
    if slide.beneath:
        box = page.shapes.add_textbox(
            Inches(EDGE), Inches(HEIGHT - FOOT - 0.1), Inches(WIDTH - 2 * EDGE - 1), Inches(FOOT)
        )
        box.text_frame.word_wrap = True
        _write(box.text_frame, slide.beneath, CELLS, colour="595959")
    _number(page)
    page.notes_slide.notes_text_frame.text = "\n".join(slide.notes)


def _write(
    frame: Any, text: str, size: float, *, bold: bool = False, colour: str = TEXT, anchor: str = "top"
) -> None:
    from pptx.enum.text import MSO_ANCHOR, PP_ALIGN
    from pptx.util import Pt

    frame.text = text
    frame.vertical_anchor = {"top": MSO_ANCHOR.TOP, "middle": MSO_ANCHOR.MIDDLE}[anchor]
    for paragraph in frame.paragraphs:
        paragraph.alignment = PP_ALIGN.LEFT
        for run in paragraph.runs:
            run.font.name, run.font.size, run.font.bold = FONT, Pt(size), bold
            run.font.color.rgb = _rgb(colour)
            run.font.language_id = _english()


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(colour)  # type: ignore[no-untyped-call]


def _english() -> Any:
    from pptx.enum.lang import MSO_LANGUAGE_ID

    return MSO_LANGUAGE_ID.ENGLISH_UK


def _list(page: Any, lines: Sequence[str]) -> Any:
    from pptx.util import Inches, Pt

    box = page.shapes.add_textbox(
        Inches(EDGE), Inches(TOP + 0.1), Inches(WIDTH - 2 * EDGE), Inches(HEIGHT - TOP - FOOT - 0.2)
    )
    box.text_frame.word_wrap = True
    room = BODY_HEIGHT - len(lines) * 14 / 72
    sizes = (size for size in LISTS if fits("\n".join(lines), size, WIDTH - 2 * EDGE - 0.2, room))
    size = next(sizes, LISTS[-1])
    _write(box.text_frame, "\n".join(lines), size)
    for paragraph in box.text_frame.paragraphs:
        paragraph.space_after = Pt(14)
    return box


def _row_height(texts: Sequence[str], widths: Sequence[float]) -> float:
    lines = max(lines_of(text, CELLS, width) for text, width in zip(texts, widths, strict=True))
    return ROW + (lines - 1) * CELLS * LINE_HEIGHT / 72


def _grid(page: Any, grid: Grid) -> Any:
    from pptx.enum.text import PP_ALIGN
    from pptx.util import Inches

    frame = page.shapes.add_table(
        len(grid.rows) + 1, len(grid.heads), Inches(EDGE), Inches(TOP + 0.05),
        Inches(WIDTH - 2 * EDGE), Inches(sum(grid.heights)),
    )  # fmt: skip
    table = frame.table
    table.horz_banding = False
    for column, width in zip(table.columns, grid.widths, strict=True):
        column.width = Inches(width)
    numbers = [all(NUMBER.match(row[place]) for row in grid.rows) for place in range(len(grid.heads))]
    for row, (texts, height) in enumerate(zip([grid.heads, *grid.rows], grid.heights, strict=True)):
        table.rows[row].height = Inches(height)
        for place, text in enumerate(texts):
            cell = table.cell(row, place)
            cell.margin_top = cell.margin_bottom = Inches(0.03)
            cell.margin_left = cell.margin_right = Inches(CELL_MARGIN)
            strong = not row or row - 1 in grid.bold
            upright = not row and grid.turned is not None and place >= grid.turned
            said = "\n".join(wrap(text, UPRIGHT_LINE)) if upright else text
            _write(cell.text_frame, said, CELLS, bold=strong, colour="FFFFFF" if not row else TEXT)
            if numbers[place]:
                cell.text_frame.paragraphs[0].alignment = PP_ALIGN.RIGHT
            if upright:
                cell.text_frame.paragraphs[0].alignment = PP_ALIGN.LEFT
                cell._tc.get_or_add_tcPr().set("vert", "vert270")
            cell.fill.solid()
            fill = BLUE if not row else grid.fills.get((row - 1, place), "FFFFFF").removeprefix("#")
            cell.fill.fore_color.rgb = _rgb(fill)
    return frame


def _bars(page: Any, bars: Bars) -> Any:
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import (
        XL_CHART_TYPE,
        XL_LABEL_POSITION,
        XL_LEGEND_POSITION,
        XL_TICK_LABEL_POSITION,
    )
    from pptx.util import Inches, Pt

    data: Any = CategoryChartData(number_format=bars.form)  # type: ignore[no-untyped-call]
    data.categories = [*bars.names]
    for name, values in bars.series.items():
        data.add_series(name, [*values])
    frame = page.shapes.add_chart(
        XL_CHART_TYPE.BAR_CLUSTERED, Inches(EDGE), Inches(TOP), Inches(WIDTH - 2 * EDGE),
        Inches(HEIGHT - TOP - FOOT - 0.1), data,
    )  # fmt: skip
    chart = frame.chart
    chart.font.size, chart.font.name = Pt(CELLS), FONT
    chart.font.color.rgb = _rgb(TEXT)
    chart.has_legend = len(bars.series) > 1
    if chart.has_legend:
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
    chart.category_axis.reverse_order = True
    chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    chart.category_axis.format.line.color.rgb = _rgb(GREY)
    chart.value_axis.visible = False
    chart.value_axis.has_major_gridlines = False
    chart.value_axis.minimum_scale = 0
    plot = chart.plots[0]
    plot.gap_width, plot.overlap = 60, 0
    plot.has_data_labels = True
    plot.data_labels.number_format, plot.data_labels.number_format_is_linked = bars.form, False
    plot.data_labels.font.size = Pt(CELLS)
    # Beside an interval the number stands at the foot of its bar, where no line crosses it.
    plot.data_labels.position = XL_LABEL_POSITION.INSIDE_BASE if bars.ends else XL_LABEL_POSITION.OUTSIDE_END
    for series, colour in zip(plot.series, (BLUE, GREY), strict=False):
        series.format.fill.solid()
        series.format.fill.fore_color.rgb = _rgb(colour)
    if bars.ends:
        first = plot.series[0]
        _error_bars(first, bars)
        labels = first.data_labels
        labels.show_value, labels.position = True, XL_LABEL_POSITION.INSIDE_BASE
        labels.number_format, labels.number_format_is_linked = bars.form, False
        labels.font.size, labels.font.color.rgb = Pt(CELLS), _rgb("FFFFFF")
    return frame


def _error_bars(series: Any, bars: Bars) -> None:
    """Draw the interval of each bar: PowerPoint's own error bars, with lengths of their own."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls

    own = next(iter(bars.series.values()))
    sides = {
        "plus": [_length(high, value) for (_, high), value in zip(bars.ends, own, strict=True)],
        "minus": [_length(value, low) for (low, _), value in zip(bars.ends, own, strict=True)],
    }
    lengths = "".join(
        f"<c:{side}><c:numLit><c:formatCode>General</c:formatCode><c:ptCount val='{len(values)}'/>"
        + "".join(f"<c:pt idx='{i}'><c:v>{value}</c:v></c:pt>" for i, value in enumerate(values))
        + f"</c:numLit></c:{side}>"
        for side, values in sides.items()
    )
    made = parse_xml(
        f"<c:errBars {nsdecls('c', 'a')}><c:errBarType val='both'/><c:errValType val='cust'/>"
        f"<c:noEndCap val='0'/>{lengths}<c:spPr><a:ln w='22225'><a:solidFill><a:srgbClr val='{INTERVAL}'/>"
        "</a:solidFill></a:ln></c:spPr></c:errBars>"
    )
    # Its place in the order that the format prescribes: before the categories.
    series._element.cat.addprevious(made)


def _length(high: float | None, low: float | None) -> float:
    return 0.0 if high is None or low is None else max(high - low, 0.0)


def _number(page: Any) -> None:
    """Put the number of the slide where the layout has it."""
    from pptx.enum.shapes import PP_PLACEHOLDER
    from pptx.util import Inches

    for place in page.slide_layout.placeholders:
        if place.placeholder_format.type == PP_PLACEHOLDER.SLIDE_NUMBER:
            page.shapes._spTree.append(deepcopy(place._element))
            own = page.shapes[-1]
            own.left, own.top = Inches(WIDTH - EDGE - 1), Inches(HEIGHT - FOOT)
            own.width, own.height = Inches(1), Inches(0.4)
