"""Equality standards as data: which item is which indicator, of which two groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from culture_metrics.catalogue import catalogue
from culture_metrics.catalogue.load import read_yaml
from culture_metrics.errors import CatalogueError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from culture_metrics.catalogue import Survey

FILE = "equality_standards.yaml"
#: What the file may say: keys and their kinds; a key that ends in "?" may be left out.
INDICATOR = {
    "measure": str, "label?": str, "any_of?": list, "stems?": list, "one_group?": bool, "unconfirmed?": str,
}  # fmt: skip
STANDARD = {
    "label": str, "breakdown": str, "group": str, "reference": str, "columns": dict, "indicators": dict,
}  # fmt: skip
COLUMNS = {"marker": str, "reference": int, "group": int}
PAIR = {"group?": str, "reference?": str}


@dataclass(frozen=True)
class Indicator:
    """One indicator (WRES) or metric (WDES) of a standard: `name` is as people say it, `WRES 6`.

    `any_of` are the measures of which it counts at least one; `stems` beginnings of columns of benchmark
    workbooks; `one_group` says that the others have no figure.
    """

    name: str
    measure: str
    label: str | None = None
    any_of: tuple[str, ...] = ()
    stems: tuple[str, ...] = ()
    one_group: bool = False
    unconfirmed: str = ""


@dataclass(frozen=True)
class Standard:
    """A standard: its two groups, its indicators, and how benchmark workbooks mark its columns.

    `codes` are the last numbers of those columns, by `group` and `reference`.
    """

    id: str
    label: str
    breakdown: str
    group: str
    reference: str
    marker: str
    codes: Mapping[int, str]
    indicators: tuple[Indicator, ...]


@dataclass(frozen=True)
class Equality:
    """What is looked at in a survey: its standards, and two groups of other breakdowns.

    `pairs` has the group (None: every other one) and the reference (None: the largest shown) of each;
    `leading` are the breakdowns that a report shows beside the standards, `crossed` those whose strata are
    looked at together.
    """

    standards: tuple[Standard, ...] = ()
    pairs: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    leading: tuple[str, ...] = ()
    crossed: tuple[str, ...] = ()

    @property
    def made(self) -> dict[str, Indicator]:
        """The measures that are made of others, by id."""
        return {i.measure: i for s in self.standards for i in s.indicators if i.any_of}

    @property
    def breakdowns(self) -> tuple[str, ...]:
        """All breakdowns, those of standards first."""
        return tuple(dict.fromkeys([*(s.breakdown for s in self.standards), *self.pairs]))

    def pair(self, breakdown: str) -> tuple[str | None, str | None]:
        """Return group and reference of a breakdown."""
        own = {s.breakdown: (s.group, s.reference) for s in self.standards}
        return own.get(breakdown) or self.pairs.get(breakdown, (None, None))


@cache
def equality_of(survey: str) -> Equality:
    """Return what is looked at in a survey; nothing where its folder says nothing.

    Raises
    ------
    CatalogueError
        When the file names what is not there.

    Examples
    --------
    >>> [len(standard.indicators) for standard in equality_of("nss_england").standards]
    [4, 9]
    """
    known = catalogue(survey)
    folder: Traversable = known.folder or files("data_schemas").joinpath(survey)
    if not folder.joinpath(FILE).is_file():
        return Equality()
    return equality_from(read_yaml(folder, FILE), known)


def equality_from(said: Mapping[str, Any], survey: Survey) -> Equality:
    """Return what a file says, checked against the catalogue.

    Raises
    ------
    CatalogueError
        When it names what is not there.
    """
    check_keys(said, {"standards": dict, "breakdowns": dict, "leading": list, "crossed": list}, "the file")
    standards = tuple(_standard(name, spec, survey) for name, spec in said["standards"].items())
    pairs = {}
    for name, spec in said["breakdowns"].items():
        check_keys(spec, PAIR, name)
        pairs[name] = (spec.get("group"), spec.get("reference"))
        _groups(name, [g for g in pairs[name] if g is not None], survey, known=False)
    found = Equality(standards, MappingProxyType(pairs), tuple(said["leading"]), tuple(said["crossed"]))
    for name in (*found.leading, *found.crossed):
        if name not in found.breakdowns:
            raise wrong("leading, crossed", name, "breakdowns of the file")
    return found


def _standard(name: str, spec: Mapping[str, Any], survey: Survey) -> Standard:
    check_keys(spec, STANDARD, name)
    check_keys(spec["columns"], COLUMNS, f"{name}, columns")
    _groups(spec["breakdown"], [spec["group"], spec["reference"]], survey)
    measures = {m for edition in survey for m in edition.measures}
    indicators = []
    for number, own in spec["indicators"].items():
        where = f"{name} {number}"
        check_keys(own, INDICATOR, where)
        made = own.get("any_of", ())
        if bool(made) == (own["measure"] in measures) or bool(made) != ("label" in own):
            raise wrong(where, own["measure"], "a measure of the catalogue, or any_of and a label")
        for one in made:
            if one not in measures:
                raise wrong(where, one, "measures of the catalogue")
        indicators.append(
            Indicator(
                name=where,
                measure=own["measure"],
                label=own.get("label"),
                any_of=tuple(made),
                stems=tuple(own.get("stems", ())),
                one_group=own.get("one_group", False),
                unconfirmed=own.get("unconfirmed", ""),
            )
        )
    codes = {spec["columns"][end]: spec[end] for end in ("group", "reference")}
    return Standard(
        id=name,
        label=spec["label"],
        breakdown=spec["breakdown"],
        group=spec["group"],
        reference=spec["reference"],
        marker=spec["columns"]["marker"],
        codes=MappingProxyType(codes),
        indicators=tuple(indicators),
    )


def _groups(breakdown: str, groups: list[str], survey: Survey, *, known: bool = True) -> None:
    """See to it that the groups are those of the breakdown in every edition that has it."""
    found = [e.breakdowns[breakdown] for e in survey if breakdown in e.breakdowns]
    if not found and (known or groups):
        raise wrong(breakdown, breakdown, "breakdowns of the catalogue")
    for group in groups:
        if any(group not in one.groups for one in found):
            raise wrong(breakdown, group, "groups of the breakdown in every edition")


def check_keys(spec: Any, shape: Mapping[str, type], where: str, file: str = FILE) -> None:
    """See to it that a part of a file has these keys, of these kinds; those that end in "?" may be left out.

    Raises
    ------
    CatalogueError
        When it has not.
    """
    needed = {name.removesuffix("?"): kind for name, kind in shape.items()}
    must = [name for name in shape if not name.endswith("?")]
    if not isinstance(spec, Mapping) or not set(must) <= set(spec) <= set(needed):
        raise wrong(where, ", ".join(map(str, spec or ())), f"the keys {', '.join(shape)}", file)
    for name, value in spec.items():
        if not isinstance(value, needed[name]):
            raise wrong(f"{where}, {name}", type(value).__name__, needed[name].__name__, file)


def wrong(where: str, got: str, expected: str, file: str = FILE) -> CatalogueError:
    """Return what to raise where a file says something else than the catalogue."""
    return CatalogueError(
        f"The {file.removesuffix('.yaml').replace('_', ' ')} do not fit the catalogue",
        where=f"{file}, {where}",
        got=got,
        expected=expected,
    )
