"""Nobody outside works out a person, a small base or a small sum, over random extracts of every kind."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tests.redteam.bounds import base_attack
from tests.redteam.campaign import HEAD, attack, campaign, line
from tests.redteam.extracts import KINDS, make
from tests.redteam.releases import people_of, released

#: Extracts of each kind; `python -m tests.redteam` takes as many as it is told.
EXTRACTS = 7
#: Each of these takes a second.
FEWER = {"draws": 2}


@pytest.fixture(scope="module")
def outcomes():
    made = {}

    def of(kind: str):
        if kind not in made:
            made[kind] = campaign(kind, FEWER.get(kind, EXTRACTS), strict=True)
        return made[kind]

    return of


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_can_be_worked_out(kind: str, outcomes):
    assert [o.seed for o in outcomes(kind) if o.any] == [], f"{HEAD}\n{line(kind, outcomes(kind))}"


# A part of an extract and the whole, in two calls, tell it now and then: of 6 in 500 extracts.
@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("draws", "texts", "parts")])
def test_no_count_of_few_people_is_pinned_by_bounds(kind: str, outcomes):
    """Beyond groups of which all, or none, are counted: who lies in one is known whatever is hidden."""
    assert [o.seed for o in outcomes(kind) if o.counts] == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_attacker_knows_how_a_release_comes_about(kind: str, outcomes):
    """No release contradicts what the attacker takes for granted: else what it does not find proves nothing."""
    assert len(outcomes(kind)) == FEWER.get(kind, EXTRACTS)
    assert sum(o.mistaken for o in outcomes(kind)) == 0


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in ("draws", "texts", "organisations")])
def test_something_is_shown(kind: str, outcomes):
    """Hiding everything is no protection: cells of 11 and more are shown for the most part (of one organisation)."""
    hidden = sum((o.hidden for o in outcomes(kind)), Counter())
    assert hidden["shown"] > hidden["additional"]


@pytest.mark.parametrize(
    ("kind", "seed"), [("overlap", 7040), ("crossed", 20129), ("crossed", 20352), ("crossed", 20370)]
)
def test_how_many_of_eleven_answered_does_not_follow(kind, seed):
    """Eleven people, ten of whom answered: who skipped the question in the groups around them told that."""
    case = make(kind, seed)
    table = released(case).together.filter(weighting="none")
    (people,) = people_of(case)
    found, mistaken = base_attack(table, people, np.random.default_rng(seed), each=60, measures=12)
    assert mistaken == 0
    assert found == []


@pytest.mark.parametrize("seed", [30077, 30409])
def test_what_is_hidden_weighted_alone_is_known_to_have_been_shown_without_weights(seed):
    """Plain figures came first; weighted ones of other groups and of the whole left 5 and 9 people over."""
    outcome = attack(make("weighted", seed))
    assert not outcome.any, outcome.found


def test_a_group_that_an_earlier_call_showed_is_not_taken_as_hidden():
    """Medical and Dental, shown by the first call and again by the third, was taken as hidden by the second."""
    outcome = attack(make("calls", 30364))
    assert not outcome.any, {(f.method, f.measure, f.heads) for f in outcome.found}
