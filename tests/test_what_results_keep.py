"""No result that leaves an extract behind carries its respondents: in attributes, closures or pickled."""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Set

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm

#: Numbers of respondents that nothing else has as its length.
SIZES = {2023: 1_223, 2024: 1_259}


@pytest.fixture(scope="module")
def years() -> dict:
    return {y: cm.synthetic.respondents(y, respondents_per_organisation=n, seed=2) for y, n in SIZES.items()}


@pytest.fixture(scope="module")
def found(years) -> dict:
    """What public verbs make of extracts, by the name of the verb."""
    before, now = years.values()
    results = pl.concat([cm.estimate(e, by=["locality_1"]).table for e in years.values()])
    change = cm.decompose_change(before, now, "morale", by=["gender"])
    return {
        "agreement": cm.agreement(now, ["burnout", "morale"], "locality_1"),
        "audit_disclosure": cm.disclosure.audit_disclosure(results),
        "change_contributions": cm.compare.change_contributions(before, now, "morale"),
        "check_pair": cm.check_pair(before, now),
        "compare_years": cm.compare_years(results, 2023, 2024, linked=(before, now)),
        "decompose_change": change,
        "distributions": cm.distributions(now, by=["locality_1"]).table,
        "estimate": results,
        "nonresponse_sensitivity": cm.compare.nonresponse_sensitivity(change, 4000, 4000),
        "replicate": cm.replicate(now, ["gender"], measures=["morale"], draws=30),
        "shrink": cm.shrink(results).table,
    }


VERBS = [
    "agreement", "audit_disclosure", "change_contributions", "check_pair", "compare_years", "decompose_change",
    "distributions", "estimate", "nonresponse_sensitivity", "replicate", "shrink",
]  # fmt: skip


def lengths(thing: object, seen: set[int]) -> set[int]:
    """Return the length of all that an object reaches: tables, arrays, lists, attributes, what functions hold."""
    if id(thing) in seen or isinstance(thing, type | str | bytes | int | float | None):
        return set()
    seen.add(id(thing))
    if isinstance(thing, pl.DataFrame | np.ndarray):
        return set(thing.shape)
    if isinstance(thing, pl.Series):
        return {len(thing)}
    inside: list[object] = [cell.cell_contents for cell in getattr(thing, "__closure__", None) or ()]
    inside += list(getattr(thing, "__dict__", {}).values())
    own: set[int] = set()
    if isinstance(thing, Mapping):
        inside += list(thing.values())
        own = {len(thing)}
    elif isinstance(thing, list | tuple | Set):
        inside += list(thing)
        own = {len(thing)}
    return own.union(*(lengths(one, seen) for one in inside))


@pytest.mark.parametrize("verb", VERBS)
def test_a_result_holds_nothing_by_respondent(found, verb):
    here = lengths(found[verb], set())
    assert here
    assert not here & set(SIZES.values())
    assert not lengths(pickle.loads(pickle.dumps(found[verb])), set()) & set(SIZES.values())


def test_the_search_finds_respondents_where_they_are(years):
    """What is of respondents by its nature says so: the extract, its check, weights."""
    now = years[2024]
    for thing in (now, cm.validate(now), cm.rake(now, {"gender": {"Female": 7, "Male": 3}}), lambda: now):
        assert SIZES[2024] in lengths(thing, set())
