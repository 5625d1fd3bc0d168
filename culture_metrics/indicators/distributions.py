"""Response distributions: the percentage of each answer, by group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.disclosure import suppress
from culture_metrics.indicators.answers import options, options_of
from culture_metrics.indicators.breakdowns import crossed
from culture_metrics.indicators.cell_estimates import Found, estimates_of, lay_out
from culture_metrics.indicators.intervals import check_interval, interval_name, percent_intervals
from culture_metrics.results import as_distributions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.design import Design
    from culture_metrics.indicators.percentages import Share
    from culture_metrics.indicators.raking import Raking
    from culture_metrics.indicators.weights import Weights

KEYS = ["survey", "period", "organisation", "breakdown", "group", "question", "weighting"]
NUMBERS = ["percent", "std_error", "conf_low", "conf_high", "base", "effective_base"]


def distributions(
    extract: Extract,
    by: Sequence[str | Sequence[str]] = (),
    *,
    weights: str | Weights | Raking | pl.Series = "none",
    design: Design | None = None,
    interval: str = "wilson",
    minimum_base: int | None = None,
) -> pl.DataFrame:
    """Work out how the answers to every question are distributed, as a whole and by group.

    Parameters
    ----------
    extract : Extract
        A clean extract (`validate(...).extract`).
    by : sequence
        Breakdowns, each on its own; several names in a tuple are crossed.
    weights, design, interval
        As in `estimate`.
    minimum_base : int, optional
        Smallest base that is shown; the survey's own (11) when left out.

    Returns
    -------
    polars.DataFrame
        Distributions: one row per organisation, breakdown, group, question and response option. `percent` is
        of all who answered, with "don't know" and "not applicable" inside the 100 %, as the official detailed
        workbooks have it; `base` is their number; `std_error`, `conf_low` and `conf_high` are those of the
        one percentage. Small cells are suppressed, on the base that is left when answers outside the headline
        are taken out.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> table = distributions(synthetic.respondents(2024))
    >>> table.filter(question="recommend_place_to_work")["percent"].sum().__round__(6)
    100.0
    """
    check_interval(interval)
    found = estimates_of(extract, crossed(by), weights, design, options_of)
    shares = options(extract)
    table = pl.concat([_table(part, extract, shares, interval) for part in found])
    hidden = _hidden(table, minimum_base or extract.edition.survey.minimum_base)
    shown = pl.col("status") == "reported"
    return as_distributions(
        table.filter(pl.col("option").is_not_null())
        .drop("status")
        .join(hidden, on=KEYS, how="left", maintain_order="left")
        .with_columns(pl.when(shown).then(pl.col(c)).alias(c) for c in NUMBERS)
        .with_columns(interval_name(interval, pl.col("percent")))
    )


def _table(part: Found, extract: Extract, shares: Sequence[Share], interval: str) -> pl.DataFrame:
    low, high = percent_intervals(part.estimates, interval)
    columns = pl.DataFrame(
        {
            "question": [s.name for s in shares],
            "option": pl.Series([s.option for s in shares], dtype=pl.Int16),
            "place": range(len(shares)),
            "status": ["reported"] * len(shares),
        }
    )
    return (
        lay_out(part, columns, low, high)
        .rename({"estimate": "percent"})
        .with_columns(pl.lit(extract.survey).alias("survey"), pl.lit(extract.period).alias("period"))
    )


def _hidden(table: pl.DataFrame, minimum_base: int) -> pl.DataFrame:
    """Decide which distributions may be shown: one decision per group and question, on the headline base."""
    cells = table.filter(pl.col("option").is_null()).select(*KEYS, "base", "status")
    status = suppress(cells.rename({"question": "measure"}), minimum_base)
    return status.rename({"measure": "question"}).select(*KEYS, "status")
