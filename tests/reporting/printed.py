"""Print a page with the Chromium of this computer, and read what stands where on the paper."""

from __future__ import annotations

import re
import subprocess
import zlib
from typing import TYPE_CHECKING, NamedTuple

from culture_metrics.reporting.parts.browser import find_browser

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    Matrix = tuple[float, float, float, float, float, float]

#: An A4 sheet, and the margin of the report on it, in points of 1/72 inch.
WIDTH, HEIGHT, MARGIN = 595.0, 842.0, 15 / 25.4 * 72
NUMBER = rb"[-+]?(?:\d+\.?\d*|\.\d+)"
TOKEN = re.compile(
    rb"(?P<cm>(?:%b\s+){6})cm\b|(?P<tm>(?:%b\s+){6})Tm\b|(?P<td>(?:%b\s+){2})Td\b|(?P<op>\b(?:q|Q|BT|ET)\b)"
    rb"|/(?P<font>F\d+)\s+%b\s+Tf|/X(?P<form>\d+)\s+Do\b|<(?P<glyphs>[0-9A-Fa-f]+)>\s*Tj" % ((NUMBER,) * 4)
)


class Words(NamedTuple):
    """Words that were drawn in one go, and where they begin; `y` is counted from the top of the sheet."""

    text: str
    x: float
    y: float


def print_page(page: Path, pdf: Path, width: int = 1366) -> list[list[Words]]:
    """Print a page as from a window of that width, on the paper it asks for; return the words of each sheet."""
    call = [
        str(find_browser()), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
        f"--user-data-dir={pdf.with_suffix('.profile')}", f"--window-size={width},900",
        "--no-pdf-header-footer", f"--print-to-pdf={pdf}", page.as_uri(),
    ]  # fmt: skip
    subprocess.run(call, check=True, capture_output=True, timeout=120)
    return read_pdf(pdf.read_bytes())


def read_pdf(data: bytes) -> list[list[Words]]:
    """Return the words of each sheet of a PDF as Chromium writes them, in the order they were drawn."""
    found = re.findall(rb"(\d+) 0 obj\s(.*?)\sendobj", data, re.DOTALL)
    objects = {int(number): body for number, body in found}
    fonts = {
        f"F{number}".encode(): _letters(_stream(objects[int(table[1])]))
        for number, body in objects.items()
        if (table := re.search(rb"/ToUnicode (\d+) 0 R", body))
    }
    pages = [body for body in objects.values() if re.search(rb"/Type /Page\b", body)]
    contents = [int(n) for body in pages for n in re.findall(rb"/Contents (\d+) 0 R", body)]
    return [list(_drawn(_stream(objects[n]), (1, 0, 0, 1, 0, 0), fonts, objects)) for n in contents]


def _stream(body: bytes) -> bytes:
    packed = body[body.index(b"stream") + 6 :].lstrip(b"\r\n").removesuffix(b"endstream").rstrip(b"\r\n")
    return zlib.decompressobj().decompress(packed) if b"/FlateDecode" in body else packed


def _letters(table: bytes) -> dict[str, str]:
    """Read which letter each glyph of a font stands for."""

    def letter(code: bytes) -> str:
        return bytes.fromhex(code.decode()).decode("utf-16-be")

    letters = {}
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", table, re.DOTALL):
        for glyph, code in re.findall(rb"<(\w+)>\s*<(\w+)>", block):
            letters[glyph.decode().upper()] = letter(code)
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", table, re.DOTALL):
        for first, last, code in re.findall(rb"<(\w+)>\s*<(\w+)>\s*<(\w+)>", block):
            start = int(first, 16)
            for glyph in range(start, int(last, 16) + 1):
                letters[f"{glyph:04X}"] = chr(ord(letter(code)) + glyph - start)
    return letters


def _drawn(
    content: bytes, at: Matrix, fonts: Mapping[bytes, dict[str, str]], objects: Mapping[int, bytes]
) -> Iterator[Words]:
    saved: list[Matrix] = []
    letters: dict[str, str] = {}
    text, line, start = "", at, at
    for token in TOKEN.finditer(content):
        kind, value = token.lastgroup, token[token.lastgroup or 0]
        if kind == "cm":
            at = _times(_matrix(value), at)
        elif kind == "tm":
            start = line = _times(_matrix(value), at)
        elif kind == "td":
            line = _times((1, 0, 0, 1, *map(float, value.split())), line)  # type: ignore[arg-type]
        elif kind == "font":
            letters = fonts[value]
        elif kind == "glyphs":
            codes = value.decode().upper()
            text += "".join(letters.get(codes[i : i + 4], "?") for i in range(0, len(codes), 4))
        elif kind == "form":
            if b"/Subtype /Form" in (body := objects[int(value)]):
                yield from _drawn(_stream(body), at, fonts, objects)
        elif value == b"q":
            saved.append(at)
        elif value == b"Q":
            at = saved.pop()
        elif value == b"ET" and text:
            yield Words(text, start[4], HEIGHT - start[5])
            text = ""


def _matrix(numbers: bytes) -> Matrix:
    a, b, c, d, e, f = map(float, numbers.split())
    return a, b, c, d, e, f


def _times(m: Matrix, n: Matrix) -> Matrix:
    return (
        m[0] * n[0] + m[1] * n[2], m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2], m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4], m[4] * n[1] + m[5] * n[3] + n[5],
    )  # fmt: skip
