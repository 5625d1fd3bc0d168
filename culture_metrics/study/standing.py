"""What a study shows of its organisation among others, or why it cannot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from culture_metrics.compare.beyond_profile import bright_spots
from culture_metrics.compare.mirror import Mirror, mirror
from culture_metrics.compare.oversight import Oversight, oversight
from culture_metrics.disclosure.ledger import write_ledger
from culture_metrics.errors import CultureMetricsError, ReportError, ResultsError
from culture_metrics.wording.several import Figures

if TYPE_CHECKING:
    from culture_metrics.study.study import Study


def oversight_of(study: Study) -> Oversight | str:
    """Return the oversight scores that rest on the survey, or why there are none."""
    try:
        return oversight(study.releases, study.organisation)
    except ResultsError as none:
        return f"No oversight score: {none.what}."


def over_time_of(study: Study, measure: str | None) -> Figures:
    """Draw a measure in the benchmark group over the years that the workbooks hold."""
    try:
        return Figures((study.benchmark().over_time(measure),), otherwise="")
    except ReportError as one:
        return Figures((), otherwise=f"{one.what}. {one.hint}")


def bright_spots_of(study: Study, measure: str | None, level: str) -> Figures:
    """Draw who is better than their profile predicts."""
    try:
        found = bright_spots(study.releases[0], measure, level=level)
    except ResultsError as few:
        return Figures((), otherwise=f"{few.what}. {few.hint}")
    return Figures((found.figure(), found), otherwise="")


def mirror_of(study: Study) -> Mirror | str:
    """Return the figures of the year from the own file beside those published."""
    own = next((e for e in study.extracts if e.period == study.year), None)
    if own is None or study.workbook is None:
        return "Official figures from the own file take a respondent file and an official workbook."
    study.suppressed  # noqa: B018  what may be shown is decided for all tables together
    least = study.rule.minimum_base
    try:
        found = mirror(own, study.published, organisation=study.organisation, minimum_base=least)
    except CultureMetricsError as error:
        return f"Official figures cannot be worked out from the file: {error.what.rstrip('.')}."
    if study.ledger:
        write_ledger(study.ledger, study.decided)
    return replace(found, names={study.organisation: study.name})
