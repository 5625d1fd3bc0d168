"""Figures of the notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics import views
from culture_metrics.compare.benchmark import benchmark
from culture_metrics.reporting.show.common import own_results, workbook
from culture_metrics.reporting.tables import answer_table, heat_map_table, score_table

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.catalogue import Edition
    from culture_metrics.compare.decomposition import ChangeDecomposition
    from culture_metrics.reporting.inputs import Inputs

OWN = "Respondent file, every respondent counted once"
PUBLISHED = "Published results"


@dataclass(frozen=True)
class Figures:
    """Figures and what is said of them, one beneath the other, or a sentence that says why there are none."""

    figures: tuple[go.Figure | ChangeDecomposition, ...]
    otherwise: str

    def _ipython_display_(self) -> None:
        from IPython.display import Markdown, display

        display(*(self.figures or [Markdown(self.otherwise)]))  # type: ignore[no-untyped-call]


def headline(data: Inputs) -> go.Figure:
    """Draw the People Promise elements and the themes, in the benchmark group where one is at hand.

    With respondent files the scores are theirs, with intervals; else they are the published ones.

    Examples
    --------
    >>> from culture_metrics import read_inputs
    >>> headline(read_inputs([])).layout.meta["suppressed"]
    0
    """
    of_the_year = data.standing if data.standing and data.standing.period == data.year else None
    standing = benchmark(of_the_year, data.organisation) if of_the_year else None
    table, source = standing.table if standing else None, PUBLISHED
    if data.extracts or table is None:
        table = score_table(own_results(data), data.edition, table)
        source = f"{OWN}; the benchmark group as published" if standing else OWN
    return views.scores(
        table.filter(pl.col("level").is_in(["element", "theme"])),
        title=f"{data.name}: the People Promise and its themes",
        subtitle=_when(data.edition) + (f". Benchmark group: {standing.group}" if standing else ""),
        source=source,
    )


def scores(data: Inputs) -> go.Figure:
    """Draw every score of the organisation from its respondent file, with 95% intervals."""
    return views.scores(
        score_table(own_results(data), data.edition),
        title=f"{data.name}: all scores",
        subtitle=_when(data.edition),
        source=OWN,
    )


def answers(data: Inputs, score: str) -> go.Figure:
    """Draw how the answers behind a score are spread, from the respondent file."""
    return _answers(data, data.distributions, score, data.edition, OWN)


def published_answers(data: Inputs, score: str) -> go.Figure:
    """Draw how the answers behind a score are spread, from the published workbook."""
    published = workbook(data)
    return _answers(data, published.distributions, score, published.edition, PUBLISHED)


def heat_maps(data: Inputs) -> Figures:
    """Draw the elements and themes of every group of staff: one map for each breakdown."""
    measures = [k for k, m in data.edition.scores.items() if m.level in ("element", "theme")]
    return Figures(
        tuple(_heat_map(data, breakdown, measures) for breakdown in data.by),
        otherwise="The files have no column for occupation or directorate, so there are no groups to show.",
    )


def _heat_map(data: Inputs, breakdown: str, measures: list[str]) -> go.Figure:
    known = data.edition.breakdowns.get(breakdown)
    label = known.label if known else breakdown
    return views.heat_map(
        heat_map_table(own_results(data), data.edition, breakdown, measures),
        title=f"{data.name}: by {label[0].lower()}{label[1:]}",
        subtitle=_when(data.edition),
        source=OWN,
    )


def _answers(
    data: Inputs, distributions: pl.DataFrame, score: str, edition: Edition, source: str
) -> go.Figure:
    own = distributions.filter(organisation=data.organisation, period=edition.period)
    measure = edition.measure(score)
    return views.distribution(
        answer_table(own, edition, measure.items),
        title=f"{data.name}: answers to the questions of {measure.label.lower()}",
        subtitle=_when(edition),
        source=source,
    )


def _when(edition: Edition) -> str:
    return f"{edition.survey.label}, {edition.period}"
