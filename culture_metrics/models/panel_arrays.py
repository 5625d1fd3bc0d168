"""The panel as checked numpy columns: one row per organisation and year, joined by their keys."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.errors import LinkError, unknown
from culture_metrics.problems import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Integers = NDArray[np.int64]

#: Keys that an error names, at most.
SHOWN = 5


@dataclass(frozen=True)
class Categories:
    """A categorical column: the code of each row's level (-1 where missing) and the levels in order."""

    codes: Integers
    levels: tuple[str, ...]


@dataclass(frozen=True)
class PanelArrays:
    """A panel as numpy columns, sorted by organisation and year.

    Attributes
    ----------
    organisations : tuple of str
        Codes of the organisations, sorted.
    organisation : numpy.ndarray
        For each row the position of its organisation in `organisations`.
    year : numpy.ndarray
        Year of each row.
    numbers : dict of str to numpy.ndarray
        Numeric columns, NaN where missing.
    categories : dict of str to Categories
        The other columns.
    """

    organisations: tuple[str, ...]
    organisation: Integers
    year: Integers
    numbers: dict[str, Array] = field(repr=False)
    categories: dict[str, Categories] = field(repr=False)

    @property
    def height(self) -> int:
        """Number of rows."""
        return self.year.size

    def column(self, name: str) -> Array:
        """Return a numeric column.

        Raises
        ------
        LinkError
            When the column holds text.
        """
        if name in self.numbers:
            return self.numbers[name]
        raise LinkError(
            f"Column '{name}' is not numeric", where=f"column {name}", expected="numbers", got="text"
        )

    def ahead(self, lag: int) -> Integers:
        """Return for each row the row of the same organisation `lag` years later, or -1 where there is none.

        This is a join on (organisation, year + lag), never a shift of rows: a missing year leaves a gap.
        """
        span = int(self.year.max() - self.year.min()) + abs(lag) + 1 if self.height else 1
        key = self.organisation * (3 * span) + (self.year - (self.year.min() if self.height else 0)) + span
        wanted = key + lag
        place = np.minimum(np.searchsorted(key, wanted), key.size - 1)
        return np.where(key[place] == wanted, place, -1)


def panel_arrays(
    frame: pl.DataFrame, columns: Iterable[str], *, organisation: str = "organisation", year: str = "year"
) -> PanelArrays:
    """Check a panel and return the columns a model needs as numpy arrays.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per organisation and year.
    columns : iterable of str
        Columns needed besides `organisation` and `year`.
    organisation, year : str
        Columns of the key.

    Raises
    ------
    UnknownNameError
        When a column is missing.
    LinkError
        When the key is missing, not whole or not unique, or a number is infinite.
    """
    names = list(dict.fromkeys([organisation, year, *columns]))
    _check_columns(frame, names)
    check_key(frame, organisation, year)
    frame = frame.select(names)
    frame = frame.with_columns(pl.col(organisation).cast(pl.String), pl.col(year).cast(pl.Int64))
    frame = frame.sort(organisation, year)
    codes = frame[organisation].unique(maintain_order=True)
    numbers: dict[str, Any] = {}
    categories: dict[str, Categories] = {}
    for name in names[2:]:
        if frame[name].dtype.is_numeric():
            numbers[name] = _numbers(frame, name, organisation)
        else:
            categories[name] = _categories(frame[name])
    return PanelArrays(
        organisations=tuple(codes),
        organisation=frame[organisation].rank("dense").cast(pl.Int64).to_numpy() - 1,
        year=frame[year].to_numpy(),
        numbers=numbers,
        categories=categories,
    )


def _check_columns(frame: pl.DataFrame, names: Iterable[str]) -> None:
    for name in names:
        if name not in frame.columns:
            raise unknown("column", name, frame.columns, where="the panel")


def check_key(frame: pl.DataFrame, organisation: str, year: str) -> None:
    """Refuse a table whose rows are not one for each organisation and year.

    Raises
    ------
    UnknownNameError
        When a column of the key is missing.
    LinkError
        When it is not whole or not unique.
    """
    _check_columns(frame, (organisation, year))
    if frame.is_empty():
        raise LinkError("The panel has no rows", expected="one row per organisation and year")
    if not frame[year].dtype.is_integer():
        raise LinkError(
            f"The years in '{year}' are not whole numbers",
            where=f"column {year}",
            expected="an integer type",
            got=str(frame[year].dtype),
            hint=f"For '2019/20' keep the first year: pl.col('{year}').str.slice(0, 4).cast(pl.Int32).",
        )
    missing = frame.filter(pl.col(organisation).is_null() | pl.col(year).is_null()).height
    if missing:
        raise LinkError(
            f"{missing} rows have no organisation or no year",
            where=f"columns {organisation} and {year}",
            hint="Remove or complete these rows.",
        )
    twice = frame.group_by(organisation, year).len().filter(pl.col("len") > 1).sort(organisation, year)
    if twice.height:
        keys = [f"{o} {y}" for o, y, _ in twice.rows()]
        raise LinkError(
            "The panel has more than one row for an organisation and year",
            where=listed(keys, SHOWN),
            expected="one row per organisation and year",
            got=f"{twice.height} keys more than once",
            hint="Aggregate to one row each, or filter to one breakdown.",
        )


def _numbers(frame: pl.DataFrame, name: str, organisation: str) -> Array:
    values = frame[name].cast(pl.Float64).to_numpy()
    infinite = np.isinf(values)
    if infinite.any():
        who = frame[organisation].filter(pl.Series(infinite)).unique(maintain_order=True).to_list()
        raise LinkError(
            f"Column '{name}' holds infinite numbers",
            where=f"column {name}, organisations {listed(who, SHOWN)}",
            hint="Look for a division by zero upstream; leave what is not known empty.",
        )
    values = values.copy()
    values.setflags(write=False)
    return values


def _categories(column: pl.Series) -> Categories:
    if isinstance(column.dtype, pl.Enum):
        levels = [level for level in column.dtype.categories if (column == level).any()]
    else:
        column = column.cast(pl.String)
        levels = column.drop_nulls().unique().sort().to_list()
    codes = column.cast(pl.Enum(levels)).to_physical().cast(pl.Int64).fill_null(-1).to_numpy()
    return Categories(codes, tuple(levels))
