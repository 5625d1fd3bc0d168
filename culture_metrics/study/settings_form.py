"""The form of study.yaml: what may stand under which key, and what to do where something else stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import yaml

from culture_metrics.catalogue.form import key_lines
from culture_metrics.catalogue.load import LOADER
from culture_metrics.errors import StudyFileError
from culture_metrics.files.text import read_text
from culture_metrics.problems import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Lines = dict[tuple[str, tuple[Any, ...]], int]
    Found = tuple[tuple[Any, ...], object, str, str]

#: Stands for a key that is not there.
MISSING = object()
#: What a file may be.
RESPONDENTS, RESULTS, BENCHMARK, NOT_USED = (
    "respondents",
    "official results",
    "benchmark workbook",
    "not used",
)
KINDS = (RESPONDENTS, RESULTS, BENCHMARK, NOT_USED)
TEXT, TEXTS, MEANING, YEAR, DAY, WHOLE, YES_NO, KIND = (
    "text",
    "texts",
    "meaning",
    "year",
    "day",
    "whole",
    "yes_no",
    "kind",
)
#: What is expected, in words, and what to do where it is something else.
EXPECTED = {
    TEXT: ("a text", "Write it in quotation marks: 'like this'."),
    TEXTS: ("a name, or several in brackets: [Dept, Department]", "Write it as in the file, in quotes."),
    MEANING: (
        "a response option of the survey, or `blank`",
        "Write the option in quotation marks, or nothing: the text then stays unread.",
    ),
    YEAR: ("a year such as 2024, or a quarter such as 2024-Q1", "Write the year, or take it out."),
    DAY: ("a day such as 2024-09-23", "Write year, month and day in digits, with dashes."),
    WHOLE: ("a whole number above 0", "Write it in digits, without quotation marks."),
    YES_NO: ("yes or no", "Write yes or no, without quotation marks."),
    KIND: (f"one of {', '.join(KINDS)}", "Write one of these, or take the line out: the file tells."),
}  # fmt: skip
SHAPE: Mapping[str, Any] = {
    "survey?": TEXT,
    "organisation?": TEXT,
    "year?": YEAR,
    "minimum_base?": WHOLE,
    "minimum_count?": WHOLE,
    "files": [
        {
            "file": TEXT,
            "kind?": KIND,
            "survey?": TEXT,
            "year?": YEAR,
            "sheet?": TEXT,
            "header_row?": WHOLE,
            "columns?": {"*": TEXT},
            "fieldwork?": {"from?": DAY, "to?": DAY},
        }
    ],
    "breakdowns?": {"*": TEXTS},
    "also_by?": [TEXT],
    "nesting?": {"*": {"in": TEXTS, "exceptions?": [TEXT]}},
    "one_spelling?": YES_NO,
    "labels?": {"*": MEANING},
    "renamed?": [{"breakdown": TEXT, "from": TEXT, "to": TEXT, "confirmed": YES_NO}],
    "peers?": TEXTS,
    "headcounts?": [{"file": TEXT, "year?": YEAR, "sheet?": TEXT}],
}


def read_form(path: Path) -> tuple[dict[str, Any], Lines]:
    """Read the file and check its form.

    Returns
    -------
    dict, dict
        What stands in it, and the line of every key.

    Raises
    ------
    StudyFileError
        Naming the key, its line, the value, what is expected and what to do.
    """
    lines: Lines = {}
    try:
        text = read_text(path)
        tree = yaml.compose(text, Loader=LOADER)
        twice = [] if tree is None else list(key_lines(path.name, tree, (), lines))
        held = yaml.load(text, Loader=LOADER)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise StudyFileError(
            "The file is not YAML",
            where=f"{path.name}, line {mark.line + 1}, column {mark.column + 1}" if mark else path.name,
            got=getattr(error, "problem", None),
            hint="Look there and in the line above: a colon takes a blank after it, lines of one list start "
            "under one another, and texts with a colon, # or ' in them stand in quotation marks.",
        ) from None
    except (OSError, TypeError, ValueError, RecursionError) as error:
        raise StudyFileError(
            "The file cannot be read",
            where=path.name,
            got=type(error).__name__,
            hint="Open it in a text editor and save it as UTF-8, or run `culture-metrics setup` anew.",
        ) from None
    if twice:
        raise StudyFileError(
            f"A key stands twice: {twice[0].found}",
            where=f"{path.name}, {twice[0].place}",
            hint=twice[0].remedy,
        )
    if not isinstance(held, dict):
        raise StudyFileError(
            "The file has no keys",
            where=path.name,
            expected="`files:` and below it the files of the study",
            hint="Run `culture-metrics setup` on the folder: it writes the file.",
        )
    found = list(_shape(held, SHAPE, ()))
    if found:
        keys, value, expected, remedy = found[0]
        more = f" There {'is' if len(found) == 2 else 'are'} {counted(len(found) - 1, 'more mistake')}."
        raise at(path, lines, keys, value, expected, remedy + more * (len(found) > 1))
    return held, lines


def at(
    path: Path, lines: Lines, keys: tuple[Any, ...], value: object, expected: str, remedy: str
) -> StudyFileError:
    """Make the error for the value of a key, with the line that is nearest to it."""
    line = next((n for end in range(len(keys), 0, -1) if (n := lines.get((path.name, keys[:end])))), None)
    return StudyFileError(
        f"Something else stands at {said(keys)} than expected",
        where=path.name if line is None else f"{path.name}, line {line}",
        got=_quoted(value),
        expected=expected,
        hint=remedy,
    )


def said(keys: tuple[Any, ...]) -> str:
    """Name a key by those above it; entries of lists are counted from 1.

    Examples
    --------
    >>> said(("files", 0, "kind"))
    'files, entry 1, kind'
    """
    return ", ".join(f"entry {k + 1}" if isinstance(k, int) and i else str(k) for i, k in enumerate(keys))


def _quoted(value: object) -> str:
    if value is None or value is MISSING:
        return "nothing" if value is None else "no such key"
    if isinstance(value, dict | list):
        return f"{'keys' if isinstance(value, dict) else 'a list'} below it"
    said = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
    return f"'{said}'" if len(str(said)) <= 60 else f"'{str(said)[:57]}...'"


def _shape(value: Any, shape: Any, keys: tuple[Any, ...]) -> Iterator[Found]:
    """Yield what is not as it should be: keys, value, what is expected, what to do."""
    if isinstance(shape, list):
        if isinstance(value, list):
            for place, item in enumerate(value):
                yield from _shape(item, shape[0], (*keys, place))
        else:
            yield keys, value, "a list", "Write each entry in a line of its own that begins with a dash: - …"
    elif isinstance(shape, Mapping):
        yield from _keys(value, shape, keys)
    elif shape in (TEXT, MEANING) and isinstance(value, list):
        yield keys, value, "one text", "One name stands here: write an entry of its own for each of them."
    elif not _is(value, shape):
        yield keys, value, *EXPECTED[shape]


def _keys(value: Any, shape: Mapping[str, Any], keys: tuple[Any, ...]) -> Iterator[Found]:
    plain = {name.removesuffix("?"): form for name, form in shape.items()}
    needed = [name for name in shape if not name.endswith("?") and name != "*"]
    if not isinstance(value, dict):
        named = "names of your own" if "*" in plain else f"the keys {', '.join(needed or plain)}"
        yield keys, value, f"lines below it with {named}", "Write them under it, set in by two blanks."
        return
    for key, item in value.items():
        if "*" in plain:
            if not isinstance(key, str | int) or isinstance(key, bool):
                yield (*keys, key), key, "a name", "Write the name in quotation marks: 'No', '1.5'."
            else:
                yield from _shape(item, plain["*"], (*keys, key))
        elif key not in plain:
            near = get_close_matches(str(key), plain, n=1, cutoff=0.6)
            hint = f"Did you mean {near[0]}?" if near else "Take it out, or put a # before it."
            yield (*keys, key), key, f"one of the keys {', '.join(plain)}", hint
        elif item is not None or key in needed:
            yield from _shape(item, plain[key], (*keys, key))
    for key in needed:
        if key not in value:
            yield keys, MISSING, f"a key `{key}:`", f"Add the line `{key}: …` to it."


def _is(value: Any, kind: str) -> bool:
    number = isinstance(value, int) and not isinstance(value, bool)
    text = number or (isinstance(value, str) and bool(value.strip()))
    fits = {
        YES_NO: isinstance(value, bool),
        MEANING: text or value is None,
        WHOLE: number and value > 0,
        DAY: _is_day(value),
        YEAR: text and re.fullmatch(r"20\d\d(-Q[1-4])?", str(value)) is not None,
        TEXTS: text or (isinstance(value, list) and bool(value) and all(_is(item, TEXT) for item in value)),
        KIND: text and value in KINDS,
        TEXT: text,
    }
    return bool(fits[kind])


def _is_day(value: Any) -> bool:
    try:
        return type(value) is date or bool(date.fromisoformat(value))
    except (TypeError, ValueError):
        return False
