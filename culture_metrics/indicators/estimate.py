"""Estimates with their uncertainty: scores and headline percentages by group, as Results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.errors import unknown
from culture_metrics.indicators.cells import Cells, make_cells
from culture_metrics.indicators.disclosure import suppress
from culture_metrics.indicators.intervals import add_intervals
from culture_metrics.indicators.scoring import score
from culture_metrics.indicators.tally import Moments, code_sums, share_moments, value_moments
from culture_metrics.indicators.weights import WEIGHTINGS, respondent_weights
from culture_metrics.results import as_results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from culture_metrics.catalogue import Measure
    from culture_metrics.extracts.extract import Extract


def estimate(
    extract: Extract,
    by: Sequence[str | Sequence[str]] = (),
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
    by : sequence
        Breakdowns (`occupation_group`, `locality_1`, …), each on its own; several names in a tuple are
        crossed, and their groups joined by " × ".
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
    cells = make_cells(extract, by)
    weight = respondent_weights(extract, weights, occupation_mix)
    found = {m.id: (moments, w) for m, moments, w in _moments(extract, cells, weight, weights)}
    complete = _table(found, cells, extract)
    return as_results(suppress(add_intervals(complete), minimum_base or edition.survey.minimum_base))


def _moments(
    extract: Extract, cells: Cells, weight: np.ndarray | None, weights: str
) -> Iterator[tuple[Measure, Moments, str]]:
    """Tally every measure that the extract has the questions for."""
    edition, frame = extract.edition, extract.frame
    scores = score(extract)
    for name, measure in edition.scores.items():
        yield measure, value_moments(scores[name], cells, weight), weights
    for name, measure in edition.percentages.items():
        question = edition.questions[measure.question or ""]
        here = [c for c in question.columns if c in frame.columns]
        weighted = weights if question.weighted else "none"
        own = weight if question.weighted else None
        if measure.option is not None:
            column = f"{question.code}_{measure.option}"
            if column not in here:
                continue
            # Whoever ticked anything answered the question.
            ticked = pl.when(pl.any_horizontal(pl.col(c) == 1 for c in here)).then(
                (pl.col(column) == 1).fill_null(value=False).cast(pl.Int8)
            )
            sums = code_sums(frame.select(ticked).to_series(), cells, 1, own)
            yield measure, share_moments(sums, [1], [0, 1]), weighted
        elif here:
            codes = [*question.scale.labels]
            sums = code_sums(frame[question.code], cells, max(codes), own)
            base = [c for c in codes if c not in question.out_of_base]
            yield measure, share_moments(sums, question.positive, base), weighted


def _table(found: Mapping[str, tuple[Moments, str]], cells: Cells, extract: Extract) -> pl.DataFrame:
    """Lay the moments out as rows: every cell by every measure of the edition, in order."""
    edition = extract.edition
    names = sorted(edition.measures)
    order = cells.keys.with_row_index("cell").sort("organisation", "breakdown", "group")
    rows = order["cell"].to_numpy()
    shape = (len(rows), len(names))
    columns = {n: np.full(shape, np.nan) for n in ("estimate", "std_error", "base", "effective_base")}
    asked = np.zeros(len(names), dtype=bool)
    for j, name in enumerate(names):
        if name not in found:
            continue
        moments = found[name][0]
        with np.errstate(invalid="ignore", divide="ignore"):
            n = moments.count
            error = np.sqrt(moments.spread * n / (n - 1)) / moments.weight
            effective = moments.weight**2 / moments.weight2
        for column, numbers in zip(columns, (moments.mean, error, n, effective), strict=True):
            columns[column][:, j] = numbers[rows]
        asked[j] = n.any()
    n_rows = shape[0] * shape[1]
    cell_of, measure_of = np.divmod(np.arange(n_rows, dtype=np.uint32), shape[1])
    per_measure = pl.DataFrame(
        {
            "measure": names,
            "unit": [edition.measures[n].unit for n in names],
            "weighting": [found[n][1] if n in found else "none" for n in names],
            "status": np.where(asked, "reported", "not_asked"),
        }
    )
    none = pl.when(pl.col("status") == "reported")
    return pl.concat(
        [
            order.drop("cell")[cell_of],
            per_measure[measure_of],
            pl.DataFrame({name: numbers.ravel() for name, numbers in columns.items()}),
        ],
        how="horizontal",
    ).with_columns(
        pl.lit(extract.survey).alias("survey"),
        pl.lit(extract.period).alias("period"),
        pl.lit("respondents").alias("source"),
        *(none.then(pl.col(n).fill_nan(None)).alias(n) for n in ("estimate", "std_error", "effective_base")),
        none.then(pl.col("base").cast(pl.UInt32)).alias("base"),
    )
