"""Open SPSS and Stata files: values, their labels, and which values the file declares missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.files.kinds import file_hash
from culture_metrics.files.names import unique_names
from culture_metrics.files.raw import Missing, RawTable
from culture_metrics.files.safety import check_columns, check_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Bytes that reading a value takes: as it was read, and as a column.
CELL = 24
#: Rows that tell what a file is.
HEAD = 1000
#: How far deflate shrinks a file at most.
PACKED = 1032


def check_labelled(path: Path) -> None:
    """Stop at an SPSS or Stata file that is too large, by its names and size alone.

    Raises
    ------
    FileFormatError
        When it cannot be read or is too large.
    """
    _, about = _read(path, metadataonly=True)
    check_columns(len(about.column_names), path.name)
    check_table(_most_rows(about, path), len(about.column_names), CELL, path)


def read_labelled(path: Path, known: Callable[[str], bool], *, head_only: bool = False) -> RawTable:
    """Open an SPSS (.sav, .zsav) or Stata (.dta) file that was found safe.

    Parameters
    ----------
    path : Path
        The file.
    known : callable
        Tells whether the caller knows a name. Where a variable's name says nothing to it and its label does,
        the label is the name.
    head_only : bool
        Read no more rows than tell what the file is.

    Returns
    -------
    RawTable
        With the value labels and the missing values that the file declares.

    Raises
    ------
    FileFormatError
        When the file cannot be read.
    """
    frame, about = _read(path, user_missing=True, row_limit=HEAD if head_only else 0)

    def name(theirs: str, label: str | None) -> str:
        return label if label and not known(theirs) and known(label) else theirs

    tagged = [name for name, dtype in frame.schema.items() if dtype == pl.Object]
    names = unique_names([name(n, label) for n, label in about.column_names_to_labels.items()])
    theirs = dict(zip(about.column_names, [str(n) for n in names], strict=True))
    return RawTable(
        names=tuple(theirs.values()),
        lazy=frame.with_columns(_tagged(frame[c]) for c in tagged).rename(theirs).lazy(),
        file=path.name,
        kind="stata" if _is_stata(path) else "spss",
        folder=path.parent,
        sha256=None if head_only else file_hash(path),
        labels={
            theirs[name]: {_text(value): str(label) for value, label in labels.items()}
            for name, labels in about.variable_value_labels.items()
        },
        missing={
            **{theirs[name]: _spans(spans) for name, spans in about.missing_ranges.items()},
            **{theirs[name]: tuple(map(str, tags)) for name, tags in about.missing_user_values.items()},
        },
        notes={"rows_in_file": about.number_rows} if head_only and about.number_rows is not None else {},
    )


def _most_rows(about: Any, path: Path) -> int:
    """Return the number of rows, or how many there can be in a file that does not say it.

    A value takes a byte at least, and what is packed at most so many times the size of the file.
    """
    if about.number_rows is not None and about.number_rows >= 0:
        return int(about.number_rows)
    unpacked = path.stat().st_size * (PACKED if path.suffix.lower() == ".zsav" else 1)
    return int(unpacked // max(len(about.column_names), 1))


def _is_stata(path: Path) -> bool:
    return path.suffix.lower() == ".dta"


def _read(path: Path, **options: Any) -> tuple[pl.DataFrame, Any]:
    import pyreadstat

    read = pyreadstat.read_dta if _is_stata(path) else pyreadstat.read_sav
    try:
        return read(path, output_format="polars", **options)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, ValueError):
        # Not `from` the error: it may quote a cell.
        raise FileFormatError(
            f"The {'Stata' if _is_stata(path) else 'SPSS'} file cannot be read",
            where=path.name,
            hint="It may be damaged or cut short: ask for it again, or for CSV UTF-8.",
        ) from None


def _spans(spans: Any) -> tuple[Missing, ...]:
    return tuple(s["lo"] if isinstance(s["lo"], str) else (s["lo"], s["hi"]) for s in spans)


def _tagged(column: pl.Series) -> pl.Series:
    """Make text of a Stata column that holds numbers and the letters of its kinds of missing."""
    texts = [None if value is None or value != value else _text(value) for value in column]  # noqa: PLR0124
    return pl.Series(column.name, texts, dtype=pl.String)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
