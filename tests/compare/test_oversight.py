"""Oversight scores against the example of the manual, ties, sectors, and what noise allows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from culture_metrics.catalogue import catalogue
from culture_metrics.compare.oversight import framework_from, oversight, scored
from culture_metrics.contract import as_organisations, as_results
from culture_metrics.errors import CatalogueError, ResultsError, UnknownNameError

ACUTE = ["Acute and Acute & Community Trusts", "Acute Specialist Trusts"]


@pytest.fixture(scope="module")
def narrow(published_2024):
    """The two measures of the official workbook."""
    kept = pl.col("measure").is_in(["staff_engagement", "raising_concerns"])
    return replace(published_2024, results=published_2024.table.filter(kept))


def by_rank(published, measure):
    """Acute and specialist trusts by rank: sorted here, not by the package."""
    groups = published.organisations.filter(pl.col("benchmark_group").is_in(ACUTE))
    rows = published.table.filter(measure=measure).join(groups, on="organisation").drop_nulls("estimate")
    return rows.sort("estimate", descending=True).select("organisation", "estimate").rows()


@pytest.mark.parametrize(
    ("measure", "metric", "rank", "value", "score"),
    [("staff_engagement", "OF0084", 17, 7.17, 1.36), ("raising_concerns", "OF0061", 21, 6.70, 1.45)],
)
def test_the_example_of_the_manual(narrow, measure, metric, rank, value, score):
    """Methodology manual of the NHS Oversight Framework 2025/26: 7.17 scores 1.36, and 6.70 scores 1.45."""
    ranked = by_rank(narrow, measure)
    assert len(ranked) == 135
    code, estimate = ranked[rank - 1]
    assert round(estimate, 2) == value
    row = oversight(narrow, code).table.row(by_predicate=pl.col("measure") == measure, named=True)
    assert (row["metric"], row["rank"], row["organisations"], row["score"]) == (metric, rank, 135, score)
    assert row["rank_low"] <= rank <= row["rank_high"]
    assert row["score_low"] <= score <= row["score_high"]
    more = 1 + sum(v > estimate + 0.1 for _, v in ranked)
    assert (row["rank_if_more"], row["score_if_more"]) == (
        more,
        pytest.approx(1 + 3 * (more - 1) / 134, abs=0.005),
    )
    assert (row["quarter"], row["to_next_quarter"]) == (1, None)


def test_the_next_quarter_begins_at_its_last_trust(narrow):
    """135 trusts: the quarters end at ranks 34, 68, 102 and 135 (4 (rank - 1) // 135)."""
    ranked = by_rank(narrow, "staff_engagement")
    for rank, quarter, last in ((35, 2, 34), (68, 2, 34), (69, 3, 68), (103, 4, 102), (135, 4, 102)):
        row = oversight(narrow, ranked[rank - 1][0]).table.row(0, named=True)
        assert (row["rank"], row["quarter"]) == (rank, quarter)
        assert row["to_next_quarter"] == pytest.approx(ranked[last - 1][1] - ranked[rank - 1][1])
    assert row["score"] == 4.0


def test_sectors(narrow):
    """2024: 50 mental health and 14 community trusts are ranked together, 11 ambulance trusts alone."""
    for code, sector, organisations in (("RY6", "Mental health", 64), ("RX6", "Ambulance", 11)):
        found = oversight(narrow, code)
        assert found.sector.startswith(sector)
        assert found.table["organisations"].to_list() == [organisations] * 2
    with pytest.raises(ResultsError, match="NR5 is in no sector"):
        oversight(narrow, "NR5")
    with pytest.raises(UnknownNameError, match="no organisation 'REFF'"):
        oversight(narrow, "REFF")


def tied(narrow):
    """The best three ambulance trusts stand level."""
    three = by_group(narrow)[:3]
    level = pl.when(pl.col("organisation").is_in(three)).then(7.0).otherwise("estimate")
    return three, replace(narrow, results=as_results(narrow.table.with_columns(estimate=level)))


def by_group(narrow):
    group = narrow.organisations.filter(benchmark_group="Ambulance Trusts")["organisation"]
    rows = narrow.table.filter(pl.col("organisation").is_in(group.implode()), measure="staff_engagement")
    return rows.sort("estimate", descending=True)["organisation"].to_list()


def test_ties_take_the_score_of_the_best_rank(narrow):
    """Three of eleven are level at the top: all 1.00; the fourth has rank 4, 1 + 3 * 3 / 10 = 1.90."""
    three, published = tied(narrow)
    for code in three:
        row = oversight(published, code).table.row(0, named=True)
        assert (row["rank"], row["score"]) == (1, 1.0)
    row = oversight(published, by_group(narrow)[3]).table.row(0, named=True)
    assert (row["rank"], row["score"]) == (4, 1.9)


def test_halves_go_up():
    """1 + 3 * 3 / 200 = 1.045 exactly: 1.05, whatever a float makes of it."""
    table = pl.DataFrame({"r": [4, 1, 201, 1], "n": [201, 201, 201, 1]})
    assert table.select(scored(pl.col("r"), pl.col("n"))).to_series().to_list() == [1.05, 1.0, 4.0, None]


def year_before(narrow, shift):
    other = pl.lit("2023")
    moved = narrow.table.with_columns(period=other, estimate=pl.col("estimate") - shift)
    return replace(
        narrow,
        period="2023",
        results=as_results(moved),
        organisations=as_organisations(narrow.organisations.with_columns(period=other)),
        provenance={},
    )


@pytest.mark.parametrize("allowed", [0.05, 0.0])
def test_a_move_is_beyond_noise_when_sampling_and_releases_do_not_explain_it(narrow, allowed):
    """By hand: sqrt(2) * 1.6 / sqrt(3442 / 1.1), 1.96 of them, and 0.05 between two releases."""
    error = np.sqrt(2) * 1.6 / np.sqrt(3442 / 1.1)
    edge = 1.959964 * error + allowed
    for shift, beyond in ((edge + 0.001, True), (edge - 0.001, False), (-edge - 0.001, True)):
        before = year_before(narrow, shift)
        if allowed:
            found = oversight([narrow, before], "REF")
        else:  # one release that holds both years
            both = pl.concat([before.table, narrow.table])
            people = pl.concat([before.organisations, narrow.organisations])
            found = oversight(
                replace(narrow, results=as_results(both), organisations=as_organisations(people)), "REF"
            )
        row = found.table.row(0, named=True)
        assert (row["period_before"], row["change"]) == ("2023", pytest.approx(shift))
        assert row["change_error"] == pytest.approx(error)
        assert row["beyond_noise"] is beyond
    assert oversight(narrow, "REF").table["beyond_noise"].to_list() == [None, None]


def test_it_speaks_and_draws(narrow):
    found = oversight([narrow, year_before(narrow, 0.2)], "REF")
    assert [code for code, _ in by_rank(narrow, "staff_engagement")].index("REF") == 118
    said = found.summary()
    # Which figure it is: a page has that of the own file beside it, which is not weighted.
    assert (
        "Staff engagement (OF0084): 6.56 (official, weighted), rank 119 of 135 acute and specialist trusts, "
        "oversight score 3.64"
    ) in said
    assert "The next quarter of the sector begins" in said and "is more than noise" in said
    assert "staff engagement 3.64" in found.figure().layout.meta["alt"].replace("<br>", " ")


FRAMEWORK = {
    "label": "A framework",
    "source": "made up",
    "metrics": [{"id": "M1", "measure": "staff_engagement", "label": "Staff engagement"}],
    "sectors": {"Ambulance trusts": ["ambulance_trusts"]},
}


@pytest.mark.parametrize(
    ("change", "got"),
    [
        ({"metrics": [{"id": "M1", "measure": "engagement", "label": "x"}]}, "engagement"),
        ({"metrics": [{"id": "M1", "measure": "morale"}]}, "id, measure"),
        ({"metrics": FRAMEWORK["metrics"] * 2}, "M1 twice"),
        ({"sectors": {"Ambulance trusts": ["ambulances"]}}, "ambulances"),
        ({"sectors": {"A": ["ambulance_trusts"], "B": ["ambulance_trusts"]}}, "ambulance_trusts twice"),
        ({"sectors": ["ambulance_trusts"]}, "list"),
        ({"colour": "blue"}, "label, source, metrics, sectors, colour"),
    ],
)
def test_a_framework_that_does_not_fit_the_catalogue_is_refused(change, got):
    survey = catalogue("nss_england")
    assert framework_from(FRAMEWORK, survey) == FRAMEWORK
    with pytest.raises(CatalogueError) as told:
        framework_from(FRAMEWORK | change, survey)
    assert told.value.got == got
    assert told.value.where.startswith("oversight.yaml")
