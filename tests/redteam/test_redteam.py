"""Nobody outside works out a person, a small base or a small sum, over random extracts of every kind."""

from __future__ import annotations

import pytest

from tests.redteam.campaign import HEAD, campaign, line
from tests.redteam.extracts import KINDS

#: Extracts of each kind; `python -m tests.redteam` takes as many as it is told.
EXTRACTS = 15


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_can_be_worked_out(kind: str):
    outcomes = campaign(kind, EXTRACTS, strict=True)
    open_ones = [o.seed for o in outcomes if o.any]
    assert len(outcomes) == EXTRACTS
    assert open_ones == [], f"{HEAD}\n{line(kind, outcomes)}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_attacker_knows_how_a_release_comes_about(kind: str):
    """No release contradicts what the attacker takes for granted: else what it does not find proves nothing."""
    assert sum(o.mistaken for o in campaign(kind, 3, strict=True)) == 0
