"""Groups of staff side by side, of a study: the equality standards over its years, and strata."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from culture_metrics.compare.equality import equality_gaps
from culture_metrics.compare.equality_standards import equality_of
from culture_metrics.compare.maihda import intersections
from culture_metrics.disclosure.ledger import write_ledger
from culture_metrics.errors import CultureMetricsError, CultureMetricsWarning
from culture_metrics.indicators.estimate import estimate
from culture_metrics.results.suppress import suppress
from culture_metrics.study.released import gap_breakdowns
from culture_metrics.wording.several import Figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culture_metrics.compare.gaps import EqualityGaps
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.results import Results
    from culture_metrics.study.study import Study


def gaps_of(study: Study) -> EqualityGaps:
    """Take the gaps of the standards and of what leads beside; of the study's breakdowns without either.

    Their groups are decided together with all that the study shows (`Released.suppressed`): one release,
    which the ledger keeps and which is attacked as a whole. An indicator of two questions takes no decision
    of its own, as it is shown only where both questions are: a sum of its cells that singled out a few people
    would single out those of them who answered the first question, or the second, in cells of that question,
    and these were decided and attacked.
    """
    study.suppressed  # noqa: B018  what may be shown is decided for all tables together
    said = equality_of(study.edition.survey.id)
    wanted = [*(s.breakdown for s in said.standards), *said.leading] or [*study.by]
    here = {name for extract in study.extracts for name in (*gap_breakdowns(extract), *study.by)}
    by = [name for name in wanted if name in here] if study.extracts else wanted
    with _decided_before():
        found = equality_gaps(
            [_shown(study, extract, by) for extract in study.extracts] or study.published,
            by,
            organisation=study.organisation,
            published=study.published,
            minimum_base=study.rule.minimum_base,
        )
    keep(study)
    return replace(found, names={**found.names, **study.words, study.organisation: study.name})


def strata_of(study: Study, measure: str | None) -> Figures:
    """Draw the strata of the last year, or say why they are not shown.

    They are decided after everything else, so that no group is hidden for their sake.
    """
    study.suppressed  # noqa: B018
    extract, by = study.extracts[-1], equality_of(study.edition.survey.id).crossed
    try:
        with _decided_before():
            given = _shown(study, extract, [by]) if by else extract
            chosen = measure or study.edition.headline
            found = intersections(given, chosen, by, minimum_base=study.rule.minimum_base)
    except CultureMetricsError as error:
        return Figures((), otherwise=f"Strata are not shown: {error.what}.")
    keep(study)
    named = replace(found, names={**found.names, study.organisation: study.name})
    return Figures((named.figure(), named), otherwise="")


@contextmanager
def _decided_before() -> Iterator[None]:
    """Keep quiet of what cannot be shown: a study decides first, and its gaps count what is not there."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Beside what was shown", CultureMetricsWarning)
        yield


def keep(study: Study) -> None:
    """Keep what was decided in the ledger of the study, where it has one."""
    if study.ledger:
        write_ledger(study.ledger, study.decided)


def _shown(study: Study, extract: Extract, by: Sequence[str | Sequence[str]]) -> Extract | Results:
    """Return the extract; its results where percentages may not count fewer than some."""
    if not study.rule.minimum_count:
        return extract
    least = study.rule.minimum_base
    results = estimate(extract, by=by, minimum_base=least)
    fewer = suppress(results, least, minimum_count=study.rule.minimum_count)
    return replace(results, table=fewer.table)
