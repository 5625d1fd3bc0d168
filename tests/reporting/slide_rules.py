"""What is wrong with slides: titles, alternative text, sizes of letters, what does not fit, notes, numbers."""

from __future__ import annotations

from pptx import Presentation
from pptx.enum.shapes import MSO_SHAPE_TYPE, PP_PLACEHOLDER

from culture_metrics.reporting.deck import lines_of

INCH, SMALLEST, BODY = 914400, 14, 18


def slide_faults(path):
    """Return what is wrong with the slides of a file, in words; opens it again as PowerPoint would."""
    show = Presentation(path)
    found = (
        []
        if show.slide_width * 9 // 16 in range(show.slide_height - 2000, show.slide_height + 2000)
        else ["not 16:9"]
    )
    for number, slide in enumerate(show.slides, 1):
        found += [f"slide {number}: {said}" for said in _faults(slide, show.slide_height)]
    return found


def _faults(slide, height):
    title = slide.shapes.title
    if title is None or not title.text_frame.text.strip().endswith("."):
        yield "no sentence as title"
    if not slide.has_notes_slide or len(slide.notes_slide.notes_text_frame.text) < 60:
        yield "no notes"
    places = [s.placeholder_format.type for s in slide.placeholders]
    if PP_PLACEHOLDER.SLIDE_NUMBER not in places:
        yield "no number"
    graphics = 0
    for shape in slide.shapes:
        alt = shape._element.xpath(".//p:cNvPr")[0].get("descr")
        if shape.has_chart or shape.has_table:
            graphics += 1
            if not alt or len(alt) < 30:
                yield "a chart or table without alternative text"
        if shape.shape_type == MSO_SHAPE_TYPE.PICTURE:
            yield "a picture, which nobody can edit"
        if shape.top + shape.height > height:
            yield f"{shape.name} leaves the slide"
        if shape.has_table:
            yield from _table(shape)
        elif shape.has_text_frame and shape.text_frame.text.strip() and not shape.is_placeholder:
            yield from _text(shape, SMALLEST)
        elif shape is title or shape == title:
            yield from _text(shape, 20)
    if graphics > 1:
        yield "more than one message"


def _text(shape, least):
    sizes = [run.font.size.pt for p in shape.text_frame.paragraphs for run in p.runs]
    if min(sizes) < least:
        yield f"letters of {min(sizes)} points"
    tall = lines_of(shape.text_frame.text, max(sizes), shape.width / INCH) * max(sizes) * 1.2 / 72
    if tall > shape.height / INCH + 0.05:
        yield f"text that does not fit: {shape.text_frame.text[:40]}"


def _table(shape):
    tall = 0.0
    for place, row in enumerate(shape.table.rows):
        sizes = [r.font.size.pt for c in row.cells for p in c.text_frame.paragraphs for r in p.runs]
        if min(sizes) < SMALLEST:
            yield f"letters of {min(sizes)} points in a table"
        lines = [
            lines_of(c.text_frame.text, max(sizes), column.width / INCH - 0.12)
            for c, column in zip(row.cells, shape.table.columns, strict=True)
            if c._tc.tcPr is None or c._tc.tcPr.get("vert") is None
        ]
        tall += max(row.height / INCH, max(lines) * max(sizes) * 1.2 / 72)
        if not all(c.text_frame.text for c in row.cells):
            yield f"an empty cell in row {place}"
    if shape.top / INCH + tall > 7.5 - 0.55:
        yield f"a table of {tall:.1f} inches"
