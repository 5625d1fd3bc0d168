"""Every design with every covariance equals R: slope, standard error and degrees of freedom.

`tests/reference/link_covariances.R` fitted them to `link_panel.csv` without some rows (stats, sandwich, plm,
clubSandwich, lme4, lmerTest); `link_covariances.csv` is what it wrote. Fixed effects are R's `lm` with a dummy
for each organisation.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import culture_metrics as cm

REFERENCE = Path(__file__).parents[1] / "reference"
RECORDS = {
    row["id"]: row
    for row in pl.read_csv(
        REFERENCE / "link_covariances.csv", null_values="NA", infer_schema_length=None
    ).to_dicts()
}
OUTCOMES = {
    "cases": cm.Outcome("cases", kind="count", exposure="bed_days"),
    "leavers": cm.Outcome("leavers", kind="proportion", base="headcount"),
    "sickness": cm.Outcome("sickness", kind="rate"),
    "target_met": cm.Outcome("target_met", kind="binary"),
    "agency": cm.Outcome("agency", kind="money"),
}
LINEAR = {"plain": {}, "weighted": {"weights": "deaths"}}
#: Where an algorithm stops sets these: the variances of lme4, the scoring of a Gamma model.
STOPPED, EXACT = 1e-6, 1e-7


@pytest.fixture(scope="module")
def panel():
    number, code = pl.int_range(pl.len()), pl.col("organisation").str.slice(1).cast(pl.Int64)
    return (
        pl.read_csv(REFERENCE / "link_panel.csv")
        .sort("organisation", "year")
        .filter((number * 7 % 11 > 2) | (number % 13 == 0))
        .filter((code < 50) | (pl.col("year") == 2019 + code % 4))
    )


def found(panel, record):
    """Return the row of the table that a record of R is for."""
    design, kind, cov, term = record.split(".")
    settings = {"design": design, "cov": "cluster" if cov == "sss" else cov, "standardise": None}
    if kind in OUTCOMES:
        settings |= {"outcomes": OUTCOMES[kind]}
    else:
        settings |= {"outcomes": "score", "controls": ("sickness",)} | LINEAR[kind]
    if design == "cross_section":
        panel = panel.filter(year=2022)
    table = cm.link_outcomes(panel, "engagement", **settings).table
    if design == "cross_lagged":
        way = {"z": "indicator_to_outcome", "s": "outcome_to_indicator"}[term]
        return table.filter(term=way).row(0, named=True)
    rows = table.filter(role="main")
    return rows.filter((pl.col("term") == term) | (pl.col("term") == "overall")).row(0, named=True)


@pytest.mark.parametrize("record", RECORDS)
def test_equals_r(record, panel):
    ours, wanted = found(panel, record), RECORDS[record]
    rel = STOPPED if record.startswith(("mixed", "within_between", "pooled.agency")) else EXACT
    assert ours["estimate"] == pytest.approx(wanted["estimate"], rel=rel)
    assert ours["std_error"] == pytest.approx(wanted["std_error"], rel=rel)
    assert ours["df"] == (None if wanted["df"] is None else pytest.approx(wanted["df"], rel=STOPPED))
