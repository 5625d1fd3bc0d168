"""What clustering can and cannot mend, in simulated panels."""

from __future__ import annotations

import inspect

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


NAN = float("nan")
IMPOSSIBLE = {
    "n_organisations": [5, -120, 50.5, NAN],
    "years": [0, 2.5, -1],
    "icc": [1.0, 1.2, -0.1, NAN],
    "icc_indicator": [1.2, -0.1],
    "level": [0, 0.7, 1.5, -0.05, NAN],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in IMPOSSIBLE.items() for v in values])
@pytest.mark.parametrize("verb", [cm.links.false_alarms, cm.links.detectable_link])
def test_impossible_studies_are_refused_alike(verb, name, value):
    with pytest.raises(LinkError, match=f"{name}= lies outside its range"):
        verb(**{name: value})


@pytest.mark.parametrize(
    ("verb", "numbers"),
    [
        (cm.links.false_alarms, {"years": 1}),
        (cm.links.false_alarms, {"correlation": 2}),
        (cm.links.false_alarms, {"draws": 5}),
        (cm.links.false_alarms, {"draws": 100.5}),
        (cm.links.detectable_link, {"power": 0}),
        (cm.links.detectable_link, {"power": 0.01}),
        (cm.links.detectable_link, {"power": 1.5}),
        (cm.links.detectable_link, {"power": NAN}),
        (cm.links.detectable_link, {"reliability": 0}),
        (cm.links.detectable_link, {"reliability": 1.1}),
    ],
    ids=lambda given: getattr(given, "__name__", str(given)),
)
def test_what_one_of_them_takes_is_refused_alike(verb, numbers):
    (name,) = numbers
    with pytest.raises(LinkError, match=f"{name}= lies outside its range"):
        verb(**numbers)


def test_what_both_take_has_one_name_and_one_default():
    one, other = (
        inspect.signature(verb).parameters for verb in (cm.links.false_alarms, cm.links.detectable_link)
    )
    shared = [name for name in one if name in other]
    assert shared == ["n_organisations", "years", "icc", "icc_indicator", "level"]
    for name in shared:
        assert (one[name].default, one[name].kind) == (other[name].default, other[name].kind)
