"""Frameworks and programmes from the files of a study, or why they cannot be shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from culture_metrics.compare.before_after import BeforeAfter, before_after
from culture_metrics.compare.frameworks import framework, frameworks
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError, CultureMetricsError
from culture_metrics.wording.several import Figures

if TYPE_CHECKING:
    from collections.abc import Callable

    from culture_metrics.compare.pairs import Given
    from culture_metrics.study.study import Study


def read_framework(study: Study, which: str | None) -> Figures:
    """Read the results through a framework: published ones beside the benchmark group, then the own years.

    Parameters
    ----------
    study : Study
        The files.
    which : str, optional
        Id or file of a framework; the first of the package that the survey has when left out.

    Returns
    -------
    Figures
        Figures, findings, and what the framework asks that is not measured; or why there are none.
    """
    survey = study.edition.survey
    here = frameworks().table.filter(survey=survey.id)["framework"].to_list()
    if which is None and not here:
        return Figures(
            (),
            otherwise=f"No framework of the package is read with {survey.label}. One of your own is a text "
            "file.",
        )
    chosen = framework(which or ("people_promise" if "people_promise" in here else here[0]))
    if chosen.survey != survey.id:
        return Figures((), otherwise=f"{chosen.title} is not read with {survey.label}.")
    found = []
    if study.workbook is not None:
        found.append(_of_releases(study, lambda given: chosen.read(given, study.organisation)))
    if study.extracts:
        found.append(chosen.read(study.results, study.organisation))
    named = [replace(one, name=study.name) for one in found]
    shown = [part for one in named for part in (one.figure(), one)]
    return Figures((*shown, named[0].coverage()), otherwise="")


def follow_programme(study: Study, baseline: int | str | None, follow_up: int | str | None) -> Figures:
    """Set the years before and after a programme beside the benchmark group, or say why not."""
    held = {
        period
        for one in study.published
        for period in one.results.table.filter(organisation=study.organisation, breakdown=ALL)["period"]
    }
    periods = sorted(period for period in held if period <= study.year)
    if len(periods) < 2:
        return Figures(
            (),
            otherwise="A before and after takes published results of two years, best of one release; "
            f"the files hold {len(periods)}.",
        )
    first, last = baseline or periods[0], follow_up or periods[-1]

    def call(given: Given) -> BeforeAfter:
        return before_after(given, study.organisation, baseline=first, follow_up=last)

    try:
        found = _of_releases(study, call)
    except CultureMetricsError as error:
        return Figures((), otherwise=f"{error.what}.")
    if found.table["own"].null_count() == found.table.height:
        return Figures((found,), otherwise="")
    return Figures((found.figure(), found), otherwise="")


def _of_releases(study: Study, call: Callable[[Any], Any]) -> Any:
    """Call with all releases; where two of them hold the same year, with the newest alone."""
    try:
        return call(study.releases)
    except ComparabilityError:
        return call(study.workbook)
