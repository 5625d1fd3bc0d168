"""Aggregation evidence where only percentages are published."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.contract import ALL, check_results
from culture_metrics.errors import MeasurementError, kind_of, unknown
from culture_metrics.measurement.agreement import Agreement, guides, in_words
from culture_metrics.output import verb
from culture_metrics.published import Published

if TYPE_CHECKING:
    from collections.abc import Sequence


@verb
def agreement_of_percentages(
    published: Published, benchmark_group: str, measures: Sequence[str] | None = None
) -> Agreement:
    """Tell how reliably published percentages tell the organisations of one benchmark group apart.

    Parameters
    ----------
    published : Published
        What `read_published` returns.
    benchmark_group : str
        Only organisations of one kind: differences between kinds would pass for reliability.
    measures : sequence of str, optional
        Ids or codes of headline percentages; all when left out.

    Returns
    -------
    Agreement
        `.table`: `measure, label, base, groups` (organisations with a percentage), `percent` (their mean),
        `tau` (standard deviation of the true percentages, in points), `icc1, conf_low, conf_high` (null),
        `icc2, attenuation` (the root of ICC(2), by which a correlation with the organisations' figures
        shrinks), `icc1_guide, icc2_guide`. `.groups`: `measure, group` (organisation), `base, status,
        estimate, reliability`.

    Raises
    ------
    UnknownNameError
        When the workbook has no such benchmark group, or a measure is unknown.
    MeasurementError
        When there are no published results, or no measure is published for at least three organisations.

    Notes
    -----
    With p the proportion and n the base of an organisation, v = p (1 - p) / n and tau² = max(0, var(p) -
    mean(v)); ICC(1) = tau² / (mean p (1 - mean p)), ICC(2) = tau² / (tau² + mean v), and an organisation's
    reliability is tau² / (tau² + v). Weighting makes the true v larger by the design effect, so that the
    reliabilities are upper limits: approximate.

    Examples
    --------
    >>> import culture_metrics as cm
    >>> example = cm.study([]).published[0]
    >>> kind = example.organisations["benchmark_group"].drop_nulls().mode()[0]
    >>> cm.measurement.agreement_of_percentages(example, kind, ["burnt_out"]).table["icc2"].item() <= 1
    True
    """
    if not isinstance(published, Published):
        raise MeasurementError(
            "Percentages are taken from published results",
            expected="what cm.read_published returned",
            got=kind_of(published),
            hint="Of respondents take cm.agreement.",
        )
    check_results(published.results.table)
    known = published.organisations["benchmark_group"].drop_nulls().unique().sort().to_list()
    if benchmark_group not in known:
        raise unknown("benchmark group", benchmark_group, known)
    members = published.organisations.filter(benchmark_group=benchmark_group, period=published.period)
    rows = published.results.table.filter(
        pl.col("organisation").is_in(members["organisation"].to_list()),
        breakdown=ALL, group=ALL, unit="percent", period=published.period, status="reported",
    )  # fmt: skip
    if measures is not None:
        rows = rows.filter(pl.col("measure").is_in([published.edition.measure(m).id for m in measures]))
    p = pl.col("estimate") / 100
    error = p * (1 - p) / pl.col("base")
    groups = (
        rows.filter(pl.len().over("measure") >= 3)
        .with_columns(error.alias("_v"))
        .with_columns((p.var() - pl.col("_v").mean()).clip(lower_bound=0).over("measure").alias("_tau2"))
        .with_columns((pl.col("_tau2") / (pl.col("_tau2") + pl.col("_v"))).alias("reliability"))
    )
    if groups.is_empty():
        raise MeasurementError(
            "No percentage is published for at least three organisations", where=benchmark_group
        )
    tau2 = pl.col("_tau2").first()
    order = {m: i for i, m in enumerate(published.edition.percentages)}
    table = (
        groups.group_by("measure")
        .agg(
            pl.col("base").cast(pl.Int64).sum(),
            pl.len().alias("groups"),
            pl.col("estimate").mean().alias("percent"),
            (tau2.sqrt() * 100).alias("tau"),
            (tau2 / (p.mean() * (1 - p.mean()))).alias("icc1"),
            pl.lit(None, pl.Float64).alias("conf_low"),
            pl.lit(None, pl.Float64).alias("conf_high"),
            (tau2 / (tau2 + pl.col("_v").mean())).alias("icc2"),
        )
        .with_columns(pl.col("icc2").sqrt().alias("attenuation"), *guides())
        .sort(pl.col("measure").replace_strict(order, default=len(order)))
    )
    names = pl.Series("label", [in_words(name) for name in table["measure"]], dtype=pl.String)
    table = table.insert_column(1, names)
    shown = groups.select(
        "measure", pl.col("organisation").alias("group"), "base", pl.col("status").cast(pl.String),
        "estimate", "reliability",
    )  # fmt: skip
    return Agreement(table, shown, "organisation", approximate=True)
