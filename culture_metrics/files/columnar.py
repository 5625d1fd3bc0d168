"""Open Parquet files: nothing is read before it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.files.kinds import file_hash
from culture_metrics.files.raw import RawTable
from culture_metrics.files.safety import check_columns, check_table

if TYPE_CHECKING:
    from pathlib import Path

#: Bytes of memory that a value takes at most.
CELL = 16


def check_columnar(path: Path) -> None:
    """Stop at a Parquet file that is too large, by what it says of itself.

    Raises
    ------
    FileFormatError
        When it cannot be read or is too large.
    """
    _, names, rows = _scan(path)
    check_columns(len(names), path.name)
    check_table(rows, len(names), CELL, path)


def read_columnar(path: Path, *, head_only: bool = False) -> RawTable:
    """Open a Parquet file that was found safe.

    Raises
    ------
    FileFormatError
        When it cannot be read.
    """
    lazy, names, _ = _scan(path)
    return RawTable(
        names=names,
        lazy=lazy,
        file=path.name,
        kind="parquet",
        folder=path.parent,
        sha256=None if head_only else file_hash(path),
        streams=True,
    )


def _scan(path: Path) -> tuple[pl.LazyFrame, tuple[str, ...], int]:
    try:
        lazy = pl.scan_parquet(path, glob=False)
        names = tuple(lazy.collect_schema().names())
        return lazy, names, lazy.select(pl.len()).collect().item()
    except (pl.exceptions.PolarsError, OSError):
        raise FileFormatError(
            "The Parquet file cannot be read",
            where=path.name,
            hint="It may be cut short: ask for it again.",
        ) from None
