"""Official layouts, read from data: names of columns, breakdowns and groups exactly as printed, and marks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl
import yaml

from culture_metrics.catalogue.load import LOADER
from culture_metrics.published.match import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from culture_metrics.catalogue import Breakdown, Edition, Question

#: Short texts that name no other survey than this one when they stand near its name.
_OTHER = r"(?!.{0,30}\b(?:bank|wales|scotland)\b)"
#: What an ODS code looks like: three letters or digits, or more with a digit among them; or several, slashed.
_CODE = r"^(?:[A-Z0-9]{3}|[A-Z]*[0-9][A-Z0-9]*)(?:/[A-Z0-9]{3,})*$"
_LONGEST_CODE = 6


@dataclass(frozen=True)
class Printed:
    """A breakdown as printed (`text`): the id it stands for, and what the catalogue calls its groups."""

    id: str
    groups: Mapping[str, str]
    text: str = ""


@dataclass(frozen=True)
class Layout:
    """One kind of official file; see data_schemas/README.md for what its file may say."""

    id: str
    label: str
    titles: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    required: frozenset[str]
    suppressed: tuple[str, ...]
    weightings: Mapping[str, str]
    set_aside: frozenset[str]
    set_aside_words: tuple[str, ...]
    benchmark_groups: Mapping[str, str]
    regions: frozenset[str]
    quirks: Mapping[str, Any]
    options: Mapping[str, Mapping[str, str]]
    all_staff: frozenset[str]
    breakdowns: Mapping[str, Printed]
    all_organisations: frozenset[str]
    sheets: Mapping[str, str]
    org_types: Mapping[int, str]
    beside: tuple[Mapping[str, str], ...]
    whole: frozenset[str]
    comparators: frozenset[str]

    @property
    def headers(self) -> dict[str, str]:
        """The header of an id column, without case and punctuation -> our name for it."""
        return {normalise(text): ours for ours, texts in self.columns.items() for text in texts}

    def years(self, text: str) -> list[str]:
        """Return the years that titles of this survey name in a text.

        Examples
        --------
        >>> layout("organisation").years("2025 NHS Staff Survey - WEIGHTED Results")
        ['2025']
        """
        return [found for title in self.titles for found in _title(title).findall(text)]

    def is_aside(self, cell: pl.Expr) -> pl.Expr:
        """Whether a cell names a total, an average or a comparator."""
        return cell.str.strip_chars().str.to_lowercase().is_in(sorted(self.set_aside))

    def is_like_aside(self, cell: pl.Expr) -> pl.Expr:
        """Whether a cell has a word of totals, averages or comparators in it, such as 'Benchmark median'.

        A trust may have such a word in its name: it says something only where nothing else names the row.
        """
        return cell.str.contains(rf"(?i)\b(?:{'|'.join(self.set_aside_words)})\b")


def is_code(cell: pl.Expr) -> pl.Expr:
    """Whether a cell has the form of an ODS code, or of several joined by slashes; a number is none."""
    plain = cell.str.strip_chars()
    each = plain.str.split("/").list.eval(pl.element().str.len_chars() <= _LONGEST_CODE).list.all()
    return plain.str.contains(_CODE) & plain.str.contains("[A-Z]") & each & (plain.str.len_chars() >= 3)


def options_of(question: Question, labels: Mapping[int, str]) -> dict[str, int]:
    """Return the response options of a question by every spelling that official files print."""
    known = {normalise(label): code for code, label in labels.items()}
    printed = layout("organisation").options.get(question.id, {})
    return {
        **known,
        **{normalise(t): known[normalise(o)] for t, o in printed.items() if normalise(o) in known},
    }


def printed_breakdown(edition: Edition, text: str) -> Printed | None:
    """Return what a breakdown stands for, as printed or by one name of the catalogue alone; else None."""
    folded = normalise(text)
    found = layout("national").breakdowns.get(folded)
    if found is not None and found.id in edition.breakdowns:
        return found
    named = [b.id for b in edition.breakdowns.values() if folded in map(normalise, (b.id, b.label, *b.names))]
    return Printed(named[0], {}) if len(named) == 1 else None


def groups_of(breakdown: Breakdown, edition: Edition, printed: Mapping[str, str]) -> dict[str, str]:
    """Return the groups of a breakdown by every spelling: of the catalogue, of its answers, as printed."""
    known = {normalise(name): name for name in breakdown.groups}
    if breakdown.question is not None:
        labels = edition.questions[breakdown.question].scale.labels
        for name, codes in breakdown.groups.items():
            if len(codes) == 1:
                known.setdefault(normalise(labels[codes[0]]), name)
    return {**known, **{normalise(text): name for text, name in printed.items() if name in breakdown.groups}}


@cache
def layout(name: str) -> Layout:
    """Return an official layout: `organisation`, `national`, `organisation_type`, `benchmark`."""
    said = _said(name)
    options = {q: dict(texts) for q, texts in said.get("options", {}).items()}
    breakdowns = {
        normalise(text): Printed(
            spec["id"], {**options.get(spec.get("printed_as", ""), {}), **spec.get("groups", {})}, text
        )
        for text, spec in said.get("breakdowns", {}).items()
    }
    return Layout(
        id=name,
        label=said["label"],
        titles=tuple(said.get("titles", ())),
        columns=MappingProxyType({ours: tuple(texts) for ours, texts in said["columns"].items()}),
        required=frozenset(said.get("required", ())),
        suppressed=tuple(said["marks"]["suppressed"]),
        weightings=MappingProxyType({normalise(t): w for t, w in said.get("weightings", {}).items()}),
        set_aside=_folded(said.get("set_aside", ())),
        set_aside_words=tuple(said.get("set_aside_words", ())),
        benchmark_groups=MappingProxyType(said.get("benchmark_groups", {})),
        regions=_folded(said.get("regions", ())),
        quirks=MappingProxyType(said.get("quirks", {})),
        options=MappingProxyType(options),
        all_staff=_folded(said.get("all_staff", ())),
        breakdowns=MappingProxyType(breakdowns),
        all_organisations=_folded(said.get("all_organisations", ())),
        sheets=MappingProxyType(said.get("sheets", {})),
        org_types=MappingProxyType(said.get("org_types", {})),
        beside=tuple(said.get("beside", ())),
        whole=_folded(said.get("whole", ())),
        comparators=_folded(said.get("comparators", ())),
    )


def layout_files() -> dict[str, Any]:
    """Return every layout of the package as it stands in its file, by survey and name."""
    found = {}
    for survey in files("data_schemas").iterdir():
        folder = survey.joinpath("layouts")
        if folder.is_dir():
            for path in folder.iterdir():
                text = path.read_text(encoding="utf-8")
                found[f"{survey.name}/{path.name.removesuffix('.yaml')}"] = yaml.load(text, Loader=LOADER)
    return found


def _said(name: str) -> dict[str, Any]:
    """Return what the file of a layout says, on top of the layout that it is like."""
    said: dict[str, Any] = _files()[name]
    return {**_said(said["as"]), **said} if "as" in said else said


@cache
def _files() -> dict[str, Any]:
    return {place.rpartition("/")[2]: said for place, said in layout_files().items()}


def _folded(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(text.casefold() for text in texts)


@cache
def _title(title: str) -> re.Pattern[str]:
    words = r"\s+".join(r"(20\d\d)" if word == "{year}" else re.escape(word) for word in title.split())
    return re.compile(rf"\b{words}\b{_OTHER}", re.IGNORECASE)
