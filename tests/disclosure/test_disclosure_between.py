"""Two releases of the same groups: who is in only one of them, in whatever group and direction."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog

import culture_metrics as cm
from benchmarks.disclosure_peers import every_cell, key_of, random_counts, release_of, statuses
from culture_metrics.contract import as_results
from culture_metrics.disclosure.between import releases_of_two, untied
from culture_metrics.disclosure.decision import Decision
from culture_metrics.disclosure.release import ABSENT, OPEN
from culture_metrics.disclosure.rule import Rule

SMALL, SECONDARY = "suppressed_small_base", "suppressed_secondary"


def release(
    bases: dict[str, int], *, hidden: str = "", small: str = "", total: int | None = None
) -> pl.DataFrame:
    """Results of one organisation; groups named by a letter in `hidden` are so, as `small` or for others."""
    groups = {"all": total or sum(bases.values()), **bases}
    gone = {g: g in list(hidden) for g in groups}
    return as_results(
        pl.DataFrame(
            {
                "group": list(groups),
                "breakdown": ["all"] + ["locality_1"] * len(bases),
                "base": [None if gone[g] else n for g, n in groups.items()],
                "estimate": [None if gone[g] else 6.0 for g in groups],
                "status": [
                    "reported" if not gone[g] else SMALL if g in list(small) else SECONDARY for g in groups
                ],
            }
        ).with_columns(
            survey=pl.lit("nss_england"), period=pl.lit("2024"), organisation=pl.lit("RXX"),
            measure=pl.lit("morale"), unit=pl.lit("score"), weighting=pl.lit("none"), source=pl.lit("respondents"),
        )
    )  # fmt: skip


def different(first: pl.DataFrame, second: pl.DataFrame, **options) -> set[str]:
    table = cm.disclosure.audit_disclosure(first, second, **options).table
    other = cm.disclosure.audit_disclosure(second, first, **options).table
    assert table.equals(other)
    return set(table.filter(finding="difference")["group"])


BASES = {"a": 60, "b": 80, "c": 100, "d": 120}


@pytest.mark.parametrize(
    ("change", "hidden", "found"),
    [
        ({"a": -5, "b": 30}, "", {"a"}),  # against the total
        ({"a": -5, "b": 5}, "", {"a", "b"}),  # the total stays as it is
        ({"a": -30, "b": 45}, "", set()),
        ({"a": 3, "b": 2, "c": 30}, "ab", {"a", "b"}),  # five people of two hidden groups
        ({"a": 2, "b": 3, "c": -30}, "ab", {"a", "b"}),
        ({"a": 12, "b": 9, "c": -50}, "ab", set()),
        ({"c": 30, "d": -30}, "ab", set()),  # nobody of the hidden groups
        ({}, "ab", set()),
    ],
)
def test_few_who_moved_are_found_whichever_way_they_went(change, hidden, found):
    after = {g: n - change.get(g, 0) for g, n in BASES.items()}
    assert different(release(BASES, hidden=hidden), release(after, hidden=hidden)) == found


def test_few_of_no_group_in_only_one_release_are_found():
    # 50 and 47 people are in no group: neither is few.
    total = sum(BASES.values())
    first, second = release(BASES, total=total + 50), release({**BASES, "d": 90}, total=total - 30 + 47)
    assert different(first, second) == {"(in no group)"}


def test_a_group_that_all_have_left_hides_nobody_else():
    after = {g: n - (5 if g == "a" else 0) for g, n in BASES.items() if g != "c"}
    assert different(release(BASES, hidden="ab"), release(after, hidden="ab")) == {"a", "b"}


def test_the_status_says_which_way_a_hidden_group_went():
    """The hidden groups lost 20 people together, but one of them was small and is 40 now."""
    first = release({"a": 12, "b": 8, "c": 100, "d": 120}, hidden="bc", small="b")
    second = release({"a": 8, "b": 40, "c": 52, "d": 125}, hidden="ac", small="a")
    assert different(first, second) == {"d"}
    assert "odd" not in cm.disclosure.audit_disclosure(first, second).table["finding"]


def test_what_is_taken_for_granted_is_given_up_for_hidden_groups_alone():
    pair = release(BASES, hidden="ab"), release({**BASES, "c": 70}, hidden="ab")
    (tied,) = releases_of_two(*pair, Rule(11), rounded=False)
    free = untied(tied, [0]).state[tied.between :].reshape(2, -1)
    assert (free == OPEN).sum(axis=1).tolist() == [2, 2]
    assert (tied.state == OPEN).sum() == 2
    assert (untied(tied, []).state == ABSENT).all()


def test_rounded_bases_of_groups_that_went_either_way_give_nothing_away():
    first = release({"a": 60, "b": 80, "c": 100})
    second = release({"a": 70, "b": 50, "c": 100})
    assert different(first, second, rounded_to=10) == set()


def test_groups_without_five_and_without_thirty_are_told_apart():
    """One release lacks 5 of a directorate, the other 30 of another one: 25 more in all."""
    extract = cm.synthetic.respondents(2024, respondents_per_organisation=600, seed=2)
    place = extract.frame["locality_1"]
    tables = []
    for name, few in (("Planned Care", 5), ("Urgent Care", 30)):
        among = (place == name).fill_null(value=False)
        kept = ~(among & (among.cum_sum() <= few))
        part = replace(extract, frame=extract.frame.filter(kept), decision=Decision())
        results = cm.estimate(part, by=["locality_1"]).table
        tables.append(results.filter(measure="morale"))
    assert different(*tables) == {"Planned Care"}


@pytest.mark.parametrize("both_ways", [False, True])
def test_crosses_of_breakdowns_against_linear_programming_of_the_differences(both_ways):
    """What the differences shown say of the hidden ones, where nobody joined; and, where some did, at least
    the differences that are shown."""
    draw, least = np.random.default_rng(1), 5
    number = 0
    for _ in range(4):
        before = random_counts(draw, (2, 2, 3), 40)
        left = np.minimum(
            np.where(draw.random(before.shape) < 0.3, draw.integers(0, 6, before.shape), 0), before
        )
        joined = np.where(draw.random(before.shape) < 0.2, draw.integers(0, 16, before.shape), 0) * both_ways
        first, second = (
            cm.suppress(release_of(n, False), least).table for n in (before, before - left + joined)
        )
        one, other = statuses(first), statuses(second)
        leaves = {k: v.astype(float) for k, v in every_cell(before.shape, False).items()}
        gap = {k: one[k][1] - other[k][1] for k in leaves if one[k][0] == other[k][0] == "reported"}
        few = {k for k, n in gap.items() if 0 < abs(n) < least}
        table = np.array([leaves[k] for k in gap])
        for key, own in leaves.items() if not both_ways else ():
            most = linprog(-own, A_eq=table, b_eq=list(gap.values()), bounds=(0, None))
            if most.status == 0 and 0.5 < -most.fun < least - 0.5:
                few.add(key)
        found = cm.disclosure.audit_disclosure(first, second, minimum_base=least).table
        rows = found.filter(finding="difference").select("period", "breakdown", "group").rows()
        assert few <= {key_of(*row) for row in rows}
        number += len(few)
    assert number > 10
