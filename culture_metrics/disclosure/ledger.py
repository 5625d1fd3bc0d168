"""The ledger: which groups of an extract were shown, kept in a file for the next run; never a number."""

from __future__ import annotations

import json
import os
import warnings
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.disclosure.decision import GROUP, Call
from culture_metrics.errors import CultureMetricsWarning, FileFormatError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from culture_metrics.disclosure.decision import Decision, People

#: Decisions with what they are about: survey, period and people.
About = tuple[str, str, "People", "Decision"]
FORMAT = 1


def write_ledger(path: Path, decided: Sequence[About]) -> None:
    """Write which groups were shown, for which measures.

    Weighted figures are not in it: their weights are not kept. Groups of which nothing was shown have no name
    in it.
    """
    # Calls that were read from it stay; they name what they showed.
    releases = [
        {
            "survey": survey,
            "period": period,
            "people": _fingerprint(people),
            "calls": [_written(call) for call in decision.of(people) if not call.weights],
        }
        for survey, period, people, decision in decided
    ]
    text = json.dumps({"format": FORMAT, "releases": releases}, ensure_ascii=False) + "\n"
    # The notebooks of a report share it, side by side: nobody may read half of it, and a disk that is full in
    # the middle may not cost what it said before.
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    new = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        new.write_text(text, encoding="utf-8", newline="\n")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def read_ledger(path: Path, decided: Sequence[About]) -> None:
    """Bring back what earlier runs showed, where it was of the same people.

    Raises
    ------
    FileFormatError
        When the file is no ledger.

    Warns
    -----
    CultureMetricsWarning
        When an earlier run showed figures of the same survey and period on other respondents.
    """
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        releases = {(r["survey"], r["period"], r["people"]): r["calls"] for r in kept["releases"]}
        if kept["format"] != FORMAT:
            raise ValueError
        for survey, period, people, decision in decided:
            calls = releases.get((survey, period, _fingerprint(people)))
            if calls is not None:
                decision.of(people)[:0] = [_read(call) for call in calls]
            elif any((survey, period) == key[:2] for key in releases):
                _warn_of_others(period)
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            "This is not the ledger of an earlier report",
            where=path.name,
            hint="Put it back from a copy. Without it a new report can give away what the earlier one hides: "
            "delete it only if that report went to nobody.",
        ) from error


def _warn_of_others(period: str) -> None:
    warnings.warn(
        f"An earlier report in this folder shows figures of {period} on other respondents. What follows from "
        "the two together was not looked at: audit_disclosure(results, earlier) does that.",
        CultureMetricsWarning,
        stacklevel=4,
    )


def _fingerprint(people: People) -> str:
    return sha256(repr(people).encode()).hexdigest()


def _written(call: Call) -> dict[str, Any]:
    shown = np.flatnonzero(~call.hidden.all(axis=1))
    return {
        "by": {name: list(names) for name, names in call.by.items()},
        "together": call.together,
        "members": call.members or _members(call),
        "families": list(call.families),
        "groups": call.groups[shown].rows(),
        "shown": [np.flatnonzero(~row).tolist() for row in call.hidden[shown]],
    }


def _members(call: Call) -> dict[str, str]:
    if call.order is None:
        return {}
    return {table.name: table.digest(call.order) for table in call.tables}


def _read(call: dict[str, Any]) -> Call:
    hidden = np.ones((len(call["groups"]), len(call["families"])), bool)
    for row, shown in zip(hidden, call["shown"], strict=True):
        row[shown] = False
    groups = pl.DataFrame(call["groups"], schema=dict.fromkeys(GROUP, pl.String), orient="row")
    by = {name: tuple(names) for name, names in call["by"].items()}
    untold = np.ones(groups.height, bool)
    families = tuple(call["families"])
    return Call(
        by, groups, families, hidden, untold, call["together"], members=call["members"], from_ledger=True
    )
