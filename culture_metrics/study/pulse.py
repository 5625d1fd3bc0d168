"""The quarterly pulse of a study: run charts of its scores, never set beside the annual level."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.pulse import FEWEST, RunChart, run_chart
from culture_metrics.compare.pulse_words import unmoved
from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError
from culture_metrics.extracts.read import read_extract
from culture_metrics.extracts.validate import validate
from culture_metrics.indicators.estimate import estimate
from culture_metrics.published import is_published, read_published
from culture_metrics.synthetic import respondents
from culture_metrics.wording.numbers import several
from culture_metrics.wording.several import Figures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from culture_metrics.study.study import Study

SURVEY = "national_quarterly_pulse"
#: The made-up pulse: enough quarters in a row that limits have settled, and so many people in each.
QUARTERS = tuple(f"{year}-{quarter}" for year in range(2022, 2027) for quarter in ("Q1", "Q2", "Q4"))
PEOPLE = 300
FEW = (
    f"A run chart takes {FEWEST} quarters or more with a figure; {{}} here. With so few, nobody can say what "
    "chance does."
)


def pulse_charts(
    study: Study, files: str | Path | Sequence[str | Path], measure: str | None, *, others: bool = False
) -> Figures:
    """Chart a score of the organisation, and of England where it is published; or all other scores."""
    paths = [Path(path) for path in ([files] if isinstance(files, str | Path) else files)]
    made_up_ = any(e.provenance.get("synthetic") for e in study.sources)
    if paths:
        quarters = [_quarter(path, study) for path in paths]
    elif study.of_quarters is not None:
        quarters = [*quarters_of(study.of_quarters)]
    elif made_up_:
        quarters = [*made_up()]
    else:
        why = f": {study.no_quarters}" if study.no_quarters else ""
        said = f"There is no file of a quarterly pulse, so there is nothing to chart{why}."
        return Figures((), otherwise=said)
    charts = [*_charts(study, quarters, measure, others=others)]
    if others:  # what moved stands first: a board sees the first ones
        charts.sort(key=lambda chart: chart.finding is None)
    if charts:
        return Figures(tuple(one for chart in charts for one in (chart.figure(), chart)), otherwise="")
    return Figures((), otherwise=_why_none(study, quarters))


def _charts(
    study: Study, quarters: Sequence[pl.DataFrame], measure: str | None, *, others: bool
) -> Iterator[RunChart]:
    """Chart one measure of the organisation and of England, or all other scores of the organisation."""
    if not quarters:
        return
    table = pl.concat(quarters)
    edition = catalogue(str(table["survey"][0])).edition(str(table["period"].max()))
    first = edition.measure(measure or edition.headline).id
    wanted = [(first, study.organisation), (first, ALL)]
    if others:
        wanted = [(name, study.organisation) for name in edition.scores if name != first]
    for name, whom in wanted:
        if whom not in table["organisation"]:
            continue
        try:
            chart = run_chart(table, name, organisation=whom)
        except ResultsError:
            continue  # fewer quarters than a run chart takes
        yield replace(chart, name=study.name if whom == study.organisation else "")


def _why_none(study: Study, quarters: Sequence[pl.DataFrame]) -> str:
    """Say why there is no chart: nobody, or too few quarters."""
    table = pl.concat(quarters) if quarters else None
    whole = pl.col("organisation").is_in([study.organisation, ALL]) & (pl.col("breakdown") == ALL)
    if table is None or table.filter(whole).is_empty():
        return f"The pulse files have no figure of {study.organisation} or of England."
    known = table.filter(whole).drop_nulls("estimate")["period"].n_unique()
    return FEW.format(f"{several(known, 'quarter')} {'is' if known == 1 else 'are'}")


def quarters_of(of: Study) -> Iterator[pl.DataFrame]:
    """Return what may be seen of a study of quarters, as published and from respondent files.

    Nothing is weighted in either, so that they stand in one row. Of a quarter that both have, the own file
    counts.
    """
    own = of.results.table.filter(breakdown=ALL)
    yield own
    mine = pl.struct("period", "organisation").is_in(
        own.select(pl.struct("period", "organisation")).to_series().implode()
    )
    for published in of.published:
        rows = published.results.table.filter(breakdown=ALL)
        yield rows.filter(~mine) if own.height else rows


def charts_of(study: Study) -> tuple[RunChart, ...]:
    """Return the run charts of every score of the pulse that has enough quarters, the headline first."""
    of = study.of_quarters
    if of is None:
        return ()
    tables = [*quarters_of(of)]
    found = [*_charts(study, tables, None, others=False), *_charts(study, tables, None, others=True)]
    return tuple(chart for chart in found if chart.organisation == study.organisation)


def why_no_pulse(study: Study) -> str:
    """Return why the report has no chapter on the pulse; empty where it has one."""
    if study.of_quarters is None:
        return study.no_quarters or "no file of a quarterly pulse was given"
    if study.charts:
        return ""
    said = _why_none(study, [*quarters_of(study.of_quarters)])
    return f"{said[:1].lower()}{said[1:].removesuffix('.')}"


def what_moved(study: Study) -> Iterator[str]:
    """Say what moved beyond chance and since when, score by score, the headline first; then what did not."""
    if study.of_quarters is None:
        return
    if not study.charts:
        yield _why_none(study, [*quarters_of(study.of_quarters)])
        return
    label = f"In the {catalogue(study.charts[0].survey).label}, apart from the annual survey: "
    lead = "" if study.of_quarters is study else label
    quiet = [c for c in study.charts if c.finding is None and c.table["limit_low"][0] is not None]
    for chart in study.charts:
        if chart.finding is not None:
            said = chart.finding
            yield f"{lead}{said[:1].lower()}{said[1:]}" if lead else said
            lead = ""
    if quiet:
        said = unmoved([c.label for c in quiet], quiet[0].table)
        yield f"{lead}{said[:1].lower()}{said[1:]}" if lead else said
    flat = [c for c in study.charts if c.finding is None and c.table["limit_low"][0] is None]
    if flat and len(flat) == len(study.charts):
        yield flat[0].unmoved


def _quarter(path: Path, study: Study) -> pl.DataFrame:
    """Read what is published of a quarter, or the answers of respondents."""
    if is_published(path):
        return read_published(path).results.table
    extract = validate(read_extract(path, SURVEY, organisation=study.organisation)).extract
    return estimate(extract, minimum_base=study.rule.minimum_base).table


@cache
def made_up() -> tuple[pl.DataFrame, ...]:
    """Make up fifteen quarters of an invented organisation, which differ by chance alone."""
    every = [respondents(q, respondents_per_organisation=PEOPLE, survey=SURVEY) for q in QUARTERS]
    return tuple(estimate(one).table for one in every)
