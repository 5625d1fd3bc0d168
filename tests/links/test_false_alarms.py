"""What clustering can and cannot mend, in simulated panels."""

from __future__ import annotations

import pytest

import culture_metrics as cm
from culture_metrics.errors import LinkError


def rates(**changes):
    table = cm.links.false_alarms(120, 5, draws=2000, **changes).table
    return dict(table.select("design", "estimate").iter_rows())


def test_clustering_mends_repeated_years():
    """outcome_links.md, c6: independent levels; clustered and fixed effects at most 7%."""
    found = rates()
    assert found["classical"] > 15
    assert 3 < found["clustered"] <= 7
    assert 3 < found["fixed_effects"] <= 7


def test_clustering_does_not_mend_levels_that_go_together():
    """outcome_links.md, c6: levels correlate 0.4; clustered 97% there, fixed effects still at most 7%."""
    found = rates(correlation=0.4)
    assert found["clustered"] > 90
    assert 3 < found["fixed_effects"] <= 7


def test_the_interval_is_of_the_simulation():
    row = cm.links.false_alarms(30, 3, draws=400).table.row(1, named=True)
    assert row["conf_low"] < row["estimate"] < row["conf_high"]


def test_words_and_figure():
    found = cm.links.false_alarms(30, 3, correlation=0.4, draws=200)
    assert "made-up panels" in found.summary()
    assert "clustered by organisation" in found.figure().layout.meta["alt"]


@pytest.mark.parametrize(
    "numbers", [{"n_organisations": 5}, {"years": 1}, {"icc": 1.2}, {"correlation": 2}, {"draws": 5}]
)
def test_refusals(numbers):
    with pytest.raises(LinkError):
        cm.links.false_alarms(**numbers)
