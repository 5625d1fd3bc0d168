"""Which column is which: names in files to question codes and identifying columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

from culture_metrics.code_fit import multi_questions
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.labels import label_code
from culture_metrics.files.names import shown, squeeze

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from culture_metrics.catalogue import Edition

#: A question code at the start of a name, with the number of an option and words after it:
#: q25c, Q25C, q25_c, Q16c_1, "Q25c - I would ...", "Q16c - Age". What follows an underscore is no question
#: text (`q27a_other`, `q25c_2024`); it only counts where it names an option (`Q16c_Age`).
QUESTION = re.compile(
    r"q0*(\d{1,2})[ _.\-]?([a-z]?)(?:[ _.\-]?0*(\d{1,2}))?"
    r"(?:$|(?P<text>[ ]*[-\u2013\u2014:.(].*|[ ]+\D.*)|_(?P<tail>\D.*))$",
    re.I | re.S,
)
#: Identifying columns that say which rows count; they are used while reading and not kept.
ROW_COLUMNS = ("period", "outcome", "main_or_bank")


@dataclass(frozen=True)
class Columns:
    """The columns of a file: `known` maps a name in the file to the name used here.

    A tick-all-that-apply question in one column is known by the code of the question (`q16c`).
    """

    known: dict[str, str]
    unknown: tuple[str, ...]
    edition: Edition | None = None

    @property
    def renamed(self) -> dict[str, str]:
        """Names that differ from the ones used here."""
        return {shown(theirs): ours for theirs, ours in self.known.items() if theirs != ours}


@dataclass(frozen=True)
class Name:
    """What a column's name says: the code, the words after it, and the option it names in words."""

    code: str | None
    text: str = ""
    tail: str = ""


@cache
def identifying() -> dict[str, str]:
    """Name used here of each identifying column, by its squeezed name in files; the preferred first."""
    text = files("data_schemas").joinpath("extract_columns.yaml").read_text(encoding="utf-8")
    return {squeeze(n): ours for ours, names in yaml.safe_load(text).items() for n in (ours, *names)}


def read_name(name: str) -> Name:
    """Read the question code out of a column's name.

    Examples
    --------
    >>> read_name("Q25c - I would"), read_name("Q16c_Age"), read_name("Quality")
    (Name(code='q25c', text='I would', tail=''), Name(code='q16c', text='', tail='Age'), Name(code=None, text='', tail=''))
    """  # noqa: E501
    match = QUESTION.match(shown(name).strip())
    if match is None:
        return Name(None)
    number, letter, option = match.group(1, 2, 3)
    code = f"q{number}{letter.lower()}" + (f"_{int(option)}" if option else "")
    return Name(code, (match["text"] or "").strip(" -\u2013\u2014:.()"), match["tail"] or "")


def question_code(name: str) -> str | None:
    """Return the question code that a column name starts with, in the form of the catalogue.

    Examples
    --------
    >>> question_code("Q25_C"), question_code("Q16c-1"), question_code("q27a_other"), question_code("Quality")
    ('q25c', 'q16c_1', None, None)
    """
    name_ = read_name(name)
    return None if name_.tail else name_.code


def match_columns(
    names: Iterable[str], edition: Edition, where: str, given: Mapping[str, str] | None = None
) -> Columns:
    """Match the names of a file's columns with an edition.

    Parameters
    ----------
    names : iterable of str
        Names as they stand in the file.
    edition : Edition
        Whose questions they are.
    where : str
        File and sheet, for messages.
    given : mapping, optional
        Names that the user has matched: these win.

    Raises
    ------
    ExtractError
        When two columns stand for the same thing. A name that is nothing but the code wins over one with
        words after it; of the names of an identifying column the catalogue says which one to prefer.
    """
    names = list(names)
    online = _online(names, edition)
    found: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        rank, ours = _known(name, edition, given or {}, online)
        if ours is not None:
            found.setdefault(ours, []).append((rank, name))
    chosen: dict[str, str] = {}
    for ours, candidates in found.items():
        best = min(candidates)[0]
        first = [name for rank, name in candidates if rank == best]
        if len(first) > 1:
            theirs = [f"'{shown(n)}'" for n in first]
            raise ExtractError(
                f"Two columns stand for {ours}",
                where=where,
                got=" and ".join(theirs) if len(set(theirs)) > 1 else f"{theirs[0]} {len(theirs)} times",
                hint="Keep one of them, or rename the other in the file.",
            )
        chosen[first[0]] = ours
    for question in edition.questions.values():
        if question.kind == "multi" and set(question.columns) & set(chosen.values()):
            chosen = {name: ours for name, ours in chosen.items() if ours != question.code}
    known = {name: chosen[name] for name in names if name in chosen}
    return Columns(known, tuple(n for n in names if n not in known), edition)


def _online(names: Iterable[str], edition: Edition) -> frozenset[str]:
    """Codes that mean something else in this file: an online file numbers the last questions anew."""
    codes = {question_code(n) for n in names}
    numbered_anew = [q for q in edition.questions.values() if q.alternatives]
    if not any(codes & set(q.alternatives) for q in numbered_anew):
        return frozenset()
    return frozenset(q.code for q in numbered_anew)


def _known(
    name: str, edition: Edition, given: Mapping[str, str], online: frozenset[str]
) -> tuple[int, str | None]:
    """Return the name used here, and a rank: the lowest of several candidates wins."""
    if shown(name) in given:
        return -1, _target(given[shown(name)], edition)
    read = read_name(name)
    if read.code is None:
        theirs = squeeze(shown(name))
        return list(identifying()).index(theirs) if theirs in identifying() else 0, identifying().get(theirs)
    code = read.code
    ours: str | None = None
    question = edition.columns.get(code) or multi_questions(edition).get(code)
    if question is None or code in online:
        return 0, None
    if code == question.code and question.kind == "multi":
        option = label_code(read.tail or read.text, question.scale)
        if option in question.scale.options:
            ours = f"{code}_{option}"
        elif not read.tail:
            ours = code
    elif not read.tail:
        ours = question.code if code in question.alternatives else code
    return (1 if read.text or read.tail else 0), ours


def _target(name: str, edition: Edition) -> str:
    """Return the column that a name given by the user means: code, measure id or identifying column."""
    if squeeze(name) in identifying():
        return identifying()[squeeze(name)]
    code = question_code(name)
    if code is not None and (code in edition.columns or code in multi_questions(edition)):
        return code
    return edition.question(name).code
