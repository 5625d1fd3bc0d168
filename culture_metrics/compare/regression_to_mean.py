"""How much of a low trust's recovery would have come anyway: regression to the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.comparable import refuse, why_not
from culture_metrics.compare.pairs import gather
from culture_metrics.compare.prepare import paired
from culture_metrics.compare.standing import side
from culture_metrics.contract import ALL
from culture_metrics.errors import ResultsError
from culture_metrics.output import Output, verb
from culture_metrics.problems import counted
from culture_metrics.wording.numbers import DECIMALS

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from culture_metrics.compare.pairs import Given

    pass

#: Fewest organisations that a correlation of two years is taken from.
FEWEST = 20


@dataclass(frozen=True, repr=False, eq=False)
class Recovery(Output):
    """The lowest organisations of a year, and what became of them.

    Attributes
    ----------
    table : polars.DataFrame
        One row per organisation of the bottom tenth of its benchmark group: `organisation, benchmark_group,
        estimate_from, estimate_to, gap_from, gap_to` (how far it stood below the mean of its
        group, in points or score units, higher is worse), `recovery` (gap closed), `expected` (what
        regression to the mean closes anyway), `expected_low, expected_high` (95 % prediction interval),
        `share_expected` (expected over recovery, null where nothing was recovered), `beyond` (whether the
        recovery lies outside the interval).
    persistence : float
        Slope of the later gap on the earlier one over all organisations: what part of a gap is still there.
    measure, from_period, to_period : str
        What was looked at.
    """

    table: pl.DataFrame
    persistence: float
    measure: str
    survey: str
    from_period: str
    to_period: str

    def figure(self) -> go.Figure:
        """Draw what each recovered beyond what was to be expected, with its 95 % prediction interval."""
        from culture_metrics import views

        found = catalogue(self.survey).edition(self.to_period).measure(self.measure)
        beyond = int(self.table["beyond"].sum())
        several = counted(self.table.height, "organisation")
        drawn = self.table.sort("recovery", descending=True).select(
            label="organisation",
            estimate=pl.col("recovery") - pl.col("expected"),
            conf_low=pl.col("recovery") - pl.col("expected_high"),
            conf_high=pl.col("recovery") - pl.col("expected_low"),
            strong="beyond",
        )
        return views.estimates(
            drawn,
            axis="Gap closed beyond regression to the mean",
            decimals=DECIMALS[found.unit],
            title=f"{found.label}: {beyond} of {several} recovered by more than chance allows for",
            subtitle=f"The bottom tenth of each group in {self.from_period}, in {self.to_period}",
        )

    def summary(self) -> str:
        """Say in plain sentences how much of the recovery was to be expected."""
        label = catalogue(self.survey).edition(self.to_period).measure(self.measure).label
        n, beyond = self.table.height, int(self.table["beyond"].sum())
        closed = self.table.select(pl.col("recovery").mean()).item()
        anyway = self.table.select(pl.col("expected").mean()).item()
        return (
            f"{label}: {n} organisations stood in the bottom tenth of their group in {self.from_period}. By "
            f"{self.to_period} they were {closed:.2f} nearer to its mean; {anyway:.2f} of that is what "
            f"regression to the mean would give anyway. {beyond} recovered by more than that allows for."
        )

    def __repr__(self) -> str:
        return f"Recovery({self.summary()} See .table and .persistence)"


@verb
def recovery(
    results: Given,
    from_period: str | int,
    to_period: str | int,
    measure: str,
    *,
    release: str | int | None = None,
) -> Recovery:
    """Compare the recovery of the lowest organisations with what regression to the mean gives anyway.

    Parameters
    ----------
    results : Published, Results, polars.DataFrame or sequence of them
        Published results of both periods, with benchmark groups.
    from_period, to_period : str or int
        The earlier and the later period.
    measure : str
        Id or official code.
    release : str or int, optional
        As in `compare_years`.

    Returns
    -------
    Recovery
        `.table` and `.persistence`.

    Raises
    ------
    ComparabilityError
        When the measure may not be compared between the periods.
    ResultsError
        When fewer than 20 organisations have it in both.

    Notes
    -----
    Gaps are distances from the mean of the benchmark group in each year, so that a change of the whole group
    is no recovery. The later gap is regressed on the earlier one over all organisations (Galton; Barnett, van
    der Pols and Dobson 2005): an organisation with gap g is expected at `persistence` times g, and (1 -
    persistence) times g closes of itself, because part of a low figure is chance and passing trouble. The
    interval is the regression's prediction interval. That a recovery lies beyond it does not say what brought
    it about.

    Examples
    --------
    >>> recovery([], 2022, 2023, "q25c")
    Traceback (most recent call last):
        ...
    culture_metrics.errors.ComparabilityError: There are no results to compare
    """
    stuff = gather(results, None if release is None else str(release))
    periods = (str(from_period), str(to_period))
    survey = catalogue(stuff.survey)
    marked = paired(stuff, survey, periods, None, [measure])
    refuse(marked, marked["measure"].unique(), survey, periods)
    rows = (
        marked.with_columns(why=why_not(survey, insisted=False))
        .filter(
            pl.col("why").is_null() & (pl.col("breakdown") == ALL) & pl.col("benchmark_group").is_not_null()
        )
        .with_columns(side=side())
    )
    if rows.height < FEWEST:
        raise ResultsError(
            "Too few organisations have the measure in both years",
            expected=f"at least {FEWEST} with a benchmark group",
            got=f"{rows.height}",
        )
    gaps = rows.with_columns(
        (
            pl.col("side")
            * (pl.col(f"estimate_{e}").mean().over("benchmark_group") - pl.col(f"estimate_{e}"))
        ).alias(f"gap_{e}")
        for e in ("from", "to")
    )
    low = (
        gaps["gap_from"]
        >= gaps.select(pl.col("gap_from").quantile(0.9, "higher").over("benchmark_group"))["gap_from"]
    )
    slope, expected, half = _regress(gaps["gap_from"].to_numpy(), gaps["gap_to"].to_numpy())
    table = (
        gaps.with_columns(
            recovery=pl.col("gap_from") - pl.col("gap_to"),
            expected=pl.col("gap_from") - pl.Series(expected),
            half=pl.Series(half),
        )
        .filter(low & (pl.col("gap_from") > 0))
        .with_columns(
            expected_low=pl.col("expected") - pl.col("half"),
            expected_high=pl.col("expected") + pl.col("half"),
            share_expected=pl.when(pl.col("recovery") > 0).then(pl.col("expected") / pl.col("recovery")),
            beyond=pl.col("recovery") > pl.col("expected") + pl.col("half"),
        )
        .sort("gap_from", descending=True)
        .select(
            "organisation", "benchmark_group", "estimate_from", "estimate_to", "gap_from", "gap_to",
            "recovery", "expected", "expected_low", "expected_high", "share_expected", "beyond",
        )
    )  # fmt: skip
    return Recovery(table, slope, str(marked["measure"][0]), stuff.survey, *periods)


def _regress(
    x: np.ndarray[tuple[int], np.dtype[np.float64]], y: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[float, np.ndarray[tuple[int], np.dtype[np.float64]], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Slope of the later gap on the earlier, what it predicts, and half of the 95 % prediction interval."""
    import statsmodels.api as sm

    design = sm.add_constant(x)
    fit = sm.OLS(y, design).fit()
    frame = fit.get_prediction(design).summary_frame(alpha=0.05)
    mean = frame["mean"].to_numpy()
    return float(fit.params[1]), mean, frame["obs_ci_upper"].to_numpy() - mean
