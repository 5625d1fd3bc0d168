"""Read a list of organisations: their codes, names, and which became part of which."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError, FileFormatError, UnknownNameError, unknown
from culture_metrics.files.header import Look
from culture_metrics.files.opener import open_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

NEEDED, OPTIONAL = "ods_code", ("name", "alt_names", "predecessor_codes", "merger_date")


def folded(name: str) -> str:
    """Return a name as it is compared: exact but for case and the number of spaces."""
    return " ".join(name.split()).casefold()


def codes_by_name(rows: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    """Return codes of organisations by their `folded` names, from codes and names; of two that bear one none.

    Examples
    --------
    >>> codes_by_name([("RXX", "Elm  Trust"), ("RYY", "Dale Trust"), ("RZZ", "dale trust")])
    {'elm trust': 'RXX'}
    """
    found: dict[str, set[str]] = {}
    for code, name in rows:
        if name is not None:
            found.setdefault(folded(name), set()).add(code)
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1}


def no_such(wanted: str, codes: Sequence[str], names: Mapping[str, str], where: str) -> UnknownNameError:
    """Make the error for an organisation that is not there; a name that is like one is only suggested.

    `names` are those of `codes_by_name`.
    """
    error = unknown("organisation", wanted, codes, where=where)
    near = get_close_matches(folded(wanted), names, n=2, cutoff=0.6)
    if near and "Did you mean" not in f"{error.hint}":
        error.hint = f"Did you mean {' or '.join(f'{names[name]} ({name.title()})' for name in near)}?"
    elif re.search(r"[a-z]{4,}|\s", wanted):
        error.expected = "an ODS code such as RXX, or the name exactly as the official workbook has it"
    return error


def open_list(source: pl.DataFrame | str | Path) -> pl.DataFrame:
    """Return a list of organisations as it stands, from a table or a CSV file.

    Raises
    ------
    FileFormatError, ExtractError
        When the file cannot be read or has no column `ods_code`.
    """
    if not isinstance(source, pl.DataFrame):
        opened = open_file(source)
        if opened.kind != "csv":
            raise FileFormatError(
                "The list of organisations cannot be read",
                where=opened.file,
                expected=f"a CSV file with a column {NEEDED}",
                hint="Save the list as CSV UTF-8.",
            )
        table = opened.text(Look(lambda row: int(NEEDED in row)))
        source = table.cells().select(table.names)
    if NEEDED not in source.columns:
        raise ExtractError(
            f"The list of organisations has no column '{NEEDED}'",
            expected=f"the columns {NEEDED}, {', '.join(OPTIONAL)}",
            hint="Rename the column that holds the codes.",
        )
    return source


def read_organisations(source: pl.DataFrame | str | Path) -> pl.DataFrame:
    """Return a list of organisations as text columns, from a table or a CSV file.

    Parameters
    ----------
    source : polars.DataFrame, str or Path
        Columns `ods_code` and, as far as they are known, `name`, `alt_names` and `predecessor_codes` (several
        parted by semicolons) and `merger_date` (of the last merger, as 2024-11-01).

    Raises
    ------
    FileFormatError, ExtractError
        When the file cannot be read or has no column `ods_code`.
    """
    listed = open_list(source)
    missing = [pl.lit(None, pl.String).alias(c) for c in OPTIONAL if c not in listed.columns]
    return listed.with_columns(missing).select(
        pl.col(c).cast(pl.String).str.strip_chars().replace("", None) for c in (NEEDED, *OPTIONAL)
    )


def successors(organisations: pl.DataFrame) -> dict[str, tuple[str, str | None]]:
    """Return the successor of each organisation that became part of another, and the day it did."""
    rows = organisations.drop_nulls("predecessor_codes").select("predecessor_codes", NEEDED, "merger_date")
    return {
        old.strip().upper(): (new, date)
        for codes, new, date in rows.iter_rows()
        for old in re.split(r"[;,|]", codes)
        if old.strip()
    }
