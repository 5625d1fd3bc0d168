"""What an outcome is: its kind, unit, exposure and direction, declared by hand or in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import yaml

from culture_metrics.errors import LinkError, unknown
from culture_metrics.outcomes.kinds import KINDS, Kind, as_kind

if TYPE_CHECKING:
    from collections.abc import Mapping

#: What the unit of fractions begins with; differences between fractions are said in percentage points.
SHARE, POINTS = "share of ", " percentage points"
#: A unit longer than this is left to the table.
SHORT = 12


@dataclass(frozen=True)
class Outcome:
    """One outcome of a panel: the column that holds it and what its numbers mean.

    Parameters
    ----------
    column : str
        Column of the panel.
    kind : str
        `continuous` (a score), `ratio` (observed to expected, 1 is as expected), `proportion` (events out of
        `base` trials), `rate` (share of person-time), `count` (events over an `exposure`), `ordinal`
        (`levels`), `binary` or `money`. It decides the family of the model.
    label : str, optional
        Name for people; the column's name when left out.
    unit : str
        Unit in words, such as "deaths per expected death".
    better : {"high", "low"}, optional
        Which side is favourable; none when neither is.
    base : str, optional
        Column with the number of trials of a proportion, or the person-time of a rate.
    exposure : str, optional
        Column with the exposure of a count: bed-days, expected deaths.
    levels : tuple of str, optional
        Levels of an ordinal outcome, worst first; of a continuous one whose numbers are the places of its
        levels, 1 for the first.
    percent : bool
        The column holds a proportion or rate in per cent (0 to 100) rather than as a fraction.
    same_source : bool
        The outcome comes from the staff survey itself.
    period : str, optional
        What the outcome's year is, in words.

    Raises
    ------
    LinkError
        When the kind is unknown or a part does not belong to it.

    Examples
    --------
    >>> Outcome("falls", kind="count", exposure="bed_days", better="low").title
    'falls'
    """

    column: str
    kind: str
    label: str | None = None
    unit: str = ""
    better: Literal["high", "low"] | None = None
    base: str | None = None
    exposure: str | None = None
    levels: tuple[str, ...] | None = None
    percent: bool = False
    same_source: bool = False
    period: str | None = None

    def __post_init__(self) -> None:
        where = f"outcome '{self.column}'"
        rules = as_kind(self.kind, where)
        if self.better not in ("high", "low", None):
            raise LinkError(
                "better= says which side of the outcome is favourable",
                where=where,
                expected="'high', 'low' or None",
                got=repr(self.better),
            )
        if self.levels is not None:
            object.__setattr__(self, "levels", tuple(self.levels))
        for part in ("base", "exposure", "levels", "percent"):
            if getattr(self, part) and part not in rules.parts:
                raise LinkError(
                    f"{part}= does not belong to an outcome of kind {self.kind}",
                    where=where,
                    expected=f"{part}= with kind "
                    + " or ".join(kind.name for kind in KINDS.values() if part in kind.parts),
                    hint=f"Leave out {part}=, or give the kind that fits.",
                )
        if rules.ordered and len(set(self.levels or ())) < 2:
            raise LinkError(
                "An ordinal outcome needs its levels in order, each once",
                where=where,
                hint="Give levels=(...), worst first.",
            )

    @property
    def rules(self) -> Kind:
        """What the outcome's kind declares."""
        return KINDS[self.kind]

    @property
    def title(self) -> str:
        """Name for people: the label, or the column's name in words."""
        return self.label or self.column.replace("_", " ")

    @property
    def said_in(self) -> tuple[float, str]:
        """Factor of differences of a linear kind in sentences, and the unit that follows them."""
        if self.unit.startswith(SHARE):
            return 100.0, POINTS
        if "%" in self.unit:
            return 1.0, POINTS
        return 1.0, f" {self.unit}" if 0 < len(self.unit) <= SHORT else ""

    def as_number(self) -> Outcome:
        """Return the outcome as a plain number, for models that take no other kind.

        Shares and counts stay as they stand in the column; levels are counted from 1, the worst, as if they
        lay equally far apart. Differences in it are those of a linear model.

        Examples
        --------
        >>> outcome("cqc_rating").as_number().title
        'CQC overall rating (from 1, Inadequate, to 4, Outstanding)'
        >>> outcome("leavers").as_number().kind
        'continuous'
        """
        levels, title = self.levels, self.title
        if levels:
            title = f"{title} (from 1, {levels[0]}, to {len(levels)}, {levels[-1]})"
        return replace(self, kind="continuous", label=title, base=None, exposure=None, percent=False)

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the panel this outcome needs."""
        return tuple(name for name in (self.column, self.base, self.exposure) if name)


def outcome(name: str, **changes: Any) -> Outcome:
    """Return an outcome of the catalogue by its id.

    Parameters
    ----------
    name : str
        Id, as the column `outcome` of `outcomes()` lists them.
    **changes
        Fields of `Outcome` that differ in your data, most often `column` (None is the catalogue's), `base` or
        `percent`.

    Returns
    -------
    Outcome
        As the catalogue declares it, with the changes.

    Raises
    ------
    UnknownNameError
        When the catalogue has no such outcome.
    LinkError
        When a change does not belong to the outcome's kind.

    Examples
    --------
    >>> outcome("shmi").better
    'low'
    >>> outcome("shmi", column="SHMI.Index").column
    'SHMI.Index'
    """
    known = declared()
    if name not in known:
        raise unknown("outcome", name, known)
    names = {field.name for field in fields(Outcome)}
    odd = sorted(set(changes) - names)
    if odd:
        raise unknown("field of an outcome", odd[0], sorted(names))
    if changes.get("column", "") is None:
        del changes["column"]
    return Outcome(**{k: v for k, v in known[name].items() if k in names} | changes)


def outcomes() -> pl.DataFrame:
    """List the outcomes of the catalogue.

    Returns
    -------
    polars.DataFrame
        One row per outcome: `outcome` (id), `label, kind, unit, better, base, exposure, period` as in
        `Outcome`, `published` (who publishes it, and as what), `to_know` (what a reader needs to know) and
        `unconfirmed` (what was not read in a public source; null when everything was).

    Examples
    --------
    >>> outcomes().filter(outcome="shmi")["kind"].item()
    'ratio'
    """
    columns = ("label", "kind", "unit", "better", "base", "exposure", "period", "published", "to_know")
    rows = [
        {"outcome": name, **{column: entry.get(column) for column in (*columns, "unconfirmed")}}
        for name, entry in declared().items()
    ]
    return pl.DataFrame(rows, schema=dict.fromkeys(("outcome", *columns, "unconfirmed"), pl.String))


@cache
def whole_organisation() -> tuple[str, ...]:
    """Return the spellings of a row that is the whole organisation, in a column of groups of staff."""
    text = files("data_schemas").joinpath("whole_organisation.yaml").read_text(encoding="utf-8")
    return tuple(yaml.safe_load(text))


@cache
def declared() -> Mapping[str, Mapping[str, Any]]:
    """Return what `data_schemas/outcomes` declares, by id."""
    folder = files("data_schemas").joinpath("outcomes")
    found = {
        item.name.removesuffix(".yaml"): yaml.safe_load(item.read_text(encoding="utf-8"))
        for item in folder.iterdir()
        if item.name.endswith(".yaml")
    }
    return MappingProxyType(dict(sorted(found.items())))
