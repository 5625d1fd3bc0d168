"""Accessible workbooks: a cover, contents, notes and one plain table per sheet.

Laid out after the guidance of the UK Government Analysis Function on releasing statistics in spreadsheets.
Two of its wishes that are no rules are not followed, because readers asked for it: the heading and the names
of rows stay in view (freeze panes), and headings have filters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import BytesIO
from math import ceil
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.errors import ReportError
from culture_metrics.files.sheet_rows import MOST_COLUMNS, MOST_ROWS, Rows, with_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: Stands in a cell without a number.
HELD, NOTHING = "[c]", "[x]"
#: What it means.
MARKS = {
    HELD: "Confidential: held back because few people answered, or a small group could be worked out.",
    NOTHING: "Nothing there: not available, or it does not apply.",
}
#: Name of the sheet and of the table in a workbook of one table.
FIGURES = "Figures"
#: Sheet that a reader goes back to.
CONTENTS, MEANING = "Contents", "What the figures and marks mean"
#: Column that holds what stands for a null of its row.
MARK = "mark"
FONT, SIZE, LANGUAGE = "Arial", 12, "en-GB"
#: Letters of a cell and of the heading of a table, as UTF-16 counts them; height of a row in points.
LONGEST_TEXT, LONGEST_HEADING, TALLEST = 32_767, 255, 409.5
LONGEST_NAME, WIDEST, NARROWEST, COVER = 31, 60, 12, 100
#: Width of a letter in units of a column, height of a line in points, colour of text on a colour.
ROOMY, LINE, INK = 1.2, 16.0, "#222222"
#: What fits across a sheet of A4 paper and can be read, in units of a column.
PAPER = 200
#: How dates are written.
DATES = {pl.Date: "yyyy-mm-dd", pl.Datetime: "yyyy-mm-dd hh:mm"}
#: xlsxwriter's number of the paper.
A4 = 9
#: Room of a sheet's own filter button, in characters.
BUTTON = 4
#: Rows of longer tables are written at once.
LONG = 20
#: Kinds of columns that hold texts.
TEXTS = (pl.String, pl.Categorical, pl.Enum)


@dataclass(frozen=True)
class Look:
    """How one cell looks: its number format and, if any, the colour behind it."""

    form: str
    fill: str = ""


@dataclass(frozen=True)
class Sheet:
    """One table on one sheet.

    Attributes
    ----------
    name : str
        On the tab; what a tab cannot hold is left out.
    title : str
        Stands in A1 and in the contents.
    frame : polars.DataFrame
        The cells, names of columns as headings. What is null gets the text of the column `mark`, if there is
        one, else `[x]`.
    formats : mapping
        Column -> number format.
    about : sequence of str
        Lines between title and table.
    looks : mapping
        Column -> the looks of its cells, where they differ.
    marks : mapping
        Column -> what stands for its nulls, row by row, where they differ in a row.
    levels : sequence of int
        Outline level of each row: parts of the row before are 1.
    names : int
        How many columns at the left name the row: they stay in view.
    links : mapping
        Text of the first column -> sheet that it leads to.
    """

    name: str
    title: str
    frame: pl.DataFrame
    formats: Mapping[str, str] = field(default_factory=dict)
    about: Sequence[str] = ()
    looks: Mapping[str, Sequence[Look | None]] = field(default_factory=dict)
    marks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    levels: Sequence[int] = ()
    names: int = 1
    links: Mapping[str, str] = field(default_factory=dict)


def workbook(title: str, cover: Sequence[str], notes: Mapping[str, str], sheets: Sequence[Sheet]) -> bytes:
    """Return an accessible workbook as the bytes of an .xlsx file.

    Parameters
    ----------
    title : str
        Of the workbook.
    cover : sequence of str
        Lines of the first sheet, beneath the title.
    notes : mapping
        Name -> text. The marks that stand in cells are to be explained here.
    sheets : sequence of Sheet
        The tables, in order.

    Notes
    -----
    Text is written as text, so that nothing in a file can act as a formula. Text that is longer than a cell
    can hold ends where the cell does.

    Raises
    ------
    ReportError
        When a table has more rows or columns than a sheet can hold.

    Examples
    --------
    >>> table = Sheet("Scores", "Scores of a trust", pl.DataFrame({"Score": ["Morale"], "Base": [812]}))
    >>> workbook("A trust", ["2024."], {"Base": "People."}, [table])[:2]
    b'PK'
    """
    import xlsxwriter

    plain = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    names = _tab_names([sheet.name for sheet in sheets])
    contents = pl.DataFrame(
        {
            "Sheet": ["Notes", *names],
            "What it holds": [MEANING, *(s.title for s in sheets)],
        }
    )
    explained = pl.DataFrame({"Note": [*notes], "Text": [*notes.values()]})
    first = [
        Sheet(CONTENTS, CONTENTS, contents, links={name: name for name in contents["Sheet"]}),
        Sheet("Notes", "Notes", explained),
    ]
    packed = BytesIO()  # no files elsewhere, and one error where the disk is full
    with xlsxwriter.Workbook(packed, {**plain, "in_memory": True}) as book:
        book.set_properties({"title": title, "author": "culture-metrics", "subject": "Staff survey"})
        write = _Writer(book)
        write.cover(title, [*cover, "This workbook begins with a list of its sheets."])
        for name, sheet in zip([CONTENTS, "Notes", *names], [*first, *sheets], strict=True):
            write.table(name, sheet)
    return with_rows(packed.getvalue(), write.rows, LANGUAGE)


class _Writer:
    """Writes sheets into a workbook; each format is made once."""

    def __init__(self, book: Any) -> None:
        self.book = book
        self.made: dict[tuple[tuple[str, Any], ...], Any] = {}
        self.tables: set[str] = set()
        self.rows: dict[int, Rows] = {}

    def style(self, **more: Any) -> Any:
        key = tuple(sorted(more.items()))
        if key not in self.made:
            plain = {"font_name": FONT, "font_size": SIZE, "valign": "top"}
            self.made[key] = self.book.add_format({**plain, **more})
        return self.made[key]

    def cover(self, title: str, lines: Sequence[str]) -> None:
        page = self.book.add_worksheet("Cover")
        page.hide_gridlines(2)
        page.set_column(0, 0, COVER)
        page.set_row(0, 1.5 * _height([title], [COVER / 1.4]))
        page.write_string(0, 0, title, self.style(bold=True, font_size=16, text_wrap=True))
        page.write_column(1, 0, lines[:-1], self.style(text_wrap=True))
        for row, line in enumerate(lines[:-1], 1):
            page.set_row(row, _height([line], [COVER]))
        page.set_paper(A4)
        page.fit_to_pages(1, 0)
        self.link(page, len(lines), CONTENTS, "Go to the contents")

    def link(self, page: Any, row: int, sheet: str, text: str) -> None:
        blue = self.style(font_color="#0B5394", underline=1)
        page.write_url(row, 0, f"internal:'{sheet}'!A1", blue, text, f"Sheet {sheet}")

    def table(self, name: str, sheet: Sheet) -> None:
        from xlsxwriter.utility import xl_range

        page = self.book.add_worksheet(name)
        page.hide_gridlines(0)
        page.set_default_row(LINE)
        page.set_row(0, 1.5 * LINE)
        page.write_string(0, 0, sheet.title, self.style(bold=True, font_size=16))
        about = ["This worksheet contains one table.", *sheet.about]
        page.write_column(1, 0, about, self.style())
        top = 1 + len(about)
        if name != CONTENTS:
            self.link(page, top, CONTENTS, "Go to the contents")
            top += 1
        frame = sheet.frame.drop(MARK, strict=False)
        _check_size(frame, MOST_ROWS - top - 1, sheet.title)
        marks = sheet.frame[MARK] if MARK in sheet.frame.columns else None
        columns = [_cells(column, marks, sheet) for column in frame.get_columns()]
        widths = [_width(column) for column, _ in columns]
        heights = _heights(columns, widths)
        # Of a long plain table xlsxwriter gets the first row.
        long = frame.height > LONG and _is_plain(frame, sheet)
        if long:
            self.rows[len(self.book.worksheets())] = Rows(top + 2, columns, heights)
        rows = 1 if long else frame.height
        for place, (column, stand_in) in enumerate(columns):
            page.set_column(place, place, widths[place])
            self.column(page, (top, place), column[:rows], stand_in[:rows], sheet)
        page.set_row(top, _height(frame.columns, [width - BUTTON for width in widths]))
        levels = [*sheet.levels, *[0] * (frame.height - len(sheet.levels))]
        for row, (level, height) in enumerate(zip(levels[:rows], heights[:rows], strict=True)):
            if level or height != LINE:
                page.set_row(top + 1 + row, height, None, {"level": level})
        if any(levels):
            page.outline_settings(visible=True, symbols_below=False, symbols_right=False)
        head = self.style(bold=True, text_wrap=True, bottom=2)
        page.add_table(
            top, 0, top + max(rows, 1), frame.width - 1,
            {
                "name": self.table_name(name),
                "columns": [{"header": name, "header_format": head} for name in _headings(frame.columns)],
                "style": None,
            },
        )  # fmt: skip
        texts = [place for place, (column, _) in enumerate(columns) if column.dtype == pl.String]
        if texts and frame.height:  # years and codes are names: Excel takes them for numbers gone wrong
            below = (xl_range(top + 1, place, top + frame.height, place) for place in texts)
            page.ignore_errors({"number_stored_as_text": " ".join(below)})
        self.paper(page, top, sum(widths), sheet.names)
        page.freeze_panes(top + 1, sheet.names if frame.width > sheet.names else 0)

    def paper(self, page: Any, top: int, width: float, names: int) -> None:
        """Print across the sheet of paper, headings on each; what is too wide goes on beside its names."""
        page.set_paper(A4)
        page.set_landscape()
        page.repeat_rows(top)
        page.fit_to_pages(ceil(width / PAPER), 0)
        if width > PAPER:
            page.repeat_columns(0, names - 1)

    def table_name(self, name: str) -> str:
        """Return the name of a table: letters, digits and underscores, and no address of a cell."""
        plain = re.sub(r"\W+", "_", name)
        if not plain[0].isalpha() or re.fullmatch(r"[A-Za-z]{1,3}\d+|[RrCc]", plain):
            plain = f"Table_{plain}"
        number, tried = 1, plain
        while tried.lower() in self.tables:
            number += 1
            tried = f"{plain}_{number}"
        self.tables.add(tried.lower())
        return tried

    def column(
        self, page: Any, at: tuple[int, int], column: pl.Series, stand_in: pl.Series, sheet: Sheet
    ) -> None:
        top, place = at
        form = sheet.formats.get(column.name) or DATES.get(column.dtype.base_type(), "General")
        looks = sheet.looks.get(column.name)
        number = {"num_format": form, "align": "right"}
        style = self.style(**({"text_wrap": True} if column.dtype == pl.String else number))
        values = [m if v is None else v for v, m in zip(column, stand_in, strict=True)] or [NOTHING]
        if sheet.links and not place:
            for row, text in enumerate(values):
                self.link(page, top + 1 + row, sheet.links[text], text)
        elif looks is None:
            page.write_column(top + 1, place, values, style)
        else:
            for row, (value, look) in enumerate(zip(values, looks, strict=True)):
                fill = {"bg_color": look.fill, "font_color": INK} if look and look.fill else {}
                own = self.style(num_format=look.form, align="right", **fill) if look else style
                page.write(top + 1 + row, place, value, own)


def _check_size(frame: pl.DataFrame, most_rows: int, title: str) -> None:
    """Refuse what would lose its end: Excel has no more rows and columns on a sheet."""
    for what, has, most in (("rows", frame.height, most_rows), ("columns", frame.width, MOST_COLUMNS)):
        if has > most:
            raise ReportError(
                f"The table has more {what} than a sheet of a workbook can hold",
                where=title,
                expected=f"at most {most:,} {what}",
                got=f"{has:,}",
                hint="Save it as .csv or .parquet, which have no limit, or save fewer of them.",
            )


def _headings(names: Sequence[str]) -> list[str]:
    """Return headings that a table can have, each another one, whatever their case.

    Examples
    --------
    >>> _headings(["A", "a", "a 2"])
    ['A', 'a 2', 'a 2 2']
    """
    found: dict[str, str] = {}
    for place, name in enumerate(names, 1):
        number, tried = 1, _cut(name, LONGEST_HEADING) or f"Column {place}"
        while tried.lower() in found:
            number += 1
            tried = f"{_cut(name, LONGEST_HEADING - len(str(number)) - 1)} {number}"
        found[tried.lower()] = tried
    return [*found.values()]


def _cut(text: str, most: int) -> str:
    """Return as much of a text as a cell can hold, which counts an emoji as two letters.

    Examples
    --------
    >>> _cut("ab", 1), _cut("a\N{GRINNING FACE}", 2)
    ('a', 'a')
    """
    return text.encode("utf-16-le", "surrogatepass")[: 2 * most].decode("utf-16-le", "ignore")


def _is_plain(frame: pl.DataFrame, sheet: Sheet) -> bool:
    """Whether all cells of a column look alike and are texts or numbers."""
    kinds = all(kind.is_numeric() or kind in TEXTS for kind in frame.dtypes)
    return kinds and not (sheet.looks or sheet.levels or sheet.links)


def _cells(column: pl.Series, marks: pl.Series | None, sheet: Sheet) -> tuple[pl.Series, pl.Series]:
    """Return a column, empty texts as nulls, and the marks that stand for nulls: no cell is empty."""
    if column.dtype.is_float():
        column = column.set(column.is_infinite() | column.is_nan(), None)
    elif column.dtype in TEXTS:
        column = column.cast(pl.String)
        column = column.set(column == "", None)
        long = column.filter(column.str.len_bytes() > LONGEST_TEXT).unique().to_list()
        column = column.replace(long, [_cut(text, LONGEST_TEXT) for text in long]) if long else column
    of_row = [NOTHING] * len(column) if marks is None else marks
    return column, pl.Series(column.name, sheet.marks.get(column.name, of_row), pl.String)


def _width(column: pl.Series) -> float:
    """Return the width that shows a column: texts in full up to the widest, headings word by word."""
    head = ROOMY * max(map(len, re.split(r"[\s-]", column.name))) + BUTTON
    if column.dtype != pl.String:
        return max(NARROWEST, head)
    longest = max(map(len, column.unique().drop_nulls()), default=0)
    return min(max(ROOMY * max(longest, len(NOTHING)) + 2, head), WIDEST)


def _heights(columns: Sequence[tuple[pl.Series, pl.Series]], widths: Sequence[float]) -> pl.Series:
    """Return the heights of rows: of those that hold a text longer than the widest column, more lines."""
    found = [pl.repeat(LINE, len(columns[0][0]), eager=True)]
    for (column, _), width in zip(columns, widths, strict=True):
        if width == WIDEST and column.dtype == pl.String:
            texts = column.filter(column.str.len_chars() * ROOMY > WIDEST).unique().to_list()
            tall = [_height([text], [WIDEST]) for text in texts]
            found.append(column.replace_strict(texts, tall, default=LINE, return_dtype=pl.Float64))
    return pl.select(pl.max_horizontal(*found)).to_series()


def _height(texts: Sequence[str], widths: Sequence[float]) -> float:
    """Return the height of a row whose texts wrap to these widths."""
    lines = [len(wrap(text, max(int(width / 1.05), 4))) for text, width in zip(texts, widths, strict=True)]
    return min(LINE * max([1, *lines]), TALLEST)


def _tab_names(names: Sequence[str]) -> list[str]:
    """Return names that tabs can hold, each another one, whatever their case."""
    taken = {"cover", CONTENTS.lower(), "notes"}
    found = []
    for name in names:
        plain = re.sub(r"\s+", " ", re.sub(r"[\[\]:*?/\\]", " ", name)).strip(" '") or "Table"
        number, tried = 1, plain[:LONGEST_NAME].rstrip()
        while tried.lower() in taken:
            number += 1
            tried = f"{plain[: LONGEST_NAME - len(str(number)) - 1].rstrip()} {number}"
        taken.add(tried.lower())
        found.append(tried)
    return found
