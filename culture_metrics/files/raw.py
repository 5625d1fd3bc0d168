"""A table as it stands in a file: names from the header, cells untouched, columns read when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import polars as pl
import polars.selectors as cs

from culture_metrics.errors import ExtractError, FileFormatError
from culture_metrics.files.names import INVISIBLE, TWIN, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

#: Column that holds the row number of the file, so that a problem can be looked up there.
ROW = "row"
#: Its name while the file's own columns, one of which may be called `row`, are still there.
INDEX = f"{TWIN}row"
#: What a file declares missing: the numbers from one to another, or a text.
Missing = tuple[float, float] | str


@dataclass(frozen=True)
class RawTable:
    """Rows of a file as they stand, without the rows that are blank from the first column to the last.

    Attributes
    ----------
    names : tuple of str
        Names of the columns that have one, in the order of the file.
    lazy : polars.LazyFrame
        The table. It is read from the file each time it is collected when `streams`.
    file : str
        Name of the file, for messages.
    kind : str
        `csv`, `excel`, `parquet`, `spss`, `stata` or `table`.
    first_row : int
        Number that the file itself gives to the first row of data.
    header_found : bool
        Whether a row names what the caller looked for; otherwise the widest row was taken.
    columns : tuple of str
        Every column of a CSV file or sheet by its place, those without a name too.
    titles : tuple of str
        What stands above the names of columns in a CSV file or sheet.
    labels : mapping
        Value labels of a column: value as text -> label. SPSS and Stata files bring them.
    missing : mapping
        Values of a column that the file declares missing: ranges and texts.
    """

    names: tuple[str, ...]
    lazy: pl.LazyFrame
    file: str
    kind: str
    first_row: int = 1
    folder: Path | None = None
    sha256: str | None = None
    sheet: str | None = None
    encoding: str | None = None
    separator: str | None = None
    header_row: int | None = None
    header_found: bool = True
    columns: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    streams: bool = False
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    missing: Mapping[str, tuple[Missing, ...]] = field(default_factory=dict)
    notes: Mapping[str, int | str | Mapping[str, int]] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """File and sheet, for messages."""
        return self.file if self.sheet is None else f"{self.file}, sheet {self.sheet}"

    def check_types(self, names: Iterable[str]) -> None:
        """Stop at a column whose cells hold more than one value.

        Raises
        ------
        ExtractError
            Naming the column.
        """
        schema = self.lazy.collect_schema()
        for name in names:
            if schema[name].is_nested() or schema[name] in (pl.Object, pl.Binary):
                raise ExtractError(
                    f"Column '{shown(name)}' holds {schema[name].base_type().__name__.lower()} values",
                    where=self.where,
                    expected="one code or text per cell",
                    hint="Write one value per cell; a tick-all-that-apply question as text such as 1;3.",
                )

    def text(self, name: str) -> pl.Expr:
        """Return a column as trimmed text: numbers without `.0`, codes as their value labels, blanks null."""
        column, dtype = pl.col(name), self.lazy.collect_schema()[name]
        if dtype.is_float():
            whole = column.cast(pl.Int64, strict=False)
            column = pl.when(whole == column).then(whole.cast(pl.String)).otherwise(column.cast(pl.String))
            column = pl.when(pl.col(name).is_not_nan()).then(column)
        elif dtype == pl.Duration:
            column = column.dt.to_string("iso")
        text = column.cast(pl.String).str.replace_all(INVISIBLE, "").str.strip_chars(" \t\r\n\xa0")
        labels = {value: label.strip() for value, label in self.labels.get(name, {}).items()}
        if labels:
            text = text.replace(labels)
        return pl.when(text != "").then(text).alias(name)

    def batches(
        self, questions: Sequence[str], texts: Sequence[str], keep: pl.Expr | None
    ) -> Iterator[pl.DataFrame]:
        """Read columns, in one or more parts side by side.

        Parameters
        ----------
        questions : sequence of str
            Columns to read as they stand: whole numbers come as Int8 or Int16 where they fit.
        texts : sequence of str
            Columns to read as text.
        keep : polars.Expr or None
            Which rows.

        Yields
        ------
        polars.DataFrame
            The first part holds `INDEX` and the texts too.
        """
        lazy = self.lazy.with_row_index(INDEX, offset=self.first_row)
        if keep is not None:
            lazy = lazy.filter(keep)
        lazy = lazy.select(INDEX, *(self.text(name) for name in texts), *questions)
        wide = cs.by_name(questions) & cs.integer() - cs.by_dtype(pl.Int8)
        try:
            yield lazy.with_columns(wide.cast(pl.Int16)).collect(engine=self._engine)
            return
        except pl.exceptions.InvalidOperationError:
            pass  # a number that is no code of any question: such columns come as they are
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self.broken(error) from None
        try:
            yield lazy.collect(engine=self._engine)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self.broken(error) from None

    def pick(self, expressions: Iterable[pl.Expr], keep: pl.Expr | None = None) -> pl.DataFrame:
        """Work out some expressions over the table.

        Raises
        ------
        FileFormatError
            When the file turns out to be broken.
        """
        lazy = self.lazy if keep is None else self.lazy.filter(keep)
        try:
            return lazy.select(expressions).collect(engine=self._engine)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self.broken(error) from None

    def cells(self) -> pl.DataFrame:
        """Return every cell of a CSV file or sheet as text, and `INDEX`, the number of its row.

        Raises
        ------
        FileFormatError
            When the file turns out to be broken.
        """
        numbered = self.lazy.with_row_index(INDEX, offset=self.first_row)
        try:
            return numbered.select(INDEX, *self.columns).collect(engine=self._engine)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self.broken(error) from None

    def check_rows(self) -> None:
        """Stop at a row that does not fit the header, where the format can have one.

        Raises
        ------
        FileFormatError
            Naming the first such row.
        """

    def has_rows(self) -> bool:
        """Tell whether there is a row below the header."""
        try:
            return bool(self.names) and self.lazy.select(self.names[0]).head(1).collect().height > 0
        except (pl.exceptions.PolarsError, OSError) as error:
            raise self.broken(error) from None

    def broken(self, error: Exception | None = None) -> FileFormatError:
        """Return the error for a file that breaks off. Not its cause, for that may quote a cell."""
        return FileFormatError(
            "The table cannot be read to its end",
            where=self.where,
            got=type(error).__name__,
            hint="It may be damaged: ask for it again, or for CSV UTF-8.",
        )

    @property
    def _engine(self) -> Literal["streaming", "in-memory"]:
        return "streaming" if self.streams else "in-memory"
