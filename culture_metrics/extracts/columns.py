"""Which column is which: names in files to question codes and identifying columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING

import yaml

from culture_metrics.errors import ExtractError
from culture_metrics.extracts.labels import label_code
from culture_metrics.problems import listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from culture_metrics.catalogue import Edition, Question, Survey

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
#: What may be a code, misspelled.
CODE_LIKE = re.compile(r"[a-z]{0,3}\d{1,2}[a-z]{0,2}\d{0,2}")
#: With no more questions missing or strange than this, a file is of an edition all the same.
FEW = 8
#: Parts the names of columns that a file gives the same name to; never shown.
TWIN = "\x00"


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
class Fit:
    """How question codes fit the editions of a survey.

    `strangers` are the codes each edition does not have, `missing` the codes of its questions that are not
    there, `fitting` the editions without strangers, `whole` those of them with nothing missing.
    """

    codes: frozenset[str]
    strangers: Mapping[str, frozenset[str]]
    missing: Mapping[str, tuple[str, ...]]

    @property
    def fitting(self) -> tuple[str, ...]:
        """The editions that have all of the codes."""
        return tuple(p for p, odd in self.strangers.items() if not odd) if self.codes else ()

    @property
    def whole(self) -> tuple[str, ...]:
        """The editions of which every question is there, and nothing else."""
        return tuple(p for p in self.fitting if not self.missing[p])

    @property
    def is_survey(self) -> bool:
        """True when at least half of the codes are those of some edition."""
        return bool(self.codes) and min(map(len, self.strangers.values())) <= len(self.codes) / 2

    @property
    def nearest(self) -> str | None:
        """The one edition that the codes are those of but for a few, if there is one that is nearer than all."""
        away = {p: len(self.missing[p]) + len(self.strangers[p]) for p in self.missing}
        first, *others = sorted(away, key=lambda period: away[period])
        near = away[first] <= FEW and all(away[p] > away[first] for p in others)
        return first if near else None


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


def squeeze(name: str) -> str:
    """Return a name without case, spaces, dots, dashes and underscores."""
    return re.sub(r"[\s._\-]+", "", name).casefold()


def shown(name: str) -> str:
    """Return a name as it stands in the file."""
    return name.split(TWIN, maxsplit=1)[0]


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
    question = edition.columns.get(code) or _multi(edition).get(code)
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


def _multi(edition: Edition) -> dict[str, Question]:
    return {q.code: q for q in edition.questions.values() if q.kind == "multi"}


def _target(name: str, edition: Edition) -> str:
    """Return the column that a name given by the user means: code, measure id or identifying column."""
    if squeeze(name) in identifying():
        return identifying()[squeeze(name)]
    code = question_code(name)
    if code is not None and (code in edition.columns or code in _multi(edition)):
        return code
    return edition.question(name).code


def fit_editions(names: Iterable[str], survey: Survey, given: Mapping[str, str] | None = None) -> Fit:
    """Compare the question codes among names with every edition of a survey."""
    given = given or {}
    theirs = [read_name(given.get(shown(n), n)) for n in names]
    options = {code for e in survey for code in _multi(e)}
    codes = frozenset(n.code for n in theirs if n.code and (not n.tail or n.code in options))
    known = {e.period: {*e.columns, *_multi(e)} for e in survey}
    return Fit(
        codes,
        MappingProxyType({period: codes - here for period, here in known.items()}),
        MappingProxyType({e.period: _missing(codes, e) for e in survey}),
    )


def _missing(codes: frozenset[str], edition: Edition) -> tuple[str, ...]:
    """Return the codes of the questions that have no column, neither under their own nor their online code."""
    return tuple(
        question.code
        for question in edition.questions.values()
        if not (codes & {question.code, *question.alternatives} or codes >= set(question.columns))
    )


def likely_meant(names: Iterable[str], missing: Iterable[str]) -> dict[str, str]:
    """Return, for names that look like a misspelled code of a missing question, that code.

    Examples
    --------
    >>> likely_meant(["qq2a", "Question 25c", "Shoe size", "q3"], ["q2a", "q25c"])
    {'qq2a': 'q2a', 'Question 25c': 'q25c'}
    """
    codes = list(missing)
    found = {}
    for name in names:
        squeezed = squeeze(shown(name)).replace("question", "q")
        near = get_close_matches(squeezed, codes, n=1, cutoff=0.75) if CODE_LIKE.fullmatch(squeezed) else []
        if near:
            found[shown(name)] = near[0]
    return found


def tell_edition(
    names: Collection[str],
    survey: Survey,
    year: str | None,
    where: str,
    given: Mapping[str, str] | None = None,
    *,
    in_name: str | None = None,
    column: str | None = None,
) -> tuple[Edition, str | None]:
    """Return the edition whose question codes a file uses, and what speaks against it.

    Parameters
    ----------
    names : collection of str
        Names of the columns.
    survey : Survey
        Whose editions.
    year : str, optional
        The period that the caller or a column of the file says.
    where : str
        File and sheet, for messages.
    given : mapping, optional
        Names that the user has matched.
    in_name : str, optional
        The period that the file's name says: it decides between editions that fit, and casts doubt.
    column : str, optional
        The column that says `year`.

    Raises
    ------
    ExtractError
        When there are no question columns, when the codes belong to another edition than the one named, or
        when they fit several editions and nothing says which.
    """
    fit = fit_editions(names, survey, given)
    if not fit.is_survey:
        raise ExtractError(
            f"No question columns of the {survey.label} were found",
            where=where,
            expected="a header row with question codes such as q2a, q3a, q25c",
            hint="Check that this is the respondent file and that a row holds the column names. Columns "
            "under other names can be matched: columns={'Would recommend': 'q25c'}.",
        )
    if year is not None:
        edition = survey.edition(year)
        _check_year(fit, edition.period, where, in_name, column)
        return edition, None if column else _doubt(fit, edition.period, in_name)
    # Codes of one edition can all exist in the next: only a complete file settles it.
    for periods in (fit.fitting, fit.whole):
        if len(periods) == 1:
            return survey.edition(periods[0]), None
    if in_name is None:
        raise _untold(fit, names, where)
    _check_year(fit, in_name, where, in_name, None)
    return survey.edition(in_name), None


def _check_year(fit: Fit, period: str, where: str, in_name: str | None, column: str | None) -> None:
    odd = fit.strangers.get(period, frozenset())
    if odd and fit.fitting:
        if column:
            hint = f"The column '{column}' says {period}: correct it if the file is of another year."
        elif in_name in fit.fitting:
            hint = (
                f"Check the year: its name says {in_name}, so give year={in_name} if that is what it holds."
            )
        else:
            hint = (
                f"Check the year: give {' or '.join(f'year={p}' for p in fit.fitting)}, whichever it holds."
            )
        raise ExtractError(
            f"The columns are those of {' or '.join(fit.fitting)}, not of {period}",
            where=where,
            got=f"columns that {period} does not have: {', '.join(sorted(odd)[:8])}",
            hint=hint,
        )
    other = in_name is not None and in_name != period and fit.whole == (in_name,)
    if other and not column:
        raise ExtractError(
            f"The file is of {in_name}, by its name and by its columns, and {period} was asked for",
            where=where,
            got=f"every question of {in_name}; no column for {', '.join(fit.missing.get(period, ())[:8])}",
            hint=f"Give year={in_name}. If it is of {period} all the same, give the file another name.",
        )


def _doubt(fit: Fit, period: str, in_name: str | None) -> str | None:
    """Say what speaks against the year that the caller gave."""
    if period in fit.whole:
        return None
    if in_name is not None and in_name != period:
        return f"{period} was asked for, but the file's name says {in_name}."
    if len(fit.whole) == 1:
        gone = fit.missing[period]
        return (
            f"{period} was asked for, but every question of {fit.whole[0]} is there and {listed(gone, 4)} of "
            f"{period} {'is' if len(gone) == 1 else 'are'} not."
        )
    return None


def _untold(fit: Fit, names: Iterable[str], where: str) -> ExtractError:
    """Make the error for columns that do not tell the year, with what they are nearest to."""
    period = fit.nearest
    if period is None:
        return ExtractError(
            f"The year cannot be told from the columns: they fit {', '.join(fit.fitting) or 'none well'}",
            where=where,
            hint="Say which year it is: year=2024, or a column 'year'.",
        )
    gone, odd = fit.missing[period], sorted(fit.strangers[period])
    but = [f"{listed(gone)} missing"] * bool(gone) + [f"{listed(odd)} not among them"] * bool(odd)
    meant = likely_meant(names, gone)
    ask = " ".join(f"Is '{name}' meant to be {code}? Then rename it." for name, code in meant.items())
    return ExtractError(
        f"The year cannot be told for sure: the columns are those of {period}, with {' and '.join(but)}",
        where=where,
        hint=f"{ask} Say which year it is: year={period}, if that is so.".strip(),
    )
