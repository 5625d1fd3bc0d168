"""Columns that name people rather than groups: ids, addresses, dates of birth, free text. They split nobody.

The one rule of what may be a breakdown. A breakdown puts its groups' names on pages and in files, so that a
column of e-mail addresses, once it is taken for one, is a list of the staff. Suppression hides figures of
small groups; whether a column names groups at all is decided before it, from its name and its entries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError
from culture_metrics.extracts.columns import identifying
from culture_metrics.files.names import squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Names of columns, squeezed, that hold something of one person.
PERSONAL = re.compile(
    r"(respondent|participant|person|employee|staff|payroll|esr|assignment|nhs|nationalinsurance|ni)"
    r"(id|no|nr|num|number|code|name)|"
    r"(home|work)?(e?mail|phone|telephone|mobile)(address|no|number)?|(user|log)(name|in)|"
    r"(home)?(postcode|address)|(date|month)ofbirth|birth(date|day)|dob|"
    r"(full|first|last|middle|sur|fore|given|family|preferred)name"
)
#: What an entry looks like that is of one person; looked for in different entries.
FORMS = {
    "e-mail addresses": r"\w@\w[\w\-]*\.\w",
    "dates": r"^\s*(\d{1,2}[/.\-]\d{1,2}[/.\-](\d{2}|\d{4})|\d{4}-\d{1,2}-\d{1,2})\b",
    "postcodes": r"(?i)^\s*[a-z]{1,2}\d[a-z\d]?\s*\d[a-z]{2}\s*$",
    "National Insurance numbers": r"(?i)^\s*[a-z]{2}\s?\d{2}\s?\d{2}\s?\d{2}\s?[a-d]\s*$",
    "numbers of people": r"^\s*(\+?\d[\s\-]?){8,}\s*$",
    "sentences": r"^.{61,}|^(\S+\s+){9,}\S",
}
#: From this share of the different entries on, the form is that of the column. A stray address in a column of
#: departments does not make it one of addresses.
ALIKE = 0.1
#: A third of as many entries as people: groups of three at the most, of which nothing could be shown. A trust
#: with 187 departments for 4,200 people has one for 22. Below fifty rows only what is nearly all different.
MOST_SHARE, ENOUGH = 1 / 3, 50
NEARLY_ALL, FEW = 0.9, 10
#: So many different entries, most of which stand once, are answers in own words (job titles), not groups.
MANY = 50


def why_personal(names: Iterable[str], entries: pl.Series, rows: int, once: int) -> str | None:
    """Say why a column names people and no groups; None where it may be a breakdown.

    Parameters
    ----------
    names : iterable of str
        What the column is called, here and in the file.
    entries : polars.Series
        Its different entries.
    rows : int
        How many rows have one.
    once : int
        How many entries stand in one row only.

    Examples
    --------
    >>> wards = pl.Series(["Ward 1", "Ward 2", "Theatres"])
    >>> why_personal(["ward"], wards, 90, 0) is None
    True
    >>> why_personal(["Staff ID"], wards, 90, 0), why_personal(["ward"], pl.Series(["a@nhs.net"]), 90, 0)
    ('its name is that of something personal', 'its entries look like e-mail addresses')
    """
    squeezed = {squeeze(name) for name in names}
    if any(identifying().get(name) == "respondent" or PERSONAL.fullmatch(name) for name in squeezed):
        return "its name is that of something personal"
    different = entries.len()
    if (rows >= ENOUGH and different > MOST_SHARE * rows) or (rows >= FEW and different > NEARLY_ALL * rows):
        return (
            "nearly every entry is different" if once > different / 2 else "its entries are of few rows each"
        )
    if different >= MANY and once > different / 2:
        return "most of its entries stand once"
    text = entries.cast(pl.String)
    for form, pattern in FORMS.items():
        if different and text.str.contains(pattern).sum() > ALIKE * different:
            return f"its entries look like {form}"
    return None


def check_groups(name: str, theirs: Iterable[str], values: pl.Series) -> None:
    """See to it that a text column names groups before it becomes a breakdown.

    Raises
    ------
    ExtractError
        When it names people; says the column and why, and no entry.
    """
    counts = values.drop_nulls().value_counts(name="n")
    why = why_personal(
        [name, *theirs], counts[values.name], int(counts["n"].sum()), int((counts["n"] == 1).sum())
    )
    if why is not None:
        raise ExtractError(
            f"The column {name} cannot be a breakdown: it names people or holds free text, not groups",
            where=f"column {name}",
            expected="a column with a few names, each for many respondents",
            got=why,
            hint="Choose another column, or put a column of groups in its place.",
        )
