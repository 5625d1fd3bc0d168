"""Choose what to hide: small cells, and as many others as it takes that none of them follows."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from culture_metrics.disclosure.choose import OPTIMAL_UP_TO, TIES, choose
from culture_metrics.disclosure.release import SECONDARY, SHOWN, SMALL
from culture_metrics.disclosure.repair import repair
from culture_metrics.disclosure.tables import Tables
from culture_metrics.errors import CultureMetricsWarning

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from culture_metrics.disclosure.release import Flags, Numbers, Release
    from culture_metrics.disclosure.rule import Rule

#: Hiding a total costs as much as hiding so many of the cells it is the sum of.
TOTAL = 10.0
#: Above so many trees × families of measures, breakdowns within others are solved in closed form.
SEARCHES = 200
#: Above so many cells × families of measures, all that adds up in two ways is solved sum by sum.
CELLS = 50_000
#: So many patterns of hidden cells are kept to be tried on the next family of measures.
TRIED = 4


def hide(release: Release, rule: Rule) -> NDArray[np.int8]:
    """Say what is hidden and why, by cell and measure: `SHOWN`, `SMALL`, `SECONDARY`."""
    # A measure can stand in several rows: what is hidden in one is hidden in all.
    hidden = _hidden(release, rule)[:, release.family] | (release.state == SECONDARY)
    return np.where(release.state == SMALL, SMALL, np.where(hidden, SECONDARY, SHOWN)).astype(np.int8)


def _hidden(release: Release, rule: Rule) -> Flags:
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
            stacklevel=5,
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
        stacklevel=5,
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
