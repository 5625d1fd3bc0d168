"""Names of files after names of groups: readable, safe on every system, each once."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Windows keeps these for devices, whatever their ending; the index has its own.
RESERVED = {
    "con", "prn", "aux", "nul", "index", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10)),
}  # fmt: skip
#: Letters that Unicode does not take apart.
LETTERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "&": " and ", "+": " and "})
#: Short enough that folder and file stay below the 260 characters of Windows.
LONGEST = 60
UNNAMED = "group"


def filename(name: str) -> str:
    """Return a name as a file may have it: small letters, digits and hyphens.

    Examples
    --------
    >>> filename("Women's & Children's / Maternity"), filename("CON"), filename("外科")
    ('womens-and-childrens-maternity', 'con-group', 'group')
    """
    plain = unicodedata.normalize("NFKD", name.casefold().translate(LETTERS)).encode("ascii", "ignore")
    words = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['`]", "", plain.decode())).strip("-")
    short = words[:LONGEST].rstrip("-") or UNNAMED
    return f"{short}-{UNNAMED}" if short in RESERVED else short


def filenames(names: Iterable[str]) -> dict[str, str]:
    """Return a name of a file for each name, each once; of two that are alike the later gets a number.

    Examples
    --------
    >>> filenames(["A & E", "A and E", "A/E"])
    {'A & E': 'a-and-e', 'A and E': 'a-and-e-2', 'A/E': 'a-e'}
    """
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        first = file = filename(name)
        number = 1
        while file in taken:
            number += 1
            file = f"{first}-{number}"
        taken.add(file)
        found[name] = file
    return found
