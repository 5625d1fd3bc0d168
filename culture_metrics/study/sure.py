"""How sure scores are and what a change is made of, from the respondents of a study, or why not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from culture_metrics.catalogue import CROSS
from culture_metrics.compare.contributions import change_contributions
from culture_metrics.errors import CultureMetricsError
from culture_metrics.indicators.breakdowns import available_breakdowns, names_groups
from culture_metrics.measurement.agreement import agreement
from culture_metrics.wording.several import NO_GROUPS, Figures

if TYPE_CHECKING:
    from culture_metrics.study.study import Study


def agreement_of(study: Study) -> Figures:
    """Tell how reliably groups are told apart by the scores that stand first."""
    study.suppressed  # noqa: B018  what may be shown is decided for all tables together
    extract = next((e for e in study.extracts if e.period == study.year), study.extracts[-1])
    edition, here = extract.edition, available_breakdowns(extract)
    why = NO_GROUPS
    for name in (n for n in study.by if CROSS not in n and n in here and names_groups(extract, n)):
        labels = {measure: edition.measure(measure).label for measure in edition.leading}
        try:
            found = agreement(extract, [*labels], name, minimum_base=study.rule.minimum_base, labels=labels)
        except CultureMetricsError as error:
            why = f"How reliably groups are told apart cannot be said: {error.what.rstrip('.')}."
            continue
        found = replace(found, kind=study.words.get(name, name))
        return Figures((found.figure(), found), otherwise="")
    return Figures((), otherwise=why)


def steadier_maps(study: Study) -> Figures:
    """Draw, for each breakdown, what is left of the groups' scores once chance is allowed for."""
    results = study.results
    here = results.table.filter(period=study.year)["breakdown"].unique()
    maps = [
        results.heat_map(name, period=study.year, shrunk=True)
        for name in study.by
        if name in here and CROSS not in name
    ]
    return Figures(tuple(maps), otherwise=NO_GROUPS)


def contributions_of(study: Study, score: str | None) -> Figures:
    """Split the change of a score into what its questions add."""
    earlier, later = study.two_years()
    study.suppressed  # noqa: B018
    try:
        found = change_contributions(earlier, later, score, minimum_base=study.rule.minimum_base)
    except CultureMetricsError as error:
        return Figures((), otherwise=f"The change cannot be split into questions: {error.what.rstrip('.')}.")
    found = replace(found, organisation=study.name)
    return Figures((found.figure(), found), otherwise="")
