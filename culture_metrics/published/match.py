"""Match the labels of response options in a file with the options of the catalogue."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Key = TypeVar("Key", int, str)

#: Words that say nothing about which option a label is.
COMMON_WORDS = frozenset({"would", "want", "other", "with", "from", "this", "that", "your", "have"})
SHORTEST_WORD = 4

_EXAMPLES = re.compile(r"\((?:e\.?\s?g|for example|such as|including)\b[^)]*\)?", re.IGNORECASE)
_QUOTES = re.compile("['\u2018\u2019`\u00b4]")
_NOT_WORD = re.compile(r"[^\w+]+")


@cache
def normalise(text: str | None) -> str:
    """Return a label without case, punctuation, leading % and examples in brackets.

    Examples
    --------
    >>> normalise("% Yes,  DEFINITELY "), normalise("Other (e.g. trade union)"), normalise("Don't know")
    ('yes definitely', 'other', 'dont know')
    """
    text = unicodedata.normalize("NFKC", text or "").replace("&", " and ")
    return _NOT_WORD.sub(" ", _QUOTES.sub("", _EXAMPLES.sub(" ", text))).strip().casefold()


def match_options(
    labels: Sequence[str], options: Mapping[Key, str], optional: Sequence[Key] = ()
) -> list[Key | None]:
    """Return the option that each label stands for, None where there is none.

    Labels are compared without case and punctuation. What is not equal is taken for the option it ends or
    begins with, the longest first ("White - Irish" is "Irish"). What is left on both sides is matched by
    position if there is as much of both and each pair has a word in common, since some labels of the
    catalogue are shortened.

    Parameters
    ----------
    labels : sequence of str
        Labels in the order of the file.
    options : mapping
        Options and their labels in the order of the form.
    optional : sequence
        Options that may be absent: never matched by position.

    Examples
    --------
    >>> match_options(["% White - Irish", "% NEVER"], {1: "Never", 2: "Irish"})
    [2, 1]
    >>> match_options(["% Never", "% Banana"], {1: "Never", 2: "Rarely"})
    [1, None]
    """
    found: list[Key | None] = [None] * len(labels)
    names = [normalise(label) for label in labels]
    rest = {option: normalise(label) for option, label in options.items()}

    def take(test: Callable[[str, str], bool]) -> None:
        for i, name in enumerate(names):
            if found[i] is None:
                fits = [option for option, label in rest.items() if test(name, label)]
                longest = max((len(rest[o]) for o in fits), default=0)
                fits = [option for option in fits if len(rest[option]) == longest]
                if len(fits) == 1:
                    found[i] = fits[0]
                    del rest[fits[0]]

    take(str.__eq__)
    take(lambda name, label: name.endswith(f" {label}"))
    take(lambda name, label: name.startswith(f"{label} ") or label.startswith(f"{name} "))
    open_labels = [i for i, option in enumerate(found) if option is None]
    open_options = [option for option in rest if option not in optional]
    pairs = list(zip(open_labels, open_options, strict=False))
    if len(open_labels) == len(open_options) and all(_words(names[i]) & _words(rest[o]) for i, o in pairs):
        for i, option in pairs:
            found[i] = option
    return found


def _words(text: str) -> set[str]:
    return {word for word in text.split() if len(word) >= SHORTEST_WORD} - COMMON_WORDS
