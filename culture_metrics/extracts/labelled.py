"""Open SPSS and Stata files: values, their labels, and which values the file declares missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.extracts.columns import identifying, names_question, squeeze
from culture_metrics.extracts.layouts import refuse_results
from culture_metrics.extracts.raw import Missing, RawTable, unique_names
from culture_metrics.extracts.safety import check_columns, check_table

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes that reading a value takes: as it was read, and as a column.
CELL = 24
#: How far deflate shrinks a file at most.
PACKED = 1032


def read_labelled(path: Path, sha256: str | None = None, rows: int = 0) -> RawTable:
    """Open an SPSS (.sav, .zsav) or Stata (.dta) file.

    Parameters
    ----------
    path : Path
        The file.
    sha256 : str, optional
        Hash of the file, for provenance.
    rows : int
        Read so many rows only; 0 reads all.

    Returns
    -------
    RawTable
        With the value labels and the missing values that the file declares. Where a variable's name says
        nothing and its label is the name of a question or an identifying column, the label is the name.

    Raises
    ------
    FileFormatError
        When the file cannot be read or is too large.
    """
    import pyreadstat

    stata = path.suffix.lower() == ".dta"
    read = pyreadstat.read_dta if stata else pyreadstat.read_sav
    try:
        # Without rows it tells names, labels and size; only then is it known whether the memory will do.
        _, about = read(path, metadataonly=True, output_format="polars")
        check_columns(len(about.column_names), path.name)
        check_table(_most_rows(about, path), len(about.column_names), CELL, path)
        frame, about = read(path, user_missing=True, output_format="polars", row_limit=rows)
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError, ValueError) as error:
        raise FileFormatError(
            f"The {'Stata' if stata else 'SPSS'} file cannot be read",
            where=path.name,
            hint="It may be damaged or cut short: ask for it again, or for CSV UTF-8.",
        ) from error
    tagged = [name for name, dtype in frame.schema.items() if dtype == pl.Object]
    names = unique_names([_name(n, label) for n, label in about.column_names_to_labels.items()])
    theirs = dict(zip(about.column_names, [str(n) for n in names], strict=True))
    refuse_results([list(theirs.values())], path.name)
    return RawTable(
        names=tuple(theirs.values()),
        lazy=frame.with_columns(_tagged(frame[c]) for c in tagged).rename(theirs).lazy(),
        file=path.name,
        kind="stata" if stata else "spss",
        folder=path.parent,
        sha256=sha256,
        labels={
            theirs[name]: {_text(value): str(label) for value, label in labels.items()}
            for name, labels in about.variable_value_labels.items()
        },
        missing={
            **{theirs[name]: _spans(spans) for name, spans in about.missing_ranges.items()},
            **{theirs[name]: tuple(map(str, tags)) for name, tags in about.missing_user_values.items()},
        },
        notes={"rows_in_file": about.number_rows} if rows and about.number_rows is not None else {},
    )


def _most_rows(about: Any, path: Path) -> int:
    """Return the number of rows, or how many there can be in a file that does not say it.

    A value takes a byte at least, and what is packed at most so many times the size of the file.
    """
    if about.number_rows is not None and about.number_rows >= 0:
        return int(about.number_rows)
    unpacked = path.stat().st_size * (PACKED if path.suffix.lower() == ".zsav" else 1)
    return int(unpacked // max(len(about.column_names), 1))


def _name(name: str, label: str | None) -> str:
    return label if label and not _known(name) and _known(label) else name


def _known(name: str) -> bool:
    return names_question(name) or squeeze(name) in identifying()


def _spans(spans: Any) -> tuple[Missing, ...]:
    return tuple(s["lo"] if isinstance(s["lo"], str) else (s["lo"], s["hi"]) for s in spans)


def _tagged(column: pl.Series) -> pl.Series:
    """Make text of a Stata column that holds numbers and the letters of its kinds of missing."""
    texts = [None if value is None or value != value else _text(value) for value in column]  # noqa: PLR0124
    return pl.Series(column.name, texts, dtype=pl.String)


def _text(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
