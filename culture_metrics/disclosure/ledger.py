"""The ledger: which groups of an extract were shown, kept in a file for the next run; never a number."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.disclosure.decision import GROUP, Call, ids_of, people_of
from culture_metrics.errors import CultureMetricsWarning, FileFormatError, ReportError, warn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from culture_metrics.disclosure.decision import Decision, People

FORMAT = 2


@dataclass(frozen=True)
class About:
    """A decision, and the extract that it began with: survey, period, respondents and codes of questions.

    `counted` is what a minimum count was kept over, where there is one: that minimum and the breakdowns.
    Which percentages it hides is chosen for all of them together: another choice beside it gives them away.
    """

    survey: str
    period: str
    frame: pl.DataFrame
    questions: Sequence[str]
    decision: Decision
    counted: Sequence[str] = ()

    @property
    def people(self) -> People:
        """What tells these people from others."""
        return people_of(self.frame, self.questions)


def write_ledger(path: Path, decided: Sequence[About]) -> None:
    """Write which groups were shown, for which measures, beside what the file says of other people.

    Weighted figures are not in it: their weights are not kept. Groups of which nothing was shown have no name
    in it.

    Raises
    ------
    ReportError
        When percentages are held to a minimum count, and an earlier run showed those of the same people for
        other breakdowns or without it.
    """
    releases = {_key(r): r for r in _releases(path)} if path.exists() else {}
    for about in decided:
        # Calls that were read from it stay; they name what they showed.
        calls: dict[People, list[dict[str, Any]]] = {about.people: []}
        for call in about.decision.calls:
            if call.about == (about.survey, about.period) and not call.weights:
                calls.setdefault(call.people, []).append(_written(call))
        for people, written in calls.items():
            new: dict[str, Any] = {
                "survey": about.survey,
                "period": about.period,
                "people": _fingerprint(people),
                "counted": list(about.counted),
                "calls": written,
            }
            # A notebook beside this one may have shown days that this one did not.
            earlier_days = releases.get(_key(new), {}).get("days", {})
            if days := {**(about.decision.days if people == about.people else {}), **earlier_days}:
                new["days"] = days
            _check_counted(releases.get(_key(new)), about, path)
            releases[_key(new)] = new
    text = json.dumps({"format": FORMAT, "releases": [*releases.values()]}, ensure_ascii=False) + "\n"
    # The notebooks of a report share it, side by side: nobody may read half of it, and a disk that is full in
    # the middle may not cost what it said before.
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    new_file = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        new_file.write_text(text, encoding="utf-8", newline="\n")
        new_file.replace(path)
    finally:
        new_file.unlink(missing_ok=True)


def read_ledger(path: Path, decided: Sequence[About]) -> None:
    """Bring back what earlier runs showed, where it was of the same people.

    Raises
    ------
    FileFormatError
        When the file is no ledger.
    ReportError
        When an earlier run showed figures of the same survey, period and organisation on other respondents or
        other answers: both together give away those who differ.

    Warns
    -----
    CultureMetricsWarning
        When an earlier run also showed figures of part of the respondents.
    """
    releases = _releases(path)
    for about in decided:
        here = [r for r in releases if (r["survey"], r["period"]) == (about.survey, about.period)]
        own = _fingerprint(about.people)
        same = [call for r in here if r["people"] == own for call in r["calls"]]
        with _as_ledger(path):
            about.decision.calls[:0] = [_read(call, about) for call in same]
            for release in here:
                if release["people"] == own:
                    about.decision.days |= release.get("days", {})
        others = [r for r in here if r["people"] != own and r["calls"]]
        if others and same:
            _warn_of_others(about.period)
        elif _organisations(others) & {*about.frame["organisation"].cast(pl.String)}:
            raise _of_others(path, about.period)


def _check_counted(earlier: Mapping[str, Any] | None, about: About, path: Path) -> None:
    if earlier and earlier["calls"] and about.counted and earlier.get("counted") != list(about.counted):
        raise ReportError(
            f"An earlier report shows percentages of {about.period} for other breakdowns, or without this "
            "minimum count",
            where=path.name,
            expected="the minimum count, smallest base and breakdowns of the earlier report",
            hint="Which percentages a minimum count hides is chosen for all breakdowns together: both "
            "reports would give them away. Ask for all in one report. If the earlier one went to nobody, "
            f"report into another folder, or delete {path.name}.",
        )


def _releases(path: Path) -> list[dict[str, Any]]:
    with _as_ledger(path):
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["format"] != FORMAT:
            raise ValueError
        for release in kept["releases"]:
            _key(release), release["calls"]
        return [*kept["releases"]]


def _key(release: Mapping[str, Any]) -> tuple[str, str, str]:
    return release["survey"], release["period"], release["people"]


@contextmanager
def _as_ledger(path: Path) -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError) as error:
        raise FileFormatError(
            "This is not the ledger of an earlier report",
            where=path.name,
            hint="Put it back from a copy. Without it a new report can give away what the earlier one hides: "
            "delete it only if that report went to nobody.",
        ) from error


def _organisations(releases: Sequence[Mapping[str, Any]]) -> set[str]:
    return {group[0] for release in releases for call in release["calls"] for group in call["groups"]}


def _of_others(path: Path, period: str) -> ReportError:
    return ReportError(
        f"An earlier report shows figures of {period} on other respondents, or on other answers of theirs",
        where=path.name,
        expected="the respondents and answers of the earlier report",
        hint="Both reports together would give away the few who differ: give the file of the earlier report. "
        f"If that went to nobody, report into another folder, or delete {path.name}.",
    )


def _warn_of_others(period: str) -> None:
    warn(
        f"Figures of {period} on part of the respondents were shown before. What follows from the two "
        "together was not looked at: cm.disclosure.audit_disclosure(results, earlier) does that.",
        CultureMetricsWarning,
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
    if call.frame is None:
        return {}
    return {table.name: table.digest(ids_of(call.frame), call.people) for table in call.tables}


def _read(call: Mapping[str, Any], about: About) -> Call:
    hidden = np.ones((len(call["groups"]), len(call["families"])), bool)
    for row, shown in zip(hidden, call["shown"], strict=True):
        row[shown] = False
    groups = pl.DataFrame(call["groups"], schema=dict.fromkeys(GROUP, pl.String), orient="row")
    by = {name: tuple(names) for name, names in call["by"].items()}
    untold = np.ones(groups.height, bool)
    families = tuple(call["families"])
    read = Call(by, groups, families, hidden, untold, call["together"], from_ledger=True)
    frame = about.frame if call["members"] else None
    return replace(
        read,
        about=(about.survey, about.period),
        members=call["members"],
        people=about.people,
        frame=frame,
    )
