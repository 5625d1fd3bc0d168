"""Blocks of an official release that are known to be wrong as published: set aside, and said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import as_distributions, as_results
from culture_metrics.results import Distributions, Results
from data_schemas.columns import FAULTY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.catalogue import Fault
    from culture_metrics.published.published import Published

NUMBERS = [
    "estimate", "percent", "std_error", "conf_low", "conf_high", "interval", "base", "effective_base",
]  # fmt: skip


def without_faults(published: Published) -> Published:
    """Take the figures out of blocks that the release is known to have wrong; their rows stay, and say so."""
    survey = published.edition.survey
    release = str(published.provenance.get("release", published.period))
    results, answers = published.results.table, published.distributions.table
    said = []
    for fault in survey.faults:
        if fault.release != release or published.provenance.get("layout") not in fault.layouts:
            continue
        questions = [m.id for m in published.edition.percentages.values() if m.question in fault.measures]
        results, found = _marked(results, "estimate", "measure", [*fault.measures, *questions], fault)
        answers, also = _marked(answers, "percent", "question", fault.measures, fault)
        if found or also:
            said.append(f"{fault.found} {fault.remedy}")
    if not said:
        return published
    return replace(
        published,
        results=Results(as_results(results)),
        distributions=Distributions(as_distributions(answers)),
        provenance={**published.provenance, "faults": tuple(said)},
    )


def _marked(
    table: pl.DataFrame, figure: str, name: str, block: Sequence[str], fault: Fault
) -> tuple[pl.DataFrame, bool]:
    """Mark the figures of a block, unless they are others than those known to be wrong."""
    faulty = pl.col(name).is_in(list(block)) & (pl.col("status").cast(pl.String) == "reported")
    figures = table.filter(faulty)[figure]
    if figures.is_empty() or (fault.shows is not None and (figures != fault.shows).any()):
        return table, False
    return table.with_columns(
        *(pl.when(~faulty).then(c).alias(c) for c in NUMBERS if c in table.columns),
        pl.when(faulty).then(pl.lit(FAULTY, table.schema["status"])).otherwise("status").alias("status"),
    ), True
