"""What setup proposes: breakdowns and how they nest, and what unknown texts of answers may mean."""

from __future__ import annotations

import re
from collections import Counter
from difflib import get_close_matches
from itertools import permutations
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.extracts.labels import answer_key
from culture_metrics.extracts.nesting import lie_in as lies_in
from culture_metrics.extracts.nesting import nesting
from culture_metrics.files.names import squeeze
from culture_metrics.indicators.breakdowns import available_breakdowns, names_groups
from culture_metrics.problems import counted
from culture_metrics.study.settings import Nest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from culture_metrics.catalogue import Question
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.nesting import Nesting

#: Breakdowns by what organisations are, not by what they are made of.
OF_ORGANISATIONS = frozenset({"benchmark_group", "region", "ics"})
#: From this likeness on an option is proposed for a text.
LIKE = 0.72


def group_columns(extract: Extract) -> dict[str, str]:
    """Return the text columns of an extract that split an organisation, with the id of each breakdown."""
    edition = extract.edition
    found = {}
    for name in available_breakdowns(extract):
        known = edition.breakdowns.get(name)
        column = name if known is None else known.column
        if column is not None and name not in OF_ORGANISATIONS and names_groups(extract, name):
            found[column] = name
    return found


def headers_of(extract: Extract, column: str) -> list[str]:
    """Return the header of a column in the file."""
    renamed = extract.provenance.get("renamed") or {}
    return [theirs for theirs, ours in renamed.items() if ours == column] or [column]


def own_parts(extracts: Sequence[Extract], least: int) -> dict[str, tuple[str, ...]]:
    """Return what the trust calls its parts, with their headers in the files.

    The latest file that has a column decides what it is called. A column of codes, or most of whose groups
    are too small to be shown, is left to the user.
    """
    words: dict[str, str] = {}
    headers: dict[str, list[str]] = {}
    for extract in extracts:
        for column, name in group_columns(extract).items():
            sizes = extract.frame[column].drop_nulls().value_counts(name="n")
            if sizes.filter(pl.col("n") >= least).height < 2:
                continue
            theirs = headers_of(extract, column)
            words[column] = extract.words.get(name, theirs[-1])
            here = headers.setdefault(column, [])
            here += [h for h in theirs if squeeze(h) not in map(squeeze, here)]
    return {words[c]: tuple(reversed(headers[c])) for c in words}


def numbers_of(extracts: Sequence[Extract], columns: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """Count the names of each breakdown, year by year."""
    return {
        word: {e.period: e.frame[c].drop_nulls().n_unique() for e in extracts if c in e.frame.columns}
        for word, c in columns.items()
    }


def lie_in(extracts: Sequence[Extract], columns: Mapping[str, str]) -> tuple[dict[str, Nest], dict[str, str]]:
    """Find which breakdowns lie in which, with the groups that do not; those of few people are counted.

    Parameters
    ----------
    extracts : sequence of Extract
        One a year; in each of those that have both columns the groups must lie so.
    columns : mapping
        What the trust calls it -> column.
    """
    looks = [nesting(e, [c for c in columns.values() if c in e.frame.columns]) for e in extracts]
    pairs = {
        (child, parent)
        for child, parent in permutations(columns, 2)
        if (both := [one for one in looks if _has(one, columns[child], columns[parent])])
        and all((columns[child], columns[parent]) in one.within() for one in both)
    }
    found: dict[str, Nest] = {}
    remarks: dict[str, str] = {}
    for child in columns:
        above = [parent for parent in columns if (child, parent) in pairs]
        # A department lies in a directorate; that it lies in the division of that one goes without saying.
        direct = [p for p in above if not any((between, p) in pairs for between in above)]
        if not direct:
            continue
        named, rare = set(), 0
        for one in looks:
            named |= set(one.exceptions.filter(inner=columns[child])["group"])
            rare = max([rare, *(one.rare.get((columns[child], columns[p]), 0) for p in direct)])
        found[child] = Nest(tuple(direct), tuple(sorted(named)))
        if rare:
            remarks[child] = f"{counted(rare, 'exception')} of few people besides"
    return found, remarks


def _has(look: Nesting, inner: str, outer: str) -> bool:
    return look.table.filter(inner=inner, outer=outer).height > 0


def same_around(
    last: Extract, this: Extract, column: str, around: Sequence[str], now: Mapping[str, Mapping[str, str]]
) -> Callable[[str, str], dict[str, bool]]:
    """Return what says of two names whether they lie in the same group of the breakdowns around them.

    `now` has the later names of groups of those breakdowns, by column.
    """
    places = {
        outer: [
            dict(lies_in(e.frame, column, outer).select("inner", "outer").iter_rows()) for e in (last, this)
        ]
        for outer in around
        if {column, outer} <= {*last.frame.columns} & {*this.frame.columns}
    }

    def said(old: str, new: str) -> dict[str, bool]:
        each = {outer: (before.get(old), after.get(new)) for outer, (before, after) in places.items()}
        return {
            outer: now.get(outer, {}).get(before, before) == after
            for outer, (before, after) in each.items()
            if before is not None and after is not None
        }

    return said


def in_order(parts: Mapping[str, int], nesting: Mapping[str, Nest]) -> list[str]:
    """Put what lies in one another first, from the largest parts to the smallest; then the others."""
    linked = {*nesting, *(name for nest in nesting.values() for name in nest.within)}
    return sorted(parts, key=lambda word: (word not in linked, parts[word] if word in linked else 0))


def unknown_texts(
    extracts: Sequence[Extract], least: int
) -> tuple[dict[str, str | None], dict[str, str], str]:
    """Return texts of answers that the questionnaire does not have, with the option that each may mean.

    Returns
    -------
    dict, dict, str
        Text -> option or None; text -> how often it stands there; and how many rarer texts there are, which
        are not named: they may be somebody's own words.
    """
    cells: Counter[str] = Counter()
    most: Counter[str] = Counter()
    columns: Counter[str] = Counter()
    proposed: dict[str, Counter[str]] = {}
    for extract in extracts:
        for column in extract.provenance.get("unreadable") or {}:
            question = extract.edition.columns.get(column)
            values = extract.frame[column] if column in extract.frame.columns else pl.Series(dtype=pl.Int8)
            if question is None or question.kind == "multi" or values.dtype != pl.String:
                continue
            texts = (
                values.drop_nulls().value_counts(name="n").filter(~pl.col(column).str.contains(r"^-?\d+$"))
            )
            for text, n in texts.iter_rows():
                cells[text] += n
                columns[text] += 1
                most[text] = max(most[text], n)
                if n >= least and (option := _likely(text, question)):
                    proposed.setdefault(text, Counter())[option] += n
    named = sorted((t for t in cells if most[t] >= least and len(t) <= 80), key=lambda t: (-cells[t], t))
    found = {t: max(proposed[t], key=lambda o: (proposed[t][o], o)) if t in proposed else None for t in named}
    said = {
        t: f"{counted(cells[t], 'answer')} in {counted(columns[t], 'column')}"
        + ("" if found[t] else "; no option is like it")
        for t in named
    }
    rare = [t for t in cells if t not in found]
    more = (
        f"Not listed: {counted(len(rare), 'rarer text')} ({counted(sum(cells[t] for t in rare), 'answer')})."
    )
    return found, said, more if rare else ""


def _likely(text: str, question: Question) -> str | None:
    """Return the option that a text is most like, if it is like one."""
    keys = {answer_key(label): label for label in question.scale.labels.values()}
    near = get_close_matches(answer_key(re.sub(r"^\s*\d+\s*[-.:)]\s*", "", text)), keys, n=1, cutoff=LIKE)
    return keys[near[0]] if near else None


def same_numbers(old: str, new: str) -> bool:
    """Tell whether two names do not differ by a number: Ward 1 and Ward 2 are two wards.

    Examples
    --------
    >>> same_numbers("Ward 1", "Ward 2"), same_numbers("Ward 1", "Ward 1 (Elderly)"), same_numbers("A", "A 2")
    (False, True, True)
    """
    numbers = [re.findall(r"\d+|\b[A-Z]\b", name) for name in (old, new)]
    return not all(numbers) or numbers[0] == numbers[1]
