"""The quarterly pulse beside a study: run charts of a score, never set beside the annual level."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from culture_metrics.compare.pulse import FEWEST, run_chart
from culture_metrics.contract import ALL
from culture_metrics.extracts.read import read_extract
from culture_metrics.extracts.validate import validate
from culture_metrics.indicators.estimate import estimate
from culture_metrics.published import is_published, read_published
from culture_metrics.results import Results
from culture_metrics.synthetic import respondents
from culture_metrics.wording.several import Figures

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.published import Published
    from culture_metrics.study.study import Study

SURVEY = "national_quarterly_pulse"
#: The made-up pulse: enough quarters in a row that limits have settled, and so many people in each.
QUARTERS = tuple(f"{year}-{quarter}" for year in range(2022, 2027) for quarter in ("Q1", "Q2", "Q4"))
PEOPLE = 300


def pulse_charts(study: Study, files: str | Path | Sequence[str | Path], measure: str | None) -> Figures:
    """Chart a score of the organisation, and of England where it is published."""
    paths = [Path(path) for path in ([files] if isinstance(files, str | Path) else files)]
    if not paths and any(not e.provenance.get("synthetic") for e in study.sources):
        return Figures((), otherwise="No file of the quarterly pulse is named, so there is nothing to chart.")
    quarters = [_quarter(path, study) for path in paths] if paths else list(made_up())
    if len(quarters) < FEWEST:
        return Figures(
            (),
            otherwise=f"A run chart takes {FEWEST} quarters or more; {len(quarters)} are here. With so few, "
            "nobody can say what chance does.",
        )
    found = []
    for whom in (study.organisation, ALL):
        if any(whom in one.table["organisation"] for one in map(_results, quarters)):
            chart = run_chart(quarters, measure, organisation=whom)
            found += [chart.figure(), chart]
    return Figures(
        tuple(found), otherwise=f"The pulse files have no figure of {study.organisation} or of England."
    )


def _results(quarter: Published | Results) -> Results:
    return quarter if isinstance(quarter, Results) else quarter.results


def _quarter(path: Path, study: Study) -> Published | Results:
    """Read what is published of a quarter, or the answers of respondents."""
    if is_published(path):
        return read_published(path)
    extract = validate(read_extract(path, SURVEY, organisation=study.organisation)).extract
    return estimate(extract, minimum_base=study.rule.minimum_base)


@cache
def made_up() -> tuple[Results, ...]:
    """Make up fifteen quarters of an invented organisation, which differ by chance alone."""
    every = [respondents(q, respondents_per_organisation=PEOPLE, survey=SURVEY) for q in QUARTERS]
    return tuple(estimate(one) for one in every)
