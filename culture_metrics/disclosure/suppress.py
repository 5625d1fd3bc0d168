"""Hide small cells of a table, and as many others as it takes that none of them can be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np
import polars as pl

from culture_metrics.disclosure.hide import hide
from culture_metrics.disclosure.release import ABSENT, SHOWN, SMALL, UNTOLD, release_of
from culture_metrics.disclosure.rows import HIDDEN, releases
from culture_metrics.disclosure.rule import Rule
from culture_metrics.disclosure.structure import CELL
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "interval", "base", "effective_base", "percent"]


@overload
def suppress(
    results: pl.DataFrame,
    minimum_base: int = 11,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    distributions: None = None,
) -> pl.DataFrame: ...


@overload
def suppress(
    results: pl.DataFrame,
    minimum_base: int = 11,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    distributions: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]: ...


def suppress(
    results: pl.DataFrame,
    minimum_base: int = 11,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    distributions: pl.DataFrame | None = None,
) -> pl.DataFrame | tuple[pl.DataFrame, pl.DataFrame]:
    """Hide small cells, and as many others as it takes that no hidden one can be worked out.

    Parameters
    ----------
    results : polars.DataFrame
        With the columns of Results; `base` is the number of respondents behind a row. Everything that is
        published together, in one table: what stands in another cannot be taken into account.
    minimum_base : int
        Smallest base that may be shown: 11 by default, 10 in official files.
    minimum_count : int, optional
        Smallest number of respondents that a percentage may count, and leave uncounted.
    parents : polars.DataFrame, optional
        Groups that lie in a group of another breakdown, beyond what the catalogue knows (localities):
        `breakdown, group, parent_breakdown, parent_group`, and `organisation` where that differs.
    distributions : polars.DataFrame, optional
        Distributions that are published with the results: hidden where the headline is, and the headline
        where they are.

    Returns
    -------
    polars.DataFrame, or two of them
        The same rows, and those of `distributions`; hidden ones have no numbers and say why in `status`:
        `suppressed_small_base`, or `suppressed_secondary` when the row would give another one away; or only
        `suppressed`, where it would give something away to say which of the two.

    Raises
    ------
    CultureMetricsError
        When a minimum is not a whole number of at least 1.

    Warns
    -----
    CultureMetricsWarning
        When a release is too large for the search, or when something follows whatever is hidden.

    Notes
    -----
    Sums are those over the groups of a breakdown, over crosses of breakdowns and breakdowns within others,
    over organisations (`all`) and periods (`all`). An element is hidden with its sub-scores. A hidden cell is
    protected when an attacker who knows all that is shown, and from the status what is small, cannot bound
    its base more tightly than to four numbers, nor find any sum of hidden cells with it that holds fewer than
    `minimum_base` people: with that sum would go its results. `audit_disclosure` is that attacker.

    Breakdowns on their own and within others are solved in closed form, for all measures and organisations at
    once; whatever adds up in two ways by integer programming (Fischetti and Salazar 2001), in large tables by
    a greedy choice. Above 50,000 cells × families of such tables (all organisations of the country with their
    sum) each sum is made safe, but not what follows from several put together: a warning says so.

    Examples
    --------
    >>> from culture_metrics import estimate, synthetic
    >>> results = estimate(synthetic.respondents(2024, seed=2), by=["locality_1"])
    >>> results.filter(pl.col("base") < 11).height
    0
    """
    rule = Rule(minimum_base, minimum_count)
    if distributions is None:
        return _without(results, _statuses(results, rule, parents))
    told = pl.concat([results, as_measures(distributions)], how="diagonal_relaxed")
    status = _statuses(told, rule, parents)
    answers = told[results.height :].select(
        *CELL, question="_question", weighting="weighting", source="source"
    )
    answers = answers.with_columns(_status=status[results.height :])
    on = [*CELL, "question", "weighting", "source"]
    found = distributions.select(pl.col(on).cast(pl.String)).join(
        answers, on=on, how="left", maintain_order="left"
    )["_status"]
    return _without(results, status[: results.height]), _without(distributions, found)


def hidden_cells(
    cells: pl.DataFrame,
    measures: list[str],
    base: NDArray[np.float64],
    minimum_base: int,
    *,
    counted: NDArray[np.float64] | None = None,
) -> NDArray[np.int8]:
    """Do what `suppress` does for the bases of cells × measures, as an array.

    Parameters
    ----------
    cells : polars.DataFrame
        `survey, period, organisation, breakdown, group`: each once, in order, all of one survey and period.
    measures : list of str
        Each once, in order.
    base : array
        Respondents, NaN where a cell has no such result.
    minimum_base : int
        Smallest base that may be shown.
    counted : array, optional
        Respondents that percentages count, NaN for other measures: held to the minimum as well, and so are
        those left uncounted.

    Returns
    -------
    array
        Places in `STATUSES`: 0 where a result may be shown.
    """
    rule, there = Rule(minimum_base, None if counted is None else minimum_base), ~np.isnan(base)
    known, state = np.where(there, base, 0.0), np.where(there, SHOWN, ABSENT).astype(np.int8)
    sized = cells.select(CELL).with_columns(pl.Series("size", known.max(axis=1, initial=0.0)))
    release = release_of(sized, pl.Series(measures), known, state, rule, counted=counted, mark=True)
    why = hide(release, rule)
    place = np.zeros(max(HIDDEN.values()) + 1, np.int8)
    for name, code in HIDDEN.items():
        place[code] = STATUSES.index(name)
    # Last come cells that nobody lists. What is hidden for what it counts has no small base.
    why = why[: cells.height]
    return place[np.where((why == SMALL) & (known >= minimum_base), UNTOLD, why)]


def as_measures(distributions: pl.DataFrame) -> pl.DataFrame:
    """Turn Distributions into rows as of Results: one per question, whose measure is its answers."""
    key = [*CELL, "question", "weighting", "source"]
    # Hidden statuses stand after `reported`: one hidden option hides them all.
    each = distributions.group_by(key, maintain_order=True).agg(
        pl.col("base").min(), pl.col("status").cast(pl.Enum(STATUSES)).max()
    )
    return each.rename({"question": "_question"}).with_columns(
        pl.concat_str(pl.lit("answers to "), "_question").alias("measure"),
        pl.lit("score").alias("unit"),
        pl.lit(None, pl.Float64).alias("estimate"),
        *(pl.col(c).cast(pl.String) for c in ("weighting", "source", "status")),
    )


def _statuses(results: pl.DataFrame, rule: Rule, parents: pl.DataFrame | None) -> pl.Series:
    given = results["status"].cast(pl.String)
    why = np.zeros(results.height, np.int8)
    for release, rows in releases(results, rule, parents, mark=True):
        why[rows.row] = hide(release, rule)[rows.cell, rows.measure]
    names = {code: name for name, code in HIDDEN.items()}
    found = pl.Series(why).replace_strict(names, default=None, return_dtype=pl.String)
    # What was hidden before keeps its reason, unless that would give something away.
    changed = (given == "reported") | (given.is_in([*HIDDEN]) & (found == "suppressed"))
    return found.zip_with(changed & found.is_not_null(), given)


def _without(table: pl.DataFrame, status: pl.Series) -> pl.DataFrame:
    """Take the numbers of hidden rows out."""
    shown = status == "reported"
    numbers = [c for c in NUMBERS if c in table.columns]
    return table.with_columns(
        status.cast(table.schema["status"]).alias("status"),
        *(pl.when(shown).then(pl.col(c)).alias(c) for c in numbers),
    )
