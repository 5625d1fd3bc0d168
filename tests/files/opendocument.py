"""OpenDocument spreadsheets written by hand: a zip of XML, as LibreOffice writes it."""

from __future__ import annotations

import zipfile
from xml.sax.saxutils import escape

SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"
NAMESPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
MANIFEST = (
    '<?xml version="1.0"?><manifest:manifest '
    'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" manifest:version="1.3">'
    '<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml">{locked}'
    "</manifest:file-entry></manifest:manifest>"
)
#: Blank cells and rows to the last corner, which LibreOffice writes after every sheet.
TO_THE_END = '<table:table-cell table:number-columns-repeated="16000"/>'
BELOW = (
    '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
    'table:number-columns-repeated="16384"/></table:table-row>'
)


def cell(value, more=""):
    if value is None or value == "":
        return f"<table:table-cell {more}/>"
    if isinstance(value, (int, float)):
        return f'<table:table-cell office:value-type="float" office:value="{value}" {more}><text:p>{value}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="string" {more}><text:p>{escape(str(value))}</text:p></table:table-cell>'


def row(values):
    return f"<table:table-row>{''.join(map(cell, values))}{TO_THE_END}</table:table-row>"


def sheet(rows, name="Sheet1"):
    return f'<table:table table:name="{name}">{rows}{BELOW}</table:table>'


def write_ods(path, *sheets, kind=SPREADSHEET, locked="", content=None):
    body = "".join(sheets)
    xml = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {NAMESPACES} office:version="1.3">'
        f"<office:body><office:spreadsheet>{body}</office:spreadsheet></office:body></office:document-content>"
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as book:
        book.writestr("mimetype", kind, zipfile.ZIP_STORED)
        book.writestr("content.xml", xml if content is None else content)
        book.writestr("META-INF/manifest.xml", MANIFEST.format(kind=kind, locked=locked))
    return path


def table_ods(path, frame, name="Sheet1", above=()):
    """Write a polars frame, below some other rows."""
    rows = [*above, frame.columns, *frame.rows()]
    return write_ods(path, sheet("".join(map(row, rows)), name))
