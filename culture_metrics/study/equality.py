"""Groups of staff side by side, of a study: the equality standards over its years, and strata."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from culture_metrics.compare.equality import equality_gaps
from culture_metrics.compare.equality_standards import equality_of
from culture_metrics.compare.maihda import intersections
from culture_metrics.disclosure.ledger import write_ledger
from culture_metrics.errors import CultureMetricsError, CultureMetricsWarning, ResultsError
from culture_metrics.indicators.breakdowns import available_breakdowns
from culture_metrics.indicators.estimate import estimate
from culture_metrics.results.suppress import suppress
from culture_metrics.wording.several import NOT_COUNTED, Figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culture_metrics.compare.gaps import EqualityGaps
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.results import Results
    from culture_metrics.study.study import Study

#: Why a study shows no gaps, where an attack says so.
REFUSED = "No gap between groups may be shown beside the other results"


def gaps_of(study: Study) -> EqualityGaps:
    """Take the gaps of the standards and of what leads beside; of the study's breakdowns without either.

    They are one release with all that the study shows: decided after it, kept in the ledger, and attacked
    together with it. Where anything follows about few people, the standards alone are tried, then no gap is
    shown and the decision is undone. An indicator of two questions takes no decision of its own, as it is
    shown only where both questions are: a sum of its cells that singled out a few people would single out
    those of them who answered the first question, or the second, in cells of that question.

    Raises
    ------
    ResultsError
        When there are no two groups, no gap may be shown beside the other results, or the survey is one of
        quarters.
    """
    if study.edition.survey.cycle != "year":
        raise ResultsError("Gaps between groups of staff are shown of annual surveys", where="equality_gaps")
    study.suppressed  # noqa: B018  what the study shows is decided first: no group is hidden for a gap's sake
    said = equality_of(study.edition.survey.id)
    standards = [s.breakdown for s in said.standards]
    wanted = [*standards, *said.leading] or [*study.by]
    if not study.extracts:
        return _taken(study, wanted)
    here = {name for extract in study.extracts for name in available_breakdowns(extract)}
    tries = ([n for n in names if n in here] for names in (wanted, standards))
    for by in dict.fromkeys(tuple(names) for names in tries):
        with _withdrawn_if_open(study) as fate:
            found = _taken(study, by)
        if not fate.open:
            return found
    raise ResultsError(REFUSED, where="equality_gaps", got="small groups would follow")


def _taken(study: Study, by: Sequence[str]) -> EqualityGaps:
    found = equality_gaps(
        [_shown(study, extract, by) for extract in study.extracts] or study.published,
        by,
        organisation=study.organisation,
        published=study.published,
        minimum_base=study.rule.minimum_base,
    )
    return replace(found, names={**found.names, **study.words, study.organisation: study.name})


def strata_of(study: Study, measure: str | None) -> Figures:
    """Draw the strata of the last year, or say why they are not shown.

    They are decided last, and withdrawn where anything follows of them about few people.
    """
    study.suppressed  # noqa: B018
    extract, by = study.extracts[-1], equality_of(study.edition.survey.id).crossed
    chosen = measure or study.edition.headline
    if study.rule.minimum_count and study.edition.measure(chosen).unit == "percent":
        return Figures((), otherwise=NOT_COUNTED.format("Strata of a percentage are not shown"))
    try:
        with _withdrawn_if_open(study) as fate:
            given = _shown(study, extract, [by]) if by else extract
            found = intersections(given, chosen, by, minimum_base=study.rule.minimum_base)
    except CultureMetricsError as error:
        return Figures((), otherwise=f"Strata are not shown: {error.what}.")
    if fate.open:
        return Figures(
            (), otherwise="Strata are not shown: small groups would follow beside the other results."
        )
    named = replace(found, names={**found.names, study.organisation: study.name})
    return Figures((named.figure(), named), otherwise="")


@dataclass
class _Fate:
    """Whether anything follows about few people from what was decided."""

    open: bool = False


@contextmanager
def _withdrawn_if_open(study: Study) -> Iterator[_Fate]:
    """Attack what is decided within together with all before; undo it where that succeeds, else keep it.

    Breakdowns of which nothing can be shown beside what is are no news: gaps and strata count them.
    """
    fate, before = _Fate(), [len(extract.decision.calls) for extract in study.extracts]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Beside what was shown", CultureMetricsWarning)
        yield fate
    if before == [len(extract.decision.calls) for extract in study.extracts]:
        return
    if opened := study.attacked()[1]:
        made = [[*extract.decision.calls] for extract in study.extracts]
        for extract, calls in zip(study.extracts, before, strict=True):
            del extract.decision.calls[calls:]
        fate.open = opened > study.attacked()[1]
        if not fate.open:
            for extract, all_ in zip(study.extracts, made, strict=True):
                extract.decision.calls[:] = all_
    if study.ledger and not fate.open:
        write_ledger(study.ledger, study.decided)


def _shown(study: Study, extract: Extract, by: Sequence[str | Sequence[str]]) -> Extract | Results:
    """Return the extract; its results where percentages may not count fewer than some."""
    if not study.rule.minimum_count:
        return extract
    least = study.rule.minimum_base
    results = estimate(extract, by=by, minimum_base=least)
    fewer = suppress(results, least, minimum_count=study.rule.minimum_count)
    return replace(results, table=fewer.table)
