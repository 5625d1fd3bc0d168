"""Organisations that merged: the earlier year of the successor is all that it is made of, itself included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics import compare_years, estimate, synthetic
from culture_metrics.errors import ComparabilityError, UnknownNameError

#: SYN02 joins SYN01 after 2023.
MERGED = {"SYN01": ["SYN02"]}


@pytest.fixture(scope="module")
def old():
    return synthetic.respondents(2023, organisations=3, respondents_per_organisation=500, seed=6)


@pytest.fixture(scope="module")
def new():
    return estimate(
        synthetic.respondents(2024, respondents_per_organisation=900, seed=7), by=["gender"]
    ).table


def test_the_successor_s_own_earlier_row_is_part_of_it(old, new):
    """The figures of respondents put under one code by hand are those pooled from two rows."""
    small = replace(
        old, frame=old.frame.filter((pl.col("organisation") != "SYN01") | (pl.int_range(pl.len()) % 2 == 0))
    )
    change = compare_years([estimate(small, by=["gender"]), new], 2023, 2024, merged=MERGED)
    code = pl.col("organisation").replace({"SYN02": "SYN01"})
    together = estimate(replace(small, frame=small.frame.with_columns(code)), by=["gender"]).table
    want = together.filter(organisation="SYN01", status="reported").select(
        "breakdown", "group", "measure", "estimate", "base"
    )
    found = change.table.filter(pl.col("estimate_from").is_not_null(), organisation="SYN01").join(
        want, on=["breakdown", "group", "measure"]
    )
    assert found.height > 100
    np.testing.assert_allclose(found["estimate_from"], found["estimate"], atol=1e-9)
    assert found["base_from"].to_list() == found["base"].to_list()
    assert "SYN01 in 2023 is SYN01 (base 250) and SYN02 (base 500) pooled by base" in change.notes[0]
    assert change.appeared == ()
    assert change.vanished == ("SYN03",)


@pytest.mark.filterwarnings("ignore::culture_metrics.errors.SmallBaseWarning")
def test_weighted_figures_are_pooled_as_they_are_and_the_note_says_so(old, new):
    weighted = estimate(old, weights="official").table
    change = compare_years([weighted, new.with_columns(pl.lit("occupation_group").cast(new.schema["weighting"]).alias("weighting"))], 2023, 2024, merged=MERGED)  # fmt: skip
    row = change.table.filter(organisation="SYN01", measure="morale", group="all").row(0, named=True)
    parts = weighted.filter(pl.col("organisation").is_in(["SYN01", "SYN02"]), measure="morale", group="all")
    assert row["estimate_from"] == pytest.approx(np.average(parts["estimate"], weights=parts["base"]))
    assert "nobody weighted them together" in change.notes[0]


def test_what_one_of_them_lacks_is_not_taken_from_the_others_alone(old, new):
    table = estimate(old).table.filter((pl.col("measure") != "morale") | (pl.col("organisation") != "SYN01"))
    change = compare_years([table, new], 2023, 2024, merged=MERGED)
    row = change.table.filter(organisation="SYN01", measure="morale", group="all").row(0, named=True)
    assert (row["estimate_from"], row["verdict"]) == (None, "not comparable")


def test_mergers_that_cannot_be_are_refused(old, new):
    table = estimate(old).table
    with pytest.raises(UnknownNameError, match="SYN09"):
        compare_years([table, new], 2023, 2024, merged={"SYN01": ["SYN09"]})
    with pytest.raises(ComparabilityError, match="SYN02 cannot be part of both SYN01 and SYN03"):
        compare_years([table, new], 2023, 2024, merged={"SYN01": ["SYN02"], "SYN03": ["SYN02"]})
    apart = table.with_columns(
        pl.when(pl.col("organisation") == "SYN01").then(pl.lit("published")).otherwise("source").cast(table.schema["source"]).alias("source")
    )  # fmt: skip
    with pytest.raises(ComparabilityError, match="No figure of 2023 stands in all that became SYN01"):
        compare_years([apart, new], 2023, 2024, merged=MERGED)
