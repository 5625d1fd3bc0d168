"""The short form of the contract, which other tests use, says what Pandera says."""

from __future__ import annotations

import polars as pl
import pytest
from contract import keeps_contract
from planting import clean_extract

from culture_metrics.extracts.schema import contract_problems

CLEAN = clean_extract(rows=20)
FIRST = pl.int_range(pl.len()) == 0
BREACHES = {
    "another type": pl.col("q25c").cast(pl.Int16),
    "a code outside the list": pl.when(FIRST).then(pl.lit(7, pl.Int8)).otherwise("q25c").alias("q25c"),
    "a box with another code": pl.when(FIRST).then(pl.lit(2, pl.Int8)).otherwise("q16c_1").alias("q16c_1"),
    "no organisation": pl.when(~FIRST).then("organisation"),
    "no respondent": pl.when(~FIRST).then("respondent"),
    "respondents twice": pl.lit("one").alias("respondent"),
    "ids that are numbers": pl.int_range(pl.len()).alias("respondent"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_one_for_both(breach):
    frame = CLEAN.frame.with_columns(BREACHES[breach])
    assert not keeps_contract(frame, CLEAN.edition)
    assert contract_problems(frame, CLEAN.edition)


@pytest.mark.parametrize("year", [2021, 2025])
def test_a_clean_extract_keeps_it_for_both(year):
    extract = clean_extract(year, rows=20)
    assert keeps_contract(extract.frame, extract.edition)
    assert contract_problems(extract.frame, extract.edition) == []
    few = extract.frame.select("respondent", "organisation", "q2a")
    assert keeps_contract(few, extract.edition)
    assert contract_problems(few, extract.edition) == []
