"""Which column is which: names in files to question codes and identifying columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

from culture_metrics.errors import ExtractError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culture_metrics.catalogue import Edition, Survey

#: A question code at the start of a name: q25c, Q25C, q25_c, Q16c_1, "Q25c - I would ...".
QUESTION = re.compile(
    r"^q0*(\d{1,2})[ _.\-]?([a-z]?)(?:[ _.\-]?0*(\d{1,2}))?(?:$|[ ]*[-:.(].*$|[ ]+\D.*$)", re.I
)


@dataclass(frozen=True)
class Columns:
    """The columns of a file: `known` maps a name in the file to the name used here."""

    known: dict[str, str]
    unknown: tuple[str, ...]
    edition: Edition | None = None

    @property
    def renamed(self) -> dict[str, str]:
        """Names that differ from the ones used here."""
        return {theirs: ours for theirs, ours in self.known.items() if theirs != ours}


@cache
def identifying() -> dict[str, str]:
    """Name used here of each identifying column, by its squeezed name in files."""
    text = files("data_schemas").joinpath("extract_columns.yaml").read_text(encoding="utf-8")
    return {_squeeze(n): ours for ours, names in yaml.safe_load(text).items() for n in (ours, *names)}


def _squeeze(name: str) -> str:
    return re.sub(r"[\s._\-]+", "", name).casefold()


def question_code(name: str) -> str | None:
    """Return the question code that a column name starts with, in the form of the catalogue.

    Examples
    --------
    >>> question_code("Q25_C"), question_code("Q16c-1"), question_code("Quality")
    ('q25c', 'q16c_1', None)
    """
    match = QUESTION.match(name.strip())
    if match is None:
        return None
    number, letter, option = match.groups()
    return f"q{number}{letter.lower()}" + (f"_{int(option)}" if option else "")


def match_columns(names: Iterable[str], edition: Edition, where: str) -> Columns:
    """Match the names of a file's columns with an edition.

    Raises
    ------
    ExtractError
        When two columns stand for the same thing.
    """
    known: dict[str, str] = {}
    unknown: list[str] = []
    taken: dict[str, str] = {}
    for name in names:
        ours = _name(name, edition)
        if ours is None:
            unknown.append(name)
            continue
        if ours in taken:
            raise ExtractError(
                f"Two columns stand for {ours}",
                where=where,
                got=f"'{taken[ours]}' and '{name}'",
                hint="Keep one of them.",
            )
        known[name], taken[ours] = ours, name
    return Columns(known, tuple(unknown), edition)


def _name(name: str, edition: Edition) -> str | None:
    code = question_code(name)
    if code is not None:
        question = edition.columns.get(code)
        if question is None:
            return None
        return question.code if code in question.alternatives else code
    return identifying().get(_squeeze(name))


def tell_edition(names: Iterable[str], survey: Survey, year: str | int | None, where: str) -> Edition:
    """Return the edition whose question codes a file uses, checked against the year if one is given.

    Raises
    ------
    ExtractError
        When there are no question columns, when the codes belong to another edition than the one named, or
        when they fit several editions and no year is given.
    """
    codes = {code for n in names if (code := question_code(n))}
    strangers = {e.period: {c for c in codes if c not in e.columns} for e in survey}
    if not codes or min(map(len, strangers.values())) > len(codes) / 2:
        raise ExtractError(
            f"No question columns of the {survey.label} were found",
            where=where,
            expected="a header row with question codes such as q2a, q3a, q25c",
            hint="Check that this is the respondent file and that its first row holds the column names.",
        )
    fitting = [p for p, odd in strangers.items() if not odd]
    if year is not None:
        edition = survey.edition(year)
        odd = strangers.get(edition.period, set())
        if odd and fitting:
            raise ExtractError(
                f"The columns are those of {' or '.join(fitting)}, not of {edition.period}",
                where=where,
                got=f"columns that {edition.period} does not have: {', '.join(sorted(odd)[:8])}",
                hint=f"Check the year: give year={fitting[-1]} if that is what the file holds.",
            )
        return edition
    if len(fitting) == 1:
        return survey.edition(fitting[0])
    # Codes of one edition can all exist in the next: only a complete file settles it.
    whole = [p for p in fitting if codes >= set(survey.edition(p).columns) - _alternatives(survey.edition(p))]
    if len(whole) == 1:
        return survey.edition(whole[0])
    raise ExtractError(
        f"The year cannot be told from the columns: they fit {', '.join(fitting) or 'none well'}",
        where=where,
        hint="Say which year it is: year=2024, or a column 'year'.",
    )


def _alternatives(edition: Edition) -> set[str]:
    return {code for q in edition.questions.values() for code in q.alternatives}
