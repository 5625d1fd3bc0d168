"""What is at hand while reports are made: the study that notebooks ask for, and workbooks read already."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from culture_metrics.catalogue import survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from culture_metrics.published import Published
    from culture_metrics.study.study import Study

#: The study by the arguments that it answers; empty but in the process that runs the notebooks of a report.
_STUDY: dict[str, Study] = {}
#: Workbooks by path, while reports on several organisations are made; None at any other time.
_workbooks: dict[Path, Published] | None = None


def put(arguments: Mapping[str, Any], study: Study) -> None:
    """Answer `cm.study` with this study, and with no earlier one, when it is called with these arguments.

    A survey of one's own that it is of is known here from then on, as where the study was read.
    """
    for extract in study.extracts:
        survey(extract.edition.survey)
    _STUDY.clear()
    _STUDY[_key(arguments)] = study


def at_hand(arguments: Mapping[str, Any]) -> Study | None:
    """Return the study that was read with these arguments.

    Examples
    --------
    >>> at_hand({"inputs": []}) is None
    True
    """
    return _STUDY.get(_key(arguments)) if _STUDY else None


def _key(arguments: Mapping[str, Any]) -> str:
    return json.dumps(dict(arguments), sort_keys=True, default=str)


@contextmanager
def workbooks_kept() -> Iterator[None]:
    """Keep the workbooks that are read within: a file that changes meanwhile is not read anew."""
    global _workbooks  # noqa: PLW0603
    before, _workbooks = _workbooks, {}
    try:
        yield
    finally:
        _workbooks = before


def kept_workbooks() -> dict[Path, Published]:
    """Return the workbooks read so far, to look in and to add to; they are forgotten where none are kept."""
    return {} if _workbooks is None else _workbooks
