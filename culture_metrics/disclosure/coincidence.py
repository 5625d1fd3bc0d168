"""Near-coincidence: unions of groups of one table that are unions of groups of another, but for a few people.

Two tables are a graph: their groups are its nodes, and so many people as two groups share lie between them.
People who are left over when groups of one are taken from groups of the other lie in a cut of that graph, and
what holds together by enough people cannot be cut with few (Nagamochi and Ibaraki 1992).
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from culture_metrics.disclosure.release import Numbers


def may_coincide(tables: Sequence[Numbers], part: Numbers, minimum: int) -> dict[int, set[int]]:
    """Say of which parts a union of groups may leave 1 to `minimum` - 1 people over beside another union.

    Parameters
    ----------
    tables : sequence of array
        By respondent: the group of each table, 0, 1, … in each part; -1 for those in none that is shown.
    part : array
        By respondent: the organisation, 0, 1, …
    minimum : int
        So many people hold groups together.

    Returns
    -------
    dict
        The tables that may have such unions, by part; no two others have.
    """
    parts = int(part.max(initial=-1)) + 1
    found: dict[int, set[int]] = {}
    # Who is in no shown group is in one that nobody shows: the rest of the organisation.
    sizes = [int(table.max(initial=-1)) + 2 for table in tables]
    # Codes by part: a pair takes a product and a sum, and half the bits hold them.
    inner = [(table + 1).astype(np.int32) for table in tables]
    outer = [(part * size).astype(np.int32) + code for code, size in zip(inner, sizes, strict=True)]
    place = np.empty(len(part), np.int64)
    for first, second in combinations(range(len(tables)), 2):
        wide, high = sizes[first], sizes[second]
        np.multiply(outer[first], high, out=place, dtype=np.int64)
        place += inner[second]
        people = np.bincount(place, minlength=parts * wide * high)
        there = np.flatnonzero(people)
        one, other = there // high, parts * wide + there // (wide * high) * high + there % high
        owner = np.append(np.repeat(np.arange(parts), wide), np.repeat(np.arange(parts), high))
        for number in np.unique(owner[_loose(one, other, people[there], len(owner), minimum)]).tolist():
            found.setdefault(number, set()).update((first, second))
    return found


def _loose(one: Numbers, other: Numbers, people: Numbers, size: int, minimum: int) -> Numbers:
    """Join what enough people hold together, as far as that goes; return a node of all that is left apart."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    node = np.arange(size)
    while len(people) and (heavy := people >= minimum).any():
        graph = coo_array((people[heavy], (one[heavy], other[heavy])), shape=(size, size))
        label = connected_components(graph, directed=False)[1]
        # Each set of joined nodes goes by one of them.
        first = np.zeros(size, np.int64)
        first[label[::-1]] = node[::-1]
        one, other = np.sort(np.stack([first[label[one]], first[label[other]]]), axis=0)
        apart = one != other
        one, other, people = _summed(one[apart], other[apart], people[apart], size)
    return one


def _summed(one: Numbers, other: Numbers, people: Numbers, width: int) -> tuple[Numbers, Numbers, Numbers]:
    pair, number = np.unique(one * width + other, return_inverse=True)
    return pair // width, pair % width, np.bincount(number.reshape(-1), people, len(pair)).astype(np.int64)
