"""Hide small cells of a release, and as many others as it takes that none of them can be worked out."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, overload

import numpy as np
import polars as pl

from culture_metrics.disclosure.choose import OPTIMAL_UP_TO, TIES, choose
from culture_metrics.disclosure.release import (
    HIDDEN,
    SECONDARY,
    SHOWN,
    SMALL,
    releases,
)
from culture_metrics.disclosure.repair import repair
from culture_metrics.disclosure.rule import Rule
from culture_metrics.disclosure.structure import CELL
from culture_metrics.disclosure.tables import Tables
from culture_metrics.errors import CultureMetricsWarning
from data_schemas.columns import STATUSES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from culture_metrics.disclosure.release import Flags, Numbers, Release

NUMBERS = ["estimate", "std_error", "conf_low", "conf_high", "base", "effective_base", "percent"]
#: Hiding a total costs as much as hiding so many of the cells it is the sum of.
TOTAL = 10.0
#: Above so many trees × families of measures, breakdowns within others are solved in closed form.
SEARCHES = 200
#: Above so many cells × families of measures, all that adds up in two ways is solved sum by sum.
CELLS = 50_000
#: So many patterns of hidden cells are kept to be tried on the next family of measures.
TRIED = 4


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
        `suppressed_small_base`, or `suppressed_secondary` when the row would give another one away.

    Raises
    ------
    CultureMetricsError
        When a minimum is not a whole number of at least 1.

    Warns
    -----
    CultureMetricsWarning
        When a release is too large for the search, or when something follows from the status of the hidden
        cells alone, which hiding more cannot help.

    Notes
    -----
    Sums are those over the groups of a breakdown, over crosses of breakdowns and breakdowns within others,
    over organisations (`all`) and periods (`all`). An element is hidden with its sub-scores. A hidden cell is
    protected when an attacker who knows all that is shown, and from the status what is small, cannot bound
    its base more tightly than to four numbers, nor find any sum of hidden cells with it that holds fewer than
    `minimum_base` people: with that sum would go its results. `audit_disclosure` is that attacker.

    A breakdown on its own is solved in closed form, for all measures and organisations at once; whatever adds
    up in two ways by integer programming (Fischetti and Salazar 2001), in large tables by a greedy choice.
    Above 50,000 cells × families of such tables (all organisations of the country with their sum) each sum is
    made safe, but not what follows from several put together: a warning says so.

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
    for release in releases(results, rule, parents, mark=True):
        # A measure can stand in several rows: what is hidden in one is hidden in all.
        hidden = _hide(release, rule)[:, release.family] | (release.state == SECONDARY)
        cells = np.where(release.state == SMALL, SMALL, np.where(hidden, SECONDARY, SHOWN)).astype(np.int8)
        why[release.row] = cells[release.row_cell, release.row_measure]
    why[(given != "reported").to_numpy()] = SHOWN
    names = {code: name for name, code in HIDDEN.items()}
    found = pl.Series(why).replace_strict(names, default=None, return_dtype=pl.String)
    return given.zip_with(found.is_null(), found)


def _without(table: pl.DataFrame, status: pl.Series) -> pl.DataFrame:
    """Take the numbers of hidden rows out."""
    shown = status == "reported"
    numbers = [c for c in NUMBERS if c in table.columns]
    return table.with_columns(
        status.cast(table.schema["status"]).alias("status"),
        *(pl.when(shown).then(pl.col(c)).alias(c) for c in numbers),
    )


def _hide(release: Release, rule: Rule) -> Flags:
    """Say what is hidden, by cell and family."""
    structure = release.structure
    start = release.hidden
    every, inner = np.arange(len(structure.total)), ~structure.top
    if not len(every) or not (release.state >= SMALL).any():
        return start
    hidden, stuck = repair(release, rule, every[structure.flat], start, inner)
    # Whole organisations first: with one of them hidden, all its breakdowns hang together.
    of_tops = structure.top[structure.part[np.searchsorted(structure.equation, every)]]
    for equations in _islands(every, structure.islands(structure.top), of_tops):
        _search(release, rule, equations[of_tops[equations]], hidden, stuck, structure.top)
    loose = structure.top & hidden.any(axis=1)
    wanted = ~of_tops & (~structure.flat | loose[structure.total])
    islands = list(_islands(every, structure.islands(inner | loose), wanted))
    trees = [structure.is_tree(equations, inner | loose) for equations in islands]
    if sum(trees) * release.families > SEARCHES:
        branches = np.concatenate([i for i, tree in zip(islands, trees, strict=True) if tree])
        hidden, caught = repair(release, rule, branches, hidden, inner)
        stuck |= caught
        islands = [i for i, tree in zip(islands, trees, strict=True) if not tree]
    size = sum(len(np.unique(structure.matrix[equations].indices)) for equations in islands)
    if size * release.families > CELLS:
        return _hide_sum_by_sum(release, rule, hidden)
    for equations in islands:
        _search(release, rule, equations, hidden, stuck, inner)
    if stuck.any():
        anything = np.ones(len(inner), bool)
        at = np.asarray(abs(structure.matrix) @ stuck.any(axis=1).astype(float)) > 0
        for equations in _islands(every, structure.islands(anything), at):
            cells, families = (
                np.unique(structure.matrix[equations].indices),
                np.flatnonzero(stuck.any(axis=0)),
            )
            again = families[stuck[np.ix_(cells, families)].any(axis=0)]
            hidden[np.ix_(cells, again)] = start[np.ix_(cells, again)]
            stuck[np.ix_(cells, again)] = False
            _search(release, rule, equations, hidden, stuck, anything, again)
    if stuck.any():
        warnings.warn(
            "Some small groups follow from what is small beside them, whatever is hidden: audit_disclosure "
            "names them. Leave out a breakdown or a cross.",
            CultureMetricsWarning,
            stacklevel=4,
        )
    return hidden


def _hide_sum_by_sum(release: Release, rule: Rule, hidden: Flags) -> Flags:
    """Hide what it takes that nothing follows from any sum; rings of sums are not searched."""
    every = np.arange(len(release.structure.total))
    hidden, stuck = repair(release, rule, every, hidden, ~release.structure.top)
    if stuck.any():
        hidden, _ = repair(release, rule, every, hidden, np.ones(len(hidden), bool))
    warnings.warn(
        "This release is too large to search all that adds up in two ways: nothing follows from any of its "
        "sums, but whether anything follows from several put together is for audit_disclosure to say.",
        CultureMetricsWarning,
        stacklevel=4,
    )
    return hidden


def _islands(equations: Numbers, label: Numbers, wanted: Flags) -> Iterable[Numbers]:
    """Split equations by the island they are on; only islands with a wanted equation."""
    inside = np.flatnonzero(np.isin(label, label[wanted]))
    order = inside[np.argsort(label[inside], kind="stable")]
    return np.split(equations[order], np.flatnonzero(np.diff(label[order])) + 1) if len(order) else []


def _search(
    release: Release,
    rule: Rule,
    equations: Numbers,
    hidden: Flags,
    stuck: Flags,
    may: Flags,
    families: Numbers | None = None,
) -> None:
    """Hide what it takes in equations that hang together, family by family: changes `hidden` and `stuck`.

    A pattern that did for one family is tried on the next.
    """
    cells = np.unique(release.structure.matrix[equations].indices)
    if families is None:
        families = np.unique(release.family[(release.state[cells] == SMALL).any(axis=0)])
    if may[cells].sum() > OPTIMAL_UP_TO:
        hidden[:], _ = repair(release, rule, equations, hidden, may)
    size = release.size[cells]
    cost = TOTAL ** np.minimum(release.structure.depth[cells], 3) + TIES * size / max(size.sum(), 1.0)
    tried: list[Flags] = []
    for family in families:
        tables = Tables(release, equations, int(family), rule)
        before = hidden[cells, family]
        after, safe = choose(tables, before, may[cells] & tables.there.any(axis=1), cost, tried)
        added = after & ~before
        if added.any() and not any((added == p).all() for p in tried):
            tried = [added, *tried][:TRIED]
        hidden[cells, family] = after
        stuck[cells, family] |= not safe
