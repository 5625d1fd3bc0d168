"""What verbs of comparison read alike: one name for a list, lazy tables, names of breakdowns, provisional years."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

import culture_metrics as cm
from culture_metrics.catalogue import catalogue
from culture_metrics.compare.equality import _id
from culture_metrics.compare.standing import side, turned
from culture_metrics.errors import ComparabilityError


@pytest.fixture(scope="module")
def years():
    """Three years of a small trust, by directorate."""
    made = [cm.synthetic.respondents(y, respondents_per_organisation=160, seed=4) for y in (2022, 2023, 2024)]
    return made, [cm.estimate(one, by=["locality_1"]).table for one in made]


def test_one_name_is_a_list_of_one(years):
    (extract, *_), results = years
    by = cm.estimate(extract, by="gender")
    assert by.table.equals(cm.estimate(extract, by=["gender"]).table)
    assert by.provenance["arguments"]["by"] == ["gender"]
    for verb, given in ((cm.trend, (results,)), (cm.compare_years, (results, 2022, 2023))):
        alone = verb(*given, measures="morale").table
        assert alone["measure"].unique().to_list() == ["morale"]
    gaps = cm.equality_gaps(results[0], by="locality_1", measures="morale").table
    assert gaps.select("breakdown", "measure").unique().rows() == [("locality_1", "morale")]


def test_decompose_change_takes_lazy_results_as_others_do(years):
    _, (_, old, new) = years
    want = cm.decompose_change(old, new, "morale", by=["locality_1"]).table
    assert cm.decompose_change(old.lazy(), new.lazy(), "morale", by="locality_1").table.equals(want)


def test_a_table_without_rows_is_not_told_about_the_pulse(years):
    _, results = years
    with pytest.raises(ComparabilityError) as told:
        cm.compare_years(results[0].clear(), 2022, 2023)
    assert "pulse" not in told.value.hint and "no rows" in told.value.hint


def test_a_provisional_year_is_named_wherever_it_is_used(years):
    """2026 stands on the questions of 2025: the catalogue says so, and so do a trend and replicates."""
    _, results = years
    shifted = [
        t.with_columns(period=pl.lit(p)) for t, p in zip(results, ("2024", "2025", "2026"), strict=True)
    ]
    found = cm.trend(shifted, measures=["morale"])
    (remark,) = catalogue("nss_england").remarks("2026")
    assert remark in found.summary() and remark in found.rules()
    assert remark not in cm.trend(results, measures=["morale"]).summary()
    extract = replace(cm.synthetic.respondents(2025, respondents_per_organisation=60), period="2026")
    assert remark in cm.replicate(extract, measures=["morale"], draws=50).summary()


@pytest.mark.parametrize("name", ["Directorate", "directorate", "locality_1", "Locality 1"])
def test_gaps_know_a_breakdown_by_the_same_names_as_other_verbs(name):
    assert _id(name, catalogue("nss_england"), {"locality_1": "Directorate"}) == "locality_1"


def test_figures_of_which_fewer_is_better_are_turned():
    rows = pl.DataFrame({"direction": ["lower", "higher", None], "estimate": [2.0, 3.0, 4.0]})
    assert rows.select(turned(), x=side())["x"].to_list() == [-1.0, 1.0, 1.0]
    assert rows.select(turned().alias("t"))["t"].to_list() == [-2.0, 3.0, 4.0]
