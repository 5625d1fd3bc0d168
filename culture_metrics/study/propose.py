"""What setup proposes: breakdowns and how they nest, and what unknown texts of answers may mean."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import permutations
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.errors import CultureMetricsError
from culture_metrics.extracts.labels import answer_key
from culture_metrics.extracts.nesting import lie_in as lies_in
from culture_metrics.extracts.nesting import nesting
from culture_metrics.extracts.own_labels import learn_labels, propose_labels
from culture_metrics.extracts.spelling import squeezed
from culture_metrics.files.names import squeeze
from culture_metrics.indicators.breakdowns import available_breakdowns, names_groups
from culture_metrics.problems import counted
from culture_metrics.study.settings import Nest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.extracts.nesting import Nesting

#: Breakdowns by what organisations are, not by what they are made of.
OF_ORGANISATIONS = frozenset({"benchmark_group", "region", "ics"})
#: From this likeness on an option is proposed for a text.
LIKE = 0.72
#: A name that is a number or a code.
NUMBER = r"^[A-Za-z]{0,3}[\d\s.,:/\-]+$"
#: From this share of people in groups of the same names on two columns of two years are one breakdown.
SAME_GROUPS = 0.5


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
    for earlier, later in _other_word(extracts, words):
        headers[later] = [*headers.pop(earlier), *headers[later]]
        del words[earlier]
    return {words[c]: tuple(reversed(headers[c])) for c in words}


def _other_word(extracts: Sequence[Extract], columns: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield columns that two files have under another word each: most people are in groups of the same names.

    A column that both files have is another breakdown. The word of the later file comes last.
    """
    columns = [*columns]
    each = {c: [e for e in extracts if c in e.frame.columns] for c in columns}
    gone: set[str] = set()
    for earlier, later in permutations(columns, 2):
        before, after = each[earlier], each[later]
        if {earlier, later} & gone or before[-1].period >= after[0].period:
            continue
        if same_names(before[-1].frame[earlier], after[0].frame[later]):
            gone.add(earlier)
            yield earlier, later


def same_names(first: pl.Series, second: pl.Series) -> bool:
    """Tell whether most people of two columns are in groups of the same names, of which there are several.

    Examples
    --------
    >>> same_names(pl.Series(["Nurses", "Medical "]), pl.Series(["medical", "nurses", None]))
    True
    """
    keys = [n.drop_nulls().map_elements(squeezed, return_dtype=pl.String) for n in (first, second)]
    both = {*keys[0]} & {*keys[1]}
    return len(both) > 1 and all(k.is_in(list(both)).mean() >= SAME_GROUPS for k in keys)  # type: ignore[operator]


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


def same_groups(extracts: Sequence[Extract], columns: Mapping[str, str]) -> dict[str, str]:
    """Return breakdowns that are numbers for the groups of another one, and that one: a cost code of each.

    Both would say the same, and each would hide the other's groups.
    """
    found: dict[str, str] = {}
    for word, other in permutations(columns, 2):
        pair = [columns[word], columns[other]]
        both = [e.frame.select(pair).drop_nulls().unique() for e in extracts if {*pair} <= {*e.frame.columns}]
        if word in found or other in found or not both:
            continue
        numbers = all(b[pair[0]].cast(pl.String).str.contains(NUMBER).all() for b in both)
        if numbers and all(b.height == b[c].n_unique() for b in both for c in pair):
            found[word] = other
    return found


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


@dataclass(frozen=True)
class UnknownText:
    """A text that no option is known by: what it may mean, how sure that is, and where it stands."""

    text: str
    option: str | None
    sure: bool
    said: str


def unknown_texts(extracts: Sequence[Extract], learnt: Mapping[str, str]) -> tuple[list[UnknownText], int]:
    """Return texts of answers that the questionnaire does not have, and how many rarer ones there are.

    Rarer ones are not named: they may be somebody's own words.

    Parameters
    ----------
    extracts : sequence of Extract
        As they were read.
    learnt : mapping
        Option -> that an official workbook spells so, by the key of the text.
    """
    looks = [propose_labels(e) for e in extracts if e.provenance.get("unreadable")]
    rare = sum(n for look in looks for n in look.rare.values())
    if not looks:
        return [], 0
    rows = pl.concat(look.table for look in looks).group_by("text", maintain_order=True).agg(
        pl.col("rows").sum(), pl.col("rows").null_count().alias("hidden"), pl.col("columns").first(),
        pl.col("proposal").drop_nulls().mode().sort().first(),
    )  # fmt: skip
    found = []
    for text, n, hidden, columns, option in rows.iter_rows():
        told = learnt.get(answer_key(text))
        like = SequenceMatcher(None, answer_key(text), answer_key(option or "")).ratio()
        many = "" if hidden else f", {n:,} rows"
        source = "; so in the official workbook" if told else "" if option else "; no option is like it"
        sure = told is not None or like >= LIKE
        found.append(UnknownText(text, told or option, sure, f"in {columns}{many}{source}"))
    return found, rare


def learnt_from(books: Iterable[Path]) -> dict[str, str]:
    """Return what official workbooks call response options, by the key of the text."""
    found: dict[str, str] = {}
    for path in books:
        try:
            texts = learn_labels(path)
        except CultureMetricsError:
            continue  # a national file, or one without answers: there is nothing to learn
        questions = {q.id: q for e in catalogue() for q in e.questions.values()}
        for name, codes in texts.items():
            labels = questions[name].scale.labels
            found |= {answer_key(text): labels[code] for text, code in codes.items() if code in labels}
    return found
