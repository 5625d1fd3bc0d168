"""Two official files of one release, set beside each other."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from culture_metrics.errors import ResultsError
from culture_metrics.published import read_published, tie_out


def test_national_bases_are_the_sums_over_all_trusts(official, national_2024):
    """Exactly, for all 30 scores of 2024: 745,006 answered for staff engagement."""
    found = tie_out(official, national_2024)
    assert found.compared == {"sum": 30}
    assert found.table.is_empty()
    fewer = replace(official, results=official.results.table.filter(pl.col("organisation") != "RXT"))
    off = tie_out(fewer, national_2024).table
    gone = official.results.table.filter(organisation="RXT", measure="morale")["base"].item()
    row = off.filter(measure="morale").row(0, named=True)
    assert (row["kind"], row["second"] - row["first"]) == ("sum_of_bases", gone)


def test_every_disagreement_of_two_files_is_listed(organisations_file):
    first = read_published(organisations_file)
    morale = (pl.col("measure") == "morale") & (pl.col("organisation") == "RX1")
    table = first.results.table.with_columns(
        estimate=pl.when(morale).then(pl.col("estimate") + 0.01).otherwise("estimate"),
        base=pl.when(morale).then(pl.col("base") + 1).otherwise("base"),
    )
    moved = pl.when(pl.col("organisation") == "RX2").then(pl.lit("ICBs")).otherwise("benchmark_group")
    organisations = first.organisations.with_columns(benchmark_group=moved).filter(
        pl.col("organisation") != "Q01"
    )
    found = tie_out(first, replace(first, results=table, organisations=organisations)).table
    assert found.select("kind", "organisation", "measure").rows() == [
        ("value", "RX1", "morale"),
        ("base", "RX1", "morale"),
        ("benchmark_group", "RX2", None),
        ("organisation", "Q01", None),
    ]
    assert found["note"].to_list()[2:] == ["Community Trusts and ICBs", "in the first file only"]
    base = found.filter(kind="base")
    assert (base["second"] - base["first"]).item() == 1
    assert tie_out(first, first).table.is_empty()


def test_two_releases_are_not_tied_out(organisations_file):
    first = read_published(organisations_file)
    with pytest.raises(ResultsError, match="Two files of one release"):
        tie_out(first, replace(first, period="2023"))
