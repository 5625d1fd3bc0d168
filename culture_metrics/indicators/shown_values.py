"""What of the means of any numbers may be shown: decided from the respondents, for one call."""

from __future__ import annotations

import warnings
from itertools import permutations
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from culture_metrics.disclosure.decision import GROUP
from culture_metrics.disclosure.people import hide_people
from culture_metrics.disclosure.release import family_names
from culture_metrics.indicators.atoms import atoms_of, tables_of
from culture_metrics.indicators.decoding import decode
from culture_metrics.indicators.layers import rows_in
from data_schemas.columns import HIDDEN_STATUSES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from culture_metrics.indicators.cells import Cells

    Flags = NDArray[np.bool_]

#: Among so many measures those are sought that are the same for whom both have.
MOST_ALIKE = 40
NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base"]


def hide_values(
    table: pl.DataFrame,
    cells: Cells,
    numbers: NDArray[np.float64],
    there: Flags,
    weight: NDArray[np.float64] | None,
    organisation: NDArray[np.int64],
    minimum_base: int,
    earlier: tuple[Flags, Flags],
) -> pl.DataFrame:
    """Hide more of a table of estimates, until no few respondents follow from what it shows.

    Parameters
    ----------
    table : polars.DataFrame
        `survey, period, organisation, breakdown, group, measure, …, status`, measures fastest: hidden as far
        as the names of groups say.
    cells : Cells
        Who is in which group.
    numbers, there : array
        Respondents × measures in the order of the table: values, and who counts.
    weight : array, optional
        What each weighs, where somebody outside can know it.
    organisation : array
        The number of each one's organisation.
    minimum_base : int
        Smallest number of respondents that may follow.
    earlier : two arrays
        By row of the table: whether an earlier call showed it; whether it is of one and was not shown there.
    """
    measures = table["measure"].unique(maintain_order=True)
    groups = table.select(GROUP).unique(maintain_order=True)
    names = family_names(table.select("survey", "period").unique(), measures)
    family = names.rank("dense").cast(pl.Int64).to_numpy().copy()
    gone = table["status"].is_in(HIDDEN_STATUSES).to_numpy().reshape(groups.height, len(measures))
    tables = tables_of(cells, together=False)
    layers: list[tuple[int, int | None]] = [(place, None) for place in range(len(tables))]
    weights = [] if weight is None else [weight]
    layers += [(place, 0) for place in range(len(tables)) if weights]
    rows = [rows_in(groups, each.groups) for each in tables]
    rounded = np.zeros_like(gone)
    if weights:
        percent = np.array([np.isin(own[np.isfinite(own)], (0, 1)).all() for own in numbers.T])
        each = decode(
            tables, [weights] * len(tables), there, [gone[at] for at in rows], percent, minimum_base
        )
        for at, told in zip(rows, each, strict=True):
            gone[at] |= told.hidden
            rounded[at] |= told.rounded
    only, shared = _alike(numbers, there)
    for one, other in shared:
        family[family == family[other]] = family[one]
    # Everyone comes first, whatever they have; last who has one of two measures that are otherwise the same.
    more = family[[one for one, _ in shared]] if shared else np.empty(0, np.int64)
    bases = np.hstack([np.ones((len(there), 1), bool), there, only]), np.concatenate([[0], family, more])
    fixed, unasked = (flags.reshape(gone.shape) for flags in earlier)
    gone |= unasked
    hidden, looked = np.zeros_like(gone), np.zeros(groups.height, bool)
    for atoms in atoms_of(tables, weights, organisation):
        people = atoms.people(layers, bases)
        own = np.concatenate([rows[place][atoms.cells(place)] for place, _ in layers])
        counts = np.concatenate([atoms.groups(place) @ people.counts for place, _ in layers])
        must = (counts > 0) & (counts < minimum_base)
        counts = counts[:, : len(measures) + 1]
        must[:, 1 : len(measures) + 1] |= gone[own] & (counts[:, 1:] > 0)
        small = np.zeros((len(own), family.max() + 1), bool)
        must[:, 0] |= gone[own].all(axis=1)
        np.logical_or.at(small.T, bases[1], must.T)
        known = np.zeros_like(small)
        there = np.insert(fixed[own], 0, fixed[own].any(axis=1), axis=1)
        np.logical_or.at(known.T, bases[1][: len(measures) + 1], there.T)
        found = hide_people(people, small, known & ~small, minimum_base)
        added = (found & ~small).any()
        np.logical_or.at(hidden, own, found[:, family] & (counts[:, 1:] > 0))
        looked[own] |= added
    # Where more is hidden than names lead to, no row says which groups are small.
    why = pl.Series("_hidden", (hidden | (gone & looked[:, None])).ravel())
    step = pl.Series(np.where(rounded, _steps(numbers), np.nan).ravel(), nan_to_null=True)
    few = [pl.coalesce((pl.col(n) / step).round() * step, n).alias(n) for n in NUMBERS[:4]]
    return table.with_columns(few).with_columns(
        *(pl.when(~why).then(pl.col(name)).alias(name) for name in NUMBERS),
        pl.when(~why)
        .then(pl.col("status"))
        .otherwise(pl.lit("suppressed", table.schema["status"]))
        .alias("status"),
    )


def _steps(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by measure a power of ten of which there are 100 to 1,000 in the range of its values."""
    values = np.where(np.isfinite(numbers), numbers, np.nan)
    with warnings.catch_warnings():
        # Nobody has a value.
        warnings.simplefilter("ignore", RuntimeWarning)
        span = np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
    return np.asarray(10.0 ** np.ceil(np.log10(np.where(span > 0, span, 1.0)) - 3))


def _alike(numbers: NDArray[np.float64], there: Flags) -> tuple[Flags, list[tuple[int, int]]]:
    """Find measures that are the same where both are there: respondents that only one has, and the pairs."""
    only, pairs = [np.empty((len(there), 0), bool)], []
    for one, other in permutations(range(there.shape[1]) if there.shape[1] <= MOST_ALIKE else (), 2):
        both = there[:, one] & there[:, other]
        left = there[:, one] & ~there[:, other]
        if both.any() and left.any() and np.array_equal(numbers[both, one], numbers[both, other]):
            only.append(left[:, None])
            pairs.append((one, other))
    return np.hstack(only), pairs
