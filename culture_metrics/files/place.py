"""Where results are written to: what can be no file is refused in words, and so is what cannot be written."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.errors import ReportError, kind_of, unknown

if TYPE_CHECKING:
    from collections.abc import Sequence


def to_write(path: object, endings: Sequence[str], what: str) -> tuple[Path, str]:
    """Return where to write, and the ending of its name in small letters.

    Raises
    ------
    UnknownNameError
        When the ending is another.
    ReportError
        When it is no name of a file.

    Examples
    --------
    >>> to_write("a.CSV", (".csv",), "result")[1]
    '.csv'
    """
    if not isinstance(path, (str, PathLike)) or "\0" in str(path):
        raise ReportError(
            f"The {what} has no file to go to",
            expected=f"the name of a file that ends in {', '.join(endings)}",
            got=kind_of(path) if not isinstance(path, (str, PathLike)) else "a name with a null character",
            hint=f'Give one, as "results{endings[0]}".',
        )
    place = Path(path)
    if place.suffix.lower() not in endings:
        raise unknown(f"ending for a {what}", place.suffix, endings, where=place.name)
    return place, place.suffix.lower()


def written(path: Path, content: bytes, what: str = "figure") -> Path:
    """Write a file, and return where it is.

    Raises
    ------
    ReportError
        When it cannot be written there.
    """
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ReportError(
            f"The {what} could not be written",
            where=path.name,
            got=error.strerror,
            hint="Check that the folder exists, that you may write there and that the file is not open.",
        ) from error
    return path
