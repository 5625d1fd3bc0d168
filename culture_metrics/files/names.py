"""Names of columns as they stand in files."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Parts the names of columns that a file gives the same name to; never shown.
TWIN = "\x00"
#: Characters that nobody sees: of no width, soft hyphens, marks of direction and of byte order.
INVISIBLE = "[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]"


def visible(text: str) -> str:
    """Return a text without the characters that nobody sees.

    Examples
    --------
    >>> visible("\u200bq25c\ufeff")
    'q25c'
    """
    return text if text.isascii() else re.sub(INVISIBLE, "", text)


@lru_cache(maxsize=4096)  # the columns of every breakdown are compared for each column of a file
def squeeze(name: str) -> str:
    """Return a name without case, spaces, dots, dashes and underscores."""
    return re.sub(r"[\s._\-]+", "", visible(name)).casefold()


def shown(name: str) -> str:
    """Return a name as it stands in the file."""
    return name.split(TWIN, maxsplit=1)[0]


def unique_names(cells: Sequence[str | None]) -> list[str | None]:
    """Return the names of a header row: trimmed, None where blank, each one once inside this package.

    Examples
    --------
    >>> [name and shown(name) for name in unique_names([" q1 ", "", "q1"])]
    ['q1', None, 'q1']
    """
    names: list[str | None] = []
    seen: Counter[str] = Counter()
    for cell in cells:
        name = " ".join(visible((cell or "").replace(TWIN, "")).split())
        names.append((f"{name}{TWIN}{seen[name]}" if seen[name] else name) or None)
        seen[name] += bool(name)
    return names


def every_name(names: Sequence[str | None]) -> tuple[str, ...]:
    """Name every column: one without a name gets its place, which is never shown."""
    return tuple(name or f"{TWIN}{place}" for place, name in enumerate(names))
