"""What stands out in a part: strengths and concerns beyond chance, and what to talk about with the team."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue.load import read_yaml
from culture_metrics.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition

#: Strengths and concerns that a page tells, and questions to talk about.
MOST = 3
FILE = "conversations.yaml"
SIDES = ("strength", "concern")


def most_apart(rows: pl.DataFrame, side: int, edition: Edition) -> list[dict[str, Any]]:
    """Return the figures of one part furthest from the rest on one side, beyond chance, at most three.

    Parameters
    ----------
    rows : polars.DataFrame
        Of one group, as `beside.apart_from_the_rest` returns them.
    side : {1, -1}
        More or less favourable than the rest.
    edition : Edition
        Says which questions a score is built of.

    Notes
    -----
    Leading scores stand elsewhere on the page and are left out where others are shown. Of figures that share
    a question only the furthest is taken: a score and the question in it would say one thing twice.
    """
    leading = pl.col("measure").is_in([*edition.leading])
    own = rows.filter(~leading) if rows.filter(~leading).height else rows
    ordered = own.filter(pl.col("side") == side).sort(
        pl.col("size").abs(), descending=True, nulls_last=True, maintain_order=True
    )
    found: list[dict[str, Any]] = []
    asked: set[str] = set()
    for row in ordered.iter_rows(named=True):
        questions = {*edition.questions_of(row["measure"])}
        if not questions & asked:
            found.append(row)
            asked |= questions
        if len(found) == MOST:
            break
    return found


@dataclass(frozen=True)
class Conversations:
    """Questions to talk about with a team: of measures, of any other one, and what fills up a short list.

    `nothing` is said before them where nothing differs from the rest.
    """

    of: Mapping[str, Mapping[str, str]]
    any: Mapping[str, str]
    nothing: str
    fill: tuple[str, ...]

    def about(self, measure: str, side: str, edition: Edition) -> str:
        """Return the question for a measure: its own, that of the narrowest score it is in, or any."""
        around = [measure, *_around(measure, edition)]
        text = next((self.of[name][side] for name in around if side in self.of.get(name, ())), self.any[side])
        return text.format(label=edition.measures[measure].label)

    def picked(
        self,
        strengths: Sequence[Mapping[str, Any]],
        concerns: Sequence[Mapping[str, Any]],
        edition: Edition,
        *,
        alike: bool,
    ) -> list[str]:
        """Pick at most three: two of concerns, one of a strength, each once; what is missing is filled up.

        `alike` says that everything could be tested, or something, and that nothing differs from the rest.
        """
        told = [self.about(row["measure"], "concern", edition) for row in concerns]
        good = [self.about(row["measure"], "strength", edition) for row in strengths]
        told, good = list(dict.fromkeys(told)), list(dict.fromkeys(good))
        wanted = [*told[: MOST - bool(good)], *good]
        few = MOST - 1 if strengths or concerns else MOST
        said = list(dict.fromkeys([*wanted[:MOST], *self.fill[: max(0, few - len(wanted))]]))
        return [f"{self.nothing} {said[0]}", *said[1:]] if alike else said


def _around(measure: str, edition: Edition) -> list[str]:
    """Return the scores that a measure is part of, the one of fewest questions first."""
    own = {*edition.questions_of(measure)}
    wider = {name: {*edition.questions_of(name)} for name in edition.scores if name != measure}
    return sorted((n for n, asked in wider.items() if own and own <= asked), key=lambda n: len(wider[n]))


@cache
def _read(survey: str, folder: str | None) -> Conversations:
    from pathlib import Path

    general = read_yaml(files("data_schemas"), FILE)
    place = Path(folder) if folder else files("data_schemas") / survey
    of = read_yaml(place, FILE) if (place / FILE).is_file() else {}
    wrong = [name for name, said in of.items() if not isinstance(said, dict) or {*said} - {*SIDES}]
    if wrong:
        raise CatalogueError(
            "Questions to talk about are not as they should be",
            where=f"{survey}/{FILE}, {wrong[0]}",
            expected=f"for each measure {' and '.join(SIDES)}, a question each",
        )
    return Conversations(of, general["any"], general["nothing_differs"], tuple(general["fill_up"]))


def conversations(edition: Edition) -> Conversations:
    """Return the questions to talk about of a survey: `conversations.yaml` in its folder, if it is there."""
    folder = edition.survey.folder
    return _read(edition.survey.id, str(folder) if folder else None)
