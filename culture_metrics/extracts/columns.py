"""Which column is which: names in files to question codes and identifying columns."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

import yaml

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.code_fit import multi_questions
from culture_metrics.errors import ExtractError
from culture_metrics.extracts.labels import answer_key, label_code
from culture_metrics.extracts.own_words import NO_GROUPS, NUMBERED, names_own_groups, own_id, own_word
from culture_metrics.files.names import shown, squeeze, visible
from culture_metrics.problems import counted, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from culture_metrics.catalogue import Edition, Question, Survey


#: How the code of a question is built: letters, a number, perhaps a letter and the number of an option.
CODE = re.compile(r"(?P<letters>[a-z]+)_?0*(?P<number>\d+)(?P<letter>[a-z]?)(?:_(?P<option>\d+))?", re.I)
#: What may follow a code: the number of an option, and words. What follows an underscore is no question text
#: (`q27a_other`, `q25c_2024`); it only counts where it names an option (`Q16c_Age`).
AFTER = (
    r"(?:[ _.\-]?0*(?P<option>\d{1,2}))?"
    r"(?:$|(?P<text>[ ]*[-\u2013\u2014:.(].*|[ ]+\D.*)|_(?P<tail>\D.*))$"
)
#: What parts the words of a question from an option to tick.
_PARTED = re.compile(r"[:?.|;/>\]]\s*|\s*[-\u2013\u2014]\s+|\s+[-\u2013\u2014]")


@dataclass(frozen=True)
class Columns:
    """The columns of a file: `known` maps a name in the file to the name used here.

    A tick-all-that-apply question in one column is known by the code of the question (`q16c`). `words` says
    what the trust calls breakdowns that have no place in the catalogue, and those that it was asked about.
    `rivals` are the names that bear the code of one question, of which nothing says which one it is.
    """

    known: dict[str, str]
    unknown: tuple[str, ...]
    edition: Edition | None = None
    words: dict[str, str] = field(default_factory=dict)
    rivals: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def doubted(self) -> list[str]:
        """What is said of columns that are set aside because several bear the code of one question."""
        return say_rivals(self.rivals)

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


def text_columns(edition: Edition) -> dict[str, str]:
    """Name used here of each column of an edition that is no question, by its squeezed name in files.

    To the columns that all surveys may have come those of its own breakdowns.
    """
    columns = {squeeze(ours): ours for ours in identifying().values()}
    own = {
        squeeze(name): b.column
        for b in edition.breakdowns.values()
        if b.column is not None and squeeze(b.column) not in columns
        for name in (b.column, b.label, *b.names)
    }
    return {**own, **identifying()}


@dataclass(frozen=True)
class Codes:
    """How the codes of a survey stand in files, told from the codes of its catalogue.

    Codes such as `q25c` or `CL1` are known in other forms as well (`Q25C`, `q25_c`, `Cl 01`), and so are
    codes of that form which no edition has. Codes of another form are known as they are, in any case.
    """

    pattern: re.Pattern[str]
    spelled: Mapping[tuple[str, ...], str]
    letters: Mapping[str, str]

    @staticmethod
    def of(survey: Survey) -> Codes:
        """Return how the codes of a survey stand in files."""
        built = {code: CODE.fullmatch(code) for code in survey.codes}
        parts = {code: _parts(match) for code, match in built.items() if match}
        others = {code for code in survey.codes if code not in parts}
        others -= {f"{q.code}_{n}" for e in survey for q in e.questions.values() for n in q.scale.options}
        # A single letter and a number, parted, may be anything.
        parted = {p[0]: p[0] + (r"[ _.\-]?" if len(p[0]) > 1 else "") for p in parts.values()}
        letters = "|".join(sorted(parted.values(), key=len, reverse=True))
        digits = max((2, *(len(p[1]) for p in parts.values())))
        code = rf"(?P<letters>{letters})0*(?P<number>\d{{1,{digits}}})[ _.\-]?(?P<letter>[a-z]?)"
        odd = "|".join(sorted(map(re.escape, others), key=len, reverse=True))
        forms = [form for form, any_of in ((rf"(?P<odd>{odd})", odd), (code, letters)) if any_of]
        return Codes(
            re.compile(f"(?:{'|'.join(forms)}){AFTER}", re.I | re.S),
            {p: c for c, p in parts.items()} | {(c.casefold(),): c for c in others},
            {match["letters"].casefold(): match["letters"] for match in built.values() if match},
        )

    def read(self, name: str) -> Name:
        """Read the code out of a column's name."""
        match = self.pattern.match(_written(name))
        if match is None:
            return Name(None)
        found = match.groupdict()
        option = f"_{int(found['option'])}" if found["option"] else ""
        if found.get("odd"):
            code = self.spelled[(found["odd"].casefold(),)] + option
        else:
            parts = _parts(match)
            plain = self.letters[parts[0]] + "".join(parts[1:3])
            whole = self.spelled.get((*parts[:3], ""), plain) + option
            code = self.spelled.get(parts, whole)
        return Name(code, (found["text"] or "").strip(" -\u2013\u2014:.()"), found["tail"] or "")


def _parts(match: re.Match[str]) -> tuple[str, ...]:
    """Return letters, number, letter and option of a code, as they compare."""
    option = match["option"]
    return (
        match["letters"].casefold().rstrip(" _.-"), str(int(match["number"])), match["letter"].casefold(),
        str(int(option)) if option else "",
    )  # fmt: skip


@cache
def _codes(survey: str, codes: frozenset[str]) -> Codes:  # a survey that is read anew may have other codes
    return Codes.of(catalogue(survey))


def codes_of(survey: Survey) -> Codes:
    """Return how the codes of a survey stand in files."""
    return _codes(survey.id, survey.codes)


def read_name(name: str, survey: Survey) -> Name:
    """Read the question code out of a column's name.

    Examples
    --------
    >>> nhs = catalogue()
    >>> read_name("Q25c - I would", nhs), read_name("Q16c_Age", nhs)
    (Name(code='q25c', text='I would', tail=''), Name(code='q16c', text='', tail='Age'))
    >>> read_name("Quality", nhs)
    Name(code=None, text='', tail='')
    """
    return codes_of(survey).read(name)


def question_code(name: str, survey: Survey) -> str | None:
    """Return the question code that a column name starts with, in the form of the catalogue.

    Examples
    --------
    >>> [question_code(name, catalogue()) for name in ("Q25_C", "Q16c-1", "q27a_other", "Quality")]
    ['q25c', 'q16c_1', None, None]
    """
    read = read_name(name, survey)
    return None if read.tail else read.code


def names_question(name: str) -> bool:
    """Tell whether a column name starts with a question code of any survey that is known."""
    return bool(count_questions([name]))


def count_questions(names: Iterable[str]) -> int:
    """Count the names that start with a question code of any survey that is known."""
    patterns = tuple(codes.pattern for codes in _every_codes())
    return sum(_starts_with(patterns, name) for name in names)


@lru_cache(1 << 12)  # most of the cells that are looked at are answers such as "3"
def _starts_with(patterns: tuple[re.Pattern[str], ...], name: str) -> bool:
    written = _written(name)
    return any(pattern.match(written) for pattern in patterns)


def _written(name: str) -> str:
    return visible(shown(name)).strip()


def is_question_code(name: str) -> bool:
    """Tell whether a column name is a question code of any survey that is known, with or without its text."""
    return any((read := codes.read(name)).code is not None and not read.tail for codes in _every_codes())


def question_codes(name: str) -> set[str]:
    """Return the question codes that a column's name starts with, of whichever survey is known."""
    return {code for codes in _every_codes() if (code := codes.read(name).code) is not None}


def _every_codes() -> list[Codes]:
    """Return how codes stand in files: once for surveys that write them alike."""
    every = [codes_of(catalogue(name)) for name in surveys()]
    return list({codes.pattern.pattern: codes for codes in every}.values())


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
        When two columns stand for the same identifying column, or for each of the questions. Of the names of
        an identifying column the catalogue says which one to prefer.

    Notes
    -----
    Of several columns with the code of one question a name that is nothing but the code wins; then one whose
    words are those of the question, or of an option of a question with options to tick; else all of them are
    set aside (`rivals`).
    """
    names = list(names)
    given = given or {}
    online = _online(names, edition)
    found: dict[str, list[tuple[int, str]]] = {}
    for name in names:
        rank, ours = _known(name, edition, given, online)
        if ours is not None:
            found.setdefault(ours, []).append((rank, name))
    chosen: dict[str, str] = {}
    rivals: dict[str, tuple[str, ...]] = {}
    places = _places(edition)
    asked = {*edition.columns, *multi_questions(edition)}
    for ours, candidates in [*found.items()]:
        best = min(candidates)[0]
        first = [name for rank, name in candidates if rank == best]
        if len(first) > 1 and ours in asked and best >= 0:
            rivals[ours] = tuple(map(shown, first))
            continue
        if len(first) > 1:
            raise _twice(ours, first, where)
        chosen[first[0]] = ours
        # A second name for the same place, as Locality 1 beside Directorate, is another breakdown.
        for _, name in candidates if ours in places else ():
            if name != first[0]:
                other = own_id(shown(name), edition.survey, {*found, *chosen.values()})
                chosen[name] = other
                if [*chosen.values()].count(other) > 1:
                    raise _twice(other, [n for n, o in chosen.items() if o == other], where)
    if rivals and not asked & {*chosen.values()}:
        raise _twice(*next(iter(rivals.items())), where)
    for question in edition.questions.values():
        if question.kind == "multi" and set(question.columns) & set(chosen.values()):
            chosen = {name: ours for name, ours in chosen.items() if ours != question.code}
    known = {name: chosen[name] for name in names if name in chosen}
    unknown = tuple(n for n in names if n not in known)
    return Columns(known, unknown, edition, _words(known, edition, given), rivals)


def say_rivals(rivals: Mapping[str, Iterable[str]]) -> list[str]:
    """Say of which questions several columns bear the code, and that all of these are left out.

    Examples
    --------
    >>> say_rivals({"q2a": ["Q2a: A", "Q2a: B"]})
    ["2 columns bear the code q2a and are left out, for nothing says which one is meant: 'Q2a: A', 'Q2a: B'."]
    """
    each = {code: [f"'{name[:60]}'" for name in names] for code, names in rivals.items()}
    return [
        f"{counted(len(names), 'column')} bear the code {code} and are left out, for nothing says which one "
        f"is meant: {listed(names)}."
        for code, names in each.items()
    ]


def _twice(ours: str, names: Iterable[str], where: str) -> ExtractError:
    theirs = [f"'{shown(n)}'" for n in names]
    return ExtractError(
        f"Two columns stand for {ours}",
        where=where,
        got=" and ".join(theirs) if len(set(theirs)) > 1 else f"{theirs[0]} {len(theirs)} times",
        hint="Keep one of them, or rename the other in the file.",
    )


def _places(edition: Edition) -> set[str]:
    """Return the columns that name groups of staff and are the same in every file."""
    return {ours for ours in text_columns(edition).values() if ours not in NO_GROUPS} - {
        "region", "ics", "benchmark_group"
    }  # fmt: skip


def _words(known: Mapping[str, str], edition: Edition, given: Mapping[str, str]) -> dict[str, str]:
    """Say what the trust calls the breakdowns that are its own, or of which it says so itself."""
    placed, words = {*text_columns(edition).values()}, {}
    for name, ours in known.items():
        word = own_word(given.get(shown(name), ""), shown(name))
        if word is None and not (ours in placed or ours in edition.columns or _is_question(ours, edition)):
            word = shown(name)
        if word is not None:
            words[ours] = word
    return words


def _is_question(name: str, edition: Edition) -> bool:
    return name in multi_questions(edition)


def _online(names: Iterable[str], edition: Edition) -> frozenset[str]:
    """Codes that mean something else in this file: an online file numbers the last questions anew."""
    codes = {question_code(n, edition.survey) for n in names}
    numbered_anew = [q for q in edition.questions.values() if q.alternatives]
    if not any(codes & set(q.alternatives) for q in numbered_anew):
        return frozenset()
    return frozenset(q.code for q in numbered_anew)


def _known(
    name: str, edition: Edition, given: Mapping[str, str], online: frozenset[str]
) -> tuple[int, str | None]:
    """Return the name used here, and a rank: the lowest of several candidates wins."""
    known = text_columns(edition)
    if shown(name) in given:
        word = own_word(given[shown(name)], shown(name))
        return -1, _target(given[shown(name)], edition) if word is None else breakdown_of(word, edition)
    read = read_name(name, edition.survey)
    if read.code is None:
        theirs = squeeze(shown(name))
        if theirs not in known:
            return 0, breakdown_of(shown(name), edition) if names_own_groups(shown(name)) else None
        # What a trust says of its parts wins over a contractor's number.
        return list(known).index(theirs) + len(known) * bool(NUMBERED.fullmatch(theirs)), known[theirs]
    code = read.code
    ours: str | None = None
    rank = 1 if read.text or read.tail else 0
    question = edition.columns.get(code) or multi_questions(edition).get(code)
    if question is None or code in online:
        return 0, None
    if code == question.code and question.kind == "multi":
        option = _ticked(read.tail or read.text, question)
        if option is not None:
            ours = f"{code}_{option}"
        elif not read.tail:
            ours = code
    elif not read.tail:
        ours = question.code if code in question.alternatives else code
        rank += bool(read.text) and answer_key(read.text) != answer_key(question.label)
    return rank, ours


def _ticked(text: str, question: Question) -> int | None:
    """Return the option that a column names, alone or after the words of the question.

    Examples
    --------
    >>> grounds = catalogue().edition(2024).question("q16c")
    >>> _ticked("On what grounds? Please tick all - Other (please specify", grounds)
    7
    """
    text += ")" * (text.count("(") - text.count(")"))
    for part in (text, *(text[at.end() :] for at in _PARTED.finditer(text))):
        option = label_code(part, question.scale)
        if option in question.scale.options:
            return option
    return None


def breakdown_of(word: str, edition: Edition) -> str:
    """Return the id of the breakdown that a trust calls by this word.

    Examples
    --------
    >>> edition = catalogue().edition(2024)
    >>> [breakdown_of(word, edition) for word in ("Care Group", "Cost centre", "Age")]
    ['locality_3', 'cost_centre', 'age_group']
    """
    ours = text_columns(edition).get(squeeze(word))
    return ours if ours is not None and ours not in NO_GROUPS else own_id(word, edition.survey)


def _target(name: str, edition: Edition) -> str:
    """Return the column that a name given by the user means: code, measure id or identifying column."""
    if squeeze(name) in text_columns(edition):
        return text_columns(edition)[squeeze(name)]
    code = question_code(name, edition.survey)
    if code is not None and (code in edition.columns or code in multi_questions(edition)):
        return code
    return edition.question(name).code
