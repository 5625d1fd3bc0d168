"""Year on year, for the notebooks: the two newest respondent files side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.compare.decompose import decompose_change
from culture_metrics.compare.verdict import BARRED, DECLINED, IMPROVED, SAME
from culture_metrics.compare.years import compare_years
from culture_metrics.errors import ReportError
from culture_metrics.reporting.tables import Table
from culture_metrics.results import ALL

if TYPE_CHECKING:
    from culture_metrics.compare.comparison import YearComparison
    from culture_metrics.compare.decomposition import ChangeDecomposition
    from culture_metrics.extracts.extract import Extract
    from culture_metrics.reporting.inputs import Inputs


def two_years(data: Inputs) -> tuple[Extract, Extract]:
    """Return the respondent files of the year of the report and of the year before it in the inputs.

    Raises
    ------
    ReportError
        When there are not two.
    """
    upto = [e for e in data.extracts if e.period <= data.year]
    if len(upto) < 2:
        raise ReportError(
            "Year on year takes two respondent files",
            got=f"{len(upto)} up to {data.year}",
            hint="Add the file of an earlier year to `inputs`.",
        )
    return upto[-2], upto[-1]


def year_comparison(data: Inputs) -> YearComparison:
    """Compare the two newest years of the organisation, whole and by group."""
    earlier, later = two_years(data)
    return compare_years(data.results, earlier.period, later.period)


def change_by_mix(data: Inputs, measure: str) -> ChangeDecomposition:
    """Split the change of a measure into staff mix and change within occupation groups."""
    return decompose_change(*two_years(data), measure=measure)


def findings(change: YearComparison) -> Table:
    """List in sentences what changed in the whole organisation, and what surely did not."""
    return _listed(change, [IMPROVED, DECLINED, SAME], "What changed, and what did not")


def not_comparable(change: YearComparison) -> Table:
    """List what may not be compared, why, and what may be instead."""
    rows = change.table.filter((pl.col("breakdown") == ALL) & (pl.col("verdict") == BARRED))
    frame = rows.select(
        pl.col("label").alias("Measure"),
        pl.col("reason").alias("Why"),
        pl.col("instead").fill_null("").alias("Comparable instead"),
    )
    return Table(frame, f"{frame.height or 'No'} measures that may not be compared")


def hidden_changes(change: YearComparison) -> Table:
    """List the smallest change that each score could have shown, group by group."""
    rows = change.table.filter((pl.col("unit") == "score") & pl.col("level").is_in(["element", "theme"]))
    frame = (
        rows.filter(pl.col("detectable_change").is_not_null())
        .group_by("breakdown", "group", maintain_order=True)
        .agg(pl.col("base_to").max(), pl.col("detectable_change").median())
        .select(
            pl.when(pl.col("group") == ALL)
            .then(pl.lit("Whole organisation"))
            .otherwise("group")
            .alias("Group"),
            pl.col("base_to").cast(pl.String).alias("Base"),
            pl.col("detectable_change")
            .round(2)
            .cast(pl.Decimal(6, 2))
            .cast(pl.String)
            .alias("Smallest change found reliably"),
        )
    )
    return Table(
        frame,
        "Scores of elements and themes: a true change of this size is found in 4 of 5 cases",
        numbers=tuple(frame.columns[1:]),
    )


def _listed(change: YearComparison, verdicts: list[str], caption: str) -> Table:
    whole = replace(change, table=change.table.filter(pl.col("breakdown") == ALL))
    frame = pl.DataFrame(
        [(verdict, said) for verdict in verdicts for said in whole.sentences(verdict)],
        schema={"Verdict": pl.String, "Finding": pl.String},
        orient="row",
    )
    return Table(frame, caption if frame.height else f"{caption}: nothing beyond chance or surely unchanged")
