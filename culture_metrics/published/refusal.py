"""The errors of files that cannot be read as published results: all problems in one, or what they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from culture_metrics.code_fit import fit_known
from culture_metrics.errors import FileFormatError
from culture_metrics.files.names import squeeze

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.files.header import Row

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


def holds_answers(rows: Sequence[Row]) -> bool:
    """Whether a row names questions of a survey by their codes, as respondent files do.

    Examples
    --------
    >>> holds_answers([["Results"], ["Sample ID", "Q2a", "Q2b"]]), holds_answers([["Year", "Q2a - Words"]])
    (True, False)
    """
    return any(next(iter(fit_known(squeeze(c) for c in row if c).values())).codes for row in rows)


def answers_of_respondents(file: str, got: str | None = None) -> FileFormatError:
    """Return the error of a file whose columns are questions: its rows are respondents."""
    return FileFormatError(
        "This is a file of respondents, not of published results",
        where=file,
        expected="results of organisations or groups",
        got=got,
        hint=f'Read it with cm.read_extract("{file}").',
    )
