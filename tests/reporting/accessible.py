"""The project's own test of a workbook's accessibility: one rule of the guidance each, read from its XML.

The rules are those of the UK Government Analysis Function ("Releasing statistics in spreadsheets", "Making
spreadsheets accessible: checklist of the basics"). Kept against its advice, as readers asked for them: filters
and freeze panes; so they are rules here as well.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from functools import cached_property
from xml.etree import ElementTree as ET

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
REL = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
SANS = {"Arial", "Verdana", "Helvetica", "Calibri", "Tahoma"}
CORE = ("dc:title", "dc:creator", "dc:language")


def number_of(column: str) -> int:
    found = 0
    for letter in column:
        found = found * 26 + ord(letter) - 64
    return found


def place_of(ref: str) -> tuple[int, int]:
    letters, row = re.fullmatch(r"([A-Z]+)(\d+)", ref.replace("$", "")).groups()
    return int(row), number_of(letters)


@dataclass
class Page:
    """One worksheet: its XML, its cells by (row, column) as (text, is a number, style), and its tables."""

    name: str
    state: str
    xml: ET.Element
    tables: list[ET.Element]
    links: dict[tuple[int, int], tuple[str, str]]
    cells: dict[tuple[int, int], tuple[str, bool, int]] = field(default_factory=dict)

    @cached_property
    def area(self):
        """First and last row and column of the table."""
        (top, left), (bottom, right) = map(place_of, self.tables[0].get("ref").split(":"))
        return top, left, bottom, right

    def text(self, row, column):
        return self.cells.get((row, column), ("", False, 0))[0]


class Book:
    def __init__(self, path):
        with zipfile.ZipFile(path) as parts:
            self.parts = {name: parts.read(name) for name in parts.namelist()}
        strings = ET.fromstring(self.parts.get("xl/sharedStrings.xml", b"<x/>"))
        self.strings = ["".join(t.text or "" for t in s.iter(f"{MAIN}t")) for s in strings]
        self.styles = ET.fromstring(self.parts["xl/styles.xml"])
        book = ET.fromstring(self.parts["xl/workbook.xml"])
        self.looks = {}
        self.view = book.find(f"{MAIN}bookViews/{MAIN}workbookView")
        targets = self._targets("xl/_rels/workbook.xml.rels", "xl/")
        self.pages = [self._page(s, targets) for s in book.find(f"{MAIN}sheets")]

    def _targets(self, rels, folder):
        if rels not in self.parts:
            return {}
        return {
            r.get("Id"): re.sub(r"^(\.\./|/xl/)", "", r.get("Target")) if "://" not in r.get("Target") else ""
            for r in ET.fromstring(self.parts[rels])
        }

    def _page(self, sheet, targets):
        part = f"xl/{targets[sheet.get(f'{REL}id')]}"
        xml = ET.fromstring(self.parts[part])
        rels = self._targets(part.replace("worksheets/", "worksheets/_rels/") + ".rels", "xl/")
        tables = [ET.fromstring(self.parts[f"xl/{t}"]) for t in rels.values() if t.startswith("tables/")]
        links = {
            place_of(h.get("ref")): (h.get("location") or "", h.get("display") or "")
            for h in xml.iter(f"{MAIN}hyperlink")
        }
        page = Page(sheet.get("name"), sheet.get("state", "visible"), xml, tables, links)
        for cell in xml.iter(f"{MAIN}c"):
            value = cell.find(f"{MAIN}v")
            if value is not None:
                text = self.strings[int(value.text)] if cell.get("t") == "s" else value.text
                kind = cell.get("t", "n") == "n"
                page.cells[place_of(cell.get("r"))] = (text, kind, int(cell.get("s", 0)))
        return page

    @property
    def tabled(self):
        return [page for page in self.pages if page.tables]

    def style(self, number):
        """Font, fill, number format and wrap of a style."""
        if number not in self.looks:
            self.looks[number] = self._look(number)
        return self.looks[number]

    def _look(self, number):
        xf = self.styles.find(f"{MAIN}cellXfs")[number]
        font = self.styles.find(f"{MAIN}fonts")[int(xf.get("fontId"))]
        fill = self.styles.find(f"{MAIN}fills")[int(xf.get("fillId"))].find(f".//{MAIN}fgColor")
        forms = {f.get("numFmtId"): f.get("formatCode") for f in self.styles.iter(f"{MAIN}numFmt")}
        align = xf.find(f"{MAIN}alignment")
        colour = font.find(f"{MAIN}color")
        return {
            "font": font.find(f"{MAIN}name").get("val"),
            "size": float(font.find(f"{MAIN}sz").get("val")),
            "bold": font.find(f"{MAIN}b") is not None,
            "ink": (colour.get("rgb") if colour is not None else None) or "FF000000",
            "raised": font.find(f"{MAIN}vertAlign") is not None,
            "fill": fill.get("rgb") if fill is not None else None,
            "form": forms.get(xf.get("numFmtId"), ""),
            "wrap": align is not None and align.get("wrapText") == "1",
        }


def _light(rgb):
    parts = [int(rgb[i : i + 2], 16) / 255 for i in (2, 4, 6)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    low, high = sorted((_light(one), _light(other)))
    return (high + 0.05) / (low + 0.05)


def a_cover_contents_and_notes_come_first(book):
    return [p.name for p in book.pages[:3]] == ["Cover", "Contents", "Notes"]


def contents_link_to_every_sheet_in_words(book):
    names = [p.name for p in book.pages[2:]]
    page = book.pages[1]
    return all(f"'{name}'!A1" in {where for where, _ in page.links.values()} for name in names) and all(
        page.text(*at) in names for at in page.links
    )


def links_say_where_they_lead(book):
    links = [(p.text(*at), where) for p in book.pages for at, (where, _) in p.links.items()]
    return all(text and where and not re.search(r"http|!|click here", text) for text, where in links)


def every_sheet_has_its_title_in_a1(book):
    def is_title(page):
        text, _, number = page.cells.get((1, 1), ("", False, 0))
        look = book.style(number)
        return bool(text) and look["bold"] and look["size"] > 12

    return all(map(is_title, book.pages)) and len({p.text(1, 1) for p in book.tabled}) == len(book.tabled)


def the_number_of_tables_is_said(book):
    return all(p.text(2, 1) == "This worksheet contains one table." for p in book.tabled)


def every_sheet_but_the_cover_has_one_table(book):
    return [len(p.tables) for p in book.pages] == [0] + [1] * (len(book.pages) - 1)


def tables_have_names_of_their_own(book):
    names = [p.tables[0].get("displayName") for p in book.tabled]
    known = len({n.lower() for n in names}) == len(names)
    return known and not any(re.fullmatch(r"Table\d+", n) or re.search(r"\W", n) for n in names)


def tables_begin_at_the_left_with_one_row_of_headings(book):
    def sound(page):
        top, left, _, right = page.area
        heads = [page.text(top, c) for c in range(left, right + 1)]
        named = [c.get("name") for c in page.tables[0].iter(f"{MAIN}tableColumn")]
        plain = [re.sub(r"\s+", " ", head) for head in heads]
        one = page.tables[0].get("headerRowCount", "1") == "1"
        return (
            left == 1 and one and all(plain) and len({h.lower() for h in plain}) == len(plain) == len(named)
        )

    return all(map(sound, book.tabled))


def no_cells_are_merged(book):
    return not any(b"mergeCell" in text for text in book.parts.values())


def nothing_is_hidden(book):
    shown = all(p.state == "visible" for p in book.pages)
    places = [e for p in book.pages for tag in ("row", "col") for e in p.xml.iter(f"{MAIN}{tag}")]
    return shown and not any(e.get("hidden") == "1" or e.get("collapsed") == "1" for e in places)


def no_cell_of_a_table_is_blank(book):
    def full(page):
        top, left, bottom, right = page.area
        return all(page.text(r, c).strip() for r in range(top, bottom + 1) for c in range(left, right + 1))

    return all(map(full, book.tabled))


def no_row_above_a_table_is_blank_and_nothing_is_below(book):
    def sound(page):
        top, _, bottom, _ = page.area
        return all(page.text(r, 1) for r in range(1, top)) and max(r for r, _ in page.cells) == bottom

    cover = book.pages[0]
    return all(map(sound, book.tabled)) and all(
        cover.text(r, 1) for r in range(1, max(r for r, _ in cover.cells) + 1)
    )


def a_column_has_numbers_and_marks_or_texts(book):
    """What is a number is one in every cell: a text among numbers is a mark."""

    def sound(page):
        top, left, bottom, right = page.area
        columns = (
            [page.cells.get((r, c)) for r in range(top + 1, bottom + 1)] for c in range(left, right + 1)
        )
        return not any(
            any(cell[1] for cell in cells)
            and any(not cell[1] and not re.fullmatch(r"\[[a-z]+\]", cell[0]) for cell in cells)
            for cells in ([cell for cell in column if cell] for column in columns)
        )

    return all(map(sound, book.tabled))


def texts_of_digits_are_no_warnings(book):
    """A year or a code is a name: Excel is told not to mark it as a number that went wrong."""

    def sound(page):
        told = " ".join(
            e.get("sqref") for e in page.xml.iter(f"{MAIN}ignoredError") if e.get("numberStoredAsText") == "1"
        )
        spans = [[place_of(end) for end in span.split(":")] for span in told.split()]
        top, left, bottom, right = page.area
        return all(
            any(a[0] <= r <= b[0] and a[1] <= c <= b[1] for a, b in spans)
            for (r, c), (text, is_number, _) in page.cells.items()
            if top < r <= bottom and left <= c <= right and not is_number and re.fullmatch(r"[\d.,]+", text)
        )

    return all(map(sound, book.tabled))


def columns_are_wide_enough_or_wrap(book):
    def sound(page):
        top, left, bottom, right = page.area
        widths = {}
        for col in page.xml.iter(f"{MAIN}col"):
            for c in range(int(col.get("min")), int(col.get("max")) + 1):
                widths[c] = float(col.get("width"))
        for c in range(left, right + 1):
            head, _, number = page.cells[top, c]
            if not book.style(number)["wrap"] or max(map(len, re.split(r"[\s-]", head))) > widths.get(c, 8):
                return False
            for r in range(top + 1, bottom + 1):
                text, is_number, number = page.cells.get((r, c), ("", True, 0))
                if not is_number and len(text) > widths[c] and not book.style(number)["wrap"]:
                    return False
        return True

    return all(map(sound, book.tabled))


def letters_are_sans_serif_of_12_points_or_more(book):
    used = {number for p in book.pages for _, _, number in p.cells.values()}
    looks = [book.style(number) for number in used]
    return all(look["font"] in SANS and look["size"] >= 12 and not look["raised"] for look in looks)


def colour_is_never_the_only_sign(book):
    """A coloured cell says in words what its colour says, in its text or in how its number is shown."""
    coloured = [
        (text, book.style(number))
        for p in book.pages
        for text, _, number in p.cells.values()
        if book.style(number)["fill"]
    ]
    return all(re.search(r'"[^"]*[a-z]{3,}[^"]*"', look["form"]) for text, look in coloured)


def colours_keep_a_contrast_of_4_5(book):
    used = {number for p in book.pages for _, _, number in p.cells.values()}
    looks = [book.style(number) for number in used]
    return all(contrast(look["ink"], look["fill"] or "FFFFFFFF") >= 4.5 for look in looks)


def marks_are_explained_in_the_notes(book):
    notes = book.pages[2]
    explained = {text for (_, column), (text, _, _) in notes.cells.items() if column == 1}
    used = {text for p in book.tabled for text, _, _ in p.cells.values() if re.fullmatch(r"\[[a-z]+\]", text)}
    return used <= explained


def headings_carry_no_footnote_signs(book):
    heads = [p.text(p.area[0], c) for p in book.tabled for c in range(1, p.area[3] + 1)]
    return not any(re.search(r"[*\u2020\u2021\u00b9\u00b2\u00b3]", head) for head in heads)


def units_stand_in_the_headings_of_heat_maps(book):
    maps = [p for p in book.tabled if p.name.startswith("Heat map")]
    heads = [
        p.text(p.area[0], c)
        for p in maps for c in range(1, p.area[3] + 1) if p.cells[p.area[0] + 1, c][1]
    ]  # fmt: skip
    return all(re.search(r"\((people|%|\d+ to \d+)\)$", head) for head in heads)


def nothing_floats_and_nothing_runs(book):
    names = " ".join(book.parts)
    texts = b"".join(book.parts[n] for n in book.parts if n.startswith("xl/worksheets/sheet"))
    return not re.search(r"media/|drawings/|vbaProject|comments", names) and not re.search(
        rb"<f>|<f |headerFooter", texts
    )


def the_document_says_title_author_and_language(book):
    core = book.parts["docProps/core.xml"].decode()
    return all(re.search(f"<{tag}>[^<]+</{tag}>", core) for tag in CORE)


def it_opens_on_the_first_sheet_at_a1(book):
    first = book.view.get("activeTab", "0") == "0" and book.view.get("firstSheet", "0") == "0"
    cursors = [
        s.get("activeCell", "A1")
        for p in book.pages for s in p.xml.iter(f"{MAIN}selection") if s.get("pane") in (None, "bottomRight")
    ]  # fmt: skip
    selected = [v.get("tabSelected") for p in book.pages for v in p.xml.iter(f"{MAIN}sheetView")]
    return first and set(cursors) <= {"A1"} and selected[1:] == [None] * (len(book.pages) - 1)


def headings_stay_in_view_and_filter(book):
    panes = [p.xml.find(f".//{MAIN}pane") for p in book.tabled]
    filters = [p.tables[0].find(f"{MAIN}autoFilter") for p in book.tabled]
    return all(
        pane is not None and pane.get("state") == "frozen" and int(pane.get("ySplit")) == p.area[0]
        for pane, p in zip(panes, book.tabled, strict=True)
    ) and all(f is not None for f in filters)


RULES = (
    a_cover_contents_and_notes_come_first,
    contents_link_to_every_sheet_in_words,
    links_say_where_they_lead,
    every_sheet_has_its_title_in_a1,
    the_number_of_tables_is_said,
    every_sheet_but_the_cover_has_one_table,
    tables_have_names_of_their_own,
    tables_begin_at_the_left_with_one_row_of_headings,
    no_cells_are_merged,
    nothing_is_hidden,
    no_cell_of_a_table_is_blank,
    no_row_above_a_table_is_blank_and_nothing_is_below,
    a_column_has_numbers_and_marks_or_texts,
    texts_of_digits_are_no_warnings,
    columns_are_wide_enough_or_wrap,
    letters_are_sans_serif_of_12_points_or_more,
    colour_is_never_the_only_sign,
    colours_keep_a_contrast_of_4_5,
    marks_are_explained_in_the_notes,
    headings_carry_no_footnote_signs,
    units_stand_in_the_headings_of_heat_maps,
    nothing_floats_and_nothing_runs,
    the_document_says_title_author_and_language,
    it_opens_on_the_first_sheet_at_a1,
    headings_stay_in_view_and_filter,
)


def faults(path):
    """Return the rules that a workbook breaks."""
    book = Book(path)
    return [rule.__name__ for rule in RULES if not rule(book)]
