"""Groups of respondents: from the codes of a question or from a text column."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError, UnknownNameError, unknown
from culture_metrics.extracts.columns import identifying, text_columns
from culture_metrics.extracts.own_words import own_breakdowns
from culture_metrics.extracts.personal import check_groups
from culture_metrics.files.formulas import START, plain
from culture_metrics.files.names import squeeze
from culture_metrics.indicators.codes import Codes, codes_of
from culture_metrics.indicators.scoring import answer_codes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract

    Numbers = NDArray[np.int64]


#: So many respondents are looked at first for breakdowns that lie across each other.
FIRST = 20_000


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
        When the question of a breakdown holds no whole numbers, or a column names people and no groups.
    """
    return {name: _group(extract, name) for name in by}


def group_codes(extract: Extract, by: Sequence[str]) -> dict[str, Codes]:
    """Return, for each breakdown, the group of every respondent as a number; raises as `group_columns`."""
    return {name: _codes(extract, name) for name in by}


def parents(extract: Extract, breakdowns: Mapping[str, Sequence[str]]) -> pl.DataFrame | None:
    """Return, as the data have it, the groups of breakdowns whose groups all lie whole in one of another.

    Crosses are left out. The columns are `organisation, breakdown, group, parent_breakdown, parent_group`.

    Examples
    --------
    >>> from dataclasses import replace
    >>> from culture_metrics import synthetic
    >>> frame = pl.DataFrame({"organisation": ["RXX"] * 3, "site": ["a", "a", "b"], "ward": ["1", "2", "3"]})
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=3)
    >>> found = parents(replace(extract, frame=frame), {"site": ["site"], "ward": ["ward"]})
    >>> found.select("group", "parent_group").rows()
    [('1', 'a'), ('2', 'a'), ('3', 'b')]
    """
    names = [name for name, parts in breakdowns.items() if len(parts) == 1]
    if len(names) < 2:
        return None
    codes = group_codes(extract, names)
    organisation = codes_of(extract.frame["organisation"])
    found = []
    for child, parent in permutations(names, 2):
        inner, outer = codes[child], codes[parent]
        # Most breakdowns lie across each other, which a few respondents already show.
        if _above(inner, outer, organisation, slice(FIRST)) is None:
            continue
        of_group = _above(inner, outer, organisation, slice(None))
        if of_group is None or len(np.unique(of_group[of_group >= 0])) < 2:
            continue
        here = np.flatnonzero(of_group >= 0)
        found.append(
            pl.DataFrame(
                {
                    "organisation": organisation.names.cast(pl.String)[here // len(inner.names)],
                    "breakdown": [child] * len(here),
                    "group": inner.names.cast(pl.String)[here % len(inner.names)],
                    "parent_breakdown": [parent] * len(here),
                    "parent_group": outer.names.cast(pl.String)[of_group[here]],
                }
            )
        )
    return pl.concat(found) if found else None


def _above(inner: Codes, outer: Codes, organisation: Codes, rows: slice) -> Numbers | None:
    """Return the group of `outer` around each group of `inner`, -1 for none; None where one has two."""
    own, above, whose = inner.codes[rows], outer.codes[rows], organisation.codes[rows]
    known = (own >= 0) & (above >= 0) & (whose >= 0)
    group = whose[known].astype(np.int64) * len(inner.names) + own[known]
    above = above[known]
    of_group = np.full(int(group.max(initial=0)) + 1, -1)
    of_group[group] = above
    return None if (of_group[group] != above).any() else of_group


def available_breakdowns(extract: Extract) -> list[str]:
    """Return the breakdowns that an extract has the columns for.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=20)
    >>> "occupation_group" in available_breakdowns(extract)
    True
    """
    edition, frame = extract.edition, extract.frame
    own = own_breakdowns(frame.schema, edition, text_columns(edition).values())
    return [*edition.breakdowns_in(frame.columns), *own]


def breakdown_id(extract: Extract, name: str) -> str:
    """Return the id of a breakdown that an extract has, named as the catalogue or the file names it.

    Raises
    ------
    UnknownNameError
        When it has none of that name; says which it has.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> breakdown_id(synthetic.respondents(2024, respondents_per_organisation=20), "directorate")
    'locality_1'
    """
    here = extract.frame.columns
    if name not in extract.edition.breakdowns and name in here and extract.frame[name].dtype == pl.String:
        return name
    available = available_breakdowns(extract)
    if name in available:
        return name
    theirs = identifying() | {squeeze(a): b for a, b in (extract.provenance.get("renamed") or {}).items()}
    theirs |= {squeeze(word): one for one, word in extract.words.items()}
    found: str | None = theirs.get(squeeze(name), name)
    if found in available:
        return str(found)
    try:
        found = extract.edition.breakdown(str(found)).id
    except UnknownNameError:
        found = None
    if found in available:
        return str(found)
    kind = "breakdown in this extract" if found else "breakdown"
    offered = [extract.words.get(one, one) for one in available]
    error = unknown(kind, name, offered, where=f"{extract.edition.survey.label}, {extract.period}")
    error.expected = f"one of {', '.join(offered)}"
    unused = [n for n in extract.provenance.get("not_used") or () if squeeze(n) == squeeze(name)]
    if unused:
        error.hint = (
            f"The file's column '{unused[0]}' is not read as a breakdown. If it names groups, match it once: "
            f"save_mapping(path, {{'{unused[0]}': 'breakdown'}})."
        )
    elif "Did you mean" not in (error.hint or ""):
        error.hint = None
    raise error


def names_groups(extract: Extract, breakdown: str) -> bool:
    """Whether the column of a breakdown that an extract has names groups, not people."""
    try:
        _source(extract, breakdown)
    except ExtractError:
        return False
    return True


def _theirs(extract: Extract, column: str) -> list[str]:
    """Return what the file calls a column."""
    renamed = extract.provenance.get("renamed") or {}
    return [theirs for theirs, ours in renamed.items() if ours == column]


def _source(extract: Extract, name: str) -> tuple[str, pl.Series | None]:
    """Name the column of a breakdown, and the group of each code from 0 to 255 if it is a question."""
    found = breakdown_id(extract, name)
    breakdown = extract.edition.breakdowns.get(found)
    if breakdown is None or breakdown.question is None:
        column = found if breakdown is None else breakdown.column or found
        check_groups(column, _theirs(extract, column), extract.frame[column])
        return column, None
    code = extract.edition.questions[breakdown.question].code
    if not extract.frame.schema[code].is_integer():
        raise ExtractError(
            "The answers are not whole numbers yet",
            where=f"column {code}",
            expected="the codes of the questionnaire",
            hint="Use the extract that validate(extract).extract gives.",
        )
    names = {c: group for group, codes in breakdown.groups.items() for c in codes}
    return code, pl.Series([names.get(c) for c in range(256)], dtype=pl.Enum([*breakdown.groups]))


def _group(extract: Extract, name: str) -> pl.Expr:
    column, of_code = _source(extract, name)
    if of_code is None:
        return plain(pl.col(column))
    # Looked up by place: ten times as quick as `replace_strict`.
    return pl.lit(of_code).gather(pl.col(column).cast(pl.UInt8, strict=False))


def _codes(extract: Extract, name: str) -> Codes:
    column, of_code = _source(extract, name)
    if of_code is None:
        found = codes_of(extract.frame[column])
        formulas = found.names.cast(pl.String).str.contains(START).any()
        return codes_of(extract.frame.select(plain(pl.col(column))).to_series()) if formulas else found
    groups = codes_of(of_code)
    # Codes are numbers up to 127: a byte above is no answer, or a number below 0.
    of_byte = np.where(np.arange(256) < 128, groups.codes, -1).astype(np.int32)
    answer = extract.frame.select(answer_codes(column)).to_series().to_numpy().view(np.uint8)
    return Codes(np.take(of_byte, answer, mode="clip"), groups.names)
