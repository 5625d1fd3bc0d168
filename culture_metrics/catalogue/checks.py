"""Check the files of a survey: every mistake with its file, place and remedy."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.catalogue.content import (
    breakdown_mistakes,
    edition_mistakes,
    question_mistakes,
    scale_mistakes,
    score_mistakes,
)
from culture_metrics.catalogue.form import Files, Mistake, read_files
from culture_metrics.catalogue.load import read_survey
from culture_metrics.catalogue.model import Survey
from culture_metrics.catalogue.weighting_checks import weighting_mistakes
from culture_metrics.errors import CatalogueError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sized
    from importlib.resources.abc import Traversable

#: So many mistakes stand in an error; `survey check` lists all.
SHOWN = 8


@dataclass(frozen=True)
class Checked:
    """What a check of a survey's folder found: `mistakes`, and the survey where there are none."""

    folder: str
    mistakes: tuple[Mistake, ...]
    survey: Survey | None

    def __str__(self) -> str:
        if self.survey is None:
            return "\n".join([f"{self.folder}: {_count(self.mistakes)}", *map(str, self.mistakes)])
        last = self.survey.edition(self.survey.periods[-1])
        return (
            f"{self.folder}: no mistakes. {self.survey.label} ({self.survey.id}), scores from "
            f"{self.survey.range_words}, minimum base {self.survey.minimum_base}; editions "
            f"{', '.join(self.survey.periods)}; in {last.period} {_count(last.questions, 'question')}, "
            f"{_count(last.scores, 'score')}, {_count(last.breakdowns, 'breakdown')}."
        )


def check_survey(folder: str | Path) -> Checked:
    """Check the files of a survey, inside or outside the package.

    Examples
    --------
    >>> check_survey(str(files("data_schemas").joinpath("national_quarterly_pulse"))).mistakes
    ()
    """
    path = Path(folder)
    mistakes, read = _look(path)
    if mistakes or read is None:
        return Checked(path.resolve().name, mistakes, None)
    own = None if _is_of_package(path) else path.resolve()
    return Checked(path.resolve().name, (), read_survey(_id(path, read), path, own))


def read_own_survey(folder: Path) -> Survey:
    """Read a survey from its folder, strictly.

    Raises
    ------
    CatalogueError
        With the mistakes in its files.
    """
    found = check_survey(folder)
    if found.survey is None:
        some = found.mistakes[:SHOWN]
        more = len(found.mistakes) - len(some)
        raise CatalogueError(
            f"The survey in {found.folder} cannot be used: {_count(found.mistakes)}\n"
            + "\n".join(map(str, some))
            + (f"\n- and {more} more" if more else ""),
            where=str(folder),
            hint="Mend them; culture-metrics survey check lists all of them.",
        )
    return found.survey


def _look(folder: Path) -> tuple[tuple[Mistake, ...], Files | None]:
    """Find what is wrong with the files of a survey: their form first, then what they hold."""
    form, read = read_files(folder)
    if read is None:
        return tuple(form), None
    checks = (
        scale_mistakes, edition_mistakes, question_mistakes, score_mistakes, breakdown_mistakes,
        weighting_mistakes,
    )  # fmt: skip
    return (*_own_name(folder, read), *(m for check in checks for m in check(read))), read


def _own_name(folder: Path, read: Files) -> Iterator[Mistake]:
    name = _id(folder, read)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        yield read.mistake(
            "editions.yaml",
            ("survey", "id"),
            f"'{name}' cannot be the id of a survey",
            "Give it an `id:` of small letters, digits and underscores, or rename the folder.",
        )
    elif not _is_of_package(folder) and _of_package(name).is_dir():
        yield read.mistake(
            "editions.yaml",
            ("survey", "id"),
            f"the package has a survey {name} of its own",
            "Give it another `id:`, or rename the folder.",
        )


def _id(folder: Path, read: Files) -> str:
    return str(read.head.get("id", folder.resolve().name))


def _of_package(name: str) -> Traversable:
    return files("data_schemas").joinpath(name)


def _is_of_package(folder: Path) -> bool:
    inside = _of_package(folder.resolve().name)
    return isinstance(inside, Path) and inside.resolve() == folder.resolve()


def _count(things: Sized, noun: str = "mistake") -> str:
    return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"
