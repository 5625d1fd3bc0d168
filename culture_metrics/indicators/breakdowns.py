"""Groups of respondents: from the codes of a question or from a text column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import ExtractError, unknown
from culture_metrics.results import ALL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract

#: Between the names of crossed breakdowns, and between the names of their groups.
CROSS = " × "


def crossed(by: str | Sequence[str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Name breakdowns and say what they are made of: several names in a sequence are crossed.

    The same names in another order are the same cross; the first order stands. A text is one breakdown.
    """
    by = [by] if isinstance(by, str) else by
    lists = [(b,) if isinstance(b, str) else tuple(b) for b in by]
    for names in lists:
        if not names or len(set(names)) < len(names) or any(CROSS in n or n == ALL for n in names):
            raise ExtractError(
                "These cannot be crossed" if len(names) > 1 else "This is no breakdown",
                got=" and ".join(names),
                expected=f"different breakdowns, none called {ALL!r} or with {CROSS!r} in its name",
            )
    first = {frozenset(names): names for names in reversed(lists)}
    kept = dict.fromkeys(first[frozenset(names)] for names in lists)
    return {CROSS.join(names): names for names in kept}


def group_columns(extract: Extract, by: Sequence[str]) -> dict[str, pl.Expr]:
    """Return, for each breakdown, the expression that names a respondent's group (null when not known).

    Raises
    ------
    UnknownNameError
        When the catalogue has no such breakdown and the extract no such text column, or when the extract
        lacks the column that the breakdown needs.
    ExtractError
        When the question of a breakdown holds no whole numbers.
    """
    return {name: _group(extract, name) for name in by}


def available_breakdowns(extract: Extract) -> list[str]:
    """Return the breakdowns that an extract has the columns for.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=20)
    >>> "occupation_group" in available_breakdowns(extract)
    True
    """
    here = extract.frame.columns
    return [
        name
        for name, b in extract.edition.breakdowns.items()
        if (extract.edition.questions[b.question].code if b.question else b.column) in here
    ]


def _group(extract: Extract, name: str) -> pl.Expr:
    here = extract.frame.columns
    if name not in extract.edition.breakdowns and name in here and extract.frame[name].dtype == pl.String:
        return pl.col(name)
    breakdown = extract.edition.breakdown(name)
    if breakdown.question is None:
        if breakdown.column not in here:
            raise unknown("breakdown in this extract", name, available_breakdowns(extract))
        return pl.col(breakdown.column)
    code = extract.edition.questions[breakdown.question].code
    if code not in here:
        raise unknown("breakdown in this extract", name, available_breakdowns(extract))
    if not extract.frame.schema[code].is_integer():
        raise ExtractError(
            "The answers are not whole numbers yet",
            where=f"column {code}",
            expected="the codes of the questionnaire",
            hint="Use the extract that validate(extract).extract gives.",
        )
    names = {c: group for group, codes in breakdown.groups.items() for c in codes}
    return pl.col(code).replace_strict(names, default=None, return_dtype=pl.Enum([*breakdown.groups]))
