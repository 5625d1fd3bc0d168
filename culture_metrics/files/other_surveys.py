"""Name a survey that nothing here reads, by what its files call it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What can be done with the files of another survey.
REMEDY = (
    "Nothing here reads its results of groups. Answers of its respondents, a row each, can be read: describe "
    "the survey in a folder of five files, as data_schemas/README.md shows, and give it as survey=."
)


def other_survey(cells: Iterable[str | None]) -> str | None:
    """Return the survey that cells name, None where they name none of the known others.

    Examples
    --------
    >>> other_survey([None, "Civil Service People Survey 2024 Benchmark Results"])
    'Civil Service People Survey'
    """
    text = " ".join(" ".join(cell.split()) for cell in cells if cell).casefold()
    return next((s["label"] for s in _surveys() if any(name in text for name in s["named"])), None)


@cache
def _surveys() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load(
        files("data_schemas").joinpath("other_surveys.yaml").read_text(encoding="utf-8")
    )
    return found
