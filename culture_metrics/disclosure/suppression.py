"""Hide small cells of a table, and as many others as it takes that none of them can be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

import numpy as np
import polars as pl

from culture_metrics.disclosure.hide import hide
from culture_metrics.disclosure.odd import odd_sums, warning_of, words_for
from culture_metrics.disclosure.release import ABSENT, SHOWN, SMALL, UNTOLD, release_of
from culture_metrics.disclosure.rows import HIDDEN, as_measures, is_distributions, releases, together
from culture_metrics.disclosure.rule import Rule, rule_of
from culture_metrics.disclosure.structure import CELL
from culture_metrics.errors import CultureMetricsWarning, warn
from data_schemas.columns import FAULTY, STATUSES

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

#: Of several statuses the last one holds for all.
LATER = [
    "reported", "suppressed_secondary", "suppressed_small_base", "suppressed", "not_asked", "not_scored",
    FAULTY,
]  # fmt: skip
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "interval", "base", "effective_base", "percent"]


@overload
def suppress(
    results: pl.DataFrame,
    minimum_base: int | None = None,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    distributions: None = None,
) -> pl.DataFrame: ...


@overload
def suppress(
    results: pl.DataFrame,
    minimum_base: int | None = None,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    distributions: pl.DataFrame,
) -> tuple[pl.DataFrame, pl.DataFrame]: ...


def suppress(
    results: pl.DataFrame,
    minimum_base: int | None = None,
    *,
    minimum_count: int | None = None,
    parents: pl.DataFrame | None = None,
    national: Collection[str] | None = None,
    distributions: pl.DataFrame | None = None,
) -> pl.DataFrame | tuple[pl.DataFrame, pl.DataFrame]:
    """Do what the verb `culture_metrics.suppress` does, for tables."""
    rule = rule_of(results, minimum_base, minimum_count)
    by_option = minimum_count is not None
    if is_distributions(results):
        told = as_measures(results, by_option=by_option)
        return _without(results, _by_option(results, told, _statuses(told, rule, parents, national)))
    if distributions is None:
        return _without(results, _statuses(results, rule, parents, national))
    told = together(results, distributions, by_option=by_option)
    status, n = _statuses(told, rule, parents, national), results.height
    of_options = _by_option(distributions, told[n:], status[n:])
    return _without(results, status[:n]), _without(distributions, of_options)


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
    counts = None if counted is None else (counted, np.fmin(counted, known - counted))
    release = release_of(sized, pl.Series(measures), known, state, rule, counts=counts, mark=True)
    why = hide(release, rule)
    place = np.zeros(max(HIDDEN.values()) + 1, np.int8)
    for name, code in HIDDEN.items():
        place[code] = STATUSES.index(name)
    # Last come cells that nobody lists. What is hidden for what it counts has no small base.
    why = why[: cells.height]
    return place[np.where((why == SMALL) & (known >= minimum_base), UNTOLD, why)]


def _statuses(
    results: pl.DataFrame, rule: Rule, parents: pl.DataFrame | None, national: Collection[str] | None
) -> pl.Series:
    given = results["status"].cast(pl.String)
    why = np.zeros(results.height, np.int8)
    odd = []
    for release, rows in releases(results, rule, parents, national, mark=True):
        odd.append(words_for(release, odd_sums(release, rule, same_rule=False)))
        why[rows.row] = hide(release, rule)[rows.cell, rows.measure]
    if found_odd := [table for table in odd if table.height]:
        warn(warning_of(pl.concat(found_odd)), CultureMetricsWarning)
    names = {code: name for name, code in HIDDEN.items()}
    found = pl.Series(why).replace_strict(names, default=None, return_dtype=pl.String)
    # What was hidden before keeps its reason, unless that would give something away.
    changed = (given == "reported") | (given.is_in([*HIDDEN]) & (found == "suppressed"))
    return found.zip_with(changed & found.is_not_null(), given)


def _by_option(distributions: pl.DataFrame, told: pl.DataFrame, status: pl.Series) -> pl.Series:
    """Give every response option the status of its question: the last one that any of them has."""
    on = [*CELL, "question", "weighting", "source"]
    named = told.select(*CELL, "weighting", "source", question="_question", _status=status)
    of_question = named.group_by(on).agg(pl.col("_status").cast(pl.Enum(LATER)).max().cast(pl.String))
    options = distributions.select(pl.col(on).cast(pl.String))
    return options.join(of_question, on=on, how="left", maintain_order="left")["_status"]


def _without(table: pl.DataFrame, status: pl.Series) -> pl.DataFrame:
    """Take the numbers of hidden rows out."""
    shown = status == "reported"
    numbers = [c for c in NUMBERS if c in table.columns]
    return table.with_columns(
        status.cast(table.schema["status"]).alias("status"),
        *(pl.when(shown).then(pl.col(c)).alias(c) for c in numbers),
    )
