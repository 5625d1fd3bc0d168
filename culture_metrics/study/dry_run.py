"""Try the reader of published results on a file, and say what it would read and leave out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from culture_metrics.errors import CultureMetricsError
from culture_metrics.problems import counted
from culture_metrics.published import read_published
from culture_metrics.published.official import layout

if TYPE_CHECKING:
    from pathlib import Path

    from culture_metrics.published import Published

#: Stands for the organisation that a contractor's export does not name.
ANY = "RXX"
DETAILED = ("organisation", "national", "organisation_type")


@dataclass(frozen=True)
class DryRun:
    """What `read_published` does with a file.

    `kind` is None for layouts that are known by more than their name; `reads` and `left_out` say in words
    what goes in, `problem` why nothing does, `next` how to read it.
    """

    survey: str | None = None
    period: str | None = None
    kind: str | None = None
    reads: str = ""
    left_out: tuple[str, ...] = ()
    problem: str = ""
    next: tuple[str, ...] = ()


def try_published(path: Path) -> DryRun:
    """Read a file of published results and say what came of it."""
    try:
        found = read_published(path, organisation=ANY)
    except CultureMetricsError as error:
        said = (error.what, " ".join((error.got or "").split()), error.hint)
        return DryRun(problem=". ".join(text for text in said if text))
    told = found.provenance
    kind = told["layout"]
    left_out = [f"{why}: {_named(names)}" for why, names in told.get("left_out", {}).items()]
    if told.get("missing"):
        left_out.append(f"not in the file: {_named(told['missing'])}")
    return DryRun(
        found.survey,
        found.period,
        layout(kind).label if kind in DETAILED else None,
        repr(found).partition(": ")[2].rstrip(")"),
        tuple(left_out),
        next=_next(path.name, found),
    )


def _next(name: str, found: Published) -> tuple[str, ...]:
    """Return the next command, for the command line where it has one, and for Python."""
    kind = found.provenance["layout"]
    of = ", organisation='ODS code of your organisation'" if kind == "contractor" else ""
    python = f'Python: cm.read_published("{name}"{of})'
    if kind == "organisation":
        return f'command line: culture-metrics report "{name}" --organisation CODE --out report', python
    return (python,)


def _named(names: tuple[str, ...], most: int = 4) -> str:
    more = f" and {counted(len(names) - most, 'more', 'more')}" if len(names) > most else ""
    return "; ".join(names[:most]) + more
