"""What a cell's text means as an answer: a code, a label, a range that Excel took for a date, or a blank."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from culture_metrics.catalogue import catalogue, surveys
from culture_metrics.files.names import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from culture_metrics.catalogue import Question, Scale

#: A plain code or an empty cell: nothing to tell.
PLAIN = "codes"
#: How any other cell was read, under the name that provenance counts it by: a number in another form (`04`),
#: a label, a label beside a code that it overrules, a range that Excel took for a date, a mark for an empty
#: cell, a value that the file itself declares missing.
NUMBER, LABEL, RELABELLED = "numbers_read", "labels_read", "codes_relabelled"
DATE, BLANK, DECLARED = "dates_read", "blanks_read", "declared_missing"
TOLD = (NUMBER, LABEL, RELABELLED, DATE, BLANK, DECLARED)

_MONTHS = {
    m: i
    for i, m in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
_NUMBER = re.compile(r"[+-]?0*(\d{1,9})(?:[.,]0*)?")
_RANGE = re.compile(r"(?<=\d)(?:-|to)(?=\d)")
_CODE_FIRST = re.compile(
    r"(?:code\s*)?[\[(]?0*(\d{1,3})(?:\.0)?[\])]?\s*[-\u2013\u2014.:=)\],_|]+\s*(\S.*)", re.I
)
_CODE_SPACE = re.compile(r"0*(\d{1,3})\s+(\S.*)")
_CODE_LAST = re.compile(r"(.*\S)\s*[\[(]0*(\d{1,3})[\])]")
_CODE_AFTER = re.compile(r"(.*[^\W\d].*[^\s\d])\s*[-\u2013\u2014:=|]\s*0*(\d{1,3})")
_BRACKETS = re.compile(r"(?<=[\w+)])\s*\([^()]*\)")
_UNIT = re.compile(r"(?<=[\d+])(?:hours?|hrs?|years?|yrs?|times)$|(?<=\d)(?:hours?|hrs?|years?|yrs?)(?=\+$)")
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})(?:[t ].*)?"),
    re.compile(r"(?P<d>\d{1,2})/(?P<m>\d{1,2})(?:/(?P<y>\d{2,4}))?(?: 0?0:00.*)?"),
    re.compile(r"(?P<d>\d{1,2})[- ](?P<m>[a-z]{3})[a-z]*\.?(?:[- ,]+(?P<y>\d{2,4}))?"),
    re.compile(r"(?P<m>[a-z]{3})[a-z]*\.?[- ](?P<d>\d{1,2})(?:[- ,]+(?P<y>\d{4}))?"),
)
#: Days from the first day that Excel counts to 1 January 2000 and 2060.
_SERIALS = range(36526, 58440)


@dataclass(frozen=True)
class Reading:
    """What a text was read as: the code (None is no answer) and how it was told."""

    code: int | None
    how: str


@cache
def values() -> Mapping[str, Any]:
    """Return what may stand in the cells of respondent files, from `extract_values.yaml`."""
    text = files("data_schemas").joinpath("extract_values.yaml").read_text(encoding="utf-8")
    return MappingProxyType(yaml.safe_load(text))


def answer_key(text: str) -> str:
    """Return the form in which labels are compared: no case, punctuation, spaces or text in brackets.

    Examples
    --------
    >>> answer_key("Don't know"), answer_key(" 1 to 2 Years "), answer_key("Other (please say)")
    ('dontknow', '1-2years', 'other')
    """
    text = unicodedata.normalize("NFKC", text).casefold().replace("&", " and ")
    text = re.sub(r"[\u2010-\u2015\u2212]", "-", text)
    while text != (text := _BRACKETS.sub(" ", text)):  # from the innermost on
        pass
    text = re.sub(r"[\s_]+", "", text)
    text = _RANGE.sub("~", text)
    return re.sub(r"[^\w~+]", "", text).replace("~", "-")


@cache
def _keys(labels: tuple[tuple[int, str], ...], headings: tuple[tuple[str, int], ...] = ()) -> dict[str, int]:
    """Code of every way to write each label of a scale; a label's own form wins over another's synonym.

    `headings` are keys of what forms print above an option, with its code: the two may stand together.
    """
    keys: dict[str, int] = {}
    same = values()["same_label"]
    for code, label in labels:
        keys.setdefault(answer_key(label), code)
    for code, label in labels:
        for text in same.get(label, ()):
            keys.setdefault(answer_key(text), code)
    for key, code in [*keys.items()]:
        if (short := _UNIT.sub("", key)) and not short.isdigit():
            keys.setdefault(short, code)
    under: dict[int, list[str]] = {}
    for key, code in keys.items():
        under.setdefault(code, []).append(key)
    for heading, code in headings:
        for key in under.get(code, ()):
            keys.setdefault(heading + key, code)
    return keys


def label_code(text: str, scale: Scale) -> int | None:
    """Return the code of a label, however it is written, with or without the heading that it stands under.

    Examples
    --------
    >>> from culture_metrics.catalogue import catalogue
    >>> scale = catalogue().edition(2024).question("occupation").scale
    >>> label_code("Registered Nurses & Midwives: Adult / General", scale)
    26
    """
    labels = tuple(scale.labels.items())
    keys, key = _keys(labels, _headings(scale)), answer_key(text)
    code = keys.get(key, keys.get(_UNIT.sub("", key)))
    return code if code is not None else _by_words(text, labels)


def _headings(scale: Scale) -> tuple[tuple[str, int], ...]:
    """Return what stands above each option: the name of its group, and how else forms write that."""
    return _heading_keys(tuple(group for groups in scale.groups.values() for group in groups.items()))


@cache
def _heading_keys(groups: tuple[tuple[str, tuple[int, ...]], ...]) -> tuple[tuple[str, int], ...]:
    others = values()["headings"]
    return tuple(
        (answer_key(name), code)
        for group, codes in groups
        for name in (group, *others.get(group, ()))
        for code in codes
    )


@cache
def all_labels() -> frozenset[str]:
    """Return the key of every label of every scale that is known."""
    scales = {
        (tuple(question.scale.labels.items()), _headings(question.scale))
        for name in surveys()
        for edition in catalogue(name)
        for question in {question.scale.id: question for question in edition.questions.values()}.values()
    }
    return frozenset(key for labels, headings in scales for key in _keys(labels, headings))


def _by_words(text: str, labels: tuple[tuple[int, str], ...]) -> int | None:
    """Return the code of the label whose words all stand in a sentence, the longest list of words first."""
    known = values()["label_words"]
    said = set(re.findall(r"\w+", text.casefold()))
    fits = [(len(w), code) for code, label in labels for w in known.get(label, ()) if said.issuperset(w)]
    return max(fits)[1] if fits else None


@cache
def _ranges(labels: tuple[tuple[int, str], ...]) -> dict[tuple[int, int], int]:
    """Code of each range of whole numbers among the labels: (3, 5) for `3 to 5` and `3-5 years`."""
    found = ((code, re.match(r"(\d+)-(\d+)", answer_key(label))) for code, label in labels)
    return {(int(m[1]), int(m[2])): code for code, m in found if m}


def date_code(text: str, scale: Scale) -> int | None:
    """Return the code of the range that a date was before Excel changed it.

    `1-2` becomes 1 February (or 2 January), `11-15` November 2015 (or 15 November).

    Examples
    --------
    >>> from culture_metrics.catalogue import catalogue
    >>> scale = catalogue().edition(2024).question("q13a").scale
    >>> [date_code(t, scale) for t in ("2024-02-01 00:00:00", "03-May", "Oct-06", "2024-12-24")]
    [2, 3, 4, None]
    """
    ranges = _ranges(tuple(scale.labels.items()))
    if not ranges:
        return None
    text = text.casefold().strip()
    number = _NUMBER.fullmatch(text)
    if number and int(number[1]) in _SERIALS:
        text = (date(1899, 12, 30) + timedelta(days=int(number[1]))).isoformat()
    for pattern in _DATES:
        if match := pattern.fullmatch(text):
            parts = match.groupdict()
            day, year = int(parts["d"]), int(parts["y"] or 0) % 100
            month = int(parts["m"]) if parts["m"].isdigit() else _MONTHS.get(parts["m"], 0)
            pairs = [(day, month), (month, day), *([(month, year)] if day == 1 else [])]
            return next((ranges[p] for p in pairs if p in ranges), None)
    return None


def read_answer(text: str, question: Question) -> Reading | None:
    """Read one text as an answer to a question with one answer; None when it cannot be read.

    A number is read as it stands, also when the question has no such code: telling that is validation's.

    Examples
    --------
    >>> from culture_metrics.catalogue import catalogue
    >>> question = catalogue().edition(2024).question("q6a")
    >>> [read_answer(t, question).code for t in ("04", "4,0", "AGREE", "4 - Agree", "not applicable", "-")]
    [4, 4, 4, 4, 9, None]
    >>> read_answer("rather", question) is None
    True
    """
    scale = question.scale
    text = bare(text)
    if is_blank(text, scale):
        return Reading(None, BLANK if text else PLAIN)
    number = _NUMBER.fullmatch(text)
    if number and int(number[1]) < 1 << 15:
        code = int(number[1]) * (-1 if text.startswith("-") else 1)
        return Reading(code, PLAIN if text == str(code) else NUMBER)
    if (known := label_code(text, scale)) is not None:
        return Reading(known, LABEL)
    if (known := date_code(text, scale)) is not None:
        return Reading(known, DATE)
    return _code_and_label(text, scale)


def _code_and_label(text: str, scale: Scale) -> Reading | None:
    """Read `4 - Agree`, `4. Agree`, `4 Agree` and `Agree (4)`: the label decides when the two differ."""
    if match := _CODE_LAST.fullmatch(text) or _CODE_AFTER.fullmatch(text):
        label, number = match.groups()
    elif match := _CODE_FIRST.fullmatch(text) or _CODE_SPACE.fullmatch(text):
        number, label = match.groups()
    else:
        return None
    code = label_code(label, scale)
    if label[0].isdigit():  # `2 - 1 to 2` and `66+ (6)` are one, `2-9` is not
        return Reading(code, LABEL) if code == int(number) else None
    if code is not None:
        return Reading(code, LABEL if code == int(number) else RELABELLED)
    if is_blank(label, scale):
        return Reading(None, BLANK)
    return (
        Reading(int(number), LABEL)
        if int(number) in scale.labels and match.re not in (_CODE_SPACE, _CODE_AFTER)
        else None
    )


def without_code(text: str) -> str:
    """Return a label without the code that stands before or after it.

    Examples
    --------
    >>> without_code("4 - Agree"), without_code("Agree (4)"), without_code("My role matters")
    ('Agree', 'Agree', 'My role matters')
    """
    if match := _CODE_LAST.fullmatch(text) or _CODE_AFTER.fullmatch(text):
        return match[1]
    match = _CODE_FIRST.fullmatch(text) or _CODE_SPACE.fullmatch(text)
    return match[2] if match else text


def bare(text: str) -> str:
    """Return a cell's text without the wrapping that exports add: `="01"`, `'01`, odd spaces."""
    text = visible(text).replace("\xa0", " ").strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        text = text[2:-1].strip()
    return text.removeprefix("'")


def is_blank(text: str, scale: Scale | None = None) -> bool:
    """Tell whether a text stands for an empty cell; `n/a` does where no answer says "not applicable"."""
    folded = text.strip().casefold()
    if not folded or folded in _folded("blanks"):
        return True
    if folded not in _folded("blanks_unless_not_applicable"):
        return False
    return scale is None or not any(label.startswith("Not applicable") for label in scale.labels.values())


@cache
def _folded(name: str) -> frozenset[str]:
    return frozenset(str(text).casefold() for text in values()[name])


def read_tick(text: str, question: Question, option: int) -> Reading | None:
    """Read one text as an option of a tick-all-that-apply question: 1 ticked, 0 not, None cannot be read."""
    text = bare(text)
    if is_blank(text):
        return Reading(None, BLANK if text else PLAIN)
    number = _NUMBER.fullmatch(text)
    if number and int(number[1]) < 1 << 15:
        code = int(number[1]) * (-1 if text.startswith("-") else 1)
        return Reading(code, PLAIN if text == str(code) else NUMBER)
    if text.casefold() in _folded("ticked"):
        return Reading(1, LABEL)
    if text.casefold() in _folded("not_ticked"):
        return Reading(0, LABEL)
    if label_code(text, question.scale) == option:
        return Reading(1, LABEL)
    both = _code_and_label(text, question.scale)
    return Reading(1, LABEL) if both and both.code == option else None


def read_ticks(
    text: str, question: Question, missing: tuple[int, ...] = ()
) -> tuple[frozenset[int], str] | None:
    """Read one text as all the options that were ticked: `1;3`, `1,3`, `Age; Sex`.

    Returns
    -------
    (set of codes, how it was told) or None
        The set is empty for a blank mark. None when a part cannot be read.
    """
    text = bare(text)
    if is_blank(text):
        return frozenset(), BLANK if text else PLAIN
    if (whole := label_code(text, question.scale)) is not None:
        return frozenset({whole}), LABEL
    parts = [p for p in re.split(r"\s*[;,|/\n]\s*", text.strip("[](){} ")) if p]
    read = [read_answer(part, question) for part in parts]
    codes = [r.code for r in read if r is not None and r.code is not None]
    if len(codes) == 1 and codes[0] in missing:
        return frozenset(), BLANK
    if len(codes) < len(parts) or not parts or any(c not in question.scale.options for c in codes):
        return None
    plain = all(r is not None and r.how in (PLAIN, NUMBER) for r in read)
    return frozenset(codes), PLAIN if plain else LABEL
