"""Figures of the notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from culture_metrics import views
from culture_metrics.compare.benchmark import benchmark, beside_median
from culture_metrics.compare.words import weighed
from culture_metrics.reporting.show.common import answered, own_results, workbook
from culture_metrics.reporting.tables import answer_table, heat_map_table, score_table
from culture_metrics.results import ALL
from culture_metrics.views.labels import at_the_end, several, shown

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.catalogue import Edition
    from culture_metrics.compare.decomposition import ChangeDecomposition
    from culture_metrics.reporting.inputs import Inputs

OWN = "Respondent file, every respondent counted once"
PUBLISHED = "Published results"
#: Said in place of figures of groups.
NO_GROUPS = "The files have no column that puts people into groups, so there are no groups to show."


@dataclass(frozen=True)
class Figures:
    """Figures and what is said of them, one beneath the other, or a sentence that says why there are none."""

    figures: tuple[go.Figure | ChangeDecomposition, ...]
    otherwise: str

    def _ipython_display_(self) -> None:
        from IPython.display import Markdown, display

        display(*(self.figures or [Markdown(self.otherwise)]))  # type: ignore[no-untyped-call]


def headline(data: Inputs) -> go.Figure:
    """Draw the leading scores (elements and themes), in the benchmark group where one is at hand.

    In a group the scores are the published ones, weighted like those of the group. Without a workbook of the
    year they are those of the respondent file, with intervals.

    Examples
    --------
    >>> from culture_metrics import read_inputs
    >>> headline(read_inputs([])).layout.meta["suppressed"]
    0
    """
    of_the_year = data.standing if data.standing and data.standing.period == data.year else None
    standing = benchmark(of_the_year, data.organisation) if of_the_year else None
    table = standing.table if standing else score_table(own_results(data), data.edition)
    table = table.filter(pl.col("level").is_in(data.edition.survey.leading))
    seen = beside_median(table, standing.group) if standing else reach(table)
    return views.scores(
        table,
        title=f"{data.name}: {seen}",
        subtitle=_when(data.edition) + (f". Benchmark group: {standing.group}" if standing else ""),
        source=standing.source(table["measure"]) if standing else OWN,
        **_scale(data.edition),
    )


def scores(data: Inputs) -> go.Figure:
    """Draw every score of the organisation from its respondent file, with 95% intervals."""
    table = score_table(own_results(data), data.edition)
    return views.scores(
        table,
        title=f"{data.name}: {reach(table)}",
        subtitle=_when(data.edition),
        source=OWN,
        **_scale(data.edition),
    )


def answers(data: Inputs, score: str | None = None) -> go.Figure:
    """Draw how the answers behind a score are spread, from the respondent file; the survey's choice of it."""
    return _answers(data, answered(data).distributions, score, data.edition, "Respondent file")


def published_answers(data: Inputs, score: str | None = None) -> go.Figure:
    """Draw how the answers behind a score are spread, from the published workbook."""
    published = workbook(data)
    return _answers(data, published.distributions, score, published.edition, PUBLISHED)


def heat_maps(data: Inputs) -> Figures:
    """Draw the leading scores of every group of staff: one map for each breakdown."""
    measures = [*data.edition.leading]
    own = own_results(data)
    tables = {name: heat_map_table(own, data.edition, name, measures) for name in data.by}
    limit = views.colour_limit(pl.concat(tables.values())) if tables else None
    return Figures(
        tuple(_heat_map(table, data, name, limit) for name, table in tables.items()),
        otherwise=NO_GROUPS,
    )


def _heat_map(table: pl.DataFrame, data: Inputs, breakdown: str, limit: float | None) -> go.Figure:
    known = data.edition.breakdowns.get(breakdown)
    label = known.label if known else breakdown
    return views.heat_map(
        table,
        title=f"{data.name}, by {label[0].lower()}{label[1:]}: {_apart(table)}",
        subtitle=_when(data.edition),
        source=OWN,
        limit=limit,
        scale=data.edition.survey.score_range,
    )


def _answers(
    data: Inputs, distributions: pl.DataFrame, score: str | None, edition: Edition, source: str
) -> go.Figure:
    own = distributions.filter(organisation=data.organisation, period=edition.period)
    measure = edition.measure(score or edition.default_score)
    questions = list(dict.fromkeys(edition.questions_of(measure.id)))
    table = answer_table(own, edition, questions)
    return views.distribution(
        table,
        title=f"{data.name}, {measure.label.lower()}: {_favourable(table)}",
        subtitle=_when(edition),
        source=weighed(source, own.filter(pl.col("question").is_in(questions))["weighting"]),
    )


def _favourable(table: pl.DataFrame) -> str:
    """Say the smallest and the largest share of favourable answers to questions."""
    shares = (
        table.filter("favourable")
        .group_by("question", maintain_order=True)
        .agg(pl.when(pl.col("percent").is_not_null().all()).then(pl.col("percent").sum()))["percent"]
        .drop_nulls()
        .sort()
    )
    if shares.is_empty():
        return "how the answers are spread"
    low, high = (shown(share, "percent") for share in (shares[0], shares[-1]))
    return f"{low} of answers favourable" if low == high else f"{low} to {high} of answers favourable"


def reach(table: pl.DataFrame) -> str:
    """Say the lowest and the highest score."""
    known = table.drop_nulls("estimate")
    if known.is_empty():
        return "no score may be shown"
    (low, bottom), (high, top) = (
        at_the_end(known, "label", "estimate", "score", highest=end) for end in (False, True)
    )
    if known.height == 1:
        return f"one score, {bottom} ({low})"
    return f"all scores {top}" if top == bottom else f"scores from {bottom} ({low}) to {top} ({high})"


def _apart(table: pl.DataFrame) -> str:
    """Say how many scores of groups lie further from the whole than their interval reaches."""
    groups = table.filter(pl.col("group") != ALL).drop_nulls(["conf_low", "conf_high", "reference"])
    above = groups.filter(pl.col("conf_low") > pl.col("reference")).height
    below = groups.filter(pl.col("conf_high") < pl.col("reference")).height
    return f"{above} of {several(groups.height, 'score')} clearly above the whole, {below} below"


def _scale(edition: Edition) -> dict[str, Any]:
    """Say a figure of scores where they lie, and which of them stand beneath others."""
    return {"scale": edition.survey.score_range, "parts": edition.survey.part_levels}


def _when(edition: Edition) -> str:
    return f"{edition.survey.label}, {edition.period}"
