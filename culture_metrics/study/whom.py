"""Whom a study is about: the ODS code of an organisation that is given, or written in a file, by its name."""

from __future__ import annotations

import re
from dataclasses import replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import UnknownNameError, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.published import Published


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()


def names_of(published: Sequence[Published]) -> dict[str, str]:
    """Return the codes of organisations by their names in workbooks; a name that two bear is none's.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> names_of(cm.study([]).published)["invented trust 1"]
    'SYN01'
    """
    found: dict[str, set[str]] = {}
    for book in published:
        for code, name in book.organisations.select("organisation", "name").drop_nulls().iter_rows():
            found.setdefault(_folded(name), set()).add(code)
    return {name: next(iter(codes)) for name, codes in found.items() if len(codes) == 1}


def code_of(wanted: str | None, published: Sequence[Published]) -> str | None:
    """Return the code of the organisation of exactly this name; what is no name of one comes back."""
    return None if wanted is None else names_of(published).get(_folded(wanted), wanted.strip())


def by_code(extract: Extract, published: Sequence[Published]) -> Extract:
    """Write the code of an organisation that stands in a respondent file by its name in a workbook."""
    names = names_of(published)
    codes = {
        name: names[_folded(name)]
        for name in extract.frame["organisation"].drop_nulls().unique()
        if _folded(name) in names
    }
    if not codes:
        return extract
    frame = extract.frame.with_columns(pl.col("organisation").replace(codes))
    return replace(extract, frame=frame, provenance={**extract.provenance, "codes_of_names": codes})


def no_such(wanted: str, codes: Sequence[str], published: Sequence[Published]) -> UnknownNameError:
    """Make the error for an organisation that no file has; a name that is like one is only suggested."""
    names = names_of(published)
    error = unknown("organisation", wanted, codes, where="the files that were given")
    near = get_close_matches(_folded(wanted), names, n=2, cutoff=0.6)
    if near and "Did you mean" not in f"{error.hint}":
        error.hint = f"Did you mean {' or '.join(f'{names[name]} ({name.title()})' for name in near)}?"
    elif re.search(r"[a-z]{4,}|\s", wanted):
        error.expected = "an ODS code such as RXX, or the name exactly as the official workbook has it"
    return error
