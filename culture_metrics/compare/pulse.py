"""Run charts of the quarterly pulse: XmR limits and the rules of the NHS "making data count" programme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.pairs import gather
from culture_metrics.compare.pulse_words import NEAR, OUTSIDE, SHIFT, TREND, finding, in_short
from culture_metrics.contract import ALL
from culture_metrics.errors import ComparabilityError, ResultsError, unknown
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted
from culture_metrics.results.words import SOURCES
from culture_metrics.wording.numbers import held_back, shown
from culture_metrics.wording.periods import period_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go
    from numpy.typing import NDArray

    from culture_metrics.compare.pairs import Given

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

#: Limits stand 2.66 mean moving ranges from the mean; a moving range above 3.267 of them is no measure of it.
LIMIT, LARGEST_RANGE = 2.66, 3.267
#: Points in a row that make a shift or a trend.
RUN = 7
#: Below so many points limits move with every new one.
SETTLED, FEWEST = 13, 3


@dataclass(frozen=True, repr=False, eq=False)
class RunChart(Output):
    """One measure of the pulse over time, with its limits.

    Attributes
    ----------
    table : polars.DataFrame
        One row per pulse quarter from the first to the last, those without results too: `period, estimate,
        base, status` ("missing" where there are no results), `source`, `moving_range, mean,
        limit_low, limit_high` (null where no quarters follow each other, or nothing moved), `special_cause`
        (which rules, or null),
        `point` (common cause, improvement, concern; special cause where no side is the better one).
    annual : polars.DataFrame
        The annual survey's results of the same measure: `period, estimate, base`. Another survey: not in the
        limits and not to be compared in level.
    measure, organisation, survey : str
        What and whose, and in which survey.
    provisional : bool
        True when the limits rest on fewer than 13 points that follow each other, or there are none.
    name : str
        What figures call the organisation, instead of its code.
    """

    table: pl.DataFrame
    annual: pl.DataFrame
    measure: str
    organisation: str
    survey: str
    provisional: bool
    name: str = ""

    @property
    def label(self) -> str:
        """What the measure is called."""
        return catalogue(self.survey).edition(str(self.table["period"][-1])).measure(self.measure).label

    @property
    def unit(self) -> str:
        """Its unit."""
        return catalogue(self.survey).edition(str(self.table["period"][-1])).measure(self.measure).unit

    @property
    def finding(self) -> str | None:
        """What moved beyond chance and since when, in a sentence; None where nothing did."""
        said = finding(self.table, self.label, self.unit)
        return None if said is None else f"{said}{self._early()}"

    def _early(self) -> str:
        quarters = self.table["estimate"].count()
        return f" The limits rest on {quarters} quarters and are provisional." if self.provisional else ""

    def figure(self) -> go.Figure:
        """Draw the run chart: mean, limits, special causes, gaps, and when the annual survey was."""
        from culture_metrics import views

        survey = catalogue(self.survey)
        whom = self.name or ("England" if self.organisation == ALL else self.organisation)
        sources = self.table["source"].drop_nulls().unique().sort()
        return views.run_chart(
            self.table,
            annual=self.annual,
            unit=self.unit,
            title=f"{whom}, {self.label}: {in_short(self.table)}",
            subtitle=f"{survey.label}, {survey.named(self.table['period'][0], self.table['period'][-1])}",
            source=" and ".join(SOURCES[name] for name in sources),
            provisional=self.provisional,
        )

    def summary(self) -> str:
        """Say in plain sentences whether anything but chance is seen, and what is missing."""
        first = self.table.row(0, named=True)
        whole = catalogue(self.survey).named(first["period"], self.table["period"][-1])
        said = [f"{self.label}, {whole}: {_levels(first, self.unit)}."]
        seen = self.table.filter(pl.col("special_cause").is_not_null())
        said += [
            f"{period_words(r['period'])} ({shown(r['estimate'], self.unit)}): {r['special_cause']}."
            for r in seen.iter_rows(named=True)
        ] or [self.unmoved]
        missing = self.table.filter(status="missing")["period"].to_list()
        if missing:
            said.append(f"No results of {', '.join(map(period_words, missing))}: left out, not filled in.")
        hidden = self.table.filter(held_back())["period"].to_list()
        if hidden:
            said.append(f"Held back, too few answered: {', '.join(map(period_words, hidden))}.")
        if self.provisional and first["limit_low"] is not None:
            said.append(f"The limits rest on fewer than {SETTLED} quarters in a row and are provisional.")
        if self.annual.height:
            said.append("The annual survey is another survey: its level is not compared with the pulse.")
        return " ".join(said)

    @property
    def unmoved(self) -> str:
        """Say what no special cause means: with limits, that chance is enough; without, nothing."""
        if self.table["limit_low"][0] is not None:
            return "The quarters vary no more than chance and the size of the survey let expect."
        follow = "Quarters that follow each other do not differ"
        if not self.table["moving_range"].count():
            follow = "No two quarters that follow each other have results"
        return f"{follow}, so that nothing says how far chance reaches."

    def __repr__(self) -> str:
        row, seen = self.table.row(-1, named=True), self.table["special_cause"].count()
        return (
            f"RunChart({self.measure} of {self.organisation}, {self.table['period'][0]} to {row['period']}: "
            f"{_levels(row, self.unit)}, "
            f"{counted(seen, 'special-cause point')}. See .table and .summary())"
        )


@verb
def run_chart(
    results: Given,
    measure: str | None = None,
    *,
    organisation: str = ALL,
    annual: Given | None = None,
) -> RunChart:
    """Chart one measure of a quarterly survey over time (an XmR chart).

    Parameters
    ----------
    results : Results, Published, polars.DataFrame or sequence of them
        Results of a survey of quarters: one a quarter, or a table of several quarters.
    measure : str, optional
        Id, official code or alias; the headline score of the survey when left out.
    organisation : str
        ODS code; England ("all") when left out.
    annual : Results, Published or polars.DataFrame, optional
        Results of the annual survey, to mark when it was; never part of the limits.

    Returns
    -------
    RunChart
        `.table`, `.annual`, `.figure()`, `.summary()`.

    Raises
    ------
    ComparabilityError
        When the survey is not one of quarters: five annual points make no control chart.
    UnknownNameError
        When there is no such measure or organisation.
    ResultsError
        When fewer than three quarters have a figure.

    Notes
    -----
    Mean of all quarters; limits 2.66 mean moving ranges either side (Wheeler 1993), without moving ranges
    above 3.267 times their mean. A moving range is taken between two quarters of the survey that follow each
    other (the national pulse has none in the third) and not across a missing quarter, which also ends a run.
    Rules as NHS England's making data count programme has them and NHSRplotthedots computes them: a point
    outside the limits; seven in a row on one side of the mean; seven in a row rising or falling; two of three
    on one side in the outer third. Which way a point goes is told by the first of outside, trend, two of
    three and shift that it breaks: seven falling in a row are a concern above the mean as well, where higher
    is better.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> quarters = [f"{year}-{q}" for year in (2022, 2023) for q in ("Q1", "Q2", "Q4")]
    >>> results = [
    ...     estimate(synthetic.respondents(q, 1, 300, survey="national_quarterly_pulse")) for q in quarters
    ... ]
    >>> chart = run_chart(results, organisation="SYN01")
    >>> chart.table.height, chart.provisional
    (6, True)
    """
    stuff = gather(results, None)
    survey = catalogue(stuff.survey)
    if survey.cycle != "quarter":
        raise ComparabilityError(
            "Run charts are for surveys of quarters, as the quarterly pulse",
            got=survey.label,
            hint="Annual points are too few for limits: use compare_years or trend.",
        )
    periods = stuff.frame["period"].unique().sort().to_list()
    edition = survey.edition(periods[-1])
    name = edition.measure(measure or edition.headline).id
    known = stuff.frame["organisation"].unique().sort().to_list()
    if organisation not in known:
        raise unknown("organisation in these results", organisation, known)
    whole = (
        (pl.col("breakdown") == ALL) & (pl.col("organisation") == organisation) & (pl.col("measure") == name)
    )
    text = pl.col("status", "source").cast(pl.String)
    found = stuff.frame.filter(whole).select("period", "estimate", "base", text)
    rows = pl.DataFrame({"period": calendar(periods, survey.quarters)}).join(
        found, on="period", how="left", maintain_order="left"
    )
    rows = rows.with_columns(pl.col("status").fill_null("missing"))
    values = rows["estimate"].to_numpy().astype(float)
    if np.isfinite(values).sum() < FEWEST:
        raise ResultsError(
            "Too few quarters have a figure for a run chart",
            where=f"{organisation}, {name}",
            expected=f"at least {FEWEST} quarters",
            got=f"{int(np.isfinite(values).sum())}",
        )
    mean, reach, ranges = limits(values)
    causes, way = special_causes(values, mean, reach)
    good = {"higher": 1.0, "lower": -1.0}.get(edition.measure(name).direction, 0.0)
    table = rows.with_columns(
        pl.Series("moving_range", ranges).fill_nan(None),
        mean=pl.lit(mean),
        limit_low=pl.lit(mean - reach).fill_nan(None),
        limit_high=pl.lit(mean + reach).fill_nan(None),
        special_cause=pl.Series("special_cause", causes, pl.String),
        _way=pl.Series(way * good),
    ).with_columns(
        point=pl.when(pl.col("estimate").is_null())
        .then(None)
        .when(pl.col("special_cause").is_null())
        .then(pl.lit("common cause"))
        .when(pl.col("_way") > 0)
        .then(pl.lit("improvement"))
        .when(pl.col("_way") < 0)
        .then(pl.lit("concern"))
        .otherwise(pl.lit("special cause"))
    )
    return RunChart(
        table=table.drop("_way"),
        annual=_annual(annual, name, organisation, survey.id),
        measure=name,
        organisation=organisation,
        survey=survey.id,
        # Limits rest on moving ranges: gaps take these away.
        provisional=bool(np.isfinite(ranges).sum() < SETTLED - 1),
    )


def _levels(row: Mapping[str, Any], unit: str) -> str:
    """Say the mean and the limits."""
    mean = f"mean {shown(row['mean'], unit)}"
    if row["limit_low"] is None:
        return f"{mean}, no limits"
    return f"{mean}, limits {shown(row['limit_low'], unit)} to {shown(row['limit_high'], unit)}"


def calendar(periods: Sequence[str], quarters: Sequence[str]) -> list[str]:
    """Return every quarter of the survey from the first to the last, and whatever else there is.

    Examples
    --------
    >>> calendar(["2022-Q2", "2023-Q1"], ["Q1", "Q2", "Q4"])
    ['2022-Q2', '2022-Q4', '2023-Q1']
    """
    years = range(int(min(periods)[:4]), int(max(periods)[:4]) + 1)
    due = [f"{year}-{quarter}" for year in years for quarter in quarters]
    return sorted({p for p in due if min(periods) <= p <= max(periods)} | set(periods))


def limits(values: Floats) -> tuple[float, float, Floats]:
    """Return the mean, how far the limits stand from it, and the moving ranges (NaN across a gap).

    Where no two quarters follow each other, or nothing moved where they do, there are no limits: NaN.
    """
    ranges = np.concatenate([[np.nan], np.abs(np.diff(values))])
    mean = float(np.nanmean(values))
    if not (ranges > _rounding(values)).any():
        return mean, float("nan"), ranges
    kept = ranges[ranges < LARGEST_RANGE * np.nanmean(ranges)]
    return mean, LIMIT * float(kept.mean()), ranges


def special_causes(values: Floats, mean: float, reach: float) -> tuple[list[str | None], Floats]:
    """Return, for each point, the rules that it breaks, or None, and which way they point (1 up, -1 down).

    Of several rules the way is that of the first: outside, trend, near, shift. A trend has its own, which is
    not the side of the mean; a point that two trends share has that of the later one.
    """
    least = _rounding(values)
    away, steps = np.nan_to_num(values - mean), np.nan_to_num(np.diff(values))
    side, steps = np.sign(away) * (np.abs(away) > least), np.sign(steps) * (np.abs(steps) > least)
    far = np.abs(away) - least
    outside = far > reach
    near = ~outside & (far > reach * 2 / 3)
    trend = _within(np.abs(_sums(steps, RUN - 1)) == RUN - 1, RUN, len(values))
    flags = {
        OUTSIDE: outside,
        SHIFT: _within(np.abs(_sums(side, RUN)) == RUN, RUN, len(values)),
        TREND: trend,
        NEAR: near
        & _within((_sums(near.astype(float), 3) >= 2) & (np.abs(_sums(side, 3)) == 3), 3, len(values)),
    }
    goes_on = trend & np.append(trend[1:], False)
    way = np.where(goes_on, np.append(steps, 0.0), np.insert(steps, 0, 0.0))
    beyond = outside | flags[NEAR] | flags[SHIFT]
    direction = np.where(trend & ~outside, way, np.where(beyond, side, 0.0))
    broken = [[rule for rule, flag in flags.items() if flag[i]] for i in range(len(values))]
    return ["; ".join(rules) or None for rules in broken], direction


def _rounding(values: Floats) -> float:
    """Return below what differences are those of adding up floats."""
    return 1e-9 * max(1.0, float(np.nanmax(np.abs(values))))


def _sums(values: Floats, size: int) -> Floats:
    """Sum all windows of so many points in a row."""
    if len(values) < size:
        return np.zeros(0)
    found: Floats = np.lib.stride_tricks.sliding_window_view(values, size).sum(axis=1)
    return found


def _within(starts: Flags, size: int, length: int) -> Flags:
    """Mark every point of the windows that begin where `starts` says."""
    marked = np.zeros(length, dtype=bool)
    for offset in range(size):
        marked[offset : offset + len(starts)] |= starts
    return marked


def _annual(annual: Given | None, measure: str, organisation: str, survey: str) -> pl.DataFrame:
    schema = {"period": pl.String, "estimate": pl.Float64, "base": pl.UInt32}
    if annual is None:
        return pl.DataFrame(schema=schema)
    own = gather(annual, None).frame.filter(
        (pl.col("measure") == measure)
        & (pl.col("breakdown") == ALL)
        & (pl.col("organisation") == organisation)
    )
    if (own["survey"] == survey).any():
        raise ComparabilityError("annual= takes results of the annual survey", where="run_chart")
    return own.select(list(schema)).sort("period")
