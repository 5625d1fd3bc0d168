"""Benchmark groups against the published best, median and worst."""

from __future__ import annotations

import html

import polars as pl
import pytest

from culture_metrics import benchmark, study
from culture_metrics.catalogue import catalogue
from culture_metrics.errors import ResultsError, UnknownNameError

STATISTICS = {"best": "best", "average_median": "median", "worst": "worst"}


@pytest.fixture(scope="module")
def tieout(shared_reference):
    return pl.read_csv(shared_reference / "nss" / "tieout.csv", infer_schema=False)


def test_best_median_and_worst_equal_the_benchmark_groups_of_2024(published_2024, tieout):
    """`GRP24`: computed from the official file and confirmed against three published reports."""
    wanted = tieout.filter(source="GRP24")
    assert wanted.height == 450
    edition, organisations = catalogue().edition(2024), published_2024.organisations
    checked = 0
    for (group,), rows in wanted.partition_by("org_name", as_dict=True).items():
        member = organisations.filter(benchmark_group=group)["organisation"].first()
        table = benchmark(published_2024, organisation=member).table
        for measure, value, n in rows.select("measure", "value", "n").iter_rows():
            name, statistic = next(
                (measure.removesuffix(f"_{s}"), column)
                for s, column in STATISTICS.items()
                if measure.endswith(s)
            )
            row = table.row(by_predicate=pl.col("measure") == edition.id(name), named=True)
            assert row[statistic] == pytest.approx(float(value), abs=1e-9), (group, measure)
            assert row["organisations"] == int(n)
            checked += 1
    assert checked == 450


def test_the_published_benchmark_report_of_ry6(published_2024, tieout):
    """`LCH24`: the printed benchmark report of Leeds Community Healthcare 2024, two decimals."""
    edition = catalogue().edition(2024)
    table = benchmark(published_2024, organisation="RY6").table
    rows = tieout.filter(source="LCH24", year="2024", confirmed="yes", weighted="occupation group")
    rows = rows.filter(~pl.col("measure").str.contains("_sig_"))
    assert rows.height == 26 * 4
    for measure, value, n, level in rows.select("measure", "value", "n", "level").iter_rows():
        suffix = next((s for s in STATISTICS if measure.endswith(s)), None)
        name = measure.removesuffix(f"_{suffix}") if suffix else measure
        row = table.row(by_predicate=pl.col("measure") == edition.id(name), named=True)
        got = row[STATISTICS[suffix] if suffix else "estimate"]
        assert f"{got:.2f}" == f"{float(value):.2f}", measure
        assert int(n) == (row["organisations"] if level == "benchmark group" else row["base"]), measure


def test_rank_and_percentile(published_2024):
    standing = benchmark(published_2024, organisation="RY6")
    assert standing.group == "Community Trusts"
    row = standing.table.row(by_predicate=pl.col("measure") == "staff_engagement", named=True)
    values = standing.peers.filter(measure="staff_engagement")["estimate"]
    assert row["rank"] == 1 + (values > row["estimate"]).sum()
    assert row["percentile"] == pytest.approx(100 * (values < row["estimate"]).sum() / (values.len() - 1))


def test_lower_is_better_turns_best_and_rank(published_2024):
    table = benchmark(published_2024, organisation="RY6").table
    row = table.row(by_predicate=pl.col("measure") == "work_related_stress", named=True)
    assert row["best"] < row["median"] < row["worst"]
    neutral = table.row(by_predicate=pl.col("measure") == "patient_contact", named=True)
    assert neutral["median"] is not None
    assert neutral["best"] is neutral["worst"] is neutral["rank"] is None


def test_the_best_organisation_has_rank_1_and_percentile_100(published_2024):
    peers = benchmark(published_2024, organisation="RY6").peers.filter(measure="staff_engagement")
    top = peers.sort("estimate")["organisation"].last()
    row = benchmark(published_2024, top).table.row(by_predicate=pl.col("code") == "E", named=True)
    assert (row["rank"], row["percentile"]) == (1, 100.0)


def test_unknown_organisations_are_answered_with_near_ones(published_2024):
    with pytest.raises(UnknownNameError, match="no organisation 'RY66'") as caught:
        benchmark(published_2024, organisation="RY66")
    assert "RY6" in str(caught.value)


def test_it_speaks_in_sentences_and_draws():
    example = study([])
    standing = benchmark(example.published[0], example.organisation)
    assert "above the median" in standing.summary()
    scores = standing.table.filter(pl.col("level") != "question").drop_nulls(["estimate", "median"])
    above = scores.filter(pl.col("estimate") > pl.col("median")).height
    said = f"{standing.name}: above the median of {standing.group} on {above} of {scores.height} scores"
    assert standing.figure().layout.meta["alt"].startswith(said)
    row = standing.table.row(by_predicate=pl.col("measure") == "recommend_place_to_work", named=True)
    said = f"{standing.name} ranks {row['rank']} of {row['organisations']} {standing.group}"
    assert said in standing.ranking("recommend_place_to_work").layout.meta["alt"]
    assert html.escape(standing.summary()) in standing._repr_html_()
    assert " & " not in standing._repr_html_()
    assert standing.figure().layout.meta["source"] == "Published results, every respondent counted once"


def test_it_prints_as_sentences_not_as_tables():
    data = study([])
    standing = benchmark(data.workbook, data.organisation)
    assert repr(standing) == standing.summary()
    assert len(repr(standing)) < 500


@pytest.mark.parametrize("given", [None, "workbook.xlsx"])
def test_what_is_no_workbook_is_refused(given):
    with pytest.raises(ResultsError, match="taken from a published workbook"):
        benchmark(given, "SYN01")
