"""Groups too small to be shown share one weight, so that weighted totals give none of them away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from culture_metrics.contract import ALL
from culture_metrics.disclosure.suppression import hidden_cells
from culture_metrics.errors import ExtractError, SmallBaseWarning, warn
from culture_metrics.indicators.answers import answers_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from culture_metrics.extracts.extract import Extract

    Flags = NDArray[np.bool_]
    Numbers = NDArray[np.float64]
    Whole = NDArray[np.integer[Any]]

#: Share of respondents from which on a measure is one for all of them.
ANSWERED = 0.8
#: Organisations that a warning names.
NAMED = 3


def least_base(pool_below: int | None, minimum_base: int) -> int:
    """Return from how many respondents on a group has a weight of its own."""
    if pool_below is None:
        return minimum_base
    if type(pool_below) is not int or pool_below < 1:
        raise ExtractError(
            "pool_below is not a whole number of at least 1",
            got=repr(pool_below),
            hint="Leave it out for the minimum base; 1 pools nothing.",
        )
    return pool_below


def answered(extract: Extract) -> Flags:
    """Say who counts in what, respondents × measures: as such, first, then in the base of each measure."""
    everybody = np.ones((extract.frame.height, 1), bool)
    if not any(c in extract.edition.columns for c in extract.frame.columns):
        return everybody
    answers = answers_of(extract)
    marked = answers.marked
    shares = [
        marks.imag[marked.codes[:, column].view(np.uint8)] > 0
        for marks, column in zip(marked.marks, marked.column, strict=True)
    ]
    return np.hstack([everybody, np.isfinite(answers.values), *(share[:, None] for share in shares)])


def bases_of(codes: Whole, size: int, there: Flags) -> Numbers:
    """Count who is there by code and measure; what few of all answer (routed questions) counts as nobody."""
    asked = there.mean(axis=0) >= ANSWERED
    return np.stack([np.bincount(codes, column, size) for column in (there & asked).T], axis=1)


def to_pool(bases: Numbers, least: int) -> Flags:
    """Say which groups of each table would be hidden in some measure if it was published with its total.

    Parameters
    ----------
    bases : numpy.ndarray
        Tables × groups × measures; the last group are respondents whose group is not known.
    least : int
        Smallest base that may be shown.

    Notes
    -----
    These are the small groups, and so many of the next smallest that together they reach the minimum and
    none can be worked out: what `suppress` hides, whether the total counts those whose group is not known, as
    in Results, or not. Few of these are one more small group: with a weight of their own they could be told
    apart from it.
    """
    few = np.where(bases[:, -1] < least, bases[:, -1], 0.0)
    listed = bases[:, :-1]
    pooled = _hidden(listed, bases.sum(axis=1), least)
    with_few = np.concatenate([listed, few[:, None]], axis=1)
    known = _hidden(with_few, with_few.sum(axis=1), least)
    return np.hstack([pooled | known[:, :-1], known[:, -1:]])


def _hidden(groups: Numbers, total: Numbers, least: int) -> Flags:
    """Say which groups of tables × groups × measures are hidden in some measure."""
    tables, size, measures = groups.shape
    base = np.concatenate([total[:, None], groups], axis=1).reshape(-1, measures)
    cells = pl.DataFrame(
        {
            "survey": "",
            "period": "",
            "organisation": np.repeat([f"{table:06d}" for table in range(tables)], size + 1),
            "breakdown": [ALL, *["group"] * size] * tables,
            "group": [ALL, *(f"{group:06d}" for group in range(size))] * tables,
        }
    )
    there = np.asarray(base.any(axis=1))
    known = np.where(base > 0, base, np.nan)[there]
    hidden = np.zeros(len(base), bool)
    names = [f"{measure:06d}" for measure in range(measures)]
    hidden[there] = (hidden_cells(cells.filter(there), names, known, least) > 0).any(axis=1)
    return hidden.reshape(tables, -1)[:, 1:]


def to_pool_everywhere(pooled: Flags, counts: Whole, peers: Whole, least: int) -> Flags:
    """Say which groups must share a weight in all organisations whose mix comes from each other.

    Parameters
    ----------
    pooled : numpy.ndarray
        Organisations × groups: what `to_pool` says.
    counts : numpy.ndarray
        Respondents, likewise.
    peers : numpy.ndarray
        Number of the benchmark group of each organisation.

    Notes
    -----
    The share of a group in the mix counts its respondents in every organisation. Where they are hidden in one
    organisation alone, or too few in all that hide them, the weights of the others would tell.
    """
    found = np.zeros_like(pooled)
    for number in np.unique(peers):
        rows = peers == number
        hidden, own = pooled[rows], counts[rows]
        people = (hidden * own).sum(axis=0)
        alone = hidden.any(axis=0) & ((hidden.sum(axis=0) < 2) | (people < least))
        for group in np.argsort(own.sum(axis=0), kind="stable"):
            if not alone.any() or (alone.sum() > 1 and people[alone].sum() >= least):
                break
            alone[group] |= bool(own[:, group].any())
        found[rows] = alone
    return found


def in_pools(values: Numbers, pooled: Flags) -> Numbers:
    """Give every member of a pool the sum of all of them, row by row."""
    return np.where(pooled, (values * pooled).sum(axis=1, keepdims=True), values)


def warn_of_pools(pools: Mapping[str, Sequence[str]], what: str) -> None:
    """Say where how many groups share a weight: their names would be those of small groups."""
    if not pools:
        return
    said = "; ".join(f"{where}: {len(groups)} groups" for where, groups in [*pools.items()][:NAMED])
    more = f"; and {len(pools) - NAMED} more" if len(pools) > NAMED else ""
    warn(
        f"{what} with few respondents share one weight with the next smallest, so that weighted totals give "
        f"none of them away ({said}{more}). pool_below=1 pools nothing.",
        SmallBaseWarning,
    )
