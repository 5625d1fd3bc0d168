"""Means and ratios of any numbers of respondents, with the same standard errors as the survey's measures."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue, least_base
from culture_metrics.contract import ALL
from culture_metrics.disclosure.decision import MANY
from culture_metrics.disclosure.rule import Rule, warn_of_minimum
from culture_metrics.disclosure.suppression import suppress
from culture_metrics.errors import ExtractError, unknown
from culture_metrics.indicators.breakdowns import crossed
from culture_metrics.indicators.calibrated import calibrated_estimates
from culture_metrics.indicators.cells import Cells, make_cells
from culture_metrics.indicators.codes import codes_of
from culture_metrics.indicators.decoding import told_outside
from culture_metrics.indicators.design import Design, Estimates, estimates
from culture_metrics.indicators.groups_figure import groups_figure
from culture_metrics.indicators.intervals import score_intervals
from culture_metrics.indicators.raking import Raking, check_minimum, check_raking
from culture_metrics.indicators.shown_values import hide_values
from culture_metrics.indicators.tally import Moments, value_tally
from culture_metrics.indicators.value_memory import Memory
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted, listed
from culture_metrics.threads import blocks, in_threads
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, repr=False, eq=False)
class ValueEstimates(Output):
    """Means or ratios of numbers, by organisation and group.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation, breakdown, group and measure; see `estimate_values`.
    minimum_base : int
        Smallest base that is shown.
    """

    table: pl.DataFrame
    minimum_base: int

    def figure(self, measure: str | None = None, organisation: str | None = None) -> go.Figure:
        """Draw one measure with its intervals: the whole, then every group that is shown.

        Parameters
        ----------
        measure, organisation : str, optional
            The first when left out.
        """

        def words(measure: str, whom: str) -> tuple[str, str]:
            return measure, f"{measure}, {'all organisations' if whom == ALL else whom}"

        return groups_figure(self.table, measure, organisation, among="estimates", words=words)

    def rules(self) -> tuple[str, ...]:
        """Say which rule decided what is shown."""
        return (Rule(self.minimum_base).words,)

    def summary(self) -> str:
        """Say in plain sentences what was estimated and what is held back."""
        hidden = self.table.filter(pl.col("status") != "reported").height
        # What may be kept to oneself, with a lower minimum base, is not said aloud.
        told = (pl.col("breakdown") == ALL) & (pl.col("base") >= least_base([]))
        whole = self.table.filter(told).group_by("measure", maintain_order=True)
        means = whole.agg(pl.first("estimate"), pl.len()).iter_rows()
        said = listed(f"{measure} {estimate:.3g}" for measure, estimate, n in means if n == 1)
        many = counted(self.table["measure"].n_unique(), "measure")
        first = f"{counted(self.table.height, 'estimate')} of {many}, {hidden:,} held back."
        return f"{first} As a whole: {said}." if said else first

    def __repr__(self) -> str:
        return f"ValueEstimates({self.summary()} See .table)"


@verb
def estimate_values(  # noqa: PLR0913
    frame: pl.DataFrame,
    measures: Sequence[str],
    by: Sequence[str | Sequence[str]] = (),
    *,
    weights: str | Raking | None = None,
    design: Design | None = None,
    over: str | None = None,
    minimum_base: int | None = None,
    survey: str | None = None,
    period: str | None = None,
    parents: pl.DataFrame | None = None,
) -> ValueEstimates:
    """Estimate means of number columns, or their ratios to another one, by organisation and group.

    Parameters
    ----------
    frame : polars.DataFrame
        One row per respondent; `score(extract)`, for example. `organisation` tells samples apart; without it
        all are one.
    measures : sequence of str
        Number columns; null where a respondent has no value. Each has its own base: nobody is left out of one
        measure for lacking another.
    by : sequence
        Text columns, each on its own; several in a tuple are crossed.
    weights : str or Raking, optional
        Column of weights, or what `rake` returned for the same respondents.
    design : Design, optional
        Strata, clusters, finite population correction, treatment of groups.
    over : str, optional
        Number column to divide by: the estimate is then Σwy / Σwx, over those who have both.
    minimum_base : int, optional
        Smallest base that is shown; that of the survey when left out.
    survey, period : str, optional
        Edition that the respondents belong to, if any: its catalogue says which breakdowns lie in others.
    parents : polars.DataFrame, optional
        Groups that lie in a group of another breakdown, as in `suppress`.

    Returns
    -------
    polars.DataFrame
        `organisation, breakdown, group, measure, estimate, std_error, conf_low, conf_high, base,
        effective_base, status`, sorted. Intervals are t intervals. Small cells are suppressed.

    Raises
    ------
    UnknownNameError
        When a column, or the survey or period, does not exist.
    ExtractError
        When a measure is named twice, is no number, or weights do not fit, or were raked for a smaller
        minimum base.

    Notes
    -----
    What is hidden is decided from the respondents: how groups of its breakdowns, and of those that earlier
    calls about the same table showed, lie in each other, overlap and nearly coincide (above 60,000
    respondents from the names of groups, the catalogue and `parents` alone). Tables are told by a column
    `respondent`, or else by the measures. What calls with other weights, about part of a table or about an
    extract show, it does not know: ask for all breakdowns in one. Without `survey` and `period` it does not
    know that an element stands with its sub-scores. Weights formed from small groups can tell how many they
    are: see `Weights` and `rake`, which pool these.

    References
    ----------
    Särndal, Swensson & Wretman (1992), Model Assisted Survey Sampling, 5.6 (ratios).

    Examples
    --------
    >>> frame = pl.DataFrame({"organisation": ["RXX"] * 20, "days": [float(d % 4) for d in range(20)]})
    >>> estimate_values(frame, ["days"]).table.select("estimate", "base").row(0)
    (1.5, 20)
    """
    design = design or Design()
    least = least_base([survey] if survey else [])
    minimum_base = least if minimum_base is None else minimum_base
    if "organisation" not in frame.columns:
        frame = frame.with_columns(pl.lit(ALL).alias("organisation"))
    warn_of_minimum(minimum_base, least)
    asked = crossed(by)
    columns = list(dict.fromkeys(n for names in asked.values() for n in names))
    for name in (*measures, *columns, *([over] if over else [])):
        if name not in frame.columns:
            raise unknown("column", name, frame.columns)
    _check_numbers(frame, measures, over)
    if survey is not None or period is not None:
        catalogue(survey or "").edition(period or "")
    memory = Memory(frame, measures, asked) if frame.height <= MANY else None
    breakdowns, labels = (asked, frame) if memory is None else (asked | memory.breakdowns, memory.labels)
    columns = list(dict.fromkeys(n for names in breakdowns.values() for n in names))
    cells = make_cells(frame, {ALL: (), **breakdowns}, {c: codes_of(labels[c]) for c in columns}, design)
    numbers = frame.select(pl.col(measures).cast(pl.Float64))
    weight = _weight(frame, weights) if isinstance(weights, str) else None
    if isinstance(weights, Raking):
        if over is not None:
            raise ExtractError(
                "A ratio takes no raked weights here", hint="Give them as a column of weights."
            )
        check_raking(weights, frame)
        check_minimum(weights, minimum_base)
        organisation = codes_of(frame["organisation"])
        found = calibrated_estimates(
            lambda own, w: value_tally(numbers, own, w)[:], cells, organisation, weights, design
        )
    elif over is None:
        names = [measures[b] for b in blocks(len(measures))]
        jobs = [partial(value_tally, numbers.select(own), cells, weight) for own in names]
        found = estimates(in_threads(jobs), cells, design)
    else:
        divisor = frame[over].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        found = _ratios(numbers.to_numpy(), divisor, cells, weight, design)
    table = _rows(found, cells, list(measures)).with_columns(
        pl.lit(survey or "").alias("survey"), pl.lit(period or "").alias("period")
    )
    table = suppress(table, minimum_base, parents=parents)
    if memory is not None:
        there = np.isfinite(numbers.to_numpy())
        if over is not None:
            there &= np.isfinite(frame[over].cast(pl.Float64).fill_null(float("nan")).to_numpy())[:, None]
        weight = weights.weights.to_numpy() if isinstance(weights, Raking) else weight
        table = hide_values(
            table,
            cells,
            numbers.to_numpy(),
            there,
            weight if weight is not None and told_outside(frame["organisation"], weight) else None,
            codes_of(frame["organisation"]).codes.astype(np.int64),
            minimum_base,
            memory.shown(table),
        )
        table = memory.keep(table)
    return ValueEstimates(table.drop("survey", "period"), minimum_base)


def _check_numbers(frame: pl.DataFrame, measures: Sequence[str], over: str | None) -> None:
    """See to it that measures are numbers, before anything is cast whose error would quote a value."""
    if not measures or len(set(measures)) < len(measures):
        raise ExtractError("Measures must be named, each once", got=", ".join(measures) or "none")
    schema = frame.schema
    types = {name: schema[name] for name in (*measures, *([over] if over else []))}
    text = [
        f"{name} ({kind})" for name, kind in types.items() if not kind.is_numeric() and kind != pl.Boolean
    ]
    if text:
        raise ExtractError(
            "Only numbers have a mean",
            where=f"columns {', '.join(text)}",
            hint="Turn these columns into numbers first: an extract has to be scored.",
        )


def _ratios(
    values: Numbers, divisor: Numbers, cells: Cells, weight: Numbers | None, design: Design
) -> Estimates:
    """Estimate Σwy / Σwx; the deviations are y - (Σwy / Σwx) x, whose mean in a cell is 0."""
    there = np.isfinite(values) & np.isfinite(divisor)[:, None]
    above = np.where(there, values, np.nan)
    below = np.where(there, divisor[:, None], np.nan)
    tops = value_tally(above, cells, weight)[:].merge(cells.parts).merge(cells.pieces)
    bottoms = value_tally(below, cells, weight)[:].merge(cells.parts).merge(cells.pieces)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = tops.mean / bottoms.mean
    of_part = cells.pieces.of[cells.parts.of]
    total: Moments | None = None
    # The deviation of a respondent depends on the cell, so each breakdown has a tally of its own.
    of_cell = np.append(ratio, np.full((1, ratio.shape[1]), np.nan), axis=0)
    for block in cells.blocks:
        own = of_cell[np.append(of_part, -1)[cells.part_of(block)]]
        moments = value_tally(above - own * below, cells.only(block), weight)[:]
        total = moments if total is None else total.plus(moments)
    assert total is not None
    found = estimates([total], cells, design)
    with np.errstate(invalid="ignore", divide="ignore"):
        return replace(found, mean=ratio, std_error=found.std_error / np.abs(bottoms.mean))


def _weight(frame: pl.DataFrame, column: str) -> Numbers:
    if column not in frame.columns:
        raise unknown("column of weights", column, frame.columns)
    if not frame.schema[column].is_numeric():
        raise ExtractError("Weights must be numbers", where=f"column {column}", got=str(frame.schema[column]))
    values = frame[column].cast(pl.Float64)
    if not (values.is_finite() & (values > 0)).fill_null(value=False).all():
        raise ExtractError("Weights must be numbers above 0", where=f"column {column}")
    return values.to_numpy()


def _rows(found: Estimates, cells: Cells, measures: list[str]) -> pl.DataFrame:
    low, high = score_intervals(found, (-np.inf, np.inf))
    order = cells.keys.with_row_index("cell").sort("organisation", "breakdown", "group")
    rows = order["cell"].to_numpy()
    n = len(measures)
    numbers = {
        "estimate": found.mean,
        "std_error": found.std_error,
        "conf_low": low,
        "conf_high": high,
        "base": found.base,
        "effective_base": found.effective_base,
    }
    return order.drop("cell")[np.repeat(np.arange(len(rows), dtype=np.uint32), n)].with_columns(
        pl.Series("measure", measures * len(rows)),
        *(pl.Series(name, table[rows].ravel(), nan_to_null=True) for name, table in numbers.items()),
    ).with_columns(
        pl.col("base").cast(pl.UInt32),
        pl.lit("reported").cast(pl.Enum(STATUSES)).alias("status"),
    )  # fmt: skip
