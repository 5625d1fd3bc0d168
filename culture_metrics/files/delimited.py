"""Open CSV files: encoding, separator and header row are told from the file itself."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.files.header import HEAD_ROWS, Look, widest_row
from culture_metrics.files.names import every_name, unique_names
from culture_metrics.files.raw import INDEX, RawTable
from culture_metrics.files.safety import ROW, TEXT, check_columns, check_memory
from culture_metrics.files.text import as_utf8, look_through, open_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SEPARATORS = (",", ";", "\t", "|")
#: Columns whose texts are held in memory together when not all answers of a file are plain codes.
GROUP = 32
_SAMPLE = 1 << 20
_PLAIN = re.compile(r"\s*[+-]?\d{1,4}\Z")


class _Head(NamedTuple):
    """The first rows of a file and where its table begins."""

    rows: list[list[str]]
    header: int
    found: bool
    body: int
    separator: str
    lines: int


@dataclass(frozen=True)
class DelimitedTable(RawTable):
    """A CSV file. Answers are read as whole numbers at once; only what is none is read as text."""

    source: Path | bytes = b""
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

    def cells(self) -> pl.DataFrame:
        """Return every cell below the header as text, and `INDEX`, the number of its row."""
        try:
            if self.spare and self.pick([self._beyond()]).item():
                raise self.broken()
            return super().cells().drop(self.spare)
        except pl.exceptions.PolarsError:
            raise self.broken() from None

    def check_rows(self) -> None:
        """Stop at the first row with more cells than the header has, or an open quotation mark."""
        if self.spare and self.pick([self._beyond()]).item():
            raise self.broken()
        self.pick([pl.all().null_count()])

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
        with open_text(self.source, self.encoding or "utf-8") as stream:
            rows = csv.reader(stream, delimiter=self.separator or ",")
            try:
                for number, row in enumerate(rows, 1):
                    spare = any(map(str.strip, row[width:])) or len(row) > len(self.columns)
                    if number >= self.first_row and spare:
                        return FileFormatError(
                            f"Row {number} has {len(row)} cells, the header has {width}",
                            where=f"{self.file}, row {number}",
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


def read_delimited(path: Path, look: Look, *, head_only: bool = False) -> DelimitedTable:
    """Open a CSV file that was found safe.

    Parameters
    ----------
    path : Path
        The file.
    look : Look
        What the caller looks for in the first rows.
    head_only : bool
        Tell the encoding from the first part and leave out what takes a look at the whole file.

    Raises
    ------
    FileFormatError
        When it is no table of text, or too large.
    """
    size = path.stat().st_size
    seen = min(size, _SAMPLE) if head_only else size
    sha256, encoding, lines = look_through(path, seen)
    check_memory(TEXT * size + ROW * lines * size // max(seen, 1), path.name)
    with open_text(path, encoding) as stream:
        sample = stream.read(_SAMPLE)
    if "\x00" in sample:
        raise FileFormatError(
            "The file is not text", where=path.name, hint="Ask for the data as CSV UTF-8 or as a workbook."
        )
    end = "\r" if "\n" not in sample and "\r" in sample else "\n"
    head = _head(sample, end, look)
    if not sample.strip(' \t\r\n\ufeff"' + "".join(SEPARATORS)):
        raise FileFormatError("The file is empty", where=path.name, hint="Ask for the file again.")
    look.check(head.rows[:HEAD_ROWS], head.header if head.found else None, path.name)
    names = unique_names(head.rows[head.header])
    below = head.rows[head.body :]
    # Cells beyond the last name are let pass where they are blank: a separator at the end of each row.
    spare = range(len(names), max(map(len, below), default=0))
    if any(cell.strip() for row in below for cell in row[len(names) :]):
        spare = range(0)
    check_columns(sum(name is not None for name in names), path.name)
    columns = every_name([*names, *(None for _ in spare)])
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
        header_found=head.found,
        streams=True,
        source=path if encoding.startswith("utf-8") else as_utf8(path, encoding),
        columns=columns,
        titles=tuple(cell.strip() for row in head.rows[: head.header] for cell in row if cell.strip()),
        spare=tuple(columns[i] for i in spare),
        lines=head.lines,
        end=end,
        wordy=_wordy(columns, below),
        large=size > 64 << 20,
    )
    notes: dict[str, int | str | Mapping[str, int]] = {
        "rows_of_wording": head.body - head.header - 1,
        "columns_without_name": sum(
            name is None and any(i < len(row) and row[i].strip() for row in below)
            for i, name in enumerate(names)
        ),
        **({} if head_only else table.short_rows()),
    }
    return replace(table, lazy=table.scan({}), notes={name: said for name, said in notes.items() if said})


def _head(sample: str, end: str, look: Look) -> _Head:
    """Find separator and header: the pair under which a row names the columns most surely."""
    lines = sample.lstrip("\ufeff")
    best: tuple[tuple[int, int], _Head] | None = None
    for separator in SEPARATORS:
        rows, ends = _parse(lines, separator, end)
        first = rows[:HEAD_ROWS]
        found = look.find(first)
        header = widest_row(first) if found is None else found
        score = (look.score(rows[header]) if found is not None else 0, _width(rows))
        body = header + 1 + (look.below(first, header) if found is not None else 0)
        if best is None or score > best[0]:
            last = ends[min(body, len(ends)) - 1] if ends else 0
            best = score, _Head(rows, header, found is not None, body, separator, last)
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
    different = map(set, zip_longest(*rows, fillvalue=""))
    return frozenset(
        name
        for name, cells in zip(columns, different, strict=False)
        if any(cell.strip() and not _PLAIN.match(cell) for cell in cells)
    )
