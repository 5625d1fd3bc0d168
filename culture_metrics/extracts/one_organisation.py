"""The rows of one organisation in a file of several, and nothing that tells how many the others have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.extracts.rules.organisations import tidy_codes
from culture_metrics.files.raw import ROW

if TYPE_CHECKING:
    from culture_metrics.extracts.extract import Extract

#: Provenance of an extract that lacks the rows of other organisations.
OTHERS = "other_organisations"
#: Numbers in a provenance that count no rows and no answers.
_NO_COUNTS = ("header_row", "columns_without_name")


def one_organisation(extract: Extract, organisation: str, *, others: bool = False) -> Extract:
    """Keep the rows of one organisation, and those that name none.

    `others` says that the file has rows of others which are not in the extract, as those of other years.

    Of the provenance go all counts of rows and answers: they are of the whole file, and less those of the
    organisation they are the others'. Rows are numbered anew from 2, for where a row stands in the file tells
    how many stand before it.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> both = synthetic.respondents(2024, organisations=2, respondents_per_organisation=60)
    >>> one_organisation(both, "SYN02").frame.height
    60
    """
    names = extract.frame["organisation"].drop_nulls()
    forms = tidy_codes(dict(names.value_counts(name="n").iter_rows()))
    own = pl.col("organisation").replace(forms).fill_null("").is_in([organisation, ""])
    frame = extract.frame.filter(own)
    if frame.height == extract.frame.height and not others:
        return extract
    if ROW in frame.columns:
        numbers = pl.int_range(2, pl.len() + 2).cast(frame.schema[ROW])
        frame = frame.with_columns(numbers.alias(ROW))
    told = {key: value for key, value in extract.provenance.items() if not _counts(key, value)}
    return replace(extract, frame=frame, provenance={**told, OTHERS: True})


def _counts(key: str, value: Any) -> bool:
    """Tell whether a piece of provenance counts rows or answers."""
    if isinstance(value, Mapping):
        return any(_counts("", one) for one in value.values())
    return isinstance(value, int) and not isinstance(value, bool) and key not in _NO_COUNTS
