"""Which parts get a page, and what lies in them: read from the data and from what study.yaml says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.contract import ALL
from culture_metrics.errors import ReportError
from culture_metrics.extracts.columns import breakdown_of
from culture_metrics.indicators.breakdowns import (
    available_breakdowns,
    group_columns,
    names_groups,
    parents,
)
from culture_metrics.study.rules import breakdowns_of
from culture_metrics.wording.numbers import several
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.study.study import Study


@dataclass(frozen=True)
class Chosen:
    """The breakdown whose groups get a page, and the one whose groups lie in them.

    Attributes
    ----------
    breakdown, label : str
        Id, and what the trust calls it.
    inner, inner_label : str, optional
        The same of the breakdown inside; None where none is.
    lies : polars.DataFrame
        `group, parent`: the groups of the inner breakdown, each in the part that most of its people are in;
        `also` names the other parts where as many of them are as may be told of, and is null elsewhere.
    """

    breakdown: str
    label: str
    inner: str | None
    inner_label: str | None
    lies: pl.DataFrame


def choose(study: Study, for_each: str | Sequence[str]) -> tuple[Study, Chosen]:
    """Return the study with all that the pages show, so that it is decided together, and what they are of.

    Raises
    ------
    ReportError
        When there is no respondent file of the year, or the whole organisation is asked for.
    UnknownNameError
        When there is no such breakdown; says which there are.
    """
    own = next((e for e in study.extracts if e.period == study.year), None)
    if own is None:
        raise ReportError(
            f"Pages for parts of {study.name} take a respondent file of {period_words(study.year)}",
            got="official workbooks only" if study.published else "none of that year",
            hint="Published results have no directorates: add the respondent file to the inputs.",
        )
    if for_each == ALL:
        raise ReportError(
            "Pages are made for the groups of a breakdown, and this is the whole organisation",
            hint="Name a breakdown, such as Directorate.",
        )
    (breakdown,) = breakdowns_of([own], [for_each], ())
    inner, lies = _inside(study, own, breakdown)
    wanted = [*study.by, breakdown, *([inner] if inner else [])]
    label = study.edition.breakdown_label
    return replace(study, by=tuple(dict.fromkeys(wanted))), Chosen(
        breakdown,
        label(breakdown, study.words),
        inner,
        label(inner, study.words) if inner else None,
        lies,
    )


def keep_pages(study: Study, chosen: Chosen) -> None:
    """Have other groups hidden rather than those that get a page, where either would do.

    As a rule the fewest are hidden: where each care group has two directorates and a few people who are in
    neither, one directorate of each would have no page, that all care groups are shown.
    """
    for extract in study.extracts:
        extract.decision.kept = frozenset({chosen.breakdown})


def _inside(study: Study, own: Extract, breakdown: str) -> tuple[str | None, pl.DataFrame]:
    """Find the breakdown right beneath one: of those whose groups lie in its groups, the one of fewest."""
    nothing = pl.DataFrame(schema=dict.fromkeys(("group", "parent", "also"), pl.String))
    if CROSS in breakdown:
        return None, nothing
    names = [
        name
        for name in available_breakdowns(own)
        if name != breakdown and own.frame.schema.get(name) == pl.String and names_groups(own, name)
    ]
    told = _told(study, own, breakdown)
    found: list[tuple[int, str, pl.DataFrame]] = []
    for name in names:
        nested = parents(own, {breakdown: (breakdown,), name: (name,)})
        strict = nested is not None and nested.filter(breakdown=name, parent_breakdown=breakdown).height
        if strict or name in told:
            lies = _lies(own, breakdown, name, study.rule.minimum_base)
            if lies["group"].n_unique() > lies["parent"].n_unique():
                found.append((lies.height, name, lies))
    if not found:
        return None, nothing
    _, name, lies = min(found, key=lambda one: one[:2])
    return name, lies


def _told(study: Study, own: Extract, breakdown: str) -> set[str]:
    """Return the breakdowns that study.yaml says lie in this one, with exceptions maybe."""
    if study.settings is None:
        return set()
    known = {
        breakdown_of(word, own.edition): {breakdown_of(name, own.edition) for name in nest.within}
        for word, nest in study.settings.nesting.items()
    }
    return {name for name, within in known.items() if breakdown in within}


def _lies(own: Extract, breakdown: str, inner: str, least: int) -> pl.DataFrame:
    """Put each group into the part that most of its people are in, as far as both are known.

    Few people elsewhere are not spoken of: that would tell of them.
    """
    columns = group_columns(own, [breakdown, inner])
    pairs = (
        own.frame.select(parent=columns[breakdown].cast(pl.String), group=columns[inner].cast(pl.String))
        .drop_nulls()
        .group_by("group", "parent")
        .len("n")
        .sort("group", "n", "parent", descending=[False, True, False])
    )
    others = pl.col("parent").slice(1).filter(pl.col("n").slice(1) >= least).sort()
    return (
        pairs.group_by("group", maintain_order=True)
        .agg(pl.col("parent").first(), also=others.str.join(", "))
        .with_columns(pl.col("also").replace("", None))
        .sort("parent", "group")
    )


def plural(label: str) -> str:
    """Return what several groups of a breakdown are called in a sentence, as far as its name lets one say.

    Examples
    --------
    >>> plural("Directorate"), plural("Specialty"), plural("Staff Group (ESR)")
    ('directorates', 'specialties', 'groups of Staff Group (ESR)')
    """
    if not label.replace(" ", "").isalpha() or not label.isascii():
        return f"groups of {label}"
    word = label.lower() if label == label.capitalize() else label
    if word[-1:] == "s":
        return f"groups of {label}"
    return f"{word[:-1]}ies" if word[-1:] == "y" and word[-2:-1] not in "aeiou" else f"{word}s"


def number_of(number: int, label: str) -> str:
    """Say how many groups of a breakdown there are.

    Examples
    --------
    >>> number_of(1, "Directorate"), number_of(3, "Directorate"), number_of(1, "Staff Group (ESR)")
    ('1 directorate', '3 directorates', '1 group of Staff Group (ESR)')
    """
    many = plural(label)
    if number != 1:
        return f"{number:,} {many}"
    if many.startswith("groups of "):
        return f"{several(1, 'group')}{many.removeprefix('groups')}"
    return f"1 {label.lower() if label == label.capitalize() else label}"
