"""Compare labels of files and of the catalogue without what differs by habit of writing alone."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

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
