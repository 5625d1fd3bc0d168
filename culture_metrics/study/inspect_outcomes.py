"""Say of a file whether it holds published outcomes: a dry run of the reader of outcomes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from culture_metrics.errors import CultureMetricsError
from culture_metrics.outcomes.outcome import outcome
from culture_metrics.outcomes.read_outcome import read_outcome
from culture_metrics.outcomes.recognise import outcomes_in

if TYPE_CHECKING:
    from collections.abc import Iterable

OUTCOMES = "file of outcomes"


class Found(NamedTuple):
    """What a file of outcomes is: why it is one, its rows, and what stands in the way or is set aside."""

    reasons: tuple[str, ...]
    rows: int | None
    problems: tuple[str, ...]


def find_outcomes(path: str | Path | Any, sheet: str | None) -> Found | None:
    """Read a file as the outcomes it is named for, and say how that went; None where it holds none."""
    if not isinstance(path, str | Path):
        return None
    named = outcomes_in(path, sheet)
    if not named:
        return None
    reasons = [f"its columns are named as publishers of {' and of '.join(map(_title, named))} name them"]
    problems: list[str] = []
    rows: int | None = None
    for name in named:
        try:
            read = read_outcome(path, name, sheet=sheet)
        except CultureMetricsError as error:
            problems.append(f"As {_title(name)} it cannot be read: {error.what}. {error.hint or ''}".strip())
            continue
        rows = read.provenance["rows"]
        reasons.append(f"{read!r}".removeprefix("OutcomeData(").partition(";")[0])
        problems += _said(read.problems.select("found", "done").iter_rows())
        reasons.append(f"read it with cm.read_outcome('{Path(path).name}', '{name}')")
    return Found(tuple(reasons), rows, tuple(dict.fromkeys(problems)))


def _title(name: str) -> str:
    return outcome(name).title


def _said(found: Iterable[tuple[str, str]]) -> list[str]:
    return [f"{what[:1].upper()}{what[1:]}: {done}" for what, done in found]
