"""What a breakdown may be called: its id, its name in the catalogue, or the word of the trust's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.files.names import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from culture_metrics.catalogue import Edition


def breakdown_among(
    known: Iterable[str], name: str, edition: Edition, words: Mapping[str, str] | None = None
) -> str:
    """Return which of the known breakdowns is meant by any of its spellings; the name itself where none is.

    Parameters
    ----------
    known : iterable of str
        Breakdowns as results have them; crosses as well.
    name : str
        Id, catalogued name, or the file's own word.
    edition : Edition
        Gives names.
    words : mapping, optional
        Breakdown -> what the file calls it.

    Examples
    --------
    >>> from culture_metrics import catalogue
    >>> edition, words = catalogue().edition(2024), {"locality_1": "Directorate"}
    >>> breakdown_among(["locality_1", "age"], "directorate", edition, words)
    'locality_1'
    >>> breakdown_among(["Directorate × age"], "Age × locality_1", edition, words)
    'Directorate × age'
    """
    known = list(known)
    if name in known:
        return name
    ids = _ids(edition, words or {})
    wanted = _parts(name, ids)
    return next((one for one in known if _parts(one, ids) == wanted), name)


def with_ids(table: pl.DataFrame, words: Mapping[str, str], column: str = "breakdown") -> pl.DataFrame:
    """Return results with the ids of breakdowns where they have the file's own words.

    Examples
    --------
    >>> rows = pl.DataFrame({"breakdown": ["Directorate × age", "age"]})
    >>> with_ids(rows, {"locality_1": "Directorate"})["breakdown"].to_list()
    ['locality_1 × age', 'age']
    """
    ids = {word: name for name, word in words.items()}
    said = table[column].unique().to_list() if ids else []
    new = {one: CROSS.join(ids.get(part, part) for part in one.split(CROSS)) for one in said}
    new = {old: one for old, one in new.items() if old != one}
    return table.with_columns(pl.col(column).replace(new)) if new else table


def _ids(edition: Edition, words: Mapping[str, str]) -> dict[str, str]:
    """Return the ids of all spellings; the file's own words win."""
    catalogued = {squeeze(n): b.id for b in edition.breakdowns.values() for n in (*b.names, b.label, b.id)}
    return catalogued | {squeeze(word): name for name, word in words.items()}


def _parts(name: str, ids: Mapping[str, str]) -> frozenset[str]:
    return frozenset(ids.get(squeeze(part), part) for part in name.split(CROSS))
