"""The trust's own words for its parts: which columns of a file name groups, and the id of each breakdown."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from culture_metrics.files.names import squeeze
from data_schemas.columns import RESULTS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from culture_metrics.catalogue import Edition, Survey

#: What a column is matched with that is a breakdown: under its own name, or under what the trust calls it.
OWN = re.compile(r"\s*breakdown\s*(?::\s*(?P<word>.*\S)\s*)?", re.I | re.S)
#: Names of contractors that say nothing of what the groups are; the number is the breakdown's.
NUMBERED = re.compile(r"(?:locality|bd)(\d{1,2})")
#: Identifying columns that say which rows count; they are used while reading and not kept.
ROW_COLUMNS = ("period", "outcome", "main_or_bank", "response_status", "channel", "finished", "progress")
#: Columns that are no questions and name no groups of staff.
NO_GROUPS = frozenset({"respondent", "organisation", "organisation_name", "survey_mode", *ROW_COLUMNS})
#: Names that tables use for something else.
TAKEN = frozenset({*RESULTS, *NO_GROUPS, "row", "all", "none", "weight", "code", "option", "name", "year"})


@cache
def _known() -> Mapping[str, Any]:
    text = files("data_schemas").joinpath("extract_breakdowns.yaml").read_text(encoding="utf-8")
    return {kind: frozenset(map(squeeze, names)) for kind, names in yaml.safe_load(text).items()}


def own_word(target: str, header: str) -> str | None:
    """Return what the trust calls a breakdown, where a column was matched with one of its own.

    Examples
    --------
    >>> own_word("breakdown", "Rota"), own_word("breakdown: Care Group", "BD3"), own_word("q25c", "Recommend")
    ('Rota', 'Care Group', None)
    """
    match = OWN.fullmatch(target)
    return None if match is None else " ".join((match["word"] or header).split())


def names_own_groups(name: str) -> bool:
    """Tell whether a column's name is one of those that stand for groups of staff.

    Examples
    --------
    >>> [names_own_groups(name) for name in ("Cost Centre", "BD 14", "Org Level 2", "Comments")]
    [True, True, True, False]
    """
    squeezed = squeeze(name)
    number = re.fullmatch(r"(.*?\D)\d{1,2}", squeezed)
    return squeezed in _known()["words"] or (number is not None and number[1] in _known()["numbered"])


def own_id(word: str, survey: Survey, used: Collection[str] = ()) -> str:
    """Return the id of a breakdown that has no place of its own, from what the trust calls it.

    The same word gives the same id in every file. A word that means something else to the survey or to
    tables, or is `used`, gets an ending.

    Examples
    --------
    >>> from culture_metrics.catalogue import catalogue
    >>> [own_id(word, catalogue()) for word in ("Cost  Centre", "BD 14", "Morale", "5 North")]
    ['cost_centre', 'locality_14', 'morale_group', 'group_5_north']
    """
    number = NUMBERED.fullmatch(squeeze(word))
    plain = re.sub(r"\W+", "_", word.casefold()).strip("_")
    name = f"locality_{int(number[1])}" if number and not used else plain or "group"
    name = f"group_{name}" if name[0].isdigit() else name
    return f"{name}_group" if name in used or name in TAKEN or _means_something(name, survey) else name


def own_breakdowns(schema: Mapping[str, Any], edition: Edition, placed: Collection[str]) -> list[str]:
    """Return the text columns that name groups and that the catalogue does not know.

    Parameters
    ----------
    schema : mapping
        Column -> type.
    edition : Edition
        Its breakdowns are left out.
    placed : collection of str
        Columns that are no questions and have a place in every file.
    """
    known = {b.column for b in edition.breakdowns.values()}
    places = {name for name in placed if not NUMBERED.fullmatch(squeeze(name)) and name != "staff_group"}
    return [
        name
        for name, dtype in schema.items()
        if dtype == pl.String
        and not (name in known or name in places or name in NO_GROUPS or name in edition.columns)
    ]


def _means_something(name: str, survey: Survey) -> bool:
    """Tell whether a name means something to a survey: codes, questions, measures, breakdowns."""
    return not NUMBERED.fullmatch(squeeze(name)) and any(
        name in names
        for edition in survey
        for names in (edition.columns, edition.questions, edition.measures, edition.breakdowns)
    )
