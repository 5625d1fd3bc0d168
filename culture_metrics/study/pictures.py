"""Pictures of one organisation in one year."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics import views
from culture_metrics.compare.words import weighed
from culture_metrics.results import ALL
from culture_metrics.views.labels import at_the_end, several, shown
from culture_metrics.views.tables import answer_table, heat_map_table, score_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from culture_metrics.catalogue import Edition

OWN = "Respondent file, every respondent counted once"


def scores(results: pl.DataFrame, edition: Edition, whom: str, *, leading: bool = False) -> go.Figure:
    """Draw the scores of an organisation (the leading ones alone), with 95% intervals."""
    table = score_table(results, edition)
    if leading:
        table = table.filter(pl.col("level").is_in(edition.survey.leading))
    return views.scores(
        table,
        title=f"{whom}: {reach(table)}",
        subtitle=_when(edition),
        source=OWN,
        scale=edition.survey.score_range,
        parts=edition.survey.part_levels,
    )


def heat_maps(results: pl.DataFrame, edition: Edition, by: Sequence[str], whom: str) -> list[go.Figure]:
    """Draw the leading scores of every group of staff: one map for each breakdown, on one scale."""
    tables = {name: heat_map_table(results, edition, name, [*edition.leading]) for name in by}
    limit = views.colour_limit(pl.concat(tables.values())) if tables else None
    return [_heat_map(table, edition, name, whom, limit) for name, table in tables.items()]


def _heat_map(
    table: pl.DataFrame, edition: Edition, breakdown: str, whom: str, limit: float | None
) -> go.Figure:
    label = edition.breakdown_label(breakdown)
    return views.heat_map(
        table,
        title=f"{whom}, by {label[0].lower()}{label[1:]}: {_apart(table)}",
        subtitle=_when(edition),
        source=OWN,
        limit=limit,
        scale=edition.survey.score_range,
    )


def answers(
    distributions: pl.DataFrame, edition: Edition, measure: str | None, whom: str, source: str
) -> go.Figure:
    """Draw how the answers behind a measure are spread; the survey's choice of it when left out."""
    found = edition.measure(measure or edition.default_score)
    questions = list(dict.fromkeys(edition.questions_of(found.id)))
    own = distributions.filter(period=edition.period)
    table = answer_table(own, edition, questions)
    return views.distribution(
        table,
        title=f"{whom}, {found.label.lower()}: {_favourable(table)}",
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


def _when(edition: Edition) -> str:
    return f"{edition.survey.label}, {edition.period}"
