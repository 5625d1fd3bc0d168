"""Estimates with their uncertainty: scores and headline percentages by group, as Results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.errors import unknown
from culture_metrics.indicators.breakdowns import group_columns
from culture_metrics.indicators.disclosure import suppress
from culture_metrics.indicators.intervals import add_intervals
from culture_metrics.indicators.percentages import percentage_values
from culture_metrics.indicators.scoring import score
from culture_metrics.indicators.weights import WEIGHT, occupation_weights
from culture_metrics.results import ALL, as_results

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from culture_metrics.catalogue import Edition
    from culture_metrics.extracts.extract import Extract

WEIGHTINGS = ("none", "occupation_group")
STATISTICS = ["estimate", "std_error", "base", "effective_base"]


def estimate(
    extract: Extract,
    by: Sequence[str] = (),
    *,
    weights: str = "none",
    occupation_mix: Mapping[str, float] | None = None,
    minimum_base: int | None = None,
) -> pl.DataFrame:
    """Estimate every score and headline percentage of each organisation, as a whole and by group.

    Parameters
    ----------
    extract : Extract
        A clean extract (`validate(...).extract`).
    by : sequence of str
        Breakdowns (`occupation_group`, `locality_1`, …); each on its own, not crossed.
    weights : {"none", "occupation_group"}
        `none` counts every respondent once, as official breakdown reports do. `occupation_group` gives each
        organisation the occupation mix of its benchmark group, as official organisation results do.
    occupation_mix : mapping, optional
        Share of each occupation group to weight to; taken from the extract's own benchmark groups when left
        out.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own (11) when left out.

    Returns
    -------
    polars.DataFrame
        Results: one row per organisation, breakdown, group and measure. `estimate` is a score (0 to 10) or a
        percentage (0 to 100); `base` the unweighted number of respondents behind it; `std_error` by Taylor
        linearisation within the group (for unweighted rows: standard deviation over the root of the base);
        `conf_low`, `conf_high` a 95 % interval (t for scores, Wilson for percentages). Small cells are
        suppressed. A measure whose questions are not in the extract has the status `not_asked`.

    Raises
    ------
    UnknownNameError
        When a breakdown is not in the catalogue or the extract, or the weighting does not exist.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> results = estimate(synthetic.respondents(2024), by=["occupation_group"])
    >>> results.filter(measure="recommend_place_to_work", group="all").height
    1
    """
    if weights not in WEIGHTINGS:
        raise unknown("weighting", weights, WEIGHTINGS)
    edition = extract.edition
    groups = group_columns(extract, by)
    scores = score(extract)
    percentages = percentage_values(edition, set(extract.frame.columns))
    weight = (
        occupation_weights(extract, occupation_mix) if weights == "occupation_group" else pl.lit(1.0)
    ).alias(WEIGHT)
    values = extract.frame.select(
        "organisation",
        *(e.alias(f"by {n}") for n, e in groups.items()),
        weight,
        *(e.alias(n) for n, e in percentages.items()),
    ).hstack(scores.select(*edition.scores))
    measures = [n for n in edition.measures if n in values.columns]
    never = {n for n in measures if (q := edition.measures[n].question) and not edition.questions[q].weighted}
    tables = [
        _grouped(values, measures, never, None, weights),
        *(_grouped(values, measures, never, name, weights) for name in groups),
    ]
    found = pl.concat(tables).with_columns(
        survey=pl.lit(extract.survey), period=pl.lit(extract.period), source=pl.lit("respondents")
    )
    units = pl.col("measure").replace_strict({k: m.unit for k, m in edition.measures.items()})
    complete = add_intervals(_with_missing(found, edition).with_columns(units.alias("unit")))
    return as_results(suppress(complete, minimum_base or edition.survey.minimum_base))


def _grouped(
    values: pl.DataFrame, measures: list[str], never_weighted: set[str], by: str | None, weights: str
) -> pl.DataFrame:
    """Estimate all measures by organisation and one breakdown: one pass, wide, then turned long."""
    keys = ["organisation"] if by is None else ["organisation", f"by {by}"]
    statistics: list[pl.Expr] = []
    for name in measures:
        weighted = weights != "none" and name not in never_weighted
        statistics += [e.alias(f"{name}|{s}") for s, e in _statistics(name, weighted=weighted).items()]
    wide = values.lazy().drop_nulls(keys).group_by(keys).agg(statistics).sort(keys).collect()
    long = [
        wide.unpivot(
            index=keys if s == STATISTICS[0] else None,
            on=[f"{name}|{s}" for name in measures],
            variable_name="measure" if s == STATISTICS[0] else f"_{s}",
            value_name=s,
        ).drop(f"_{s}", strict=False)
        for s in STATISTICS
    ]
    weighting = (
        pl.when(pl.col("measure").is_in(never_weighted)).then(pl.lit("none")).otherwise(pl.lit(weights))
    )
    return (
        pl.concat(long, how="horizontal")
        .with_columns(pl.col("measure").str.strip_suffix(f"|{STATISTICS[0]}"))
        .with_columns(
            breakdown=pl.lit(by or ALL),
            group=pl.col(f"by {by}") if by else pl.lit(ALL),
            weighting=weighting,
            status=pl.lit("reported"),
        )
        .select("organisation", "breakdown", "group", "measure", *STATISTICS, "weighting", "status")
    )


def _statistics(name: str, *, weighted: bool) -> dict[str, pl.Expr]:
    """Mean, linearised standard error, base and effective base of one measure within a group."""
    y = pl.col(name)
    n = y.count()
    if not weighted:
        error = y.std() / n.sqrt()
        return {"estimate": y.mean(), "std_error": error, "base": n, "effective_base": n.cast(pl.Float64)}
    w = pl.when(y.is_not_null()).then(pl.col(WEIGHT))
    total = w.sum()
    mean = (w * y).sum() / total
    spread = ((w * (y - mean)) ** 2).sum() * n / (n - 1)
    return {
        "estimate": pl.when(n > 0).then(mean),
        "std_error": pl.when(n > 1).then(spread.sqrt() / total),
        "base": n,
        "effective_base": pl.when(n > 0).then(total**2 / (w**2).sum()),
    }


def _with_missing(found: pl.DataFrame, edition: Edition) -> pl.DataFrame:
    """Add measures that the extract has no questions for, and mark what nobody could be scored on."""
    keys = ["survey", "period", "organisation", "breakdown", "group", "source"]
    absent = [n for n in edition.measures if n not in set(found["measure"].unique())]
    rows = found.select(keys).unique(maintain_order=True).join(pl.DataFrame({"measure": absent}), how="cross")
    rows = rows.with_columns(status=pl.lit("not_asked"), weighting=pl.lit("none"))
    everywhere = pl.col("base").sum().over("measure")
    nobody = pl.when(everywhere == 0).then(pl.lit("not_asked")).otherwise(pl.col("status"))
    found = found.with_columns(nobody.alias("status")).with_columns(
        pl.when(pl.col("status") == "reported").then(pl.col(s)).alias(s) for s in STATISTICS
    )
    return pl.concat([found, rows], how="diagonal")
