"""The error of a published file that cannot be read: all its problems in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Sequence

#: How many problems of a file an error lists.
SHOWN_PROBLEMS = 20


def refusal(file: str, problems: Sequence[str]) -> FileFormatError:
    """Return the error that lists the problems of a file, each once."""
    shown = list(dict.fromkeys(problems))
    more = [f"and {len(shown) - SHOWN_PROBLEMS} more"] if len(shown) > SHOWN_PROBLEMS else []
    return FileFormatError(
        f"The file cannot be read: {len(shown)} problem{'s' if len(shown) != 1 else ''}",
        where=file,
        got="\n    ".join(["", *shown[:SHOWN_PROBLEMS], *more]),
        hint="Compare these places with the file as it was published. If they stand there too, its "
        "layout is not known yet: report it to the maintainers, and leave the file out until then.",
    )
