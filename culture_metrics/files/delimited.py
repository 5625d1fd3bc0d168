"""Open CSV files: encoding, separator and header row are told from the file itself."""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.columns import TWIN
from culture_metrics.extracts.layouts import (
    HEAD_ROWS,
    find_header,
    header_score,
    refuse_results,
    refuse_swapped,
    rows_of_wording,
    widest_row,
)
from culture_metrics.extracts.raw import INDEX, RawTable, unique_names
from culture_metrics.extracts.safety import ROW, check_columns, check_memory

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from pathlib import Path

SEPARATORS = (",", ";", "\t", "|")
#: Memory that reading takes, in sizes of the file: what was measured, and a half more.
NEED = 4
#: Columns whose texts are held in memory together when not all answers of a file are plain codes.
GROUP = 32
_SAMPLE = 1 << 20
_PLAIN = re.compile(r"\s*[+-]?\d{1,4}\Z")


class _Head(NamedTuple):
    """The first rows of a file and where its table begins."""

    rows: list[list[str]]
    header: int
    body: int
    separator: str
    lines: int


@dataclass(frozen=True)
class DelimitedTable(RawTable):
    """A CSV file. Answers are read as whole numbers at once; only what is none is read as text."""

    source: Path | bytes = b""
    columns: tuple[str, ...] = ()
    lines: int = 1
    end: str = "\n"
    spare: tuple[str, ...] = ()
    wordy: frozenset[str] = field(default_factory=frozenset)
    large: bool = False

    def scan(self, types: Mapping[str, pl.DataType | type[pl.DataType]]) -> pl.LazyFrame:
        """Return the rows below the header, every column as text but for those in `types`."""
        return pl.scan_csv(
            self.source,
            has_header=False,
            skip_lines=self.lines,
            schema={name: types.get(name, pl.String) for name in self.columns},
            separator=self.separator or ",",
            eol_char=self.end,
            missing_columns="insert",
            glob=False,
            raise_if_empty=False,
        )

    def batches(
        self, questions: Sequence[str], texts: Sequence[str], keep: pl.Expr | None
    ) -> Iterator[pl.DataFrame]:
        """Read columns, in one part where every answer is a plain code, else in several."""
        words = pl.Categorical(pl.Categories.random())
        types = {name: words if name in self.wordy else pl.Int16() for name in questions}
        try:
            if self.spare and self.pick([self._beyond()]).item():
                raise self.broken()
            yield self._part(types, questions, texts, keep)
            return
        except pl.exceptions.PolarsError:
            types = dict.fromkeys(questions, words)
        size = GROUP if self.large else max(len(questions), 1)
        try:
            for start in range(0, max(len(questions), 1), size):
                group = questions[start : start + size]
                yield self._part(types, group, texts if start == 0 else (), keep)
        except pl.exceptions.PolarsError:
            raise self.broken() from None

    def _part(
        self,
        types: Mapping[str, pl.DataType],
        questions: Sequence[str],
        texts: Sequence[str],
        keep: pl.Expr | None,
    ) -> pl.DataFrame:
        lazy = self.scan(types).with_row_index(INDEX, offset=self.first_row)
        if keep is not None:
            lazy = lazy.filter(keep)
        return lazy.select(INDEX, *(self.text(name) for name in texts), *questions).collect(
            engine="streaming"
        )

    def _beyond(self) -> pl.Expr:
        return pl.any_horizontal(pl.col(name).str.strip_chars() != "" for name in self.spare).any()

    def short_rows(self) -> dict[str, int | str]:
        """Count the rows with fewer cells than the header; where quotes run over lines nobody can tell."""
        line = pl.col("line")
        lines = pl.scan_csv(
            self.source,
            has_header=False,
            skip_lines=self.lines,
            schema={"line": pl.String},
            separator="\x01",
            quote_char=None,
            eol_char=self.end,
            glob=False,
            raise_if_empty=False,
        ).with_row_index(INDEX, offset=self.first_row)
        needed = len(self.columns) - len(self.spare) - 1
        short = line.str.count_matches(self.separator or ",", literal=True) < needed
        if not lines.select(short.any()).collect(engine="streaming").item():
            return {}
        short &= line.str.strip_chars() != ""
        found = (
            lines.select(
                odd=(line.str.count_matches('"', literal=True) % 2 == 1).any(),
                rows=short.sum(),
                first=pl.col(INDEX).filter(short).min(),
            )
            .collect(engine="streaming")
            .row(0, named=True)
        )
        if found["odd"] or not found["rows"]:
            return {}
        return {"rows_too_short": found["rows"], "first_row_too_short": found["first"]}

    def broken(self, error: Exception | None = None) -> FileFormatError:
        """Find the first row that does not fit the header."""
        width = len(self.columns) - len(self.spare)
        hint = "Open it, look for stray separators, quotes or line breaks there, and save it as CSV UTF-8."
        with _open_text(self.source, self.encoding or "utf-8") as stream:
            rows = csv.reader(stream, delimiter=self.separator or ",")
            try:
                for number, row in enumerate(rows, 1):
                    spare = any(map(str.strip, row[width:])) or len(row) > len(self.columns)
                    if number >= self.first_row and spare:
                        return FileFormatError(
                            f"Row {number} has {len(row)} cells, the header has {width}",
                            where=self.file,
                            expected="as many cells in each row as in the header",
                            hint=hint,
                        )
            except csv.Error:
                pass
        return FileFormatError(
            "The file cannot be read as a table: a quotation mark is opened and not closed",
            where=self.file,
            expected="a CSV file: the same number of cells in each row, quotation marks in pairs",
            hint=hint,
        )


def read_delimited(path: Path, given: Collection[str] = (), *, head_only: bool = False) -> DelimitedTable:
    """Open a CSV file.

    Parameters
    ----------
    path : Path
        The file.
    given : collection of str
        Names of columns that the user has matched, to find the header by.
    head_only : bool
        Tell the encoding from the first part and leave out the checks of the whole file.

    Raises
    ------
    FileFormatError
        When it is no table of text, too large, or holds results of groups.
    """
    size = path.stat().st_size
    if not head_only:
        check_memory(NEED * size, path.name)
    sha256, encoding, lines = _look_through(path, _SAMPLE if head_only else size)
    if not head_only:
        check_memory(NEED * size + lines * ROW, path.name)
    with _open_text(path, encoding) as stream:
        sample = stream.read(_SAMPLE)
    if "\x00" in sample:
        raise FileFormatError(
            "The file is not text", where=path.name, hint="Ask for the data as CSV UTF-8 or as a workbook."
        )
    end = "\r" if "\n" not in sample and "\r" in sample else "\n"
    head = _head(sample, end, given)
    if not sample.strip(' \t\r\n\ufeff"' + "".join(SEPARATORS)):
        raise FileFormatError("The file is empty", where=path.name, hint="Ask for the file again.")
    refuse_results(head.rows[:HEAD_ROWS], path.name)
    refuse_swapped(head.rows[:HEAD_ROWS], find_header(head.rows[:HEAD_ROWS], given), path.name)
    names = unique_names(head.rows[head.header])
    below = head.rows[head.body :]
    # Cells beyond the last name are let pass where they are blank: a separator at the end of each row.
    spare = range(len(names), max(map(len, below), default=0))
    if any(cell.strip() for row in below for cell in row[len(names) :]):
        spare = range(0)
    check_columns(sum(name is not None for name in names), path.name)
    columns = tuple(name or f"{TWIN}{i}" for i, name in enumerate([*names, *(None for _ in spare)]))
    table = DelimitedTable(
        names=tuple(name for name in names if name is not None),
        lazy=pl.LazyFrame(),
        file=path.name,
        kind="csv",
        first_row=head.body + 1,
        folder=path.parent,
        sha256=None if head_only else sha256,
        encoding=encoding,
        separator=head.separator,
        header_row=head.header + 1,
        streams=True,
        source=path if encoding.startswith("utf-8") else _as_utf8(path, encoding),
        columns=columns,
        spare=tuple(columns[i] for i in spare),
        lines=head.lines,
        end=end,
        wordy=_wordy(columns, below),
        large=size > 64 << 20,
    )
    notes: dict[str, int | str] = {
        "rows_of_wording": head.body - head.header - 1,
        "columns_without_name": sum(
            name is None and any(i < len(row) and row[i].strip() for row in below)
            for i, name in enumerate(names)
        ),
        **({} if head_only else table.short_rows()),
    }
    return replace(table, lazy=table.scan({}), notes={name: said for name, said in notes.items() if said})


def _look_through(path: Path, size: int) -> tuple[str, str, int]:
    """Read the file once: its SHA-256, its encoding, and the number of its lines."""
    cut = size < path.stat().st_size
    digest, decoder, utf8 = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")(), True
    start, lines = b"", 0
    with path.open("rb") as file:
        while part := file.read(min(1 << 20, size - file.tell())):
            start = start or part[:4096]
            digest.update(part)
            lines += part.count(b"\n")
            if utf8:
                try:
                    decoder.decode(part)
                except UnicodeDecodeError:
                    utf8 = False
        try:
            decoder.decode(b"", final=not cut)
        except UnicodeDecodeError:
            utf8 = False
    return digest.hexdigest(), _encoding(start, utf8=utf8), lines


def _encoding(start: bytes, *, utf8: bool) -> str:
    """Return UTF-8 where all of a file is, else UTF-16 by its mark or its zeros, else cp1252."""
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = start.count(0)
    if zeros and zeros >= len(start) // 3:
        return "utf-16-le" if start[1::2].count(0) >= start[::2].count(0) else "utf-16-be"
    if start.startswith(codecs.BOM_UTF8) and utf8:
        return "utf-8-sig"
    return "utf-8" if utf8 else "cp1252"


def _open_text(source: Path | bytes, encoding: str) -> io.TextIOWrapper:
    if isinstance(source, bytes):
        return io.TextIOWrapper(io.BytesIO(source), encoding="utf-8", errors="replace", newline="")
    return source.open(encoding=encoding, errors="replace", newline="")


def _as_utf8(path: Path, encoding: str) -> bytes:
    """Return the file in UTF-8, decoded part by part."""
    out = io.BytesIO()
    with _open_text(path, encoding) as stream:
        while part := stream.read(1 << 20):
            out.write(part.encode())
    return out.getvalue()


def _head(sample: str, end: str, given: Collection[str]) -> _Head:
    """Find separator and header: the pair under which most cells of a row are names of questions."""
    lines = sample.lstrip("\ufeff")
    best: tuple[tuple[int, int], _Head] | None = None
    for separator in SEPARATORS:
        rows, ends = _parse(lines, separator, end)
        found = find_header(rows[:HEAD_ROWS], given)
        header = widest_row(rows[:HEAD_ROWS]) if found is None else found
        score = (header_score(rows[header], given) if rows and found is not None else 0, _width(rows))
        body = header + 1 + (rows_of_wording(rows[:HEAD_ROWS], header) if found is not None else 0)
        if best is None or score > best[0]:
            best = score, _Head(rows, header, body, separator, ends[min(body, len(ends)) - 1] if ends else 0)
    assert best is not None
    return best[1]


def _width(rows: list[list[str]]) -> int:
    return len(rows[0]) if rows else 0


def _parse(text: str, separator: str, end: str) -> tuple[list[list[str]], list[int]]:
    """Return up to some hundred rows and the number of lines up to the end of each; the last may be cut."""
    reader = csv.reader(io.StringIO(text, newline=end), delimiter=separator)
    rows: list[list[str]] = []
    ends: list[int] = []
    try:
        for row in reader:
            rows.append(row)
            ends.append(reader.line_num)
            if len(rows) >= HEAD_ROWS + 200:
                return rows, ends
    except csv.Error:
        return rows, ends
    if len(text) >= _SAMPLE - 4 and len(rows) > 1:
        rows.pop()
        ends.pop()
    return rows, ends


def _wordy(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> frozenset[str]:
    """Return the columns in which one of the first rows holds something else than a plain code."""
    return frozenset(
        name
        for i, name in enumerate(columns)
        if any(i < len(row) and row[i].strip() and not _PLAIN.match(row[i]) for row in rows)
    )
