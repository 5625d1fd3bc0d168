"""What may be chosen of a study, and the figure that a choice gives: no screen knows more than this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics.catalogue import CROSS
from culture_metrics.compare.benchmark import benchmark
from culture_metrics.compare.peers import find_peers
from culture_metrics.errors import ReportError, unknown
from culture_metrics.study.subset import shown_groups

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.compare.benchmark import Benchmark
    from culture_metrics.study.study import Study
    from culture_metrics.study.subset import Subset

    Options = list[tuple[str, Any]]
    Chosen = Mapping[str, Any]

#: So many of the nearest peers are named.
NEAREST, ALIKE = 5, "nearest"
#: Controls of which several may be chosen, or none.
SEVERAL = ("peers",)
EVERYONE = "Everyone"


@dataclass(frozen=True)
class View:
    """A figure, what may be chosen of it, and how it is drawn."""

    controls: tuple[str, ...]
    draw: Callable[[Study, Chosen], go.Figure]


def view_of(name: str) -> View:
    """Return a view by its name."""
    if name not in VIEWS:
        raise unknown("view", name, [*VIEWS], where="study.explore")
    return VIEWS[name]


def options(study: Study, control: str) -> Options:
    """Return what a control offers: what is said, and what it stands for. The first is what the study has."""
    return OFFERED[control](study)


def _years(study: Study) -> Options:
    own = [e.period for e in study.extracts] or [p.period for p in study.published]
    return [(year, year) for year in sorted(set(own), key=lambda year: (year != study.year, year))]


def _releases(study: Study) -> Options:
    return [(p.period, p.period) for p in study.releases]


def _measures(study: Study) -> Options:
    edition = study.edition
    first = edition.default_score
    names = [first, *(name for name in edition.scores if name != first)]
    return [(edition.measure(name).label, name) for name in names]


def _percentages(study: Study) -> Options:
    edition = study.edition
    names = [edition.default_question, *edition.leading, *edition.percentages]
    return [(edition.measure(name).label, name) for name in dict.fromkeys(names)]


def _breakdowns(study: Study) -> Options:
    here = study.results.table["breakdown"].unique().to_list()
    names = [name for name in study.by if name in here and CROSS not in name]
    return [(study.edition.breakdown_label(name, study.words), name) for name in names]


def _subsets(study: Study) -> Options:
    """Offer everyone, and the groups that are shown: a hidden one cannot be told from none."""
    groups = shown_groups(study)
    label = study.edition.breakdown_label
    each = [
        (f"{label(name, study.words)}: {group}", (name, group)) for name in groups for group in groups[name]
    ]
    return [(EVERYONE, None), *each]


def _organisations(study: Study) -> Options:
    """Offer those that the workbook has a benchmark group for, the study's own first."""
    book = study.releases[0]
    known = book.organisations.filter(benchmark_group=_group(study)).sort("organisation")
    rows = known.select("organisation", "name").iter_rows()
    named = [(f"{name} ({code})" if name else code, code) for code, name in rows]
    return sorted(named, key=lambda one: (one[1] != study.organisation, one[1]))


def _group(study: Study) -> str:
    own = study.releases[0].organisations.filter(organisation=study.organisation)
    return str(own["benchmark_group"][0])


def _peers(study: Study) -> Options:
    """Offer the nearest together, then all others of the newest workbook, those of the own group first."""
    others = pl.col("benchmark_group") != _group(study)
    rows = study.releases[0].organisations.sort(others, "benchmark_group", "organisation", nulls_last=True)
    every = [
        (f"{name} ({code})" if name else code, code)
        for code, name in rows.select("organisation", "name").iter_rows()
        if code != study.organisation
    ]
    return [(f"The {NEAREST} most alike", ALIKE), *every]


def chosen_first(study: Study, control: str) -> tuple[Any, ...]:
    """Return what is chosen at first where several may be: the peers of study.yaml that are offered."""
    named = study.settings.peers if study.settings and control == "peers" else None
    known = {value for _, value in options(study, control)} if named else set()
    return tuple(code for code in named or () if code in known)


OFFERED: Mapping[str, Callable[[Study], Options]] = {
    "year": _years,
    "only": _subsets,
    "breakdown": _breakdowns,
    "measure": _measures,
    "figure": _percentages,
    "organisation": _organisations,
    "peers": _peers,
    "release": _releases,
}
#: What stands beside a control.
LABELS = {
    "year": "Year",
    "only": "Who",
    "breakdown": "Breakdown",
    "measure": "Score",
    "figure": "Measure",
    "organisation": "Organisation",
    "peers": "Peers",
    "release": "Year",
}


def _part(study: Study, chosen: Chosen) -> Study | Subset:
    """Return the study of the year that was chosen, or the part of it."""
    year = chosen.get("year") or study.year
    of_year = study if year == study.year else replace(study, year=year)
    if chosen.get("only") is None:
        return of_year
    breakdown, group = chosen["only"]
    if group not in shown_groups(of_year).get(breakdown, ()):
        raise _nothing(f"Nothing of {group} can be shown in {year}")
    return of_year.only(**{breakdown: group})


def _nothing(why: str) -> ReportError:
    return ReportError(why, where="study.explore", hint="Choose something else in one of the controls.")


def _map(study: Study, chosen: Chosen) -> go.Figure:
    """Draw a map, or say in the words of the controls why a choice leaves nothing to draw."""
    part, breakdown = _part(study, chosen), chosen["breakdown"]
    said = study.edition.breakdown_label(breakdown, study.words)
    own, group = chosen.get("only") or ("", "")
    if own == breakdown:
        raise _nothing(f"{group} is one group of {said}, so that it cannot be split by it")
    if part.results.table.filter(breakdown=breakdown, period=part.year).is_empty():
        whom = f"people of {group}" if group else "people"
        raise _nothing(f"There are no groups of {said} to show among the {whom} in {part.year}")
    return part.results.heat_map(breakdown, period=part.year)


def _standing(study: Study, chosen: Chosen) -> Benchmark:
    """Set the organisation that was chosen in its group, in the release that was chosen."""
    whom, peers = chosen["organisation"], [*chosen["peers"]]
    releases = [p for p in study.releases if p.period <= chosen["release"]]
    if ALIKE in peers:
        peers += find_peers(releases[0], whom, number=NEAREST).organisations
    named = [code for code in dict.fromkeys(peers) if code not in (whom, ALIKE)]
    return benchmark(releases, whom, peers=named or None)


VIEWS: Mapping[str, View] = {
    "scores": View(("year", "only"), lambda study, chosen: _part(study, chosen).scores()),
    "groups": View(("breakdown", "year", "only"), _map),
    "answers": View(
        ("measure", "year", "only"), lambda study, chosen: _part(study, chosen).answers(chosen["measure"])
    ),
    "changes": View(("only",), lambda study, chosen: _part(study, chosen).compare_years().figure()),
    "standing": View(
        ("organisation", "release", "peers"), lambda study, chosen: _standing(study, chosen).figure()
    ),
    "ranking": View(
        ("organisation", "figure", "release", "peers"),
        lambda study, chosen: _standing(study, chosen).ranking(chosen["figure"]),
    ),
}
