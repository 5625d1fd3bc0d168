"""Blocks of an official release that are wrong as published: data of the catalogue, no facts."""

from __future__ import annotations

import polars as pl
import pytest

from culture_metrics import compare_years
from culture_metrics.contract import as_distributions, as_organisations, as_results
from culture_metrics.errors import ComparabilityError
from culture_metrics.published import Published
from culture_metrics.published.faults import without_faults
from culture_metrics.results import validate_results
from culture_metrics.results.tables import words
from culture_metrics.wording.numbers import why_not
from data_schemas.columns import DISTRIBUTIONS, FAULTY, ORGANISATIONS

GROUNDS = pl.col("measure").str.starts_with("discrimination_grounds")


def test_the_grounds_of_discrimination_of_2024_are_no_facts(published_2024):
    """226 organisations are given 100 % for age; 1,466 such figures stand in the file, and as many answers."""
    table, answers = published_2024.results.table, published_2024.distributions.table
    grounds = table.filter(GROUNDS)
    counts = dict(grounds["status"].cast(pl.String).value_counts().rows())
    assert counts == {FAULTY: 1466, "suppressed_small_base": 7 * 263 - 1466}
    assert grounds.select(pl.col("estimate", "base").is_null().all()).row(0) == (True, True)
    assert answers.filter(status=FAULTY).height == 1466
    assert answers.filter(status=FAULTY)["question"].unique().to_list() == ["discrimination_grounds"]
    assert table.filter(status=FAULTY).height == 1466
    assert table.filter(measure="discrimination_from_staff", status="reported").height > 250
    (fault,) = published_2024.provenance["faults"]
    assert "100 % for each of the seven grounds" in fault
    assert "Leave the grounds out" in fault
    assert "Not taken as fact" in published_2024.summary()


def made(value: float, layout: str = "organisation", release: str = "2024") -> Published:
    """Published results of ten organisations with one figure for a ground."""
    rows = pl.DataFrame({"organisation": [f"R{i:02}" for i in range(10)], "estimate": [value] * 10}).with_columns(
        pl.lit(v).alias(k)
        for k, v in {
            "survey": "nss_england", "period": "2024", "breakdown": "all", "group": "all",
            "measure": "discrimination_grounds_age", "unit": "percent", "base": 400, "weighting": "none",
            "status": "reported", "source": "published",
        }.items()
    )  # fmt: skip
    return Published(
        survey="nss_england",
        period="2024",
        results=as_results(rows),
        distributions=as_distributions(pl.DataFrame(schema=DISTRIBUTIONS)),
        organisations=as_organisations(pl.DataFrame(schema=ORGANISATIONS)),
        provenance={"layout": layout, "release": release},
    )


@pytest.mark.parametrize("given", [made(37.2), made(100.0, layout="benchmark"), made(100.0, release="2025")])
def test_a_file_that_was_put_right_and_files_of_other_kinds_are_left_alone(given):
    assert without_faults(given) is given


def test_a_fault_is_shown_as_one_wherever_results_are_shown():
    faulty = without_faults(made(100.0)).results
    assert faulty.table["status"].cast(pl.String).to_list() == [FAULTY] * 10
    assert validate_results(faulty).table.is_empty()
    before = made(40.0).results.table.with_columns(period=pl.lit("2023"))
    with pytest.raises(ComparabilityError, match="2024: known to be wrong in the official release") as caught:
        compare_years([before, faulty.table], 2023, 2024, measures=["q16c_6"], release=2024)
    assert "Comparable instead: Leave the grounds out" in str(caught.value)
    told = faulty.table.select(words("estimate"), why=why_not()).unique()
    assert told.row(0) == ("[x]", "known to be wrong in this release")
