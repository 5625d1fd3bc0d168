"""Tables that are in memory already: polars, pandas, Arrow. Neither pandas nor pyarrow is imported."""

from __future__ import annotations

from typing import Any

import polars as pl

from culture_metrics.errors import FileFormatError
from culture_metrics.files.names import unique_names
from culture_metrics.files.raw import RawTable
from culture_metrics.files.safety import check_columns

NAME = "table in memory"


def read_at_hand(table: Any) -> RawTable:
    """Take a polars DataFrame or LazyFrame, a pandas DataFrame, or anything that speaks Arrow.

    Raises
    ------
    FileFormatError
        When it is none of these or has no rows.

    Examples
    --------
    >>> read_at_hand(pl.DataFrame({"q2a": [4]})).names
    ('q2a',)
    """
    frame = _as_polars(table)
    names = [str(name) for name in unique_names(frame.columns)]
    check_columns(len(names), NAME)
    frame.columns = names
    return RawTable(names=tuple(names), lazy=frame.lazy(), file=NAME, kind="table")


def _as_polars(table: Any) -> pl.DataFrame:
    if isinstance(table, pl.DataFrame):
        return table.clone()
    module = type(table).__module__.partition(".")[0]
    try:
        if isinstance(table, pl.LazyFrame):
            return table.collect()
        if module == "pandas" and hasattr(table, "columns"):
            return pl.DataFrame(
                [_from_pandas(str(table.columns[i]), table.iloc[:, i]) for i in range(table.shape[1])]
            )
        if hasattr(table, "__arrow_c_stream__"):
            return pl.DataFrame(table)
    except (TypeError, ValueError, OSError, pl.exceptions.PolarsError) as error:
        # Not `from` the error: it may quote a cell.
        raise FileFormatError(
            "The table in memory cannot be read",
            where=NAME,
            got=f"a {module} table ({type(error).__name__})",
            hint="Give it as a polars DataFrame, or save it as Parquet.",
        ) from None
    raise FileFormatError(
        "This is neither a file nor a table",
        got=f"an object of type {type(table).__name__}",
        expected="a path, or a polars, pandas or Arrow table",
        hint="Give the path of the file.",
    )


def _from_pandas(name: str, column: Any) -> pl.Series:
    """Make a polars column: of plain numbers at once, of anything else value by value."""
    if column.dtype.kind in "iuf" and type(column.dtype).__module__.startswith("numpy"):
        return pl.Series(name, column.to_numpy(), nan_to_null=True)
    values = column.astype(object)
    return pl.Series(name, values.where(column.notna(), None).tolist(), strict=False)
