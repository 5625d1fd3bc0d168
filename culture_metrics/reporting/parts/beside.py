"""Each part beside the rest, its benchmark group and last year: all from what is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.compare.difference import ALPHA
from culture_metrics.compare.families import adjust_p, tiers
from culture_metrics.compare.pairs import check_one_weighting
from culture_metrics.compare.standing import turned
from culture_metrics.contract import ALL
from culture_metrics.results.beside import with_apart
from culture_metrics.results.precision import with_precision
from culture_metrics.results.tables import catalogued, chance_apart

if TYPE_CHECKING:
    from culture_metrics.study.study import Study

KEY = ["group", "measure"]


def apart_from_the_rest(study: Study, breakdown: str, year: str | None = None) -> pl.DataFrame:
    """Set every figure of every part that is shown beside that of everybody else in the organisation.

    Parameters
    ----------
    study : Study
        With the breakdown among its own: only `study.results` is read, which is suppressed.
    breakdown : str
        Its id.
    year : str, optional
        That of the study when left out.

    Returns
    -------
    polars.DataFrame
        `group, measure, label, level, unit, direction, meaning, order, estimate, conf_low, conf_high, base,
        whole, whole_base, rest, gap` (group less rest), `size` (the gap in standard deviations of
        respondents, above 0 where it is the better side), `p_value, p_adjusted, side` (1 better than the
        rest, -1 worse, 0 not beyond chance).

    Notes
    -----
    The rest is the whole less the group: (N w - n g) / (N - n) of bases N and n and figures w and g. That is
    exact for figures that count everybody once; of weighted ones nothing is compared. Tests are those of heat
    maps (`results.tables.chance_apart`, the group against the rest), adjusted as verdicts on changes are
    (`compare.families.adjust_p`): all parts and measures of the breakdown are one family.
    """
    rows = study.results.table.filter(
        pl.col("breakdown").is_in([ALL, breakdown]),
        period=year or study.year,
        organisation=study.organisation,
        status="reported",
        weighting="none",
    )
    check_one_weighting(rows, ["breakdown", "group", "measure"], "pages for parts")
    survey, edition = study.edition.survey, study.edition
    exact = with_precision(with_apart(rows, study.results.beside), survey.score_range)
    whole = exact.filter(breakdown=ALL).select(
        "measure",
        reference="estimate",
        error="std_error",
        people=pl.col("base").cast(pl.Float64),
        freedom="df",
    )
    groups = (
        exact.filter(breakdown=breakdown)
        .join(whole, on="measure", how="left", maintain_order="left")
        .join(catalogued(edition), on="measure", maintain_order="left")
        .filter(pl.col("direction") != "neutral")
    )
    others = pl.col("people") - pl.col("base").cast(pl.Float64)
    many = others >= study.rule.minimum_base
    rest = (pl.col("people") * pl.col("reference") - pl.col("base").cast(pl.Float64) * pl.col("estimate")) / (
        others
    )
    spread = pl.col("error") * pl.col("people").sqrt()
    tested = groups.with_columns(
        pl.Series("p_value", chance_apart(groups), nan_to_null=True),
        rest=pl.when(many).then(rest),
        why_not=pl.lit(None, pl.String),
    ).with_columns(
        pl.when(pl.col("rest").is_not_null()).then("p_value").alias("p_value"),
        gap=pl.col("estimate") - pl.col("rest"),
    )
    placed = tested.join(tiers(edition), on="measure", how="left", maintain_order="left")
    found = adjust_p(placed, "bh").with_columns(size=turned("gap") / pl.when(spread > 0).then(spread))
    beyond = (pl.col("p_adjusted") < ALPHA).fill_null(value=False)
    return found.with_columns(
        side=pl.when(beyond).then(pl.col("size").sign()).otherwise(0.0).fill_null(0.0).cast(pl.Int8)
    ).select(
        "group", "measure", "label", "level", pl.col("unit").cast(pl.String), "direction", "meaning", "order",
        "estimate", "conf_low", "conf_high", "base", pl.col("reference").alias("whole"),
        pl.col("people").cast(pl.UInt32).alias("whole_base"), "rest", "gap", "size", "p_value", "p_adjusted",
        "side",
    )  # fmt: skip


@dataclass(frozen=True)
class Benchmarked:
    """The median of the benchmark group for each measure, whose it is and of which year."""

    group: str
    period: str
    median: dict[str, float]


def benchmarked(study: Study) -> Benchmarked | None:
    """Return the benchmark group of the newest workbook up to the year of the study; None without one."""
    if study.workbook is None or study.workbook.period > study.year:
        return None
    standing = study.benchmark()
    known = standing.table.drop_nulls("median")
    return Benchmarked(standing.group, standing.period, dict(known.select("measure", "median").iter_rows()))


def scores(study: Study, apart: pl.DataFrame, change: pl.DataFrame | None) -> pl.DataFrame:
    """Return the leading scores of every part with those of the year before where they may be compared.

    `change` is the table of `compare_years`. Columns as in `apart_from_the_rest`, and `before`,
    `before_low`, `before_high`, `verdict`.
    """
    leading = [*study.edition.leading]
    rows = apart.filter(pl.col("measure").is_in(leading))
    if change is None:
        return rows.with_columns(before=pl.lit(None, pl.Float64), verdict=pl.lit(None, pl.String))
    comparable = pl.col("p_value").is_not_null()
    told = change.filter(pl.col("group") != ALL).select(
        *KEY,
        before=pl.when(comparable).then("estimate_from"),
        verdict=pl.col("verdict").cast(pl.String),
    )
    return rows.join(told, on=KEY, how="left", maintain_order="left")


def reach_of(tables: list[pl.Series]) -> tuple[float, float]:
    """Return where an axis begins and ends that holds all these figures, on whole or half steps.

    Examples
    --------
    >>> reach_of([pl.Series([5.31, None]), pl.Series([6.9])])
    (5.0, 7.0)
    """
    values = np.concatenate([one.drop_nulls().to_numpy() for one in tables])
    step = 0.5 if np.ptp(values) <= 5 else 1.0
    return float(np.floor(values.min() / step) * step), float(np.ceil(values.max() / step) * step)
