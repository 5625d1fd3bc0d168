"""What figures and lists have in common: the part of the inputs that they are about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.benchmark import benchmark as stand
from culture_metrics.errors import ReportError

if TYPE_CHECKING:
    from culture_metrics.compare.benchmark import Benchmark
    from culture_metrics.published import Published
    from culture_metrics.reporting.inputs import Inputs


def answered(data: Inputs) -> Inputs:
    """Return the inputs if there are answers of respondents among them.

    Raises
    ------
    ReportError
        When there are none.
    """
    if not data.extracts:
        raise ReportError("There is no respondent file among the inputs", hint="Add one to `inputs`.")
    return data


def own_results(data: Inputs) -> pl.DataFrame:
    """Return Results of the organisation from its respondent file of the year."""
    return answered(data).results.filter(pl.col("period") == data.year)


def benchmark(data: Inputs) -> Benchmark:
    """Set the published results of the organisation beside those of its benchmark group."""
    return stand(workbook(data), data.organisation)


def workbook(data: Inputs) -> Published:
    """Return the workbook that has a benchmark group for the organisation."""
    if data.standing is None:
        raise ReportError(
            f"No workbook among the inputs has a benchmark group for {data.organisation}",
            hint="Add the official workbook of organisation results to `inputs`.",
        )
    return data.standing
