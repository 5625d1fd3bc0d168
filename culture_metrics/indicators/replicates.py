"""Replicates: standard errors by drawing respondents again and again, for statistics without a formula."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.errors import ExtractError, unknown
from culture_metrics.indicators.answers import answers_of
from culture_metrics.indicators.breakdowns import crossed, group_codes
from culture_metrics.indicators.cells import Cells, make_cells
from culture_metrics.indicators.codes import codes_of, sampling_units
from culture_metrics.indicators.decoding import DECIMALS
from culture_metrics.indicators.design import Design, fraction
from culture_metrics.indicators.groups_figure import groups_figure
from culture_metrics.indicators.seeds import secret_seed
from culture_metrics.indicators.shown import shown_cells
from culture_metrics.indicators.sweeps import sweep
from culture_metrics.indicators.weights import national, respondent_weights
from culture_metrics.output import Output, verb
from culture_metrics.results.precision import LEVEL

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract
    from culture_metrics.indicators.raking import Raking
    from culture_metrics.indicators.weights import AnyWeights, Weighted

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Statistic = Callable[[Numbers, Numbers], Numbers]
    #: Values and weights sorted by cell, and where each cell starts.
    Estimator = Callable[[Numbers, Numbers, Whole], Numbers]

#: Sweeps over the margins when a replicate is raked.
SWEEPS = 20
#: Draws without which there is no spread.
FEWEST = 2
#: Replicate weights held at a time.
HELD = 2**24
#: Groups of a breakdown up to which the gaps between all of them are worked out.
GROUPS = 200
PLACE = ["organisation", "breakdown", "measure"]
KEY = ["organisation", "breakdown", "group", "measure"]
SPREAD = ("std_error", "conf_low", "conf_high")


@dataclass(frozen=True, repr=False, eq=False)
class Replicates(Output):
    """What replicates say of estimates, and of the gaps between groups. The replicates are not kept.

    Attributes
    ----------
    table : polars.DataFrame
        `organisation, breakdown, group, measure, estimate, std_error, conf_low, conf_high, base, status`: the
        interval is the middle 95 % of the replicates.
    draws : int
        How many replicates there were.
    notes : tuple of str
        What is to be known of the edition.

    Notes
    -----
    A replicate is a linear equation in the values of respondents, and replicates of groups of different
    breakdowns move together as far as they share people, down to one. They are therefore summed up at once,
    for what is shown and for gaps between groups of one breakdown, who share nobody.
    """

    table: pl.DataFrame
    draws: int
    _gaps: pl.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()

    def gap(self, breakdown: str, first: str, second: str) -> pl.DataFrame:
        """Return the difference between two groups, `first` - `second`, of every organisation and measure.

        Columns: `organisation, breakdown, measure, first, second, estimate, std_error, conf_low, conf_high`.
        Null where one of the two is suppressed.

        Raises
        ------
        UnknownNameError
            When there is no such breakdown or group.
        ExtractError
            When so many groups are shown that the gaps between all of them were not worked out.
        """
        rows = self.table.filter(breakdown=breakdown)
        if rows.is_empty():
            raise unknown("breakdown in these replicates", breakdown, self.table["breakdown"].unique().sort())
        for group in (first, second):
            if group not in rows["group"]:
                shown = rows.filter(status="reported")["group"].unique().sort()
                raise unknown(f"group of {breakdown}", group, shown)
        if _most_shown(rows) > GROUPS:
            raise ExtractError(
                f"So many groups of {breakdown} are shown that gaps between them were not worked out",
                expected=f"at most {GROUPS}",
                hint="Use a coarser breakdown, or cross fewer.",
            )
        low, high = sorted((first, second))
        sign = 1 if low == first else -1
        ends = [sign * pl.col("conf_low"), sign * pl.col("conf_high")]
        spread = self._gaps.filter(breakdown=breakdown, low=low, high=high).select(
            *PLACE,
            "std_error",
            conf_low=pl.min_horizontal(ends),
            conf_high=pl.max_horizontal(ends),
        )
        one, other = (rows.filter(group=g).select(*PLACE, "estimate") for g in (first, second))
        return (
            one.join(other, on=PLACE, suffix="_2", maintain_order="left")
            .select(
                *PLACE,
                pl.lit(first).alias("first"),
                pl.lit(second).alias("second"),
                pl.col("estimate") - pl.col("estimate_2"),
            )
            .join(spread, on=PLACE, how="left", maintain_order="left")
        )

    def figure(self, measure: str | None = None, organisation: str | None = None) -> go.Figure:
        """Draw one measure with the middle 95 % of its replicates: the whole, then every group shown.

        Parameters
        ----------
        measure, organisation : str, optional
            The first when left out.
        """

        def words(measure: str, whom: str) -> tuple[str, str]:
            name = measure.replace("_", " ")
            return name, f"{whom}: {name}, middle 95% of {self.draws:,} replicates"

        return groups_figure(self.table, measure, organisation, among="replicates", words=words)

    def summary(self) -> str:
        """Say in a sentence how many replicates there are of how many results."""
        shown = self.table.filter(status="reported").height
        said = f"{self.draws:,} replicates of {self.table.height:,} results, {shown:,} of them shown."
        return " ".join([said, *self.notes])

    def rules(self) -> tuple[str, ...]:
        """Say what is to be known of the edition."""
        return self.notes

    def __repr__(self) -> str:
        shown = self.table.filter(status="reported").height
        measures = ", ".join(self.table["measure"].unique(maintain_order=True))
        return (
            f"Replicates({measures}: {self.draws:,} replicates of {self.table.height:,} results, "
            f"{shown:,} of them shown. See .table and .gap())"
        )

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(f'{self.draws:,} replicates')}</p>{self.table._repr_html_()}"


@verb
def replicate(
    extract: Extract,
    by: Sequence[str | Sequence[str]] = (),
    *,
    measures: Sequence[str],
    statistic: str | Statistic = "mean",
    weights: AnyWeights = None,
    design: Design | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Replicates:
    """Work out standard errors by bootstrap: a check, and the way for medians, gaps and other statistics.

    Parameters
    ----------
    extract : Extract
        A clean extract (`validate(...).extract`).
    by : sequence
        Breakdowns, each on its own; several names in a tuple are crossed.
    measures : sequence of str
        Scores and headline percentages, by id or official code.
    statistic : {"mean", "median"} or callable
        What to estimate. A callable gets the values of a cell's respondents (n) and their weights, one column
        per replicate (n × replicates), and returns one number per replicate. The median is the smallest value
        that at least half of the weight does not exceed.
    weights, design
        As in `estimate`, but not for national figures. Raked weights are raked anew in each replicate.
    draws : int
        How many replicates.
    seed : int
        The same seed draws the same replicates from the same extract, and others from any other, so that the
        seed of what is published may be known.

    Returns
    -------
    Replicates
        `.table` with the estimates, `.gap(breakdown, first, second)` with differences between groups.

    Raises
    ------
    UnknownNameError
        When there is no such measure, breakdown, statistic or weighting.
    ExtractError
        When a measure is named twice or none is, its questions are not in the extract, or draws are too few.

    Notes
    -----
    The rescaled bootstrap: of the n respondents (clusters) of a stratum n - 1 are drawn with replacement, and
    weights are multiplied by n/(n - 1) times how often a respondent was drawn. For means its variance is that
    of Taylor linearisation with `Design(domains="full")`, up to chance and terms of higher order. With
    `design.population` deviations are shortened by the finite population correction.

    What `estimate` of the same breakdowns and weights hides is hidden here as well. How often each respondent
    was drawn follows from the seed together with all that respondents answered, and the replicates themselves
    are not given: with known draws and n replicates the values of n respondents would follow, person by
    person.

    References
    ----------
    Rao & Wu (1988), JASA 83, 231-241; Rao, Wu & Yue (1992), Survey Methodology 18, 209-217.

    Examples
    --------
    >>> from culture_metrics import synthetic
    >>> extract = synthetic.respondents(2024, respondents_per_organisation=300)
    >>> found = replicate(extract, measures=["morale"], statistic="median", draws=50)
    >>> found.table.select("measure", "base").height
    1
    """
    if isinstance(statistic, str) and statistic not in ("mean", "median"):
        raise unknown("statistic", statistic, ("mean", "median"))
    if national(weights):
        raise ExtractError("Replicates are of organisations, not of national figures")
    design = design or Design()
    weighted = respondent_weights(extract, weights)
    names = [extract.edition.measure(m).id for m in measures]
    if not names or len(set(names)) < len(names):
        raise ExtractError("Measures must be named, each once", got=", ".join(names) or "none")
    if type(draws) is not int or draws < FEWEST:
        raise ExtractError("These are not enough draws", got=repr(draws), expected=f"{FEWEST} or more")
    values = _values(extract, names)
    breakdowns = {ALL: (), **crossed(by)}
    columns = list(dict.fromkeys(n for parts in breakdowns.values() for n in parts))
    cells = make_cells(extract.frame, breakdowns, group_codes(extract, columns), design)
    weight = np.ones(extract.frame.height) if weighted.values is None else weighted.values
    estimator = _statistic(statistic)
    whole = _by_cell(values, cells, weight[:, None], estimator)[:, :, 0]
    base = _by_cell(values, cells, weight[:, None], _count)[:, :, 0]
    some = _replicate_weights(extract, design, cells, weighted, draws, seed)
    drawn = np.concatenate([_by_cell(values, cells, w, estimator) for w in some], axis=2)
    rows = cells.keys.with_row_index("cell").sort("organisation", "breakdown", "group")
    order = rows["cell"].to_numpy()
    flat = drawn[order].reshape(len(order) * len(names), -1)
    table = rows.drop("cell")[np.repeat(np.arange(len(order), dtype=np.uint32), len(names))].with_columns(
        pl.Series("measure", names * len(order)),
        pl.Series("estimate", whole[order].ravel(), nan_to_null=True),
        *_spread(flat),
        pl.Series("base", np.nan_to_num(base[order].ravel())).cast(pl.UInt32),
    )
    status = shown_cells(extract, by, weights=weights).select(*KEY, "status", "decimals")
    table = table.join(status, on=KEY, how="left", maintain_order="left").with_columns(
        pl.col("status").fill_null("suppressed_small_base")
    )
    shown = (table["status"] == "reported").to_numpy()
    numbers = ("estimate", "std_error", "conf_low", "conf_high", "base")
    gaps = _gaps(table, flat)
    if table["decimals"].is_not_null().any():
        gaps = gaps.with_columns(pl.col(SPREAD).round(1))
    return Replicates(
        table.with_columns(_rounded(c) for c in numbers[:-1])
        .with_columns(pl.when(pl.Series(shown)).then(pl.col(c)).alias(c) for c in numbers)
        .drop("decimals"),
        draws,
        gaps,
        tuple(extract.edition.survey.remarks(extract.period)),
    )


def _rounded(number: str) -> pl.Expr:
    """Round a number where `estimate` does: in full it tells what few who weigh otherwise answered."""
    found = pl.col(number)
    for few in DECIMALS:
        found = pl.when(pl.col("decimals") == few).then(pl.col(number).round(few)).otherwise(found)
    return found.alias(number)


def _most_shown(rows: pl.DataFrame) -> int:
    """Return how many groups of a breakdown are shown at most, over organisations and measures."""
    shown = rows.filter(status="reported").group_by(PLACE).len()
    return int(shown["len"].max() or 0)  # type: ignore[arg-type]


def _gaps(table: pl.DataFrame, drawn: Numbers) -> pl.DataFrame:
    """Sum up the differences between all groups shown of each breakdown: of `low` less `high` in name."""
    shown = table.with_row_index("row").filter(pl.col("breakdown") != ALL, status="reported").sort("group")
    found = []
    for place, part in shown.group_by(PLACE, maintain_order=True):
        rows, names = part["row"].to_numpy(), part["group"]
        if len(rows) > GROUPS:
            continue
        for i in range(len(rows) - 1):
            gaps = pl.DataFrame(_spread(drawn[rows[i]] - drawn[rows[i + 1 :]]))
            found.append(
                gaps.with_columns(
                    *(pl.lit(name).alias(column) for column, name in zip(PLACE, place, strict=True)),
                    pl.lit(names[i]).alias("low"),
                    names[i + 1 :].alias("high"),
                )
            )
    kinds = dict.fromkeys([*PLACE, "low", "high"], pl.String) | dict.fromkeys(SPREAD, pl.Float64)
    return pl.concat(found).select(*kinds) if found else pl.DataFrame(schema=kinds)


def _values(extract: Extract, names: list[str]) -> Numbers:
    """Return the values of respondents, NaN for none; 100 or 0 for a percentage."""
    answers = answers_of(extract)
    absent = [n for n in names if n not in answers.names]
    if absent:
        raise ExtractError("The questions of some measures are not in the extract", got=", ".join(absent))
    columns = []
    for name in names:
        place = answers.names.index(name) - answers.n_scores
        if place < 0:
            columns.append(answers.values[:, place + answers.n_scores])
            continue
        marks = answers.marked.marks[place]
        values = np.where(marks.imag > 0, 100.0 * marks.real, np.nan)
        columns.append(values[answers.marked.codes[:, answers.marked.column[place]].view(np.uint8)])
    return np.stack(columns, axis=1)


def _replicate_weights(
    extract: Extract, design: Design, cells: Cells, weighted: Weighted, draws: int, seed: int
) -> Iterator[Numbers]:
    """Draw weights, respondents × replicates, some replicates at a time."""
    random = np.random.default_rng(secret_seed(extract.frame, seed))
    units = sampling_units(extract.frame, design)
    kept = np.sqrt(1 - fraction(cells, design))
    held = max(1, HELD // max(extract.frame.height, 1))
    for low in range(0, draws, held):
        times = np.ones((len(units.stratum), min(held, draws - low)))
        for number, share in enumerate(kept):
            here = np.flatnonzero(units.stratum == number)
            n = len(here)
            if n > 1:
                often = random.multinomial(n - 1, np.full(n, 1 / n), size=times.shape[1]).T
                times[here] = 1 + share * (often * (n / (n - 1)) - 1)
        drawn = times[units.of]
        if weighted.raking is not None:
            yield _rake_again(extract, weighted.raking, drawn)
        else:
            yield drawn if weighted.values is None else weighted.values[:, None] * drawn


def _rake_again(extract: Extract, raking: Raking, drawn: Numbers) -> Numbers:
    organisation = codes_of(extract.frame["organisation"])
    weights = drawn.copy()
    for number, name in enumerate(organisation.names):
        rows = np.flatnonzero(organisation.codes == number)
        own = drawn[rows]
        for _ in range(SWEEPS):
            own = sweep(own, raking.margins[name])
        weights[rows] = own
    return weights


def _by_cell(values: Numbers, cells: Cells, weights: Numbers, estimator: Estimator) -> Numbers:
    """Work out a statistic of each cell and measure, for each column of weights."""
    cell_of_part = np.append(cells.pieces.of[cells.parts.of], -1)
    found = np.full((cells.keys.height, values.shape[1], weights.shape[1]), np.nan)
    for block in cells.blocks:
        cell = cell_of_part[cells.part_of(block)]
        for j, y in enumerate(values.T):
            rows = np.flatnonzero((cell >= 0) & np.isfinite(y))
            rows = rows[np.lexsort((y[rows], cell[rows]))]
            if len(rows):
                here, starts = np.unique(cell[rows], return_index=True)
                found[here, j] = estimator(y[rows], weights[rows], starts)
    return found


def _statistic(statistic: str | Statistic) -> Estimator:
    if statistic == "mean":
        return _mean
    if statistic == "median":
        return _median
    assert callable(statistic)

    def each(y: Numbers, w: Numbers, starts: Whole) -> Numbers:
        ends = np.append(starts[1:], len(y))
        # In small cells a replicate may hold nobody.
        with np.errstate(invalid="ignore", divide="ignore"):
            found = [np.asarray(statistic(y[a:b], w[a:b])) for a, b in zip(starts, ends, strict=True)]
        return np.stack(found)

    return each


def _count(y: Numbers, _: Numbers, starts: Whole) -> Numbers:
    return np.diff(np.append(starts, len(y)))[:, None].astype(np.float64)


def _mean(y: Numbers, w: Numbers, starts: Whole) -> Numbers:
    total = np.add.reduceat(w, starts, axis=0)
    sums = np.add.reduceat(w * y[:, None], starts, axis=0)
    return np.divide(sums, total, out=np.full_like(sums, np.nan), where=total > 0)


def _median(y: Numbers, w: Numbers, starts: Whole) -> Numbers:
    """Values come sorted within cells: the median is where the weight passes its half."""
    reached = np.cumsum(w, axis=0)
    before = np.vstack([np.zeros((1, w.shape[1])), reached])[starts]
    total = np.add.reduceat(w, starts, axis=0)
    lengths = np.diff(np.append(starts, len(y)))
    # Half of the weight, less what rounding may have added on the way.
    half = np.repeat(before + total * (0.5 - 1e-12), lengths, axis=0)
    below = np.add.reduceat((reached < half).astype(np.int64), starts, axis=0)
    place = np.minimum(starts[:, None] + below, (starts + lengths - 1)[:, None])
    return np.where(total > 0, y[place], np.nan)


def _spread(drawn: Numbers) -> list[pl.Series]:
    """Return the standard deviation and the middle 95 % of each row."""
    tail = (1 - LEVEL) / 2
    spread = np.full((3, len(drawn)), np.nan)
    known = np.isfinite(drawn).sum(axis=1)
    whole = known == drawn.shape[1]
    # Where no replicate is empty, which is nearly always, it goes far quicker.
    for rows, deviation, quantile in (
        (np.flatnonzero(whole), np.std, np.quantile),
        (np.flatnonzero(~whole & (known > 1)), np.nanstd, np.nanquantile),
    ):
        if len(rows):
            spread[0, rows] = deviation(drawn[rows], axis=1, ddof=1)
            spread[1:, rows] = quantile(drawn[rows], [tail, 1 - tail], axis=1)
    return [pl.Series(name, numbers, nan_to_null=True) for name, numbers in zip(SPREAD, spread, strict=True)]
