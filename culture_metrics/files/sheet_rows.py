"""Rows of long tables, put into a workbook that has the first row of each.

A writer of workbooks goes from cell to cell, and a report on hundreds of departments has a million: 900,000
took xlsxwriter 11 seconds, with or without its constant memory (which makes no tables), polars as long, and
what is here 1.3. Here
columns become text as a whole, as ECMA-376 part 1 has it (18.3.1.73 rows, 18.3.1.4 cells, 18.4.9 texts), and
look as in the first row.
"""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What a sheet can hold.
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384
TEXTS, CORE = "xl/sharedStrings.xml", "docProps/core.xml"
#: What XML cannot hold; and what would be read as the way in which that is written.
CONTROL, WRITTEN = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]"), re.compile(r"_(?=x[0-9a-fA-F]{4}_)")


@dataclass(frozen=True)
class Rows:
    """All rows of a table.

    Attributes
    ----------
    top : int
        Number of the first one on its sheet, from 1.
    columns : sequence of (polars.Series, polars.Series)
        Texts, or numbers and nulls; and what stands for nulls.
    heights : polars.Series
        Of the rows, in points.
    """

    top: int
    columns: Sequence[tuple[pl.Series, pl.Series]]
    heights: pl.Series

    @property
    def last(self) -> int:
        """Number of the last row."""
        return self.top + len(self.heights) - 1


def with_rows(packed: bytes, rows: Mapping[int, Rows], language: str) -> bytes:
    """Return a workbook with all rows of its tables, and its language.

    Parameters
    ----------
    packed : bytes
        Of the workbook.
    rows : mapping
        Number of a sheet, from 1 -> its rows. Its one table ends the sheet and has the first row alone.
    language : str
        As "en-GB"; xlsxwriter has no word for it.
    """
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(packed)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        texts = old.read(TEXTS).decode()
        place = {text: number for number, text in enumerate(re.findall(r"(?s)<si>(.*?)</si>", texts))}
        changed = {}
        for sheet, own in rows.items():
            name, about = f"xl/worksheets/sheet{sheet}.xml", f"xl/worksheets/_rels/sheet{sheet}.xml.rels"
            table = "xl/tables/" + re.findall(r'Target="\.\./tables/([^"]+)"', old.read(about).decode())[0]
            changed[name] = _filled(old.read(name).decode(), own, place)
            ends = r'(ref="A\d+:[A-Z]+)\d+"', rf'\g<1>{own.last}"'
            changed[table] = re.sub(*ends, old.read(table).decode())
        head = re.sub(
            r'count="\d+" uniqueCount="\d+"', f'uniqueCount="{len(place)}"', texts[: texts.find("<si>")]
        )
        changed[TEXTS] = head + "".join(f"<si>{text}</si>" for text in place) + "</sst>"
        said = f"<dc:language>{language}</dc:language></cp:coreProperties>"
        changed[CORE] = old.read(CORE).decode().replace("</cp:coreProperties>", said)
        for part in old.infolist():
            text = changed.get(part.filename) or old.read(part)
            new.writestr(part, text, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _filled(sheet: str, rows: Rows, place: dict[str, int]) -> str:
    """Put rows in the place of the last one of a sheet; adds to the places of texts."""
    start, end = sheet.rindex("<row "), sheet.index("</sheetData>")
    looks = re.findall(r'<c r="([A-Z]+)\d+" s="(\d+)"', sheet[start:end])
    number = pl.Series("number", range(rows.top, rows.last + 1)).cast(pl.String)
    points = ((rows.heights * 4 / 3).round() * 0.75).cast(pl.String)  # whole pixels
    parts: list[str | pl.Series] = ['<row r="', number, '" ht="', points, '" customHeight="1">']
    for (letters, look), (column, marks) in zip(looks, rows.columns, strict=True):
        parts += [f'<c r="{letters}', number, f'" s="{look}"', _values(column, marks, place), "</v></c>"]
    each = pl.select(pl.concat_str(*(pl.lit(part) for part in parts), pl.lit("</row>"))).to_series()
    head = re.sub(r'(<dimension ref="A1:[A-Z]+)\d+', rf"\g<1>{rows.last}", sheet[:start], count=1)
    return head + "".join(each.to_list()) + sheet[end:]


def _values(column: pl.Series, marks: pl.Series, place: dict[str, int]) -> pl.Series:
    """Return the kind and value of cells."""
    texts = column.fill_null(marks) if column.dtype == pl.String else marks
    distinct = texts.unique(maintain_order=True).to_list()
    places = [str(place.setdefault(_item(text), len(place))) for text in distinct]
    found = ' t="s"><v>' + texts.replace_strict(distinct, places, return_dtype=pl.String)
    return found if column.dtype == pl.String else ("><v>" + column.cast(pl.String)).fill_null(found)


def _item(text: str) -> str:
    r"""Return a text as an item of the texts of a workbook.

    Examples
    --------
    >>> _item("R&D "), _item("a_x0041_\x02")
    ('<t xml:space="preserve">R&amp;D </t>', '<t>a_x005F_x0041__x0002_</t>')
    """
    kept = CONTROL.sub(lambda found: f"_x{ord(found[0]):04X}_", WRITTEN.sub("_x005F_", text))
    space = ' xml:space="preserve"' if re.search(r"^\s|\s$", kept) else ""
    return f"<t{space}>{escape(kept)}</t>"
